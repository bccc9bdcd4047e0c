"""SigLIP on the regions of a frozen backbone: the loss and the encoders of ``siglip``, on features computed once."""

from __future__ import annotations

from typing import ClassVar

from itm_tutorial.models._base import Recipe
from itm_tutorial.models._registry import register_model
from itm_tutorial.models.siglip import SigLIP


@register_model(chapter="21", paper="zhai2023siglip")
class FrozenSigLIP(SigLIP):
    """``siglip`` on regions, grids or one vector per image.

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
        scale: t in the beginning.
        bias: b in the beginning; None takes the log odds of each batch, and the paper -10.
        chunk: captions whose scores are in memory at a time; 0 for all of the batch.
    """

    feature_kind = "regions"
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=1e-3, epochs=4, batch_size=64, drop_at=0.75),
    }
