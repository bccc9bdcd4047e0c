"""The grammar: describes a sighting in one to three sentences, together with their parse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from itm_tutorial.worlds.people import lexicon
from itm_tutorial.worlds.people.configuration import Configuration
from itm_tutorial.worlds.people.facts import PARTS, Fact, unseen
from itm_tutorial.worlds.people.view import Sighting
from itm_tutorial.worlds.people.wardrobe import GENERAL
from itm_tutorial.worlds.scenes.grammar import CaptionTruth, Word

CAPTIONS_PER_IMAGE = 2
SHAPES = (
    "wears",
    "wears",
    "has",
    "in",
    "wearing",
    "seen",
    "list",
)  # of the first sentence; the first is the most common
MENTIONED = {"upper": 1.0, "lower": 0.88, "hair": 0.6, "shoes": 0.58, "bag": 0.78, "hat": 0.8, "umbrella": 0.95}
_ASPECTS = (
    "mentioned",
    "kind",
    "word",
    "colour",
    "colour word",
    "pattern",
    "pattern word",
    "turned",
    "order",
    "joined",
)
_OF_CAPTION = ("shape", "general", "noun", "build", "build word", "article", "wears", "style", "style word", "sleeves")
_OF_CAPTION += ("print", "inner", "view", "place", "place word", "angle", "angle word", "carry", "pair", "print word")
_OF_CAPTION += ("shoes first", "hat first", "tell hair", "view last")


class _Lots:
    """The random numbers of one description, all drawn at once, so that each setting changes only what it controls."""

    def __init__(self, rng: Random):
        draw = rng.random
        self._of_caption = {name: draw() for name in _OF_CAPTION}
        self._of_part = {part: {name: draw() for name in _ASPECTS} for part in MENTIONED}

    def __call__(self, name: str, part: str = "") -> float:
        return self._of_part[part][name] if part else self._of_caption[name]


def _choose(options: Sequence, lot: float):
    return options[int(lot * len(options))]


class _Writer:
    """Collects words and facts while a description is written."""

    def __init__(self, sighting: Sighting, lots: _Lots, configuration: Configuration):
        self.person, self.view, self.lots, self.configuration = sighting.person, sighting.view, lots, configuration
        self.hidden = unseen(sighting)
        self.called = "person" if lots("general") < 0.06 else sighting.person.sex
        self.words: list[Word] = []
        self.facts: set[Fact] = set()

    def say(self, phrase: str, word_class: str = "other", part: str = "", meaning: object = None) -> None:
        """Writes words; a hyphen separates two words, as in the tokenizer."""
        things = (PARTS.index(part),) if part else ()
        for joined in phrase.split():
            *firsts, last = joined.split("-")
            self.words += [Word(w, word_class, -1, "function", things, meaning, "-") for w in firsts]
            self.words.append(Word(last, word_class, -1, "function", things, meaning))

    def stop(self, mark: str) -> None:
        self.words[-1] = replace(self.words[-1], stop=mark)

    def pick(self, options: tuple[str, ...], lot: float) -> str:
        """The common word or a synonym, as often as configured."""
        rare = self.configuration.synonyms
        return _choose(options[1:], lot / rare) if len(options) > 1 and lot < rare else options[0]

    def mentions(self, lot: float, usual: float) -> bool:
        """Whether to mention something, given how often it is usually mentioned."""
        return lot < usual * (0.4 + self.configuration.completeness)

    def hang(self, first: int, role: str) -> None:
        """Ends a noun phrase that began at this word: its last noun is the head, and the others hang on it."""
        head = max(w for w in range(first, len(self.words)) if self.words[w].word_class == "noun")
        for w in range(first, len(self.words)):
            if self.words[w].head < 0 or w == head:
                hangs = role if w == head else "function" if self.words[w].word_class == "other" else "modifier"
                self.words[w] = replace(self.words[w], head=head, relation=hangs)

    def someone(self, article: str, mentioned_hair: bool = False) -> None:
        """Writes the person: "a tall man", with the hair if it is mentioned here."""
        first, build = len(self.words), self.person.build
        if article:
            self.say(article)
        if build != "average" and self.mentions(self.lots("build"), 0.6):
            self.say(self.pick(lexicon.BUILDS[build], self.lots("build word")), "size", "person", build)
            self.facts.add(("attribute", "person", build))
        self.say(self.pick(lexicon.NOUNS[self.called], self.lots("noun")), "noun", "person", self.called)
        if self.called != "person":
            self.facts.add(("kind", "person", self.called))
        self.hang(first, "subject")
        if mentioned_hair:
            self.say("with")
            self.hair()

    def kind_of(self, part: str, kind: str) -> str:
        """The kind, or a more general word for it."""
        return kind if self.lots("kind", part) < 0.84 or kind not in GENERAL else GENERAL[kind]

    def thing(self, part: str, kind: str, colour: str, before: Callable[[], None] | None = None) -> None:
        """A noun phrase: "a red striped shirt", "blue jeans", "a pair of white sneakers"."""
        first, lots, kind = len(self.words), self.lots, self.kind_of(part, kind)
        coloured = self.mentions(lots("colour", part), 0.94)
        if kind not in lexicon.PLURAL:
            self.say("a")
        elif lots("pair") < 0.28:
            self.say("a pair of")
        if before and lots("turned", part) < 0.4:
            before()
        if coloured:
            self.say(
                self.pick(lexicon.COLOURS.get(colour, (colour,)), lots("colour word", part)), "colour", part, colour
            )
            self.facts.add(("attribute", part, colour))
        if before and lots("turned", part) >= 0.4:
            before()
        self.say(self.pick(lexicon.NOUNS[kind], lots("word", part)), "noun", part, kind)
        self.facts.add(("kind", part, kind))
        self.hang(first, "object")

    def upper(self) -> None:
        p, lots = self.person, self.lots
        self.thing("upper", p.upper, p.upper_colour, self._cloth)
        if p.print and "print" not in self.hidden and self.mentions(lots("print"), 0.6):
            first = len(self.words)
            self.say("with a")
            self.say(self.pick(lexicon.PRINTS[p.print], lots("print word")), "noun", "upper", p.print)
            self.say("on the chest")
            self.facts.add(("attribute", "print", p.print))
            self.hang(first, "object")
        if p.inner_colour and "inner_colour" not in self.hidden and self.mentions(lots("inner"), 0.6):
            first = len(self.words)
            self.say("over a")
            self.say(p.inner_colour, "colour", "upper", p.inner_colour)
            self.say("shirt", "noun", "upper", "inner")
            self.facts.add(("attribute", "inner", p.inner_colour))
            self.hang(first, "object")

    def _cloth(self) -> None:
        """Writes sleeves and pattern; plain cloth and usual sleeves are rarely mentioned."""
        p, lots = self.person, self.lots
        usual = {"shirt": 0.3, "dress": 0.3, "t-shirt": 0.1 if p.sleeves == "short" else 0.8}.get(p.upper, 0.0)
        if self.mentions(lots("sleeves"), usual):
            self.say(lexicon.SLEEVES[p.sleeves][0], "style", "upper", f"{p.sleeves} sleeves")
            self.facts.add(("attribute", "upper", f"{p.sleeves} sleeves"))
        if self.mentions(lots("pattern", "upper"), 0.05 if p.pattern == "plain" else 0.82):
            word = self.pick(lexicon.PATTERNS[p.pattern], lots("pattern word", "upper"))
            self.say(word, "pattern", "upper", p.pattern)
            self.facts.add(("attribute", "upper", p.pattern))

    def lower(self) -> None:
        self.thing("lower", self.person.lower, self.person.lower_colour)

    def shoes(self) -> None:
        self.thing("shoes", self.person.shoes, self.person.shoes_colour)

    def hat(self) -> None:
        self.thing("hat", self.person.hat, self.person.hat_colour)

    def bag(self) -> None:
        """Writes a bag and its position, unless the position would reveal the kind of a mere "bag"."""
        kind = self.person.bag
        self.thing("bag", kind, self.person.bag_colour)
        if self.lots("carry") < 0.45 and ("kind", "bag", kind) in self.facts:
            self.say(lexicon.WHERE[kind].format(lexicon.PRONOUNS[self.called][1]))

    def umbrella(self) -> None:
        self.thing("umbrella", "umbrella", self.person.umbrella)

    def hair(self) -> None:
        """A noun phrase: "short black hair", "brown hair in a ponytail", "a bald head"."""
        p, lots, first = self.person, self.lots, len(self.words)
        style = p.hair_style if "hair_style" not in self.hidden and self.mentions(lots("style"), 0.82) else ""
        if p.hair_style == "bald":
            self.say("a")
        if style in lexicon.STYLES:
            self.say(self.pick(lexicon.STYLES[style], lots("style word")), "style", "head", style)
        if p.hair_style != "bald" and (not style or self.mentions(lots("colour", "hair"), 0.85)):
            colour = p.hair_colour
            words = lexicon.HAIR_COLOURS.get(colour, (colour,))
            self.say(self.pick(words, lots("colour word", "hair")), "colour", "head", colour)
            self.facts.add(("attribute", "head", colour))
        self.say("head" if p.hair_style == "bald" else "hair", "noun", "head", "head")
        if style in lexicon.TIED:
            self.say(self.pick(lexicon.TIED[style], lots("style word")), "style", "head", style)
        if style:
            self.facts.add(("attribute", "head", style))
        self.hang(first, "object")

    def pose(self, verb: str) -> None:
        """Writes the pose, and sometimes the place."""
        pose, place = "walking" if self.view.walking else "standing", self.view.place
        self.say(verb.format(pose), "verb")
        self.facts.add(("pose", pose))
        if self.mentions(self.lots("place"), 0.45):
            word = self.pick(lexicon.PLACES[place], self.lots("place word"))
            self.say(word if self.view.walking else lexicon.STANDING.get(place, word), "place", "", place)
            self.facts.add(("place", place))

    def angle(self) -> None:
        self.say(self.pick(lexicon.ANGLES[self.view.angle], self.lots("angle word")), "angle", "", self.view.angle)
        self.facts.add(("angle", self.view.angle))

    def listed(self, parts: Sequence[str]) -> None:
        """Writes noun phrases, with commas between them and an "and" before the last."""
        for number, part in enumerate(parts):
            if number and number == len(parts) - 1:
                self.say("and")
            elif number:
                self.stop(",")
            getattr(self, part)()


def describe(
    sighting: Sighting, rng: Random, configuration: Configuration, n: int = CAPTIONS_PER_IMAGE
) -> list[CaptionTruth]:
    """Writes descriptions of an image; no two of them have the same facts and the same shape.

    Args:
        sighting: the person and the view; hidden attributes are never mentioned.
        rng: the random stream of the descriptions.
        configuration: the settings of the text.
        n: number of descriptions.

    Returns:
        The descriptions with their truth.
    """
    found: dict[tuple[str, frozenset[Fact]], CaptionTruth] = {}
    while len(found) < n:
        shape, truth = write(sighting, rng, configuration)
        found.setdefault((shape, truth.facts), truth)
    return list(found.values())


def write(sighting: Sighting, rng: Random, configuration: Configuration) -> tuple[str, CaptionTruth]:
    """Writes one description; returns the shape of its first sentence, and the description."""
    lots = _Lots(rng)
    writer = _Writer(sighting, lots, configuration)
    shape, mentioned = _choose(SHAPES, lots("shape")), _mentioned_parts(writer)
    clothes = [part for part in ("upper", "lower") if part in mentioned]
    clothes += [part for part in ("shoes", "hat") if part in mentioned and lots(f"{part} first") < 0.5]
    clothes.sort(key=lambda part: lots("order", part) - 0.35 * (part == "upper"))
    rest = [part for part in mentioned if part not in clothes]
    if shape == "list":
        _telegram(writer, mentioned)
    else:
        _OPEN[shape](writer, clothes, rest)
        _go_on(writer, sorted(rest, key=lambda part: lots("order", part)))
    return shape, _finish(writer)


def _mentioned_parts(writer: _Writer) -> list[str]:
    """The parts to mention, chosen at random; at least three if three are visible."""
    p, hidden = writer.person, writer.hidden
    here = {"lower": p.lower, "hair": "hair", "shoes": "shoes" not in hidden}
    here |= {"bag": p.bag and "bag" not in hidden, "hat": p.hat, "umbrella": p.umbrella, "upper": p.upper}
    if p.hair_style == "bald" and "hair_style" in hidden:
        here["hair"] = ""
    parts = [part for part in MENTIONED if here[part]]
    parts.sort(key=lambda part: writer.lots("mentioned", part) / MENTIONED[part] - 2 * (part == "upper"))
    sure = [
        part for part in parts if part == "upper" or writer.mentions(writer.lots("mentioned", part), MENTIONED[part])
    ]
    return parts[: max(len(sure), 3)]


def _wears(writer: _Writer, clothes: list[str]) -> None:
    writer.say(_choose(lexicon.WEARS, writer.lots("wears") ** 1.5), "verb")
    writer.listed(clothes)


def _open_wears(writer: _Writer, clothes: list[str], rest: list[str]) -> None:
    """A man with short hair is wearing a shirt and jeans."""
    with_hair = "hair" in rest and writer.lots("tell hair") < 0.55
    writer.someone(_choose(("the", "a", "this", "a"), writer.lots("article")), with_hair)
    if with_hair:
        rest.remove("hair")
    _wears(writer, clothes)


def _open_has(writer: _Writer, clothes: list[str], rest: list[str]) -> None:
    """The man has short hair and wears a shirt and jeans."""
    if "hair" not in rest:
        return _open_wears(writer, clothes, rest)
    writer.someone(_choose(("the", "a", "this"), writer.lots("article")))
    writer.say("has", "verb")
    writer.hair()
    rest.remove("hair")
    writer.say("and")
    _wears(writer, clothes)


def _open_in(writer: _Writer, clothes: list[str], rest: list[str]) -> None:
    """There is a man in a shirt and jeans. / A man in a shirt and jeans is walking down the street."""
    there = writer.lots("article") < 0.4
    if there:
        writer.say("there is", "verb")
    writer.someone("a")
    writer.say("in" if writer.lots("wears") < 0.6 else "wearing")
    writer.listed(clothes)
    if not there:
        writer.pose("is {}")


def _open_wearing(writer: _Writer, clothes: list[str], rest: list[str]) -> None:
    """Wearing a shirt and jeans, the man is walking down the street."""
    writer.say("wearing" if writer.lots("wears") < 0.6 else "dressed in")
    writer.listed(clothes)
    writer.stop(",")
    writer.someone("the" if writer.lots("article") < 0.5 else "a")
    writer.pose("is {}")


def _open_seen(writer: _Writer, clothes: list[str], rest: list[str]) -> None:
    """Seen from behind, the man wears a shirt and jeans. / Walking in the park, a man wears a shirt and jeans."""
    if writer.lots("angle") < 0.45:
        writer.say("seen")
        writer.angle()
    else:
        writer.pose("{}")
    writer.stop(",")
    writer.someone("the" if writer.lots("article") < 0.5 else "a")
    _wears(writer, clothes)


def _telegram(writer: _Writer, mentioned: list[str]) -> None:
    """Tall man, short black hair, red shirt, blue jeans and a backpack."""
    writer.someone("")
    for part in sorted(mentioned, key=lambda part: writer.lots("order", part)):
        writer.stop(",")
        getattr(writer, part)()
    if writer.mentions(writer.lots("view"), 0.4):
        writer.stop(",")
        writer.pose("{}")


_OPEN = {
    "wears": _open_wears,
    "has": _open_has,
    "in": _open_in,
    "wearing": _open_wearing,
    "seen": _open_seen,
}
_CARRY = {
    "hair": ("has",),
    "shoes": ("wears", "has on"),
    "hat": ("wears", "has on"),
    "bag": ("carries", "is carrying", "has"),
    "umbrella": ("holds", "is holding"),
}


def _go_on(writer: _Writer, rest: list[str]) -> None:
    """Writes the remaining parts in sentences of one or two clauses, and sometimes the pose."""
    lots, (he, his) = writer.lots, lexicon.PRONOUNS[writer.called]
    fresh = True
    for part in rest:
        joined = not fresh and lots("joined", part) < 0.6
        if joined:
            writer.say("and")
        else:
            writer.stop(".")
            if part in ("shoes", "hair") and lots("turned", part) < 0.35 and writer.person.hair_style != "bald":
                _mentioned_of(writer, part, his)
                fresh = True
                continue
            writer.say(he)
        writer.say(_choose(_CARRY[part], lots("word", part)), "verb")
        getattr(writer, part)()
        fresh = joined
    if not any(fact[0] in ("pose", "angle") for fact in writer.facts) and writer.mentions(lots("view"), 0.62):
        writer.stop(".")
        writer.say(he)
        writer.pose("is {}")
        if lots("angle") < 0.25:
            writer.stop(",")
            writer.say("seen")
            writer.angle()


def _mentioned_of(writer: _Writer, part: str, his: str) -> None:
    """His shoes are white. / Her hair is long and brown."""
    p, lots, first = writer.person, writer.lots, len(writer.words)
    writer.say(his)
    if part == "shoes":
        kind = writer.kind_of("shoes", p.shoes)
        writer.say(writer.pick(lexicon.NOUNS[kind], lots("word", "shoes")), "noun", "shoes", kind)
        writer.facts |= {("kind", "shoes", kind), ("attribute", "shoes", p.shoes_colour)}
        writer.hang(first, "subject")
        writer.say("is" if writer.words[-1].text == "footwear" else "are", "verb")
        words = lexicon.COLOURS.get(p.shoes_colour, (p.shoes_colour,))
        writer.say(writer.pick(words, lots("colour word", "shoes")), "colour", "shoes", p.shoes_colour)
        return
    writer.say("hair", "noun", "head", "head")
    writer.hang(first, "subject")
    writer.say("is", "verb")
    if "hair_style" not in writer.hidden and p.hair_style in lexicon.STYLES and writer.mentions(lots("style"), 0.82):
        words = lexicon.STYLES[p.hair_style]
        writer.say(writer.pick(words, lots("style word")), "style", "head", p.hair_style)
        writer.say("and")
        writer.facts.add(("attribute", "head", p.hair_style))
    words = lexicon.HAIR_COLOURS.get(p.hair_colour, (p.hair_colour,))
    writer.say(writer.pick(words, lots("colour word", "hair")), "colour", "head", p.hair_colour)
    writer.facts.add(("attribute", "head", p.hair_colour))


def _finish(writer: _Writer) -> CaptionTruth:
    """Adds articles, heads and the text."""
    words = writer.words
    root = next(w for w, word in enumerate(words) if word.relation == "subject")
    for w, word in enumerate(words):
        text = word.text
        if text in ("a", "an") and word.word_class == "other":
            text = "an" if words[w + 1].text[0] in "aeiou" else "a"
        head = root if word.head < 0 or word.relation in ("subject", "object") else word.head
        words[w] = replace(word, text=text, head=head, relation="root" if w == root else word.relation)
    coloured = {part for sort, part, *_ in writer.facts if sort == "attribute"}
    full = all(part in coloured for part in ("upper", "lower") if part == "upper" or writer.person.lower)
    return CaptionTruth(sentences(words), tuple(words), frozenset(writer.facts), full)


def sentences(words: Sequence[Word]) -> str:
    """Joins words to sentences, each with a capital letter and a full stop."""
    text, capital = "", True
    for word in words:
        text += (word.text.capitalize() if capital else word.text) + word.stop + ("" if word.stop == "-" else " ")
        capital = word.stop == "."
    return text.rstrip() + "."
