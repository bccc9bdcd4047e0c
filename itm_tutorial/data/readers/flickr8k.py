"""Flickr8k (Hodosh et al. 2013) as published, as Kaggle's copy with ``captions.txt``, and with Karpathy's JSON."""

from __future__ import annotations

import shutil
import unicodedata
from pathlib import Path
from typing import Any

from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.readers.caption_tables import first_image, read_lines, read_table
from itm_tutorial.data.readers.entries import bytes_note, list_table, made_note, made_splits, plain_caption, stem
from itm_tutorial.data.readers.finding import file_below, layout
from itm_tutorial.data.readers.karpathy import FILES, karpathy_layout
from itm_tutorial.data.readers.listing import (
    Listing,
    Row,
    prepare_listing,
    prepared_folder,
    read_prepared,
)
from itm_tutorial.data.readers.photographs import named, sizes_in
from itm_tutorial.data.readers.sources import SOURCES, downloads_folder, fetch
from itm_tutorial.errors import ItmError, refuse_options
from itm_tutorial.storage import replace_folder

PHOTOGRAPHS = "Flicker8k_Dataset"  # so spelt in the published archive
TEXTS = "Flickr8k_text"
CAPTIONS = "Flickr8k.token.txt"
FOLDERS = (PHOTOGRAPHS, "Flickr8k_Dataset", "Images", "images", "imgs")  # the names that copies give it
TABLES = ("captions.txt", "captions.csv")  # of Kaggle's copy
SHARE, MOST = 8, 1000  # without lists: an eighth for validation, an eighth for test, 1,000 each at most
ARCHIVES = SOURCES["flickr8k"].archives
LISTS = {"train": "Flickr_8k.trainImages.txt", "val": "Flickr_8k.devImages.txt", "test": "Flickr_8k.testImages.txt"}


def prepare(name: str = "flickr8k", source: Path | None = None) -> Path:
    """Checks the published files and copies what the course needs into the cache, all of it or nothing.

    The same source again changes nothing. Another source replaces the prepared corpus once its own copy is complete.

    Args:
        name: "flickr8k".
        source: the folder that holds ``Flicker8k_Dataset`` and ``Flickr8k_text``; None downloads them, unless
            the corpus is prepared already.

    Returns:
        The prepared folder.

    Raises:
        ItmError: a file is missing, cut short or malformed (the message names it and the line), or the download fails.
    """
    if source is not None:
        return prepare_listing(read_published(Path(source).expanduser(), name))
    replace_folder(prepared_folder(name), _download_and_copy, is_current=Path.exists)
    return prepared_folder(name)


def _download_and_copy(part: Path) -> None:
    read_published(fetch("flickr8k", ARCHIVES)).keep_in(part)
    shutil.rmtree(downloads_folder("flickr8k"), ignore_errors=True)  # the photographs are copied


def load(name: str = "flickr8k", **options: Any) -> Corpus:
    """Loads the prepared corpus; if a split is missing because it had no photographs, a warning says so.

    Raises:
        ItmError: the corpus was not prepared, or is damaged, or an option was given.
    """
    refuse_options(name, options)
    return read_prepared(name, how="` to download it, or `itm prepare flickr8k --from DIR` with its files in DIR")


def read_published(source: Path, name: str = "flickr8k") -> Listing:
    """Reads the lists and captions, and checks that each photograph exists.

    The test split is left out if none of its photographs exist. Captions of images that are in no list are counted;
    the published data set has some.

    Raises:
        ItmError: a file is missing or malformed, or an image is listed twice or has no photograph or no caption.
    """
    texts = _texts(source)
    table = read_table(_known(texts / CAPTIONS))
    captions = table.captions
    lists = read_lists(texts)
    photographs = _photographs(source)
    sizes = sizes_in(photographs)
    composed = named(sizes)
    folded = {image.casefold(): found for image, found in composed.items()}
    wanted = {*captions, *(image for listed in lists.values() for image in listed)}
    name_of = {image: composed.get(image) or folded.get(image.casefold()) for image in wanted}
    name_of = {image: found for image, found in name_of.items() if found}
    splits: dict[str, list[Row]] = {}
    unpacked = 0
    for split, listed in lists.items():
        there = [image for image in listed if image in name_of]
        if not there and split != "test":
            raise ItmError(f"{photographs} holds none of the photographs that {LISTS[split]} lists: check the folder")
        if not there:
            continue
        rows: list[Row] = []
        for image in listed:
            if image not in name_of:
                raise ItmError(
                    f"{photographs / image} is missing, though {LISTS[split]} lists it: get the archive again"
                )
            if image not in captions:
                raise ItmError(f"{LISTS[split]}: {image} has no caption in {CAPTIONS}: get the text archive again")
            plain = [plain_caption(caption, table.where[image]) for caption in captions[image]]
            unpacked += sum(was_bytes for _, was_bytes in plain)
            found = name_of[image]
            rows.append({"image": found, "bytes": sizes[found], "captions": [caption for caption, _ in plain]})
        splits[split] = rows
    unlisted = set(captions).difference(*lists.values())
    notes = [_unlisted(len(unlisted), sum(len(captions[i]) for i in unlisted), len(unlisted.difference(name_of)))]
    notes += [bytes_note(unpacked), *table.notes()]
    return Listing(name, photographs, splits, "; ".join(filter(None, notes)), copied=True)


