"""The words of a text: one rule for the tokenizer of the models and for the parsers of the drawn worlds."""

from __future__ import annotations

import re
import unicodedata

import regex

from itm_tutorial.errors import ItmError

MOST_WORDS = 256  # of a caption; the rest is left out, so that one long caption does not pad all others to its length

# scripts that put no spaces between words: Chinese characters, kana, and those of South East Asia (class SA of UAX 14)
_WITHOUT_SPACES = r"[\p{Ideographic}\p{Han}\p{Hiragana}\p{Katakana}\u30fc\uff70\p{Line_Break=SA}]"
_LETTER, _PART = rf"[[\p{{L}}\p{{N}}]--{_WITHOUT_SPACES}]", rf"[[\p{{L}}\p{{N}}\p{{M}}]--{_WITHOUT_SPACES}]"
_RUN = rf"{_LETTER}{_PART}*+(?:[\u200c\u200d]++{_PART}++)*+"  # joiners shape letters of Persian and of Indian scripts
# what may stand inside a word: an apostrophe; a middle dot (Catalan); a quotation mark between Hebrew letters
_JOINT = r"""(?:['\u00b7\u2027]|(?<=\p{Hebrew})["\u05f4](?=\p{Hebrew}))"""
_PATTERN = rf"{_RUN}(?:{_JOINT}{_RUN})*+|(?=[\p{{L}}\p{{N}}])\X\p{{M}}*+"
_WORD = regex.compile(_PATTERN, regex.V1)
_SIMPLE_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")  # the same rule for text that is not _NOT_SIMPLE, where it is faster
_NOT_SIMPLE = re.compile("[^\0-\u00ac\u00ae-\u00b6\u00b8-\u02ff\u0370-\u0482\u048a-\u0556\u2010-\u2026\u2030-\u205e]")
UNSPACED = regex.compile(rf"(?=[\p{{L}}\p{{N}}]){_WITHOUT_SPACES}", regex.V1)
# characters that change how others look or are ordered, but no word: variation selectors, directions, soft hyphens
_INVISIBLE = regex.compile(r"[[\p{Cf}--[\u200b-\u200d]][\ufe00-\ufe0f\u20e3\U000e0100-\U000e01ef]]", regex.V1)
_APOSTROPHE = re.compile("[\u2018\u2019\u201b\u02bc\u02bb\u05f3\uff07]")


def normalised(caption: str) -> str:
    """The text in which ``tokenize`` finds its words: lower case, NFC, one kind of apostrophe, at most 256 words.

    Args:
        caption: any text.

    Returns:
        The text, with its punctuation.

    Raises:
        ItmError: the caption is not a text.
    """
    if not isinstance(caption, str):
        raise not_a_text("a caption", caption)
    text = caption.lower()
    if not text.isascii():
        text = _APOSTROPHE.sub("'", text)
        if _NOT_SIMPLE.search(text):
            text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    return text if len(text) <= MOST_WORDS else first_words(text)


def word_pattern(text: str) -> re.Pattern | regex.Pattern:
    """The pattern that finds the words of a text: a fast one where the letters of the text allow it."""
    return _SIMPLE_WORD if text.isascii() or not _NOT_SIMPLE.search(text) else _WORD


def first_words(text: str) -> str:
    """A text up to the end of its 256th word; the whole text where it has no more words than that."""
    end = 0
    for number, word in enumerate(word_pattern(text).finditer(text)):
        if number == MOST_WORDS:
            return text[:end]
        end = word.end()
    return text


def with_type(value: object) -> str:
    """A value for a message: its type and, where that says more, the beginning of it."""
    if isinstance(value, str | bytes):
        return f"{value[:60]!r}{'...' if len(value) > 60 else ''}"
    text = repr(value)
    return "None" if value is None else f"{text[:60]} ({type(value).__name__})"


def not_a_text(where: str, value: object) -> ItmError:
    """The error for a caption that is None, NaN, bytes or another value that is no text; the caller raises it."""
    return ItmError(f"{where} is {with_type(value)}, not a text: {_remedy(value)}")


def _remedy(value: object) -> str:
    if isinstance(value, bytes):
        return "decode it, as in caption.decode()"
    return (
        "give a str, or leave its row out (pandas reads empty cells and words such as NA or None as NaN: "
        "keep_default_na=False reads them as text)"
    )
