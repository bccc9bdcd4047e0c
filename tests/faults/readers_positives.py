"""Readers of right answers that were judged later: ECCV Caption, Crisscrossed Captions, COCO's object labels."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from readers import register

from itm_tutorial.data.corpus import Split
from itm_tutorial.data.readers.coco_positives import coco_numbers, read_cxc, read_eccv_caption, read_instance_labels
from itm_tutorial.data.readers.photographs import Photographs

IMAGES, CAPTIONS = torch.tensor([42, 7]), torch.tensor([5, 6, 8])


def make_eccv(folder: Path) -> None:
    (folder / "eccv_image_to_caption.json").write_text(json.dumps({"42": [5, 6], "7": [8]}))
    (folder / "eccv_caption_to_image.json").write_text(json.dumps({"5": [42, 7], "8": [7]}))


@register("ECCV Caption: positives", make_eccv)
def read_eccv(folder):
    read_eccv_caption(folder).matrices(IMAGES, CAPTIONS)


def make_cxc(folder: Path) -> None:
    rows = [f"COCO_val2014:sentid:{caption},COCO_val2014_{image:012d}.jpg,{rating},c2i_intrasim"
            for caption, image, rating in ((5, 42, 4.2), (6, 42, 2.9), (8, 7, 3.0))]  # fmt: skip
    (folder / "sits_test.csv").write_text("\n".join(["caption,image,agg_score,sampling_method", *rows]) + "\n")


@register("Crisscrossed Captions: ratings", make_cxc)
def read_ratings(folder):
    read_cxc(folder / "sits_test.csv").positives().matrices(IMAGES, CAPTIONS)


def make_instances(folder: Path) -> None:
    boxes = [{"image_id": 42, "category_id": 90, "bbox": [1, 2, 3, 4]}, {"image_id": 7, "category_id": 1}]
    (folder / "instances_val2014.json").write_text(json.dumps({"annotations": boxes}))


@register("COCO: object labels", make_instances)
def read_labels(folder):
    read_instance_labels(folder / "instances_val2014.json", IMAGES)


def _split(folder: Path) -> Split:
    images = Photographs([folder / f"COCO_val2014_{image:012d}.jpg" for image in IMAGES.tolist()])
    return Split("test", images, ["a dog", "a cat"], torch.tensor([0, 1]))


def make_captions(folder: Path) -> None:
    rows = [{"id": 5, "image_id": 42, "caption": "a dog"}, {"id": 8, "image_id": 7, "caption": "a cat"}]
    (folder / "captions_val2014.json").write_text(json.dumps({"annotations": rows}))


@register("COCO: numbers of captions", make_captions)
def read_numbers(folder):
    coco_numbers(_split(folder), folder / "captions_val2014.json")


def make_karpathy(folder: Path) -> None:
    sentences = {42: [{"sentid": 5, "raw": "a dog"}], 7: [{"sentid": 8, "raw": "a cat"}]}
    images = [{"cocoid": image, "filename": "a.jpg", "sentences": said} for image, said in sentences.items()]
    (folder / "dataset_coco.json").write_text(json.dumps({"images": images}))


@register("COCO: numbers of captions, Karpathy's JSON", make_karpathy)
def read_karpathy_numbers(folder):
    coco_numbers(_split(folder), folder / "dataset_coco.json")
