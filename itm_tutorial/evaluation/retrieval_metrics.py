"""Retrieval metrics: recall at k, median rank, rsum. Ranks are computed by counting, without a sort."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass

import torch
from torch import LongTensor, Tensor

from itm_tutorial.data.corpus import check_identity, check_pairing
from itm_tutorial.data.options import PositiveInt, check_options
from itm_tutorial.encoders.embeddings import Embeddings, pick
from itm_tutorial.errors import ItmError
from itm_tutorial.interaction.cosine import cosine

CHUNK = 1024  # rows and columns per tile: 4 MiB of scores at a time


@dataclass(frozen=True)
class Recall:
    """How well one direction retrieves.

    Attributes:
        r1, r5, r10: fraction of queries with a positive among the first 1, 5, 10, in percent.
        median_rank: floor of the median of the 0-based ranks, plus one, as papers report it.
        mean_rank: mean of the 1-based ranks.
    """

    r1: float
    r5: float
    r10: float
    median_rank: float
    mean_rank: float


@dataclass(frozen=True)
class Report:
    """Both directions: i2t retrieves captions for an image, t2i images for a caption."""

    i2t: Recall
    t2i: Recall

    @property
    def rsum(self) -> float:
        """The sum of the six recalls, at most 600."""
        return sum(r for side in (self.i2t, self.t2i) for r in (side.r1, side.r5, side.r10))

    def as_dict(self) -> dict[str, float]:
        """The metrics as a dictionary: i2t_r1, ..., rsum."""
        sides = {"i2t": self.i2t, "t2i": self.t2i}
        return {f"{s}_{k}": v for s, side in sides.items() for k, v in vars(side).items()} | {"rsum": self.rsum}

    def __repr__(self) -> str:
        lines = ["                      R@1   R@5  R@10  median rank"]
        for name, side in (("image to captions", self.i2t), ("caption to images", self.t2i)):
            lines.append(f"{name:<19}{side.r1:6.1f}{side.r5:6.1f}{side.r10:6.1f}{side.median_rank:13.0f}")
        return "\n".join([*lines, f"rsum {self.rsum:.1f}"])


def evaluate(scores: Tensor, image_of: LongTensor, chunk: int = CHUNK, identity: LongTensor | None = None) -> Report:
    """Computes the retrieval metrics of a score matrix.

    Args:
        scores: [n_images, n_captions], floating point; larger means more similar.
        image_of: int64 [n_captions], in any order; an image may have any number of captions.
        chunk: rows and columns compared at a time.
        identity: int64 [n_images], the person or class shown; where given, every image of the same identity is a
            positive, and so is every caption of such an image, as in person search.

    Returns:
        The report, in percent. An image without a caption is a distractor for captions, but not a query.

    Raises:
        ItmError: a shape does not fit, a score is NaN or infinite, or there is no caption.
    """
    return report(*ranks(scores, image_of, chunk, identity))


def check_folds(n_folds: int, n_images: int, identity: LongTensor | None = None) -> None:
    """Checks that images can be evaluated in folds.

    Args:
        n_folds: into how many equal parts the images are split; 1 takes them all at once.
        n_images: how many images there are.
        identity: int64 [n_images], or None.

    Raises:
        ItmError: the folds are not equal, or images of one person or class would be in several folds.
    """
    if not 1 <= n_folds <= n_images or n_images % n_folds:
        raise ItmError(f"n_folds is {n_folds}, which does not divide {n_images} images: give a divisor")
    if n_folds > 1 and identity is not None:
        raise ItmError(f"n_folds is {n_folds}, but images of one identity would be in several folds: give 1")


def evaluate_folds(
    scores: Tensor,
    image_of: LongTensor,
    n_folds: int = 5,
    chunk: int = CHUNK,
    identity: LongTensor | None = None,
) -> Report:
    """The mean over folds of consecutive images, each evaluated alone: MSCOCO's "1K" from its 5,000 test images.

    Args:
        scores: [n_images, n_captions].
        image_of: int64 [n_captions].
        n_folds: into how many equal parts the images are split, in their order.
        chunk: rows and columns compared at a time.
        identity: as for ``evaluate``; only with one fold.

    Returns:
        The report with the mean of each metric over the folds. A smaller gallery is easier: do not compare the result
        with that of the whole split.

    Raises:
        ItmError: the folds are not equal, or as for ``evaluate``.
    """
    n_folds = check_options("evaluate_folds", {"n_folds": int}, {"n_folds": n_folds})["n_folds"]
    _check_scores(scores)
    check_folds(n_folds, len(scores), identity)
    if n_folds == 1:
        return evaluate(scores, image_of, chunk, identity)
    check_pairing(image_of, *scores.shape, where="scores")
    size, reports = len(scores) // n_folds, []
    for first in range(0, len(scores), size):
        own = ((image_of >= first) & (image_of < first + size)).nonzero().flatten()
        reports.append(evaluate(scores[first : first + size][:, own], image_of[own] - first, chunk))
    sides = ([getattr(report, side) for report in reports] for side in ("i2t", "t2i"))
    return Report(
        *(Recall(*(sum(values) / n_folds for values in zip(*map(astuple, side), strict=True))) for side in sides)
    )


def _check_scores(scores: Tensor) -> None:
    if not isinstance(scores, Tensor) or scores.ndim != 2 or not scores.is_floating_point():
        found = f"{list(scores.shape)} {scores.dtype}" if isinstance(scores, Tensor) else type(scores).__name__
        raise ItmError(f"scores is {found}; give a floating-point tensor [n_images, n_captions]")


def ranks(
    scores: Tensor, image_of: LongTensor, chunk: int = CHUNK, identity: LongTensor | None = None
) -> tuple[LongTensor, LongTensor]:
    """The rank of the best positive of every query; 1 is first, and ties count against the model.

    Args:
        scores: [n_images, n_captions].
        image_of: int64 [n_captions].
        chunk: rows and columns compared at a time.
        identity: int64 [n_images] or None, as for ``evaluate``.

    Returns:
        int64 [n_images with a positive caption], int64 [n_captions]. The other positives of a query do not count.

    Raises:
        ItmError: as for ``evaluate``.
    """
    _check_scores(scores)
    chunk = check_options("evaluate", {"chunk": PositiveInt}, {"chunk": chunk})["chunk"]
    check_pairing(image_of, *scores.shape, where="scores")
    image_of = image_of.to(scores.device)

    def tile(rows: slice, columns: slice) -> Tensor:
        return scores[rows, columns]

    if identity is not None:
        check_identity(identity, len(scores), where="scores")
        identity = identity.to(scores.device)
        of_captions, of_images = _best_positives(tile, identity, identity[image_of], chunk)
        return _count(tile, of_captions, of_images, identity, identity[image_of], chunk)
    positives = scores[image_of, torch.arange(len(image_of), device=scores.device)]  # [n_captions]
    of_images = _best_per_image(positives, image_of, len(scores))
    return _count(tile, positives, of_images, _numbers(scores), image_of, chunk)


def evaluate_embeddings(
    image_emb: Embeddings,
    caption_emb: Embeddings,
    image_of: LongTensor,
    similarity: Callable[[Embeddings, Embeddings], Tensor] = cosine,
    chunk: int = CHUNK,
) -> Report:
    """Computes the retrieval metrics of embeddings tile by tile, without the whole score matrix in memory.

    Args:
        image_emb: [n_images, ...], or a named tuple of such tensors.
        caption_emb: [n_captions, ...], or a named tuple of such tensors.
        image_of: int64 [n_captions].
        similarity: scores images against captions.
        chunk: images and captions scored at a time.

    Returns:
        The report; equal to that of the whole matrix except for ties that rounding makes or breaks.

    Raises:
        ItmError: as for ``evaluate``.
    """
    n_images, n_captions = (len(c if isinstance(c, Tensor) else c[0]) for c in (image_emb, caption_emb))
    check_pairing(image_of, n_images, n_captions, where="embeddings")
    order = image_of.argsort(stable=True)  # puts the captions of neighbouring images together
    found = []
    for some in order.split(64):  # 64 captions have at most 64 images
        images, row = image_of[some].unique(return_inverse=True)
        block = similarity(pick(image_emb, images), pick(caption_emb, some))  # [at most 64, 64]
        found.append(block[row, torch.arange(len(some), device=row.device)])
    positives = torch.cat(found)[order.argsort()] if found else torch.empty(0)  # [n_captions]

    def tile(rows: slice, columns: slice) -> Tensor:
        return similarity(pick(image_emb, rows), pick(caption_emb, columns))

    images = torch.arange(n_images, device=positives.device)
    return report(*_count(tile, positives, _best_per_image(positives, image_of, n_images), images, image_of, chunk))


def _numbers(scores: Tensor) -> LongTensor:
    return torch.arange(len(scores), device=scores.device)


def _best_per_image(positives: Tensor, image_of: LongTensor, n_images: int) -> Tensor:
    """The best score of each image's own captions, [n_images]; minus infinity where it has none."""
    best = torch.full((n_images,), float("-inf"), dtype=positives.dtype, device=positives.device)
    return best.scatter_reduce(0, image_of, positives, "amax")


