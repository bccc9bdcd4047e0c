"""Text encoders: word ids and lengths in, one unit vector per caption or per word out."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import normalize
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from itm_tutorial.errors import unknown


def word_mask(ids: LongTensor, lengths: LongTensor) -> Tensor:
    """The mask of real words, bool [n_captions, seq_len] on the device of ``ids``; False for padding."""
    return torch.arange(ids.shape[1], device=ids.device)[None, :] < lengths.to(ids.device)[:, None]


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """The mean over the words where the mask is True: [n, seq_len, dim] and bool [n, seq_len] -> [n, dim]."""
    weights = mask.unsqueeze(-1).to(values.dtype)
    return (values * weights).sum(1) / weights.sum(1).clamp(min=1)


def word_embedding(n_words: int, word_dim: int) -> nn.Embedding:
    """Word vectors initialised from U(-0.1, 0.1), as in UVSE and VSE++; that of padding is zero."""
    embedding = nn.Embedding(n_words, word_dim, padding_idx=0)
    nn.init.uniform_(embedding.weight, -0.1, 0.1)
    with torch.no_grad():
        embedding.weight[0].zero_()
    return embedding


class BagOfWords(nn.Module):
    """The mean of learned word vectors, projected to the joint space; the order of the words is ignored.

    Args:
        n_words: words in the vocabulary.
        word_dim: numbers per word.
        dim: numbers per caption embedding.
    """

    def __init__(self, n_words: int, word_dim: int, dim: int):
        super().__init__()
        self.words = word_embedding(n_words, word_dim)
        self.project = nn.Linear(word_dim, dim)

    def forward(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Encodes captions.

        Args:
            ids: int64 [n_captions, seq_len].
            lengths: int64 [n_captions].

        Returns:
            Unit vectors [n_captions, dim].
        """
        mean = masked_mean(self.words(ids), word_mask(ids, lengths))  # [n_captions, word_dim]
        return normalize(self.project(mean), dim=-1)


