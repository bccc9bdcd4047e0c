"""Self-attention hops over the words of a caption, as SEAM-E, SEAM-G and SEAM-C read it.

Wehrmann, Lopes, More and Barros, "Fast Self-Attentive Multimodal Retrieval", WACV 2018.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import normalize, pad, relu
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from itm_tutorial.encoders.text import word_embedding, word_mask

KERNELS = (2, 3)  # words per window of the convolutions
STATES = ("E", "G", "C")  # what the hops read: word vectors, states of a GRU, or words and windows of words


class Hops(nn.Module):
    """Several weighted means of the states of a caption's words: A = softmax over words (W2 tanh(W1 H^T)), then A H.

    Args:
        dim: numbers per state.
        units: rows of W1.
        hops: rows of W2, one per weighted mean.
    """

    def __init__(self, dim: int, units: int, hops: int):
        super().__init__()
        self.w1 = nn.Linear(dim, units, bias=False)
        self.w2 = nn.Linear(units, hops, bias=False)

    def forward(self, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Reads captions.

        Args:
            states: [n_captions, seq_len, dim].
            mask: bool [n_captions, seq_len], True for real words; each caption has at least one.

        Returns:
            The hops A H [n_captions, hops, dim] and the weights A [n_captions, hops, seq_len], 0 for padding.
        """
        logits = self.w2(self.w1(states).tanh()).mT  # [n_captions, hops, seq_len]
        weights = logits.masked_fill(~mask[:, None], float("-inf")).softmax(-1)
        return weights @ states, weights


def redundancy(weights: Tensor) -> Tensor:
    """How much hops read the same words: ||A A^T - I||_F (the norm, not its square), averaged over captions.

    Args:
        weights: A, [n_captions, hops, seq_len].

    Returns:
        A scalar; 0 where each hop reads one word, and no two hops the same.
    """
    identity = torch.eye(weights.shape[1], dtype=weights.dtype, device=weights.device)
    return torch.linalg.matrix_norm(weights @ weights.mT - identity).mean()


class HopReading(NamedTuple):
    """Captions, and which words their hops read.

    Attributes:
        embeddings: unit vectors [n_captions, dim].
        weights: [n_captions, hops, seq_len], one tensor per set of hops; the last one reads words or GRU states.
    """

    embeddings: Tensor
    weights: list[Tensor]


class SelfAttentive(nn.Module):
    """Hops over the states of words, side by side in one vector, then one linear map: l2(W vec(A H) + b).

    Args:
        states: "E", the word vectors; "G", the states of a GRU; "C", the word vectors and two convolutions over
            windows of 2 and of 3 words (ReLU, then batch normalisation), each with hops of its own.
        n_words: words in the vocabulary.
        word_dim: numbers per word.
        dim: numbers per caption embedding.
        hops: weighted means per set of states.
        units: rows of W1.
        gru_units: numbers per state of "G".
        conv_maps: numbers per window of "C".
    """

    def __init__(
        self,
        states: str,
        n_words: int,
        word_dim: int,
        dim: int,
        hops: int,
        units: int,
        gru_units: int = 1024,
        conv_maps: int = 100,
    ):
        super().__init__()
        self.words = word_embedding(n_words, word_dim)
        self.gru = nn.GRU(word_dim, gru_units, batch_first=True) if states == "G" else None
        windows = KERNELS if states == "C" else ()
        self.convolutions = nn.ModuleList(nn.Conv1d(word_dim, conv_maps, kernel) for kernel in windows)
        self.norms = nn.ModuleList(nn.BatchNorm1d(conv_maps) for _ in windows)
        dims = [*(conv_maps for _ in windows), gru_units if states == "G" else word_dim]
        self.hops = nn.ModuleList(Hops(one, units, hops) for one in dims)
        self.project = nn.Linear(hops * sum(dims), dim)

    def states(self, ids: LongTensor, lengths: LongTensor) -> list[Tensor]:
        """What the hops read.

        Args:
            ids: int64 [n_captions, seq_len].
            lengths: int64 [n_captions].

        Returns:
            Tensors [n_captions, seq_len, numbers per state], one per set of hops.
        """
        words = self.words(ids)  # [n_captions, seq_len, word_dim], zero where a caption has ended
        if self.gru is not None:
            packed = pack_padded_sequence(words, lengths.cpu(), batch_first=True, enforce_sorted=False)
            states, _ = pad_packed_sequence(self.gru(packed)[0], batch_first=True, total_length=ids.shape[1])
            return [states]
        mask = word_mask(ids, lengths)
        parts = zip(self.convolutions, self.norms, strict=True)
        return [*(self._windows(words, mask, convolution, norm) for convolution, norm in parts), words]

    def _windows(self, words: Tensor, mask: Tensor, convolution: nn.Conv1d, norm: nn.BatchNorm1d) -> Tensor:
        """Words -> [n_captions, seq_len, conv_maps]; a window is (previous, this) or (previous, this, next)."""
        around = pad(words.mT, (1, convolution.kernel_size[0] - 2))
        maps = relu(convolution(around)).mT
        real = norm(maps[mask])  # padding must not enter the statistics of the batch
        return real.new_zeros(maps.shape).masked_scatter(mask[..., None], real)

    def read(self, ids: LongTensor, lengths: LongTensor) -> HopReading:
        """Encodes captions and says which words the hops read.

        Args:
            ids: int64 [n_captions, seq_len].
            lengths: int64 [n_captions].

        Returns:
            ``HopReading``.
        """
        mask = word_mask(ids, lengths)
        pairs = zip(self.hops, self.states(ids, lengths), strict=True)
        both = [hops(states, mask) for hops, states in pairs]
        flat = torch.cat([means.flatten(1) for means, _ in both], 1)  # [n_captions, hops * numbers per state]
        return HopReading(normalize(self.project(flat), dim=-1), [weights for _, weights in both])

    def forward(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Word ids [n_captions, seq_len] and lengths [n_captions] -> unit vectors [n_captions, dim]."""
        return self.read(ids, lengths).embeddings
