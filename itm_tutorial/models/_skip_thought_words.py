"""A text input for models that read sentences through a skip-thought encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.text import SPECIAL, Tokens, Vocabulary
from itm_tutorial.encoders.skip_thought import SkipThoughtEncoder
from itm_tutorial.errors import ItmError
from itm_tutorial.models._text_input import LearnedWords, PreparedText, refuse_words

if TYPE_CHECKING:
    from itm_tutorial.pretraining.skip_thought import SkipThought

MOST_UNKNOWN = 0.25  # of the words of the training captions: with more of them, the encoder has read another language


class SkipThoughtWords(LearnedWords):
    """The words of a skip-thought encoder, by the options ``encoder``, ``expansion`` and ``encoder_seed``.

    The encoder comes from the cache or from a folder and is copied into the model, so that a checkpoint holds it whole.
    """

    about = "the words of a frozen skip-thought encoder"

    def prepare(self, name, corpus, options, words=None, min_count=None) -> PreparedText:
        """As ``LearnedWords.prepare``; the options ``word_dim`` and ``sentence_dim`` follow from the encoder.

        Without ``encoder``, drawn worlds take that of the stories, and photographs one that learns from their own
        training captions. With ``expansion``, ``words`` are mapped into the encoder's word table: for drawn worlds, by
        default, those of the lore; for photographs, by default, none.

        Raises:
            ItmError: the encoder does not exist, or it lacks too many words of the corpus; too few word vectors; no
                image has two captions.
        """
        loaded = _encoder(corpus, options.get("encoder"), options.get("encoder_seed", 0))
        if not options.get("expansion", True):
            refuse_words(f"{name} without expansion", words)
        elif words is not None:
            loaded = loaded.expanded(words)
        elif corpus.drawn:
            from itm_tutorial.pretraining.word_vectors import world_words

            loaded = loaded.expanded(world_words())
        unknown = loaded.vocabulary.unknown_share(corpus.train.captions)
        if unknown > MOST_UNKNOWN:
            raise ItmError(
                f"{name}: {100 * unknown:.0f} % of the words of the captions of {corpus.name} are unknown to its "
                "encoder, which has read another text: give encoder='captions', which learns from these captions"
            )

        def copy_weights(model: nn.Module) -> None:
            encoder = next(module for module in model.modules() if isinstance(module, SkipThoughtEncoder))
            encoder.load_state_dict(loaded.module.state_dict())

        follow = {"word_dim": loaded.word_dim, "sentence_dim": loaded.dim}
        return PreparedText(Vocabulary(loaded.vocabulary.words[len(SPECIAL) :]), follow, copy_weights)

    def encode(self, model, captions: list[str]) -> Tokens:
        """As ``LearnedWords.encode``, without <start>: the encoder reads the words and the token that ends them."""
        tokens = super().encode(model, captions)
        return Tokens(tokens.ids[:, 1:], tokens.lengths - 1)


def _encoder(corpus: Corpus, text: str | None, seed: int) -> SkipThought:
    """The encoder of a text; None is the usual one of a corpus."""
    from itm_tutorial.pretraining.skip_thought import CAPTIONS, load_caption_encoder, load_skip_thought

    text = text or ("stories" if corpus.drawn else CAPTIONS)
    if text == CAPTIONS:
        return load_caption_encoder(corpus.train.captions, corpus.train.image_of, seed)
    return load_skip_thought(text, seed)
