"""What a reader finds in a folder of photographs, and how it is checked, kept in the cache and loaded as a corpus."""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NotRequired

import torch
from typing_extensions import TypedDict

from itm_tutorial.data.corpus import ClassTree, Corpus, Split
from itm_tutorial.data.names import SPLITS
from itm_tutorial.data.readers.photographs import Photographs, decode
from itm_tutorial.errors import ItmError
from itm_tutorial.progress import progress_counter
from itm_tutorial.storage import cache_dir, read_json, replace_folder, whole_folder, write_json

LONGEST_NAME = 1000  # letters of a photograph's path below its folder
DECODERS = 4  # threads that decode at once; a decoder lets the others run meanwhile


class Row(TypedDict):
    """One photograph of a split.

    ``image`` is its path below the folder of photographs, with "/"; ``identity`` names the person or class it shows.
    """

    image: str
    bytes: int
    captions: list[str]
    identity: NotRequired[str]


class Record(TypedDict):
    """What a prepared corpus keeps beside its rows, in ``source.json``."""

    identity: str
    source: NotRequired[str | None]  # the folder where the photographs stay; None or absent: copied into images/
    note: NotRequired[str]
    content: NotRequired[dict[str, str]]  # per split, a hash of the rows and of the photographs' bytes
    classes: NotRequired[bool]


@dataclass(frozen=True)
class Listing:
    """The photographs and captions that a reader found; the photographs are not decoded yet.

    Attributes:
        name: of the corpus.
        photographs: the folder that all paths in the rows start from.
        splits: per split, one row per photograph.
        note: what a user should know about this copy, for ``Corpus.about``; empty if nothing.
        copied: whether the photographs are copied into the cache; otherwise they are read where they are.
        classes: whether identities are names of classes, of which training shows some.
    """

    name: str
    photographs: Path
    splits: dict[str, list[Row]]
    note: str = ""
    copied: bool = False
    classes: bool = False

    def rows(self) -> list[Row]:
        """The photographs of all splits."""
        return [row for rows in self.splits.values() for row in rows]

    def identity(self) -> str:
        """A hash of everything listed, of the folder and of the times of the files, to tell whether it changed."""
        told = [self.splits, self.note, self.classes]
        if not self.copied:
            files = [self.photographs / row["image"] for row in self.rows()]
            told += [str(self.photographs.absolute()), [file.stat().st_mtime_ns for file in files]]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def is_kept_in(self, folder: Path) -> bool:
        """Whether a prepared folder holds exactly this."""
        try:
            record, splits = read_json(folder / "source.json", Record), read_json(folder / "splits.json")
        except ItmError:
            return False
        if record["identity"] != self.identity() or splits != self.splits:
            return False
        return not self.copied or all(_size(folder / "images" / row["image"]) == row["bytes"] for row in self.rows())

    def keep_in(self, part: Path) -> None:
        """Decodes each photograph, copies it if it is to be copied, and writes the rows into an empty folder.

        Raises:
            ItmError: a photograph is damaged.
        """
        digests = {}
        if self.copied:
            (part / "images").mkdir()

        def check(row: Row) -> None:
            file = self.photographs / row["image"]
            decode(file)  # so that a damaged photograph is found now, not in the middle of a training run
            if self.copied:
                shutil.copyfile(file, part / "images" / row["image"])
            else:
                with file.open("rb") as opened:
                    digests[row["image"]] = hashlib.file_digest(opened, "sha256").hexdigest()

        what = "copying photographs" if self.copied else "checking photographs"
        pool = ThreadPoolExecutor(DECODERS)
        try:
            with progress_counter(len(self.rows()), what, "photograph") as bar:
                for _ in pool.map(check, self.rows()):
                    bar.update()
        finally:
            pool.shutdown(cancel_futures=True)
        write_json(part / "splits.json", self.splits)
        record: Record = {"identity": self.identity(), "note": self.note, "classes": self.classes}
        if not self.copied:
            record["source"] = str(self.photographs.absolute())
            record["content"] = {
                name: _hash([rows, [digests[row["image"]] for row in rows]]) for name, rows in self.splits.items()
            }
        write_json(part / "source.json", record)


@dataclass(frozen=True)
class Layout:
    """One arrangement of files in which people have a data set.

    Attributes:
        names: the corpora that can be read from it.
        expects: what the folder must hold, as the end of a sentence.
        recognises: whether a folder has this layout; it looks at names and first bytes only.
        read: the folder and the name of the corpus -> what is listed there.
    """

    names: tuple[str, ...]
    expects: str
    recognises: Callable[[Path], bool]
    read: Callable[[Path, str], Listing]


def prepared_folder(name: str) -> Path:
    """The folder of a prepared corpus."""
    return cache_dir() / "corpora" / name


def prepare_listing(listing: Listing, folder: Path | None = None) -> Path:
    """Checks the photographs of a listing and keeps the corpus in the cache, all of it or nothing.

    The same listing again changes nothing. Another one replaces the prepared corpus once it is complete.

    Args:
        listing: what a reader found.
        folder: where to keep it; by default the one of the corpus's name.

    Returns:
        The prepared folder.

    Raises:
        ItmError: a photograph is damaged, or the cache cannot be written.
    """
    folder = folder or prepared_folder(listing.name)

    def build(part: Path) -> None:
        if folder.exists():
            new = listing.photographs.parent if listing.copied else listing.photographs
            print(
                f"{listing.name} was prepared from other files, or is damaged: {new} replaces it once the new one is "
                "complete"
            )
        listing.keep_in(part)

    replace_folder(folder, build, listing.is_kept_in)
    return folder


