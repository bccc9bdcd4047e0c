"""DAN: two steps of attention against one, none, and uniform weights.

We found no table of the paper that changes K, so this claim is ours. All arms are trained on the same batches with the
same number of updates. With uniform attention all parameters stay: the maps P^k and the sum over k are learned as
before, and only the choice of items is gone.
"""

from __future__ import annotations

from itm_tutorial.chapters.declaration import Arm, Claim, Control
from itm_tutorial.chapters.effects import Above
from itm_tutorial.chapters.measures import minimal_pairs, oracle_rsum, retrieval

# the learning rate was better than 2e-3 for K = 2 on the validation split of seed 7
FIT = {"epochs": 2, "batch_size": 64, "learning_rate": 5e-3}
TWO, ONE, MEANS, UNIFORM = "K = 2", "K = 1", "K = 0, means", "K = 2, uniform attention"

CLAIMS = (
    Claim(
        name="dan",
        corpus="scenes",
        arms=(
            Control("ceiling", oracle_rsum),
            Arm(TWO, "dan", fit=FIT),
            Arm(ONE, "dan_one_step", fit=FIT),
            Arm(MEANS, "dan_means", fit=FIT),
            Arm(UNIFORM, "dan_uniform", fit=FIT),
        ),
        measures=(retrieval, minimal_pairs),
        effects=(
            Above("two steps of attention beat two steps with equal weights (rsum)", TWO, UNIFORM),
            Above("one step of attention beats the means (rsum)", ONE, MEANS),
            Above("two steps of attention beat one (rsum)", TWO, ONE),
            Above("two steps of attention beat the means (rsum)", TWO, MEANS),
        ),
    ),
)
