"""CLIP on the regions of a frozen backbone: the loss and the encoders of ``clip``, on features that are computed once.

Methods before 2021 trained in this form; here the loss is CLIP's. The image transformer reads regions in place of
pixels. The drawn world's backbone has learned kinds and colours from labels, so what this model recognises is not a
zero-shot result.
"""

from __future__ import annotations

from typing import ClassVar

from itm_tutorial.models._base import Recipe
from itm_tutorial.models._registry import register_model
from itm_tutorial.models.clip import CLIP


@register_model(chapter="21", paper="radford2021clip")
class FrozenCLIP(CLIP):
    """``clip`` on regions, grids or one vector per image.

    Args:
        vocabulary: the words of the training captions.
        features: "regions", "oracle", "grid", or "global", for which the image encoder is one linear map.
        image_dim: numbers per feature.
        embed_size: numbers per embedding.
        width: numbers per token of both transformers.
        depth: layers of each.
        heads: per layer.
        side: unused; features have been computed already.
        sentence: "transformer", or "gru" or "bow" for a simpler text encoder.
        temperature: 1 / exp(theta) in the beginning.
        learn_temperature: False keeps it.
    """

    feature_kind = "regions"
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=1e-3, epochs=4, batch_size=64, drop_at=0.75),
    }
