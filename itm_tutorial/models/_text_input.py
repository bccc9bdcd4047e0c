"""How a model reads text: where its vocabulary comes from, and which tensors a caption becomes.

A model class names one of these objects as its ``text_input``. The factory asks it for a vocabulary, for the options
that follow from it, and for weights that are copied in; the model asks it to turn captions into ``Tokens``. Other text
inputs than the default stand in files of their own, so that a claim depends on a BERT or a parser only where a model of
it reads one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.text import Tokens, Vocabulary
from itm_tutorial.data.word_vectors import WordVectors
from itm_tutorial.errors import ItmError

if TYPE_CHECKING:
    from itm_tutorial.models._base import Matching

MANY = 5_000  # training captions: with fewer, most words of photographs' captions are rare, and still the only ones


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
            min_count: rarer words become <unk>; by default 4 for photographs with ``MANY`` training captions or more,
                else 1.

        Raises:
            ItmError: word vectors for a model that learns its own.
        """
        refuse_words(name, words)
        captions = corpus.train.captions
        default = 4 if not corpus.drawn and len(captions) >= MANY else 1
        return PreparedText(Vocabulary.from_captions(captions, min_count or default))

    def encode(self, model: Matching, captions: list[str]) -> Tokens:
        """Captions -> ids int64 [n_captions, seq_len], lengths, and further tensors that the model reads."""
        return model.vocabulary.encode(captions)


def refuse_words(name: str, words: WordVectors | None) -> None:
    """Refuses word vectors for a model that learns its own.

    Raises:
        ItmError: there are some.
    """
    if words is not None:
        raise ItmError(f"{name} learns its own word vectors: leave words out, or choose a model that reads them")
