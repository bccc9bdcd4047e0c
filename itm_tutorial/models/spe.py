"""SPE: two branches whose loss also makes captions of one image neighbours of each other.

Wang, Li and Lazebnik, "Learning Deep Structure-Preserving Image-Text Embeddings", CVPR 2016,
http://slazebni.cs.illinois.edu/publications/cvpr16_structure.pdf. Each side is a linear layer,
batch normalisation, ReLU, a linear layer, and unit length. With the Euclidean distance d, m = 0.05, and M for the mean
over anchors of the mean of their ten largest hinges,

    L = 1.5 M[m + d(t, v) - d(t, v')]+  +  M[m + d(v, t) - d(v, t')]+  +  0.05 M[m + max d(t, s) - d(t, t')]+

for a caption t, its image v, another caption s of that image, and any v' and t' that do not belong together with them:
see ``losses.structure``. A batch holds two captions of each of its images: the sampler "siblings".

A sentence is the mean of fixed word vectors here, as in a row of the paper's tables that others quote (R@1 35.7 and
25.1 on Flickr30k); with Fisher vectors of sentences the paper has 40.3 and 29.7. Left out: Fisher vectors (see
``fisher_vector``), and the authors' masks, for which two copies of an image in one batch are negatives of each other.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from itm_tutorial.data.options import Dimension, Dropout, PositiveInt, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.branch import AveragedWords, Branch
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.losses.structure import StructureLoss
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._fixed_words import FixedWords
from itm_tutorial.models._registry import register_model


@register_model(chapter="12", paper="wang2016spe", variants={"spe_without": {"neighbour_weight": 0.0}})
class SPE(Matching):
    """Two layers over the image's feature and over the mean of fixed word vectors; the structure-preserving loss.

    Args:
        vocabulary: the words that have a vector.
        features: which visual features the images come as.
        image_dim: numbers per feature.
        word_dim: numbers per word; follows from the word vectors.
        embed_size: numbers per embedding (512 in the public code).
        hidden: numbers of the layer between (2,048 in the public code).
        margin: of the hinges, in Euclidean distance (0.05 in the public code).
        image_weight: of the hinges against other images (1.5 in the public code).
        neighbour_weight: of the hinges between captions (0.05 in the public code); 0 leaves them out.
        violators: largest hinges of an anchor that count (10 in the public code).
        dropout: the fraction of the hidden layer's numbers that training sets to zero.
    """

    text_input = FixedWords()
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=2e-3, epochs=15, sampler="siblings"),
        # ten violators of a large batch hold the loss near that of equal embeddings for long: more of them, and a
        # larger step, where word vectors are weak
        "flickr8k": Recipe(
            learning_rate=2e-3,
            epochs=10,
            batch_size=256,
            sampler="siblings",
            features="mirrored",
            options={"embed_size": 512, "hidden": 512, "dropout": 0.2, "violators": 50},
        ),
        "paper": Recipe(
            learning_rate=1e-4,
            batch_size=1000,  # 500 images with two captions each
            sampler="siblings",
            options={"embed_size": 512, "hidden": 2048, "dropout": 0.5},
        ),
    }
    similarity = staticmethod(cosine)  # of unit vectors: it ranks as the distance does

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        word_dim: Dimension,
        embed_size: Dimension = 256,
        hidden: Dimension = 256,
        margin: Weight = 0.05,
        image_weight: Weight = 1.5,
        neighbour_weight: Weight = 0.05,
        violators: PositiveInt = 10,
        dropout: Dropout = 0.0,
    ):
        super().__init__(vocabulary, features)
        self.image_encoder = Branch(image_dim, hidden, embed_size, dropout)
        words = Branch(word_dim, hidden, embed_size, dropout)
        self.text_encoder = AveragedWords(len(vocabulary), word_dim, words)
        self.loss_function = StructureLoss(margin, image_weight, neighbour_weight, violators)

    def loss(self, batch: Batch) -> Tensor:
        """The structure-preserving loss, which needs the embeddings of both sides."""
        return self.loss_function(self.encode_images(batch), self.encode_captions(batch), batch.positives)
