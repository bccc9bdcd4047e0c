"""A view: the position of the camera, the pose of the person, and what hides the shoes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from itm_tutorial.worlds.people.person import Person

ANGLES = ("front", "back", "side")
PLACES = ("street", "park", "station", "shop", "campus", "river")
PLACE_WEIGHTS = (30, 18, 16, 14, 12, 10)
LIGHTS = ("day", "evening", "night")
LIGHT_WEIGHTS = (72, 16, 12)
OBSTACLES = {"street": "car", "park": "hedge", "station": "wall", "shop": "crate", "campus": "hedge", "river": "wall"}
STATURE = {"tall": 0.925, "short": 0.775}  # of the figure, as a fraction of the image's height; 0.85 for all others


@dataclass(frozen=True)
class View:
    """How one camera saw a person.

    Attributes:
        angle: "front", "back" or "side".
        flip: from the side, whether the person faces left.
        walking: walking or standing.
        stride: how far the legs and arms swing, -1 to 1.
        place: a name in ``PLACES``.
        light: a name in ``LIGHTS``.
        x: the centre of the figure, as a fraction of the image's width.
        scale: of the figure, about 1.
        ground: the height of the soles, as a fraction of the image's height.
        cut: the top edge of an object that hides the shoes, as a fraction of the image's height; 1 if there is none.
    """

    angle: str
    flip: bool
    walking: bool
    stride: float
    place: str
    light: str
    x: float
    scale: float
    ground: float
    cut: float = 1.0


@dataclass(frozen=True)
class Sighting:
    """A person in one view."""

    person: Person
    view: View


def sample_views(rng: Random, veil: Random, occlusion: float) -> list[View]:
    """Samples two to four views of a person; the first three have different angles.

    Args:
        rng: the random stream of the person's views.
        veil: the random stream for occlusion of the shoes.
        occlusion: how often the shoes are hidden.
    """
    number = rng.choices((2, 3, 4), (30, 45, 25))[0]
    angles = [*rng.sample(ANGLES, 3), rng.choice(ANGLES)]
    views = [_sample_view(angle, rng) for angle in angles][:number]
    return [_veiled(view, veil.random() < occlusion, veil.uniform(0.755, 0.82)) for view in views]


def _sample_view(angle: str, rng: Random) -> View:
    walking = rng.random() < 0.7
    stride = rng.choice((-1, 1)) * rng.uniform(0.55, 1.0)
    return View(
        angle=angle,
        flip=rng.random() < 0.5,
        walking=walking,
        stride=stride if walking else 0.12 * stride,
        place=rng.choices(PLACES, PLACE_WEIGHTS)[0],
        light=rng.choices(LIGHTS, LIGHT_WEIGHTS)[0],
        x=rng.uniform(0.45, 0.55),
        scale=rng.uniform(0.975, 1.025),
        ground=rng.uniform(0.955, 0.98),
    )


def _veiled(view: View, hidden: bool, cut: float) -> View:
    return replace(view, cut=cut) if hidden else view


def figure_height(sighting: Sighting) -> float:
    """From the soles to the top of the head, as a fraction of the image's height; an umbrella needs room above."""
    tall = STATURE.get(sighting.person.build, 0.85) * sighting.view.scale
    return tall * (0.9 if sighting.person.umbrella else 1.0)
