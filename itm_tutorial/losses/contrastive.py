"""The contrastive loss InfoNCE: a softmax over the batch."""

from __future__ import annotations

from torch import Tensor, nn

from itm_tutorial.data.options import PositiveFloat
from itm_tutorial.losses.ranking import positive_pairs


class InfoNCE(nn.Module):
    """Cross-entropy of each positive pair within its row and within its column of scores; the mean over both.

    Source: van den Oord et al. 2018, equation 4; used in both directions, as CLIP does (Radford et al. 2021).
    Other captions of the same image are left out of the softmax; they are not negatives.

    Args:
        temperature: divides the scores; 0.07 is the initial value in CLIP.
    """

    def __init__(self, temperature: PositiveFloat = 0.07):
        super().__init__()
        self.temperature = temperature

    def forward(self, scores: Tensor, positives: Tensor) -> Tensor:
        """Scores [n_images, n_captions] and the mask of positive pairs -> a scalar."""
        images, captions = positive_pairs(positives)
        logits = scores / self.temperature
        positive = logits[images, captions]  # [n_pairs]
        negative_captions = logits.masked_fill(positives, float("-inf"))[images]  # [n_pairs, n_captions]
        negative_images = logits.masked_fill(positives, float("-inf")).T[captions]  # [n_pairs, n_images]
        in_row = negative_captions.logsumexp(1).logaddexp(positive) - positive
        in_column = negative_images.logsumexp(1).logaddexp(positive) - positive
        return (in_row + in_column).mean()