def _texts(source: Path) -> Path:
    """The folder of the text files: the archive has no folder of its own, so some copies keep them beside the rest."""
    return source if not (source / TEXTS).is_dir() and (source / CAPTIONS).is_file() else source / TEXTS


def _photographs(source: Path) -> Path:
    """The folder of the photographs, under its published name where no other is found."""
    found = [place for place in FOLDERS if (source / place).is_dir()]
    nested = [place for place in found if (source / place / PHOTOGRAPHS).is_dir()]
    return source / nested[0] / PHOTOGRAPHS if nested else source / (found[0] if found else PHOTOGRAPHS)


def _unlisted(images: int, captions: int, without: int) -> str:
    """How many captioned images are in no list."""
    if not images:
        return ""
    note = f"{images} captioned image{'s' * (images > 1)} ({captions} caption{'s' * (captions > 1)}) in no list"
    return f"{note}, {without} of them without a photograph" if without else note


def read_lists(texts: Path) -> dict[str, list[str]]:
    """Maps each split to the images in its list.

    Raises:
        ItmError: a list is missing, empty or malformed, or an image occurs twice in the lists.
    """
    lists = {name: read_list(texts / file) for name, file in LISTS.items()}
    split_of: dict[str, str] = {}
    for name, listed in lists.items():
        for image in listed:
            if image in split_of:
                raise ItmError(
                    f"{image} is listed in both {texts / LISTS[split_of[image]]} and {texts / LISTS[name]}: a model "
                    "would be measured on what it was trained on; remove it from one of them"
                )
            split_of[image] = name
    return lists


def read_list(file: Path) -> list[str]:
    """The images in a published list, in its order.

    Raises:
        ItmError: the list is missing or empty, an image occurs twice, or a line is not a file name.
    """
    line_of: dict[str, int] = {}
    for number, line in read_lines(_known(file)):
        image = unicodedata.normalize("NFC", line.strip())
        if image in line_of:
            raise ItmError(f"{file} line {number}: {image} is in line {line_of[image]} already; remove one of them")
        if "/" in image or "\\" in image or image in (".", "..") or len(image) > 255:
            raise ItmError(f"{file} line {number}: {image!r:.100} is not a file name; write it as name.jpg")
        line_of[image] = number
    if not line_of:
        raise ItmError(f"{file} lists no image: get the text archive again")
    return list(line_of)


def _known(file: Path) -> Path:
    """A published text file.

    Raises:
        ItmError: it is missing.
    """
    if not file.exists():
        raise ItmError(f"{file} is missing: give the folder that holds {PHOTOGRAPHS} and {TEXTS}")
    return file


def read_kaggle(folder: Path, name: str = "flickr8k") -> Listing:
    """Reads Kaggle's copy: a table of captions, photographs, and no lists.

    Where the published lists are beside it, they give the splits; otherwise a rule does, by the hash of the file names.

    Raises:
        ItmError: a line is malformed, a photograph is missing, or a list is.
    """
    file = folder / next(table for table in TABLES if (folder / table).is_file())
    table = read_table(file)
    found = {split: file_below(folder, (LISTS[split],)) for split in LISTS}
    notes = table.notes()
    published = any(found.values())
    if published:
        listed = read_lists(next(path for path in found.values() if path).parent)
        split_of = {stem(image): split for split, images in listed.items() for image in images}
        unlisted = [image for image in table.captions if stem(image) not in split_of]
        notes.append(_unlisted(len(unlisted), sum(len(table.captions[image]) for image in unlisted), 0))
    else:
        split_of = made_splits(map(stem, table.captions), SHARE, MOST, str(file))
        notes.append(made_note(split_of))
    return list_table(name, folder, table, split_of, file.name, notes, published)


def _is_published(folder: Path) -> bool:
    if (folder / TEXTS / CAPTIONS).is_file() or (folder / CAPTIONS).is_file():
        return True
    # without its captions it is a broken copy, unless the lists alone were put beside another one
    return (folder / TEXTS).is_dir() and not _is_kaggle(folder) and not (folder / FILES["flickr8k"]).is_file()


def _is_kaggle(folder: Path) -> bool:
    tables = [folder / table for table in TABLES if (folder / table).is_file()]
    return bool(tables) and (image := first_image(tables[0])) != "" and not image.rpartition(".")[0].isdigit()


LAYOUTS = (
    layout(
        ("flickr8k",),
        f"{PHOTOGRAPHS}/ and {TEXTS}/{CAPTIONS}, as published",
        _is_published,
        (PHOTOGRAPHS, TEXTS),
        read_published,
    ),
    karpathy_layout("flickr8k"),
    layout(
        ("flickr8k",),
        "captions.txt with the columns image,caption and Images/, as in Kaggle's copy",
        _is_kaggle,
        ("Images", "images"),
        read_kaggle,
    ),
)
