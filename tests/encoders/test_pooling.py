"""Generalised pooling: the fact sheet's numbers, a loop, mean and maximum as special cases, and padding."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from itm_tutorial.encoders.pooling import GeneralizedPooling, create_pooling, leave_out, sorted_pool
from itm_tutorial.errors import ItmError

ROWS, THETA = torch.tensor([[[1.0, 5.0], [3.0, 2.0], [2.0, 4.0]]]), torch.tensor([[0.5, 0.3, 0.2]])


def by_loop(rows, theta):
    """Each number by itself: its values, largest first, times theta."""
    columns = [sorted(column, reverse=True) for column in zip(*rows, strict=True)]
    return [sum(t * v for t, v in zip(theta, column, strict=True)) for column in columns]


def mask_of(counts, size):
    return torch.arange(size)[None] < torch.tensor(counts)[:, None]


def test_the_tiny_example_and_whole_vectors_sorted_by_length():
    whole = torch.ones(1, 3, dtype=torch.bool)
    assert sorted_pool(ROWS, whole, THETA)[0].tolist() == pytest.approx([2.3, 4.1])
    by_norm = ROWS[0][ROWS[0].norm(dim=1).argsort(descending=True)]  # another operator: whole vectors change places
    assert (THETA[0] @ by_norm).tolist() == pytest.approx([1.7, 4.1])


@given(counts=st.lists(st.integers(1, 5), min_size=1, max_size=4), seed=st.integers(0, 99))
def test_pooling_is_the_loop_whatever_the_order_and_the_padding(counts, seed):
    torch.manual_seed(seed)
    mask = mask_of(counts, 6)
    x = torch.randn(len(counts), 6, 3, dtype=torch.float64)
    pool = GeneralizedPooling().double()
    theta = pool.weights(torch.tensor(counts), 6)
    found = pool(x, mask)
    for i, n in enumerate(counts):
        assert found[i].tolist() == pytest.approx(by_loop(x[i, :n].tolist(), theta[i, :n].tolist()), abs=1e-10)
        assert theta[i, :n].sum().item() == pytest.approx(1) and not theta[i, n:].any()
        assert torch.allclose(pool(x[i : i + 1, :n], mask[i : i + 1, :n])[0], found[i], atol=1e-10)  # alone
    order = torch.randperm(6)
    assert torch.allclose(pool(x[:, order], mask[:, order]), found, atol=1e-10)  # wherever the padding stands
    noisy = x.masked_fill(~mask[..., None], -1e6)
    assert torch.allclose(pool(noisy, mask), found, atol=1e-10)


def test_mean_and_maximum_are_two_choices_of_theta():
    x, mask = torch.randn(2, 5, 3), mask_of([5, 2], 5)
    even = torch.tensor([[1 / 5] * 5, [1 / 2, 1 / 2, 0, 0, 0]])
    first = torch.tensor([[1.0, 0, 0, 0, 0]] * 2)
    assert torch.allclose(sorted_pool(x, mask, even), create_pooling("mean", 3)(x, mask), atol=1e-6)
    assert torch.allclose(sorted_pool(x, mask, first), create_pooling("max", 3)(x, mask))


def test_a_finite_filling_without_a_second_one_gives_garbage():
    """The public code fills with -10000 before sorting and with 0 after it: both are needed."""
    x, mask, theta = torch.tensor([[[1.0], [2.0], [7.0]]]), mask_of([2], 3), torch.tensor([[0.5, 0.3, 0.2]])
    filled = x.masked_fill(~mask[..., None], -10_000).sort(1, descending=True).values
    assert (filled * theta[..., None]).sum().item() < -1_000  # theta reaches the filling
    assert (filled.clamp(min=-9_999).masked_fill(filled <= -9_999, 0) * theta[..., None]).sum() == pytest.approx(1.3)
    low = torch.tensor([[[-20_000.0], [5.0], [0.0]]])  # a feature below the filling is taken for padding
    below = low.masked_fill(~mask[..., None], -10_000).sort(1, descending=True).values
    assert below[0, 1] == -10_000 and sorted_pool(low, mask, torch.tensor([[0.0, 1.0, 0.0]]))[0, 0] == -20_000


def test_theta_depends_on_the_number_and_not_on_the_vectors():
    pool, seven = GeneralizedPooling(), torch.tensor([7])
    assert torch.allclose(pool.weights(seven, 7), pool.weights(torch.tensor([7, 3]), 7)[:1], atol=1e-6)
    assert not torch.allclose(pool.weights(torch.tensor([6]), 7)[0, :6], pool.weights(seven, 7)[0, :6], atol=1e-4)
    x = torch.randn(1, 7, 4).requires_grad_()
    pool(x, mask_of([7], 7)).sum().backward()
    assert torch.allclose(x.grad.sum(1), torch.ones(1, 4), atol=1e-5)  # each number's weights sum to one


@given(counts=st.lists(st.integers(1, 6), min_size=1, max_size=5), fraction=st.floats(0, 0.9), seed=st.integers(0, 99))
def test_leaving_out_keeps_one_of_the_real_vectors_or_more(counts, fraction, seed):
    torch.manual_seed(seed)
    mask = mask_of(counts, 6)
    kept = leave_out(mask, fraction)
    assert not (kept & ~mask).any() and kept.any(1).all()
    if fraction == 0:
        assert torch.equal(kept, mask)


def test_a_fifth_is_left_out():
    kept = leave_out(torch.ones(400, 40, dtype=torch.bool), 0.2)
    assert kept.float().mean().item() == pytest.approx(0.8, abs=0.01)


def test_an_attention_reads_the_vectors_and_no_padding():
    pool, x, mask = create_pooling("attention", 4), torch.randn(2, 5, 4), mask_of([5, 3], 5)
    noisy = torch.where(mask[..., None], x, 9.0)
    assert torch.allclose(pool(noisy, mask), pool(x, mask), atol=1e-6)
    with pytest.raises(ItmError, match="unknown pooling 'gpo2'"):
        create_pooling("gpo2", 4)
