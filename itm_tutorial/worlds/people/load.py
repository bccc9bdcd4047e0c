"""Draws bags of three kinds, and umbrellas."""

from __future__ import annotations

from itm_tutorial.worlds.people.pen import Pen, dim, lit
from itm_tutorial.worlds.people.stance import hand
from itm_tutorial.worlds.people.view import Sighting
from itm_tutorial.worlds.people.wardrobe import COLOURS

BUCKLE = (226, 200, 120)


def draw_bag_behind(pen: Pen, sighting: Sighting) -> None:
    """Draws a backpack behind the back, from the side."""
    p = sighting.person
    if p.bag != "backpack" or sighting.view.angle != "side":
        return
    pen.part, colour, back = "bag", COLOURS[p.bag_colour], -0.05 * (0.5 + 0.5 * pen.wide)
    pen.limb((back - 0.035, 0.25, 0.055), (back - 0.045, 0.385, 0.06), colour=colour)
    pen.limb((back - 0.09, 0.335, 0.022), (back - 0.092, 0.39, 0.024), colour=dim(colour))


def draw_bag(pen: Pen, sighting: Sighting) -> None:
    """Draws a bag in front of the body, or on the back of a person seen from behind."""
    if bag := sighting.person.bag:
        pen.part = "bag"
        colour = COLOURS[sighting.person.bag_colour]
        {"backpack": _backpack, "handbag": _handbag, "shoulder bag": _shoulder_bag}[bag](pen, sighting, colour)


def _backpack(pen: Pen, sighting: Sighting, colour) -> None:
    angle, w = sighting.view.angle, 0.5 + 0.5 * pen.wide
    if angle == "front":  # two straps, which do not count as a visible bag
        pen.part = ""
        for x in (-0.07, 0.07):
            pen.limb((x * w, 0.19, 0.011), (x * w * 1.08, 0.33, 0.009), colour=colour)
    elif angle == "side":
        pen.limb(
            (-0.035, 0.205, 0.011), (0.012, 0.225, 0.011), (0.018, 0.29, 0.01), (-0.045, 0.35, 0.01), colour=colour
        )
    else:
        pen.limb((0, 0.19, 0.018), (0, 0.2, 0.018), colour=dim(colour))
        pen.limb((-0.042 * w, 0.24, 0.045), (-0.042 * w, 0.39, 0.05), colour=colour)
        pen.limb((0.042 * w, 0.24, 0.045), (0.042 * w, 0.39, 0.05), colour=colour)
        pen.poly((-0.045 * w, 0.195), (0.045 * w, 0.195), (0.045 * w, 0.44), (-0.045 * w, 0.44), colour=colour)
        pen.limb((-0.045, 0.385, 0.032), (0.045, 0.385, 0.032), colour=dim(colour))
        pen.limb((-0.05, 0.36, 0.004), (0.05, 0.36, 0.004), colour=lit(lit(colour)))
        pen.limb((-0.06 * w, 0.275, 0.004), (0.06 * w, 0.275, 0.004), colour=dim(colour))


def _handbag(pen: Pen, sighting: Sighting, colour) -> None:
    side = sighting.view.angle == "side"
    which = 1 if side and not sighting.person.umbrella else -1
    x, y = hand(sighting, which)
    x += 0.0 if side else -0.022
    pen.limb(
        (x - 0.045, y + 0.065, 0.007),
        (x - 0.026, y + 0.006, 0.007),
        (x + 0.026, y + 0.006, 0.007),
        (x + 0.045, y + 0.065, 0.007),
        colour=dim(colour),
    )
    pen.poly((x - 0.058, y + 0.055), (x + 0.058, y + 0.055), (x + 0.07, y + 0.15), (x - 0.07, y + 0.15), colour=colour)
    pen.poly(
        (x - 0.058, y + 0.055),
        (x + 0.058, y + 0.055),
        (x + 0.061, y + 0.083),
        (x - 0.061, y + 0.083),
        colour=lit(colour),
    )
    pen.oval(x, y + 0.086, 0.011, 0.011, BUCKLE)


def _shoulder_bag(pen: Pen, sighting: Sighting, colour) -> None:
    w = 0.5 + 0.5 * pen.wide
    if sighting.view.angle == "side":
        pen.limb((0.0, 0.19, 0.009), (0.012, 0.42, 0.009), colour=dim(colour))
        x, y = -0.002, 0.4
    else:
        x, y = -0.108 * w, 0.4
        pen.limb((0.066 * w, 0.185, 0.009), (x + 0.012, y + 0.02, 0.009), colour=dim(colour))
    pen.poly((x - 0.06, y), (x + 0.06, y), (x + 0.066, y + 0.115), (x - 0.066, y + 0.115), colour=colour)
    pen.poly((x - 0.06, y), (x + 0.06, y), (x + 0.063, y + 0.055), (x - 0.063, y + 0.055), colour=lit(colour))
    pen.oval(x, y + 0.056, 0.01, 0.01, BUCKLE)


def draw_umbrella(pen: Pen, sighting: Sighting) -> None:
    """Draws a shaft from the left hand upwards, and a canopy behind the head."""
    if not sighting.person.umbrella:
        return
    pen.part, colour = "umbrella", COLOURS[sighting.person.umbrella]
    x, y = hand(sighting, 1)
    middle = x - 0.055
    pen.limb((x, y + 0.03, 0.007), (middle, -0.06, 0.007), colour=(70, 68, 74))
    pen.arc(middle, 0.035, 0.25, 0.165, colour)
    pen.limb((middle, -0.13, 0.006), (middle, -0.15, 0.006), colour=(70, 68, 74))
    pen.arc(middle, 0.035, 0.085, 0.165, lit(colour))
    for dx in (-0.1675, 0.0, 0.1675):  # the canopy's scalloped rim
        pen.arc(middle + dx, 0.036, 0.083, 0.028, dim(dim(colour)))
