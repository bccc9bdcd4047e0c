"""UVSE: images and sentences in one embedding space, learned with a recurrent network and a sum of hinges.

Kiros, Salakhutdinov and Zemel, "Unifying Visual-Semantic Embeddings with Multimodal Neural Language Models", 2014.
The authors' code has a GRU where the paper has an LSTM, and normalises images only in the test; here both sides
are always unit vectors.
"""

from __future__ import annotations

from typing import ClassVar

from itm_tutorial.data.options import Dimension, Dropout, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.image import GlobalProjection
from itm_tutorial.encoders.text import GRU
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.losses import create_loss
from itm_tutorial.models._base import FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model


@register_model(chapter="00", paper="kiros2014uvse")
class VSE(Matching):
    """A GRU over words, one linear map of the image, cosine, sum of hinges.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as.
        image_dim: numbers per feature.
        dim: numbers per embedding (1024 in the authors' code; 256 trains in a minute on a laptop).
        word_dim: numbers per word (300 in the authors' code).
        loss: "sum_of_hinges" as published, or "infonce", which came later.
        margin: of the hinge, in cosines (0.2 in the authors' code).
        dropout: the fraction of a feature's numbers that training hides; small sets of photographs need it.
    """

    # the authors took 2e-4 and many more steps; a minute at that rate is too short to learn word order
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=6e-3, epochs=10),
        "paper": Recipe(epochs=15, drop_at=1.0, options={"dim": 1024, "word_dim": 300}),  # the authors' code
    }
    similarity = staticmethod(cosine)

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        dim: Dimension = 256,
        word_dim: Dimension = 128,
        loss: str = "sum_of_hinges",
        margin: Weight = 0.2,
        dropout: Dropout = 0.0,
    ):
        super().__init__(vocabulary, features)
        self.image_encoder = GlobalProjection(image_dim, dim, dropout)
        self.text_encoder = GRU(len(vocabulary), word_dim, dim)
        self.loss_function = create_loss(loss, margin=margin)
