"""Similarity as a vector per word and one for the whole pair, and two ways to make one score of them.

Diao, Zhang, Ma and Lu, "Similarity Reasoning and Filtration for Image-Text Matching", AAAI 2021,
https://arxiv.org/abs/2101.01368. All functions take any leading dimensions that broadcast, so that one code scores all
pairs, [n_images, 1, ...] with [1, n_captions, ...], or given pairs, [n_pairs, ...] with [n_pairs, ...].
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, normalize

EPS = 1e-8


def attended_regions(regions: Tensor, words: Tensor, smooth: float) -> Tensor:
    """a_w: for each word the mean region under SCAN's attention, scaled to unit length.

    Args:
        regions: [..., n_regions, dim].
        words: [..., seq_len, dim]; padding is zero.
        smooth: the inverse temperature.

    Returns:
        [..., seq_len, dim].
    """
    s = leaky_relu(regions @ words.mT, 0.1)  # [..., n_regions, seq_len]
    s = s / s.norm(dim=-1, keepdim=True).clamp(min=EPS)  # over the words, for each region
    return normalize((smooth * s).softmax(-2).mT @ regions, dim=-1)


class SimilarityVectors(nn.Module):
    """s_w = l2(W_l (a_w - e_w)^2) for each word, and s_0 = l2(W_g (v - t)^2) for image and caption as wholes.

    The square is element by element. A word that equals what it attends to gives l2(bias), and no NaN where that is 0.

    Args:
        dim: numbers per region, word and whole.
        similarity_dim: numbers per similarity vector.
        smooth: the inverse temperature of attention.
    """

    def __init__(self, dim: int, similarity_dim: int, smooth: float):
        super().__init__()
        self.smooth = smooth
        self.local, self.whole = nn.Linear(dim, similarity_dim), nn.Linear(dim, similarity_dim)

    def forward(self, regions: Tensor, image: Tensor, words: Tensor, caption: Tensor) -> Tensor:
        """The similarity vectors of pairs.

        Args:
            regions: [..., n_regions, dim].
            image: the whole, [..., dim].
            words: [..., seq_len, dim]; padding is zero.
            caption: the whole, [..., dim].

        Returns:
            [..., 1 + seq_len, similarity_dim]; node 0 is that of the wholes, and those of padding mean nothing.
        """
        local = self.local((attended_regions(regions, words, self.smooth) - words).square())
        whole = self.whole((image - caption).square())[..., None, :]
        return normalize(torch.cat([whole, local], -2), dim=-1)


class SimilarityGraph(nn.Module):
    """Similarity graph reasoning: some steps s <- relu(W softmax(Q K^T) s); the answer is node 0.

    Args:
        dim: numbers per similarity vector.
        steps: each with weights of its own (3 in the paper).
    """

    def __init__(self, dim: int, steps: int):
        super().__init__()
        parts = ("query", "key", "out")
        self.steps = nn.ModuleList(nn.ModuleDict({part: nn.Linear(dim, dim) for part in parts}) for _ in range(steps))

    def forward(self, s: Tensor, mask: Tensor) -> Tensor:
        """Vectors [..., n_nodes, dim] and mask bool [..., n_nodes], False for padding -> [..., dim]."""
        for step in self.steps:
            edges = step["query"](s) @ step["key"](s).mT  # [..., n_nodes, n_nodes]
            edges = edges.masked_fill(~mask[..., None, :], -torch.inf).softmax(-1)
            s = step["out"](edges @ s).relu()
        return s[..., 0, :]


class SimilarityFilter(nn.Module):
    """Similarity attention filtration: beta = sigmoid(w . s + b), divided by their sum; the answer is l2(sum beta s).

    A sigmoid keeps or drops each vector by itself; a softmax would make them compete.

    Args:
        dim: numbers per similarity vector.
    """

    def __init__(self, dim: int):
        super().__init__()
        self.gate = nn.Linear(dim, 1)

    def weights(self, s: Tensor, mask: Tensor) -> Tensor:
        """beta, [..., n_nodes], zero for padding; arguments as for ``forward``."""
        open_ = self.gate(s)[..., 0].sigmoid() * mask
        return open_ / open_.sum(-1, keepdim=True).clamp(min=EPS)

    def forward(self, s: Tensor, mask: Tensor) -> Tensor:
        """Vectors [..., n_nodes, dim] and mask bool [..., n_nodes], False for padding -> unit vectors [..., dim]."""
        return normalize((self.weights(s, mask)[..., None, :] @ s)[..., 0, :], dim=-1)
