"""RRF-Net: shared against unshared layers, fusion against the last state, and one plain layer as control.

The paper's ablation was not readable to us, so this claim is ours. "Single layer" has the weights of the shared layer
and applies them once, without the residual sum; "unshared" has four times as many of them.
"""

from __future__ import annotations

from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above
from itm_tutorial.chapters.measures import retrieval

FIT = {"epochs": 6}
SHARED, UNSHARED, LAST, SINGLE = "shared, all states", "unshared layers", "last state only", "single layer"

CLAIMS = (
    Claim(
        name="rrf_net",
        corpus="scenes",
        arms=(
            Arm(SHARED, "rrf_net", fit=FIT),
            Arm(UNSHARED, "rrf_net_unshared", fit=FIT),
            Arm(LAST, "rrf_net_last", fit=FIT),
            Arm(SINGLE, "rrf_net_single", fit=FIT),
        ),
        measures=(retrieval,),
        effects=(
            Above("four applications beat a single layer of as many weights (rsum)", SHARED, SINGLE),
            Above("shared weights are within 10 points of unshared ones (rsum)", SHARED, UNSHARED, by=-10),
            Above("fusing all states beats the last one (rsum)", SHARED, LAST),
        ),
    ),
)
