"""CUB-200-2011 (birds) and Oxford-102 (flowers) with the ten descriptions per photograph of Reed et al. (2016).

Test classes do not occur in training. Of CUB's 200 classes 100 are for training, 50 for validation, 50 for test; of
Oxford's 102, 62, 20 and 20. The lists of classes are in the same archives as the descriptions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from itm_tutorial.data.names import SPLITS
from itm_tutorial.data.readers.caption_tables import read_lines
from itm_tutorial.data.readers.entries import (
    Entry,
    list_entries,
    made_note,
    made_splits,
)
from itm_tutorial.data.readers.finding import file_below, files_below, layout, subfolders
from itm_tutorial.data.readers.listing import Layout, Listing
from itm_tutorial.data.readers.sources import SOURCES
from itm_tutorial.errors import ItmError

LISTS = {split: f"{split}classes.txt" for split in SPLITS}


@dataclass(frozen=True)
class DataSet:
    """What tells the two data sets apart.

    Attributes:
        class_name: what the folders of classes are called.
        photographs: where the published archive of photographs keeps them.
        in_classes: whether they lie in folders of classes there.
        known_by: files that show which data set it is, even without descriptions.
        share: without lists of classes, one class in so many is for validation and as many for test.
    """

    class_name: re.Pattern
    photographs: tuple[str, ...]
    in_classes: bool
    known_by: tuple[str, ...]
    share: int


SETS = {
    "cub": DataSet(
        re.compile(r"\d{3}\..+"),  # 001.Black_footed_Albatross
        ("CUB_200_2011/images", "images"),
        True,
        ("CUB_200_2011/images.txt", "image_class_labels.txt"),
        4,
    ),
    "oxford102": DataSet(
        re.compile(r"class_\d+"),  # class_00001
        ("jpg", "102flowers/jpg", "images"),
        False,
        ("jpg/image_00001.jpg",),
        5,
    ),
}


def descriptions_folder(name: str, folder: Path) -> Path | None:
    """The folder of a data set's descriptions, one subfolder per class, in a folder or one level below; or None."""
    for one in (folder, *subfolders(folder)):
        for texts in (one / "text_c10", one / "text_c10" / "text", one / "text"):
            if any(SETS[name].class_name.fullmatch(below.name) for below in subfolders(texts)):
                return texts
    return None


def _holds(name: str, folder: Path) -> bool:
    known = any((folder / file).is_file() for file in SETS[name].known_by)
    return known or descriptions_folder(name, folder) is not None


def read_descriptions(folder: Path, name: str) -> Listing:
    """Reads the descriptions, and the lists of classes for each split.

    Raises:
        ItmError: the descriptions are missing, a class is in two lists or in none, or a photograph is missing.
    """
    this = SETS[name]
    if descriptions_folder(name, folder) is None and descriptions_folder(name, folder.parent) is not None:
        folder = folder.parent  # the descriptions lie beside the folder of the photographs
    texts = descriptions_folder(name, folder)
    if texts is None:
        raise ItmError(f"{folder} has no text_c10/ with the descriptions: put it there; {SOURCES[name].by_hand}")
    classes = [below for below in subfolders(texts) if this.class_name.fullmatch(below.name)]
    published, split_of, notes = _splits(folder, texts, [one.name for one in classes], name)
    entries, empty = [], 0
    for one in classes:
        if one.name not in split_of:
            raise ItmError(f"{one}: this class is in none of {', '.join(LISTS.values())}; add it to one of them")
        for path in sorted(files_below(one)):
            if not path.endswith(".txt"):
                continue
            image = f"{Path(path).stem}.jpg"
            lines = [line.replace("\ufffd", " ") for _, line in read_lines(one / path)]  # bytes that were lost
            captions = [line for line in lines if any(letter.isalnum() for letter in line)]
            empty += len(lines) - len(captions)
            listed = f"{one.name}/{image}" if this.in_classes else image
            part = split_of[one.name] if published else ""
            entries.append(Entry(listed, captions, split_of[one.name], str(one / path), part, one.name))
    if empty:
        notes.append(f"{empty:,} line{'s' * (empty != 1)} without a word left out")
    return list_entries(name, folder, entries, f"{texts.name}/", this.photographs, notes, classes=True)


def _splits(folder: Path, texts: Path, classes: list[str], name: str) -> tuple[bool, dict[str, str], list[str]]:
    """Whether there are published lists, each class's split by them or by a rule, and notes."""
    files = {split: file_below(folder, (file,)) for split, file in LISTS.items()}
    if not any(files.values()):
        split_of = made_splits(classes, SETS[name].share, len(classes), str(texts))
        return False, split_of, [f"no {LISTS['test']}: {made_note(split_of, 'class names')}"]
    split_of: dict[str, str] = {}
    for split, file in files.items():
        if file is None:
            there = next(path for path in files.values() if path)
            raise ItmError(f"{there.parent / LISTS[split]} is missing beside {there.name}: unpack the archive again")
        for number, line in read_lines(file):
            before = split_of.setdefault(line.strip(), split)
            if before != split:
                raise ItmError(
                    f"{file} line {number}: class {line.strip()} is in {LISTS[before]} too, though no class may be in "
                    "two splits; remove it from one of them"
                )
    return True, split_of, []


def _layout(name: str, expects: str) -> Layout:
    inside = ("text_c10", "text", "CUB_200_2011", "jpg")
    return layout((name,), expects, lambda folder: _holds(name, folder), inside, read_descriptions)


LAYOUTS = (
    _layout("cub", "CUB_200_2011/images/ and text_c10/ with the descriptions of cvpr2016_cub"),
    _layout("oxford102", "jpg/ and text_c10/ with the descriptions of cvpr2016_flowers"),
)
