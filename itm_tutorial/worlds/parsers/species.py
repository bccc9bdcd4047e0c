"""The parsers of the drawn birds and flowers: their lexicons, from the words of each world."""

from __future__ import annotations

from functools import cache

from itm_tutorial.worlds.birds.world import WORLD as BIRDS
from itm_tutorial.worlds.flowers.world import WORLD as FLOWERS
from itm_tutorial.worlds.parsers.caption_parser import Tree, parse
from itm_tutorial.worlds.parsers.phrases import Lexicon
from itm_tutorial.worlds.species.portrait import COLOURS, VAGUE

_PLACE_NOUNS = {
    "birds": "branch grass sand shore snow water lake sky flight",
    "flowers": "cluster spike stem leaves meadow grass soil sky pot others",
}
_VERBS = "perched sitting standing swimming floating flying growing clustered appear appears"
_ADJECTIVES = "long short sandy round tall green dark bare blue narrow inner"
_ADJECTIVES += " sized shaped"  # the second words of pairs
_PAIRS = {"medium sized", "cup shaped", "bell shaped", "heart shaped", "light green", "dark green", "pale green"}


@cache
def species_lexicon(name: str) -> Lexicon:
    """Every word that the captions of the drawn birds or flowers use.

    Args:
        name: "birds" or "flowers".
    """
    words = {"birds": BIRDS, "flowers": FLOWERS}[name].lexicon
    nouns = {part for names in words.nouns.values() for noun in names for part in noun.split()}
    adjectives = {*COLOURS, *VAGUE, *_ADJECTIVES.split()}
    adjectives |= {word for key, values in words.values.items() for word in (key, *values) if " " not in word}
    first = {"cup": "NOUN", "bell": "NOUN", "heart": "NOUN", "medium": "ADJ", "pale": "ADJ"}
    return Lexicon(
        tags=dict.fromkeys(adjectives, "ADJ")
        | dict.fromkeys(nouns - {"inner"}, "NOUN")
        | dict.fromkeys(_PLACE_NOUNS[name].split(), "NOUN")
        | first
        | {"mostly": "ADV", "mainly": "ADV", "many": "ADJ", "numerous": "ADJ"}
        | dict.fromkeys(_VERBS.split(), "VERB"),
        phrases={"inner ring": ("ADJ", "NOUN")},
        pairs=frozenset(_PAIRS),
        shares=True,
    )


def parse_bird_caption(text: str) -> Tree:
    """Parses a caption of a drawn bird, or a query about one, from its text alone."""
    return parse(text, species_lexicon("birds"))


def parse_flower_caption(text: str) -> Tree:
    """Parses a caption of a drawn flower, or a query about one, from its text alone."""
    return parse(text, species_lexicon("flowers"))
