"""ADAPT: a caption scales and shifts every region, each channel picks its regions, and the mean is compared.

Wehrmann, Kolling and Barros, "Adaptive Cross-modal Embeddings for Image-Text Alignment", AAAI 2020,
https://ojs.aaai.org//index.php/AAAI/article/view/6915. With a caption t, the mean of its word states:

    gamma = W_g t + b_g,   beta = W_b t + b_b,   n_r = BN(W v_r)       batch normalisation without scale and shift
    x_r   = n_r * (1 + gamma) + beta                                    1 + gamma as in the authors' code
    m     = softmax_r(lambda x_r), per channel                          the "fovea"
    S     = cos(mean_r(m_r * x_r), t)

"t2i" is this; "i2t" swaps the roles: the image scales and shifts the words, with their mean as in the paper (the code
takes the maximum, and reads padding). A pair costs one exponential per item and channel. Without the fovea, the mean of
x_r is (1 + gamma) * mean_r n_r + beta: an image is one vector, and three matrix products score all pairs.

The loss passes from all hinges to the largest, epoch by epoch here, step by step in the paper. Left out: fixed GloVe
vectors beside the learned ones, Adamax with its warm-up.
"""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

from torch import LongTensor, Tensor, nn

from itm_tutorial.data.options import Dimension, Dropout, Fraction, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.image import GlobalProjection
from itm_tutorial.encoders.standard_items import StandardItems
from itm_tutorial.encoders.text import create_word_encoder, masked_mean, word_mask
from itm_tutorial.errors import ItmError
from itm_tutorial.interaction.adaptive_scaling import fovea, foveal_cosines, mean_cosines
from itm_tutorial.interaction.pair_tiles import score_pairs_in_tiles
from itm_tutorial.losses.ranking import MaxOfHinges
from itm_tutorial.models._base import FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model

SMOOTH = {"t2i": 10.0, "i2t": 1.0}  # lambda that did best in the paper


class Sentences(NamedTuple):
    """Captions: t [n_captions, dim] ("t2i") or words n_w [n_captions, seq_len, dim] ("i2t"), and the words' mask."""

    vectors: Tensor
    mask: Tensor


@register_model(
    chapter="15",
    paper="wehrmann2020adapt",
    variants={"adapt_i2t": {"direction": "i2t"}, "adapt_no_fovea": {"fovea": False}},
)
class ADAPT(Matching):
    """Regions that a caption scales and shifts, weights per channel, the cosine with the caption.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as: "regions", "oracle" or "grid".
        image_dim: numbers per region.
        embed_size: numbers per embedding, the channels (1024 in the paper).
        word_dim: numbers per word vector (600 in the paper, half of them fixed).
        direction: "t2i", the caption adapts regions; "i2t", the image adapts words.
        fovea: whether channels weigh the items; otherwise all count alike.
        adapts: False sets gamma and beta to 0, a control.
        smooth: lambda; None takes 10 for "t2i" and 1 for "i2t".
        margin: of the hinge (0.2 in the paper).
        warmup: fraction of the run over which the loss passes from all hinges to the largest.
        sentence: "gru" as published, or "bow".
        dropout: the fraction of a feature's numbers that training hides.
    """

    feature_kind = "regions"
    pair_cost = "network"
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=3e-3, epochs=6, batch_size=32),
        "paper": Recipe(learning_rate=1e-3, options={"embed_size": 1024, "word_dim": 600}),
    }

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        embed_size: Dimension = 256,
        word_dim: Dimension = 128,
        direction: Literal["t2i", "i2t"] = "t2i",
        fovea: bool = True,
        adapts: bool = True,
        smooth: Weight | None = None,
        margin: Weight = 0.2,
        warmup: Fraction = 0.5,
        sentence: Literal["gru", "bow"] = "gru",
        dropout: Dropout = 0.0,
    ):
        super().__init__(vocabulary, features)
        self.direction, self.has_fovea, self.adapts = direction, fovea, adapts
        self.pair_cost = "network" if fovea else "product"
        self.smooth = SMOOTH[direction] if smooth is None else smooth
        self.words = create_word_encoder(sentence, len(vocabulary), word_dim, embed_size, unit=False)
        if direction == "t2i":
            self.image_encoder, self.items = StandardItems(image_dim, embed_size, dropout), None
        else:
            self.image_encoder = GlobalProjection(image_dim, embed_size, dropout, unit=False)
            self.items = StandardItems(embed_size, embed_size)
        self.gamma, self.beta = nn.Linear(embed_size, embed_size), nn.Linear(embed_size, embed_size)
        self.loss_function = MaxOfHinges(margin, warmup=warmup, anneal=True)

    def text_encoder(self, ids: LongTensor, lengths: LongTensor) -> Sentences:
        """Ids int64 [n_captions, seq_len] and lengths -> what the direction needs of captions."""
        states, mask = self.words(ids, lengths).words, word_mask(ids, lengths)
        return Sentences(masked_mean(states, mask) if self.items is None else self.items(states, mask), mask)

    def scale_and_shift(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """1 + gamma and beta of captions ("t2i") or images ("i2t"): [n, dim] -> [n, dim] each."""
        gamma, beta = (layer(vectors) * self.adapts for layer in (self.gamma, self.beta))
        return 1 + gamma, beta

    def similarity(self, image_emb: Tensor, caption_emb: Sentences) -> Tensor:
        """Cosines [n_images, n_captions], of what ``image_encoder`` and ``text_encoder`` give."""
        by_caption = self.direction == "t2i"
        items, vectors = (image_emb, caption_emb.vectors) if by_caption else (caption_emb.vectors, image_emb)
        parts = vectors, *self.scale_and_shift(vectors)
        if not self.has_fovea:
            if by_caption:
                return mean_cosines(items.mean(1), *parts)
            return mean_cosines(masked_mean(items, caption_emb.mask), *parts).T
        numbers = items.shape[1] * items.shape[2]
        if by_caption:  # a caption is one "word" for the tiles
            parts, mask = tuple(part[:, None] for part in parts), vectors.new_ones(len(vectors), 1).bool()
            return score_pairs_in_tiles(self._adapt_regions, (items,), parts, mask, numbers)
        return score_pairs_in_tiles(self._adapt_words, parts, (items,), caption_emb.mask, numbers)

    def _adapt_regions(self, regions: Tensor, *captions: Tensor) -> Tensor:
        *parts, _ = (part[None] for part in captions)  # [1, m, 1, dim]
        return foveal_cosines(regions[:, None], *parts, None, self.smooth)

    def _adapt_words(self, *parts: Tensor) -> Tensor:
        *images, words, mask = parts
        return foveal_cosines(words[None], *(p[:, None, None] for p in images), mask[None, ..., None], self.smooth)

    def fovea_weights(self, image_emb: Tensor, caption_emb: Sentences) -> Tensor:
        """m of a "t2i" model, [n_images, n_captions, n_regions, dim]; it sums to one over the regions."""
        if self.direction != "t2i":
            raise ItmError('direction is "i2t": it weighs words, not regions; make the model with direction="t2i"')
        scale = self.scale_and_shift(caption_emb.vectors)[0][None, :, None]  # [1, n_captions, 1, dim]
        return fovea(image_emb[:, None], scale, None, self.smooth if self.has_fovea else 0.0)

    def attention(self, image_emb: Tensor, caption_emb: Sentences) -> Tensor:
        """The mean of m over the channels, the same for all words [n_images, n_captions, n_regions, seq_len]."""
        return self.fovea_weights(image_emb, caption_emb).mean(3)[..., None] * caption_emb.mask[None, :, None]
