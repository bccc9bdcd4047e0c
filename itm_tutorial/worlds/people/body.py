"""Draws a person part by part, from the front, from behind or from the side; x grows in the direction they face."""

from __future__ import annotations

from itm_tutorial.worlds.people.head import draw_hair_behind, draw_head
from itm_tutorial.worlds.people.load import draw_bag, draw_bag_behind, draw_umbrella
from itm_tutorial.worlds.people.pen import Pen, dim, lit
from itm_tutorial.worlds.people.stance import hand
from itm_tutorial.worlds.people.view import Sighting
from itm_tutorial.worlds.people.wardrobe import COLOURS, SKINS
from itm_tutorial.worlds.scenes.brush import Colour, mix

HEM = {"coat": 0.69, "dress": 0.68, "jacket": 0.485, "hoodie": 0.495}  # lower end of a top; 0.475 for all others
SOLE = (236, 236, 232)


def draw_body(pen: Pen, sighting: Sighting) -> None:
    """Draws the whole person, from the furthest part to the nearest."""
    p, side = sighting.person, sighting.view.angle == "side"
    cloth = (p.pattern, COLOURS[p.upper_colour])
    draw_umbrella(pen, sighting)
    draw_hair_behind(pen, sighting)
    if side:
        with pen.cloth(*cloth):
            _arm(pen, sighting, -1)
        draw_bag_behind(pen, sighting)
    for which in (-1, 1):
        _leg(pen, sighting, which)
    if p.lower:
        _seat(pen, sighting)
    with pen.cloth(*cloth):
        _torso(pen, sighting)
        if not side:
            _arm(pen, sighting, -1)
            _arm(pen, sighting, 1)
    _details(pen, sighting)
    if side:
        with pen.cloth(*cloth):
            _arm(pen, sighting, 1)
    draw_head(pen, sighting)
    draw_bag(pen, sighting)
    pen.part = ""


def _arm(pen: Pen, sighting: Sighting, which: int) -> None:
    p, v = sighting.person, sighting.view
    near = v.angle != "side" or which == 1
    cloth, skin = COLOURS[p.upper_colour], SKINS[p.skin]
    cloth, skin = (cloth, skin) if near else (dim(cloth), dim(skin))
    w = pen.wide
    shoulder = (0.0, 0.222) if v.angle == "side" else (which * 0.1 * w, 0.215)
    hx, hy = hand(sighting, which)
    if p.umbrella and which == 1:
        elbow = (0.045, 0.36) if v.angle == "side" else (0.148 * w, 0.36)
    elif v.angle == "side":
        elbow = (-0.028 + 0.35 * hx, 0.352)
    else:
        elbow = (which * (0.118 * w + 0.014), 0.345)
    r = 0.036 + 0.014 * (w - 1)
    pen.part = "person"
    pen.limb((*shoulder, r * 0.8), (*elbow, r * 0.74), (hx, hy, r * 0.6), colour=skin)
    pen.oval(hx, hy, 0.024, 0.026, skin)
    pen.part = "upper"
    thick = r * (1.18 if p.upper in ("coat", "jacket", "hoodie", "sweater") else 1.0)
    if p.sleeves == "long":
        wrist = (elbow[0] + 0.82 * (hx - elbow[0]), elbow[1] + 0.82 * (hy - elbow[1]))
        if v.angle == "side" and near:  # an outline, since the sleeve and the body have the same colour
            pen.limb(
                (*shoulder, thick * 1.0), (*elbow, thick + 0.003), (*wrist, thick * 0.74 + 0.006), colour=dim(cloth)
            )
        pen.limb((*shoulder, thick), (*elbow, thick * 0.86), (*wrist, thick * 0.74), colour=cloth)
    elif p.sleeves == "short":
        end = (shoulder[0] + 0.62 * (elbow[0] - shoulder[0]), shoulder[1] + 0.62 * (elbow[1] - shoulder[1]))
        pen.limb((*shoulder, thick), (*end, thick * 1.02), colour=cloth)


