"""Folders and photographs as people have them: one level too high or too low, in any subfolder, in any Unicode form."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from itm_tutorial.data.readers.listing import Layout, Listing
from itm_tutorial.errors import ItmError

# where the published archives, Kaggle's copies and the field's code keep photographs
PLACES = (
    "images",
    "Images",
    "imgs",
    "Flicker8k_Dataset",
    "Flicker8k_Dataset/Flicker8k_Dataset",
    "Flickr8k_Dataset",
    "Flickr8k_Dataset/Flicker8k_Dataset",
    "flickr30k-images",
    "flickr30k_images",
    "flickr30k_images/flickr30k_images",
    "train2014",
    "val2014",
    "train2017",
    "val2017",
    "images/train2014",
    "images/val2014",
    "images/train2017",
    "images/val2017",
    "jpg",
)
MOST_SUBFOLDERS = 200  # of a folder that is looked through for a data set one level below


def homes(folder: Path, holds: Callable[[Path], bool], inside: tuple[str, ...]) -> list[Path]:
    """The folders that have a layout: the one given, those directly below it, or the one above it.

    Args:
        folder: that a user named.
        holds: whether a folder has the layout.
        inside: names of the layout's own subfolders; only from one of these is the folder above looked at.

    Returns:
        One folder as a rule; empty if there is none, and several if the layout is there more than once.
    """

    def has(one: Path) -> bool:
        try:
            return holds(one)
        except OSError:  # may not be read
            return False

    folder = Path(os.path.abspath(folder))
    if has(folder):
        return [folder]
    if found := [below for below in subfolders(folder) if has(below)]:
        return found
    return [folder.parent] if folder.name in inside and has(folder.parent) else []


def home(folder: Path, holds: Callable[[Path], bool], inside: tuple[str, ...]) -> Path | None:
    """The one folder that has a layout, or None; the arguments are those of ``homes``.

    Raises:
        ItmError: two subfolders have it.
    """
    found = homes(folder, holds, inside)
    if len(found) > 1:
        raise ItmError(f"both {found[0]} and {found[1]} hold this data set: give one of them with --from")
    return found[0] if found else None


def layout(
    names: tuple[str, ...],
    expects: str,
    holds: Callable[[Path], bool],
    inside: tuple[str, ...],
    read: Callable[[Path, str], Listing],
) -> Layout:
    """A layout that is found in the folder given, one level below it or one level above.

    Args:
        names: the corpora that can be read from it.
        expects: what the folder must hold, as the end of a sentence.
        holds: whether a folder has it; it looks at names and first bytes only.
        inside: as for ``homes``.
        read: the folder that has it and the name of the corpus -> what is listed there.
    """
    return Layout(
        names,
        expects,
        recognises=lambda folder: bool(homes(folder, holds, inside)),
        read=lambda folder, name: read(home(folder, holds, inside) or folder, name),
    )


def subfolders(folder: Path) -> list[Path]:
    """The folders directly in a folder, by name, 200 at most; none if it does not exist or may not be read."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if not is_rubbish(entry.name) and _is_folder(entry))
    except OSError:  # may not be read
        return []
    return [folder / name for name in names[:MOST_SUBFOLDERS]]


def is_rubbish(name: str) -> bool:
    """Whether a file or folder was left by an operating system: ``._a.jpg``, ``.DS_Store``, ``Thumbs.db``."""
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_file(entry: os.DirEntry) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def files_below(folder: Path, depth: int = 99) -> Iterator[str]:
    """The paths of all files below a folder, with "/"; links to folders are followed, each folder once.

    Args:
        folder: to look into.
        depth: how many levels of subfolders to look into.

    Yields:
        Paths in the order of their names, a folder's own files first; what the system left is skipped.
    """
    seen: set[tuple[int, int]] = set()
    todo = [("", 0)]
    while todo:
        below, level = todo.pop()
        try:
            status = os.stat(folder / below)
            if (status.st_dev, status.st_ino) in seen:
                continue  # a link back to a folder above
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder / below) as opened:
                entries = sorted((entry for entry in opened if not is_rubbish(entry.name)), key=lambda one: one.name)
        except OSError:  # may not be read, or a link to itself
            continue
        for entry in entries:
            if _is_file(entry):
                yield f"{below}{entry.name}"
        if level < depth:
            todo += [(f"{below}{entry.name}/", level + 1) for entry in reversed(entries) if _is_folder(entry)]


def file_below(folder: Path, names: tuple[str, ...], depth: int = 2) -> Path | None:
    """The first file with one of these names in a folder or below it; the earlier names go first."""
    found: dict[str, str] = {}
    for path in files_below(folder, depth):
        found.setdefault(path.rpartition("/")[2], path)
    return next((folder / found[name] for name in names if name in found), None)


@dataclass(frozen=True)
class Files:
    """The files below a folder, to find photographs in by the names that a published file gives them.

    Attributes:
        folder: that all paths start from.
        paths: each path in Unicode's composed form (NFC) -> the path on disk.
    """

    folder: Path
    paths: dict[str, str]

    @classmethod
    def below(cls, folder: Path) -> Files:
        """Looks through a folder and all its subfolders."""
        return cls(folder, {composed(path): path for path in files_below(folder)})

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in self.paths:
            found.setdefault(path.rpartition("/")[2].casefold(), []).append(path)
        return found

    def find(self, listed: str, places: tuple[str, ...] = PLACES) -> str | None:
        """The path on disk of a photograph.

        First the folder itself and the stated places are looked at, then any subfolder; there capital letters do not
        count, so that ``a.JPG`` is found as ``a.jpg``.

        Args:
            listed: its name, or its path with "/" or a backslash.
            places: the subfolders to look at first.

        Returns:
            A path below ``folder``, or None.

        Raises:
            ItmError: it is in two subfolders, and in none of the places.
        """
        listed = composed(listed.replace("\\", "/")).removeprefix("./")
        for place in ("", *places):
            path = f"{place}/{listed}" if place else listed
            if path in self.paths:
                return self.paths[path]
        name = listed.rpartition("/")[2]
        same_name = self._by_name.get(name.casefold(), [])
        ending = f"/{listed}".casefold()
        found = [path for path in same_name if f"/{path}".casefold().endswith(ending)]
        if not found and "/" in listed and len(same_name) == 1:
            found = same_name  # the photographs lie in one folder, without the subfolders that the list names
        if len(found) > 1:
            raise ItmError(f"{listed} is both {found[0]} and {found[1]} below {self.folder}: keep one of them")
        return self.paths[found[0]] if found else None


def composed(name: str) -> str:
    """A file name in Unicode's composed form (NFC); macOS unpacks accents as two characters."""
    return unicodedata.normalize("NFC", name)
