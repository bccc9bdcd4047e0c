"""Samples the place and view of a flower, and determines its visible parts."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin
from random import Random

import numpy as np

from itm_tutorial.worlds.flowers import shapes
from itm_tutorial.worlds.flowers.blossom import Blossom, individual
from itm_tutorial.worlds.species.outlines import View, area, box_of, overlap, ring
from itm_tutorial.worlds.species.portrait import Box, Part, Portrait, Species

PLACES = ("leaves", "meadow", "soil", "sky", "pot")
NUMBERS = {4: "four", 5: "five", 6: "six", 8: "eight"}
_CLOSED = 0.1  # how often a single flower has not opened yet
_COVERED = 0.12
_HIDDEN = 0.5  # leaves of which this fraction is covered are not mentioned
_MANY = 9  # so many petals or more are "many"


@dataclass(frozen=True)
class Bloom:
    """One bloom: its view, and whether it is open."""

    view: View
    open: bool = True


@dataclass(frozen=True)
class Sight:
    """The positions for the drawing of a flower.

    Attributes:
        blooms: from the back to the front.
        leaves: the view of each; the unit is its length.
        stem: points of its centre line, from the ground upwards, in fractions of the image.
        cover: the box of an object in front of the leaves, or None.
    """

    blooms: tuple[Bloom, ...]
    leaves: tuple[View, ...]
    stem: tuple[tuple[float, float], ...]
    cover: Box | None = None


def meet(species: Species, rng: Random) -> Portrait:
    """Samples one flower, or one stem of flowers, of a species in a place."""
    looks = individual(species.looks, rng)
    form = looks.form
    place = rng.choice(PLACES)
    blooms = _ARRANGED[form.arrangement](looks, rng)
    stem = _stem(blooms, place, form.arrangement, rng)
    leaves = _leaves(stem, form.leaf, rng)
    sight = Sight(tuple(blooms), leaves, stem, _cover(leaves, form.leaf, rng))
    return Portrait(species.name, _parts(looks, sight), form.arrangement, place, looks, sight)


def _view(x: float, y: float, r: float, form_side: str, rng: Random) -> View:
    """The view of a bloom; blooms seen from the front are turned a little."""
    if form_side == "face":
        return View(x, y, r, rng.uniform(-40, 40), rng.random() < 0.5, rng.uniform(0.68, 1.0))
    return View(x, y, r, rng.uniform(-16, 16), rng.random() < 0.5)


def _single(looks: Blossom, rng: Random) -> list[Bloom]:
    side, opened = looks.form.side, rng.random() >= _CLOSED
    r = rng.uniform(0.29, 0.36)
    view = _view(rng.uniform(0.42, 0.58), rng.uniform(0.38, 0.44), r, side, rng)
    if not opened and side == "face":
        view = View(view.x, view.y, 0.85 * r, rng.uniform(-14, 14))
    return [Bloom(view, opened or side != "face")]


def _few(looks: Blossom, rng: Random) -> list[Bloom]:
    n, shift = rng.choice((2, 3, 3)), rng.uniform(-0.04, 0.04)
    spots = [(0.3, 0.5), (0.72, 0.42), (0.5, 0.24)] if n == 3 else [(0.32, 0.42), (0.7, 0.34)]
    if rng.random() < 0.5:
        spots = [(1 - x, y) for x, y in spots]
    r = 0.21 if n == 3 else 0.25
    made = []
    for x, y in spots:
        size = r * rng.uniform(0.9, 1.08)
        made.append(Bloom(_view(x + shift, y + rng.uniform(-0.03, 0.03), size, looks.form.side, rng)))
    return sorted(made, key=lambda bloom: bloom.view.y)


def _cluster(looks: Blossom, rng: Random) -> list[Bloom]:
    """A ring of blooms around one in the centre."""
    n, x, y = rng.randint(6, 8), rng.uniform(0.44, 0.56), rng.uniform(0.36, 0.42)
    start, made = rng.uniform(0, 360), []
    for i in range(n):
        turn = radians(start + 360 * i / n)
        made.append(Bloom(_view(x + 0.215 * cos(turn), y + 0.2 * sin(turn), 0.125, looks.form.side, rng)))
    return [*made, Bloom(_view(x, y, 0.14, looks.form.side, rng))]


def _spike(looks: Blossom, rng: Random) -> list[Bloom]:
    n, x, lean = rng.randint(6, 8), rng.uniform(0.42, 0.58), rng.uniform(-0.12, 0.12)
    made = []
    for i in range(n):
        height = i / (n - 1)
        aside = (0.02 + 0.1 * height) * (-1) ** i
        r = 0.085 + 0.06 * height
        made.append(Bloom(_view(x + aside + lean * (0.5 - height), 0.12 + 0.56 * height, r, looks.form.side, rng)))
    return made


_ARRANGED = {"single": _single, "few": _few, "cluster": _cluster, "spike": _spike}


def _stem(blooms: list[Bloom], place: str, arrangement: str, rng: Random) -> tuple[tuple[float, float], ...]:
    foot = 0.8 if place == "pot" else 1.06
    x, y = np.mean([(bloom.view.x, bloom.view.y) for bloom in blooms], axis=0)
    if arrangement == "spike":
        x, y = blooms[0].view.x, 0.14
    if arrangement == "few":
        y = max(bloom.view.y for bloom in blooms) + 0.1
    base = 0.5 if place == "pot" else 0.5 + rng.uniform(-0.12, 0.12)
    return (base, foot), (0.4 * base + 0.6 * x + rng.uniform(-0.03, 0.03), 0.5 * (foot + y)), (float(x), float(y))


def _leaves(stem: tuple[tuple[float, float], ...], shape: str, rng: Random) -> tuple[View, ...]:
    """Two to four leaves on the lower part of the stem, to the left and right in turn."""
    (x0, y0), (x1, y1), _ = stem
    made, first = [], rng.random() < 0.5
    for i in range(rng.randint(2, 4)):
        along = 0.1 + 0.25 * i
        x, y = x0 + along * (x1 - x0), y0 - 0.04 + along * (y1 - y0)
        length = rng.uniform(0.28, 0.4) * (1.3 if shape == "narrow" else 1.0)
        up = rng.uniform(10, 45) + (25 if shape == "narrow" else 0)
        flip = (i % 2 == 0) == first
        made.append(View(x, y, length, -up if flip else up, flip))
    return tuple(made)


def _leaf_boxes(leaves: tuple[View, ...], shape: str) -> list[Box]:
    boxes = [box_of(view.see(shapes.leaf(shape))) for view in leaves]
    return [box for box in boxes if area(box) > 0.003]


def _cover(leaves: tuple[View, ...], shape: str, rng: Random) -> Box | None:
    """Sometimes samples an object in front of the leaves."""
    covered, grow = rng.random() < _COVERED, rng.uniform(0.0, 0.04)
    boxes = _leaf_boxes(leaves, shape)
    if not covered or not boxes:
        return None
    low, high = np.min(boxes, axis=0), np.max(boxes, axis=0)
    return float(low[0] - grow), float(max(low[1], 0.66)), float(high[2] + grow), 1.0


def _parts(looks: Blossom, sight: Sight) -> tuple[Part, ...]:
    """The visible parts with their boxes; the blooms of a cluster or spike have one box together."""
    whole = [box_of(bloom.view.see(shapes.silhouette(looks.form, bloom.open))) for bloom in sight.blooms]
    hearts = [box_of(bloom.view.see(ring(0, 0, 0.4))) for bloom in sight.blooms]
    if len(whole) > 3:
        whole, hearts = [_around(whole)], [_around(whole)]
    leaves = _leaf_boxes(sight.leaves, looks.form.leaf)
    if sight.cover is not None:
        leaves = [box for box in leaves if overlap(box, sight.cover) < _HIDDEN]
    stem = [box_of(np.array(sight.stem))] if sight.cover is None else []
    boxes = {"flower": [_around(whole)], "leaves": leaves, "stem": stem}
    boxes |= dict.fromkeys(("center", "stamens", "ring", "trumpet"), hearts)
    return tuple(
        Part(name, traits, tuple(boxes.get(name, whole)))
        for name, traits in _traits(looks, opened=sight.blooms[-1].open).items()
        if boxes.get(name, whole)
    )


def _around(boxes: list[Box]) -> Box:
    return (*np.min(boxes, axis=0)[:2].tolist(), *np.max(boxes, axis=0)[2:].tolist())


def _traits(looks: Blossom, opened: bool) -> dict[str, tuple[tuple[str, str], ...]]:
    """Maps each part to its attributes; a closed flower hides its number of petals and its centre."""
    form, face = looks.form, looks.form.side == "face" and opened
    made = {"flower": [("size", "large" if form.arrangement == "single" else "small"), ("colour", looks.petals)]}
    if form.arrangement == "few":
        made["flower"] = made["flower"][1:]
    if not opened:
        made["flower"].append(("shape", "closed"))
    elif form.side != "face":
        made["flower"].append(("shape", form.side))
    made["petals"] = [("colour", looks.petals)]
    if face:
        made["petals"].append(("shape", form.petal))
        number = "many" if form.petals * form.layers >= _MANY else NUMBERS.get(form.petals)
        made["petals"] += [("count", number)] if number else []
        made["petals"] += [("pattern", "layered")] if form.layers > 1 else []
        made |= _heart(looks)
    elif looks.base:
        made["base"] = [("colour", looks.base)]
    if looks.large and looks.pattern != "plain":
        made["petals"].append(("pattern", looks.pattern))
        made["spots" if looks.pattern == "spotted" else "stripes"] = [("colour", looks.ink)]
    if looks.edge:
        made["edges"] = [("colour", looks.edge)]
    made["leaves"] = [("colour", looks.leaves), ("shape", form.leaf)]
    made["stem"] = [("colour", looks.stem)]
    return {name: tuple(traits) for name, traits in made.items()}


def _heart(looks: Blossom) -> dict[str, list[tuple[str, str]]]:
    """The visible parts in the centre of an open flower."""
    made = {}
    if looks.form.trumpet:
        made["trumpet"] = [("colour", looks.centre), ("size", {"small": "short", "large": "long"}[looks.centre_size])]
    else:
        made["center"] = [("colour", looks.centre), ("size", looks.centre_size)]
    if looks.base:
        made["ring"] = [("colour", looks.base)]
    if looks.stamens and looks.large:
        made["stamens"] = [("colour", looks.stamens)]
    return made
