"""What published files list is checked record by record; splits are made by a rule that depends on the names alone."""

import pytest

from itm_tutorial.data.readers.entries import (
    Entry,
    list_entries,
    made_note,
    made_splits,
    plain_caption,
    published_json,
    refuse_shared_identities,
    stem,
)
from itm_tutorial.errors import ItmError


@pytest.fixture
def folder(tmp_path, layouts):
    for name in "abcd":
        layouts.photograph(tmp_path / f"images/{name}.jpg")
    return tmp_path


def entry(image, split="train", captions=("A dog .",), **more):
    return Entry(image, list(captions), split, f"list.json record {image}", **more)


def test_parts_without_photographs_are_left_out_and_others_not(folder):
    entries = [entry("a.jpg", part="train"), entry("x.jpg", "test", part="test"), entry("y.jpg", "test", part="test")]
    assert list(list_entries("set", folder, entries, "list.json").splits) == ["train"]
    with pytest.raises(ItmError, match="x.jpg is missing below .* list.json record x.jpg lists it, and so are 1"):
        list_entries("set", folder, [*entries, entry("b.jpg", "test", part="test")], "list.json")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "list.json lists no photograph"),
        ([entry("a.jpg"), entry("a.jpg")], "record a.jpg: a.jpg is listed in list.json record a.jpg already"),
        ([entry("a.jpg"), entry("images/a.jpg")], "record images/a.jpg: images/a.jpg is listed in .* already"),
        ([entry("a.jpg"), entry("A.JPG", "test")], "A.JPG is listed both in train .* and in test .* measured on what"),
        ([entry("a.jpg", captions=())], "record a.jpg: a.jpg has no caption"),
        ([entry("a.jpg", captions=("A dog", " . "))], "record a.jpg: a caption is empty"),
        ([entry("a.jpg", captions=(r"b'\xff'",))], r"record a.jpg: .* write the text without b"),
        ([entry("a.jpg", captions=("half \ud800",))], "record a.jpg: .* holds half of a character"),
        ([entry("\ud800.jpg")], "is not a file name"),
        ([entry("a.jpg", identity="\ud800")], "the identity '.ud800' is no text"),
        ([entry("..")], "'..' is not a file name"),
        ([entry("")], "'' is not a file name"),
        ([entry("x.jpg")], "holds none of the photographs that list.json lists, such as x.jpg: put them into .*images"),
    ],
)
def test_faults_name_the_record(folder, entries, message):
    with pytest.raises(ItmError, match=message):
        list_entries("set", folder, entries, "list.json")


def test_captions_printed_as_bytes_are_read_and_counted(folder):
    listed = list_entries("set", folder, [entry("a.jpg", captions=("b'A dog .'", "A cat ."))], "list.json", notes=["x"])
    assert listed.splits["train"][0]["captions"] == ["A dog .", "A cat ."]
    assert listed.note == "x; 1 caption written as b'...' read as plain text"
    assert plain_caption("b's dog and c's", "here") == ("b's dog and c's", False)
    assert plain_caption("A  dog\n runs", "here") == ("A dog runs", False)


def test_nobody_is_in_two_splits():
    refuse_shared_identities([entry("a.jpg", identity="1"), entry("b.jpg", identity="1")], "person")
    with pytest.raises(ItmError, match="person 1 is both in train .* and in test .*as published, no person is in two"):
        refuse_shared_identities([entry("a.jpg", identity="1"), entry("b.jpg", "test", identity="1")], "person")


def test_made_splits_depend_on_the_names_alone():
    names = [f"{number}" for number in range(80)]
    made = made_splits(names, 8, 1000, "here")
    assert made == made_splits(reversed(names), 8, 1000, "here")
    assert [list(made.values()).count(split) for split in ("train", "val", "test")] == [60, 10, 10]
    most = made_splits(names, 8, 3, "here")
    assert [list(most.values()).count(split) for split in ("train", "val", "test")] == [74, 3, 3]
    assert {name for name in names if most[name] == "test"} < {name for name in names if made[name] == "test"}
    assert made_note(made) == (
        "splits made here by the hash of the file names (60 train, 10 val, 10 test), not the published splits"
    )
    assert sorted(made_splits("abc", 8, 1000, "here").values()) == ["test", "train", "val"]
    with pytest.raises(ItmError, match="here has no splits, and 2 are too few to make some"):
        made_splits("ab", 8, 1000, "here")


def test_the_leaderboard_knows_the_words_for_made_splits():
    from itm_tutorial.course.leaderboard import SPLITS_MADE_HERE
    from itm_tutorial.data.readers.entries import MADE_HERE

    assert SPLITS_MADE_HERE == MADE_HERE


def test_the_stem_of_a_name():
    assert [stem(name) for name in ("imgs/A.JPG", "a.b.jpg", "12", "x\\y.png")] == ["a", "a.b", "12", "y"]


def test_damaged_json_asks_for_the_file_again(tmp_path):
    file = tmp_path / "a.json"
    for text in ("[1, 2", "\xff", "[" * 100_000):
        file.write_text(text, encoding="latin-1")
        with pytest.raises(ItmError, match="a.json.*get this file again"):
            published_json(file, list[int])
    file.write_text('[1, "2"]')
    with pytest.raises(ItmError, match=r"a.json: \[1\]: .*; mend this record, or get this file again"):
        published_json(file, list[int])
    file.write_text("[1, 2]", encoding="utf-8-sig")
    assert published_json(file, list[int]) == [1, 2]
