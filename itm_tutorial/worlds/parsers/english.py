"""The words that every caption parser knows: the closed classes of English, and phrases that act as one word."""

from __future__ import annotations

_WORDS = {  # part of speech, a tag of Universal Dependencies -> the words that have it
    "DET": "a an the this that these those some several each every all both another any no",
    "PRON": "he she it they him them who which what something someone nobody his her their its my your our whose",
    "CCONJ": "and or but",
    "SCONJ": "while as because if when although",
    "ADP": "in on at by with without near behind above over below under beside beneath between among against along "
    "across around through down up into onto inside outside toward towards before after from for of to off past like "
    "during",
    "AUX": "is are was were am be been being can could will would may might must should do does did",
    "NUM": "one two three four five six seven eight nine ten eleven twelve",
    "ADV": "not very nearby there here indoors outdoors together away alone too also",
    "VERB": "has have had appear appears seen worn held shown made",
}
TAGS: dict[str, str] = {word: tag for tag, words in _WORDS.items() for word in words.split()}
POSSESSIVES = frozenset(("his", "her", "their", "its", "my", "your", "our", "whose"))
RELATIVES = frozenset(("that", "which", "who"))
BE = frozenset(("is", "are", "was", "were", "am", "be", "been", "being"))
LINKING = BE | {"appear", "appears"}  # verbs whose adjective describes the subject
PARTICIPLES = frozenset(("seen", "worn", "held", "shown", "made"))  # those that end neither in -ing nor in -ed
ADJECTIVE_ENDINGS = ("ful", "ous", "ish", "less", "able")

# Phrases that act as one preposition, as in Enhanced++ Universal Dependencies (Schuster and Manning, 2016).
PREPOSITIONS: tuple[str, ...] = (
    "to the left of", "to the right of", "on the left of", "on the right of", "left of", "right of",
    "in front of", "on top of", "at the top of", "next to", "close to", "out of", "because of", "away from",
)  # fmt: skip
QUANTIFIERS: tuple[str, ...] = ("a pair of", "a couple of", "a group of", "a lot of", "a bunch of", "lots of")
CONJUNCTIONS: tuple[str, ...] = ("as well as",)
_PHRASE_TAGS = {"left": "NOUN", "right": "NOUN", "front": "NOUN", "top": "NOUN", "next": "ADJ", "close": "ADJ"}
_PHRASE_TAGS |= {"pair": "NOUN", "couple": "NOUN", "group": "NOUN", "lot": "NOUN", "lots": "NOUN", "bunch": "NOUN"}
_PHRASE_TAGS |= {"as": "ADV", "well": "ADV", "away": "ADV", "out": "ADP", "because": "SCONJ"}


def phrase_tags(phrase: str) -> tuple[str, ...]:
    """The parts of speech of a phrase of ``PREPOSITIONS``, ``QUANTIFIERS`` or ``CONJUNCTIONS``."""
    return tuple(_PHRASE_TAGS.get(word) or TAGS[word] for word in phrase.split())
