"""Consensus: concepts that occur together in captions are linked, and an image or a caption is spelled in concepts.

Wang, Zhang, Ji, Pang and Ma, "Consensus-Aware Visual-Semantic Embedding for Image-Text Matching", ECCV 2020
(https://arxiv.org/abs/2007.08883).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import leaky_relu, normalize

from itm_tutorial.data.text import UNKNOWN, Vocabulary
from itm_tutorial.encoders.concepts import commonest, concept_numbers, count_concepts, named_concepts

if TYPE_CHECKING:
    from itm_tutorial.data.parsing import Parse

SHARES = {"NOUN": 7, "VERB": 2, "ADJ": 1}  # of the concepts: objects, motions, properties, as in the authors' code
THRESHOLD = 0.1677  # smallest P_ij of an edge: log(1 + 0.3 * 5^0.02) / log 5
LOOP = 0.25  # weight of all neighbours together against the concept itself, as in the authors' code


def concept_words(parses: Iterable[Parse], most: int) -> list[str]:
    """The commonest nouns, verbs and adjectives, 7 : 2 : 1, of parsed training captions; at most ``most``."""
    counts = count_concepts(parses)
    rooms = {sort: most * share // sum(SHARES.values()) for sort, share in SHARES.items()}
    return list(dict.fromkeys(word for sort, room in rooms.items() for word in commonest(counts[sort], room)))


def co_occurrence(named: Tensor) -> Tensor:
    """P_ij = E_ij / N_i: how often a caption that names concept i names concept j too.

    Args:
        named: [n_captions, n_concepts], 1 where a caption names a concept, else 0.

    Returns:
        [n_concepts, n_concepts], zero on the diagonal; rows need not equal columns.
    """
    together = named.T @ named  # E, and N on its diagonal
    return (together / together.diagonal()[:, None].clamp(min=1)).fill_diagonal_(0)


def consensus_edges(conditional: Tensor, threshold: float = THRESHOLD) -> Tensor:
    """G_ij = [P_ij >= threshold], as 0 and 1.

    The authors scale first, B = s^(P - u) - s^(-u) with s = 5 and u = 0.02, and then ask whether B >= 0.3. B rises
    with P, so the scaling changes nothing: both together are one threshold on P.

    Args:
        conditional: P, [n_concepts, n_concepts].
        threshold: smallest P of an edge.
    """
    return (conditional >= threshold).to(conditional)


def graph_weights(edges: Tensor) -> Tensor:
    """D^(-1/2) (0.25 G / its column sums + I) D^(-1/2), what one graph convolution multiplies by.

    Args:
        edges: G, [n_concepts, n_concepts].
    """
    mixed = LOOP * edges / edges.sum(0).clamp(min=1) + torch.eye(len(edges)).to(edges)
    scale = mixed.sum(1).rsqrt()
    return scale[:, None] * mixed * scale


class Spelled(NamedTuple):
    """One side, [n, dim] unit vectors: by itself, in concepts, fused; and the weights of concepts [n, n_concepts]."""

    instance: Tensor
    consensus: Tensor
    fused: Tensor
    weights: Tensor


class Consensus(nn.Module):
    """Z, two graph convolutions over the concepts' word vectors, and what a side becomes in these concepts.

    Args:
        concepts: words.
        edges: i * n_concepts + j for each edge from i to j.
        vocabulary: of the text encoder, whose word vectors are read.
        kind: "captions"; "permuted", the same graph with its nodes exchanged at random; "unlinked", without edges.
        word_dim: numbers per word vector.
        dim: numbers per concept.
        sharpness: lambda, the inverse temperature of concepts.
        label_weight: alpha, of the concepts that a caption names.
        instance_weight: beta, of a side by itself against its concepts.
    """

    def __init__(
        self,
        concepts: list[str],
        edges: list[int],
        vocabulary: Vocabulary,
        kind: str,
        word_dim: int,
        dim: int,
        *,
        sharpness: float,
        label_weight: float,
        instance_weight: float,
    ):
        super().__init__()
        self.sharpness, self.label_weight, self.instance_weight = sharpness, label_weight, instance_weight
        n = len(concepts)
        linked = torch.zeros(n * n).index_fill_(0, torch.tensor(edges, dtype=torch.int64), 1.0).view(n, n)
        if kind == "permuted":
            order = torch.randperm(n, generator=torch.Generator().manual_seed(0))
            linked = linked[order][:, order]
        ids = [vocabulary.index.get(word, vocabulary.index[UNKNOWN]) for word in concepts]
        self.register_buffer("weights", graph_weights(linked * (kind != "unlinked")), persistent=False)
        self.register_buffer("ids", torch.tensor(ids), persistent=False)  # of the concepts' words
        self.register_buffer("concept_of", concept_numbers(concepts, vocabulary), persistent=False)
        self.first, self.second = nn.Linear(word_dim, 2 * dim, bias=False), nn.Linear(2 * dim, dim, bias=False)
        nn.init.xavier_uniform_(self.first.weight)
        nn.init.xavier_uniform_(self.second.weight)
        self.compare = nn.Linear(dim, dim, bias=False)  # W

    def forward(self, words: nn.Embedding) -> Tensor:
        """Z: the text encoder's word vectors -> [n_concepts, dim]."""
        hidden = leaky_relu(self.weights @ self.first(normalize(words(self.ids), dim=-1)), 0.2)
        return normalize(self.weights @ self.second(hidden), dim=-1)

    def spell(self, instance: Tensor, words: nn.Embedding, ids: LongTensor | None = None) -> Spelled:
        """A side in concepts.

        Args:
            instance: unit vectors [n, dim].
            words: the text encoder's word vectors.
            ids: of captions, their word ids [n, seq_len], which say what they name; None for images.

        Returns:
            ``Spelled``.
        """
        z = self(words)  # [n_concepts, dim]
        weights = (self.sharpness * self.compare(instance) @ z.T).softmax(1)  # [n, n_concepts]
        if ids is not None:
            named = named_concepts(ids, self.concept_of, len(self.ids)).to(weights)
            weights = self.label_weight * (self.sharpness * named).softmax(1) + (1 - self.label_weight) * weights
        consensus = normalize(weights @ z, dim=-1)
        fused = self.instance_weight * instance + (1 - self.instance_weight) * consensus
        return Spelled(instance, consensus, normalize(fused, dim=-1), weights)


def mine_graph(captions: list[str], concepts: list[str]) -> tuple[list[str], list[int]]:
    """The concepts, and the edges i * n_concepts + j of their graph, counted over the training captions."""
    vocabulary = Vocabulary(concepts)
    ids = vocabulary.encode(captions).ids
    named = named_concepts(ids, concept_numbers(concepts, vocabulary), len(concepts))
    return concepts, consensus_edges(co_occurrence(named)).flatten().nonzero()[:, 0].tolist()
