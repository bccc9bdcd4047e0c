"""Draws a scene: background, shadows, things from back to front; at twice the size, then reduced, for smooth edges."""

from __future__ import annotations

from functools import lru_cache
from random import Random

import numpy as np
from PIL import Image, ImageDraw

from itm_tutorial.worlds.scenes.brush import Brush, Colour, mix
from itm_tutorial.worlds.scenes.kinds import KINDS
from itm_tutorial.worlds.scenes.palette import COLOURS
from itm_tutorial.worlds.scenes.scene import Scene, Spot, Thing
from itm_tutorial.worlds.scenes.templates import TEMPLATES

HORIZON = 0.55
VARIANTS = 4  # backgrounds per place and light, painted once and cached
_SKY = {
    "day": ((128, 190, 238), (222, 238, 248)),
    "evening": ((112, 88, 148), (252, 178, 112)),
    "night": ((14, 20, 54), (48, 60, 104)),
}
_GROUND = {
    "field": ((146, 194, 88), (96, 158, 62)),
    "beach": ((246, 226, 168), (230, 202, 138)),
    "street": ((150, 152, 158), (112, 114, 122)),
    "desert": ((240, 208, 138), (218, 172, 100)),
    "snow": ((244, 248, 252), (220, 230, 242)),
    "forest": ((106, 146, 76), (66, 108, 54)),
    "lake": ((128, 184, 92), (104, 160, 74)),
    "park": ((136, 196, 104), (104, 172, 82)),
    "farm": ((190, 178, 104), (158, 140, 78)),
    "room": ((204, 164, 118), (178, 134, 90)),
}
_MOUND = {"street": (92, 138, 84), "room": (168, 116, 100)}  # a hedge, a cushion; elsewhere a mound of the ground
_WAVE = (110, 170, 206)
_LIGHT = {"day": ((255, 255, 255), 0.0), "evening": ((255, 150, 90), 0.22), "night": ((22, 26, 74), 0.42)}


def draw_scene(
    scene: Scene,
    size: int = 128,
    rng: Random | None = None,
    style: str = "paint",
    tint: float = 0.5,
    veil: Random | None = None,
) -> np.ndarray:
    """Draws a scene.

    Args:
        scene: the scene to draw.
        size: width and height of the image in pixels.
        rng: the random stream of the drawing, for the background's variant, tones and the tint.
        style: "paint", or "sketch" with outlines.
        tint: how much the light varies, 0 to 1.
        veil: if given, a random stream that chooses a thing and covers part of it with a mound or a cloud.

    Returns:
        uint8 [size, size, 3].
    """
    rng = rng or Random(0)
    variant, tone = rng.randrange(VARIANTS), rng.uniform(-1, 1) * tint
    picture = background(scene.place, scene.light, size, variant).copy()
    canvas = ImageDraw.Draw(picture)
    # tones are drawn before sorting, and distractors come last, so that a distractor does not change other tones
    individuals = [(spot, thing, rng.randrange(256)) for thing in scene.things for spot in thing.spots]
    for spot, thing, grey in sorted(individuals, key=lambda who: (KINDS[who[1].kind].habitat == "top", who[0].y)):
        _draw_individual(canvas, thing, spot, 2 * size, grey, scene, style == "sketch")
    named = [(spot, thing) for spot, thing, _ in individuals if thing.named]
    if veil is not None and named:
        _cover(canvas, *veil.choice(named), 2 * size, veil, scene)
    pixels = np.asarray(picture.reduce(2))
    return _balance(pixels, tone)


def _balance(pixels: np.ndarray, tone: float) -> np.ndarray:
    """Makes the image a little warmer (tone > 0) or cooler by scaling red and blue."""
    red, blue = 1 + 0.06 * tone, 1 - 0.06 * tone
    scale = np.array([red, 1.0, blue], dtype=np.float32)
    table = (np.arange(256, dtype=np.float32)[:, None] * scale).clip(0, 255).astype(np.uint8)  # [256, 3]
    return np.stack([table[:, c][pixels[:, :, c]] for c in range(3)], axis=2)


def _draw_individual(
    canvas: ImageDraw.ImageDraw, thing: Thing, spot: Spot, side: int, grey: int, scene: Scene, outlined: bool
) -> None:
    kind = KINDS[thing.kind]
    half = spot.height * kind.aspect / 2
    box = tuple(side * v for v in (spot.x - half, spot.y - spot.height, spot.x + half, spot.y))
    colour = mix(COLOURS[thing.colour], (grey,) * 3, 0.05)
    light, strength = _LIGHT[scene.light]
    if kind.habitat in ("ground", "top"):
        depth = 0.035 * (box[3] - box[1]) + 0.006 * side
        shadow = mix(mix(*_GROUND[scene.place], 0.5), (10, 12, 40), 0.35 + 0.3 * strength)
        canvas.ellipse((box[0], box[3] - depth, box[2], box[3] + depth), shadow)
    elif kind.habitat == "water":
        canvas.ellipse((box[0], box[3] - 0.012 * side, box[2], box[3] + 0.02 * side), (226, 240, 248))
    TEMPLATES[kind.family](
        Brush(canvas, box, spot.flip, mix(colour, light, strength * 0.55), thing.pattern, outlined), kind.name
    )


