"""A text input for models that read fixed word vectors and the parse of a caption."""

from __future__ import annotations

from dataclasses import replace

from itm_tutorial.models._fixed_words import FixedWords
from itm_tutorial.models._parsed_words import PHOTOGRAPHS, ParsedWords
from itm_tutorial.models._text_input import PreparedText


class FixedParsedWords(ParsedWords):
    """Fixed word vectors, and the parse of each caption, for a model with the options ``parser`` and ``word_dim``."""

    about = "fixed word vectors, and the parse of each caption"

    def prepare(self, name, corpus, options, words=None, min_count=None) -> PreparedText:
        """As ``FixedWords.prepare``; the option ``parser`` names the parser, as in ``ParsedWords``."""
        fixed = FixedWords().prepare(name, corpus, options, words, min_count)
        return replace(fixed, options={**fixed.options, "parser": corpus.name if corpus.drawn else PHOTOGRAPHS})
