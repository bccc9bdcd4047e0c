"""Fragments: an image as one embedding per region, a caption as one per word or per relation; none is normalised.

The lengths of fragments are learned, so that a fragment that says nothing about images can become short.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import linear, normalize

from itm_tutorial.data.parsing import RELATIONS
from itm_tutorial.encoders.text import word_embedding


class Fragments(NamedTuple):
    """The fragments of captions.

    Attributes:
        vectors: [n_captions, seq_len, dim]; position t belongs to token t.
        mask: bool [n_captions, seq_len]; False where a position has no fragment: <start>, <end>, padding.
    """

    vectors: Tensor
    mask: Tensor


class RegionFragments(nn.Module):
    """One affine map from each region's feature to the joint space, without a nonlinearity.

    The features come in at unit length, as in the course's other models; the embeddings keep the length they get.

    Args:
        in_dim: numbers per feature.
        dim: numbers per embedding.
        dropout: the fraction of a feature's numbers that training sets to zero, the same in all regions of an image.
    """

    def __init__(self, in_dim: int, dim: int, dropout: float = 0.0):
        super().__init__()
        self.dropout = nn.Dropout1d(dropout)
        self.project = nn.Linear(in_dim, dim)
        nn.init.xavier_uniform_(self.project.weight)
        nn.init.zeros_(self.project.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Features [n_images, n_regions, in_dim] -> embeddings [n_images, n_regions, dim]."""
        kept = self.dropout(normalize(features, dim=-1).mT).mT  # Dropout1d zeroes rows of [n_images, in_dim, n_regions]
        return self.project(kept)


class RelationFragments(nn.Module):
    """One embedding per dependency relation: s = relu(W_R [e_head; e_dependent] + b_R).

    Every word is the dependent of one relation, so that fragment t belongs to token t. The root, which hangs on no
    word, makes a fragment with itself as both words.

    Args:
        n_words: words in the vocabulary.
        word_dim: numbers per word.
        dim: numbers per embedding.
    """

    def __init__(self, n_words: int, word_dim: int, dim: int):
        super().__init__()
        self.words = word_embedding(n_words, word_dim)
        self.weight = nn.Parameter(torch.empty(len(RELATIONS), dim, 2 * word_dim))
        self.bias = nn.Parameter(torch.zeros(len(RELATIONS), dim))
        for weight in self.weight:
            nn.init.xavier_uniform_(weight)

    def forward(self, ids: LongTensor, lengths: LongTensor, heads: LongTensor, relations: LongTensor, **_) -> Fragments:
        """Encodes captions.

        Args:
            ids: int64 [n_captions, seq_len].
            lengths: int64 [n_captions]; not read, as a position without a relation has no fragment.
            heads: int64 [n_captions, seq_len], the position of each word's head.
            relations: int64 [n_captions, seq_len], 1 + the index in ``RELATIONS``; 0 for <start>, <end> and padding.

        Returns:
            ``Fragments`` with vectors [n_captions, seq_len, dim].
        """
        mask = relations > 0  # [n_captions, seq_len]
        pairs = torch.cat([self.words(ids.gather(1, heads)), self.words(ids)], 2)[mask]  # [n_fragments, 2 * word_dim]
        kinds, order = (relations[mask] - 1).sort(stable=True)
        sizes = kinds.bincount(minlength=len(RELATIONS)).tolist()
        by_kind = zip(pairs[order].split(sizes), self.weight, self.bias, strict=True)  # a loop over the kinds
        made = torch.cat([linear(*part) for part in by_kind])[order.argsort()].relu()  # [n_fragments, dim]
        vectors = made.new_zeros(*mask.shape, made.shape[1])
        vectors[mask] = made
        return Fragments(vectors, mask)
