"""SPE: with the neighbour term and without it, on the same batches.

The paper's abstract says that the neighbour terms help the ranks across views; its table was not readable to us. Both
arms see two captions of each image in every batch, and differ in the weight of the neighbour term alone; 0.05 is that
of the public code. The third arm, with a weight of 1, is ours: it shows which way the term pulls.
"""

from __future__ import annotations

from itm_tutorial.chapters.ch12_correlation.measures.spe import sibling_recalls
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above
from itm_tutorial.chapters.measures import retrieval
from itm_tutorial.training.siblings import siblings

FIT = {"epochs": 8, "sampler": siblings}
WITH, WITHOUT, STRONG = "neighbours", "without (same batches)", "neighbours, weight 1"

CLAIMS = (
    Claim(
        name="spe",
        corpus="scenes",
        arms=(
            Arm(WITH, "spe", fit=FIT),
            Arm(WITHOUT, "spe_without", fit=FIT),
            Arm(STRONG, "spe", {"neighbour_weight": 1.0}, FIT),
        ),
        measures=(retrieval, sibling_recalls),
        effects=(
            Above("a caption finds another one of its image better (R@1)", WITH, WITHOUT, "sibling_r1"),
            Above("an image finds its captions better (R@1)", WITH, WITHOUT, "i2t_r1"),
            Above(
                "with a weight of 1, a caption finds another one of its image better (R@1)",
                STRONG,
                WITHOUT,
                "sibling_r1",
            ),
            Above("with a weight of 1, an image finds its captions better (R@1)", STRONG, WITHOUT, "i2t_r1"),
        ),
    ),
)
