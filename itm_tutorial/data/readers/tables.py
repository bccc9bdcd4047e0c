"""Tables as files: CSV with any usual separator, JSON lines and Parquet; a message names the line."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itm_tutorial.errors import ItmError

SEPARATORS = (",", ";", "\t", "|")
TEXT_SUFFIXES = (".csv", ".tsv", ".jsonl")
SUFFIXES = (*TEXT_SUFFIXES, ".parquet")
_HEAD = 65536  # bytes that are enough for the names of the columns


@dataclass(frozen=True)
class Table:
    """A table that was opened.

    Attributes:
        file: where it is.
        columns: the names in its header, or the keys of its first record, without the space around them.
        rows: its rows, to be read once: the line (from 1), and column -> value. A cell of a CSV is a text.
        unit: what the number of a row counts: "line" or "row".
    """

    file: Path
    columns: list[str]
    rows: Iterator[tuple[int, dict[str, Any]]]
    unit: str = "line"

    def where(self, number: int) -> str:
        """The place of a row, for a message."""
        return f"{self.file} {self.unit} {number}"


def read_table(file: Path, known: frozenset[str] = frozenset()) -> Table:
    """Opens a table; its kind is told by the end of its name.

    Text must be UTF-8, with or without a byte order mark, or UTF-16 with one. The separator of a CSV is the one of
    comma, semicolon, tab and bar under which the header has the most known columns, then the most columns. Cells in
    double quotes may hold separators and line breaks. Blank lines are skipped.

    Args:
        file: ends in .csv, .tsv, .jsonl or .parquet.
        known: names of columns, in lower case, that tell the separator.

    Returns:
        The table; errors in its rows are raised as they are read.

    Raises:
        ItmError: the file cannot be read, is empty, or is not such a table.
    """
    suffix = file.suffix.lower()
    if suffix == ".parquet":
        return _parquet(file)
    text = read_text(file)
    if not text.strip():
        raise ItmError(f"{file} is empty: write a header and one row per photograph, or remove the file")
    return _json_lines(file, text) if suffix == ".jsonl" else _csv(file, text, known)


def columns_in(file: Path, known: frozenset[str] = frozenset()) -> list[str]:
    """The columns of a table, from its first bytes; empty if it is not a table, or not one that can be read."""
    try:
        if file.suffix.lower() == ".parquet":
            return _parquet(file).columns
        with file.open("rb") as opened:
            data = opened.read(_HEAD)
        whole = data.rpartition(b"\n")[0] if len(data) == _HEAD else data
        text = _decoded(file, whole)
        return (_json_lines if file.suffix.lower() == ".jsonl" else _csv)(file, text, known).columns
    except (ItmError, OSError):
        return []


def read_text(file: Path) -> str:
    """The text of a file: UTF-8 with or without a byte order mark, or UTF-16 with one.

    Raises:
        ItmError: it cannot be read, or is in another encoding.
    """
    try:
        return _decoded(file, file.read_bytes())
    except OSError as error:
        raise ItmError(f"{file} cannot be read ({error.strerror}): it must be a file that you may read") from error


def _decoded(file: Path, data: bytes) -> str:
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = f" line {data[: error.start].count(bytes([10])) + 1}" if not wide else ""
        raise ItmError(
            f"{file}{line}: not {'UTF-16' if wide else 'UTF-8'}; save it again as UTF-8 (in Excel: 'CSV UTF-8')"
        ) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise ItmError(f"{file} line {line}: a zero byte, so it is not UTF-8 text; save it again as UTF-8")
    return text


def _csv(file: Path, text: str, known: frozenset[str]) -> Table:
    def fields(separator: str) -> list[str]:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
        try:
            return [name.strip() for name in next(filter(_filled, reader), [])]
        except csv.Error:
            return []

    def fit(separator: str) -> tuple[int, int]:
        names = fields(separator)
        return sum(name.casefold() in known for name in names), len(names)

    separator = max(SEPARATORS, key=fit)  # of equals the first
    columns = fields(separator)
    return Table(file, columns, _csv_rows(file, text, separator, columns))


def _csv_rows(file: Path, text: str, separator: str, columns: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
    first, header_seen = 1, False
    try:
        for cells in reader:
            line, first = first, reader.line_num + 1
            if not _filled(cells):
                continue
            if not header_seen:
                header_seen = True
                continue
            if len(cells) != len(columns):
                remedy = "put double quotes around a cell that holds the separator or a line break"
                raise ItmError(
                    f"{file} line {line}: {len(cells)} cells, but the header has {len(columns)} "
                    f"(separator {separator!r}); {remedy}"
                )
            yield line, dict(zip(columns, cells, strict=True))
    except csv.Error as error:
        raise ItmError(
            f"{file}, the row that starts in line {first}: {error}; look for a double quote that is not closed, and "
            "write one inside a cell twice"
        ) from error


def _filled(cells: list[str]) -> bool:
    return any(cell.strip() for cell in cells)


def _json_lines(file: Path, text: str, known: frozenset[str] = frozenset()) -> Table:
    columns = next((list(record) for _, record in _records(file, text)), [])
    return Table(file, columns, _records(file, text))


def _records(file: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    start, number = 0, 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        line, start, number = text[start:end].strip(), end + 1, number + 1
        if not line:
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise ItmError(f"{file} line {number}: broken JSON ({error.msg}); write one object per line") from error
        except (ValueError, RecursionError) as error:  # a number of thousands of digits, or brackets without end
            raise ItmError(f"{file} line {number}: broken JSON (a number or its brackets are too long)") from error
        if not isinstance(record, dict):
            raise ItmError(f"{file} line {number}: a {type(record).__name__}; write one JSON object per line")
        yield number, record


def _parquet(file: Path) -> Table:
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise ItmError(f"{file}: Parquet needs pyarrow; run `pip install pyarrow`, or save a metadata.csv") from error
    try:
        opened = parquet.ParquetFile(file)
        columns = list(opened.schema_arrow.names)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise ItmError(f"{file} is cut short or not a Parquet file: get it again") from error

    def rows() -> Iterator[tuple[int, dict[str, Any]]]:
        number = 0
        try:
            for batch in opened.iter_batches(batch_size=1024):
                for record in batch.to_pylist():
                    number += 1
                    yield number, record
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            raise ItmError(f"{file} is damaged after row {number}: get it again") from error

    return Table(file, columns, rows(), unit="row")
