"""Attention in several steps: after each one a gated memory takes what was attended to into the query.

Chen, Ding, Liu, Lin, Liu and Han, "IMRAM: Iterative Matching with Recurrent Attention Memory for Cross-Modal
Image-Text Retrieval", CVPR 2020, https://arxiv.org/abs/2003.03772.

The score of a step compares attended vectors with the original queries. So it needs no attended vector: with s the
products of original queries and keys, and G the Gram matrix of the keys, <q, c> = sum_j alpha_j s_j and
|c|^2 = alpha' G alpha, as in ``stacked_cross``. The update W [x; c] = W_x x + sum_j alpha_j (W_c k_j) maps each key
once for all pairs, and at the first update each query once: two steps need no product with a matrix [dim, dim] per
pair.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

EPS = 1e-8  # smallest length: a zero vector has cosine 0


class Memory(nn.Module):
    """x* = g x + (1 - g) o, with a vector g = sigmoid(W_g [x; c] + b_g) and o = tanh(W_o [x; c] + b_o).

    Args:
        dim: numbers per query and per attended vector.
    """

    def __init__(self, dim: int):
        super().__init__()
        self.of_query = nn.Linear(dim, 2 * dim)  # the left halves of W_g and W_o, with both biases
        self.of_attended = nn.Linear(dim, 2 * dim, bias=False)  # their right halves

    def forward(self, queries: Tensor, attended: Tensor) -> Tensor:
        """Queries x and attended vectors c, [..., dim] each -> new queries [..., dim]."""
        return self.mix(queries, self.of_query(queries) + self.of_attended(attended))

    @staticmethod
    def mix(queries: Tensor, logits: Tensor) -> Tensor:
        """Queries [..., dim] and what gate and content are made of, [..., 2 dim] -> new queries [..., dim]."""
        gate, content = logits.chunk(2, -1)
        gate, content = gate.sigmoid(), content.tanh()
        return content + gate * (queries - content)


class Steps(NamedTuple):
    """What every step gives.

    Attributes:
        cosines: of the original queries and their attended vectors, [n_steps, n_key_sets, n_query_sets, n_queries].
        attention: [n_steps, n_key_sets, n_keys, n_query_sets, n_queries]; it sums to one over the keys.
    """

    cosines: Tensor
    attention: Tensor


def recurrent_attention(
    queries: Tensor,
    keys: Tensor,
    query_mask: Tensor | None,
    key_mask: Tensor | None,
    n_steps: int,
    smooth: float,
    memory: Memory | None,
) -> Steps:
    """Lets every query of every set attend to every set of keys ``n_steps`` times; keys are always the original ones.

    After the last step nothing is updated, since nothing would read it.

    Args:
        queries: unit vectors [n_query_sets, n_queries, dim]; padding is zero.
        keys: unit vectors [n_key_sets, n_keys, dim]; padding is zero.
        query_mask: bool [n_query_sets, n_queries], False for padding; None: no padding.
        key_mask: bool [n_key_sets, n_keys], False for padding; None: no padding.
        n_steps: K, 1 or more.
        smooth: lambda, the inverse temperature.
        memory: makes the next queries; None repeats the first step.

    Returns:
        ``Steps``.
    """
    shape = (*keys.shape[:2], *queries.shape[:2])  # n_key_sets, n_keys, n_query_sets, n_queries
    x, gram = queries.flatten(0, 1), keys @ keys.mT
    s = (keys.flatten(0, 1) @ x.T).view(*shape)
    updates = memory is not None and n_steps > 1
    if updates:
        of_query, of_keys = memory.of_query(x), memory.of_attended(keys)  # [all queries, 2 dim], [.., n_keys, 2 dim]
    alpha = attention_weights(s, key_mask, smooth)
    weights = [alpha]
    for step in range(1, n_steps):
        if updates:
            if step > 1:
                of_query = memory.of_query(x)  # x differs from pair to pair now: [n_key_sets, all queries, 2 dim]
            x = memory.mix(x, of_query + alpha.flatten(2).mT @ of_keys)  # [n_key_sets, all queries, dim]
            unit = normalize(x, dim=-1)
            if query_mask is not None:  # padding would count in the norm over queries
                unit = unit.masked_fill(~query_mask.flatten()[:, None], 0)
            alpha = attention_weights((keys @ unit.mT).view(*shape), key_mask, smooth)
        weights.append(alpha)
    length = queries.norm(dim=2)  # [n_query_sets, n_queries]
    return Steps(torch.stack([_cosines(alpha, s, gram, length) for alpha in weights]), torch.stack(weights))


def attention_weights(cosines: Tensor, key_mask: Tensor | None, smooth: float) -> Tensor:
    """alpha_i = softmax_j(lambda z_ij), with z_ij = relu(cos_ij) divided by its length over all queries i of a set.

    A set of one query has z = 1 wherever the cosine is positive: its attention is the same for all these keys.

    Args:
        cosines: [n_key_sets, n_keys, n_query_sets, n_queries]; zero for padded queries.
        key_mask: bool [n_key_sets, n_keys], or None.
        smooth: lambda.

    Returns:
        As ``cosines``; sums to one over the keys.
    """
    ahead = cosines.relu()
    logits = ahead * (smooth / ahead.norm(dim=3, keepdim=True).clamp(min=EPS))
    if key_mask is not None:
        logits = logits.masked_fill(~key_mask[..., None, None], -torch.inf)
    return logits.softmax(1)


def _cosines(alpha: Tensor, s: Tensor, gram: Tensor, length: Tensor) -> Tensor:
    """cos(q, c) of original queries: weights and products [n_key_sets, n_keys, ...] -> [n_key_sets, ...]."""
    squared = (alpha * (gram @ alpha.flatten(2)).view_as(alpha)).sum(1)
    # rounding may make the square negative; and at zero the root has no finite gradient
    return (alpha * s).sum(1) / (length * squared.clamp(min=EPS**2).sqrt()).clamp(min=EPS)
