"""The outlines of petals, bells, cups and leaves, in units of a bloom's radius or a leaf's length."""

from __future__ import annotations

from functools import lru_cache
from math import pi, tan

import numpy as np

from itm_tutorial.worlds.flowers.blossom import Form
from itm_tutorial.worlds.species.outlines import Points, limb, smooth, turned

_HALVES = {  # one edge of a petal from its base (0, 0) to its tip: (along, across in half widths)
    "round": ((0, 0.12), (0.3, 0.6), (0.62, 1.0), (0.88, 0.82), (1.0, 0.36), (1.02, 0.0)),
    "pointed": ((0, 0.14), (0.25, 0.7), (0.5, 1.0), (0.75, 0.7), (0.92, 0.26), (1.05, 0.0)),
    "heart": ((0, 0.12), (0.3, 0.6), (0.66, 1.0), (0.92, 0.86), (1.03, 0.42), (0.86, 0.0)),
    "frilled": (
        (0, 0.14),
        (0.4, 0.74),
        (0.7, 1.04),
        (0.86, 0.96),
        (0.84, 0.72),
        (1.0, 0.6),
        (0.92, 0.34),
        (1.04, 0.18),
    ),
    "narrow": ((0, 0.4), (0.3, 0.8), (0.7, 1.0), (0.92, 0.74), (1.02, 0.0)),
}
_UNEVEN = ((60, 0.86, 0.9), (120, 0.86, 0.9), (-8, 0.84, 0.9), (188, 0.84, 0.9), (270, 1.0, 1.15))  # a pansy's petals
_LENGTHS = (1.0, 0.76, 0.54, 0.34)  # of the petals of each layer


@lru_cache(maxsize=64)
def petal(shape: str, half_width: float) -> Points:
    """One petal that lies along the x axis."""
    half = smooth([(x, y * half_width) for x, y in _HALVES[shape]], 2, closed=False)
    return np.concatenate([half, (half * (1, -1))[::-1]])


@lru_cache(maxsize=4096)
def laid(shape: str, half_width: float, along: float, across: float, turn: float) -> Points:
    """A petal of a given length and width, rotated about the centre of its bloom."""
    return turned(petal(shape, half_width) * (along, across), turn)


@lru_cache(maxsize=64)
def edge_inside(shape: str, half_width: float) -> Points:
    """The part of a petal inside its coloured rim."""
    return petal(shape, half_width) * (0.8, 0.74) + (0.04, 0.0)


@lru_cache(maxsize=256)
def petals(form: Form) -> tuple[tuple[float, float, float], ...]:
    """The petals of a bloom: (rotation in degrees, length, half width), from the back to the front."""
    width = round(min(0.56, tan(pi / form.petals) * 0.62 * form.fullness + 0.03), 3)
    if form.order == "pansy":
        return tuple((turn, length, round(width * wide, 3)) for turn, length, wide in _UNEVEN)
    made = []
    for layer in range(form.layers):
        length = _LENGTHS[layer]
        start = 90 + layer * 180 / form.petals
        made += [(start + 360 * i / form.petals, length, width) for i in range(form.petals)]
    return tuple(made)


@lru_cache(maxsize=64)
def cup(form: Form, spread: float) -> tuple[tuple[Points, float], ...]:
    """A cup seen from the side: (petal, how much darker), from the back to the front."""
    shape = form.petal if form.petal in _HALVES else "round"
    made = []
    for turn, length, wide, dark in ((1.2, 1.5, 0.4, -0.22), (-1.2, 1.5, 0.4, -0.22), (0.45, 1.62, 0.42, -0.14)) + (
        (-0.45, 1.62, 0.42, -0.14), (0.85, 1.56, 0.46, 0.0), (-0.85, 1.56, 0.46, 0.0), (0.0, 1.42, 0.5, 0.06)
    ):  # fmt: skip
        made.append((turned(petal(shape, wide / 1.5) * length, 90 + turn * spread) + (0.0, 0.82), dark))
    return tuple(made)


@lru_cache(maxsize=8)
def bell() -> dict[str, Points]:
    """A bell that hangs from the origin's upper side: its outline, its mouth and its ribs."""
    left = [(-0.1, -0.9), (-0.42, -0.62), (-0.52, -0.1), (-0.6, 0.3), (-0.86, 0.62)]
    rim = [(-0.56, 0.6), (-0.3, 0.82), (-0.1, 0.64), (0.1, 0.64), (0.3, 0.82), (0.56, 0.6)]
    right = [(-x, y) for x, y in reversed(left)]
    outline = np.concatenate([smooth(left, 3, closed=False), rim, smooth(right, 3, closed=False)])
    ribs = {f"rib {n}": smooth([(0.1 * n, -0.75), (0.3 * n, 0.0), (0.38 * n, 0.6)], 3, False) for n in (-1, 0, 1)}
    fringe = [(-0.62, 0.34), (0.62, 0.34), (0.86, 0.62), *rim[::-1], (-0.86, 0.62)]
    return {"outline": outline, "fringe": np.array(fringe), **ribs}


SPREAD = {True: 17.0, False: 9.0}  # how far the petals of a cup are apart, by whether it is open


@lru_cache(maxsize=256)
def silhouette(form: Form, opened: bool) -> Points:
    """The outline of a whole bloom, for its box."""
    if form.side == "bell":
        return bell()["outline"]
    if form.side == "cup" or not opened:
        return np.concatenate([outline for outline, _ in cup(form, SPREAD[opened])])
    return np.concatenate([laid(form.petal, half, length, length, turn) for turn, length, half in petals(form)])


@lru_cache(maxsize=8)
def leaf(shape: str) -> Points:
    """A leaf from its stalk at (0, 0) to its tip at (1, 0)."""
    if shape == "narrow":
        return limb([(0, 0), (0.4, -0.06), (1.0, 0.04)], [0.05, 0.075, 0.0], 4)
    if shape == "heart":
        half = [(0.06, 0.0), (-0.08, 0.2), (0.1, 0.4), (0.44, 0.36), (0.8, 0.14), (1.0, 0.0)]
        edge = smooth(half, 3, closed=False)
        return np.concatenate([edge, (edge * (1, -1))[::-1]])
    if shape == "jagged":
        half = [
            (0, 0.03),
            (0.12, 0.2),
            (0.24, 0.12),
            (0.36, 0.32),
            (0.5, 0.16),
            (0.62, 0.3),
            (0.74, 0.12),
            (0.84, 0.18),
        ]
        edge = np.array([*half, (1.0, 0.0)])
        return np.concatenate([edge, (edge * (1, -1))[::-1]])
    return limb([(0, 0), (0.5, -0.03), (1.0, 0.0)], [0.02, 0.24, 0.0], 6)
