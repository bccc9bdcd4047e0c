"""The drawing of scenes: boxes, colours, determinism, speed."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from itm_tutorial.worlds.scenes.drawing import draw_scene
from itm_tutorial.worlds.scenes.kinds import FAMILIES, KINDS, LIGHTS, PLACES
from itm_tutorial.worlds.scenes.layout import sample_scene
from itm_tutorial.worlds.scenes.palette import COLOURS
from itm_tutorial.worlds.scenes.scene import Scene, Spot, Thing, boxes
from itm_tutorial.worlds.scenes.templates import TEMPLATES


def alone(
    kind: str, colour: str | None = None, place: str = "park", flip: bool = False, pattern: str = "plain"
) -> Scene:
    height = min(0.6, 0.8 / KINDS[kind].aspect)
    spot = Spot(0.5, 0.85, height, flip)
    return Scene(place, "day", (Thing(kind, colour or KINDS[kind].colours[0], "medium", pattern, (spot,)),))


def difference_box(scene: Scene, size: int = 128) -> tuple[float, ...]:
    """The box of the pixels that change when the things are taken out."""
    drawn, empty = (draw_scene(s, size, Random(1)).astype(int) for s in (scene, replace(scene, things=())))
    ys, xs = np.nonzero(np.abs(drawn - empty).sum(axis=2) > 24)
    return tuple(v / size for v in (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1))


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    shared = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_fills_its_box(kind: str, flip: bool):
    scene = alone(kind, flip=flip)
    assert overlap(difference_box(scene), boxes(scene)[0]) > 0.6


def test_every_family_has_a_template():
    assert set(TEMPLATES) == set(FAMILIES)


@pytest.mark.parametrize("kind", KINDS)
def test_the_colour_shows(kind: str):
    pictures = [draw_scene(alone(kind, colour), 64, Random(1)) for colour in ("red", "blue")]
    assert (pictures[0] != pictures[1]).any(axis=2).mean() > 0.01


@pytest.mark.parametrize("kind", [k.name for k in KINDS.values() if k.patterns])
def test_patterns_show(kind: str):
    pictures = [draw_scene(alone(kind, pattern=p), 128, Random(1)) for p in ("plain", "striped", "spotted")]
    assert (pictures[0] != pictures[1]).any() and (pictures[0] != pictures[2]).any()
    assert (pictures[1] != pictures[2]).any()


def test_same_stream_same_bytes_and_nothing_leaks_into_the_kept_background():
    scene = sample_scene(Random(3))
    first = draw_scene(scene, 96, Random(5))
    draw_scene(sample_scene(Random(4)), 96, Random(5))
    assert first.dtype == np.uint8 and first.shape == (96, 96, 3)
    assert (first == draw_scene(scene, 96, Random(5))).all()


def test_places_and_lights_look_different():
    pictures = [draw_scene(Scene(p, light, ()), 32, Random(0)).tobytes() for p in PLACES for light in LIGHTS]
    assert len(set(pictures)) == len(PLACES) * len(LIGHTS)


def test_night_is_darker_than_day():
    for place in PLACES:
        day, night = (draw_scene(Scene(place, light, ()), 32, Random(0)).mean() for light in ("day", "night"))
        assert night < day


def test_sketch_differs_from_paint():
    scene = alone("house")
    assert (draw_scene(scene, 64, Random(0)) != draw_scene(scene, 64, Random(0), style="sketch")).any()


def test_colours_can_be_distinguished():
    values = np.array(list(COLOURS.values()), dtype=float)
    distance = np.linalg.norm(values[:, None] - values[None], axis=2) + 1e3 * np.eye(len(values))
    assert distance.min() > 40
