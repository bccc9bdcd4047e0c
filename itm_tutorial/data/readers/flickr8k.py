"""Flickr8k (Hodosh et al. 2013) in its published layout: a folder of photographs and a folder of text files."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.data.readers.download import Archive, download, unpack
from itm_tutorial.errors import ItmError
from itm_tutorial.progress import progress_bar
from itm_tutorial.storage import cache_dir, disk_errors, read_json, replace_folder, write_json

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


@dataclass(frozen=True)
class Photographs(Sequence):
    """Photographs on disk; each is decoded when it is indexed."""

    files: list[Path]

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, i: int) -> Tensor:
        """uint8 [3, H, W] of the photograph i."""
        return decode(self.files[i])


def decode(file: Path) -> Tensor:
    """Decodes a photograph to uint8 [3, H, W], RGB, turned as its EXIF data say.

    Raises:
        ItmError: the file is missing, empty, cut short, not an image, or too large for an image.
    """
    from PIL import Image, ImageOps
    from torchvision.transforms.functional import pil_to_tensor

    if not file.exists():
        raise ItmError(f"{file} is missing: prepare the corpus again")
    if not file.is_file():
        raise ItmError(f"{file} is a folder, not a photograph: get this file again")
    if file.stat().st_size == 0:
        raise ItmError(f"{file} is empty: get this file again")
    try:
        with Image.open(file) as image:
            ImageOps.exif_transpose(image, in_place=True)
            return pil_to_tensor(image.convert("RGB"))  # decodes to the last row
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ItmError(f"{file} is cut short or not an image ({error}): get this file again") from error


def prepared_folder() -> Path:
    """The folder of the prepared corpus."""
    return cache_dir() / "corpora" / "flickr8k"


def prepare(source: Path | None = None) -> Path:
    """Checks the published files and copies what the course needs into the cache, all of it or nothing.

    The same source again changes nothing. Another source replaces the prepared corpus once its own copy is complete.

    Args:
        source: the folder that holds ``Flicker8k_Dataset`` and ``Flickr8k_text``; None downloads them, unless
            the corpus is prepared already.

    Returns:
        The prepared folder.

    Raises:
        ItmError: a file is missing, cut short or malformed (the message names it and the line), or the download fails.
    """
    folder = prepared_folder()
    if source is None:
        replace_folder(folder, _download_and_copy, is_current=Path.exists)
        return folder
    published = read_published(Path(source).expanduser())

    def build(part: Path) -> None:
        if folder.exists():
            print(
                f"flickr8k was prepared from other files, or is damaged: {source} replaces it once the copy is complete"
            )
        published.copy(part)

    replace_folder(folder, build, published.is_in)
    return folder


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
            read_published(unpacked).copy(part)
        finally:
            shutil.rmtree(unpacked, ignore_errors=True)
        shutil.rmtree(downloads)


@dataclass(frozen=True)
class Published:
    """The published files, read and checked; the photographs are not decoded yet.

    Attributes:
        source: the folder that holds them.
        splits: per split, one {"image": name, "bytes": size, "captions": [...]} per image.
        record: a hash of the source, and how much of it belongs to no split.
    """

    source: Path
    splits: dict[str, list[dict[str, Any]]]
    record: dict[str, Any]

    def rows(self) -> list[dict[str, Any]]:
        """The images of all splits."""
        return [row for rows in self.splits.values() for row in rows]

    def copy(self, part: Path) -> None:
        """Decodes and copies each photograph into a folder, and writes the JSON beside them."""
        (part / "images").mkdir()
        for row in progress_bar(self.rows(), "copying photographs"):
            file = self.source / PHOTOGRAPHS / row["image"]
            decode(file)  # so that a damaged photograph is found now, not in the middle of a training run
            shutil.copyfile(file, part / "images" / row["image"])
        write_json(part / "splits.json", self.splits)
        write_json(part / "source.json", self.record)

    def is_in(self, folder: Path) -> bool:
        """Whether a prepared folder holds exactly these files, all of them."""
        try:
            if read_json(folder / "source.json") != self.record or read_json(folder / "splits.json") != self.splits:
                return False
        except ItmError:
            return False
        sizes = _sizes(folder / "images")
        return all(sizes.get(row["image"]) == row["bytes"] for row in self.rows())


def read_published(source: Path) -> Published:
    """Reads the lists and captions, and checks that each photograph exists.

    The test split is left out if none of its photographs exist. Captions of images that are in no list are counted;
    the published data set has some.

    Raises:
        ItmError: a file is missing or malformed, or an image is listed twice or has no photograph or no caption.
    """
    captions = read_captions(source / TEXTS / CAPTIONS)
    lists = read_lists(source / TEXTS)
    sizes = _sizes(source / PHOTOGRAPHS)
    splits = {}
    for name, listed in lists.items():
        there = [image for image in listed if image in sizes]
        if not there and name != "test":
            raise ItmError(
                f"{source / PHOTOGRAPHS} holds none of the photographs that {LISTS[name]} lists: check the folder"
            )
        if not there:
            continue
        for image in listed:
            if image not in sizes:
                raise ItmError(
                    f"{source / PHOTOGRAPHS / image} is missing, though {LISTS[name]} lists it: get the archive again"
                )
            if image not in captions:
                raise ItmError(f"{LISTS[name]}: {image} has no caption in {CAPTIONS}: get the text archive again")
        splits[name] = [{"image": i, "bytes": sizes[i], "captions": captions[i]} for i in listed]
    unlisted = set(captions).difference(*lists.values())
    record = {
        "identity": _identity(source, {image: sizes[image] for image in sorted(captions) if image in sizes}),
        "unlisted_images": len(unlisted),
        "unlisted_captions": sum(len(captions[image]) for image in unlisted),
        "unlisted_without_photograph": len(unlisted.difference(sizes)),
    }
    return Published(source, splits, record)


def _identity(source: Path, sizes: dict[str, int]) -> str:
    """A hash over the lists, the captions, and the photographs' names and sizes."""
    digest = hashlib.sha256(repr(list(sizes.items())).encode())
    for file in (*LISTS.values(), CAPTIONS):
        digest.update(hashlib.sha256((source / TEXTS / file).read_bytes()).digest())
    return digest.hexdigest()


