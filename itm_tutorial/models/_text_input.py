"""How a model reads text: where its vocabulary comes from, and which tensors a caption becomes.

A model class names one of these objects as its ``text_input``. The factory asks it for a vocabulary, for the options
that follow from it, and for weights that are copied in; the model asks it to turn captions into ``Tokens``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from torch import nn

from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.text import Tokens, Vocabulary, tokenize
from itm_tutorial.data.word_vectors import WordVectors
from itm_tutorial.encoders.bert import BertWords
from itm_tutorial.encoders.text import WordAverage
from itm_tutorial.errors import ItmError

if TYPE_CHECKING:
    from itm_tutorial.models._base import Matching

PHOTOGRAPHS = "spacy"  # the parser of captions that no drawn world wrote


@dataclass(frozen=True)
class PreparedText:
    """What a text input gives the factory.

    Attributes:
        vocabulary: of the model.
        options: of the model, those that follow from the vocabulary.
        copy_weights: called with the new model, to give it weights that were trained elsewhere.
    """

    vocabulary: Vocabulary
    options: dict[str, Any] = field(default_factory=dict)
    copy_weights: Callable[[Matching], None] = lambda model: None


class LearnedWords:
    """The words of the training captions, whose vectors are learned with the rest; the default of every model."""

    about = "words whose vectors are learned"

    def prepare(
        self,
        name: str,
        corpus: Corpus,
        options: dict[str, Any],
        words: WordVectors | None = None,
        min_count: int | None = None,
    ) -> PreparedText:
        """The vocabulary of a model and what follows from it.

        Args:
            name: of the model, for messages.
            corpus: its training captions give the vocabulary.
            options: of the model, as given.
            words: fixed word vectors, for an input that reads them.
            min_count: rarer words become <unk>; by default 1 for drawn worlds, 4 for photographs.

        Raises:
            ItmError: word vectors for a model that learns its own.
        """
        _refuse_words(name, words)
        return PreparedText(Vocabulary.from_captions(corpus.train.captions, min_count or (1 if corpus.drawn else 4)))

    def encode(self, model: Matching, captions: list[str]) -> Tokens:
        """Captions -> ids int64 [n_captions, seq_len], lengths, and further tensors that the model reads."""
        return model.vocabulary.encode(captions)


class FixedWords(LearnedWords):
    """Word vectors that are trained apart and stay as they are; without any, those of the drawn world's own text."""

    about = "fixed word vectors"

    def prepare(self, name, corpus, options, words=None, min_count=None) -> PreparedText:
        """As ``LearnedWords.prepare``; the option ``word_dim`` follows from the vectors.

        Raises:
            ItmError: photographs without word vectors, or a label none of whose words has one.
        """
        words = words or self._of_world(name, corpus)
        words.matrix(options.get("labels", []))  # refuses a label none of whose words has a vector
        known = [i for i, word in enumerate(words.words) if tokenize(word) == [word]]  # what captions can hold

        def copy_weights(model: nn.Module) -> None:
            next(module for module in model.modules() if isinstance(module, WordAverage)).use(words.vectors[known])

        return PreparedText(Vocabulary(words.words[i] for i in known), {"word_dim": words.dim}, copy_weights)

    @staticmethod
    def _of_world(name: str, corpus: Corpus) -> WordVectors:
        if not corpus.drawn:
            raise ItmError(f"{name} needs word vectors for {corpus.name}: give words=itm.read_word_vectors(FILE)")
        from itm_tutorial.pretraining.word_vectors import world_words

        return world_words()


class BertPieces(LearnedWords):
    """The word pieces of a frozen BERT, by the options ``bert`` and ``bert_config``; ``bert=None`` learns words."""

    about = "the word pieces of a frozen BERT, or learned words"

    def prepare(self, name, corpus, options, words=None, min_count=None) -> PreparedText:
        """As ``LearnedWords.prepare``; the option ``bert_config`` follows from the BERT.

        Raises:
            ItmError: a BERT that cannot be had, or word vectors.
        """
        bert = options.get("bert", "mini")
        if bert is None:
            return replace(super().prepare(name, corpus, options, words, min_count), options={"bert": None})
        _refuse_words(name, words)
        from itm_tutorial.pretraining.bert import load_bert

        loaded = load_bert(bert)

        def copy_weights(model: nn.Module) -> None:
            encoder = next(module for module in model.modules() if isinstance(module, BertWords))
            encoder.load_state_dict(loaded.module.state_dict())

        return PreparedText(loaded.vocabulary, {"bert": bert, "bert_config": loaded.config}, copy_weights)


class ParsedWords(LearnedWords):
    """Words whose vectors are learned, and the parse of each caption, for a model that has an option ``parser``.

    A drawn world's captions are parsed by its own parser, those of photographs by spaCy; a query goes the same way.
    """

    about = "words whose vectors are learned, and the parse of each caption"

    def prepare(self, name, corpus, options, words=None, min_count=None) -> PreparedText:
        """As ``LearnedWords.prepare``; the option ``parser`` names the parser, so that a kept model finds it again."""
        parser = corpus.name if corpus.drawn else PHOTOGRAPHS
        return replace(super().prepare(name, corpus, options, words, min_count), options={"parser": parser})

    def encode(self, model: Matching, captions: list[str]) -> Tokens:
        """As ``LearnedWords.encode``, with the tensors of ``data.parsing.parse_tensors``."""
        from itm_tutorial.data.parsing import parse_captions, parse_tensors

        tokens = super().encode(model, captions)
        tensors = parse_tensors(parse_captions(captions, _parser(model.options["parser"])), ends=True)
        per_word = {name: tensors.pop(name) for name in ("heads", "relations", "parts_of_speech")}
        return Tokens(tokens.ids, tokens.lengths, per_word, tensors)


@cache
def _parser(name: str):
    """A parser by the name that a model keeps: of a drawn world, or spaCy's."""
    if name == PHOTOGRAPHS:
        from itm_tutorial.data.spacy_parser import SpacyParser

        return SpacyParser()
    from itm_tutorial.data.parsing import WorldParser

    return WorldParser(name)


def _refuse_words(name: str, words: WordVectors | None) -> None:
    if words is not None:
        raise ItmError(f"{name} learns its own word vectors: leave words out, or choose a model that reads them")
