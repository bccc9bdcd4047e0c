"""A portrait: one individual of a class where it was met, before it is drawn or described. Plain data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Box = tuple[float, float, float, float]
Fact = tuple

COLOURS: dict[str, tuple[int, int, int]] = {  # RGB by daylight; further apart than the shades of one picture
    "red": (206, 40, 44),
    "orange": (240, 132, 36),
    "yellow": (248, 214, 58),
    "green": (74, 150, 66),
    "blue": (50, 104, 206),
    "purple": (134, 66, 176),
    "pink": (246, 140, 184),
    "brown": (124, 78, 46),
    "tan": (214, 178, 126),
    "black": (42, 42, 50),
    "grey": (142, 148, 156),
    "white": (248, 247, 242),
}
VAGUE = {  # what a hasty writer says of a colour
    "dark": frozenset({"black", "brown", "blue", "purple", "dark green"}),
    "light": frozenset({"white", "yellow", "pink", "tan", "light green"}),
}


@dataclass(frozen=True)
class Species:
    """One class.

    Attributes:
        name: invented; no caption may say it.
        genus: the name of the genus, its closest relatives.
        order: what its genus is built like.
        looks: the world's own dataclass: everything that may be seen of it.
    """

    name: str
    genus: str
    order: str
    looks: Any


@dataclass(frozen=True)
class Part:
    """A visible part, and its attributes.

    Attributes:
        name: "beak", "petals", ...
        traits: (aspect, value) pairs; an aspect is "count", "size", "shape", "pattern" or "colour".
        boxes: where it is seen, (x0, y0, x1, y1) in [0, 1]; petals may be seen in several places.
    """

    name: str
    traits: tuple[tuple[str, str], ...] = ()
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True)
class Portrait:
    """One individual where it was met.

    Attributes:
        species: the name of its class.
        parts: all that is in sight; the first is the whole.
        pose: what it does ("perched", "open", ...).
        place: where ("branch", "grass", ...).
        looks: as this individual has them: now and then one thing differs from its class.
        sight: the world's own: the place of everything that the drawing needs.
    """

    species: str
    parts: tuple[Part, ...]
    pose: str
    place: str
    looks: Any
    sight: Any

    def boxes(self) -> list[Box]:
        """Every box, in the order of the parts."""
        return [box for part in self.parts for box in part.boxes]

    def boxes_of(self, part: int) -> range:
        """Where the boxes of one part stand in ``boxes()``."""
        first = sum(len(p.boxes) for p in self.parts[:part])
        return range(first, first + len(self.parts[part].boxes))


def trait_fact(part: str, aspect: str, value: str) -> Fact:
    """The fact that a trait of a part states."""
    return ("count" if aspect == "count" else "attribute", part, value)


def closure(facts: Iterable[Fact]) -> frozenset[Fact]:
    """The facts and all that follows from them: what has a colour is there, and dark where the colour is."""
    found = set(facts)
    for sort, part, *value in tuple(found):
        if sort in ("attribute", "count"):
            found.add(("object", part))
        if sort == "attribute":
            found.update((sort, part, vague) for vague, of in VAGUE.items() if value[0] in of)
    return frozenset(found)


def portrait_facts(portrait: Portrait) -> frozenset[Fact]:
    """All that is true of what is in sight, what follows from it included."""
    facts: set[Fact] = {("pose", portrait.pose), ("place", portrait.place)}
    for part in portrait.parts:
        facts.add(("object", part.name))
        facts.update(trait_fact(part.name, aspect, value) for aspect, value in part.traits)
    return closure(facts)
