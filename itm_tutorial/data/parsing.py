"""Parsed captions: dependency trees, noun phrases, attributes and triples, and all of these as tensors.

A drawn world parses its own language by rules, from the text alone (``worlds.parsers``). Captions of photographs are
parsed by spaCy, which is an extra of the package. Both give a ``Parse`` in the terms of Universal Dependencies
(https://universaldependencies.org), and a free-text query goes the same way as a caption.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Protocol

import torch
from torch import Tensor

from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.text import tokenize
from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.worlds.parsers.people import parse_description
from itm_tutorial.worlds.parsers.scenes import parse_scene_caption
from itm_tutorial.worlds.parsers.species import parse_bird_caption, parse_flower_caption

_RELATIONS = """
    acl advcl advmod amod appos aux case cc ccomp clf compound conj cop csubj dep det discourse dislocated expl fixed
    flat goeswith iobj list mark nmod nsubj nummod obj obl orphan parataxis punct reparandum root vocative xcomp
"""
_PARTS_OF_SPEECH = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X"
RELATIONS = tuple(_RELATIONS.split())
PARTS_OF_SPEECH = tuple(_PARTS_OF_SPEECH.split())

_RELATION_IDS = {name: i + 1 for i, name in enumerate(RELATIONS)}
_TAG_IDS = {name: i + 1 for i, name in enumerate(PARTS_OF_SPEECH)}
_WORLD_PARSERS = {  # drawn world -> the parser of one caption
    "scenes": parse_scene_caption,
    "objects": parse_scene_caption,  # its captions are single nouns of the scenes
    "people": parse_description,
    "birds": parse_bird_caption,
    "flowers": parse_flower_caption,
}
_SORT = {"PROPN": "NOUN", "PRON": "NOUN", "NUM": "ADJ", "AUX": "VERB"}  # of words that "and" may join

Triple = tuple[int, tuple[int, ...], int]


@dataclass(frozen=True)
class Parse:
    """The parse of one caption; every index counts the words of ``data.text.tokenize`` from 0.

    Attributes:
        words: lower case, as the tokenizer gives them.
        heads: index of the word that each word hangs on; the root has its own index.
        relations: how it hangs there, one of ``RELATIONS``.
        parts_of_speech: one of ``PARTS_OF_SPEECH`` per word.
        noun_phrases: (start, end) spans, end excluded: a noun with its determiner, numbers, adjectives and compounds.
        attributes: (attribute, object) word pairs: adjectives and numbers, as in "red car", "two dogs", "the car is
            red" and "a man in red".
        triples: (subject, words of the relation, object): verbs with their objects, and prepositions.

    Raises:
        ItmError: the lengths differ, a name is unknown, an index is out of range, or the heads are not one tree.
    """

    words: tuple[str, ...]
    heads: tuple[int, ...]
    relations: tuple[str, ...]
    parts_of_speech: tuple[str, ...]
    noun_phrases: tuple[tuple[int, int], ...] = ()
    attributes: tuple[tuple[int, int], ...] = ()
    triples: tuple[Triple, ...] = ()

    def __post_init__(self):
        n, what = len(self.words), f"parse of {' '.join(self.words)!r}"
        for name in ("heads", "relations", "parts_of_speech"):
            if len(getattr(self, name)) != n:
                raise ItmError(
                    f"{what}: {name} has {len(getattr(self, name))} entries for {n} words; give one per word"
                )
        for name, values, known in (
            ("dependency relation", self.relations, _RELATION_IDS),
            ("part of speech", self.parts_of_speech, _TAG_IDS),
        ):
            for value in values:
                if value not in known:
                    raise unknown(f"{name} in the {what}:", value, known)
        _check_tree(self.heads, what)
        for start, end in self.noun_phrases:
            if not 0 <= start < end <= n:
                raise ItmError(f"{what}: the noun phrase ({start}, {end}) is no span of its {n} words")
        used = [w for pair in self.attributes for w in pair]
        used += [w for subject, relation, other in self.triples for w in (subject, *relation, other)]
        for w in used:
            if not 0 <= w < n:
                raise ItmError(f"{what}: an attribute or triple names word {w}; its words are 0 to {n - 1}")
        if not all(relation for _, relation, _ in self.triples):
            raise ItmError(f"{what}: a triple has no word for its relation; give one word or more")

    @classmethod
    def from_tree(
        cls,
        words: Sequence[str],
        heads: Sequence[int],
        relations: Sequence[str],
        parts_of_speech: Sequence[str],
        more_attributes: Iterable[tuple[int, int]] = (),
    ) -> Parse:
        """Completes a dependency tree with the phrases, attributes and triples that follow from it.

        Args:
            words, heads, relations, parts_of_speech: see ``Parse``.
            more_attributes: (attribute, object) pairs that the tree cannot hold.

        Returns:
            The parse.

        Raises:
            ItmError: see ``Parse``.
        """
        tree = cls(tuple(words), tuple(heads), tuple(relations), tuple(parts_of_speech))
        view = _TreeView(tree)
        attributes = tuple(sorted({*view.attributes(), *more_attributes}))
        return cls(
            tree.words,
            tree.heads,
            tree.relations,
            tree.parts_of_speech,
            tuple(view.noun_phrases()),
            attributes,
            tuple(sorted(set(view.triples()))),
        )

    @property
    def root(self) -> int:
        """The index of the root."""
        return next(w for w, head in enumerate(self.heads) if w == head)

    def text(self, indices: Iterable[int]) -> str:
        """The words at some indices, as one text: ``parse.text(range(*parse.noun_phrases[0]))``."""
        return " ".join(self.words[w] for w in indices)

    def __str__(self) -> str:
        """One line per word: its index, part of speech, relation and head."""
        lines = zip(self.words, self.parts_of_speech, self.relations, self.heads, strict=True)
        return "\n".join(
            f"{w:>3} {word:<14} {tag:<6} {relation:<10} {'' if w == head else self.words[head]}".rstrip()
            for w, (word, tag, relation, head) in enumerate(lines)
        )


def _check_tree(heads: Sequence[int], what: str) -> None:
    """Refuses heads that are not one tree."""
    for w, head in enumerate(heads):
        if not 0 <= head < len(heads):
            raise ItmError(f"{what}: word {w} hangs on word {head}; heads are 0 to {len(heads) - 1}")
    roots = [w for w, head in enumerate(heads) if w == head]
    if len(roots) != 1:
        raise ItmError(f"{what}: {len(roots)} words are their own head; exactly one, the root, must be")
    reaches = set(roots)
    for w in range(len(heads)):
        way = []
        while w not in reaches:
            if w in way:
                raise ItmError(f"{what}: the heads form a cycle through word {w}; hang one of its words elsewhere")
            way.append(w)
            w = heads[w]
        reaches.update(way)


class _TreeView:
    """Reads phrases, attributes and triples off a tree."""

    def __init__(self, parse: Parse):
        self.parse = parse
        self.sorts = [_SORT.get(tag, tag) for tag in parse.parts_of_speech]
        self.children: dict[int, list[tuple[int, str]]] = {}  # of the words that have any, with their relations
        for w, head in enumerate(parse.heads):
            if w != head:
                self.children.setdefault(head, []).append((w, parse.relations[w]))

    def _of(self, head: int, *relations: str) -> list[int]:
        """The dependents with one of these relations, in order."""
        return [w for w, relation in self.children.get(head, ()) if relation in relations]

    def _with_conjuncts(self, words: list[int]) -> list[int]:
        """The words, and the words of the same sort (nouns, attributes, verbs) that "and" or a comma joins to them."""
        sorts = self.sorts
        return [x for w in words for x in (w, *(c for c in self._of(w, "conj") if sorts[c] == sorts[w]))]

    def _cases(self, word: int) -> tuple[int, ...]:
        """The preposition of a noun, with all its words: "to the left of"."""
        return tuple(sorted(x for case in self._of(word, "case") for x in (case, *self._of(case, "fixed"))))

    def _is_noun(self, word: int) -> bool:
        return self.parse.parts_of_speech[word] in ("NOUN", "PROPN") and self.parse.relations[word] not in (
            "compound",
            "fixed",
            "flat",
        )

    def noun_phrases(self) -> list[tuple[int, int]]:
        return [(self._first(w), w + 1) for w in range(len(self.parse.words)) if self._is_noun(w)]

    def _first(self, noun: int) -> int:
        """The first word of a noun phrase."""
        rest = self._of(noun, "det", "amod", "nummod", "compound", "flat")
        rest += [x for x in self._of(noun, "nmod") if self.parse.parts_of_speech[x] == "PRON"]  # "his hair"
        first = noun
        while rest:
            w = rest.pop()
            if w < noun:
                first = min(first, w)
                rest += self._of(w, "advmod", "amod", "compound", "conj", "cc", "fixed", "flat")
        return first

    def attributes(self) -> list[tuple[int, int]]:
        tags, found = self.parse.parts_of_speech, []
        for w, children in self.children.items():
            modifiers = [x for x, r in children if r in ("amod", "nummod") or (r == "nmod" and tags[x] == "ADJ")]
            found += [(a, w) for a in self._with_conjuncts(modifiers)]  # "red car", "two dogs", "a man in red"
            modifiers = [x for x, r in children if r == "xcomp" and tags[x] in ("ADJ", "NUM")]  # "the car is red"
            found += product(self._with_conjuncts(modifiers), self._subjects(w) if modifiers else ())
        return found

    def _subjects(self, verb: int) -> list[int]:
        """The subjects of a verb; a verb without one has that of the verb it hangs on, or the noun it describes."""
        relations, seen = self.parse.relations, set()
        while verb not in seen:
            seen.add(verb)
            subjects = self._of(verb, "nsubj")
            if relations[verb] == "acl":  # the subject of "that has" is the noun before it
                return [self.parse.heads[verb]]
            if subjects:
                return self._with_conjuncts(subjects)
            if relations[verb] not in ("conj", "advcl", "xcomp"):
                break
            verb = self.parse.heads[verb]
        return []

    def triples(self) -> list[Triple]:
        tags, found = self.parse.parts_of_speech, []
        for w in self.children:
            if tags[w] in ("VERB", "AUX"):
                objects = self._objects(w)
                found += [(s, r, o) for s in (self._subjects(w) if objects else ()) for r, o in objects if s != o]
            elif self._is_noun(w):
                for o in self._of(w, "nmod"):
                    cases = self._cases(o)
                    if cases and tags[o] != "ADJ":
                        found += [(w, cases, c) for c in self._with_conjuncts([o])]
        return found

    def _objects(self, verb: int) -> list[tuple[tuple[int, ...], int]]:
        """(words of the relation, object) of a verb: "is" adds nothing to the preposition behind it."""
        tags = self.parse.parts_of_speech
        words = tuple(sorted((verb, *(x for x in self._of(verb, "compound") if x > verb))))
        found = [
            (words, o) for o in self._with_conjuncts(self._of(verb, "obj", "xcomp")) if tags[o] not in ("ADJ", "NUM")
        ]
        for o in self._of(verb, "obl"):
            cases = self._cases(o)
            if cases:
                found += [(cases if tags[verb] == "AUX" else (*words, *cases), c) for c in self._with_conjuncts([o])]
        return found


class Parser(Protocol):
    """What parses captions: a function, or an object that is called like one."""

    def __call__(self, captions: list[str]) -> list[Parse]:
        """Parses captions, each for itself: a caption's parse does not depend on the others."""
        ...


