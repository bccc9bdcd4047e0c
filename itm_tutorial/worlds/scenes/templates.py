"""How each family is drawn: one template per family, and the numbers that distinguish its kinds.

A template fills the unit box of its brush: it touches, or nearly touches, all four sides.
"""

from __future__ import annotations

from itm_tutorial.worlds.scenes.brush import Brush, mix

GLASS = (186, 220, 238)
WOOD = (112, 76, 46)
LEAF = (66, 140, 70)
SKIN = (232, 188, 152)
BLACK = (30, 30, 34)
WHITE = (248, 248, 244)
GOLD = (244, 190, 50)

# body top, leg width, head size, snout length, ears, tail, another distinctive feature
_ANIMALS = {
    "dog": (0.36, 0.10, 0.17, 0.12, "flop", "thin", ""),
    "cat": (0.42, 0.08, 0.18, 0.03, "point", "up", ""),
    "horse": (0.34, 0.07, 0.13, 0.14, "point", "bushy", "mane"),
    "cow": (0.28, 0.09, 0.15, 0.08, "round", "thin", "horns"),
    "sheep": (0.26, 0.07, 0.15, 0.05, "flop", "none", "wool"),
    "pig": (0.26, 0.10, 0.20, 0.08, "point", "curl", "snout"),
    "wolf": (0.36, 0.09, 0.17, 0.15, "point", "bushy", "mask"),
    "fox": (0.42, 0.07, 0.16, 0.14, "point", "brush", "mask"),
    "deer": (0.46, 0.06, 0.11, 0.10, "point", "none", "antlers"),
    "bear": (0.20, 0.15, 0.21, 0.07, "round", "none", ""),
}


def animal(b: Brush, kind: str) -> None:
    top, leg, head, snout, ears, tail, extra = _ANIMALS[kind]
    belly, hx, hy = top + 0.34, 0.80, max(0.04 + head, top - 0.02)
    for x, colour in ((0.20, b.dark), (0.62, b.dark), (0.12, b.base), (0.54, b.base)):
        b.rect(x, belly - 0.08, x + leg, 1.0, colour)
    if tail == "thin":
        b.line((0.12, top + 0.08), (0.01, top - 0.16), width=0.06)
    elif tail == "up":
        b.line((0.10, top + 0.12), (0.03, top - 0.1), (0.06, 0.02), width=0.07)
    elif tail == "curl":
        b.line((0.08, top + 0.12), (0.02, top + 0.06), (0.03, top), width=0.04)
    elif tail in ("bushy", "brush"):
        b.poly((0.14, top + 0.06), (0.0, top + 0.2), (0.02, belly + 0.12), (0.16, top + 0.24), colour=b.dark)
        if tail == "brush":
            b.oval(0.0, belly - 0.04, 0.09, belly + 0.14, WHITE)
    b.oval(0.06, top, 0.76, belly)
    b.markings(0.18, top + 0.07, 0.62, belly - 0.07)
    if extra == "wool":
        for x in (0.06, 0.2, 0.34, 0.48, 0.58):
            b.oval(x, top - 0.07, x + 0.2, top + 0.2, b.light)
    b.poly((0.58, top + 0.04), (hx - head * 0.6, hy), (hx + head * 0.5, hy + head * 0.6), (0.72, belly - 0.06))
    if extra == "mane":
        b.poly((0.56, top + 0.06), (hx - head, hy - head), (hx, hy - head), (0.66, top + 0.12), colour=b.dark)
    face = b.dark if extra == "wool" else b.base
    if ears == "point":
        for x in (hx - head * 0.6, hx + head * 0.1):
            b.poly((x, hy - head * 0.5), (x + head * 0.2, 0.0), (x + head * 0.5, hy - head * 0.5), colour=b.dark)
    b.oval(hx - head * 0.8, hy - head, hx + head * 0.8, hy + head * 0.8, face)
    muzzle = WHITE if extra == "mask" else mix(face, (250, 200, 190), 0.5) if extra == "snout" else face
    b.oval(hx, hy - head * 0.25, min(1.0, hx + head * 0.75 + snout), hy + head * 0.7, muzzle)
    b.eye(min(0.985, hx + head * 0.7 + snout), hy + head * 0.1, 0.028)
    b.eye(hx + head * 0.25, hy - head * 0.3, 0.026)
    if ears == "flop":
        b.oval(hx - head * 0.9, hy - head * 0.9, hx - head * 0.25, hy + head * 0.7, b.dark)
    elif ears == "round":
        for x in (hx - head * 0.9, hx + head * 0.1):
            b.oval(x, hy - head * 1.25, x + head * 0.7, hy - head * 0.4, b.dark)
    if extra == "horns":
        b.line((hx - head * 0.5, hy - head), (hx - head * 0.9, 0.0), colour=WHITE, width=0.05)
        b.line((hx + head * 0.4, hy - head), (hx + head * 0.8, 0.0), colour=WHITE, width=0.05)
    elif extra == "antlers":
        for d in (-1, 1):
            b.line((hx, hy - head), (hx + d * 0.12, 0.1), (hx + d * 0.1, 0.0), colour=WOOD, width=0.03)
            b.line((hx + d * 0.1, 0.14), (hx + d * 0.19, 0.04), colour=WOOD, width=0.03)


