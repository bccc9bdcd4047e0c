"""Captions in text files: the published token files (tab), Kaggle's CSV (comma), and Kaggle's table with bars."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from itm_tutorial.data.readers.finding import composed
from itm_tutorial.errors import ItmError, shown

GET_AGAIN = "get this file again"
_IMAGE = r"[^,|\t]*?\.(?:jpe?g|png|gif|bmp|webp)"
_COLUMNS = {"image": "image", "image_name": "image", "filename": "image", "file_name": "image"}
_COLUMNS |= {"caption": "caption", "comment": "caption", "comment_number": "number", "caption_number": "number"}
_QUOTED = re.compile(r'\s*"(?:[^"]|"")*"\s*')


@dataclass
class CaptionTable:
    """The captions of a text file.

    Attributes:
        captions: image name -> its captions, in the order of the file.
        where: image name -> the file and the line of its first caption, for messages.
        repaired: the lines that lacked a delimiter and were repaired.
    """

    captions: dict[str, list[str]] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)
    repaired: list[str] = field(default_factory=list)

    def add(self, image: str, caption: str, where: str) -> None:
        """Adds one caption."""
        image = composed(image.strip())
        self.captions.setdefault(image, []).append(caption)
        self.where.setdefault(image, where)

    def notes(self) -> list[str]:
        """What a user should know."""
        if not self.repaired:
            return []
        others = f" and {len(self.repaired) - 1:,} more" if len(self.repaired) > 1 else ""
        return [f"{self.repaired[0]}{others}: the missing '|' after the number was put in"]


def read_lines(file: Path, remedy: str = GET_AGAIN) -> list[tuple[int, str]]:
    """The lines of a text that are not blank, with their numbers from 1, for any kind of line ending.

    Args:
        file: UTF-8, with or without its mark.
        remedy: what to do if it is missing, the end of the message.

    Raises:
        ItmError: the file is missing, cannot be read, or is not UTF-8.
    """
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ItmError(f"{file} is missing: {remedy}") from error
    except OSError as error:
        raise ItmError(f"{file} cannot be read ({error.strerror}): {GET_AGAIN}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ItmError(f"{file} line {line}: not UTF-8; {GET_AGAIN}") from error
    lines = text.replace("\r\n", "\n").split("\n")
    return [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def columns_of(line: str) -> tuple[str, list[str]] | None:
    """The delimiter and the columns of a heading such as ``image,caption``; None if the line is no heading."""
    for delimiter in ("|", ",", "\t", ";"):
        names = [name.strip().strip('"').casefold() for name in line.split(delimiter)]
        columns = [_COLUMNS.get(name, "") for name in names]
        if {"image", "caption"} <= set(columns) and "" not in columns:
            return delimiter, columns
    return None


def first_image(file: Path) -> str:
    """The image that the first caption of a file belongs to, from its first bytes alone; "" if there is none."""
    try:
        with file.open("rb") as opened:
            lines = opened.read(4096).decode("utf-8-sig", "ignore").splitlines()
    except OSError:
        return ""
    lines = [line for line in lines if line.strip()]
    if lines and columns_of(lines[0]):
        lines = lines[1:]
    found = re.match(_IMAGE, lines[0], re.IGNORECASE) if lines else None
    return found[0].strip().strip('"') if found else ""


def read_table(file: Path) -> CaptionTable:
    """Reads a file of captions in whichever of the three forms it has; its first line tells which.

    Raises:
        ItmError: a line lacks its delimiter, image name or caption; the message names the line.
    """
    lines = read_lines(file)
    if not lines:
        raise ItmError(f"{file} holds no captions: {GET_AGAIN}")
    heading = columns_of(lines[0][1])
    if heading:
        return _read_columns(file, lines[1:], *heading)
    if found := re.match(rf"{_IMAGE}\s*([,|])", lines[0][1], re.IGNORECASE):  # a table without its heading
        columns = ["image", "number", "caption"] if found[1] == "|" else ["image", "caption"]
        return _read_columns(file, lines, found[1], columns)
    return _read_tokens(file, lines)


def _read_tokens(file: Path, lines: list[tuple[int, str]]) -> CaptionTable:
    """Lines such as ``a.jpg#0``, a tab, and the caption."""
    table = CaptionTable()
    line_of: dict[str, int] = {}
    for number, line in lines:
        where = f"{file} line {number}"
        key, tab, caption = line.partition("\t")
        key = composed(key)
        image, _, count = key.partition("#")
        if not tab:
            raise ItmError(f"{where}: no tab between image name and caption; put one there")
        if not (image and count):
            raise ItmError(f"{where}: {shown(key)} has no #number after the image name; write it as name.jpg#0")
        if key in line_of:
            raise ItmError(f"{where}: {key} is in line {line_of[key]} already; remove one of them")
        _refuse_empty(caption, image, where)
        line_of[key] = number
        table.add(image, caption.strip(), where)
    return table


def _read_columns(file: Path, lines: list[tuple[int, str]], delimiter: str, columns: list[str]) -> CaptionTable:
    """Lines of two or three columns, the last of which is the caption; commas in it need no quotes."""
    table = CaptionTable()
    for number, line in _joined(lines, delimiter):
        where = f"{file} line {number}"
        if columns[-1] == "caption":
            cells = line.split(delimiter, len(columns) - 1)
        else:
            cells = _split_quoted(line, delimiter, where)
        fused = re.fullmatch(r"\s*(\d+)\s+(\S.*)", cells[1]) if len(cells) == 2 else None
        if fused and columns == ["image", "number", "caption"]:
            # a published line: "2199200615.jpg| 4   A dog runs across the grass ."
            cells = [cells[0], fused[1], fused[2]]
            table.repaired.append(f"line {number} ({cells[0].strip()})")
        if len(cells) != len(columns):
            raise ItmError(f"{where}: {len(cells)} of {len(columns)} columns; write it as {delimiter.join(columns)}")
        row = dict(zip(columns, map(_unquoted, cells), strict=True))
        if not row["image"].strip():
            raise ItmError(f"{where}: no image name; write it, or remove the line")
        _refuse_empty(row["caption"], row["image"].strip(), where)
        table.add(row["image"], row["caption"].strip(), where)
    return table


def _joined(lines: list[tuple[int, str]], delimiter: str) -> Iterator[tuple[int, str]]:
    """Joins the lines of a caption in quotes that has line breaks; a line that begins with an image name is whole."""
    begins = re.compile(rf'"?{_IMAGE}"?\s*{re.escape(delimiter)}', re.IGNORECASE)
    held: tuple[int, str] | None = None
    for number, line in lines:
        if held is not None and not begins.match(line):
            held = (held[0], f"{held[1]} {line}")
        else:
            if held is not None:
                yield held
            held = (number, line)
        last = held[1].rpartition(f'{delimiter}"')
        if delimiter != "," or not last[1] or _QUOTED.fullmatch(f'"{last[2]}'):
            yield held
            held = None
    if held is not None:
        yield held


def _split_quoted(line: str, delimiter: str, where: str) -> list[str]:
    """Cells of a line; a delimiter in quotes does not end a cell."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error as error:
        raise ItmError(f"{where}: {error}; {GET_AGAIN}") from error


def _unquoted(cell: str) -> str:
    """A CSV cell without its quotes, where the whole of it is in quotes."""
    return cell.strip()[1:-1].replace('""', '"') if _QUOTED.fullmatch(cell) else cell


def _refuse_empty(caption: str, image: str, where: str) -> None:
    if not any(letter.isalnum() for letter in caption):
        raise ItmError(f"{where}: the caption of {image} is empty; write one or remove the line")
