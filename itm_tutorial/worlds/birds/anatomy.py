"""The outlines of a bird that faces right, and their visible parts."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from itm_tutorial.worlds.birds.plumage import Build
from itm_tutorial.worlds.species.outlines import Points, clip, inside, limb, ring, smooth, turned

Outlines = dict[str, Points]
BODY = ("trunk", "neck", "head")  # together, the silhouette within which the plumage is drawn
_LIFT = {"perched": 20, "standing": 0, "swimming": 0, "flying": -8}  # degrees added to the posture


@lru_cache(maxsize=1024)
def anatomy(build: Build, pose: str, crest: bool) -> Outlines:
    """The outlines of a bird in a pose.

    Args:
        build: its shape.
        pose: "perched", "standing", "swimming" or "flying".
        crest: whether it has a crest.

    Returns:
        Name -> points about the centre of the bird, whose longer side is 1. "feet" are the points it stands on.
    """
    posture = max(2.0, min(62.0, build.posture + _LIFT[pose]))
    made = {**_trunk(build, posture), **_head(build, posture, pose, crest), **_wing(build, posture, pose)}
    made |= _legs(build, posture, pose) if pose in ("perched", "standing") else {}
    everything = np.concatenate(list(made.values()))
    low, high = everything.min(axis=0), everything.max(axis=0)
    scale, middle = 1 / (high - low).max(), (low + high) / 2
    return {name: (points - middle) * scale for name, points in made.items()}


@lru_cache(maxsize=1024)
def in_sight(build: Build, pose: str, crest: bool) -> Outlines:
    """The visible outline of each part, for its box: clipped at the silhouette and where the wing covers it."""
    made = anatomy(build, pose, crest)
    body = [made[name] for name in BODY]
    whole = np.concatenate([points for name, points in made.items() if name not in _PATCHES])
    seen = {name: clip(made[name], body) for name in _PATCHES if name in made}
    seen |= {name: made[name] for name in ("tail", "beak", "neck", "eye") if name in made}
    seen["wings"] = np.concatenate([made[name] for name in ("wing", "far wing") if name in made])
    for name in ("back", "breast", "belly"):
        bare = ~inside(seen[name], made["wing"])
        seen[name] = seen[name][bare] if bare.any() else seen[name]
    seen["crown"] = np.concatenate([seen["crown"], made["crest"]]) if crest else seen["crown"]
    legs = ("near leg", "far leg", "near leg toes", "far leg toes")
    optional = {"crest": ("crest",), "legs": legs, "wing bars": ("upper bar", "lower bar")}
    for part, names in optional.items():
        if all(name in made for name in names):
            seen[part] = np.concatenate([made[name] for name in names])
    x, y = made["eye"].mean(axis=0)
    reach = 0.5 * np.ptp(made["head"][:, 0])
    seen |= {"eye ring": ring(x, y, 0.4 * reach), "eye stripe": ring(x, y, reach, 0.3 * reach), "bird": whole}
    return seen


_PATCHES = ("crown", "face", "throat", "breast", "belly", "back")


def _trunk(build: Build, posture: float) -> Outlines:
    """The body without head, and its tail; lengths are in body lengths, the origin is the body's centre."""
    turn, d = np.linspace(0, 2 * np.pi, 28, endpoint=False), build.depth
    egg = np.stack([0.5 * np.cos(turn), 0.5 * d * np.sin(turn) * (1 + 0.16 * np.cos(turn))], axis=1)
    under = [(-0.6, 0.02 * d), (-0.3, 0.12 * d), (0.05, 0.2 * d), (0.32, 0.1 * d), (0.6, 0.3 * d)]
    under += [(0.5, 0.8 * d), (-0.5, 0.8 * d)]
    front = [(0.2, -0.5 * d), (0.14, -0.1 * d), (0.12, 0.24 * d), (0.2, 0.62 * d), (0.7, 0.6 * d), (0.7, -0.5 * d)]
    top = [(-0.6, -0.6 * d), (0.42, -0.7 * d), (0.3, -0.1 * d), (-0.6, 0.1 * d)]
    shapes = {"trunk": egg, "belly": smooth(under, 3), "breast": smooth(front, 3), "back": np.array(top)}
    return {"tail": turned(_tail(build), posture), **{name: turned(p, posture) for name, p in shapes.items()}}


