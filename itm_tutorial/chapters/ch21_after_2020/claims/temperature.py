"""What the learned temperature of CLIP does: where it goes, what it is worth, and what it does to the modality gap.

CLIP learns its temperature to save a search; no ablation of it was readable to us, so the claim is ours. The slip of
several public versions, a parameter that starts at 0.07 in place of log(1 / 0.07), is the arm that starts at a scale of
1.07, which is what it amounts to.
"""

from __future__ import annotations

from math import exp

from itm_tutorial.chapters.ch21_after_2020.measures.contrastive import embedding_space
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above, Of
from itm_tutorial.chapters.measures import retrieval

FIT = {"epochs": 4, "batch_size": 128, "learning_rate": 3e-3}
OPTIONS = {"features": "global", "sentence": "bow", "embed_size": 256}
START = 1 / 0.07


def arm(name: str, scale: float, learned: bool) -> Arm:
    """CLIP that starts at one scale, and keeps it or learns it."""
    return Arm(name, "clip_features", {**OPTIONS, "temperature": 1 / scale, "learn_temperature": learned}, FIT)


LEARNED, SLIP = "learned, from 14.3", "learned, from 1.07 (the slip)"
FIXED = {"scale 1": 1.0, "scale 14.3": START, "scale 100": 100.0}

CLAIMS = (
    Claim(
        name="temperature",
        corpus="scenes",
        arms=(
            arm(LEARNED, START, True),
            arm(SLIP, exp(0.07), True),
            *(arm(name, scale, False) for name, scale in FIXED.items()),
        ),
        measures=(retrieval, embedding_space),
        effects=(
            *(Above(f"a learned temperature beats {name}, kept (rsum)", LEARNED, name) for name in FIXED),
            Above("a learned temperature beats the slip (rsum)", LEARNED, SLIP),
            Above("the learned scale rises above its start of 14.3", Of(LEARNED, "scale"), START),
            Above("after the slip, the scale ends below 14.3", START, Of(SLIP, "scale")),
            Above(
                "a high scale leaves true pairs farther apart than a low one (cosine)",
                "scale 1",
                "scale 100",
                "alignment",
            ),
            Above("a high scale leaves a larger gap between images and captions", "scale 100", "scale 1", "gap"),
        ),
    ),
)
