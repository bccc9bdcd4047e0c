"""RVE (DP-RNN): the regions of an image are read by a recurrent network, in the order of the words that name them.

Chen and Luo, "Expressing Objects just like Words: Recurrent Visual Embedding for Image-Text Matching", AAAI 2020
(https://arxiv.org/abs/2002.08510). With regions o, words h of a bidirectional GRU, and per pair,

    o_r = (W x_r) * sigmoid(W' [width, height, centre])         the position multiplies
    a_w = softmax_w(beta W_w h_w),     P(r, w) = a_w (o_r . h_w)
    p_r = argmax_w P(r, w);  the regions, sorted by p_r, go through a bidirectional GRU, which gives new regions
    S   = sum over w of a_w cos(h_w, m_w),     m_w = attended new regions, as in SCAN

In training, only the 10 wrong images with the highest S_em = sum over r, w of P(r, w) go through the GRU per caption.
The same sum is a cheap shortlist for ``itm.rerank``; this use at test is ours. As in the paper, training begins without
the GRU. Left out: its second stage, which trains the GRU alone, and its second model, in which regions attend to words
and whose scores it averages with these.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import normalize

from itm_tutorial.data.options import Dimension, Fraction, PositiveInt, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.embeddings import pick
from itm_tutorial.encoders.text import word_mask
from itm_tutorial.encoders.weighted_words import WeightedWordGRU, WeightedWords
from itm_tutorial.interaction.reordered_regions import (
    OrderedGRU,
    region_order,
    shortlist_scores,
    weighted_dots,
    word_cosines,
)
from itm_tutorial.losses import create_loss
from itm_tutorial.models._base import Batch, EpochState, FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model

TILE = 2**22  # numbers of the sorted gate inputs that are in memory at once


@register_model(chapter="15", paper="chen2020rve", variants={"rve_no_rnn": {"order": "none"}})
class RVE(Matching):
    """Regions times position, sorted by their words, a GRU over them per pair, attention of words, weighted cosines.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as: "regions", "oracle" or "grid".
        image_dim: numbers per region.
        embed_size: numbers per embedding (1,024 in the paper).
        word_dim: numbers per word (300 in the paper).
        order: of the regions before the GRU: "words"; the paper's control "random", drawn for each pair; "given", as
            the detector gives them; or "none", without a GRU.
        score: "pairs", S; "shortlist", S_em, without the GRU.
        candidates: wrong images per caption that training scores.
        sharpness: beta, the inverse temperature of word weights.
        smooth: inverse temperature of attention.
        margin: of the hinge.
        loss: of the scores, a name in ``losses.LOSSES``.
        warmup: fraction of the run in which all hinges count.
        matching: fraction of the run, from its start, that trains without the GRU.
    """

    feature_kind = "regions"
    pair_cost = "network"
    reads_boxes = True
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=3e-3, epochs=4, batch_size=32),
        "paper": Recipe(options={"embed_size": 1024, "word_dim": 300, "warmup": 0.0}),
    }

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        embed_size: Dimension = 128,
        word_dim: Dimension = 128,
        order: Literal["words", "random", "given", "none"] = "words",
        score: Literal["pairs", "shortlist"] = "pairs",
        candidates: PositiveInt = 10,
        sharpness: Weight = 0.3,
        smooth: Weight = 9.0,
        margin: Weight = 0.2,
        loss: str = "max_of_hinges",
        warmup: Fraction = 0.2,
        matching: Fraction = 0.2,
    ):
        super().__init__(vocabulary, features)
        self.project, self.place = nn.Linear(image_dim, embed_size), nn.Linear(4, embed_size)  # W, W'
        self.text_encoder = WeightedWordGRU(len(vocabulary), word_dim, embed_size, sharpness)
        self.gru = OrderedGRU(embed_size)
        self.order, self.by, self.candidates, self.smooth = order, score, candidates, smooth
        self.matching, self.skips = matching, False
        self.loss_function = create_loss(loss, margin=margin, warmup=warmup)

    def on_epoch(self, state: EpochState) -> None:
        """Decides whether this epoch trains without the GRU."""
        self.skips = state.epoch < self.matching * state.epochs

    def image_encoder(self, features: Tensor, boxes: Tensor | None = None, confidence: Tensor | None = None) -> Tensor:
        """Features [n_images, n_regions, image_dim], and boxes if known -> o [n_images, n_regions, dim]."""
        # numbers of about 1, as raw features have: those of a unit vector are lost beside the biases of the GRU
        regions = self.project(normalize(features, dim=-1) * features.shape[-1] ** 0.5)
        if boxes is None:
            return regions
        low, high = boxes.to(regions).chunk(2, -1)
        return regions * self.place(torch.cat([high - low, (low + high) / 2], -1)).sigmoid()

    def scored(
        self, image_emb: Tensor, caption_emb: WeightedWords, image: LongTensor, caption: LongTensor
    ) -> tuple[Tensor, Tensor]:
        """Of pairs of indices [n_pairs]: S [n_pairs], and attention [n_pairs, n_regions, seq_len], regions as given."""
        inputs = self.gru.inputs(image_emb)
        real = word_mask(caption_emb.words[..., 0], caption_emb.lengths)
        side = max(1, TILE // max(1, inputs[0].numel()))
        made = []
        for i, c in zip(image.split(side), caption.split(side), strict=True):
            regions, (words, _, weights), mask = image_emb[i], pick(caption_emb, c), real[c]
            if self.order != "none" and not (self.training and self.skips):
                products = weighted_dots(regions, words, weights)
                regions = self.gru(inputs[i], region_order(self.order, products, mask, self.training))
            cosines, attention = word_cosines(regions, words, mask, self.smooth)
            made.append(((weights * cosines).sum(1), attention))
        return tuple(torch.cat(parts) for parts in zip(*made, strict=True))

    def similarity(self, image_emb: Tensor, caption_emb: WeightedWords) -> Tensor:
        """Regions and words -> [n_images, n_captions]: S, or S_em of a model with ``score="shortlist"``."""
        if self.by == "shortlist":
            return shortlist_scores(image_emb, caption_emb.words, caption_emb.weights)
        return self._all_pairs(image_emb, caption_emb, 0).view(len(image_emb), -1)

    def _all_pairs(self, image_emb: Tensor, caption_emb: WeightedWords, which: int) -> Tensor:
        n, m, device = len(image_emb), len(caption_emb.words), image_emb.device
        image, caption = torch.arange(n, device=device), torch.arange(m, device=device)
        return self.scored(image_emb, caption_emb, image.repeat_interleave(m), caption.repeat(n))[which]

    def attention(self, image_emb: Tensor, caption_emb: WeightedWords) -> Tensor:
        """[n_images, n_captions, n_regions, seq_len]; for each word it sums to one over the regions, as they came."""
        return self._all_pairs(image_emb, caption_emb, 1).unflatten(0, (len(image_emb), len(caption_emb.words)))

    def pair_similarity(self, image_emb: Tensor, caption_emb: WeightedWords) -> Tensor:
        """Image 0 with caption 0, image 1 with caption 1 and so on: S [n]."""
        return self.scored(image_emb, caption_emb, *2 * [torch.arange(len(image_emb), device=image_emb.device)])[0]

    def loss(self, batch: Batch) -> Tensor:
        """The hinge over positive pairs and, per caption, the wrong images with the highest S_em."""
        image_emb, caption_emb = self.encode_images(batch), self.encode_captions(batch)
        cheap = shortlist_scores(image_emb, caption_emb.words, caption_emb.weights).detach()
        best = cheap.masked_fill(batch.positives, -torch.inf).topk(min(self.candidates, len(cheap)), 0).indices
        chosen = batch.positives | torch.zeros_like(cheap, dtype=torch.bool).scatter(0, best, True)
        image, caption = chosen.nonzero(as_tuple=True)
        found, _ = self.scored(image_emb, caption_emb, image, caption)
        scores = found.new_full(chosen.shape, -torch.inf).index_put((image, caption), found)
        return self.loss_function(scores, batch.positives)
