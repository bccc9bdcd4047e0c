"""Losses over labels: each image has one true label from a fixed set (DeViSE; DEM)."""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor

from itm_tutorial.errors import ItmError, unknown


def rank_loss(
    scores: Tensor, target: LongTensor, margin: float = 0.1, negatives: str = "all", generator=None
) -> Tensor:
    """DeViSE's hinge rank loss: the true label must score higher than every other label by a margin.

    Source: Frome et al. 2013, equation 1: sum over j != y of max(0, margin - t_y M v + t_j M v).

    Args:
        scores: t_j M v of each image and label, [n_images, n_labels].
        target: int64 [n_images], the column of each image's label.
        margin: in units of the scores; 0.1 in the paper.
        negatives: "all", the sum over all labels, or "one": only the first label in random order that violates the
            margin, as the paper does to save time.
        generator: of the random order.

    Returns:
        The mean over images, a scalar.

    Raises:
        ItmError: ``negatives`` has another value.
    """
    if negatives not in ("all", "one"):
        raise unknown("choice of negatives", negatives, ("all", "one"))
    positive = scores.gather(1, target[:, None])  # [n_images, 1]
    costs = (margin - positive + scores).clamp(min=0).scatter(1, target[:, None], 0.0)  # [n_images, n_labels]
    if negatives == "one":
        order = torch.rand(costs.shape, generator=generator, device=costs.device)  # the lowest number comes first
        first = order.masked_fill(costs <= 0, 2.0).argmin(1, keepdim=True)
        costs = costs.gather(1, first)  # zero where nothing violates
    return costs.sum(1).mean()


def l2_loss(projected: Tensor, target: Tensor) -> Tensor:
    """The squared distance between projected vectors and their targets, such as images and the vectors of their labels.

    Source: the baseline of Frome et al. 2013, section 3; and, with visual features as the target, equation 1 of
    Zhang et al. 2017 (DEM).

    Args:
        projected, target: [n_images, dim].

    Returns:
        The mean over images of the sum over coordinates, a scalar.
    """
    return (projected - target).square().sum(1).mean()


def numbers_of_seen(labels: list[str], seen: list[str]) -> LongTensor:
    """The numbers of the labels that training shows.

    Args:
        labels: every label, each once, in the order of its number.
        seen: some of them.

    Returns:
        int64 [n_seen], in rising order.

    Raises:
        ItmError: a label occurs twice, or a seen one is not among the labels.
    """
    number = {label: i for i, label in enumerate(labels)}
    if len(number) < len(labels):
        raise ItmError(f"labels: {len(labels)}, {len(number)} of them distinct; give each once")
    for label in seen:
        if label not in number:
            raise unknown("label in seen", label, labels)
    return torch.tensor(sorted({number[label] for label in seen}), dtype=torch.int64)
