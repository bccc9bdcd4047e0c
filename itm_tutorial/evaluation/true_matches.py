"""All true matches of a drawn split, and how many of a model's errors are no errors.

A data set says which caption was written for which image. It does not say that a caption also describes other images,
so a right answer may count as an error. A drawn world knows all true matches.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import BoolTensor, Tensor

from itm_tutorial.data.corpus import Split
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.minimal_pairs import true_fractions
from itm_tutorial.evaluation.r_precision import check_relevant, check_scores


@dataclass(frozen=True)
class FirstAnswers:
    """The first answers of one direction, judged by the pairing of the data set and by the truth.

    Attributes:
        r1_by_pairing: R@1 where only the pairing counts, in percent.
        r1_by_truth: R@1 where every true match counts, in percent.
        n_queries: queries with an item of their own.
        n_errors: queries whose first answer is wrong by the pairing.
        n_true: how many of these answers are true, so that the error is none.
    """

    r1_by_pairing: float
    r1_by_truth: float
    n_queries: int
    n_errors: int
    n_true: int

    @property
    def true_fraction(self) -> float:
        """The fraction of the errors that are none, in percent; NaN where there is no error."""
        return 100 * self.n_true / self.n_errors if self.n_errors else float("nan")


@dataclass(frozen=True)
class TruthComparison:
    """Both directions: i2t retrieves captions for an image, t2i images for a caption."""

    i2t: FirstAnswers
    t2i: FirstAnswers

    def __repr__(self) -> str:
        lines = [f"{'':<19}{'R@1 by pairing':>15}{'R@1 by truth':>14}{'errors':>8}{'of these true':>15}"]
        for name, side in (("image to captions", self.i2t), ("caption to images", self.t2i)):
            recalls = f"{side.r1_by_pairing:15.1f}{side.r1_by_truth:14.1f}"
            lines.append(f"{name:<19}{recalls}{side.n_errors:8,}{side.n_true:15,}")
        return "\n".join(lines)


def true_matches(split: Split) -> BoolTensor:
    """Which captions are true of which images: every fact that the caption states is true of the image.

    Args:
        split: of a drawn world.

    Returns:
        bool [n_images, n_captions]. A caption that states nothing is true of no image.

    Raises:
        ItmError: the split has no facts.

    Example:
        >>> evaluate_relevant(itm.score(model, corpus.test), true_matches(corpus.test))
    """
    return true_fractions(split) == 1  # exact: a whole number over itself


def compare_with_truth(scores: Tensor, split: Split) -> TruthComparison:
    """Compares R@1 by the pairing with R@1 by the truth, and counts the errors that are none.

    Ties count against the model in both: an answer that is no positive and scores as high as the best one goes first.

    Args:
        scores: floating [n_images, n_captions].
        split: of a drawn world.

    Returns:
        The comparison, both directions.

    Raises:
        ItmError: the split has no facts, or the scores do not fit it.
    """
    check_scores(scores)
    paired = torch.arange(len(split.images))[:, None] == split.image_of[None, :]  # [n_images, n_captions]
    if paired.shape != scores.shape:
        raise ItmError(f"scores is {list(scores.shape)}; {split.name} needs {list(paired.shape)}")
    scores, true = scores.cpu(), true_matches(split)
    return TruthComparison(_side(scores, paired, true), _side(scores.T, paired.T, true.T))


def first_is_relevant(scores: Tensor, relevant: BoolTensor) -> BoolTensor:
    """Whether the best relevant item of each query scores above all that are not relevant.

    Args:
        scores: floating [n_queries, n_items].
        relevant: bool [n_queries, n_items].

    Returns:
        bool [n_queries]; a tie is False, and so is a query without a relevant item.
    """
    check_relevant(relevant, scores, "relevant")
    lowest = float("-inf")
    best, other = scores.masked_fill(~relevant, lowest).amax(1), scores.masked_fill(relevant, lowest).amax(1)
    return best > other


def _side(scores: Tensor, paired: BoolTensor, true: BoolTensor) -> FirstAnswers:
    asked = paired.any(1)
    by_pairing, by_truth = first_is_relevant(scores, paired)[asked], first_is_relevant(scores, true)[asked]
    recalls = (100 * by_pairing.double().mean().item(), 100 * by_truth.double().mean().item())
    return FirstAnswers(*recalls, len(by_pairing), int((~by_pairing).sum()), int((~by_pairing & by_truth).sum()))