class WorldParser:
    """The rule-based parser of a drawn world; it reads the text alone.

    Text outside the world's language is parsed as well: an unknown word gets its part of speech from its ending, and is
    a noun when the ending says nothing; a word that no rule attaches hangs on the root of its sentence as "dep".

    Args:
        world: "scenes", "objects", "people", "birds" or "flowers".

    Raises:
        ItmError: no drawn world has this name.
    """

    def __init__(self, world: str):
        if world not in _WORLD_PARSERS:
            raise unknown("drawn world", world, _WORLD_PARSERS)
        self.world, self._parse = world, _WORLD_PARSERS[world]

    def __call__(self, captions: list[str]) -> list[Parse]:
        check_captions(captions)
        trees = map(self._parse, captions)
        return [Parse.from_tree(t.words, t.heads, t.relations, t.parts_of_speech, t.shared) for t in trees]

    def __repr__(self) -> str:
        return f"WorldParser({self.world!r})"


def parser_for(corpus: Corpus) -> Parser:
    """Chooses the parser of a corpus: a drawn world's own, or spaCy for captions of photographs.

    Args:
        corpus: any corpus.

    Returns:
        The parser.

    Raises:
        ItmError: the captions need spaCy, and spaCy or its English model is not installed.
    """
    if corpus.drawn:
        return WorldParser(corpus.name)
    from itm_tutorial.data.spacy_parser import SpacyParser

    return SpacyParser()


