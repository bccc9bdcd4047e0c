"""DeViSE as in retrieval tables: a caption is the mean of its word vectors, and images are mapped to that space.

The rows named DeViSE in the tables of Flickr8k and Flickr30k are a later experiment of this kind: the paper itself
ranks labels, not sentences.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from itm_tutorial.data.options import Dimension, Dropout, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.image import GlobalProjection
from itm_tutorial.encoders.text import WordAverage
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.losses.ranking import hinge_costs
from itm_tutorial.models._base import FeatureSpec, Matching, Recipe
from itm_tutorial.models._fixed_words import FixedWords
from itm_tutorial.models._registry import register_model


@register_model(chapter="01")
class DeViSERetrieval(Matching):
    """One linear map of the image, the mean of fixed word vectors, cosine, the hinge rank loss over captions.

    Args:
        vocabulary: the words that have a vector.
        features: which visual features the images come as.
        image_dim: numbers per feature.
        word_dim: numbers per word, and so per embedding.
        margin: of the hinge, in cosines.
        dropout: the fraction of a feature's numbers that training hides.
    """

    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=1e-3, epochs=15),
    }
    text_input = FixedWords()
    similarity = staticmethod(cosine)

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        word_dim: Dimension,
        margin: Weight = 0.1,
        dropout: Dropout = 0.0,
    ):
        super().__init__(vocabulary, features)
        self.image_encoder = GlobalProjection(image_dim, word_dim, dropout)
        self.text_encoder = WordAverage(len(vocabulary), word_dim, centre=True)
        self.margin = margin

    def loss_function(self, scores: Tensor, positives: Tensor) -> Tensor:
        """An image's caption must beat the other captions of the batch; the mean over positive pairs, a scalar."""
        against_captions, _ = hinge_costs(scores, positives, self.margin)  # [n_pairs, n_captions]
        return against_captions.sum(1).mean()
