"""Facts: what is true of a person, and which facts a view shows.

A fact is a plain tuple: ("kind", part, kind), ("attribute", part, value), and, of a view only, ("angle", angle),
("pose", pose) and ("place", place). Parts are those of ``PARTS``, "print" and "inner" (the shirt below a jacket).
A kind implies the more general word: a jacket is a top. A red umbrella implies an umbrella.
"""

from __future__ import annotations

from collections.abc import Iterable

from itm_tutorial.worlds.people.person import Person
from itm_tutorial.worlds.people.view import Sighting
from itm_tutorial.worlds.people.wardrobe import GENERAL

Fact = tuple
PARTS = ("person", "head", "upper", "lower", "shoes", "bag", "hat", "umbrella")  # the parts with boxes
OF_VIEW = ("angle", "pose", "place")


def closure(facts: Iterable[Fact]) -> frozenset[Fact]:
    """Adds all implied facts: jeans imply pants."""
    found = set(facts)
    found |= {("kind", part, GENERAL[kind]) for _, part, *rest in found for kind in rest if kind in GENERAL}
    found |= {("kind", part, part) for _, part, *_ in found if part == "umbrella"}
    return frozenset(found)


def person_facts(person: Person) -> frozenset[Fact]:
    """All facts about a person, visible or not; skin is not a fact."""
    return closure(fact for fact in _attributes(person).values() if fact)


def sighting_facts(sighting: Sighting) -> frozenset[Fact]:
    """All facts that an image shows: the visible facts about the person, and those of the view."""
    view, hidden = sighting.view, unseen(sighting)
    facts = {fact for name, fact in _attributes(sighting.person).items() if fact and name not in hidden}
    pose = "walking" if view.walking else "standing"
    return closure(facts | {("angle", view.angle), ("pose", pose), ("place", view.place)})


def _attributes(p: Person) -> dict[str, Fact | None]:
    """Maps every attribute that a description may mention to its fact; None if there is none."""
    haired = p.hair_style != "bald"
    return {
        "sex": ("kind", "person", p.sex),
        "build": ("attribute", "person", p.build) if p.build != "average" else None,
        "hair_style": ("attribute", "head", p.hair_style),
        "hair_colour": ("attribute", "head", p.hair_colour) if haired else None,
        "upper": ("kind", "upper", p.upper),
        "upper_colour": ("attribute", "upper", p.upper_colour),
        "pattern": ("attribute", "upper", p.pattern),
        "sleeves": ("attribute", "upper", f"{p.sleeves} sleeves"),
        "print": ("attribute", "print", p.print) if p.print else None,
        "inner_colour": ("attribute", "inner", p.inner_colour) if p.inner_colour else None,
        "lower": ("kind", "lower", p.lower) if p.lower else None,
        "lower_colour": ("attribute", "lower", p.lower_colour) if p.lower else None,
        "shoes": ("kind", "shoes", p.shoes),
        "shoes_colour": ("attribute", "shoes", p.shoes_colour),
        "bag": ("kind", "bag", p.bag) if p.bag else None,
        "bag_colour": ("attribute", "bag", p.bag_colour) if p.bag else None,
        "hat": ("kind", "hat", p.hat) if p.hat else None,
        "hat_colour": ("attribute", "hat", p.hat_colour) if p.hat else None,
        "umbrella": ("attribute", "umbrella", p.umbrella) if p.umbrella else None,
    }


def unseen(sighting: Sighting) -> frozenset[str]:
    """The attributes of a person that a view hides; from the front, only the straps of a backpack are visible."""
    person, angle, hidden = sighting.person, sighting.view.angle, set()
    if angle != "front":
        hidden |= {"print", "inner_colour"}
    if angle == "front" and person.bag == "backpack":
        hidden |= {"bag", "bag_colour"}
    if (angle == "front" and person.hair_style == "ponytail") or (person.hat and person.hair_style in ("bald", "bun")):
        hidden.add("hair_style")
    if sighting.view.cut < 1:
        hidden |= {"shoes", "shoes_colour"}
    return frozenset(hidden)
