"""A probe that is trained step by step, so that its loss can be watched."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import LongTensor, Tensor

STEPS, RATE = 150, 0.05  # of Adam over all items at once


def losses_of_probe(
    embeddings: Tensor,
    labels: LongTensor,
    loss: Callable[[Tensor, LongTensor], Tensor],
    steps: int = STEPS,
) -> list[float]:
    """Trains one linear layer on embeddings, all items in each step.

    Args:
        embeddings: [n, dim]; each number is standardised.
        labels: int64 [n], from 0.
        loss: (logits [n, n_classes], labels) -> a scalar.
        steps: of Adam.

    Returns:
        The loss before each step.
    """
    with torch.inference_mode(False), torch.enable_grad():
        x = (embeddings - embeddings.mean(0)) / embeddings.std(0).clamp(min=1e-6)
        weight = torch.zeros(int(labels.max()) + 1, x.shape[1], requires_grad=True)
        bias = torch.zeros(len(weight), requires_grad=True)
        optimizer = torch.optim.Adam([weight, bias], RATE)
        found = []
        for _ in range(steps):
            optimizer.zero_grad()
            value = loss(x @ weight.T + bias, labels)
            value.backward()
            optimizer.step()
            found.append(value.item())
    return found


def double_softmax_floor(n_classes: int) -> float:
    """The lowest loss of a probe whose softmax is applied twice: log(e + n_classes - 1) - 1."""
    return math.log(math.e + n_classes - 1) - 1
