"""The grammar: writes captions of a scene, together with their parse."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate, combinations
from random import Random

from itm_tutorial.errors import unknown
from itm_tutorial.worlds.scenes import lexicon
from itm_tutorial.worlds.scenes.configuration import Configuration
from itm_tutorial.worlds.scenes.facts import Fact, relations
from itm_tutorial.worlds.scenes.kinds import KINDS
from itm_tutorial.worlds.scenes.palette import COLOURS
from itm_tutorial.worlds.scenes.scene import Scene, Thing
from itm_tutorial.worlds.streams import stream

CAPTIONS_PER_SCENE = 5
SHAPES = {  # of a sentence: (how common it is, how long it is from -1 to 1)
    "thing": (8, -1),  # A red car on the beach.
    "there is": (10, -0.5),  # There are two dogs near a red car.
    "verb": (26, 0),  # Two dogs stand to the left of a red car on the beach.
    "list": (16, 0),  # A red car, two dogs and a tree on the beach.
    "place first": (12, 0),  # On the beach, two dogs stand to the left of a red car.
    "picture of": (8, -0.5),  # A picture of two dogs near a red car.
    "company": (20, 1),  # Two dogs stand to the left of a red car, with a tree nearby.
}
_CAPTION_LOTS = ("shape", "place", "place word", "light", "light word", "large first", "not after all", "opening")
_CAPTION_LOTS += ("turned", "verb", "relation", "which relation", "relation word", "beside")
_THING_LOTS = ("order", "mixed", "general", "noun", "size", "size word", "pattern", "pattern word")
_THING_LOTS += ("colour", "colour word", "number", "vague")


@dataclass(frozen=True)
class Word:
    """One word of a caption, as the tokenizer splits it.

    Attributes:
        text: lower case.
        word_class: "noun", "colour", "size", "pattern", "number", "relation", "place", "light", "verb" or "other".
        head: index of its head; its own index for the root.
        relation: the dependency relation to its head ("root", "subject", "object", "modifier", "function").
        things: indices of the scene's things that it is about.
        meaning: its value in the facts ("red", "dog", 2, ...), or None.
        stop: the punctuation after it.
    """

    text: str
    word_class: str
    head: int = 0
    relation: str = "function"
    things: tuple[int, ...] = ()
    meaning: object = None
    stop: str = ""


@dataclass(frozen=True)
class CaptionTruth:
    """A caption with its parse and facts.

    Attributes:
        text: the caption.
        words: the tokens ``tokenize(text)``, annotated.
        facts: the stated facts (without implied ones).
        full: whether it names every named thing with its colour.
    """

    text: str
    words: tuple[Word, ...]
    facts: frozenset[Fact]
    full: bool = False


class _Lots:
    """The random numbers of one caption, all drawn at once, so that each setting changes only what it controls."""

    def __init__(self, rng: Random, n_things: int):
        draw = rng.random
        self._of_caption = {name: draw() for name in _CAPTION_LOTS}
        self._of_thing = [{name: draw() for name in _THING_LOTS} for _ in range(n_things)]

    def __call__(self, name: str, thing: int | None = None) -> float:
        return self._of_caption[name] if thing is None else self._of_thing[thing][name]


def _choose(options: Sequence, lot: float):
    return options[int(lot * len(options))]


class _Writer:
    """Collects words and facts while a sentence is written."""

    def __init__(self, scene: Scene, lots: _Lots, configuration: Configuration):
        self.scene, self.lots, self.configuration = scene, lots, configuration
        self.words: list[Word] = []
        self.facts: set[Fact] = set()

    def say(self, phrase: str, word_class: str = "other", things: tuple[int, ...] = (), meaning: object = None) -> None:
        self.words += [Word(w, word_class, -1, "function", things, meaning) for w in phrase.split()]

    def comma(self) -> None:
        self.words[-1] = replace(self.words[-1], stop=",")

    def pick(self, options: tuple[str, ...], lot: float) -> str:
        """The common word or a synonym, as often as configured."""
        rare = self.configuration.synonyms
        return _choose(options[1:], lot / rare) if len(options) > 1 and lot < rare else options[0]

    def name(self, i: int, role: str) -> str:
        """Writes the noun phrase of a thing; returns the kind or family that its facts use."""
        thing, lot, d = self.scene.things[i], self.lots, self.configuration
        family = KINDS[thing.kind].family
        called = family if lot("general", i) < d.hypernyms and family in lexicon.HYPERNYMS else thing.kind
        size = thing.size if thing.size != "medium" and lot("size", i) < 0.8 * d.completeness else None
        pattern = thing.pattern if thing.pattern != "plain" and lot("pattern", i) < 0.8 * d.completeness else None
        colour = thing.colour if lot("colour", i) < 0.25 + 0.75 * d.completeness else None
        dressed, first = family == "person", len(self.words)
        self._determiner(i, thing, called)
        if size:
            self.say(self.pick(lexicon.sizes(called)[size], lot("size word", i)), "size", (i,), size)
        if not dressed:
            self._looks(i, pattern, colour)
        noun, head = self.pick(lexicon.nouns(called), lot("noun", i)), len(self.words)
        self.say(noun if thing.count == 1 else lexicon.plural(noun), "noun", (i,), called)
        if dressed and (pattern or colour):
            self.say("in")
            self._looks(i, pattern, colour)
            if pattern:
                self.say("clothes")
        for w in range(first, len(self.words)):
            hangs = "function" if self.words[w].word_class == "other" else "modifier"
            self.words[w] = replace(self.words[w], head=head, relation=role if w == head else hangs)
        self.facts.add(("object", called))
        self.facts.update(("attribute", called, value) for value in (size, pattern, colour) if value)
        return called

    def _determiner(self, i: int, thing: Thing, called: str) -> None:
        if thing.count == 1:
            self.say("a")
        elif self.lots("number", i) < self.configuration.number_words and called in KINDS:
            self.say(lexicon.NUMBERS[thing.count], "number", (i,), thing.count)
            self.facts.add(("count", called, thing.count))
        else:
            self.say(_choose(lexicon.VAGUE, self.lots("vague", i)))

    def _looks(self, i: int, pattern: str | None, colour: str | None) -> None:
        if pattern:
            self.say(self.pick(lexicon.PATTERNS[pattern], self.lots("pattern word", i)), "pattern", (i,), pattern)
        if colour:
            options = lexicon.COLOUR_SYNONYMS.get(colour, (colour,))
            self.say(self.pick(options, self.lots("colour word", i)), "colour", (i,), colour)

    def relate(self, i: int, a: str, j: int, known: set[Fact], verb: bool) -> Callable[[str], None] | None:
        """Writes the relation of thing i to thing j; returns a function that adds its fact, given the name of j."""
        kinds = self.scene.things[i].kind, self.scene.things[j].kind
        options = [(f[1], False) for f in known if f[2:] == kinds]
        options += [(f[1], True) for f in known if f[2:] == kinds[::-1] and f[1] != "on"]
        if not options or self.lots("relation") >= self.configuration.relations:
            self.say(_choose(lexicon.BESIDE[: 3 if verb else 4], self.lots("beside")))
            return None
        name, turned = _choose(sorted(options), self.lots("which relation"))
        word = self.pick(lexicon.RELATIONS[name, turned], self.lots("relation word"))
        self.say(word, "relation", (i, j), (name, turned))
        return lambda b: self.facts.add(("relation", name, b, a) if turned else ("relation", name, a, b))

    def verb(self, i: int) -> None:
        thing = self.scene.things[i]
        singular, plural = _choose(lexicon.VERBS.get(KINDS[thing.kind].family, lexicon.LIES), self.lots("verb"))
        self.say(singular if thing.count == 1 else plural, "verb", (i,))

    def place(self) -> None:
        place = self.scene.place
        self.say(self.pick(lexicon.PLACES[place], self.lots("place word")), "place", (), place)
        self.facts.add(("place", place))

    def light(self) -> None:
        light = self.scene.light
        if light in lexicon.LIGHTS:
            self.say(self.pick(lexicon.LIGHTS[light], self.lots("light word")), "light", (), light)
            self.facts.add(("light", light))

    def pair(self, i: int, j: int, known: set[Fact], verb: bool) -> None:
        """Writes two things and their relation."""
        a = self.name(i, "subject")
        if verb:
            self.verb(i)
        add_fact = self.relate(i, a, j, known, verb)
        b = self.name(j, "object")
        if add_fact:
            add_fact(b)


def describe(
    scene: Scene, rng: Random, configuration: Configuration, n: int = CAPTIONS_PER_SCENE
) -> list[CaptionTruth]:
    """Writes captions of a scene; no two of them have the same facts and the same shape.

    Args:
        scene: the scene to describe.
        rng: the random stream of the captions.
        configuration: the settings of the text.
        n: number of captions.

    Returns:
        The captions with their truth.
    """
    found: dict[tuple[str, frozenset[Fact]], CaptionTruth] = {}
    known = relations(scene)
    while len(found) < n:
        shape, truth = _write(scene, known, rng, configuration)
        found.setdefault(
            (shape, truth.facts), truth
        )  # not by its text, since with other settings two texts may coincide
    return list(found.values())


def _write(scene: Scene, known: set[Fact], rng: Random, configuration: Configuration) -> tuple[str, CaptionTruth]:
    """Writes one caption; returns its shape, one of seven, and the caption."""
    named = [i for i, thing in enumerate(scene.things) if thing.named]
    lots = _Lots(rng, len(named))  # named things come first in a scene
    writer = _Writer(scene, lots, configuration)
    shape = _shape(lots("shape"), configuration.length, len(named))
    place = lots("place") < 0.75 * configuration.completeness + 0.1 and shape not in ("thing", "place first")
    order = _order(scene, named, lots, shape)
    i, j = order[0], order[1 if len(order) > 1 else 0]
    kinds = scene.things[i].kind, scene.things[j].kind
    if lots("turned") < configuration.order and not known & {
        ("relation", "on", *kinds),
        ("relation", "on", *kinds[::-1]),
    }:
        i, j = j, i  # except for "on", which has no reverse phrase
    if shape == "thing" or i == j:
        writer.name(order[0], "root")
        writer.place()
    elif shape == "list":
        for number, k in enumerate(order[:3]):
            if number == len(order[:3]) - 1:
                writer.say("and")
            elif number:
                writer.comma()
            writer.name(k, "subject")
    else:
        if shape == "there is":
            writer.say("there")
            writer.say("is" if scene.things[i].count == 1 else "are", "verb", (i,))
        elif shape == "place first":
            writer.place()
            writer.comma()
        elif shape == "picture of":
            writer.say(_choose(("a picture of", "a view of", "a photo of"), lots("opening")))
        writer.pair(i, j, known, verb=shape in ("verb", "place first", "company"))
        if shape == "company":
            writer.comma()
            writer.say("with")
            writer.name(order[2], "object")
            writer.say("nearby")
    if place:
        writer.place()
    if lots("light") < configuration.completeness:
        writer.light()
    return shape, _finish(writer.words, writer.facts, scene)


@cache
def _shape_weights(length: float) -> list[float]:
    """Cumulative weights of the shapes; the setting makes short or long ones up to 16 times rarer."""
    return list(accumulate(common * 256 ** (long * (length - 0.5)) for common, long in SHAPES.values()))


def _shape(lot: float, length: float, n_named: int) -> str:
    weights = _shape_weights(length)
    shape = list(SHAPES)[bisect(weights, lot * weights[-1])]
    return "verb" if shape == "company" and n_named < 3 else shape


def _order(scene: Scene, named: list[int], lots: _Lots, shape: str) -> list[int]:
    """The order in which things are named; large things come first more often."""
    order = sorted(named, key=lambda i: lots("order", i))
    if shape in ("verb", "company") or lots("large first") < 0.6:
        order.sort(key=lambda i: -scene.things[i].spots[0].height)
        if lots("not after all") < 0.35:
            order.sort(key=lambda i: lots("mixed", i))
    return order


def _finish(
    words: Iterable[Word], facts: set[Fact] | frozenset[Fact], scene: Scene | None, full: bool = False
) -> CaptionTruth:
    """Adds articles, heads and the text."""
    words = list(words)
    for w, word in enumerate(words[:-1]):
        if word.text in ("a", "an") and word.word_class == "other":
            words[w] = replace(word, text="an" if words[w + 1].text[0] in "aeiou" else "a")
    root = next((w for w, x in enumerate(words) if x.word_class == "verb"), None)
    root = next(w for w, x in enumerate(words) if x.word_class == "noun") if root is None else root
    for w, word in enumerate(words):
        if w == root or word.head < 0 or word.relation in ("root", "subject", "object"):
            words[w] = replace(word, head=root, relation="root" if w == root else word.relation)
    if scene is not None:
        named = {t.kind: t.colour for t in scene.things if t.named}
        full = all(("attribute", kind, colour) in facts for kind, colour in named.items())
    return CaptionTruth(sentence(words), tuple(words), frozenset(facts), full)


def sentence(words: Iterable[Word]) -> str:
    """Joins words to a sentence with a capital letter and a full stop."""
    text = " ".join(word.text + word.stop for word in words)
    return text[0].upper() + text[1:] + "."


PERTURBATIONS = ("object", "colour", "size", "count", "relation", "place", "binding", "paraphrase")
Candidate = tuple[Iterable[Word], set[Fact] | frozenset[Fact]]


@dataclass(frozen=True)
class Change:
    """A caption with one thing changed.

    Attributes:
        truth: the changed caption.
        was: the facts that it no longer states.
        now: the facts that it states instead; both are empty for a paraphrase.
    """

    truth: CaptionTruth
    was: frozenset[Fact]
    now: frozenset[Fact]


def perturb(
    truth: CaptionTruth, kind: str, rng: Random | None = None, true: frozenset[Fact] = frozenset()
) -> Change | None:
    """Changes one fact of a caption, or only its wording.

    Args:
        truth: a caption with its parse.
        kind: one of ``PERTURBATIONS``; "paraphrase" changes words and no fact.
        rng: chooses the word and its replacement; by default a stream that depends on the caption only.
        true: the facts of the scene, so that the changed caption is not true by chance.

    Returns:
        The changed caption, and the facts that changed; None if the caption states nothing of that kind.

    Raises:
        ItmError: there is no such kind.
    """
    if kind not in PERTURBATIONS:
        raise unknown("perturbation", kind, PERTURBATIONS)
    candidates = list(_PERTURB[kind](truth))
    (rng or stream("perturb", kind, truth.text)).shuffle(candidates)
    for words, facts in candidates:
        was, now = truth.facts - facts, frozenset(facts - truth.facts)
        if kind == "paraphrase" or (now and not now <= true):
            return Change(_finish(words, facts, None, truth.full), was, now)
    return None


def _noun_of(truth: CaptionTruth, w: int) -> str:
    """The kind or family that the facts use for a modifier's thing."""
    thing = truth.words[w].things
    return next(x.meaning for x in truth.words if x.word_class == "noun" and x.things == thing)


