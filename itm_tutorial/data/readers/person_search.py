"""Person search: CUHK-PEDES (Li et al. 2017), ICFG-PEDES (Ding et al.) and RSTPReid (Zhu et al.)."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import NotRequired

from typing_extensions import TypedDict

from itm_tutorial.data.names import SPLITS
from itm_tutorial.data.readers.entries import (
    MADE_HERE,
    Entry,
    by_hash,
    list_entries,
    made_note,
    made_splits,
    published_json,
    refuse_shared_identities,
)
from itm_tutorial.data.readers.finding import layout
from itm_tutorial.data.readers.listing import Layout, Listing
from itm_tutorial.errors import ItmError, shown

# corpus -> the names of its file of captions, the better one first; caption_all.json has no splits
FILES = {
    "cuhk_pedes": ("reid_raw.json", "caption_all.json"),
    "icfg_pedes": ("ICFG-PEDES.json", "ICFG_PEDES.json"),
    "rstpreid": ("data_captions.json",),
}
PLACES = ("imgs", "images", "Images")
SHARE, MOST = 13, 1000  # of CUHK-PEDES' 13,003 persons 1,000 are for validation and 1,000 for test
HELD_OUT = 20  # one in so many of ICFG-PEDES' training persons is for validation, since it publishes no such split


class Record(TypedDict):
    """One photograph of a person."""

    id: int | str
    captions: list[str]
    split: NotRequired[str]
    file_path: NotRequired[str]
    img_path: NotRequired[str]  # RSTPReid's name for it


def captions_file(name: str, folder: Path) -> Path | None:
    """A data set's file of captions, in the folder or in its ``annotations/``; None if it is not there."""
    places = [folder / below / file for file in FILES[name] for below in ("", "annotations")]
    return next((file for file in places if file.is_file()), None)


def read_persons(folder: Path, name: str) -> Listing:
    """Reads the captions, and checks that nobody is in two splits.

    Raises:
        ItmError: a record is malformed, a photograph is missing, or a person is in two splits.
    """
    file = captions_file(name, folder)
    if file is None:
        raise ItmError(f"{folder / FILES[name][0]} is missing: give the folder that holds it and imgs/")
    entries = [
        _entry(record, f"{file} record {number}") for number, record in enumerate(published_json(file, list[Record]))
    ]
    notes = []
    if entries and all(not entry.split for entry in entries):
        split_of = made_splits([str(entry.identity) for entry in entries], SHARE, MOST, str(file))
        entries = [replace(entry, split=split_of[str(entry.identity)]) for entry in entries]
        notes.append(f"{made_note(split_of, 'persons')}, which are in {FILES[name][0]}")
    for entry in entries:
        if entry.split not in SPLITS:
            raise ItmError(f"{entry.where}: the split is {shown(entry.split)}; write one of {', '.join(SPLITS)}")
    if name == "icfg_pedes":
        entries = _numbered_apart(entries)
    refuse_shared_identities(entries, "person")
    if name == "icfg_pedes":
        entries, note = _with_validation(entries)
        notes.append(note)
    return list_entries(name, folder, entries, file.name, PLACES, notes)


def _entry(record: Record, where: str) -> Entry:
    path = record.get("file_path", record.get("img_path"))
    if path is None:
        raise ItmError(f"{where}: neither file_path nor img_path; write one of them, or remove the record")
    split = record.get("split", "")
    return Entry(path, record["captions"], split, where, split, str(record["id"]))


def _numbered_apart(entries: list[Entry]) -> list[Entry]:
    """Tells persons of two splits apart where each split counts from the same first number.

    The photographs of a person lie in a folder of their own, so two persons of one number lie in different folders.
    """
    first = {split: min(_persons(entries, split), key=_as_number) for split in SPLITS if _persons(entries, split)}
    if len(set(first.values())) > 1:
        return entries
    folders: dict[tuple[str, str | None], set[str]] = {}
    for entry in entries:
        folders.setdefault((entry.split, entry.identity), set()).add(entry.image.rpartition("/")[0])
    seen: dict[str | None, set[str]] = {}
    for (_, identity), below in folders.items():
        if "" in below or seen.setdefault(identity, set()) & below:
            return entries
        seen[identity] |= below
    if len(seen) == len(folders):  # nobody shares a number
        return entries
    return [replace(entry, identity=f"{entry.split} {entry.identity}") for entry in entries]


def _persons(entries: list[Entry], split: str) -> set[str]:
    return {str(entry.identity) for entry in entries if entry.split == split}


def _as_number(identity: str) -> tuple[int, str]:
    """Numbers by size, others after them by their letters."""
    return (int(identity), "") if identity.isascii() and identity.isdigit() else (sys.maxsize, identity)


def _with_validation(entries: list[Entry]) -> tuple[list[Entry], str]:
    """Takes some persons out of training for validation, if there is no such split; with a note."""
    persons = by_hash(str(entry.identity) for entry in entries if entry.split == "train")
    if any(entry.split == "val" for entry in entries) or len(persons) < 2:
        return entries, ""
    held_out = set(persons[: max(1, len(persons) // HELD_OUT)])
    note = (
        f"val is made here of {len(held_out):,} of the {len(persons):,} training persons, chosen by hash: the data set "
        f"has no validation split, so train and val are {MADE_HERE}"
    )
    return [replace(one, split="val") if one.identity in held_out else one for one in entries], note


def _layout(name: str, expects: str) -> Layout:
    def holds(folder: Path) -> bool:
        return captions_file(name, folder) is not None

    return layout((name,), expects, holds, (*PLACES, "annotations"), read_persons)


LAYOUTS = (
    _layout("cuhk_pedes", "reid_raw.json (or caption_all.json) and imgs/, as published"),
    _layout("icfg_pedes", "ICFG-PEDES.json and imgs/, as published"),
    _layout("rstpreid", "data_captions.json and imgs/, as published"),
)
