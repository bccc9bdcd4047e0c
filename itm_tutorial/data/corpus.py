"""The types ``Corpus``, ``Split``, ``SplitFacts`` and ``ClassTree``: images, captions, and the pairing between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import LongTensor, Tensor

from itm_tutorial.data.names import ALL_SPLITS
from itm_tutorial.data.text import checked_captions
from itm_tutorial.errors import ItmError, unknown


@dataclass(frozen=True)
class SplitFacts:
    """The truth about a split that only a drawn world knows.

    Attributes:
        of_image: per image, every true fact (a ``frozenset`` of plain tuples).
        of_caption: per caption, the facts that it states.
        truths: per caption, the grammar's own parse of it (word classes, heads, spans, boxes).
        scenes: per image, the scene it was drawn from.
        minimal_pairs: (image, image, kind): two images that differ in exactly one thing, and the kind of that thing.
        duplicates: (image, image): two images with the same facts, drawn separately.
    """

    of_image: list[frozenset]
    of_caption: list[frozenset]
    truths: list[Any]
    scenes: list[Any]
    minimal_pairs: list[tuple[int, int, str]] = field(default_factory=list)
    duplicates: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Split:
    """Images, captions, and the pairing between them.

    Attributes:
        name: "train", "val", "test", or "unseen": classes that training never shows.
        images: sequence of uint8 tensors [3, H, W]; a photograph is decoded when it is indexed.
        captions: the captions, in any order; each is a str. A printed bytes literal, b'...', is read as its text.
        image_of: int64 [n_captions]; the image that each caption describes.
        identity: int64 [n_images], the person or class shown; None if the data set has no identities.
        groundings: per caption, (word index, box index) pairs; None for photographs without boxes.
        facts: the truth about a drawn split; None for photographs.
        boxes: per image, float32 [n_boxes, 4] (x0, y0, x1, y1) in [0, 1]; None for photographs.
        fingerprint: a name unique to this content, under which features are cached; None turns the cache off.
        precomputed: features that were published instead of images: an array [n_images, dim] or
            [n_images, n_regions, dim]; None where there are images.
        draw: draws image i of a drawn split again at a height in pixels, uint8 [H, W, 3]; None for photographs.
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
    precomputed: Any | None = None  # [n_images, dim] or [n_images, n_regions, dim]
    draw: Callable[[int, int], Any] | None = field(default=None, repr=False, compare=False)

    def __post_init__(self):
        captions = checked_captions(self.captions, self.name)
        if captions is not self.captions:
            object.__setattr__(self, "captions", captions)
        if self.precomputed is None:
            check_images(self.images, self.name)
        check_pairing(self.image_of, len(self.images), len(self.captions), self.name)
        if self.identity is not None:
            check_identity(self.identity, len(self.images), self.name)
        if self.precomputed is not None and tuple(self.precomputed.shape[:1]) != (len(self.images),):
            raise ItmError(
                f"{self.name}: precomputed has shape {list(self.precomputed.shape)} for {len(self.images)} images; "
                "give one row per image"
            )

    def display(self, image: int, pixels: int = 400) -> Tensor:
        """An image to look at: a drawn one is drawn again, sharp at this size; a photograph comes as it is.

        Args:
            image: its index.
            pixels: the height of a drawn image.

        Returns:
            uint8 [3, H, W].
        """
        if self.draw is None:
            return self.images[image]
        return torch.tensor(self.draw(image, pixels)).permute(2, 0, 1)

    def captions_of(self, image: int) -> list[str]:
        """The captions of one image, in the order of the split."""
        return [self.captions[c] for c in (self.image_of == image).nonzero().flatten().tolist()]


