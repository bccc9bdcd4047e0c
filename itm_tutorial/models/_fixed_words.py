"""A text input for models with fixed word vectors."""

from __future__ import annotations

from torch import nn

from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.text import Vocabulary, tokenize
from itm_tutorial.data.word_vectors import WordVectors
from itm_tutorial.encoders.text import WordAverage
from itm_tutorial.errors import ItmError
from itm_tutorial.models._text_input import LearnedWords, PreparedText


class FixedWords(LearnedWords):
    """Word vectors that are trained separately and stay fixed; without any, those of the drawn world's own text."""

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
