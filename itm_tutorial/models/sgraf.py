"""SGRAF: the similarity of a pair is a vector per word, and a graph or a filter makes one score of these vectors.

Diao, Zhang, Ma and Lu, "Similarity Reasoning and Filtration for Image-Text Matching", AAAI 2021,
https://arxiv.org/abs/2101.01368. With words e_w, the regions a_w that they attend to (as in SCAN), and whole embeddings
v and t from self-attention over regions and over words:

    s_w = l2(W_l (a_w - e_w)^2),   s_0 = l2(W_g (v - t)^2),   squared element by element;
    SGR: three steps s <- relu(W softmax(Q K^T) s), then s = s_0;
    SAF: beta = sigmoid(w . s), divided by their sum, then s = l2(sum beta s);
    S = sigmoid(w . s + b),

trained by the largest hinge on S, which lies in (0, 1). The paper's SGRAF is the mean of the scores of two models that
are trained apart; ``sgraf`` is its SGR and ``sgraf_filter`` its SAF.

Left out: dropout, and batch normalisation in the image's self-attention (it fixes the number of regions) and in the
filter (it mixes the images that one caption is scored with).
"""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import normalize

from itm_tutorial.data.options import Dimension, Fraction, PositiveFloat, PositiveInt, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.image import RegionProjection
from itm_tutorial.encoders.text import create_word_encoder, masked_mean, word_mask
from itm_tutorial.interaction.pair_tiles import score_pairs_in_tiles
from itm_tutorial.interaction.similarity_vectors import SimilarityFilter, SimilarityGraph, SimilarityVectors
from itm_tutorial.losses import create_loss
from itm_tutorial.models._base import FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model


class Side(NamedTuple):
    """Parts [n, n_parts, dim], which of them are there, bool [n, n_parts], and the whole [n, dim]."""

    parts: Tensor
    mask: Tensor
    whole: Tensor


class Whole(nn.Module):
    """sum_r a_r x_r to unit length, a = softmax_r(w . (tanh(W_1 x_r) * tanh(W_2 mean x))).

    Args:
        dim: numbers per vector.
    """

    def __init__(self, dim: int):
        super().__init__()
        self.local, self.mean, self.weigh = nn.Linear(dim, dim), nn.Linear(dim, dim), nn.Linear(dim, 1)

    def forward(self, parts: Tensor, mask: Tensor) -> Side:
        """Parts [n, n_parts, dim] and mask bool [n, n_parts] -> ``Side``."""
        about = self.mean(masked_mean(parts, mask)).tanh()[:, None]  # [n, 1, dim]
        logits = self.weigh(self.local(parts).tanh() * about)[..., 0].masked_fill(~mask, -torch.inf)
        return Side(parts, mask, normalize((logits.softmax(1)[:, None] @ parts)[:, 0], dim=-1))


@register_model(chapter="21", paper="diao2021sgraf", variants={"sgraf_filter": {"reasoning": "filter"}})
class SGRAF(Matching):
    """Regions, words of a GRU, a similarity vector per word, a graph or a filter over them; the largest hinge.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as: "regions", "oracle" or "grid".
        image_dim: numbers per region.
        embed_size: numbers per embedding (1024 in the paper); every pair and word costs as many times similarity_dim.
        similarity_dim: numbers per similarity vector (256 in the paper).
        word_dim: numbers per word (300 in the paper).
        sentence: "gru" or "bow".
        reasoning: "graph", the paper's SGR, or "filter", its SAF.
        steps: of the graph (3 in the paper).
        smooth: the inverse temperature of attention (9 in the paper).
        margin: of the hinge (0.2 in the paper).
        warmup: fraction of the run in which all hinges count.
    """

    feature_kind = "regions"
    pair_cost = "network"
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=3e-3, epochs=2, batch_size=32),
        # the graph on Flickr30K; the filter: 30 epochs, a tenth of the rate from the 20th on
        "paper": Recipe(
            40, drop_at=0.75, options={"embed_size": 1024, "similarity_dim": 256, "word_dim": 300, "warmup": 0.0}
        ),
    }

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        embed_size: Dimension = 64,
        similarity_dim: Dimension = 32,
        word_dim: Dimension = 64,
        sentence: Literal["gru", "bow"] = "gru",
        reasoning: Literal["graph", "filter"] = "graph",
        steps: PositiveInt = 3,
        smooth: PositiveFloat = 9.0,
        margin: Weight = 0.2,
        warmup: Fraction = 0.2,
    ):
        super().__init__(vocabulary, features)
        self.regions, self.image_whole = RegionProjection(image_dim, embed_size), Whole(embed_size)
        self.words = create_word_encoder(sentence, len(vocabulary), word_dim, embed_size)
        self.text_whole = Whole(embed_size)
        self.vectors = SimilarityVectors(embed_size, similarity_dim, smooth)
        graph = reasoning == "graph"
        self.reason = SimilarityGraph(similarity_dim, steps) if graph else SimilarityFilter(similarity_dim)
        self.judge = nn.Linear(similarity_dim, 1)
        self.loss_function = create_loss("max_of_hinges", margin=margin, warmup=warmup)

    def image_encoder(self, features: Tensor) -> Side:
        """Features [n_images, n_regions, image_dim] -> regions and the whole image."""
        regions = self.regions(features)
        return self.image_whole(regions, torch.ones(regions.shape[:2], dtype=torch.bool, device=regions.device))

    def text_encoder(self, ids: LongTensor, lengths: LongTensor) -> Side:
        """Word ids [n_captions, seq_len] and lengths [n_captions] -> words and the whole caption."""
        return self.text_whole(self.words(ids, lengths).words, word_mask(ids, lengths))

    def similarity(self, image_emb: Side, caption_emb: Side) -> Tensor:
        """S of every pair, [n_images, n_captions], in tiles of bounded size."""
        nodes, mask = self._nodes(caption_emb)
        numbers = nodes.shape[1] * max(nodes.shape[2], image_emb.parts.shape[1])
        return score_pairs_in_tiles(self._tile, (image_emb.parts, image_emb.whole), (nodes,), mask, numbers)

    def pair_similarity(self, image_emb: Side, caption_emb: Side) -> Tensor:
        """S of image 0 with caption 0, image 1 with caption 1 and so on: n of both -> [n]."""
        return self._judged(image_emb.parts, image_emb.whole, *self._nodes(caption_emb))

    def _nodes(self, caption_emb: Side) -> tuple[Tensor, Tensor]:
        """The whole caption, then its words, [n_captions, 1 + seq_len, dim], and which of them are there."""
        mask = caption_emb.mask
        nodes = torch.cat([caption_emb.whole[:, None], caption_emb.parts], 1)
        return nodes, torch.cat([torch.ones_like(mask[:, :1]), mask], 1)

    def _tile(self, regions: Tensor, image: Tensor, nodes: Tensor, mask: Tensor) -> Tensor:
        return self._judged(regions[:, None], image[:, None], nodes[None], mask[None])

    def _judged(self, regions: Tensor, image: Tensor, nodes: Tensor, mask: Tensor) -> Tensor:
        """Images and the nodes of captions, whose leading dimensions broadcast -> scores of pairs."""
        vectors = self.vectors(regions, image, nodes[..., 1:, :], nodes[..., 0, :])
        return self.judge(self.reason(vectors, mask))[..., 0].sigmoid()
