"""The pixels under an attention map: the square that a backbone sees, clear on regions, grey elsewhere."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torchvision.transforms.functional import resize

from itm_tutorial.encoders.backbones import BACKBONES
from itm_tutorial.encoders.fitting import fitted
from itm_tutorial.errors import unknown
from itm_tutorial.extraction.regions import grid_boxes


def grid_side(boxes: Tensor) -> int:
    """Cells per side where boxes [n, 4] are the squares of a grid, row by row; else 0."""
    side = math.isqrt(len(boxes))
    if side < 2 or side**2 != len(boxes):
        return 0
    return side if torch.allclose(boxes.float().cpu(), grid_boxes(side**2), atol=1e-3) else 0


def seen_square(image: Tensor, backbone: str = "mini", fit: str = "") -> Tensor:
    """Crops a picture as ``fitted`` does for a backbone: the centre square of a photograph, all of a drawn picture.

    Args:
        image: uint8 [3, H, W].
        backbone: a name in ``BACKBONES``.
        fit: "pad" pads a photograph to a square instead; see ``encoders.fitting``.

    Returns:
        uint8 [3, side, side].

    Raises:
        ItmError: unknown backbone.
    """
    if backbone not in BACKBONES:
        raise unknown("backbone", backbone, BACKBONES)
    about, (height, width) = BACKBONES[backbone], image.shape[1:]
    if backbone == "mini":  # stretched to a square, as the network gets it
        return image if height == width else resize(image, [max(height, width)] * 2, antialias=True)
    if height == width == about.image_size:
        return image
    if fit == "pad":
        return fitted(image, backbone, fit)
    side = round(min(height, width) * about.image_size / about.resized)
    y, x = (height - side) // 2, (width - side) // 2
    return image[:, y : y + side, x : x + side]


def light(boxes: Tensor, weights: Tensor, size: int) -> Tensor:
    """Adds up, for each pixel, the attention weights of the regions that contain it.

    Args:
        boxes: [n_regions, 4], in [0, 1].
        weights: [n_regions].
        size: pixels per side.

    Returns:
        float32 [size, size], at most 1.
    """
    middle = (torch.arange(size) + 0.5) / size
    across = (middle >= boxes[:, :1]) & (middle <= boxes[:, 2:3])  # [n_regions, size]
    down = (middle >= boxes[:, 1:2]) & (middle <= boxes[:, 3:])
    return torch.einsum("r,ry,rx->yx", weights.float(), down.float(), across.float()).clamp(max=1)


def spotlit(image: Tensor, lit: Tensor) -> Tensor:
    """Makes a picture pale and grey where it is not lit, so that lit parts stand out on screen and in grey print.

    Args:
        image: uint8 [3, H, W].
        lit: [H, W], in [0, 1].

    Returns:
        float32 [H, W, 3], in [0, 1].
    """
    pixels = image.permute(1, 2, 0) / 255
    veiled = 0.72 + 0.25 * grey_of(pixels)[..., None]  # unlit parts stay just visible
    clear = lit.sqrt()[..., None]  # without the root, a third of the attention would hardly show
    return veiled + clear * (pixels - veiled)


def grey_of(pixels: Tensor) -> Tensor:
    """[H, W, 3] -> [H, W], as grey print has it."""
    return pixels.float() @ torch.tensor([0.299, 0.587, 0.114])
