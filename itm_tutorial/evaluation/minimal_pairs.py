"""Metrics that only a drawn world allows: the ceiling of an oracle, and the accuracy on minimal pairs."""

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
    """Scores by an oracle that reads the true scene instead of the image.

    The oracle ranks images first by the fraction of the caption's facts that are true, then by the fraction of the
    image's facts that the caption states; it breaks ties at random.

    Args:
        split: of a drawn world.
        seed: of the random tie-breaking.

    Returns:
        float32 [n_images, n_captions].

    Raises:
        ItmError: the split has no facts.
    """
    true, stated = _indicators(_facts(split))
    shared = true @ stated.T  # [n_images, n_captions]
    relevance = shared / stated.sum(1).clamp(min=1)
    coverage = shared / true.sum(1, keepdim=True).clamp(min=1)
    guess = torch.rand(shared.shape, generator=torch.Generator().manual_seed(seed))
    return relevance + 1e-2 * coverage + 1e-5 * guess


def true_fractions(split: Split) -> Tensor:
    """The fraction of each caption's facts that are true of each image: 1 where the whole caption is true.

    Args:
        split: of a drawn world.

    Returns:
        float32 [n_images, n_captions] in [0, 1]; 0 for a caption that states nothing.

    Raises:
        ItmError: the split has no facts.
    """
    true, stated = _indicators(_facts(split))
    return true @ stated.T / stated.sum(1).clamp(min=1)


def _indicators(facts: SplitFacts) -> tuple[Tensor, Tensor]:
    """Which facts are true of each image [n_images, n_facts], and which each caption states [n_captions, n_facts]."""
    number = {fact: n for n, fact in enumerate(sorted(set().union(*facts.of_image, *facts.of_caption), key=str))}
    return _indicator(facts.of_image, number), _indicator(facts.of_caption, number)


def _indicator(sets: list[frozenset], number: dict) -> Tensor:
    rows = torch.zeros(len(sets), len(number))
    for row, facts in zip(rows, sets, strict=True):
        row[[number[fact] for fact in facts]] = 1
    return rows


def ceiling(split: Split) -> Report:
    """The recalls of the oracle: the best that any model can reach, since captions are incomplete."""
    return evaluate(oracle_scores(split), split.image_of)


@dataclass(frozen=True)
class MinimalPairResult:
    """How often a caption scores its own image above the other image of the minimal pair.

    Attributes:
        accuracy: in percent; chance is 50.
        n: the number of queries.
        standard_error: of the accuracy, in percentage points, if the queries were independent.
    """

    accuracy: float
    n: int
    standard_error: float


def minimal_pair_queries(split: Split) -> dict[str, tuple[LongTensor, LongTensor, LongTensor]]:
    """The queries on minimal pairs: captions that are true of their image and false of the other one.

    For the kind "binding" only captions that name both colours count, since both images then fit the same bag of words.

    Args:
        split: of a drawn world.

    Returns:
        For each kind of minimal pair: int64 [n] captions, [n] their images, [n] the other images.

    Raises:
        ItmError: the split has no facts.
    """
    facts = _facts(split)
    captions_of: dict[int, list[int]] = {}
    for caption, image in enumerate(split.image_of.tolist()):
        captions_of.setdefault(image, []).append(caption)
    queries: dict[str, list[tuple[int, int, int]]] = {}
    for first, second, kind in facts.minimal_pairs:
        for image, other in ((first, second), (second, first)):
            only_here = facts.of_image[image] - facts.of_image[other]
            for caption in captions_of.get(image, []):
                if _decides(kind, only_here, facts, caption):
                    queries.setdefault(kind, []).append((caption, image, other))
    return {kind: tuple(torch.tensor(column) for column in zip(*rows, strict=True)) for kind, rows in queries.items()}


def _decides(kind: str, only_here: frozenset, facts: SplitFacts, caption: int) -> bool:
    if kind != "binding":
        return bool(facts.of_caption[caption] & only_here)
    deciding = facts.truths[caption].facts & only_here
    return len({fact[1] for fact in deciding if fact[0] == "attribute"}) == 2


def evaluate_minimal_pairs(scores: Tensor, split: Split) -> dict[str, MinimalPairResult]:
    """How often captions score their own image above the other image of the minimal pair, per kind of difference.

    Args:
        scores: [n_images, n_captions].
        split: of a drawn world.

    Returns:
        A result per kind: "binding", "relation", "count", "object". A tie counts against the model.

    Raises:
        ItmError: the split has no facts, or the scores do not fit it.
    """
    if tuple(scores.shape) != (len(split.images), len(split.captions)):
        raise ItmError(
            f"scores is {list(scores.shape)}; {split.name} needs [{len(split.images)}, {len(split.captions)}]"
        )
    results = {}
    for kind, (captions, images, others) in minimal_pair_queries(split).items():
        correct = (scores[images, captions] > scores[others, captions]).double()
        fraction = correct.mean().item()
        error = math.sqrt(fraction * (1 - fraction) / len(correct))
        results[kind] = MinimalPairResult(100 * fraction, len(correct), 100 * error)
    return results
