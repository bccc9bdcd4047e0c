"""A text input for models that read fixed word vectors and the constituency tree of a caption."""

from __future__ import annotations

from itm_tutorial.data.text import Tokens
from itm_tutorial.models._fixed_parsed_words import FixedParsedWords
from itm_tutorial.models._fixed_words import FixedWords
from itm_tutorial.models._parsed_words import _parser


class FixedConstituents(FixedParsedWords):
    """Fixed word vectors, and the tree of phrases that ``data.constituents`` makes of the parse of each caption."""

    about = "fixed word vectors, and the tree of the phrases of each caption"

    def encode(self, model, captions: list[str]) -> Tokens:
        """As ``FixedWords.encode``, with the tensors of ``data.constituents.constituent_tensors``."""
        from itm_tutorial.data.constituents import constituent_tensors, constituents
        from itm_tutorial.data.parsing import parse_captions

        tokens = FixedWords().encode(model, captions)
        trees = [constituents(parse) for parse in parse_captions(captions, _parser(model.options["parser"]))]
        return Tokens(tokens.ids, tokens.lengths, {}, constituent_tensors(trees))
