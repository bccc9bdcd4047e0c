"""Backbones inside a model, for models that train their own network or fine-tune a backbone."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from itm_tutorial.encoders.backbones import BACKBONES, MiniBackbone, create_backbone, normalised, pool, shaped


class VisualNetwork(nn.Module):
    """The mini backbone's convolutions, pooled and standardised: a small stand-in for a paper's trained classifier."""

    dim = 512  # numbers per feature: the mean over the grid and the maximum

    def __init__(self):
        super().__init__()
        self.layers = MiniBackbone().layers
        self.standard = nn.BatchNorm1d(self.dim, affine=False)

    def forward(self, images: Tensor) -> Tensor:
        """Pixels [n, 3, H, W] from 0 to 255 -> features [n, 512]."""
        pixels = normalised(images, "mini").to(next(self.parameters()).dtype)
        return self.standard(pool(self.layers(pixels)))

    def frozen(self, images: Tensor) -> Tensor:
        """The same without gradients and without updating the statistics of normalisation layers."""
        self.eval()
        with torch.no_grad():
            return self(images)


class PixelBackbone(nn.Module):
    """A backbone inside a model, fine-tuned by the model's loss (Faghri et al. 2018, section 3.2).

    The statistics of its normalisation layers are not updated: the batches of fine-tuning are too small to measure
    them, and the layers above were trained with the old statistics.

    Args:
        backbone: a name in ``encoders.backbones.BACKBONES``.
        kind: of its features, "global" or "grid".
    """

    def __init__(self, backbone: str, kind: str):
        super().__init__()
        self.name, self.kind = backbone, kind
        self.network = create_backbone(backbone, trained=False)

    def train(self, mode: bool = True) -> PixelBackbone:
        """Sets the mode, but keeps the network in evaluation mode."""
        super().train(mode)
        self.network.eval()
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Pixels [n, 3, H, W] from 0 to 255 -> features [n, dim] or [n, n_cells, dim]."""
        side = BACKBONES[self.name].image_size
        if tuple(images.shape[2:]) != (side, side):
            images = interpolate(images, (side, side), mode="bilinear", antialias=True)
        pixels = normalised(images, self.name).to(next(self.parameters()).dtype)
        return shaped(self.network(pixels), self.kind, self.network)
