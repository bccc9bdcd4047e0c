"""Two exercises of chapter 21 on several right answers: mAP@R of a ranking, and the draw of a hard negative."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from itm_tutorial.chapters.exercise import Exercise, random_size


def _ranking(g: torch.Generator, n_relevant: int = 0, first: bool = False) -> tuple[Tensor]:
    """Which items of a ranking are relevant, from the first rank on."""
    n = random_size(g, 6, 12)
    n_relevant = n_relevant or random_size(g, 2, 5)
    if first:
        return (torch.arange(n) < n_relevant,)
    return (torch.randperm(n, generator=g) < n_relevant,)


def _map_by_loop(relevant: Tensor) -> Tensor:
    ranking = relevant.tolist()
    n_relevant, total = sum(ranking), 0.0
    for r in range(1, n_relevant + 1):
        if ranking[r - 1]:
            total += sum(ranking[:r]) / r
    return torch.tensor(total / n_relevant)


def _own_map_at_r(relevant):
    n_relevant = int(relevant.sum())  # R
    found = relevant[:n_relevant].float()  # nothing after rank R counts
    precision = found.cumsum(0) / torch.arange(1, n_relevant + 1)  # P(r)
    return (found * precision).sum() / n_relevant


def _precision(relevant: Tensor) -> Tensor:
    return relevant.float().cumsum(0) / torch.arange(1, len(relevant) + 1)


map_at_r = Exercise(
    name="map_at_r",
    minutes=10,
    difficulty=2,
    hints=(
        "R is the number of relevant items, relevant.sum(). Only the first R ranks count.",
        "P(r) is the number of relevant items among the first r, divided by r: relevant.float().cumsum(0) / "
        "torch.arange(1, n + 1).",
        "Add up P(r) over those of the first R ranks that hold a relevant item, and divide by R, not by how many were "
        "found.",
    ),
    reference=_map_by_loop,
    own=_own_map_at_r,
    inputs={
        "several relevant items": _ranking,
        "a single relevant item": lambda g: _ranking(g, n_relevant=1),
        "a perfect ranking": lambda g: _ranking(g, first=True),
    },
    begin="Start from `relevant`, bool [n_items]: whether the item at each rank is relevant, the best rank first. R is "
    "the number of relevant items. Return (1 / R) times the sum of P(r) over the ranks r up to R that hold a relevant "
    "item.",
    mistakes=(
        (
            lambda x: (x.float() * _precision(x)).sum() / x.sum(),
            "This is plain average precision: ranks after R count too. Stop at rank R.",
        ),
        (
            lambda x: x[: int(x.sum())].float().mean(),
            "This is R-precision: every hit among the first R counts the same. Weight each hit by P(r).",
        ),
        (
            lambda x: x[0].float(),
            "This is R@1: only the first rank counts. Look at the first R ranks.",
        ),
        (
            lambda x: (x.float() * _precision(x))[: int(x.sum())].sum() / x[: int(x.sum())].sum().clamp(min=1),
            "The sum is divided by the number of hits among the first R. Divide by R: what was not found counts as 0.",
        ),
        (
            lambda x: _precision(x)[: int(x.sum())].mean(),
            "P(r) is added up over all of the first R ranks. Add it only where the item is relevant.",
        ),
        (
            lambda x: (x.float() * _precision(x))[: int(x.sum())].sum() / len(x),
            "The sum is divided by the number of items. Divide by R, the number of relevant ones.",
        ),
        (
            lambda x: (x.float() * _precision(x))[: int(x.sum())].sum(),
            "The sum is not divided by R, the number of relevant items.",
        ),
        (
            lambda x: (x.float() / torch.arange(1, len(x) + 1))[: int(x.sum())].sum() / x.sum(),
            "Each hit counts 1 / r. P(r) counts all relevant items up to rank r, not only the one at r.",
        ),
    ),
)


def _scores(g: torch.Generator, sure: bool = False, several: bool = False) -> tuple[Tensor, Tensor]:
    """Logits of queries with items, and the positives; every query has a negative."""
    n = random_size(g, 3, 7)
    positives = torch.eye(n).bool()
    if several:
        positives = positives.repeat_interleave(2, 1)  # two captions per image
    scores = torch.randn(positives.shape, generator=g)
    return scores + 120 * positives if sure else scores, positives


def _negatives_by_loop(scores: Tensor, positives: Tensor) -> Tensor:
    found = []
    for row, own in zip(scores.double().tolist(), positives.tolist(), strict=True):
        largest = max(value for value, positive in zip(row, own, strict=True) if not positive)
        powers = [0.0 if positive else math.exp(value - largest) for value, positive in zip(row, own, strict=True)]
        found.append([power / sum(powers) for power in powers])
    return torch.tensor(found)


def _own_hard_negative_probabilities(scores, positives):
    return scores.masked_fill(positives, -torch.inf).softmax(1)  # the softmax sees negatives alone


hard_negative_probabilities = Exercise(
    name="hard_negative_probabilities",
    minutes=10,
    difficulty=2,
    hints=(
        "The softmax of a row must not see the positives: whatever their score is, the probabilities of the negatives "
        "sum to one.",
        "exp(-infinity) is 0: fill the positives with minus infinity before the softmax.",
        "Return scores.masked_fill(positives, -torch.inf).softmax(1).",
    ),
    reference=_negatives_by_loop,
    own=_own_hard_negative_probabilities,
    inputs={
        "several queries": _scores,
        "a very sure model": lambda g: _scores(g, sure=True),
        "two captions per image": lambda g: _scores(g, several=True),
    },
    shape="[n_queries, n_items]",
    varied=("scores",),
    begin="Start from `scores` [n_queries, n_items], already divided by the temperature, and `positives`, bool of the "
    "same shape. Return the probability with which each item is drawn as the negative of a query: 0 for positives, and "
    "in proportion to exp(score) for all others.",
    remarks={
        "a very sure model": "A positive has a score of about 120. After a softmax over all items, the negatives are 0 "
        "in float32, and nothing can be drawn.",
    },
    mistakes=(
        (
            lambda s, p: s.softmax(1).masked_fill(p, 0),
            "The positives are removed after the softmax, so the rest does not sum to one, and is all 0 where a "
            "positive scores high. Fill them with minus infinity before.",
        ),
        (
            lambda s, p: torch.nn.functional.normalize(s.softmax(1).masked_fill(p, 0), p=1, dim=1),
            "The positives are removed after the softmax. Where a positive scores high, all negatives have been "
            "rounded to 0 before: remove it before the softmax.",
        ),
        (
            lambda s, p: s.masked_fill(p, 0).softmax(1),
            "The score of a positive is set to 0, and exp(0) is 1: it can still be drawn. Use minus infinity.",
        ),
        (
            lambda s, p: s.softmax(1),
            "Positives can be drawn. Their probability must be 0.",
        ),
        (
            lambda s, p: torch.nn.functional.normalize((~p).float(), p=1, dim=1),
            "All negatives are equally likely. Draw those with a high score more often.",
        ),
        (
            lambda s, p: s.masked_fill(p, -torch.inf).softmax(0).nan_to_num(0),
            "The softmax runs over the queries. Take it over the items of a query, dim=1.",
        ),
        (
            lambda s, p: (-s).masked_fill(p, -torch.inf).softmax(1),
            "Easy negatives are drawn more often than hard ones: the sign of the scores is turned.",
        ),
        (
            lambda s, p: s.masked_fill(~p, -torch.inf).softmax(1),
            "The negatives are removed, and a positive is drawn. Fill the positives, not the others.",
        ),
        (
            lambda s, p: torch.nn.functional.one_hot(s.masked_fill(p, -torch.inf).argmax(1), s.shape[1]).float(),
            "The hardest negative is always taken. ALBEF draws at random, in proportion to exp(score).",
        ),
    ),
)

RANKING_EXERCISES = (map_at_r, hard_negative_probabilities)
