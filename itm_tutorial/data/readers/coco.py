"""MSCOCO captions (Lin et al. 2014): the annotations of 2014 or 2017, or Karpathy's JSON with its "restval"."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.readers.entries import (
    MADE_HERE,
    Entry,
    by_hash,
    list_entries,
    made_note,
    made_splits,
    published_json,
)
from itm_tutorial.data.readers.finding import Files, files_below, layout
from itm_tutorial.data.readers.karpathy import karpathy_layout
from itm_tutorial.data.readers.listing import Listing, read_prepared
from itm_tutorial.errors import ItmError, refuse_options, shown

YEARS = ("2014", "2017")
HELD_OUT = 5000  # images of Karpathy's validation and test splits each; so many are taken here where there are more
SHARE = 8  # with the validation images alone, an eighth of them is for validation and as many for test


class Image(TypedDict):
    """One photograph."""

    id: int
    file_name: str


class Annotation(TypedDict):
    """One caption."""

    image_id: int
    caption: str


class File(TypedDict):
    """``captions_val2017.json`` and its like."""

    images: list[Image]
    annotations: list[Annotation]


def load(name: str = "coco", restval: bool = True, **options: Any) -> Corpus:
    """Loads the prepared corpus.

    The test split has all 5,000 images: the field's 5K. Its 1K is the mean over five folds: ``evaluate_folds``.

    Args:
        name: "coco".
        restval: whether training includes the images that Karpathy's file calls restval, as VSE++ and later papers do;
            these are the validation images of 2014 that are neither in val nor in test.
        options: none.

    Raises:
        ItmError: the corpus was not prepared, or is damaged, or an option is unknown.
    """
    refuse_options(name, options, "its only option is restval")
    if not isinstance(restval, bool):
        raise ItmError(f"restval is {shown(restval)}: give True or False")
    return read_prepared(name, train=("train", "restval") if restval else ("train",))


def _captions_file(folder: Path, part: str, year: str) -> Path | None:
    """The annotations of a part, in ``annotations/`` or beside it; None if they are not there."""
    name = f"captions_{part}{year}.json"
    return next((file for file in (folder / "annotations" / name, folder / name) if file.is_file()), None)


def _is_published(folder: Path) -> bool:
    return any(_captions_file(folder, part, year) for part in ("train", "val") for year in YEARS)


def read_published(folder: Path, name: str = "coco") -> Listing:
    """Reads COCO's annotations; Karpathy's JSON, where it is there, goes first.

    COCO gives out no captions of its test images, so the field takes its test split from the validation images. Without
    Karpathy's JSON half of them are for validation and half for test, 5,000 each at most; the rest counts as restval.
    With the validation images alone, training gets most of them.

    Raises:
        ItmError: a record is malformed, or a photograph is missing.
    """
    year = _year(folder)
    files = {part: file for part in ("train", "val") if (file := _captions_file(folder, part, year))}
    notes = []
    read = {part: _read(file) for part, file in files.items()}
    without = sum(not entry.captions for entries in read.values() for entry in entries)
    if without:
        notes.append(f"{without:,} image{'s' * (without != 1)} without a caption left out")
    captioned = {part: [entry for entry in entries if entry.captions] for part, entries in read.items()}
    train, val = captioned.get("train", []), captioned.get("val", [])
    there = Files.below(folder)
    if not any(there.find(entry.image) for entry in train):
        train = []
        split_of = made_splits([entry.image for entry in val], SHARE, HELD_OUT, f"{folder} (val{year} alone)")
        notes.append(f"no train{year} images here, so val{year} alone is divided: {made_note(split_of)}")
    else:
        order = by_hash(entry.image for entry in val)
        n = min(HELD_OUT, len(order) // 2)
        split_of = dict.fromkeys(order, "restval")
        split_of |= dict.fromkeys(order[:n], "test") | dict.fromkeys(order[n : 2 * n], "val")
        rest = f", {len(order) - 2 * n:,} restval" if len(order) > 2 * n else ""
        notes.append(f"val{year} divided by the hash of the file names ({n:,} val, {n:,} test{rest}), {MADE_HERE}")
    entries = [*train, *(replace(entry, split=split_of[entry.image]) for entry in val)]
    source = " and ".join(file.name for file in files.values())
    return list_entries(name, folder, entries, source, notes=notes, files=there)


def _year(folder: Path) -> str:
    """The year whose annotations and photographs are there; if both are, that of which there are two files, or 2014."""
    there = [year for year in YEARS if any(_captions_file(folder, part, year) for part in ("train", "val"))]
    if not there:
        raise ItmError(
            f"{folder}/annotations/captions_val2014.json is missing: give the folder that holds annotations/"
        )
    if len(there) > 1:
        names = {name for name in files_below(folder, depth=2)}
        with_photographs = [year for year in there if any(f"val{year}/" in name for name in names)]
        return (with_photographs or there)[0]
    return there[0]


def _read(file: Path) -> list[Entry]:
    """The photographs of one file with their captions; ``train`` for all, as the caller gives the others a split.

    Raises:
        ItmError: a record is malformed, an image has two records, or a caption belongs to none.
    """
    read = published_json(file, File)
    captions: dict[int, list[str]] = {image["id"]: [] for image in read["images"]}
    for number, one in enumerate(read["annotations"]):
        if one["image_id"] not in captions:
            raise ItmError(
                f"{file} annotations[{number}]: image {one['image_id']} is not among the images; get this file again"
            )
        captions[one["image_id"]].append(one["caption"])
    if len(captions) < len(read["images"]):
        first: dict[int, int] = {}
        for number, image in enumerate(read["images"]):
            if first.setdefault(image["id"], number) != number:
                raise ItmError(
                    f"{file} images[{number}]: the id {image['id']} is that of images[{first[image['id']]}] already; "
                    "remove one of them"
                )
    folder = file.stem.removeprefix("captions_")
    return [
        Entry(f"{folder}/{image['file_name']}", captions[image["id"]], "train", f"{file} images[{number}]", folder)
        for number, image in enumerate(read["images"])
    ]


LAYOUTS = (
    karpathy_layout("coco"),
    layout(
        ("coco",),
        "annotations/captions_val2014.json (or train2014, or those of 2017) and val2014/, as published",
        _is_published,
        ("annotations", "images", *(f"{part}{year}" for part in ("train", "val") for year in YEARS)),
        read_published,
    ),
)
