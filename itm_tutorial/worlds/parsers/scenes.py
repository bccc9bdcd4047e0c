"""The parser of the drawn scenes: their lexicon."""

from __future__ import annotations

from functools import cache

from itm_tutorial.worlds.parsers.caption_parser import Tree, parse
from itm_tutorial.worlds.parsers.phrases import Lexicon
from itm_tutorial.worlds.scenes import lexicon
from itm_tutorial.worlds.scenes.kinds import KINDS
from itm_tutorial.worlds.scenes.palette import COLOURS

_PLACE_NOUNS = "field grass meadow beach sea street city desert snow landscape forest woods lake park farm room"
_PLACE_ADJECTIVES = "green sandy dry snowy"
_OTHER_NOUNS = "sunset evening night dark picture view photo clothes"


@cache
def scene_lexicon() -> Lexicon:
    """Every word that the captions of the drawn scenes use."""
    families = {kind.family for kind in KINDS.values()}
    names = {noun for name in {*KINDS, *families} for noun in lexicon.nouns(name)}
    names |= {lexicon.plural(name) for name in names}
    adjectives = {*COLOURS, *_PLACE_ADJECTIVES.split()}
    for table in (lexicon.SIZES, lexicon.STATURES, lexicon.COLOUR_SYNONYMS, lexicon.PATTERNS):
        adjectives.update(word for words in table.values() for word in words)
    verbs = {form for forms in (*lexicon.VERBS.values(), lexicon.LIES) for pair in forms for form in pair}
    verbs = {form.split()[-1] for form in verbs} - {"is", "are"}
    return Lexicon(
        tags=dict.fromkeys(f"{_PLACE_NOUNS} {_OTHER_NOUNS}".split(), "NOUN")
        | dict.fromkeys(names, "NOUN")
        | dict.fromkeys(adjectives, "ADJ")
        | dict.fromkeys(verbs, "VERB"),
        phrases={"living room": ("NOUN", "NOUN")},
        close=frozenset({"clothes", "nearby"}),
    )


def parse_scene_caption(text: str) -> Tree:
    """Parses a caption of the drawn scenes, or a query about them, from its text alone."""
    return parse(text, scene_lexicon())
