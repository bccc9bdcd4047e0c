"""SCAN's and VSE++'s published features (``f30k_precomp``, ``coco_precomp``): arrays read in place, without images.

The folder holds ``train``, ``dev`` and ``test`` (or ``testall``, COCO's 5,000 images), two files each: ``_ims.npy``, a
float32 array, and ``_caps.txt``, five lines per image, in the order of the images. VSE++ published one row per
*caption* (each image five times), SCAN one row per *image*. Nothing in the folder says which, so we infer it from the
numbers of rows and lines. The public code raises no error when they are confused: it then scores image 5i against the
captions of image i.
"""

from __future__ import annotations

import hashlib
import tokenize
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.data.names import PRECOMP
from itm_tutorial.errors import ItmError, refuse_options, unknown
from itm_tutorial.progress import progress_bar
from itm_tutorial.storage import cache_dir, read_json, write_json

NAMES = PRECOMP
TESTS = ("test", "testall")
CAPTIONS_PER_IMAGE = 5
CHUNK = 2**26  # bytes of an array checked at a time
AGAIN = "get this file again"


@dataclass(frozen=True)
class NoPictures(Sequence):
    """Stands in for images of which only features were published; it has a length and no images."""

    corpus: str
    n_images: int

    def __len__(self) -> int:
        return self.n_images

    def __getitem__(self, i: int) -> Tensor:
        """Raises an error, since there are no images.

        Raises:
            ItmError: always.
        """
        raise ItmError(
            f"{self.corpus} holds features only, so image {i} cannot be shown or read again: "
            "use split.precomputed, or a corpus with pictures, such as 'flickr8k'"
        )


def record_file(name: str) -> Path:
    """The file that records from which folder a corpus was prepared."""
    return cache_dir() / "corpora" / f"{name}.json"


def prepare(name: str, source: Path | None = None) -> Path:
    """Checks every number of the published arrays and records where they are; nothing is copied.

    Args:
        name: one of ``NAMES``.
        source: the folder that holds ``train_ims.npy`` and the others; None checks the recorded one again.

    Returns:
        The record, a JSON file with the folder and its files' sizes.

    Raises:
        ItmError: a file is missing, cut short or malformed; or no folder was given and none is recorded.
    """
    if name not in NAMES:
        raise unknown("corpus of published features", name, NAMES)
    if source is None and not record_file(name).exists():
        raise ItmError(f"{name} cannot be downloaded here: give the folder of its published files with --from DIR")
    folder = Path(read_json(record_file(name))["folder"] if source is None else source).expanduser().absolute()
    sizes = {
        file.name: _bytes(file) for file in _files(folder)
    }  # before the check, so that a file that changes during it is noticed later
    for test in _tests(folder) or [None]:
        corpus = read_precomp(folder, name, test)
        for split, published in _published(folder, test).items():
            if split == "test" or test in (None, _tests(folder)[0]):  # train and val are checked once
                array = open_array(folder / f"{published}_ims.npy")
                check_values(array, len(array) != len(getattr(corpus, split).images), folder / f"{published}_ims.npy")
    write_json(record_file(name), {"folder": str(folder), "files": sizes})
    return record_file(name)


def load(name: str, **options: Any) -> Corpus:
    """Loads a prepared corpus of published features; ``test="testall"`` takes all of COCO's test images.

    Raises:
        ItmError: as for ``read_recorded``, or another option was given.
    """
    test = options.pop("test", None)
    refuse_options(name, options, "published features have no settings; test='testall' takes all of COCO's test images")
    return read_recorded(name, test)


def recognises(folder: Path, name: str) -> bool:
    """Whether a folder holds published arrays; nothing in it tells one data set from another."""
    return name == NAMES[0] and bool(list(folder.glob("*_ims.npy")))


def read_recorded(name: str, test: str | None = None) -> Corpus:
    """Loads a corpus from the folder that it was prepared from.

    Args:
        name: one of ``NAMES``.
        test: as for ``read_precomp``.

    Raises:
        ItmError: the corpus was not prepared, or a file has disappeared or changed its size since.
    """
    if not record_file(name).exists():
        raise ItmError(
            f"{name} is not prepared: run `itm prepare {name} --from DIR` with its published files in DIR "
            "(train_ims.npy, train_caps.txt and so on); the files are read there, so leave them in that folder"
        )
    record = read_json(record_file(name))
    folder = Path(record["folder"])
    for file, size in record["files"].items():
        if not (folder / file).is_file():
            raise ItmError(
                f"{folder / file} is gone, and {name} was prepared from it: put it back, "
                f"or run `itm prepare {name} --from DIR` with the folder's new place"
            )
        if (found := _bytes(folder / file)) != size:
            raise ItmError(
                f"{folder / file} has {found:,} bytes, but had {size:,} when it was prepared: "
                f"put the old file back, or run `itm prepare {name} --from {folder}` again"
            )
    return read_precomp(folder, name, test)


