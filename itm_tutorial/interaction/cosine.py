"""The simplest interaction: one embedding per side, and the cosine between them."""

from __future__ import annotations

from torch import Tensor


def cosine(image_emb: Tensor, caption_emb: Tensor) -> Tensor:
    """Scores every image against every caption.

    Args:
        image_emb: unit vectors [n_images, dim].
        caption_emb: unit vectors [n_captions, dim].

    Returns:
        Cosines [n_images, n_captions].
    """
    return image_emb @ caption_emb.T
