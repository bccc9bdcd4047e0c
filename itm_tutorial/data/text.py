"""Captions as words, words as numbers: the tokenizer and the vocabulary."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import LongTensor, Tensor

from itm_tutorial.data.captions import PRINTED_BYTES, repaired
from itm_tutorial.errors import ItmError, warn_once
from itm_tutorial.storage import read_json, write_json
from itm_tutorial.worlds.parsers.words import (
    MOST_WORDS,
    UNSPACED,
    first_words,
    normalised,
    not_a_text,
    with_type,
    word_pattern,
)

PAD, START, END, UNKNOWN = SPECIAL = ("<pad>", "<start>", "<end>", "<unk>")


def tokenize(caption: str) -> list[str]:
    """Splits a caption into lower-case words; punctuation is dropped, an apostrophe inside a word stays.

    The text is normalised first (Unicode's NFC; every apostrophe becomes "'"). A word is a run of letters and digits
    with their combining marks, as in Unicode's word segmentation (UAX 29), except that a full stop, comma or underscore
    always separates words. Where a script puts no spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese),
    every character with its marks is a word. Emoji are dropped as punctuation is. A caption has at most ``MOST_WORDS``
    words; what follows them is left out.

    Args:
        caption: any text.

    Returns:
        The words, in order; groundings count them from 0.

    Raises:
        ItmError: the caption is not a text, but None, NaN or the like.
    """
    text = normalised(caption)
    return word_pattern(text).findall(text)


def checked_captions(captions: Iterable[str], where: str) -> list[str]:
    """Checks that captions are texts, and reads those that are printed bytes literals (b'...') as what they stand for.

    A caption of more than ``MOST_WORDS`` words is named in a warning.

    Args:
        captions: n_captions texts.
        where: they are from, for messages.

    Returns:
        The captions; the same list where nothing had to be repaired.

    Raises:
        ItmError: a caption is None, NaN or another value that is no text, or cannot be written as UTF-8; the message
            names the first such caption.
    """
    if isinstance(captions, str | bytes):
        raise ItmError(f"{where}: captions is one text; give a list of texts, such as [{with_type(captions)}]")
    captions = captions if isinstance(captions, list) else list(captions)
    literals = []
    for number, caption in enumerate(captions):
        if not isinstance(caption, str):
            raise not_a_text(f"{where}: caption {number}", caption)
        if caption.startswith(("b'", 'b"')) and PRINTED_BYTES.fullmatch(caption):
            literals.append(number)
        elif not caption.isascii():
            _check_encodable(caption, f"{where}: caption {number}")
    if literals:
        captions = list(captions)
        first = captions[literals[0]]
        for number in literals:
            captions[number] = repaired(captions[number], f"{where}: caption {number}")
        warn_once(
            f"{where}: {len(literals)} of {len(captions)} captions are printed bytes literals, such as caption "
            f"{literals[0]}, {with_type(first)}: they are read as the text they stand for"
        )
    warn_of_long(captions, where)
    return captions


def warn_of_long(captions: list[str], where: str) -> None:
    """Warns, once for a caption, where captions have more than ``MOST_WORDS`` words."""
    long = [i for i, text in enumerate(captions) if len(text) > MOST_WORDS and len(first_words(text)) < len(text)]
    if long:
        others = f", and {len(long) - 1} other captions" if len(long) > 1 else ""
        warn_once(
            f"{where}: caption {long[0]} ({with_type(captions[long[0]])}){others} has more than {MOST_WORDS} words: "
            f"the first {MOST_WORDS} are read, the rest is left out",
            about=f"long caption: {captions[long[0]]}",
        )


def _check_encodable(caption: str, where: str) -> None:
    try:
        caption.encode()
    except UnicodeEncodeError as error:
        raise ItmError(
            f"{where} ({with_type(caption)}) holds half a character (a lone surrogate): read the file as UTF-8"
        ) from error


@dataclass(frozen=True)
class Tokens:
    """Captions as padded word ids.

    Attributes:
        ids: int64 [n_captions, seq_len], 0 where a caption has ended.
        lengths: int64 [n_captions], words of each caption, <start> and <end> included. They stay on the CPU wherever
            the ids go: a packed sequence counts them there, and an encoder need not wait for the device.
        per_word: further tensors [n_captions, seq_len, ...], such as characters or the heads of a parse; they are cut
            with the ids, and an encoder gets them by name.
        per_caption: further tensors [n_captions, ...] that have no place per word, such as the spans of phrases.
    """

    ids: LongTensor
    lengths: LongTensor
    per_word: dict[str, Tensor] = field(default_factory=dict)
    per_caption: dict[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows) -> Tokens:
        """Some captions, cut to the longest of them: what is padding for all is no work for an encoder."""
        return self.pick(rows, rows)

    def pick(self, rows, rows_on_device) -> Tokens:
        """As indexing, where the ids are on a device and the rows are there too, beside those on the CPU."""
        lengths = self.lengths[rows]
        seq_len = int(lengths.max()) if lengths.numel() else 0
        return Tokens(
            self.ids[rows_on_device, :seq_len],
            lengths,
            {name: value[rows_on_device, :seq_len] for name, value in self.per_word.items()},
            {name: value[rows_on_device] for name, value in self.per_caption.items()},
        )

    def to(self, device) -> Tokens:
        moved = ({name: v.to(device) for name, v in named.items()} for named in (self.per_word, self.per_caption))
        return Tokens(self.ids.to(device), self.lengths, *moved)


def padded(rows: list[list[int]]) -> Tokens:
    """Lists of word ids, of any lengths, as one matrix with zeros behind the shorter ones."""
    lengths = torch.tensor([len(row) for row in rows], dtype=torch.int64)
    ids = torch.zeros(len(rows), int(lengths.max()) if rows else 0, dtype=torch.int64)
    for row, numbers in zip(ids, rows, strict=True):
        row[: len(numbers)] = torch.tensor(numbers)
    return Tokens(ids, lengths)


def _warn_of_unspaced(words: list[str]) -> None:
    """Says once that characters of scripts without spaces count as words."""
    scripts = {}
    for word in words:
        if not word.isascii() and (character := UNSPACED.match(word)):
            script = unicodedata.name(character.group(), "OTHER").split()[0].capitalize()
            scripts[{"Cjk": "Chinese"}.get(script, script)] = None
    if scripts:
        warn_once(
            f"some captions are in a script that puts no spaces between words ({', '.join(sorted(scripts))}): "
            "each character counts as a word"
        )


class Vocabulary:
    """The words that a model knows, each with a number; the order is stable: most frequent first, then by the alphabet.

    Args:
        words: the words after the four special ones, in order.
    """

    def __init__(self, words: Iterable[str]):
        self.words: list[str] = [*SPECIAL, *words]
        self.index: dict[str, int] = {word: i for i, word in enumerate(self.words)}
        if len(self.words) == len(SPECIAL):
            raise ItmError("vocabulary: it has no words; give one or more")
        if len(self.index) != len(self.words):
            twice = next(word for word, n in Counter(self.words).items() if n > 1)
            raise ItmError(f"vocabulary: the word {twice!r} stands in it twice; keep each word once")

    @classmethod
    def from_captions(cls, captions: Iterable[str], min_count: int = 1) -> Vocabulary:
        """Counts the words of the training captions (never of those of another split).

        Args:
            captions: the training captions.
            min_count: rarer words become <unk> (VSE++: 4).

        Raises:
            ItmError: a caption is no text, or no word is left.
        """
        captions = checked_captions(captions, "vocabulary")
        counts = Counter(word for caption in captions for word in tokenize(caption))
        words = sorted((w for w, n in counts.items() if n >= min_count), key=lambda w: (-counts[w], w))
        if not words:
            most = max(counts, key=counts.__getitem__, default=None)
            raise ItmError(
                f"vocabulary: none of the {len(captions)} captions has a word in it; give captions with words"
                if most is None
                else f"vocabulary: no word stands in the {len(captions)} captions min_count={min_count} times or more "
                f"({most!r}, the most frequent one, {counts[most]} times): lower min_count, or give more captions"
            )
        _warn_of_unspaced(words)
        return cls(words)

    def unknown_share(self, captions: Iterable[str]) -> float:
        """The fraction of the words of captions that the vocabulary does not have, in [0, 1]."""
        counts = Counter(word for caption in captions for word in tokenize(caption))
        return sum(n for word, n in counts.items() if word not in self) / max(1, counts.total())

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self.index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.words == other.words

    __hash__ = None

    def encode(self, captions: list[str]) -> Tokens:
        """Captions -> padded ids, each between <start> and <end>.

        Args:
            captions: n_captions texts.

        Returns:
            ``Tokens`` with ids [n_captions, seq_len] and lengths [n_captions], on the CPU.

        Raises:
            ItmError: a caption has no word in it, or is no text.
        """
        captions = checked_captions(captions, "captions to encode")
        unknown_id = self.index[UNKNOWN]
        rows = []
        for number, caption in enumerate(captions):
            words = tokenize(caption)
            if not words:
                raise ItmError(f"caption {number} has no word in it ({caption!r}): remove it or write one")
            rows.append([1, *(self.index.get(word, unknown_id) for word in words), 2])
        return padded(rows)

    def decode(self, ids: Iterable[int]) -> str:
        """Ids -> the words they stand for, special ones left out."""
        return " ".join(self.words[i] for i in map(int, ids) if i >= len(SPECIAL))

    def save(self, path: Path) -> None:
        """Writes the words as a JSON list."""
        write_json(Path(path), self.words[len(SPECIAL) :])

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Reads what ``save`` wrote, here or in ``WordPieces``.

        Raises:
            ItmError: the file is missing, broken, or not a list of words.
        """
        words = read_json(Path(path))
        pieces = isinstance(words, dict) and "word_pieces" in words
        if not pieces and not (isinstance(words, list) and all(isinstance(word, str) for word in words)):
            raise ItmError(f"{path} is not a list of words: make the vocabulary again")
        try:
            return WordPieces(json.dumps(words["word_pieces"])) if pieces else cls(words)
        except ItmError as error:
            raise ItmError(f"{path}: {error}") from error


