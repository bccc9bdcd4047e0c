"""The terms of the 2-way net as sums over units, their tiny examples, and the known wrong versions."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from itm_tutorial.losses.two_way import decorrelation, scale_penalty, squared_distance


def with_moments(c):
    """Rows h with h^T h / n = C."""
    root = torch.linalg.cholesky(torch.tensor(c).double())
    return math.sqrt(2) * root.T


def decorrelation_by_loop(h):
    dim = len(h[0])
    c = [[sum(row[a] * row[b] for row in h) / len(h) for b in range(dim)] for a in range(dim)]
    whole = math.sqrt(sum(value**2 for row in c for value in row))
    return whole - math.sqrt(sum(c[a][a] ** 2 for a in range(dim)))


def test_decorrelation_is_a_difference_of_norms():
    h = with_moments([[1, 0.5], [0.5, 1]])
    assert decorrelation(h).item() == pytest.approx(0.1669, abs=5e-5)
    c = h.T @ h / 2
    assert (c.square().sum() - c.diagonal().square().sum()).item() == pytest.approx(0.5)  # squares off the diagonal


@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 9999))
def test_decorrelation_equals_the_loop_and_grows_with_the_square(n, dim, seed):
    h = torch.randn(n, dim, generator=torch.Generator().manual_seed(seed)).double() + 1  # not centred
    assert decorrelation(h).item() == pytest.approx(decorrelation_by_loop(h.tolist()), abs=1e-10)
    assert decorrelation(2 * h).item() == pytest.approx(4 * decorrelation(h).item(), abs=1e-10)
    assert decorrelation(h.float()).item() == pytest.approx(decorrelation(h).item(), abs=1e-5)


def test_a_constant_number_counts_as_it_is_not_centred():
    h = torch.tensor([[1.0, 1.0], [-1.0, 1.0], [1.0, 2.0], [-1.0, 2.0]]).double()
    shifted = h + torch.tensor([3.0, 0.0])
    assert decorrelation(h).item() == pytest.approx(0, abs=1e-12)
    assert decorrelation(shifted) > 1  # the same covariance: centred, it would be 0 too


def test_the_penalty_of_a_scale_of_one_half_is_four_per_unit():
    assert scale_penalty([torch.full((3,), 0.5), torch.ones(2)]).item() == 3 * 4 + 2
    assert scale_penalty([]) == 0


def test_squared_distances_are_summed_over_numbers_and_averaged_over_rows():
    a, b = torch.tensor([[1.0, 2], [3, 4]]), torch.tensor([[0.0, 0], [3, 2]])
    assert squared_distance(a, b).item() == (5 + 4) / 2


def test_gradients_are_finite_where_all_is_zero():
    h = torch.zeros(3, 4, requires_grad=True)
    decorrelation(h).backward()
    assert h.grad.isfinite().all()
