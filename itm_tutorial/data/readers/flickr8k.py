"""Flickr8k (Hodosh et al. 2013) in its published layout: two folders, four text files, and a few warts."""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.errors import ItmError
from itm_tutorial.storage import cache_dir, prepare_folder, read_json

PHOTOGRAPHS = "Flicker8k_Dataset"  # so spelt in the published archive
CAPTIONS = "Flickr8k_text/Flickr8k.token.txt"
LISTS = {"train": "Flickr_8k.trainImages.txt", "val": "Flickr_8k.devImages.txt", "test": "Flickr_8k.testImages.txt"}
KNOWN_ORPHAN = "2258277193_586949ec62.jpg.1"  # five captions of an image that was never published


@dataclass(frozen=True)
class Photographs(Sequence):
    """Photographs on disk, decoded when asked for."""

    files: list[Path]

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, i: int) -> Tensor:
        """uint8 [3, H, W] of the photograph i."""
        return decode(self.files[i])


def decode(file: Path) -> Tensor:
    """Decodes a photograph to uint8 [3, H, W], RGB.

    Raises:
        ItmError: the file is missing, cut short, or no image.
    """
    from PIL import Image
    from torchvision.transforms.functional import pil_to_tensor

    try:
        with Image.open(file) as image:
            return pil_to_tensor(image.convert("RGB"))
    except FileNotFoundError as error:
        raise ItmError(f"{file} is missing: prepare the corpus again") from error
    except (OSError, SyntaxError) as error:
        raise ItmError(f"{file} is cut short or no image ({error}): get this file again") from error


def prepared_folder() -> Path:
    """Where the prepared corpus is kept."""
    return cache_dir() / "corpora" / "flickr8k"


def prepare(source: Path) -> Path:
    """Checks the published files and copies what the course needs into the cache: whole, or not at all.

    Args:
        source: the folder that holds ``Flicker8k_Dataset`` and ``Flickr8k_text``.

    Returns:
        The prepared folder.

    Raises:
        ItmError: a file is missing, cut short or malformed; the message names it, and the line.
    """
    source = Path(source)
    captions = read_captions(source / CAPTIONS)
    splits = {}
    for name, file in LISTS.items():
        listed = read_lines(source / "Flickr8k_text" / file)
        there = [image for image in listed if (source / PHOTOGRAPHS / image).exists()]
        if there and len(there) < len(listed):
            gone = next(image for image in listed if image not in set(there))
            raise ItmError(f"{source / PHOTOGRAPHS / gone} is missing, though {file} lists it: get the archive again")
        for image in there:
            if image not in captions:
                raise ItmError(f"{file}: {image} has no caption in {CAPTIONS}: get the text archive again")
        if not there and name != "test":
            raise ItmError(f"{source / PHOTOGRAPHS} holds none of the photographs that {file} lists: check the folder")
        if there:
            splits[name] = [{"image": image, "captions": captions[image]} for image in there]

    def build(part: Path) -> None:
        (part / "images").mkdir()
        for rows in splits.values():
            for row in rows:
                file = source / PHOTOGRAPHS / row["image"]
                decode(file)  # a photograph that is cut short is found now, not in the middle of a training run
                shutil.copyfile(file, part / "images" / row["image"])
        (part / "splits.json").write_text(json.dumps(splits, ensure_ascii=False, indent=1), encoding="utf-8")

    return prepare_folder(prepared_folder(), build)


def read_prepared(folder: Path) -> Corpus:
    """Loads the prepared corpus; a split whose photographs were absent is left out, with a warning.

    Raises:
        ItmError: the corpus was not prepared, or is damaged.
    """
    if not folder.exists():
        raise ItmError(
            "flickr8k is not prepared: run `itm prepare flickr8k --from DIR` with its published files in DIR"
        )
    rows = read_json(folder / "splits.json")
    absent = [name for name in LISTS if name not in rows]
    about = f"without its {' and '.join(absent)} photographs" if absent else "complete"
    if absent:
        warnings.warn(f"flickr8k was prepared {about}: going on with {', '.join(rows)}", stacklevel=3)
    return Corpus("flickr8k", {name: _split(name, rows[name], folder) for name in rows}, drawn=False, about=about)


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
    """Eight digits that change with any photograph's name or caption, so that no two contents share features."""
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:8]


def read_lines(file: Path) -> list[str]:
    """The lines of a published list that hold something, whatever their line ends.

    Raises:
        ItmError: the file is missing, or not UTF-8.
    """
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise ItmError(f"{file} is missing: give the folder that holds {PHOTOGRAPHS} and Flickr8k_text") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ItmError(f"{file} line {line}: not UTF-8; get the text archive again") from error
    return [line.strip() for line in text.split("\n") if line.strip()]


def read_captions(file: Path) -> dict[str, list[str]]:
    """Image name -> its captions, in the order of the file.

    Raises:
        ItmError: a line with no tab, no number or no caption; the message names the line.
    """
    captions: dict[str, list[str]] = {}
    for number, line in enumerate(_numbered(file), start=1):
        if not line.strip():
            continue
        where = f"{file} line {number}"
        key, tab, caption = line.partition("\t")
        image, mark, _ = key.partition("#")
        if not tab:
            raise ItmError(f"{where}: no tab between image name and caption; put one there")
        if not mark:
            raise ItmError(f"{where}: {key!r} has no #number behind the image name; write it as name.jpg#0")
        if not any(letter.isalnum() for letter in caption):
            raise ItmError(f"{where}: the caption of {image} is empty; write one or remove the line")
        if image != KNOWN_ORPHAN:
            captions.setdefault(image, []).append(caption.strip())
    return captions


def _numbered(file: Path) -> list[str]:
    read_lines(file)  # checks that it is there and UTF-8
    return file.read_bytes().decode("utf-8-sig").split("\n")
