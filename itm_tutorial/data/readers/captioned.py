"""Photographs with their captions, gathered from the rows of tables or from a text beside each photograph."""

from __future__ import annotations

import math
import os
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from itm_tutorial.data.captions import repaired
from itm_tutorial.data.readers.tables import Table, read_text
from itm_tutorial.data.splitting import KEYWORDS
from itm_tutorial.errors import ItmError, shown, unknown

# what a column may be called where the user names none; of several that are there, the first counts
FILE_NAMES = ("file_name", "filename", "file", "image", "image_name", "image_file", "image_path", "path", "photo")
CAPTIONS = ("caption", "text", "description", "sentence", "comment")  # also with an s, or numbered: caption_1
UNREADABLE = (".heic", ".heif", ".cr2", ".cr3", ".nef", ".arw", ".dng", ".raw")  # cameras and phones write them


@dataclass(frozen=True)
class Columns:
    """The columns of a table that are read."""

    file_name: str
    captions: list[str]
    split: str | None = None
    identity: str | None = None

    def __str__(self) -> str:
        return f"columns {', '.join(shown(name) for name in (self.file_name, *self.captions))}"


@dataclass
class Found:
    """What is known of one photograph; ``where`` is the place that named it first."""

    where: str
    captions: list[str] = field(default_factory=list)
    split: str | None = None
    identity: str | None = None


@dataclass
class Captioned:
    """The photographs of a folder that have captions, by their path below it, with "/", as the disk spells it."""

    folder: Path
    images: dict[str, Found] = field(default_factory=dict)
    missing: list[tuple[str, str]] = field(default_factory=list)  # place and name of each photograph that is not there

    def add_row(self, table: Table, number: int, row: dict[str, Any], columns: Columns, split: str | None) -> None:
        """Adds the captions of a row; a photograph that is not there is noted for ``check_missing``.

        Raises:
            ItmError: a value is missing or of the wrong kind, or differs from that of an earlier row of the photograph.
        """
        where = table.where(number)
        name = row.get(columns.file_name)
        if not isinstance(name, str) or not name.strip():
            raise ItmError(f"{where}: {shown(columns.file_name)} is {shown(name)}; write the name of a photograph")
        captions = [text for column in columns.captions for text in captions_of(row.get(column), where)]
        if not captions:
            raise ItmError(f"{where}: the caption of {shown(name)} is empty; write one or remove the row")
        if columns.split is not None:
            split = split_of(row.get(columns.split), where) or split
        identity = None if columns.identity is None else identity_of(row.get(columns.identity), where)
        image = self._find(name.strip(), table.file.parent, where)
        if image is None:
            self.missing.append((where, name.strip()))
            return
        self._add(image, where, captions, split, identity)

    def add_text(self, image: Path) -> None:
        """Adds a photograph whose captions are the lines of the text beside it.

        Args:
            image: its path below the folder.

        Raises:
            ItmError: the text is empty or not UTF-8.
        """
        file = (self.folder / image).with_suffix(".txt")
        captions = [text for line in read_text(file).splitlines() for text in captions_of(line, str(file))]
        if not captions:
            raise ItmError(f"{file} is empty: write one caption per line, or remove it")
        self._add(image.as_posix(), str(file), captions, None, None)

    def check_missing(self, file: Path) -> None:
        """Refuses a table that names photographs which are not there; the message names the first, and how many."""
        if not self.missing:
            return
        where, name = self.missing[0]
        more = len(self.missing) - 1
        near = self._near(name)
        raise ItmError(
            f"{where}: {shown(name)} is not in {self.folder}{f' (there is {shown(near)})' if near else ''}"
            f"{f', and so {more} more' if more else ''}; add what is missing, or remove its rows from {file.name}"
        )

    def name_of(self, image: str) -> str:
        """A photograph's path in Unicode's composed form, which is the same on every system."""
        return unicodedata.normalize("NFC", image)

    def _add(self, image: str, where: str, captions: list[str], split: str | None, identity: str | None) -> None:
        check_readable(image, where)
        if not os.path.isfile(self.folder / image):  # a link that leads nowhere
            raise ItmError(f"{self.folder / image} cannot be opened: put the file back, or remove the link")
        one = self.images.setdefault(image, Found(where, split=split, identity=identity))
        for what, new in (("split", split), ("identity", identity)):
            old = getattr(one, what)
            if new != old:
                raise ItmError(
                    f"{where}: {shown(image)} has the {what} {shown(new)}, but {shown(old)} at {one.where}; make both "
                    "the same"
                )
        one.captions += captions

    def _find(self, name: str, base: Path, where: str) -> str | None:
        """The path below the folder of a photograph that a table in ``base`` names; None if it is not there."""
        if re.match(r"[a-z][a-z0-9+.-]+://", name, re.IGNORECASE):
            raise ItmError(f"{where}: {shown(name)} is an address; nothing is fetched: name a file in {self.folder}")
        for spelt in dict.fromkeys((name, name.replace("\\", "/"))):
            path = self._below(spelt, base, where)
            if os.path.isdir(self.folder / path):
                raise ItmError(f"{where}: {shown(name)} is a folder, not a photograph; name the file")
            if os.path.isfile(self.folder / path):  # also through a link: the user may keep photographs elsewhere
                return path.as_posix()
            if (found := self._spelling.get(self.name_of(path.as_posix()))) is not None:
                return found
            same = self._by_name.get(self.name_of(path.name), [])
            if len(same) == 1:
                return same[0]
            if len(same) > 1:
                raise ItmError(f"{where}: {shown(name)} may be {same[0]} or {same[1]}; write the folder too")
        return None

    def _below(self, name: str, base: Path, where: str) -> PurePosixPath:
        """A name in a table as a path below the folder."""
        written = Path(name)
        outside = f"{where}: {shown(name)} leads out of {self.folder}; write it relative to the table's folder"
        if written.is_absolute():
            try:
                path = PurePosixPath(written.relative_to(self.folder).as_posix())
            except ValueError as error:
                raise ItmError(outside) from error
        elif re.match(r"[a-z]:[\\/]", name, re.IGNORECASE):  # of Windows
            raise ItmError(outside)
        else:
            path = PurePosixPath(base.relative_to(self.folder).as_posix()) / written.as_posix()
        if ".." in path.parts:
            raise ItmError(outside)
        return path

    @cached_property
    def _spelling(self) -> dict[str, str]:
        """Maps each photograph's path in the composed form to the one on disk: macOS writes accents decomposed."""
        there = [file.as_posix() for file in files_below(self.folder) if os.path.isfile(self.folder / file)]
        return {self.name_of(file): file for file in there}

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        """Maps a photograph's name without folders to its paths."""
        found: dict[str, list[str]] = {}
        for composed, file in self._spelling.items():
            if is_photograph(Path(file)):
                found.setdefault(composed.rpartition("/")[2], []).append(file)
        return found

    def _near(self, name: str) -> str | None:
        """A photograph whose name differs in case or in its end only."""
        wanted = PurePosixPath(self.name_of(name.replace("\\", "/")).casefold())
        for file in self._spelling.values():
            there = PurePosixPath(self.name_of(file).casefold())
            if is_photograph(Path(file)) and there.stem == wanted.stem:
                return file
        return None


