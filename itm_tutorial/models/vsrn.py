"""VSRN: regions exchange messages on a graph, and a GRU gathers them in the order of the detector's confidence.

Li, Zhang, Li, Li and Fu, "Visual Semantic Reasoning for Image-Text Matching", ICCV 2019,
https://arxiv.org/abs/1909.02701. With the N regions of an image as the rows of V, four layers of

    R_ij = (W_phi v_i) . (W_psi v_j),      V* = BN(W_r (R / N) V W_g) + V,

where the weight and the bias of the batch normalisation BN start at 0, so that a new layer changes nothing. The text of
the paper says that R is normalised by rows; the authors' code divides by N and has no softmax. A GRU reads the rows of
the last V*, the most confident region first, and its last state, normalised by batch, is the image. A caption is the
last state of a GRU over its words; S is the cosine, and

    loss = hinge against the hardest negative + w * mean over captions of -log P(caption | V*).

Left out: attention of the writer over regions. Ours reads the mean of V* once, as the first input of its LSTM.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import LongTensor, Tensor, nn

from itm_tutorial.data.options import Count, Dimension, Fraction, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.decoder import CaptionDecoder
from itm_tutorial.encoders.region_reasoning import ReasonedImage
from itm_tutorial.encoders.text import create_text_encoder
from itm_tutorial.errors import ItmError
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.losses import create_loss
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model
from itm_tutorial.models._writer import Writer


@register_model(
    chapter="15",
    paper="li2019vsrn",
    variants={
        "vsrn_mean": {"layers": 0, "pool": "mean"},
        "vsrn_reasoning": {"pool": "mean"},
        "vsrn_gru": {"layers": 0},
        "vsrn_match": {"write_weight": 0.0},
    },
)
class VSRN(Writer, Matching):
    """Reasoning over regions, a GRU over them, the cosine with a GRU over words, the largest hinge, and writing.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as. Regions come in descending confidence; grid cells, which
            have none, by rows.
        image_dim: numbers per region.
        embed_size: numbers per embedding (2048 in the paper).
        word_dim: numbers per word (300 in the paper).
        layers: of reasoning (4 in the paper).
        pool: "gru", or "mean" of the regions, which has no order.
        order: "confidence", or "shuffled", a control: the same order for an image each time, but a meaningless one.
        affinity: "mean", "softmax" or "own"; see ``encoders.region_reasoning``.
        write_weight: w (1 in the paper); 0 leaves the writer out.
        margin: of the hinge (0.2 in the paper).
        warmup: fraction of the run in which all hinges count; 0 as published.
    """

    feature_kind = "regions"
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=2e-3, epochs=6, batch_size=64),
        "flickr8k": Recipe(
            epochs=10, learning_rate=5e-4, features="mirrored_grid", options={"embed_size": 512, "word_dim": 300}
        ),
        "paper": Recipe(options={"embed_size": 2048, "word_dim": 300, "warmup": 0.0}),
    }

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        embed_size: Dimension = 128,
        word_dim: Dimension = 128,
        layers: Count = 4,
        pool: Literal["gru", "mean"] = "gru",
        order: Literal["confidence", "shuffled"] = "confidence",
        affinity: Literal["mean", "softmax", "own"] = "mean",
        write_weight: Weight = 1.0,
        margin: Weight = 0.2,
        warmup: Fraction = 0.2,
    ):
        super().__init__(vocabulary, features)
        self.dim, self.write_weight = embed_size, write_weight
        self.image_encoder = ReasonedImage(image_dim, embed_size, layers, pool, order, affinity)
        self.text_encoder = create_text_encoder("gru", len(vocabulary), word_dim, embed_size)
        self.loss_function = create_loss("max_of_hinges", margin=margin, warmup=warmup)
        if write_weight:
            self.first_input = nn.Linear(embed_size, word_dim)
            self.decoder = CaptionDecoder(len(vocabulary), word_dim, embed_size)

    def similarity(self, image_emb: Tensor, caption_emb: Tensor) -> Tensor:
        """Images [n_images, 2 dim] and unit vectors [n_captions, dim] -> cosines [n_images, n_captions]."""
        return cosine(image_emb[:, : self.dim], caption_emb)

    def decoder_input(self, image_emb: Tensor) -> Tensor:
        """Images [n, 2 dim] -> the writer's first input [n, word_dim], numbers of about 1 as words have."""
        return self.first_input(image_emb[:, self.dim :] * self.dim**0.5)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """The hinge and, where captions are written, the weighted mean of -log P."""
        images, captions = self.encode_images(batch), self.encode_captions(batch)
        parts = {"match": self.loss_function(self.similarity(images, captions), batch.positives)}
        if self.write_weight:
            inputs = self.decoder_input(images)[batch.image_of]  # [n_captions, word_dim]
            log_p = self.decoder(inputs, batch.captions.ids, batch.captions.lengths)
            parts["write"] = -self.write_weight * log_p.mean()
        return parts

    def next_tokens(self, image_emb: Tensor, prefixes: LongTensor) -> Tensor:
        """Images [n, 2 dim] and prefixes [n, t] -> log p of the next token; see ``Writer``."""
        if not self.write_weight:
            raise ItmError("this model cannot write captions: make it with a write_weight above 0")
        return self.decoder.next(self.decoder_input(image_emb), prefixes)
