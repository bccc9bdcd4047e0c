"""HOAD, in the spirit of: match phrases with regions, and rank down images that show much that no phrase asks for.

After the abstract of Li, Zhang and Mu, "Visual-Semantic Matching by Exploring High-Order Attention and Distraction",
CVPR 2020 (https://pkumyd.github.io/paper/CVPR2020_LYZ.pdf). The paper attends between scene graphs of both sides, whose
nodes are objects, attributes and relations, fuses local with global features, and re-ranks images by an
information-theoretic measure of visual distraction. Its formulas were not readable to us; the forms below are ours:

    S_local = mean over phrases p of cos(p, attended regions),     S = (S_local + cos(mean region, caption)) / 2,
    asked_r = max_p [cos(v_r, p)]+,     S - lambda * sum over r of pi_r (1 - asked_r)        re-ranking, at test alone

with pi_r the prominence of region r. A phrase is a thing with its attributes, which stands for the paper's pairs of
object and attribute. The penalty is ``retrieval.corrections.subtract_distraction``. It is for ranking images: it asks
what the image shows beside the caption. Left out: scene graphs, their convolution, and triples with a relation.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn.functional import normalize

from itm_tutorial.data.options import Dimension, Fraction, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.image import RegionProjection
from itm_tutorial.encoders.phrases import PhraseEncoder, Phrases
from itm_tutorial.interaction.stacked_cross import stacked_cross_attention
from itm_tutorial.losses import create_loss
from itm_tutorial.models._base import FeatureSpec, Matching, Recipe
from itm_tutorial.models._parsed_words import ParsedWords
from itm_tutorial.models._registry import register_model

MOST = 2**22  # cosines of regions and phrases that are in memory at a time


@register_model(chapter="15", paper="li2020hoad", variants={"hoad_local": {"global_weight": 0.0}})
class HOAD(Matching):
    """Phrases attend to regions; the mean region is compared with the caption; ``asked`` serves the penalty.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as: "regions", "oracle" or "grid".
        image_dim: numbers per region.
        parser: of the captions; chosen by the corpus.
        embed_size: numbers per embedding.
        word_dim: numbers per word.
        sentence: "gru", or "bow": a bag of words.
        global_weight: of the cosine of both sides as a whole, against phrases and regions.
        smooth: inverse temperature of attention.
        margin: of the hinge.
        loss: of the scores, a name in ``losses.LOSSES``.
        warmup: fraction of the run in which all hinges count.
    """

    feature_kind = "regions"
    pair_cost = "network"
    text_input = ParsedWords()
    recipes: ClassVar[dict[str, Recipe]] = {"drawn": Recipe(learning_rate=6e-3, epochs=5, batch_size=32)}

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        parser: str = "scenes",
        embed_size: Dimension = 256,
        word_dim: Dimension = 128,
        sentence: Literal["gru", "bow"] = "bow",
        global_weight: Fraction = 0.5,
        smooth: Weight = 9.0,
        margin: Weight = 0.2,
        loss: str = "max_of_hinges",
        warmup: Fraction = 0.2,
    ):
        super().__init__(vocabulary, features)
        self.image_encoder = RegionProjection(image_dim, embed_size)
        self.text_encoder = PhraseEncoder(sentence, len(vocabulary), word_dim, embed_size)
        self.global_weight, self.smooth = global_weight, smooth
        self.loss_function = create_loss(loss, margin=margin, warmup=warmup)

    def phrase_scores(self, image_emb: Tensor, caption_emb: Phrases) -> Tensor:
        """cos(v_r, p): regions [n_images, n_regions, dim] -> [n_images, n_captions, n_regions, n_phrases]."""
        return image_emb[:, None] @ caption_emb.phrases.mT

    def similarity(self, image_emb: Tensor, caption_emb: Phrases) -> Tensor:
        """Regions [n_images, n_regions, dim] and phrases -> scores [n_images, n_captions], without the penalty."""
        counts = caption_emb.mask.sum(1)  # phrases stand first, padding last
        local = stacked_cross_attention(image_emb, caption_emb.phrases, counts, "t2i", self.smooth, rectifier="plain")
        whole = normalize(image_emb.mean(1), dim=-1) @ caption_emb.caption.T
        return (1 - self.global_weight) * local + self.global_weight * whole

    def asked(self, image_emb: Tensor, caption_emb: Phrases) -> Tensor:
        """How much each caption asks for each region.

        Args:
            image_emb: unit vectors [n_images, n_regions, dim].
            caption_emb: of n_captions captions.

        Returns:
            [n_images, n_captions, n_regions], from 0 to 1.
        """
        each = image_emb.shape[1] * max(1, caption_emb.mask.numel())
        tiles = [self._asked(some, caption_emb) for some in image_emb.split(max(1, MOST // each))]
        return torch.cat(tiles)

    def _asked(self, regions: Tensor, captions: Phrases) -> Tensor:
        cosines = self.phrase_scores(regions, captions).masked_fill(~captions.mask[:, None], 0)
        return cosines.amax(3).clamp(0, 1)
