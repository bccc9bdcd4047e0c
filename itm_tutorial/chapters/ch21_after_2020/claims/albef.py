"""A matching head on a shortlist against the cosines of the same model, and hard negatives against random ones.

The claim is ours: no ablation of the paper's matching loss was read. The control of the head is its own model, whose
encoders are the same; the control of hard negatives is a head with the same number of negatives, drawn at random.
"""

from __future__ import annotations

from itm_tutorial.chapters.ch21_after_2020.measures.albef import pairs_by_head, shortlist
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above, Of

# validation split of seed 7: with a rate of 2e-3, or with hard negatives from the start, the head stays at chance
FIT = {"epochs": 5, "batch_size": 64, "learning_rate": 1e-3}
SIZE = {"embed_size": 64, "features": "regions"}
NAMES = {"hard": "hard negatives", "random": "random negatives"}

CLAIMS = (
    Claim(
        name="albef",
        corpus="scenes",
        arms=tuple(Arm(name, "albef", {**SIZE, "negatives": how}, FIT) for how, name in NAMES.items()),
        measures=(shortlist, pairs_by_head),
        effects=(
            Above(
                "the head on a shortlist of 8 beats the cosine (R@1 of captions, points)",
                Of("hard negatives", "itm.t2i_r1"),
                Of("hard negatives", "itc.t2i_r1"),
            ),
            Above(
                "head and cosine added up beat the head alone (R@1 of captions, points)",
                Of("hard negatives", "sum.t2i_r1"),
                Of("hard negatives", "itm.t2i_r1"),
            ),
            Above(
                "hard negatives beat random ones (R@1 of captions by the head, points)",
                "hard negatives",
                "random negatives",
                metric="itm.t2i_r1",
            ),
            Above(
                "the head tells minimal pairs apart better than the cosine (accuracy, points)",
                Of("hard negatives", "pairs.itm.all"),
                Of("hard negatives", "pairs.itc.all"),
            ),
        ),
    ),
)