_BIRDS = {  # upright?, neck, beak colour, extras
    "duck": (False, 0.20, GOLD, ""),
    "hen": (False, 0.12, GOLD, "comb"),
    "swan": (False, 0.42, (236, 120, 40), ""),
    "owl": (True, 0.0, GOLD, "eyes"),
    "parrot": (True, 0.0, (240, 240, 230), "tail"),
    "penguin": (True, 0.0, (240, 150, 40), "belly"),
}


def bird(b: Brush, kind: str) -> None:
    upright, neck, beak, extra = _BIRDS[kind]
    if not upright:
        low = 0.86 if kind == "hen" else 1.0
        if kind == "hen":
            b.line((0.4, 0.8), (0.4, 1.0), colour=beak, width=0.05)
            b.line((0.55, 0.8), (0.55, 1.0), colour=beak, width=0.05)
        b.poly((0.2, 0.6), (0.0, 0.36), (0.06, 0.8), colour=b.dark)
        b.oval(0.06, low - 0.52, 0.82, low)
        b.poly((0.6, 0.72), (0.66, 0.2), (0.8, 0.2), (0.82, 0.7))
        b.oval(0.56, 0.5 - neck - 0.08, 0.9, 0.5 - neck + 0.24)
        b.poly((0.86, 0.52 - neck), (1.0, 0.6 - neck), (0.86, 0.66 - neck), colour=beak)
        if extra == "comb":
            b.poly((0.6, 0.34), (0.62, 0.0), (0.72, 0.2), (0.8, 0.0), (0.84, 0.34), colour=(214, 40, 40))
        else:
            b.oval(0.62, 0.0, 0.86, 0.3)
        b.oval(0.2, low - 0.42, 0.64, low - 0.14, b.dark)
        b.eye(0.76, 0.5 - neck + 0.04)
        return
    if extra == "tail":
        b.poly((0.3, 0.6), (0.0, 1.0), (0.5, 0.9), colour=b.dark)
    b.oval(0.1, 0.22, 0.9, 0.98)
    b.oval(0.16, 0.0, 0.84, 0.48)
    if extra == "belly":
        b.oval(0.26, 0.3, 0.76, 0.96, WHITE)
        b.oval(0.3, 0.1, 0.72, 0.4, WHITE)
    b.oval(0.0, 0.36, 0.3, 0.86, b.dark)
    b.oval(0.7, 0.36, 1.0, 0.86, b.dark)
    b.markings(0.3, 0.5, 0.7, 0.88)
    if extra == "eyes":
        b.poly((0.16, 0.16), (0.2, 0.0), (0.4, 0.1))
        b.poly((0.84, 0.16), (0.8, 0.0), (0.6, 0.1))
        for x in (0.24, 0.52):
            b.oval(x, 0.1, x + 0.26, 0.32, WHITE)
    b.eye(0.37, 0.2, 0.035)
    b.eye(0.65, 0.2, 0.035)
    b.poly((0.42, 0.26), (0.6, 0.26), (0.51, 0.4), colour=beak)
    b.rect(0.3, 0.95, 0.46, 1.0, beak)
    b.rect(0.54, 0.95, 0.7, 1.0, beak)


_PEOPLE = {
    "man": (0.14, (70, 48, 34)),
    "woman": (0.145, (120, 66, 34)),
    "boy": (0.19, (196, 150, 70)),
    "girl": (0.19, (60, 40, 34)),
}


