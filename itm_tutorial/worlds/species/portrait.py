"""The data of a portrait, one individual of a class in a place, before it is drawn or described."""

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
VAGUE = {  # less precise words for a colour
    "dark": frozenset({"black", "brown", "blue", "purple", "dark green"}),
    "light": frozenset({"white", "yellow", "pink", "tan", "light green"}),
}


@dataclass(frozen=True)
class Species:
    """One class.

    Attributes:
        name: invented; no caption contains it.
        genus: the name of its genus.
        order: the basic shape of its genus.
        looks: a dataclass of the world with all visible attributes.
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
        boxes: its visible places, (x0, y0, x1, y1) in [0, 1]; petals may have several.
    """

    name: str
    traits: tuple[tuple[str, str], ...] = ()
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True)
class Portrait:
    """One individual in a place.

    Attributes:
        species: the name of its class.
        parts: the visible parts; the first is the whole.
        pose: its pose ("perched", "open", ...).
        place: its place ("branch", "grass", ...).
        looks: the attributes of this individual, which sometimes differ in one value from its class.
        sight: a dataclass of the world with all positions for the drawing.
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
        """The indices in ``boxes()`` of the boxes of one part."""
        first = sum(len(p.boxes) for p in self.parts[:part])
        return range(first, first + len(self.parts[part].boxes))


def trait_fact(part: str, aspect: str, value: str) -> Fact:
    """The fact that a trait of a part states."""
    return ("count" if aspect == "count" else "attribute", part, value)


def closure(facts: Iterable[Fact]) -> frozenset[Fact]:
    """Adds all implied facts: a part with a colour exists, and it is dark if the colour is."""
    found = set(facts)
    for sort, part, *value in tuple(found):
        if sort in ("attribute", "count"):
            found.add(("object", part))
        if sort == "attribute":
            found.update((sort, part, vague) for vague, of in VAGUE.items() if value[0] in of)
    return frozenset(found)


def portrait_facts(portrait: Portrait) -> frozenset[Fact]:
    """All facts about the visible parts, including implied ones."""
    facts: set[Fact] = {("pose", portrait.pose), ("place", portrait.place)}
    for part in portrait.parts:
        facts.add(("object", part.name))
        facts.update(trait_fact(part.name, aspect, value) for aspect, value in part.traits)
    return closure(facts)
