"""Changes to a query about scenes, read from its text alone: one change per kind of minimal pair."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from itm_tutorial.worlds.scenes import lexicon
from itm_tutorial.worlds.scenes.kinds import KINDS
from itm_tutorial.worlds.scenes.palette import COLOURS

_OPPOSITES = {"left": "right", "in front of": "behind", "above": "below", "over": "under"}
_OPPOSITES |= {other: one for one, other in _OPPOSITES.items()}
_COLOUR_OF = {word: colour for colour in COLOURS for word in lexicon.COLOUR_SYNONYMS.get(colour, (colour,))}
_NEXT_NUMBER = {"two": "three", "three": "two", "four": "three"}
_KIND_OF = {noun: name for name in KINDS for noun in lexicon.nouns(name)}
_KIND_OF_PLURAL = {lexicon.plural(noun): name for noun, name in _KIND_OF.items()}
_NOUN = re.compile(rf"\b(?:(an?) )?({'|'.join(sorted({*_KIND_OF, *_KIND_OF_PLURAL}, key=len, reverse=True))})\b", re.I)


def _word(words: Mapping[str, object]) -> re.Pattern:
    return re.compile(rf"\b({'|'.join(words)})\b", re.I)


def exchange_sides(query: str) -> str:
    """Replaces each relation by its opposite: left by right, in front of by behind, above by below.

    Args:
        query: any text.

    Returns:
        The changed text; the same text where it names no such relation.
    """
    return _word(_OPPOSITES).sub(lambda found: _OPPOSITES[found[0].lower()], query)


def swap_colours(query: str) -> str:
    """Swaps the first colour with the next one that differs from it.

    Args:
        query: any text.

    Returns:
        The changed text; the same text where it names fewer than two colours.
    """
    found = list(_word(_COLOUR_OF).finditer(query))
    first = found[0] if found else None
    for other in found[1:]:
        if _COLOUR_OF[other[0].lower()] != _COLOUR_OF[first[0].lower()]:
            between = query[first.end() : other.start()]
            return query[: first.start()] + other[0] + between + first[0] + query[other.end() :]
    return query


def change_count(query: str) -> str:
    """Replaces the first number word by another: two by three, three by two, four by three.

    Args:
        query: any text.

    Returns:
        The changed text; the same text where it has no number word.
    """
    return _word(_NEXT_NUMBER).sub(lambda found: _as(found[0], _NEXT_NUMBER[found[0].lower()]), query, count=1)


def replace_object(query: str) -> str:
    """Replaces the first object by another of its family: a wolf by a dog, two cars by two vans.

    Args:
        query: any text.

    Returns:
        The changed text; the same text where it names no object of the drawn scenes.
    """
    found = _NOUN.search(query)
    if not found:
        return query
    article, noun = found[1], found[2].lower()
    old = _KIND_OF.get(noun) or _KIND_OF_PLURAL[noun]
    named = {_KIND_OF.get(word) or _KIND_OF_PLURAL.get(word) for word in re.findall(r"\w+", query.lower())}
    others = [kind.name for kind in KINDS.values() if kind.family == KINDS[old].family and kind.name not in named]
    if not others:
        return query
    new = others[0] if noun in _KIND_OF else lexicon.plural(others[0])
    if article:
        article = _as(article, "an" if new[0] in "aeiou" else "a")
    return query[: found.start()] + (f"{article} {new}" if article else _as(found[2], new)) + query[found.end() :]


def _as(old: str, new: str) -> str:
    """A word with a capital letter where the one that it replaces has one."""
    return new.capitalize() if old[0].isupper() else new


CHANGES: Mapping[str, Callable[[str], str]] = {  # kind of minimal pair -> the change of that kind
    "relation": exchange_sides,
    "binding": swap_colours,
    "count": change_count,
    "object": replace_object,
}
