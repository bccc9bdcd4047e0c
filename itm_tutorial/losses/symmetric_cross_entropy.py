"""CLIP's loss: cross-entropy over the rows and over the columns of a score matrix, with a learned scale."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from itm_tutorial.data.options import PositiveFloat
from itm_tutorial.losses.contrastive import InfoNCE
from itm_tutorial.losses.learned_scale import LearnedScale


class SymmetricCrossEntropy(nn.Module):
    """L = (CE over rows + CE over columns) / 2 of the logits exp(theta) s.

    Source: Radford et al. 2021, figure 3. Other positives of a row or column are left out of its softmax, as in
    ``InfoNCE``, whose two terms these are.

    Args:
        temperature: 1 / exp(theta) in the beginning.
        learned: whether the temperature is learned.
        largest: of exp(theta).
    """

    def __init__(self, temperature: PositiveFloat = 0.07, learned: bool = True, largest: PositiveFloat | None = 100.0):
        super().__init__()
        self.scale = LearnedScale(1 / temperature, largest, learned)
        self.terms = InfoNCE(temperature=1.0)

    def forward(self, scores: Tensor, positives: Tensor) -> Tensor:
        """Scores [n_images, n_captions] and the mask of positive pairs -> a scalar."""
        wide = torch.promote_types(scores.dtype, torch.float32)
        return self.terms(self.scale() * scores.to(wide), positives) / 2
