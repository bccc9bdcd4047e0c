"""Hard negatives drawn from the batch: the more a negative looks like a positive, the more often it is drawn.

Li et al., "Align before Fuse: Vision and Language Representation Learning with Momentum Distillation", NeurIPS 2021
(ALBEF), https://arxiv.org/abs/2107.07651, section 3.2.
"""

from __future__ import annotations

import torch
from torch import BoolTensor, LongTensor, Tensor


def negative_probabilities(scores: Tensor, positives: Tensor) -> Tensor:
    """p(j | i) = exp(s_ij) / sum over negatives k of exp(s_ik); 0 for positives.

    Positives are masked before the softmax. Where they are set to zero after it, as in public code, the negatives of a
    row with one very high positive are all rounded to 0, and nothing can be drawn.

    Args:
        scores: floating [n_queries, n_items], divided by the temperature.
        positives: bool [n_queries, n_items].

    Returns:
        float32 or float64 [n_queries, n_items]; each row sums to one, or is 0 where a query has no negative.
    """
    wide = scores.to(torch.promote_types(scores.dtype, torch.float32))
    return wide.masked_fill(positives, float("-inf")).softmax(1).masked_fill(positives, 0).nan_to_num(0)


def draw_negatives(
    scores: Tensor, positives: Tensor, uniform: bool = False, generator: torch.Generator | None = None
) -> tuple[LongTensor, BoolTensor]:
    """Draws one negative for each query.

    Args:
        scores: floating [n_queries, n_items], divided by the temperature; no gradient flows through them.
        positives: bool [n_queries, n_items].
        uniform: whether every negative is equally likely, whatever its score.
        generator: of the random numbers, on the scores' device; by default the global one.

    Returns:
        int64 [n_queries], an item each; and bool [n_queries], False where a query has no negative to draw.
    """
    found = negative_probabilities(torch.zeros_like(scores) if uniform else scores.detach(), positives)
    some = found.any(1)
    safe = torch.where(some[:, None], found, torch.ones_like(found))  # multinomial needs a positive sum
    return safe.multinomial(1, generator=generator)[:, 0], some
