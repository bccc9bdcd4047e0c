"""sm-LSTM: several steps against one, attention that reads the state against attention that does not, and context.

The paper's tables of steps and context were not readable to us, so this claim is ours. All arms have equal parameters,
the same batches and the same number of updates. In "same maps" the state is left out of the attention alone: the LSTM
runs as often as before, so that the difference is that of attending again, and not of depth.
"""

from __future__ import annotations

from itm_tutorial.chapters.ch14_early_attention.measures.sm_lstm import coverage
from itm_tutorial.chapters.declaration import Arm, Claim
from itm_tutorial.chapters.effects import Above
from itm_tutorial.chapters.small_galleries import small_gallery, trained_on_small_validation

FULL, FIXED, ONE = "T = 3", "T = 3, same maps", "T = 1"
ALONE, FREE = "T = 3, no context", "T = 3, no penalty"


def arm(name: str, model: str, **options: float) -> Arm:
    """One model, trained by its recipe on a small validation split."""
    return Arm(name, model, options, fit=None, start=trained_on_small_validation)


CLAIMS = (
    Claim(
        name="sm_lstm",
        corpus="scenes",
        arms=(
            arm(FULL, "sm_lstm"),
            arm(FIXED, "sm_lstm_fixed"),
            arm(ONE, "sm_lstm_one_step"),
            arm(ALONE, "sm_lstm_no_context"),
            arm(FREE, "sm_lstm", penalty=0.0),
        ),
        measures=(small_gallery, coverage),
        effects=(
            Above("three steps beat one (rsum)", FULL, ONE),
            Above("three steps that attend again beat three with the same maps (rsum)", FULL, FIXED),
            Above("global context helps (rsum)", FULL, ALONE),
            Above("attending again reaches more of the named objects (points)", FULL, FIXED, "coverage"),
            Above(
                "the squared penalty makes the maps reach more of the named objects (points)", FULL, FREE, "coverage"
            ),
        ),
    ),
)
