"""2WayNet: what keeps the variance of the middle layer alive, and what it is worth in R@5.

The paper's ablation was not readable to us, so this claim is ours. Every arm has the same tied networks; one has no
batch normalisation, and so no scales to penalise, one has no penalty on small scales, one no decorrelation.
"""

from __future__ import annotations

from itm_tutorial.chapters.ch12_correlation.measures.two_way_net import hidden, recall_at_5
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above, Of
from itm_tutorial.chapters.measures import rsum

FIT = {"epochs": 6}
FULL, PLAIN, FREE, CORRELATED = "full", "no batch normalisation", "no penalty on scales", "no decorrelation"

CLAIMS = (
    Claim(
        name="two_way_net",
        corpus="scenes",
        arms=(
            Arm(FULL, "two_way_net", fit=FIT),
            Arm(PLAIN, "two_way_net_plain", fit=FIT),
            Arm(FREE, "two_way_net_free_scale", fit=FIT),
            Arm(CORRELATED, "two_way_net_correlated", fit=FIT),
        ),
        measures=(rsum, recall_at_5, hidden),
        effects=(
            Above("the variance of h is larger than without batch normalisation", FULL, PLAIN, "image.variance"),
            Above("the variance of h is larger than without the penalty on scales", FULL, FREE, "image.variance"),
            Above("retrieval is better than without batch normalisation (R@5)", FULL, PLAIN, "r5"),
            Above("retrieval is better than without the penalty on scales (R@5)", FULL, FREE, "r5"),
            Above("retrieval is better than without decorrelation (R@5)", FULL, CORRELATED, "r5"),
            Above(
                "without decorrelation the numbers of h are more correlated",
                Of(CORRELATED, "image.correlation"),
                Of(FULL, "image.correlation"),
            ),
        ),
    ),
)
