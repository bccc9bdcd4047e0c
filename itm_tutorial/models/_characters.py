"""A text input for models that read the characters of a caption."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterable

from itm_tutorial.data.text import SPECIAL, Tokens, Vocabulary, checked_captions, padded, tokenize
from itm_tutorial.errors import ItmError
from itm_tutorial.models._text_input import LearnedWords, PreparedText, refuse_words
from itm_tutorial.worlds.parsers.words import normalised

ALPHABET = " " + string.ascii_lowercase + string.digits + string.punctuation  # 69 characters
MOST = 2048  # characters of a caption; the rest is left out, so that one caption does not pad all others to its length


def folded(text: str) -> str:
    """A text in lower case, without accents, with one space between words."""
    apart = unicodedata.normalize("NFKD", normalised(text)).casefold()  # an accent is a character of its own now
    return " ".join("".join(c for c in apart if not unicodedata.combining(c)).split())


class Characters(Vocabulary):
    """The characters that a model knows, each with a number; other characters are read as spaces.

    It is saved as a list of words is, and a plain ``Vocabulary`` of the same characters equals it.

    Args:
        characters: those after the four special symbols, in order; the space is one of them.

    Raises:
        ItmError: an entry is not one character, or there is no space.
    """

    def __init__(self, characters: Iterable[str] = ALPHABET):
        super().__init__(characters)
        known = self.words[len(SPECIAL) :]
        if wrong := [one for one in known if len(one) != 1]:
            raise ItmError(f"characters: {wrong[0][:40]!r} is not one character; give a vocabulary of characters")
        if " " not in known:
            raise ItmError("characters: the space is missing, which unknown characters are read as; add it")

    def __contains__(self, word: str) -> bool:
        """Whether every character of the word is known."""
        return all(character in self.index for character in folded(word))

    def encode(self, captions: list[str]) -> Tokens:
        """Captions -> padded ids of characters, each between <start> and <end>.

        Args:
            captions: n_captions texts.

        Returns:
            ``Tokens`` with ids [n_captions, seq_len] and lengths [n_captions], on the CPU; seq_len counts characters.

        Raises:
            ItmError: a caption has no word in it, or is no text.
        """
        rows, space = [], self.index[" "]
        for number, caption in enumerate(checked_captions(captions, "captions to encode")):
            if not tokenize(caption):
                raise ItmError(f"caption {number} has no word in it ({caption!r}): remove it or write one")
            rows.append([1, *(self.index.get(character, space) for character in folded(caption)[:MOST]), 2])
        return padded(rows)

    def decode(self, ids: Iterable[int]) -> str:
        """Ids -> the text they stand for, special symbols left out."""
        return "".join(self.words[i] for i in map(int, ids) if i >= len(SPECIAL))


class ReadCharacters(LearnedWords):
    """The characters of a caption: the same alphabet for every corpus, so that no word is unknown."""

    about = "the characters of a caption"

    def prepare(self, name, corpus, options, words=None, min_count=None) -> PreparedText:
        """As ``LearnedWords.prepare``; the alphabet is fixed, so ``min_count`` has nothing to count.

        Raises:
            ItmError: word vectors.
        """
        refuse_words(name, words)
        return PreparedText(Characters())
