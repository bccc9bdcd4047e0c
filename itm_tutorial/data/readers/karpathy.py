"""Karpathy and Fei-Fei's (2015) splits of Flickr8k, Flickr30k and MSCOCO: one JSON file with names and captions."""

from __future__ import annotations

from pathlib import Path
from typing import NotRequired

from typing_extensions import TypedDict

from itm_tutorial.data.readers.entries import Entry, list_entries, published_json
from itm_tutorial.data.readers.finding import PLACES, layout
from itm_tutorial.data.readers.listing import Layout, Listing
from itm_tutorial.errors import ItmError, shown

FILES = {name: f"dataset_{name}.json" for name in ("flickr8k", "flickr30k", "coco")}
SPLITS = ("train", "restval", "val", "test")  # restval: what is left of COCO's validation images


class Sentence(TypedDict):
    """One caption."""

    raw: str


class Image(TypedDict):
    """One photograph; MSCOCO's have a folder (``filepath``) and COCO's own number (``cocoid``)."""

    filename: str
    split: str
    sentences: list[Sentence]
    filepath: NotRequired[str]
    cocoid: NotRequired[int]


class File(TypedDict):
    """The whole file."""

    images: list[Image]
    dataset: NotRequired[str]


def read_json_entries(name: str, file: Path) -> list[Entry]:
    """Reads one of the files.

    Args:
        name: of the data set.
        file: its JSON.

    Returns:
        Its photographs, in the order of the file.

    Raises:
        ItmError: the file is damaged, is that of another data set, or has a split of another name.
    """
    read = published_json(file, File)
    is_for = read.get("dataset", name)
    if is_for != name:
        remedy = f"run `itm prepare {is_for} --from {file.parent}`" if is_for in FILES else "get another copy"
        raise ItmError(f"{file} is for {shown(is_for)}, not {name}: {remedy}")
    entries = []
    for number, image in enumerate(read["images"]):
        where = f"{file} images[{number}]"
        split = image["split"]
        if split not in SPLITS:
            raise ItmError(f"{where}: the split is {shown(split)}; write one of {', '.join(SPLITS)}")
        below = image.get("filepath", "").strip("/")
        path = f"{below}/{image['filename']}" if below else image["filename"]
        entries.append(
            Entry(path, [one["raw"] for one in image["sentences"]], split, where, split, aliases=_of_2017(image))
        )
    return entries


def _of_2017(image: Image) -> tuple[str, ...]:
    """COCO's photographs of 2014 were given out again in 2017, named by their number alone."""
    return (f"{image['cocoid']:012d}.jpg",) if "cocoid" in image else ()


def karpathy_layout(name: str) -> Layout:
    """The layout of a data set with Karpathy's JSON."""

    def holds(folder: Path) -> bool:
        return (folder / FILES[name]).is_file()

    def read(folder: Path, name: str) -> Listing:
        file = folder / FILES[name]
        if not file.is_file():
            raise ItmError(f"{file} is missing: give the folder that holds it and the photographs")
        return list_entries(name, folder, read_json_entries(name, file), file.name)

    inside = tuple({place.partition("/")[0] for place in PLACES})
    return layout((name,), f"{FILES[name]} and the photographs, as Karpathy gave them out", holds, inside, read)
