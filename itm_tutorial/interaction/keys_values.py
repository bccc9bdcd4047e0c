"""Attention with separate keys and values: a word finds regions by their keys and is compared with their values.

Gupta et al., "Contrastive Learning for Weakly Supervised Phrase Grounding", ECCV 2020, https://arxiv.org/abs/2006.09920.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import LongTensor, Tensor, nn

MOST = 2**21  # pairs of a word and a region that are computed at a time


class Keyed(NamedTuple):
    """Keys and values [..., dim] of words or of regions."""

    keys: Tensor
    values: Tensor


class KeysAndValues(nn.Module):
    """Two linear layers after one layer normalisation.

    Args:
        in_dim: numbers per vector.
        dim: numbers per key and per value.
    """

    def __init__(self, in_dim: int, dim: int):
        super().__init__()
        self.norm, self.key, self.value = nn.LayerNorm(in_dim), nn.Linear(in_dim, dim), nn.Linear(in_dim, dim)

    def forward(self, vectors: Tensor) -> Keyed:
        """[..., in_dim] -> keys and values [..., dim]."""
        vectors = self.norm(vectors)
        return Keyed(self.key(vectors), self.value(vectors))


def attention(regions: Tensor, words: Tensor) -> Tensor:
    """alpha = softmax over regions of k(w).k(r) / sqrt(dim).

    Args:
        regions: keys [..., n_regions, dim].
        words: keys [..., n_words, dim].

    Returns:
        [..., n_regions, n_words]; each word's weights sum to one.
    """
    return (regions @ words.mT / words.shape[-1] ** 0.5).softmax(-2)


def score_all(regions: Keyed, words: Keyed) -> Tensor:
    """phi = f(w) . sum_r alpha_rw f(r) of every word with every image.

    Args:
        regions: [n_images, n_regions, dim] each.
        words: [n_words, dim] each.

    Returns:
        [n_images, n_words].
    """
    step = max(1, MOST // max(1, regions.keys.shape[1] * len(words.keys)))
    found = []
    for keys, values in zip(regions.keys.split(step), regions.values.split(step), strict=True):
        found.append((attention(keys, words.keys) * (values @ words.values.T)).sum(1))
    return torch.cat(found)


def score_own(regions: Keyed, words: Keyed, image_of: LongTensor) -> Tensor:
    """phi of each word with one image.

    Args:
        regions: [n_images, n_regions, dim] each.
        words: [n_words, dim] each.
        image_of: int64 [n_words].

    Returns:
        [n_words].
    """
    alpha = attention(regions.keys[image_of], words.keys[:, None])  # [n_words, n_regions, 1]
    return (alpha * (regions.values[image_of] @ words.values[:, :, None])).sum((1, 2))
