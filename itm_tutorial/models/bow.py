"""The baseline of every comparison: a bag of words and a global image feature."""

from __future__ import annotations

from typing import ClassVar

from itm_tutorial.data.options import Dimension, Dropout, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.image import GlobalProjection
from itm_tutorial.encoders.text import BagOfWords
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.losses import create_loss
from itm_tutorial.models._base import FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model


@register_model(chapter="00")
class BOW(Matching):
    """The mean of learned word vectors, one linear map of the image, cosine, sum of hinges.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as.
        image_dim: numbers per feature.
        dim: numbers per embedding.
        word_dim: numbers per word.
        loss: "sum_of_hinges" with the margin, or "infonce".
        margin: of the hinge, in cosines.
        dropout: the fraction of a feature's numbers that training hides; small sets of photographs need it.
    """

    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=1e-3, epochs=15),
        "flickr8k": Recipe(learning_rate=1e-3, epochs=15, options={"loss": "infonce", "dropout": 0.5}),
    }
    similarity = staticmethod(cosine)

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        dim: Dimension = 512,
        word_dim: Dimension = 300,
        loss: str = "sum_of_hinges",
        margin: Weight = 0.2,
        dropout: Dropout = 0.0,
    ):
        super().__init__(vocabulary, features)
        self.image_encoder = GlobalProjection(image_dim, dim, dropout)
        self.text_encoder = BagOfWords(len(vocabulary), word_dim, dim)
        self.loss_function = create_loss(loss, margin=margin)
