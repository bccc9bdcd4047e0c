"""Draws a sighting: place, shadow, person, occlusion, light; at three times the size, then reduced."""

from __future__ import annotations

from random import Random

import numpy as np
from PIL import Image, ImageDraw

from itm_tutorial.worlds.people.backdrops import VARIANTS, backdrop
from itm_tutorial.worlds.people.body import HEM, draw_body
from itm_tutorial.worlds.people.facts import PARTS
from itm_tutorial.worlds.people.pen import Box, Pen, dim, lit
from itm_tutorial.worlds.people.stance import WIDTH
from itm_tutorial.worlds.people.view import OBSTACLES, Sighting, figure_height
from itm_tutorial.worlds.scenes.brush import Colour, mix

FINE = 3  # images are drawn so many times larger, for smooth edges
UNIT = 300  # height in pixels at which boxes are measured
_LIGHT = {"day": (1.0, 1.0, 1.0), "evening": (1.03, 0.94, 0.84), "night": (0.72, 0.76, 0.9)}
_PAINTS = ((176, 70, 66), (78, 110, 160), (206, 206, 208), (92, 128, 104))


def draw_sighting(sighting: Sighting, size: int = 96, rng: Random | None = None, tint: float = 0.5) -> np.ndarray:
    """Draws an image of a person.

    Args:
        sighting: the person and the view.
        size: the height of the image in pixels; it is half as wide.
        rng: the random stream of the drawing: variant of the place, tones, tint.
        tint: how much the light varies, 0 to 1.

    Returns:
        uint8 [size, size // 2, 3].
    """
    rng = rng or Random(0)
    variant, grey, paint = rng.randrange(VARIANTS), rng.randrange(256), rng.choice(_PAINTS)
    warm, bright = rng.uniform(-1, 1) * tint, rng.uniform(-1, 1) * tint
    view, height, width = sighting.view, FINE * size, FINE * (size // 2)
    picture = backdrop(view.place, width, height, variant).copy()
    canvas = ImageDraw.Draw(picture)
    reach, ground = 0.2 * figure_height(sighting) * height, view.ground * height
    ground_tone = picture.getpixel((2, round(0.9 * height)))
    x = view.x * width
    canvas.ellipse((x - reach, ground - 0.09 * reach - 2, x + reach, ground + 0.09 * reach + 3), dim(dim(ground_tone)))
    draw_body(_pen(sighting, picture, width, height, grey), sighting)
    if view.cut < 1:
        _OBSTACLE[OBSTACLES[view.place]](canvas, width, height, view.cut * height, paint)
    return _expose(np.asarray(picture.reduce(FINE)), view.light, warm, bright)


def _pen(sighting: Sighting, picture: Image.Image | None, width: float, height: float, grey: int = 128) -> Pen:
    view, length = sighting.view, figure_height(sighting) * height
    mirrored = view.angle == "back" or (view.angle == "side" and view.flip)
    top, wide = view.ground * height - length, WIDTH.get(sighting.person.build, 1.0)
    return Pen(picture, view.x * width, top, length, mirrored, wide, tones=((grey,) * 3, 0.04))


def part_boxes(sighting: Sighting) -> dict[str, Box]:
    """The boxes of the visible parts of a person, measured by drawing them without an image.

    Args:
        sighting: the person and the view.

    Returns:
        Part -> (x0, y0, x1, y1) in [0, 1], in the order of ``PARTS``; only visible parts. "person" contains the body
        and clothes without umbrella and bag; "head" contains hair and face.
    """
    pen = _pen(sighting, None, UNIT / 2, UNIT)
    draw_body(pen, sighting)
    worn = [pen.bounds[part] for part in PARTS if part in pen.bounds and part not in ("bag", "umbrella")]
    xs0, ys0, xs1, ys1 = zip(*worn, strict=True)
    found = pen.bounds | {"person": (min(xs0), min(ys0), max(xs1), max(ys1))}
    if sighting.person.upper == "coat":  # trousers are visible below its hem
        x0, _, x1, y1 = found["lower"]
        found["lower"] = (x0, pen.at(0, HEM["coat"] - 0.01)[1], x1, y1)
    boxes = {part: _inside(found[part], sighting.view.cut) for part in PARTS if part in found}
    return {part: box for part, box in boxes.items() if box[3] - box[1] > 0.005 and box[2] - box[0] > 0.005}


def _inside(box: Box, cut: float) -> Box:
    """Clips a box to the visible part of the image."""
    (x0, y0, x1, y1), wide = box, UNIT / 2
    low = min(1.0, cut)
    return max(0.0, x0 / wide), max(0.0, min(low, y0 / UNIT)), min(1.0, x1 / wide), max(0.0, min(low, y1 / UNIT))


def _expose(pixels: np.ndarray, light: str, warm: float, bright: float) -> np.ndarray:
    """Applies light, colour temperature and exposure by scaling each channel."""
    tone = (1 + 0.05 * warm, 1.0, 1 - 0.05 * warm)
    scale = np.array([(1 + 0.08 * bright) * a * b for a, b in zip(_LIGHT[light], tone, strict=True)], np.float32)
    table = (_LEVELS * scale).clip(0, 255).astype(np.uint8)  # [256, 3]
    return np.stack([table[:, c][pixels[:, :, c]] for c in range(3)], axis=2)


_LEVELS = np.arange(256, dtype=np.float32)[:, None]


def _hedge(canvas: ImageDraw.ImageDraw, w: int, h: int, top: float, paint: Colour) -> None:
    leaf, r = (96, 144, 78), 0.09 * w
    canvas.rectangle((0, top + 0.3 * r, w, h), leaf)
    for i in range(9):
        x = (i + 0.5) / 9 * w
        canvas.ellipse((x - r, top + (i % 2) * 0.3 * r, x + r, top + 2.4 * r), leaf)
        canvas.ellipse((x - 0.5 * r, top + (0.5 + i % 2) * r, x + 0.3 * r, top + (1.2 + i % 2) * r), lit(leaf))


def _car(canvas: ImageDraw.ImageDraw, w: int, h: int, top: float, paint: Colour) -> None:
    canvas.rounded_rectangle((-0.2 * w, top, 1.2 * w, h + 40), 0.12 * w, paint)
    canvas.rectangle((0, top + 0.012 * h, w, top + 0.03 * h), lit(lit(paint)))
    canvas.rectangle((0, top + 0.085 * h, w, top + 0.095 * h), dim(paint))
    canvas.rounded_rectangle((0.36 * w, top + 0.12 * h, 0.56 * w, top + 0.136 * h), 4, dim(dim(paint)))


def _wall(canvas: ImageDraw.ImageDraw, w: int, h: int, top: float, paint: Colour) -> None:
    """A low wall with a parapet."""
    wall = (176, 174, 170)
    canvas.rectangle((0, top, w, h), wall)
    canvas.rectangle((0, top, w, top + 0.025 * h), lit(lit(wall)))
    canvas.rectangle((0, top + 0.025 * h, w, top + 0.034 * h), dim(wall))
    for i in range(4):
        canvas.line((i * w / 3.3 + 0.1 * w, top + 0.04 * h, i * w / 3.3 + 0.1 * w, h), dim(wall), 2)


def _crate(canvas: ImageDraw.ImageDraw, w: int, h: int, top: float, paint: Colour) -> None:
    wood = (186, 146, 98)
    canvas.rectangle((0, top, w, h), wood)
    for i in range(4):
        y = top + i * 0.06 * h
        canvas.rectangle((0, y, w, y + 0.008 * h), dim(wood))
    canvas.rectangle((0, top, w, top + 0.014 * h), lit(wood))
    for x in (0.08, 0.88):
        canvas.rectangle((x * w, top, (x + 0.05) * w, h), mix(wood, (120, 84, 50), 0.5))


_OBSTACLE = {"hedge": _hedge, "car": _car, "wall": _wall, "crate": _crate}
