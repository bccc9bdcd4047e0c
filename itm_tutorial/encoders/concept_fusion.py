"""Concepts of a picture: how likely each is shown, and their fusion with the global context.

After the abstract of Huang, Wu and Wang, "Learning Semantic Concepts and Order for Image and Sentence Matching", CVPR
2018, https://arxiv.org/abs/1712.02036; the forms are ours and stand in ``models.sco``.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, normalize

from itm_tutorial.errors import unknown

FUSIONS = ("gate", "sum", "context", "concepts")
RARE = -4.0  # the first bias of every concept: a region shows few of them
SMALLEST = 1e-6  # probability


class Concepts(NamedTuple):
    """What is predicted for an image.

    Attributes:
        absent: log of 1 - p_c, [n_images, n_concepts].
        gate: [n_images, dim]; 1 takes the concepts, 0 the context.
        vectors: v, [n_images, dim], of any length.
    """

    absent: Tensor
    gate: Tensor
    vectors: Tensor


class ConceptImage(nn.Module):
    """Concepts that regions show, the mean region as context, and one vector of both.

    All fusions have the same parameters. "gate": gate * p + (1 - gate) * g, with a gate of ``dim`` numbers; "sum":
    U_p p + U_g g + b, with the maps that would make the gate; "context": g alone; "concepts": p alone.

    Args:
        image_dim: numbers per region.
        n_concepts: how many are predicted.
        dim: numbers per vector.
        fusion: one of ``FUSIONS``.

    Raises:
        ItmError: no fusion has this name.
    """

    def __init__(self, image_dim: int, n_concepts: int, dim: int, fusion: str = "gate"):
        super().__init__()
        if fusion not in FUSIONS:
            raise unknown("fusion", fusion, FUSIONS)
        self.fusion = fusion
        self.concept = nn.Linear(image_dim, n_concepts)
        nn.init.constant_(self.concept.bias, RARE)
        self.from_concepts, self.from_context = nn.Linear(n_concepts, dim), nn.Linear(image_dim, dim)  # W_p, W_g
        self.mix_concepts = nn.Linear(dim, dim, bias=False)  # U_p
        self.mix_context = nn.Linear(dim, dim)  # U_g, b

    def forward(self, features: Tensor) -> Tensor:
        """Features [n_images, n_regions, image_dim] -> unit vectors [n_images, dim]."""
        return normalize(self.predict(features).vectors, dim=-1)

    def predict(self, features: Tensor) -> Concepts:
        """Features [n_images, n_regions, image_dim] -> ``Concepts``."""
        regions = normalize(features, dim=-1)
        scale = regions.shape[2] ** 0.5  # numbers of about 1: a logistic unit of small numbers trains slowly
        logits = self.concept(regions * scale)  # [n_images, n_regions, n_concepts]
        absent = logsigmoid(-logits.to(torch.promote_types(logits.dtype, torch.float32))).sum(1)
        p = normalize(self.from_concepts(-absent.expm1().to(regions.dtype)), dim=-1)
        g = normalize(self.from_context(regions.mean(1)), dim=-1)
        return Concepts(absent, *self.fuse(p, g))

    def fuse(self, p: Tensor, g: Tensor) -> tuple[Tensor, Tensor]:
        """Concepts and context, unit vectors [n_images, dim] -> the gate and v, [n_images, dim] each."""
        if self.fusion in ("context", "concepts"):
            gate = torch.full_like(p, float(self.fusion == "concepts"))
        else:
            mixed = self.mix_concepts(p) + self.mix_context(g)
            if self.fusion == "sum":
                return torch.full_like(mixed, 0.5), mixed
            gate = mixed.sigmoid()
        return gate, gate * p + (1 - gate) * g


def concept_loss(absent: Tensor, targets: Tensor) -> Tensor:
    """The cross-entropy of several labels, summed over concepts and averaged over captions.

    Args:
        absent: log of 1 - p_c of each caption's image, [n_captions, n_concepts].
        targets: 1 where the caption names the concept, else 0, [n_captions, n_concepts].

    Returns:
        A scalar.
    """
    present = (-absent.expm1()).clamp(min=SMALLEST).log()  # log p_c
    absent = absent.clamp(min=-50)  # a concept that is certain and not named costs much, but not infinitely much
    return -(targets * present + (1 - targets) * absent).sum(1).mean()
