"""MMCA: attention over both sides as a second score, its weight alpha, and a control that never sees the other side.

The paper's ablation (Flickr30K, R@1 of captions / of images): alpha 0.1: 71.7 / 53.8, 0.2: 74.2 / 54.8, 0.4:
71.8 / 50.9, 0.8: 67.1 / 48.5. It says in words that alpha = 0 is worse. Here alpha = 0, 0.2 and 0.8 are
trained, and the model of 0.2 is also tried with other values at test. The control is ours, and so is the comparison of
both scores within one trained model. All scores at test are computed on shortlists of ten items per query.
"""

from __future__ import annotations

from functools import partial

from itm_tutorial.chapters.ch15_attention.measures.mmca import on_shortlists
from itm_tutorial.chapters.declaration import Arm, Claim, Control
from itm_tutorial.chapters.effects import Above, Of
from itm_tutorial.chapters.measures import oracle_rsum
from itm_tutorial.chapters.small_galleries import trained_on_small_validation

SIZE = {"embed_size": 32, "word_dim": 64, "heads": 1, "hidden": 32, "filters": 16}
TRAINED = partial(trained_on_small_validation, epochs=1, batch_size=16, learning_rate=4e-3)
WITHIN, OWN = "alpha 0", "alpha 0.2, other side hidden"
SWEPT = {alpha: f"alpha {alpha}" for alpha in (0.2, 0.8)}

CLAIMS = (
    Claim(
        name="mmca",
        corpus="scenes",
        arms=(
            Control("ceiling", oracle_rsum),
            Arm(WITHIN, "mmca_within", SIZE, None, start=TRAINED),
            *(Arm(name, "mmca", {**SIZE, "alpha": alpha}, None, start=TRAINED) for alpha, name in SWEPT.items()),
            Arm(OWN, "mmca", {**SIZE, "cross": "own"}, None, start=TRAINED),
        ),
        measures=(on_shortlists,),
        effects=(
            Above("the second score helps (rsum)", SWEPT[0.2], WITHIN),
            Above("seeing the other side beats a second unit that does not (rsum)", SWEPT[0.2], OWN),
            Above("alpha 0.2 beats alpha 0.8 (rsum)", SWEPT[0.2], SWEPT[0.8]),
            Above(
                "within one model, reranking by both scores beats the cheap one (rsum)",
                Of(SWEPT[0.2], "rsum"),
                Of(SWEPT[0.2], "cheap.rsum"),
            ),
        ),
    ),
)
