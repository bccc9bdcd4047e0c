"""The sigmoid loss: the fact sheet's numbers, a loop, chunks of columns, and why its bias must fit the batch."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

from itm_tutorial.losses.pairwise_sigmoid import PairwiseSigmoid, log_odds


def by_loop(scores, positives, scale, bias):
    """The equation, pair by pair on Python's floats, divided by the number of captions."""
    total = 0.0
    for row, own in zip(scores, positives, strict=True):
        for s, positive in zip(row, own, strict=True):
            z = 1 if positive else -1
            total += math.log1p(math.exp(-z * (scale * s + bias)))
    return total / len(scores[0])


def unit(n, dim, seed):
    made = torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return normalize(made, dim=-1)


def test_the_tiny_example_and_the_mean_over_pairs_that_it_is_not():
    own = torch.eye(2, dtype=torch.bool)
    loss = PairwiseSigmoid(bias=-10.0)(torch.eye(2), own).item()
    assert loss == pytest.approx(0.69319, abs=5e-6)
    assert loss == pytest.approx(math.log(2) + 2 * 4.54e-5 / 2, abs=1e-6)  # two positives, two negatives, B = 2
    logits = 10 * torch.eye(2) - 10
    mean = torch.nn.functional.binary_cross_entropy_with_logits(logits, own.float()).item()
    assert mean == pytest.approx(0.34660, abs=5e-6)  # B times smaller


def test_what_the_bias_costs_at_the_first_step():
    """Random embeddings have cosines near 0. B = 8: -10 costs the positives alone, 0 all pairs."""
    scores, own = torch.zeros(8, 8), torch.eye(8, dtype=torch.bool)
    assert PairwiseSigmoid(bias=-10.0)(scores, own).item() == pytest.approx(10.0004, abs=5e-5)
    assert PairwiseSigmoid(bias=0.0)(scores, own).item() == pytest.approx(8 * math.log(2), abs=1e-5)
    assert torch.sigmoid(torch.tensor(-10.0)).item() == pytest.approx(4.5e-5, abs=1e-6)


def shares(bias, batch=64):
    """The absolute gradient at the logits of positive pairs, and of negative ones, of equal embeddings."""
    scores, own = torch.zeros(batch, batch, requires_grad=True), torch.eye(batch, dtype=torch.bool)
    PairwiseSigmoid(bias=bias)(scores, own).backward()
    return scores.grad[own].abs().sum().item(), scores.grad[~own].abs().sum().item()


def test_the_prior_of_the_batch_balances_the_gradients_and_minus_ten_does_not():
    assert log_odds(torch.eye(64, dtype=torch.bool)).item() == pytest.approx(-4.14, abs=0.005)
    assert -math.log(22_027 - 1) == pytest.approx(-10, abs=1e-3)  # whose prior the published bias is
    positive, negative = shares(None)
    assert positive == pytest.approx(negative, rel=1e-3)
    positive, negative = shares(-10.0)
    assert negative < 0.005 * positive  # negatives are nearly left out
    positive, negative = shares(0.0)
    assert negative == pytest.approx(63 * positive, rel=1e-3)  # negatives are nearly all


@given(
    image_of=st.lists(st.integers(0, 3), min_size=1, max_size=7),
    bias=st.one_of(st.none(), st.floats(-12, 2)),
    seed=st.integers(0, 99),
)
def test_the_loss_is_that_of_the_loop_with_every_caption_of_an_image_positive(image_of, bias, seed):
    positives = torch.arange(4)[:, None] == torch.tensor(image_of)[None]
    scores = unit(4, 3, seed) @ unit(len(image_of), 3, seed + 100).T
    loss = PairwiseSigmoid(bias=bias).double()
    used = log_odds(positives).item() if bias is None else bias
    expected = by_loop(scores.tolist(), positives.tolist(), 10.0, used)
    assert loss(scores, positives).item() == pytest.approx(expected, abs=1e-6)
    twins = positives.clone()
    twins[:, 1:] &= ~(positives[:, 1:] & positives[:, :1])  # a second caption of the first one's image as a negative
    if bias is not None and not torch.equal(twins, positives):
        assert loss(scores, twins).item() != pytest.approx(expected, abs=1e-9)


@given(n=st.integers(1, 9), columns=st.integers(1, 10), seed=st.integers(0, 99))
def test_chunks_of_columns_add_up_to_the_whole_with_its_gradient(n, columns, seed):
    loss, own = PairwiseSigmoid().double(), torch.eye(n, dtype=torch.bool)
    results = []
    for chunked in (False, True):
        images, captions = unit(n, 4, seed).requires_grad_(), unit(n, 4, seed + 1).requires_grad_()
        loss.zero_grad()
        value = loss.in_chunks(images, captions, own, columns) if chunked else loss(images @ captions.T, own)
        value.backward()
        results.append((value, images.grad, captions.grad, loss.bias.grad.clone(), loss.scale.theta.grad.clone()))
    for whole, parts in zip(*results, strict=True):
        assert torch.allclose(whole, parts, atol=1e-10)


def test_chunks_equal_the_whole_in_float32_to_a_millionth_of_the_loss():
    images, captions = unit(96, 16, 0).float(), unit(96, 16, 1).float()
    loss, own = PairwiseSigmoid(), torch.eye(96, dtype=torch.bool)
    whole = loss(images @ captions.T, own).item()
    for columns in (1, 7, 32, 96, 1000):
        assert loss.in_chunks(images, captions, own, columns).item() == pytest.approx(whole, rel=1e-6)
    columns = zip(captions.split(32), own.split(32, 1), strict=True)
    apart = [loss(images @ some.T, mine) * len(some) for some, mine in columns]
    assert sum(apart).item() / 96 == pytest.approx(whole, rel=1e-6)  # 32 positives among 96 x 32: the same odds
    apart = [loss(images[i : i + 32] @ captions[i : i + 32].T, torch.eye(32, dtype=torch.bool)) for i in (0, 32, 64)]
    assert abs(sum(apart).item() / 3 - whole) > 0.1  # other blocks of negatives are missing


def test_the_scale_is_learned_and_not_clamped():
    loss = PairwiseSigmoid()
    with torch.no_grad():
        loss.scale.theta.fill_(math.log(500))
    assert loss.scale().item() == pytest.approx(500, rel=1e-5)
    loss(torch.rand(3, 3), torch.eye(3, dtype=torch.bool)).backward()
    assert loss.scale.theta.grad != 0 and loss.bias.grad != 0