def person(b: Brush, kind: str) -> None:
    head, hair = _PEOPLE[kind]
    skirt = kind in ("woman", "girl")
    trousers = (58, 66, 96)
    neck = head * 1.05
    waist = 0.60
    wide = 0.13 * head / 0.14
    if skirt:
        b.oval(0.5 - wide * 1.75, 0.0, 0.5 + wide * 1.75, neck + 0.12, hair)
        b.rect(0.34, 0.72, 0.46, 1.0, SKIN)
        b.rect(0.54, 0.72, 0.66, 1.0, SKIN)
    else:
        b.rect(0.24, waist - 0.04, 0.47, 1.0, trousers)
        b.rect(0.53, waist - 0.04, 0.76, 1.0, trousers)
    b.rect(0.2, 0.97, 0.48, 1.0, BLACK)
    b.rect(0.52, 0.97, 0.8, 1.0, BLACK)
    for x0, x1, x2 in ((0.2, 0.0, 0.16), (0.8, 1.0, 0.84)):
        b.poly((x0, neck), (x1, waist - 0.06), (x2, waist), (0.5, neck + 0.14), colour=b.dark)
        b.oval(min(x1, x2), waist - 0.08, max(x1, x2), waist + 0.01, SKIN)
    if skirt:
        b.poly((0.26, neck), (0.74, neck), (0.70, 0.48), (0.96, 0.80), (0.04, 0.80), (0.30, 0.48))
        b.markings(0.24, 0.5, 0.76, 0.78)
    else:
        b.rect(0.2, neck, 0.8, waist)
        b.markings(0.26, neck + 0.06, 0.74, waist - 0.03)
    b.oval(0.5 - wide * 1.45, 0.03, 0.5 + wide * 1.45, neck + 0.05, SKIN)
    b.oval(0.5 - wide * 1.55, 0.0, 0.5 + wide * 1.55, head * 0.55, hair)
    b.eye(0.42, head * 0.68, 0.012)
    b.eye(0.64, head * 0.68, 0.012)


_VEHICLES = {  # (roof from, to, window count, hood height), wheels
    "car": ("cabin", (0.2, 0.8)),
    "taxi": ("cabin", (0.2, 0.8)),
    "van": ("box", (0.2, 0.8)),
    "bus": ("long", (0.18, 0.82)),
    "truck": ("load", (0.16, 0.36, 0.84)),
    "tractor": ("farm", ()),
}


def vehicle(b: Brush, kind: str) -> None:
    build, wheels = _VEHICLES[kind]
    if build == "cabin":
        b.poly((0.16, 0.48), (0.30, 0.06), (0.66, 0.06), (0.82, 0.48))
        b.poly((0.23, 0.44), (0.33, 0.13), (0.47, 0.13), (0.47, 0.44), colour=GLASS)
        b.poly((0.51, 0.44), (0.51, 0.13), (0.63, 0.13), (0.74, 0.44), colour=GLASS)
        b.rect(0.0, 0.42, 1.0, 0.82)
        if kind == "taxi":
            b.rect(0.42, 0.0, 0.58, 0.08, GOLD)
            for i in range(8):
                b.rect(0.12 + i * 0.1, 0.52, 0.17 + i * 0.1, 0.6, BLACK if i % 2 else WHITE)
        else:
            b.rect(0.3, 0.0, 0.66, 0.08, b.dark)
    elif build == "box":
        b.poly((0.0, 0.0), (0.76, 0.0), (0.9, 0.42), (1.0, 0.5), (1.0, 0.86), (0.0, 0.86))
        b.poly((0.62, 0.1), (0.74, 0.1), (0.84, 0.42), (0.62, 0.42), colour=GLASS)
        b.rect(0.1, 0.1, 0.34, 0.36, GLASS)
    elif build == "long":
        b.rect(0.0, 0.0, 1.0, 0.86)
        for i in range(5):
            b.rect(0.05 + i * 0.19, 0.12, 0.19 + i * 0.19, 0.44, GLASS)
        b.rect(0.0, 0.56, 1.0, 0.62, b.light)
    elif build == "load":
        b.rect(0.0, 0.0, 0.66, 0.80)
        b.rect(0.06, 0.1, 0.6, 0.2, b.light)
        b.poly((0.69, 0.84), (0.69, 0.22), (0.88, 0.22), (1.0, 0.52), (1.0, 0.84), colour=b.dark)
        b.poly((0.75, 0.5), (0.75, 0.29), (0.86, 0.29), (0.94, 0.5), colour=GLASS)
    else:
        b.rect(0.08, 0.04, 0.52, 0.1, b.dark)
        b.rect(0.12, 0.08, 0.48, 0.56, GLASS)
        b.rect(0.1, 0.0, 0.5, 0.08, b.dark)
        b.poly((0.1, 0.46), (0.96, 0.42), (0.98, 0.74), (0.1, 0.76))
        b.line((0.78, 0.44), (0.78, 0.14), colour=BLACK, width=0.05)
        b.wheel(0.3, 0.68, 0.32)
        b.wheel(0.84, 0.82, 0.18)
        return
    for x in wheels:
        b.wheel(x, 0.83, 0.17)
    b.rect(0.94, 0.56, 1.0, 0.66, GOLD)


