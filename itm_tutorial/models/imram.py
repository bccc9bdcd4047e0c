"""IMRAM: attend, let a gated memory refine the query, attend again, and add up the scores of all steps.

Chen, Ding, Liu, Lin, Liu and Han, "IMRAM: Iterative Matching with Recurrent Attention Memory for Cross-Modal
Image-Text Retrieval", CVPR 2020, https://arxiv.org/abs/2003.03772. Equations 3 to 12, for queries q and keys k of the
other side, both of unit length, and x = q at the first step:

    z_ij  = cos(x_i, k_j),   zn_ij = relu(z_ij) / |relu(z_.j)|          the length is taken over the queries i
    alpha = softmax_j(lambda zn_ij),   c_i = sum_j alpha_ij k_j
    g     = sigmoid(W_g [x; c] + b_g),   o = tanh(W_o [x; c] + b_o),   x* = g x + (1 - g) o    the next query
    F_k   = mean_i cos(q_i, c_i)                                         with the original q_i, not with x_i
    S     = F_1 + ... + F_K

"t2i" has words as queries (the paper's Text-IMRAM), "i2t" regions (Image-IMRAM), "both" adds the two, each with a
memory of its own. S is a sum of K scores (2 K for "both"), and the margin applies to this sum. With x* = x it would be
K F_1: the same ranking, trained as with a K-th of the margin. Any comparison of K needs that control.

The authors' code differs: a leaky relu; by the options of both scripts, products with x of any length in place of
cosines from the second step on; and an update after the last step, which nothing reads. Left out: the other memory
units that the paper tries.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor, nn

from itm_tutorial.data.options import Count, Dimension, Dropout, Fraction, PositiveInt, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.image import RegionProjection
from itm_tutorial.encoders.text import Words, create_word_encoder, word_mask
from itm_tutorial.interaction.pair_tiles import score_pairs_in_tiles
from itm_tutorial.interaction.recurrent_attention import Memory, Steps, recurrent_attention
from itm_tutorial.losses import create_loss
from itm_tutorial.models._base import FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model


@register_model(
    chapter="15",
    paper="chen2020imram",
    variants={"imram_i2t": {"direction": "i2t"}, "imram_both": {"direction": "both"}, "imram_k2": {"steps": 2}},
)
class IMRAM(Matching):
    """One embedding per region, one per word from a bidirectional GRU, recurrent attention, the largest hinge.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as: "regions", "oracle", "grid" or "mirrored_grid".
        image_dim: numbers per region.
        embed_size: numbers per embedding (1024 in the paper).
        word_dim: numbers per word (300 in the paper).
        direction: "t2i", words attend to regions; "i2t", regions attend to words; "both", the sum of the two.
        steps: K (3 in the paper).
        memory: "gate" as above; "none", a control: the query stays as it is, so that all steps are the same.
        smooth: lambda (9 or 11 in the authors' code).
        margin: of the hinge on S, the sum over steps (0.2 in the paper).
        sentence: "gru" as published, or "bow".
        loss: another loss in place of the largest hinge.
        warmup: fraction of the run in which all hinges count; 0 as published.
        dropout: the fraction of a feature's numbers that training hides.
        sample: regions of an image that a training step draws; 0 takes all.
    """

    feature_kind = "regions"
    pair_cost = "network"
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=6e-3, epochs=5, batch_size=32),
        "flickr8k": Recipe(
            epochs=15,
            features="mirrored_grid",
            options={"embed_size": 256, "word_dim": 300, "sample": 16, "dropout": 0.5},
        ),
        "paper": Recipe(epochs=20, learning_rate=5e-4, options={"embed_size": 1024, "word_dim": 300, "warmup": 0.0}),
    }

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        embed_size: Dimension = 256,
        word_dim: Dimension = 128,
        direction: Literal["t2i", "i2t", "both"] = "t2i",
        steps: PositiveInt = 3,
        memory: Literal["gate", "none"] = "gate",
        smooth: Weight = 9.0,
        margin: Weight = 0.2,
        sentence: Literal["gru", "bow"] = "gru",
        loss: str = "max_of_hinges",
        warmup: Fraction = 0.2,
        dropout: Dropout = 0.0,
        sample: Count = 0,
    ):
        super().__init__(vocabulary, features)
        self.image_encoder = RegionProjection(image_dim, embed_size, dropout, sample=sample)
        self.text_encoder = create_word_encoder(sentence, len(vocabulary), word_dim, embed_size)
        self.ways = ("t2i", "i2t") if direction == "both" else (direction,)
        self.steps, self.smooth = steps, smooth
        remembers = memory == "gate" and steps > 1
        self.memories = nn.ModuleDict({way: Memory(embed_size) for way in self.ways if remembers})
        self.loss_function = create_loss(loss, margin=margin, warmup=warmup)

    def attend(self, way: str, regions: Tensor, words: Tensor, mask: Tensor) -> Steps:
        """All steps in one direction: regions [n, n_regions, dim], words [m, seq_len, dim], mask bool [m, seq_len]."""
        memory = self.memories[way] if self.memories else None
        sides = (words, regions, mask, None) if way == "t2i" else (regions, words, None, mask)
        return recurrent_attention(*sides, self.steps, self.smooth, memory)

    def step_scores(self, image_emb: Tensor, words: Tensor, mask: Tensor) -> Tensor:
        """F_k of every step: regions, words and mask as in ``attend`` -> [steps, n, m]."""
        found = []
        for way in self.ways:
            cosines = self.attend(way, image_emb, words, mask).cosines  # [steps, n, m, seq_len], or [steps, m, n, ..]
            means = cosines.masked_fill(~mask, 0).sum(3) / mask.sum(1) if way == "t2i" else cosines.mean(3).mT
            found.append(means)
        return sum(found)

    def similarity(self, image_emb: Tensor, caption_emb: Words) -> Tensor:
        """Regions [n_images, n_regions, dim] and words -> S [n_images, n_captions], a sum over steps."""
        words, mask = caption_emb.words, word_mask(caption_emb.words[..., 0], caption_emb.lengths)
        n_regions, seq_len = image_emb.shape[1], words.shape[1]
        # of a pair, the tile holds all products, and what the memory makes of every query
        queries = max(seq_len if way == "t2i" else n_regions for way in self.ways)
        numbers = max(n_regions * seq_len, queries * 2 * words.shape[2] * bool(self.memories))

        def tile(*parts: Tensor) -> Tensor:
            return self.step_scores(*parts).sum(0)

        return score_pairs_in_tiles(tile, (image_emb,), (words,), mask, numbers)

    def attention(self, image_emb: Tensor, caption_emb: Words, step: int = -1) -> Tensor:
        """Attention weights of one step, in the first of the model's directions.

        Args:
            image_emb: [n_images, n_regions, dim].
            caption_emb: of n_captions captions.
            step: from 0; by default the last one.

        Returns:
            Weights [n_images, n_captions, n_regions, seq_len]; zero where there is no word.
        """
        words, mask = caption_emb.words, word_mask(caption_emb.words[..., 0], caption_emb.lengths)
        weights = self.attend(self.ways[0], image_emb, words, mask).attention[step]
        weights = weights.transpose(1, 2) if self.ways[0] == "t2i" else weights.permute(2, 0, 3, 1)
        return weights.masked_fill(~mask[None, :, None], 0)
