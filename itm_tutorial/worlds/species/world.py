"""Worlds of classes: the classes, their division into splits, and the images and captions of each split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from random import Random
from typing import Any

import numpy as np

from itm_tutorial.worlds.scenes.grammar import CaptionTruth
from itm_tutorial.worlds.species.grammar import Lexicon, describe
from itm_tutorial.worlds.species.portrait import Box, Portrait, Species
from itm_tutorial.worlds.streams import stream

SPLITS = ("train", "val", "test")
FRACTIONS = (
    0.6,
    0.8,
    0.8,
    1.0,
    1.0,
    1.2,
    1.8,
)  # images per class, relative to the usual number: some classes have three times more than others
LEAST_APART = 3  # the smallest number of attributes in which two species of a genus differ
FINDERS = (  # a species has the name of its finder
    "Ashdown Barlow Corrin Dunmore Ellery Fenwick Garrow Hadley Ibbot Jessop Kendrick Lorimer Mellin Norwood Orrell "
    "Prescott Quayle Rowley Sefton Tarleton Ulverton Verney Wetherby Yardley Zennor Almond Bexley Calder Denby Eskdale"
)


@dataclass(frozen=True)
class Size:
    """How large a world is.

    Attributes:
        classes: for training, validation and test; no class is in two of them.
        pictures: images per class, usually.
        per_genus: species per genus.
    """

    classes: tuple[int, int, int]
    pictures: int
    per_genus: int = 5


@dataclass(frozen=True)
class World:
    """The definition of one world of classes.

    Attributes:
        name: "birds" or "flowers".
        root: of its tree of classes.
        genera: invented names, enough for the largest size.
        sizes: by name.
        orders: the basic shapes; genera use them in turn.
        genus: samples the common attributes of a genus, from its order.
        species: samples the attributes of a species, from those of its genus.
        meet: samples an individual of a class in a place.
        paint: draws a portrait at a given size.
        lexicon: its words.
    """

    name: str
    root: str
    genera: tuple[str, ...]
    sizes: dict[str, Size]
    orders: tuple[Any, ...]
    genus: Callable[[Any, Random], Any]
    species: Callable[[Any, Random], Any]
    meet: Callable[[Species, Random], Portrait]
    paint: Callable[[Portrait, int, Random], np.ndarray]
    lexicon: Lexicon


@dataclass
class SpeciesSplit:
    """A split before it is drawn: plain data.

    Attributes:
        world: the world of the split.
        name: "train", "val" or "test".
        seed: of the world.
        species: every class of the world; ``identity`` holds indices into this list.
        identity: per image, its class.
        numbers: per image, its number within its class, which names its random streams.
        scenes: one portrait per image.
        truths: captions with their parse, ten per image, in the order of their images.
        image_of: per caption, its image.
    """

    world: World
    name: str
    seed: int
    species: list[Species]
    identity: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    scenes: list[Portrait] = field(default_factory=list)
    truths: list[CaptionTruth] = field(default_factory=list)
    image_of: list[int] = field(default_factory=list)

    def stream_of(self, purpose: str, image: int) -> Random:
        """The random stream for one purpose and one individual."""
        species = self.species[self.identity[image]]
        return stream(self.world.name, self.seed, purpose, species.name, self.numbers[image])

    def boxes(self) -> list[list[Box]]:
        """Per image, the boxes of the whole and of its parts."""
        return [portrait.boxes() for portrait in self.scenes]

    def groundings(self) -> list[list[tuple[int, int]]]:
        """Per caption, the (word, box) pairs: every word about a part, with each of the part's boxes."""
        return [
            [
                (w, box)
                for w, word in enumerate(truth.words)
                for part in word.things
                for box in self.scenes[image].boxes_of(part)
            ]
            for truth, image in zip(self.truths, self.image_of, strict=True)
        ]

    def draw(self, image: int, size: int = 64) -> np.ndarray:
        """Draws one image, uint8 [size, size, 3], with its own random stream."""
        return self.world.paint(self.scenes[image], size, self.stream_of("drawing", image))


