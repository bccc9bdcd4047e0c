"""Draws a head: face, hair, hat; hair behind the shoulders is drawn first."""

from __future__ import annotations

from itm_tutorial.worlds.people.pen import Pen, dim, lit
from itm_tutorial.worlds.people.view import Sighting
from itm_tutorial.worlds.people.wardrobe import COLOURS, HAIR, SKINS
from itm_tutorial.worlds.scenes.brush import Colour, mix

EYE = (34, 30, 38)


def draw_hair_behind(pen: Pen, sighting: Sighting) -> None:
    """The neck, and the hair behind the shoulders."""
    p, hair = sighting.person, HAIR[sighting.person.hair_colour]
    pen.part = "head"
    if p.hair_style == "long" and sighting.view.angle == "front":
        pen.poly((-0.07, 0.06), (0.07, 0.06), (0.092, 0.25), (-0.092, 0.25), colour=dim(hair))
    elif p.hair_style == "curly" and sighting.view.angle == "front":
        pen.oval(0, 0.075, 0.1, 0.088, hair)
    pen.poly((-0.028, 0.13), (0.028, 0.13), (0.032, 0.195), (-0.032, 0.195), colour=dim(SKINS[p.skin]))


def draw_head(pen: Pen, sighting: Sighting) -> None:
    """Face, hair and hat."""
    p, angle = sighting.person, sighting.view.angle
    skin, hair = SKINS[p.skin], HAIR[p.hair_colour]
    pen.part = "head"
    {"front": _front, "back": _back, "side": _side}[angle](pen, p.hair_style, skin, hair, bool(p.hat))
    if p.hat:
        pen.part = "hat"
        _hat(pen, p.hat, COLOURS[p.hat_colour], angle)


def _front(pen: Pen, style: str, skin: Colour, hair: Colour, hatted: bool) -> None:
    for x in (-0.062, 0.062):
        pen.oval(x, 0.092, 0.014, 0.02, dim(skin))
    if style == "bun" and not hatted:
        pen.oval(0, -0.008, 0.034, 0.032, hair)
    if style != "bald":
        pen.oval(0, 0.072, 0.069, 0.073, hair)
    pen.oval(0, 0.09, 0.058, 0.068, skin)
    if style == "bald":
        pen.arc(0, 0.078, 0.058, 0.066, lit(skin))
    elif style == "long":
        pen.arc(0, 0.072, 0.064, 0.068, hair, 180, 360)
        pen.oval(0.018, 0.072, 0.042, 0.022, skin)
        for x in (-1, 1):
            pen.limb((x * 0.062, 0.06, 0.016), (x * 0.07, 0.15, 0.019), (x * 0.066, 0.235, 0.016), colour=hair)
    else:
        pen.arc(0, 0.064, 0.064, 0.06, hair)
        if style == "short":
            pen.poly(
                (-0.062, 0.05),
                (0.062, 0.05),
                (0.062, 0.078),
                (0.03, 0.058),
                (-0.03, 0.066),
                (-0.062, 0.078),
                colour=hair,
            )
    if style == "curly":
        for x, y in (
            (-0.07, 0.06),
            (-0.045, 0.022),
            (0, 0.006),
            (0.045, 0.022),
            (0.07, 0.06),
            (-0.08, 0.1),
            (0.08, 0.1),
        ):
            pen.oval(x, y, 0.03, 0.028, hair)
    _face(pen, skin)


def _face(pen: Pen, skin: Colour) -> None:
    for x in (-0.022, 0.022):
        pen.oval(x, 0.096, 0.0085, 0.0105, EYE)
    pen.limb((-0.012, 0.131, 0.004), (0.012, 0.131, 0.004), colour=mix(skin, (150, 50, 50), 0.6))


