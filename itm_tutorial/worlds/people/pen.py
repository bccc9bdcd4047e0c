"""A pen that draws in units of body length, and records the box of each part of the body."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from math import hypot

from PIL import Image, ImageChops, ImageDraw

from itm_tutorial.worlds.scenes.brush import Colour, Point, mix, shade

Box = tuple[float, float, float, float]
CLOTH = "upper"  # the one part that may have a pattern
INK = ((250, 248, 242), (48, 46, 62))  # of a pattern: light on dark cloth, dark on light


class Pen:
    """Draws shapes given in body lengths: x from the centre of the body, y down from the top of the head.

    Args:
        picture: the image to draw on; None only measures.
        x: the centre of the body, in pixels.
        y: the top of the head, in pixels.
        length: of the body, in pixels.
        flip: whether to mirror left and right.
        wide: the width of the body relative to the average.
        tones: of the light and the film: (grey to mix in, its fraction).
    """

    def __init__(
        self,
        picture: Image.Image | None,
        x: float,
        y: float,
        length: float,
        flip: bool = False,
        wide: float = 1.0,
        tones: tuple[Colour, float] = ((128, 128, 128), 0.0),
    ):
        self.picture, self.x, self.y, self.length = picture, x, y, length
        self.side, self.wide, self.tones = (-1 if flip else 1), wide, tones
        self.canvas = ImageDraw.Draw(picture) if picture else None
        self.part = ""
        self.bounds: dict[str, Box] = {}
        self._mask: ImageDraw.ImageDraw | None = None

    def at(self, x: float, y: float) -> Point:
        return self.x + self.side * x * self.length, self.y + y * self.length

    def _note(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Extends the box of the current part."""
        if self.part:
            a, b, c, d = self.bounds.get(self.part, (x0, y0, x1, y1))
            self.bounds[self.part] = (min(a, x0), min(b, y0), max(c, x1), max(d, y1))

    def poly(self, *points: Point, colour: Colour) -> None:
        corners = [self.at(*p) for p in points]
        xs, ys = [p[0] for p in corners], [p[1] for p in corners]
        self._note(min(xs), min(ys), max(xs), max(ys))
        if self.canvas:
            self.canvas.polygon(corners, mix(colour, *self.tones))
            if self._mask:
                self._mask.polygon(corners, 255 if self.part == CLOTH else 0)

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        (cx, cy), w, h = self.at(x, y), rx * self.length, ry * self.length
        box = (cx - w, cy - h, cx + w, cy + h)
        self._note(*box)
        if self.canvas:
            self.canvas.ellipse(box, mix(colour, *self.tones))
            if self._mask:
                self._mask.ellipse(box, 255 if self.part == CLOTH else 0)

    def arc(self, x: float, y: float, rx: float, ry: float, colour: Colour, start: int = 180, end: int = 360) -> None:
        """A segment of an oval, from one angle to another, clockwise from three o'clock; by default its upper half."""
        (cx, cy), w, h = self.at(x, y), rx * self.length, ry * self.length
        if self.side < 0:
            start, end = 180 - end, 180 - start
        self._note(cx - w, cy - h, cx + w, cy if (start, end) in ((180, 360), (-180, 0)) else cy + h)
        if self.canvas:
            self.canvas.chord((cx - w, cy - h, cx + w, cy + h), start, end, mix(colour, *self.tones))

    def limb(self, *joints: tuple[float, float, float], colour: Colour) -> None:
        """A rounded band through joints (x, y, radius): an arm, a leg, a strap."""
        for (x0, y0, r0), (x1, y1, r1) in zip(joints, joints[1:], strict=False):
            far = hypot(x1 - x0, y1 - y0) or 1.0
            nx, ny = (y0 - y1) / far, (x1 - x0) / far
            self.poly(
                (x0 + nx * r0, y0 + ny * r0), (x1 + nx * r1, y1 + ny * r1),
                (x1 - nx * r1, y1 - ny * r1), (x0 - nx * r0, y0 - ny * r0), colour=colour,
            )  # fmt: skip
        for x, y, r in joints:
            self.oval(x, y, r, r, colour)

    @contextmanager
    def cloth(self, pattern: str, colour: Colour) -> Iterator[None]:
        """Prints a pattern on what is drawn in the upper part, except on skin.

        Args:
            pattern: "plain", or one that ``weave`` knows.
            colour: of the cloth, which determines the ink.
        """
        if self.picture is None or pattern == "plain":
            yield
            return
        mask = Image.new("L", self.picture.size)
        self._mask = ImageDraw.Draw(mask)
        yield
        self._mask = None
        ink = mix(INK[0] if sum(colour) < 420 else INK[1], *self.tones)
        printed = ImageChops.multiply(mask, weave(pattern, max(2, round(0.03 * self.length)), *self.picture.size))
        self.picture.paste(ink, mask=printed)


@lru_cache(maxsize=256)
def weave(pattern: str, unit: int, width: int, height: int) -> Image.Image:
    """A pattern over the whole image: 0 for cloth, up to 255 for ink.

    Args:
        pattern: "striped", "checked" or "dotted".
        unit: half the distance of two stripes, in pixels.
        width, height: of the image.

    Returns:
        An image of mode "L".
    """
    cloth = Image.new("L", (width, height))
    canvas, step = ImageDraw.Draw(cloth), 2 * unit
    if pattern == "dotted":
        r = 0.62 * unit
        for row, y in enumerate(range(0, height, step)):
            for x in range((row % 2) * unit, width, step):
                canvas.ellipse((x - r, y - r, x + r, y + r), 255)
        return cloth
    thick = max(1, round(0.7 * unit))  # less than half, so that black on white and white on black differ visibly
    for y in range(0, height, step):
        canvas.rectangle((0, y, width, y + thick - 1), 235 if pattern == "striped" else 150)
    if pattern == "checked":
        upright = Image.new("L", (width, height))
        lines = ImageDraw.Draw(upright)
        for x in range(0, width, step):
            lines.rectangle((x, 0, x + thick - 1, height), 150)
        cloth = ImageChops.add(cloth, upright)
    return cloth


def lit(colour: Colour) -> Colour:
    """A colour in direct light."""
    return shade(colour, 0.16)


def dim(colour: Colour) -> Colour:
    """A colour in shadow."""
    return shade(colour, -0.24)