def _leg(pen: Pen, sighting: Sighting, which: int) -> None:
    """A leg and its shoe; from the front, a lifted foot is higher and smaller."""
    p, v, w = sighting.person, sighting.view, pen.wide
    side, swing = v.angle == "side", which * v.stride
    if side:
        hip, foot = (0.0, 0.5), (0.145 * swing, 0.955 - 0.012 * (swing < -0.3))
        knee = (0.075 * swing + 0.022 * abs(v.stride) + 0.004, 0.72)
    else:
        lift = 0.038 * max(0.0, swing)
        hip, knee, foot = (
            (which * 0.046 * w, 0.5),
            (which * 0.05 * w, 0.72 - lift / 2),
            (which * 0.05 * w, 0.957 - lift),
        )
    r = 0.046 * (0.6 + 0.4 * w)
    shaded = which == -1 if side else swing > 0.3
    skin = dim(SKINS[p.skin]) if shaded else SKINS[p.skin]
    pen.part = "person"
    pen.limb((*hip, r), (*knee, r * 0.72), (*foot, r * 0.5), colour=skin)
    if p.lower in ("jeans", "trousers", "shorts"):
        pen.part = "lower"
        base = _lower_colour(p)
        cloth = dim(base) if shaded else base
        if p.lower == "shorts":
            end = (hip[0] + 0.8 * (knee[0] - hip[0]), hip[1] + 0.8 * (knee[1] - hip[1]))
            pen.limb((*hip, r * 1.08), (*end, r * 1.06), colour=cloth)
        else:
            tail = 0.72 if p.lower == "jeans" else 0.8
            ankle = (knee[0] + 0.93 * (foot[0] - knee[0]), knee[1] + 0.93 * (foot[1] - knee[1]))
            pen.limb((*hip, r * 1.05), (*knee, r * 0.88), (*ankle, r * tail), colour=cloth)
            if p.lower == "jeans":
                _denim(pen, knee, ankle, r, cloth, side)
    _shoe(pen, sighting, foot, shaded)


def _denim(pen: Pen, knee, ankle, r: float, cloth: Colour, side: bool) -> None:
    """Distinguishes jeans from trousers: worn knees and a turned-up hem."""
    worn = mix(cloth, (214, 224, 238), 0.2)
    pen.oval(knee[0] + (0.008 if side else 0), knee[1] - 0.07, r * 0.42, 0.075, worn)
    x, y = ankle
    pen.poly(
        (x - r * 0.74, y - 0.004), (x + r * 0.74, y - 0.004), (x + r * 0.76, y + 0.022), (x - r * 0.76, y + 0.022),
        colour=mix(cloth, (224, 232, 242), 0.5),
    )  # fmt: skip


def _lower_colour(person) -> Colour:
    colour = COLOURS[person.lower_colour]
    return mix(colour, (104, 138, 186), 0.45) if person.lower == "jeans" and person.lower_colour == "blue" else colour


def _shoe(pen: Pen, sighting: Sighting, foot: tuple[float, float], shaded: bool) -> None:
    p, v = sighting.person, sighting.view
    pen.part, (x, y) = "shoes", foot
    colour = COLOURS[p.shoes_colour]
    colour = dim(colour) if shaded else colour
    low = y + 0.043
    if p.shoes == "boots":
        top = y - 0.075
        pen.poly((x - 0.036, top), (x + 0.036, top), (x + 0.034, low - 0.02), (x - 0.034, low - 0.02), colour=colour)
        pen.poly(
            (x - 0.038, top), (x + 0.038, top), (x + 0.038, top + 0.016), (x - 0.038, top + 0.016), colour=lit(colour)
        )
    if v.angle == "side":
        pen.limb((x - 0.012, low - 0.026, 0.026), (x + 0.055, low - 0.018, 0.018), colour=colour)
        pen.poly((x - 0.038, low - 0.02), (x + 0.06, low - 0.014), (x + 0.073, low), (x - 0.038, low), colour=colour)
        ends = (x - 0.038, x + 0.073)
    else:
        pen.oval(x, low - 0.028, 0.036, 0.032, colour)
        pen.poly((x - 0.036, low - 0.024), (x + 0.036, low - 0.024), (x + 0.038, low), (x - 0.038, low), colour=colour)
        ends = (x - 0.038, x + 0.038)
    if p.shoes == "sneakers":
        sole = SOLE if p.shoes_colour != "white" else (170, 172, 178)
        pen.poly((ends[0], low - 0.013), (ends[1], low - 0.013), (ends[1], low), (ends[0], low), colour=sole)


