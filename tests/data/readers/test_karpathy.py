"""Karpathy's JSON: restval is told apart and belongs to training unless one says otherwise; faults are named."""

import pytest

import itm_tutorial as itm
from itm_tutorial.data import readers
from itm_tutorial.errors import ItmError

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def coco(tmp_path, layouts):
    layouts.make("coco_karpathy", tmp_path / "coco")
    return tmp_path / "coco"


def test_restval_belongs_to_training_or_is_left_out(coco):
    readers.prepare("coco", coco)
    with_it, without = itm.load_corpus("coco"), itm.load_corpus("coco", restval=False)
    assert (len(with_it.train.images), len(without.train.images)) == (8, 5)
    assert with_it.about == "complete; train includes the 3 images of restval"
    assert without.about == "complete; train is without the 3 images of restval"
    assert with_it.train.captions[: len(without.train.captions)] == without.train.captions
    assert with_it.train.fingerprint != without.train.fingerprint
    assert with_it.test.fingerprint == without.test.fingerprint and with_it.test.captions == without.test.captions
    assert list(with_it.splits) == ["train", "val", "test"]


@pytest.mark.parametrize("restval", [1, "no", None])
def test_restval_is_true_or_false(restval):
    with pytest.raises(ItmError, match="restval is .*: give True or False"):
        itm.load_corpus("coco", restval=restval)


def test_coco_has_no_other_option():
    with pytest.raises(ItmError, match="coco takes no option 'test': its only option is restval"):
        itm.load_corpus("coco", test="1k")


def test_the_validation_images_alone_train_on_restval(coco):
    for file in (coco / "train2014").iterdir():
        file.unlink()
    readers.prepare("coco", coco)
    assert len(itm.load_corpus("coco").train.images) == 3
    with pytest.warns(UserWarning, match="without its train photographs"):
        assert list(itm.load_corpus("coco", restval=False).splits) == ["val", "test"]


def test_photographs_of_2017_are_found_by_their_number(coco):
    for part in ("train", "val"):
        (coco / f"{part}2017").mkdir()
        for file in (coco / f"{part}2014").iterdir():
            file.rename(coco / f"{part}2017" / file.name.rpartition("_")[2])
        (coco / f"{part}2014").rmdir()
    assert len(readers.read("coco", coco).rows()) == 12


def broken(layouts, change):
    value = layouts.karpathy("flickr8k", layouts.FLICKR8K)
    change(value["images"][2], value)
    return value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda image, _: image.pop("filename"), r"\['images'\]\[2\]\['filename'\]: .*mend this record, or get this"),
        (lambda image, _: image.update(filename=None), r"\['images'\]\[2\]\['filename'\]"),
        (lambda image, _: image.update(split="training"), r"images\[2\]: the split is 'training'; write one of train"),
        (lambda image, _: image.update(split=None), r"\['images'\]\[2\]\['split'\]"),
        (lambda image, _: image["sentences"][1].update(raw=None), r"\['images'\]\[2\]\['sentences'\]\[1\]\['raw'\]"),
        (lambda image, _: image["sentences"][1].update(raw=7), r"\['images'\]\[2\]\['sentences'\]\[1\]\['raw'\]"),
        (lambda image, _: image["sentences"][1].update(raw=" "), r"images\[2\]: a caption is empty"),
        (lambda image, _: image.update(sentences=[]), r"images\[2\]: 1003_ab12.jpg has no caption"),
        (lambda image, _: image.update(filename="1001_ab12.jpg"), r"images\[2\]: .* listed in .*images\[0\] already"),
        (lambda image, _: image.update(filename="1001_ab12.jpg", split="test"), "both in train .* and in test"),
        (lambda image, _: image.update(filename="absent.jpg"), r"absent.jpg is missing .*images\[2\] lists it"),
        (lambda _, value: value.update(dataset="flickr30k"), "is for 'flickr30k', not flickr8k: run `itm prepare flic"),
        (lambda _, value: value.update(dataset="mine"), "is for 'mine', not flickr8k: get another copy"),
        (lambda _, value: value.update(images=[]), "lists no photograph"),
        (lambda _, value: value.pop("images"), r"\['images'\]"),
    ],
)
def test_broken_records_are_named(tmp_path, layouts, change, message):
    layouts.make("flickr8k_karpathy", tmp_path)
    layouts.write_json(tmp_path / "dataset_flickr8k.json", broken(layouts, change))
    with pytest.raises(ItmError, match=message):
        readers.prepare("flickr8k", tmp_path)


def test_published_splits_are_kept(tmp_path, layouts):
    layouts.make("flickr8k_karpathy", tmp_path)
    listed = readers.read("flickr8k", tmp_path)
    found = {split: [row["image"].rpartition("/")[2] for row in rows] for split, rows in listed.splits.items()}
    assert found == {
        "train": layouts.FLICKR8K["train"],
        "val": layouts.FLICKR8K["dev"],
        "test": layouts.FLICKR8K["test"],
    }
