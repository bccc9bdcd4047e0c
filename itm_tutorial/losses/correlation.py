"""Total correlation of two views: the objective of DCCA, and the directions of canonical correlation analysis (CCA).

Yan and Mikolajczyk, "Deep Correlation for Matching Images and Text", CVPR 2015, section 3. With X and Y centred over
the n pairs of a batch, S_xx = X'X / (n - 1) + r I, S_yy likewise and S_xy = X'Y / (n - 1),

    T = S_xx^(-1/2) S_xy S_yy^(-1/2) = U D V',    total correlation = ||T||_* = the sum of the singular values in D,
    W_x = S_xx^(-1/2) U,    W_y = S_yy^(-1/2) V.

The code takes Cholesky factors L L' = S in place of square roots: L_x^(-1) S_xy L_y^(-T) has the same singular values,
gives the same W_x and W_y, and has no infinite gradient where two eigenvalues of S are equal.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from itm_tutorial.errors import ItmError


class Covariances(NamedTuple):
    """Covariances of two views, float64.

    Attributes:
        xx: [x_dim, x_dim].
        xy: [x_dim, y_dim].
        yy: [y_dim, y_dim].
    """

    xx: Tensor
    xy: Tensor
    yy: Tensor

    def with_ridge(self, x: float | Tensor, y: float | Tensor) -> Covariances:
        """The same with x and y added to the variances of either side."""
        xx, yy = (s + ridge * torch.eye(len(s)).to(s) for s, ridge in ((self.xx, x), (self.yy, y)))
        return Covariances(xx, self.xy, yy)


def covariances(x: Tensor, y: Tensor) -> Covariances:
    """Covariances of paired rows, without a ridge.

    Args:
        x: [n, x_dim], n of at least 2.
        y: [n, y_dim]; row i belongs to row i of ``x``.

    Raises:
        ItmError: fewer than two pairs, or another number of rows on either side.
    """
    if len(x) != len(y) or len(x) < 2:
        raise ItmError(f"correlation: x has {len(x)} rows and y {len(y)}; give the same number of at least 2 pairs")
    x, y = (side.double() - side.double().mean(0) for side in (x, y))
    return Covariances(*(a.T @ b / (len(x) - 1) for a, b in ((x, x), (x, y), (y, y))))


def total_correlation(x: Tensor, y: Tensor, ridge: float = 1e-3) -> Tensor:
    """The sum of all canonical correlations of paired rows (the trace norm of T); larger is better.

    With n <= x_dim + 1 rows and a small ridge, almost any x reaches the maximum, whatever y is: noise too.

    Args:
        x: [n, x_dim], of any floating type; computed in float64.
        y: [n, y_dim].
        ridge: added to the variances of both sides.

    Returns:
        A float64 scalar of at most min(n - 1, x_dim, y_dim), up to rounding.

    Raises:
        ItmError: as ``covariances``, or a covariance that has no inverse.

    Example:
        >>> x = torch.eye(4)[:, :3]
        >>> round(total_correlation(x, x, ridge=0).item(), 6)
        3.0
    """
    with torch.autocast(x.device.type, enabled=False):
        found = covariances(x, y).with_ridge(ridge, ridge)
        return torch.linalg.svdvals(_whitened(found)[0]).sum()


def canonical_directions(found: Covariances, n: int) -> tuple[Tensor, Tensor, Tensor]:
    """The directions in which two views correlate most: CCA in closed form.

    Args:
        found: with the ridge added.
        n: how many, at most min(x_dim, y_dim).

    Returns:
        W_x [x_dim, n], W_y [y_dim, n] and the n correlations, the largest first.

    Raises:
        ItmError: a covariance that has no inverse.
    """
    t, (lower_x, lower_y) = _whitened(found)
    u, correlations, vh = torch.linalg.svd(t, full_matrices=False)
    sides = ((lower_x, u[:, :n]), (lower_y, vh.T[:, :n]))
    w_x, w_y = (torch.linalg.solve_triangular(lower.T, side, upper=True) for lower, side in sides)
    return w_x, w_y, correlations[:n]


def _whitened(found: Covariances) -> tuple[Tensor, list[Tensor]]:
    """L_x^(-1) S_xy L_y^(-T) [x_dim, y_dim], and the two Cholesky factors."""
    lower = []
    for name, covariance in (("x", found.xx), ("y", found.yy)):
        factor, failed = torch.linalg.cholesky_ex(covariance)
        if failed.any() or not factor.isfinite().all():
            raise ItmError(f"correlation: the covariance of {name} has no inverse: give a larger ridge, or more pairs")
        lower.append(factor)
    half = torch.linalg.solve_triangular(lower[0], found.xy, upper=False)  # L_x^(-1) S_xy
    return torch.linalg.solve_triangular(lower[1], half.T, upper=False).T, lower
