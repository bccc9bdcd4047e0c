"""Metrics for queries with several right answers: mAP@R, R-precision, and R@1 with all of them as positives."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import BoolTensor, Tensor

from itm_tutorial.data.options import PositiveInt, check_options
from itm_tutorial.errors import ItmError

CHUNK = 256  # queries that are sorted at a time


@dataclass(frozen=True)
class RankedPrecision:
    """How well one direction retrieves all relevant items of a query; R is the number of these.

    Attributes:
        map_at_r: mean average precision at R, in percent.
        r_precision: the fraction of the first R items that are relevant, in percent.
        r1: the fraction of queries whose first item is relevant, in percent.
        n_queries: queries with a relevant item; the others are left out.
        n_relevant: the mean of R over these queries.
    """

    map_at_r: float
    r_precision: float
    r1: float
    n_queries: int
    n_relevant: float


@dataclass(frozen=True)
class PrecisionReport:
    """Both directions: i2t retrieves captions for an image, t2i images for a caption."""

    i2t: RankedPrecision
    t2i: RankedPrecision

    def as_dict(self) -> dict[str, float]:
        """The metrics as a dictionary: i2t_map_at_r, ..., t2i_n_relevant."""
        sides = {"i2t": self.i2t, "t2i": self.t2i}
        return {f"{name}_{key}": value for name, side in sides.items() for key, value in vars(side).items()}

    def __repr__(self) -> str:
        lines = [f"{'':<19}{'mAP@R':>7}{'R-precision':>13}{'R@1':>7}{'queries':>9}{'mean R':>8}"]
        for name, side in (("image to captions", self.i2t), ("caption to images", self.t2i)):
            numbers = f"{side.map_at_r:7.1f}{side.r_precision:13.1f}{side.r1:7.1f}"
            lines.append(f"{name:<19}{numbers}{side.n_queries:9,}{side.n_relevant:8.1f}")
        return "\n".join(lines)


def evaluate_relevant(
    scores: Tensor, relevant: Tensor, t2i_relevant: Tensor | None = None, chunk: int = CHUNK
) -> PrecisionReport:
    """Computes mAP@R, R-precision and R@1 of a score matrix from all relevant pairs.

    For one query with R relevant items, and rel(r) = 1 where the item at rank r is relevant, else 0:

        P(r) = (1/r) sum over q <= r of rel(q),   R-precision = P(R),   AP@R = (1/R) sum over r <= R of rel(r) P(r)

    mAP@R is the mean of AP@R over the queries. Nothing after rank R counts. Ties count against the model: of items with
    equal scores, those that are not relevant come first.

    Source: Musgrave, Belongie and Lim, "A Metric Learning Reality Check", ECCV 2020, https://arxiv.org/abs/2003.08505;
    used for image-text matching by Chun et al., "ECCV Caption", ECCV 2022, https://arxiv.org/abs/2204.03359.

    Args:
        scores: floating [n_images, n_captions]; larger means more similar.
        relevant: bool [n_images, n_captions]: True where the caption is a right answer for the image.
        t2i_relevant: bool [n_images, n_captions]: True where the image is a right answer for the caption, if that was
            judged for other queries; by default ``relevant``.
        chunk: queries that are sorted at a time.

    Returns:
        The report. A query without a relevant item is left out.

    Raises:
        ItmError: a shape or dtype does not fit, a score is not finite, or no query has a relevant item.

    Example:
        >>> evaluate_relevant(scores, true_matches(corpus.test)).t2i.map_at_r
    """
    chunk = check_options("evaluate_relevant", {"chunk": PositiveInt}, {"chunk": chunk})["chunk"]
    check_scores(scores)
    check_relevant(relevant, scores, "relevant")
    backwards = relevant if t2i_relevant is None else t2i_relevant
    check_relevant(backwards, scores, "t2i_relevant")
    return PrecisionReport(_side(scores, relevant, chunk, "image"), _side(scores.T, backwards.T, chunk, "caption"))


def average_precision_at_r(scores: Tensor, relevant: BoolTensor) -> tuple[Tensor, Tensor, Tensor]:
    """AP@R, R-precision and whether the first item is relevant, of each query.

    Args:
        scores: floating [n_queries, n_items].
        relevant: bool [n_queries, n_items].

    Returns:
        float64 [n_queries] in [0, 1] each; NaN for AP@R and R-precision of a query without a relevant item.
    """
    order = relevant.int().argsort(dim=1, stable=True)  # the others first, so that ties count against the model
    by_score = scores.gather(1, order).argsort(dim=1, descending=True, stable=True)
    found = relevant.gather(1, order.gather(1, by_score)).double()  # [n_queries, n_items], rel(r) by rank
    n_relevant = relevant.sum(1, keepdim=True)  # [n_queries, 1], R
    rank = torch.arange(1, scores.shape[1] + 1, device=scores.device)
    precision = found.cumsum(1) / rank
    counted = found * (rank <= n_relevant)  # nothing after rank R counts
    return (counted * precision).sum(1) / n_relevant[:, 0], counted.sum(1) / n_relevant[:, 0], found[:, 0]


def _side(scores: Tensor, relevant: BoolTensor, chunk: int, query: str) -> RankedPrecision:
    """The metrics of one direction: [n_queries, n_items] both."""
    asked = relevant.any(1).nonzero().flatten()
    if not len(asked):
        raise ItmError(f"relevant: no {query} has a right answer; give a matrix with True in it")
    rows = [average_precision_at_r(scores[some], relevant[some]) for some in asked.split(chunk)]
    average, precision, first = (100 * torch.cat(parts).mean().item() for parts in zip(*rows, strict=True))
    return RankedPrecision(average, precision, first, len(asked), relevant[asked].sum(1).double().mean().item())


def check_scores(scores: Tensor) -> None:
    """Refuses everything but a matrix of finite scores.

    Raises:
        ItmError: the message names the first score that is not finite.
    """
    if not isinstance(scores, Tensor) or scores.ndim != 2 or not scores.is_floating_point() or not scores.numel():
        found = f"{list(scores.shape)} {scores.dtype}" if isinstance(scores, Tensor) else f"a {type(scores).__name__}"
        raise ItmError(f"scores is {found}; give a floating-point tensor [n_images, n_captions] that is not empty")
    broken = ~scores.isfinite()
    if broken.any():
        image, caption = broken.nonzero()[0].tolist()
        raise ItmError(
            f"scores: {scores[image, caption].item()} for image {image}, caption {caption}; "
            "check whether a zero vector was normalised or the training diverged"
        )


def check_relevant(relevant: Tensor, scores: Tensor, name: str) -> None:
    """Refuses everything but a boolean matrix of the scores' shape.

    Raises:
        ItmError: shape or dtype are others.
    """
    if not isinstance(relevant, Tensor) or relevant.dtype != torch.bool or relevant.shape != scores.shape:
        tensor = isinstance(relevant, Tensor)
        found = f"{list(relevant.shape)} {relevant.dtype}" if tensor else f"a {type(relevant).__name__}"
        raise ItmError(f"{name} is {found}; give a bool tensor {list(scores.shape)}, the shape of the scores")
