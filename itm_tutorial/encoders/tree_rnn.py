"""Recursive networks that compose word vectors along a dependency tree (SDT-RNN and DT-RNN, Socher et al. 2014)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import LongTensor, Tensor, nn

from itm_tutorial.encoders.tree import by_kind, plant

NOISE = 0.01  # standard deviation around the identity at the start
MOST_CHILDREN = 4  # on one side of a word that have matrices of their own in DT-RNN; further ones share the last


class TreeRNN(nn.Module):
    """One matrix per kind of child, every child weighted by the words below it; all matrices start near the identity.

    A word i with the children c has h_i = f((W_v x_i + sum_c l_c W_kind(c) h_c) / l_i), where l counts the words of a
    subtree (Socher et al. 2014, equation 4). There is no bias.

    Args:
        word_dim: numbers per word vector.
        dim: numbers per state, and so per caption embedding.
        activation: f.
        n_kinds: kinds of children: relations (SDT-RNN), or positions beside the head (DT-RNN).
    """

    def __init__(self, word_dim: int, dim: int, activation: Callable[[Tensor], Tensor], n_kinds: int):
        super().__init__()
        self.word = near_identity(nn.Linear(word_dim, dim, bias=False))  # W_v
        self.kinds = nn.ModuleList(near_identity(nn.Linear(dim, dim, bias=False)) for _ in range(n_kinds))
        self.activation = activation

    def forward(self, words: Tensor, real: Tensor, heads: LongTensor, kinds: LongTensor) -> Tensor:
        """Encodes captions.

        Args:
            words: word vectors [n_captions, seq_len, word_dim].
            real: bool [n_captions, seq_len], False for padding and for what is no word of the tree.
            heads: int64 [n_captions, seq_len], the position of each word's head.
            kinds: int64 [n_captions, seq_len], 0 to n_kinds - 1, how a word hangs on its head.

        Returns:
            The states of the roots [n_captions, dim].
        """
        forest = plant(heads, real, kinds, len(self.kinds))
        own, sizes = forest.by_level(words), forest.sizes()
        below = None  # the children's part of the sum, for the nodes of this level
        for level, x, size in zip(forest.levels, own, sizes, strict=True):
            total = self.word(x) if below is None else self.word(x) + below
            states = self.activation(total / size[:, None])  # [n_nodes, dim]
            if level.n_above:
                messages = by_kind(states, level, lambda kind: self.kinds[kind].weight)
                below = level.to_parents(size[:, None] * messages)
        return states[forest.roots]


def near_identity(layer: nn.Linear) -> nn.Linear:
    """Sets a layer's weight to the identity (its first rows and columns) and a little noise."""
    nn.init.eye_(layer.weight)
    with torch.no_grad():
        layer.weight += NOISE * torch.randn_like(layer.weight)
    return layer


def child_positions(heads: LongTensor, real: Tensor) -> LongTensor:
    """The place of each word among its siblings, for DT-RNN: 0, 1, ... to the left of the head, nearest first.

    Args:
        heads: int64 [n, seq_len].
        real: bool [n, seq_len].

    Returns:
        int64 [n, seq_len]; to the right of the head, they go on from ``MOST_CHILDREN``.
    """
    here = torch.arange(heads.shape[1], device=heads.device)
    left, far = here < heads, (here - heads).abs()  # [n, seq_len]; a head's own distance is 0, which is no child
    siblings = (heads[:, :, None] == heads[:, None]) & (left[:, :, None] == left[:, None]) & real[:, None]
    nearer = siblings & (far[:, None] < far[:, :, None]) & (far[:, None] > 0)  # [n, seq_len, seq_len]
    return nearer.sum(2).clamp(max=MOST_CHILDREN - 1) + MOST_CHILDREN * ~left