def _with_word(truth: CaptionTruth, w: int, text: str, meaning: object) -> list[Word]:
    words = list(truth.words)
    words[w] = replace(words[w], text=text, meaning=meaning)
    return words


def _other_modifier(word_class: str, sort: str, values: Callable[[str], dict[object, str]]):
    """Candidates in which one modifier has another possible value for its thing."""

    def change(truth: CaptionTruth) -> Iterator[Candidate]:
        for w, word in enumerate(truth.words):
            if word.word_class == word_class:
                name = _noun_of(truth, w)
                rest = truth.facts - {(sort, name, word.meaning)}
                for meaning, text in values(name).items():
                    if meaning != word.meaning:
                        yield _with_word(truth, w, text, meaning), rest | {(sort, name, meaning)}

    return change


def _other_object(truth: CaptionTruth) -> Iterator[Candidate]:
    mentioned = {word.meaning for word in truth.words}
    for w, word in enumerate(truth.words):
        if word.word_class != "noun" or word.meaning not in KINDS:
            continue
        old = word.meaning
        several = word.text in {lexicon.plural(n) for n in lexicon.nouns(old)} - set(lexicon.nouns(old))
        for new in (k.name for k in KINDS.values() if k.family == KINDS[old].family and k.name not in mentioned):
            facts = {tuple(new if part == old else part for part in fact) for fact in truth.facts}
            yield _with_word(truth, w, lexicon.plural(new) if several else new, new), facts


