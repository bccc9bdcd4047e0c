"""Labels of pairs of a phrase and a region, from how well the region covers a true box of the phrase."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus


def box_overlaps(regions: Tensor, boxes: Tensor) -> Tensor:
    """The largest intersection over union of each region with a box of each phrase.

    Args:
        regions: [n, n_regions, 4] (x0, y0, x1, y1).
        boxes: [n, n_phrases, n_boxes, 4]; empty ones are padding.

    Returns:
        [n, n_phrases, n_regions] in [0, 1].
    """
    a, b = regions[:, None, None], boxes[:, :, :, None]  # [n, 1, 1, n_regions, 4] and [n, n_phrases, n_boxes, 1, 4]
    shared = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    areas = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1)
    return (shared / (areas - shared).clamp(min=1e-9)).amax(2)


def draw_labels(overlaps: Tensor, known: Tensor, positive: float, negative: float, per_positive: int) -> Tensor:
    """Labels: +1 for large overlaps, -1 for some of the small ones, 0 for all other pairs.

    The negatives are counted phrase by phrase. (The authors' code counts the positives of the whole table of an image,
    with the -1 of earlier phrases, so that only its first phrase gets two negatives per positive.)

    Args:
        overlaps: [n, n_phrases, n_regions].
        known: bool [n, n_phrases], the phrases whose boxes are known; others get no label.
        positive: overlap from which a region is positive.
        negative: overlap below which it may be drawn as a negative.
        per_positive: negatives of a phrase per positive.

    Returns:
        int64 [n, n_phrases, n_regions].
    """
    positives = (overlaps >= positive) & known[..., None]
    candidates = (overlaps < negative) & known[..., None]
    order = torch.where(candidates, torch.rand(overlaps.shape, device=overlaps.device), 2.0)
    rank = order.argsort(2).argsort(2)  # [n, n_phrases, n_regions], random among the candidates
    drawn = candidates & (rank < per_positive * positives.sum(2, keepdim=True))
    return positives.long() - drawn.long()


def logistic_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """The mean over labelled pairs of log(1 + exp(-y s)): [n] each -> a scalar; 0 where no pair is labelled."""
    costs = softplus(-labels * scores) * (labels != 0)
    return costs.sum() / (labels != 0).sum().clamp(min=1)
