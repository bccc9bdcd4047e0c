"""Draws a flower: backdrop, stem and leaves, blooms from back to front, objects in front."""

from __future__ import annotations

from random import Random

import numpy as np
from PIL import ImageDraw

from itm_tutorial.worlds.flowers import shapes
from itm_tutorial.worlds.flowers.blossom import SHADES, Blossom
from itm_tutorial.worlds.flowers.meeting import Bloom, Sight
from itm_tutorial.worlds.scenes.brush import Colour, shade
from itm_tutorial.worlds.species.backdrops import backdrop, relight
from itm_tutorial.worlds.species.outlines import Easel, limb, ring, turned
from itm_tutorial.worlds.species.portrait import Portrait

_CLAY = (190, 104, 70)
_CENTRE = {"small": 0.19, "large": 0.32}  # its radius, relative to the bloom's
_TRUMPET = {"small": 0.34, "large": 0.48}


class _Palette:
    """The colours of one flower, slightly varied."""

    def __init__(self, looks: Blossom, rng: Random):
        self.looks, self.rng = looks, rng
        self.tone = rng.uniform(-0.1, 0.1)
        self._mixed: dict[tuple[str, float], Colour] = {}

    def __call__(self, name: str, by: float = 0.0) -> Colour:
        """The colour of a part, made lighter or darker by a fraction."""
        if (name, by) not in self._mixed:
            self._mixed[name, by] = shade(SHADES[getattr(self.looks, name)], self.tone + by)
        return self._mixed[name, by]


def paint(portrait: Portrait, size: int, rng: Random) -> np.ndarray:
    """Draws a flower.

    Args:
        portrait: the portrait to draw.
        size: width and height of the image in pixels.
        rng: the random stream of the drawing.

    Returns:
        uint8 [size, size, 3].
    """
    side, sight = 2 * size, portrait.sight
    palette = _Palette(portrait.looks, rng)
    picture = backdrop(portrait.place, side, rng)
    canvas = ImageDraw.Draw(picture)
    scene = Easel(canvas, side)
    _green(scene, sight, palette)
    if portrait.place == "pot":
        _pot(scene, sight.stem[0][0], rng)
    for bloom in sight.blooms:
        _bloom(Easel(canvas, side, bloom.view), bloom, palette)
    if sight.cover is not None:
        _before(scene, sight, rng)
    return np.asarray(relight(picture.reduce(2), rng.uniform(-1, 1), rng.uniform(-0.8, 0.7)))


def _green(scene: Easel, sight: Sight, palette: _Palette) -> None:
    """Stems and leaves."""
    form, stalk = palette.looks.form, palette("stem")
    if form.arrangement in ("few", "cluster"):
        for bloom in sight.blooms:
            line = [sight.stem[1], (bloom.view.x, bloom.view.y)]
            scene.fill(limb(line, [0.012, 0.01], 1), stalk, rim=shade(stalk, -0.4))
    scene.fill(limb(sight.stem, [0.022, 0.018, 0.012]), stalk, rim=shade(stalk, -0.4))
    outline = shapes.leaf(form.leaf)
    for n, view in enumerate(sight.leaves):
        green = palette("leaves", -0.08 * (n % 2))
        blade = Easel(scene.canvas, scene.side, view)
        blade.fill(outline, green, rim=shade(green, -0.45))
        blade.stroke(np.array([(0.05, 0.0), (0.85, 0.0)]), shade(green, 0.25), 0.01)


def _pot(scene: Easel, x: float, rng: Random) -> None:
    clay = shade(rng.choice((_CLAY, (92, 128, 160), (226, 222, 212))), rng.uniform(-0.12, 0.12))
    scene.fill(np.array([(x - 0.2, 0.8), (x + 0.2, 0.8), (x + 0.15, 1.02), (x - 0.15, 1.02)]), clay, shade(clay, -0.4))
    scene.fill(np.array([(x - 0.23, 0.77), (x + 0.23, 0.77), (x + 0.22, 0.84), (x - 0.22, 0.84)]), shade(clay, 0.15))


def _bloom(bloom: Easel, of: Bloom, palette: _Palette) -> None:
    form = palette.looks.form
    if form.side == "bell":
        _bell(bloom, palette)
    elif form.side == "cup" or not of.open:
        _cup(bloom, palette, shapes.SPREAD[of.open])
    else:
        for n, place in enumerate(shapes.petals(form)):
            _petal(bloom, place, n, palette)
        _heart(bloom, palette)


def _petal(bloom: Easel, place: tuple[float, float, float], n: int, palette: _Palette) -> None:
    """One petal with its rim, its base and its marks."""
    looks, (turn, length, half) = palette.looks, place
    form = looks.form
    outer = length == 1.0 or form.order == "pansy"
    by = (0.06, -0.05)[n % 2] - 0.1 * (1 - length)
    colour = palette("petals", by)
    outline = shapes.laid(form.petal, half, length, length, turn)
    bloom.fill(outline, palette("edge", by) if looks.edge else colour, rim=palette("petals", -0.45))
    if looks.edge:
        bloom.fill(turned(shapes.edge_inside(form.petal, half) * length, turn), colour)
    if looks.base and (outer or form.layers == 1):
        bloom.fill(shapes.laid(form.petal, half, 0.56 * length, 0.8 * length, turn), palette("base", by))
    if looks.large and looks.pattern != "plain" and outer:
        _marks(bloom, looks.pattern, turn, length, half, palette("ink"))