class GRU(nn.Module):
    """A gated recurrent unit over the words from left to right; its state after the last word is the caption embedding.

    Args:
        n_words: words in the vocabulary.
        word_dim: numbers per word (UVSE, VSE++: 300).
        dim: numbers per caption embedding (UVSE, VSE++: 1024).
    """

    def __init__(self, n_words: int, word_dim: int, dim: int):
        super().__init__()
        self.words = word_embedding(n_words, word_dim)
        self.gru = nn.GRU(word_dim, dim, batch_first=True)

    def forward(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Encodes captions.

        Args:
            ids: int64 [n_captions, seq_len].
            lengths: int64 [n_captions].

        Returns:
            Unit vectors [n_captions, dim].
        """
        # packed, so that the final state is that of the last real word, not of padding
        packed = pack_padded_sequence(self.words(ids), lengths.cpu(), batch_first=True, enforce_sorted=False)
        _, last = self.gru(packed)  # [1, n_captions, dim]
        return normalize(last[0], dim=-1)


class Words(NamedTuple):
    """Captions as one embedding per word.

    Attributes:
        words: [n_captions, seq_len, dim], unit vectors in the paper; zero where a caption has ended.
        lengths: int64 [n_captions].
    """

    words: Tensor
    lengths: LongTensor


class WordGRU(nn.Module):
    """A bidirectional GRU; a word embedding is the mean of the states of both directions (SCAN, section 3.3).

    Args:
        n_words: words in the vocabulary.
        word_dim: numbers per word (SCAN: 300).
        dim: numbers per embedding (SCAN: 1024).
        unit: whether to scale embeddings to unit length.
    """

    def __init__(self, n_words: int, word_dim: int, dim: int, unit: bool = True):
        super().__init__()
        self.unit = unit
        self.words = word_embedding(n_words, word_dim)
        self.gru = nn.GRU(word_dim, dim, batch_first=True, bidirectional=True)

    def forward(self, ids: LongTensor, lengths: LongTensor) -> Words:
        """Encodes every word of captions.

        Args:
            ids: int64 [n_captions, seq_len].
            lengths: int64 [n_captions].

        Returns:
            ``Words`` with embeddings [n_captions, seq_len, dim].
        """
        # packed, so that the backward direction begins at the last real word, not at padding
        packed = pack_padded_sequence(self.words(ids), lengths.cpu(), batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.gru(packed)[0], batch_first=True, total_length=ids.shape[1])
        embeddings = sum(states.chunk(2, dim=-1)) / 2
        return Words(normalize(embeddings, dim=-1) if self.unit else embeddings, lengths)


class WordBag(nn.Module):
    """A bag of words with one embedding per word: the word's projection plus that of the mean of all words as context.

    Args:
        n_words: words in the vocabulary.
        word_dim: numbers per word.
        dim: numbers per embedding.
        unit: whether to scale embeddings to unit length.
    """

    def __init__(self, n_words: int, word_dim: int, dim: int, unit: bool = True):
        super().__init__()
        self.unit = unit
        self.words = word_embedding(n_words, word_dim)
        self.project = nn.Linear(word_dim, dim, bias=False)
        self.context = nn.Linear(word_dim, dim)

    def forward(self, ids: LongTensor, lengths: LongTensor) -> Words:
        """Encodes every word of captions.

        Args:
            ids: int64 [n_captions, seq_len].
            lengths: int64 [n_captions].

        Returns:
            ``Words`` with embeddings [n_captions, seq_len, dim].
        """
        words, mask = self.words(ids), word_mask(ids, lengths)  # [n_captions, seq_len, word_dim]
        context = self.context(masked_mean(words, mask))  # [n_captions, dim]
        word_emb = self.project(words[mask]) + context.repeat_interleave(mask.sum(1), 0)  # [n_words, dim], no padding
        word_emb = normalize(word_emb, dim=-1) if self.unit else word_emb
        embeddings = word_emb.new_zeros(*ids.shape, word_emb.shape[1])
        embeddings[mask] = word_emb
        return Words(embeddings, lengths)


class WordAverage(nn.Module):
    """The mean of fixed word vectors over the words that have one: for DeViSE's labels, or for captions.

    Args:
        n_words: words in the vocabulary, special ones included.
        dim: numbers per word, and per embedding.
        centre: whether to subtract the mean of all word vectors from each; otherwise the means of all sentences point
            in nearly the same direction.
    """

    def __init__(self, n_words: int, dim: int, centre: bool = False):
        super().__init__()
        self.centre = centre
        self.register_buffer("vectors", torch.zeros(n_words, dim))  # filled by ``use``; never trained

    def use(self, vectors: Tensor) -> None:
        """Sets the vectors of the vocabulary's last words, [n, dim]; they are scaled to unit length."""
        mean = vectors.mean(0) if self.centre else 0.0
        self.vectors[-len(vectors) :] = normalize(vectors - mean, dim=-1)

    def forward(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Encodes captions.

        Args:
            ids: int64 [n_captions, seq_len].
            lengths: int64 [n_captions].

        Returns:
            Unit vectors [n_captions, dim]; zero where no word has a vector.
        """
        vectors = self.vectors[ids]  # [n_captions, seq_len, dim]
        known = word_mask(ids, lengths) & vectors.any(-1)  # [n_captions, seq_len]
        return normalize(masked_mean(vectors, known), dim=-1)


def create_text_encoder(name: str, n_words: int, word_dim: int, dim: int) -> nn.Module:
    """Makes a text encoder by name, for models with a choice of encoders.

    Args:
        name: "gru" or "bow".
        n_words: words in the vocabulary.
        word_dim: numbers per word.
        dim: numbers per caption embedding.

    Returns:
        A module: (ids [n, seq_len], lengths [n]) -> unit vectors [n, dim].

    Raises:
        ItmError: no encoder has this name.
    """
    return _create({"gru": GRU, "bow": BagOfWords}, name, n_words, word_dim, dim)


def create_word_encoder(name: str, n_words: int, word_dim: int, dim: int, unit: bool = True) -> nn.Module:
    """Makes a text encoder with one embedding per word; the names are those of ``create_text_encoder``.

    Args:
        name: "gru" or "bow".
        n_words: words in the vocabulary.
        word_dim: numbers per word.
        dim: numbers per word embedding.
        unit: whether to scale embeddings to unit length.

    Returns:
        A module: (ids [n, seq_len], lengths [n]) -> ``Words``.

    Raises:
        ItmError: no encoder has this name.
    """
    return _create({"gru": WordGRU, "bow": WordBag}, name, n_words, word_dim, dim, unit)


def _create(encoders: dict[str, type[nn.Module]], name: str, *shape: int) -> nn.Module:
    if name not in encoders:
        raise unknown("text encoder", name, encoders)
    return encoders[name](*shape)
