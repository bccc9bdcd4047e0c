"""A bidirectional LSTM whose states are pooled by the maximum over words (CMPL, TIMAM)."""

from __future__ import annotations

from torch import LongTensor, Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from itm_tutorial.encoders.text import word_embedding, word_mask


class MaxLSTM(nn.Module):
    """A bidirectional LSTM over word vectors, the maximum over words, and a linear map to a caption embedding.

    Args:
        in_dim: numbers per word vector.
        dim: numbers per caption embedding, and per state of each direction (CMPL, TIMAM: 512, so that 1,024
            are mapped to 512).
    """

    def __init__(self, in_dim: int, dim: int):
        super().__init__()
        self.lstm = nn.LSTM(in_dim, dim, batch_first=True, bidirectional=True)
        self.project = nn.Linear(2 * dim, dim)

    def forward(self, vectors: Tensor, lengths: LongTensor) -> Tensor:
        """Encodes captions.

        Args:
            vectors: float [n_captions, seq_len, in_dim].
            lengths: int64 [n_captions], each at least 1.

        Returns:
            [n_captions, dim], not normalised.
        """
        # packed, so that the backward direction begins at the last real word, not at padding
        packed = pack_padded_sequence(vectors, lengths.cpu(), batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=vectors.shape[1])
        # the states of padding are zero, which would exceed any number that is negative at all words
        real = word_mask(vectors, lengths).unsqueeze(-1)  # [n_captions, seq_len, 1]
        return self.project(states.masked_fill(~real, float("-inf")).amax(1))


class WordLSTM(nn.Module):
    """Learned word vectors with dropout, and a ``MaxLSTM`` over them (CMPL).

    Args:
        n_words: words in the vocabulary.
        word_dim: numbers per word (CMPL: 512).
        dim: numbers per caption embedding (CMPL: 512).
        dropout: the fraction of a word vector's numbers that training sets to zero (CMPL: 0.3).
    """

    def __init__(self, n_words: int, word_dim: int, dim: int, dropout: float = 0.3):
        super().__init__()
        self.words = word_embedding(n_words, word_dim)
        self.dropout = nn.Dropout(dropout)
        self.lstm = MaxLSTM(word_dim, dim)

    def forward(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Encodes captions.

        Args:
            ids: int64 [n_captions, seq_len].
            lengths: int64 [n_captions].

        Returns:
            [n_captions, dim], not normalised.
        """
        return self.lstm(self.dropout(self.words(ids)), lengths)
