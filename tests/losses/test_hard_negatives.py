"""Drawing negatives by their scores: the published example, loops, masks, and the trap of masking after the softmax."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from itm_tutorial.losses.hard_negatives import draw_negatives, negative_probabilities


def by_loop(row, positives):
    """The probabilities of one query on scalars."""
    weights = [0.0 if mark else math.exp(score) for score, mark in zip(row, positives, strict=True)]
    return [weight / sum(weights) for weight in weights]


def test_the_published_example():
    found = negative_probabilities(torch.tensor([[2.0, 1.0, 0.0]]), torch.tensor([[True, False, False]]))
    assert [round(value, 3) for value in found[0].tolist()] == [0, 0.731, 0.269]


@pytest.mark.parametrize("seed", range(4))
def test_it_equals_a_loop(seed):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(5, 7, generator=generator, dtype=torch.float64)
    positives = torch.rand(5, 7, generator=generator) < 0.3
    positives[:, 3] = False
    found = negative_probabilities(scores, positives)
    expected = [by_loop(*row) for row in zip(scores.tolist(), positives.tolist(), strict=True)]
    assert torch.allclose(found, torch.tensor(expected, dtype=torch.float64), atol=1e-10)


def test_masking_after_the_softmax_leaves_nothing_to_draw():
    """softmax(120, 0, 0) is (1, 0, 0) in float32: without the positive, all is 0, and torch refuses to draw."""
    scores, positives = torch.tensor([[120.0, 0.0, 0.0]]), torch.tensor([[True, False, False]])
    after = scores.softmax(1).masked_fill(positives, 0)
    assert after.sum() == 0
    with pytest.raises(RuntimeError):
        after.multinomial(1)
    assert negative_probabilities(scores, positives).tolist() == [[0, 0.5, 0.5]]
    assert draw_negatives(scores, positives)[1].all()
    inside = (scores + 1e-4).softmax(1)  # as in ALBEF's code for retrieval: the constant changes nothing
    assert torch.allclose(inside, scores.softmax(1))


@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 10_000))
def test_no_positive_is_ever_drawn(n, m, seed):
    generator = torch.Generator().manual_seed(seed)
    scores, positives = 30 * torch.randn(n, m, generator=generator), torch.rand(n, m, generator=generator) < 0.5
    drawn, some = draw_negatives(scores, positives, generator=generator)
    assert some.tolist() == (~positives).any(1).tolist()
    assert not positives[torch.arange(n)[some], drawn[some]].any()


def test_the_hardest_is_drawn_most_and_uniform_draws_alike():
    generator = torch.Generator().manual_seed(0)
    scores = torch.tensor([2.0, 1.0, 0.0]).expand(4000, 3)
    positives = torch.tensor([True, False, False]).expand(4000, 3)
    hard = draw_negatives(scores, positives, generator=generator)[0].bincount(minlength=3) / 4000
    alike = draw_negatives(scores, positives, uniform=True, generator=generator)[0].bincount(minlength=3) / 4000
    assert hard[0] == alike[0] == 0
    assert hard[1].item() == pytest.approx(0.731, abs=0.03) and alike[1].item() == pytest.approx(0.5, abs=0.03)


def test_half_precision_scores_are_widened():
    found = negative_probabilities(torch.tensor([[1.0, 2.0]]).bfloat16(), torch.tensor([[True, False]]))
    assert found.dtype == torch.float32 and found.tolist() == [[0, 1]]
