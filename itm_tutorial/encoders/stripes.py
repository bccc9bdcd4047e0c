"""Image encoder over horizontal stripes: with a standing person, each garment has its own stripes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from itm_tutorial.encoders.image import GlobalProjection
from itm_tutorial.errors import ItmError


class StripeProjection(nn.Module):
    """Mean and maximum of each stripe of a grid, standardised, and one linear map of them all to the joint space.

    Stripes come from Sun et al. 2018 (PCB), who retrieve people by images. One map for all stripes, instead of one per
    stripe, is our choice.

    Args:
        in_dim: numbers per cell.
        dim: numbers per image embedding; embeddings are not normalised.
        n_stripes: number of stripes of equal height.
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

        Raises:
            ItmError: the cells cannot be divided into equal stripes.
        """
        if grid.ndim != 3 or grid.shape[1] % self.n_stripes:
            raise ItmError(
                f"a grid of shape {list(grid.shape)} cannot be divided into {self.n_stripes} equal stripes of cells"
            )
        stripes = grid.unflatten(1, (self.n_stripes, -1))  # [n_images, n_stripes, n_cells / n_stripes, in_dim]
        pooled = torch.cat([stripes.mean(2), stripes.amax(2)], -1)  # [n_images, n_stripes, 2 * in_dim]
        return self.project(self.standard(pooled.flatten(1)) / pooled[0].numel() ** 0.5)


def image_projection(kind: str, in_dim: int, dim: int) -> nn.Module:
    """Makes the image encoder for a kind of features; its embeddings are not normalised.

    Args:
        kind: of ``FeatureSpec``: ``StripeProjection`` for "grid", ``GlobalProjection`` for all others.
        in_dim: numbers per feature, or per cell.
        dim: numbers per image embedding.
    """
    return StripeProjection(in_dim, dim) if kind == "grid" else GlobalProjection(in_dim, dim, unit=False)
