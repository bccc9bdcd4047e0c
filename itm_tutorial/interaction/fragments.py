"""Scores from the dot products of all regions of an image with all fragments of a caption.

Two published ways to make one number of them: the sum of all that are positive (Karpathy, Joulin and Fei-Fei, "Deep
Fragment Embeddings for Bidirectional Image Sentence Mapping", NIPS 2014), and the sum over fragments of each one's best
region (Karpathy and Fei-Fei, "Deep Visual-Semantic Alignments for Generating Image Descriptions", CVPR 2015).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

TILE = 2**20  # dot products per tile: 4 MiB in float32


def fragment_dots(regions: Tensor, fragments: Tensor) -> Tensor:
    """The dot product of every region with every fragment, d = v . s, of vectors of any length.

    Args:
        regions: [n_images, n_regions, dim].
        fragments: [n_captions, seq_len, dim].

    Returns:
        [n_images, n_regions, n_captions, seq_len].
    """
    dots = regions.flatten(0, 1) @ fragments.flatten(0, 1).T
    return dots.view(*regions.shape[:2], *fragments.shape[:2])


def best_region_scores(dots: Tensor, mask: Tensor) -> Tensor:
    """S = sum over fragments of the largest dot product over regions (DVSA).

    No threshold, no division: a fragment whose dot products are all negative lowers the score.

    Args:
        dots: [n_images, n_regions, n_captions, seq_len].
        mask: bool [n_captions, seq_len], True where there is a fragment.

    Returns:
        [n_images, n_captions].
    """
    return dots.amax(1).masked_fill(~mask, 0).sum(2)


def thresholded_scores(dots: Tensor, mask: Tensor, smoothing: float | None) -> Tensor:
    """S = sum over regions and fragments of max(0, d), divided by (n_fragments + smoothing) (DeFrag).

    Args:
        dots: [n_images, n_regions, n_captions, seq_len].
        mask: bool [n_captions, seq_len], True where there is a fragment.
        smoothing: n in the authors' code; None leaves the division out. The number of regions divides nothing.

    Returns:
        [n_images, n_captions].
    """
    total = dots.clamp(min=0).sum(1).masked_fill(~mask, 0).sum(2)
    return total if smoothing is None else total / (mask.sum(1) + smoothing)


def scores_in_tiles(
    regions: Tensor, fragments: Tensor, mask: Tensor, pool: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """Scores of all pairs, some images at a time, so that few dot products are in memory at once.

    Args:
        regions: [n_images, n_regions, dim].
        fragments: [n_captions, seq_len, dim].
        mask: bool [n_captions, seq_len].
        pool: dot products [n, n_regions, n_captions, seq_len] and the mask -> scores [n, n_captions].

    Returns:
        [n_images, n_captions].
    """
    side = max(1, TILE // max(1, regions.shape[1] * mask.numel()))
    return torch.cat([pool(fragment_dots(some, fragments), mask) for some in regions.split(side)])