def _seat(pen: Pen, sighting: Sighting) -> None:
    """The hips of trousers and shorts, or the whole of a skirt."""
    p, w = sighting.person, pen.wide
    pen.part = "lower"
    half = (0.068 if sighting.view.angle == "side" else 0.092) * w
    colour = _lower_colour(p)
    if p.lower == "skirt":
        flare, sway = half + 0.045, 0.012 * sighting.view.stride
        pen.poly((-half * 0.9, 0.42), (half * 0.9, 0.42), (flare + sway, 0.665), (-flare + sway, 0.665), colour=colour)
        for x in (-0.35, 0.3):
            pen.poly(
                (x * half, 0.49), (x * half + 0.012, 0.49), ((x * 1.5) * half + 0.02 + sway, 0.665),
                ((x * 1.5) * half + sway, 0.665), colour=dim(colour),
            )  # fmt: skip
    else:
        pen.poly((-half, 0.42), (half, 0.42), (half * 1.02, 0.52), (-half * 1.02, 0.52), colour=colour)


def _torso(pen: Pen, sighting: Sighting) -> None:
    p, w = sighting.person, pen.wide
    pen.part = "upper"
    colour, hem = COLOURS[p.upper_colour], HEM.get(p.upper, 0.475)
    loose = 0.012 if p.upper in ("coat", "hoodie", "jacket", "sweater") else 0.0
    belly = max(0.0, w - 1.06)
    if sighting.view.angle == "side":
        back, front = 0.056 * (0.5 + 0.5 * w) + loose, 0.052 * (0.5 + 0.5 * w) + loose
        low = (0.035 if p.upper == "coat" else 0.075) if hem > 0.6 else 0.006
        pen.poly(
            (-0.026, 0.165), (0.022, 0.165), (front * 0.9, 0.215), (front + 0.012, 0.29), (front + 0.2 * belly, 0.4),
            (front + 0.13 * belly + low, hem), (-back - low, hem), (-back + 0.008, 0.4), (-back - 0.008, 0.27),
            (-back * 0.8, 0.2), colour=colour,
        )  # fmt: skip
        return
    waist = (0.083 - 0.008 * (p.sex == "woman")) * w + loose + 0.06 * belly
    low = {"coat": 0.118, "dress": 0.135}.get(p.upper, 0.09) * w + loose + 0.04 * belly
    shoulder = 0.1 * (0.4 + 0.6 * w) + 0.006
    edge = [(0.03, 0.168), (shoulder, 0.19), (shoulder + 0.004, 0.25), (waist, 0.385), (low, hem)]
    if p.sleeves == "none":
        edge[1:3] = [(0.062 * w, 0.178), (0.074 * w, 0.25)]
    pen.poly(*edge, *[(-x, y) for x, y in reversed(edge)], colour=colour)


def _details(pen: Pen, sighting: Sighting) -> None:
    """Distinguishes tops: collars, zips, hoods, hems."""
    p, w = sighting.person, pen.wide
    colour, hem, angle = COLOURS[p.upper_colour], HEM.get(p.upper, 0.475), sighting.view.angle
    pen.part = "upper"
    if angle == "side":
        _side_details(pen, p.upper, colour, hem, w)
    else:
        for x in (-1, 1):  # the shadow of the arms on the body
            pen.limb((x * 0.096 * w, 0.27, 0.004), (x * (0.088 * w + 0.008), 0.43, 0.004), colour=dim(colour))
    if angle == "front":
        _front_details(pen, sighting, colour, hem)
    elif angle == "back" and p.upper == "hoodie":
        pen.oval(0, 0.205, 0.075, 0.045, dim(colour))
        pen.oval(0, 0.19, 0.06, 0.03, colour)
    elif angle == "back" and p.upper == "coat":
        pen.limb((0, 0.5, 0.004), (0, hem - 0.004, 0.004), colour=dim(colour))
    if p.upper == "dress":
        half = 0.07 if angle == "side" else 0.082 * w
        pen.poly((-half, 0.382), (half, 0.382), (half, 0.402), (-half, 0.402), colour=dim(colour))
    elif p.upper in ("sweater", "hoodie"):
        half = 0.066 * (0.5 + 0.5 * w) if angle == "side" else 0.1 * w
        pen.poly((-half, hem - 0.025), (half, hem - 0.025), (half, hem), (-half, hem), colour=dim(colour))


