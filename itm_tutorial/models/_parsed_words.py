"""A text input for models that read the parse of a caption beside its words."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from itm_tutorial.data.text import Tokens
from itm_tutorial.models._text_input import LearnedWords, PreparedText

if TYPE_CHECKING:
    from itm_tutorial.models._base import Matching

PHOTOGRAPHS = "spacy"  # the parser of captions that no drawn world wrote


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
