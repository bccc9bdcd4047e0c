"""The grammar: writes captions of a scene, and keeps the parse that it wrote them from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from itm_tutorial.data.worlds.scenes import lexicon
from itm_tutorial.data.worlds.scenes.dials import Dials
from itm_tutorial.data.worlds.scenes.facts import Fact, relations
from itm_tutorial.data.worlds.scenes.kinds import KINDS
from itm_tutorial.data.worlds.scenes.scene import Scene, Thing
from itm_tutorial.errors import unknown

CAPTIONS_PER_SCENE = 5


@dataclass(frozen=True)
class Word:
    """One word of a caption, as the tokenizer will find it.

    Attributes:
        text: lower case.
        word_class: "noun", "colour", "size", "pattern", "number", "relation", "place", "light", "verb" or "other".
        head: index of the word it hangs on; its own index for the root.
        relation: how it hangs there ("root", "subject", "object", "modifier", "function").
        things: indices of the scene's things that it speaks of.
        meaning: what it stands for in the facts ("red", "dog", 2, ...), or None.
    """

    text: str
    word_class: str
    head: int = 0
    relation: str = "function"
    things: tuple[int, ...] = ()
    meaning: object = None


@dataclass(frozen=True)
class CaptionTruth:
    """A caption with all that the grammar knows of it.

    Attributes:
        text: as a reader sees it.
        words: exactly ``tokenize(text)``, annotated.
        facts: what it states (not what follows from that).
        full: whether it names every named thing with its colour.
    """

    text: str
    words: tuple[Word, ...]
    facts: frozenset[Fact]
    full: bool = False


class _Writer:
    """Collects words and facts while a sentence is written."""

    def __init__(self, scene: Scene, rng: Random, dials: Dials):
        self.scene, self.rng, self.dials = scene, rng, dials
        self.words: list[Word] = []
        self.facts: set[Fact] = set()

    def say(self, phrase: str, word_class: str = "other", things: tuple[int, ...] = (), meaning: object = None) -> None:
        self.words += [Word(w, word_class, -1, "function", things, meaning) for w in phrase.split()]

    def pick(self, options: tuple[str, ...]) -> str:
        """The common word, or by the synonym dial another."""
        return (
            self.rng.choice(options[1:]) if len(options) > 1 and self.rng.random() < self.dials.synonyms else options[0]
        )

    def name(self, i: int, role: str) -> str:
        """Writes the noun phrase of a thing; returns the name that its facts go by."""
        thing, rng, d = self.scene.things[i], self.rng, self.dials
        family = KINDS[thing.kind].family
        general = rng.random() < d.hypernyms and family in lexicon.HYPERNYMS
        called = family if general else thing.kind
        first = len(self.words)
        told = [v for v in (thing.size, thing.pattern) if v in ("small", "large", "striped", "spotted")]
        told = [v for v in told if rng.random() < d.completeness * 0.8]
        coloured = rng.random() < 0.25 + 0.75 * d.completeness
        self._determiner(i, thing, called)
        for value in told:
            options = lexicon.SIZES.get(value) or lexicon.PATTERNS[value]
            self.say(self.pick(options), "size" if value in lexicon.SIZES else "pattern", (i,), value)
        dressed = family == "person"
        if coloured and not dressed:
            self._colour(i, thing)
        noun = self.pick(lexicon.nouns(called))
        head = len(self.words)
        self.say(noun if thing.count == 1 else lexicon.plural(noun), "noun", (i,), called)
        if coloured and dressed:
            self.say("in")
            self._colour(i, thing)
        for w in range(first, len(self.words)):
            hangs = Word("", "").relation if self.words[w].word_class == "other" else "modifier"
            self.words[w] = replace(self.words[w], head=head, relation=role if w == head else hangs)
        self.facts.add(("object", called))
        self.facts.update(("attribute", called, v) for v in (*told, *([thing.colour] if coloured else [])))
        return called

    def _determiner(self, i: int, thing: Thing, called: str) -> None:
        if thing.count == 1:
            self.say("a")
        elif self.rng.random() < self.dials.number_words and called in KINDS:
            self.say(lexicon.NUMBERS[thing.count], "number", (i,), thing.count)
            self.facts.add(("count", called, thing.count))
        else:
            self.say(self.rng.choice(lexicon.VAGUE))

    def _colour(self, i: int, thing: Thing) -> None:
        options = lexicon.COLOUR_SYNONYMS.get(thing.colour, (thing.colour,))
        self.say(self.pick(options), "colour", (i,), thing.colour)

    def relate(self, i: int, a: str, j: int, known: set[Fact]) -> Callable[[str], None] | None:
        """Writes how thing i stands to thing j; returns what to do with j's name, once it is written."""
        kinds = self.scene.things[i].kind, self.scene.things[j].kind
        options = [(f[1], False) for f in known if f[2:] == kinds]
        options += [(f[1], True) for f in known if f[2:] == kinds[::-1] and f[1] != "on"]
        if not options or self.rng.random() >= self.dials.relations:
            self.say(self.rng.choice(lexicon.BESIDE))
            return None
        name, turned = self.rng.choice(sorted(options))
        self.say(self.pick(lexicon.RELATIONS[name, turned]), "relation", (i, j), (name, turned))
        return lambda b: self.facts.add(("relation", name, b, a) if turned else ("relation", name, a, b))

    def verb(self, i: int) -> None:
        thing = self.scene.things[i]
        family = KINDS[thing.kind].family
        singular, plural = self.rng.choice(lexicon.VERBS.get(family, lexicon.LIES))
        self.say(singular if thing.count == 1 else plural, "verb", (i,))

    def place(self) -> None:
        self.say(self.pick(lexicon.PLACES[self.scene.place]), "place", (), self.scene.place)
        self.facts.add(("place", self.scene.place))

    def light(self) -> None:
        if self.scene.light in lexicon.LIGHTS:
            self.say(self.pick(lexicon.LIGHTS[self.scene.light]), "light", (), self.scene.light)
            self.facts.add(("light", self.scene.light))

    def pair(self, i: int, j: int, known: set[Fact], verb: bool) -> None:
        """Two things and how they stand."""
        a = self.name(i, "subject")
        if verb:
            self.verb(i)
        state = self.relate(i, a, j, known)
        b = self.name(j, "object")
        if state:
            state(b)


