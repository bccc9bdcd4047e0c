"""Phrases and regions as embeddings of unit length, each from two layers with batch normalisation.

Plummer et al., "Conditional Image-Text Embedding Networks", ECCV 2018, https://arxiv.org/abs/1711.08389. (In the
authors' code, phrases and regions are by default normalised over the phrases or boxes of their image.)
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import normalize

from itm_tutorial.encoders.phrases import whole_where_none
from itm_tutorial.encoders.text import word_embedding


class ConditionalPhrases(NamedTuple):
    """Phrases of unit length, [n_captions, n_phrases, dim]; u [n_captions, n_phrases, K]; bool mask of real phrases."""

    phrases: Tensor
    logits: Tensor
    mask: Tensor


def two_layers(in_dim: int, hidden: int, out_dim: int) -> nn.Sequential:
    """FC(relu(BN(FC x))); batch normalisation uses running means and variances in evaluation."""
    return nn.Sequential(nn.Linear(in_dim, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, out_dim))


class RegionEmbedding(nn.Module):
    """Regions of unit length: l2(FC(relu(BN(FC x)))), each region normalised over its own numbers."""

    def __init__(self, in_dim: int, hidden: int, dim: int):
        super().__init__()
        self.layers = two_layers(in_dim, hidden, dim)

    def forward(self, features: Tensor, boxes: Tensor | None = None, confidence: Tensor | None = None) -> Tensor:
        """[n_images, n_regions, in_dim] -> [n_images, n_regions, dim]; boxes serve the loss alone."""
        flat = self.layers(normalize(features, dim=-1).flatten(0, 1))
        return normalize(flat, dim=-1).view(*features.shape[:2], -1)


class PhraseEmbedding(nn.Module):
    """Phrases of unit length and their K numbers u; padded phrases are left out of batch normalisation."""

    def __init__(self, n_words: int, word_dim: int, hidden: int, dim: int, concepts: int):
        super().__init__()
        self.words = word_embedding(n_words, word_dim)
        self.embed, self.choose = two_layers(word_dim, hidden, dim), two_layers(word_dim, hidden, concepts)

    def forward(
        self, ids: LongTensor, lengths: LongTensor, noun_phrases: LongTensor, noun_phrase_mask: Tensor, **_: Tensor
    ) -> ConditionalPhrases:
        """Ids int64 [n_captions, seq_len], lengths, spans [n_captions, n_phrases, 2] and their mask -> the phrases."""
        spans, mask = whole_where_none(noun_phrases, noun_phrase_mask, lengths.to(ids.device))
        at = torch.arange(ids.shape[1], device=ids.device)
        inside = ((at >= spans[..., :1]) & (at < spans[..., 1:])).to(self.words.weight.dtype)  # [n, n_phrases, seq_len]
        mean = normalize(inside @ self.words(ids), dim=-1)[mask]  # [n_real, word_dim]
        made = normalize(self.embed(mean), dim=-1), self.choose(mean)
        return ConditionalPhrases(
            *(m.new_zeros(*mask.shape, m.shape[1]).masked_scatter(mask[..., None], m) for m in made), mask
        )