def known_columns(chosen: Mapping[str, Any]) -> frozenset[str]:
    """Names, in lower case, that tell a header."""
    own = [name for value in chosen.values() for name in ([value] if isinstance(value, str) else value)]
    return frozenset(name.casefold() for name in (*FILE_NAMES, *CAPTIONS, "split", "identity", *own))


def columns_of(table: Table, chosen: Mapping[str, Any]) -> Columns:
    """Which columns of a table are read.

    Args:
        table: of photographs.
        chosen: the columns that the user named: ``file_name``, ``caption`` (one or several), ``split``, ``identity``.

    Raises:
        ItmError: there is no such column, or there are two of one name; the message gives the nearest names.
    """
    plain = {}
    for name in table.columns:
        plain.setdefault(re.sub(r"[ -]", "_", str(name).strip().casefold()), name)

    def of_user(name: str) -> str:
        if name in table.columns:
            return name
        found = plain.get(re.sub(r"[ -]", "_", name.strip().casefold()))
        if found is None:
            raise unknown(f"column of {table.file}", name, map(str, table.columns[:30]))
        return found

    def default(what: str, names: list[str]) -> str:
        if not names:
            have = ", ".join(shown(name, 40) for name in table.columns[:8])
            raise ItmError(
                f"{table.file} has the columns {have}, and none is named {what}: rename one, or name it "
                f"(--column {what}=NAME)"
            )
        return names[0]

    if "file_name" in chosen:
        file_name = of_user(chosen["file_name"])
    else:
        ending = [name for key, name in plain.items() if key.endswith("_file_name")]
        file_name = default("file_name", [plain[key] for key in FILE_NAMES if key in plain] or ending)
    if "caption" in chosen:
        wanted = chosen["caption"]
        captions = [of_user(name) for name in ([wanted] if isinstance(wanted, str) else wanted)]
    else:
        families = [
            [name for key, name in plain.items() if re.fullmatch(rf"{word}s?(_?\d+)?", key) and name != file_name]
            for word in CAPTIONS
        ]
        captions = next(filter(None, families), [])
        default("caption", captions)
    found = Columns(
        file_name,
        captions,
        of_user(chosen["split"]) if "split" in chosen else plain.get("split"),
        of_user(chosen["identity"]) if "identity" in chosen else plain.get("identity"),
    )
    for name in filter(None, (file_name, *captions, found.split, found.identity)):
        if table.columns.count(name) > 1:
            raise ItmError(f"{table.file} has two columns named {shown(name)}: rename one of them")
    return found


