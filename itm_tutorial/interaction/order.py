"""Order embeddings: a caption is an abstraction of its picture, so it should lie below it in every coordinate."""

from __future__ import annotations

import torch
from torch import Tensor

CHUNK = 2**24  # numbers of the [n_images, captions, dim] block held at a time: 64 MiB


def order_similarity(image_emb: Tensor, caption_emb: Tensor) -> Tensor:
    """Minus the order violation: how far a caption lies above an image, squared and added up.

    Source: Vendrov et al. 2016, equation 2: E(x, y) = ||max(0, y - x)||^2 with the caption as the more general side.
    The public code of VSE++ takes the root, so that margins do not carry over.

    Args:
        image_emb: coordinates of 0 or more, [n_images, dim].
        caption_emb: coordinates of 0 or more, [n_captions, dim].

    Returns:
        [n_images, n_captions], 0 where the order holds and below it elsewhere.
    """
    step = max(1, CHUNK // max(1, image_emb.numel()))  # captions at a time
    tiles = [_violation(image_emb, some) for some in caption_emb.split(step)]  # each [n_images, at most step]
    return -torch.cat(tiles, 1) if tiles else image_emb.new_zeros(len(image_emb), 0)


def _violation(images: Tensor, captions: Tensor) -> Tensor:
    return (captions[None] - images[:, None]).clamp(min=0).square().sum(-1)
