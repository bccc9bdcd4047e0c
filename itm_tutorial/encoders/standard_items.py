"""Regions or words whose channels have mean 0 and variance 1, for models in which the other side scales them.

Wehrmann, Kolling and Barros, "Adaptive Cross-modal Embeddings for Image-Text Alignment", AAAI 2020,
https://ojs.aaai.org//index.php/AAAI/article/view/6915.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import normalize

from itm_tutorial.encoders.batch_norm import BatchNorm


class StandardItems(nn.Module):
    """BN(W x) of regions or words, padding left out; it has no scale and no shift, which the other side gives.

    Args:
        in_dim: numbers per item, which is scaled to unit length first.
        dim: channels.
        dropout: the fraction of an item's numbers that training sets to zero, the same numbers in all items of a set.
    """

    def __init__(self, in_dim: int, dim: int, dropout: float = 0.0):
        super().__init__()
        self.dropout, self.layer = nn.Dropout1d(dropout), nn.Linear(in_dim, dim, bias=False)
        self.norm = BatchNorm(dim, affine=False)

    def forward(self, items: Tensor, mask: Tensor | None = None) -> Tensor:
        """Items [n, n_items, in_dim] and bool [n, n_items] -> [n, n_items, dim]; padding is zero."""
        rows = self.layer(self.dropout(normalize(items, dim=-1).mT).mT)
        if mask is None:
            return self.norm(rows.flatten(0, 1)).view_as(rows)
        made = self.norm(rows[mask])
        return made.new_zeros(rows.shape).masked_scatter(mask[..., None], made)
