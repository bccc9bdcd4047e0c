"""The protocol of the reality check: rates, epochs, and what is trained next, by hand."""

import math
from itertools import permutations

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.course.reality_check import protocol
from itm_tutorial.course.reality_check.costs import epochs_left
from itm_tutorial.course.reality_check.protocol import FAILED, TRAINED, Point, Setup
from itm_tutorial.data.corpus import Split
from itm_tutorial.errors import ItmError

SETUP = Setup("toy", "global", (0.1, 0.3, 0.9), 4)
FLAT, RISING = [10.0, 20.0, 30.0, 30.0], [10.0, 20.0, 30.0, 40.0]


@pytest.mark.parametrize(
    ("rsums", "rate"),
    [
        ({0.1: 10.0, 0.3: 30.0, 0.9: 20.0}, 0.3),
        ({0.1: 30.0, 0.3: 30.0, 0.9: 20.0}, 0.1),  # of equal ones, the lowest
        ({0.9: 30.0, 0.3: 30.0, 0.1: 20.0}, 0.3),  # in any order
        ({0.1: math.nan, 0.3: 5.0, 0.9: None}, 0.3),
        ({0.1: None, 0.3: None, 0.9: 1.0}, 0.9),
        ({0.1: 0.0, 0.3: None, 0.9: None}, 0.1),
        ({0.1: None, 0.3: math.nan}, None),
        ({}, None),
    ],
)
def test_the_choice_of_the_rate(rsums, rate):
    assert protocol.choose_rate(rsums) == rate


@pytest.mark.parametrize(
    ("rsums", "gain"),
    [
        ([100.0, 100.0, 100.0, 101.0], 0.01),
        ([100.0, 100.0, 100.0, 99.0], 0.0),
        ([50.0, 120.0, 100.0, 110.0], 0.0),  # above the epoch before, below the best of all before
        ([10.0] * 7 + [11.0, 10.0, 10.0], 0.1),  # ten epochs: the last three
        ([10.0] * 6 + [11.0, 10.0, 10.0, 10.0], 0.0),
        ([10.0, 12.0], 0.2),
        ([10.0], math.inf),
        ([0.0], 0.0),
        ([0.0, 0.0, 0.0, 1.0], math.inf),
        ([0.0, 0.0], 0.0),
    ],
)
def test_the_gain_of_the_last_quarter(rsums, gain):
    assert protocol.last_quarter_gain(rsums) == pytest.approx(gain)


def record(validation, message=""):
    return {"outcome": FAILED if message else TRAINED, "message": message, "validation": validation}


def walk(curves, setup=SETUP, seeds=(0, 1)):
    """Plays the protocol to its end -> the batches of trainings as (seed, rate, epochs), and the last plan."""
    found, batches = {}, []
    while todo := protocol.plan(setup, "tiny", seeds, found.get).todo:
        batches.append([(point.seed, point.rate, point.epochs) for point in todo])
        found |= {point: curves(point) for point in todo}
    return batches, protocol.plan(setup, "tiny", seeds, found.get)


def test_a_model_whose_recipe_is_long_enough():
    batches, plan = walk(lambda point: record([100 * point.rate] * point.epochs))
    rates = [(7, 0.1, 4), (7, 0.3, 4), (7, 0.9, 4)]
    assert batches == [rates, [(7, 0.9, 8)], [(0, 0.9, 4), (1, 0.9, 4)]]
    assert (plan.rate, plan.epochs, plan.gain, plan.still_rising, plan.failed) == (0.9, 4, 0.0, False, "")
    assert [(point.seed, point.rate, point.epochs) for point in plan.tuning] == [*rates, (7, 0.9, 8)]
    assert plan.final(1) == Point("toy", "tiny", 1, 0.9, 4)


def test_epochs_are_doubled_until_the_last_quarter_adds_under_one_percent():
    batches, plan = walk(lambda point: record(RISING if point.epochs == 4 else FLAT * 2))
    assert batches[1:] == [[(7, 0.1, 8)], [(7, 0.1, 16)], [(0, 0.1, 8), (1, 0.1, 8)]] and not plan.still_rising
    batches, plan = walk(lambda point: record([float(epoch) for epoch in range(1, point.epochs + 1)]))
    assert batches[1:] == [[(7, 0.1, 8)], [(7, 0.1, 16)], [(0, 0.1, 16), (1, 0.1, 16)]]
    assert plan.epochs == 16 and plan.still_rising  # four times the recipe, and no more


def test_a_curve_that_is_flat_in_its_end_is_too_short_if_a_longer_run_is_better():
    batches, plan = walk(lambda point: record([30.0 * point.epochs] * point.epochs))
    assert plan.epochs == 16 and plan.gain == 1.0 and plan.still_rising
    batches, plan = walk(lambda point: record([30.0 * min(point.epochs, 8)] * point.epochs))
    assert plan.epochs == 8 and plan.gain == 0.0 and not plan.still_rising


@pytest.mark.parametrize(("higher", "epochs"), [(100.999, 4), (101.0, 8), (101.001, 8)])
def test_the_edge_of_one_percent(higher, epochs):
    within = lambda point: record([100.0, 100.0, 100.0, higher] if point.epochs == 4 else FLAT * 2)  # noqa: E731
    doubled = lambda point: record([100.0 if point.epochs == 4 else higher] * point.epochs)  # noqa: E731
    assert walk(within)[1].epochs == walk(doubled)[1].epochs == epochs


