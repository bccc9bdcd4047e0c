"""SigLIP's bias: the prior of the batch, the published -10, and none, at batches of 64.

The paper starts the bias at -10 for batches of tens of thousands, whose prior that is; that it should follow the batch
is our reading, so the claim is ours. Bias and scale are learned in every arm.
"""

from __future__ import annotations

from itm_tutorial.chapters.ch21_after_2020.measures.contrastive import embedding_space
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above
from itm_tutorial.chapters.measures import retrieval

OPTIONS = {"features": "global", "sentence": "bow", "embed_size": 256}
FIT = {"epochs": 2, "batch_size": 64, "learning_rate": 2e-3}  # short: a bias can be learned, and the start is at issue
PRIOR, PUBLISHED, NONE = "the batch's log odds", "bias -10", "bias 0"

CLAIMS = (
    Claim(
        name="siglip",
        corpus="scenes",
        arms=(
            Arm(PRIOR, "siglip_features", OPTIONS, FIT),
            Arm(PUBLISHED, "siglip_features", {**OPTIONS, "bias": -10.0}, FIT),
            Arm(NONE, "siglip_features", {**OPTIONS, "bias": 0.0}, FIT),
        ),
        measures=(retrieval, embedding_space),
        effects=(
            Above("a bias from the batch beats the published -10 (rsum)", PRIOR, PUBLISHED),
            Above("a bias from the batch beats a bias of 0 (rsum)", PRIOR, NONE),
        ),
    ),
)
