"""The soft contrastive loss of probabilistic embeddings: the probability that samples of two embeddings match.

Chun, Oh, Sampaio de Rezende, Kalantidis and Larlus, "Probabilistic Embeddings for Cross-Modal Retrieval", CVPR 2021,
https://arxiv.org/abs/2101.05068.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from itm_tutorial.data.options import PositiveFloat

EPS = 1e-6  # under the root, as in the public code


def sample_distances(a: Tensor, b: Tensor) -> Tensor:
    """The distance of every sample of a with every sample of b, sqrt(|z - z'|^2 + EPS).

    Args:
        a: [n, J, dim].
        b: [m, K, dim].

    Returns:
        [n, m, J x K].
    """
    flat_a, flat_b = a.flatten(0, 1), b.flatten(0, 1)
    squared = flat_a.square().sum(1)[:, None] + flat_b.square().sum(1) - 2 * flat_a @ flat_b.T  # [n x J, m x K]
    distances = (squared.clamp(min=0) + EPS).sqrt().view(len(a), a.shape[1], len(b), b.shape[1])
    return distances.transpose(1, 2).flatten(2)


def log_match_probabilities(x: Tensor) -> tuple[Tensor, Tensor]:
    """log p and log(1 - p) with p = mean_k e^x_k / (e^x_k + e^-x_k), the mean of sigmoid(2 x_k).

    The quotient overflows for large |x|; log sigmoid does not.

    Args:
        x: [..., n_samples].

    Returns:
        Two tensors [...].
    """
    return tuple(logsigmoid(sign * 2 * x).logsumexp(-1) - math.log(x.shape[-1]) for sign in (1, -1))


class SoftContrastive(nn.Module):
    """L = -2 sum_ij log p(m_ij), p = mean over samples of sigmoid(2 x), x = -a |z - z'| + b.

    p(m_ij) is p for positive pairs and 1 - p for all others. The factor of 2 is published: the code adds up the same
    sum for both directions.

    Args:
        scale: a in the beginning; it is learned.
        shift: b in the beginning; it is learned.
    """

    def __init__(self, scale: PositiveFloat = 15.0, shift: float = 15.0):
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.tensor(float(scale))), nn.Parameter(torch.tensor(float(shift)))

    def forward(self, images: Tensor, captions: Tensor, positives: Tensor) -> Tensor:
        """The loss of samples.

        Args:
            images: [n_images, n_samples, dim].
            captions: [n_captions, n_samples, dim].
            positives: bool [n_images, n_captions].

        Returns:
            A scalar, at least in float32.
        """
        wide = torch.promote_types(images.dtype, torch.float32)
        with torch.autocast(images.device.type, enabled=False):
            x = self.shift.to(wide) - self.scale.to(wide) * sample_distances(images.to(wide), captions.to(wide))
            matching, other = log_match_probabilities(x)  # [n_images, n_captions] each
            return -2 * torch.where(positives, matching, other).sum()
