"""What only a drawn world can tell: the ceiling that no model may pass, and the queries where one thing decides."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import LongTensor, Tensor

from itm_tutorial.data.corpus import Split, SplitFacts
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.retrieval_metrics import Report, evaluate


def _facts(split: Split) -> SplitFacts:
    if split.facts is None:
        raise ItmError(f"split {split.name!r} has no facts: only drawn worlds know what is true of their pictures")
    return split.facts


def oracle_scores(split: Split, seed: int = 0) -> Tensor:
    """Scores by an oracle that reads the true scene instead of the picture.

    It prefers images of which all that a caption states is true, then those of which the caption states most;
    where two are alike in both, it guesses.

    Args:
        split: of a drawn world.
        seed: of the guesses.

    Returns:
        float32 [n_images, n_captions].

    Raises:
        ItmError: the split knows no facts.
    """
    facts = _facts(split)
    number = {fact: n for n, fact in enumerate(sorted(set().union(*facts.of_image, *facts.of_caption), key=str))}
    true, stated = (_indicator(sets, number) for sets in (facts.of_image, facts.of_caption))
    shared = true @ stated.T  # [n_images, n_captions]
    relevance = shared / stated.sum(1).clamp(min=1)
    coverage = shared / true.sum(1, keepdim=True).clamp(min=1)
    guess = torch.rand(shared.shape, generator=torch.Generator().manual_seed(seed))
    return relevance + 1e-2 * coverage + 1e-5 * guess


def _indicator(sets: list[frozenset], number: dict) -> Tensor:
    rows = torch.zeros(len(sets), len(number))
    for row, facts in zip(rows, sets, strict=True):
        row[[number[fact] for fact in facts]] = 1
    return rows


def ceiling(split: Split) -> Report:
    """The recalls of the oracle: what captions, being incomplete, leave for a perfect eye to reach."""
    return evaluate(oracle_scores(split), split.image_of)


@dataclass(frozen=True)
class MinimalPairResult:
    """How often a caption chose its own image over the other image of the minimal pair.

    Attributes:
        accuracy: in percent; chance is 50.
        n: queries.
        standard_error: of the accuracy, in points, were the queries independent.
    """

    accuracy: float
    n: int
    standard_error: float


def minimal_pair_queries(split: Split) -> dict[str, tuple[LongTensor, LongTensor, LongTensor]]:
    """The queries where one thing decides: captions true of their image and false of the other one.

    Where a binding decides, only captions that name both colours count, since a bag of words holds the same words then.

    Args:
        split: of a drawn world.

    Returns:
        For each kind of minimal pair: int64 [n] captions, [n] their images, [n] the images' minimal pairs.

    Raises:
        ItmError: the split knows no facts.
    """
    facts = _facts(split)
    captions_of: dict[int, list[int]] = {}
    for caption, image in enumerate(split.image_of.tolist()):
        captions_of.setdefault(image, []).append(caption)
    found: dict[str, list[tuple[int, int, int]]] = {}
    for first, second, kind in facts.minimal_pairs:
        for image, other in ((first, second), (second, first)):
            only_here = facts.of_image[image] - facts.of_image[other]
            for caption in captions_of.get(image, []):
                if _decides(kind, only_here, facts, caption):
                    found.setdefault(kind, []).append((caption, image, other))
    return {kind: tuple(torch.tensor(column) for column in zip(*rows, strict=True)) for kind, rows in found.items()}


def _decides(kind: str, only_here: frozenset, facts: SplitFacts, caption: int) -> bool:
    if kind != "binding":
        return bool(facts.of_caption[caption] & only_here)
    facts_here = facts.truths[caption].facts & only_here
    return len({fact[1] for fact in facts_here if fact[0] == "attribute"}) == 2


def evaluate_minimal_pairs(scores: Tensor, split: Split) -> dict[str, MinimalPairResult]:
    """How often each caption scores its own image above the other image of the minimal pair that differs in one thing.

    Args:
        scores: [n_images, n_captions].
        split: of a drawn world.

    Returns:
        A result for each kind: "binding", "relation", "count", "object". A tie counts against the model.

    Raises:
        ItmError: the split knows no facts, or the scores do not fit it.
    """
    if tuple(scores.shape) != (len(split.images), len(split.captions)):
        raise ItmError(
            f"scores is {list(scores.shape)}; {split.name} needs [{len(split.images)}, {len(split.captions)}]"
        )
    results = {}
    for kind, (captions, images, others) in minimal_pair_queries(split).items():
        right = (scores[images, captions] > scores[others, captions]).double()
        share = right.mean().item()
        error = math.sqrt(share * (1 - share) / len(right))
        results[kind] = MinimalPairResult(100 * share, len(right), 100 * error)
    return results
