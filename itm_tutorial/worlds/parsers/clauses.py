"""The second half of a parse: the phrases of a sentence are attached to each other, from left to right."""

from __future__ import annotations

from itm_tutorial.worlds.parsers import english
from itm_tutorial.worlds.parsers.phrases import Reading, Unit


class Sentence:
    """Attaches the units of one sentence, from left to right.

    A noun is the subject of the verb behind it, the object of the verb before it, or one more item of a list. A phrase
    with a preposition hangs on the verb of its clause, or on the noun that the clause is about where there is no verb;
    "of" and "with" hang on the noun right before them.

    Args:
        reading: the words of the text, and the tree that grows.
        units: the phrases of the sentence.
    """

    def __init__(self, reading: Reading, units: list[Unit]):
        self.reading, self.units, self.hang = reading, units, reading.hang
        self.close = reading.lexicon.close
        self.root: int | None = None  # of the sentence, once a later clause has begun
        self.waiting: list[tuple[int, str]] = []  # what came before the verb or noun that it belongs to
        self.adposition: int | None = None  # waits for its noun
        self.comma = False  # whether a comma stands before that preposition
        self.near = False  # whether a noun stands right before it
        self.aside: int | None = None  # a participle that takes the next preposition and nothing more: "hair tied in"
        self.conjunction: int | None = None  # waits for what it joins
        self.there: int | None = None
        self.relative: int | None = None
        self.last = ""  # the kind of the unit before
        self.noun: int | None = None  # the noun last seen
        self.before: tuple[int, str] | None = None  # the clause before this one, and how the two are linked
        self._new_clause(None)

    def _new_clause(self, subject: int | None) -> None:
        self.top = self.level = self.host = subject  # level: the noun that a following place is about
        self.main: int | None = None  # the finite verb
        self.active: int | None = None  # the verb that takes the next object
        self.predicate: int | None = None  # the adjective last said of the subject
        self.opening = False  # whether the clause is a participle that opens the sentence
        self._begin_objects()

    def _begin_objects(self) -> None:
        self.object: int | None = None
        self.existential = False
        self.in_phrase = False  # whether ``host``, the noun whose list goes on, stands behind a preposition

    def attach(self) -> int:
        """Attaches every unit; returns the head of the sentence."""
        for k, unit in enumerate(self.units):
            joined = unit.comma or self.conjunction is not None
            if unit.kind == "adposition":
                self._stranded()
                self.adposition, self.comma, self.near = unit.head, unit.comma, self.last == "noun"
            elif unit.kind == "conjunction":
                self._stranded()
                self.conjunction = unit.head
            elif unit.kind == "there":
                self.there = unit.head
            elif unit.kind == "relative":
                self.relative = unit.head
            else:
                if unit.kind in ("verb", "participle"):
                    self._stranded()
                getattr(self, f"_{unit.kind}")(k, unit.head, joined)
                begun = self.before is not None and self.top == unit.head  # a clause whose "and" belongs to its verb
                if self.conjunction is not None and not begun:
                    self.hang(self.conjunction, unit.head, "cc")
                    self.conjunction = None
            self.last = unit.kind
        self._stranded()
        return self._finish()

    def _finish(self) -> int:
        """Places what still waits; returns the head of the sentence."""
        if self.top is None:
            self.top = self.waiting.pop(0)[0] if self.waiting else self.units[0].head
        self._place_waiting(self.top, verb=self.main is not None)
        if self.before is not None and self.main is None:  # a clause that found no verb after all
            self.hang(self.top, self.before[0], "dep")
        return self.top if self.root is None else self.root

    def _place_waiting(self, head: int, verb: bool) -> None:
        for word, relation in self.waiting:
            self.hang(word, head, "nmod" if relation == "obl" and not verb else relation)
        self.waiting = []

    def _stranded(self) -> None:
        """A preposition without a noun: "a man walks by"."""
        if self.adposition is not None:
            word, self.adposition = self.adposition, None
            self._adverb(0, word, False)

    def _other(self, k: int, word: int, joined: bool) -> None:
        if self.top is None:
            self.waiting.append((word, "dep"))

    def _adverb(self, k: int, word: int, joined: bool) -> None:
        if self.adposition is not None:
            self._prepositional(word)  # "from behind"
        elif self.reading.words[word] in self.close and self.noun is not None:
            self.hang(word, self.noun, "advmod")
        elif self.active is not None or self.top is not None:
            self.hang(word, self.top if self.active is None else self.active, "advmod")
        else:
            self.waiting.append((word, "advmod"))

    def _adjective(self, k: int, word: int, joined: bool) -> None:
        if self.adposition is not None:
            self._prepositional(word)  # "a man in red"
        elif joined and self.predicate is not None:
            self.hang(word, self.predicate, "conj")
        elif self.active is not None and self.last in ("verb", "adverb"):
            self.hang(word, self.active, "xcomp")
            self.predicate = word
        elif self.noun is not None:
            self.hang(word, self.noun, "amod")
        elif self.top is None:
            self.top = self.noun = word
        else:
            self.hang(word, self.top, "dep")

    def _noun(self, k: int, word: int, joined: bool) -> None:
        if self.adposition is not None:
            self._prepositional(word)
            return
        previous, self.noun, self.aside = self.noun, word, None
        if self.top is not None and (joined or self.opening) and self._verb_ahead(k):
            self._begin_clause(word)
        elif joined and self.host is not None:
            self.hang(word, self.host, "conj")
            self._share(k, previous, word)
            if self.main is None and not self.in_phrase:
                self.level = word
        elif self.active is not None and self.object is None:
            self._object(word)
        elif self.top is None:
            self.top = self.level = self.host = word
            self._begin_objects()
        else:
            self.hang(word, self.top, "dep")

    def _verb_ahead(self, k: int) -> bool:
        """Whether this noun is the subject of a finite verb: it follows at once, or after phrases with prepositions."""
        ahead = k + 1
        while ahead + 1 < len(self.units) and self.units[ahead].kind == "adposition" and not self.units[ahead].comma:
            ahead += 2
        return ahead < len(self.units) and self.units[ahead].kind == "verb" and not self.units[ahead].comma

    def _begin_clause(self, subject: int) -> None:
        link = "advcl" if self.opening else "conj"
        self._place_waiting(self.top, verb=True)
        self.before = (self.top if self.root is None else self.root, link)
        if not self.opening and self.root is None:
            self.root = self.top
        self._new_clause(subject)

    def _share(self, k: int, previous: int | None, word: int) -> None:
        """What is said of the first noun is said of a bare second one too: "a black crown and back"."""
        reading = self.reading
        before = range(self.units[k].start, word)
        bare = all(reading.relations[w] == "compound" or reading.named[w] for w in before)
        if not (reading.lexicon.shares and bare and self.conjunction is not None and previous is not None):
            return
        for w in range(previous):
            if reading.heads[w] == previous and reading.relations[w] == "amod":
                reading.shared.append((w, word))

    def _object(self, word: int) -> None:
        self.object = self.host = word
        self.in_phrase = False
        if self.existential:
            self.hang(word, self.active, "nsubj")
        else:
            linking = self.reading.words[self.active] in english.LINKING
            self.hang(word, self.active, "xcomp" if linking else "obj")
            if linking and self.reading.tags[word] == "NUM":
                self.predicate = word  # "the petals are five and white"

    def _prepositional(self, word: int) -> None:
        """A preposition and its noun: where the phrase is attached."""
        reading, adposition, self.adposition = self.reading, self.adposition, None
        self.hang(adposition, word, "case")
        governor = self._governor(adposition, word) if self.aside is None or self.comma else self.aside
        self.aside = None
        listing = reading.tags[word] != "ADJ" and reading.words[word] not in self.close
        if governor is None:
            self.waiting.append((word, "obl"))
        else:
            verb = reading.tags[governor] in ("VERB", "AUX")
            self.hang(word, governor, "obl" if verb else "nmod")
            about = governor == self.host and not self.in_phrase and self._is_about(governor)
            if listing and (self.host is None or about):
                self.host, self.in_phrase = word, True
            if reading.words[adposition] == "of" and governor == self.level:
                self.level, self.host, self.in_phrase = word, word, False
        if listing or governor is None or self.noun is None:
            self.noun = word  # but what follows "a boy in blue" is said of the boy

    def _is_about(self, noun: int) -> bool:
        """Whether a list may go on behind a preposition: "a man in a shirt and jeans", not "has a cap with a star"."""
        return noun == self.top or self.reading.relations[noun] in ("xcomp", "nsubj")

    def _governor(self, adposition: int, word: int) -> int | None:
        """The word that a phrase with a preposition hangs on; None where it has not come yet."""
        words = self.reading.words
        if self.noun is not None and not self.comma:
            close = {words[adposition], words[word]} & {"with", "without", *self.close}
            if words[adposition] == "of" or (self.near and (close or self.reading.tags[word] == "ADJ")):
                return self.noun
        if self.comma and (self.main is not None or not self.opening):
            return self.level if self.main is None and self.level is not None else self.top
        if self.active is None:
            return self.level if self.level is not None else self.top
        about = self.object is not None and self.noun == self.object
        return self.object if about and self.reading.relations[self.object] in ("xcomp", "nsubj") else self.active

    def _verb(self, k: int, verb: int, joined: bool) -> None:
        if self.relative is not None and self.noun is not None:
            self.hang(self.relative, verb, "nsubj")
            self.hang(verb, self.noun, "acl")
            self.relative = None
        elif self.main is not None:
            self.hang(verb, self.main, "conj" if joined else "parataxis")
            self._there(verb)
        else:
            if self.top is not None:
                self.hang(self.top, verb, "csubj" if self.opening else "nsubj")
            if self.before is not None:
                previous, link = self.before
                self.hang(*((previous, verb) if link == "advcl" else (verb, previous)), link)
                self.before = None
            self._there(verb)
            self.top = self.main = verb
            self.opening = False
            self._place_waiting(verb, verb=True)
        existential = self.existential
        self.active, self.host, self.level, self.predicate = verb, None, None, None
        self._begin_objects()
        self.existential = existential

    def _there(self, verb: int) -> None:
        self.existential = self.there is not None
        if self.there is not None:
            self.hang(self.there, verb, "expl")
            self.there = None

    def _participle(self, k: int, verb: int, joined: bool) -> None:
        if self.reading.words[verb] in self.close and self.last == "noun" and not joined:
            self.hang(verb, self.noun, "acl")
            self.aside = verb
            return
        if self.top is None:
            self.top, self.opening = verb, True
        elif self.conjunction is not None and self.active is not None:
            self.hang(verb, self.active, "conj")
        elif joined or self.noun is None:
            self.hang(verb, self.top, "acl" if self.main is None and not self.opening else "advcl")
        elif self.last == "noun":
            self.hang(verb, self.noun if self.main is not None or self.level is None else self.level, "acl")
        else:
            self.hang(verb, self.top if self.active is None else self.active, "advcl")
        self.active, self.host = verb, None
        self._begin_objects()
