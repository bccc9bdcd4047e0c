"""Zero-shot classification by prompts: a model of captioned scenes names things that stand alone in other pictures.

CLIP reports that templates, and averages of many templates, help. The drawn experiment is ours: the model is trained
on raw pixels of scenes with two or three things, and is tested on the world of objects, whose pictures show one larger
thing of 69 kinds. No training caption is the name of a kind alone.
"""

from __future__ import annotations

from functools import partial

from itm_tutorial.chapters.ch21_after_2020.measures.zero_shot import LABEL, ONE, TEMPLATES, guessing, prompted
from itm_tutorial.chapters.declaration import Arm, Claim, Control
from itm_tutorial.chapters.effects import Above, Of
from itm_tutorial.chapters.measures import retrieval

CLIP, FIT = "clip on scenes", {"epochs": 5}
BARE, SINGLE = "bare label", "one template"
EACH, MEAN = "seven templates, each normalised", "seven templates, averaged as they are"

CLAIMS = (
    Claim(
        name="zero_shot",
        corpus="scenes",
        configuration={"image_size": 64},  # as the world of objects has it; the model reads 48 pixels
        arms=(
            Control("guessing", guessing),
            Arm(CLIP, "clip", fit=FIT),
            Control(BARE, partial(prompted, CLIP, LABEL, "each")),
            Control(SINGLE, partial(prompted, CLIP, ONE, "each")),
            Control(EACH, partial(prompted, CLIP, TEMPLATES, "each")),
            Control(MEAN, partial(prompted, CLIP, TEMPLATES, "mean")),
        ),
        measures=(retrieval,),
        effects=(
            Above("one template: hit@1 beyond three times guessing (points)", SINGLE, Of("guessing", times=3), "hit.1"),
            *(
                Above(f"{what} in hit@{k} (points)", better, worse, f"hit.{k}")
                for k in (1, 5)
                for what, better, worse in (
                    ("a template beats the bare label", SINGLE, BARE),
                    ("seven templates beat one", EACH, SINGLE),
                    ("normalising each template beats averaging them as they are", EACH, MEAN),
                )
            ),
        ),
    ),
)
