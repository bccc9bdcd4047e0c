"""One transformer unit over the tokens of one side, or over those of an image and a caption together.

Wei, Zhang, Li, Zhang and Wu, "Multi-Modality Cross Attention Network for Image and Sentence Matching", CVPR 2020;
equations 12 to 14 of the paper are ``JointUnit.joint``.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import pad


class Joined(NamedTuple):
    """Tokens after a unit over both sides.

    Attributes:
        regions: [..., n_regions, dim].
        words: [..., seq_len, dim].
        attention: [..., n_regions, seq_len], of each word over regions, as a mean over heads; the rest of its weight
            is on the words of its own caption.
    """

    regions: Tensor
    words: Tensor
    attention: Tensor


class JointUnit(nn.Module):
    """Multi-head attention and a network of two layers, each added to its input and normalised.

    Args:
        dim: numbers per token.
        heads: that divide ``dim``.
        hidden: numbers of the network's hidden layer.
    """

    def __init__(self, dim: int, heads: int, hidden: int):
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(2))
        self.network = nn.Sequential(nn.Linear(dim, hidden), nn.ReLU(), nn.Linear(hidden, dim))

    def split(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of tokens [..., n, dim], [..., heads, n, dim / heads] each; queries are scaled."""
        parts = self.qkv(tokens).unflatten(-1, (3, self.heads, -1)).transpose(-2, -4)  # [..., heads, 3, n, dim / heads]
        queries, keys, values = parts.unbind(-3)
        return queries * queries.shape[-1] ** -0.5, keys, values

    def finish(self, tokens: Tensor, mixed: Tensor) -> Tensor:
        """Tokens [..., n, dim] and mixed values [..., heads, n, dim / heads] -> the unit's output [..., n, dim]."""
        tokens = self.norms[0](tokens + self.out(mixed.transpose(-2, -3).flatten(-2)))
        return self.norms[1](tokens + self.network(tokens))

    def forward(self, tokens: Tensor) -> Tensor:
        """One side without padding, [..., n, dim] -> the same shape."""
        queries, keys, values = self.split(tokens)
        return self.finish(tokens, (queries @ keys.mT).softmax(-1) @ values)

    def joint(self, regions: Tensor, words: Tensor, mask: Tensor, across: bool = True) -> Joined:
        """Both sides: every token mixes the values of its own side and of the other one, in one softmax.

        The dimensions in front are broadcast: [n_images, 1] and [n_captions] give all pairs, [n] and [n] one pair each.
        Queries, keys and values are computed once per image and once per caption.

        Args:
            regions: [..., n_regions, dim].
            words: [..., seq_len, dim].
            mask: bool [..., seq_len], False for padding.
            across: False hides the other side from every token.
        """
        shape = torch.broadcast_shapes(regions.shape[:-2], words.shape[:-2])
        (q_r, k_r, v_r), (q_w, k_w, v_w) = self.split(regions), self.split(words)
        n_regions = regions.shape[-2]
        words_seen = mask[..., None, None, :]  # [..., 1, 1, seq_len]
        mixed = []
        for queries, own in ((q_r, "regions"), (q_w, "words")):
            to_regions, to_words = queries @ k_r.mT, (queries @ k_w.mT).masked_fill(~words_seen, -torch.inf)
            if not across and own == "regions":
                to_words = torch.full_like(to_words, -torch.inf)
            if not across and own == "words":
                to_regions = torch.full_like(to_regions, -torch.inf)
            logits = [part.expand(*shape, *part.shape[-3:]) for part in (to_regions, to_words)]
            alpha = torch.cat(logits, -1).softmax(-1)  # [..., heads, n, n_regions + seq_len]
            mixed.append(alpha[..., :n_regions] @ v_r + alpha[..., n_regions:] @ v_w)
        tokens = [part.expand(*shape, *part.shape[-2:]) for part in (regions, words)]
        made = self.finish(torch.cat(tokens, -2), torch.cat(mixed, -2))
        attention = alpha[..., :n_regions].mean(-3).mT  # of the words, which came last
        return Joined(made[..., :n_regions, :], made[..., n_regions:, :], attention)


class ConvolutionMax(nn.Module):
    """Convolutions of width 1, 2 and 3 over words with a ReLU, the maximum over positions, and a linear map.

    Args:
        dim: numbers per word, and per output.
        filters: of each width.
    """

    def __init__(self, dim: int, filters: int):
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv1d(dim, filters, width) for width in (1, 2, 3))
        self.project = nn.Linear(3 * filters, dim)

    def forward(self, words: Tensor, mask: Tensor) -> Tensor:
        """Words [..., seq_len, dim] and bool [..., seq_len] -> [..., dim]; what stands behind the end counts as 0."""
        mask = mask.expand(words.shape[:-1])
        rows = (words * mask[..., None]).flatten(0, -3).mT  # [n, dim, seq_len]
        ends = ~mask.flatten(0, -2)[:, None]
        found = [
            layer(pad(rows, (0, width))).relu().masked_fill(ends, 0).amax(-1)
            for width, layer in enumerate(self.convolutions)
        ]
        return self.project(torch.cat(found, -1)).unflatten(0, words.shape[:-2])
