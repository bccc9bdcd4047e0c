"""Attention in several steps over the items of one side, each step asked by the memory of that side alone (DAN).

Nam, Ha and Kim, "Dual Attention Networks for Multimodal Reasoning and Matching", CVPR 2017.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Steps(NamedTuple):
    """What several steps of attention made.

    Attributes:
        vectors: K + 1 tensors [n, dim]: the start, then one per step.
        weights: [n, K, n_items], the attention of each step.
    """

    vectors: list[Tensor]
    weights: Tensor


class MemoryAttention(nn.Module):
    """One step: the memory weights the items of its own side, and their weighted sum comes out.

    Args:
        item_dim: numbers per item.
        memory_dim: numbers per memory.
        dim: numbers per hidden vector h.
        uniform: a control with the same parameters: every item has the same weight.
    """

    def __init__(self, item_dim: int, memory_dim: int, dim: int, uniform: bool = False):
        super().__init__()
        self.uniform = uniform
        self.item = nn.Linear(item_dim, dim, bias=False)
        self.memory = nn.Linear(memory_dim, dim, bias=False)
        self.logit = nn.Linear(dim, 1, bias=False)

    def forward(self, items: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Attends.

        Args:
            items: [n, n_items, item_dim].
            memory: [n, memory_dim].
            mask: bool [n, n_items], False for padding; at least one True per row.

        Returns:
            The weighted sum [n, item_dim], and the weights [n, n_items].
        """
        hidden = self.item(items).tanh() * self.memory(memory).tanh()[:, None]  # [n, n_items, dim]
        logits = self.logit(hidden).squeeze(2)
        logits = 0 * logits if self.uniform else logits
        weights = logits.masked_fill(~mask, -torch.inf).softmax(1)
        return (weights[:, None].to(items.dtype) @ items).squeeze(1), weights


def memory_steps(
    items: Tensor,
    mask: Tensor,
    start: Tensor,
    attend: Sequence[MemoryAttention],
    maps: Sequence[Callable[[Tensor], Tensor]] | None = None,
) -> Steps:
    """Attends step by step; what a step makes is added to the memory of the next.

    Args:
        items: [n, n_items, item_dim].
        mask: bool [n, n_items], False for padding.
        start: [n, dim], the first memory.
        attend: one module per step.
        maps: per step, weighted sum [n, item_dim] -> vector [n, dim]; None takes the sum itself.

    Returns:
        The K + 1 vectors and the weights of the K steps.
    """
    vectors, weights, memory = [start], [items.new_empty(*mask.shape)[:, None][:, :0]], start
    for number, step in enumerate(attend):
        attended, alpha = step(items, memory, mask)
        vectors.append(maps[number](attended) if maps else attended)
        memory = memory + vectors[-1]
        weights.append(alpha[:, None])
    return Steps(vectors, torch.cat(weights, 1))
