"""SigLIP's loss: each pair of an image and a caption is a question of its own, whether the two belong together.

Zhai, Mustafa, Kolesnikov and Beyer, "Sigmoid Loss for Language Image Pre-Training", ICCV 2023,
https://arxiv.org/abs/2303.15343.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid
from torch.utils.checkpoint import checkpoint

from itm_tutorial.data.options import PositiveFloat
from itm_tutorial.losses.learned_scale import LearnedScale


def log_odds(positives: Tensor) -> Tensor:
    """log(positive pairs / other pairs): -log(B - 1) for B images with one caption each.

    Args:
        positives: bool [n_images, n_captions].

    Returns:
        A float32 scalar; a batch without negatives, or without positives, counts as if it had one.
    """
    n_positive = positives.sum()
    return n_positive.clamp(min=1).float().log() - (positives.numel() - n_positive).clamp(min=1).float().log()


def sigmoid_terms(logits: Tensor, positives: Tensor) -> Tensor:
    """The sum over pairs of -log sigmoid(z_ij logit_ij), z_ij = 1 for positive pairs and -1 for all others.

    Args:
        logits: floating [n_images, n_captions].
        positives: bool [n_images, n_captions].

    Returns:
        A scalar, not divided by B.
    """
    return -logsigmoid(torch.where(positives, logits, -logits)).sum()


class PairwiseSigmoid(nn.Module):
    """-(1/B) sum_ij log sigmoid(z_ij (t s_ij + b)), with z_ij = 1 for positive pairs and -1 for all others.

    B is the number of captions of the batch. The published b of -10 is the prior of a batch of about 22,000: there, one
    pair in e^10 is a positive one. With ``bias=None``, b is the log odds of the batch itself plus a learned number that
    begins at 0, so that a first guess is right on average whatever the batch.

    Args:
        scale: t in the beginning; t = exp(t'), learned and not clamped.
        bias: b in the beginning; None takes ``log_odds`` of each batch as its reference.
    """

    def __init__(self, scale: PositiveFloat = 10.0, bias: float | None = None):
        super().__init__()
        self.scale = LearnedScale(scale, largest=None)
        self.by_batch = bias is None
        self.bias = nn.Parameter(torch.tensor(0.0 if bias is None else float(bias)))

    def bias_for(self, positives: Tensor) -> Tensor:
        """b of a batch with this mask of positive pairs [n_images, n_captions]: a scalar."""
        return self.bias + log_odds(positives) if self.by_batch else self.bias

    def total(self, scores: Tensor, positives: Tensor, bias: Tensor) -> Tensor:
        """The sum over pairs, not divided by B; of all columns, or of some: a scalar."""
        scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
        return sigmoid_terms(self.scale() * scores + bias, positives)

    def forward(self, scores: Tensor, positives: Tensor) -> Tensor:
        """Scores [n_images, n_captions] and the mask of positive pairs -> a scalar."""
        return self.total(scores, positives, self.bias_for(positives)) / scores.shape[1]

    def in_chunks(self, image_emb: Tensor, caption_emb: Tensor, positives: Tensor, columns: int) -> Tensor:
        """The same loss without the whole matrix of scores: no softmax needs it, so columns are added up in chunks.

        Args:
            image_emb: unit vectors [n_images, dim].
            caption_emb: unit vectors [n_captions, dim].
            positives: bool [n_images, n_captions].
            columns: captions per chunk; the scores of one chunk are in memory at a time, in the backward pass too.

        Returns:
            A scalar.
        """
        bias = self.bias_for(positives)

        def chunk(captions: Tensor, own: Tensor) -> Tensor:
            return self.total(image_emb @ captions.T, own, bias)

        parts = zip(caption_emb.split(columns), positives.split(columns, 1), strict=True)
        return sum(checkpoint(chunk, *part, use_reentrant=False) for part in parts) / len(caption_emb)
