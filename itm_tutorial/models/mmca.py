"""MMCA: the cosine of each side by itself, and a small part of the cosine after attention over both sides together.

Wei, Zhang, Li, Zhang and Wu, "Multi-Modality Cross Attention Network for Image and Sentence Matching", CVPR 2020. With
R the projected regions and E the words,

    i_0 = unit( mean( transformer(R) ) ),        c_0 = unit( W max over positions of relu(convolutions(E)) ),
    R', E' = transformer([R; E]),                i_1 from R' and c_1 from E' by poolings of their own,
    S = i_0 . c_0 + alpha i_1 . c_1,             alpha = 0.2; loss: hinge against the hardest negative, margin 0.2.

The second term costs a transformer per pair. It differs by at most 2 alpha between two pairs, so that i_0 . c_0 makes a
shortlist on which S is computed (``rerank``). Left out: BERT, which the paper keeps frozen (here a bidirectional GRU is
trained), and its 16 heads.
"""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

import torch
from torch import LongTensor, Tensor
from torch.nn.functional import normalize

from itm_tutorial.data.options import Dimension, Fraction, PositiveInt, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.image import RegionProjection
from itm_tutorial.encoders.text import WordGRU, word_mask
from itm_tutorial.errors import ItmError
from itm_tutorial.interaction.joint_attention import ConvolutionMax, Joined, JointUnit
from itm_tutorial.losses import create_loss
from itm_tutorial.models._base import FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model

MOST = 2**22  # numbers of a tile of pairs


class ImageSide(NamedTuple):
    """Images: R, [n_images, n_regions, dim], and i_0, [n_images, dim]."""

    regions: Tensor
    code: Tensor


class CaptionSide(NamedTuple):
    """Captions: E, [n_captions, seq_len, dim], bool mask [n_captions, seq_len], and c_0, [n_captions, dim]."""

    words: Tensor
    mask: Tensor
    code: Tensor


@register_model(chapter="15", paper="wei2020mmca", variants={"mmca_within": {"alpha": 0.0}})
class MMCA(Matching):
    """A transformer unit and a pooling per side, another unit over both sides, and the weighted sum of two cosines.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as: "regions", "oracle", "grid" or "mirrored_grid".
        image_dim: numbers per region.
        embed_size: numbers per token and per embedding (256 in the paper).
        word_dim: numbers per word.
        heads: of both units (16 in the paper).
        hidden: numbers of the hidden layer of a unit.
        filters: convolutions of each width (256 in the paper).
        alpha: weight of i_1 . c_1; 0 leaves the unit over both sides out.
        cross: "joint"; "own", a control: no token of the second unit sees the other side.
        margin: of the hinge (0.2 in the paper).
        warmup: fraction of the run in which all hinges count; 0 as published.
    """

    feature_kind = "regions"
    pair_cost = "network"
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=2e-3, epochs=4, batch_size=32),
        "paper": Recipe(
            epochs=20, batch_size=64, options={"embed_size": 256, "heads": 16, "filters": 256, "warmup": 0.0}
        ),
    }

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        embed_size: Dimension = 64,
        word_dim: Dimension = 128,
        heads: PositiveInt = 4,
        hidden: Dimension = 64,
        filters: Dimension = 32,
        alpha: Weight = 0.2,
        cross: Literal["joint", "own"] = "joint",
        margin: Weight = 0.2,
        warmup: Fraction = 0.2,
    ):
        super().__init__(vocabulary, features)
        if embed_size % heads:
            raise ItmError(f"embed_size is {embed_size} and heads {heads}: give heads that divide embed_size")
        self.alpha, self.cross = alpha, cross
        self.regions = RegionProjection(image_dim, embed_size)
        self.words = WordGRU(len(vocabulary), word_dim, embed_size)
        self.within = JointUnit(embed_size, heads, hidden)
        self.pool = ConvolutionMax(embed_size, filters)
        if alpha:
            self.both, self.pool_both = JointUnit(embed_size, heads, hidden), ConvolutionMax(embed_size, filters)
        self.loss_function = create_loss("max_of_hinges", margin=margin, warmup=warmup)

    def image_encoder(self, features: Tensor) -> ImageSide:
        """Features [n_images, n_regions, image_dim] -> ``ImageSide``."""
        regions = self.regions(features)
        return ImageSide(regions, normalize(self.within(regions).mean(1), dim=-1))

    def text_encoder(self, ids: LongTensor, lengths: LongTensor) -> CaptionSide:
        """Ids [n_captions, seq_len] and lengths -> ``CaptionSide``."""
        words, mask = self.words(ids, lengths).words, word_mask(ids, lengths)
        return CaptionSide(words, mask, normalize(self.pool(words, mask), dim=-1))

    def join(self, image_emb: ImageSide, caption_emb: CaptionSide) -> Joined:
        """The second unit, over dimensions in front that are broadcast; see ``JointUnit.joint``."""
        return self.both.joint(image_emb.regions, caption_emb.words, caption_emb.mask, self.cross == "joint")

    def scores(self, image_emb: ImageSide, caption_emb: CaptionSide) -> Tensor:
        """S over dimensions in front that are broadcast, such as [n_images, 1] and [n_captions]."""
        scores = (image_emb.code * caption_emb.code).sum(-1)
        if not self.alpha:
            return scores
        joined = self.join(image_emb, caption_emb)
        i_1 = normalize(joined.regions.mean(-2), dim=-1)
        c_1 = normalize(self.pool_both(joined.words, caption_emb.mask), dim=-1)
        return scores + self.alpha * (i_1 * c_1).sum(-1)

    def similarity(self, image_emb: ImageSide, caption_emb: CaptionSide) -> Tensor:
        """S of all pairs, [n_images, n_captions], in tiles of bounded memory."""
        if not self.alpha:
            return image_emb.code @ caption_emb.code.T
        tokens, dim = image_emb.regions.shape[1] + caption_emb.words.shape[1], caption_emb.code.shape[1]
        side = max(1, int((MOST / (tokens * (10 * dim + self.both.heads * tokens))) ** 0.5))
        columns = [CaptionSide(*part) for part in zip(*(part.split(side) for part in caption_emb), strict=True)]
        rows = [ImageSide(*(part[:, None] for part in some)) for some in _split(image_emb, side)]
        return torch.cat([torch.cat([self.scores(row, column) for column in columns], 1) for row in rows])

    def pair_similarity(self, image_emb: ImageSide, caption_emb: CaptionSide) -> Tensor:
        """Image 0 with caption 0, image 1 with caption 1 and so on: scores [n]."""
        return self.scores(image_emb, caption_emb)

    def attention(self, image_emb: ImageSide, caption_emb: CaptionSide) -> Tensor:
        """Weights of words over regions in the second unit, a mean over heads; the rest is on other words.

        Args:
            image_emb: of n_images images.
            caption_emb: of n_captions captions.

        Returns:
            [n_images, n_captions, n_regions, seq_len]; 0 where there is no word.

        Raises:
            ItmError: the model has no second unit.
        """
        if not self.alpha:
            raise ItmError("this model has no attention over both sides: make it with an alpha above 0")
        joined = self.join(ImageSide(*(part[:, None] for part in image_emb)), caption_emb)
        return joined.attention * caption_emb.mask[:, None]


def _split(image_emb: ImageSide, side: int) -> list[ImageSide]:
    return [ImageSide(*part) for part in zip(*(part.split(side) for part in image_emb), strict=True)]
