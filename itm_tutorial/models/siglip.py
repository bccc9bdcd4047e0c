"""SigLIP in miniature: the encoders of ``clip``, and a sigmoid for each pair in place of a softmax over the batch.

Zhai, Mustafa, Kolesnikov and Beyer, "Sigmoid Loss for Language Image Pre-Training", ICCV 2023,
https://arxiv.org/abs/2303.15343. With z_ij = 1 for positive pairs and -1 for all others,

    L = -(1/B) sum_ij log sigmoid(z_ij (t v_i . t_j + b)),   t = exp(t'),

where t' starts at log 10, and t' and b are learned. The sum is divided by B, not by the B^2 pairs. The paper starts b
at -10, which suits a batch of about 22,000; here b starts at the log odds of the batch, -log(B - 1), which is -4.14 for
a batch of 64. No term reads the whole batch, so the sum can be taken in chunks of columns.

Left out: the paper's data and batch sizes; several devices, whose negatives would come chunk by chunk. The image
encoder is that of ``clip``.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor

from itm_tutorial.data.options import Count, Dimension, PositiveFloat, PositiveInt
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.text import create_text_encoder
from itm_tutorial.encoders.transformer import TextTransformer, create_image_transformer
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.losses.pairwise_sigmoid import PairwiseSigmoid
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model


@register_model(chapter="21", paper="zhai2023siglip")
class SigLIP(Matching):
    """A transformer per side, trained end to end on pixels and words; cosine; a sigmoid per pair.

    Args:
        vocabulary: the words of the training captions.
        features: pixels; or features of a frozen backbone, as ``siglip_features`` reads them.
        image_dim: numbers per feature; unused for pixels.
        embed_size: numbers per embedding.
        width: numbers per token of both transformers.
        depth: layers of each.
        heads: per layer.
        side: of the image in pixels, as the network reads it.
        sentence: "transformer", or "gru" or "bow" for a simpler text encoder.
        scale: t in the beginning.
        bias: b in the beginning; None takes the log odds of each batch, and the paper -10.
        chunk: captions whose scores are in memory at a time; 0 for all of the batch.
    """

    feature_kind = "pixels"
    similarity = staticmethod(cosine)
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=1e-3, epochs=10, batch_size=64, drop_at=0.75, sampler="images"),
    }

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        embed_size: Dimension = 128,
        width: Dimension = 128,
        depth: PositiveInt = 2,
        heads: PositiveInt = 4,
        side: PositiveInt = 48,
        sentence: Literal["transformer", "gru", "bow"] = "transformer",
        scale: PositiveFloat = 10.0,
        bias: float | None = None,
        chunk: Count = 0,
    ):
        super().__init__(vocabulary, features)
        sizes = (width, embed_size, depth, heads)
        self.image_encoder = create_image_transformer(features.kind, image_dim, *sizes, side)
        if sentence == "transformer":
            self.text_encoder = TextTransformer(len(vocabulary), *sizes)
        else:
            self.text_encoder = create_text_encoder(sentence, len(vocabulary), width, embed_size)
        self.loss_function, self.chunk = PairwiseSigmoid(scale, bias), chunk

    def loss(self, batch: Batch) -> Tensor:
        """The sigmoid loss of a batch, at once or in chunks of captions."""
        if not self.chunk:
            return super().loss(batch)
        image_emb, caption_emb = self.encode_images(batch), self.encode_captions(batch)
        return self.loss_function.in_chunks(image_emb, caption_emb, batch.positives, self.chunk)
