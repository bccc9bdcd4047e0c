"""Right answers for MSCOCO's test images that were judged later: ECCV Caption, Crisscrossed Captions, object labels.

These files name images and captions by COCO's own numbers; ``coco_numbers`` finds those of a prepared split.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
from pydantic import Field
from torch import BoolTensor, LongTensor, Tensor
from typing_extensions import TypedDict

from itm_tutorial.data.corpus import Split, check_pairing
from itm_tutorial.data.readers.entries import GET_AGAIN, published_json
from itm_tutorial.data.readers.tables import read_table
from itm_tutorial.errors import ItmError, shown, unknown
from itm_tutorial.storage import user_path

JUDGED = ("eccv", "cxc", "original", "pm")  # beginnings of the file names of ECCV Caption
CATEGORIES = 90  # COCO's category numbers go from 1 to 90; some of them are not in use
SIDES = {"caption": "caption", "image": "image", "caption1": "caption", "caption2": "caption"}
SIDES |= {"image1": "image", "image2": "image"}
TASKS = {("caption", "image"): "sits", ("caption1", "caption2"): "sts", ("image1", "image2"): "sis"}
LEAST = {"sits": 3.0, "sts": 3.0, "sis": 2.5}  # the lowest rating of a positive, as in the paper
HIGHEST = 5.0
NUMBER = {"caption": re.compile(r".*:sentid:(\d{1,12})"), "image": re.compile(r"(?:.*\D)?(\d{1,12})\.\w+")}
DIGITS = re.compile(r"\d{1,12}")
Number = Annotated[int, Field(ge=0, lt=10**12)]  # of an image or a caption


class Instance(TypedDict):
    """One object of ``instances_val2014.json``."""

    image_id: Number
    category_id: int


class Instances(TypedDict):
    """``instances_val2014.json``."""

    annotations: list[Instance]


class Annotation(TypedDict):
    """One caption of ``captions_val2014.json``."""

    id: Number
    image_id: Number
    caption: str


class Captions(TypedDict):
    """``captions_val2014.json``."""

    annotations: list[Annotation]


class Sentence(TypedDict):
    """One caption of Karpathy's JSON; its number is COCO's."""

    sentid: Number
    raw: str


class Image(TypedDict):
    """One image of Karpathy's JSON."""

    cocoid: Number
    sentences: list[Sentence]


class Karpathy(TypedDict):
    """``dataset_coco.json``."""

    images: list[Image]


@dataclass(frozen=True)
class Positives:
    """Right answers by COCO's numbers; the two directions may have been judged for different queries.

    Attributes:
        i2t: image -> captions that are right for it.
        t2i: caption -> images that are right for it.
        source: the file or folder, for messages.
    """

    i2t: dict[int, list[int]]
    t2i: dict[int, list[int]]
    source: str

    def matrices(
        self, images: LongTensor, captions: LongTensor, image_of: LongTensor | None = None
    ) -> tuple[BoolTensor, BoolTensor]:
        """The right answers as matrices for ``evaluate_relevant``; a query that was not judged has none.

        Args:
            images: int64 [n_images], COCO's number of each image, as ``coco_numbers`` gives them.
            captions: int64 [n_captions], COCO's number of each caption.
            image_of: int64 [n_captions]; where given, the pairs of the data set are positives too, as for CxC.

        Returns:
            bool [n_images, n_captions] twice: of image to caption, and of caption to image.

        Raises:
            ItmError: a number occurs twice, or the positives name an image or a caption that is not there: they are
                complete only for all 5,000 images of Karpathy's test split.
        """
        row, column = _places(images, "images"), _places(captions, "captions")
        i2t, t2i = torch.zeros(2, len(images), len(captions), dtype=torch.bool).unbind()
        for image, right in self.i2t.items():
            at = self._place(row, image, "image")
            i2t[at, [self._place(column, caption, "caption") for caption in right]] = True
        for caption, right in self.t2i.items():
            at = self._place(column, caption, "caption")
            t2i[[self._place(row, image, "image") for image in right], at] = True
        if image_of is not None:
            check_pairing(image_of, len(images), len(captions), "image_of")
            own = torch.arange(len(images))[:, None] == image_of[None, :]
            i2t |= own
            t2i |= own
        return i2t, t2i

    def _place(self, places: dict[int, int], number: int, what: str) -> int:
        if number not in places:
            raise ItmError(
                f"{self.source} names the {what} {number}, which is not among the {len(places):,} {what}s given: "
                "take all 5,000 images of Karpathy's test split and their captions"
            )
        return places[number]


