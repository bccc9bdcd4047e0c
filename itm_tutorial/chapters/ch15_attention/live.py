"""What the notebook of the chapter measures of its own models: where nouns point, and what a pair costs in time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import torch
from torch import Tensor

from itm_tutorial.data.corpus import Split
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.grounding import Attention
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.extraction.features import split_features
from itm_tutorial.models import Matching
from itm_tutorial.retrieval.rerank import rerank
from itm_tutorial.retrieval.scoring import evaluation_mode, score, with_boxes

WARM = 8  # captions that are scored once before the time is taken


@dataclass(frozen=True)
class Pointing:
    """The pointing game of some captions, in percent.

    Attributes:
        model: how often the region with the largest weight has its centre in a box that the word names.
        uniform: what a region drawn at random would reach.
        n: words that were counted.
    """

    model: float
    uniform: float
    n: int


@dataclass(frozen=True)
class Sweep:
    """One trained MMCA, whose second score is added with several weights, on shortlists of the first one.

    Attributes:
        cheap: the first score alone, [n_images, n_captions].
        cheap_rsum: of it.
        rsum: alpha -> rsum after reranking.
        allowed: direction -> the highest recall at k that the shortlists allow, in percent.
        share: the fraction of the pairs that the second score is computed for.
    """

    cheap: Tensor
    cheap_rsum: float
    rsum: dict[float, float]
    allowed: dict[str, float]
    share: float


def pointing(seen: Attention, split: Split, word_class: str = "noun") -> Pointing:
    """Plays the pointing game with some captions of a drawn world.

    Args:
        seen: what ``attend`` gives for captions and their own images.
        split: that the captions are from.
        word_class: which words point.

    Returns:
        The percentages.

    Raises:
        ItmError: no word of the class names a box.
    """
    hits, chance = [], []
    for row, (caption, image) in enumerate(zip(seen.captions.tolist(), seen.images.tolist(), strict=True)):
        kinds = [word.word_class for word in split.facts.truths[caption].words]
        centres = (seen.boxes[row][:, :2] + seen.boxes[row][:, 2:]) / 2  # [n_regions, 2]
        for word in dict.fromkeys(word for word, _ in split.groundings[caption] if kinds[word] == word_class):
            boxes = split.boxes[image][[box for other, box in split.groundings[caption] if other == word]]
            above = (centres[:, None] > boxes[:, :2]) & (centres[:, None] < boxes[:, 2:])  # [n_regions, n_boxes, 2]
            inside = above.all(2).any(1)
            hits.append(float(inside[seen.weights[row][:, word].argmax()]))
            chance.append(inside.float().mean().item())
    if not hits:
        raise ItmError(f"pointing: no {word_class} of these {len(seen)} captions names a box; give other captions")
    return Pointing(100 * sum(hits) / len(hits), 100 * sum(chance) / len(chance), len(hits))


def alpha_sweep(model: Matching, split: Split, alphas: Sequence[float], k: int) -> Sweep:
    """Reranks shortlists of i_0 . c_0 by i_0 . c_0 + alpha i_1 . c_1, with the same weights and several alphas.

    Args:
        model: a trained "mmca"; it is not changed.
        split: any split.
        alphas: weights above 0.
        k: items on a shortlist.

    Returns:
        The sweep.

    Raises:
        ItmError: no alpha, or one that is not above 0.
    """
    if not alphas or min(alphas) <= 0:
        raise ItmError(f"alphas are {list(alphas)}; give one or more above 0")
    model, rsum = copy(model), {}  # which shares the weights
    model.alpha = 0.0
    cheap = score(model, split)
    for alpha in alphas:
        model.alpha = alpha
        scores, report = rerank(model, split, cheap, k=k)
        rsum[alpha] = evaluate(scores, split.image_of).rsum
    allowed = {way: ceiling[max(ceiling)] for way, ceiling in report.ceiling.items()}
    return Sweep(cheap, evaluate(cheap, split.image_of).rsum, rsum, allowed, report.n_scored / report.n_pairs)


@torch.inference_mode()
def timed_scores(model: Matching, split: Split) -> tuple[Tensor, float]:
    """Scores all pairs of a split on one thread; both sides are encoded before the time is taken.

    Args:
        model: trained or not.
        split: a small one.

    Returns:
        Scores [n_images, n_captions], and milliseconds of the processor per pair.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with evaluation_mode(model):
            images = model.encode_images(with_boxes(model, split, split_features(split, model.features)))
            captions = model.encode_captions(split.captions)
            model.similarity(images, model.encode_captions(split.captions[:WARM]))
            start = time.process_time()
            scores = model.similarity(images, captions)
            seconds = time.process_time() - start
    finally:
        torch.set_num_threads(threads)
    return scores.float().cpu(), 1000 * seconds / scores.numel()
