"""Gaussian embeddings: a mean and a spread per number, samples of them, and their expected squared distance.

The distance is that of Chun, "Improved Probabilistic Image-Text Representations", ICLR 2024,
https://arxiv.org/abs/2305.18171 (PCME++).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Gaussians(NamedTuple):
    """Embeddings that are normal distributions with independent numbers.

    Attributes:
        mean: [n, dim].
        log_std: logarithm of the standard deviation, [n, dim]; the variance is exp(2 log_std).
    """

    mean: Tensor
    log_std: Tensor

    @property
    def variance(self) -> Tensor:
        """The sum of the variances of all numbers, [n]: how uncertain an embedding is."""
        return (2 * self.log_std).exp().sum(-1)

    def samples(self, n: int) -> Tensor:
        """n samples of each embedding, mean + std x noise, [n_embeddings, n, dim]."""
        noise = torch.randn(len(self.mean), n, self.mean.shape[1], device=self.mean.device, dtype=self.mean.dtype)
        return self.mean[:, None] + self.log_std.exp()[:, None] * noise


def expected_distance(images: Gaussians, captions: Gaussians) -> Tensor:
    """E |Z - Z'|^2 = |mu - mu'|^2 + sum sigma^2 + sum sigma'^2 of every pair, without a sample.

    The variance of a query is the same for its whole gallery: only that of the gallery's items changes a ranking.

    Args:
        images: of n_images images.
        captions: of n_captions captions.

    Returns:
        [n_images, n_captions].
    """
    squared = images.mean.square().sum(1)[:, None] + captions.mean.square().sum(1) - 2 * images.mean @ captions.mean.T
    return squared.clamp(min=0) + images.variance[:, None] + captions.variance


def kl_to_standard(embeddings: Gaussians) -> Tensor:
    """The KL divergence from N(0, 1), summed over numbers and embeddings: a scalar.

    -(1/2) sum (1 + log sigma^2 - mu^2 - sigma^2) needs the logarithm of the variance, which is 2 log_std.
    """
    log_variance = 2 * embeddings.log_std
    return -0.5 * (1 + log_variance - embeddings.mean.square() - log_variance.exp()).sum()