def test_failures_of_rates_and_of_longer_runs():
    batches, plan = walk(lambda point: record([], "not finite") if point.rate > 0.1 else record(FLAT))
    assert plan.rate == 0.1 and batches[-1] == [(0, 0.1, 4), (1, 0.1, 4)]
    batches, plan = walk(lambda point: record([], f"not finite at {point.rate}"))
    assert len(batches) == 1 and plan.failed == "not finite at 0.1" and plan.rate is None
    batches, plan = walk(lambda point: record([], "not finite") if point.epochs > 4 else record(RISING))
    assert plan.epochs == 4 and plan.still_rising and batches[-1] == [(0, 0.1, 4), (1, 0.1, 4)]
    batches, plan = walk(lambda point: record([], "not finite") if point.seed == 0 else record(FLAT))
    assert plan.todo == () and plan.failed == ""  # a failure on a measured seed ends nothing


def test_nothing_is_decided_before_all_three_rates_are_there():
    found = {Point("toy", "tiny", 7, 0.1, 4): record(FLAT), Point("toy", "tiny", 7, 0.9, 4): record(FLAT)}
    plan = protocol.plan(SETUP, "tiny", (0,), found.get)
    assert plan.todo == (Point("toy", "tiny", 7, 0.3, 4),) and plan.rate is None


def test_epochs_that_are_left():
    nothing = lambda point: None  # noqa: E731
    assert epochs_left(SETUP, "tiny", (0, 1), nothing, rising=False) == 3 * 4 + 8 + 2 * 4
    assert epochs_left(SETUP, "tiny", (0, 1), nothing, rising=True) == 3 * 4 + 8 + 16 + 2 * 16
    there = {Point("toy", "tiny", 7, rate, 4): record([100 * rate] * 4) for rate in SETUP.rates}
    assert epochs_left(SETUP, "tiny", (0, 1), there.get, rising=True) == 8 + 16 + 2 * 16
    there[Point("toy", "tiny", 0, 0.9, 4)] = record([1.0])
    assert epochs_left(SETUP, "tiny", (0, 1), there.get, rising=False) == 8 + 4


def test_every_registered_model_has_a_setup():
    for name in itm.list_models():
        setup = protocol.setup_of(name)
        low, middle, high = setup.rates
        assert 0 < low < middle < high and middle == protocol.recipe_of(name, "drawn").learning_rate
        assert (low, high) == (float(f"{middle / 3:.2g}"), float(f"{3 * middle:.2g}"))  # two digits
        assert set(setup.options.values()) <= {256} and len(setup.options) <= 1
    assert protocol.setup_of("bow").options == {"dim": 256} and protocol.setup_of("scan").options == {"embed_size": 256}
    assert protocol.setup_of("devise_retrieval").options == {} and protocol.setup_of("scan").features == "regions"


def test_chance_is_the_mean_over_all_rankings():
    """Recalls at 1 by a plain loop over every order of five captions, or of three images."""
    owners = torch.tensor([0, 0, 1, 2, 2])
    split = Split("test", [torch.zeros(3, 4, 4, dtype=torch.uint8)] * 3, list("abcde"), owners)
    orders = list(permutations(range(5)))
    first = [[owners[order[0]] == image for order in orders] for image in range(3)]
    found = protocol.chance(split)
    assert found["i2t_r1"] == pytest.approx(100 * sum(map(sum, first)).item() / (3 * len(orders)))
    assert found["t2i_r1"] == pytest.approx(100 / 3)
    assert found["rsum"] == pytest.approx(found["i2t_r1"] + found["t2i_r1"] + 4 * 100)  # R@5 and R@10 see all
    lonely = Split("test", split.images, list("abcde"), torch.tensor([0, 0, 1, 1, 1]))
    with pytest.raises(ItmError, match="image 2 has no caption"):
        protocol.chance(lonely)


def test_chance_agrees_with_random_scores(tiny):
    generator = torch.Generator().manual_seed(0)
    shape, rsums = (len(tiny.test.images), len(tiny.test.captions)), []
    for _ in range(200):
        rsums.append(itm.evaluate(torch.rand(shape, generator=generator), tiny.test.image_of).rsum)
    rsums = torch.tensor(rsums)
    assert abs(rsums.mean() - protocol.chance(tiny.test)["rsum"]) < 4 * rsums.std() / 200**0.5
    lines = protocol.reference_lines(tiny)
    assert lines["chance"]["rsum"] < lines["ceiling"]["rsum"] <= 600
    assert set(lines["chance"]["minimal_pairs"].values()) == {50.0}


def test_a_real_training_measures_the_test_split_but_not_on_the_tuning_seed(tiny, instant_features):
    setup = protocol.setup_of("bow")
    found = protocol.train(setup, Point("bow", "tiny", 0, 1e-3, 2), tiny)
    assert len(found["validation"]) == 2 and found["seconds"] > 0
    model = protocol.make_model(setup, tiny, 0)
    assert found["parameters"] == sum(weight.numel() for weight in model.parameters())
    assert model.encode_captions(tiny.test.captions[:2]).shape == (2, 256)
    history = itm.fit(model, tiny, epochs=2, learning_rate=1e-3, seed=0)
    scores = itm.score(model, tiny.test)
    assert found["validation"] == [row["rsum"] for row in history.epochs]
    assert found["test"]["rsum"] == pytest.approx(itm.evaluate(scores, tiny.test.image_of).rsum)
    pairs = itm.evaluate_minimal_pairs(scores, tiny.test)
    assert found["test"]["minimal_pairs"] == {kind: result.accuracy for kind, result in pairs.items()}
    assert protocol.train(setup, Point("bow", "tiny", 7, 1e-3, 1), tiny)["test"] is None
