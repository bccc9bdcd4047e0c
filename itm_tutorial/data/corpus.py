"""Corpus and Split: pictures, captions, and which caption belongs to which picture. Types only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import LongTensor, Tensor

from itm_tutorial.errors import ItmError

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class SplitFacts:
    """What a drawn world knows of a split, and photographs hide.

    Attributes:
        of_image: per image, every fact that is true of it (``frozenset`` of plain tuples).
        of_caption: per caption, the facts it states.
        truths: per caption, the grammar's own parse of it (word classes, heads, spans, boxes).
        scenes: per image, the scene it was drawn from.
        siblings: (image, image, kind): pairs that differ in exactly one thing, the kind of that thing.
        twins: (image, image): pairs with the same facts, drawn anew.
    """

    of_image: list[frozenset]
    of_caption: list[frozenset]
    truths: list[Any]
    scenes: list[Any]
    siblings: list[tuple[int, int, str]] = field(default_factory=list)
    twins: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Split:
    """Pictures, captions, and the pairing between them.

    Attributes:
        name: "train", "val" or "test".
        images: sequence of uint8 tensors [3, H, W]; photographs are decoded when asked for.
        captions: the captions, in any order.
        image_of: int64 [n_captions]; the image that each caption describes.
        identity: int64 [n_images], the person or class shown; None where there is none.
        groundings: per caption, (word index, box index) pairs; None for photographs without boxes.
        facts: what a drawn world knows; None for photographs.
        boxes: per image, float32 [n_boxes, 4] (x0, y0, x1, y1) in [0, 1]; None for photographs.
        fingerprint: a name that no other content shares, under which features are kept; None keeps nothing.
    """

    name: str
    images: Sequence[Tensor]
    captions: list[str]
    image_of: LongTensor  # [n_captions]
    identity: LongTensor | None = None  # [n_images]
    groundings: list[list[tuple[int, int]]] | None = None
    facts: SplitFacts | None = None
    boxes: list[Tensor] | None = None
    fingerprint: str | None = None

    def __post_init__(self):
        check_pairing(self.image_of, len(self.images), len(self.captions), self.name)

    def captions_of(self, image: int) -> list[str]:
        """The captions of one image, in the order they stand in the split."""
        return [self.captions[c] for c in (self.image_of == image).nonzero().flatten().tolist()]


@dataclass(frozen=True)
class Corpus:
    """A data set in up to three splits.

    Attributes:
        name: the name it was loaded by ("scenes", "flickr8k", ...).
        train, val, test: the splits; a missing one is None in the data and an ``ItmError`` when used.
        drawn: whether a drawn world made it (it then knows facts and a ceiling).
        about: one line for tables: size, seed, what is missing.
    """

    name: str
    splits: dict[str, Split]
    drawn: bool
    about: str = ""

    def __getattr__(self, name: str) -> Split:
        if name in SPLITS:
            if name not in self.splits:
                raise ItmError(
                    f"corpus {self.name!r} has no {name} split: it has {', '.join(self.splits)} ({self.about})"
                )
            return self.splits[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        sizes = "; ".join(f"{n} {len(s.images):,} images, {len(s.captions):,} captions" for n, s in self.splits.items())
        return f"Corpus({self.name!r}: {sizes})"


def check_pairing(image_of: Tensor, n_images: int, n_captions: int, where: str) -> None:
    """Refuses a pairing that does not fit its images and captions.

    Args:
        image_of: int64 [n_captions].
        n_images: how many images there are.
        n_captions: how many captions there are.
        where: what is being checked, for the message.

    Raises:
        ItmError: wrong shape, wrong dtype, or an index of no image.
    """
    if not isinstance(image_of, Tensor):
        raise ItmError(f"{where}: image_of is a {type(image_of).__name__}; convert it with torch.tensor(image_of)")
    if image_of.ndim != 1 or len(image_of) != n_captions:
        raise ItmError(
            f"{where}: image_of has shape {list(image_of.shape)} for {n_captions} captions; "
            "give one image index a caption"
        )
    if image_of.dtype != torch.int64:
        raise ItmError(f"{where}: image_of is {image_of.dtype}; convert it with image_of.long()")
    if n_captions and not (int(image_of.min()) >= 0 and int(image_of.max()) < n_images):
        raise ItmError(
            f"{where}: image_of names images {int(image_of.min())} to {int(image_of.max())}, "
            f"but there are {n_images} images (0 to {n_images - 1})"
        )


def check_identity(identity: Tensor, n_images: int, where: str) -> None:
    """Refuses identities that are not one whole number an image.

    Raises:
        ItmError: wrong shape or dtype.
    """
    if not isinstance(identity, Tensor) or tuple(identity.shape) != (n_images,) or identity.dtype != torch.int64:
        found = f"{list(identity.shape)} {identity.dtype}" if isinstance(identity, Tensor) else type(identity).__name__
        raise ItmError(f"{where}: identity is {found}; give an int64 tensor [{n_images}], one number an image")
