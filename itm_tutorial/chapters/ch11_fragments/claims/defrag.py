"""DeFrag: its two objectives together and alone, a control with the regions of another image, and where triples point.

The paper's abstract says that reasoning on the level of images and on that of fragments beats either alone. Its table
by objective was not readable; the sizes of the effects, the control and the pointing game are ours. A fragment points
at the boxes that its dependent names.
"""

from __future__ import annotations

from itm_tutorial.chapters.ch11_fragments.measures.defrag import aligned_elsewhere
from itm_tutorial.chapters.ch11_fragments.measures.pointing import ALL_CONTROLS, pointing
from itm_tutorial.chapters.declaration import Arm, Claim, Control
from itm_tutorial.chapters.effects import Above, Best, Of
from itm_tutorial.chapters.measures import minimal_pairs, oracle_rsum, retrieval

SIZE = {"embed_size": 128, "word_dim": 64}
FIT = {"epochs": 3, "batch_size": 32, "learning_rate": 3e-3}
BOTH, GLOBAL, ALIGNMENT = "both objectives", "global alone", "alignment alone"
ELSEWHERE, WHOLE = "both, aligned with another image", "whole image (vse)"
GROUNDED = (retrieval, minimal_pairs, pointing)

CLAIMS = (
    Claim(
        name="defrag",
        corpus="scenes",
        arms=(
            Control("ceiling", oracle_rsum),
            Arm(BOTH, "defrag", SIZE, FIT, measures=GROUNDED),
            Arm(GLOBAL, "defrag_global", SIZE, FIT, measures=GROUNDED),
            Arm(ALIGNMENT, "defrag_alignment", SIZE, FIT),
            Arm(ELSEWHERE, "defrag", SIZE, FIT, start=aligned_elsewhere, measures=GROUNDED),
            Arm(WHOLE, "vse", {"dim": 128, "word_dim": 64, "features": "regions"}, FIT),
        ),
        measures=(retrieval, minimal_pairs),
        effects=(
            Above("both objectives beat the global one (rsum)", BOTH, GLOBAL),
            Above("both objectives beat the alignment one (rsum)", BOTH, ALIGNMENT),
            Above("fragments beat one vector per image (rsum)", BOTH, WHOLE),
            Above("aligning with the own image beats aligning with another (rsum)", BOTH, ELSEWHERE),
            Above(
                "pointing game, nouns: the alignment objective adds to the global one (points)",
                BOTH,
                GLOBAL,
                metric="pointing.model.noun",
            ),
            Above(
                "pointing game, nouns: aligning with the own image beats aligning with another (points)",
                BOTH,
                ELSEWHERE,
                metric="pointing.model.noun",
            ),
            Above(
                "pointing game, nouns: both objectives are above the best of four controls (points)",
                Of(BOTH, "pointing.model.noun"),
                Best(BOTH, tuple(f"pointing.{control}.noun" for control in ALL_CONTROLS)),
            ),
        ),
    ),
)
