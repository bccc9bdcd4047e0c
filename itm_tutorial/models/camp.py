"""CAMP: regions and words exchange messages, gates decide how much of them counts, and a network judges the fused pair.

Wang, Liu, Li, Sheng, Yan, Wang and Shao, "CAMP: Cross-Modal Adaptive Message Passing for Text-Image Retrieval", ICCV
2019, https://arxiv.org/abs/1909.05506. For regions v_r, words h_w and A_rw = (W_v v_r) . (W_t h_w) / sqrt(d):

    t_r  = sum_w softmax_w(A_rw) h_w                     the message that a region gets; words get theirs alike
    g_r  = sigmoid(v_r * t_r)                            a gate per number
    v'_r = F_v(g_r * (v_r + t_r)) + v_r                  F: a linear layer and a relu
    v    = sum_r softmax_r(w . v'_r / sqrt(d)) v'_r      t likewise from the words
    m    = sigmoid(MLP(v + t)),   S = MLP(v + t)         scores are logits, so that large ones do not become ties

``camp`` is this, the paper's text. ``camp_scalar`` has the fusion of the authors' code: one gate per region or word,
of the message at unit length, and [v; t] in place of the sum; see ``interaction.message_passing``. The loss is the
cross-entropy of ``losses.hardest_bce``; ``camp_easiest`` has the printed one, which takes the easiest negatives.

From a cold start this loss may stay where all m are 1/2. So the first epochs train the cosine of the mean region and
the mean word, as the authors' first stage does, and the next ones count all negatives, which is ours. Left out, all
from the code alone: separate maps A per side, self-attention in messages, pooling with four heads, concatenation.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from itm_tutorial.data.options import Dimension, Dropout, Fraction, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.image import RegionProjection
from itm_tutorial.encoders.text import Words, create_word_encoder, masked_mean, word_mask
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.interaction.message_passing import AttentivePooling, ScalarGate, VectorGate
from itm_tutorial.interaction.pair_tiles import score_pairs_in_tiles
from itm_tutorial.losses.hardest_bce import HardestNegativeBCE
from itm_tutorial.losses.ranking import SumOfHinges
from itm_tutorial.models._base import Batch, EpochState, FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model


@register_model(
    chapter="15",
    paper="wang2019camp",
    variants={"camp_scalar": {"gate": "scalar"}, "camp_easiest": {"negatives": "easiest"}},
)
class CAMP(Matching):
    """Messages by attention, gated fusion, attentive pooling, a two-layer network, hardest-negative cross-entropy.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as: "regions", "oracle" or "grid".
        image_dim: numbers per region.
        embed_size: numbers per region and word (1024 in the paper).
        word_dim: numbers per word vector (300 in the paper).
        gate: "vector", the paper's; "scalar", the code's; or "none", a control: all gates are 1.
        negatives: of the loss, "hardest" or "easiest".
        margin: of the hinge on cosines in the first epochs.
        warmup: fraction of the run that trains cosines alone.
        all_negatives: fraction of the run, from its start, in which the mean over all negatives takes the place of one.
        sentence: "gru" as published, or "bow".
        dropout: the fraction of a feature's numbers that training hides.
    """

    feature_kind = "regions"
    pair_cost = "network"
    # the paper: Adam with 2e-4 for 15 epochs, then 2e-5 for 25
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=4e-3, epochs=6, batch_size=32),
        "paper": Recipe(
            epochs=40, drop_at=0.375, options={"embed_size": 1024, "word_dim": 300, "warmup": 0.0, "all_negatives": 0.0}
        ),
    }

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        embed_size: Dimension = 128,
        word_dim: Dimension = 128,
        gate: Literal["vector", "scalar", "none"] = "vector",
        negatives: Literal["hardest", "easiest"] = "hardest",
        margin: Weight = 0.2,
        warmup: Fraction = 0.2,
        all_negatives: Fraction = 0.5,
        sentence: Literal["gru", "bow"] = "gru",
        dropout: Dropout = 0.0,
    ):
        super().__init__(vocabulary, features)
        self.image_encoder = RegionProjection(image_dim, embed_size, dropout, unit=False)
        self.text_encoder = create_word_encoder(sentence, len(vocabulary), word_dim, embed_size, unit=False)
        self.of_regions, self.of_words = (nn.Linear(embed_size, embed_size, bias=False) for _ in range(2))  # W_v, W_t
        sides = (ScalarGate(embed_size) if gate == "scalar" else VectorGate(embed_size, gate != "none") for _ in "vt")
        self.fuse_regions, self.fuse_words = sides
        self.pool_regions, self.pool_words = AttentivePooling(embed_size), AttentivePooling(embed_size)
        self.head = nn.Sequential(nn.Linear(embed_size, embed_size), nn.ReLU(), nn.Linear(embed_size, 1))
        self.warmup, self.warms_up = warmup, False
        self.cosine_loss, self.loss_function = SumOfHinges(margin), HardestNegativeBCE(negatives, all_negatives)

    def on_epoch(self, state: EpochState) -> None:
        """Decides whether this epoch trains cosines alone."""
        self.warms_up = state.epoch < self.warmup * state.epochs

    def messages(self, regions: Tensor, words: Tensor, mask: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """What both fusions get: items, items of the other side, attention; for regions, then for words."""
        a = (self.of_regions(regions)[:, None] @ self.of_words(words).mT) / regions.shape[2] ** 0.5  # [n, m, r, w]
        v, h = regions[:, None], words[None]
        return (v, h, a.masked_fill(~mask[:, None], -torch.inf).softmax(3)), (h, v, a.softmax(2).mT)

    def similarity(self, image_emb: Tensor, caption_emb: Words) -> Tensor:
        """Regions [n_images, n_regions, dim] and words -> logits [n_images, n_captions]."""
        words, mask = caption_emb.words, word_mask(caption_emb.words[..., 0], caption_emb.lengths)
        numbers = max(image_emb.shape[1], words.shape[1]) * words.shape[2]
        return score_pairs_in_tiles(self._tile, (image_emb,), (words,), mask, numbers)

    def _tile(self, regions: Tensor, words: Tensor, mask: Tensor) -> Tensor:
        of_regions, of_words = self.messages(regions, words, mask)
        v = self.pool_regions(self.fuse_regions(*of_regions))  # [n, m, dim]
        t = self.pool_words(self.fuse_words(*of_words), mask)
        return self.head(v + t).squeeze(2)

    def gates(self, image_emb: Tensor, caption_emb: Words) -> Tensor:
        """The mean gate of each pair over regions, words and numbers, [n_images, n_captions]; of a model with gates."""
        words, mask = caption_emb.words, word_mask(caption_emb.words[..., 0], caption_emb.lengths)

        def tile(regions: Tensor, words: Tensor, mask: Tensor) -> Tensor:
            of_regions, of_words = self.messages(regions, words, mask)
            of_words = self.fuse_words.gate(*of_words).mean(3).masked_fill(~mask, 0).sum(2)  # [n, m]
            of_regions = self.fuse_regions.gate(*of_regions).mean(3).sum(2)
            return (of_regions + of_words) / (regions.shape[1] + mask.sum(1))

        numbers = max(image_emb.shape[1], words.shape[1]) * words.shape[2]
        return score_pairs_in_tiles(tile, (image_emb,), (words,), mask, numbers)

    def pooled_cosine(self, image_emb: Tensor, caption_emb: Words) -> Tensor:
        """cos(mean region, mean word) [n_images, n_captions]: a cheap score, and what the first epochs train."""
        mask = word_mask(caption_emb.words[..., 0], caption_emb.lengths)
        return cosine(normalize(image_emb.mean(1), dim=1), normalize(masked_mean(caption_emb.words, mask), dim=1))

    def attention(self, image_emb: Tensor, caption_emb: Words) -> Tensor:
        """Weights of the regions in each word's message [n_images, n_captions, n_regions, seq_len]; zero at padding."""
        words, mask = caption_emb.words, word_mask(caption_emb.words[..., 0], caption_emb.lengths)
        return self.messages(image_emb, words, mask)[1][2].mT.masked_fill(~mask[:, None], 0)

    def loss(self, batch: Batch) -> Tensor:
        """The cross-entropy of positive pairs and their hardest negatives; in the first epochs a hinge on cosines."""
        image_emb, caption_emb = self.encode_images(batch), self.encode_captions(batch)
        if self.warms_up:
            return self.cosine_loss(self.pooled_cosine(image_emb, caption_emb), batch.positives)
        return self.loss_function(self.similarity(image_emb, caption_emb), batch.positives)