def _tail(build: Build) -> Points:
    d, length = build.depth, {"short": 0.3, "long": 0.62, "forked": 0.46}[build.tail]
    wide = {"short": 0.17, "long": 0.11, "forked": 0.2}[build.tail]
    tip = -0.4 - length
    end = [(tip, -0.8 * wide), (tip + 0.02, 0.0), (tip, 0.8 * wide)]
    if build.tail == "forked":
        end = [(tip, -wide), (tip + 0.2, 0.0), (tip, wide)]
    return np.array([(-0.3, -0.24 * d), *end, (-0.3, 0.24 * d)]) + (0.0, 0.02)


def _head(build: Build, posture: float, pose: str, crest: bool) -> Outlines:
    r, d = build.head, build.depth
    shoulder = turned(np.array([[0.3, -0.12 * d]]), posture)[0]
    stretched = pose == "flying" and build.figure == "long-necked"
    upward = np.radians(18 if stretched else 62 if build.neck > 0.5 else 52)
    x, y = shoulder + build.neck * np.array([np.cos(upward), -np.sin(upward)])
    bend = (0.5 * (shoulder[0] + x) + (0.0 if stretched else 0.32 * build.neck), 0.55 * shoulder[1] + 0.45 * y)
    base = 0.3 * d if build.neck > 0.5 else 0.42 * d
    line = [shoulder - (0.08, -0.04), bend, (x, y)] if build.neck > 0.5 else [shoulder - (0.1, -0.04), (x, y)]
    slim = [base, 0.62 * r, 0.72 * r] if build.neck > 0.5 else [base, 0.94 * r]
    made = {"neck": limb(line, slim), "head": ring(x, y, r, 0.95 * r, 24), "face": ring(x, y, 1.02 * r)}
    cap = [(x - 1.2 * r, y + 0.1 * r), (x - 0.2 * r, y - 0.3 * r), (x + 1.2 * r, y - 0.24 * r)]
    made["crown"] = np.array([*cap, (x + 1.1 * r, y - 1.3 * r), (x - 1.1 * r, y - 1.3 * r)])
    made["throat"] = ring(x + 0.45 * r, y + 0.95 * r, 0.75 * r, 0.62 * r)
    made["eye"] = ring(x + 0.34 * r, y - 0.14 * r, 0.17 * r, n=8)
    if crest:
        tuft = [(x + 0.5 * r, y - 0.8 * r), (x - 0.3 * r, y - 1.25 * r), (x - 1.5 * r, y - 1.6 * r)]
        made["crest"] = np.array([*tuft, (x - 0.95 * r, y - 1.05 * r), (x - 1.35 * r, y - 0.9 * r), (x - 0.85 * r, y)])
    return made | _beak(build.beak, x, y, r)


def _beak(beak: str, x: float, y: float, r: float) -> Outlines:
    """The beak, and the line between its halves."""
    u = max(r, 0.17)  # a heron's beak is large relative to its head
    root, top, low = x + 0.82 * r, y - 0.2 * r, y + 0.42 * r
    middle = (top + low) / 2
    outline = {
        "cone": [(root, y - 0.36 * r), (root + 0.9 * u, middle + 0.04 * u), (root, y + 0.5 * r)],
        "thin": [(root, y - 0.08 * r), (root + 1.0 * u, middle + 0.04 * u), (root, y + 0.3 * r)],
        "needle": [(root, y - 0.06 * r), (root + 2.3 * u, middle + 0.3 * u), (root, y + 0.3 * r)],
        "dagger": [(root, top), (root + 0.9 * u, middle - 0.16 * u), (root + 2.0 * u, middle + 0.1 * u), (root, low)],
        "hooked": [(root - 0.1 * r, y - 0.42 * r), (root + 0.5 * u, y - 0.3 * r), (root + 0.78 * u, y + 0.1 * r)]
        + [(root + 0.66 * u, y + 0.78 * r), (root + 0.44 * u, y + 0.36 * r), (root - 0.1 * r, y + 0.5 * r)],
        "flat": [(root, y - 0.3 * r), (root + 0.7 * u, y + 0.06 * r), (root + 1.3 * u, y + 0.0 * r)]
        + [(root + 1.46 * u, y + 0.3 * r), (root + 1.2 * u, y + 0.52 * r), (root, y + 0.5 * r)],
    }[beak]
    points = smooth(outline, 3) if beak in ("hooked", "flat") else np.array(outline)
    tip = points[points[:, 0].argmax()]
    return {"beak": points, "gape": np.array([(root, middle), _towards((root, middle), tip)])}


