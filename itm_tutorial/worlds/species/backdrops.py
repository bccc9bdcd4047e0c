"""Blurred backgrounds as behind a portrait, and the light of an image."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from itm_tutorial.worlds.scenes.brush import Colour, mix, shade
from itm_tutorial.worlds.species.outlines import Easel, limb, ring, turned

VARIANTS = 8  # backdrops per place, painted once and cached
WIDE = 1.3  # a backdrop is this much wider than the image, which shows a random part of it
GROUND = 0.66  # where the ground begins, as a fraction of the image's height
_RAMPS = {  # colours from the top of the image to the bottom
    "branch": ((150, 190, 150), (96, 150, 96), (70, 122, 76)),
    "grass": ((196, 222, 226), (150, 194, 120), (98, 158, 66)),
    "water": ((150, 190, 176), (112, 170, 196), (70, 136, 178)),
    "sky": ((104, 168, 232), (160, 206, 244), (216, 236, 250)),
    "snow": ((172, 194, 216), (226, 234, 244), (246, 249, 253)),
    "sand": ((168, 208, 226), (226, 208, 166), (222, 194, 140)),
    "leaves": ((58, 108, 58), (48, 96, 52), (38, 78, 46)),
    "meadow": ((176, 208, 150), (122, 176, 86), (84, 142, 62)),
    "soil": ((150, 112, 80), (124, 88, 60), (96, 66, 46)),
    "pot": ((238, 222, 196), (230, 208, 178), (196, 150, 108)),
}


def backdrop(place: str, side: int, rng: Random) -> Image.Image:
    """A random part of one of the backdrops of a place.

    Args:
        place: a name in ``_RAMPS``.
        side: width and height in pixels.
        rng: the random stream of the drawing.

    Returns:
        An image to paint on, [side, side].
    """
    wide = _painted(place, side, rng.randrange(VARIANTS))
    spare = wide.width - side
    left, top = round(rng.random() * spare), round(spare * (0.3 + 0.4 * rng.random()))
    part = wide.crop((left, top, left + side, top + side))
    return part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else part


def relight(picture: Image.Image, warmth: float, brightness: float) -> Image.Image:
    """Makes an image warmer (above 0) or cooler, and brighter (above 0) or darker; both from -1 to 1."""
    levels = np.arange(256)
    scale = (1 + 0.16 * brightness) * np.array([1 + 0.07 * warmth, 1.0, 1 - 0.09 * warmth])
    return picture.point((levels * scale[:, None]).clip(0, 255).astype(int).ravel().tolist())


@lru_cache(maxsize=256)
def _painted(place: str, side: int, variant: int) -> Image.Image:
    wide, rng = round(side * WIDE), Random(f"{place}/{variant}")
    tone = rng.uniform(-0.1, 0.12)
    top, middle, low = (np.array(shade(colour, tone), np.float32) for colour in _RAMPS[place])
    down = np.linspace(0, 1, wide, dtype=np.float32)[:, None]
    rows = np.where(down < 0.6, top + (middle - top) * down / 0.6, middle + (low - middle) * (down - 0.6) / 0.4)
    picture = Image.fromarray(np.repeat(rows[:, None], wide, axis=1).astype(np.uint8))
    easel = Easel(ImageDraw.Draw(picture), wide)
    _FAR.get(place, _haze)(easel, rng, place)
    picture = picture.filter(ImageFilter.GaussianBlur(wide / 55))
    near = _NEAR.get(place)
    if near:
        near(Easel(ImageDraw.Draw(picture), wide), rng, place)
        picture = picture.filter(ImageFilter.GaussianBlur(wide / 220))
    return picture


def _tones(place: str, rng: Random, by: float) -> Colour:
    return shade(mix(*rng.sample(_RAMPS[place], 2), rng.random()), rng.uniform(-by, by))


def _haze(easel: Easel, rng: Random, place: str) -> None:
    """Round spots of light, as from blurred leaves."""
    for _ in range(30):
        easel.dot(rng.random(), rng.random(), rng.uniform(0.03, 0.11), _tones(place, rng, 0.22))


def _clouds(easel: Easel, rng: Random, place: str) -> None:
    for _ in range(rng.randrange(2, 5)):
        x, y, w = rng.random(), rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.2)
        for dx, r in ((-0.8, 0.5), (-0.2, 0.8), (0.5, 0.7), (1.0, 0.4)):
            easel.fill(ring(x + dx * w, y, r * w, 0.4 * r * w), (244, 248, 252))


def _hills(easel: Easel, rng: Random, place: str) -> None:
    far = {"snow": (150, 172, 176), "sand": (96, 160, 196), "water": (96, 146, 96)}.get(place, (104, 154, 96))
    if place == "sand":
        easel.fill(np.array([(0, 0.34), (1, 0.34), (1, 0.48), (0, 0.48)]), far)
    else:
        for _ in range(6):
            easel.fill(ring(rng.random(), 0.42, rng.uniform(0.1, 0.3), rng.uniform(0.06, 0.16)), shade(far, -0.1))
        low = mix(_RAMPS[place][1], _RAMPS[place][2], 0.4)
        easel.fill(np.array([(0, 0.44), (1, 0.44), (1, 1), (0, 1)]), low)


def _blades(easel: Easel, rng: Random, place: str) -> None:
    for _ in range(90):
        x, y, h = rng.random(), rng.uniform(0.5, 1.05), rng.uniform(0.05, 0.12)
        tip = (x + rng.uniform(-0.03, 0.03), y - h)
        easel.stroke(np.array([(x, y), tip]), _tones("meadow", rng, 0.18), 0.008)


def _ripples(easel: Easel, rng: Random, place: str) -> None:
    for _ in range(34):
        x, y = rng.random(), rng.uniform(0.46, 1.0)
        half = rng.uniform(0.03, 0.12) * (0.4 + y)
        colour = mix((178, 214, 230), (58, 116, 158), rng.random())
        easel.fill(ring(x, y, half, 0.008), colour)


def _crumbs(easel: Easel, rng: Random, place: str) -> None:
    for _ in range(110):
        x, y = rng.random(), rng.uniform(0.5 if place in ("sand", "snow") else 0.0, 1.0)
        r = rng.uniform(0.004, 0.02) * (1.0 if place == "soil" else 0.5)
        easel.fill(ring(x, y, 1.4 * r, r), shade(_RAMPS[place][1], rng.uniform(-0.24, 0.2)))


def _big_leaves(easel: Easel, rng: Random, place: str) -> None:
    for _ in range(34):
        length, width = rng.uniform(0.12, 0.26), rng.uniform(0.04, 0.09)
        leaf = turned(limb([(0, 0), (length / 2, 0.01), (length, 0)], [0, width, 0]), rng.uniform(0, 360))
        leaf = leaf + (rng.random(), rng.random())
        colour = shade(_RAMPS[place][0], rng.uniform(-0.35, 0.2))
        easel.fill(leaf, colour)
        easel.stroke(leaf[[0, len(leaf) // 2]], shade(colour, 0.12), 0.006)


def _table(easel: Easel, rng: Random, place: str) -> None:
    wall = shade(
        rng.choice(((236, 218, 190), (206, 222, 226), (226, 214, 224), (214, 224, 202))), rng.uniform(-0.08, 0)
    )
    easel.fill(np.array([(0, 0), (1, 0), (1, 0.84), (0, 0.84)]), wall)
    x = rng.uniform(0.05, 0.6)
    easel.fill(np.array([(x, 0), (x + 0.3, 0), (x + 0.12, 0.84), (x - 0.18, 0.84)]), shade(wall, 0.3))
    easel.fill(np.array([(0, 0.84), (1, 0.84), (1, 1), (0, 1)]), shade((164, 116, 78), rng.uniform(-0.15, 0.1)))


_FAR: dict[str, Callable] = {"sky": _clouds, "grass": _hills, "water": _hills, "snow": _hills, "sand": _hills}
_FAR |= {"leaves": _big_leaves, "pot": _table}
_NEAR: dict[str, Callable] = {"grass": _blades, "meadow": _blades, "water": _ripples, "sand": _crumbs}
_NEAR |= {"soil": _crumbs, "snow": _crumbs}