def cycle(b: Brush, kind: str) -> None:
    r = {"bicycle": 0.32, "motorbike": 0.28, "scooter": 0.2}[kind]
    half = r * b.height / b.width
    left, right, axle = half, 1 - half, 1 - r
    if kind == "bicycle":
        for x in (left, right):
            b.oval(x - half, axle - r, x + half, 1.0, (46, 46, 52))
            b.oval(x - half * 0.76, axle - r * 0.76, x + half * 0.76, axle + r * 0.76, (214, 216, 220))
        b.line((left, axle), (0.4, 0.34), (0.68, 0.34), (0.5, axle), (left, axle), width=0.08)
        b.line((0.5, axle), (0.38, 0.2), width=0.07)
        b.line((right, axle), (0.66, 0.06), (0.8, 0.06), width=0.07)
        b.oval(0.28, 0.12, 0.5, 0.24, BLACK)
        b.rect(0.62, 0.0, 0.84, 0.07, BLACK)
        return
    b.wheel(left, axle, r)
    b.wheel(right, axle, r)
    b.line((right, axle), (0.7, 0.04), (0.62, 0.04), colour=(90, 92, 98), width=0.09)
    b.rect(0.56, 0.0, 0.72, 0.09, BLACK)
    if kind == "motorbike":
        b.poly((0.14, 0.42), (0.42, 0.34), (0.7, 0.26), (0.78, 0.48), (0.62, 0.78), (0.34, 0.78))
        b.oval(0.12, 0.3, 0.5, 0.46, BLACK)
    else:
        b.poly(
            (0.06, 0.44), (0.44, 0.4), (0.5, 0.76), (0.7, 0.76), (0.66, 0.16), (0.8, 0.16), (0.84, 0.88), (0.2, 0.88)
        )
        b.rect(0.06, 0.34, 0.46, 0.46, BLACK)


def boat(b: Brush, kind: str) -> None:
    if kind == "sailboat":
        b.line((0.48, 0.8), (0.48, 0.0), colour=WOOD, width=0.03)
        b.poly((0.51, 0.0), (0.51, 0.72), (1.0, 0.72))
        b.markings(0.53, 0.4, 0.72, 0.7)
        b.poly((0.45, 0.1), (0.45, 0.72), (0.06, 0.72), colour=b.light)
        b.poly((0.0, 0.78), (1.0, 0.78), (0.84, 1.0), (0.16, 1.0), colour=WOOD)
    elif kind == "ship":
        b.rect(0.2, 0.36, 0.72, 0.6, WHITE)
        b.rect(0.3, 0.18, 0.62, 0.38, WHITE)
        b.rect(0.36, 0.0, 0.5, 0.2, b.dark)
        for i in range(5):
            b.rect(0.24 + i * 0.09, 0.43, 0.29 + i * 0.09, 0.52, (70, 110, 150))
        b.poly((0.0, 0.56), (1.0, 0.5), (0.88, 1.0), (0.1, 1.0))
    else:
        b.line((0.3, 0.9), (0.62, 0.06), colour=WOOD, width=0.1)
        b.rect(0.56, 0.0, 0.66, 0.24, WOOD)
        b.poly((0.0, 0.2), (0.16, 0.46), (0.84, 0.46), (1.0, 0.2), (0.9, 0.86), (0.78, 1.0), (0.22, 1.0), (0.1, 0.86))
        b.rect(0.2, 0.44, 0.8, 0.54, b.dark)