@dataclass(frozen=True)
class Ratings:
    """Pairs that people rated from 0 (nothing in common) to 5 (the same).

    Attributes:
        task: "sits" (captions and images), "sts" (captions) or "sis" (images).
        first, second: int64 [n_pairs], COCO's numbers of both sides.
        ratings: float64 [n_pairs], the mean over raters.
        sampled: per pair, how it was chosen, such as "c2i_original".
        source: the file, for messages.
    """

    task: str
    first: LongTensor
    second: LongTensor
    ratings: Tensor
    sampled: list[str]
    source: str

    def positives(self, least: float | None = None) -> Positives:
        """The image-caption pairs with a high rating.

        Args:
            least: the lowest rating of a positive; by default the paper's 3.

        Raises:
            ItmError: these are no ratings of images and captions.
        """
        if self.task != "sits":
            raise ItmError(f"{self.source} rates pairs of one modality ({self.task}): take the file sits_test.csv")
        chosen = self.ratings >= (LEAST[self.task] if least is None else least)
        pairs = sorted(set(zip(self.second[chosen].tolist(), self.first[chosen].tolist(), strict=True)))
        i2t: dict[int, list[int]] = {}
        t2i: dict[int, list[int]] = {}
        for image, caption in pairs:
            i2t.setdefault(image, []).append(caption)
            t2i.setdefault(caption, []).append(image)
        return Positives(i2t, t2i, self.source)


def read_eccv_caption(folder: str | Path, judged: str = "eccv") -> Positives:
    """Reads the positives of ECCV Caption: ``eccv_image_to_caption.json`` and ``eccv_caption_to_image.json``.

    Both are in the folder ``data`` of the package ``eccv_caption``. A number that a list names twice counts once.

    Source: Chun et al., "ECCV Caption", ECCV 2022, https://arxiv.org/abs/2204.03359,
    https://github.com/naver-ai/eccv-caption.

    Args:
        folder: that holds the two files.
        judged: the beginning of their names: "eccv"; "cxc" or "original", which come with them; "pm", plausible
            matches, which are downloaded apart.

    Returns:
        The positives.

    Raises:
        ItmError: a file is missing, damaged, or names something else than numbers.
    """
    if judged not in JUDGED:
        raise unknown("kind of positives", judged, JUDGED)
    folder = user_path(folder, "folder")
    i2t, t2i = (_numbered(folder / f"{judged}_{name}.json") for name in ("image_to_caption", "caption_to_image"))
    return Positives(i2t, t2i, str(folder))


def read_cxc(file: str | Path) -> Ratings:
    """Reads one CSV of Crisscrossed Captions: ``sits_test.csv``, ``sts_test.csv``, ``sis_test.csv`` or their "val".

    Source: Parekh et al., "Crisscrossed Captions", EACL 2021, https://arxiv.org/abs/2004.15020,
    https://github.com/google-research-datasets/Crisscrossed-Captions.

    Args:
        file: the CSV with mean ratings; those whose names end in "_raw.csv" have another layout.

    Returns:
        The ratings.

    Raises:
        ItmError: the file is missing or damaged; the message names the line.
    """
    file = user_path(file, "file")
    if file.suffix.lower() != ".csv":
        raise ItmError(f"{file} is no CSV: take a file with mean ratings, such as sits_test.csv")
    table = read_table(file, frozenset({*SIDES, "agg_score", "sampling_method"}))
    task = next((name for sides, name in TASKS.items() if set(sides) <= set(table.columns)), None)
    if task is None or not {"agg_score", "sampling_method"} <= set(table.columns):
        raise ItmError(
            f"{file} has the columns {shown(table.columns)}: take a CSV with mean ratings, such as sits_test.csv, "
            "whose columns are caption, image, agg_score, sampling_method"
        )
    sides = next(sides for sides, name in TASKS.items() if name == task)
    rows = [_rated(row, sides, table.where(line)) for line, row in table.rows]
    if not rows:
        raise ItmError(f"{file} has no ratings: {GET_AGAIN}")
    first, second, ratings, sampled = zip(*rows, strict=True)
    numbers = torch.tensor([first, second], dtype=torch.int64)
    return Ratings(task, *numbers, torch.tensor(ratings, dtype=torch.float64), list(sampled), str(file))


