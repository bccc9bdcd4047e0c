"""A text input for models that read the words of a frozen BERT."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import ConfigDict, Field, with_config
from torch import nn
from typing_extensions import TypedDict

from itm_tutorial.data.options import Dimension
from itm_tutorial.encoders.bert import BertWords
from itm_tutorial.models._text_input import LearnedWords, PreparedText, refuse_words

Table = Annotated[int, Field(ge=1, le=2**20)]  # rows of a table of vectors


@with_config(ConfigDict(extra="allow", strict=True))
class BertOptions(TypedDict, total=False):
    """The configuration of a BERT, as far as it decides how large the network is."""

    vocab_size: Table
    hidden_size: Dimension
    num_hidden_layers: Annotated[int, Field(ge=1, le=200)]
    num_attention_heads: Dimension
    intermediate_size: Table
    max_position_embeddings: Table
    type_vocab_size: Table
    hidden_act: str


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
        refuse_words(name, words)
        from itm_tutorial.pretraining.bert import load_bert

        loaded = load_bert(bert)

        def copy_weights(model: nn.Module) -> None:
            encoder = next(module for module in model.modules() if isinstance(module, BertWords))
            encoder.load_state_dict(loaded.module.state_dict())

        return PreparedText(loaded.vocabulary, {"bert": bert, "bert_config": loaded.config}, copy_weights)