def _towards(root: tuple[float, float], tip: Points) -> tuple[float, float]:
    """The end of the gape, four fifths of the way from the root of the beak to its tip."""
    return root[0] + 0.8 * (tip[0] - root[0]), root[1] + 0.8 * (tip[1] - root[1])


def _wing(build: Build, posture: float, pose: str) -> Outlines:
    return _spread(build, posture) if pose == "flying" else _folded(build, posture)


def _folded(build: Build, posture: float) -> Outlines:
    d = build.depth
    outline = [(0.26, -0.06 * d), (0.08, -0.26 * d), (-0.2, -0.2 * d), (-0.5, 0.0), (-0.68, 0.14 * d)]
    outline += [(-0.4, 0.2 * d), (-0.05, 0.26 * d), (0.2, 0.16 * d)]
    made = {"wing": smooth(outline, 3)}
    made["upper bar"] = limb([(0.02, -0.16 * d), (0.1, 0.02 * d), (0.04, 0.18 * d)], [0.035, 0.035, 0.03], 3)
    made["lower bar"] = limb([(-0.16, -0.12 * d), (-0.1, 0.04 * d), (-0.16, 0.18 * d)], [0.035, 0.035, 0.03], 3)
    for n, (a, b) in enumerate((((-0.22, 0.02), (-0.56, 0.06)), ((-0.2, 0.12), (-0.5, 0.13)))):
        made[f"feather {n}"] = np.array([(a[0], a[1] * 1.6 * d), (b[0], b[1] * 1.6 * d)])
    return {name: turned(points, posture) for name, points in made.items()}


def _spread(build: Build, posture: float) -> Outlines:
    """Both wings raised, the far one a little ahead of the near one."""
    span = 1.0 if build.stature == "large" else 0.86
    outline = [(0.24, 0.0), (0.2, -0.34), (0.02, -0.72), (-0.3, -1.0), (-0.34, -0.82), (-0.46, -0.78), (-0.44, -0.6)]
    outline += [(-0.54, -0.52), (-0.46, -0.36), (-0.5, -0.24), (-0.3, 0.02)]
    near = np.array(outline) * (1.0, span)
    curved = np.concatenate([smooth(near[:4], 4, closed=False), near[4:]])
    made = {"wing": curved + (0.0, 0.02), "far wing": turned(curved * (0.8, 0.86), -20) + (0.14, -0.02)}
    made["upper bar"] = limb([(0.12, -0.34 * span), (-0.1, -0.28 * span), (-0.34, -0.3 * span)], [0.035] * 3, 3)
    made["lower bar"] = limb([(0.04, -0.5 * span), (-0.14, -0.46 * span), (-0.36, -0.5 * span)], [0.035] * 3, 3)
    made["feather 0"] = np.array([(-0.02, -0.6), (-0.26, -0.84)]) * (1, span)
    made["feather 1"] = np.array([(-0.14, -0.56), (-0.36, -0.72)]) * (1, span)
    return {name: turned(points, 0.6 * posture) for name, points in made.items()}


def _legs(build: Build, posture: float, pose: str) -> Outlines:
    """Two legs and the toes they stand on."""
    length = {"short": 0.2, "long": 0.5}[build.legs]
    if build.figure == "long-necked" and build.legs == "long":
        length = 0.78
    if pose == "perched":
        length = min(length, 0.16)
    width = 0.026
    hip = turned(np.array([[-0.06, 0.42 * build.depth]]), posture)[0]
    ground = turned(np.array([[-0.1, 0.5 * build.depth]]), posture)[0][1] + length
    made, feet = {}, []
    for name, dx in (("far leg", 0.1), ("near leg", -0.04)):
        x = hip[0] + dx
        knee, foot = (x - 0.03, (hip[1] + ground) / 2), (x + 0.02, ground)
        leg = limb([(x, hip[1] - 0.06), knee, foot], [1.8 * width, width, width], 2)
        toes = np.array([(foot[0] - 0.07, ground + 0.02), foot, (foot[0] + 0.13, ground + 0.02)])
        made[name], made[f"{name} toes"] = leg, toes
        feet.append(foot)
    return made | {"feet": np.array(feet)}