def _other_relation(truth: CaptionTruth) -> Iterator[Candidate]:
    places = [w for w, word in enumerate(truth.words) if word.word_class == "relation"]
    if not places or truth.words[places[0]].meaning[0] == "on":
        return
    name, turned = truth.words[places[0]].meaning
    old = next(fact for fact in truth.facts if fact[0] == "relation" and fact[1] == name)
    words = _rephrased(truth, places, lexicon.RELATIONS[name, not turned][0], (name, not turned))
    yield words, truth.facts - {old} | {(*old[:2], old[3], old[2])}


def _other_place(truth: CaptionTruth) -> Iterator[Candidate]:
    places = [w for w, word in enumerate(truth.words) if word.word_class == "place"]
    if not places:
        return
    old = truth.words[places[0]].meaning
    for new, phrases in lexicon.PLACES.items():
        if new != old:
            yield _rephrased(truth, places, phrases[0], new), truth.facts - {("place", old)} | {("place", new)}


def _other_binding(truth: CaptionTruth) -> Iterator[Candidate]:
    coloured = [(w, word) for w, word in enumerate(truth.words) if word.word_class == "colour"]
    for (v, a), (w, b) in combinations(coloured, 2):
        if a.meaning != b.meaning:
            words = _with_word(truth, v, b.text, b.meaning)
            words[w] = replace(b, text=a.text, meaning=a.meaning)
            x, y = _noun_of(truth, v), _noun_of(truth, w)
            facts = truth.facts - {("attribute", x, a.meaning), ("attribute", y, b.meaning)}
            yield words, facts | {("attribute", x, b.meaning), ("attribute", y, a.meaning)}