def _back(pen: Pen, style: str, skin: Colour, hair: Colour, hatted: bool) -> None:
    for x in (-0.062, 0.062):
        pen.oval(x, 0.095, 0.014, 0.02, dim(skin))
    if style == "bald":
        pen.oval(0, 0.078, 0.06, 0.074, skin)
        pen.oval(0, 0.05, 0.035, 0.03, lit(skin))
        return
    pen.oval(0, 0.076, 0.066, 0.076, hair)
    pen.limb((-0.03, 0.03, 0.006), (-0.036, 0.075, 0.006), colour=mix(hair, (255, 255, 255), 0.12))
    pen.limb((0.022, 0.024, 0.006), (0.03, 0.07, 0.006), colour=mix(hair, (255, 255, 255), 0.12))
    if style == "long":
        pen.poly(
            (-0.068, 0.07), (0.068, 0.07), (0.084, 0.27), (0.05, 0.285), (-0.05, 0.285), (-0.084, 0.27), colour=hair
        )
        for x in (-0.03, 0.026):
            pen.limb((x, 0.1, 0.004), (x * 1.3, 0.27, 0.004), colour=dim(hair))
    elif style == "ponytail":
        pen.oval(0, 0.076, 0.02, 0.016, (196, 60, 80))
        pen.limb((0, 0.085, 0.02), (0.008, 0.17, 0.03), (-0.004, 0.27, 0.012), colour=dim(hair))
    elif style == "bun" and not hatted:
        pen.oval(0, 0.0, 0.038, 0.036, hair)
        pen.arc(0, 0.034, 0.034, 0.02, dim(hair), 0, 180)
    elif style == "curly":
        for x, y in (
            (-0.07, 0.06),
            (-0.045, 0.02),
            (0, 0.006),
            (0.045, 0.02),
            (0.07, 0.06),
            (-0.076, 0.11),
            (0.076, 0.11),
        ):
            pen.oval(x, y, 0.032, 0.03, hair)
        pen.oval(0, 0.09, 0.08, 0.07, hair)
    else:
        pen.poly((-0.05, 0.125), (0.05, 0.125), (0.034, 0.153), (-0.034, 0.153), colour=hair)


def _side(pen: Pen, style: str, skin: Colour, hair: Colour, hatted: bool) -> None:
    if style == "ponytail":
        pen.limb((-0.06, 0.07, 0.02), (-0.1, 0.13, 0.028), (-0.09, 0.23, 0.012), colour=dim(hair))
    elif style == "bun" and not hatted:
        pen.oval(-0.052, 0.012, 0.036, 0.036, hair)
    elif style == "long":
        pen.poly((-0.066, 0.06), (0.0, 0.06), (-0.018, 0.26), (-0.088, 0.265), colour=hair)
    if style != "bald":
        pen.oval(-0.01, 0.072, 0.068, 0.073, hair)
    pen.oval(0.01, 0.09, 0.054, 0.066, skin)
    pen.poly((0.056, 0.082), (0.08, 0.108), (0.056, 0.114), colour=skin)
    if style == "bald":
        pen.oval(-0.004, 0.074, 0.064, 0.07, skin)
        pen.arc(0.004, 0.07, 0.05, 0.055, lit(skin))
    else:
        pen.poly((-0.07, 0.06), (0.0, 0.05), (-0.006, 0.085), (-0.03, 0.14), (-0.062, 0.13), colour=hair)
        pen.arc(0.0, 0.06, 0.062, 0.058, hair)
    if style == "curly":
        for x, y in ((0.045, 0.024), (0.0, 0.004), (-0.045, 0.018), (-0.078, 0.06), (-0.078, 0.105), (-0.05, 0.135)):
            pen.oval(x, y, 0.033, 0.03, hair)
    elif style == "long":
        pen.limb((-0.03, 0.09, 0.026), (-0.036, 0.2, 0.024), colour=hair)
    pen.oval(-0.008, 0.096, 0.012, 0.018, dim(skin))
    pen.oval(0.04, 0.094, 0.0085, 0.011, EYE)
    pen.limb((0.04, 0.131, 0.004), (0.056, 0.131, 0.004), colour=mix(skin, (150, 50, 50), 0.6))


def _hat(pen: Pen, kind: str, colour: Colour, angle: str) -> None:
    if kind == "beanie":
        pen.oval(0, -0.022, 0.018, 0.018, lit(colour))
        pen.arc(0, 0.058, 0.072, 0.074, colour)
        pen.poly((-0.074, 0.038), (0.074, 0.038), (0.074, 0.066), (-0.074, 0.066), colour=lit(colour))
        pen.limb((-0.07, 0.066, 0.004), (0.07, 0.066, 0.004), colour=dim(colour))
    elif kind == "sun hat":
        pen.arc(0, 0.05, 0.068, 0.072, colour)
        pen.poly((-0.067, 0.034), (0.067, 0.034), (0.069, 0.05), (-0.069, 0.05), colour=dim(dim(colour)))
        pen.oval(0, 0.058, 0.128, 0.019, colour)
        pen.oval(0, 0.063, 0.11, 0.01, dim(colour))
    else:
        pen.arc(0, 0.058, 0.07, 0.072, colour)
        pen.limb((-0.066, 0.056, 0.005), (0.066, 0.056, 0.005), colour=dim(colour))
        if angle == "side":
            pen.limb((0.05, 0.055, 0.009), (0.125, 0.064, 0.007), colour=dim(colour))
        elif angle == "front":
            pen.oval(0, 0.062, 0.066, 0.017, dim(colour))
        else:
            pen.arc(0, 0.06, 0.026, 0.026, dim(dim(colour)))
