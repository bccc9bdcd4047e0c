"""The data of a scene before it is drawn or described."""

from __future__ import annotations

from dataclasses import dataclass

from itm_tutorial.worlds.scenes.kinds import KINDS


@dataclass(frozen=True)
class Spot:
    """The position of one individual, in fractions of the image; the origin is the top left corner.

    Attributes:
        x, y: the centre of its lower edge: its feet, its wheels, its keel.
        height: of its box. The width follows from the kind's aspect.
        flip: whether it faces left.
    """

    x: float
    y: float
    height: float
    flip: bool = False


@dataclass(frozen=True)
class Thing:
    """One to four individuals of a kind, with equal colour, size and pattern. A scene has at most one thing per kind.

    Attributes:
        kind: a name in ``kinds.KINDS``.
        colour: a name in ``palette.COLOURS``.
        size: "small", "medium" or "large" for its kind.
        pattern: "plain", "striped" or "spotted".
        spots: one per individual.
        named: False for a distractor, which no caption may name.
    """

    kind: str
    colour: str
    size: str
    pattern: str
    spots: tuple[Spot, ...]
    named: bool = True

    @property
    def count(self) -> int:
        return len(self.spots)


@dataclass(frozen=True)
class Scene:
    """A place, its light, and the things in it.

    Attributes:
        place: a name in ``kinds.PLACES``.
        light: "day", "evening" or "night".
        things: the things in it, in any order (drawing sorts by depth).
    """

    place: str
    light: str
    things: tuple[Thing, ...]


def spot_box(kind_aspect: float, spot: Spot) -> tuple[float, float, float, float]:
    """The box (x0, y0, x1, y1) of one individual, clipped at the edge of the image."""
    half = spot.height * kind_aspect / 2
    corners = (spot.x - half, spot.y - spot.height, spot.x + half, spot.y)
    return tuple(min(1.0, max(0.0, c)) for c in corners)


def boxes(scene: Scene) -> list[tuple[float, float, float, float]]:
    """The box of every individual, named or not, in the order of things and then of their spots."""
    return [spot_box(KINDS[thing.kind].aspect, spot) for thing in scene.things for spot in thing.spots]


def boxes_of_thing(scene: Scene, thing: int) -> range:
    """The indices in ``boxes(scene)`` of the individuals of one thing."""
    first = sum(t.count for t in scene.things[:thing])
    return range(first, first + scene.things[thing].count)
