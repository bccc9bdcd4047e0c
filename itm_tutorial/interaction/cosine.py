"""The simplest interaction: one code a side, and the cosine between them."""

from __future__ import annotations

from torch import Tensor


def cosine(image_codes: Tensor, caption_codes: Tensor) -> Tensor:
    """Scores every image against every caption.

    Args:
        image_codes: unit vectors [n_images, dim].
        caption_codes: unit vectors [n_captions, dim].

    Returns:
        Cosines [n_images, n_captions].
    """
    return image_codes @ caption_codes.T