def describe(scene: Scene, rng: Random, dials: Dials, n: int = CAPTIONS_PER_SCENE) -> list[CaptionTruth]:
    """Writes captions of a scene, all different.

    Args:
        scene: what is to be described.
        rng: the captions' own stream.
        dials: those on text.
        n: how many.

    Returns:
        The captions with their truth.
    """
    found: dict[str, CaptionTruth] = {}
    known = relations(scene)
    while len(found) < n:
        truth = _write(scene, known, rng, dials)
        found.setdefault(truth.text, truth)
    return list(found.values())


def _write(scene: Scene, known: set[Fact], rng: Random, dials: Dials) -> CaptionTruth:
    """One caption, in one of seven shapes."""
    writer = _Writer(scene, rng, dials)
    named = [i for i, thing in enumerate(scene.things) if thing.named]
    order = rng.sample(named, len(named))
    shape = rng.choices(range(7), (8, 10, 26, 16, 12, 8, 20))[0]
    place, light = rng.random() < 0.75 * dials.completeness + 0.1, rng.random() < dials.completeness
    if shape in (2, 6) or len(order) < 2 or rng.random() < 0.6:
        order.sort(key=lambda i: -scene.things[i].spots[0].height)  # what is large is named first, more often than not
        if len(order) > 1 and rng.random() < 0.35:
            order = rng.sample(order, len(order))
    i, j = order[0], order[1 if len(order) > 1 else 0]
    if shape == 0 or i == j:  # A red car on the beach.
        writer.name(i, "root")
        writer.place()
    elif shape == 1:  # There are two dogs near a red car.
        writer.say("there")
        writer.say("is" if scene.things[i].count == 1 else "are", "verb", (i,))
        writer.pair(i, j, known, verb=False)
    elif shape == 2:  # Two dogs stand left of a red car on the beach.
        writer.pair(i, j, known, verb=True)
    elif shape == 3:  # A red car, two dogs and a tree on the beach.
        for number, k in enumerate(order[:3]):
            if number:
                writer.say("and")
            writer.name(k, "subject")
    elif shape == 4:  # On the beach, two dogs stand left of a red car.
        writer.place()
        writer.pair(i, j, known, verb=True)
        place = False
    elif shape == 5:  # A picture of two dogs left of a red car.
        writer.say(rng.choice(("a picture of", "a view of", "a photo of")))
        writer.pair(i, j, known, verb=False)
    else:  # Two dogs stand left of a red car, with a tree nearby.
        writer.pair(i, j, known, verb=True)
        if len(order) > 2:
            writer.say("with")
            writer.name(order[2], "object")
            writer.say("nearby")
    if place and shape != 0:
        writer.place()
    if light:
        writer.light()
    return _finish(writer.words, writer.facts, scene)


