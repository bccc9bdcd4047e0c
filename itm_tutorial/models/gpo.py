"""VSE-infinity: region and word vectors are pooled by a learned operator that contains the mean and the maximum.

Chen, Hu, Wu, Jiang and Wang, "Learning the Best Pooling Strategy for Visual Semantic Embedding", CVPR 2021,
https://arxiv.org/abs/2011.04305. Each number i of the N vectors of a set is sorted by itself, largest first:

    v_i = sum_k theta_k x_(k),i,   theta = softmax_k(w . h_k / 0.1),   sum_k theta_k = 1,

where h_k comes from a bidirectional GRU over positions: theta depends on k and N alone. theta_k = 1/N is the mean, and
theta = (1, 0, ..., 0) the maximum. In training, regions and words are left out at random, so that N varies.

Left out: BERT and trained image networks; grid cells dropped in 80 % of the images; words that are replaced or masked
(they are only removed). The temperature 0.1 and the linear layer w are in the public code; the paper has an MLP.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import normalize

from itm_tutorial.data.options import Dimension, Dropout, Fraction, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.pooling import create_pooling, leave_out
from itm_tutorial.encoders.text import create_word_encoder, word_mask
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.losses import create_loss
from itm_tutorial.models._base import FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model


class PooledRegions(nn.Module):
    """A linear map plus a network of two layers per region, then pooling.

    Args:
        in_dim: numbers per region's feature.
        dim: numbers per embedding.
        pooling: a name in ``encoders.pooling.POOLINGS``.
        fraction: of the regions that training leaves out.
    """

    def __init__(self, in_dim: int, dim: int, pooling: str, fraction: float):
        super().__init__()
        self.linear, self.fraction = nn.Linear(in_dim, dim), fraction
        self.network = nn.Sequential(nn.Linear(in_dim, dim // 2), nn.ReLU(), nn.Linear(dim // 2, dim))
        self.pool = create_pooling(pooling, dim)

    def forward(self, features: Tensor) -> Tensor:
        """Features [n_images, n_regions, in_dim] -> unit vectors [n_images, dim]."""
        features = normalize(features, dim=-1)
        mask = torch.ones(features.shape[:2], dtype=torch.bool, device=features.device)
        if self.training and self.fraction:
            mask = leave_out(mask, self.fraction)
        return normalize(self.pool(self.linear(features) + self.network(features), mask), dim=-1)


class PooledWords(nn.Module):
    """States of words, then pooling; in training some words are removed before they are read.

    Args:
        sentence: "gru" or "bow".
        n_words: words in the vocabulary.
        word_dim: numbers per word.
        dim: numbers per embedding.
        pooling: a name in ``encoders.pooling.POOLINGS``.
        fraction: of the words that training removes.
    """

    def __init__(self, sentence: str, n_words: int, word_dim: int, dim: int, pooling: str, fraction: float):
        super().__init__()
        self.states, self.fraction = create_word_encoder(sentence, n_words, word_dim, dim, unit=False), fraction
        self.pool = create_pooling(pooling, dim)

    def forward(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Word ids [n_captions, seq_len] and lengths [n_captions] -> unit vectors [n_captions, dim]."""
        mask = word_mask(ids, lengths)
        if self.training and self.fraction:
            kept = leave_out(mask, self.fraction)
            order = (~kept).long().argsort(dim=1, stable=True)  # the words that stay move up, in their order
            ids = ids.gather(1, order) * kept.gather(1, order)
            lengths = kept.sum(1).cpu()
            mask = word_mask(ids, lengths)
        return normalize(self.pool(self.states(ids, lengths).words, mask), dim=-1)


@register_model(
    chapter="21",
    paper="chen2021gpo",
    variants={
        "gpo_mean": {"image_pooling": "mean", "text_pooling": "mean"},
        "gpo_max": {"image_pooling": "max", "text_pooling": "max"},
    },
)
class GPO(Matching):
    """Regions and words of a GRU, each pooled by a learned operator; cosine; the largest hinge.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as: "regions", "oracle" or "grid".
        image_dim: numbers per region.
        embed_size: numbers per embedding (1024 in the paper).
        word_dim: numbers per word (300 in the paper).
        sentence: "gru" or "bow".
        image_pooling: "gpo", "mean", "max", or "attention": a weighted mean whose weights depend on the vectors.
        text_pooling: the same for words.
        drop_regions: the fraction of regions that training leaves out (0.2 in the paper).
        drop_words: the fraction of words that training removes.
        margin: of the hinge (0.2 in the paper).
        warmup: fraction of the run in which all hinges count (one epoch of 25 in the paper; short runs need more).
    """

    feature_kind = "regions"
    similarity = staticmethod(cosine)
    # the paper: AdamW; the sum of hinges in the first epoch
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=1e-3, epochs=8, batch_size=64, drop_at=0.6),
        "paper": Recipe(25, 128, 5e-4, 0.6, options={"embed_size": 1024, "word_dim": 300, "warmup": 0.04}),
    }

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        embed_size: Dimension = 256,
        word_dim: Dimension = 128,
        sentence: Literal["gru", "bow"] = "gru",
        image_pooling: Literal["gpo", "mean", "max", "attention"] = "gpo",
        text_pooling: Literal["gpo", "mean", "max", "attention"] = "gpo",
        drop_regions: Dropout = 0.2,
        drop_words: Dropout = 0.2,
        margin: Weight = 0.2,
        warmup: Fraction = 0.5,
    ):
        super().__init__(vocabulary, features)
        self.image_encoder = PooledRegions(image_dim, embed_size, image_pooling, drop_regions)
        words = (len(vocabulary), word_dim, embed_size)
        self.text_encoder = PooledWords(sentence, *words, text_pooling, drop_words)
        self.loss_function = create_loss("max_of_hinges", margin=margin, warmup=warmup)
