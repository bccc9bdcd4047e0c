"""A text input for models that are trained with the true boxes of phrases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from itm_tutorial.data.corpus import Split
from itm_tutorial.data.parsing import Parse, parse_captions
from itm_tutorial.data.text import Tokens
from itm_tutorial.errors import ItmError
from itm_tutorial.models._parsed_words import ParsedWords, _parser
from itm_tutorial.models._text_input import PreparedText

if TYPE_CHECKING:
    from itm_tutorial.models._base import Matching


def boxes_of_phrases(split: Split, parses: list[Parse]) -> Tensor:
    """The true boxes of each noun phrase: those that its last word names.

    Args:
        split: with groundings and boxes.
        parses: one per caption.

    Returns:
        float32 [n_captions, n_phrases, n_boxes, 4], in the order of the parse; empty boxes (0, 0, 0, 0) for a phrase
        that names none and for padding.
    """
    none = torch.zeros(1, 4)
    of_captions = []
    for parse, pairs, image in zip(parses, split.groundings, split.image_of.tolist(), strict=True):
        named = [[box for word, box in pairs if word == end - 1] for _, end in parse.noun_phrases]
        of_captions.append([split.boxes[image][some] if some else none for some in named])
    counts = [len(some) for some in of_captions]
    rows = pad_sequence([boxes for some in of_captions for boxes in some] or [none], batch_first=True)
    padded = rows.new_zeros(len(parses), max([1, *counts]), *rows.shape[1:])
    real = torch.arange(padded.shape[1]) < torch.tensor(counts)[:, None]
    padded[real] = rows[: sum(counts)]
    return padded


class PhraseBoxes(ParsedWords):
    """Parsed captions, and the true boxes of the phrases of the training captions; no other caption has any.

    The boxes are those of the corpus that the model was made for. They are no part of a saved model.
    """

    about = (
        "words whose vectors are learned, the parse of each caption, and, in training, the true boxes of its phrases"
    )

    def prepare(self, name, corpus, options, words=None, min_count=None) -> PreparedText:
        """As ``ParsedWords.prepare``; the model also gets the boxes of the training captions' phrases.

        Raises:
            ItmError: it is not known which boxes the training captions name.
        """
        train = corpus.train
        if train.groundings is None or train.boxes is None:
            raise ItmError(
                f"{name} is trained with the true boxes of phrases, and {corpus.name} has none: use 'scenes'"
            )
        prepared = super().prepare(name, corpus, options, words, min_count)

        def remember(model: Matching) -> None:
            prepared.copy_weights(model)
            parses = parse_captions(train.captions, _parser(model.options["parser"]))
            model.training_truth = (train.captions, boxes_of_phrases(train, parses))

        return replace(prepared, copy_weights=remember)

    def encode(self, model: Matching, captions: list[str]) -> Tokens:
        """As ``ParsedWords.encode``; with "phrase_boxes", see ``boxes_of_phrases``, where these are the training's."""
        tokens = super().encode(model, captions)
        trained_on, boxes = getattr(model, "training_truth", (None, None))
        if trained_on is not captions and trained_on != captions:
            return tokens
        return replace(tokens, per_caption={**tokens.per_caption, "phrase_boxes": boxes})