def aircraft(b: Brush, kind: str) -> None:
    if kind == "plane":
        b.poly((0.02, 0.0), (0.14, 0.0), (0.26, 0.5), (0.06, 0.5), colour=b.dark)
        b.oval(0.0, 0.34, 1.0, 0.78)
        b.poly((0.42, 0.58), (0.62, 0.58), (0.42, 1.0), (0.28, 1.0), colour=b.dark)
        for i in range(4):
            b.oval(0.34 + i * 0.11, 0.44, 0.4 + i * 0.11, 0.56, GLASS)
        b.poly((0.84, 0.44), (0.93, 0.5), (0.84, 0.54), colour=GLASS)
    elif kind == "balloon":
        b.oval(0.0, 0.0, 1.0, 0.78)
        b.oval(0.28, 0.0, 0.72, 0.78, b.light)
        b.markings(0.16, 0.16, 0.84, 0.6)
        b.line((0.28, 0.7), (0.4, 0.88), colour=WOOD, width=0.015)
        b.line((0.72, 0.7), (0.6, 0.88), colour=WOOD, width=0.015)
        b.rect(0.38, 0.86, 0.62, 1.0, WOOD)
    elif kind == "helicopter":
        b.rect(0.1, 0.0, 1.0, 0.07, (70, 72, 80))
        b.rect(0.56, 0.04, 0.61, 0.24, (70, 72, 80))
        b.poly((0.0, 0.2), (0.08, 0.2), (0.12, 0.42), (0.5, 0.46), (0.5, 0.6), (0.04, 0.5))
        b.oval(0.34, 0.2, 0.92, 0.84)
        b.poly((0.66, 0.3), (0.78, 0.3), (0.89, 0.54), (0.66, 0.54), colour=GLASS)
        b.rect(0.38, 0.92, 0.9, 1.0, (70, 72, 80))
    else:
        b.poly((0.5, 0.0), (1.0, 0.34), (0.5, 0.74), (0.0, 0.34))
        b.poly((0.5, 0.0), (1.0, 0.34), (0.5, 0.34), colour=b.light)
        b.poly((0.5, 0.74), (0.0, 0.34), (0.5, 0.34), colour=b.dark)
        b.markings(0.3, 0.24, 0.7, 0.46)
        b.line((0.5, 0.74), (0.42, 0.84), (0.56, 0.92), (0.48, 1.0), colour=b.dark, width=0.03)


def building(b: Brush, kind: str) -> None:
    roof, door = mix(b.dark, (120, 50, 40), 0.5), WOOD
    if kind in ("house", "barn"):
        b.rect(0.08, 0.4, 0.92, 1.0)
        if kind == "house":
            b.rect(0.7, 0.04, 0.8, 0.3, (130, 70, 60))
            b.poly((0.0, 0.44), (0.5, 0.0), (1.0, 0.44), colour=roof)
            for x in (0.18, 0.66):
                b.rect(x, 0.54, x + 0.17, 0.72, GLASS)
            b.rect(0.42, 0.64, 0.59, 1.0, door)
        else:
            b.poly((0.0, 0.46), (0.16, 0.16), (0.5, 0.0), (0.84, 0.16), (1.0, 0.46), colour=b.dark)
            b.rect(0.3, 0.54, 0.7, 1.0, WHITE)
            b.line((0.3, 0.54), (0.7, 1.0), colour=b.dark, width=0.03)
            b.line((0.7, 0.54), (0.3, 1.0), colour=b.dark, width=0.03)
            b.rect(0.42, 0.24, 0.58, 0.38, WHITE)
    elif kind == "church":
        b.rect(0.3, 0.46, 1.0, 1.0)
        b.poly((0.3, 0.48), (0.42, 0.32), (0.9, 0.32), (1.0, 0.48), colour=roof)
        b.rect(0.04, 0.34, 0.38, 1.0, b.light)
        b.poly((0.0, 0.36), (0.21, 0.06), (0.42, 0.36), colour=roof)
        b.rect(0.19, 0.0, 0.23, 0.12, BLACK)
        b.rect(0.14, 0.03, 0.28, 0.055, BLACK)
        for x in (0.48, 0.66, 0.84):
            b.rect(x, 0.58, x + 0.08, 0.78, GLASS)
        b.rect(0.13, 0.74, 0.3, 1.0, door)
    elif kind == "tower":
        b.poly((0.14, 0.2), (0.86, 0.2), (0.94, 1.0), (0.06, 1.0))
        b.markings(0.22, 0.26, 0.78, 0.82)
        b.rect(0.02, 0.14, 0.98, 0.24, b.dark)
        for x in (0.0, 0.4, 0.8):
            b.rect(x, 0.06, x + 0.2, 0.16, b.dark)
        b.rect(0.47, 0.0, 0.53, 0.08, BLACK)
        b.rect(0.36, 0.34, 0.64, 0.44, GLASS)
        b.rect(0.34, 0.84, 0.66, 1.0, door)
    elif kind == "castle":
        b.rect(0.1, 0.46, 0.9, 1.0)
        for x in (0.0, 0.76):
            b.rect(x, 0.26, x + 0.24, 1.0, b.light)
            b.poly((x, 0.28), (x + 0.12, 0.0), (x + 0.24, 0.28), colour=roof)
            b.rect(x + 0.08, 0.42, x + 0.16, 0.56, BLACK)
        for i in range(4):
            b.rect(0.28 + i * 0.12, 0.38, 0.35 + i * 0.12, 0.48)
        b.oval(0.38, 0.62, 0.62, 0.9, door)
        b.rect(0.38, 0.76, 0.62, 1.0, door)
    elif kind == "tent":
        b.poly((0.5, 0.0), (1.0, 1.0), (0.0, 1.0))
        b.markings(0.28, 0.6, 0.72, 0.98)
        b.poly((0.5, 0.14), (0.64, 1.0), (0.36, 1.0), colour=b.dark)
    else:
        b.poly((0.34, 0.36), (0.66, 0.36), (0.8, 1.0), (0.2, 1.0))
        b.poly((0.3, 0.38), (0.5, 0.2), (0.7, 0.38), colour=roof)
        for x, y in ((0.0, 0.08), (1.0, 0.08), (0.06, 0.66), (0.94, 0.66), (0.02, 0.0), (0.98, 0.0)):
            b.line((0.5, 0.36), (x, y), colour=WOOD, width=0.035)
        b.rect(0.42, 0.78, 0.58, 1.0, door)


