"""CAAN: relations within a side, read off the responses to the other side, against first-order ones and none.

The paper's ablation (Flickr30K, R@1 of captions / of images): means 58.1 / 42.0, responses between the sides
60.6 / 45.2, first order 62.3 / 46.6, second order 64.5 / 48.8, between and first order 62.6 / 45.0, between and second
order 70.1 / 52.8. The minimal pairs are ours.
"""

from __future__ import annotations

from functools import partial

from itm_tutorial.chapters.declaration import Arm, Claim, Control
from itm_tutorial.chapters.effects import Above
from itm_tutorial.chapters.measures import minimal_pairs, oracle_rsum, retrieval
from itm_tutorial.chapters.small_galleries import trained_on_small_validation

SIZE = {"embed_size": 64, "word_dim": 64, "hidden": 16}
TRAINED = partial(trained_on_small_validation, epochs=2, batch_size=32, learning_rate=4e-3)
MEANS, INTER, FIRST, SECOND = "means", "between the sides", "first order", "second order"
BOTH, BOTH_FIRST = "between and second order", "between and first order"

CLAIMS = (
    Claim(
        name="caan",
        corpus="scenes",
        arms=(
            Control("ceiling", oracle_rsum),
            Arm(MEANS, "caan_mean", SIZE, None, start=TRAINED),
            Arm(INTER, "caan_inter", SIZE, None, start=TRAINED),
            Arm(FIRST, "caan_first", SIZE, None, start=TRAINED),
            Arm(SECOND, "caan_second", SIZE, None, start=TRAINED),
            Arm(BOTH_FIRST, "caan_inter_first", SIZE, None, start=TRAINED),
            Arm(BOTH, "caan", SIZE, None, start=TRAINED),
        ),
        measures=(retrieval, minimal_pairs),
        effects=(
            Above("responses between the sides beat the means (rsum)", INTER, MEANS),
            Above("first order beats the means (rsum)", FIRST, MEANS),
            Above("second order beats first order (rsum)", SECOND, FIRST),
            Above("second order adds to the responses between the sides (rsum)", BOTH, INTER),
            Above("beside these responses, second order beats first order (rsum)", BOTH, BOTH_FIRST),
            Above("the responses add to second order (rsum)", BOTH, SECOND),
            Above("where colours are swapped, CAAN beats the means (points)", BOTH, MEANS, minimal_pairs="binding"),
        ),
    ),
)
