"""CLIP in miniature: two transformers, and a softmax over the batch in both directions with a learned temperature.

Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", ICML 2021,
https://arxiv.org/abs/2103.00020. With unit vectors v_i of images and t_j of captions:

    logits_ij = exp(theta) v_i . t_j,   L = (CE over rows + CE over columns) / 2,

where theta starts at log(1 / 0.07) and is clamped after each step, so that 1 <= exp(theta) <= 100. The caption's vector
is the state of its end token. The public code finds this token as the one with the highest id; here it is the last one.

Left out: 400 million pairs, batches of 32,768, decoupled weight decay and the cosine schedule of the rate. The image
encoder has a convolutional stem and no class token: see ``encoders.transformer``.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from itm_tutorial.data.options import Dimension, PositiveFloat, PositiveInt
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.text import create_text_encoder
from itm_tutorial.encoders.transformer import TextTransformer, create_image_transformer
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.losses.symmetric_cross_entropy import SymmetricCrossEntropy
from itm_tutorial.models._base import FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model


@register_model(chapter="21", paper="radford2021clip")
class CLIP(Matching):
    """A transformer per side, trained end to end on pixels and words; cosine; symmetric cross-entropy.

    Args:
        vocabulary: the words of the training captions.
        features: pixels; or features of a frozen backbone, as ``clip_features`` reads them.
        image_dim: numbers per feature; unused for pixels.
        embed_size: numbers per embedding (512 and more in the paper).
        width: numbers per token of both transformers.
        depth: layers of each (12 and more in the paper).
        heads: per layer.
        side: of the image in pixels, as the network reads it (224 and more in the paper).
        sentence: "transformer", or "gru" or "bow" for a simpler text encoder.
        temperature: 1 / exp(theta) in the beginning.
        learn_temperature: False keeps it.
    """

    feature_kind = "pixels"
    similarity = staticmethod(cosine)
    # the paper: batches of 32,768 pairs, 32 epochs, Adam with decoupled weight decay
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
        temperature: PositiveFloat = 0.07,
        learn_temperature: bool = True,
    ):
        super().__init__(vocabulary, features)
        sizes = (width, embed_size, depth, heads)
        self.image_encoder = create_image_transformer(features.kind, image_dim, *sizes, side)
        if sentence == "transformer":
            self.text_encoder = TextTransformer(len(vocabulary), *sizes)
        else:
            self.text_encoder = create_text_encoder(sentence, len(vocabulary), width, embed_size)
        self.loss_function = SymmetricCrossEntropy(temperature, learn_temperature)