def check_captions(captions: Iterable[str]) -> None:
    """Refuses captions without a word.

    Raises:
        ItmError: names the number of the first such caption.
    """
    for number, caption in enumerate(captions):
        if not tokenize(caption):
            raise ItmError(f"caption {number} has no word in it ({caption!r}): remove it or write one")


def parse_captions(captions: list[str], parser: Parser) -> list[Parse]:
    """Parses captions or queries, and checks that their words are those that the models read.

    Args:
        captions: n_captions texts.
        parser: see ``parser_for``.

    Returns:
        n_captions parses.

    Raises:
        ItmError: a caption has no word in it, or the parser splits one into other words than the tokenizer.

    Example:
        >>> parse_captions(["A red car near a tree."], WorldParser("scenes"))[0].noun_phrases
        ((0, 3), (4, 6))
    """
    captions = list(captions)
    check_captions(captions)
    parses = parser(captions)
    if len(parses) != len(captions):
        raise ItmError(
            f"the parser gave {len(parses)} parses for {len(captions)} captions; it must give one per caption"
        )
    for number, (caption, parse) in enumerate(zip(captions, parses, strict=True)):
        if list(parse.words) != tokenize(caption):
            raise ItmError(
                f"caption {number} ({caption!r}): the parser's words are {' '.join(parse.words)!r}; "
                "split captions with itm_tutorial.data.text.tokenize"
            )
    return parses


