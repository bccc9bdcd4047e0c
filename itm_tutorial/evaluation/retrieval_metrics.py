"""The field's measures: recall at k, median rank, rsum. Ranks are counted, never sorted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass

import torch
from torch import LongTensor, Tensor

from itm_tutorial.data.corpus import check_identity, check_pairing
from itm_tutorial.errors import ItmError
from itm_tutorial.interaction.cosine import cosine

Embeddings = (
    Tensor | tuple[Tensor, ...]
)  # what an encoder gives: one tensor, or a named tuple of tensors of equal length
CHUNK = 1024  # rows and columns of a tile: 4 MiB of scores at a time


@dataclass(frozen=True)
class Recall:
    """How well one direction retrieves.

    Attributes:
        r1, r5, r10: share of queries with a right answer among the first 1, 5, 10, in percent.
        median_rank: floor of the median of the 0-based ranks, plus one, as the field prints it.
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
        """The figures as plain data, one key each: i2t_r1, ..., rsum."""
        sides = {"i2t": self.i2t, "t2i": self.t2i}
        return {f"{s}_{k}": v for s, side in sides.items() for k, v in vars(side).items()} | {"rsum": self.rsum}

    def __repr__(self) -> str:
        lines = ["                      R@1   R@5  R@10  median rank"]
        for name, side in (("image to captions", self.i2t), ("caption to images", self.t2i)):
            lines.append(f"{name:<19}{side.r1:6.1f}{side.r5:6.1f}{side.r10:6.1f}{side.median_rank:13.0f}")
        return "\n".join([*lines, f"rsum {self.rsum:.1f}"])


def evaluate(scores: Tensor, image_of: LongTensor, chunk: int = CHUNK, identity: LongTensor | None = None) -> Report:
    """Measures a score matrix.

    Args:
        scores: [n_images, n_captions], floating; larger is more alike.
        image_of: int64 [n_captions], in any order; an image may have any number of captions.
        chunk: rows and columns compared at a time.
        identity: int64 [n_images], the person or class shown; where given, every image of the right identity is a
            right answer, and so is every caption of one, as in person search.

    Returns:
        The report, in percent. An image without a caption is a distractor for captions, and no query itself.

    Raises:
        ItmError: a shape that does not fit, a NaN, an infinity, no caption at all.
    """
    return report(*ranks(scores, image_of, chunk, identity))


def evaluate_folds(scores: Tensor, image_of: LongTensor, n_folds: int = 5, chunk: int = CHUNK) -> Report:
    """The mean over consecutive folds of images, each searched by itself: MSCOCO's "1K" from its 5,000 test images.

    Args:
        scores: [n_images, n_captions].
        image_of: int64 [n_captions].
        n_folds: into how many equal parts the images are cut, in their order.
        chunk: rows and columns compared at a time.

    Returns:
        The report whose every figure is the mean over the folds. A smaller gallery is an easier one: never compare it
        with a whole.

    Raises:
        ItmError: folds that do not come out even, or as for ``evaluate``.
    """
    if not 1 <= n_folds <= len(scores) or len(scores) % n_folds:
        raise ItmError(f"n_folds is {n_folds}, which does not divide {len(scores)} images: give a divisor")
    check_pairing(image_of, *scores.shape, where="scores")
    size, reports = len(scores) // n_folds, []
    for first in range(0, len(scores), size):
        own = ((image_of >= first) & (image_of < first + size)).nonzero().flatten()
        reports.append(evaluate(scores[first : first + size][:, own], image_of[own] - first, chunk))
    sides = ([getattr(report, side) for report in reports] for side in ("i2t", "t2i"))
    return Report(
        *(Recall(*(sum(values) / n_folds for values in zip(*map(astuple, side), strict=True))) for side in sides)
    )


def ranks(
    scores: Tensor, image_of: LongTensor, chunk: int = CHUNK, identity: LongTensor | None = None
) -> tuple[LongTensor, LongTensor]:
    """The rank of the best right answer of every query; 1 is first, and ties count against the model.

    Args:
        scores: [n_images, n_captions].
        image_of: int64 [n_captions].
        chunk: rows and columns compared at a time.
        identity: int64 [n_images] or None, as for ``evaluate``.

    Returns:
        int64 [n_images with a right caption], int64 [n_captions]. Other right answers do not count.

    Raises:
        ItmError: as for ``evaluate``.
    """
    if not isinstance(scores, Tensor) or scores.ndim != 2 or not scores.is_floating_point():
        found = f"{list(scores.shape)} {scores.dtype}" if isinstance(scores, Tensor) else type(scores).__name__
        raise ItmError(f"scores is {found}; give a floating tensor [n_images, n_captions]")
    check_pairing(image_of, *scores.shape, where="scores")
    image_of = image_of.to(scores.device)

    def tile(rows: slice, columns: slice) -> Tensor:
        return scores[rows, columns]

    if identity is not None:
        check_identity(identity, len(scores), where="scores")
        identity = identity.to(scores.device)
        right, best = _best_right(tile, identity, identity[image_of], chunk)
        return _count(tile, right, best, identity, identity[image_of], chunk)
    right = scores[image_of, torch.arange(len(image_of), device=scores.device)]  # [n_captions]
    return _count(tile, right, _best_of(right, image_of, len(scores)), _numbers(scores), image_of, chunk)


