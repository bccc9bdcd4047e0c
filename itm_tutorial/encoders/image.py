"""Image encoders: visual features in, image embeddings out."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from itm_tutorial.errors import ItmError


class GlobalProjection(nn.Module):
    """One linear map from an image's global feature to the joint space (UVSE; VSE++, section 3.1).

    Args:
        in_dim: numbers per feature.
        dim: numbers per image embedding.
        dropout: the fraction of the feature's numbers that training sets to zero.
        unit: whether to scale the embedding to unit length.
    """

    def __init__(self, in_dim: int, dim: int, dropout: float = 0.0, unit: bool = True):
        super().__init__()
        self.unit = unit
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(in_dim, dim)
        nn.init.xavier_uniform_(self.project.weight)
        nn.init.zeros_(self.project.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Features [n_images, in_dim], or [n_images, n_regions, in_dim] (averaged) -> embeddings [n_images, dim]."""
        if features.ndim == 3:
            features = features.mean(1)
        embeddings = self.project(self.dropout(normalize(features, dim=-1)))
        return normalize(embeddings, dim=-1) if self.unit else embeddings


class RegionProjection(nn.Module):
    """One linear map from each region's feature to the joint space, scaled to unit length (SCAN, section 3.2).

    Args:
        in_dim: numbers per feature.
        dim: numbers per embedding.
        dropout: the fraction of a feature's numbers that training sets to zero, the same numbers in all regions of an
            image; with separate choices per region, other regions of the image would still show the hidden numbers.
        unit: whether to scale every feature and every embedding to unit length. Otherwise regions keep their relative
            lengths, and with uniform attention an image equals the result of ``GlobalProjection``. (The authors'
            ``--no_imgnorm`` only leaves out the scaling of embeddings; their features have unit length already.)
        sample: how many regions per image each training step draws at random, to reduce overfitting and time; 0 takes
            all, as evaluation does.

    Raises:
        ItmError: ``sample`` is negative.
    """

    def __init__(self, in_dim: int, dim: int, dropout: float = 0.0, unit: bool = True, sample: int = 0):
        super().__init__()
        if sample < 0:
            raise ItmError(f"sample is {sample}: give the number of regions that a training step draws, or 0 for all")
        self.unit, self.sample = unit, sample
        self.dropout = nn.Dropout1d(dropout)
        self.project = nn.Linear(in_dim, dim)
        nn.init.xavier_uniform_(self.project.weight)
        nn.init.zeros_(self.project.bias)

    def forward(self, features: Tensor) -> Tensor:
        """[n_images, n_regions, in_dim] -> embeddings [n_images, n_regions, dim]; ``sample`` regions in training."""
        if self.unit:
            features = normalize(features, dim=-1)
        else:  # so that the mean region has unit length
            features = features / features.mean(1, keepdim=True).norm(dim=-1, keepdim=True).clamp(min=1e-12)
        if self.training and 0 < self.sample < features.shape[1]:
            drawn = torch.rand(features.shape[:2], device=features.device).topk(self.sample).indices
            features = features.gather(1, drawn[..., None].expand(-1, -1, features.shape[2]))
        kept = self.dropout(features.mT).mT  # Dropout1d zeroes whole rows of [n_images, in_dim, n_regions]
        embeddings = self.project(kept)
        return normalize(embeddings, dim=-1) if self.unit else embeddings
