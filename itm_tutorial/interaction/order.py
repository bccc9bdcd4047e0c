"""Order embeddings: a caption is more general than its image, so no coordinate should exceed the image's."""

from __future__ import annotations

import torch
from torch import Tensor

CHUNK = 2**24  # numbers of the [n_images, captions, dim] block held at a time: 64 MiB


def order_similarity(image_emb: Tensor, caption_emb: Tensor) -> Tensor:
    """The negative order violation: how far a caption exceeds an image in each coordinate, squared and summed.

    Source: Vendrov et al. 2016, equation 2: E(x, y) = ||max(0, y - x)||^2 with the caption as the more general side.
    The public code of VSE++ takes the square root, so its margins mean something else.

    Args:
        image_emb: [n_images, dim], coordinates of 0 or more.
        caption_emb: [n_captions, dim], coordinates of 0 or more.

    Returns:
        [n_images, n_captions], 0 where the order holds, else negative.
    """
    step = max(1, CHUNK // max(1, image_emb.numel()))  # captions at a time
    tiles = [_violation(image_emb, some) for some in caption_emb.split(step)]  # each [n_images, at most step]
    return -torch.cat(tiles, 1) if tiles else image_emb.new_zeros(len(image_emb), 0)


def _violation(images: Tensor, captions: Tensor) -> Tensor:
    return (captions[None] - images[:, None]).clamp(min=0).square().sum(-1)
