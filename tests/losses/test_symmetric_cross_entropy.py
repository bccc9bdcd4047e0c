"""CLIP's loss: the fact sheet's numbers, a loop, and a scale whose parameter is clamped, not its logits."""

import copy
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from itm_tutorial.losses.learned_scale import LearnedScale
from itm_tutorial.losses.symmetric_cross_entropy import SymmetricCrossEntropy

TINY = [[1.0, 0.2], [0.9, 0.5]]  # of the fact sheet, with a scale of 2


def both_directions(scores, scale):
    """The cross-entropy over rows and that over columns, on Python's floats; image i belongs to caption i."""
    n, found = len(scores), []
    for of in (lambda i, j: scores[i][j], lambda i, j: scores[j][i]):
        costs = [-scale * of(i, i) + math.log(sum(math.exp(scale * of(i, j)) for j in range(n))) for i in range(n)]
        found.append(sum(costs) / n)
    return found


def test_the_tiny_example_and_what_the_known_wrong_variants_give():
    rows, columns = both_directions(TINY, 2)
    assert (round(rows, 4), round(columns, 4)) == (0.6775, 0.5178)
    loss = SymmetricCrossEntropy(temperature=0.5)(torch.tensor(TINY), torch.eye(2, dtype=torch.bool))
    assert loss.item() == pytest.approx(0.5977, abs=5e-5)
    assert rows != pytest.approx(loss.item(), abs=1e-3)  # one direction
    assert round(rows + columns, 4) == 1.1953  # the sum, as ALIGN takes it


@given(n=st.integers(1, 6), temperature=st.floats(0.02, 1), seed=st.integers(0, 99))
def test_the_loss_is_that_of_the_loop_and_does_not_depend_on_the_order_of_pairs(n, temperature, seed):
    scores = 2 * torch.rand(n, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 1
    loss, own = SymmetricCrossEntropy(temperature).double(), torch.eye(n, dtype=torch.bool)
    with torch.no_grad():
        loss.scale.theta.fill_(-math.log(temperature))  # to all of its digits
    expected = sum(both_directions(scores.tolist(), 1 / temperature)) / 2
    assert loss(scores, own).item() == pytest.approx(expected, abs=1e-10)
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    assert torch.allclose(loss(scores[order][:, order], own), loss(scores, own))
    assert torch.allclose(loss(scores.T, own), loss(scores, own))  # symmetric
    small = SymmetricCrossEntropy(temperature)(scores.float(), own)
    assert small.item() == pytest.approx(loss(scores, own).item(), abs=1e-5)


def test_the_scale_starts_at_the_published_value():
    scale = LearnedScale()
    assert scale.theta.item() == pytest.approx(2.6593, abs=5e-5) and scale().item() == pytest.approx(14.2857, abs=1e-4)
    assert isinstance(scale.theta, torch.nn.Parameter)
    assert not list(LearnedScale(learned=False).parameters()) and LearnedScale(learned=False)().item() > 14


def test_the_parameter_is_clamped_after_a_step_so_that_its_next_gradient_counts():
    scale = LearnedScale(start=100)
    with torch.no_grad():
        scale.theta += 0.3  # what a step of the optimiser may do
    value = scale()
    assert value.item() == pytest.approx(100) and scale.theta.item() == pytest.approx(4.6052, abs=5e-5)
    value.backward()
    assert scale.theta.grad.item() == pytest.approx(100)
    # a clamp of the logits' factor takes the gradient away, and theta stays outside for good
    outside = torch.tensor(math.log(100) + 0.3, requires_grad=True)
    outside.clamp(max=math.log(100)).exp().backward()
    assert outside.grad.item() == 0
    with torch.no_grad():
        scale.theta.fill_(-1.0)
    assert scale().item() == 1  # below 1 it is clamped too
    free = LearnedScale(start=0.5, largest=None)
    assert free().item() == pytest.approx(0.5)


def test_what_is_saved_is_clamped_as_after_the_last_step():
    loss = SymmetricCrossEntropy()
    with torch.no_grad():
        loss.scale.theta.fill_(9.0)
    assert loss.state_dict()["scale.theta"].item() == pytest.approx(math.log(100))
    assert copy.deepcopy(loss).scale().item() == pytest.approx(100)


def test_a_temperature_stored_in_place_of_its_logarithm_is_another_start():
    """A slip of several public versions: exp(0.07) is a scale of about 1, with which training hardly begins."""
    scores, own = torch.tensor(TINY), torch.eye(2, dtype=torch.bool)
    right, slip = SymmetricCrossEntropy(), SymmetricCrossEntropy()
    with torch.no_grad():
        slip.scale.theta.fill_(0.07)
    assert right.scale().item() == pytest.approx(14.29, abs=0.01) and slip.scale().item() == pytest.approx(
        1.07, abs=0.01
    )
    assert abs(right(scores, own) - slip(scores, own)) > 0.1


def test_other_captions_of_an_image_are_no_negatives():
    scores = torch.tensor([[0.9, 0.8, 0.1], [0.0, 0.1, 0.7]])
    positives = torch.tensor([[1, 1, 0], [0, 0, 1]]) > 0
    raised = scores.clone()
    raised[0, 1] = 0.2  # the second caption of image 0 changes its own term alone
    loss = SymmetricCrossEntropy(temperature=1.0)
    first = [positive.clone() for positive in (positives, positives)]
    first[0][0, 1] = False
    assert loss(scores, positives) < loss(scores, first[0])  # as a negative it would cost
    assert loss(raised, positives) > loss(scores, positives)
