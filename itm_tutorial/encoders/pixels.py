"""A network from pixels to one feature an image, for models that train their own eyes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from itm_tutorial.encoders.backbones import BACKBONES, MiniBackbone, pool


class VisualNetwork(nn.Module):
    """The mini backbone's convolutions, pooled and standardised: a small stand-in for a paper's trained classifier."""

    dim = 512  # numbers a feature: the mean over the grid beside the maximum

    def __init__(self):
        super().__init__()
        self.layers = MiniBackbone().layers
        self.standard = nn.BatchNorm1d(self.dim, affine=False)

    def forward(self, images: Tensor) -> Tensor:
        """Pixels [n, 3, H, W] from 0 to 255 -> features [n, 512]."""
        mean, std = (images.new_tensor(v).view(3, 1, 1) for v in (BACKBONES["mini"].mean, BACKBONES["mini"].std))
        return self.standard(pool(self.layers((images / 255 - mean) / std)))

    def frozen(self, images: Tensor) -> Tensor:
        """The same without a gradient, and without moving the statistics of any layer."""
        self.eval()
        with torch.no_grad():
            return self(images)
