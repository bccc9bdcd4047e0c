"""Images of any size for a backbone of one size: the centre of a photograph, or all of a tall one with padding."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import torch
from torch import Tensor

from itm_tutorial.encoders.backbones import BACKBONES
from itm_tutorial.errors import ItmError, unknown

FITS = ("", "pad")
TALL = 1.8  # height / width; photographs of phones have 16 / 9 = 1.78, crops of standing persons 2 to 3
LONG = 16  # of an image that is longer, in multiples of its shorter side, the centre is cut out first
LOOKED_AT = 32  # images whose sizes are read


def fit_of(images: Sequence[Tensor]) -> str:
    """Chooses how the photographs of a data set are fitted, from the sizes of 32 of them.

    Crops of persons (CUHK-PEDES, ICFG-PEDES, RSTPReid) are two to three times as tall as they are wide. The central
    square of such a crop has neither head nor shoes, which captions describe, so that all of it is kept.

    Args:
        images: of a training split; sizes are read from the files' headers where ``images`` has a method ``size_of``
            (image number -> height, width), else from the decoded images.

    Returns:
        "pad" where the median of height / width is 1.8 or more, else "".
    """
    n = len(images)
    rows = sorted({i * (n - 1) // max(1, LOOKED_AT - 1) for i in range(LOOKED_AT)}) if n else []
    ratios = []
    for row in rows:
        try:
            height, width = images.size_of(row) if hasattr(images, "size_of") else images[row].shape[-2:]
        except ItmError:  # a file that cannot be read is reported where the image is needed
            continue
        ratios.append(height / width)
    return "pad" if ratios and median(ratios) >= TALL else ""


def fitted(image: Tensor, backbone: str, fit: str = "") -> Tensor:
    """Resizes an image for a backbone.

    For torchvision's backbones the shorter side is resized and the central square cut out, as when their weights were
    trained. With ``fit="pad"`` the whole image is resized so that its longer side fits, at its own aspect ratio, and
    padded on both sides with the mean colour of ImageNet, which is zero once it is normalised. The papers on person
    search stretch a crop instead, to 224 x 224 (CMPL's code) or, later, to 384 x 128; padding is our choice: it keeps
    proportions, and boxes and grid cells stay those of a square.

    The mini backbone sees the whole image; one that is not square, such as a drawn person, is stretched.

    Args:
        image: uint8 [3, H, W]; an image that has the backbone's size already is returned unchanged.
        backbone: a name in ``BACKBONES``.
        fit: "" or "pad".

    Returns:
        uint8 [3, size, size].

    Raises:
        ItmError: unknown ``fit``.
    """
    from torchvision.transforms.functional import center_crop, resize

    if fit not in FITS:
        raise unknown("fit", fit, FITS)
    about = BACKBONES[backbone]
    square = [about.image_size, about.image_size]
    if list(image.shape[1:]) == square:
        return image
    if backbone == "mini":
        return resize(image, square, antialias=True)
    if fit == "pad":
        return _padded(image, backbone)
    if max(image.shape[1:]) > LONG * min(image.shape[1:]):  # far from the centre nothing is kept, and it would be huge
        image = center_crop(image, [min(side, LONG * min(image.shape[1:])) for side in image.shape[1:]])
    return center_crop(resize(image, about.resized, antialias=True), about.image_size)


def place_in_square(height: int, width: int, size: int) -> tuple[int, int, int, int]:
    """Where ``fit="pad"`` puts an image: the rows and columns (top, left, height, width) of a square of ``size``."""
    scale = size / max(height, width)
    inner = [max(1, round(side * scale)) for side in (height, width)]
    return (size - inner[0]) // 2, (size - inner[1]) // 2, inner[0], inner[1]


def _padded(image: Tensor, backbone: str) -> Tensor:
    from torchvision.transforms.functional import resize

    about = BACKBONES[backbone]
    top, left, height, width = place_in_square(*image.shape[1:], about.image_size)
    colour = torch.tensor([round(255 * mean) for mean in about.mean], dtype=torch.uint8)
    square = colour.view(3, 1, 1).repeat(1, about.image_size, about.image_size)
    square[:, top : top + height, left : left + width] = resize(image, [height, width], antialias=True)
    return square
