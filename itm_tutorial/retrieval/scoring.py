"""Scores of a whole split: every image against every caption."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from math import isqrt

import torch
from torch import Tensor

from itm_tutorial.data.corpus import Split
from itm_tutorial.data.options import PositiveInt, check_options
from itm_tutorial.encoders.embeddings import Embeddings, pick, vectors_per_row
from itm_tutorial.encoders.threads import free_cores
from itm_tutorial.errors import warn_once
from itm_tutorial.extraction.features import split_boxes, split_confidence, split_features
from itm_tutorial.models import Images, Matching
from itm_tutorial.progress import notice, progress_counter, progress_wanted

CHUNK = 512  # images or captions encoded at a time
TILE_BYTES = 2**28  # 256 MiB: the most that one float32 per pair, region and token of a tile may take
LONG = 3.0  # seconds: shorter work is neither announced nor shown as a bar
ENOUGH = 0.1  # seconds: tiles that took this long say what a pair costs
MOST_UNKNOWN = 1 / 3  # of the words of a split: above it, a warning says so
LOOKED_AT = 1000  # captions of a split among which unknown words are counted
CORNER = 16  # images, and captions, of the first tile where it is timed for a person


@torch.inference_mode()
@free_cores()
def score(model: Matching, split: Split, chunk: int = CHUNK, captions: list[str] | None = None) -> Tensor:
    """Scores every image of a split against every caption.

    A model whose ``pair_cost`` is "network" is asked tile by tile, so that memory is bounded by ``TILE_BYTES``. Where a
    person looks on and all pairs will take more than ``LONG`` seconds, a line says so as soon as the first tile has
    been timed, and a bar shows the pairs done.

    Args:
        model: trained or not; it is left as it was.
        split: any split.
        captions: other texts than the split's own, such as the names of all classes.
        chunk: images, and captions, encoded and compared at a time.

    Returns:
        float32 [n_images, n_captions], on the CPU.

    Raises:
        ItmError: chunk is no whole number from 1 up.
    """
    chunk = check_options("score", {"chunk": PositiveInt}, {"chunk": chunk})["chunk"]
    if captions is None:
        captions = split.captions
        warn_of_unknown_words(model, split)
    scores = torch.empty(len(split.images), len(captions))
    with evaluation_mode(model), PairScorer(model, scores.numel()) as score_pairs:
        images = with_boxes(model, split, split_features(split, model.features))  # n_images of them
        image_chunks = list(encode_in_chunks(model.encode_images, images, chunk))
        caption_chunks = encode_in_chunks(model.encode_captions, captions, chunk)
        for column, caption_emb in zip(range(0, len(captions), chunk), caption_chunks, strict=True):
            for row, image_emb in zip(range(0, len(images), chunk), image_chunks, strict=True):
                block = scores[row : row + chunk, column : column + chunk]
                for rows, columns in tiles(model, image_emb, caption_emb, corner=score_pairs.untimed):
                    tile = score_pairs(model.similarity, pick(image_emb, rows), pick(caption_emb, columns))
                    block[rows, columns] = tile
    return scores


def warn_of_unknown_words(model: Matching, split: Split) -> None:
    """Warns, once, where the model's vocabulary lacks more than a third of the words of a split's captions.

    Args:
        model: any model.
        split: of its captions, at most ``LOOKED_AT`` are counted, evenly spaced.
    """
    if not reads_words(model):
        return
    some = split.captions[:: -(-len(split.captions) // LOOKED_AT) or 1]
    share = model.vocabulary.unknown_share(some)
    if share > MOST_UNKNOWN:
        warn_once(
            f"{share:.0%} of the words of the {split.name} captions are unknown to the model and are read as one and "
            "the same word: it was trained on captions in another language or of another data set, or on too few "
            "(a lower min_count keeps more words)"
        )


def reads_words(model: Matching) -> bool:
    """Whether a model reads texts by the words of its vocabulary; one that knows labels alone does not."""
    return type(model).tokenize is Matching.tokenize


@contextmanager
def evaluation_mode(model: Matching) -> Iterator[None]:
    """Puts a model in evaluation mode for the length of a ``with``, then back in the mode that it was in."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


