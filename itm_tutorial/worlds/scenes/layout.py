"""Samples scenes, and makes the second scene of a minimal pair or a duplicate."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import permutations
from random import Random

from itm_tutorial.worlds.scenes.facts import SURFACE, scene_facts
from itm_tutorial.worlds.scenes.kinds import KINDS, LIGHTS, PLACES, Kind
from itm_tutorial.worlds.scenes.scene import Scene, Spot, Thing, spot_box

# the proportions in which they are tried: nearly every scene allows another object, few allow another count
MINIMAL_PAIR_KINDS = {"binding": 3, "relation": 3, "count": 6, "object": 1}
PLACE_WEIGHTS = (16, 14, 18, 5, 7, 9, 9, 13, 8, 14)  # in the order of PLACES
LIGHT_WEIGHTS = (70, 16, 14)
SIZE = {"small": 0.72, "medium": 1.0, "large": 1.3}
STRAY = 0.02  # how much rarer a thing is outside its usual places
COMPANY = {  # pairs that go together: with the first, the second is more likely by this factor
    ("dog", "ball"): 5.0,
    ("man", "dog"): 2.0,
    ("woman", "bicycle"): 2.0,
    ("girl", "kite"): 4.0,
    ("boy", "ball"): 3.0,
    ("table", "apple"): 4.0,
    ("table", "vase"): 4.0,
    ("sofa", "cat"): 4.0,
    ("house", "oak"): 2.0,
    ("tractor", "barn"): 4.0,
    ("duck", "canoe"): 3.0,
}
WET = {"lake": (0.66, 0.80), "beach": (0.56, 0.66)}  # where the keels of boats may be; the rest of the ground is dry
DRY = {"lake": (0.86, 0.97), "beach": (0.74, 0.97)}
GROUND = (0.66, 0.97)
SKY = (0.18, 0.42)
COUNT_WEIGHTS = (74, 14, 8, 4)


@cache
def _candidates(place: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The kinds that can be in a place, and their weights."""
    able = [
        kind
        for kind in KINDS.values()
        if (kind.habitat != "water" or place in WET) and (kind.habitat != "sky" or place != "room")
    ]
    able = [k for k in able if place in k.places or (place != "room" and k.height < 0.36 and k.habitat != "water")]
    return tuple(k.name for k in able), tuple(k.weight * (1.0 if place in k.places else STRAY) for k in able)


def sample_scene(rng: Random) -> Scene:
    """Samples a place, its light, two to four named things and, where there is room, a distractor.

    Args:
        rng: the random stream of the scene.

    Returns:
        The scene; no thing covers much of another. The distractor comes last.
    """
    place = rng.choices(PLACES, PLACE_WEIGHTS)[0]
    light = rng.choices(LIGHTS, LIGHT_WEIGHTS)[0]
    n_named = rng.choices((2, 3, 4), (45, 40, 15))[0]
    things: list[Thing] = []
    for _ in range(24):
        if len(things) == n_named:
            break
        if thing := _place(_sample_thing(place, things, rng), place, things, rng):
            things.append(thing)
    distractor = _place(_sample_thing(place, things, rng), place, things, rng)
    return Scene(place, light, (*things, *([replace(distractor, named=False)] if distractor else [])))


def without_distractor(scene: Scene) -> Scene:
    """The same scene with its named things only."""
    return replace(scene, things=tuple(thing for thing in scene.things if thing.named))


def _sample_thing(place: str, things: list[Thing], rng: Random) -> Thing:
    """Samples a thing of a kind that the scene lacks, with colour, size and pattern, but no position."""
    names, weights = _candidates(place)
    there = {thing.kind for thing in things}
    boosted = [
        0.0 if name in there else weight * max((COMPANY.get((k, name), 1.0) for k in there), default=1.0)
        for name, weight in zip(names, weights, strict=True)
    ]
    kind = KINDS[rng.choices(names, boosted)[0]]
    colour = rng.choices(kind.colours, [1 / (1 + 0.5 * i) for i in range(len(kind.colours))])[0]
    size = rng.choices(tuple(SIZE), (2, 6, 2))[0]
    pattern = rng.choices(("plain", "striped", "spotted"), (6, 2, 2))[0] if kind.patterns else "plain"
    count = rng.choices((1, 2, 3, 4), COUNT_WEIGHTS)[0] if kind.height <= 0.26 else 1
    return Thing(kind.name, colour, size, pattern, (Spot(0, 0, 0),) * count)


