"""Backbones: images in, a grid of features out. "mini" is the course's own; the others are torchvision's."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from itm_tutorial.encoders.kept_weights import load_published
from itm_tutorial.encoders.kept_weights import weights_file as weights_file  # where callers look for it
from itm_tutorial.errors import unknown


@dataclass(frozen=True)
class Backbone:
    """The properties of a backbone that a model needs.

    Attributes:
        dim: numbers per grid cell.
        image_size: width and height of its input in pixels.
        resized: pixels of the shorter side before the central square is cut out, as its weights were evaluated.
        mean, std: per colour channel, of images in [0, 1].
        pooled: numbers per global feature: ``dim`` if 0, or twice ``dim`` if mean and maximum are concatenated.
    """

    dim: int
    image_size: int = 224
    resized: int = 256
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    pooled: int = 0


BACKBONES = {
    "mini": Backbone(256, 128, 128, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), pooled=512),
    "mobilenet_v2": Backbone(1280, resized=232),
    "resnet18": Backbone(512),
    "resnet50": Backbone(2048, resized=232),
    "resnet152": Backbone(2048, resized=232),
    "vgg19": Backbone(512),
}
GRIDS = ("grid", "mirrored_grid")  # kinds of features with one vector per cell


class MiniBackbone(nn.Module):
    """Five convolutions from 128 x 128 pixels to an 8 x 8 grid of 256 numbers: small enough to train in a minute.

    Its global feature is the mean over the grid and the maximum, concatenated, with each number standardised over
    scenes. Otherwise the part that all images have in common is much larger than the differences between them, and a
    linear map learns slowly.
    """

    def __init__(self):
        super().__init__()
        widths = (3, 24, 48, 96, 192)
        blocks = [_block(a, b, stride=2) for a, b in zip(widths, widths[1:], strict=False)]
        self.layers = nn.Sequential(*blocks, _block(192, 256, stride=1))
        self.standard = nn.BatchNorm1d(2 * 256, affine=False, momentum=None)  # has only a mean and a variance

    def forward(self, images: Tensor) -> Tensor:
        """[n, 3, H, W], normalised -> [n, 256, H / 16, W / 16]."""
        return self.layers(images)

    def pooled(self, grid: Tensor) -> Tensor:
        """[n, 256, h, w] -> the global feature [n, 512]."""
        return self.standard(pool(grid))


def pool(grid: Tensor) -> Tensor:
    """[n, dim, h, w] -> [n, 2 * dim]: the mean over the cells and the maximum, concatenated."""
    return torch.cat([grid.mean((2, 3)), grid.amax((2, 3))], 1)


def _block(n_in: int, n_out: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU())


def create_backbone(name: str, trained: bool = True) -> nn.Module:
    """Builds a backbone: torchvision's with their ImageNet weights, the mini one untrained.

    Args:
        name: one of ``BACKBONES``.
        trained: False does not load torchvision's weights, for a network whose weights come from a checkpoint.

    Returns:
        A module: normalised images [n, 3, H, W] -> [n, dim, h, w].

    Raises:
        ItmError: the name is unknown, or the weights can neither be found nor downloaded, or are damaged.
    """
    if name not in BACKBONES:
        raise unknown("backbone", name, BACKBONES)
    if name == "mini":
        return MiniBackbone()
    from torchvision import models

    network = getattr(models, name)(weights=None)
    if trained:
        load_published(network, name)
    if hasattr(network, "features"):
        return network.features
    return nn.Sequential(*list(network.children())[:-2])  # a ResNet without its pooling and classifier


def shaped(grid: Tensor, kind: str, backbone: nn.Module) -> Tensor:
    """Converts a grid to a kind of features.

    Args:
        grid: [n, dim, h, w].
        kind: "grid" or "mirrored_grid" for one vector per cell; any other for one vector per image.
        backbone: the network that computed the grid; its own ``pooled`` is used if it has one.

    Returns:
        [n, pooled dim] or [n, h * w, dim], cells row by row.
    """
    if kind in GRIDS:
        return grid.flatten(2).transpose(1, 2)
    return backbone.pooled(grid) if hasattr(backbone, "pooled") else grid.mean((2, 3))


def normalised(images: Tensor, backbone: str) -> Tensor:
    """Normalises pixels from 0 to 255, [n, 3, H, W] of any dtype, for a backbone -> float32 of the same shape."""
    about = BACKBONES[backbone]
    mean, std = (torch.tensor(v, device=images.device).view(3, 1, 1) for v in (about.mean, about.std))
    return (images.float() / 255 - mean) / std


def feature_dim(spec) -> int:
    """Numbers per feature of a ``FeatureSpec``: per image for "global", per cell or region, per pixel for "pixels".

    Raises:
        ItmError: the backbone or the kind of features is unknown.
    """
    if spec.dim:
        return spec.dim
    if spec.backbone not in BACKBONES:
        raise unknown("backbone", spec.backbone, BACKBONES)
    backbone = BACKBONES[spec.backbone]
    if spec.kind in ("global", "mirrored"):
        return backbone.pooled or backbone.dim
    if spec.kind in (*GRIDS, "regions", "oracle"):
        return backbone.dim
    if spec.kind == "pixels":
        return 3
    raise unknown("kind of features", spec.kind, ("global", "mirrored", *GRIDS, "regions", "oracle", "pixels"))
