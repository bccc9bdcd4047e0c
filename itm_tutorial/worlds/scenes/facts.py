"""Facts: what is true of a scene, what a caption states, and what facts imply.

A fact is a plain tuple: ("object", kind), ("attribute", kind, value), ("count", kind, n),
("relation", name, kind, kind), ("place", place), ("light", light). A scene has at most one thing per kind, so the kind
identifies the thing. Each relation has one name: left, front, above, on; "right of" is "left of" with exchanged things.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations

from itm_tutorial.worlds.scenes.kinds import KINDS
from itm_tutorial.worlds.scenes.scene import Scene, Thing

Fact = tuple
SURFACE = {"table": 1.0, "stool": 1.0, "bench": 0.5, "bed": 0.55, "sofa": 0.5, "chair": 0.5}  # seat over height


def relations(scene: Scene) -> set[Fact]:
    """Every relation between named things that holds by their positions."""
    named = [thing for thing in scene.things if thing.named]
    return {
        ("relation", name, a.kind, b.kind)
        for a, b in permutations(named, 2)
        for name, holds in (("left", _left), ("front", _front), ("above", _above), ("on", _on))
        if holds(a, b)
    }


def _left(a: Thing, b: Thing) -> bool:
    return max(s.x for s in a.spots) + 0.12 < min(s.x for s in b.spots)


def _front(a: Thing, b: Thing) -> bool:
    on_ground = all(KINDS[t.kind].habitat != "sky" for t in (a, b))
    near = abs(a.spots[0].x - b.spots[0].x) < 0.3
    return on_ground and near and min(s.y for s in a.spots) > max(s.y for s in b.spots) + 0.09 and not _on(b, a)


def _above(a: Thing, b: Thing) -> bool:
    return KINDS[a.kind].habitat == "sky" != KINDS[b.kind].habitat


def _on(a: Thing, b: Thing) -> bool:
    if b.kind not in SURFACE or KINDS[a.kind].habitat != "top":
        return False
    seat = b.spots[0]
    half = seat.height * KINDS[b.kind].aspect / 2
    level = seat.y - SURFACE[b.kind] * seat.height
    return all(abs(s.x - seat.x) < half and abs(s.y - level) < 0.02 for s in a.spots)


def scene_facts(scene: Scene) -> frozenset[Fact]:
    """All facts about a scene's named things, including implied ones."""
    facts: set[Fact] = {("place", scene.place), ("light", scene.light), *relations(scene)}
    for thing in scene.things:
        if thing.named:
            facts.add(("object", thing.kind))
            facts.add(("count", thing.kind, thing.count))
            facts.update(("attribute", thing.kind, value) for value in (thing.colour, thing.size, thing.pattern))
    return closure(facts)


def closure(facts: Iterable[Fact]) -> frozenset[Fact]:
    """Adds all implied facts: an attribute or a relation implies its object, a kind implies its family.

    Args:
        facts: any facts.

    Returns:
        The facts and all that they imply. A count of a kind implies none of its family: there may be other animals.
    """
    found: set[Fact] = set()
    for fact in facts:
        found.add(fact)
        sort, *rest = fact
        kinds = rest[1:] if sort == "relation" else rest[:1] if sort in ("object", "attribute", "count") else []
        for kind in kinds:
            found.update((("object", kind), ("object", _family(kind))))
        if sort == "attribute":
            found.add((sort, _family(rest[0]), rest[1]))
        elif sort == "relation":
            name, a, b = rest
            found.update((sort, name, x, y) for x in (a, _family(a)) for y in (b, _family(b)))
    return frozenset(found)


def _family(kind: str) -> str:
    return KINDS[kind].family if kind in KINDS else kind


def relevance(stated: Iterable[Fact], true: frozenset[Fact]) -> float:
    """The fraction of stated facts that are true; 1 where nothing is stated."""
    stated = list(stated)
    return sum(fact in true for fact in stated) / len(stated) if stated else 1.0


def entails(premise: Iterable[Fact], conclusion: Iterable[Fact]) -> bool:
    """Whether the premise implies the conclusion."""
    return set(conclusion) <= closure(premise)
