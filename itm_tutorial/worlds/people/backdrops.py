"""Paints the six backgrounds, slightly blurred, so that the person in front is clear."""

from __future__ import annotations

from functools import lru_cache
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from itm_tutorial.worlds.scenes.brush import Colour, mix, shade

VARIANTS = 6  # backdrops per place, painted once and cached
HORIZON = 0.60  # where the ground begins, as a fraction of the image's height
_GROUND = {
    "street": ((176, 174, 172), (148, 146, 146)),
    "park": ((158, 196, 122), (126, 172, 96)),
    "station": ((196, 196, 198), (160, 160, 166)),
    "shop": ((222, 208, 188), (198, 182, 160)),
    "campus": ((208, 198, 182), (184, 174, 158)),
    "river": ((196, 178, 152), (166, 148, 124)),
}
_SKY = ((178, 212, 238), (226, 236, 242))
Canvas = ImageDraw.ImageDraw


@lru_cache(maxsize=128)
def backdrop(place: str, width: int, height: int, variant: int) -> Image.Image:
    """A place without people.

    Args:
        place: a name in ``view.PLACES``.
        width, height: of the picture, in pixels.
        variant: 0 to ``VARIANTS`` - 1.

    Returns:
        An RGB image; it is cached, so do not draw on it.
    """
    rng, horizon = Random(f"{place}/{variant}"), round(HORIZON * height)
    rows = np.concatenate([_ramp(*_SKY, horizon), _ramp(*_GROUND[place], height - horizon)])
    picture = Image.fromarray(np.repeat(rows[:, None], width, axis=1).astype(np.uint8))
    _PAINT[place](ImageDraw.Draw(picture), width, height, horizon, rng)
    picture = picture.filter(ImageFilter.GaussianBlur(height / 260))
    return Image.blend(picture, Image.new("RGB", picture.size, (236, 234, 230)), 0.2)


def _ramp(a: Colour, b: Colour, n: int) -> np.ndarray:
    fraction = np.linspace(0, 1, n, dtype=np.float32)[:, None]
    return np.array(a, np.float32) * (1 - fraction) + np.array(b, np.float32) * fraction


def _grid(canvas: Canvas, box: tuple[float, ...], columns: int, rows: int, gap: float, colour: Colour) -> None:
    """Windows, bricks, or goods on shelves: rectangles of one colour with gaps between them."""
    x0, y0, x1, y1 = box
    w, h = (x1 - x0) / columns, (y1 - y0) / rows
    for i in range(columns):
        for j in range(rows):
            left, up = x0 + (i + gap) * w, y0 + (j + gap) * h
            canvas.rectangle((left, up, left + (1 - 2 * gap) * w, up + (1 - 2 * gap) * h), colour)


def _street(canvas: Canvas, w: int, h: int, horizon: int, rng: Random) -> None:
    x = -rng.random() * 0.4 * w
    while x < w:
        wide, top = rng.uniform(0.5, 0.85) * w, rng.uniform(0.02, 0.16) * h
        wall = rng.choice(((206, 186, 164), (190, 194, 202), (214, 204, 186), (196, 176, 170), (178, 190, 186)))
        canvas.rectangle((x, top, x + wide - 3, horizon), wall)
        _grid(canvas, (x, top + 0.02 * h, x + wide, horizon - 0.12 * h), 3, 4, 0.2, mix(wall, (96, 118, 146), 0.55))
        canvas.rectangle((x + 0.3 * wide, horizon - 0.1 * h, x + 0.55 * wide, horizon), mix(wall, (90, 70, 60), 0.5))
        x += wide
    canvas.rectangle((0, horizon, w, horizon + 0.035 * h), (206, 204, 200))
    canvas.rectangle((0, horizon + 0.035 * h, w, horizon + 0.045 * h), (130, 128, 128))
    for i in range(3):
        canvas.rectangle(((i + 0.1) / 3 * w, 0.8 * h, (i + 0.65) / 3 * w, 0.812 * h), (226, 226, 220))


def _park(canvas: Canvas, w: int, h: int, horizon: int, rng: Random) -> None:
    for _ in range(5):
        x, r = rng.random() * w, rng.uniform(0.14, 0.24) * w
        canvas.ellipse((x - 2 * r, horizon - 1.4 * r, x + 2 * r, horizon + r), (136, 174, 122))
    for _ in range(3):
        x, y, r = rng.random() * w, rng.uniform(0.2, 0.4) * h, rng.uniform(0.2, 0.34) * w
        canvas.rectangle((x - 0.025 * w, y, x + 0.025 * w, horizon + 0.02 * h), (134, 110, 86))
        tone = mix((112, 160, 92), (148, 188, 110), rng.random())
        for dx, dy in ((-0.7, 0.3), (0.7, 0.2), (0, -0.4), (0, 0.4)):
            canvas.ellipse((x + (dx - 0.8) * r, y + (dy - 0.8) * r, x + (dx + 0.8) * r, y + (dy + 0.8) * r), tone)
    far, near = rng.uniform(0.3, 0.7) * w, 0.5 * w
    canvas.polygon(
        [(far - 0.08 * w, horizon), (far + 0.08 * w, horizon), (near + 0.75 * w, h), (near - 0.75 * w, h)],
        (222, 208, 178),
    )