def _other_words(truth: CaptionTruth) -> Iterator[Candidate]:
    for w, word in enumerate(truth.words):
        if word.word_class == "noun":
            same = lexicon.nouns(word.meaning)
            same = same if word.text in same else tuple(map(lexicon.plural, same))
        elif word.word_class == "size":
            same = lexicon.sizes(_noun_of(truth, w))[word.meaning]
        else:
            table = {"colour": lexicon.COLOUR_SYNONYMS, "pattern": lexicon.PATTERNS}
            same = table.get(word.word_class, {}).get(word.meaning, ())
        for text in same:
            if text != word.text:
                yield _with_word(truth, w, text, word.meaning), truth.facts


def _rephrased(truth: CaptionTruth, places: list[int], phrase: str, meaning: object) -> list[Word]:
    """Replaces a phrase of several words by another, and shifts the indices of heads after it."""
    first, last, texts = truth.words[places[0]], truth.words[places[-1]], phrase.split()
    new = [replace(first, text=text, meaning=meaning, head=-1, stop="") for text in texts]
    new[-1] = replace(new[-1], stop=last.stop)
    stop, shift = places[-1] + 1, len(texts) - len(places)
    moved = [replace(word, head=word.head + shift) if word.head >= stop else word for word in truth.words]
    return [*moved[: places[0]], *new, *moved[stop:]]


_PERTURB: dict[str, Callable[[CaptionTruth], Iterator[Candidate]]] = {
    "object": _other_object,
    "colour": _other_modifier(
        "colour", "attribute", lambda name: {c: c for c in (KINDS[name].colours if name in KINDS else COLOURS)}
    ),
    "size": _other_modifier(
        "size", "attribute", lambda name: {size: words[0] for size, words in lexicon.sizes(name).items()}
    ),
    "count": _other_modifier("number", "count", lambda name: lexicon.NUMBERS),
    "relation": _other_relation,
    "place": _other_place,
    "binding": _other_binding,
    "paraphrase": _other_words,
}
