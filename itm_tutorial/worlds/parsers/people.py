"""The parser of the drawn people: their lexicon."""

from __future__ import annotations

from functools import cache

from itm_tutorial.worlds.parsers.caption_parser import Tree, parse
from itm_tutorial.worlds.parsers.phrases import Lexicon
from itm_tutorial.worlds.people import lexicon, wardrobe

_OTHER_NOUNS = "head hair back shoulder hand chest front side profile camera bun ponytail building brick"
_OTHER_NOUNS += " street city park station platform shop store campus river water"
_VERBS = "wears wear wearing dressed carries carry carrying holds hold holding walking walks standing stands facing"
_PHRASES = {  # words that have another part of speech elsewhere
    "has on": ("VERB", "ADP"),
    "tied back": ("VERB", "ADV"),
    "tied up": ("VERB", "ADV"),
    "from behind": ("ADP", "ADV"),
    "running shoes": ("NOUN", "NOUN"),
    "button up shirt": ("NOUN", "NOUN", "NOUN"),
    "zip jacket": ("NOUN", "NOUN"),
    "knit hat": ("ADJ", "NOUN"),
    "hooded sweatshirt": ("ADJ", "NOUN"),
    "upper garment": ("ADJ", "NOUN"),
    "short pants": ("ADJ", "NOUN"),
    "long coat": ("ADJ", "NOUN"),
    "wide brimmed hat": ("ADJ", "ADJ", "NOUN"),
}
_PAIRS = {"dark blue", "long sleeved", "short sleeved", "shoulder length", "polka dot"}


@cache
def people_lexicon() -> Lexicon:
    """Every word that the descriptions of the drawn people use."""
    nouns = {
        word
        for names in (*lexicon.NOUNS.values(), *lexicon.PRINTS.values())
        for name in names
        for word in name.replace("-", " ").split()
    }
    adjectives = {*wardrobe.COLOURS, *wardrobe.HAIR, "sleeveless"}
    tables = (lexicon.COLOURS, lexicon.HAIR_COLOURS, lexicon.STYLES, lexicon.BUILDS, lexicon.PATTERNS)
    adjectives |= {word for table in tables for words in table.values() for word in words if " " not in word}
    in_pairs = {"dark": "ADJ", "blue": "ADJ", "sleeved": "ADJ", "length": "ADJ", "polka": "NOUN", "dot": "ADJ"}
    return Lexicon(
        tags=dict.fromkeys(nouns, "NOUN")
        | dict.fromkeys(_OTHER_NOUNS.split(), "NOUN")
        | dict.fromkeys(adjectives, "ADJ")
        | in_pairs
        | dict.fromkeys(_VERBS.split(), "VERB"),
        phrases=_PHRASES,
        pairs=frozenset(_PAIRS),
        close=frozenset({"chest", "ponytail", "bun", "tied", "over"}),
    )


def parse_description(text: str) -> Tree:
    """Parses a description of a drawn person, or a query about one, from its text alone."""
    return parse(text, people_lexicon())