def tree(b: Brush, kind: str) -> None:
    bark = (236, 234, 226) if kind == "birch" else WOOD
    if kind == "oak":
        b.rect(0.42, 0.5, 0.58, 1.0, bark)
        b.oval(0.0, 0.2, 0.56, 0.66, b.dark)
        b.oval(0.44, 0.2, 1.0, 0.66, b.dark)
        b.oval(0.2, 0.0, 0.8, 0.5)
        b.oval(0.3, 0.06, 0.62, 0.3, b.light)
    elif kind == "pine":
        b.rect(0.43, 0.8, 0.57, 1.0, bark)
        for i, colour in enumerate((b.dark, b.base, b.light)):
            y, half = 0.86 - i * 0.24, 0.5 - i * 0.12
            b.poly((0.5, max(0.0, y - 0.48)), (0.5 + half, y), (0.5 - half, y), colour=colour)
    elif kind == "palm":
        b.poly((0.46, 1.0), (0.6, 1.0), (0.56, 0.26), (0.48, 0.26), colour=bark)
        for x, y in ((0.0, 0.34), (0.08, 0.1), (0.34, 0.0), (0.7, 0.0), (0.94, 0.1), (1.0, 0.36)):
            b.poly(
                (0.52, 0.2), ((x + 0.52) / 2, y - 0.02), (x, y + 0.06), ((x + 0.5) / 2, (y + 0.34) / 2), colour=b.base
            )
        b.oval(0.44, 0.2, 0.52, 0.3, (112, 70, 40))
        b.oval(0.54, 0.2, 0.62, 0.3, (112, 70, 40))
    elif kind == "birch":
        b.rect(0.43, 0.3, 0.57, 1.0, bark)
        b.oval(0.1, 0.0, 0.9, 0.62)
        b.oval(0.0, 0.24, 0.5, 0.66, b.dark)
        b.oval(0.5, 0.2, 1.0, 0.6, b.light)
        for y in (0.7, 0.8, 0.9):
            b.rect(0.43, y, 0.52, y + 0.02, BLACK)
    elif kind == "bush":
        b.oval(0.0, 0.3, 0.5, 1.0, b.dark)
        b.oval(0.5, 0.3, 1.0, 1.0, b.dark)
        b.oval(0.18, 0.0, 0.82, 1.0)
        b.markings(0.28, 0.2, 0.72, 0.8)
    else:
        b.oval(0.36, 0.0, 0.64, 0.3)
        b.rect(0.36, 0.14, 0.64, 1.0)
        for x0, x1, y in ((0.0, 0.16, 0.26), (0.84, 1.0, 0.2)):
            b.rect(x0, y, x1, y + 0.34)
            b.rect(min(x0, 0.4), y + 0.28, max(x1, 0.6), y + 0.42)
        b.line((0.46, 0.14), (0.46, 0.96), colour=b.dark, width=0.02)
        b.line((0.55, 0.14), (0.55, 0.96), colour=b.dark, width=0.02)


