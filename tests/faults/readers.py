"""The readers under test: for each, how to make a small valid input, and how to read it.

A file ``readers_SOMETHING.py`` beside this one registers more; it is found by its name. To add a reader:

    from readers import register

    def make(folder):                      # writes a small valid input into an empty folder
        (folder / "splits.json").write_text("[]")

    @register("my data set", make)         # every file of the folder is damaged in turn
    def read(folder):                      # reads it as a user would; what it returns does not matter
        my_reader(folder / "splits.json")

``make`` runs once a process and may take a second; ``read`` runs for every damaged input and should take milliseconds.
``read`` must work, or raise an ``ItmError`` of one sentence. ``damaged=("*.json",)`` restricts the files that are
damaged, and ``writes=("out.json",)`` names what ``read`` may write beside the cache. The cache, ``ITM_CACHE``, is an
empty folder of the run unless ``read`` sets the variable to a folder inside its own. There is no network.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Reader:
    """A reader under test.

    Attributes:
        name: of the row in the table.
        make: writes a small valid input into an empty folder.
        read: reads the folder; raises ``ItmError`` where it refuses what it finds.
        damaged: patterns of the files to damage.
        writes: patterns of files, relative to the folder, that ``read`` may write.
    """

    name: str
    make: Callable[[Path], Any]
    read: Callable[[Path], Any]
    damaged: tuple[str, ...] = ("**/*",)
    writes: tuple[str, ...] = ()

    def files(self, folder: Path) -> list[str]:
        """The files to damage, relative to the folder, in a fixed order."""
        found = {file for pattern in self.damaged for file in folder.glob(pattern) if file.is_file()}
        return sorted(file.relative_to(folder).as_posix() for file in found)


_READERS: dict[str, Reader] = {}


def register(
    name: str, make: Callable[[Path], Any], damaged: tuple[str, ...] = ("**/*",), writes: tuple[str, ...] = ()
):
    """Registers the function below it as a reader under test; see the text of this module."""

    def registered(read: Callable[[Path], Any]) -> Callable[[Path], Any]:
        if name in _READERS:
            raise ValueError(f"two readers are called {name!r}: give one another name")
        _READERS[name] = Reader(name, make, read, damaged, writes)
        return read

    return registered


def reader_files() -> list[str]:
    """The names of the files that register readers."""
    return sorted(file.stem for file in Path(__file__).parent.glob("readers_*.py"))


def readers_of(file: str) -> dict[str, Reader]:
    """The readers that a file registers, by name and in its order."""
    before = set(_READERS)
    importlib.import_module(file)
    return {name: reader for name, reader in _READERS.items() if name not in before}


def all_readers() -> dict[str, Reader]:
    """Every registered reader by name, in the order of the files and of the registrations in them."""
    for file in reader_files():
        importlib.import_module(file)
    return dict(_READERS)
