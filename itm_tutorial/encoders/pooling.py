"""Pooling a set of vectors to one: each number of the vectors is sorted by itself, and the weights are learned.

Chen, Hu, Wu, Jiang and Wang, "Learning the Best Pooling Strategy for Visual Semantic Embedding", CVPR 2021,
https://arxiv.org/abs/2011.04305. Mean and maximum are two choices of the weights.
"""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from itm_tutorial.encoders.self_attentive import Hops
from itm_tutorial.encoders.text import masked_mean
from itm_tutorial.encoders.transformer import sinusoidal_positions
from itm_tutorial.errors import unknown

POOLINGS = ("gpo", "mean", "max", "attention")


def sorted_pool(vectors: Tensor, mask: Tensor, weights: Tensor) -> Tensor:
    """v_i = sum_k theta_k x_(k),i, where x_(k),i is the k-th largest value of number i over the vectors.

    Args:
        vectors: [n, size, dim].
        mask: bool [n, size], False for padding; the order of vectors does not count, nor where the padding stands.
        weights: theta, [n, size]; zero from the number of real vectors on.

    Returns:
        [n, dim].
    """
    largest_first = vectors.masked_fill(~mask[..., None], -torch.inf).sort(1, descending=True).values
    behind = torch.arange(vectors.shape[1], device=mask.device) >= mask.sum(1, keepdim=True)  # [n, size]
    # padding now stands last; 0 x -inf would be NaN
    return (largest_first.masked_fill(behind[..., None], 0) * weights[..., None]).sum(1)


def leave_out(mask: Tensor, fraction: float) -> Tensor:
    """Leaves out vectors at random, so that pooling meets sets of many sizes (size augmentation).

    Args:
        mask: bool [n, size], True for real vectors; each row has one or more.
        fraction: the probability of each to be left out.

    Returns:
        bool [n, size]; each row keeps at least one.
    """
    draw = torch.rand(mask.shape, device=mask.device).masked_fill(~mask, -1.0)
    return mask & ((draw >= fraction) | (draw == draw.amax(1, keepdim=True)))


class GeneralizedPooling(nn.Module):
    """Weights of the k-th largest value among N: theta = softmax_k(w . h_k / temperature).

    h_k is the mean of both directions of a GRU over sinusoidal positions 1 to N. So theta depends on k and N alone, not
    on the vectors, and it is the same for all numbers of a vector.

    Args:
        position_dim: numbers per position.
        hidden: numbers per state of the GRU.
        temperature: of the softmax; 0.1 in the public code.
    """

    def __init__(self, position_dim: int = 32, hidden: int = 32, temperature: float = 0.1):
        super().__init__()
        self.position_dim, self.temperature = position_dim, temperature
        self.gru = nn.GRU(position_dim, hidden, batch_first=True, bidirectional=True)
        self.logit = nn.Linear(hidden, 1, bias=False)

    def weights(self, counts: LongTensor, size: int) -> Tensor:
        """Theta for sets of these counts, int64 [n] with values from 1 to ``size`` -> [n, size], zero behind N."""
        different, row = counts.unique(return_inverse=True)  # the backward direction starts at N: one run per N
        positions = sinusoidal_positions(size, self.position_dim, counts.device).to(self.logit.weight.dtype)
        packed = pack_padded_sequence(
            positions.expand(len(different), -1, -1), different.cpu(), batch_first=True, enforce_sorted=False
        )
        states, _ = pad_packed_sequence(self.gru(packed)[0], batch_first=True, total_length=size)
        logits = self.logit(sum(states.chunk(2, -1)) / 2)[..., 0] / self.temperature  # [n_different, size]
        behind = torch.arange(size, device=counts.device) >= different[:, None]
        return logits.masked_fill(behind, -torch.inf).softmax(1)[row]

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Vectors [n, size, dim] and mask bool [n, size] -> [n, dim]."""
        return sorted_pool(vectors, mask, self.weights(mask.sum(1), vectors.shape[1]))


class MeanPooling(nn.Module):
    """The mean of the real vectors."""

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Vectors [n, size, dim] and mask bool [n, size] -> [n, dim]."""
        return masked_mean(vectors, mask)


class MaxPooling(nn.Module):
    """The largest value of each number over the real vectors."""

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Vectors [n, size, dim] and mask bool [n, size] -> [n, dim]."""
        return vectors.masked_fill(~mask[..., None], -torch.inf).amax(1)


class AttentionPooling(nn.Module):
    """A weighted mean whose weights a two-layer network reads from the vectors: a learned aggregator.

    Args:
        dim: numbers per vector.
        units: of the hidden layer.
    """

    def __init__(self, dim: int, units: int = 64):
        super().__init__()
        self.hop = Hops(dim, units, 1)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Vectors [n, size, dim] and mask bool [n, size] -> [n, dim]."""
        return self.hop(vectors, mask)[0][:, 0]


def create_pooling(name: str, dim: int) -> nn.Module:
    """Makes a pooling by name.

    Args:
        name: one of ``POOLINGS``.
        dim: numbers per vector.

    Returns:
        A module: (vectors [n, size, dim], mask bool [n, size]) -> [n, dim].

    Raises:
        ItmError: no pooling has this name.
    """
    if name not in POOLINGS:
        raise unknown("pooling", name, POOLINGS)
    if name == "gpo":
        return GeneralizedPooling()
    return AttentionPooling(dim) if name == "attention" else {"mean": MeanPooling, "max": MaxPooling}[name]()