def _cover(canvas: ImageDraw.ImageDraw, spot: Spot, thing: Thing, side: int, veil: Random, scene: Scene) -> None:
    """Hides a quarter to two fifths of one individual: by a mound at its feet, a wave, or a cloud at its side."""
    kind, fraction = KINDS[thing.kind], veil.uniform(0.25, 0.4)
    width, height = side * spot.height * kind.aspect, side * spot.height
    x, y = side * spot.x, side * spot.y
    light, strength = _LIGHT[scene.light]
    if kind.habitat == "sky":
        x += veil.choice((-0.5, 0.5)) * width
        cloud = (x - 0.7 * fraction * width, y - 1.1 * height, x + 0.7 * fraction * width, y + 0.1 * height)
        canvas.ellipse(cloud, mix((236, 240, 244), light, strength * 0.55))
        return
    ground = mix(mix(*_GROUND[scene.place], 0.7), (60, 60, 50), 0.18)
    colour = _WAVE if kind.habitat == "water" else _MOUND.get(scene.place, ground)
    reach, up = max(0.8 * width, 1.5 * fraction * height), fraction * height + 0.01 * side
    lower = y + 0.01 * side
    canvas.chord((x - reach, lower - up, x + reach, lower + up), 180, 360, mix(colour, light, strength * 0.55))


@lru_cache(maxsize=512)
def background(place: str, light: str, size: int, variant: int) -> Image.Image:
    """Paints a place in a light, at twice the size; variants differ in hills, clouds and houses."""
    side, rng = 2 * size, Random(f"{place}/{light}/{variant}")
    horizon = round(HORIZON * side)
    top, low = _SKY[light]
    near, far = _GROUND[place][1], _GROUND[place][0]
    rows = np.empty((side, 3), dtype=np.float32)
    rows[:horizon] = _ramp(top, low, horizon)
    rows[horizon:] = _ramp(far, near, side - horizon)
    pixels = np.repeat(rows[:, None], side, axis=1).astype(np.uint8)
    picture = Image.fromarray(pixels)
    canvas = ImageDraw.Draw(picture)
    if place == "room":
        _room(canvas, side, horizon, rng, light)
    else:
        _sky(canvas, side, rng, light)
        _land(canvas, place, side, horizon, rng)
    colour, strength = _LIGHT[light]
    if strength:
        picture = Image.blend(picture, Image.new("RGB", picture.size, colour), strength * 0.6)
        if place != "room":
            _lamps(ImageDraw.Draw(picture), side, rng, light)
    return picture


def _ramp(a: Colour, b: Colour, n: int) -> np.ndarray:
    fraction = np.linspace(0, 1, n, dtype=np.float32)[:, None]
    return np.array(a, np.float32) * (1 - fraction) + np.array(b, np.float32) * fraction


def _sky(canvas: ImageDraw.ImageDraw, side: int, rng: Random, light: str) -> None:
    cloud = mix(_SKY[light][1], (255, 255, 255), 0.55 if light != "night" else 0.12)
    for _ in range(rng.randrange(1, 4)):
        x, y, w = rng.uniform(0, 1) * side, rng.uniform(0.06, 0.3) * side, rng.uniform(0.07, 0.13) * side
        for dx, r in ((-0.7, 0.6), (0.0, 1.0), (0.8, 0.7)):
            canvas.ellipse((x + dx * w - r * w, y - r * w * 0.4, x + dx * w + r * w, y + r * w * 0.4), cloud)


def _lamps(canvas: ImageDraw.ImageDraw, side: int, rng: Random, light: str) -> None:
    """Draws the moon and stars at night, a low sun in the evening."""
    if light == "night":
        for _ in range(26):
            x, y = rng.random() * side, rng.random() * 0.45 * side
            canvas.ellipse((x - 1, y - 1, x + 1, y + 1), (236, 238, 210))
        x, r = rng.uniform(0.15, 0.85) * side, 0.045 * side
        canvas.ellipse((x - r, 0.08 * side, x + r, 0.08 * side + 2 * r), (246, 242, 214))
    else:
        x, r, y = rng.uniform(0.15, 0.85) * side, 0.06 * side, 0.47 * side
        canvas.ellipse((x - r, y - r, x + r, y + r), (255, 232, 168))


def _hills(canvas: ImageDraw.ImageDraw, side: int, horizon: int, rng: Random, colour: Colour, height: float) -> None:
    for _ in range(4):
        x, w, h = rng.random() * side, rng.uniform(0.25, 0.5) * side, height * rng.uniform(0.6, 1.2) * side
        canvas.ellipse((x - w, horizon - h, x + w, horizon + h), mix(colour, (255, 255, 255), rng.uniform(0, 0.12)))
    canvas.rectangle((0, horizon, side, horizon + 0.02 * side), colour)


