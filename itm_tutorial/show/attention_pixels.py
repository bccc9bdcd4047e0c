"""The pixels of an attention map: the square that a backbone sees, and attention as a transparent colour over it."""

from __future__ import annotations

import math

import torch
from matplotlib.colors import to_rgb
from torch import Tensor
from torch.nn.functional import interpolate
from torchvision.transforms.functional import center_crop, gaussian_blur, resize

from itm_tutorial.encoders.backbones import BACKBONES
from itm_tutorial.encoders.fitting import fitted
from itm_tutorial.errors import unknown
from itm_tutorial.extraction.regions import grid_boxes
from itm_tutorial.show.canvas import ACCENT

HEAT, TINT, BOOST = (ACCENT, "#ffd24a"), 0.45, 1.8
DIM, GREYED = 0.55, 1.0
SOFT = 24  # the edge of a box fades over about 1 / SOFT of the picture


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
        fit: "pad" pads a photograph to a square instead; see ``encoders.fitting``. "crop" and "stretch" are of networks
            with an input of their own, whatever the backbone is called.

    Returns:
        uint8 [3, side, side].

    Raises:
        ItmError: unknown backbone.
    """
    if fit in ("crop", "stretch"):
        short, long = min(image.shape[1:]), max(image.shape[1:])
        return center_crop(image, short) if fit == "crop" else resize(image, [long, long], antialias=True)
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


def above_uniform(weights: Tensor) -> Tensor:
    """How far each weight lies above uniform attention, as a fraction of the way to 1.

    Args:
        weights: [n_regions], with a sum of one.

    Returns:
        float32 [n_regions]: 0 for a region with at most its uniform weight, 1 for one that has all the attention.
    """
    even = 1 / len(weights)
    return ((weights.float() - even) / max(1 - even, 1e-9)).clamp(min=0)


def heat_of_regions(boxes: Tensor, weights: Tensor, size: int) -> Tensor:
    """Adds up, for each pixel, how far the regions that contain it lie above uniform attention.

    Uniform attention gives no heat anywhere, also where many regions overlap.

    Args:
        boxes: [n_regions, 4], in [0, 1].
        weights: [n_regions], with a sum of one.
        size: pixels per side.

    Returns:
        float32 [size, size], in [0, 1]; edges of boxes are a little soft.
    """
    middle = (torch.arange(size) + 0.5) / size
    across = (middle >= boxes[:, :1]) & (middle <= boxes[:, 2:3])  # [n_regions, size]
    down = (middle >= boxes[:, 1:2]) & (middle <= boxes[:, 3:])
    heat = torch.einsum("r,ry,rx->yx", above_uniform(weights), down.float(), across.float()).clamp(max=1)
    width = 2 * (size // SOFT) + 1
    return gaussian_blur(heat[None], [width, width])[0] if width > 1 else heat


def heat_of_grid(weights: Tensor, side: int, size: int) -> Tensor:
    """A grid's weights as a smooth map: 1 where the weight is largest, 0 at uniform attention and below.

    Args:
        weights: [side * side], row by row, with a sum of one.
        side: cells per side.
        size: pixels per side.

    Returns:
        float32 [size, size], in [0, 1].
    """
    cells = above_uniform(weights).view(1, 1, side, side)
    heat = interpolate(cells, size=(size, size), mode="bicubic", align_corners=False)[0, 0].clamp(min=0)
    return heat / heat.max().clamp(min=1e-9)


def tinted(image: Tensor, heat: Tensor) -> Tensor:
    """Lays heat as a transparent colour over a picture, which is dimmed elsewhere, so that grey print shows it too.

    Args:
        image: uint8 [3, H, W].
        heat: [H, W], in [0, 1].

    Returns:
        float32 [H, W, 3], in [0, 1].
    """
    pixels = image.permute(1, 2, 0) / 255
    seen = heat.sqrt()[..., None]  # without the root, a third of the attention would hardly show
    grey = grey_of(pixels)[..., None]
    dimmed = DIM * (GREYED * grey + (1 - GREYED) * pixels)
    low, high = (torch.tensor(to_rgb(colour)) for colour in HEAT)
    warm = (1 - TINT) * pixels + TINT * ((1 - seen) * low + seen * high)
    cover = (BOOST * seen).clamp(max=1)
    return ((1 - cover) * dimmed + cover * warm).clamp(0, 1)


def grey_of(pixels: Tensor) -> Tensor:
    """[H, W, 3] -> [H, W], as grey print has it."""
    return pixels.float() @ torch.tensor([0.299, 0.587, 0.114])
