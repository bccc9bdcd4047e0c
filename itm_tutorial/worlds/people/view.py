"""A view: where a camera stood, what the person did just then, and what hid the shoes."""

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
STATURE = {"tall": 0.925, "short": 0.775}  # of the figure, in heights of the picture; 0.85 for all others


@dataclass(frozen=True)
class View:
    """How one camera saw a person.

    Attributes:
        angle: "front", "back" or "side".
        flip: from the side, whether the person looks to the left.
        walking: or standing.
        stride: how far the legs and arms swing, -1 to 1.
        place: a name in ``PLACES``.
        light: a name in ``LIGHTS``.
        x: the middle of the figure, in widths of the picture.
        scale: of the figure, about 1.
        ground: where the soles are, in heights of the picture.
        cut: where the top edge of something before the shoes is, in heights of the picture; 1 where nothing is.
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
    """What a picture shows: a person, as one camera saw them."""

    person: Person
    view: View


def sample_views(rng: Random, veil: Random, occlusion: float) -> list[View]:
    """Draws the two to four views of a person; the first three have three angles.

    Args:
        rng: the person's stream for views.
        veil: the stream that decides where something stands before the shoes.
        occlusion: how often it does.
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
    """From the soles to the top of the head, in heights of the picture; under an umbrella there must be room for it."""
    tall = STATURE.get(sighting.person.build, 0.85) * sighting.view.scale
    return tall * (0.9 if sighting.person.umbrella else 1.0)
