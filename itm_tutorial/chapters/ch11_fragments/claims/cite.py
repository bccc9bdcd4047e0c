"""CITE: phrases that choose among four embeddings of a pair, against one embedding of equal size and an equal mixture.

The abstract of the paper states gains of 3 to 4 % over baselines such as the similarity network, which is the case of
one embedding. Its tables were not readable to us; the division into rare and common nouns is ours. Arms differ in K and
in the choice alone; one embedding has as many numbers as four together.
"""

from __future__ import annotations

from itm_tutorial.chapters.ch11_fragments.measures.cite import localisation_by_rarity, weights
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above, Of

FIT = {"epochs": 1, "batch_size": 16, "learning_rate": 3e-3}
FOUR, ONE, UNIFORM = "four, chosen", "one of equal size", "four, equal weights"

CLAIMS = (
    Claim(
        name="cite",
        corpus="scenes",
        arms=(
            Arm(FOUR, "cite", {}, FIT),
            Arm(ONE, "cite_k1", {}, FIT),
            Arm(UNIFORM, "cite", {"choice": "uniform"}, FIT),
        ),
        measures=(localisation_by_rarity, weights),
        effects=(
            *(
                Above(f"{FOUR}, localise phrases better than {other} ({what})", FOUR, other, metric)
                for other in (ONE, UNIFORM)
                for metric, what in (("iou.model.all", "IoU 0.5, points"), ("pointing.model.all", "pointing, points"))
            ),
            Above(f"{FOUR}, gain more over {ONE} on rare nouns (IoU 0.5, points)", FOUR, ONE, "rare_minus_common"),
            Above(
                "phrases are localised better than by area (IoU 0.5, points)",
                Of(FOUR, "iou.model.all"),
                Of(FOUR, "iou.by area.all"),
            ),
        ),
    ),
)
