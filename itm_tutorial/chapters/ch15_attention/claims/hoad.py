"""HOAD: a penalty for what an image shows and no phrase asks for, paired on the scores of one model.

The paper's formula and ablation were not readable to us, so penalty and claim are ours. Captions mention all that is
named, but some scenes have a thing that no caption names, which may mislead the penalty.
"""

from __future__ import annotations

from itm_tutorial.chapters.ch15_attention.measures.hoad import distraction
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above, Of

FIT = {"epochs": 2, "batch_size": 64, "learning_rate": 3e-3}
SIZE = {"embed_size": 128}
WHOLE, LOCAL = "phrases and whole", "phrases alone"

CLAIMS = (
    Claim(
        name="hoad",
        corpus="scenes",
        configuration={"completeness": 1.0, "length": 1.0},
        arms=(Arm(WHOLE, "hoad", SIZE, FIT), Arm(LOCAL, "hoad_local", SIZE, FIT)),
        measures=(distraction,),
        effects=(
            *(
                Above(f"{arm}: the penalty finds more images (t2i R@1)", Of(arm, "penalty.r1"), Of(arm, "none.r1"))
                for arm in (WHOLE, LOCAL)
            ),
            Above(
                "the penalty needs the prominence of its own image (t2i R@1)",
                Of(WHOLE, "penalty.r1"),
                Of(WHOLE, "shuffled.r1"),
            ),
        ),
    ),
)