def _best_positives(
    tile: Callable[[slice, slice], Tensor], of_image: LongTensor, of_caption: LongTensor, chunk: int
) -> tuple[Tensor, Tensor]:
    """The score of the best positive of each caption [n_captions] and of each image [n_images], tile by tile."""
    lowest = tile(slice(0, 1), slice(0, 1)).new_tensor(float("-inf"))
    of_captions, of_images = lowest.repeat(len(of_caption)), lowest.repeat(len(of_image))
    for rows in _slices(len(of_image), chunk):
        for columns in _slices(len(of_caption), chunk):
            negatives = of_image[rows, None] != of_caption[None, columns]
            scores = tile(rows, columns).masked_fill(negatives, float("-inf"))  # [at most chunk, at most chunk]
            of_captions[columns] = torch.maximum(of_captions[columns], scores.amax(0))
            of_images[rows] = torch.maximum(of_images[rows], scores.amax(1))
    return of_captions, of_images


def _count(
    tile: Callable[[slice, slice], Tensor],
    of_captions: Tensor,
    of_images: Tensor,
    of_image: LongTensor,
    of_caption: LongTensor,
    chunk: int,
) -> tuple[LongTensor, LongTensor]:
    """Counts, tile by tile, the negatives that score at least as high as the best positive.

    Args:
        tile: returns the scores of some rows and columns.
        of_captions: [n_captions], the score of each caption's best positive image.
        of_images: [n_images], the score of each image's best positive caption.
        of_image, of_caption: int64; an image and a caption are a positive pair where these are equal.
        chunk: rows and columns compared at a time.
    """
    if not len(of_captions):
        raise ItmError("scores: there is no caption, so nothing can be ranked")
    better_captions = torch.zeros(len(of_images), dtype=torch.int64, device=of_captions.device)
    better_images = torch.zeros(len(of_captions), dtype=torch.int64, device=of_captions.device)
    for rows in _slices(len(of_images), chunk):
        for columns in _slices(len(of_captions), chunk):
            scores = tile(rows, columns)  # [at most chunk, at most chunk]
            if not torch.isfinite(scores).all():
                image, caption = (~torch.isfinite(scores)).nonzero()[0].tolist()
                value = scores[image, caption].item()
                raise ItmError(
                    f"scores: {value} for image {rows.start + image}, caption {columns.start + caption}; "
                    "check whether a zero vector was normalised or the training diverged"
                )
            negatives = of_image[rows, None] != of_caption[None, columns]
            better_captions[rows] += ((scores >= of_images[rows, None]) & negatives).sum(1)
            better_images[columns] += ((scores >= of_captions[None, columns]) & negatives).sum(0)
    queries = torch.isin(of_image, of_caption)  # images with a positive caption
    return (better_captions + 1)[queries], better_images + 1


def _slices(n: int, chunk: int) -> list[slice]:
    if chunk < 1:
        raise ItmError(f"chunk is {chunk}; give 1 or more")
    return [slice(first, min(first + chunk, n)) for first in range(0, n, chunk)]


def report(i2t_ranks: LongTensor, t2i_ranks: LongTensor) -> Report:
    """Computes the metrics from the ranks of both directions, int64 [n_queries], counted from 1."""
    return Report(*(_recall(ranks) for ranks in (i2t_ranks, t2i_ranks)))


def _recall(ranks: LongTensor) -> Recall:
    at = [100 * (ranks <= k).double().mean().item() for k in (1, 5, 10)]
    median = (ranks - 1).double().quantile(0.5).floor().item() + 1
    return Recall(*at, median_rank=median, mean_rank=ranks.double().mean().item())
