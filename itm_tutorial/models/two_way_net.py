"""2WayNet: two networks with the same weights, transposed, predict each view from the other.

Eisenschtat and Wolf, "Linking Image and Text with 2-Way Nets", CVPR 2017, https://arxiv.org/abs/1608.07973. With one
channel for the image x and one for the caption's feature y,

    x -> W_1 -> W_2 = h_x -> W_3 -> W_4 = y',      y -> W_4^T -> W_3^T = h_y -> W_2^T -> W_1^T = x'

where each hidden layer is dropout(leaky(BN(W z + b))), with biases and BN of its own in either direction, the loss is

    |x - x'|^2 + |y - y'|^2 + 0.25 |h_x - h_y|^2 + 0.5 (D(h_x) + D(h_y)) + 0.05 sum of 1 / gamma^2,

D of ``losses.two_way``, gamma the scales of BN. Squared distances alone would be smallest at h = 0; BN, the penalty on
small scales and D keep the variance of h alive. Dropout hides the same numbers in both channels and divides by the root
of (1 - p). A score is the correlation of h_x and h_y over their numbers.

Left out: layers that take the largest of several maps, and Fisher vectors: y is the mean of fixed word vectors. That x
and y are brought to mean 0 and variance 1 is ours; weight decay is the optimiser's.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import normalize

from itm_tutorial.data.options import Dimension, Dropout, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.batch_norm import BatchNorm
from itm_tutorial.encoders.text import WordAverage
from itm_tutorial.encoders.tied import TiedNet
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.losses.ranking import positive_pairs
from itm_tutorial.losses.two_way import decorrelation, scale_penalty, squared_distance
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._fixed_words import FixedWords
from itm_tutorial.models._registry import register_model

MIDDLE = 1  # which of the hidden layers is h


@register_model(
    chapter="12",
    paper="eisenschtat2017twowaynet",
    variants={
        "two_way_net_plain": {"batch_norm": False},
        "two_way_net_free_scale": {"scale_weight": 0.0},
        "two_way_net_correlated": {"decorrelation_weight": 0.0},
    },
)
class TwoWayNet(Matching):
    """Tied networks between the image's feature and the mean of fixed word vectors; correlation of their middle layers.

    Args:
        vocabulary: the words that have a vector.
        features: which visual features the images come as.
        image_dim: numbers per feature.
        word_dim: numbers per word; follows from the word vectors.
        embed_size: numbers of h, the middle layer (3,000 in the public code).
        hidden: numbers of the layers before and after it (2,000 and 4,000 in the public code).
        batch_norm: whether hidden layers are normalised; without, there are no scales to be penalised.
        match_weight: of |h_x - h_y|^2 (0.25 in the public code).
        decorrelation_weight: of D, per side (0.5 in the public code).
        scale_weight: of the sum of 1 / gamma^2 (0.05 in the public code).
        dropout: p, the fraction of each hidden layer that training hides (0.5 in the public code).
    """

    text_input = FixedWords()
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=1e-3, epochs=15),
        "paper": Recipe(100, 128, 1e-4, 0.8, options={"embed_size": 3000, "hidden": 2000, "dropout": 0.5}),
    }
    similarity = staticmethod(cosine)  # of centred vectors: their correlation

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        word_dim: Dimension,
        embed_size: Dimension = 256,
        hidden: Dimension = 256,
        batch_norm: bool = True,
        match_weight: Weight = 0.25,
        decorrelation_weight: Weight = 0.5,
        scale_weight: Weight = 0.05,
        dropout: Dropout = 0.0,
    ):
        super().__init__(vocabulary, features)
        self.words = WordAverage(len(vocabulary), word_dim, centre=True)
        self.inputs = nn.ModuleList(BatchNorm(dim, affine=False) for dim in (image_dim, word_dim))
        self.net = TiedNet([image_dim, hidden, embed_size, hidden, word_dim], batch_norm)
        self.match_weight, self.decorrelation_weight = match_weight, decorrelation_weight
        self.scale_weight, self.dropout = scale_weight, dropout

    def middle(self, rows: Tensor, back: bool) -> Tensor:
        """h of x or, with ``back``, of y: [n, in_dim] -> [n, embed_size]."""
        return self.net(self.standard(rows, back), back)[MIDDLE]

    def standard(self, rows: Tensor, back: bool) -> Tensor:
        """x or, with ``back``, y at mean 0 and variance 1 per number; unit vectors are first brought near it."""
        return self.inputs[back](rows * rows.shape[1] ** 0.5)

    def image_encoder(self, features: Tensor) -> Tensor:
        """Features [n, image_dim] -> h_x, centred, of unit length [n, embed_size]."""
        return centred(self.middle(_global(features), False))

    def text_encoder(self, ids: LongTensor, lengths: LongTensor) -> Tensor:
        """Ids [n, seq_len], lengths [n] -> h_y, centred, of unit length [n, embed_size]."""
        return centred(self.middle(self.words(ids, lengths), True))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """The parts of the loss over the positive pairs of the batch."""
        images, captions = positive_pairs(batch.positives)
        x = _global(batch.images.to(self.dtype))[images]  # [n_pairs, image_dim]
        y = self.words(batch.captions.ids, batch.captions.lengths)[captions]  # [n_pairs, word_dim]
        return self.pair_loss(self.standard(x, False), self.standard(y, True))

    def pair_loss(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        """x [n_pairs, image_dim] and y [n_pairs, word_dim] -> the parts of the loss, each with its weight."""
        masks = self.masks(x)
        forth, back = self.net(x, False, masks), self.net(y, True, masks)
        h_x, h_y = forth[MIDDLE], back[MIDDLE]  # [n_pairs, embed_size]
        parts = {"prediction": squared_distance(x, back[-1]) + squared_distance(y, forth[-1])}
        parts["match"] = self.match_weight * squared_distance(h_x, h_y)
        if self.decorrelation_weight:
            parts["decorrelation"] = self.decorrelation_weight * (decorrelation(h_x) + decorrelation(h_y))
        scales = [norm.weight for norm in self.net.norms.modules() if isinstance(norm, BatchNorm)]
        if self.scale_weight and scales:
            parts["scale"] = self.scale_weight * scale_penalty(scales)
        return parts

    def masks(self, x: Tensor) -> list[Tensor] | None:
        """What hides numbers of the three hidden layers in both channels, [n_pairs, width] each; None in evaluation."""
        if not (self.training and self.dropout):
            return None
        widths = [len(bias) for bias in self.net.biases[0][:-1]]
        kept = [torch.rand(len(x), width, device=x.device) >= self.dropout for width in widths]
        return [one.to(x.dtype) / (1 - self.dropout) ** 0.5 for one in kept]


def _global(features: Tensor) -> Tensor:
    """One feature of unit length per image: [n, dim], or [n, n_regions, dim] (averaged) -> [n, dim]."""
    return normalize(features.mean(1) if features.ndim == 3 else features, dim=-1)


def centred(h: Tensor) -> Tensor:
    """[n, dim] minus the mean of each row, scaled to unit length, so that a dot product is a correlation."""
    return normalize(h - h.mean(1, keepdim=True), dim=-1)
