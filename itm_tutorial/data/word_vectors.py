"""Word vectors: one vector per word, compared by cosine, and read from the published file formats."""

from __future__ import annotations

import difflib
import re
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, NotRequired

import torch
from torch import Tensor
from torch.nn.functional import normalize
from typing_extensions import TypedDict

from itm_tutorial.errors import ItmError, shown
from itm_tutorial.storage import read_json, read_tensors, write_json, write_tensors

LONGEST_WORD = 1000  # bytes: a longer "word" in a binary file means that the file is something else
_LARGEST = torch.finfo(torch.float32).max
_HEADER = re.compile(rb"(\d{1,12}) (\d{1,12})\s*")
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_SEPARATORS = re.compile(r"[\s_-]+")
_PACKED = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip"}


class _Words(TypedDict):
    """What ``words.json`` has."""

    words: list[str]
    duplicates: NotRequired[int]


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Words and their vectors.

    Attributes:
        words: each word once, in the order of the file (usually the most frequent first).
        vectors: float32 [n_words, dim].
        duplicates: how many lines of the file were skipped because their word had occurred before.
    """

    words: list[str]
    vectors: Tensor  # [n_words, dim]
    duplicates: int = 0

    def __post_init__(self):
        if not isinstance(self.vectors, Tensor) or self.vectors.ndim != 2 or self.vectors.dtype != torch.float32:
            is_tensor = isinstance(self.vectors, Tensor)
            found = f"{list(self.vectors.shape)} {self.vectors.dtype}" if is_tensor else type(self.vectors).__name__
            raise ItmError(f"word vectors: vectors is {found}; give a float32 tensor [n_words, dim]")
        if len(self.words) != len(self.vectors):
            raise ItmError(
                f"word vectors: {len(self.words)} words for {len(self.vectors)} vectors; give one vector per word"
            )
        if len(self.index) != len(self.words):
            twice = next(word for i, word in enumerate(self.words) if self.index[word] != i)
            raise ItmError(f"word vectors: the word {shown(twice)} occurs twice; keep each word once")
        finite = torch.isfinite(self.vectors).all(1)  # [n_words]
        if not finite.all():
            word = self.words[int((~finite).nonzero()[0])]
            raise ItmError(
                f"word vectors: the vector of {shown(word)} holds a NaN or an infinity; "
                "check whether the training diverged"
            )

    @cached_property
    def index(self) -> dict[str, int]:
        """The row of each word."""
        return {word: i for i, word in enumerate(self.words)}

    @property
    def dim(self) -> int:
        """Numbers per word."""
        return self.vectors.shape[1]

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self.index

    def __repr__(self) -> str:
        return f"WordVectors({len(self):,} words, {self.dim} numbers each)"

    def vector(self, word: str) -> Tensor:
        """The vector of one word, float32 [dim].

        Raises:
            ItmError: the word has no vector; the message names the nearest spellings.
        """
        if word not in self.index:
            near = self._spelled_like(word)
            remedy = f"did you mean {' or '.join(map(repr, near))}?" if near else "no word is spelled like it"
            raise ItmError(f"there is no vector for {shown(word)} among {len(self):,} words: {remedy}")
        return self.vectors[self.index[word]]

    def _spelled_like(self, word: str) -> list[str]:
        """At most three similar spellings; in a large vocabulary only among words with the same first two letters."""
        few = self.words if len(self) <= 10_000 else [w for w in self.words if w[:2].lower() == word[:2].lower()]
        return difflib.get_close_matches(word, few, n=3, cutoff=0.6)

    def matrix(self, names: list[str]) -> Tensor:
        """The vectors of names, such as the classes of a data set.

        Args:
            names: words, or names of several words separated by spaces, ``_`` or ``-``. A name of several words that
                has no vector of its own gets the mean of the vectors of its words.

        Returns:
            float32 [n_names, dim].

        Raises:
            ItmError: no word of a name has a vector.
        """
        if isinstance(names, str):
            raise ItmError(f"names is the single text {shown(names)}; give a list, [{shown(names)}]")
        return torch.stack([self._of_name(name) for name in names]) if names else self.vectors[:0]

    def _of_name(self, name: str) -> Tensor:
        if name in self.index:
            return self.vector(name)
        known = [self.index[word] for word in _SEPARATORS.split(name) if word in self.index]
        if not known:
            near = self._spelled_like(name)
            remedy = f"did you mean {' or '.join(map(repr, near))}?" if near else "give another word for it"
            raise ItmError(f"the name {shown(name)} has no word with a vector among {len(self):,} words: {remedy}")
        return self.vectors[known].mean(0)

    def unit(self) -> WordVectors:
        """The same words with unit vectors.

        Raises:
            ItmError: a vector is zero, so it has no direction.
        """
        zero = (self.vectors == 0).all(1)  # [n_words]
        if zero.any():
            word = self.words[int(zero.nonzero()[0])]
            raise ItmError(f"the vector of {shown(word)} is zero and cannot be made a unit vector: leave the word out")
        largest = self.vectors.abs().amax(1, keepdim=True)  # so that no square is too small or too large for a float32
        return WordVectors(self.words, normalize(self.vectors / largest, dim=1), self.duplicates)

    def nearest(self, word: str | Tensor, k: int = 5, among: Iterable[str] | None = None) -> list[tuple[str, float]]:
        """The words whose vectors have the largest cosine with a query.

        Args:
            word: the query: a word, which is left out of the answer, or a vector [dim].
            k: how many.
            among: the words to choose from; None for all.

        Returns:
            k pairs (word, cosine), the nearest first; of equal cosines, the word that stands first in ``words``.

        Raises:
            ItmError: a word has no vector, a vector is zero, a shape does not fit, or k is out of range.
        """
        asked = self.vector(word) if isinstance(word, str) else word
        if not isinstance(asked, Tensor) or asked.shape != (self.dim,):
            found = list(asked.shape) if isinstance(asked, Tensor) else type(asked).__name__
            raise ItmError(f"nearest: {found} is neither a word nor a vector of shape [{self.dim}]")
        own = word if isinstance(word, str) else None
        names = [name for name in (self.words if among is None else dict.fromkeys(among)) if name != own]
        if not 1 <= k <= len(names):
            raise ItmError(f"nearest: k is {k}, with {len(names)} words to choose from; give 1 to {len(names)}")
        rows = self._rows(names)  # [n_names, dim]
        query = WordVectors(["the vector asked for"], asked.detach().float()[None]).unit().vectors[0]  # [dim]
        cosines = WordVectors(names, rows).unit().vectors @ query  # [n_names]
        order = cosines.argsort(descending=True, stable=True)[:k].tolist()
        return [(names[i], cosines[i].item()) for i in order]

    def _rows(self, words: list[str]) -> Tensor:
        """float32 [n_words, dim]; each word must have a vector."""
        for word in words:
            if word not in self.index:
                self.vector(word)  # raises, with the nearest spellings
        return self.vectors[[self.index[word] for word in words]]

    def save(self, folder: Path) -> None:
        """Writes ``vectors.safetensors`` and ``words.json`` into a folder; makes the folder if it is missing."""
        write_tensors(Path(folder) / "vectors.safetensors", {"vectors": self.vectors})
        write_json(Path(folder) / "words.json", {"words": self.words, "duplicates": self.duplicates})

    @classmethod
    def load(cls, folder: Path) -> WordVectors:
        """Reads what ``save`` wrote.

        Raises:
            ItmError: a file is missing, damaged, or not what ``save`` writes.
        """
        folder = Path(folder)
        about = read_json(folder / "words.json", _Words, f"delete {folder} and make it again with save")
        holding = {"vectors": ("torch.float32", len(about["words"]), None)}
        vectors = read_tensors(folder / "vectors.safetensors", holding)["vectors"]
        try:
            return cls(about["words"], vectors, about.get("duplicates", 0))
        except ItmError as error:
            raise ItmError(f"{folder}: {error}") from error


def read_word_vectors(file: Path, words: Iterable[str] | None = None) -> WordVectors:
    """Reads published word vectors in GloVe's text format or in word2vec's text or binary format.

    A first line of two whole numbers is the header of word2vec; GloVe has no header.

    Args:
        file: the file, unpacked.
        words: the words to keep, which saves memory with a large file; None keeps all.

    Returns:
        The vectors, in the file's order.

    Raises:
        ItmError: as for ``read_glove`` and ``read_word2vec``.
    """
    with _opened(Path(file)) as stream:
        has_header = _HEADER.fullmatch(stream.readline(100)) is not None
    return (read_word2vec if has_header else read_glove)(file, words)


def read_glove(file: Path, words: Iterable[str] | None = None) -> WordVectors:
    """Reads GloVe's text format: one line per word, first the word, then its numbers, separated by single spaces.

    A word may contain spaces, as some do in the largest GloVe file: the numbers are the last columns. Of a word that
    occurs again, the first vector is kept.

    Args:
        file: the text file.
        words: the words to keep; None keeps all.

    Returns:
        The vectors, in the file's order.

    Raises:
        ItmError: the file is empty or packed, a line has too few or too many numbers, a word is not UTF-8, a number is
            not finite, or the file holds none of the wanted words; the message names the line.
    """
    file = Path(file)
    with _opened(file) as stream:
        kept = _Kept(file, words)
        dim = None
        for number, line in _lines(stream):
            dim = dim or _trailing_numbers(line)
            if not dim:
                raise ItmError(f"{file} line {number}: no numbers after the word; give a file of word vectors")
            kept.add_line(number, line, dim)
        return kept.finished(dim)


def read_word2vec(file: Path, words: Iterable[str] | None = None) -> WordVectors:
    """Reads word2vec's two formats; each begins with a line ``n_words dim``.

    The text format has one line per word, as in GloVe's format. The binary format has for each word: the word, a
    space, ``dim`` little-endian float32 numbers, and usually a line feed. A file is read as binary if its name ends
    in ``.bin`` or if it holds control characters.

    Args:
        file: the file, unpacked.
        words: the words to keep; None keeps all.

    Returns:
        The vectors, in the file's order.

    Raises:
        ItmError: as for ``read_glove``; or the header is missing or disagrees with the file, or the file is cut short.
    """
    file = Path(file)
    with _opened(file) as stream:
        first = stream.readline(100)
        header = _HEADER.fullmatch(first)
        if header is None:
            raise ItmError(f"{file} line 1: no header 'n_words dim'; if it is GloVe's format, use read_glove")
        n_words, dim = map(int, header.groups())
        if not n_words or not dim:
            raise ItmError(f"{file} line 1: the header promises {n_words} words of {dim} numbers; get the file again")
        kept = _Kept(file, words)
        start = stream.tell()
        binary = file.suffix == ".bin" or _NOT_TEXT.search(stream.read(1 << 16)) is not None
        stream.seek(start)
        found = (_read_binary if binary else _read_text)(stream, kept, n_words, dim)
        if found != n_words:
            amount = f"more than {n_words}" if found > n_words else str(found)
            raise ItmError(
                f"{file} line 1: the header says that n_words is {n_words}, but {amount} follow; get the file again, "
                "or correct the number"
            )
        return kept.finished(dim)


def _read_text(stream: BinaryIO, kept: _Kept, n_words: int, dim: int) -> int:
    """Reads the lines after the header and returns how many there are."""
    found = 0
    for number, line in _lines(stream, first=2):
        kept.add_line(number, line, dim)
        found += 1
    return found


def _read_binary(stream: BinaryIO, kept: _Kept, n_words: int, dim: int) -> int:
    """Reads the records after the header and returns how many there are; n_words + 1 means more than n_words."""
    size = kept.file.stat().st_size - stream.tell()
    if size < n_words * (4 * dim + 2):  # checked before memory is allocated
        raise ItmError(
            f"{kept.file} line 1: the header promises {n_words} words of {dim} numbers, but only {size} bytes follow: "
            "the file is cut short; get it again"
        )
    for number in range(1, n_words + 1):
        word = bytearray()
        while (byte := stream.read(1)) not in (b" ", b"") and len(word) <= LONGEST_WORD:
            word += byte
        values = stream.read(4 * dim)
        if len(word) > LONGEST_WORD or len(values) < 4 * dim:
            raise ItmError(
                f"{kept.file} word {number} of {n_words}: the file is cut short, or is not word2vec's binary format; "
                "get it again"
            )
        kept.add(bytes(word).lstrip(b"\n"), array("f", values), f"word {number}")
    return n_words + bool(stream.read(2).strip())


class _Kept:
    """Collects the wanted rows of a file one by one; only these use memory, four bytes per number.

    Args:
        file: for the messages.
        words: the words to keep; None keeps all.
    """

    def __init__(self, file: Path, words: Iterable[str] | None):
        if isinstance(words, str):
            raise ItmError(f"words is the single text {shown(words)}; give a set or a list of words")
        self.file = file
        self.wanted = None if words is None else {word.encode() for word in words}
        self.begins = None if words is None else {word.partition(b" ")[0] for word in self.wanted}
        self.values, self.row, self.duplicates = array("f"), {}, 0  # row: word -> its number

    def add_line(self, number: int, line: bytes, dim: int) -> None:
        """Reads one line of a text format."""
        if self.begins is not None and line.count(b" ") == dim and line.partition(b" ")[0] not in self.begins:
            return  # the usual case in a large file; found by two cheap searches
        word, *columns = line.rsplit(b" ", dim)
        extra = word.split(b" ")[1:]  # either the word has spaces, or there are too many numbers
        if len(columns) < dim or (extra and all(map(_is_number, extra))):
            n = len(columns) + len(extra)
            raise ItmError(f"{self.file} line {number}: {n} numbers instead of {dim}; correct the line, or remove it")
        if self.wanted is not None and word not in self.wanted:
            return
        try:
            values = [float(column) for column in columns]
        except ValueError:
            wrong = next(column for column in columns if not _is_number(column)).decode(errors="replace")
            raise ItmError(
                f"{self.file} line {number}: {shown(wrong)} is not a number; correct or remove the line"
            ) from None
        self.add(word, values, f"line {number}")

    def add(self, word: bytes, values: Iterable[float], where: str) -> None:
        """Adds one word, unless it is not wanted or was added before."""
        if self.wanted is not None and word not in self.wanted:
            return
        try:
            text = word.decode()
        except UnicodeDecodeError as error:
            near = word.decode(errors="replace")
            raise ItmError(
                f"{self.file} {where}: the word {shown(near)} is not UTF-8 (byte {error.start}); "
                "convert the file to UTF-8"
            ) from None
        if not all(abs(value) <= _LARGEST for value in values):  # false for NaN too
            wrong = next(value for value in values if not abs(value) <= _LARGEST)
            raise ItmError(
                f"{self.file} {where}: the vector of {shown(text)} holds {wrong}, not a finite float32; "
                "correct or remove it"
            )
        if text in self.row:
            self.duplicates += 1
        else:
            self.row[text] = len(self.row)
            self.values.extend(values)

    def finished(self, dim: int | None) -> WordVectors:
        """The word vectors that were collected."""
        if dim is None:
            raise ItmError(f"{self.file} is empty: get it again")
        if not self.row:
            raise ItmError(f"{self.file} holds none of the {len(self.wanted)} words asked for: check their spelling")
        vectors = torch.frombuffer(self.values, dtype=torch.float32).view(len(self.row), dim)
        return WordVectors(list(self.row), vectors, self.duplicates)


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    """Opens a file of word vectors; raises ``ItmError`` if it is packed, empty or unreadable."""
    try:
        with file.open("rb") as stream:
            start = stream.read(5)
            for mark, name in _PACKED.items():
                if start.startswith(mark):
                    raise ItmError(f"{file} is packed ({name}): unpack it and give the file inside")
            if not start:
                raise ItmError(f"{file} is empty: get it again")
            stream.seek(0)
            yield stream
    except FileNotFoundError as error:
        raise ItmError(f"{file} does not exist: check its name and folder") from error
    except OSError as error:
        raise ItmError(f"{file} cannot be read ({error.strerror}): give a file that you may read") from error


def _lines(stream: BinaryIO, first: int = 1) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers, without the white space at their ends."""
    for number, line in enumerate(stream, first):
        stripped = line.rstrip(b" \t\r\n")
        if stripped:
            yield number, stripped


def _trailing_numbers(line: bytes) -> int:
    """How many columns at the end of a line are numbers; the first column is always a word."""
    columns = line.split(b" ")[1:]
    return next((n for n, column in enumerate(reversed(columns)) if not _is_number(column)), len(columns))


def _is_number(column: bytes) -> bool:
    try:
        float(column)
    except ValueError:
        return False
    return True