def parse_tensors(parses: Sequence[Parse], ends: bool = False) -> dict[str, Tensor]:
    """Parses as padded tensors, for a batch of captions.

    Positions count words from 0, or, with ``ends``, tokens: ``Vocabulary.encode`` puts <start> before the words and
    <end> behind them. An entry of padding is 0 everywhere; so are the ids of <start> and <end>.

    Args:
        parses: n_captions parses.
        ends: whether position 0 is <start>, and the position behind the last word is <end>.

    Returns:
        Named tensors on the CPU, int64 unless noted:
        "heads" [n_captions, seq_len], the position of each word's head;
        "relations" [n_captions, seq_len], 1 + the index in ``RELATIONS``;
        "parts_of_speech" [n_captions, seq_len], 1 + the index in ``PARTS_OF_SPEECH``;
        "noun_phrases" [n_captions, n_phrases, 2], (start, end) with end excluded;
        "attributes" [n_captions, n_attributes, 2], (attribute, object);
        "triples" [n_captions, n_triples, 3], (subject, relation, object); the relation is the word that says most, such
        as "left" in "stands to the left of";
        "noun_phrase_mask", "attribute_mask", "triple_mask": bool, True for what is no padding.
    """
    first = int(ends)
    tensors = {
        "heads": _sequences([[head + first for head in p.heads] for p in parses], ends),
        "relations": _sequences([[_RELATION_IDS[name] for name in p.relations] for p in parses], ends),
        "parts_of_speech": _sequences([[_TAG_IDS[name] for name in p.parts_of_speech] for p in parses], ends),
    }
    groups = {
        "noun_phrase": [p.noun_phrases for p in parses],
        "attribute": [p.attributes for p in parses],
        "triple": [[(s, relation_word(p, relation), o) for s, relation, o in p.triples] for p in parses],
    }
    for name, rows in groups.items():
        tensors[f"{name}s"], tensors[f"{name}_mask"] = _tuples(rows, 3 if name == "triple" else 2, first)
    return tensors


def relation_word(parse: Parse, relation: Sequence[int]) -> int:
    """The word that says most in the relation of a triple: the last one that is not "of", "to" or "the"."""
    return next((w for w in reversed(relation) if parse.words[w] not in ("of", "to", "the")), relation[-1])


def _sequences(rows: list[list[int]], ends: bool) -> Tensor:
    """Lists of numbers, one per word, as one matrix [n, seq_len] with zeros behind the shorter ones."""
    rows = [[0, *row, 0] if ends else row for row in rows]
    longest = max(map(len, rows), default=0)
    return torch.tensor([row + [0] * (longest - len(row)) for row in rows], dtype=torch.int64).view(len(rows), longest)


def _tuples(rows: list[Sequence[tuple[int, ...]]], width: int, first: int) -> tuple[Tensor, Tensor]:
    """Lists of tuples of positions as [n, most, width], and the mask [n, most] of those that are there."""
    counts = torch.tensor([len(row) for row in rows], dtype=torch.int64)
    most = int(counts.max()) if rows else 0
    flat = [[tuple(x + first for x in entry) for entry in row] + [(0,) * width] * (most - len(row)) for row in rows]
    numbers = torch.tensor(flat, dtype=torch.int64).view(len(rows), most, width)
    return numbers, torch.arange(most) < counts[:, None]
