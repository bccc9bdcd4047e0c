"""Flickr30k (Young et al. 2014): the token file, Kaggle's table with bars, or Karpathy's JSON; any lists."""

from __future__ import annotations

from pathlib import Path

from itm_tutorial.data.names import SPLITS
from itm_tutorial.data.readers.caption_tables import CaptionTable, first_image, read_lines, read_table
from itm_tutorial.data.readers.entries import (
    list_table,
    made_note,
    made_splits,
    stem,
)
from itm_tutorial.data.readers.finding import file_below, layout
from itm_tutorial.data.readers.karpathy import karpathy_layout
from itm_tutorial.data.readers.listing import Listing
from itm_tutorial.errors import ItmError

TOKENS = "results_20130124.token"
TABLES = ("results.csv", "captions.txt", "captions.csv")  # Kaggle's copies
PLACES = ("flickr30k-images", "flickr30k_images", "Images", "images", "imgs")
# one name a line, with or without .jpg; the second row is that of Flickr30k Entities
LISTS = (
    ("flickr30k_train.txt", "flickr30k_val.txt", "flickr30k_test.txt"),
    ("train.txt", "val.txt", "test.txt"),
)
SHARE, MOST = 8, 1000  # without lists: an eighth for validation, an eighth for test, 1,000 each at most


def _read_with(tables: tuple[str, ...], folder: Path, name: str) -> Listing:
    file = folder / next(table for table in tables if (folder / table).is_file())
    table = read_table(file)
    notes = table.notes()
    split_of = _listed_splits(folder)
    published = split_of is not None
    if split_of is None:
        split_of = made_splits(map(stem, table.captions), SHARE, MOST, str(file))
        notes.append(made_note(split_of))
    else:
        notes += _unlisted(table, split_of)
    return list_table(name, folder, table, split_of, file.name, notes, published)


def _listed_splits(folder: Path) -> dict[str, str] | None:
    """The stem of each listed image -> its split; None if there are no lists.

    Raises:
        ItmError: one of three lists is missing, or an image is in two of them.
    """
    for names in LISTS:
        found = {split: file_below(folder, (name,)) for split, name in zip(SPLITS, names, strict=True)}
        if not any(found.values()):
            continue
        split_of: dict[str, str] = {}
        for (split, file), name in zip(found.items(), names, strict=True):
            if file is None:
                others = next(path for path in found.values() if path)
                raise ItmError(f"{others.parent / name} is missing beside {others.name}: get the lists again")
            for number, line in read_lines(file):
                image = line.strip() if "." in line else f"{line.strip()}.jpg"
                before = split_of.setdefault(stem(image), split)
                if before != split:
                    raise ItmError(
                        f"{file} line {number}: {line.strip()} is in the list of {before} too: a model would be "
                        "measured on what it was trained on; remove it from one of them"
                    )
        return split_of
    return None


def _unlisted(table: CaptionTable, split_of: dict[str, str]) -> list[str]:
    n = sum(stem(image) not in split_of for image in table.captions)
    return [f"{n:,} captioned image{'s' * (n != 1)} in no list"] if n else []


def _read_tokens(folder: Path, name: str) -> Listing:
    return _read_with((TOKENS,), folder, name)


def _read_kaggle(folder: Path, name: str) -> Listing:
    return _read_with(TABLES, folder, name)


def _has_tokens(folder: Path) -> bool:
    return (folder / TOKENS).is_file()


def _is_kaggle(folder: Path) -> bool:
    """``results.csv`` of three columns, or a ``captions.txt`` whose images have numbers for names, as Flickr30k's."""
    if (folder / "results.csv").is_file():
        return first_image(folder / "results.csv") != ""
    return any(first_image(folder / table).rpartition(".")[0].isdigit() for table in TABLES[1:])


LAYOUTS = (
    karpathy_layout("flickr30k"),
    layout(("flickr30k",), f"{TOKENS} and flickr30k-images/, as published", _has_tokens, PLACES, _read_tokens),
    layout(
        ("flickr30k",),
        "results.csv with the columns image_name| comment_number| comment and flickr30k_images/, as in Kaggle's copy",
        _is_kaggle,
        PLACES,
        _read_kaggle,
    ),
)