def read_instance_labels(file: str | Path, images: LongTensor) -> BoolTensor:
    """Reads which objects images show from ``instances_val2014.json``, for plausible matches.

    Args:
        file: COCO's JSON of object instances.
        images: int64 [n_images], COCO's numbers.

    Returns:
        bool [n_images, 90]; column k is category k + 1. An image without instances has no label.

    Raises:
        ItmError: the file is missing or damaged, or a number occurs twice.
    """
    file = user_path(file, "file")
    places = _places(images, "images")
    labels = torch.zeros(len(images), CATEGORIES, dtype=torch.bool)
    for number, one in enumerate(published_json(file, Instances)["annotations"]):
        if not 1 <= one["category_id"] <= CATEGORIES:
            category = shown(one["category_id"])
            raise ItmError(f"{file} annotations[{number}]: category {category} is not from 1 to 90; {GET_AGAIN}")
        if one["image_id"] in places:
            labels[places[one["image_id"]], one["category_id"] - 1] = True
    return labels


def coco_numbers(split: Split, file: str | Path) -> tuple[LongTensor, LongTensor]:
    """COCO's numbers of the images and captions of a split: the former from file names, the latter by their texts.

    Args:
        split: of the corpus "coco".
        file: ``captions_val2014.json`` (or of 2017), or Karpathy's ``dataset_coco.json``.

    Returns:
        int64 [n_images] and int64 [n_captions].

    Raises:
        ItmError: an image's name does not end in a number, or the file lacks a caption.
    """
    file = user_path(file, "file")
    files = getattr(split.images, "files", None)
    if files is None:
        raise ItmError(f"{split.name} has no photographs: take a split of the corpus 'coco'")
    found = [NUMBER["image"].fullmatch(one.name) for one in files]
    for one, match in zip(files, found, strict=True):
        if match is None:
            raise ItmError(f"{one.name}: the name does not end in COCO's number; take a split of the corpus 'coco'")
    images = torch.tensor([int(match[1]) for match in found], dtype=torch.int64)
    known: dict[tuple[int, str], list[int]] = {}
    for image, caption, text in _captions(file):
        known.setdefault((image, _plain(text)), []).append(caption)
    captions = []
    for text, image in zip(split.captions, images[split.image_of].tolist(), strict=True):
        numbers = known.get((image, _plain(text)))
        if not numbers:
            raise ItmError(f"{file} has no caption {shown(text)} of image {image}: give the file the split came from")
        captions.append(numbers.pop(0))  # equal captions of one image: each gets a number of its own
    return images, torch.tensor(captions, dtype=torch.int64)


def _captions(file: Path) -> list[tuple[int, int, str]]:
    """(image, caption, text) of every caption of a file, by COCO's numbers."""
    read = published_json(file, dict)
    if "images" in read and "annotations" not in read:
        images = published_json(file, Karpathy)["images"]
        return [(image["cocoid"], one["sentid"], one["raw"]) for image in images for one in image["sentences"]]
    return [(one["image_id"], one["id"], one["caption"]) for one in published_json(file, Captions)["annotations"]]


def _plain(text: str) -> str:
    return " ".join(text.split())


def _numbered(file: Path) -> dict[int, list[int]]:
    """A file that maps a number to a list of numbers; each number of a list once."""
    read = published_json(file, dict[str, list[Number]])
    for key, numbers in read.items():
        if not DIGITS.fullmatch(key):
            raise ItmError(f"{file}: {shown(key)} is no number of an image or a caption; {GET_AGAIN}")
        if not numbers:
            raise ItmError(f"{file}: the list of {key} is empty; {GET_AGAIN}")
    return {int(key): list(dict.fromkeys(numbers)) for key, numbers in read.items()}


def _rated(row: dict[str, str], sides: Sequence[str], where: str) -> tuple[int, int, float, str]:
    numbers = []
    for side in sides:
        match = NUMBER[SIDES[side]].fullmatch(row[side] or "")
        if match is None:
            raise ItmError(f"{where}: {side} is {shown(row[side])}, which does not name a COCO {SIDES[side]}")
        numbers.append(int(match[1]))
    try:
        rating = float(row["agg_score"])
    except (TypeError, ValueError):
        rating = math.nan
    if not 0 <= rating <= HIGHEST:  # false for NaN too
        raise ItmError(f"{where}: agg_score is {shown(row['agg_score'])}; a rating is a number from 0 to 5")
    return *numbers, rating, row["sampling_method"] or ""


def _places(numbers: LongTensor, what: str) -> dict[int, int]:
    """Number -> where it stands."""
    if not isinstance(numbers, Tensor) or numbers.ndim != 1 or numbers.dtype != torch.int64:
        raise ItmError(f"{what} is {shown(numbers)}; give COCO's numbers as an int64 tensor, one per {what[:-1]}")
    places = {number: place for place, number in enumerate(numbers.tolist())}
    if len(places) < len(numbers):
        raise ItmError(f"{what}: a number occurs twice; give each {what[:-1]} of the split once")
    return places
