"""A network that judges pairs of a phrase and a region, in which the phrase weighs several embeddings of the pair.

Plummer et al., "Conditional Image-Text Embedding Networks", ECCV 2018, https://arxiv.org/abs/1711.08389.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

MOST = 2**15  # pairs judged at a time, so that what the network makes of them stays in a core's cache


class ConditionalNetwork(nn.Module):
    """s = w . sum_k a_k relu(BN(W_k h)) + b with h = relu(BN(W_0 x)), for the product x of a phrase and a region.

    Args:
        dim: numbers per phrase and per region.
        hidden: numbers of h.
        concepts: K.
        concept_dim: numbers per concept layer.
    """

    def __init__(self, dim: int, hidden: int, concepts: int, concept_dim: int):
        super().__init__()
        self.concepts = concepts
        self.shared = nn.Sequential(nn.Linear(dim, hidden), nn.BatchNorm1d(hidden), nn.ReLU())
        width = concepts * concept_dim  # all concept layers side by side: batch normalisation is per number anyway
        self.layers = nn.Sequential(nn.Linear(hidden, width), nn.BatchNorm1d(width), nn.ReLU())
        self.classifier = nn.Linear(concept_dim, 1)

    def forward(self, products: Tensor, weights: Tensor) -> Tensor:
        """Judges pairs.

        Args:
            products: [n_pairs, dim], a phrase times a region, number by number.
            weights: [n_pairs, K], a; the same for every pair of a phrase.

        Returns:
            s [n_pairs], a logit.
        """
        made = self.layers(self.shared(products)).unflatten(1, (self.concepts, -1))  # [n_pairs, K, concept_dim]
        return self.classifier((weights[:, :, None] * made).sum(1))[:, 0]

    def all_pairs(self, regions: Tensor, phrases: Tensor, weights: Tensor) -> Tensor:
        """Judges every phrase with every region, ``MOST`` pairs at a time.

        Args:
            regions: [n_regions, dim].
            phrases: [n_phrases, dim].
            weights: [n_phrases, K].

        Returns:
            s [n_regions, n_phrases].
        """
        step = max(1, MOST // max(1, len(phrases)))
        found = []
        for some in regions.split(step):
            products = (some[:, None] * phrases).flatten(0, 1)
            found.append(self(products, weights.repeat(len(some), 1)).view(len(some), len(phrases)))
        return torch.cat(found)
