"""What a text states about a drawn scene, statement by statement, and which statements are true of a picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from itm_tutorial.data.corpus import Split
from itm_tutorial.data.parsing import Parse, WorldParser
from itm_tutorial.data.text import tokenize
from itm_tutorial.worlds.scenes import lexicon
from itm_tutorial.worlds.scenes.facts import Fact
from itm_tutorial.worlds.scenes.kinds import KINDS
from itm_tutorial.worlds.scenes.palette import COLOURS
from itm_tutorial.worlds.scenes.scene import Scene

_RELATION_WORDS = {  # the word that decides -> (relation, whether its two things are exchanged), as facts name it
    phrase.removeprefix("to the ").removeprefix("in ").split()[0]: name
    for name, phrases in lexicon.RELATIONS.items()
    for phrase in phrases
}
_SHOWN = {"left": "left of", "front": "in front of", "above": "above", "on": "on"}


@dataclass(frozen=True)
class Statement:
    """One statement of a text.

    Attributes:
        subject: the kind that it is about, "dog"; empty for a place, the light and a relation.
        words: what is stated: "dog", "white", "three", "dog left of cat", "on the beach".
        fact: the same as a fact of the drawn world, such as ("attribute", "dog", "white").
    """

    subject: str
    words: str
    fact: Fact


def has_statements(split: Split) -> bool:
    """Whether the pictures of a split are drawn scenes, so that ``statements`` of a text are true or false of them."""
    return split.facts is not None and bool(split.facts.scenes) and isinstance(split.facts.scenes[0], Scene)


def statements(text: str) -> list[Statement]:
    """Reads the statements of a caption or a query about drawn scenes from its text alone.

    Words that state nothing about a scene, and words outside its language, are passed over.

    Args:
        text: a caption or a query.

    Returns:
        Its statements: per thing its kind, number and attributes, then relations, place and light.
    """
    if not tokenize(text):
        return []
    (parse,) = WorldParser("scenes")([text])
    names = _names()
    things = {w: names[word] for w, word in enumerate(parse.words) if word in names}
    found = []
    for w, name in things.items():
        found.append(Statement(name, name, ("object", name)))
        found += [_attribute(name, parse.words[a]) for a in _modifiers(parse, w) if _attribute(name, parse.words[a])]
    for subject, words, other in parse.triples:
        if subject in things and other in things:
            found += _relation(things[subject], things[other], [parse.words[w] for w in words])
    for sort, table in (("place", lexicon.PLACES), ("light", lexicon.LIGHTS)):
        for name, phrases in table.items():
            if {phrase.split()[-1] for phrase in phrases} & set(parse.words):
                found.append(Statement("", phrases[0], (sort, name)))
    return list(dict.fromkeys(found))


def _modifiers(parse: Parse, thing: int) -> list[int]:
    """The attributes of a thing, as word indices; those of a person's clothes are the person's."""
    clothes = {o for s, _, o in parse.triples if s == thing and parse.words[o] == "clothes"}
    return [a for a, noun in parse.attributes if noun == thing or noun in clothes]


def _attribute(name: str, word: str) -> Statement | None:
    """What an adjective or a number says about a thing; None for one that states nothing about a scene."""
    sort, value = _adjectives(KINDS[name].family if name in KINDS else name).get(word, ("", None))
    return Statement(name, str(word), (sort, name, value)) if sort else None


def _relation(a: str, b: str, words: list[str]) -> list[Statement]:
    for word in reversed(words):
        if word in _RELATION_WORDS:
            name, turned = _RELATION_WORDS[word]
            a, b = (b, a) if turned else (a, b)
            return [Statement("", f"{a} {_SHOWN[name]} {b}", ("relation", name, a, b))]
    return []


@cache
def _names() -> dict[str, str]:
    """Each noun, singular or plural -> the kind or family that facts use."""
    families = {kind.family for kind in KINDS.values()}
    nouns = {noun: name for name in (*families, *KINDS) for noun in lexicon.nouns(name)}
    return {**{lexicon.plural(noun): name for noun, name in nouns.items()}, **nouns}


@cache
def _adjectives(family: str) -> dict[str, tuple[str, object]]:
    """Each word that describes a thing of a family -> (sort of fact, value)."""
    tables = [lexicon.sizes(family), lexicon.PATTERNS]
    tables.append({colour: lexicon.COLOUR_SYNONYMS.get(colour, (colour,)) for colour in COLOURS})
    found = {word: ("attribute", value) for table in tables for value, words in table.items() for word in words}
    return found | {word: ("count", number) for number, word in lexicon.NUMBERS.items()}