def _side_details(pen: Pen, upper: str, colour: Colour, hem: float, w: float) -> None:
    if upper == "hoodie":
        pen.oval(-0.045, 0.195, 0.042, 0.04, dim(colour))
    elif upper in ("jacket", "coat", "shirt"):
        pen.poly((-0.04, 0.15), (0.034, 0.165), (0.036, 0.192), (-0.042, 0.185), colour=lit(colour))
    if upper in ("jacket", "coat"):
        pen.limb((0.05 * w, 0.23, 0.004), (0.062 * w, hem - 0.01, 0.004), colour=dim(colour))


def _front_details(pen: Pen, sighting: Sighting, colour: Colour, hem: float) -> None:
    p, w = sighting.person, pen.wide
    dark, skin = dim(colour), SKINS[p.skin]
    if p.upper in ("jacket", "coat"):
        inner = COLOURS[p.inner_colour]
        low = min(hem, 0.475)
        pen.poly(
            (-0.03, 0.165),
            (0.03, 0.165),
            (0.04 * w, 0.28),
            (0.034 * w, low),
            (-0.034 * w, low),
            (-0.04 * w, 0.28),
            colour=inner,
        )
        for x in (-1, 1):
            pen.poly((x * 0.03, 0.16), (x * 0.062 * w, 0.2), (x * 0.03 * w, 0.31), colour=lit(colour))
            pen.limb((x * 0.037 * w, 0.3, 0.004), (x * 0.035 * w, low, 0.004), colour=dark)
        if p.upper == "coat":
            pen.poly((-0.034 * w, 0.475), (0.034 * w, 0.475), (0.006, hem), (-0.006, hem), colour=dim(dark))
    elif p.upper == "shirt":
        pen.limb((0, 0.2, 0.005), (0, hem - 0.006, 0.005), colour=dark)
        for x in (-1, 1):
            pen.poly((0, 0.205), (x * 0.048, 0.165), (x * 0.036, 0.218), colour=lit(colour))
            pen.limb((0, 0.207, 0.004), (x * 0.038, 0.216, 0.004), colour=dark)
    elif p.upper == "hoodie":
        pen.oval(0, 0.185, 0.062, 0.03, dark)
        pen.poly((-0.05, 0.4), (0.05, 0.4), (0.064, 0.46), (-0.064, 0.46), colour=dark)
        for x in (-0.016, 0.016):
            pen.limb((x, 0.2, 0.005), (x, 0.27, 0.005), colour=(240, 240, 236))
    elif p.upper in ("t-shirt", "tank top", "dress"):
        deep = 0.026 if p.upper == "t-shirt" else 0.05
        pen.part = ""
        pen.oval(0, 0.168, 0.042, deep, skin)
        pen.part = "upper"
    elif p.upper == "sweater":
        pen.oval(0, 0.172, 0.045, 0.02, dark)
    if p.print:
        _print(pen, p.print, colour)


def _print(pen: Pen, kind: str, colour: Colour) -> None:
    ink = (252, 250, 244) if sum(colour) < 480 else (206, 46, 60) if kind == "heart" else (46, 84, 160)
    ink = (250, 210, 60) if kind == "star" and sum(colour) < 480 else ink
    x, y = 0.0, 0.285
    if kind == "heart":
        for dx in (-0.02, 0.02):
            pen.oval(x + dx, y, 0.024, 0.022, ink)
        pen.poly((x - 0.043, y + 0.007), (x + 0.043, y + 0.007), (x, y + 0.055), colour=ink)
    elif kind == "star":
        pen.poly(
            (x, y - 0.042),
            (x + 0.036, y + 0.034),
            (x - 0.046, y - 0.012),
            (x + 0.046, y - 0.012),
            (x - 0.036, y + 0.034),
            colour=ink,
        )
        pen.oval(x, y + 0.004, 0.02, 0.018, ink)
    else:
        pen.poly(
            (x - 0.052, y - 0.018), (x + 0.052, y - 0.018), (x + 0.052, y + 0.026), (x - 0.052, y + 0.026), colour=ink
        )
        pen.poly(
            (x - 0.038, y - 0.004),
            (x + 0.038, y - 0.004),
            (x + 0.038, y + 0.012),
            (x - 0.038, y + 0.012),
            colour=colour,
        )
