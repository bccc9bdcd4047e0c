"""A person: the attributes that are the same in all views. Sampled with a long tail; some have a look-alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from random import Random

from itm_tutorial.worlds.people import wardrobe
from itm_tutorial.worlds.people.wardrobe import Weights

UMBRELLAS = 0.06
SWAP = "binding"  # the look-alike with exchanged colours of top and trousers


@dataclass(frozen=True)
class Person:
    """An identity. Every attribute is a name in ``wardrobe``, or "" for nothing.

    Attributes:
        sex: "man" or "woman".
        build: "average", "slim", "heavy", "tall" or "short".
        skin: drawn, but never described.
        hair_style, hair_colour: a bald head has a hair colour too, which is not visible.
        upper, upper_colour, pattern, sleeves: of the top; a dress is a top without anything below.
        print: on the chest, seen from the front.
        inner_colour: of the shirt below a jacket or coat, seen from the front.
        lower, lower_colour, shoes, shoes_colour: clothes below the waist.
        bag, bag_colour, hat, hat_colour: accessories.
        umbrella: its colour.
    """

    sex: str
    build: str
    skin: str
    hair_style: str
    hair_colour: str
    upper: str
    upper_colour: str
    pattern: str
    sleeves: str
    print: str
    inner_colour: str
    lower: str
    lower_colour: str
    shoes: str
    shoes_colour: str
    bag: str
    bag_colour: str
    hat: str
    hat_colour: str
    umbrella: str


def _pick(weights: Weights, rng: Random) -> str:
    return rng.choices(tuple(weights), tuple(weights.values()))[0]


def sample_person(rng: Random) -> Person:
    """Samples a person; jeans and black are common, an orange coat is not.

    Args:
        rng: the random stream of the person.
    """
    sex = _pick(wardrobe.SEXES, rng)
    upper = _pick(wardrobe.UPPERS[sex], rng)
    colour = _pick(_top_colours(upper), rng)
    pattern = _pick(wardrobe.PATTERNS, rng) if upper in wardrobe.PATTERNED else "plain"
    prints = upper in wardrobe.PRINTED and pattern == "plain"
    lower = _lower(sex, upper, rng)
    shoes, bag, hat = _pick(wardrobe.SHOES, rng), _pick(wardrobe.BAGS[sex], rng), _pick(wardrobe.HATS[sex], rng)
    hair_style, hair_colour = _pick(wardrobe.HAIR_STYLES[sex], rng), _pick(wardrobe.HAIR_COLOURS, rng)
    return Person(
        sex=sex,
        build=_pick(wardrobe.BUILDS, rng),
        skin=_pick(wardrobe.SKIN_WEIGHTS, rng),
        hair_style=hair_style,
        hair_colour=hair_colour,
        upper=upper,
        upper_colour=colour,
        pattern=pattern,
        sleeves=_pick(wardrobe.SLEEVES[upper], rng) if upper in wardrobe.SLEEVES else "long",
        print=_pick(wardrobe.PRINTS, rng) if prints else "",
        inner_colour=_other(wardrobe.TOP_COLOURS, colour, rng) if upper in wardrobe.OPEN else "",
        lower=lower,
        lower_colour=_pick(wardrobe.LOWER_COLOURS[lower], rng) if lower else "",
        shoes=shoes,
        shoes_colour=_pick(wardrobe.SHOE_COLOURS[shoes], rng),
        bag=bag,
        bag_colour=_other(wardrobe.BAG_COLOURS, colour, rng) if bag else "",
        hat=hat,
        hat_colour=_other(wardrobe.HAT_COLOURS, hair_colour, rng) if hat else "",
        umbrella=_pick(wardrobe.UMBRELLA_COLOURS, rng) if rng.random() < UMBRELLAS else "",
    )


def _lower(sex: str, upper: str, rng: Random) -> str:
    """Samples clothes for the legs: none below a dress, and none that a coat would cover."""
    if upper == "dress":
        return ""
    weights = wardrobe.LOWERS[sex]
    return _pick({k: w for k, w in weights.items() if upper != "coat" or k in ("jeans", "trousers")}, rng)


def _other(weights: Weights, than: str, rng: Random) -> str:
    """A colour with contrast: a black bag on a black coat would be invisible."""
    return _pick({value: weight for value, weight in weights.items() if value != than}, rng)


def changes(person: Person, rng: Random) -> Iterator[tuple[str, Person]]:
    """Look-alikes of a person, each with one changed attribute, in random order.

    Args:
        person: the person.
        rng: the random stream of the look-alike.

    Yields:
        (attribute, look-alike); for "binding" the colours of top and trousers are exchanged.
    """
    options = _options(person)
    for attribute in rng.sample(list(options), len(options)):
        if attribute == SWAP:
            yield SWAP, replace(person, upper_colour=person.lower_colour, lower_colour=person.upper_colour)
        else:
            yield attribute, replace(person, **{attribute: _pick(options[attribute], rng)})


def _options(person: Person) -> dict[str, Weights]:
    """The attributes in which a look-alike may differ, with the other possible values."""
    styles = {style: w for style, w in wardrobe.HAIR_STYLES[person.sex].items() if style != "bald"}
    top, haired = _top_colours(person.upper), person.hair_style != "bald"
    tables = {
        "hair_style": styles if haired else {},
        "hair_colour": {c: w for c, w in wardrobe.HAIR_COLOURS.items() if haired and c != person.hat_colour},
        "upper_colour": {c: w for c, w in top.items() if c not in (person.bag_colour, person.inner_colour)},
        "pattern": wardrobe.PATTERNS if person.upper in wardrobe.PATTERNED and not person.print else {},
        "print": {p: w for p, w in wardrobe.PRINTS.items() if p} if person.print else {},
        "lower_colour": wardrobe.LOWER_COLOURS.get(person.lower, {}),
        "shoes_colour": wardrobe.SHOE_COLOURS[person.shoes],
        "bag": {bag: w for bag, w in wardrobe.BAGS[person.sex].items() if bag} if person.bag else {},
        "bag_colour": {c: w for c, w in wardrobe.BAG_COLOURS.items() if person.bag and c != person.upper_colour},
        "hat_colour": {c: w for c, w in wardrobe.HAT_COLOURS.items() if person.hat and c != person.hair_colour},
        "umbrella": wardrobe.UMBRELLA_COLOURS if person.umbrella else {},
    }
    options = {name: {v: w for v, w in table.items() if v != getattr(person, name)} for name, table in tables.items()}
    options[SWAP] = {"": 1} if _may_swap(person, top) else {}
    return {name: table for name, table in options.items() if table}


def _top_colours(upper: str) -> Weights:
    return wardrobe.COAT_COLOURS if upper in wardrobe.OPEN else wardrobe.TOP_COLOURS


def _may_swap(person: Person, top: Weights) -> bool:
    """Whether top and trousers may exchange their colours: both must be usual, and a bag must stay visible."""
    known = person.upper_colour in wardrobe.LOWER_COLOURS.get(person.lower, {}) and person.lower_colour in top
    hidden = person.lower_colour in (person.bag_colour, person.inner_colour)
    return known and person.lower_colour != person.upper_colour and not hidden


def differing(a: Person, b: Person) -> set[str]:
    """The attributes in which two people differ."""
    return {f.name for f in fields(Person) if getattr(a, f.name) != getattr(b, f.name)}