def flower(b: Brush, kind: str) -> None:
    b.line((0.5, 0.36), (0.5, 1.0), colour=LEAF, width=0.06)
    b.oval(0.08, 0.62, 0.5, 0.8, LEAF)
    b.oval(0.5, 0.7, 0.92, 0.88, LEAF)
    if kind == "tulip":
        b.poly((0.0, 0.06), (0.25, 0.2), (0.5, 0.0), (0.75, 0.2), (1.0, 0.06), (0.84, 0.46), (0.16, 0.46))
        b.poly((0.3, 0.24), (0.5, 0.04), (0.7, 0.24), (0.6, 0.46), (0.4, 0.46), colour=b.light)
    elif kind == "rose":
        b.oval(0.0, 0.0, 1.0, 0.54)
        b.oval(0.18, 0.06, 0.82, 0.42, b.dark)
        b.oval(0.32, 0.12, 0.7, 0.34, b.light)
    else:
        petals = ((0.5, 0.08), (0.8, 0.16), (0.88, 0.32), (0.72, 0.46), (0.28, 0.46), (0.12, 0.32), (0.2, 0.16))
        for x, y in petals:
            b.oval(max(0.0, x - 0.2), max(0.0, y - 0.12), min(1.0, x + 0.2), y + 0.12)
        core, r = ((96, 60, 34), 0.3) if kind == "sunflower" else (GOLD, 0.2)
        b.oval(0.5 - r, 0.28 - r * 0.55, 0.5 + r, 0.28 + r * 0.55, core)


def furniture(b: Brush, kind: str) -> None:
    if kind in ("table", "stool"):
        leg = 0.06 if kind == "table" else 0.12
        for x in (0.06, 0.94 - leg):
            b.rect(x, 0.12, x + leg, 1.0, b.dark)
        b.rect(0.0, 0.0, 1.0, 0.2)
        b.rect(0.0, 0.0, 1.0, 0.07, b.light)
    elif kind == "chair":
        for x in (0.06, 0.82):
            b.rect(x, 0.5, x + 0.12, 1.0, b.dark)
        b.rect(0.0, 0.0, 0.16, 0.56, b.dark)
        b.rect(0.0, 0.06, 0.2, 0.4)
        b.rect(0.0, 0.48, 1.0, 0.62)
    elif kind == "bench":
        for x in (0.08, 0.84):
            b.rect(x, 0.4, x + 0.08, 1.0, (70, 70, 76))
        for y in (0.0, 0.2):
            b.rect(0.0, y, 1.0, y + 0.14)
        b.rect(0.0, 0.46, 1.0, 0.64, b.light)
    elif kind == "sofa":
        b.rect(0.08, 0.0, 0.92, 0.7, b.dark)
        b.markings(0.14, 0.05, 0.86, 0.42)
        b.rect(0.12, 0.48, 0.88, 0.88)
        b.line((0.5, 0.48), (0.5, 0.84), colour=b.dark, width=0.03)
        b.oval(0.0, 0.3, 0.18, 0.6)
        b.oval(0.82, 0.3, 1.0, 0.6)
        b.rect(0.0, 0.44, 0.16, 0.94)
        b.rect(0.84, 0.44, 1.0, 0.94)
        b.rect(0.06, 0.92, 0.14, 1.0, BLACK)
        b.rect(0.86, 0.92, 0.94, 1.0, BLACK)
    else:
        b.rect(0.0, 0.0, 0.07, 1.0, WOOD)
        b.rect(0.93, 0.4, 1.0, 1.0, WOOD)
        b.rect(0.05, 0.56, 0.95, 0.86)
        b.markings(0.34, 0.58, 0.9, 0.84)
        b.oval(0.08, 0.36, 0.34, 0.64, WHITE)
        b.rect(0.05, 0.8, 0.95, 0.88, WOOD)


