"""The verdict rule: twice the standard error, and nothing else."""

import pytest

from itm_tutorial.claims.verdict import effect
from itm_tutorial.errors import ItmError


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([5.0, 6.0, 7.0], "holds"),
        ([-5.0, -6.0, -7.0], "does not hold"),
        ([-5.0, 6.0, 1.0], "too close to say"),
        ([0.0, 0.0, 0.0], "too close to say"),
    ],
)
def test_verdict(values, verdict):
    assert effect("a claim", values).verdict == verdict


def test_standard_error_by_hand():
    found = effect("a claim", [1.0, 2.0, 3.0])
    assert found.mean == 2.0
    assert found.standard_error == pytest.approx(1 / 3**0.5)


def test_one_seed_or_a_nan_is_refused():
    with pytest.raises(ItmError, match="spread"):
        effect("a claim", [1.0])
    with pytest.raises(ItmError, match="not a number"):
        effect("a claim", [1.0, float("nan")])