def _marks(bloom: Easel, pattern: str, turn: float, length: float, half: float, ink: Colour) -> None:
    scale = bloom.scale
    if pattern == "spotted":
        spots = ((0.56, -0.4), (0.6, 0.36), (0.76, -0.1), (0.86, 0.3)) if half > 0.2 else ((0.62, 0.0), (0.82, 0.0))
        for x, y in turned(np.array(spots) * (length, half), turn):
            bloom.dot(x, y, 0.05 * scale + 0.002, ink)
    else:
        for y in (-0.45, 0.0, 0.45) if half > 0.2 else (0.0,):
            line = turned(np.array([(0.32, 0.6 * y), (0.86, y)]) * (length, half), turn)
            bloom.stroke(line, ink, 0.05 * scale + 0.002)


def _heart(bloom: Easel, palette: _Palette) -> None:
    """The centre or the trumpet, and the stamens around it."""
    looks, r = palette.looks, _CENTRE[palette.looks.centre_size]
    if looks.form.trumpet:
        r = _TRUMPET[looks.centre_size]
        wave = 1 + 0.1 * np.cos(np.arange(30) * (2 * np.pi / 30) * 10)
        rim = ring(0, 0, r, n=30) * wave[:, None]
        bloom.fill(rim, palette("centre", 0.08), rim=palette("centre", -0.45))
        bloom.fill(ring(0, 0, 0.58 * r), palette("centre", -0.32))
        r *= 0.3
    if looks.stamens and looks.large:
        for turn in np.arange(9) * 40.0:
            root, tip = turned(np.array([(0.5 * r, 0.0), (max(0.42, r + 0.16), 0.0)]), turn)
            bloom.stroke(np.array([root, tip]), palette("stamens", 0.1), 0.012)
            bloom.dot(*tip, 0.05 * bloom.scale + 0.004, palette("stamens"))
    if looks.form.trumpet:
        return
    bloom.fill(ring(0, 0, r), palette("centre"), rim=palette("centre", -0.45))
    if looks.form.arrangement != "cluster":
        for x, y in ring(0, 0, 0.6 * r, n=7):
            bloom.dot(x, y, 0.13 * r * bloom.scale, palette("centre", -0.25))
        bloom.dot(-0.2 * r, -0.3 * r, 0.2 * r * bloom.scale, palette("centre", 0.35))


def _cup(bloom: Easel, palette: _Palette, spread: float) -> None:
    looks = palette.looks
    for outline, dark in shapes.cup(looks.form, spread):
        colour, middle = palette("petals", dark), outline.mean(axis=0)
        bloom.fill(outline, palette("edge", dark) if looks.edge else colour, rim=palette("petals", -0.45))
        if looks.edge:
            bloom.fill(middle + (outline - middle) * (0.76, 0.8) + (0.0, 0.06), colour)
        if looks.pattern != "plain" and dark >= 0:
            _cup_marks(bloom, outline, looks.pattern, palette("ink"))
    if looks.base:
        bloom.fill(ring(0.0, 0.66, 0.28, 0.2), palette("base"))
    green = palette("stem")
    bloom.fill(np.array([(-0.16, 0.76), (0.0, 0.66), (0.16, 0.76), (0.05, 0.95), (-0.05, 0.95)]), green)


def _cup_marks(bloom: Easel, outline: np.ndarray, pattern: str, ink: Colour) -> None:
    tip, base = outline[outline[:, 1].argmin()], np.array([0.0, 0.7])
    if pattern == "striped":
        bloom.stroke(np.array([base + (tip - base) * 0.2, base + (tip - base) * 0.85]), ink, 0.022)
        return
    for along in (0.42, 0.6, 0.78):
        bloom.dot(*(base + (tip - base) * along), 0.055 * bloom.scale + 0.002, ink)


def _bell(bloom: Easel, palette: _Palette) -> None:
    looks, made = palette.looks, shapes.bell()
    bloom.fill(made["outline"], palette("petals"), rim=palette("petals", -0.45))
    if looks.base:
        bloom.fill(ring(0, -0.62, 0.3, 0.24), palette("base"))
    if looks.edge:
        bloom.fill(made["fringe"], palette("edge"))
    for n in (-1, 0, 1):
        if looks.large and looks.pattern == "striped":
            bloom.stroke(made[f"rib {n}"], palette("ink"), 0.07 * bloom.scale + 0.002)
        else:
            bloom.stroke(made[f"rib {n}"], palette("petals", -0.2), 0.012)
    if looks.large and looks.pattern == "spotted":
        for x, y in ((-0.3, -0.2), (0.24, -0.3), (0.0, 0.05), (0.32, 0.16), (-0.3, 0.26)):
            bloom.dot(x, y, 0.07 * bloom.scale + 0.002, palette("ink"))
    bloom.fill(ring(0, -0.9, 0.16, 0.12), palette("stem"))


def _before(scene: Easel, sight: Sight, rng: Random) -> None:
    """A tuft of grass in front of the leaves."""
    x0, y0, x1, y1 = sight.cover
    for _ in range(26):
        x, lean = rng.uniform(x0, x1), rng.uniform(-0.08, 0.08)
        top = y0 + (y1 - y0) * rng.uniform(-0.1, 0.2)
        green = shade((104, 158, 72), rng.uniform(-0.35, 0.15))
        scene.fill(limb([(x, 1.02), (x + 0.3 * lean, 0.5 * (1 + top)), (x + lean, top)], [0.03, 0.022, 0.0], 3), green)