def with_boxes(model: Matching, split: Split, features: Tensor) -> Tensor | Images:
    """What a model's image encoder reads: a split's features and, where the model ``reads_boxes``, its boxes too."""
    if not model.reads_boxes:
        return features
    return Images(features, split_boxes(split, model.features), split_confidence(split, model.features))


def encode_in_chunks(
    encode: Callable[..., Embeddings], inputs: Tensor | Images | list[str], chunk: int
) -> Iterator[Embeddings]:
    """Embeddings of features or captions, at most ``chunk`` rows at a time.

    Args:
        encode: ``encode_images`` or ``encode_captions`` of a model.
        inputs: n_images images, as ``with_boxes`` gives them, or n_captions texts.
        chunk: rows encoded at a time.

    Yields:
        The embeddings of each chunk, in order.
    """
    for first in range(0, len(inputs), chunk):
        yield encode(inputs[first : first + chunk])


def tiles(
    model: Matching, image_emb: Embeddings, caption_emb: Embeddings, corner: bool = False
) -> Iterator[tuple[slice, slice]]:
    """The tiles in which a block of pairs is scored: all of it for a "product", parts of bounded size for a "network".

    Args:
        model: it says what a pair costs.
        image_emb: embeddings of the block's images.
        caption_emb: embeddings of the block's captions.
        corner: whether the first tile is a small one, to be timed, even if the network is a slow one.

    Yields:
        The images and the captions of each tile.
    """
    n_images, n_captions = n_rows(image_emb), n_rows(caption_emb)
    height, width = n_images, n_captions
    if model.pair_cost == "network":
        pairs = max(1, TILE_BYTES // tile_bytes_per_pair(image_emb, caption_emb))
        width = min(n_captions, max(isqrt(pairs), pairs // n_images))  # few images leave room for more captions
        height = min(n_images, max(1, pairs // width))
    first = CORNER if corner else 0
    for top, bottom in pairwise(sorted({0, min(first, n_images), n_images})):
        for left, right in pairwise(sorted({0, min(first, n_captions), n_captions})):
            for row in range(top, bottom, height):
                for column in range(left, right, width):
                    yield slice(row, min(row + height, bottom)), slice(column, min(column + width, right))


def tile_bytes_per_pair(image_emb: Embeddings, caption_emb: Embeddings) -> int:
    """One float32 for every region of an image and every token of a caption."""
    return 4 * vectors_per_row(image_emb) * vectors_per_row(caption_emb)


def n_rows(embeddings: Embeddings) -> int:
    """How many images or captions embeddings belong to."""
    return len(embeddings if isinstance(embeddings, Tensor) else embeddings[0])


class PairScorer:
    """Scores pairs; for a person, it times the first ones of a "network", tells what all will cost, and shows a bar.

    It is silent for a machine, for a "product", and for work of less than ``LONG`` seconds.

    Args:
        model: the model that scores the pairs.
        n_pairs: how many there are.
    """

    def __init__(self, model: Matching, n_pairs: int):
        self.name, self.n_pairs = getattr(model, "name", type(model).__name__), n_pairs
        self.untimed = model.pair_cost == "network" and progress_wanted()  # whether the cost is still to be announced
        self.done, self.seconds, self.bar = 0, 0.0, None

    def __enter__(self) -> PairScorer:
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def __call__(self, similarity: Callable[..., Tensor], image_emb: Embeddings, caption_emb: Embeddings) -> Tensor:
        """Calls a ``similarity`` or a ``pair_similarity``: float32 scores on the CPU, in the shape that it gives."""
        start = time.perf_counter()
        scores = similarity(image_emb, caption_emb).float().cpu()  # only on the CPU has a device finished
        self.seconds += time.perf_counter() - start
        self.done += scores.numel()
        if self.bar is not None:
            self.bar.update(scores.numel())
        elif self.untimed and self.seconds >= ENOUGH:
            self.untimed = False
            self._tell(self.seconds * self.n_pairs / self.done)
        return scores

    def _tell(self, seconds: float) -> None:
        if seconds >= LONG:
            notice(f"{self.name} runs a network for each of {self.n_pairs:,} pairs: about {_duration(seconds)}")
            self.bar = progress_counter(self.n_pairs, "scoring pairs", "pair")
            self.bar.update(self.done)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
