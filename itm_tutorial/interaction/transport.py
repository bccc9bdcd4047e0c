"""Optimal transport between the regions of an image and the words of a caption, with costs of nodes and of edges.

Chen, Gan, Cheng, Li, Carin and Liu, "Graph Optimal Transport for Cross-Domain Alignment", ICML 2020
(https://arxiv.org/abs/2006.14744), algorithm 1. The plan is found by a proximal method (IPOT): each step multiplies by
the plan of the step before, so that the plan goes to exact, sparse transport. Sinkhorn's method multiplies by
e^(-cost / beta) alone and stays at a smooth plan.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import LongTensor, Tensor

TINY = 1e-30  # smallest divisor


class Transport(NamedTuple):
    """A plan, and what it costs.

    Attributes:
        plan: [..., n_regions, seq_len], masses that sum to one per pair; zero where there is no word. No gradient.
        nodes: [...], the mean cost of a moved mass (Wasserstein distance).
        edges: [...], how much the plan distorts the edges (Gromov-Wasserstein distance).
    """

    plan: Tensor
    nodes: Tensor
    edges: Tensor


def words_with_mass(words: Tensor, lengths: LongTensor) -> Tensor:
    """Words without <start>, <end> and padding; of an empty caption, both marks.

    Args:
        words: [n_captions, seq_len, dim].
        lengths: int64 [n_captions], tokens of each caption.

    Returns:
        bool [n_captions, seq_len].
    """
    place = torch.arange(words.shape[1], device=words.device)[None]
    lengths = lengths.to(place.device)[:, None]
    return (place < lengths) & ((lengths < 3) | ((place > 0) & (place < lengths - 1)))


def masses(cost: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Equal masses: of regions [n_regions], 1 / n_regions each; of words [..., seq_len], none where ``mask`` is False.

    Args:
        cost: [..., n_regions, seq_len].
        mask: bool [..., seq_len].
    """
    words = mask.to(cost)
    return cost.new_full((cost.shape[-2],), 1 / cost.shape[-2]), words / words.sum(-1, keepdim=True).clamp(min=1)


def proximal_plan(cost: Tensor, mask: Tensor, beta: float = 0.5, steps: int = 20) -> Tensor:
    """The plan T after some steps of IPOT, from T = 1 (algorithm 1, with padding of zero mass).

    With A = e^(-cost / beta), a step is Q = A * T; delta = p / (Q sigma); sigma = q / (Q' delta);
    T = diag(delta) Q diag(sigma).

    Args:
        cost: [..., n_regions, seq_len]; what stands at padding does not matter, as long as it is finite.
        mask: bool [..., seq_len], True where there is a word.
        beta: the smaller, the faster each step comes near exact transport.
        steps: how many.

    Returns:
        [..., n_regions, seq_len], zero at padding; columns sum to the masses of the words, rows, in the limit, to those
        of the regions.
    """
    p, q = masses(cost, mask)
    lowest = cost.masked_fill(~mask[..., None, :], torch.inf).amin((-2, -1), keepdim=True)
    lowest = lowest.where(lowest.isfinite(), 0)  # a constant changes no plan, but small numbers could underflow
    kernel = (-(cost - lowest) / beta).exp().masked_fill(~mask[..., None, :], 0)  # A
    plan, sigma = mask[..., None, :].to(cost).expand(cost.shape), q
    for _ in range(steps):
        product = kernel * plan  # Q
        delta = p / (product @ sigma[..., None])[..., 0].clamp(min=TINY)  # [..., n_regions]
        sigma = q / (product.mT @ delta[..., None])[..., 0].clamp(min=TINY)  # [..., seq_len], zero at padding
        plan = delta[..., None] * product * sigma[..., None, :]
    return plan


def edge_costs(plan: Tensor, region_edges: Tensor, word_edges: Tensor, mask: Tensor) -> Tensor:
    """L = (C_x^2 p) 1' + 1 (C_y^2 q)' - 2 C_x T C_y', what moving region r to word w costs by their edges.

    Args:
        plan: T, [..., n_regions, seq_len].
        region_edges: C_x, [..., n_regions, n_regions].
        word_edges: C_y, [..., seq_len, seq_len], zero at padding.
        mask: bool [..., seq_len].

    Returns:
        [..., n_regions, seq_len]; <L, T> is the Gromov-Wasserstein distance.
    """
    p, q = masses(plan, mask)
    of_regions = (region_edges.square() @ p[:, None])[..., 0]  # [..., n_regions]
    of_words = (word_edges.square() @ q[..., None])[..., 0]  # [..., seq_len]
    return of_regions[..., None] + of_words[..., None, :] - 2 * region_edges @ plan @ word_edges.mT


def graph_transport(
    cost: Tensor,
    region_edges: Tensor,
    word_edges: Tensor,
    mask: Tensor,
    *,
    nodes: float = 0.8,
    beta: float = 0.5,
    steps: int = 20,
    rounds: int = 3,
    uniform: bool = False,
) -> Transport:
    """One plan that both costs share, found for nodes * cost + (1 - nodes) * L, with L from the plan before.

    The plan is held fixed for the gradient: at the best plan, the change of the plan adds nothing to it.

    Args:
        cost: [..., n_regions, seq_len], such as 1 - cosine.
        region_edges, word_edges, mask: as in ``edge_costs``; they broadcast over the first dimensions of ``cost``.
        nodes: lambda, the weight of nodes against edges; 1 ignores the edges.
        beta, steps: as in ``proximal_plan``.
        rounds: how often L is computed again.
        uniform: a control: equal masses everywhere in place of a plan.

    Returns:
        ``Transport``.
    """
    mask = mask.expand(*cost.shape[:-2], mask.shape[-1])
    with torch.no_grad():
        p, q = masses(cost, mask)
        plan = p[:, None] * q[..., None, :]
        for _ in range(0 if uniform else rounds if nodes < 1 else 1):
            both = nodes * cost
            if nodes < 1:
                both = both + (1 - nodes) * edge_costs(plan, region_edges, word_edges, mask)
            plan = proximal_plan(both, mask, beta, steps)
    distorted = edge_costs(plan, region_edges, word_edges, mask)
    return Transport(plan, (cost * plan).sum((-2, -1)), (distorted * plan).sum((-2, -1)))
