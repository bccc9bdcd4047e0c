"""Draws a bird: backdrop, ground, tail and legs, plumage within its silhouette, wing, head, objects in front."""

from __future__ import annotations

from random import Random

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from itm_tutorial.worlds.birds.anatomy import BODY, Outlines, anatomy
from itm_tutorial.worlds.birds.meeting import Sight
from itm_tutorial.worlds.birds.plumage import Plumage
from itm_tutorial.worlds.scenes.brush import Colour, mix, shade
from itm_tutorial.worlds.species.backdrops import backdrop, relight
from itm_tutorial.worlds.species.outlines import Easel, box_of, limb, ring, smooth
from itm_tutorial.worlds.species.portrait import COLOURS, Portrait

_INK = (30, 26, 34)
_BARK = (104, 78, 58)
_SHADOWS = {"grass": (78, 120, 58), "sand": (182, 154, 108), "snow": (200, 212, 228)}


class _Dress:
    """The colours of one bird, slightly varied, and other data for its drawing."""

    def __init__(self, portrait: Portrait, side: int, rng: Random):
        self.looks: Plumage = portrait.looks
        self.sight: Sight = portrait.sight
        self.pose, self.place = portrait.pose, portrait.place
        self.made: Outlines = anatomy(self.looks.build, portrait.pose, self.looks.crest)
        self.side, self.rng = side, rng
        self.tone = rng.uniform(-0.09, 0.09)
        self.scale = self.sight.view.scale

    def colour(self, name: str, by: float = 0.0) -> Colour:
        """The colour of a part, made lighter or darker by a fraction."""
        return shade(COLOURS[getattr(self.looks, name)], self.tone + by)

    def rim(self, name: str) -> Colour:
        """The outline of a part: its own colour, darker."""
        return shade(self.colour(name), -0.45)


def paint(portrait: Portrait, size: int, rng: Random) -> np.ndarray:
    """Draws a bird.

    Args:
        portrait: the portrait to draw.
        size: width and height of the image in pixels.
        rng: the random stream of the drawing.

    Returns:
        uint8 [size, size, 3].
    """
    side = 2 * size
    dress = _Dress(portrait, side, rng)
    picture = backdrop(portrait.place, side, rng)
    canvas = ImageDraw.Draw(picture)
    scene, bird = Easel(canvas, side), Easel(canvas, side, dress.sight.view)
    _ground(scene, dress)
    _behind(bird, dress)
    _plumage(picture, bird, dress)
    _wing(bird, dress)
    _face(bird, dress)
    if dress.sight.waterline is not None:
        _water(scene, dress)
    if dress.sight.cover is not None:
        _before(scene, dress)
    return np.asarray(relight(picture.reduce(2), rng.uniform(-1, 1), rng.uniform(-0.8, 0.7)))


def _ground(scene: Easel, dress: _Dress) -> None:
    """A branch under a perched bird, its shadow under one that stands."""
    if "feet" not in dress.made:
        return
    x, y = dress.sight.view.see(dress.made["feet"]).mean(axis=0)
    if dress.pose == "standing":
        scene.fill(ring(x, y + 0.012, 0.36 * dress.scale, 0.03), _SHADOWS[dress.place])
        return
    rng, slope = dress.rng, dress.rng.uniform(-0.16, 0.16)
    thick, bark = rng.uniform(0.024, 0.04), shade(_BARK, rng.uniform(-0.2, 0.2))
    line = [(-0.1, y + 0.03 + slope * (-0.1 - x)), (x, y + 0.03), (1.1, y + 0.03 + slope * (1.1 - x))]
    scene.fill(limb(line, [0.7 * thick, thick, 1.2 * thick]), bark, rim=shade(bark, -0.4))
    scene.stroke(np.array(line) - (0, 0.4 * thick), shade(bark, 0.2), 0.012)
    for _ in range(rng.randrange(2, 5)):
        at = rng.choice((rng.uniform(0.0, 0.25), rng.uniform(0.75, 1.0)))
        _leaf(
            scene,
            at,
            y + 0.03 + slope * (at - x),
            0.16,
            rng.uniform(-150, 150),
            shade((88, 148, 66), rng.uniform(-0.2, 0.2)),
        )


