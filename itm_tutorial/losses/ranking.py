"""Ranking losses: a positive pair must score higher than negatives by a margin; they differ in which negatives count.

All are sums over the batch, as published, so that a larger batch gives larger gradients before clipping.
"""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor, nn

from itm_tutorial.data.options import Fraction, PositiveInt, Weight
from itm_tutorial.errors import ItmError


def positive_pairs(positives: Tensor) -> tuple[LongTensor, LongTensor]:
    """The (image, caption) pairs of a mask, as two index vectors [n_pairs].

    Raises:
        ItmError: there is no positive pair.
    """
    images, captions = positives.nonzero(as_tuple=True)
    if not len(images):
        raise ItmError("positives: no caption of the batch describes an image of it; pass the images of the captions")
    return images, captions


def hinge_costs(
    scores: Tensor, positives: Tensor, margin: float, mask_same_image: bool = True
) -> tuple[Tensor, Tensor]:
    """The hinge of each positive pair against each negative caption and each negative image.

    Args:
        scores: [n_images, n_captions].
        positives: bool [n_images, n_captions].
        margin: by how much a positive must exceed a negative, in units of the scores.
        mask_same_image: True: other captions of the same image are not negatives. False: every other pair of the batch
            is a negative, as in the authors' code of VSE++.

    Returns:
        Hinges against negative captions [n_pairs, n_captions] and against negative images [n_pairs, n_images]; zero at
        positives. With ``mask_same_image=False``, both are [n_pairs, n_pairs].
    """
    images, captions = positive_pairs(positives)
    if not mask_same_image:  # one row and one column per pair, also for pairs of the same image
        scores = scores[images][:, captions]  # [n_pairs, n_pairs]
        positives = torch.eye(len(images), dtype=torch.bool, device=scores.device)
        images = captions = torch.arange(len(images), device=scores.device)
    positive = scores[images, captions].unsqueeze(1)  # [n_pairs, 1]
    against_captions = (margin - positive + scores[images]).clamp(min=0)  # [n_pairs, n_captions]
    against_images = (margin - positive + scores.T[captions]).clamp(min=0)  # [n_pairs, n_images]
    return (
        against_captions.masked_fill(positives[images], 0),
        against_images.masked_fill(positives.T[captions], 0),
    )


class HingeLoss(nn.Module):
    """Base class of the ranking losses: hinges in both directions; a subclass defines how they are summed.

    Args:
        margin: 0.2 in Kiros et al. 2014 and in Faghri et al. 2018, for cosines.
        mask_same_image: see ``hinge_costs``.
    """

    def __init__(self, margin: Weight = 0.2, mask_same_image: bool = True):
        super().__init__()
        self.margin, self.mask_same_image = margin, mask_same_image

    def forward(self, scores: Tensor, positives: Tensor) -> Tensor:
        """Scores [n_images, n_captions] and the mask of positive pairs -> a scalar."""
        both = hinge_costs(scores, positives, self.margin, self.mask_same_image)
        return torch.stack([self.total_cost(costs) for costs in both]).sum()

    def total_cost(self, costs: Tensor) -> Tensor:
        """Hinges [n_pairs, n_negatives] -> a scalar."""
        raise NotImplementedError


class SumOfHinges(HingeLoss):
    """All negatives that violate the margin count.

    Source: Kiros et al. 2014, equation 1 of the joint embedding; "VSE0" in Faghri et al. 2018, equation 5.
    """

    def total_cost(self, costs: Tensor) -> Tensor:
        """Hinges [n_pairs, n_negatives] -> a scalar."""
        return costs.sum()


class MaxOfHinges(HingeLoss):
    """Only the hardest negative of each pair counts, in each direction; with a warm-up, all negatives count at first.

    Source: Faghri et al. 2018, equation 6. The warm-up is later practice: without it, training from scratch can
    collapse all embeddings nearly to one point, where the loss is 2 x pairs x margin and hardly changes.

    Args:
        margin, mask_same_image: as for every ``HingeLoss``.
        warmup: fraction of the run in which the sum is used, or mixed in.
        anneal: whether to change from the sum to the maximum gradually instead of at once.
    """

    def __init__(
        self, margin: Weight = 0.2, mask_same_image: bool = True, warmup: Fraction = 0.0, anneal: bool = False
    ):
        super().__init__(margin, mask_same_image)
        if not 0 <= warmup <= 1:
            raise ItmError(f"warmup is {warmup}; give a fraction of the run, from 0 to 1")
        self.warmup, self.anneal, self.hardest = warmup, anneal, 0.0 if warmup else 1.0

    def end_warmup(self) -> None:
        """Ends the warm-up for good: from now on only the hardest negative counts, also in later runs."""
        self.warmup, self.hardest = 0.0, 1.0

    def on_epoch(self, state) -> None:
        """Sets the weight of the maximum, from 0 to 1, for epoch ``state.epoch`` (from 0) of ``state.epochs``."""
        done = 1.0 if not self.warmup else min(1.0, state.epoch / (self.warmup * state.epochs))
        self.hardest = done if self.anneal else float(done == 1.0)

    def total_cost(self, costs: Tensor) -> Tensor:
        """Hinges [n_pairs, n_negatives] -> a scalar."""
        hardest = costs.amax(1).sum()
        return hardest if self.hardest == 1 else self.hardest * hardest + (1 - self.hardest) * costs.sum()

    def collapsed(self, n_pairs: int) -> float:
        """The loss of a batch whose embeddings are all equal: one margin per pair and direction."""
        return 2 * n_pairs * self.margin * self.hardest


class TopKHinges(HingeLoss):
    """The k hardest negatives of each pair count: between the maximum (k = 1) and the sum (k = all).

    Source: the kNN-margin loss of Liu and Ye 2019, which should be more robust to false negatives.

    Args:
        margin, mask_same_image: as for every ``HingeLoss``.
        k: negatives per pair and direction.
    """

    def __init__(self, margin: Weight = 0.2, mask_same_image: bool = True, k: PositiveInt = 3):
        super().__init__(margin, mask_same_image)
        if k < 1:
            raise ItmError(f"k is {k}; give 1 or more")
        self.k = k

    def total_cost(self, costs: Tensor) -> Tensor:
        """Hinges [n_pairs, n_negatives] -> a scalar."""
        return costs.topk(min(self.k, costs.shape[1]), dim=1).values.sum()
