"""Facts: what is true of a scene, what a caption states, and what follows from what.

A fact is a plain tuple. ("object", kind), ("attribute", kind, value), ("count", kind, n),
("relation", name, kind, kind),
("place", place), ("light", light). A kind stands in a scene at most once, so that its name says which thing is meant.
Relations have one name each: left, front, above, on; "right of" is "left of", turned round.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations

from itm_tutorial.worlds.scenes.kinds import KINDS
from itm_tutorial.worlds.scenes.scene import Scene, Thing

Fact = tuple
SURFACE = {"table": 1.0, "stool": 1.0, "bench": 0.5, "bed": 0.55, "sofa": 0.5, "chair": 0.5}  # seat over height


def relations(scene: Scene) -> set[Fact]:
    """Every relation that the geometry bears out, between named things."""
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
    """All that is true of a scene's named things, what follows from it included."""
    facts: set[Fact] = {("place", scene.place), ("light", scene.light), *relations(scene)}
    for thing in scene.things:
        if thing.named:
            facts.add(("object", thing.kind))
            facts.add(("count", thing.kind, thing.count))
            facts.update(("attribute", thing.kind, value) for value in (thing.colour, thing.size, thing.pattern))
    return closure(facts)


def closure(facts: Iterable[Fact]) -> frozenset[Fact]:
    """Facts and what follows: an attribute or a relation implies its object, a kind implies its family.

    Args:
        facts: any facts.

    Returns:
        The facts with all that they imply. Numbers do not pass to the family: two dogs may be three animals.
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
    """The share of stated facts that are true; 1 where nothing is stated."""
    stated = list(stated)
    return sum(fact in true for fact in stated) / len(stated) if stated else 1.0


def entails(premise: Iterable[Fact], conclusion: Iterable[Fact]) -> bool:
    """Whether whoever believes the premise must believe the conclusion."""
    return set(conclusion) <= closure(premise)
