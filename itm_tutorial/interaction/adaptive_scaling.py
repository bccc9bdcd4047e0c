"""One side scales and shifts the items of the other, channel by channel; a fovea weighs the items per channel (ADAPT).

Wehrmann, Kolling and Barros, "Adaptive Cross-modal Embeddings for Image-Text Alignment", AAAI 2020,
https://ojs.aaai.org//index.php/AAAI/article/view/6915.

With items n_r of one side (regions or words) and scale 1 + gamma and shift beta from one vector of the other side:

    x_r = n_r * (1 + gamma) + beta,   m = softmax_r(lambda x_r) per channel,   v = mean_r(m_r * x_r)

beta is the same for all items, so it drops out of the softmax, and m sums to one over the items. Hence
n_items v = (1 + gamma) * sum_r m_r n_r + beta, of which the cosine ignores the factor n_items.
"""

from __future__ import annotations

import torch
from torch import Tensor

EPS = 1e-8  # smallest length: a zero vector has cosine 0


def fovea(items: Tensor, scale: Tensor, mask: Tensor | None, smooth: float) -> Tensor:
    """m, the weight of every item in every channel.

    Args:
        items: [n, 1, n_items, dim], or [1, m, n_items, dim].
        scale: 1 + gamma, [1, m, 1, dim], or [n, 1, 1, dim].
        mask: bool that fits [n, m, n_items, 1], False for padding; None: no padding.
        smooth: lambda.

    Returns:
        [n, m, n_items, dim]; sums to one over the items.
    """
    logits = items * (smooth * scale)
    if mask is not None:
        logits = logits.masked_fill(~mask, -torch.inf)
    return logits.softmax(2)


def foveal_cosines(
    items: Tensor, vector: Tensor, scale: Tensor, shift: Tensor, mask: Tensor | None, smooth: float
) -> Tensor:
    """cos(v, vector) of every pair, with a fovea: one exponential per pair, item and channel.

    Args:
        items, scale, mask, smooth: see ``fovea``.
        vector: which the items were adapted to, [1, m, 1, dim], or [n, 1, 1, dim].
        shift: beta, in the shape of ``vector``.

    Returns:
        [n, m].
    """
    pooled = (fovea(items, scale, mask, smooth) * items).sum(2)  # [n, m, dim]
    pooled, vector = scale.squeeze(2) * pooled + shift.squeeze(2), vector.squeeze(2)
    length = pooled.norm(dim=2).clamp(min=EPS) * vector.norm(dim=2).clamp(min=EPS)
    return (pooled * vector).sum(2) / length


def mean_cosines(means: Tensor, vector: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """The same without a fovea: v = (1 + gamma) * mean + beta, so that three matrix products score all pairs.

    Args:
        means: of the items, [n, dim].
        vector, scale, shift: [m, dim] each.

    Returns:
        [n, m].
    """
    product = means @ (vector * scale).T + (shift * vector).sum(1)
    squared = means.square() @ scale.square().T + 2 * means @ (scale * shift).T + shift.square().sum(1)
    return product / (squared.clamp(min=EPS**2).sqrt() * vector.norm(dim=1).clamp(min=EPS))
