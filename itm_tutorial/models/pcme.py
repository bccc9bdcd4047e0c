"""PCME in miniature: an image or a caption is a normal distribution, and the loss compares samples.

Chun, Oh, Sampaio de Rezende, Kalantidis and Larlus, "Probabilistic Embeddings for Cross-Modal Retrieval", CVPR 2021,
https://arxiv.org/abs/2101.05068. From vectors x_r of regions or words, with attention weights a_r,

    mu = l2(LN(W_1 mean_r x_r + sigmoid(W_2 sum_r a_r x_r))),    log sigma = W_3 mean_r x_r + W_4 sum_r a'_r x_r,
    z = mu + sigma noise (J samples),   p = mean over J^2 of sigmoid(2 x), x = -a |z - z'| + b,
    L = -2 sum_ij log p(m_ij) + beta (KL of images + KL of captions).

The published ratio e^x / (e^x + e^-x) is sigmoid(2x), not sigmoid(x). Two slips of the public code are not copied: it
samples with log sigma as the logarithm of a standard deviation, and its KL reads the same number as that of a variance;
and its probability at test time overflows. See ``interaction.expected_distance`` and ``losses.match_probability``.

Left out: the published networks and their pre-training, the GRU in the text's log sigma, the uniformity term of CUB.
The published score is the product of sums of samples; here it is its expected value, mu . mu'.
"""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import normalize

from itm_tutorial.data.options import Count, Dimension, PositiveFloat, Weight
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.pooling import AttentionPooling
from itm_tutorial.encoders.text import create_word_encoder, masked_mean, word_mask
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.interaction.expected_distance import Gaussians, expected_distance, kl_to_standard
from itm_tutorial.losses.match_probability import SoftContrastive
from itm_tutorial.models._base import Batch, FeatureSpec, Matching, Recipe
from itm_tutorial.models._registry import register_model

SPREAD = 0.5  # expected length of the noise in the beginning, beside means of length 1


class GaussianHead(nn.Module):
    """A mean and a log standard deviation from a set of vectors.

    Args:
        in_dim: numbers per vector.
        dim: numbers per embedding.
    """

    def __init__(self, in_dim: int, dim: int):
        super().__init__()
        self.attend = nn.ModuleDict({part: AttentionPooling(in_dim) for part in ("mean", "std")})
        self.mean, self.mean_residual = nn.Linear(in_dim, dim), nn.Linear(in_dim, dim)
        self.std, self.std_residual = nn.Linear(in_dim, dim), nn.Linear(in_dim, dim)
        self.norm = nn.LayerNorm(dim)
        nn.init.constant_(self.std.bias, math.log(SPREAD / dim**0.5))

    def forward(self, vectors: Tensor, mask: Tensor) -> Gaussians:
        """Vectors [n, size, in_dim] and mask bool [n, size] -> ``Gaussians`` [n, dim]."""
        pooled = masked_mean(vectors, mask)
        mean = self.mean(pooled) + self.mean_residual(self.attend["mean"](vectors, mask)).sigmoid()
        log_std = self.std(pooled) + self.std_residual(self.attend["std"](vectors, mask))
        return Gaussians(normalize(self.norm(mean), dim=-1), log_std)


class GaussianWords(nn.Module):
    """Word states -> ``Gaussians``.

    Args:
        sentence: "gru" or "bow".
        n_words: words in the vocabulary.
        word_dim: numbers per word.
        dim: numbers per embedding.
    """

    def __init__(self, sentence: str, n_words: int, word_dim: int, dim: int):
        super().__init__()
        self.states = create_word_encoder(sentence, n_words, word_dim, dim, unit=False)
        self.head = GaussianHead(dim, dim)

    def forward(self, ids: LongTensor, lengths: LongTensor) -> Gaussians:
        """Word ids [n_captions, seq_len] and lengths [n_captions] -> ``Gaussians``."""
        return self.head(self.states(ids, lengths).words, word_mask(ids, lengths))


@register_model(chapter="21", paper="chun2021pcme", variants={"pcme_mean": {"samples": 0}})
class PCME(Matching):
    """Normal distributions from regions and from words of a GRU; the soft contrastive loss over samples.

    Args:
        vocabulary: the words of the training captions.
        features: which visual features the images come as: "regions", "oracle" or "grid".
        image_dim: numbers per region.
        embed_size: numbers per embedding (1024 in the paper).
        word_dim: numbers per word (300 in the paper).
        sentence: "gru" or "bow".
        samples: J, per embedding and step (7 in the paper); 0 trains the means alone, the deterministic twin.
        scale: a in the beginning (15 on MSCOCO, 5 on CUB).
        shift: b in the beginning (the same).
        kl_weight: beta (1e-5 on MSCOCO, 1e-3 on CUB).
        score: "mean", mu . mu'; or "expected", minus the expected squared distance of PCME++.
    """

    feature_kind = "regions"
    # the paper: AdamP 2e-4, batch 128, 30 epochs with a frozen image network and 30 more with all weights
    recipes: ClassVar[dict[str, Recipe]] = {"drawn": Recipe(learning_rate=2e-3, epochs=6, batch_size=64)}

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: FeatureSpec,
        image_dim: int,
        *,
        embed_size: Dimension = 128,
        word_dim: Dimension = 128,
        sentence: Literal["gru", "bow"] = "gru",
        samples: Count = 7,
        scale: PositiveFloat = 15.0,
        shift: float = 15.0,
        kl_weight: Weight = 1e-5,
        score: Literal["mean", "expected"] = "mean",
    ):
        super().__init__(vocabulary, features)
        self.head = GaussianHead(image_dim, embed_size)
        self.text_encoder = GaussianWords(sentence, len(vocabulary), word_dim, embed_size)
        self.samples, self.kl_weight, self.score = samples, kl_weight, score
        self.loss_function = SoftContrastive(scale, shift)

    def image_encoder(self, features: Tensor) -> Gaussians:
        """Features [n_images, n_regions, image_dim] -> ``Gaussians``."""
        features = normalize(features, dim=-1) * features.shape[-1] ** 0.5
        return self.head(features, torch.ones(features.shape[:2], dtype=torch.bool, device=features.device))

    def similarity(self, image_emb: Gaussians, caption_emb: Gaussians) -> Tensor:
        """``Gaussians`` of both sides -> [n_images, n_captions]."""
        if self.score == "mean":
            return cosine(image_emb.mean, caption_emb.mean)
        return -expected_distance(image_emb, caption_emb)

    def loss(self, batch: Batch) -> Tensor:
        """The soft contrastive loss of J samples and the weighted KL divergences; of the means alone if J is 0."""
        images, captions = self.encode_images(batch), self.encode_captions(batch)
        if not self.samples:
            return self.loss_function(images.mean[:, None], captions.mean[:, None], batch.positives)
        drawn = images.samples(self.samples), captions.samples(self.samples)
        kl = kl_to_standard(images) + kl_to_standard(captions)
        return self.loss_function(*drawn, batch.positives) + self.kl_weight * kl