def captions_of(value: object, where: str) -> list[str]:
    """The captions in one cell: a text, or a list of texts; none if it is empty.

    A text that is a JSON list of texts counts as this list.

    Raises:
        ItmError: the value is something else, or a text holds half a character.
    """
    if _is_nothing(value):
        return []
    if isinstance(value, (list, tuple)):
        found = []
        for part in value:
            if not isinstance(part, str) or not (texts := captions_of(part, where)):
                raise ItmError(f"{where}: a caption in the list is {shown(part)}; write texts only")
            found += texts
        return found
    if not isinstance(value, str):
        raise ItmError(f"{where}: the caption is {shown(value)}, not a text; write a text or a list of texts")
    text = value.strip()
    if re.match(r"\[\s*['\"]", text):
        import json

        try:
            return captions_of(json.loads(text), where)
        except (ValueError, RecursionError) as error:
            raise ItmError(
                f"{where}: the caption {shown(text)} is a list, but not in JSON; write it with json.dumps, or write "
                "one row per caption"
            ) from error
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ItmError(f"{where}: the caption {shown(text)} holds half a character; write it again") from error
    text = repaired(text, where)
    return [text] if any(letter.isalnum() for letter in text) else []


def split_of(value: object, where: str) -> str | None:
    """The split that a cell names; None if it is empty.

    Raises:
        ItmError: it names no split.
    """
    if _is_nothing(value) or (isinstance(value, str) and not value.strip()):
        return None
    word = str(value).strip().casefold()
    if word not in KEYWORDS:
        raise ItmError(f"{where}: {unknown('split', shown(word).strip(chr(39)), KEYWORDS)}")
    return KEYWORDS[word]


def identity_of(value: object, where: str) -> str | None:
    """The person or class that a cell names; None if it is empty.

    Raises:
        ItmError: it is neither a text nor a number.
    """
    if _is_nothing(value):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a column of whole numbers with a gap is read as 3.0
    if not isinstance(value, (str, int, float)):
        raise ItmError(f"{where}: the identity is {shown(value)}; write a name or a number")
    return str(value).strip() or None


def check_readable(image: str, where: str) -> None:
    """Refuses a photograph whose name or kind makes it unreadable."""
    if Path(image).suffix.lower() in UNREADABLE:
        raise ItmError(f"{where}: {shown(image)} is of a kind that Pillow does not read; convert it to JPEG")
    try:
        image.encode()
    except UnicodeEncodeError as error:
        raise ItmError(f"{where}: the file name {shown(image)} is not UTF-8; rename the file") from error


def files_below(folder: Path) -> list[Path]:
    """The files of a folder and of its subfolders, in the order of their paths below it; hidden ones are left out."""
    found = []
    for parent, folders, names in os.walk(folder):  # follows no link to a folder
        folders[:] = [name for name in folders if not name.startswith((".", "__MACOSX"))]
        below = Path(parent).relative_to(folder)
        found += [below / name for name in names if not name.startswith(".")]
    return sorted(found)


def is_photograph(file: Path) -> bool:
    """Whether a file's name ends like that of an image."""
    return file.suffix.lower() in _suffixes()


@cache
def _suffixes() -> frozenset[str]:
    from PIL import Image

    kinds = Image.registered_extensions()  # loads all that Pillow knows
    return frozenset(suffix for suffix, kind in kinds.items() if kind in Image.OPEN) | set(UNREADABLE)


def _is_nothing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
