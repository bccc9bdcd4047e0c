"""One state per word from a bidirectional LSTM whose two directions are added (DAN; also used for sm-LSTM)."""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from itm_tutorial.encoders.text import Words, word_embedding


class SummedLSTM(nn.Module):
    """A bidirectional LSTM over learned word vectors; a word's state is forward + backward, of any length.

    Args:
        n_words: words in the vocabulary.
        word_dim: numbers per word (DAN: 512).
        dim: numbers per state (DAN: 512).
        dropout: the fraction of a word vector's numbers that training sets to zero.
    """

    def __init__(self, n_words: int, word_dim: int, dim: int, dropout: float = 0.0):
        super().__init__()
        self.words = word_embedding(n_words, word_dim)
        with torch.no_grad():
            self.words.weight.mul_(10)  # with small numbers all states are nearly zero at first
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(word_dim, dim, batch_first=True, bidirectional=True)

    def forward(self, ids: LongTensor, lengths: LongTensor) -> Words:
        """Encodes every word of captions.

        Args:
            ids: int64 [n_captions, seq_len].
            lengths: int64 [n_captions], each at least 1.

        Returns:
            ``Words`` with states [n_captions, seq_len, dim], zero where a caption has ended.
        """
        vectors: Tensor = self.dropout(self.words(ids))  # [n_captions, seq_len, word_dim]
        # packed, so that the backward direction begins at the last real word, not at padding
        packed = pack_padded_sequence(vectors, lengths.cpu(), batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=ids.shape[1])
        return Words(sum(states.chunk(2, dim=-1)), lengths)