def _finish(
    words: list[Word], facts: set[Fact] | frozenset[Fact], scene: Scene | None, full: bool = False
) -> CaptionTruth:
    """Articles, heads and the text as a reader sees it."""
    words = list(words)
    for w, word in enumerate(words[:-1]):
        if word.text in ("a", "an") and word.word_class == "other":
            words[w] = replace(word, text="an" if words[w + 1].text[0] in "aeiou" else "a")
    root = next((w for w, x in enumerate(words) if x.word_class == "verb"), None)
    root = next(w for w, x in enumerate(words) if x.word_class == "noun") if root is None else root
    for w, word in enumerate(words):
        if w == root or word.head < 0 or word.relation in ("root", "subject", "object"):
            words[w] = replace(word, head=root, relation="root" if w == root else word.relation)
    text = " ".join(word.text for word in words)
    if scene is not None:
        named = {t.kind: t.colour for t in scene.things if t.named}
        full = all(("attribute", kind, colour) in facts for kind, colour in named.items())
    return CaptionTruth(text[0].upper() + text[1:] + ".", tuple(words), frozenset(facts), full)


PERTURBATIONS = ("object", "colour", "size", "count", "relation", "place", "binding", "paraphrase")


def perturb(truth: CaptionTruth, kind: str, rng: Random) -> tuple[CaptionTruth, Fact | None] | None:
    """Changes one thing that a caption says, or only how it says it.

    Args:
        truth: a caption with its parse.
        kind: one of ``PERTURBATIONS``; "paraphrase" changes words and no fact.
        rng: chooses where and into what.

    Returns:
        The changed caption and one of the facts that it now states instead (None for a paraphrase);
        None where the caption says nothing of that kind.

    Raises:
        ItmError: there is no such kind.
    """
    if kind not in PERTURBATIONS:
        raise unknown("perturbation", kind, PERTURBATIONS)
    return _PERTURB[kind](truth, rng)


def _at(truth: CaptionTruth, word_class: str) -> list[int]:
    return [w for w, word in enumerate(truth.words) if word.word_class == word_class]


def _noun_of(truth: CaptionTruth, w: int) -> str:
    """The name by which a modifier's thing goes in the facts."""
    thing = truth.words[w].things
    return next(x.meaning for x in truth.words if x.word_class == "noun" and x.things == thing)


def _swap_word(truth: CaptionTruth, w: int, text: str, meaning: object, old: Fact, new: Fact):
    words = list(truth.words)
    words[w] = replace(words[w], text=text, meaning=meaning)
    return _finish(words, truth.facts - {old} | {new}, None), new


def _other_modifier(word_class: str, values: Callable[[Word], list[tuple[str, object]]], sort: str):
    def change(truth: CaptionTruth, rng: Random):
        places = _at(truth, word_class)
        if not places:
            return None
        w = rng.choice(places)
        name, word = _noun_of(truth, w), truth.words[w]
        text, meaning = rng.choice(values(word))
        return _swap_word(truth, w, text, meaning, (sort, name, word.meaning), (sort, name, meaning))

    return change


def _colours(word: Word) -> list[tuple[str, object]]:
    return [(c, c) for c in KINDS["ball"].colours if c != word.meaning]


def _sizes(word: Word) -> list[tuple[str, object]]:
    return [(options[0], size) for size, options in lexicon.SIZES.items() if size != word.meaning]


def _numbers(word: Word) -> list[tuple[str, object]]:
    return [(text, n) for n, text in lexicon.NUMBERS.items() if n != word.meaning]


