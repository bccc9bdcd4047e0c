"""What published files list, checked and matched with the photographs on disk; splits made where none are published."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itm_tutorial.data.captions import repaired
from itm_tutorial.data.names import SPLITS
from itm_tutorial.data.readers.caption_tables import CaptionTable
from itm_tutorial.data.readers.finding import PLACES, Files, composed
from itm_tutorial.data.readers.listing import Listing, Row
from itm_tutorial.errors import ItmError, shown, visible
from itm_tutorial.storage import checked, read_json

GET_AGAIN = "get this file again"
MADE_HERE = "not the published splits"  # part of `about` wherever a split was made here; the leaderboard reads it


@dataclass(frozen=True)
class Entry:
    """One photograph as a published file lists it.

    Attributes:
        image: its name or path.
        captions: as written there.
        split: "train", "val", "test" or "restval"; "" where the file has no splits.
        where: the file and the record, for messages.
        part: the published part that it comes from; a part without any photograph is left out, such as that of a test
            split that one did not get.
        identity: the person or class; None if there is none.
        aliases: other names that the photograph may have on disk.
    """

    image: str
    captions: list[str]
    split: str
    where: str
    part: str = ""
    identity: str | None = None
    aliases: tuple[str, ...] = ()


def published_json(file: Path, schema: Any) -> Any:
    """Reads and checks a published JSON file, as ``read_json`` does; the remedy is to get it again."""
    return checked(read_json(file, remedy=GET_AGAIN), schema, f"{file}", remedy=f"mend this record, or {GET_AGAIN}")


def list_entries(
    name: str,
    folder: Path,
    entries: list[Entry],
    source: str,
    places: tuple[str, ...] = PLACES,
    notes: Iterable[str] = (),
    classes: bool = False,
    files: Files | None = None,
) -> Listing:
    """Checks what a published file lists, and finds its photographs.

    A part without any photograph is left out: loading the corpus says so. A caption that was printed as bytes,
    ``b'A dog .'``, is read as ``A dog .`` and counted.

    Args:
        name: of the corpus.
        folder: that holds the photographs, at any depth.
        entries: in the order of the file.
        source: the file's name, for messages.
        places: subfolders to look at first.
        notes: what else a user should know.
        classes: whether identities are names of classes.
        files: those below ``folder``, if they are known already.

    Returns:
        The listing; its paths start from ``folder``.

    Raises:
        ItmError: a record is malformed, a photograph is listed twice or missing, or a caption is empty.
    """
    if not entries:
        raise ItmError(f"{source} lists no photograph: {GET_AGAIN}")
    files = files or Files.below(folder)
    path_of = _find_photographs(files, entries, source, places)
    _refuse_repeats(entries, path_of)
    splits: dict[str, list[Row]] = {}
    unpacked = 0
    for entry in entries:
        if entry.image not in path_of:
            continue
        if not entry.captions:
            raise ItmError(f"{entry.where}: {entry.image} has no caption; write one, or remove this record")
        captions = [plain_caption(caption, entry.where) for caption in entry.captions]
        unpacked += sum(was_bytes for _, was_bytes in captions)
        path = path_of[entry.image]
        row: Row = {"image": path, "bytes": (folder / path).stat().st_size, "captions": [text for text, _ in captions]}
        if entry.identity is not None:
            row["identity"] = entry.identity
        splits.setdefault(entry.split, []).append(row)
    order = [split for split in ("train", "restval", "val", "test") if split in splits]
    note = "; ".join(filter(None, [*notes, bytes_note(unpacked)]))
    return Listing(name, folder, {split: splits[split] for split in order}, note, copied=False, classes=classes)


def list_table(
    name: str,
    folder: Path,
    table: CaptionTable,
    split_of: dict[str, str],
    source: str,
    notes: Iterable[str],
    published: bool,
) -> Listing:
    """As ``list_entries``, for a table of captions; an image whose ``stem`` has no split is left out.

    Args:
        name: of the corpus.
        folder: that holds the photographs.
        table: their captions.
        split_of: the stem of an image -> its split.
        source: the file's name, for messages.
        notes: what else a user should know.
        published: whether the splits are, so that one of them may be absent.

    Raises:
        ItmError: as for ``list_entries``.
    """
    entries = [
        Entry(image, captions, split, table.where[image], split if published else "")
        for image, captions in table.captions.items()
        if (split := split_of.get(stem(image)))
    ]
    return list_entries(name, folder, entries, source, notes=notes)


def bytes_note(n: int) -> str:
    """What `about` says of captions that ``plain_caption`` unpacked; empty if there are none."""
    return f"{n:,} caption{'s' * (n != 1)} written as b'...' read as plain text" if n else ""


def _find_photographs(files: Files, entries: list[Entry], source: str, places: tuple[str, ...]) -> dict[str, str]:
    """Maps each listed photograph to its path; those of parts without any photograph are absent."""
    path_of: dict[str, str] = {}
    missing: dict[str, list[Entry]] = {}
    there = set()
    for entry in entries:
        _check_name(entry)
        found = next(filter(None, (files.find(name, places) for name in (entry.image, *entry.aliases))), None)
        if found is None:
            missing.setdefault(entry.part, []).append(entry)
        else:
            path_of[entry.image] = found
            there.add(entry.part)
    if not path_of:
        raise ItmError(
            f"{files.folder} holds none of the photographs that {source} lists, such as {entries[0].image}: put them "
            f"into {files.folder / places[0]}"
        )
    for part, lost in missing.items():
        if part in there:
            others = f", and so are {len(lost) - 1:,} others" if len(lost) > 1 else ""
            raise ItmError(
                f"{visible(lost[0].image)} is missing below {files.folder}, though {lost[0].where} lists it{others}: "
                "get the photographs again, or remove the records of those that are missing"
            )
    return path_of


def _check_name(entry: Entry) -> None:
    try:
        entry.image.encode()
    except UnicodeEncodeError as error:
        raise ItmError(f"{entry.where}: {shown(entry.image)} is not a file name; {GET_AGAIN}") from error
    try:
        (entry.identity or "").encode()
    except UnicodeEncodeError as error:
        raise ItmError(f"{entry.where}: the identity {shown(entry.identity)} is no text; {GET_AGAIN}") from error
    if not entry.image.strip("/. \\") or len(entry.image) > 1000:
        raise ItmError(f"{entry.where}: {entry.image!r:.100} is not a file name; {GET_AGAIN}")


def _refuse_repeats(entries: list[Entry], path_of: dict[str, str]) -> None:
    """A photograph must be listed once; in two splits, a model would be measured on what it was trained on."""
    first: dict[str, Entry] = {}
    for entry in entries:
        before = first.setdefault(path_of.get(entry.image, entry.image), entry)
        if before is entry:
            continue
        if before.split != entry.split:
            raise ItmError(
                f"{entry.image} is listed both in {before.split} ({before.where}) and in {entry.split} "
                f"({entry.where}): a model would be measured on what it was trained on; remove one of them"
            )
        raise ItmError(f"{entry.where}: {entry.image} is listed in {before.where} already; remove one of them")


def plain_caption(text: str, where: str) -> tuple[str, bool]:
    """A caption on one line, and whether it was printed as bytes (``b'A dog .'``) and read back.

    Raises:
        ItmError: it is empty, or cannot be read back; the message begins with ``where``.
    """
    plain = repaired(text, where)
    was_bytes = plain != composed(text.strip())
    text = " ".join(plain.split())
    if not any(letter.isalnum() for letter in text):
        raise ItmError(f"{where}: a caption is empty; write it, or remove this record")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ItmError(f"{where}: {text[:60]!r} holds half of a character; write the caption again") from error
    return text, was_bytes


def refuse_shared_identities(entries: list[Entry], what: str) -> None:
    """In person search nobody may be in two splits.

    Args:
        entries: with identities.
        what: "person", for the message.

    Raises:
        ItmError: an identity is in two splits.
    """
    first: dict[str | None, Entry] = {}
    for entry in entries:
        before = first.setdefault(entry.identity, entry)
        if before.split != entry.split:
            raise ItmError(
                f"{what} {entry.identity} is both in {before.split} ({before.where}) and in {entry.split} "
                f"({entry.where}): as published, no {what} is in two splits; {GET_AGAIN}, or number them apart"
            )


def by_hash(names: Iterable[str]) -> list[str]:
    """Names in an order that depends on nothing but each name: that of their SHA-256."""
    return sorted(set(names), key=lambda name: hashlib.sha256(composed(name).encode("utf-8", "replace")).digest())


def made_splits(names: Iterable[str], share: int, most: int, where: str) -> dict[str, str]:
    """Gives each name a split by a rule: of the names ordered by hash the first go to test, the next to val.

    Args:
        names: of photographs, or of persons or classes where these must not be shared.
        share: one in so many goes to test, and as many to val; at least one each.
        most: how many go to each at most.
        where: the folder or file, for the message.

    Returns:
        Name -> split.

    Raises:
        ItmError: there are fewer than three.
    """
    order = by_hash(names)
    if len(order) < 3:
        raise ItmError(f"{where} has no splits, and {len(order)} are too few to make some: add photographs")
    n = min(most, max(1, len(order) // share))
    split_of = dict.fromkeys(order, "train")
    return split_of | dict.fromkeys(order[:n], "test") | dict.fromkeys(order[n : 2 * n], "val")


def made_note(split_of: dict[str, str], of: str = "file names") -> str:
    """What `about` says of splits that ``made_splits`` made."""
    sizes = ", ".join(f"{sum(split == one for one in split_of.values()):,} {split}" for split in SPLITS)
    return f"splits made here by the hash of the {of} ({sizes}), {MADE_HERE}"


def stem(image: str) -> str:
    """The name of a photograph without folders and ending, in small letters."""
    name = composed(image.replace("\\", "/").rpartition("/")[2])
    return (name.rpartition(".")[0] or name).casefold()
