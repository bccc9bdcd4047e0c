"""Binary cross-entropy of every positive pair and of its hardest negatives (CAMP).

Wang, Liu, Li, Sheng, Yan, Wang and Shao, "CAMP: Cross-Modal Adaptive Message Passing for Text-Image Retrieval", ICCV
2019, https://arxiv.org/abs/1909.05506. With m = sigmoid(score), as the authors' code has it:

    - 2 log m(i, c) - log(1 - max_c' m(i, c')) - log(1 - max_i' m(i', c))

summed over positive pairs. The paper prints the maximum outside the logarithm, max_c' log(1 - m(i, c')): this is the
negative with the smallest m, the easiest one. (The printed loss also lacks the minus, which is put back here.)
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from itm_tutorial.data.options import Fraction
from itm_tutorial.losses.ranking import positive_pairs


class HardestNegativeBCE(nn.Module):
    """-2 log m of a positive pair, and -log(1 - m) of one negative caption and one negative image.

    With the hardest negatives from the first step on, a network per pair can stay at m = 1/2 for all pairs, where the
    loss is 4 log 2 per positive pair. A warm-up on the mean over all negatives, which is ours, leads away from there.

    Args:
        negatives: "hardest", as meant and as coded; "easiest", as printed.
        warmup: fraction of the run in which the mean over all negatives takes the place of one; 0 as published.
    """

    def __init__(self, negatives: Literal["hardest", "easiest"] = "hardest", warmup: Fraction = 0.0):
        super().__init__()
        self.easiest, self.warmup, self.warms_up = negatives == "easiest", warmup, warmup > 0

    def on_epoch(self, state) -> None:
        """Decides whether all negatives count in epoch ``state.epoch`` (from 0) of ``state.epochs``."""
        self.warms_up = state.epoch < self.warmup * state.epochs

    def forward(self, scores: Tensor, positives: Tensor) -> Tensor:
        """Logits [n_images, n_captions] and the mask of positive pairs -> a scalar; no logarithm of zero can occur."""
        images, captions = positive_pairs(positives)
        of_images, of_captions = (
            self._cost(side, mask) for side, mask in ((scores, positives), (scores.T, positives.T))
        )
        own = 2 * softplus(-scores[images, captions])  # -2 log sigmoid
        return (own + of_images[images] + of_captions[captions]).sum()

    def _cost(self, scores: Tensor, positives: Tensor) -> Tensor:
        """-log(1 - m) of the negatives of each row [n_rows]; 0 where a row has none."""
        if self.warms_up:
            return softplus(scores).masked_fill(positives, 0).sum(1) / (~positives).sum(1).clamp(min=1)
        if not self.easiest:
            return softplus(scores.masked_fill(positives, -torch.inf).amax(1))
        lowest = scores.masked_fill(positives, torch.inf).amin(1)
        return softplus(lowest.masked_fill(positives.all(1), -torch.inf))