def read_precomp(folder: Path, name: str, test: str | None = None) -> Corpus:
    """Reads a folder in the published layout; the arrays stay on disk, memory-mapped.

    The published ``dev`` becomes the split "val", all of it (SCAN's code stops after its first 1,000 images). Lists of
    image ids (``_ids.txt``) are not read.

    Args:
        folder: holds ``train_ims.npy``, ``train_caps.txt`` and so on.
        name: the name of the corpus.
        test: "test" or "testall", COCO's 5,000 images; by default the first of the two that exists.

    Returns:
        The corpus; ``split.precomputed`` is float32 [n_images, dim] or [n_images, n_regions, dim], read-only, with
        one row per image in both layouts.

    Raises:
        ItmError: a file is missing, cut short or malformed, or an array does not fit its captions. Only ``prepare``
            checks all values; here only the rows of the first image are compared, if it has five.
    """
    folder = Path(folder).expanduser()
    splits, notes = {}, []
    for split, published in _published(folder, test).items():
        array, captions = open_array(folder / f"{published}_ims.npy"), read_captions(folder / f"{published}_caps.txt")
        features = _one_row_per_image(array, len(captions), folder / f"{published}_ims.npy")
        splits[split] = _split(split, features, captions, folder / published, name)
        if len(features) < len(array):
            notes.append(f"{published} held each image {CAPTIONS_PER_IMAGE} times")
    _check_shapes(splits, folder)
    if len(tests := _tests(folder)) > 1:
        taken = test or tests[0]
        notes.append(f"the test split is {taken}" + ("; test='testall' takes all 5,000" if taken == "test" else ""))
    shape = " x ".join(f"{n:,}" for n in splits["train"].precomputed.shape[1:])
    return Corpus(name, splits, drawn=False, about="; ".join([f"features only, {shape} per image", *notes]))


def _split(name: str, features: np.ndarray, captions: list[str], published: Path, corpus: str) -> Split:
    return Split(
        name=name,
        images=NoPictures(corpus, len(features)),
        captions=captions,
        image_of=torch.arange(len(features)).repeat_interleave(CAPTIONS_PER_IMAGE),
        fingerprint=f"{corpus}/{name}-{_files_hash(published)}",
        precomputed=features,
    )


def _published(folder: Path, test: str | None = None) -> dict[str, str]:
    """Maps each split to the beginning of its files' names."""
    if test is not None and test not in TESTS:
        raise unknown("published test split", test, TESTS)
    return {"train": "train", "val": "dev", "test": test or next(iter(_tests(folder)), "test")}


def _tests(folder: Path) -> list[str]:
    """The published test splits that the folder holds."""
    return [published for published in TESTS if _existing(folder, published)]


def _pair(folder: Path, published: str) -> list[Path]:
    return [folder / f"{published}_ims.npy", folder / f"{published}_caps.txt"]


def _existing(folder: Path, published: str) -> list[Path]:
    return [file for file in _pair(folder, published) if file.exists()]


def _files(folder: Path) -> list[Path]:
    """All files that ``read_precomp`` may read."""
    published = dict.fromkeys([*_published(folder).values(), *_tests(folder)])
    return [file for name in published for file in _pair(folder, name)]


def _bytes(file: Path) -> int:
    """The size of a file.

    Raises:
        ItmError: there is no such file.
    """
    if not file.is_file():
        raise ItmError(f"{file} is missing: give the folder that holds it and the other published files")
    return file.stat().st_size


def _files_hash(published: Path) -> str:
    """A hash (eight digits) of the path, size and time of a split's files, whose contents are too large to hash."""
    files = _pair(published.parent.absolute(), published.name)
    stamps = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr(stamps).encode()).hexdigest()[:8]


