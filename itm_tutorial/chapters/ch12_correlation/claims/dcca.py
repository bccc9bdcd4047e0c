"""DCCA: do networks add to linear CCA? And how large must a batch be, if its correlation is to say anything?

Yan and Mikolajczyk 2015 do not compare with linear CCA, and they train with 100 pairs and 4,096 numbers per embedding,
where independent noise reaches the maximum too. All effects are ours. The same networks with a ranking loss are shown
and not judged.

Learning rate, size, ridge and weight decay of DCCA were compared in about a dozen runs on the validation split of seed
7; linear CCA has the best of three ridges and of two sizes there. The arms of the curve have three epochs each, so that
a small batch takes more steps, not fewer.
"""

from __future__ import annotations

from itm_tutorial.chapters.ch12_correlation.measures.dcca import DIM, held_out_correlation, noise, ranked
from itm_tutorial.chapters.ch12_correlation.measures.fisher_vector import recalls
from itm_tutorial.chapters.declaration import Arm, Claim, Control
from itm_tutorial.chapters.effects import Above, Of
from itm_tutorial.chapters.measures import oracle_rsum

SIZE = {"embed_size": DIM}
DEEP, LINEAR, RANKED, CURVE, NOISE = "dcca", "linear_cca", "same networks, ranking loss", "dcca, by batch", "pure noise"
SMALL, LARGE = DIM + 1, 1000

CLAIMS = (
    Claim(
        name="dcca",
        corpus="scenes",
        arms=(
            Control("ceiling", oracle_rsum),
            Control(NOISE, noise),
            Arm(DEEP, "dcca", SIZE),
            Arm(LINEAR, "linear_cca", {"embed_size": DIM}, {"epochs": 1}),
            Arm(RANKED, "dcca", SIZE, {"epochs": 10, "batch_size": 128}, start=ranked, measures=(recalls,)),
            *(
                Arm(CURVE, "dcca", SIZE, {"epochs": 3, "batch_size": n}, columns={"batch": n})
                for n in (SMALL, 128, 512, LARGE)
            ),
        ),
        measures=(recalls, held_out_correlation),
        effects=(
            Above("two networks beat linear CCA (R@10)", DEEP, LINEAR, "r10"),
            Above("two networks beat linear CCA (rsum)", DEEP, LINEAR),
            Above("test pairs correlate more than with linear CCA (sum)", DEEP, LINEAR, "correlation.test"),
            Above(
                f"a batch of {LARGE} beats one of {SMALL}, the dimension plus one (R@10)",
                Of(CURVE, where={"batch": LARGE}),
                Of(CURVE, where={"batch": SMALL}),
                "r10",
            ),
            Above(
                f"noise reaches 99 % of the largest total correlation in batches of {SMALL} (percent)",
                Of(NOISE, f"share.{SMALL}"),
                99,
            ),
        ),
    ),
)
