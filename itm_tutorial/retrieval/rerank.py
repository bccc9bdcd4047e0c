"""Reranking: a cheap model makes a shortlist for every query, and an expensive model scores only the shortlist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import BoolTensor, LongTensor, Tensor

from itm_tutorial.data.corpus import Split
from itm_tutorial.data.options import check_options
from itm_tutorial.encoders.embeddings import Embeddings, bytes_per_row, join, pick
from itm_tutorial.encoders.threads import free_cores
from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.extraction.features import split_features
from itm_tutorial.models import Matching
from itm_tutorial.retrieval.scoring import (
    CHUNK,
    TILE_BYTES,
    PairScorer,
    encode_in_chunks,
    evaluation_mode,
    n_rows,
    tile_bytes_per_pair,
    with_boxes,
)

DIRECTIONS = ("t2i", "i2t", "both")
NAMES = {"t2i": "caption to images", "i2t": "image to captions"}


@dataclass(frozen=True)
class RerankReport:
    """The cost of a shortlist, and the highest recall that it allows.

    Attributes:
        direction: "t2i", "i2t" or "both".
        k: items on the shortlist of a query.
        n_scored: pairs that the expensive model scores.
        n_pairs: all pairs.
        ceiling: for each reranked direction, the highest recall with a shortlist of each length up to k, in percent of
            the queries: {"t2i": {1: 40.2, 5: 71.0, 8: 78.9}}. A positive that is not on the shortlist cannot be among
            the first k, even with a perfect expensive model: recall at k and below is at most the last number. (After
            "both", that number also counts the pairs that the other direction chose.)
    """

    direction: str
    k: int
    n_scored: int
    n_pairs: int
    ceiling: dict[str, dict[int, float]]

    def __repr__(self) -> str:
        part = 100 * self.n_scored / self.n_pairs
        lines = [f"shortlist of {self.k}: {self.n_scored:,} of {self.n_pairs:,} pairs scored ({part:.1f} %)"]
        for direction, ceiling in self.ceiling.items():
            steps = ", ".join(f"{percent:.1f} at {k}" for k, percent in ceiling.items())
            lines.append(f"{NAMES[direction]}: a shortlist allows a recall of {steps}")
        return "\n".join(lines)


class Reranked(NamedTuple):
    """New scores, and a report about the shortlist.

    Attributes:
        scores: float32 [n_images, n_captions], on the CPU.
        report: how many pairs were scored, and the highest recall that the shortlist allows.
    """

    scores: Tensor
    report: RerankReport


@torch.inference_mode()
@free_cores()
def rerank(model: Matching, split: Split, scores: Tensor, k: int, direction: str = "both") -> Reranked:
    """Scores only the k best results of a cheap model, per query, with an expensive model.

    Pairs on a shortlist get the score of ``model``. All other pairs keep the order of their cheap scores and are ranked
    below every pair of a shortlist: their cheap scores are shifted down until the highest is 1 below the lowest score
    of a shortlist (by more, if that score is so large that float32 rounds 1 away). So every number is finite and
    ``itm.evaluate`` takes the result. Cheap scores that differ by less than the precision of float32 become ties. If
    items tie at the end of a shortlist, the first ones of the split are taken.

    Args:
        model: the expensive model. Its ``pair_similarity`` scores the pairs if it has one; otherwise its ``similarity``
            is called once per caption, for the images that the shortlists pair with it.
        split: the split that the scores belong to.
        scores: floating [n_images, n_captions], of a cheap model, larger is more alike.
        k: items on a shortlist; a gallery with fewer is taken whole.
        direction: "t2i", a shortlist of images for every caption; "i2t", one of captions for every image; "both", every
            pair on either of them. After "t2i" or "i2t", only that direction of ``itm.evaluate`` is valid; after
            "both", each direction also has scores for the pairs that the other direction chose.

    Returns:
        ``Reranked``: the scores, and a report with the highest recall that the shortlist allows. If the split has
        identities, all captions of an identity are positives of all its images.

    Raises:
        ItmError: scores of the wrong shape or not finite, k below 1 or above every gallery, an unknown
            direction, or a score of the model that is not finite.

    Example:
        >>> scores, report = itm.rerank(scan, corpus.test, itm.score(vsepp, corpus.test), k=50)
        >>> itm.evaluate(scores, corpus.test.image_of)
    """
    cheap = _checked(scores, split)
    k = check_options("rerank", {"k": int, "direction": str}, {"k": k, "direction": direction})["k"]
    if direction not in DIRECTIONS:
        raise unknown("direction", direction, DIRECTIONS)
    ways = ("t2i", "i2t") if direction == "both" else (direction,)
    longest = max(cheap.shape[0 if way == "t2i" else 1] for way in ways)
    if not 1 <= k <= longest:
        raise ItmError(f"k is {k}; give 1 to {longest}, the number of items that a query can find")
    chosen = torch.zeros(cheap.shape, dtype=torch.bool)  # [n_images, n_captions], whether on a shortlist
    found = {way: _shortlist(cheap, split, k, way, chosen) for way in ways}
    found_at_k = {way: _found_among(chosen, split, way) for way in ways}
    ceiling = {way: _ceiling(found[way], found_at_k[way], k) for way in ways}
    new = _score_chosen(model, split, chosen)
    _check_finite(new[chosen], chosen, "scores of the expensive model")
    lowest = new[chosen].double().min()
    gap = max(1.0, 1e-3 * abs(lowest.item()))
    others = cheap[~chosen].double()
    if len(others):
        new[~chosen] = (others - others.max() + lowest - gap).float()
    return Reranked(new, RerankReport(direction, k, int(chosen.sum()), chosen.numel(), ceiling))


def _shortlist(cheap: Tensor, split: Split, k: int, way: str, chosen: BoolTensor) -> LongTensor:
    """Marks the k best items of every query in ``chosen``.

    Returns:
        int64 [n_queries], the rank of each query's best positive, from 1; 0 for a query without any.
    """
    of_image, of_caption = _identities(split)
    of_query, of_item = (of_caption, of_image) if way == "t2i" else (of_image, of_caption)
    by_query, marks = (cheap.T, chosen.T) if way == "t2i" else (cheap, chosen)  # [n_queries, n_items], views
    ranks = []
    for first in range(0, len(by_query), CHUNK):
        some = slice(first, first + CHUNK)
        order = by_query[some].argsort(dim=1, descending=True, stable=True)  # [at most CHUNK, n_items]
        marks[some] |= torch.zeros_like(order, dtype=torch.bool).scatter_(1, order[:, :k], True)
        positive = of_item[order] == of_query[some, None]
        ranks.append(torch.where(positive.any(1), positive.int().argmax(1) + 1, 0))
    return torch.cat(ranks)


def _found_among(chosen: BoolTensor, split: Split, way: str) -> BoolTensor:
    """bool [n_queries]: whether a positive of the query is among the pairs that will be scored."""
    of_image, of_caption = _identities(split)
    rows = zip(chosen.split(CHUNK), of_image.split(CHUNK), strict=True)
    right = torch.cat([some & (numbers[:, None] == of_caption) for some, numbers in rows])
    return right.any(0 if way == "t2i" else 1)


def _ceiling(ranks: LongTensor, found: BoolTensor, k: int) -> dict[int, float]:
    """Shortlist lengths of 1, 5, 10, 50, 100, ... below k, and k -> percent of the queries with a positive on it."""
    asked = ranks > 0
    lengths = [step * 10**power for power in range(9) for step in (1, 5) if step * 10**power < k]
    share = {length: (ranks[asked] <= length) for length in lengths} | {k: found[asked]}
    return {length: 100 * hits.double().mean().item() for length, hits in share.items()}


def _identities(split: Split) -> tuple[LongTensor, LongTensor]:
    """What must be equal for an image and a caption to belong together, int64 [n_images] and [n_captions]."""
    of_image = torch.arange(len(split.images)) if split.identity is None else split.identity
    return of_image, of_image[split.image_of]


def _score_chosen(model: Matching, split: Split, chosen: BoolTensor) -> Tensor:
    """Scores the chosen pairs alone: float32 [n_images, n_captions], 0 elsewhere."""
    new = torch.zeros(chosen.shape)
    with evaluation_mode(model), PairScorer(model, int(chosen.sum())) as score_pairs:
        images = with_boxes(model, split, split_features(split, model.features))  # n_images of them
        image_emb = join(list(encode_in_chunks(model.encode_images, images, CHUNK)))
        caption_chunks = encode_in_chunks(model.encode_captions, split.captions, CHUNK)
        for first, caption_emb in zip(range(0, len(split.captions), CHUNK), caption_chunks, strict=True):
            # int64 [n] each, caption by caption
            caption, image = chosen[:, first : first + CHUNK].T.nonzero(as_tuple=True)
            grouped = _by_caption if model.pair_similarity is None else _pair_by_pair
            for some, *both in grouped(image_emb, caption_emb, image, caption):
                values = score_pairs(model.pair_similarity or model.similarity, *both)
                new[image[some], first + caption[some]] = values.flatten()  # [n_some] or [n_some, 1]
    return new


def _by_caption(
    image_emb: Embeddings, caption_emb: Embeddings, image: LongTensor, caption: LongTensor
) -> Iterator[tuple[slice, Embeddings, Embeddings]]:
    """Groups pairs for ``similarity``: one caption and at most ``CHUNK`` of its images per call.

    Args:
        image_emb: embeddings of all images.
        caption_emb: embeddings of a chunk of captions.
        image: int64 [n], an image per pair.
        caption: int64 [n], a caption of the chunk per pair, in ascending order.

    Yields:
        Some of the pairs, the embeddings of their images, and that of their caption.
    """
    first = 0
    for number, count in enumerate(torch.bincount(caption, minlength=n_rows(caption_emb)).tolist()):
        one, end = pick(caption_emb, slice(number, number + 1)), first + count
        for start in range(first, end, CHUNK):
            some = slice(start, min(start + CHUNK, end))
            yield some, pick(image_emb, image[some]), one
        first = end


def _pair_by_pair(
    image_emb: Embeddings, caption_emb: Embeddings, image: LongTensor, caption: LongTensor
) -> Iterator[tuple[slice, Embeddings, Embeddings]]:
    """The same for ``pair_similarity``: as many pairs per call as ``TILE_BYTES`` allows for, both sides per pair."""
    each = bytes_per_row(image_emb) + bytes_per_row(caption_emb) + tile_bytes_per_pair(image_emb, caption_emb)
    at_once = max(1, TILE_BYTES // each)
    for first in range(0, len(image), at_once):
        some = slice(first, min(first + at_once, len(image)))
        yield some, pick(image_emb, image[some]), pick(caption_emb, caption[some])


def _checked(scores: Tensor, split: Split) -> Tensor:
    """Refuses scores that are no finite matrix of the split's size."""
    shape = (len(split.images), len(split.captions))
    if not isinstance(scores, Tensor) or tuple(scores.shape) != shape or not scores.is_floating_point():
        found = f"{list(scores.shape)} {scores.dtype}" if isinstance(scores, Tensor) else type(scores).__name__
        raise ItmError(f"scores is {found}; give a floating tensor {list(shape)}, as itm.score(model, split) does")
    _check_finite(scores, torch.ones(shape, dtype=torch.bool), "scores")
    return scores.detach().cpu()


def _check_finite(values: Tensor, where: BoolTensor, what: str) -> None:
    """Refuses scores of the pairs marked in ``where`` that are not finite, and names the first."""
    finite = values.flatten().isfinite()
    if not finite.all():
        bad = int((~finite).nonzero()[0])
        image, caption = where.nonzero()[bad].tolist()
        raise ItmError(
            f"{what}: {values.flatten()[bad].item()} for image {image}, caption {caption}; all must be finite"
        )