def _station(canvas: Canvas, w: int, h: int, horizon: int, rng: Random) -> None:
    canvas.rectangle((0, 0, w, 0.1 * h), (146, 152, 160))
    for i in range(3):
        canvas.rectangle(((i + 0.2) / 3 * w, 0.05 * h, (i + 0.8) / 3 * w, 0.066 * h), (250, 248, 230))
    canvas.rectangle((0, 0.1 * h, w, horizon), (206, 212, 216))
    train = rng.choice(((120, 150, 190), (190, 110, 100), (120, 166, 140), (200, 178, 110)))
    canvas.rectangle((0, 0.2 * h, w, horizon - 0.02 * h), (232, 234, 236))
    canvas.rectangle((0, horizon - 0.16 * h, w, horizon - 0.09 * h), train)
    x = rng.uniform(-0.5, 0.0) * w
    while x < w:
        canvas.rectangle((x, 0.25 * h, x + 0.42 * w, 0.38 * h), (112, 130, 150))
        canvas.rectangle((x + 0.5 * w, 0.25 * h, x + 0.72 * w, horizon - 0.02 * h), shade(train, 0.25))
        x += 0.8 * w
    canvas.rectangle((0, horizon - 0.02 * h, w, horizon + 0.012 * h), (92, 94, 100))
    canvas.rectangle((0, horizon + 0.04 * h, w, horizon + 0.062 * h), (236, 206, 90))


def _shop(canvas: Canvas, w: int, h: int, horizon: int, rng: Random) -> None:
    canvas.rectangle((0, 0, w, horizon), (236, 228, 214))
    goods = [(206, 120, 110), (120, 160, 190), (226, 196, 120), (140, 180, 140), (190, 150, 190), (230, 226, 220)]
    for j in range(4):
        low = (0.2 + 0.13 * j) * h
        x = rng.uniform(0, 0.05) * w
        while x < w:
            wide, tall = rng.uniform(0.07, 0.16) * w, rng.uniform(0.05, 0.09) * h
            canvas.rectangle((x, low - tall, x + wide - 2, low), mix(rng.choice(goods), (236, 228, 214), 0.25))
            x += wide
        canvas.rectangle((0, low, w, low + 0.016 * h), (176, 146, 112))
    canvas.rectangle((0, 0, w, 0.07 * h), rng.choice(((176, 96, 90), (90, 130, 150), (110, 146, 104))))
    for i in range(1, 4):
        y = horizon + (h - horizon) * (i / 4) ** 1.4
        canvas.line((0, y, w, y), (186, 170, 148), 3)


def _campus(canvas: Canvas, w: int, h: int, horizon: int, rng: Random) -> None:
    brick = rng.choice(((190, 132, 110), (200, 150, 122), (176, 128, 116)))
    canvas.rectangle((0, 0.06 * h, w, horizon), shade(brick, 0.2))
    for j in range(14):
        y, step = 0.06 * h + j * 0.039 * h, 0.2 * w
        _grid(canvas, ((j % 2 - 1) * step / 2, y, 7 * step + (j % 2 - 1) * step / 2, y + 0.039 * h), 7, 1, 0.05, brick)
    x = rng.uniform(-0.1, 0.3) * w
    for dx in (0, 0.62):
        left = x + dx * w
        canvas.rectangle((left, 0.16 * h, left + 0.34 * w, 0.4 * h), (240, 236, 226))
        _grid(canvas, (left, 0.16 * h, left + 0.34 * w, 0.4 * h), 2, 3, 0.1, (134, 160, 184))
    canvas.rectangle((0, horizon - 0.03 * h, w, horizon), (222, 214, 200))
    for i in range(1, 4):
        y = horizon + (h - horizon) * (i / 4) ** 1.3
        canvas.line((0, y, w, y), (168, 158, 142), 2)


def _river(canvas: Canvas, w: int, h: int, horizon: int, rng: Random) -> None:
    shore = round(0.4 * h)
    x = 0.0
    while x < w:
        wide, tall = rng.uniform(0.12, 0.3) * w, rng.uniform(0.04, 0.16) * h
        canvas.rectangle((x, shore - tall, x + wide, shore), mix((166, 180, 198), (206, 210, 214), rng.random()))
        x += wide
    canvas.rectangle((0, shore, w, horizon), (136, 178, 204))
    for _ in range(12):
        x, y = rng.random() * w, rng.uniform(0.41, 0.59) * h
        canvas.line((x, y, x + 0.16 * w, y), (176, 206, 224), 3)
    for y in (0.49, 0.55):
        canvas.rectangle((0, y * h, w, (y + 0.012) * h), (112, 116, 124))
    for i in range(5):
        left = (i + rng.random() * 0.05) / 4.4 * w
        canvas.rectangle((left, 0.47 * h, left + 0.03 * w, horizon + 0.01 * h), (96, 100, 108))
    for i in range(1, 5):
        y = horizon + (h - horizon) * (i / 5) ** 1.4
        canvas.line((0, y, w, y), (146, 128, 104), 2)


_PAINT = {"street": _street, "park": _park, "station": _station, "shop": _shop, "campus": _campus, "river": _river}
