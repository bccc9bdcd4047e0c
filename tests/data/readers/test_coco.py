"""MSCOCO's annotations: captions find their images by number, validation is divided by a rule, faults are named."""

import json

import pytest

import itm_tutorial as itm
from itm_tutorial.data import readers
from itm_tutorial.data.readers import coco
from itm_tutorial.errors import ItmError

pytestmark = pytest.mark.usefixtures("own_cache")


def sizes(listed):
    return {split: len(rows) for split, rows in listed.splits.items()}


@pytest.mark.parametrize("year", coco.YEARS)
def test_validation_is_divided_into_val_and_test(tmp_path, layouts, year):
    layouts.make(f"coco_{year}", tmp_path)
    listed = readers.read("coco", tmp_path)
    assert sizes(listed) == {"train": 6, "val": 3, "test": 3}
    assert listed.note == f"val{year} divided by the hash of the file names (3 val, 3 test), not the published splits"


def test_what_is_left_of_validation_is_restval(tmp_path, layouts, monkeypatch):
    monkeypatch.setattr(coco, "HELD_OUT", 2)
    layouts.make("coco_2014", tmp_path)
    readers.prepare("coco", tmp_path)
    corpus = itm.load_corpus("coco")
    assert [len(split.images) for split in corpus.splits.values()] == [8, 2, 2]
    assert "train includes the 2 images of restval; val2014 divided by the hash" in corpus.about
    assert "(2 val, 2 test, 2 restval)" in corpus.about


def test_validation_alone_is_divided_into_all_three(tmp_path, layouts):
    layouts.make("coco_val", tmp_path)
    listed = readers.read("coco", tmp_path)
    assert sizes(listed) == {"train": 10, "val": 1, "test": 1}
    assert listed.note.startswith("no train2017 images here, so val2017 alone is divided: splits made here by the hash")


def test_annotations_of_training_without_its_photographs(tmp_path, layouts):
    layouts.make("coco_2017", tmp_path)
    for file in (tmp_path / "train2017").iterdir():
        file.unlink()
    assert sizes(readers.read("coco", tmp_path)) == {"train": 4, "val": 1, "test": 1}


def test_of_two_years_the_one_with_photographs_is_read(tmp_path, layouts):
    layouts.make("coco_2014", tmp_path)
    layouts.make("coco_2017", tmp_path)
    for part in ("train", "val"):
        for file in (tmp_path / f"{part}2014").iterdir():
            file.unlink()
    assert readers.read("coco", tmp_path).note.startswith("val2017 divided")


def test_annotations_beside_the_photographs_and_photographs_in_images(tmp_path, layouts):
    layouts.make("coco_2017", tmp_path)
    for file in (tmp_path / "annotations").iterdir():
        file.rename(tmp_path / file.name)
    (tmp_path / "images").mkdir()
    for part in ("train2017", "val2017"):
        (tmp_path / part).rename(tmp_path / "images" / part)
    assert sizes(readers.read("coco", tmp_path)) == {"train": 6, "val": 3, "test": 3}


def test_images_without_a_caption_are_left_out_and_counted(tmp_path, layouts):
    layouts.make("coco_2017", tmp_path)
    change(tmp_path, lambda value: value.update(annotations=[a for a in value["annotations"] if a["image_id"] != 2]))
    listed = readers.read("coco", tmp_path)
    assert sizes(listed)["train"] == 5 and listed.note.startswith("1 image without a caption left out; val2017 divided")


def change(folder, edit):
    file = folder / "annotations/captions_train2017.json"
    value = json.loads(file.read_text())
    edit(value)
    file.write_text(json.dumps(value))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda v: v["annotations"][3].update(caption=None), r"train2017.json: \['annotations'\]\[3\]\['caption'\]: "),
        (lambda v: v["annotations"][3].update(caption=3), r"\['annotations'\]\[3\]\['caption'\]: .*; mend this record"),
        (lambda v: v["annotations"][3].update(caption=" "), r"images\[3\]: a caption is empty"),
        (lambda v: v["annotations"][3].update(image_id=99), r"annotations\[3\]: image 99 is not among the images"),
        (lambda v: v["annotations"][3].pop("image_id"), r"\['annotations'\]\[3\]\['image_id'\]"),
        (lambda v: v["images"][2].update(id=1), r"images\[2\]: the id 1 is that of images\[0\] already|image 3 is not"),
        (lambda v: v["images"].append(v["images"][2]), r"images\[6\]: the id 3 is that of images\[2\] already"),
        (lambda v: v["images"][2].update(file_name="000000000001.jpg"), r"images\[2\]: .* in .*images\[0\] already"),
        (
            lambda v: v["images"][2].update(file_name="000000000007.jpg"),
            "000000000007.jpg is listed both in train .* and in (val|test)",
        ),
        (lambda v: v["images"][2].update(file_name="absent.jpg"), r"absent.jpg is missing .*images\[2\] lists it"),
        (lambda v: v.pop("annotations"), r"\['annotations'\]"),
    ],
)
def test_broken_records_are_named(tmp_path, layouts, edit, message):
    layouts.make("coco_2017", tmp_path)
    change(tmp_path, edit)
    with pytest.raises(ItmError, match=message):
        readers.read("coco", tmp_path)


def test_an_empty_list_of_training_images(tmp_path, layouts):
    layouts.make("coco_2017", tmp_path)
    change(tmp_path, lambda value: value.update(images=[], annotations=[]))
    assert readers.read("coco", tmp_path).note.startswith("no train2017 images here, so val2017 alone is divided")


def test_a_file_without_photographs_is_too_few(tmp_path, layouts):
    layouts.make("coco_val", tmp_path)
    file = tmp_path / "annotations/captions_val2017.json"
    file.write_text(json.dumps({"images": [], "annotations": []}))
    with pytest.raises(ItmError, match="val2017 alone. has no splits, and 0 are too few"):
        readers.read("coco", tmp_path)
