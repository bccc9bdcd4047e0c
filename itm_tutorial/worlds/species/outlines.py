"""Outlines: smooth closed curves as points, their transformation to the image, and a brush that fills them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import cos, pi, radians, sin

import numpy as np
from PIL import ImageDraw

from itm_tutorial.worlds.scenes.brush import Colour
from itm_tutorial.worlds.species.portrait import Box

Points = np.ndarray  # float64 [n, 2]; x to the right, y down


def ring(x: float, y: float, rx: float, ry: float | None = None, n: int = 20) -> Points:
    """An ellipse as n points."""
    turn = np.arange(n) * (2 * pi / n)
    return np.stack([x + rx * np.cos(turn), y + (rx if ry is None else ry) * np.sin(turn)], axis=1)


def smooth(corners: Sequence[tuple[float, float]], steps: int = 5, closed: bool = True) -> Points:
    """A curve through the corners (Catmull-Rom), with ``steps`` points from each corner to the next."""
    p = np.asarray(corners, dtype=np.float64)
    ends = (p[-1:], p[:2]) if closed else (p[:1], p[-1:])
    padded = np.concatenate([ends[0], p, ends[1]])
    a, b, c, d = padded[:-3, None], padded[1:-2, None], padded[2:-1, None], padded[3:, None]
    t = (np.arange(steps) / steps)[None, :, None]
    curve = b + t * ((c - a) / 2 + t * ((2 * a - 5 * b + 4 * c - d) / 2 + t * (3 * b - a - 3 * c + d) / 2))
    curve = curve.reshape(-1, 2)
    return curve if closed else np.concatenate([curve, p[-1:]])


def limb(corners: Sequence[tuple[float, float]], widths: Sequence[float], steps: int = 5) -> Points:
    """A neck, leg or stem: a smooth line of changing width.

    Args:
        corners: points of its centre line.
        widths: half its width at each point.
        steps: points from each corner to the next.
    """
    line = smooth(corners, steps, closed=False)
    half = np.interp(np.linspace(0, 1, len(line)), np.linspace(0, 1, len(widths)), widths)[:, None]
    along = np.gradient(line, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) / (np.linalg.norm(along, axis=1, keepdims=True) + 1e-9)
    return np.concatenate([line + half * across, (line - half * across)[::-1]])


def turned(points: Points, degrees: float) -> Points:
    """Points rotated about the origin, counter-clockwise in the image."""
    c, s = cos(radians(degrees)), sin(radians(degrees))
    return np.asarray(points, dtype=np.float64) @ np.array([[c, -s], [s, c]])


def inside(points: Points, outline: Points) -> np.ndarray:
    """Which points lie within a closed outline, bool [n]."""
    x, y = points[:, 0, None], points[:, 1, None]
    x0, y0 = outline[:, 0], outline[:, 1]
    x1, y1 = np.roll(x0, -1), np.roll(y0, -1)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return crossing.sum(axis=1) % 2 == 1


def clip(points: Points, outlines: Iterable[Points]) -> Points:
    """The points of a patch within the outlines, and the points of the outlines within the patch."""
    outlines = list(outlines)
    own = np.any([inside(points, outline) for outline in outlines], axis=0)
    kept = [points[own], *(outline[inside(outline, points)] for outline in outlines)]
    return np.concatenate(kept)


def box_of(points: Points) -> Box:
    """The box around points, clipped at the edge of the image."""
    low, high = points.min(axis=0).clip(0, 1), points.max(axis=0).clip(0, 1)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def overlap(a: Box, b: Box) -> float:
    """The fraction of the first box that the second covers."""
    common = (max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3]))
    return area(common) / max(area(a), 1e-9) if common[0] < common[2] and common[1] < common[3] else 0.0


@dataclass(frozen=True)
class View:
    """The transformation of outlines about the origin to the image.

    Attributes:
        x, y: the position of the origin, in fractions of the image.
        scale: how long a unit is there.
        tilt: degrees, counter-clockwise.
        flip: whether to exchange left and right, before the tilt.
        squash: apparent height over true height, before the tilt: 1 from the front, less at an angle.
    """

    x: float
    y: float
    scale: float
    tilt: float = 0.0
    flip: bool = False
    squash: float = 1.0

    def matrix(self) -> np.ndarray:
        """The matrix by which points are multiplied from the right, before the translation."""
        c, s = self.scale * cos(radians(self.tilt)), self.scale * sin(radians(self.tilt))
        mirror = -1.0 if self.flip else 1.0
        return np.array([[mirror * c, -mirror * s], [self.squash * s, self.squash * c]])

    def see(self, points: Points) -> Points:
        """Transforms points to fractions of the image, [n, 2]."""
        return points @ self.matrix() + (self.x, self.y)


class Easel:
    """Fills outlines given in fractions of the image, or in the coordinates of a view.

    Args:
        canvas: the canvas to paint on.
        side: width and height of the canvas in pixels.
        view: the transformation of outlines; by default they are in fractions of the image already.
    """

    def __init__(self, canvas: ImageDraw.ImageDraw, side: int, view: View | None = None):
        self.canvas, self.side = canvas, side
        self.scale = view.scale if view else 1.0
        self._matrix = (view.matrix() if view else np.eye(2)) * side
        self._origin = np.array([view.x, view.y] if view else [0.0, 0.0]) * side

    def _pixels(self, points: Points) -> list[float]:
        return (points @ self._matrix + self._origin).ravel().tolist()

    def fill(self, points: Points, colour: Colour, rim: Colour | None = None) -> None:
        """Fills an outline; a rim is drawn half outside of it."""
        pixels = self._pixels(points)
        if rim is not None:
            self.canvas.line(pixels + pixels[:4], rim, max(2, round(self.side / 56)), joint="curve")
        self.canvas.polygon(pixels, colour)

    def stroke(self, points: Points, colour: Colour, width: float) -> None:
        """A line; its width is a fraction of the image."""
        self.canvas.line(self._pixels(points), colour, max(1, round(width * self.side)), joint="curve")

    def dot(self, x: float, y: float, r: float, colour: Colour) -> None:
        """A round dot; r is a fraction of the image."""
        px, py = self._pixels(np.array([[x, y]]))
        r = max(0.6, r * self.side)
        self.canvas.ellipse((px - r, py - r, px + r, py + r), colour)
