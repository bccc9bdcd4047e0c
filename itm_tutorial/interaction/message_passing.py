"""Messages between the regions of an image and the words of a caption, and gates that decide how much is taken in.

Wang, Liu, Li, Sheng, Yan, Wang and Shao, "CAMP: Cross-Modal Adaptive Message Passing for Text-Image Retrieval", ICCV
2019, https://arxiv.org/abs/1909.05506, sections 3.2 and 3.3. An item x (a region or a word) gets the message
m = sum_j alpha_j y_j from the items y of the other side.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

EPS = 1e-8  # smallest length of a message


class VectorGate(nn.Module):
    """x + relu(W (g * (x + m)) + b) with a gate per number, g = sigmoid(x * m): the paper's text.

    The gate does not commute with W, so W reads a vector of every pair.

    Args:
        dim: numbers per item.
        gated: False sets g to 1, the paper's "fusion without gates".
    """

    def __init__(self, dim: int, gated: bool = True):
        super().__init__()
        self.gated, self.layer = gated, nn.Linear(dim, dim)

    def gate(self, x: Tensor, y: Tensor, alpha: Tensor) -> Tensor:
        """As ``forward`` -> g [n, m, n_items, dim]."""
        return (x * (alpha @ y)).sigmoid()

    def forward(self, x: Tensor, y: Tensor, alpha: Tensor) -> Tensor:
        """Fuses every item with its message.

        Args:
            x: items [n, 1, n_items, dim], or [1, m, n_items, dim].
            y: items of the other side [1, m, n_others, dim], or [n, 1, n_others, dim].
            alpha: attention [n, m, n_items, n_others], which sums to one over the others.

        Returns:
            Fused items [n, m, n_items, dim].
        """
        message = alpha @ y
        fused = x + message
        if self.gated:
            fused = (x * message).sigmoid() * fused
        return relu(self.layer(fused)) + x


class ScalarGate(nn.Module):
    """x + relu(g W [x; m / |m|]) with one number per item, g = sigmoid(x . m / |m|): the authors' code.

    A number commutes with W: W (g [x; m]) = g (W_1 x + sum_j alpha_j W_2 y_j). So W reads every item once, not once per
    pair. The length of m and its product with x follow from products of items.

    Args:
        dim: numbers per item.
    """

    def __init__(self, dim: int):
        super().__init__()
        self.own, self.other = nn.Linear(dim, dim, bias=False), nn.Linear(dim, dim, bias=False)  # W_1, W_2

    def gate(self, x: Tensor, y: Tensor, alpha: Tensor) -> Tensor:
        """As ``VectorGate.forward`` -> g [n, m, n_items, 1]."""
        return self._gate_and_length(x, y, alpha)[0]

    def forward(self, x: Tensor, y: Tensor, alpha: Tensor) -> Tensor:
        """As ``VectorGate.forward``."""
        gate, length = self._gate_and_length(x, y, alpha)
        return relu(gate * (self.own(x) + alpha @ self.other(y) / length)) + x

    @staticmethod
    def _gate_and_length(x: Tensor, y: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
        squared = (alpha * (alpha @ (y @ y.mT))).sum(3, keepdim=True)
        length = squared.clamp(min=EPS**2).sqrt()
        return ((alpha * (x @ y.mT)).sum(3, keepdim=True) / length).sigmoid(), length


class AttentivePooling(nn.Module):
    """sum_i a_i x_i with a = softmax_i(w . x_i / sqrt(dim)).

    Args:
        dim: numbers per item.
    """

    def __init__(self, dim: int):
        super().__init__()
        self.query = nn.Linear(dim, 1, bias=False)

    def forward(self, items: Tensor, mask: Tensor | None = None) -> Tensor:
        """Items [n, m, n_items, dim] and, where some are padding, bool [m, n_items] -> [n, m, dim]."""
        logits = self.query(items) / items.shape[-1] ** 0.5  # [n, m, n_items, 1]
        if mask is not None:
            logits = logits.masked_fill(~mask[..., None], -torch.inf)
        return (logits.softmax(2) * items).sum(2)