def _place(thing: Thing, place: str, others: list[Thing], rng: Random) -> Thing | None:
    """Finds positions for a thing; None if there is no room."""
    kind = KINDS[thing.kind]
    if kind.habitat == "top" and thing.count == 1 and rng.random() < 0.7:
        for other in others:
            if other.kind in SURFACE and other.count == 1:
                seat = other.spots[0]
                level = seat.y - SURFACE[other.kind] * seat.height
                reach = seat.height * KINDS[other.kind].aspect * 0.3
                height = kind.height * SIZE[thing.size] * 0.9
                spot = Spot(seat.x + rng.uniform(-reach, reach), level, height, rng.random() < 0.5)
                placed = replace(thing, spots=(spot,))
                if level - height > 0.05 and not any(_collide(placed, o) for o in others if o is not other):
                    return placed
    low, high = _band(kind, place)
    for _ in range(12):
        y = rng.uniform(low, high)
        height = kind.height * SIZE[thing.size] * _depth(y, kind)
        width = height * kind.aspect
        step = width * 1.04 + 0.01
        room = 1 - 0.04 - width - step * (thing.count - 1)
        if room <= 0 or y - height < 0.02:
            continue
        x = 0.02 + width / 2 + rng.random() * room
        flip = rng.random() < 0.5
        spots = tuple(Spot(x + i * step, y + rng.uniform(-0.012, 0.012), height, flip) for i in range(thing.count))
        placed = replace(thing, spots=spots)
        if not any(_collide(placed, other) for other in others):
            return placed
    return None


def _band(kind: Kind, place: str) -> tuple[float, float]:
    if kind.habitat == "sky":
        return SKY
    if kind.habitat == "water":
        return WET[place]
    low, high = DRY.get(place, GROUND)
    return (low, low + 0.4 * (high - low)) if kind.height > 0.33 and kind.family != "person" else (low, high)


def _depth(y: float, kind: Kind) -> float:
    """The scale at a height in the image: what is higher up is further away, and smaller."""
    return 1.0 if kind.habitat == "sky" else 0.8 + 0.5 * (y - 0.66)


def _collide(a: Thing, b: Thing) -> bool:
    """Whether one covers more than a seventh of an individual of the other."""
    for spot in a.spots:
        x0, y0, x1, y1 = spot_box(KINDS[a.kind].aspect, spot)
        for other in b.spots:
            u0, v0, u1, v1 = spot_box(KINDS[b.kind].aspect, other)
            shared = max(0.0, min(x1, u1) - max(x0, u0)) * max(0.0, min(y1, v1) - max(y0, v0))
            if shared > 0.15 * min((x1 - x0) * (y1 - y0), (u1 - u0) * (v1 - v0)):
                return True
    return False


def make_minimal_pair(scene: Scene, rng: Random) -> tuple[Scene, str] | None:
    """Makes the second scene of a minimal pair by changing exactly one thing.

    Args:
        scene: the first scene.
        rng: the random stream of the second scene.

    Returns:
        The second scene and the kind of the pair ("binding", "relation", "count" or "object"); None if no change is
        possible.
    """
    for kind in sorted(
        MINIMAL_PAIR_KINDS, key=lambda kind: rng.random() ** (1 / MINIMAL_PAIR_KINDS[kind]), reverse=True
    ):
        changes = {
            "binding": _swap_colours,
            "relation": _swap_sides,
            "count": _one_less,
            "object": _replace_by_same_category,
        }
        for changed in changes[kind](scene, rng):
            if changed and _differs_only_in(kind, scene, changed):
                return changed, kind
    return None


