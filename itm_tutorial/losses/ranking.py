"""Ranking losses: the right pair must beat the wrong ones by a margin."""

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


def hinge_costs(scores: Tensor, positives: Tensor, margin: float) -> tuple[Tensor, Tensor]:
    """What each wrong caption and each wrong image costs each right pair.

    Args:
        scores: [n_images, n_captions].
        positives: bool [n_images, n_captions]; other captions of the same image are not negatives.
        margin: by how much the right pair must win, in units of the scores.

    Returns:
        Hinges against wrong captions [n_pairs, n_captions] and against wrong images [n_pairs, n_images];
        zero where the pair is right.
    """
    images, captions = right_pairs(positives)
    right = scores[images, captions].unsqueeze(1)  # [n_pairs, 1]
    against_captions = (margin - right + scores[images]).clamp(min=0)  # [n_pairs, n_captions]
    against_images = (margin - right + scores.T[captions]).clamp(min=0)  # [n_pairs, n_images]
    return (
        against_captions.masked_fill(positives[images], 0),
        against_images.masked_fill(positives.T[captions], 0),
    )


class SumOfHinges(nn.Module):
    """Every negative that comes within the margin costs; summed over the batch, as published.

    Source: Kiros et al. 2014, equation 1 of the joint embedding; "VSE0" in Faghri et al. 2018.

    Args:
        margin: 0.2 in both papers, for cosines.
    """

    def __init__(self, margin: float = 0.2):
        super().__init__()
        self.margin = margin

    def forward(self, scores: Tensor, positives: Tensor) -> Tensor:
        """Scores [n_images, n_captions] and the mask of right pairs -> a scalar."""
        return torch.stack([costs.sum() for costs in hinge_costs(scores, positives, self.margin)]).sum()