def make_species(world: World, size: Size, seed: int) -> list[Species]:
    """Samples the classes genus by genus, with enough differences between the species of a genus.

    Args:
        world: birds or flowers.
        size: one of ``world.sizes``; a larger one begins with the same genera.
        seed: of the world.

    Returns:
        The classes, in the order of their genera.
    """
    found: list[Species] = []
    taken: set[Any] = set()
    orders = stream(world.name, seed, "orders").sample(world.orders, len(world.orders))
    for g in range(-(-sum(size.classes) // size.per_genus)):
        name, order = world.genera[g], orders[g % len(orders)]
        common = world.genus(order, stream(world.name, seed, "genus", g))
        finders = stream(world.name, seed, "names", g).sample(FINDERS.split(), size.per_genus)
        members: list[Any] = []
        attempt = 0
        while len(members) < size.per_genus:
            looks = world.species(common, stream(world.name, seed, "species", g, attempt))
            attempt += 1
            if looks not in taken and all(_apart(looks, other) >= LEAST_APART for other in members):
                members.append(looks)
        taken.update(members)
        found += [Species(f"{f}'s {name}", name, order.order, looks) for f, looks in zip(finders, members, strict=True)]
    return found[: sum(size.classes)]


def _apart(a: Any, b: Any) -> int:
    """The number of attributes in which two species differ."""
    return sum(getattr(a, f.name) != getattr(b, f.name) for f in fields(a))


def parents(world: World, species: Sequence[Species]) -> dict[str, str]:
    """Maps every class, genus and order to its parent."""
    tree = {one.name: one.genus for one in species} | {one.genus: f"{one.order}s" for one in species}
    return tree | {f"{one.order}s": world.root for one in species}


def divide(world: World, size: Size, seed: int) -> dict[str, list[int]]:
    """Divides the classes into splits: no class is in two splits, but species of one genus may be in different ones.

    Returns:
        Split -> class indices, in ascending order.
    """
    total = sum(size.classes)
    order = stream(world.name, seed, "division", total).sample(range(total), total)
    ends = [sum(size.classes[: i + 1]) for i in range(3)]
    return {name: sorted(order[end - n : end]) for name, end, n in zip(SPLITS, ends, size.classes, strict=True)}


def make_splits(world: World, size: str, seed: int) -> dict[str, SpeciesSplit]:
    """Makes the portraits and captions of a world.

    Args:
        world: birds or flowers.
        size: "tiny", "mini" or "full".
        seed: of the world.

    Returns:
        Split name -> split, the same for the same arguments in every process.
    """
    scale = world.sizes[size]
    species = make_species(world, scale, seed)
    classes = divide(world, scale, seed)
    return {name: _make_split(world, name, seed, species, classes[name], scale.pictures) for name in SPLITS}


def _make_split(
    world: World, name: str, seed: int, species: list[Species], classes: list[int], pictures: int
) -> SpeciesSplit:
    split = SpeciesSplit(world, name, seed, species)
    rng = stream(world.name, seed, "pictures", name)
    fractions = FRACTIONS * -(-len(classes) // len(FRACTIONS))
    shown = [
        (number, k)
        for number, fraction in zip(classes, rng.sample(fractions, len(classes)), strict=True)
        for k in range(round(fraction * pictures))
    ]
    rng.shuffle(shown)
    for image, (number, k) in enumerate(shown):
        split.identity.append(number)
        split.numbers.append(k)
        portrait = world.meet(species[number], split.stream_of("individual", image))
        captions = describe(portrait, world.lexicon, split.stream_of("caption", image))
        split.scenes.append(portrait)
        split.truths += captions
        split.image_of += [image] * len(captions)
    return split


def about(splits: dict[str, SpeciesSplit]) -> str:
    """One line: classes per split and images per class; AP@50 cannot reach 100 with fewer than 50 images."""
    counts = {name: Counter(split.identity).values() for name, split in splits.items()}
    shown = ", ".join(f"{len(n)} classes in {name}" for name, n in counts.items())
    few = sum(n < 50 for n in counts["test"])
    of_test = f"{min(counts['test'])} to {max(counts['test'])} images per class in test, fewer than 50 in {few} of them"
    return f"{shown}, none in two splits; {of_test}"
