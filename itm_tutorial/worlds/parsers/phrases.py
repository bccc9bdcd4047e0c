"""The first half of a parse: the words of a text, their parts of speech, and the phrases that they form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from itm_tutorial.worlds.parsers import english
from itm_tutorial.worlds.parsers.words import normalised, word_pattern

_INSIDE = ("ADJ", "NUM", "NOUN", "PROPN")


@dataclass(frozen=True)
class Lexicon:
    """The words of one world.

    Attributes:
        tags: word -> part of speech.
        phrases: phrase -> parts of speech of its words, for words that differ inside the phrase ("tied back").
        pairs: two words of which the first belongs to the second, not to the noun behind them ("dark blue").
        close: a preposition, noun, participle or adverb that attaches to the noun just before its phrase, not to the
            verb: "chest" in "wears a shirt with a logo on the chest".
        shares: whether an adjective before "X and Y" holds for a bare Y as well.
    """

    tags: Mapping[str, str]
    phrases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pairs: frozenset[str] = frozenset()
    close: frozenset[str] = frozenset()
    shares: bool = False

    @cached_property
    def by_first_word(self) -> dict[str, list[tuple[tuple[str, ...], tuple[str, ...], str]]]:
        """First word -> the phrases that begin with it, the longest first: (words, tags, role)."""
        found: dict[str, list] = {}
        entries = [(phrase, tags, "") for phrase, tags in self.phrases.items()]
        entries += [(pair, tuple(self.tag(word) or "NOUN" for word in pair.split()), "pair") for pair in self.pairs]
        for phrases, role in (
            (english.PREPOSITIONS, "ADP"),
            (english.QUANTIFIERS, "DET"),
            (english.CONJUNCTIONS, "CCONJ"),
        ):
            entries += [(phrase, english.phrase_tags(phrase), role) for phrase in phrases]
        for phrase, tags, role in entries:
            words = tuple(phrase.split())
            found.setdefault(words[0], []).append((words, tags, role))
        for options in found.values():
            options.sort(key=lambda option: -len(option[0]))
        return found

    def tag(self, word: str) -> str | None:
        """The part of speech of a known word."""
        return self.tags.get(word) or english.TAGS.get(word)


class Unit(NamedTuple):
    """A stretch of words that is attached as a whole.

    Attributes:
        kind: "noun", "adjective", "adposition", "verb" (finite), "participle", "conjunction", "adverb", "there",
            "relative" or "other".
        head: its head word.
        start: its first word.
        comma: whether a comma stands before it.
    """

    kind: str
    head: int
    start: int
    comma: bool


class Reading:
    """The words of a text with their tags, and the tree as far as it has grown.

    Args:
        text: any text.
        lexicon: the words that are known.
    """

    def __init__(self, text: str, lexicon: Lexicon):
        self.lexicon = lexicon
        self.words: list[str] = []
        self.marks: list[str] = []  # before each word: "." where a sentence ended, "," after a comma, or ""
        text, end = normalised(text), 0
        for match in word_pattern(text).finditer(text):
            between = text[end : match.start()]
            self.marks.append(
                "." if any(c in ".!?;:" for c in between) else "," if any(c in ",()" for c in between) else ""
            )
            self.words.append(match.group())
            end = match.end()
        n = len(self.words)
        self.heads, self.relations = [-1] * n, ["dep"] * n
        self.tags: list[str] = [""] * n
        self.role = [""] * n  # of a phrase that acts as one word: "ADP", "DET", "CCONJ", on its first word
        self.within = [False] * n  # the later words of such a phrase, and the first ones of a pair
        self.named = [False] * n  # the words of a phrase that is one name: "inner ring"
        self.shared: list[tuple[int, int]] = []
        self._tag()

    def hang(self, word: int, head: int, relation: str) -> None:
        """Makes a word a dependent of another."""
        self.heads[word], self.relations[word] = head, relation

    def sentences(self) -> list[tuple[int, int]]:
        """(first, last + 1) of the words between full stops."""
        starts = [w for w, mark in enumerate(self.marks) if w == 0 or mark == "."]
        return list(zip(starts, [*starts, len(self.words)][1:], strict=True))

    def _tag(self) -> None:
        w, n = 0, len(self.words)
        while w < n:
            size = self._phrase(w)
            if not size:
                self.tags[w] = self.lexicon.tag(self.words[w]) or self._guess(w)
            w += size or 1
        for w in range(n):
            self._retag(w)

    def _phrase(self, w: int) -> int:
        """Tags a known phrase that begins here; returns how many words it has, 0 where there is none."""
        for words, tags, role in self.lexicon.by_first_word.get(self.words[w], ()):
            end = w + len(words)
            if tuple(self.words[w:end]) != words or any(self.marks[w + 1 : end]):
                continue
            self.tags[w:end] = tags
            self.named[w:end] = [not role] * len(words)
            if role == "pair":
                self.within[w] = True
                self.hang(w, w + 1, "compound" if tags[0] == "NOUN" else "advmod")
            elif role:
                self.role[w] = role
                for inner in range(w + 1, end):
                    self.within[inner] = True
                    self.hang(inner, w, "fixed")
            return len(words)
        return 0

    def _guess(self, w: int) -> str:
        """The tag of an unknown word, by its ending and its neighbours."""
        word = self.words[w]
        if word.isnumeric():
            return "NUM"
        for ending, tag in (("ly", "ADV"), ("ing", "VERB"), ("ed", "VERB")):
            if word.endswith(ending) and len(word) > len(ending) + 2:
                return tag
        after = self.lexicon.tag(self.words[w + 1]) if w + 1 < len(self.words) else None
        if word.endswith(english.ADJECTIVE_ENDINGS) or (word.endswith("y") and after == "NOUN"):
            return "ADJ"
        phrase = w > 1 and self.tags[w - 1] == "NOUN" and self.tags[w - 2] in ("DET", "ADJ", "NUM", "PRON")
        if (
            phrase
            and not self.words[w - 1].endswith("s")
            and word.endswith("s")
            and after in ("DET", "ADP", "NUM", "PRON", "ADV")
        ):
            return "VERB"  # "a dog chases the cat"
        return "NOUN"

    def _next(self, w: int) -> str:
        """The tag of the next word, "" at the end or before a comma or full stop."""
        return self.tags[w + 1] if w + 1 < len(self.words) and not self.marks[w + 1] else ""

    def _retag(self, w: int) -> None:
        """Mends a tag that depends on the words around."""
        word, tag, after = self.words[w], self.tags[w], self._next(w)
        before = self.tags[w - 1] if w and not self.marks[w] else ""
        if self.role[w] or self.within[w]:
            return
        if word in english.RELATIVES and after in ("AUX", "VERB") and before in ("NOUN", "PROPN"):
            self.tags[w] = "REL"
        elif tag == "DET" and after not in ("DET", "PRON", "ADV", "VERB", *_INSIDE):
            self.tags[w] = "PRON"  # "this is a bird"
        elif word == "there" and after == "AUX":
            self.tags[w] = "PRON"
        elif tag == "VERB" and self.lexicon.tag(word) is None and before in ("DET", "ADJ", "NUM") and after in _INSIDE:
            self.tags[w] = "ADJ"  # "a running dog"
        elif word in ("has", "have", "had") and after == "VERB" and self._participle(w + 1):
            self.tags[w] = "AUX"

    def _participle(self, w: int) -> bool:
        return self.words[w].endswith(("ing", "ed")) or self.words[w] in english.PARTICIPLES

    def units(self, first: int, last: int) -> list[Unit]:
        """Groups the words of a sentence, and attaches the words within each group.

        Args:
            first, last: the words of the sentence, the last excluded.

        Returns:
            The groups, in order; every word stands in one.
        """
        found, w = [], first
        while w < last:
            kind, head, end = self._unit(w, last)
            found.append(Unit(kind, head, w, self.marks[w] == "," and w > first))
            w = end
        return found

    def _unit(self, w: int, last: int) -> tuple[str, int, int]:
        """The unit that begins here: its kind, its head, and where it ends."""
        tag, role = self.tags[w], self.role[w]
        if role in ("ADP", "CCONJ"):
            end = w + 1
            while end < last and self.within[end] and self.heads[end] == w:
                end += 1
            return {"ADP": "adposition", "CCONJ": "conjunction"}[role], w, end
        if tag == "PRON" and self.words[w] == "there":
            return "there", w, w + 1
        if tag == "REL":
            return "relative", w, w + 1
        if tag in ("AUX", "VERB"):
            return self._verbs(w, last)
        phrase = self._noun_phrase(w, last)
        if phrase:
            return phrase
        kinds = {"ADP": "adposition", "CCONJ": "conjunction", "ADV": "adverb", "PRON": "noun"}
        return kinds.get(tag, "other"), w, w + 1

    def _verbs(self, w: int, last: int) -> tuple[str, int, int]:
        """Auxiliaries and their verb; a form of "be" with no verb behind it is the verb itself."""
        end = w
        while end + 1 < last and self.tags[end] == "AUX" and not self.marks[end + 1]:
            ahead = end + 1
            while ahead < last and self.words[ahead] == "not" and not self.marks[ahead]:
                ahead += 1
            if ahead == last or self.tags[ahead] not in ("AUX", "VERB") or self.marks[ahead]:
                break
            end = ahead
        for inner in range(w, end):
            self.hang(inner, end, "aux" if self.tags[inner] == "AUX" else "advmod")
        participle = self.tags[w] == "VERB" and self._participle(w)
        if self.tags[end] == "VERB" and f"{self.words[end]} {self._word(end + 1)}" in self.lexicon.phrases:
            particle = end + 1
            self.hang(particle, end, "compound" if self.tags[particle] == "ADP" else "advmod")
            return "participle" if participle else "verb", end, particle + 1
        return "participle" if participle else "verb", end, end + 1

    def _word(self, w: int) -> str:
        return self.words[w] if w < len(self.words) else ""

    def _noun_phrase(self, w: int, last: int) -> tuple[str, int, int] | None:
        """Determiner, numbers, adjectives and nouns; the last noun is the head. Adjectives alone are a unit too."""
        before: list[int] = []  # dependents of the head
        noun = adjective = None
        start = w
        while w < last and (w == start or not self.marks[w]):
            tag = self.tags[w]
            if self.role[w] == "DET":
                if noun is not None or before:
                    break
                before.append(w)
                w += 1
                while w < last and self.within[w] and self.heads[w] == start:
                    w += 1
                continue
            if self.role[w] or (self.within[w] and self.relations[w] == "fixed"):
                break
            if self.within[w]:  # the first word of a pair hangs on the second
                if noun is not None:
                    break
            elif tag in ("NOUN", "PROPN"):
                if noun is not None:
                    before.append(noun)
                noun = w
            elif noun is not None:
                break
            elif tag == "DET" or (self.words[w] in english.POSSESSIVES and self._next(w) in ("ADV", *_INSIDE)):
                if any(self.tags[b] not in ("DET",) for b in before):
                    break
                before.append(w)
            elif tag in ("ADJ", "NUM"):
                before.append(w)
                adjective = w
            elif tag == "ADV" and self._next(w) == "ADJ":
                self.hang(w, w + 2 if self.within[w + 1] else w + 1, "advmod")
            elif tag == "CCONJ" and adjective == w - 1 and self._two_adjectives(w, last):
                self.hang(w, w + 1, "cc")
                self.hang(w + 1, adjective, "conj")
                w += 1
            else:
                break
            w += 1
        head = noun if noun is not None else adjective
        if head is None:
            if not before:
                return None
            head = before[-1]  # a determiner alone
        for b in before:
            if b != head:
                self.hang(b, head, self._inner_relation(b))
        only_adjectives = noun is None and all(self.tags[b] in ("ADJ",) for b in before)
        return "adjective" if only_adjectives else "noun", head, w

    def _two_adjectives(self, w: int, last: int) -> bool:
        """Whether the word after "and" is one more adjective of a noun behind it: "a red and black crown"."""
        return w + 2 < last and self._next(w) == "ADJ" and not self.within[w + 1] and self._next(w + 1) == "NOUN"

    def _inner_relation(self, w: int) -> str:
        if self.role[w] == "DET":
            return "det"
        tags = {"DET": "det", "NUM": "nummod", "ADJ": "amod", "PRON": "nmod"}
        return tags.get(self.tags[w], "compound")