@dataclass(frozen=True)
class ClassTree:
    """The classes of a corpus as the leaves of a tree: a fox is an animal, an animal a creature, a creature a thing.

    Attributes:
        names: the leaves; ``Split.identity`` holds indices into this list.
        parent: maps every node but the root to its parent.
        seen: the leaves that training shows.
    """

    names: list[str]
    parent: dict[str, str]
    seen: frozenset[str]

    def __post_init__(self):
        _check_tree(self.names, self.parent)
        for name in sorted(self.seen - set(self.names)):
            raise unknown("leaf in seen", name, self.names)

    def ancestors(self, name: str) -> list[str]:
        """The nodes above a node, from its parent up to the root.

        Raises:
            ItmError: the tree has no such node.
        """
        if name not in self.parent and name not in self.parent.values():
            raise unknown("node of the class tree", name, {*self.parent, *self.parent.values()})
        above = []
        while name in self.parent:
            name = self.parent[name]
            above.append(name)
        return above

    def distance(self, a: str, b: str) -> int:
        """The number of edges on the path between two nodes, through their lowest common ancestor."""
        return len({a, *self.ancestors(a)} ^ {b, *self.ancestors(b)})

    def distances(self) -> LongTensor:
        """``distance`` between every two leaves, int64 [n_classes, n_classes]."""
        nodes = {node: i for i, node in enumerate(dict.fromkeys([*self.names, *self.parent, *self.parent.values()]))}
        ways = torch.zeros(len(self.names), len(nodes), dtype=torch.int64)
        for row, name in enumerate(self.names):
            ways[row, [nodes[node] for node in (name, *self.ancestors(name))]] = 1
        shared = ways @ ways.T  # [n_classes, n_classes], how many nodes the two paths to the root have in common
        return shared.diagonal()[:, None] + shared.diagonal() - 2 * shared

    @property
    def seen_classes(self) -> LongTensor:
        """The indices in ``names`` of the leaves that training shows, int64 [n_seen]."""
        return torch.tensor([i for i, name in enumerate(self.names) if name in self.seen], dtype=torch.int64)

    @property
    def unseen_classes(self) -> LongTensor:
        """The indices in ``names`` of the other leaves, int64 [n_unseen]."""
        return torch.tensor([i for i, name in enumerate(self.names) if name not in self.seen], dtype=torch.int64)


@dataclass(frozen=True)
class Corpus:
    """A data set in up to four splits.

    Attributes:
        name: the name under which it was loaded ("scenes", "flickr8k", ...).
        train, val, test, unseen: the splits; reading one that the corpus lacks raises ``ItmError``.
        drawn: whether the images are drawn; False for photographs.
        about: one line for tables: size, seed, what is missing.
        classes: the tree of the classes that ``identity`` refers to; None if there are no classes.
    """

    name: str
    splits: dict[str, Split]
    drawn: bool
    about: str = ""
    classes: ClassTree | None = None

    def __getattr__(self, name: str) -> Split:
        splits = self.__dict__.get("splits")  # not there yet while a copy is being made
        if splits is not None and name in splits:
            return splits[name]
        if splits is not None and name in ALL_SPLITS:
            raise ItmError(f"corpus {self.name!r} has no {name} split: it has {', '.join(splits)} ({self.about})")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def class_options(self) -> dict[str, list[str]]:
        """The options of a model that predicts labels: all labels in the order of identities, and the seen ones.

        Raises:
            ItmError: the corpus has no classes.
        """
        if self.classes is None:
            raise ItmError(f"corpus {self.name!r} has no classes: this model needs some, such as those of 'objects'")
        return {"labels": list(self.classes.names), "seen": sorted(self.classes.seen)}

    def __repr__(self) -> str:
        sizes = "; ".join(f"{n} {len(s.images):,} images, {len(s.captions):,} captions" for n, s in self.splits.items())
        return f"Corpus({self.name!r}: {sizes})"


