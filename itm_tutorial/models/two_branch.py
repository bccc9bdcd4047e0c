"""Two-branch networks: an embedding network with neighbourhoods, and a similarity network that answers yes or no.

Wang, Li, Huang and Lazebnik, "Learning Two-Branch Neural Networks for Image-Text Matching Tasks", TPAMI 2019,
https://arxiv.org/abs/1704.03470. Both have the branches of ``spe``, here v for the image and
t for the mean of the caption's word vectors.

    embedding network:   s = v . t, trained with the loss of ``spe``;
    similarity network:  s = w . relu(BN(W_1 relu(BN(W_0 (v * t))))) + b, trained to tell pairs that belong together
                         from others: mean of log(1 + exp(-y s)), y = 1 or -1.

The head of the similarity network is that of ``cite`` with K = 1. How many negatives it gets per positive pair was not
readable to us: two, as in ``cite``; ``two_branch_similarity_20`` gets as many as count for the embedding network, ten
images and ten captions. Left out: phrase localisation, the paper's second task, which ``cite`` shows.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor

from itm_tutorial.data.options import Dimension, Dropout, PositiveInt, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.branch import AveragedWords, Branch
from itm_tutorial.interaction.conditional import ConditionalNetwork
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.losses.phrase_labels import logistic_loss
from itm_tutorial.losses.structure import StructureLoss
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._fixed_words import FixedWords
from itm_tutorial.models._registry import register_model


def draw_pairs(positives: Tensor, per_positive: int) -> Tensor:
    """Labels: 1 for positive pairs, -1 for negatives drawn at random, 0 for all other pairs.

    Args:
        positives: bool [n_images, n_captions].
        per_positive: negatives of the batch per positive pair; all, where there are no more.

    Returns:
        int64 [n_images, n_captions].
    """
    order = torch.rand(positives.shape, device=positives.device).masked_fill(positives, 2.0).flatten()
    n_negatives = min(per_positive * int(positives.sum()), int((~positives).sum()))
    labels = positives.long().flatten()
    labels[order.argsort()[:n_negatives]] = -1
    return labels.view(positives.shape)


@register_model(
    chapter="12",
    paper="wang2019twobranch",
    variants={
        "two_branch_similarity": {"network": "similarity"},
        "two_branch_similarity_20": {"network": "similarity", "negatives": 20},
    },
)
class TwoBranch(Matching):
    """Two layers over the image's feature and over the mean of fixed word vectors; cosine, or a network per pair.

    Args:
        vocabulary: the words that have a vector.
        features: which visual features the images come as.
        image_dim: numbers per feature.
        word_dim: numbers per word; follows from the word vectors.
        network: "embedding" or "similarity".
        embed_size: numbers per embedding (512 in the public code).
        hidden: numbers of the layer between (2,048 in the public code).
        judge_size: numbers of the two layers of the similarity network, which every pair costs.
        margin: of the embedding network's hinges (0.05 in the public code).
        neighbour_weight: of its hinges between captions (0.05 in the public code).
        negatives: of the similarity network, per positive pair.
        dropout: the fraction of a branch's hidden numbers that training sets to zero.
    """

    pair_cost = "network"  # of the similarity network; see ``__init__``
    text_input = FixedWords()
    recipes: ClassVar[dict[str, Recipe]] = {"drawn": Recipe(learning_rate=2e-3, epochs=15, sampler="siblings")}

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        word_dim: Dimension,
        network: Literal["embedding", "similarity"] = "embedding",
        embed_size: Dimension = 256,
        hidden: Dimension = 256,
        judge_size: Dimension = 64,
        margin: Weight = 0.05,
        neighbour_weight: Weight = 0.05,
        negatives: PositiveInt = 2,
        dropout: Dropout = 0.0,
    ):
        super().__init__(vocabulary, features)
        self.image_encoder = Branch(image_dim, hidden, embed_size, dropout)
        words = Branch(word_dim, hidden, embed_size, dropout)
        self.text_encoder = AveragedWords(len(vocabulary), word_dim, words)
        self.negatives, self.judge = negatives, None
        if network == "embedding":
            self.pair_cost = "product"
            self.loss_function = StructureLoss(margin, neighbour_weight=neighbour_weight)
        else:
            self.judge = ConditionalNetwork(embed_size, judge_size, 1, judge_size)

    def similarity(self, image_emb: Tensor, caption_emb: Tensor) -> Tensor:
        """Unit vectors [n_images, embed_size] and [n_captions, embed_size] -> scores [n_images, n_captions]."""
        if self.judge is None:
            return cosine(image_emb, caption_emb)
        return self.judge.all_pairs(image_emb, caption_emb, caption_emb.new_ones(len(caption_emb), 1))

    def loss(self, batch: Batch) -> Tensor:
        """The structure-preserving loss, or the logistic loss over positive pairs and negatives drawn at random."""
        images, captions = self.encode_images(batch), self.encode_captions(batch)
        if self.judge is None:
            return self.loss_function(images, captions, batch.positives)
        labels = draw_pairs(batch.positives, self.negatives)
        image, caption = labels.nonzero(as_tuple=True)  # [n_labelled] each
        products = images[image] * captions[caption]  # [n_labelled, embed_size]
        if len(products) < 2:  # batch normalisation needs two, and one pair alone has no negative
            return 0 * products.sum()
        return logistic_loss(self.judge(products, products.new_ones(len(products), 1)), labels[image, caption])
