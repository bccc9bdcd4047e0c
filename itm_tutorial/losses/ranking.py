"""Ranking losses: the right pair must beat the wrong ones by a margin; they differ in which wrong ones count.

All are sums over the batch, as published, so that a larger batch is a larger step before clipping.
"""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor, nn

from itm_tutorial.errors import ItmError


def right_pairs(positives: Tensor) -> tuple[LongTensor, LongTensor]:
    """The (image, caption) pairs of a mask, as two index vectors [n_pairs].

    Raises:
        ItmError: no pair is right.
    """
    images, captions = positives.nonzero(as_tuple=True)
    if not len(images):
        raise ItmError("positives: no caption of the batch describes an image of it; pass the images of the captions")
    return images, captions


def hinge_costs(
    scores: Tensor, positives: Tensor, margin: float, mask_same_image: bool = True
) -> tuple[Tensor, Tensor]:
    """What each wrong caption and each wrong image costs each right pair.

    Args:
        scores: [n_images, n_captions].
        positives: bool [n_images, n_captions].
        margin: by how much the right pair must win, in units of the scores.
        mask_same_image: whether other captions of the same image are no negatives; False takes every other pair of
            the batch for wrong, as the authors' code of VSE++ does.

    Returns:
        Hinges against wrong captions [n_pairs, n_captions] and against wrong images [n_pairs, n_images];
        zero where the pair is right. Unmasked, both are [n_pairs, n_pairs].
    """
    images, captions = right_pairs(positives)
    if not mask_same_image:  # one row and one column for each pair, whosever picture it is
        scores = scores[images][:, captions]  # [n_pairs, n_pairs]
        positives = torch.eye(len(images), dtype=torch.bool, device=scores.device)
        images = captions = torch.arange(len(images), device=scores.device)
    right = scores[images, captions].unsqueeze(1)  # [n_pairs, 1]
    against_captions = (margin - right + scores[images]).clamp(min=0)  # [n_pairs, n_captions]
    against_images = (margin - right + scores.T[captions]).clamp(min=0)  # [n_pairs, n_images]
    return (
        against_captions.masked_fill(positives[images], 0),
        against_images.masked_fill(positives.T[captions], 0),
    )


class HingeLoss(nn.Module):
    """What the ranking losses share: hinges in both directions, and one way to add them up.

    Args:
        margin: 0.2 in Kiros et al. 2014 and in Faghri et al. 2018, for cosines.
        mask_same_image: see ``hinge_costs``.
    """

    def __init__(self, margin: float = 0.2, mask_same_image: bool = True):
        super().__init__()
        self.margin, self.mask_same_image = margin, mask_same_image

    def forward(self, scores: Tensor, positives: Tensor) -> Tensor:
        """Scores [n_images, n_captions] and the mask of right pairs -> a scalar."""
        both = hinge_costs(scores, positives, self.margin, self.mask_same_image)
        return torch.stack([self.added_up(costs) for costs in both]).sum()

    def added_up(self, costs: Tensor) -> Tensor:
        """Hinges [n_pairs, n_negatives] -> a scalar."""
        raise NotImplementedError


class SumOfHinges(HingeLoss):
    """Every negative that comes within the margin costs.

    Source: Kiros et al. 2014, equation 1 of the joint embedding; "VSE0" in Faghri et al. 2018, equation 5.
    """

    def added_up(self, costs: Tensor) -> Tensor:
        """Hinges [n_pairs, n_negatives] -> a scalar."""
        return costs.sum()


class MaxOfHinges(HingeLoss):
    """Only the hardest negative of each pair costs, in either direction; at first, if wished, all of them.

    Source: Faghri et al. 2018, equation 6. The warm-up is later practice: from scratch the hardest negative can pull
    all embeddings nearly into one point, where the loss is 2 x pairs x margin and hardly moves.

    Args:
        margin, mask_same_image: as for every ``HingeLoss``.
        warmup: fraction of the run in which the sum is taken, or mixed in.
        anneal: go over from the sum to the maximum little by little, in place of at once.
    """

    def __init__(self, margin: float = 0.2, mask_same_image: bool = True, warmup: float = 0.0, anneal: bool = False):
        super().__init__(margin, mask_same_image)
        if not 0 <= warmup <= 1:
            raise ItmError(f"warmup is {warmup}; give a fraction of the run, from 0 to 1")
        self.warmup, self.anneal, self.hardest = warmup, anneal, 0.0 if warmup else 1.0

    def end_warmup(self) -> None:
        """From now on only the hardest counts, in whatever run is to come: a second stage has no warm-up of its own."""
        self.warmup, self.hardest = 0.0, 1.0

    def on_epoch(self, state) -> None:
        """Sets how much the maximum counts, from 0 to 1, in epoch ``state.epoch`` of ``state.epochs``."""
        done = 1.0 if not self.warmup else min(1.0, state.epoch / (self.warmup * state.epochs))
        self.hardest = done if self.anneal else float(done == 1.0)

    def added_up(self, costs: Tensor) -> Tensor:
        """Hinges [n_pairs, n_negatives] -> a scalar."""
        hardest = costs.amax(1).sum()
        return hardest if self.hardest == 1 else self.hardest * hardest + (1 - self.hardest) * costs.sum()

    def collapsed(self, n_pairs: int) -> float:
        """The loss of a batch whose embeddings are all equal: a margin for each pair and direction."""
        return 2 * n_pairs * self.margin * self.hardest


class TopKHinges(HingeLoss):
    """The k hardest negatives of each pair cost: between the maximum (k = 1) and the sum (k = all).

    Source: the kNN-margin loss of Liu and Ye 2019, which is meant to bear negatives that are none.

    Args:
        margin, mask_same_image: as for every ``HingeLoss``.
        k: how many, in either direction.
    """

    def __init__(self, margin: float = 0.2, mask_same_image: bool = True, k: int = 3):
        super().__init__(margin, mask_same_image)
        if k < 1:
            raise ItmError(f"k is {k}; give 1 or more")
        self.k = k

    def added_up(self, costs: Tensor) -> Tensor:
        """Hinges [n_pairs, n_negatives] -> a scalar."""
        return costs.topk(min(self.k, costs.shape[1]), dim=1).values.sum()
