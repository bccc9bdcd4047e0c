"""VSE-infinity: learned pooling against the mean, the maximum and a learned attention; and what varying sizes are for.

The paper's table 1 has the maximum above the mean and above learned aggregators for regions, and the learned operator a
little above the maximum; size augmentation is worth a few points of R@1. Tests with fewer regions are ours.
"""

from __future__ import annotations

from itm_tutorial.chapters.ch21_after_2020.measures.gpo import fewer_regions, learned_weights
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above, Of
from itm_tutorial.chapters.measures import retrieval

SIZE = {"embed_size": 128, "word_dim": 64}
# validation split of seed 7: with 2e-3 and a shorter warm-up, the largest hinge undoes what the sum has learned
FIT = {"epochs": 3, "batch_size": 64, "learning_rate": 1e-3}
ATTENTION = {"image_pooling": "attention", "text_pooling": "attention"}
GPO, MEAN, MAX, ATTEND, FIXED = "gpo", "mean", "maximum", "attention", "gpo, all sizes equal"

CLAIMS = (
    Claim(
        name="gpo",
        corpus="scenes",
        arms=(
            Arm(GPO, "gpo", SIZE, FIT, measures=(retrieval, fewer_regions, learned_weights)),
            Arm(FIXED, "gpo", {**SIZE, "drop_regions": 0.0, "drop_words": 0.0}, FIT),
            Arm(MEAN, "gpo_mean", SIZE, FIT),
            Arm(MAX, "gpo_max", SIZE, FIT),
            Arm(ATTEND, "gpo", {**SIZE, **ATTENTION}, FIT),
        ),
        measures=(retrieval, fewer_regions),
        effects=(
            Above("the maximum beats the mean (rsum)", MAX, MEAN),
            Above("the maximum beats a learned attention (rsum)", MAX, ATTEND),
            Above("learned pooling beats the maximum (rsum)", GPO, MAX),
            Above("learned pooling beats the mean (rsum)", GPO, MEAN),
            Above("leaving out regions and words helps learned pooling (rsum)", GPO, FIXED),
            Above("it helps with half of the regions (rsum)", GPO, FIXED, "half_rsum"),
            Above("the largest value gets more than an even weight", Of(GPO, "first_weight"), Of(GPO, "even_weight")),
        ),
    ),
)
