"""The verdict rule, and effects read from rows as they are declared."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import itm_tutorial as itm
from itm_tutorial.chapters.effects import Above, Best, Gain, Of, effects_of
from itm_tutorial.chapters.experiment import find
from itm_tutorial.chapters.verdict import effect, is_number
from itm_tutorial.errors import ItmError


def rows_of(**rsum):
    """Rows with rsum, one per seed, for every arm."""
    return [{"seed": seed, "model": arm, "rsum": value} for arm, own in rsum.items() for seed, value in enumerate(own)]


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


def test_one_seed_has_no_spread():
    with pytest.raises(ItmError, match="spread"):
        effect("a claim", [1.0])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, "1", None, True, {"a": 1}])
def test_what_is_no_number_is_refused(value):
    assert not is_number(value)
    with pytest.raises(ItmError, match="a claim: a value is not a number"):
        effect("a claim", [1.0, value])


def test_above_is_the_difference_per_seed():
    rows = rows_of(a=[5.0, 7.0], b=[1.0, 2.0])
    assert Above("", "a", "b").values(rows) == [4.0, 5.0]
    assert Above("", "a", "b", by=1).values(rows) == [3.0, 4.0]
    assert Above("", "a", 50).values(rows) == [-45.0, -43.0]
    assert Above("", Of("b", times=3), "a").values(rows) == [-2.0, -1.0]


def test_the_order_of_the_arms_rows_does_not_matter():
    rows = rows_of(a=[5.0, 7.0], b=[1.0, 2.0])
    assert Above("", "a", "b").values(sorted(rows, key=lambda row: row["seed"])) == [4.0, 5.0]


def test_columns_choose_among_rows_of_one_name():
    sizes = [{"seed": s, "model": "a", "size": n, "rsum": s + n} for s in (0, 1) for n in (1, 10)]
    assert Above("", "a", 0, where={"size": 10}).values(sizes) == [10.0, 11.0]
    assert Above("", Gain("a", to={"size": 10}, over={"size": 1}), 0).values(sizes) == [9.0, 9.0]
    with pytest.raises(ItmError, match="different seeds"):
        Above("", Gain("a", to={"size": 10}, over={"size": 1}), 0).values(sizes[:-1])


def test_another_metric_and_the_best_of_several():
    rows = [{"seed": s, "model": "a", "t2i": {"r1": 5 + s, "r5": 9}, "controls": {"x": 1, "y": 2 * s}} for s in (0, 1)]
    assert Above("", "a", 0, "t2i.r1").values(rows) == [5.0, 6.0]
    assert Above("", Of("a", "t2i.r5"), "a", "t2i.r1").values(rows) == [4.0, 3.0]
    assert Above("", Of("a", "t2i.r1"), Best("a", ("controls.x", "controls.y"))).values(rows) == [4.0, 4.0]


def test_minimal_pairs_that_a_split_lacks_are_left_out_and_no_other_metric():
    rows = [
        {"seed": s, "model": m, "rsum": 1.0, "minimal_pairs": {"count": 50.0 + s}} for s in (0, 1) for m in ("a", "b")
    ]
    pairs = [Above(kind, "a", "b", minimal_pairs=kind) for kind in ("binding", "count")]
    assert [one["name"] for one in effects_of(pairs, rows)] == ["count"]
    with pytest.raises(ItmError, match=r"missing metric.*\[0, 1\].*r1 of 'a' and 'b'"):
        effects_of([Above("missing metric", "a", "b", "r1")], rows)
    del rows[0]["minimal_pairs"]["count"]  # of "a" and seed 0, so that "b" has one more
    with pytest.raises(ItmError, match="minimal_pairs.count of 'b'|minimal_pairs.count of 'a'"):
        effects_of(pairs, rows)


def test_deleted_rows_and_values_of_another_sort_are_named():
    rows = rows_of(a=[5.0, 7.0], b=[1.0, 2.0])
    with pytest.raises(ItmError, match=r"rsum of 'b' is there for the seeds \[0\], of the other side for \[0, 1\]"):
        Above("", "a", "b").values(rows[:-1])
    rows[1]["rsum"] = {"a": 1}
    with pytest.raises(ItmError, match="figures of 'a', seed 1: rsum is not a number"):
        Above("", "a", "b").values(rows)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=2, max_size=6))
def test_swapping_the_sides_turns_the_verdict_round(pairs):
    rows = rows_of(a=[a for a, _ in pairs], b=[b for _, b in pairs])
    there, back = (effects_of([Above("", *sides)], rows)[0] for sides in (("a", "b"), ("b", "a")))
    turned = {"holds": "does not hold", "does not hold": "holds"}
    assert back["verdict"] == turned.get(there["verdict"], there["verdict"])
    assert back["values"] == tuple(-value for value in there["values"])


@pytest.mark.parametrize("name", itm.claims.list_claims())
def test_verdicts_kept_are_those_that_the_figures_kept_give(name):
    kept = itm.claims.results(name)
    assert json.loads(json.dumps(effects_of(find(name).effects, kept["figures"]))) == kept["effects"]
