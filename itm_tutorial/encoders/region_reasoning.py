"""Reasoning over regions: each region of an image adds what it hears from the others, weighted by learned affinities.

Li, Zhang, Li, Li and Fu, "Visual Semantic Reasoning for Image-Text Matching", ICCV 2019,
https://arxiv.org/abs/1909.02701.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from itm_tutorial.encoders.batch_norm import BatchNorm
from itm_tutorial.encoders.image import RegionProjection


class RegionReasoning(nn.Module):
    """One layer of reasoning: V* = BN(W_r A V W_g) + V, with the affinities A of the image's own regions.

    Args:
        dim: numbers per region.
        affinity: A: "mean", R / N, as in the authors' code; "softmax", of the rows of R; "own", the identity matrix,
            a control in which each region hears of itself alone.
    """

    def __init__(self, dim: int, affinity: str = "mean"):
        super().__init__()
        self.affinity = affinity
        self.phi, self.psi, self.message, self.out = (nn.Linear(dim, dim) for _ in range(4))
        self.norm = BatchNorm(dim)
        nn.init.zeros_(self.norm.weight)
        nn.init.zeros_(self.norm.bias)

    def affinities(self, regions: Tensor) -> Tensor:
        """Regions [n_images, n_regions, dim] -> A, [n_images, n_regions, n_regions]."""
        if self.affinity == "own":
            return torch.eye(regions.shape[1]).to(regions).expand(len(regions), -1, -1)
        dots = self.phi(regions) @ self.psi(regions).mT
        return dots.softmax(-1) if self.affinity == "softmax" else dots / regions.shape[1]

    def forward(self, regions: Tensor) -> Tensor:
        """[n_images, n_regions, dim] -> the same shape."""
        heard = self.out(self.affinities(regions) @ self.message(regions))
        return self.norm(heard.flatten(0, 1)).view_as(heard) + regions


class ReasonedImage(nn.Module):
    """Region features, in descending confidence -> one unit vector per image, and the mean of the reasoned regions.

    The pooled vector passes a batch normalisation, without which all images begin in nearly the same direction. The
    authors' code has one for Flickr30K; that it stands here, in front of the scaling to unit length, is ours.

    Args:
        in_dim: numbers per feature.
        dim: numbers per embedding.
        layers: of reasoning.
        pool: "gru" or "mean".
        order: of the GRU: "confidence", as the regions come; "shuffled", by a hash of each feature.
        affinity: see ``RegionReasoning``.
    """

    def __init__(self, in_dim: int, dim: int, layers: int, pool: str, order: str, affinity: str):
        super().__init__()
        self.order, self.project = order, RegionProjection(in_dim, dim)
        self.layers = nn.Sequential(*(RegionReasoning(dim, affinity) for _ in range(layers)))
        self.gru = nn.GRU(dim, dim, batch_first=True) if pool == "gru" else None
        self.norm = BatchNorm(dim)

    def forward(self, features: Tensor) -> Tensor:
        """Features [n_images, n_regions, in_dim] -> [n_images, 2 dim]: the unit vector, then the mean of V*."""
        reasoned = self.layers(self.project(features))  # V*, [n_images, n_regions, dim]
        mean = reasoned.mean(1)
        if self.gru is None:
            return torch.cat([normalize(self.norm(mean), dim=-1), mean], 1)
        if self.order == "shuffled":  # the order of an image depends on nothing but its features
            place = torch.arange(1.0, 1 + features.shape[2], device=features.device, dtype=torch.float64)
            rank = ((features.double() * place.cos()).sum(2) * 1e4).frac().argsort(1)  # [n_images, n_regions]
            reasoned = reasoned.take_along_dim(rank[..., None], 1)
        last = self.gru(reasoned * reasoned.shape[2] ** 0.5)[1][0]  # [n_images, dim], from numbers of about 1
        return torch.cat([normalize(self.norm(last), dim=-1), mean], 1)
