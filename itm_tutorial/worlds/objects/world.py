"""The world of the drawn objects: splits of images that each show one large thing in a plausible place."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import cos, radians, sin
from random import Random

import numpy as np
from PIL import Image

from itm_tutorial.worlds.objects.tree import unseen_kinds
from itm_tutorial.worlds.scenes.drawing import draw_scene
from itm_tutorial.worlds.scenes.kinds import KINDS, LIGHTS, PLACES, Kind
from itm_tutorial.worlds.scenes.layout import SIZE, WET
from itm_tutorial.worlds.scenes.scene import Scene, Spot, Thing
from itm_tutorial.worlds.streams import stream

SIZES = {  # images for training, validation and test, all of seen kinds, and images of unseen kinds
    "tiny": {"train": 60, "val": 20, "test": 20, "unseen": 20},
    "mini": {"train": 6_000, "val": 600, "test": 1_000, "unseen": 1_000},
    "full": {"train": 30_000, "val": 3_000, "test": 5_000, "unseen": 5_000},
}
LIGHT_WEIGHTS = (60, 22, 18)
STRAY = 0.2  # how often a thing is in a place that is unusual for it
MOST_TILT = 5.0  # degrees, to either side
WIDE = 1.125  # the scene is drawn this much wider than the picture, so that a tilt leaves no corner empty
EDGE = (1 - 1 / WIDE) / 2 + 0.03  # the distance of things from the border of the wide scene


@dataclass
class ObjectSplit:
    """A split before it is drawn: plain data.

    Attributes:
        name: "train", "val", "test" or "unseen".
        seed: of the world.
        scenes: one per image, with one thing, a little wider than the image.
        tilts: per image, the tilt of the camera in degrees, counter-clockwise.
    """

    name: str
    seed: int
    scenes: list[Scene] = field(default_factory=list)
    tilts: list[float] = field(default_factory=list)

    @property
    def kinds(self) -> list[str]:
        """Per image, the name of its kind."""
        return [scene.things[0].kind for scene in self.scenes]

    def boxes(self) -> list[tuple[float, float, float, float]]:
        """Per image, the box (x0, y0, x1, y1) of its thing in the tilted image, in [0, 1]."""
        return [_tilted_box(scene.things[0], tilt) for scene, tilt in zip(self.scenes, self.tilts, strict=True)]

    def draw(self, image: int, size: int = 64) -> np.ndarray:
        """Draws one image, uint8 [size, size, 3], with its own random stream."""
        rng = stream("objects", self.seed, "drawing", self.name, image)
        wide = 2 * round(size * WIDE)  # drawn at twice the size, for smooth edges
        picture = Image.fromarray(draw_scene(self.scenes[image], wide, rng))
        step, turn = wide / (size * WIDE), radians(self.tilts[image])
        across, down = step * cos(turn), step * sin(turn)
        left, top = (wide - size * (across - down)) / 2, (wide - size * (across + down)) / 2
        seen = (across, -down, left, down, across, top)  # maps a pixel of the image to the wide scene
        return np.asarray(picture.transform((size, size), Image.Transform.AFFINE, seen, Image.Resampling.BILINEAR))


def make_split(name: str, n_images: int, seed: int) -> ObjectSplit:
    """Makes the scenes of a split: equally many of each kind, up to one, in shuffled order.

    Args:
        name: "train", "val" and "test" show the seen kinds, "unseen" the others; each has its own random streams.
        n_images: number of images.
        seed: of the world; it also chooses which kinds are seen.

    Returns:
        The split; it is the same for the same arguments in every process.
    """
    hidden = unseen_kinds(seed)
    kinds = [kind for kind in KINDS if (kind in hidden) == (name == "unseen")]
    rng = stream("objects", seed, "kinds", name)
    shown = kinds * (n_images // len(kinds)) + rng.sample(kinds, n_images % len(kinds))
    rng.shuffle(shown)
    split = ObjectSplit(name, seed)
    for image, kind in enumerate(shown):
        own = stream("objects", seed, "scene", name, image)
        split.scenes.append(_sample_object(KINDS[kind], own))
        split.tilts.append(own.uniform(-MOST_TILT, MOST_TILT))
    return split


def _sample_object(kind: Kind, rng: Random) -> Scene:
    possible = _possible_places(kind)
    home = [place for place in possible if place in kind.places]
    place = rng.choice(possible if rng.random() < STRAY else home)
    colour = rng.choices(kind.colours, [1 / (1 + 0.5 * i) for i in range(len(kind.colours))])[0]
    pattern = rng.choices(("plain", "striped", "spotted"), (6, 2, 2))[0] if kind.patterns else "plain"
    size = rng.choices(tuple(SIZE), (2, 6, 2))[0]
    spot = _sample_spot(kind, place, SIZE[size] * rng.uniform(0.9, 1.1), rng)
    light = rng.choices(LIGHTS, LIGHT_WEIGHTS)[0]
    return Scene(place, light, (Thing(kind.name, colour, size, pattern, (spot,)),))


def _possible_places(kind: Kind) -> list[str]:
    """Boats need water, aircraft the open sky, and houses stand in no room."""
    if kind.habitat == "water":
        return list(WET)
    outdoors = kind.habitat == "sky" or (kind.height >= 0.36 and kind.family != "person")
    return [place for place in PLACES if place != "room" or not outdoors]


def _sample_spot(kind: Kind, place: str, scale: float, rng: Random) -> Spot:
    """Position and size of a thing; an apple is smaller than a house, but less so than in reality."""
    seq_len = kind.height * max(1.0, kind.aspect)
    seq_len = min(1 - 2 * EDGE, 0.76 * (seq_len / 0.5) ** 0.35 * scale)
    height = seq_len / max(1.0, kind.aspect)
    low, high = {"sky": (0.0, 0.56), "water": WET.get(place, (0.0, 0.0))}.get(kind.habitat, (0.68, 1.0))
    high = min(high, 1 - EDGE)
    if kind.habitat == "sky":
        high = max(high, height + EDGE)  # a large balloon reaches down to the horizon and below
    height = min(height, high - EDGE)
    half = height * kind.aspect / 2
    y = rng.uniform(max(low, height + EDGE), high)
    return Spot(rng.uniform(EDGE + half, 1 - EDGE - half), y, height, rng.random() < 0.5)


def _tilted_box(thing: Thing, tilt: float) -> tuple[float, float, float, float]:
    """The box around the tilted box of a thing, clipped at the edge of the image."""
    spot, turn = thing.spots[0], radians(tilt)
    half_x, half_y = spot.height * KINDS[thing.kind].aspect / 2, spot.height / 2
    x, y = spot.x - 0.5, spot.y - half_y - 0.5  # the centre of the thing, relative to the centre of the image
    x, y = x * cos(turn) + y * sin(turn), y * cos(turn) - x * sin(turn)
    reach_x = half_x * cos(turn) + half_y * abs(sin(turn))
    reach_y = half_y * cos(turn) + half_x * abs(sin(turn))
    corners = (x - reach_x, y - reach_y, x + reach_x, y + reach_y)
    return tuple(min(1.0, max(0.0, 0.5 + WIDE * corner)) for corner in corners)
