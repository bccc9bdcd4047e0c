"""A dependency parser for short, plain captions: tag the words, group them into phrases, attach from left to right.

The trees use the relations and the parts of speech of Universal Dependencies (https://universaldependencies.org), with
two choices of our own. A phrase such as "in front of", and a quantifier such as "a pair of", is one word with the
relation "fixed" inside, as in Enhanced++ Universal Dependencies (Schuster and Manning, 2016,
https://aclanthology.org/L16-1376/). And a form of "be" that links the subject to an adjective, a noun or a place is the
head of its clause ("xcomp" and "obl" hang on it), as any other verb is.

It reads text alone, and knows only a ``Lexicon``. A word outside the lexicon gets its tag from its ending, and is a
noun when the ending says nothing; a word that no rule attaches hangs on the root as "dep". So any text has a tree.
"""

from __future__ import annotations

from typing import NamedTuple

from itm_tutorial.worlds.parsers.clauses import Sentence
from itm_tutorial.worlds.parsers.phrases import Lexicon, Reading


class Tree(NamedTuple):
    """The dependency tree of one caption, as plain tuples; one entry per word.

    Attributes:
        words: lower case.
        parts_of_speech: tags of Universal Dependencies.
        heads: index of the word that each word hangs on; the root has its own index.
        relations: how each word hangs there.
        shared: (adjective, noun) index pairs that the tree cannot hold: in "a black crown and back", the back is black.
    """

    words: tuple[str, ...]
    parts_of_speech: tuple[str, ...]
    heads: tuple[int, ...]
    relations: tuple[str, ...]
    shared: tuple[tuple[int, int], ...] = ()


def parse(text: str, lexicon: Lexicon) -> Tree:
    """Parses one caption or query.

    Args:
        text: any text; it is cut into words as captions are for the models.
        lexicon: the words that are known.

    Returns:
        Its tree; empty where the text has no word.
    """
    reading = Reading(text, lexicon)
    root = None
    for first, last in reading.sentences():
        top = Sentence(reading, reading.units(first, last)).attach()
        if root is None:
            root = top
            reading.hang(root, root, "root")
        else:
            reading.hang(top, root, "parataxis")
        for w in range(first, last):
            if reading.heads[w] < 0:
                reading.hang(w, top, "dep")
    tags = (tag if tag != "REL" else "PRON" for tag in reading.tags)
    return Tree(
        tuple(reading.words), tuple(tags), tuple(reading.heads), tuple(reading.relations), tuple(reading.shared)
    )
