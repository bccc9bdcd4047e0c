"""Words with a weight each, which says how much a word counts in its caption."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import LongTensor, Tensor, nn

from itm_tutorial.encoders.text import WordGRU, word_mask


class WeightedWords(NamedTuple):
    """Captions as one embedding and one weight per word.

    Attributes:
        words: [n_captions, seq_len, dim] of any length, zero at padding.
        lengths: int64 [n_captions].
        weights: [n_captions, seq_len], zero at padding; they sum to one per caption.
    """

    words: Tensor
    lengths: LongTensor
    weights: Tensor


class WeightedWordGRU(nn.Module):
    """A bidirectional GRU over words, and a_w = softmax_w(sharpness * W_w h_w) (Chen and Luo, AAAI 2020).

    Args:
        n_words: words in the vocabulary.
        word_dim: numbers per word.
        dim: numbers per embedding.
        sharpness: beta, the inverse temperature of the weights; 0 weighs all words alike.
    """

    def __init__(self, n_words: int, word_dim: int, dim: int, sharpness: float):
        super().__init__()
        self.read, self.sharpness = WordGRU(n_words, word_dim, dim, unit=False), sharpness
        self.weigh = nn.Linear(dim, 1, bias=False)  # W_w

    def forward(self, ids: LongTensor, lengths: LongTensor) -> WeightedWords:
        """Word ids [n_captions, seq_len] and lengths [n_captions] -> ``WeightedWords``."""
        words, mask = self.read(ids, lengths).words, word_mask(ids, lengths)
        logits = (self.sharpness * self.weigh(words)[..., 0]).masked_fill(~mask, -torch.inf)
        return WeightedWords(words * mask[..., None], lengths, logits.softmax(1))
