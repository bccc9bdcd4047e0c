"""Total correlation against the oracle without roots, the formula of its gradient, scikit-learn, and tiny examples."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg
from sklearn.cross_decomposition import CCA

from itm_tutorial.errors import ItmError
from itm_tutorial.losses.correlation import Covariances, canonical_directions, covariances, total_correlation


def drawn(n, x_dim, y_dim, seed=0):
    """Two views that share a part, float64."""
    g = torch.Generator().manual_seed(seed)
    shared = torch.randn(n, min(x_dim, y_dim), generator=g).double()
    x, y = (torch.randn(n, dim, generator=g).double() for dim in (x_dim, y_dim))
    x[:, : shared.shape[1]] += shared
    y[:, : shared.shape[1]] += shared
    return x, y


def covariance(a, b):
    """By sums over scalars."""
    n = len(a)
    means = [[sum(column) / n for column in side.T.tolist()] for side in (a, b)]
    rows = [
        [sum((a[k, i].item() - means[0][i]) * (b[k, j].item() - means[1][j]) for k in range(n)) / (n - 1) for j in cols]
        for cols in [range(b.shape[1])]
        for i in range(a.shape[1])
    ]
    return torch.tensor(rows, dtype=torch.float64)


def without_roots(x, y, ridge):
    """sum sqrt eig(S_xx^-1 S_xy S_yy^-1 S_yx): the same number without a square root of a matrix."""
    xx, xy, yy = covariance(x, x), covariance(x, y), covariance(y, y)
    xx, yy = xx + ridge * torch.eye(len(xx)).double(), yy + ridge * torch.eye(len(yy)).double()
    product = torch.linalg.inv(xx) @ xy @ torch.linalg.inv(yy) @ xy.T
    squares = torch.linalg.eigvals(product).real.sort(descending=True).values[: min(xy.shape)]  # the others are zero
    return squares.clamp(min=0).sqrt().sum()


def root(s):
    """S^(-1/2), symmetric."""
    values, vectors = torch.linalg.eigh(s)
    return vectors @ torch.diag(values**-0.5) @ vectors.T


@pytest.mark.parametrize(("x_dim", "y_dim"), [(4, 4), (3, 5), (6, 2)])
@pytest.mark.parametrize("ridge", [0.0, 0.1])
def test_it_equals_the_oracle_without_roots(x_dim, y_dim, ridge):
    x, y = drawn(30, x_dim, y_dim)
    assert total_correlation(x, y, ridge).item() == pytest.approx(without_roots(x, y, ridge).item(), abs=1e-10)


@pytest.mark.parametrize(("n", "x_dim", "y_dim"), [(20, 3, 4), (5, 4, 6)])
def test_the_gradient_equals_finite_differences(n, x_dim, y_dim):
    x, y = (side.requires_grad_() for side in drawn(n, x_dim, y_dim))
    assert torch.autograd.gradcheck(lambda x, y: total_correlation(x, y, 0.1), (x, y))


def test_the_gradient_equals_the_formula_of_the_paper():
    x, y = drawn(25, 4, 3)
    x.requires_grad_()
    total_correlation(x, y, 0.05).backward()
    with torch.no_grad():
        xx, xy, yy = covariances(x, y).with_ridge(0.05, 0.05)
        u, d, vh = torch.linalg.svd(root(xx) @ xy @ root(yy), full_matrices=False)
        of_xx = -0.5 * root(xx) @ u @ torch.diag(d) @ u.T @ root(xx)
        of_xy = root(xx) @ u @ vh @ root(yy)
        formula = (2 * (x - x.mean(0)) @ of_xx + (y - y.mean(0)) @ of_xy.T) / (len(x) - 1)
    assert torch.allclose(x.grad, formula, atol=1e-10)


def test_tiny_examples():
    x, _ = drawn(20, 4, 4)
    assert total_correlation(x, x, 0).item() == pytest.approx(4)  # X = Y of full rank: the dimension
    g = torch.Generator().manual_seed(0)
    rows = torch.linalg.qr(torch.randn(50, 5, generator=g).double()).Q
    centred = torch.linalg.qr(rows - rows.mean(0)).Q[:, :4]  # four centred columns, orthonormal
    a, noise = centred[:, :2], centred[:, 2:]
    rho = torch.tensor([0.9, 0.5], dtype=torch.float64)
    b = a * rho + noise * (1 - rho**2).sqrt()  # T = diag(.9, .5)
    assert total_correlation(a, b, 0).item() == pytest.approx(1.4)
    frobenius = (rho**2).sum().sqrt().item()  # what public ports return under "all singular values"
    assert frobenius == pytest.approx(1.03, abs=1e-3)


@pytest.mark.parametrize(("n", "dim", "expected"), [(6, 5, 5.0), (5, 8, 4.0)])
def test_noise_reaches_the_maximum_if_the_batch_is_small(n, dim, expected):
    g = torch.Generator().manual_seed(n)
    x, y = torch.randn(n, dim, generator=g), torch.randn(n, dim, generator=g)
    assert total_correlation(x, y, 1e-8).item() == pytest.approx(expected, abs=1e-3)


def test_noise_in_large_batches_has_nearly_none():
    g = torch.Generator().manual_seed(0)
    x, y = torch.randn(20_000, 5, generator=g), torch.randn(20_000, 5, generator=g)
    assert total_correlation(x, y, 1e-8).item() < 0.1


@settings(max_examples=25)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 10_000))
def test_invertible_linear_maps_change_nothing_without_a_ridge(x_dim, y_dim, seed):
    x, y = drawn(40, x_dim, y_dim, seed)
    g = torch.Generator().manual_seed(seed)
    scale = torch.rand(x_dim, generator=g).double() + 0.5
    a = torch.linalg.qr(torch.randn(x_dim, x_dim, generator=g).double()).Q * scale  # invertible, well conditioned
    shift = torch.randn(x_dim, generator=g).double()
    before = total_correlation(x, y, 0).item()
    assert total_correlation(x @ a + shift, y, 0).item() == pytest.approx(before, abs=1e-8)
    assert total_correlation(y, x, 0).item() == pytest.approx(before, abs=1e-8)
    assert total_correlation(x, y, 0.1).item() < before  # the ridge lowers every correlation


@pytest.mark.parametrize("n", [4, 40])
def test_gradients_are_finite_where_eigenvalues_are_equal(n):
    x, y = (side.float().requires_grad_() for side in drawn(n, 8, 8))
    total_correlation(x, y, 1e-3).backward()
    same = torch.eye(8).requires_grad_()
    total_correlation(same, torch.zeros(8, 3), 1e-3).backward()  # all singular values are zero
    assert all(side.grad.isfinite().all() for side in (x, y, same))


def test_autocast_changes_nothing():
    x, y = (side.float() for side in drawn(30, 4, 4))
    with torch.autocast("cpu", torch.bfloat16):
        found = total_correlation(x, y, 0.1)
    assert found.dtype == torch.float64 and found == total_correlation(x, y, 0.1)


def test_directions_equal_the_formula_and_whiten_both_sides():
    found = covariances(*drawn(60, 5, 3)).with_ridge(0.1, 0.2)
    w_x, w_y, correlations = canonical_directions(found, 3)
    eye = torch.eye(3).double()
    assert torch.allclose(w_x.T @ found.xx @ w_x, eye, atol=1e-10)
    assert torch.allclose(w_y.T @ found.yy @ w_y, eye, atol=1e-10)
    assert torch.allclose(w_x.T @ found.xy @ w_y, torch.diag(correlations), atol=1e-10)
    u, d, _ = torch.linalg.svd(root(found.xx) @ found.xy @ root(found.yy), full_matrices=False)
    assert torch.allclose(d, correlations, atol=1e-10)
    theirs = root(found.xx) @ u  # W_x = S_xx^(-1/2) U, up to the sign of a column
    assert torch.allclose(theirs.abs(), w_x.abs(), atol=1e-8)


def test_scikit_learn_finds_the_same_correlations():
    x, y = drawn(200, 4, 3)
    _, _, ours = canonical_directions(covariances(x, y), 3)
    a, b = CCA(3, scale=False, max_iter=5000, tol=1e-12).fit_transform(x.numpy(), y.numpy())
    theirs = [torch.corrcoef(torch.stack([torch.tensor(a[:, i]), torch.tensor(b[:, i])]))[0, 1] for i in range(3)]
    assert torch.allclose(ours, torch.stack(theirs), atol=1e-6)


def test_scipy_finds_the_same_correlations_as_a_generalised_eigenvalue_problem():
    xx, xy, yy = (s.numpy() for s in covariances(*drawn(50, 4, 3)).with_ridge(0.1, 0.1))
    # S_xy S_yy^-1 S_yx w = r^2 S_xx w
    squares = linalg.eigh(xy @ linalg.inv(yy) @ xy.T, xx, eigvals_only=True)[::-1][:3]
    _, _, ours = canonical_directions(Covariances(*map(torch.tensor, (xx, xy, yy))), 3)
    assert torch.allclose(ours, torch.tensor(squares.copy()).sqrt(), atol=1e-8)


def test_what_cannot_be_computed_is_refused_with_the_remedy():
    with pytest.raises(ItmError, match="x has 3 rows and y 4; give the same number of at least 2 pairs"):
        total_correlation(torch.rand(3, 2), torch.rand(4, 2))
    with pytest.raises(ItmError, match="the covariance of x has no inverse: give a larger ridge, or more pairs"):
        total_correlation(torch.zeros(4, 3), torch.rand(4, 2), ridge=0)
