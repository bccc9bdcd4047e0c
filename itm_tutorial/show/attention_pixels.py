"""The pixels of a picture under attention: the square that a backbone sees, light on regions, grey elsewhere."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torchvision.transforms.functional import resize

from itm_tutorial.encoders.backbones import BACKBONES
from itm_tutorial.errors import unknown
from itm_tutorial.extraction.regions import grid_boxes


def grid_side(boxes: Tensor) -> int:
    """Cells a side where boxes [n, 4] are the squares of a grid, row by row; else 0."""
    side = math.isqrt(len(boxes))
    if side < 2 or side**2 != len(boxes):
        return 0
    return side if torch.allclose(boxes.float().cpu(), grid_boxes(side**2), atol=1e-3) else 0


def seen_square(image: Tensor, backbone: str = "mini") -> Tensor:
    """What ``fitted`` shows a backbone, at full size: a photograph's middle square, all of a drawn picture.

    Args:
        image: uint8 [3, H, W].
        backbone: a name in ``BACKBONES``.

    Returns:
        uint8 [3, side, side].

    Raises:
        ItmError: unknown backbone.
    """
    if backbone not in BACKBONES:
        raise unknown("backbone", backbone, BACKBONES)
    about, (height, width) = BACKBONES[backbone], image.shape[1:]
    if backbone == "mini":  # stretched to a square, as it is seen
        return image if height == width else resize(image, [max(height, width)] * 2, antialias=True)
    if height == width == about.image_size:
        return image
    side = round(min(height, width) * about.image_size / about.resized)
    y, x = (height - side) // 2, (width - side) // 2
    return image[:, y : y + side, x : x + side]


def light(boxes: Tensor, weights: Tensor, size: int) -> Tensor:
    """How much attention each pixel gets: the weights of the regions that hold it, added up.

    Args:
        boxes: [n_regions, 4], in [0, 1].
        weights: [n_regions].
        size: pixels a side.

    Returns:
        float32 [size, size], at most 1.
    """
    middle = (torch.arange(size) + 0.5) / size
    across = (middle >= boxes[:, :1]) & (middle <= boxes[:, 2:3])  # [n_regions, size]
    down = (middle >= boxes[:, 1:2]) & (middle <= boxes[:, 3:])
    return torch.einsum("r,ry,rx->yx", weights.float(), down.float(), across.float()).clamp(max=1)


def spotlit(image: Tensor, lit: Tensor) -> Tensor:
    """A picture that is clear where it is lit, and pale and grey elsewhere: on a screen, and in grey print.

    Args:
        image: uint8 [3, H, W].
        lit: [H, W], in [0, 1].

    Returns:
        float32 [H, W, 3], in [0, 1].
    """
    pixels = image.permute(1, 2, 0) / 255
    veiled = 0.72 + 0.25 * grey_of(pixels)[..., None]  # what lies there can just be made out
    clear = lit.sqrt()[..., None]  # else a third of the attention could hardly be seen
    return veiled + clear * (pixels - veiled)


def grey_of(pixels: Tensor) -> Tensor:
    """[H, W, 3] -> [H, W], as grey print has it."""
    return pixels.float() @ torch.tensor([0.299, 0.587, 0.114])