def open_array(file: Path) -> np.memmap:
    """Maps a published array into memory, read-only: a row is read from disk when it is asked for.

    Returns:
        float32 [n_rows, dim] or [n_rows, n_regions, dim].

    Raises:
        ItmError: the file is missing, cut short, or not a .npy file of plain numbers; or the array has another dtype or
            shape.
    """
    _bytes(file)
    try:
        array = np.lib.format.open_memmap(file, mode="r")  # unlike np.load, it knows neither pickles nor archives
    except OSError as error:
        raise ItmError(f"{file} cannot be read ({error.strerror}): it must be a file that you may read") from error
    except (ValueError, OverflowError, SyntaxError, tokenize.TokenError) as error:
        reason = " ".join(str(error).split())
        raise ItmError(f"{file} is cut short, or not a .npy file of plain numbers ({reason}): {AGAIN}") from error
    if array.dtype != np.float32:
        raise ItmError(f"{file} is {array.dtype.str} {array.dtype.name}: save it again as .astype('float32')")
    if array.ndim not in (2, 3) or array.size == 0:
        raise ItmError(
            f"{file} has shape {list(array.shape)}, not [n_images, dim] or [n_images, n_regions, dim]: {AGAIN}"
        )
    return array


def read_captions(file: Path) -> list[str]:
    """The captions of a split, one per line, in Unicode's composed form (NFC).

    Raises:
        ItmError: the file is missing or not UTF-8, or a line holds no word; the message names the line.
    """
    _bytes(file)
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ItmError(f"{file} cannot be read ({error.strerror}): it must be a file that you may read") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ItmError(f"{file} line {line}: not UTF-8; {AGAIN}") from error
    lines = text.removesuffix("\n").split("\n")  # not splitlines, to which a stray U+2028 would be a line's end
    for number, line in enumerate(lines, start=1):
        if not any(letter.isalnum() for letter in line):
            # dropping the line would move every later caption to another image
            raise ItmError(f"{file} line {number}: the caption is empty; write one there, do not remove the line")
    return [unicodedata.normalize("NFC", line.strip()) for line in lines]


def _one_row_per_image(array: np.memmap, n_captions: int, file: Path) -> np.memmap:
    """A view of an array with one row per image.

    Raises:
        ItmError: the array has neither one row per image nor one per caption.
    """
    n_rows, times = len(array), CAPTIONS_PER_IMAGE
    if n_captions == times * n_rows:
        return array
    if n_captions != n_rows or n_rows % times:
        captions = file.name.replace("_ims.npy", "_caps.txt")
        raise ItmError(
            f"{file} has {n_rows:,} rows, and {captions} {n_captions:,} lines: there must be {times} lines per row "
            f"({times * n_rows:,}), or one row per line and {times} lines per image; get both files from one edition"
        )
    _check_repeats(array[:times], 0, file)
    return array[::times]


def check_values(array: np.ndarray, repeated: bool, file: Path) -> None:
    """Checks every number of an array, a chunk at a time.

    Args:
        array: float32 [n_rows, ...].
        repeated: whether each image must occur five times in succession.
        file: for the message.

    Raises:
        ItmError: a number is NaN or infinite, or the five rows of an image differ.
    """
    rows = max(1, CHUNK // (array[0].nbytes * CAPTIONS_PER_IMAGE)) * CAPTIONS_PER_IMAGE  # never cuts an image in two
    for first in progress_bar(range(0, len(array), rows), f"checking {file.name}"):
        chunk = array[first : first + rows]
        finite = np.isfinite(chunk)
        if not finite.all():
            at = np.argwhere(~finite)[0]
            number, place = chunk[tuple(at)], [int(first + at[0]), *map(int, at[1:])]
            raise ItmError(f"{file} holds {number} at {place}, counted from 0: {AGAIN}")
        if repeated:
            _check_repeats(chunk, first, file)


def _check_repeats(chunk: np.ndarray, first: int, file: Path) -> None:
    """Checks that every five rows in succession are equal.

    Args:
        chunk: float32 [5 * some images, ...].
        first: the index in the array of the first row of the chunk.
        file: for the message.
    """
    images = chunk.reshape(-1, CAPTIONS_PER_IMAGE, *chunk.shape[1:])
    for i in range(len(images)):
        if not np.array_equal(images[i], np.broadcast_to(images[i, :1], images[i].shape), equal_nan=True):
            row = first + i * CAPTIONS_PER_IMAGE
            raise ItmError(
                f"{file} has one row per caption, but rows {row} to {row + CAPTIONS_PER_IMAGE - 1} (counted from 0) "
                "are not five times the same image: get it and its captions from one edition"
            )


def _check_shapes(splits: dict[str, Split], folder: Path) -> None:
    """Checks that the features of all splits have one shape, since one model must read them all."""
    wanted = list(splits["train"].precomputed.shape[1:])
    for name, split in splits.items():
        if (found := list(split.precomputed.shape[1:])) != wanted:
            raise ItmError(
                f"{folder}: {found} numbers per image in {_published(folder)[name]}_ims.npy, but {wanted} in "
                "train_ims.npy; get both files from one edition"
            )