def _other_object(truth: CaptionTruth, rng: Random):
    said = {word.meaning for word in truth.words}
    places = [w for w in _at(truth, "noun") if truth.words[w].meaning in KINDS]
    if not places:
        return None
    w = rng.choice(places)
    old = truth.words[w].meaning
    new = rng.choice([k.name for k in KINDS.values() if k.family == KINDS[old].family and k.name not in said])
    several = truth.words[w].text in {lexicon.plural(n) for n in lexicon.nouns(old)} - set(lexicon.nouns(old))
    words = list(truth.words)
    words[w] = replace(words[w], text=lexicon.plural(new) if several else new, meaning=new)
    facts = {tuple(new if part == old else part for part in fact) for fact in truth.facts}
    return _finish(words, facts, None), ("object", new)


def _other_relation(truth: CaptionTruth, rng: Random):
    places = _at(truth, "relation")
    if not places or truth.words[places[0]].meaning[0] == "on":
        return None
    name, turned = truth.words[places[0]].meaning
    old = next(fact for fact in truth.facts if fact[0] == "relation" and fact[1] == name)
    new = (*old[:2], old[3], old[2])
    phrase = [replace(truth.words[places[0]], text=t, meaning=(name, not turned), head=-1)
              for t in lexicon.RELATIONS[name, not turned][0].split()]  # fmt: skip
    words = _splice(truth.words, places[0], places[-1] + 1, phrase)
    return _finish(words, truth.facts - {old} | {new}, None), new


def _other_place(truth: CaptionTruth, rng: Random):
    places = _at(truth, "place")
    if not places:
        return None
    old = truth.words[places[0]].meaning
    new = rng.choice([place for place in lexicon.PLACES if place != old])
    phrase = [Word(t, "place", -1, "function", (), new) for t in lexicon.PLACES[new][0].split()]
    words = _splice(truth.words, places[0], places[-1] + 1, phrase)
    return _finish(words, truth.facts - {("place", old)} | {("place", new)}, None), ("place", new)


def _other_binding(truth: CaptionTruth, rng: Random):
    pairs = [(v, w) for v in _at(truth, "colour") for w in _at(truth, "colour") if v < w]
    pairs = [(v, w) for v, w in pairs if truth.words[v].meaning != truth.words[w].meaning]
    if not pairs:
        return None
    v, w = rng.choice(pairs)
    a, b = truth.words[v], truth.words[w]
    words = list(truth.words)
    words[v], words[w] = (replace(x, text=y.text, meaning=y.meaning) for x, y in ((a, b), (b, a)))
    x, y = _noun_of(truth, v), _noun_of(truth, w)
    facts = truth.facts - {("attribute", x, a.meaning), ("attribute", y, b.meaning)}
    return _finish(words, facts | {("attribute", x, b.meaning), ("attribute", y, a.meaning)}, None), (
        "attribute",
        x,
        b.meaning,
    )


def _other_words(truth: CaptionTruth, rng: Random):
    options = []
    for w, word in enumerate(truth.words):
        table = {"size": lexicon.SIZES, "colour": lexicon.COLOUR_SYNONYMS, "pattern": lexicon.PATTERNS}
        same = table.get(word.word_class, {}).get(word.meaning, ())
        if word.word_class == "noun":
            same = lexicon.nouns(word.meaning)
            same = same if word.text in same else tuple(map(lexicon.plural, same))
        options += [(w, text) for text in same if text != word.text]
    if not options:
        return None
    w, text = rng.choice(options)
    words = list(truth.words)
    words[w] = replace(words[w], text=text)
    return _finish(words, truth.facts, None, truth.full), None


def _splice(words: tuple[Word, ...], start: int, stop: int, new: list[Word]) -> list[Word]:
    """Replaces a stretch of words and moves the heads behind it along."""
    shift = len(new) - (stop - start)
    moved = [replace(x, head=x.head + shift) if x.head >= stop else x for x in words]
    return [*moved[:start], *new, *moved[stop:]]


_PERTURB = {
    "object": _other_object,
    "colour": _other_modifier("colour", _colours, "attribute"),
    "size": _other_modifier("size", _sizes, "attribute"),
    "count": _other_modifier("number", _numbers, "count"),
    "relation": _other_relation,
    "place": _other_place,
    "binding": _other_binding,
    "paraphrase": _other_words,
}