def _sizes(photographs: Path) -> dict[str, int]:
    """Maps each file name in a folder to its size in bytes; empty if the folder does not exist."""
    if not photographs.is_dir():
        return {}
    return {entry.name: entry.stat().st_size for entry in os.scandir(photographs) if entry.is_file() or entry.is_dir()}


def read_prepared(folder: Path) -> Corpus:
    """Loads the prepared corpus; if a split is missing because it had no photographs, a warning says so.

    Raises:
        ItmError: the corpus was not prepared, or is damaged.
    """
    if not folder.exists():
        raise ItmError(
            "flickr8k is not prepared: run `itm prepare flickr8k` to download it, "
            "or `itm prepare flickr8k --from DIR` with its published files in DIR"
        )
    if not (folder / "source.json").exists():
        raise ItmError(f"{folder} was prepared by an earlier version: run `itm prepare flickr8k --from DIR` again")
    rows, record = read_json(folder / "splits.json"), read_json(folder / "source.json")
    absent = [name for name in LISTS if name not in rows]
    about = f"without its {' and '.join(absent)} photographs" if absent else "complete"
    if absent:
        warnings.warn(f"flickr8k was prepared {about}: going on with {', '.join(rows)}", stacklevel=3)
    splits = {name: _split(name, rows[name], folder) for name in rows}
    return Corpus("flickr8k", splits, drawn=False, about=about + _unlisted(record))


def _unlisted(record: dict[str, Any]) -> str:
    """How many captioned images are in no list, as the end of a sentence."""
    if not record["unlisted_images"]:
        return ""
    images, captions, without = (record[f"unlisted_{what}"] for what in ("images", "captions", "without_photograph"))
    note = f"; {images} captioned image{'s' * (images > 1)} ({captions} caption{'s' * (captions > 1)}) in no list"
    return f"{note}, {without} of them without a photograph" if without else note


def _split(name: str, rows: list[dict], folder: Path) -> Split:
    image_of = [i for i, row in enumerate(rows) for _ in row["captions"]]
    return Split(
        name=name,
        images=Photographs([folder / "images" / row["image"] for row in rows]),
        captions=[caption for row in rows for caption in row["captions"]],
        image_of=torch.tensor(image_of),
        fingerprint=f"flickr8k/{name}-{_content_hash(rows)}",
    )


def _content_hash(rows: list[dict]) -> str:
    """A hash (eight digits) of all names, sizes and captions; cached features are kept under it."""
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:8]


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
        image = line.strip()
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