class WordPieces(Vocabulary):
    """The vocabulary of a published BERT: words, and pieces that rarer words are put together from.

    It is saved whole, so that a model that reads it needs neither the network nor the folder it once came from.

    Args:
        description: a fast tokenizer as the ``tokenizers`` library writes it down: JSON, no code.

    Raises:
        ItmError: the description is not one.
    """

    def __init__(self, description: str):
        from itm_tutorial.data.tokenizers import load_tokenizer

        self.tokenizer = load_tokenizer(description)
        self.index = self.tokenizer.get_vocab()
        self.words = sorted(self.index, key=self.index.__getitem__)

    def __contains__(self, word: str) -> bool:
        """Whether the word can be put together from pieces that are known."""
        pieces = self.tokenizer.encode(word, add_special_tokens=False).tokens
        return bool(pieces) and getattr(self.tokenizer.model, "unk_token", None) not in pieces

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WordPieces) and self.tokenizer.to_str() == other.tokenizer.to_str()

    __hash__ = None

    def encode(self, captions: list[str]) -> Tokens:
        """Captions -> padded ids of pieces, between the BERT's own [CLS] and [SEP].

        Args:
            captions: n_captions texts.

        Returns:
            ``Tokens`` with ids [n_captions, seq_len] and lengths [n_captions], on the CPU.

        Raises:
            ItmError: a caption has no word in it, or is no text.
        """
        captions = checked_captions(captions, "captions to encode")
        captions = [text if len(text) <= MOST_WORDS else first_words(text) for text in captions]
        encoded = self.tokenizer.encode_batch(captions)
        for number, (caption, one) in enumerate(zip(captions, encoded, strict=True)):
            if all(one.special_tokens_mask):
                raise ItmError(f"caption {number} has no word in it ({caption!r}): remove it or write one")
        return padded([one.ids for one in encoded])

    def decode(self, ids: Iterable[int]) -> str:
        """Ids -> the words they stand for, special ones left out."""
        return self.tokenizer.decode(list(map(int, ids)))

    def save(self, path: Path) -> None:
        """Writes the whole tokenizer as JSON."""
        write_json(Path(path), {"word_pieces": json.loads(self.tokenizer.to_str())})
