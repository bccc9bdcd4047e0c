"""Samples the place, pose and view of a bird, and determines its visible parts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random

import numpy as np

from itm_tutorial.worlds.birds.anatomy import anatomy, in_sight
from itm_tutorial.worlds.birds.plumage import BEAKS, Plumage, individual
from itm_tutorial.worlds.species.outlines import View, area, box_of, overlap
from itm_tutorial.worlds.species.portrait import Box, Part, Portrait, Species

PLACES = {  # by pose, the most common first
    "perched": ("branch",),
    "standing": ("grass", "sand", "snow"),
    "swimming": ("water",),
    "flying": ("sky",),
}
_SPANS = {"small": (0.66, 0.76), "medium": (0.76, 0.86), "large": (0.86, 0.94)}  # of the image
_TILT = {"perched": 8.0, "standing": 5.0, "swimming": 3.0, "flying": 16.0}  # degrees, at most
_COVERED = 0.14  # how often a leaf, a tuft of grass or a cloud covers something
_HIDDEN = 0.3  # a part of which this fraction is covered is not mentioned
_LEAST = 0.002  # of the image: eight pixels of 64 x 64; smaller parts are not mentioned
EDGE = 0.03


@dataclass(frozen=True)
class Sight:
    """The positions for the drawing of a bird.

    Attributes:
        view: the transformation of the outlines about the bird's centre.
        waterline: where the water begins for a swimming bird, as a fraction of the image's height.
        cover: the box of an object in front of the bird, or None.
    """

    view: View
    waterline: float | None = None
    cover: Box | None = None


def meet(species: Species, rng: Random) -> Portrait:
    """Samples one bird of a species in a place."""
    looks = individual(species.looks, rng)
    poses = looks.build.poses
    pose = rng.choices(poses, (6, 3, 2)[: len(poses)])[0]
    place = rng.choices(PLACES[pose], (4, 2, 2)[: len(PLACES[pose])])[0]
    made = anatomy(looks.build, pose, looks.crest)
    view = _view(made, looks, pose, rng)
    line = float(np.quantile(view.see(made["trunk"])[:, 1], 0.72)) if pose == "swimming" else None
    boxes = {name: _above(box_of(view.see(p)), line) for name, p in in_sight(looks.build, pose, looks.crest).items()}
    cover = _cover(boxes, rng)
    parts = []
    for name, traits in _traits(looks).items():
        box = boxes.get(name if name != "head" else "face")
        hidden = box is None or area(box) < _LEAST or (pose == "swimming" and name == "belly")
        if traits and not hidden and (name == "bird" or cover is None or overlap(box, cover) < _HIDDEN):
            parts.append(Part(name, traits, (box,)))
    return Portrait(species.name, tuple(parts), pose, place, looks, Sight(view, line, cover))


def _view(made: dict[str, np.ndarray], looks: Plumage, pose: str, rng: Random) -> View:
    """Samples a view with the whole bird in the image; a standing bird has its feet on the ground."""
    low, high = _SPANS[looks.build.stature]
    scale, tilt, flip = rng.uniform(low, high), rng.uniform(-1, 1) * _TILT[pose], rng.random() < 0.5
    everything = np.concatenate(list(made.values()))
    seen = View(0, 0, scale, tilt, flip).see(everything)
    (left, top), (right, bottom) = seen.min(axis=0), seen.max(axis=0)
    shrink = min(1.0, (1 - 2 * EDGE) / max(right - left, bottom - top))
    left, top, right, bottom = (shrink * v for v in (left, top, right, bottom))
    x = rng.uniform(EDGE - left, 1 - EDGE - right)
    y = rng.uniform(EDGE - top, 1 - EDGE - bottom)
    if pose != "flying":  # near the ground, if there is room
        y = min(1 - EDGE - bottom, max(EDGE - top, rng.uniform(0.82, 0.93) - bottom))
    return View(x, y, scale * shrink, tilt, flip)


def _above(box: Box, line: float | None) -> Box:
    return box if line is None else (box[0], min(box[1], line), box[2], min(box[3], line))


def _cover(boxes: dict[str, Box], rng: Random) -> Box | None:
    """Sometimes samples an object in front of the tail, the legs or the belly."""
    before = rng.choice(("tail", "legs", "belly"))
    covered, grow = rng.random() < _COVERED, rng.uniform(0.01, 0.05)
    if not covered or before not in boxes or area(boxes[before]) == 0:
        return None
    x0, y0, x1, y1 = boxes[before]
    half = min(0.17, (x1 - x0) / 2 + grow), min(0.15, (y1 - y0) / 2 + grow)
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return x - half[0], y - half[1], x + half[0], y + half[1]


def _traits(looks: Plumage) -> dict[str, tuple[tuple[str, str], ...]]:
    """Maps each part to its attributes."""
    build = looks.build
    colours = ("crown", "face", "throat", "breast", "belly", "back", "wings", "tail", "beak", "legs")
    made = {name: [("colour", getattr(looks, name))] for name in colours}
    made["bird"] = [("size", build.stature)]
    if build.figure != "long-necked":
        made["bird"].append(("shape", build.figure))
    dress = Counter(getattr(looks, name) for name in ("crown", "back", "wings", "tail", "breast", "belly"))
    colour, times = dress.most_common(1)[0]
    if times >= 4:
        made["bird"].append(("colour", colour))
    made["head"] = made["face"] if looks.crown == looks.face else []
    made["neck"] = [("size", "long"), ("colour", looks.face)] if build.neck > 0.5 else []
    made["tail"].append(("shape", "forked") if build.tail == "forked" else ("size", build.tail))
    made["legs"].append(("size", build.legs))
    size, shape = BEAKS[build.beak]
    made["beak"] += [("shape", shape)] + ([("size", size)] if size else [])
    if looks.pattern != "plain":
        made["breast"].append(("pattern", looks.pattern))
    made["crest"] = [("colour", looks.crown)] if looks.crest else []
    for part, value in (("wing bars", looks.wing_bars), ("eye ring", looks.eye_ring), ("eye stripe", looks.eye_stripe)):
        made[part] = [("colour", value)] if value else []
    whole = made.pop("bird")
    return {"bird": tuple(whole)} | {name: tuple(traits) for name, traits in made.items()}
