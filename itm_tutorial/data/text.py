"""Captions as words, words as numbers: the tokenizer and the vocabulary."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import LongTensor

from itm_tutorial.errors import ItmError
from itm_tutorial.storage import read_json, write_json

PAD, START, END, UNKNOWN = SPECIAL = ("<pad>", "<start>", "<end>", "<unk>")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def tokenize(caption: str) -> list[str]:
    """Splits a caption into lower-case words; punctuation is dropped, an apostrophe inside a word stays.

    Args:
        caption: any text.

    Returns:
        The words, in order; groundings count them from 0.
    """
    return _WORD.findall(caption.lower())


@dataclass(frozen=True)
class Tokens:
    """Captions as padded word ids.

    Attributes:
        ids: int64 [n_captions, longest], 0 where a caption has ended.
        lengths: int64 [n_captions], words of each caption, <start> and <end> included.
    """

    ids: LongTensor
    lengths: LongTensor

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows) -> Tokens:
        """Some captions, cut to the longest of them: what is padding for all is no work for an encoder."""
        lengths = self.lengths[rows]
        longest = int(lengths.max()) if lengths.numel() else 0
        return Tokens(self.ids[rows, :longest], lengths)

    def to(self, device) -> Tokens:
        return Tokens(self.ids.to(device), self.lengths.to(device))


class Vocabulary:
    """The words that a model knows, each with a number; the order is stable: most frequent first, then by the alphabet.

    Args:
        words: the words after the four special ones, in order.
    """

    def __init__(self, words: Iterable[str]):
        self.words: list[str] = [*SPECIAL, *words]
        self.index: dict[str, int] = {word: i for i, word in enumerate(self.words)}
        if len(self.index) != len(self.words):
            twice = next(word for word, n in Counter(self.words).items() if n > 1)
            raise ItmError(f"vocabulary: the word {twice!r} stands in it twice; keep each word once")

    @classmethod
    def from_captions(cls, captions: Iterable[str], min_count: int = 1) -> Vocabulary:
        """Counts the words of the training captions (never of those of another split).

        Args:
            captions: the training captions.
            min_count: rarer words become <unk> (VSE++: 4).
        """
        counts = Counter(word for caption in captions for word in tokenize(caption))
        return cls(sorted((w for w, n in counts.items() if n >= min_count), key=lambda w: (-counts[w], w)))

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
            ``Tokens`` with ids [n_captions, longest] and lengths [n_captions], on the CPU.

        Raises:
            ItmError: a caption has no word in it.
        """
        unknown_id = self.index[UNKNOWN]
        rows = []
        for number, caption in enumerate(captions):
            words = tokenize(caption)
            if not words:
                raise ItmError(f"caption {number} has no word in it ({caption!r}): remove it or write one")
            rows.append([1, *(self.index.get(word, unknown_id) for word in words), 2])
        lengths = torch.tensor([len(row) for row in rows], dtype=torch.int64)
        ids = torch.zeros(len(rows), int(lengths.max()) if rows else 0, dtype=torch.int64)
        for row, numbers in zip(ids, rows, strict=True):
            row[: len(numbers)] = torch.tensor(numbers)
        return Tokens(ids, lengths)

    def decode(self, ids: Iterable[int]) -> str:
        """Ids -> the words they stand for, special ones left out."""
        return " ".join(self.words[i] for i in map(int, ids) if i >= len(SPECIAL))

    def save(self, path: Path) -> None:
        """Writes the words as a JSON list."""
        write_json(Path(path), self.words[len(SPECIAL) :])

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Reads what ``save`` wrote.

        Raises:
            ItmError: the file is missing, broken, or not a list of words.
        """
        words = read_json(Path(path))
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise ItmError(f"{path} is not a list of words: make the vocabulary again")
        return cls(words)
