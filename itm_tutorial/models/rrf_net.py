"""RRF-Net: one residual layer applied again and again, and all its states fused.

Liu, Guo, Bakker and Lew, "Learning a Recurrent Residual Fusion Network for Multimodal Matching", ICCV 2017,
http://openaccess.thecvf.com/content_ICCV_2017/papers/Liu_Learning_a_Recurrent_ICCV_2017_paper.pdf. On each side, with
BN for batch normalisation,

    h_0     = relu(BN(W_2 relu(W_1 BN(x))))
    h_{t+1} = h_t + relu(BN_t(W h_t + b)),   t = 0 .. 3:  W and b are shared by all steps, BN_t is not
    z       = relu(BN(a_1 h_1 + a_2 h_2 + a_3 h_3 + a_4 h_4 + c)),   one mean and one variance for all numbers
    v       = BN(W_3 z), scaled to unit length

In the public code h_0 is no part of the fusion, and the paper's "t = 3" counts from 0: four applications. The loss is
``losses.bi_rank``. x is the image's feature, or the mean of fixed word vectors. Left out: training by stochastic
gradient descent at a rate of 0.1; the code's sentence features are Fisher vectors.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from itm_tutorial.data.options import Dimension, Dropout, PositiveInt, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.batch_norm import BatchNorm
from itm_tutorial.encoders.branch import AveragedWords
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.losses.bi_rank import BiRankLoss
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._fixed_words import FixedWords
from itm_tutorial.models._registry import register_model


class RecurrentResidual(nn.Module):
    """h_0, the residual steps, and the fusion of their states.

    Args:
        in_dim: numbers per feature.
        hidden: numbers of the first layer.
        dim: numbers per state and per embedding.
        steps: how often the residual layer is applied.
        layers: "shared": one W and b for all steps; "unshared": one per step; "single", a control of as many weights as
            "shared": relu(BN(W h_0 + b)) once, without the sum.
        fusion: "all" states, or the "last" one alone.
        dropout: the fraction of the first layer's numbers that training sets to zero.
    """

    def __init__(self, in_dim: int, hidden: int, dim: int, steps: int, layers: str, fusion: str, dropout: float):
        super().__init__()
        first = (BatchNorm(in_dim), nn.Linear(in_dim, hidden), nn.ReLU(), nn.Dropout(dropout))
        self.first = nn.Sequential(*first, nn.Linear(hidden, dim), BatchNorm(dim), nn.ReLU())
        self.residual = layers != "single"
        steps = steps if self.residual else 1
        self.layers = nn.ModuleList(nn.Linear(dim, dim) for _ in range(steps if layers == "unshared" else 1))
        self.norms = nn.ModuleList(BatchNorm(dim) for _ in range(steps))
        fused = steps if fusion == "all" else 1
        self.weights, self.shift = nn.Parameter(torch.full((fused,), 1 / fused)), nn.Parameter(torch.zeros(()))
        self.fusion_norm, self.last = nn.BatchNorm1d(1), nn.Sequential(nn.Linear(dim, dim), BatchNorm(dim))

    def states(self, start: Tensor) -> Tensor:
        """h_0 [n, dim] -> h_1 to h_4, [n, steps, dim]; h_0 itself is not among them."""
        h, found = start, []
        for step, norm in enumerate(self.norms):
            added = norm(self.layers[step % len(self.layers)](h)).relu()
            h = h + added if self.residual else added
            found.append(h)
        return torch.stack(found, 1)

    def fuse(self, states: Tensor) -> Tensor:
        """States [n, steps, dim] -> their weighted sum [n, dim], before batch normalisation."""
        return torch.einsum("nsd,s->nd", states[:, -len(self.weights) :], self.weights) + self.shift

    def forward(self, features: Tensor) -> Tensor:
        """Features [n, in_dim], or [n, n_regions, in_dim] (averaged) -> unit vectors [n, dim]."""
        if features.ndim == 3:
            features = features.mean(1)
        features = normalize(features, dim=-1) * features.shape[1] ** 0.5  # near variance 1, where running ones start
        fused = self.fuse(self.states(self.first(features)))  # [n, dim]
        return normalize(self.last(self.fusion_norm(fused[:, None])[:, 0].relu()), dim=-1)


@register_model(
    chapter="12",
    paper="liu2017rrfnet",
    variants={
        "rrf_net_unshared": {"layers": "unshared"},
        "rrf_net_last": {"fusion": "last"},
        "rrf_net_single": {"layers": "single"},
    },
)
class RRFNet(Matching):
    """Recurrent residual fusion over the image's feature and over the mean of fixed word vectors.

    Args:
        vocabulary: the words that have a vector.
        features: which visual features the images come as.
        image_dim: numbers per feature.
        word_dim: numbers per word; follows from the word vectors.
        embed_size: numbers per state and per embedding (512 in the public code).
        hidden: numbers of the first layer (2,048 in the public code).
        steps: how often the residual layer is applied (4 in the public code).
        layers: "shared", "unshared" or "single"; see ``RecurrentResidual``.
        fusion: "all" or "last".
        margin: of the hinges (0.1 in the public code).
        violators: negatives of a pair in each direction (50 in the public code).
        dropout: the fraction of the first layer's numbers that training sets to zero (0.5 in the public code).
    """

    text_input = FixedWords()
    recipes: ClassVar[dict[str, Recipe]] = {
        "drawn": Recipe(learning_rate=2e-3, epochs=10, batch_size=128),
        "paper": Recipe(options={"embed_size": 512, "hidden": 2048, "dropout": 0.5}),
    }
    similarity = staticmethod(cosine)

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        word_dim: Dimension,
        embed_size: Dimension = 128,
        hidden: Dimension = 256,
        steps: PositiveInt = 4,
        layers: Literal["shared", "unshared", "single"] = "shared",
        fusion: Literal["all", "last"] = "all",
        margin: Weight = 0.1,
        violators: PositiveInt = 50,
        dropout: Dropout = 0.0,
    ):
        super().__init__(vocabulary, features)
        shape = (hidden, embed_size, steps, layers, fusion, dropout)
        self.image_encoder = RecurrentResidual(image_dim, *shape)
        self.text_encoder = AveragedWords(len(vocabulary), word_dim, RecurrentResidual(word_dim, *shape))
        self.loss_function = BiRankLoss(margin, violators)

    def loss(self, batch: Batch) -> Tensor:
        """The hinges of ``BiRankLoss``, which needs the embeddings of both sides."""
        return self.loss_function(self.encode_images(batch), self.encode_captions(batch), batch.positives)