def _with(scene: Scene, changes: dict[int, Thing]) -> Scene:
    return replace(scene, things=tuple(changes.get(i, thing) for i, thing in enumerate(scene.things)))


def _pairs(scene: Scene, rng: Random) -> list[tuple[int, int]]:
    named = [i for i, thing in enumerate(scene.things) if thing.named]
    pairs = [(i, j) for i, j in permutations(named, 2) if i < j]
    return rng.sample(pairs, len(pairs))


def _swap_colours(scene: Scene, rng: Random):
    for i, j in _pairs(scene, rng):
        a, b = scene.things[i], scene.things[j]
        natural = b.colour in KINDS[a.kind].colours and a.colour in KINDS[b.kind].colours
        if a.colour != b.colour and natural:
            yield _with(scene, {i: replace(a, colour=b.colour), j: replace(b, colour=a.colour)})


def _swap_sides(scene: Scene, rng: Random):
    for i, j in _pairs(scene, rng):
        a, b = scene.things[i], scene.things[j]
        shift = _middle(b) - _middle(a)
        changed = _with(scene, {i: _moved(a, shift), j: _moved(b, -shift)})
        inside = all(0.02 < s.x < 0.98 for t in changed.things for s in t.spots)
        apart = not any(_collide(x, y) for x, y in permutations(changed.things, 2) if x.kind < y.kind)
        yield changed if inside and apart else None


def _middle(thing: Thing) -> float:
    return sum(s.x for s in thing.spots) / thing.count


def _moved(thing: Thing, shift: float) -> Thing:
    return replace(thing, spots=tuple(replace(s, x=s.x + shift) for s in thing.spots))


def _one_less(scene: Scene, rng: Random):
    for i, thing in enumerate(scene.things):
        if thing.named and thing.count > 1:
            yield _with(scene, {i: replace(thing, spots=thing.spots[:-1])})


def _replace_by_same_category(scene: Scene, rng: Random):
    there = {thing.kind for thing in scene.things}
    for i, thing in enumerate(scene.things):
        old = KINDS[thing.kind]
        same_category = [
            k for k in KINDS.values() if k.family == old.family and k.name not in there and k.habitat == old.habitat
        ]
        same_category = [
            k for k in same_category if thing.colour in k.colours and (k.patterns or thing.pattern == "plain")
        ]
        if thing.named and same_category and thing.kind not in SURFACE:
            new = rng.choice(same_category)
            spots = tuple(replace(s, height=s.height * min(1.2, new.height / old.height)) for s in thing.spots)
            changed = _with(scene, {i: replace(thing, kind=new.name, spots=spots)})
            apart = not any(_collide(changed.things[i], o) for j, o in enumerate(changed.things) if j != i)
            yield changed if apart and all(s.y - s.height > 0 for s in spots) else None


def _differs_only_in(kind: str, a: Scene, b: Scene) -> bool:
    """Whether the two scenes differ only in facts of the kind that was changed."""
    only_a, only_b = scene_facts(a) - scene_facts(b), scene_facts(b) - scene_facts(a)
    if kind == "object":  # a fact about the old kind became the same fact about the new one
        old, new = next((x.kind, y.kind) for x, y in zip(a.things, b.things, strict=True) if x.kind != y.kind)
        return {tuple(new if part == old else part for part in fact) for fact in only_a} == only_b
    sort = {"binding": "attribute", "count": "count", "relation": "relation"}[kind]
    if not only_a or any(fact[0] != sort for fact in only_a | only_b):
        return False
    if kind == "relation":  # the relation of one pair is reversed
        return {(s, n, y, x) for s, n, x, y in only_a} == only_b and len(
            {frozenset(f[2:]) for f in _kinds_only(only_a)}
        ) == 1
    return True


def _kinds_only(facts):
    return [f for f in facts if f[2] in KINDS and f[3] in KINDS]
