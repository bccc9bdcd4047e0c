"""Scores of all pairs, tile by tile, for networks that hold a vector per pair: memory stays bounded in training too."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

MOST = 2**22  # numbers of the largest tensor of a tile: 16 MiB in float32
KEPT = 2**26  # up to so many numbers, all tiles are kept for the gradient; beyond, each is computed again


def score_pairs_in_tiles(
    tile: Callable[..., Tensor],
    images: tuple[Tensor, ...],
    captions: tuple[Tensor, ...],
    mask: Tensor,
    numbers: int,
) -> Tensor:
    """Scores every image against every caption, some images and some captions at a time.

    Captions of similar length share a tile, and each tile is cut to its longest caption. Where the gradient would need
    more than ``KEPT`` numbers, a tile is computed a second time in the backward pass instead of being kept.

    Args:
        tile: some rows of ``images``, of ``captions`` and of ``mask`` -> scores [n_some_images, n_some_captions].
        images: tensors [n_images, ...].
        captions: tensors [n_captions, seq_len, ...].
        mask: bool [n_captions, seq_len], False for padding behind the last word.
        numbers: the size of the largest tensor of a tile, per pair of an image and a caption.

    Returns:
        [n_images, n_captions].
    """
    n_images, n_words = len(images[0]), mask.sum(1)  # [n_captions]
    order = n_words.argsort(stable=True)
    captions, ends = tuple(part[order] for part in (*captions, mask)), n_words[order].tolist()
    height = max(1, min(n_images, int((MOST / max(1, numbers)) ** 0.5)))
    width = max(1, MOST // (max(1, numbers) * height))
    needed = n_images * len(mask) * numbers
    run = partial(checkpoint, tile, use_reentrant=False) if torch.is_grad_enabled() and needed > KEPT else tile
    rows = []
    for some in zip(*(part.split(height) for part in images), strict=True):
        columns = []
        for first in range(0, max(1, len(mask)), width):
            longest = max([1, *ends[first : first + width]])
            columns.append(run(*some, *(part[first : first + width, :longest] for part in captions)))
        rows.append(torch.cat(columns, 1))
    return torch.cat(rows)[:, order.argsort()]
