"""The grammar: ten descriptions of a portrait, in the style of those that Reed et al. (2016) collected.

They describe what is visible and never name the species: "this bird has a red crown, a short pointed beak and white
wing bars". Each mentions only a small part, and no two are equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from itm_tutorial.worlds.scenes.grammar import CaptionTruth, Word, sentence
from itm_tutorial.worlds.species.portrait import VAGUE, Fact, Part, Portrait, trait_fact

CAPTIONS_PER_PORTRAIT = 10
ASPECTS = ("count", "size", "shape", "pattern", "colour")  # the order of adjectives
_CLASSES = {"count": "number", "size": "size", "shape": "shape", "pattern": "pattern", "colour": "colour"}
_MENTIONED = {
    "count": 0.55,
    "size": 0.5,
    "shape": 0.6,
    "pattern": 0.75,
    "colour": 0.92,
}  # how often an aspect of a named part is mentioned
_PARTS = {1: 7, 2: 25, 3: 36, 4: 22, 5: 10}  # number of parts that a caption names -> weight
_SYNONYM = 0.3  # how often a rarer word replaces the common one
_HASTY, _HEDGE, _ASKEW = 0.05, 0.05, 0.08  # a vague colour; a hedge; adjectives in an unusual order
_POSE = 0.2  # how often a caption ends with the pose and place


@dataclass(frozen=True)
class Lexicon:
    """The words of one world.

    Attributes:
        subject: the word for every individual.
        nouns: part -> words for it, the most common first; a word that ends in s is a plural.
        values: value -> words for it, the most common first; a value that is not listed is used as a word.
        appeal: part -> weight with which it is mentioned.
        poses: (pose, place) -> phrases that follow the subject.
    """

    subject: str
    nouns: dict[str, tuple[str, ...]]
    values: dict[str, tuple[str, ...]]
    appeal: dict[str, float]
    poses: dict[tuple[str, str], tuple[str, ...]]


def _plural(noun: str) -> bool:
    return noun.endswith("s") or noun == "feet"


@dataclass(slots=True)
class _Draft:
    """A mutable ``Word``; the head -1 means none yet."""

    text: str
    word_class: str = "other"
    relation: str = "function"
    things: tuple[int, ...] = ()
    meaning: object = None
    head: int = -1
    stop: str = ""


@dataclass
class _Writer:
    """Collects words and facts while a sentence is written."""

    portrait: Portrait
    lexicon: Lexicon
    rng: Random
    words: list[_Draft] = field(default_factory=list)
    facts: set[Fact] = field(default_factory=set)

    def pick(self, options: Sequence[str]) -> str:
        """The common word, or sometimes another."""
        return self.rng.choice(options[1:]) if len(options) > 1 and self.rng.random() < _SYNONYM else options[0]

    def say(self, phrase: str, word_class: str = "other", relation: str = "function", *of) -> int:
        """Writes words, ``of`` some things and with a meaning; returns the index of the last one."""
        for text in phrase.split():
            self.words.append(_Draft(text, word_class, relation, *of))
        return len(self.words) - 1

    def comma(self) -> None:
        self.words[-1].stop = ","

    def verb(self, phrase: str) -> None:
        self.say(phrase, "verb", "root")

    def mentioned(self, i: int) -> list[tuple[str, str]]:
        """The traits of a part to mention: at least one if it has any."""
        traits = self.portrait.parts[i].traits
        chosen = [trait for trait in traits if self.rng.random() < _MENTIONED[trait[0]]]
        return chosen or ([self.rng.choice(traits)] if traits else [])

    def value(self, i: int, aspect: str, value: str) -> None:
        """Writes one adjective of a part."""
        part, rng = self.portrait.parts[i], self.rng
        vague = [word for word, of in VAGUE.items() if value in of]
        if aspect == "colour" and vague and rng.random() < _HASTY:
            value = rng.choice(vague)
        elif aspect == "colour" and rng.random() < _HEDGE:
            self.say(rng.choice(("mostly", "mainly")), "other", "modifier", (i,))
        phrase = self.pick(self.lexicon.values.get(value, (value,)))
        self.say(phrase, _CLASSES[aspect], "modifier", (i,), value)
        self.facts.add(trait_fact(part.name, aspect, value))

    def noun(self, i: int, role: str) -> int:
        """Writes the noun of a part; returns the index of its head."""
        part = self.portrait.parts[i]
        *before, last = self.pick(self.lexicon.nouns[part.name]).split()
        for word in before:
            self.say(word, "noun", "modifier", (i,), part.name)
        self.facts.add(("object", part.name))
        return self.say(last, "noun", role, (i,), part.name)

    def adjectives(self, i: int, mentioned: list[tuple[str, str]]) -> None:
        order = sorted(mentioned, key=lambda trait: ASPECTS.index(trait[0]))
        if self.rng.random() < _ASKEW:
            self.rng.shuffle(order)
            order.sort(key=lambda trait: trait[0] != "count")  # but a number comes first
        for aspect, value in order:
            self.value(i, aspect, value)

    def article(self, at: int) -> None:
        """Puts "a" or "an" before the noun phrase that begins at ``at``, unless it is a plural."""
        if not _plural(self.words[-1].text):
            article = "an" if self.words[at].text[0] in "aeiou" else "a"
            self.words.insert(at, _Draft(article))

    def phrase(self, i: int, role: str = "object", also: int | None = None, article: bool = True) -> None:
        """A noun phrase: "a short orange beak"; with another part of the same colour, "a black crown and back"."""
        first = len(self.words)
        mentioned = self.mentioned(i)
        if also is not None:
            mentioned = [trait for trait in self.portrait.parts[i].traits if trait[0] == "colour"]
        self.adjectives(i, mentioned)
        self.noun(i, role)
        if article:
            self.article(first)
        head = len(self.words) - 1
        self.hang(first, head)
        if also is not None:
            self.say("and")
            # the shared colour is stated once for both
            colour = next((w for w in range(first, head) if self.words[w].word_class == "colour"), None)
            if colour is not None:
                self.words[colour].things = (i, also)
                self.facts.add(trait_fact(self.portrait.parts[also].name, "colour", self.words[colour].meaning))
            start = len(self.words)
            self.hang(start, self.noun(also, role))

    def hang(self, first: int, head: int) -> None:
        """Sets the head of every word of a phrase that has none yet."""
        for w in range(first, head):
            if self.words[w].head < 0:
                self.words[w].head = head

    def listing(self, parts: Sequence[int], article: bool = True) -> None:
        """Writes noun phrases with commas and an "and"; neighbours of one colour may have one adjective in common."""
        groups = _grouped(self.portrait.parts, parts, self.rng)
        for n, (i, also) in enumerate(groups):
            if n and n == len(groups) - 1:
                self.say(self.rng.choice(("and", "and", "and", "and", "with")) if also is None else "as well as")
            elif n:
                self.comma()
            self.phrase(i, also=also, article=article)

    def clause(self, i: int, determiner: str) -> None:
        """A sentence about one part: "the crown is red"."""
        first = len(self.words)
        self.say(determiner)
        head = self.noun(i, "subject")
        self.hang(first, head)
        plural = _plural(self.words[-1].text)
        hedged = self.rng.random() < _HEDGE
        self.verb(("appear" if plural else "appears") if hedged else ("are" if plural else "is"))
        mentioned = [trait for trait in self.mentioned(i) if trait[0] != "count"] or [self.portrait.parts[i].traits[-1]]
        start = len(self.words)
        for n, (aspect, value) in enumerate(mentioned[:2]):
            if n:
                self.say("and")
            self.value(i, aspect, value)
        self.hang(start, head)

    def subject(self, determiner: str, role: str, adjectives: bool) -> None:
        """Writes the subject, with or without its attributes."""
        first = len(self.words)
        if adjectives:
            self.adjectives(0, self.mentioned(0))
        self.noun(0, role)
        if determiner == "a":
            self.article(first)
        elif determiner:
            self.words.insert(first, _Draft(determiner))
        self.hang(first, len(self.words) - 1)

    def pose(self) -> None:
        """Writes pose and place."""
        portrait = self.portrait
        options = self.lexicon.poses[portrait.pose, portrait.place]
        self.say(self.rng.choice(options), "place", "function", (0,), portrait.place)
        self.facts.update((("pose", portrait.pose), ("place", portrait.place)))


def _grouped(parts: Sequence[Part], chosen: Sequence[int], rng: Random) -> list[tuple[int, int | None]]:
    """Groups pairs of parts of one colour at random."""
    rest, groups = list(chosen), []
    while rest:
        i = rest.pop(0)
        colour = dict(parts[i].traits).get("colour")
        same_colour = [j for j in rest if colour and dict(parts[j].traits).get("colour") == colour]
        also = same_colour[0] if same_colour and rng.random() < 0.6 else None
        if also is not None:
            rest.remove(also)
        groups.append((i, also))
    return groups


def _has(w: _Writer, parts: list[int]) -> None:
    w.subject(w.rng.choice(("this", "this", "the")), "subject", adjectives=w.rng.random() < 0.25)
    w.verb("has")
    w.listing(parts)


def _with(w: _Writer, parts: list[int]) -> None:
    w.subject("a", "root", adjectives=True)
    w.say(w.rng.choice(("with", "with", "that has")))
    w.listing(parts)


def _this_is(w: _Writer, parts: list[int]) -> None:
    w.say("this")
    w.verb("is")
    w.subject("a", "object", adjectives=True)
    w.say(w.rng.choice(("with", "that has")))
    w.listing(parts)


def _clauses(w: _Writer, parts: list[int]) -> None:
    for n, i in enumerate(parts[:3]):
        if n and n == len(parts[:3]) - 1:
            w.say("and")
        elif n:
            w.comma()
        w.clause(i, "the")


def _has_and(w: _Writer, parts: list[int]) -> None:
    w.subject(w.rng.choice(("this", "the")), "subject", adjectives=False)
    w.verb("has")
    w.listing(parts[:-1] or parts)
    if len(parts) > 1:
        w.say("and")
        w.clause(parts[-1], "its")


def _bare(w: _Writer, parts: list[int]) -> None:
    w.subject("", "root", adjectives=True)
    w.say("with")
    w.listing(parts, article=False)


def _pose_first(w: _Writer, parts: list[int]) -> None:
    w.pose()
    w.comma()
    _has(w, parts)


_SHAPES = {_has: 32, _with: 26, _this_is: 11, _clauses: 12, _has_and: 9, _bare: 5, _pose_first: 5}


def describe(portrait: Portrait, lexicon: Lexicon, rng: Random, n: int = CAPTIONS_PER_PORTRAIT) -> list[CaptionTruth]:
    """Writes captions of a portrait; no two are equal.

    Args:
        portrait: the portrait to describe.
        lexicon: the words of its world.
        rng: the random stream of the captions.
        n: number of captions.

    Returns:
        The captions with their truth; ``Word.things`` are indices of ``portrait.parts``.
    """
    found: dict[str, CaptionTruth] = {}
    while len(found) < n:
        truth = _write(portrait, lexicon, rng)
        found.setdefault(truth.text, truth)
    return list(found.values())


def _write(portrait: Portrait, lexicon: Lexicon, rng: Random) -> CaptionTruth:
    writer = _Writer(portrait, lexicon, rng)
    shape = rng.choices(list(_SHAPES), list(_SHAPES.values()))[0]
    many = rng.choices(list(_PARTS), list(_PARTS.values()))[0]
    shape(writer, _chosen(portrait, lexicon, rng, many))
    if shape in (_has, _with, _bare) and rng.random() < _POSE:
        writer.comma()
        writer.pose()
    facts = frozenset(writer.facts)
    colours = {trait_fact(part.name, *trait) for part in portrait.parts[1:] for trait in part.traits}
    words = _rooted(writer.words)
    return CaptionTruth(sentence(words), words, facts, full=colours <= facts)


def _chosen(portrait: Portrait, lexicon: Lexicon, rng: Random, many: int) -> list[int]:
    """The parts to name, in random order; conspicuous ones are named more often."""
    lots = {  # weighted sampling without replacement: the smallest exponential waiting times
        i: rng.expovariate(lexicon.appeal.get(part.name, 1.0)) for i, part in enumerate(portrait.parts) if i
    }
    return sorted(lots, key=lots.__getitem__)[:many]


def _rooted(drafts: list[_Draft]) -> tuple[Word, ...]:
    """Sets the head of the remaining words: the first verb, or else the first noun that is the root."""
    root = next((w for w, x in enumerate(drafts) if x.word_class == "verb"), None)
    if root is None:
        root = next(w for w, x in enumerate(drafts) if x.relation == "root")
    words = []
    for w, x in enumerate(drafts):
        head = root if x.head < 0 or w == root else x.head
        relation = "root" if w == root else "function" if x.relation == "root" else x.relation
        words.append(Word(x.text, x.word_class, head, relation, x.things, x.meaning, x.stop))
    return tuple(words)
