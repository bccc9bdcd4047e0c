"""A text input for models whose weights come from a published network, with the tokenizer of that network."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from itm_tutorial.data.text import Tokens
from itm_tutorial.errors import warn_once
from itm_tutorial.models._text_input import LearnedWords, PreparedText, refuse_words

if TYPE_CHECKING:
    from itm_tutorial.models._base import Matching

TINY = "tiny"
PUNCTUATION = str.maketrans("", "", string.punctuation)


class NetworkText(LearnedWords):
    """The tokens of a published network, by the option ``weights``; "tiny" learns the words of the corpus."""

    about = "the tokens of a published network, or learned words"

    def prepare(self, name, corpus, options, words=None, min_count=None) -> PreparedText:
        """As ``LearnedWords.prepare``; the option ``network`` follows from the weights.

        Raises:
            ItmError: weights that are not on this computer or damaged, or word vectors.
        """
        weights = options.get("weights", TINY)
        if weights == TINY:
            return super().prepare(name, corpus, options, words, min_count)
        refuse_words(name, words)
        from itm_tutorial.pretraining.dual_encoder import load_dual_encoder

        loaded = load_dual_encoder(weights)
        network = {"config": loaded.config, "images": loaded.images, "text": loaded.text}

        def copy_weights(model: Matching) -> None:
            model.network.load_state_dict(loaded.module.state_dict())

        return PreparedText(loaded.vocabulary, {"weights": weights, "network": network}, copy_weights)

    def encode(self, model, captions: list[str]) -> Tokens:
        """Captions -> ids with the special tokens; a caption that is too long for the network loses its end."""
        tokens = model.vocabulary.encode([written(caption, model.text) for caption in captions])
        most = model.network.max_tokens
        if tokens.ids.shape[1] <= most:
            return tokens
        long = tokens.lengths > most
        first = int(long.nonzero()[0])
        warn_once(
            f"{int(long.sum())} captions, such as number {first}, have more than the {most} tokens that the network "
            "reads: their ends are left out"
        )
        ids = tokens.ids[:, :most].clone()
        ids[long, -1] = tokens.ids[long, tokens.lengths[long] - 1]  # the last token stays: it stands for the text
        return Tokens(ids, tokens.lengths.clamp(max=most))


def written(text: str, how: str) -> str:
    """A text as a network's tokenizer expects it.

    Args:
        text: a caption.
        how: "as it is", "lower case", or "without punctuation", which is in lower case too.
    """
    if how == "as it is":
        return text
    text = text.lower()
    return text if how == "lower case" else " ".join(text.translate(PUNCTUATION).split())
