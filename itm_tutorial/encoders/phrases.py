"""Noun phrases of captions as embeddings, one per phrase."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import normalize

from itm_tutorial.encoders.text import create_word_encoder, masked_mean, word_mask


class Phrases(NamedTuple):
    """Captions as one embedding per noun phrase, and one for the whole.

    Attributes:
        phrases: [n_captions, n_phrases, dim]; zero for padding.
        mask: bool [n_captions, n_phrases], False for padding; every caption has one phrase or more.
        caption: [n_captions, dim].
    """

    phrases: Tensor
    mask: Tensor
    caption: Tensor


class PhraseEncoder(nn.Module):
    """A phrase is the mean of the embeddings of its words, which may know the rest of the caption.

    A caption without a noun phrase counts as one phrase of all its words.

    Args:
        sentence: "gru" or "bow"; see ``encoders.text.create_word_encoder``.
        n_words: words in the vocabulary.
        word_dim: numbers per word.
        dim: numbers per embedding.
        unit: whether to scale embeddings to unit length.
    """

    def __init__(self, sentence: str, n_words: int, word_dim: int, dim: int, unit: bool = True):
        super().__init__()
        self.unit, self.words = unit, create_word_encoder(sentence, n_words, word_dim, dim, unit=False)

    def forward(
        self, ids: LongTensor, lengths: LongTensor, noun_phrases: LongTensor, noun_phrase_mask: Tensor, **_: Tensor
    ) -> Phrases:
        """Encodes the phrases of captions.

        Args:
            ids: int64 [n_captions, seq_len].
            lengths: int64 [n_captions].
            noun_phrases: int64 [n_captions, n_phrases, 2], positions of the first word and behind the last.
            noun_phrase_mask: bool [n_captions, n_phrases].

        Returns:
            ``Phrases``; n_phrases is 1 or more.
        """
        states, real = self.words(ids, lengths).words, word_mask(ids, lengths)  # [n, seq_len, dim] and [n, seq_len]
        spans, mask = whole_where_none(noun_phrases, noun_phrase_mask, lengths.to(ids.device))
        position = torch.arange(ids.shape[1], device=ids.device)
        inside = (position >= spans[..., :1]) & (position < spans[..., 1:]) & mask[..., None]  # [n, n_phrases, seq_len]
        weights = inside.to(states.dtype)
        phrases = weights @ states / weights.sum(2, keepdim=True).clamp(min=1)
        caption = masked_mean(states, real)
        if self.unit:
            phrases, caption = normalize(phrases, dim=-1), normalize(caption, dim=-1)
        return Phrases(phrases, mask, caption)


def whole_where_none(spans: LongTensor, mask: Tensor, lengths: LongTensor) -> tuple[LongTensor, Tensor]:
    """Gives captions without a phrase one that holds all their words, <start> and <end> left out.

    Args:
        spans: int64 [n_captions, n_phrases, 2].
        mask: bool [n_captions, n_phrases].
        lengths: int64 [n_captions], <start> and <end> included.

    Returns:
        Spans and mask with one phrase or more per caption.
    """
    if not spans.shape[1]:
        spans, mask = spans.new_zeros(len(spans), 1, 2), mask.new_zeros(len(mask), 1)
    none = ~mask.any(1)
    whole = torch.stack([torch.ones_like(lengths), lengths - 1], 1)  # [n_captions, 2]
    first = torch.where(none[:, None], whole, spans[:, 0])
    return torch.cat([first[:, None], spans[:, 1:]], 1), torch.cat([(mask[:, :1] | none[:, None]), mask[:, 1:]], 1)
