"""Images of every kind, as Pillow, numpy and torch have them, become RGB pixels by one stated rule each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from itm_tutorial.errors import ItmError

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST = 89_478_485  # pixels; Pillow warns above this number, which stands for a quarter of a GiB of RGB
SAVE_AS = "save it as an RGB image of 8 bits per colour, such as JPEG or PNG"


def to_rgb(image: Image | Tensor | Any, where: str = "the image") -> Tensor:
    """Converts an image to pixels.

    Args:
        image: a Pillow image of any mode, a numpy array or a tensor.

            Pillow images: what is transparent becomes white. Grey of 16 bits is scaled to 8 bits. Whole numbers of 32
            bits count as 8 bits where none exceeds 255, else as 16 bits. Floats must be in 0 to 1. An animation shows
            its first frame. Pillow converts palettes, CMYK, YCbCr, HSV and LAB.

            Arrays and tensors: [H, W] or one channel is grey, three are RGB, four RGB with transparency. Channels may
            be first or last; where both fit, they are last in an array and first in a tensor. Whole numbers must be in
            0 to 255 (0 to 65535 for uint16), floats in 0 to 1.
        where: names the image in a message.

    Returns:
        uint8 [3, H, W].

    Raises:
        ItmError: another type or shape, or values outside their range.
    """
    from PIL.Image import Image

    if isinstance(image, Image):
        return _of_pillow(image, where)
    if isinstance(image, Tensor):
        return _of_values(image.detach().cpu(), where, channels_last=False)
    import numpy as np

    if isinstance(image, np.ndarray) and image.dtype.kind in "biuf":
        native = np.ascontiguousarray(image, image.dtype.newbyteorder("="))
        if native.dtype == np.longdouble and native.dtype.itemsize > 8:
            native = native.astype(np.float64)
        return _of_values(torch.from_numpy(native.copy()), where, channels_last=True)
    found = f"an array of {image.dtype}" if isinstance(image, np.ndarray) else f"a {type(image).__name__}"
    raise ItmError(f"{where} is {found}: give a Pillow image, an array or a tensor of pixels")


def _of_pillow(image: Image, where: str) -> Tensor:
    from PIL import Image as images
    from torchvision.transforms.functional import pil_to_tensor

    if image.width * image.height == 0:
        raise ItmError(f"{where} is {image.width} x {image.height} pixels: give an image that has some")
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return _of_values(_numbers(image), where, channels_last=True, eight_bits="maybe")
    if image.mode == "LAB":
        return pil_to_tensor(_of_lab(image, where))
    if image.mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in image.info:
        image = image.convert({"La": "LA", "RGBa": "RGBA"}.get(image.mode, image.mode)).convert("RGBA")
        white = images.new("RGBA", image.size, "white")
        return pil_to_tensor(images.alpha_composite(white, image).convert("RGB"))
    return pil_to_tensor(image.convert("RGB"))


def _numbers(image: Image) -> Tensor:
    """The values of a grey image of more than eight bits, [H, W]."""
    import numpy as np

    values = np.asarray(image)
    return torch.from_numpy(values.astype(np.float32 if image.mode == "F" else np.int64))


def _of_lab(image: Image, where: str) -> Image:
    try:
        from PIL import ImageCms
    except ImportError as error:
        raise ItmError(f"{where} has the colours LAB, which this Pillow cannot convert: {SAVE_AS}") from error
    profiles = [ImageCms.createProfile(name) for name in ("LAB", "sRGB")]
    return ImageCms.profileToProfile(image, *profiles, outputMode="RGB")


def _of_values(values: Tensor, where: str, channels_last: bool, eight_bits: str = "yes") -> Tensor:
    """Numbers of any type and a shape that ``to_rgb`` names -> uint8 [3, H, W].

    Args:
        eight_bits: "yes" where whole numbers are 0 to 255; "maybe" where larger ones tell that they have 16 bits.
    """
    values = _scaled(_channels_first(values, where, channels_last), where, eight_bits)
    if len(values) in (2, 4):  # the last channel is how opaque a pixel is
        opaque = values[-1:].float() / 255
        values = (values[:-1].float() * opaque + 255 * (1 - opaque)).round().to(torch.uint8)
    return values.expand(3, -1, -1).contiguous() if len(values) == 1 else values.contiguous()


def _channels_first(values: Tensor, where: str, channels_last: bool) -> Tensor:
    shape = list(values.shape)
    if values.ndim == 2:
        values = values[None]
    elif values.ndim != 3:
        raise ItmError(f"{where} has the shape {shape}: give [H, W], [H, W, 3] or [3, H, W]")
    elif _last(shape) and (channels_last or not _first(shape)):
        values = values.permute(2, 0, 1)
    elif not _first(shape):
        raise ItmError(f"{where} has the shape {shape}: give one, three or four channels, first or last")
    if values.numel() == 0:
        raise ItmError(f"{where} has the shape {shape}: give an image that has pixels")
    if values[0].numel() > LARGEST:
        raise ItmError(f"{where} has the shape {shape}, more than {LARGEST:,} pixels: make it smaller")
    return values


def _first(shape: list[int]) -> bool:
    return shape[0] in (1, 3, 4)


def _last(shape: list[int]) -> bool:
    return shape[-1] in (1, 3, 4)


def _scaled(values: Tensor, where: str, eight_bits: str) -> Tensor:
    """Numbers of any type -> uint8."""
    if values.dtype == torch.uint8:
        return values
    if values.dtype == torch.bool:
        return values.to(torch.uint8) * 255
    if values.is_complex():
        raise ItmError(f"{where} holds complex numbers: give whole numbers from 0 to 255, or floats from 0 to 1")
    whole = not values.is_floating_point()
    sixteen = values.dtype == torch.uint16
    values = values.to(torch.int64) if whole else values.double()
    low, high = values.min().item(), values.max().item()
    sixteen = sixteen or (whole and eight_bits == "maybe" and high > 255)
    most = 65535 if sixteen else 255 if whole else 1
    if not (low >= 0 and high <= most):  # false for NaN too
        raise ItmError(
            f"{where} has values from {low:g} to {high:g}: give whole numbers from 0 to {65535 if sixteen else 255}, "
            "or floats from 0 to 1"
        )
    return (values.double() * (255 / most)).round().to(torch.uint8)
