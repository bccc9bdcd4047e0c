"""DVSA: every word of a caption takes its best region, and the score is the sum over words.

Karpathy and Fei-Fei, "Deep Visual-Semantic Alignments for Generating Image Descriptions", CVPR 2015,
https://arxiv.org/abs/1412.2306. With regions v_r = W x_r + b and words s_t, neither of them normalised,

    S(k, l) = sum over words t of l of (max over regions r of k of  v_r . s_t),
    loss    = sum over k, l != k of  [1 + S(k, l) - S(k, k)]+  +  [1 + S(l, k) - S(k, k)]+.

Today's late interaction scores a text query against a document by the same rule, named MaxSim: each token of the query
takes its best token of the document, and the score is the sum (ColBERT, Khattab and Zaharia 2020,
https://arxiv.org/abs/2004.12832). ColBERT's vectors have unit length and its sum is always over the query, whereas DVSA
sums over the caption also when captions are ranked for an image, so that their lengths enter the ranking.

Left out: the detector that proposes regions with the whole image as one of them, and the generator of captions. The
authors clip each number of a gradient at 5; ``fit`` clips the norm of all gradients together, at the recipe's ``clip``.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Literal

import torch
from torch import LongTensor, Tensor, nn

from itm_tutorial.data.options import Dimension, Dropout, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.fragments import Fragments, RegionFragments
from itm_tutorial.encoders.text import word_embedding
from itm_tutorial.interaction.fragments import (
    best_region_scores,
    fragment_dots,
    scores_in_tiles,
    thresholded_scores,
)
from itm_tutorial.losses.ranking import SumOfHinges
from itm_tutorial.models._base import FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model


class WordFragments(nn.Module):
    """One embedding per word: s_t = relu(W_d h_t + b_d), of e_t = relu(W_e x_t + b_e).

    Without context h_t = e_t. With a bidirectional recurrent network, h_t is the sum of two independent streams,
    relu(e_t + W_f h_{t-1} + b_f) from the left and relu(e_t + W_b h_{t+1} + b_b) from the right.

    Args:
        n_words: words in the vocabulary.
        word_dim: numbers per word.
        dim: numbers per embedding.
        recurrent: whether words hear of their neighbours.
    """

    def __init__(self, n_words: int, word_dim: int, dim: int, recurrent: bool):
        super().__init__()
        self.words = word_embedding(n_words, word_dim)
        self.inner = nn.Linear(word_dim, dim)
        self.streams = nn.ModuleList(nn.Linear(dim, dim) for _ in range(2 if recurrent else 0))
        self.outer = nn.Linear(dim, dim)

    def forward(self, ids: LongTensor, lengths: LongTensor) -> Fragments:
        """Ids [n_captions, seq_len] and lengths [n_captions], <start> and <end> included, to which no word belongs."""
        place = torch.arange(ids.shape[1], device=ids.device)[None]
        mask = (place > 0) & (place < lengths.to(ids.device)[:, None] - 1)  # [n_captions, seq_len]
        inner = self.inner(self.words(ids)).relu()  # [n_captions, seq_len, dim]
        states = sum(self._stream(inner, mask, way) for way in range(2)) if self.streams else inner
        vectors = self.outer(states).relu()
        return Fragments(vectors.masked_fill(~mask[..., None], 0), mask)

    def _stream(self, inner: Tensor, mask: Tensor, way: int) -> Tensor:
        """The states of one direction, [n_captions, seq_len, dim]; they are zero where there is no word."""
        steps = range(inner.shape[1]) if way == 0 else reversed(range(inner.shape[1]))
        state, states = torch.zeros_like(inner[:, 0]), {}
        for step in steps:
            state = (inner[:, step] + self.streams[way](state)).relu().masked_fill(~mask[:, step, None], 0)
            states[step] = state
        return torch.stack([states[step] for step in range(inner.shape[1])], 1)


@register_model(chapter="11", paper="karpathy2015dvsa", variants={"dvsa_brnn": {"context": "brnn"}})
class DVSA(Matching):
    """An affine map of each region, one embedding per word, the sum of the words' best dot products, sum of hinges.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as: "regions", "oracle", "grid" or "mirrored_grid".
        image_dim: numbers per region.
        embed_size: numbers per embedding.
        word_dim: numbers per word.
        context: "none", words by themselves; "brnn", the paper's bidirectional recurrent network.
        pooling: "max" over regions as published; "thresholded", the score of DeFrag, in its place.
        smoothing: of "thresholded": added to the number of words that divides the sum; None divides by nothing.
        margin: of the hinge, in units of the sums (1 in the paper).
        dropout: the fraction of a feature's numbers that training hides; small sets of photographs need it.
    """

    feature_kind = "regions"
    pair_cost = "network"
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=3e-3, epochs=4, batch_size=32),
        "flickr8k": Recipe(
            epochs=15,
            learning_rate=5e-4,
            features="mirrored_grid",
            options={"embed_size": 512, "word_dim": 300, "dropout": 0.5},
        ),
    }

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        embed_size: Dimension = 256,
        word_dim: Dimension = 128,
        context: Literal["none", "brnn"] = "none",
        pooling: Literal["max", "thresholded"] = "max",
        smoothing: Weight | None = None,
        margin: Weight = 1.0,
        dropout: Dropout = 0.0,
    ):
        super().__init__(vocabulary, features)
        self.image_encoder = RegionFragments(image_dim, embed_size, dropout)
        self.text_encoder = WordFragments(len(vocabulary), word_dim, embed_size, context == "brnn")
        self.pool = best_region_scores if pooling == "max" else partial(thresholded_scores, smoothing=smoothing)
        self.loss_function = SumOfHinges(margin)

    def similarity(self, image_emb: Tensor, caption_emb: Fragments) -> Tensor:
        """Regions [n_images, n_regions, dim] and words -> scores [n_images, n_captions], sums over words."""
        return scores_in_tiles(image_emb, *caption_emb, self.pool)

    def attention(self, image_emb: Tensor, caption_emb: Fragments) -> Tensor:
        """Which region each word takes: 1 at its best region (the first of equal ones), 0 elsewhere.

        Args:
            image_emb: [n_images, n_regions, dim].
            caption_emb: of n_captions captions.

        Returns:
            Weights [n_images, n_captions, n_regions, seq_len]; all 0 where there is no word.
        """
        dots = fragment_dots(image_emb, caption_emb.vectors)  # [n_images, n_regions, n_captions, seq_len]
        best = torch.zeros_like(dots).scatter_(1, dots.argmax(1, keepdim=True), 1.0)
        return (best * caption_emb.mask).transpose(1, 2)
