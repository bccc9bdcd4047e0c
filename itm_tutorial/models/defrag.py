"""DeFrag: regions of an image against typed word pairs of a caption, by a global and an alignment objective.

Karpathy, Joulin and Fei-Fei, "Deep Fragment Embeddings for Bidirectional Image Sentence Mapping", NIPS 2014,
https://arxiv.org/abs/1406.5679. An image fragment is v_r = W x_r + b for a region r; a sentence fragment is
s_w = relu(W_R [e_a; e_b] + b_R) for a relation R of a dependency tree, from head a to dependent b. With
d_rw = v_r . s_w,

    S(i, j)   = sum over regions r and fragments w of max(0, d_rw), divided by (n_w + n),
    global    = sum over i, j != i of [m + S(i, j) - S(i, i)]+  +  [m + S(j, i) - S(i, i)]+,
    alignment = sum over r, w of weight_rw [1 - y_rw d_rw]+      (``losses.fragment_alignment``),
    loss      = alignment + 0.5 global.

Left out: the detector and the whole image as one more region, word vectors that were trained before, momentum.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from itm_tutorial.data.options import Dimension, Dropout, Fraction, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.fragments import Fragments, RegionFragments, RelationFragments
from itm_tutorial.interaction.fragments import fragment_dots, scores_in_tiles, thresholded_scores
from itm_tutorial.losses.fragment_alignment import FragmentAlignment
from itm_tutorial.losses.ranking import SumOfHinges
from itm_tutorial.models._base import Batch, EpochState, FeatureSpec, Matching, Recipe
from itm_tutorial.models._parsed_words import ParsedWords
from itm_tutorial.models._registry import register_model


@register_model(
    chapter="11",
    paper="karpathy2014defrag",
    variants={"defrag_global": {"alignment_weight": 0.0}, "defrag_alignment": {"global_weight": 0.0}},
)
class DeFrag(Matching):
    """An affine map of each region, one embedding per dependency relation, thresholded dot products, two objectives.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as: "regions", "oracle", "grid" or "mirrored_grid".
        image_dim: numbers per region.
        parser: of captions: the name of a drawn world, or "spacy"; the corpus decides.
        embed_size: numbers per embedding (1000 in the authors' code).
        word_dim: numbers per word.
        margin: of the global objective (40 in the authors' code).
        smoothing: n, added to the number of fragments that divides the score (10 in the authors' code).
        alignment_weight: of the alignment objective; 0 leaves it out.
        global_weight: of the global objective (0.5 in the authors' code); 0 leaves it out.
        multiple_instance: False makes all regions of a fragment's own image positive.
        warmup: fraction of the run before the multiple-instance labels; the course's addition.
        dropout: the fraction of a feature's numbers that training hides.
    """

    feature_kind = "regions"
    pair_cost = "network"
    text_input = ParsedWords()
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=1e-3, epochs=6, batch_size=32),
        "paper": Recipe(epochs=20, batch_size=100, options={"embed_size": 1000, "margin": 40.0, "warmup": 0.0}),
    }

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        parser: str = "scenes",
        embed_size: Dimension = 256,
        word_dim: Dimension = 128,
        margin: Weight = 1.0,
        smoothing: Weight = 10.0,
        alignment_weight: Weight = 1.0,
        global_weight: Weight = 0.5,
        multiple_instance: bool = True,
        warmup: Fraction = 0.2,
        dropout: Dropout = 0.0,
    ):
        super().__init__(vocabulary, features)
        self.image_encoder = RegionFragments(image_dim, embed_size, dropout)
        self.text_encoder = RelationFragments(len(vocabulary), word_dim, embed_size)
        self.smoothing, self.weights = smoothing, {"alignment": alignment_weight, "global": global_weight}
        self.loss_function, self.alignment = SumOfHinges(margin), FragmentAlignment(multiple_instance, warmup)

    def pool(self, dots: Tensor, mask: Tensor) -> Tensor:
        """Dot products [n_images, n_regions, n_captions, seq_len] and mask -> scores [n_images, n_captions]."""
        return thresholded_scores(dots, mask, self.smoothing)

    def similarity(self, image_emb: Tensor, caption_emb: Fragments) -> Tensor:
        """Regions [n_images, n_regions, dim] and fragments -> scores [n_images, n_captions]."""
        return scores_in_tiles(image_emb, *caption_emb, self.pool)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """The two objectives, each with its weight."""
        vectors, mask = self.encode_captions(batch)
        dots = fragment_dots(self.encode_images(batch), vectors)  # [n_images, n_regions, n_captions, seq_len]
        parts = {
            "alignment": lambda: self.alignment(dots, batch.positives, mask),
            "global": lambda: self.loss_function(self.pool(dots, mask), batch.positives),
        }
        return {name: weight * parts[name]() for name, weight in self.weights.items() if weight}

    def on_epoch(self, state: EpochState) -> None:
        """Ends the warm-up of the alignment objective when its time has come."""
        self.alignment.on_epoch(state)

    def attention(self, image_emb: Tensor, caption_emb: Fragments) -> Tensor:
        """Each region's part in a fragment's positive dot products; if none is positive, 1 at the best region.

        Args:
            image_emb: [n_images, n_regions, dim].
            caption_emb: of n_captions captions.

        Returns:
            Weights [n_images, n_captions, n_regions, seq_len]; all 0 where there is no fragment.
        """
        dots = fragment_dots(image_emb, caption_emb.vectors)
        best = torch.zeros_like(dots).scatter_(1, dots.argmax(1, keepdim=True), 1.0)
        positive = dots.clamp(min=0)
        weights = torch.where((dots > 0).any(1, keepdim=True), positive, best)
        return (weights / weights.sum(1, keepdim=True) * caption_emb.mask).transpose(1, 2)
