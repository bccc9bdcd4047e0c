"""Published features without images (``f30k_precomp``, ``coco_precomp``, ``cc152k_precomp``), read where they are.

The folder holds ``train``, ``dev`` and ``test`` (or ``testall``, COCO's 5,000 images), or some of them, two files each:
``_ims.npy``, an array of floats, and ``_caps.txt``, one caption per line in the order of the images (NCR's CC152K has
``_caps.tsv``, a number and a caption per line). SCAN published one row per *image* and five captions for each, VSE++
one row per *caption* (each image five times), NCR one caption per image. Nothing in the folder says which, so we infer
it from the numbers of rows and lines, and from whether rows repeat. The public code raises no error when they are
confused: it then scores image 5i against the captions of image i.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from typing_extensions import TypedDict

from itm_tutorial.data.captions import repaired
from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.data.names import PRECOMP, SPLITS
from itm_tutorial.data.readers import existing
from itm_tutorial.data.readers.arrays import AGAIN, check_values, open_array, rows_per_image, size_of
from itm_tutorial.errors import ItmError, refuse_options, unknown
from itm_tutorial.storage import cache_dir, read_json, write_json

NAMES = PRECOMP
TESTS = ("test", "testall")


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
    folder = Path(_record(name)["folder"]) if source is None else existing(source).absolute()
    write_json(record_file(name), {"folder": str(folder), "files": _checked(name, folder)})
    return record_file(name)


def check(name: str, folder: Path) -> str:
    """Checks every number of the published arrays, and records nothing.

    Returns:
        One sentence on what the folder holds.

    Raises:
        ItmError: a file is missing, cut short or malformed.
    """
    n_bytes = sum(_checked(name, folder).values())
    return f"{name}: nothing is broken; {read_precomp(folder, name).about}, {n_bytes / 1e6:,.1f} MB"


def _checked(name: str, folder: Path) -> dict[str, int]:
    """The size of each file of a folder, once all of them are checked."""
    stamps = {file.name: size_of(file) for file in _files(folder)}  # before the check, to notice a change during it
    tests = _tests(folder) or [None]
    for test in tests:
        corpus = read_precomp(folder, name, test)
        for split, published in _published(folder, test).items():
            if split == "test" or test == tests[0]:  # train and val are checked once
                file = folder / f"{published}_ims.npy"
                array = open_array(file)
                check_values(array, len(array) // len(getattr(corpus, split).images), file)
    return stamps


class Record(TypedDict):
    """From where a corpus was prepared: the folder, and the size in bytes of each file in it."""

    folder: str
    files: dict[str, Annotated[int, Field(ge=0, lt=2**63)]]


def _record(name: str) -> Record:
    record = read_json(record_file(name), Record)
    for file in record["files"]:
        if Path(file).name != file or not file.isprintable() or len(file) > 255:
            raise ItmError(f"{record_file(name)} names {file!r:.100}, which is no file name: delete this file")
    if not record["folder"].isprintable() or len(record["folder"]) > 4000 or not Path(record["folder"]).is_absolute():
        raise ItmError(f"{record_file(name)} names no folder: delete it and prepare {name} again")
    return record


def load(name: str, **options: Any) -> Corpus:
    """Loads a prepared corpus of published features; ``test="testall"`` takes all of COCO's test images.

    Raises:
        ItmError: as for ``read_recorded``, or another option was given.
    """
    test = options.pop("test", None)
    refuse_options(name, options, "published features have no settings; test='testall' takes all of COCO's test images")
    return read_recorded(name, test)


def recognises(folder: Path, name: str) -> bool:
    """Whether a folder holds published arrays; nothing in it tells one data set of them from another."""
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
    record = _record(name)
    folder = Path(record["folder"])
    for file, size in record["files"].items():
        try:
            found = size_of(folder / file)
        except ItmError as error:
            raise ItmError(
                f"{folder / file} is gone, and {name} was prepared from it: put it back, "
                f"or run `itm prepare {name} --from DIR` with the folder's new place"
            ) from error
        if found != size:
            raise ItmError(
                f"{folder / file} has {found:,} bytes, but had {size:,} when it was prepared: "
                f"put the old file back, or run `itm prepare {name} --from {folder}` again"
            )
    return read_precomp(folder, name, test)


def read_precomp(folder: Path, name: str, test: str | None = None) -> Corpus:
    """Reads a folder in the published layout; the arrays stay on disk, memory-mapped.

    The published ``dev`` becomes the split "val", all of it (SCAN's code stops after its first 1,000 images). A split
    of which neither file is there is left out, and a warning says so. Lists of image ids (``_ids.txt``) are not read.

    Args:
        folder: holds ``train_ims.npy``, ``train_caps.txt`` and so on.
        name: the name of the corpus.
        test: "test" or "testall", COCO's 5,000 images; by default the first of the two that exists.

    Returns:
        The corpus; ``split.precomputed`` is float16, float32 or float64, [n_images, dim] or [n_images, n_regions, dim],
        read-only, with one row per image in all layouts. A model turns the rows of a batch into float32.

    Raises:
        ItmError: a file is missing, cut short or malformed, or an array does not fit its captions. Only ``prepare``
            checks all values; here only the rows of the first image are compared, if it has several.
    """
    folder = Path(folder).expanduser()
    splits, notes, numbers = {}, [], {}  # numbers: captions per image -> the splits that have so many
    published_splits = _published(folder, test)
    for split, published in published_splits.items():
        array, captions = open_array(folder / f"{published}_ims.npy"), read_captions(_captions_file(folder, published))
        times = rows_per_image(array, len(captions), folder / f"{published}_ims.npy")
        features = array[::times]
        splits[split] = _split(split, features, captions, folder / published, name)
        if times > 1:
            notes.append(f"{published} held each image {times} times")
        numbers.setdefault(len(captions) // len(features), []).append(published)
    _check_shapes(splits, published_splits, folder)
    if list(numbers) != [5]:
        notes.append(_listed(numbers))
    if len(numbers) > 1:
        warnings.warn(f"{folder}: {_listed(numbers)}. If that is wrong, get the files from one edition", stacklevel=3)
    if absent := [split for split in SPLITS if split not in splits]:
        notes.append(f"without {' and '.join(absent)}")
        warnings.warn(f"{name} was prepared {notes[-1]}: going on with {', '.join(splits)}", stacklevel=3)
    if len(tests := _tests(folder)) > 1:
        taken = test or tests[0]
        notes.append(f"the test split is {taken}" + ("; test='testall' takes all 5,000" if taken == "test" else ""))
    shape = " x ".join(f"{n:,}" for n in next(iter(splits.values())).precomputed.shape[1:])
    return Corpus(name, splits, drawn=False, about="; ".join([f"features only, {shape} per image", *notes]))


def _listed(numbers: dict[int, list[str]]) -> str:
    """How many captions an image has, such as "1 caption per image in train, 5 captions per image in test"."""
    return ", ".join(f"{n} caption{'s' * (n > 1)} per image in {' and '.join(where)}" for n, where in numbers.items())


def _split(name: str, features: np.ndarray, captions: list[str], published: Path, corpus: str) -> Split:
    return Split(
        name=name,
        images=NoPictures(corpus, len(features)),
        captions=captions,
        image_of=torch.arange(len(features)).repeat_interleave(len(captions) // len(features)),
        fingerprint=f"{corpus}/{name}-{_files_hash(published)}",
        precomputed=features,
    )


def _published(folder: Path, test: str | None = None) -> dict[str, str]:
    """Maps each split that the folder holds to the beginning of its files' names.

    Raises:
        ItmError: the folder holds no split, only one of a split's two files, or not the test split that was asked for.
    """
    if test is not None and test not in TESTS:
        raise unknown("published test split", test, TESTS)
    all_splits = {"train": "train", "val": "dev", "test": test or next(iter(_tests(folder)), "test")}
    there = {split: published for split, published in all_splits.items() if _existing(folder, published)}
    if not there or (test is not None and "test" not in there):
        size_of(folder / f"{all_splits['train' if not there else 'test']}_ims.npy")  # says that it is missing
    for published in there.values():
        for file in _pair(folder, published):
            size_of(file)
    return there


def _tests(folder: Path) -> list[str]:
    """The published test splits that the folder holds."""
    return [published for published in TESTS if _existing(folder, published)]


def _captions_file(folder: Path, published: str) -> Path:
    table = folder / f"{published}_caps.tsv"
    return table if table.exists() else folder / f"{published}_caps.txt"


def _pair(folder: Path, published: str) -> list[Path]:
    return [folder / f"{published}_ims.npy", _captions_file(folder, published)]


def _existing(folder: Path, published: str) -> list[Path]:
    return [file for file in _pair(folder, published) if file.exists()]


def _files(folder: Path) -> list[Path]:
    """All files that ``read_precomp`` may read."""
    published = dict.fromkeys([*_published(folder).values(), *_tests(folder)])
    return [file for name in published for file in _pair(folder, name)]


def _files_hash(published: Path) -> str:
    """A hash (eight digits) of the path, size and time of a split's files, whose contents are too large to hash."""
    files = _pair(published.parent.absolute(), published.name)
    stamps = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr(stamps).encode()).hexdigest()[:8]


