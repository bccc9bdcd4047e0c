"""FV: a sentence is the direction in which its words would move a mixture of word vectors; CCA joins it to the image.

Klein, Lev, Sadeh and Wolf, "Associating Neural Word Embeddings with Deep Image Representations Using Fisher Vectors",
CVPR 2015, https://ieeexplore.ieee.org/stamp/stamp.jsp?tp=&arnumber=7299073.
A mixture of K densities with independent dimensions is fitted to the vectors of words. For a Gaussian component with
mean mu, standard deviation sigma and weight tau, and the N words x of a sentence with posteriors gamma(x),

    G_mu    = sum_x gamma (x - mu) / sigma / sqrt(N tau),
    G_sigma = sum_x gamma [(x - mu)^2 / sigma^2 - 1] / sqrt(2 N tau)

(``encoders.fisher_vector`` has those of Laplace densities). All of them in one vector, with v -> sign(v) sqrt(|v|) and
unit length, are the sentence. Regularised canonical correlation analysis (CCA) maps it and the image feature into one
space, and the score is the cosine. The order of the words does not count.

There is nothing to learn by gradients: the mixture is fitted by EM when the model is made, and CCA is solved in closed
form at the end of each epoch (``models/_canonical.py``). The loss, the mean of 1 - cosine over pairs, only reports how
far apart pairs are: gradient steps move the projections during an epoch, and CCA replaces them. One epoch is enough.

Left out: ICA of the word vectors, which are centred and have unit length here; the mean over ten crops of an image;
the concatenation of the Gaussian and the hybrid Fisher vector. The mixture reads each word of the vocabulary once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

import torch
from torch import LongTensor, Tensor

from itm_tutorial.data.options import Dimension, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.fisher_vector import Mixture, fisher_vectors
from itm_tutorial.encoders.text import WordAverage
from itm_tutorial.models._base import Batch, FeatureSpec, Recipe
from itm_tutorial.models._canonical import CanonicalMatching, CanonicalProjection, mean_of_regions
from itm_tutorial.models._fixed_words import FixedWords
from itm_tutorial.models._registry import register_model
from itm_tutorial.models._text_input import PreparedText


class MixtureWords(FixedWords):
    """Fixed word vectors, to which the model's mixture is fitted as soon as it has them."""

    def prepare(self, name, corpus, options, words=None, min_count=None) -> PreparedText:
        """As ``FixedWords.prepare``.

        Raises:
            ItmError: as there, or fewer words than components.
        """
        text = super().prepare(name, corpus, options, words, min_count)

        def copy_weights(model: FisherVectorCCA) -> None:
            text.copy_weights(model)
            model.fit_mixture()

        return replace(text, copy_weights=copy_weights)


@register_model(
    chapter="12",
    paper="klein2015fv",
    variants={
        "fisher_vector_laplacian": {"pooling": "laplacian"},
        "fisher_vector_hybrid": {"pooling": "hybrid"},
        "mean_vector_cca": {"pooling": "mean"},
    },
)
class FisherVectorCCA(CanonicalMatching):
    """Fixed word vectors pooled to a Fisher vector, CCA with a global image feature, cosine.

    Args:
        vocabulary: the words that have a vector.
        features: which visual features the images come as.
        image_dim: numbers per feature.
        word_dim: numbers per word vector (300 in the paper).
        pooling: the densities of the mixture, "gaussian" (GMM), "laplacian" (LMM) or "hybrid" (HGLMM); or "mean", the
            baseline: the mean of the word vectors in place of a Fisher vector.
        n_components: K of the mixture (30 in the paper).
        embed_size: how many canonical directions make an embedding; at most those that there are.
        ridge: of CCA: what is added to each variance of a side, as a fraction of the mean variance of that side.
    """

    text_input = MixtureWords()
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(epochs=1, batch_size=500, learning_rate=1e-3),
        "flickr8k": Recipe(  # the best of four ridges and four sizes on the dev photographs
            epochs=1, batch_size=1000, options={"n_components": 30, "embed_size": 128, "ridge": 1.0}
        ),
        "paper": Recipe(epochs=1, batch_size=1000, options={"n_components": 30}),
    }

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        word_dim: Dimension,
        pooling: Literal["gaussian", "laplacian", "hybrid", "mean"] = "gaussian",
        n_components: Dimension = 8,
        embed_size: Dimension = 48,
        ridge: Weight = 0.1,
    ):
        super().__init__(vocabulary, features)
        self.words = WordAverage(len(vocabulary), word_dim, centre=True)  # holds the fixed vectors
        self.register_buffer("em_seed", torch.randint(2**31, ()))  # of the model's seed
        self.mixture = None if pooling == "mean" else Mixture(n_components, word_dim, pooling)
        text_dim = word_dim if pooling == "mean" else 2 * n_components * word_dim
        self.canonical = CanonicalProjection(image_dim, text_dim, embed_size, ridge)

    def fit_mixture(self) -> None:
        """Fits the mixture to the vectors of the vocabulary, each once; the baseline has none."""
        if self.mixture is not None:
            vectors = self.words.vectors
            self.mixture.fit(vectors[vectors.any(1)], int(self.em_seed))

    def image_features(self, images: Tensor) -> Tensor:
        """Features [n_images, image_dim], or [n_images, n_regions, image_dim] (averaged) -> [n_images, image_dim]."""
        return mean_of_regions(images)

    def text_features(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Word ids int64 [n_captions, seq_len] and lengths -> unit vectors [n_captions, text_dim]."""
        if self.mixture is None:
            return self.words(ids, lengths)
        return fisher_vectors(self.mixture, self.words.vectors[ids])

    def loss(self, batch: Batch) -> Tensor:
        """The mean of 1 - cosine over the pairs of the batch; the sums of CCA get these pairs."""
        return self.canonical(*self.pairs(batch))
