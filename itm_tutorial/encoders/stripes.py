"""Image encoder over horizontal stripes: with a standing person, each garment has its own stripes."""

from __future__ import annotations

from math import isqrt

import torch
from torch import Tensor, nn

from itm_tutorial.encoders.image import GlobalProjection
from itm_tutorial.errors import ItmError


class StripeProjection(nn.Module):
    """Mean and maximum of each stripe of a grid, standardised, and one linear map of them all to the joint space.

    Stripes come from Sun et al. 2018 (PCB), who retrieve people by images. One map for all stripes, instead of one per
    stripe, is our choice.

    Grids of any height are read. Where the rows cannot be divided into equal stripes, such as the 7 rows of a backbone
    for photographs into 8, stripe i covers every row that it touches, from floor(i * rows / n_stripes) to
    ceil((i + 1) * rows / n_stripes), as adaptive pooling does; neighbouring stripes then share a row.

    Args:
        in_dim: numbers per cell.
        dim: numbers per image embedding; embeddings are not normalised.
        n_stripes: number of stripes.
    """

    def __init__(self, in_dim: int, dim: int, n_stripes: int = 8):
        super().__init__()
        self.n_stripes = n_stripes
        self.standard = nn.BatchNorm1d(2 * n_stripes * in_dim, affine=False)
        self.project = nn.Linear(2 * n_stripes * in_dim, dim)
        nn.init.xavier_uniform_(self.project.weight)
        nn.init.zeros_(self.project.bias)

    def forward(self, grid: Tensor) -> Tensor:
        """Cells row by row, [n_images, n_cells, in_dim] -> embeddings [n_images, dim].

        A square number of cells is a square grid; any other number must be a multiple of ``n_stripes``.

        Raises:
            ItmError: the cells are no such grid.
        """
        pooled = torch.cat(stripe_pool(grid, self.n_stripes), -1)  # [n_images, n_stripes, 2 * in_dim]
        return self.project(self.standard(pooled.flatten(1)) / pooled[0].numel() ** 0.5)


def stripe_pool(grid: Tensor, n_stripes: int) -> tuple[Tensor, Tensor]:
    """The mean and the maximum of each horizontal stripe of a grid, from top to bottom.

    Args:
        grid: cells row by row, [n_images, n_cells, dim].
        n_stripes: number of stripes; see ``StripeProjection`` for a number that does not divide the rows.

    Returns:
        Two tensors [n_images, n_stripes, dim].

    Raises:
        ItmError: the cells are neither a square grid nor a multiple of ``n_stripes``.
    """
    n_cells = grid.shape[1] if grid.ndim == 3 else 0
    side = isqrt(n_cells)
    if n_cells and side**2 == n_cells and side % n_stripes:
        rows = grid.unflatten(1, (side, side))  # [n_images, n_rows, n_columns, dim]
        edges = [(i * side // n_stripes, -(-(i + 1) * side // n_stripes)) for i in range(n_stripes)]
        stripes = [rows[:, first:last].flatten(1, 2) for first, last in edges]
        return torch.stack([one.mean(1) for one in stripes], 1), torch.stack([one.amax(1) for one in stripes], 1)
    if not n_cells or n_cells % n_stripes:
        raise ItmError(
            f"a grid of shape {list(grid.shape)} cannot be divided into {n_stripes} stripes: give a square grid, or "
            'train the model with features="global"'
        )
    equal = grid.unflatten(1, (n_stripes, -1))  # [n_images, n_stripes, n_cells / n_stripes, dim]
    return equal.mean(2), equal.amax(2)


def image_projection(kind: str, in_dim: int, dim: int) -> nn.Module:
    """Makes the image encoder for a kind of features; its embeddings are not normalised.

    Args:
        kind: of ``FeatureSpec``: ``StripeProjection`` for "grid", ``GlobalProjection`` for all others.
        in_dim: numbers per feature, or per cell.
        dim: numbers per image embedding.
    """
    return StripeProjection(in_dim, dim) if kind == "grid" else GlobalProjection(in_dim, dim, unit=False)