def read_captions(file: Path) -> list[str]:
    """The captions of a split, one per line, in Unicode's composed form (NFC); Python's b'...' is taken off.

    Args:
        file: ``.txt``, or ``.tsv`` with a number or name, a tab and the caption in each line.

    Raises:
        ItmError: the file is missing or not UTF-8, or a line holds no word; the message names the line.
    """
    size_of(file)
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ItmError(f"{file} cannot be read ({error.strerror}): it must be a file that you may read") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ItmError(f"{file} line {line}: not UTF-8; {AGAIN}") from error
    lines = text.removesuffix("\n").split("\n")  # not splitlines, to which a stray U+2028 would be a line's end
    captions = []
    for number, line in enumerate(lines, start=1):
        where = f"{file} line {number}"
        if file.suffix == ".tsv":
            _, tab, line = line.partition("\t")
            if not tab:
                raise ItmError(f"{where}: no tab between the image's number and its caption; put one there")
        caption = repaired(line, where)
        if not any(letter.isalnum() for letter in caption):
            # dropping the line would move every later caption to another image
            raise ItmError(f"{where}: the caption is empty; write one there, do not remove the line")
        captions.append(caption)
    return captions


def _check_shapes(splits: dict[str, Split], published: dict[str, str], folder: Path) -> None:
    """Checks that the features of all splits have one shape, since one model must read them all."""
    first, *others = splits
    wanted = list(splits[first].precomputed.shape[1:])
    for name in others:
        if (found := list(splits[name].precomputed.shape[1:])) != wanted:
            raise ItmError(
                f"{folder}: {found} numbers per image in {published[name]}_ims.npy, but {wanted} in "
                f"{published[first]}_ims.npy; get both files from one edition"
            )
