"""Flickr8k (Hodosh et al. 2013) in its published layout: a folder of photographs and a folder of text files."""

from __future__ import annotations

import shutil
import unicodedata
from pathlib import Path
from typing import Any

from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.readers.download import Archive, download, unpack
from itm_tutorial.data.readers.listing import (
    Layout,
    Listing,
    Row,
    prepare_listing,
    prepared_folder,
    read_prepared,
)
from itm_tutorial.data.readers.photographs import named, sizes_in
from itm_tutorial.errors import ItmError, refuse_options
from itm_tutorial.storage import cache_dir, disk_errors, replace_folder

PHOTOGRAPHS = "Flicker8k_Dataset"  # so spelt in the published archive
TEXTS = "Flickr8k_text"
CAPTIONS = "Flickr8k.token.txt"
LISTS = {"train": "Flickr_8k.trainImages.txt", "val": "Flickr_8k.devImages.txt", "test": "Flickr_8k.testImages.txt"}

# The checksums come from two public projects that use the first mirror: mlverse/torchvision (R/dataset-flickr.R) and
# prabhuomkar/pytorch-cpp (cmake/fetch_flickr8k.cmake). The second mirror has files of the same names; the checksum
# shows whether they are the same files.
MIRRORS = (
    "https://github.com/jbrownlee/Datasets/releases/download/Flickr8k/",
    "https://github.com/Avaneesh40585/Flickr8k-Dataset/releases/download/v1.0/",
)
ARCHIVES = (
    Archive(
        "Flickr8k_text.zip",
        mirrors=tuple(mirror + "Flickr8k_text.zip" for mirror in MIRRORS),
        md5="bf6c1abcb8e4a833b7f922104de18627",
        into=TEXTS,  # this archive has no folder of its own
    ),
    Archive(
        "Flickr8k_Dataset.zip",
        mirrors=tuple(mirror + "Flickr8k_Dataset.zip" for mirror in MIRRORS),
        md5="f18a1e2920de5bd84dae7cf08ec78978",
    ),
)
TERMS = "Flickr8k is given out for research use only: downloading it (about 1 GB) on these terms."


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
    print(TERMS)
    downloads = cache_dir() / "downloads" / "flickr8k"
    unpacked = downloads / "unpacked"
    with disk_errors(downloads):
        downloads.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(unpacked, ignore_errors=True)  # of a run that was killed
        try:
            for archive in ARCHIVES:
                unpack(download(archive, downloads), unpacked / archive.into)
            read_published(unpacked).keep_in(part)
        finally:
            shutil.rmtree(unpacked, ignore_errors=True)
        shutil.rmtree(downloads)


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
    captions = read_captions(source / TEXTS / CAPTIONS)
    lists = read_lists(source / TEXTS)
    photographs = source / PHOTOGRAPHS
    sizes = sizes_in(photographs)
    name_of = named(sizes)
    splits: dict[str, list[Row]] = {}
    for split, listed in lists.items():
        there = [image for image in listed if image in name_of]
        if not there and split != "test":
            raise ItmError(f"{photographs} holds none of the photographs that {LISTS[split]} lists: check the folder")
        if not there:
            continue
        for image in listed:
            if image not in name_of:
                raise ItmError(
                    f"{photographs / image} is missing, though {LISTS[split]} lists it: get the archive again"
                )
            if image not in captions:
                raise ItmError(f"{LISTS[split]}: {image} has no caption in {CAPTIONS}: get the text archive again")
        splits[split] = [
            {"image": name_of[image], "bytes": sizes[name_of[image]], "captions": captions[image]} for image in listed
        ]
    unlisted = set(captions).difference(*lists.values())
    note = _unlisted(len(unlisted), sum(len(captions[i]) for i in unlisted), len(unlisted.difference(name_of)))
    return Listing(name, photographs, splits, note, copied=True)


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
    for number, line in numbered_lines(file):
        image = unicodedata.normalize("NFC", line.strip())
        if image in line_of:
            raise ItmError(f"{file} line {number}: {image} is in line {line_of[image]} already; remove one of them")
        if "/" in image or "\\" in image or image in (".", ".."):
            raise ItmError(f"{file} line {number}: {image!r} is not a file name; write it as name.jpg")
        line_of[image] = number
    if not line_of:
        raise ItmError(f"{file} lists no image: get the text archive again")
    return list(line_of)


def read_captions(file: Path) -> dict[str, list[str]]:
    """Image name -> its captions, in the order of the file.

    Raises:
        ItmError: a line lacks its tab, number or caption, or a number occurs twice; the message names the line.
    """
    captions: dict[str, list[str]] = {}
    line_of: dict[str, int] = {}
    for number, line in numbered_lines(file):
        where = f"{file} line {number}"
        key, tab, caption = line.partition("\t")
        key = unicodedata.normalize("NFC", key)
        image, _, count = key.partition("#")
        if not tab:
            raise ItmError(f"{where}: no tab between image name and caption; put one there")
        if not (image and count):
            raise ItmError(f"{where}: {key!r} has no #number after the image name; write it as name.jpg#0")
        if key in line_of:
            raise ItmError(f"{where}: {key} is in line {line_of[key]} already; remove one of them")
        if not any(letter.isalnum() for letter in caption):
            raise ItmError(f"{where}: the caption of {image} is empty; write one or remove the line")
        line_of[key] = number
        captions.setdefault(image, []).append(caption.strip())
    return captions


def numbered_lines(file: Path) -> list[tuple[int, str]]:
    """The lines of a published text that are not blank, with their numbers from 1, for any kind of line ending.

    Raises:
        ItmError: the file is missing, cannot be read, or is not UTF-8.
    """
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ItmError(f"{file} is missing: give the folder that holds {PHOTOGRAPHS} and {TEXTS}") from error
    except OSError as error:
        raise ItmError(f"{file} cannot be read ({error.strerror}): get the text archive again") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ItmError(f"{file} line {line}: not UTF-8; get the text archive again") from error
    return [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]


def _is_published(folder: Path) -> bool:
    return (folder / TEXTS / CAPTIONS).is_file()


LAYOUTS = (
    Layout(("flickr8k",), f"{PHOTOGRAPHS}/ and {TEXTS}/{CAPTIONS}, as published", _is_published, read_published),
)