def _leaf(scene: Easel, x: float, y: float, length: float, turn: float, colour: Colour) -> None:
    c, s = np.cos(np.radians(turn)) * length, np.sin(np.radians(turn)) * length
    line = [(x, y), (x + 0.5 * c - 0.08 * s, y + 0.5 * s + 0.08 * c), (x + c, y + s)]
    scene.fill(limb(line, [0.0, 0.27 * length, 0.0], 3), colour, rim=shade(colour, -0.35))
    scene.stroke(np.array(line), shade(colour, 0.2), 0.008)


def _behind(bird: Easel, dress: _Dress) -> None:
    """Draws the parts that the body hides partly: the far wing, the tail, the legs, the beak."""
    made = dress.made
    if "far wing" in made:
        bird.fill(made["far wing"], dress.colour("wings", -0.2), dress.rim("wings"))
    for name in ("far leg", "near leg"):
        if name in made:
            colour = dress.colour("legs", -0.15 if name == "far leg" else 0.0)
            bird.fill(made[name], colour, dress.rim("legs"))
            bird.stroke(made[f"{name} toes"], colour, 0.034 * dress.scale)
    bird.fill(made["tail"], dress.colour("tail"), dress.rim("tail"))
    bird.stroke(made["tail"][[0, 2]], dress.colour("tail", -0.22), 0.012)
    if dress.looks.crest:
        bird.fill(made["crest"], dress.colour("crown"), dress.rim("crown"))
    bird.fill(made["beak"], dress.colour("beak"), dress.rim("beak"))
    bird.stroke(made["gape"], dress.colour("beak", -0.4), 0.01)


def _plumage(picture: Image.Image, bird: Easel, dress: _Dress) -> None:
    """Draws the colours of the body within its silhouette, with a shadow at the lower side."""
    side, made = dress.side, dress.made
    for name in BODY:
        bird.fill(
            made[name], dress.rim("face" if name == "head" else "back"), dress.rim("face" if name == "head" else "back")
        )
    mask = Image.new("L", (side, side))
    stencil = Easel(ImageDraw.Draw(mask), side, dress.sight.view)
    for name in BODY:
        stencil.fill(made[name], 255)
    layer = Image.new("RGB", (side, side), dress.colour("back"))
    coat = Easel(ImageDraw.Draw(layer), side, dress.sight.view)
    if dress.looks.build.neck > 0.5:
        coat.fill(made["neck"], dress.colour("face"))
    for name in ("belly", "breast"):
        coat.fill(made[name], dress.colour(name))
    _breast_marks(coat, dress)
    for name in ("face", "throat"):
        coat.fill(made[name], dress.colour(name))
    coat.fill(made["crown"], dress.colour("crown"))
    picture.paste(layer, (0, 0), mask)
    _round_off(picture, mask, dress)


def _round_off(picture: Image.Image, mask: Image.Image, dress: _Dress) -> None:
    """Shades the lower part of the silhouette, as with light from above."""
    _, top, _, bottom = box_of(dress.sight.view.see(dress.made["trunk"]))
    down = (np.arange(dress.side) / dress.side - top) / (bottom - top)
    dusk = (110 * ((down - 0.5) * 2).clip(0, 1)).astype(np.uint8)
    shadow = Image.fromarray(np.repeat(dusk[:, None], dress.side, axis=1))
    picture.paste((44, 36, 60), (0, 0), ImageChops.multiply(mask, shadow))


def _breast_marks(coat: Easel, dress: _Dress) -> None:
    if dress.looks.pattern == "plain":
        return
    base = COLOURS[dress.looks.breast]
    ink = shade(base, -0.72) if sum(base) > 330 else shade(base, 0.75)
    made = dress.made
    (x0, y0), (x1, y1) = _front(made)
    for row in range(4):
        for column in range(3):
            x = x0 + (x1 - x0) * (column + 0.5 * (row % 2)) / 3
            y = y0 + (y1 - y0) * (row + 0.5) / 4
            if dress.looks.pattern == "spotted":
                coat.dot(x, y, 0.024 * dress.scale + 0.003, ink)
            else:
                coat.stroke(np.array([(x, y - 0.045), (x - 0.01, y + 0.045)]), ink, 0.022 * dress.scale + 0.004)


