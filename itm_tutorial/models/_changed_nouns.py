"""Negatives made of words: which nouns can stand in place of a caption's own noun, and the text input that finds them.

Gupta et al. (ECCV 2020) ask a language model for words that fit the place of a noun and are false of the image. The
scenes have the same knowledge as a table: kinds of one family look alike, and kinds share their usual places.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import LongTensor, Tensor

from itm_tutorial.data.parsing import PARTS_OF_SPEECH
from itm_tutorial.data.text import Tokens, Vocabulary
from itm_tutorial.errors import unknown
from itm_tutorial.models._parsed_words import ParsedWords
from itm_tutorial.models._text_input import PreparedText
from itm_tutorial.worlds.scenes.kinds import FAMILIES, KINDS
from itm_tutorial.worlds.scenes.lexicon import nouns, plural

if TYPE_CHECKING:
    from itm_tutorial.models._base import Matching

NEGATIVES = ("plausible", "random", "synonym", "none")
LIKELIEST = 9  # kinds that count as plausible in place of another
NOUN = 1 + PARTS_OF_SPEECH.index("NOUN")


@dataclass(frozen=True)
class Noun:
    """A noun whose category is known.

    Attributes:
        word: as captions write it.
        kind: what it names, such as "dog"; the family itself for its name, such as "animal".
        family: of the kind.
        numbers: "one", "many", or both for a word such as "sheep".
    """

    word: str
    kind: str
    family: str
    numbers: frozenset[str]

    @property
    def general(self) -> bool:
        """Whether it names a family."""
        return self.kind == self.family


def known_nouns(words: Iterable[str]) -> list[Noun]:
    """Those of some words that name a kind or a family of the scenes, in the order of the words.

    Args:
        words: of a vocabulary; those of training captions.
    """
    names = [(word, kind, KINDS[kind].family) for kind in KINDS for word in nouns(kind)]
    names += [(family, family, family) for family in FAMILIES]
    found: dict[str, Noun] = {}
    for word, kind, family in names:
        for form, number in ((word, "one"), (plural(word), "many")):
            numbers = found[form].numbers if form in found else frozenset()
            found[form] = Noun(form, kind, family, numbers | {number})
    return [found[word] for word in words if word in found]


def substitutes(known: Sequence[Noun], negatives: str) -> Tensor:
    """Which nouns can stand in place of each noun; singular stands for singular, plural for plural.

    Args:
        known: the nouns.
        negatives: "plausible": words for the ``LIKELIEST`` kinds, those of the same family first and then those that
            share most places; "random": words for every other kind; "synonym": other words for the same kind, and the
            name of its family, which stays true; "none". In the first two, the name of a family is replaced by that
            of another family.

    Returns:
        bool [n_nouns, n_nouns], a row per noun that is replaced.

    Raises:
        ItmError: unknown negatives.
    """
    if negatives not in NEGATIVES:
        raise unknown("negatives", negatives, NEGATIVES)

    def fits(noun: Noun, other: Noun) -> bool:
        if negatives == "none" or noun.word == other.word or not noun.numbers & other.numbers:
            return False
        if negatives == "synonym":
            return other.kind in (noun.kind, noun.family)
        if noun.kind == other.kind or noun.general != other.general:
            return False
        return noun.general or negatives == "random" or other.kind in likeliest[noun.kind]

    kinds = {noun.kind for noun in known if not noun.general}
    likeliest = {kind: _likeliest(kind) for kind in kinds} if negatives == "plausible" else {}
    table = [[fits(noun, other) for other in known] for noun in known]
    return torch.tensor(table, dtype=torch.bool).view(len(known), len(known))


def _likeliest(kind: str) -> set[str]:
    """The kinds that fit in the place of a kind: those of its family, then those that share most places with it."""
    own = KINDS[kind]

    def distance(name: str) -> tuple[bool, int, str]:
        other = KINDS[name]
        return other.family != own.family, -len(set(own.places) & set(other.places)), name

    return set(sorted(KINDS.keys() - {kind}, key=distance)[:LIKELIEST])


def implied(known: Sequence[Noun]) -> Tensor:
    """Which nouns are true where a noun is: bool [n_nouns, n_nouns], a row per noun that is said.

    Its synonyms are true, and the name of its family.
    """
    rows = [[other.kind in (noun.kind, noun.family) for other in known] for noun in known]
    return torch.tensor(rows, dtype=torch.bool).view(len(known), len(known))


def true_nouns(ids: LongTensor, image_of: LongTensor, vocabulary: Vocabulary, known: Sequence[Noun]) -> Tensor:
    """Which nouns are true of the image of each caption, as far as the captions of this image say.

    Args:
        ids: int64 [n_captions, seq_len], words of the vocabulary.
        image_of: int64 [n_captions].
        vocabulary, known: of the model.

    Returns:
        bool [n_captions, n_nouns].
    """
    said = torch.zeros(len(ids), len(vocabulary))
    said.scatter_(1, ids, 1.0)
    here = said[:, [vocabulary.index[noun.word] for noun in known]]  # [n_captions, n_nouns]
    of_image = torch.zeros(int(image_of.max()) + 1 if len(image_of) else 0, len(known)).index_add_(0, image_of, here)
    return (of_image @ implied(known).float() > 0)[image_of]


class ChangedNouns(ParsedWords):
    """Parsed captions, the nouns in them whose category is known, and which nouns are true of their image.

    What is true of an image follows from all captions of the training split where these are encoded together, as
    ``fit`` does; otherwise from the caption alone.
    """

    about = "words whose vectors are learned, the parse of each caption, and the nouns that may be changed"

    def prepare(self, name, corpus, options, words=None, min_count=None) -> PreparedText:
        """As ``ParsedWords.prepare``; the model learns which training captions belong to one image."""
        prepared = super().prepare(name, corpus, options, words, min_count)

        def remember(model: Matching) -> None:
            prepared.copy_weights(model)
            model.training_pairs = (corpus.train.captions, corpus.train.image_of)

        return replace(prepared, copy_weights=remember)

    def encode(self, model: Matching, captions: list[str]) -> Tokens:
        """As ``ParsedWords.encode``.

        Further tensors: "nouns" int64 [n_captions, seq_len], 1 + the index in ``model.known`` of a noun that can be
        changed, 0 for any other word; "true_nouns" bool [n_captions, n_nouns].
        """
        tokens = super().encode(model, captions)
        number = torch.zeros(len(model.vocabulary), dtype=torch.int64)
        for i, noun in enumerate(model.known):
            number[model.vocabulary.index[noun.word]] = i + 1
        can_change = (tokens.per_word["parts_of_speech"] == NOUN).long()
        trained_on, image_of = getattr(model, "training_pairs", ([], None))
        together = trained_on if trained_on is captions or trained_on == captions else None
        image_of = torch.arange(len(captions)) if together is None else image_of
        true = true_nouns(tokens.ids, image_of, model.vocabulary, model.known)
        per_word = {**tokens.per_word, "nouns": number[tokens.ids] * can_change}
        return replace(tokens, per_word=per_word, per_caption={**tokens.per_caption, "true_nouns": true})
