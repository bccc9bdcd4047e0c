"""Person search: identities are persons, nobody is in two splits, and what is missing of a split is made by a rule."""

import json

import pytest

import itm_tutorial as itm
from itm_tutorial.data import readers
from itm_tutorial.errors import ItmError

pytestmark = [pytest.mark.usefixtures("own_cache"), pytest.mark.filterwarnings("ignore:.*was prepared without")]
FILES = {"cuhk_pedes": "reid_raw.json", "icfg_pedes": "ICFG-PEDES.json", "rstpreid": "data_captions.json"}


def persons(listed):
    return {split: sorted({row["identity"] for row in rows}) for split, rows in listed.splits.items()}


@pytest.mark.parametrize("name", ["cuhk_pedes", "rstpreid"])
def test_persons_are_in_the_published_splits(tmp_path, layouts, name):
    layouts.make(name, tmp_path)
    readers.prepare(name, tmp_path)
    assert persons(readers.read(name, tmp_path)) == {"train": ["1", "2", "3", "4"], "val": ["5"], "test": ["6"]}
    corpus = itm.load_corpus(name)
    assert corpus.train.identity.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert corpus.test.identity.tolist() == [5, 5] and corpus.classes is None


def test_without_splits_persons_are_divided(tmp_path, layouts):
    layouts.make("cuhk_pedes_all", tmp_path)
    listed = readers.read("cuhk_pedes", tmp_path)
    assert {split: len(who) for split, who in persons(listed).items()} == {"train": 4, "val": 1, "test": 1}
    assert listed.note.endswith("not the published splits, which are in reid_raw.json")
    layouts.make("cuhk_pedes", tmp_path)
    assert readers.read("cuhk_pedes", tmp_path).note == ""  # the file with splits goes first


def test_icfg_pedes_publishes_no_validation_split(tmp_path, layouts):
    layouts.make("icfg_pedes", tmp_path)
    listed = readers.read("icfg_pedes", tmp_path)
    found = persons(listed)
    assert {split: len(who) for split, who in found.items()} == {"train": 4, "val": 1, "test": 1}
    assert found["test"] == ["6"]
    assert "val is made here of 1 of the 5 training persons" in listed.note


def test_icfg_pedes_whose_splits_count_from_the_same_number(tmp_path, layouts):
    records = layouts.persons("{split}/{number:04d}/{number:04d}_{view:03d}.jpg", splits=("train", "test"))
    for record in records:
        record["id"] = 1 if record["split"] == "test" else record["id"]
    layouts.write_persons(tmp_path, "ICFG-PEDES.json", records)
    found = persons(readers.read("icfg_pedes", tmp_path))
    assert found["test"] == ["test 1"] and len(found["train"]) + len(found["val"]) == 5
    for record in records:  # now in one folder: the same person
        record["file_path"] = record["file_path"].replace("test/0006", "train/0001")
    layouts.write_persons(tmp_path, "ICFG-PEDES.json", records)
    with pytest.raises(ItmError, match="person 1 is both in train"):
        readers.read("icfg_pedes", tmp_path)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("places", ["annotations/{}", "{}"])
def test_the_file_may_be_in_annotations(tmp_path, layouts, name, places):
    layouts.make(name, tmp_path)
    (tmp_path / "annotations").mkdir()
    (tmp_path / FILES[name]).rename(tmp_path / places.format(FILES[name]))
    assert readers.recognised(tmp_path) == [name] and len(readers.read(name, tmp_path).rows()) == 12


def test_a_copy_with_training_alone_says_so(tmp_path, layouts):
    records = [record for record in layouts.persons("CUHK01/{number}{view}.jpg") if record["split"] == "train"]
    layouts.write_persons(tmp_path, "reid_raw.json", records)
    readers.prepare("cuhk_pedes", tmp_path)
    with pytest.warns(UserWarning, match="cuhk_pedes was prepared without its val and test photographs"):
        assert list(itm.load_corpus("cuhk_pedes").splits) == ["train"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.update(captions=None), r"\[2\]\['captions'\]: .*; mend this record, or get this file again"),
        (lambda r: r.update(captions=["A man", None]), r"\[2\]\['captions'\]\[1\]"),
        (lambda r: r.update(captions="A man"), r"\[2\]\['captions'\]"),
        (lambda r: r.update(captions=[]), "record 2: .* has no caption"),
        (lambda r: r.update(captions=["A man", " "]), "record 2: a caption is empty"),
        (lambda r: r.pop("captions"), r"\[2\]\['captions'\]"),
        (lambda r: r.pop("id"), r"\[2\]\['id'\]"),
        (lambda r: r.update(id=None), r"\[2\]\['id'\]"),
        (lambda r: r.update(id=6), "person 6 is both in train .*record 2.* and in test"),
        (lambda r: r.update(split="query"), "record 2: the split is 'query'; write one of train, val, test"),
        (lambda r: r.pop("split"), "record 2: the split is ''"),
        (lambda r: r.pop("file_path", r.pop("img_path", None)), "record 2: neither file_path nor img_path"),
    ],
)
def test_broken_records_are_named(tmp_path, layouts, name, change, message):
    layouts.make(name, tmp_path)
    records = json.loads((tmp_path / FILES[name]).read_text())
    change(records[2])
    layouts.write_json(tmp_path / FILES[name], records)
    with pytest.raises(ItmError, match=message):
        readers.read(name, tmp_path)