def check_pairing(image_of: Tensor, n_images: int, n_captions: int, where: str) -> None:
    """Checks that a pairing fits its images and captions.

    Args:
        image_of: int64 [n_captions].
        n_images: how many images there are.
        n_captions: how many captions there are.
        where: the name of what is checked, for the message.

    Raises:
        ItmError: the shape or dtype is wrong, or an index is out of range.
    """
    if not isinstance(image_of, Tensor):
        raise ItmError(f"{where}: image_of is a {type(image_of).__name__}; convert it with torch.tensor(image_of)")
    if image_of.ndim != 1 or len(image_of) != n_captions:
        raise ItmError(
            f"{where}: image_of has shape {list(image_of.shape)} for {n_captions} captions; "
            "give one image index per caption"
        )
    if image_of.dtype != torch.int64:
        raise ItmError(f"{where}: image_of is {image_of.dtype}; convert it with image_of.long()")
    if n_captions and not (int(image_of.min()) >= 0 and int(image_of.max()) < n_images):
        raise ItmError(
            f"{where}: image_of names images {int(image_of.min())} to {int(image_of.max())}, "
            f"but there are {n_images} images (0 to {n_images - 1})"
        )


def check_images(images: Any, where: str) -> None:
    """Checks images that are in memory; those that are decoded when they are indexed are not looked at.

    Args:
        images: a uint8 tensor [n_images, 3, H, W], a list of such tensors [3, H, W], or another sequence of them.
        where: the name of what is checked, for the message.

    Raises:
        ItmError: it is something else, such as arrays, floats or channels that come last.
    """
    remedy = "itm.corpus_from_table makes a corpus of images of any kind"
    if isinstance(images, Tensor):
        if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 3:
            found = f"{images.dtype} {list(images.shape)}"
            raise ItmError(f"{where}: images is {found}; give uint8 [n_images, 3, H, W], or a list; {remedy}")
    elif not _is_indexed(images):
        raise ItmError(f"{where}: images is a {type(images).__name__}; give a list of uint8 tensors; {remedy}")
    elif isinstance(images, (list, tuple)):
        for i, image in enumerate(images):
            if not isinstance(image, Tensor) or image.dtype != torch.uint8 or image.ndim != 3 or len(image) != 3:
                tensor = isinstance(image, Tensor)
                found = f"{image.dtype} {list(image.shape)}" if tensor else f"a {type(image).__name__}"
                raise ItmError(f"{where}: images[{i}] is {found}; give a uint8 tensor [3, H, W]; {remedy}")


def _is_indexed(images: Any) -> bool:
    """Whether images can be counted and indexed as a list can; an array has numbers, not images."""
    counted = hasattr(images, "__len__") and hasattr(images, "__getitem__")
    return counted and not isinstance(images, (str, bytes, Mapping)) and not hasattr(images, "dtype")


def check_identity(identity: Tensor, n_images: int, where: str) -> None:
    """Checks that identities are one whole number per image.

    Raises:
        ItmError: the shape or dtype is wrong.
    """
    if not isinstance(identity, Tensor) or tuple(identity.shape) != (n_images,) or identity.dtype != torch.int64:
        found = f"{list(identity.shape)} {identity.dtype}" if isinstance(identity, Tensor) else type(identity).__name__
        raise ItmError(f"{where}: identity is {found}; give an int64 tensor [{n_images}], one number per image")


def _check_tree(names: list[str], parent: dict[str, str]) -> None:
    """Checks that leaves and parents form one tree."""
    if not names:
        raise ItmError("class tree: it has no leaf; give one class name or more")
    if len(set(names)) < len(names):
        twice = next(name for name, n in Counter(names).items() if n > 1)
        raise ItmError(f"class tree: names holds {twice!r} twice; keep each name once")
    with_children = set(parent.values())
    for name in names:
        if name not in parent:
            raise ItmError(f"class tree: no path leads from the leaf {name!r} to the root; give it a parent")
        if name in with_children:
            raise ItmError(f"class tree: {name!r} is in names but has children; names must hold leaves only")
    roots = {}
    for name in parent:
        way = [name]
        while way[-1] in parent:
            way.append(parent[way[-1]])
            if way[-1] in way[:-1]:
                raise ItmError(f"class tree: a cycle, {' -> '.join(way[way.index(way[-1]) :])}; cut it at one parent")
        roots.setdefault(way[-1], name)
    if len(roots) > 1:
        (a, below_a), (b, below_b) = list(roots.items())[:2]
        raise ItmError(
            f"class tree: two roots, {a!r} (above {below_a!r}) and {b!r} (above {below_b!r}); give both one parent"
        )
