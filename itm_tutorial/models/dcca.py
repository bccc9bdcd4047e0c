"""DCCA: two networks whose outputs have the largest total correlation; no margin and no negatives.

Yan and Mikolajczyk, "Deep Correlation for Matching Images and Text", CVPR 2015,
http://openaccess.thecvf.com/content_cvpr_2015/papers/Yan_Deep_Correlation_for_2015_CVPR_paper.pdf. For the outputs
X and Y of both networks on a batch, with the covariances S and T = S_xx^(-1/2) S_xy S_yy^(-1/2) = U D V',

    loss = -||T||_*, minus the sum of all singular values,      (``losses.correlation``)

and in the test W_x = S_xx^(-1/2) U, W_y = S_yy^(-1/2) V, and the cosine. A caption is tf-idf, t = tf log(N / (df + 1)),
through layers of linear map, ReLU and dropout; each starts at the identity. The batch must be much larger than the
embedding: with at most embed_size + 1 pairs, noise reaches the maximum too.

``linear_cca`` has no layers: it is canonical correlation analysis of tf-idf and image features, in closed form. The
test projections come from the sums of an epoch (``models/_canonical.py``), in which the networks still learn.

Left out: the convolutional network is fixed, and layers on top of its features learn in its place; lemmas are words;
mirrored images; 4,096 numbers per embedding.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import ClassVar

import torch
from torch import LongTensor, Tensor, nn

from itm_tutorial.data.options import Count, Dimension, Dropout, Weight
from itm_tutorial.data.text import Vocabulary, tokenize
from itm_tutorial.losses.correlation import total_correlation
from itm_tutorial.models._base import Batch, FeatureSpec, Recipe
from itm_tutorial.models._canonical import CanonicalMatching, CanonicalProjection, mean_of_regions
from itm_tutorial.models._registry import register_model
from itm_tutorial.models._text_input import LearnedWords, PreparedText


class WeightedWords(LearnedWords):
    """The words of the training captions, each with its inverse document frequency there."""

    about = "words weighted by tf-idf"

    def prepare(self, name, corpus, options, words=None, min_count=None) -> PreparedText:
        """As ``LearnedWords.prepare``; the model gets the weights log(N / (df + 1)), at least 0, of the N captions."""
        text = super().prepare(name, corpus, options, words, min_count)
        captions = corpus.train.captions
        found = Counter(word for caption in captions for word in set(tokenize(caption)))
        df = torch.tensor([float(found[word]) for word in text.vocabulary.words])
        idf = (len(captions) / (df + 1)).log().clamp(min=0) * (df > 0)  # [n_words]; 0 for special words

        def copy_weights(model: DCCA) -> None:
            model.idf.copy_(idf)

        return replace(text, copy_weights=copy_weights)


def identity_layers(dim: int, n: int, dropout: float) -> nn.Sequential:
    """n times a linear map that starts at the identity, ReLU and dropout: at first it only cuts negative numbers."""
    layers: list[nn.Module] = []
    for _ in range(n):
        linear = nn.Linear(dim, dim)
        nn.init.eye_(linear.weight)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers)


@register_model(chapter="12", paper="yan2015dcca", variants={"linear_cca": {"layers": 0}})
class DCCA(CanonicalMatching):
    """Tf-idf and a global image feature, each through a network; total correlation; CCA and cosine in the test.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as.
        image_dim: numbers per feature.
        layers: of linear map, ReLU and dropout on either side; 0 is linear CCA of the features themselves.
        embed_size: numbers that either network gives, and canonical directions that make an embedding (4,096 in the
            paper); linear CCA has at most as many directions as the smaller side has numbers.
        ridge: added to the variances of the networks' outputs in the loss.
        test_ridge: of the projections, as a fraction of the mean variance of a side.
        dropout: the fraction of numbers that training hides after each layer; the sums of CCA get what is left, so that
            much of it lowers the correlations that CCA sees.
    """

    text_input = WeightedWords()
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(epochs=6, batch_size=1000, learning_rate=3e-3),
        "paper": Recipe(batch_size=100, options={"embed_size": 4096}),
    }

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        layers: Count = 1,
        embed_size: Dimension = 32,
        ridge: Weight = 0.1,
        test_ridge: Weight = 0.1,
        dropout: Dropout = 0.0,
    ):
        super().__init__(vocabulary, features)
        n_words, self.ridge = len(vocabulary), ridge
        self.register_buffer("idf", torch.ones(n_words))
        self.image_network, self.text_network = (identity_layers(n, layers, dropout) for n in (image_dim, n_words))
        if layers:
            self.image_network.append(nn.Linear(image_dim, embed_size))
            self.text_network.append(nn.Linear(n_words, embed_size))
        sizes = (embed_size, embed_size) if layers else (image_dim, n_words)
        self.canonical = CanonicalProjection(*sizes, embed_size, test_ridge)

    def image_features(self, images: Tensor) -> Tensor:
        """Features [n_images, image_dim], or [n_images, n_regions, image_dim] (averaged) -> [n_images, embed_size]."""
        return self.image_network(mean_of_regions(images))

    def text_features(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Word ids int64 [n_captions, seq_len] and lengths -> [n_captions, embed_size]."""
        return self.text_network(self.tf_idf(ids))

    def tf_idf(self, ids: LongTensor) -> Tensor:
        """Word ids int64 [n_captions, seq_len], padding included -> [n_captions, n_words]."""
        return self.idf.new_zeros(len(ids), len(self.idf)).scatter_add(1, ids, self.idf[ids])

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Minus the total correlation; and 1 - cosine of the projected pairs, which moves the projections alone."""
        x, y = self.pairs(batch)
        parts = {"projection": self.canonical(x, y)}
        if len(self.text_network):  # otherwise there is nothing that it could move
            parts["correlation"] = -total_correlation(x, y, self.ridge)
        return parts
