"""A brush that paints in the unit box of one individual, independent of its place, size and direction."""

from __future__ import annotations

from PIL import ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]


def mix(a: Colour, b: Colour, fraction: float) -> Colour:
    """Interpolates between two colours: 0 gives a, 1 gives b."""
    return tuple(round(x + (y - x) * fraction) for x, y in zip(a, b, strict=True))


def shade(colour: Colour, by: float) -> Colour:
    """Makes a colour darker for by < 0 and lighter for by > 0."""
    return mix(colour, (255, 255, 255) if by > 0 else (14, 12, 30), abs(by))


class Brush:
    """Paints shapes given in a unit box: (0, 0) is its top left corner, (1, 1) the bottom right.

    Args:
        canvas: the canvas to paint on.
        box: (x0, y0, x1, y1) in canvas pixels.
        flip: whether to mirror left and right.
        base: the individual's own colour.
        pattern: "plain", "striped" or "spotted".
        outlined: whether shapes get a dark outline and no shading (the second drawing style).
    """

    def __init__(
        self,
        canvas: ImageDraw.ImageDraw,
        box: tuple[float, float, float, float],
        flip: bool,
        base: Colour,
        pattern: str = "plain",
        outlined: bool = False,
    ):
        self.canvas, self.flip, self.base, self.pattern = canvas, flip, base, pattern
        self.x0, self.y0 = box[0], box[1]
        self.width, self.height = box[2] - box[0], box[3] - box[1]
        self.dark, self.light = shade(base, -0.35), shade(base, 0.3)
        self.outline = (40, 36, 48) if outlined else None

    def at(self, x: float, y: float) -> Point:
        return self.x0 + (1 - x if self.flip else x) * self.width, self.y0 + y * self.height

    def _corners(self, x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
        (a, b), (c, d) = self.at(x0, y0), self.at(x1, y1)
        return min(a, c), b, max(a, c), d

    def oval(self, x0: float, y0: float, x1: float, y1: float, colour: Colour | None = None) -> None:
        self.canvas.ellipse(self._corners(x0, y0, x1, y1), colour or self.base, self.outline)

    def rect(self, x0: float, y0: float, x1: float, y1: float, colour: Colour | None = None) -> None:
        self.canvas.rectangle(self._corners(x0, y0, x1, y1), colour or self.base, self.outline)

    def poly(self, *points: Point, colour: Colour | None = None) -> None:
        self.canvas.polygon([self.at(*p) for p in points], colour or self.base, self.outline)

    def line(self, *points: Point, colour: Colour | None = None, width: float = 0.06) -> None:
        thick = max(1, round(width * self.height))
        self.canvas.line([self.at(*p) for p in points], colour or self.base, thick, joint="curve")

    def eye(self, x: float, y: float, r: float = 0.03) -> None:
        """A round black dot."""
        px, py = self.at(x, y)
        size = max(1.0, r * self.height)
        self.canvas.ellipse((px - size, py - size, px + size, py + size), (20, 20, 24))

    def wheel(self, x: float, y: float, r: float) -> None:
        """A tyre with a hub; r is a fraction of the box's height."""
        px, py = self.at(x, y)
        for scale, colour in ((1.0, (32, 32, 36)), (0.45, (176, 178, 184))):
            size = r * self.height * scale
            self.canvas.ellipse((px - size, py - size, px + size, py + size), colour)

    def markings(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Stripes or spots over a part of the body, white on dark colours and dark on light ones."""
        if self.pattern == "plain":
            return
        ink = (250, 250, 246) if sum(self.base) < 480 else (60, 52, 66)
        if self.pattern == "striped":
            for i in range(3):
                x = x0 + (x1 - x0) * (i + 0.5) / 3
                half = (x1 - x0) / 14
                self.canvas.rectangle(self._corners(x - half, y0, x + half, y1), ink)
        else:
            for x, y in ((0.22, 0.3), (0.62, 0.22), (0.42, 0.68), (0.82, 0.66)):
                px, py = self.at(x0 + (x1 - x0) * x, y0 + (y1 - y0) * y)
                size = 0.13 * min((x1 - x0) * self.width, (y1 - y0) * self.height) + 0.8
                self.canvas.ellipse((px - size, py - size, px + size, py + size), ink)
