"""Losses over labels: each image has one right label among a fixed set (DeViSE; DEM)."""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor


def rank_loss(scores: Tensor, right: LongTensor, margin: float = 0.1, negatives: str = "all", generator=None) -> Tensor:
    """DeViSE's hinge rank loss: the right label must beat each wrong one by a margin.

    Source: Frome et al. 2013, equation 1: sum over j != y of max(0, margin - t_y M v + t_j M v).

    Args:
        scores: t_j M v of each image and label, [n_images, n_labels].
        right: int64 [n_images], the column of each image's label.
        margin: in units of the scores; 0.1 in the paper.
        negatives: "all", the sum as written, or "one": the first violating label in random order, as the paper cuts
            its sum.
        generator: of the random order.

    Returns:
        The mean over images, a scalar.

    Raises:
        ItmError: another word for ``negatives``.
    """
    if negatives not in ("all", "one"):
        from itm_tutorial.errors import unknown

        raise unknown("choice of negatives", negatives, ("all", "one"))
    of_right = scores.gather(1, right[:, None])  # [n_images, 1]
    costs = (margin - of_right + scores).clamp(min=0).scatter(1, right[:, None], 0.0)  # [n_images, n_labels]
    if negatives == "one":
        order = torch.rand(costs.shape, generator=generator, device=costs.device)  # the lowest number comes first
        first = order.masked_fill(costs <= 0, 2.0).argmin(1, keepdim=True)
        costs = costs.gather(1, first)  # zero where nothing violates
    return costs.sum(1).mean()


def l2_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """The squared distance between where an image lands and where its label stands.

    Source: the baseline of Frome et al. 2013, section 3; and, with visual features as the target, equation 1 of
    Zhang et al. 2017 (DEM).

    Args:
        found, wanted: [n_images, dim].

    Returns:
        The mean over images of the sum over coordinates, a scalar.
    """
    return (found - wanted).square().sum(1).mean()
