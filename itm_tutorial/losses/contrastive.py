"""The contrastive loss that came after the hinges: a softmax over everything in the batch."""

from __future__ import annotations

from torch import Tensor, nn

from itm_tutorial.losses.ranking import right_pairs


class InfoNCE(nn.Module):
    """Each right pair is picked out of its row and out of its column by a softmax; the mean over both.

    Source: van den Oord et al. 2018, equation 4; used in both directions, as CLIP does (Radford et al. 2021).
    Other captions of the same image are left out of the softmax, not counted as wrong.

    Args:
        temperature: divides the scores; 0.07 is where CLIP starts.
    """

    def __init__(self, temperature: float = 0.07):
        super().__init__()
        self.temperature = temperature

    def forward(self, scores: Tensor, positives: Tensor) -> Tensor:
        """Scores [n_images, n_captions] and the mask of right pairs -> a scalar."""
        images, captions = right_pairs(positives)
        logits = scores / self.temperature
        right = logits[images, captions]  # [n_pairs]
        wrong_captions = logits.masked_fill(positives, float("-inf"))[images]  # [n_pairs, n_captions]
        wrong_images = logits.masked_fill(positives, float("-inf")).T[captions]  # [n_pairs, n_images]
        in_row = wrong_captions.logsumexp(1).logaddexp(right) - right
        in_column = wrong_images.logsumexp(1).logaddexp(right) - right
        return (in_row + in_column).mean()