def _front(made: Outlines) -> tuple[np.ndarray, np.ndarray]:
    """Two corners of the part of the breast that is visible beside the wing."""
    trunk, breast = made["trunk"], made["breast"]
    left = breast[:, 0].min() + 0.1 * np.ptp(trunk[:, 0])
    low, high = trunk.min(axis=0), trunk.max(axis=0)
    return np.array([left, low[1] + 0.4 * (high[1] - low[1])]), np.array([high[0] + 0.04, high[1]])


def _wing(bird: Easel, dress: _Dress) -> None:
    made = dress.made
    bird.fill(made["wing"], dress.colour("wings"), shade(dress.colour("wings"), -0.4))
    for name in ("feather 0", "feather 1"):
        bird.stroke(made[name], dress.colour("wings", -0.28), 0.014)
    if dress.looks.wing_bars:
        for name in ("upper bar", "lower bar"):
            bird.fill(made[name], dress.colour("wing_bars"))


def _face(bird: Easel, dress: _Dress) -> None:
    """The eye with its ring or stripe."""
    looks, made = dress.looks, dress.made
    (x, y), r = made["eye"].mean(axis=0), 0.5 * np.ptp(made["head"][:, 0])
    if looks.eye_stripe:
        line = [(x + 0.55 * r, y + 0.1 * r), (x, y + 0.02 * r), (x - 1.1 * r, y + 0.2 * r)]
        bird.fill(limb(line, [0.08 * r, 0.18 * r, 0.1 * r], 3), dress.colour("eye_stripe"))
    dark = sum(COLOURS[looks.face]) < 200 or sum(COLOURS[looks.crown]) < 200
    if looks.eye_ring:
        bird.dot(x, y, 0.37 * r * dress.scale + 0.004, dress.colour("eye_ring"))
    elif dark:
        bird.dot(x, y, 0.27 * r * dress.scale + 0.004, (206, 196, 180))
    bird.dot(x, y, 0.2 * r * dress.scale + 0.003, _INK)
    bird.dot(x + 0.06 * r, y - 0.07 * r, 0.05 * r * dress.scale, (255, 255, 255))


def _water(scene: Easel, dress: _Dress) -> None:
    """The water over the lower part of a swimming bird."""
    line, rng = dress.sight.waterline, dress.rng
    x0, _, x1, _ = box_of(dress.sight.view.see(dress.made["trunk"]))
    colour = shade((92, 154, 190), rng.uniform(-0.15, 0.1))
    top = [(x, line + 0.008 * np.sin(24 * x)) for x in np.linspace(0, 1, 25)]
    scene.fill(np.array([*top, (1, 1), (0, 1)]), colour)
    scene.fill(ring((x0 + x1) / 2, line + 0.075, 0.4 * (x1 - x0), 0.05), mix(colour, dress.colour("breast"), 0.3))
    scene.stroke(
        smooth([(x0 - 0.05, line + 0.012), ((x0 + x1) / 2, line + 0.03), (x1 + 0.05, line + 0.012)], 4, False),
        shade(colour, 0.55),
        0.014,
    )
    for _ in range(9):
        x, y = rng.random(), rng.uniform(line + 0.03, 1.0)
        scene.fill(ring(x, y, rng.uniform(0.04, 0.12), 0.008, 10), shade(colour, rng.choice((-0.2, 0.25))))


def _before(scene: Easel, dress: _Dress) -> None:
    """Draws a tuft of leaves, a heap of snow or a cloud in front of the bird, as large as the cover's box."""
    x0, y0, x1, y1 = dress.sight.cover
    x, y, w, h = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2
    rng = dress.rng
    if dress.place in ("sky", "snow"):
        colour = (250, 251, 253)
        for dx, dy, r in ((-0.5, 0.1, 0.6), (0.5, 0.1, 0.6), (0.0, -0.1, 0.85), (0.0, 0.3, 0.9)):
            scene.fill(ring(x + dx * w, y + dy * h, r * w, r * h), shade(colour, -0.03 * (dy > 0)))
        return
    green = (206, 180, 118) if dress.place == "sand" else (96, 152, 74)
    for n in range(12):
        dx, dy = (n % 4 - 1.5) / 2.6 * w, (n // 4 - 1) * 0.5 * h
        length = max(0.08, min(w, h))
        _leaf(scene, x + dx - length / 2, y + dy, length, rng.uniform(-50, 50), shade(green, rng.uniform(-0.3, 0.15)))