def evaluate_embeddings(
    image_emb: Embeddings,
    caption_emb: Embeddings,
    image_of: LongTensor,
    similarity: Callable[[Embeddings, Embeddings], Tensor] = cosine,
    chunk: int = CHUNK,
) -> Report:
    """Measures embeddings without ever holding their whole score matrix: memory stays flat as captions grow.

    Args:
        image_emb: [n_images, ...], or a named tuple of such tensors.
        caption_emb: [n_captions, ...], or a named tuple of such tensors.
        image_of: int64 [n_captions].
        similarity: scores some images against some captions.
        chunk: images and captions scored at a time.

    Returns:
        The report, equal to that of the whole matrix but for ties that rounding makes or breaks.

    Raises:
        ItmError: as for ``evaluate``.
    """
    n_images, n_captions = (len(c if isinstance(c, Tensor) else c[0]) for c in (image_emb, caption_emb))
    check_pairing(image_of, n_images, n_captions, where="embeddings")
    order = image_of.argsort(stable=True)  # the captions of neighbouring images stand together
    found = []
    for some in order.split(64):  # a block holds the images of 64 captions, so it is at most 64 x 64
        images, row = image_of[some].unique(return_inverse=True)
        block = similarity(pick(image_emb, images), pick(caption_emb, some))  # [at most 64, 64]
        found.append(block[row, torch.arange(len(some), device=row.device)])
    right = torch.cat(found)[order.argsort()] if found else torch.empty(0)  # [n_captions]

    def tile(rows: slice, columns: slice) -> Tensor:
        return similarity(pick(image_emb, rows), pick(caption_emb, columns))

    images = torch.arange(n_images, device=right.device)
    return report(*_count(tile, right, _best_of(right, image_of, n_images), images, image_of, chunk))


def pick(embeddings: Embeddings, rows: LongTensor | slice) -> Embeddings:
    """Some rows of embeddings, whether they are one tensor or a named tuple of several."""
    return (
        embeddings[rows] if isinstance(embeddings, Tensor) else type(embeddings)(*(part[rows] for part in embeddings))
    )


def _numbers(scores: Tensor) -> LongTensor:
    return torch.arange(len(scores), device=scores.device)


def _best_of(right: Tensor, image_of: LongTensor, n_images: int) -> Tensor:
    """The best score of each image's own captions, [n_images]; minus infinity where it has none."""
    best = torch.full((n_images,), float("-inf"), dtype=right.dtype, device=right.device)
    return best.scatter_reduce(0, image_of, right, "amax")


def _best_right(
    tile: Callable[[slice, slice], Tensor], of_image: LongTensor, of_caption: LongTensor, chunk: int
) -> tuple[Tensor, Tensor]:
    """The best right score of each caption [n_captions] and of each image [n_images], tile by tile."""
    nothing = tile(slice(0, 1), slice(0, 1)).new_tensor(float("-inf"))
    right, best = nothing.repeat(len(of_caption)), nothing.repeat(len(of_image))
    for rows in _slices(len(of_image), chunk):
        for columns in _slices(len(of_caption), chunk):
            wrong = of_image[rows, None] != of_caption[None, columns]
            scores = tile(rows, columns).masked_fill(wrong, float("-inf"))  # [at most chunk, at most chunk]
            right[columns] = torch.maximum(right[columns], scores.amax(0))
            best[rows] = torch.maximum(best[rows], scores.amax(1))
    return right, best


def _count(
    tile: Callable[[slice, slice], Tensor],
    right: Tensor,
    best: Tensor,
    of_image: LongTensor,
    of_caption: LongTensor,
    chunk: int,
) -> tuple[LongTensor, LongTensor]:
    """Counts the wrong answers that score at least as well as the right one, tile by tile.

    Args:
        tile: gives the scores of some rows and columns.
        right: [n_captions], the score of each caption's right image.
        best: [n_images], the score of each image's best right caption.
        of_image, of_caption: int64; an image and a caption belong together where these are equal.
        chunk: rows and columns compared at a time.
    """
    if not len(right):
        raise ItmError("scores: there is no caption; nothing can be ranked")
    better_captions = torch.zeros(len(best), dtype=torch.int64, device=right.device)
    better_images = torch.zeros(len(right), dtype=torch.int64, device=right.device)
    for rows in _slices(len(best), chunk):
        for columns in _slices(len(right), chunk):
            scores = tile(rows, columns)  # [at most chunk, at most chunk]
            if not torch.isfinite(scores).all():
                image, caption = (~torch.isfinite(scores)).nonzero()[0].tolist()
                value = scores[image, caption].item()
                raise ItmError(
                    f"scores: {value} for image {rows.start + image}, caption {columns.start + caption}; "
                    "look for a zero vector that was normalised, or a training run that diverged"
                )
            wrong = of_image[rows, None] != of_caption[None, columns]
            better_captions[rows] += ((scores >= best[rows, None]) & wrong).sum(1)
            better_images[columns] += ((scores >= right[None, columns]) & wrong).sum(0)
    asked = torch.isin(of_image, of_caption)  # images with a right caption
    return (better_captions + 1)[asked], better_images + 1


def _slices(n: int, chunk: int) -> list[slice]:
    if chunk < 1:
        raise ItmError(f"chunk is {chunk}; give 1 or more")
    return [slice(first, min(first + chunk, n)) for first in range(0, n, chunk)]


def report(i2t_ranks: LongTensor, t2i_ranks: LongTensor) -> Report:
    """Ranks of both directions, int64 [n_queries] from 1 -> the report."""
    return Report(*(_recall(found) for found in (i2t_ranks, t2i_ranks)))


def _recall(found: LongTensor) -> Recall:
    at = [100 * (found <= k).double().mean().item() for k in (1, 5, 10)]
    median = (found - 1).double().quantile(0.5).floor().item() + 1
    return Recall(*at, median_rank=median, mean_rank=found.double().mean().item())