def read_prepared(
    name: str,
    folder: Path | None = None,
    how: str = "--from DIR` with its published files in DIR",
    train: tuple[str, ...] = ("train",),
) -> Corpus:
    """Loads a prepared corpus; if a split is missing because it had no photographs, a warning says so.

    Args:
        name: of the corpus.
        folder: of the prepared corpus; by default the one of its name.
        how: the end of the command that prepares it, for the message.
        train: the published splits that make up the training split; "restval" may be one of them.

    Returns:
        The corpus.

    Raises:
        ItmError: the corpus was not prepared, is damaged, or its photographs were moved.
    """
    folder = whole_folder(folder or prepared_folder(name))
    again = f"run `itm prepare {name} {how}"
    if not folder.exists():
        raise ItmError(f"{name} is not prepared: {again}")
    if not (folder / "source.json").exists():
        raise ItmError(f"{folder} was prepared by an earlier version: {again} again")
    splits = read_json(folder / "splits.json", dict[str, list[Row]])
    record = read_json(folder / "source.json", Record)
    _check_rows(splits, folder / "splits.json")
    photographs = Path(record.get("source") or folder / "images")
    if not photographs.is_dir():
        raise ItmError(f"{photographs} is gone, and {name} was prepared from it: put it back, or {again} again")
    content = record.get("content", {})
    splits, content, joined = _join_train(splits, content, train)
    absent = [split for split in SPLITS if split not in splits]
    about = f"without its {' and '.join(absent)} photographs" if absent else "complete"
    if absent:
        warnings.warn(f"{name} was prepared {about}: going on with {', '.join(splits)}", stacklevel=3)
    number = _identity_numbers(splits)
    made = {
        split: _split(rows, split, photographs, number, f"{name}/{split}-{content.get(split) or _hash(rows)}")
        for split, rows in splits.items()
    }
    note = "; ".join(filter(None, [joined, record.get("note", "")]))
    if record.get("classes") and not number:
        raise ItmError(f"{folder / 'source.json'} tells of classes, but no photograph has one: {again} again")
    classes = _class_tree(splits, number) if record.get("classes") else None
    return Corpus(name, made, drawn=False, about=f"{about}; {note}" if note else about, classes=classes)


def _join_train(
    splits: dict[str, list[Row]], content: dict[str, str], train: tuple[str, ...]
) -> tuple[dict[str, list[Row]], dict[str, str], str]:
    """Joins the published splits that make up training; returns the splits, their hashes, and a note on the others."""
    extra = [split for split in splits if split not in SPLITS]
    if not extra:
        return splits, content, ""
    parts = [split for split in train if split in splits]
    rows = {"train": [row for split in parts for row in splits[split]]} if parts else {}
    hashes = {"train": _hash([content.get(split, "") for split in parts])} if content and parts != ["train"] else {}
    rest = {split: rows for split, rows in splits.items() if split in SPLITS and split != "train"}
    notes = [
        f"train {'includes' if split in train else 'is without'} the {len(splits[split]):,} images of {split}"
        for split in extra
    ]
    return rows | rest, content | hashes, ", ".join(notes)


def _split(rows: list[Row], name: str, photographs: Path, number: dict[str, int], fingerprint: str) -> Split:
    return Split(
        name=name,
        images=Photographs([photographs / row["image"] for row in rows]),
        captions=[caption for row in rows for caption in row["captions"]],
        image_of=torch.tensor([i for i, row in enumerate(rows) for _ in row["captions"]], dtype=torch.int64),
        identity=torch.tensor([number[row["identity"]] for row in rows]) if number else None,
        fingerprint=fingerprint,
    )


def _check_rows(splits: dict[str, list[Row]], file: Path) -> None:
    """A damaged file must neither name a photograph outside its folder nor leave some without an identity."""
    rows = [row for rows in splits.values() for row in rows]
    if not rows:
        raise ItmError(f"{file} lists no photograph: delete {file.parent} and prepare the corpus again")
    with_identity = sum("identity" in row for row in rows)
    for row in rows:
        path = Path(row["image"])
        if path.is_absolute() or ".." in path.parts:
            raise ItmError(f"{file} names {row['image']!r:.200}, which leads out of the folder: prepare it again")
        if "\0" in row["image"] or len(row["image"]) > LONGEST_NAME:
            raise ItmError(f"{file} names {row['image']!r:.200}, which is no file name: prepare it again")
    if with_identity not in (0, len(rows)):
        raise ItmError(f"{file} has an identity for some photographs only: prepare the corpus again")


def _identity_numbers(splits: dict[str, list[Row]]) -> dict[str, int]:
    """Each identity's number, in the order of their first photographs; the training split comes first."""
    names = sorted(splits, key=lambda split: split != "train")  # stable: the others keep their order
    seen = dict.fromkeys(row["identity"] for split in names for row in splits[split] if "identity" in row)
    return {identity: number for number, identity in enumerate(seen)}


def _class_tree(splits: dict[str, list[Row]], number: dict[str, int]) -> ClassTree:
    """Published classes as the leaves of one root."""
    seen = frozenset(row["identity"] for row in splits.get("train", []))
    return ClassTree(list(number), dict.fromkeys(number, "all classes"), seen)


def _hash(value: object) -> str:
    """A hash (eight digits) of names, sizes and captions; cached features are kept under it."""
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:8]


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else -1
