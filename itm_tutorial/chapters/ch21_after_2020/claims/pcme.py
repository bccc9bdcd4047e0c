"""PCME: does the spread of an embedding grow with the number of its matches, and does a distribution retrieve better?

The paper's own deterministic twin is almost as good on MSCOCO. That the spread grows with ambiguity is what the paper
means it for; in the drawn world the number of images that a caption is true of is known, so that it can be tested.
"""

from __future__ import annotations

from itm_tutorial.chapters.ch21_after_2020.measures.pcme import uncertainty
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above, Of
from itm_tutorial.chapters.measures import retrieval

SIZE = {"embed_size": 64, "word_dim": 64}
FIT = {"epochs": 3, "batch_size": 64, "learning_rate": 2e-3}
PCME, STRONG, TWIN = "pcme", "pcme, divergence x 100", "means alone"

CLAIMS = (
    Claim(
        name="pcme",
        corpus="scenes",
        arms=(
            Arm(PCME, "pcme", SIZE, FIT, measures=(retrieval, uncertainty)),
            Arm(STRONG, "pcme", {**SIZE, "kl_weight": 1e-3}, FIT, measures=(retrieval, uncertainty)),
            Arm(TWIN, "pcme_mean", SIZE, FIT),
        ),
        measures=(retrieval,),
        effects=(
            Above("a caption's spread grows with the images that it is true of", Of(PCME, "uncertainty.captions"), 0),
            Above("an image's spread grows with the captions that are true of it", Of(PCME, "uncertainty.images"), 0),
            Above("a caption's spread falls with its length", 0, Of(PCME, "uncertainty.words")),
            Above("distributions beat their means alone (rsum)", PCME, TWIN),
            Above("a weight of 1e-5 for the divergence beats 1e-3 (rsum)", PCME, STRONG),
            Above("expected distances rank better than means (rsum)", Of(PCME, "expected_rsum"), Of(PCME, "rsum")),
        ),
    ),
)
