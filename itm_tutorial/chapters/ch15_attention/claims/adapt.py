"""ADAPT: the fovea and the caption's scale and shift, each taken away, in both directions; and SCAN beside it.

On the validation split of Flickr30K the paper reports a sum of recalls of 478.2 without and 494.2 with the fovea where
captions adapt regions, and of 427.4 and 482.0 where images adapt words. The arms without scale and shift are ours, as
are the sizes and the speeds measured here. All arms but SCAN have the same encoders, loss and epochs.
"""

from __future__ import annotations

from itm_tutorial.chapters.ch15_attention.measures.adapt import speed
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above, Of
from itm_tutorial.chapters.measures import minimal_pairs, retrieval

SIZE = {"embed_size": 64, "word_dim": 64}
FIT = {"epochs": 3, "batch_size": 32, "learning_rate": 3e-3}
ADAPT, NO_FOVEA, STILL, MEAN = "adapt", "no fovea", "fovea alone", "mean of regions"
WORDS, WORDS_MEAN, SCAN = "adapt, words", "adapt, words, no fovea", "scan"

CLAIMS = (
    Claim(
        name="adapt",
        corpus="scenes",
        arms=(
            Arm(ADAPT, "adapt", SIZE, FIT),
            Arm(NO_FOVEA, "adapt_no_fovea", SIZE, FIT),
            Arm(STILL, "adapt", {**SIZE, "adapts": False}, FIT),
            Arm(MEAN, "adapt_no_fovea", {**SIZE, "adapts": False}, FIT),
            Arm(WORDS, "adapt_i2t", SIZE, FIT),
            Arm(WORDS_MEAN, "adapt_i2t", {**SIZE, "fovea": False}, FIT),
            Arm(SCAN, "scan", SIZE, {**FIT, "learning_rate": 6e-3}),
        ),
        measures=(retrieval, minimal_pairs, speed),
        effects=(
            Above("captions that adapt regions need the fovea (rsum)", ADAPT, NO_FOVEA),
            Above("images that adapt words need the fovea (rsum)", WORDS, WORDS_MEAN),
            Above("adapt beats the mean of regions (rsum)", ADAPT, MEAN),
            Above(
                "adapt beats the mean of regions where the binding decides (points)",
                ADAPT,
                MEAN,
                minimal_pairs="binding",
            ),
            Above("the caption's scale and shift help beside the fovea (rsum)", ADAPT, STILL),
            Above("scale and shift help the mean of regions (rsum)", NO_FOVEA, MEAN),
            Above("adapt beats scan (rsum)", ADAPT, SCAN),
            Above(
                "adapt scores more than three times as many pairs per second as scan (thousands)",
                ADAPT,
                Of(SCAN, times=3),
                metric="thousand_pairs_per_second",
            ),
        ),
    ),
)