def fruit(b: Brush, kind: str) -> None:
    if kind == "apple":
        b.oval(0.0, 0.16, 0.62, 1.0)
        b.oval(0.38, 0.16, 1.0, 1.0)
        b.line((0.5, 0.26), (0.56, 0.0), colour=WOOD, width=0.09)
        b.oval(0.56, 0.04, 0.88, 0.2, LEAF)
    elif kind == "pear":
        b.oval(0.24, 0.12, 0.76, 0.66)
        b.oval(0.0, 0.42, 1.0, 1.0)
        b.line((0.5, 0.2), (0.6, 0.0), colour=WOOD, width=0.08)
    elif kind == "lemon":
        b.oval(0.1, 0.0, 0.9, 1.0)
        b.poly((0.0, 0.5), (0.2, 0.26), (0.2, 0.74))
        b.poly((1.0, 0.5), (0.8, 0.26), (0.8, 0.74))
    else:
        b.rect(0.44, 0.0, 0.56, 0.26, LEAF)
        b.oval(0.0, 0.16, 0.5, 1.0, b.dark)
        b.oval(0.5, 0.16, 1.0, 1.0, b.dark)
        b.oval(0.2, 0.14, 0.8, 1.0)
        b.oval(0.4, 0.14, 0.6, 1.0, b.light)
    if kind != "pumpkin":
        b.oval(0.22, 0.46, 0.36, 0.62, b.light)


def toy(b: Brush, kind: str) -> None:
    if kind == "ball":
        b.oval(0.0, 0.0, 1.0, 1.0)
        b.markings(0.2, 0.2, 0.8, 0.8)
        b.oval(0.2, 0.14, 0.42, 0.32, b.light)
    elif kind == "cube":
        b.poly((0.0, 0.26), (0.24, 0.0), (1.0, 0.0), (0.76, 0.26), colour=b.light)
        b.poly((0.76, 0.26), (1.0, 0.0), (1.0, 0.74), (0.76, 1.0), colour=b.dark)
        b.rect(0.0, 0.26, 0.76, 1.0)
        b.markings(0.08, 0.34, 0.68, 0.92)
    else:
        b.oval(0.0, 0.7, 1.0, 1.0)
        b.rect(0.0, 0.28, 1.0, 0.85)
        b.markings(0.08, 0.44, 0.92, 0.84)
        b.oval(0.0, 0.12, 1.0, 0.44, WHITE)
        b.line((0.1, 0.0), (0.56, 0.26), colour=WOOD, width=0.06)
        b.line((0.9, 0.0), (0.46, 0.26), colour=WOOD, width=0.06)


def vessel(b: Brush, kind: str) -> None:
    if kind == "bucket":
        b.line((0.06, 0.34), (0.24, 0.02), (0.76, 0.02), (0.94, 0.34), colour=(90, 92, 98), width=0.05)
        b.poly((0.0, 0.3), (1.0, 0.3), (0.82, 1.0), (0.18, 1.0))
        b.markings(0.22, 0.44, 0.78, 0.94)
        b.oval(0.0, 0.22, 1.0, 0.4, b.dark)
    elif kind == "basket":
        b.line((0.08, 0.44), (0.2, 0.04), (0.8, 0.04), (0.92, 0.44), colour=b.dark, width=0.08)
        b.poly((0.0, 0.42), (1.0, 0.42), (0.86, 1.0), (0.14, 1.0))
        for y in (0.56, 0.72, 0.88):
            b.line((0.08, y), (0.92, y), colour=b.dark, width=0.04)
        b.rect(0.0, 0.38, 1.0, 0.5, b.light)
    else:
        b.rect(0.32, 0.06, 0.68, 0.4)
        b.oval(0.0, 0.26, 1.0, 0.94)
        b.markings(0.2, 0.42, 0.8, 0.78)
        b.rect(0.22, 0.0, 0.78, 0.1, b.dark)
        b.rect(0.26, 0.9, 0.74, 1.0, b.dark)


TEMPLATES = {
    "animal": animal, "bird": bird, "person": person, "vehicle": vehicle, "cycle": cycle, "boat": boat,
    "aircraft": aircraft, "building": building, "tree": tree, "flower": flower, "furniture": furniture,
    "fruit": fruit, "toy": toy, "vessel": vessel,
}  # fmt: skip