def _land(canvas: ImageDraw.ImageDraw, place: str, side: int, horizon: int, rng: Random) -> None:
    """Draws the landscape behind everything, and details of the ground."""
    far, near = _GROUND[place]
    if place in ("field", "farm", "park", "lake"):
        _hills(canvas, side, horizon, rng, mix(far, (90, 130, 120), 0.35), 0.07)
    elif place == "desert":
        _hills(canvas, side, horizon, rng, mix(far, (190, 120, 70), 0.3), 0.06)
    elif place == "snow":
        for _ in range(4):
            x, h = rng.random() * side, rng.uniform(0.12, 0.24) * side
            canvas.polygon([(x - h * 1.3, horizon), (x, horizon - h), (x + h * 1.3, horizon)], (170, 186, 206))
            canvas.polygon(
                [(x - h * 0.4, horizon - h * 0.69), (x, horizon - h), (x + h * 0.4, horizon - h * 0.69)],
                (250, 252, 255),
            )
    elif place == "forest":
        for i in range(14):
            x, h = (i + rng.random()) / 14 * side, rng.uniform(0.2, 0.34) * side
            tone = mix((52, 96, 60), (84, 130, 80), rng.random())
            canvas.polygon([(x - h * 0.3, horizon + 2), (x, horizon - h), (x + h * 0.3, horizon + 2)], tone)
    elif place == "street":
        _houses(canvas, side, horizon, rng)
    if place == "beach":
        _water(canvas, side, horizon, 0.68, rng)
    elif place == "lake":
        _water(canvas, side, horizon, 0.82, rng)
    elif place == "farm":
        for i in range(5):
            y = horizon + (0.08 + 0.085 * i) * side
            canvas.line((0, y, side, y + rng.uniform(-0.01, 0.01) * side), mix(near, (120, 90, 50), 0.3), 3)
    elif place in ("field", "park", "forest"):
        for _ in range(36):
            x, y = rng.random() * side, rng.uniform(HORIZON + 0.05, 1.0) * side
            canvas.line((x, y, x + 2, y - 5), mix(near, (40, 100, 40), 0.4), 1)
    if place == "park":
        canvas.polygon(
            [(0.3 * side, side), (0.62 * side, side), (0.52 * side, horizon), (0.48 * side, horizon)], (222, 206, 170)
        )


def _houses(canvas: ImageDraw.ImageDraw, side: int, horizon: int, rng: Random) -> None:
    x = -rng.random() * 0.1 * side
    while x < side:
        w, h = rng.uniform(0.12, 0.22) * side, rng.uniform(0.16, 0.34) * side
        wall = rng.choice(((196, 186, 178), (178, 184, 196), (206, 194, 172), (188, 172, 168), (168, 178, 176)))
        canvas.rectangle((x, horizon - h, x + w - 2, horizon), wall)
        for i in range(int(h // 18)):
            for j in range(int(w // 16)):
                left, up = x + 5 + j * 16, horizon - h + 6 + i * 18
                canvas.rectangle((left, up, left + 7, up + 9), mix(wall, (90, 110, 140), 0.5))
        x += w
    canvas.rectangle((0, horizon, side, horizon + 0.05 * side), (190, 188, 184))
    for i in range(6):
        canvas.rectangle(((i + 0.2) / 6 * side, 0.8 * side, (i + 0.7) / 6 * side, 0.812 * side), (226, 226, 220))


def _water(canvas: ImageDraw.ImageDraw, side: int, horizon: int, until: float, rng: Random) -> None:
    canvas.rectangle((0, horizon, side, until * side), (92, 158, 200))
    for _ in range(18):
        x, y = rng.random() * side, rng.uniform(HORIZON + 0.01, until - 0.01) * side
        canvas.line((x, y, x + rng.uniform(0.04, 0.1) * side, y), (136, 190, 222), 2)
    canvas.ellipse((-0.2 * side, (until - 0.012) * side, 1.2 * side, (until + 0.02) * side), (232, 242, 244))


def _room(canvas: ImageDraw.ImageDraw, side: int, horizon: int, rng: Random, light: str) -> None:
    wall = rng.choice(((236, 226, 204), (214, 226, 226), (228, 214, 220), (222, 226, 206)))
    canvas.rectangle((0, 0, side, horizon), wall)
    canvas.rectangle((0, horizon - 0.02 * side, side, horizon), mix(wall, (120, 100, 80), 0.4))
    x = rng.uniform(0.1, 0.6) * side
    canvas.rectangle((x, 0.1 * side, x + 0.26 * side, 0.36 * side), (250, 250, 246))
    canvas.rectangle((x + 5, 0.1 * side + 5, x + 0.26 * side - 5, 0.36 * side - 5), _SKY[light][0])
    canvas.line((x + 0.13 * side, 0.1 * side, x + 0.13 * side, 0.36 * side), (250, 250, 246), 4)
    for i in range(1, 6):
        y = horizon + (side - horizon) * i / 6
        canvas.line((0, y, side, y), mix(_GROUND["room"][1], (90, 60, 40), 0.25), 2)
