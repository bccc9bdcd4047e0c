"""Your own photographs: what a folder may hold, how it is split, and what is said about a folder that is wrong."""

import csv
import json
import os
import unicodedata
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import itm_tutorial as itm
from itm_tutorial.data import readers
from itm_tutorial.data.readers import photos
from itm_tutorial.data.splitting import FRACTIONS, assign, complete, split_named
from itm_tutorial.errors import ItmError


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ITM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ITM_PROGRESS", "0")


@pytest.fixture
def folder(tmp_path):
    """A folder of twelve photographs, pic00.jpg to pic11.jpg, without captions."""
    made = tmp_path / "mine"
    made.mkdir()
    for i in range(12):
        photograph(made / f"pic{i:02}.jpg", i)
    return made.resolve()


def photograph(file, shade=0):
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 16), (20 * shade % 256, 90, 200)).save(file)


def write_csv(file, rows, header=("file_name", "caption"), **kind):
    with file.open("w", newline="", encoding=kind.pop("encoding", "utf-8")) as opened:
        csv.writer(opened, **kind).writerows([header, *rows])


def write_jsonl(file, rows):
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


NAMES = [f"pic{i:02}.jpg" for i in range(12)]
ROWS = [(name, f"picture {i} of a dog") for i, name in enumerate(NAMES)]


def load(folder, **options):
    return itm.load_corpus("photos", folder=folder, **options)


def all_captions(corpus):
    return {
        file.name: split.captions_of(i) for split in corpus.splits.values() for i, file in enumerate(split.images.files)
    }


def split_of(corpus):
    return {file.name: name for name, split in corpus.splits.items() for file in split.images.files}


EXPECTED = {name: [caption] for name, caption in ROWS}


def test_a_csv_of_captions(folder):
    write_csv(folder / "metadata.csv", ROWS)
    corpus = load(folder)
    assert all_captions(corpus) == EXPECTED and not corpus.drawn and corpus.train.identity is None
    assert set(corpus.splits) == {"train", "val", "test"} and f"from {folder}" in corpus.about
    assert corpus.train.images[0].shape == (3, 16, 20) and corpus.train.images[0].dtype == torch.uint8
    assert "photos" in itm.list_corpora()


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_separator_and_encoding(folder, separator, encoding):
    rows = [(name, f'{caption}, réd; "big" | \t and\nnew line') for name, caption in ROWS]
    write_csv(folder / "metadata.csv", rows, delimiter=separator, encoding=encoding)
    assert all_captions(load(folder)) == {name: [caption] for name, caption in rows}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_ending_and_blank_lines(folder, end):
    lines = ["", "file_name,caption", "", *(f"{name}, {caption}" for name, caption in ROWS), "", " , "]
    (folder / "metadata.csv").write_bytes(end.join(lines).encode())
    assert all_captions(load(folder)) == EXPECTED


def test_json_lines_and_parquet(folder, tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    write_jsonl(folder / "metadata.jsonl", [{"file_name": n, "text": [c, "again"]} for n, c in ROWS])
    corpus = load(folder)
    assert all_captions(corpus) == {name: [caption, "again"] for name, caption in ROWS}
    (folder / "metadata.jsonl").unlink()
    pandas.DataFrame({"file_name": NAMES, "text": [[c, "again"] for _, c in ROWS]}).to_parquet(
        folder / "metadata.parquet"
    )
    again = load(folder)
    assert again.train.fingerprint == corpus.train.fingerprint  # the content is the same
    (folder / "metadata.parquet").write_bytes(b"PAR1 no")
    refused(folder, "metadata.parquet is cut short or not a Parquet file")


@pytest.mark.parametrize(
    "header, cells, options",
    [
        (("file_name", "caption", "caption"), None, {}),  # two of one name
        (("image", "description"), None, {}),
        (("Image Path", "Captions"), None, {}),
        (("photo_file_name", "text"), None, {}),
        (("bild", "beschreibung"), None, {"file_name": "bild", "caption": "beschreibung"}),
        (("BILD", " Beschreibung "), None, {"file_name": "bild", "caption": ["beschreibung"]}),
    ],
)
def test_names_of_columns(folder, header, cells, options):
    width = len(header) - 1
    write_csv(folder / "metadata.csv", [(name, *[caption] * width) for name, caption in ROWS], header)
    if width > 1:
        refused(folder, "two columns named 'caption': rename one")
    else:
        assert all_captions(load(folder, **options)) == EXPECTED


def test_several_captions_of_an_image(folder):
    two = {name: [f"{caption} a", f"{caption} b"] for name, caption in ROWS}
    write_csv(folder / "metadata.csv", [(n, c) for n in NAMES for c in two[n]])
    corpus = load(folder)
    assert all_captions(corpus) == two
    write_csv(folder / "metadata.csv", [(n, *two[n]) for n in NAMES], ("file_name", "caption_1", "caption_2"))
    assert all_captions(load(folder)) == two
    write_csv(folder / "metadata.csv", [(n, json.dumps(two[n])) for n in NAMES])
    assert all_captions(load(folder)) == two
    write_csv(folder / "metadata.csv", [(n, *two[n]) for n in NAMES], ("file_name", "en", "fr"))
    assert all_captions(load(folder, caption=["fr", "en"])) == {n: c[::-1] for n, c in two.items()}
    write_csv(folder / "metadata.csv", [(n, two[n][0], "") for n in NAMES], ("file_name", "caption", "caption2"))
    assert all_captions(load(folder)) == {n: c[:1] for n, c in two.items()}
    write_csv(folder / "metadata.csv", [(n, str(two[n])) for n in NAMES])
    refused(folder, "metadata.csv line 2: the caption .* is a list, but not in JSON")


def test_captions_that_are_printed_bytes_are_read_as_text(folder):
    write_csv(folder / "metadata.csv", [(name, f"b'{caption}'") for name, caption in ROWS])
    assert all_captions(load(folder)) == EXPECTED


def test_a_text_beside_each_photograph(folder):
    for name, caption in ROWS:
        (folder / name).with_suffix(".txt").write_text(f"{caption}\r\n\r\nanother\n", encoding="utf-8-sig")
    photograph(folder / "more" / "x.PNG")
    (folder / "more" / "x.txt").write_text("in a subfolder")
    (folder / "._pic00.jpg").write_bytes(b"what macOS leaves")
    expected = {name: [caption, "another"] for name, caption in ROWS} | {"x.PNG": ["in a subfolder"]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert all_captions(load(folder)) == expected
    (folder / "pic03.txt").unlink()
    (folder / "readme.txt").write_text("about")
    with pytest.warns(UserWarning) as told:
        corpus = load(folder)
    said = " ".join(str(one.message) for one in told)
    assert "1 photograph without a text, left out; the first is 'pic03.jpg'" in said
    assert "1 text without a photograph, left out; the first is 'readme.txt'" in said
    assert set(expected) - set(all_captions(corpus)) == {"pic03.jpg"} and "1 photograph without a text" in corpus.about
    (folder / "pic04.txt").write_text(" \n")
    (folder / "pic03.txt").write_text("back")
    refused(folder, "pic04.txt is empty: write one caption per line")
    (folder / "pic04.txt").write_text("x")
    photograph(folder / "pic04.png")
    refused(folder, "pic04.(jpg|png) and pic04.(jpg|png) share the text pic04.txt")


def test_one_table_of_another_name_is_read_and_of_two_one_must_be_named(folder):
    write_csv(
        folder / "results.csv", [(n, 0, c) for n, c in ROWS], ("image_name", "comment_number", "comment"), delimiter="|"
    )
    write_csv(folder / "prices.csv", [(1, 2)], ("price", "currency"))
    corpus = load(folder)
    assert all_captions(corpus) == EXPECTED
    assert "captions from results.csv, columns 'image_name', 'comment'" in corpus.about
    assert "with so few photographs recalls say little" in corpus.about
    refused(folder, "unknown column of .*: did you mean 'comment'", caption="coment")
    write_csv(folder / "other.csv", ROWS)
    refused(folder, "holds other.csv, results.csv: rename the one to read as metadata.csv")
    (folder / "other.csv").unlink()
    (folder / "results.csv").unlink()
    refused(folder, "prices.csv has the columns 'price', 'currency': name those of files and captions")


def test_tables_and_folders_that_are_named_after_splits(folder):
    for name, some in {"train": ROWS[:8], "dev": ROWS[8:10], "test": ROWS[10:]}.items():
        write_csv(folder / f"captions_{name}.csv", some)
    by_table = split_of(load(folder))
    assert by_table == dict(zip(NAMES, ["train"] * 8 + ["val"] * 2 + ["test"] * 2, strict=True))
    for name, some in {"train": ROWS[:8], "validation": ROWS[8:10], "test": ROWS[10:]}.items():
        (folder / name).mkdir()
        for file, _ in some:
            (folder / file).rename(folder / name / file)
        write_csv(folder / name / "metadata.csv", some)
    corpus = load(folder)
    assert split_of(corpus) == by_table and all_captions(corpus) == EXPECTED
    assert "seed" not in corpus.about
    for name in ("train", "validation", "test"):
        (folder / name / "metadata.csv").unlink()
    for file in folder.glob("captions_*.csv"):
        file.unlink()
    write_csv(folder / "metadata.csv", ROWS)  # at the top: its names are found in the subfolders
    assert split_of(load(folder)) == by_table


def test_a_column_of_splits(folder):
    words = ["train"] * 6 + ["Training", "restval"] + ["dev", "valid"] + ["test", "eval"]
    write_csv(
        folder / "metadata.csv", [(*r, w) for r, w in zip(ROWS, words, strict=True)], ("file_name", "caption", "split")
    )
    corpus = load(folder)
    assert [len(s.images) for s in corpus.splits.values()] == [8, 2, 2] and "seed" not in corpus.about
    renamed = ("file_name", "caption", "part")
    write_csv(folder / "metadata.csv", [(*r, w) for r, w in zip(ROWS, words, strict=True)], renamed)
    assert split_of(load(folder, split="part")) == split_of(corpus)
    header = ("file_name", "caption", "split")
    write_csv(folder / "metadata.csv", [(*ROWS[0], "trian"), *((*r, "test") for r in ROWS[1:])], header)
    refused(folder, "metadata.csv line 2: unknown split 'trian': did you mean 'train'")
    write_csv(folder / "metadata.csv", [(*ROWS[0], ""), *((*r, "test") for r in ROWS[1:])], header)
    refused(folder, "metadata.csv line 2: 'pic00.jpg' has no split, but others have one")
    write_csv(folder / "metadata.csv", [(*ROWS[0], "train"), (*ROWS[0], "test")], header)
    refused(folder, "line 3: 'pic00.jpg' has the split 'test', but 'train' at .*line 2")


def test_what_splits_lack_is_made_by_the_rule(folder):
    header = ("file_name", "caption", "split")
    write_csv(folder / "metadata.csv", [(*r, "train" if i < 10 else "test") for i, r in enumerate(ROWS)], header)
    corpus = load(folder)
    assert [len(corpus.splits[s].images) for s in ("train", "val", "test")][2] == 2 and len(corpus.val.images) >= 1
    assert "no val was given" in corpus.about
    write_csv(folder / "metadata.csv", [(*r, "train") for r in ROWS], header)
    assert split_of(load(folder)) == assign(NAMES)
    write_csv(folder / "metadata.csv", [(*r, "test") for r in ROWS], header)
    with pytest.warns(UserWarning, match="without its train and val"):
        assert set(load(folder).splits) == {"test"}


def test_identities_stay_together(folder):
    header = ("file_name", "caption", "identity")
    write_csv(folder / "metadata.csv", [(*r, f"p{i % 6}") for i, r in enumerate(ROWS)], header)
    corpus = load(folder)
    people = [set(split.identity.tolist()) for split in corpus.splits.values()]
    assert sum(map(len, people)) == 6 == len(set.union(*people)) and "by identities" in corpus.about
    assert corpus.train.identity.dtype == torch.int64 and min(people[0]) == 0
    write_csv(folder / "metadata.csv", [(*r, "" if i == 3 else "a") for i, r in enumerate(ROWS)], header)
    refused(folder, "line 5: 'pic03.jpg' has no identity, but others have one")
    write_csv(folder / "metadata.csv", [(*r, f"p{i % 2}") for i, r in enumerate(ROWS)], header)
    refused(folder, "there are 2 identities with captions, and three splits need 3")


def test_splits_do_not_depend_on_order_and_stay_when_photographs_are_added(folder):
    write_csv(folder / "metadata.csv", ROWS)
    first = load(folder)
    write_csv(folder / "metadata.csv", ROWS[::-1])
    again = load(folder)
    assert split_of(again) == split_of(first) and again.train.fingerprint == first.train.fingerprint
    assert split_of(load(folder, seed=5)) != split_of(first)
    assert split_of(load(folder, fractions=(0.2, 0.4, 0.4))) != split_of(first)


@settings(max_examples=60)
@given(st.sets(st.text(min_size=1, max_size=6), min_size=4, max_size=80), st.integers(0, 3))
def test_the_rule_of_splits(names, seed):
    found = assign(names, seed)
    assert set(found) == names and set(found.values()) == {"train", "val", "test"}
    assert list(found.values()).count("train") >= 2
    assert assign(sorted(names, reverse=True), seed) == found


def test_many_pictures_are_split_by_their_fractions_and_none_moves():
    names = [f"{i}.jpg" for i in range(3000)]
    before, after = assign(names[:2000]), assign(names)
    assert all(after[name] == split for name, split in before.items())
    for split, fraction in zip(("train", "val", "test"), FRACTIONS, strict=True):
        assert abs(list(after.values()).count(split) / 3000 - fraction) < 0.03


@pytest.mark.parametrize(
    "wrong", [(0.5, 0.5), (1, 0, 0), (0.5, 0.4, 0.3), "abc", 0.8, (0.5, 0.5, None), [float("nan")] * 3]
)
def test_wrong_fractions(wrong):
    with pytest.raises(ItmError, match="fractions is .*: give three numbers above 0 with the sum 1"):
        assign(["a", "b", "c"], fractions=wrong)


def test_names_of_splits():
    cases = {"train": "train", "Validation": "val", "captions-dev_2014": "val", "testing": "test", "val2017": "val"}
    assert {name: split_named(name) for name in cases} == cases
    assert [split_named(name) for name in ("contest", "train-test", "", "images")] == [None] * 4
    assert complete({"a": "test"}, {"a": "a"}, "photographs") == ({"a": "test"}, "")
    with pytest.raises(ItmError, match="no split is named val, and train has too few photographs"):
        complete({"a": "train", "b": "test"}, {"a": "a", "b": "b"}, "photographs")


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_in_either_unicode_form(tmp_path, form):
    other = {"NFC": "NFD", "NFD": "NFC"}[form]
    folder = tmp_path / "accents"
    names = [f"é{i}.jpg" for i in range(5)]
    for name in names:
        photograph(folder / unicodedata.normalize(form, "Köln") / unicodedata.normalize(form, name))
    rows = [(unicodedata.normalize(other, f"Köln/{name}"), f"caption of {name}") for name in names]
    write_csv(folder / "metadata.csv", rows)
    corpus = load(folder)
    assert sum(len(split.images) for split in corpus.splits.values()) == 5
    assert all(file.is_file() for split in corpus.splits.values() for file in split.images.files)


def test_ways_to_write_a_name(folder):
    photograph(folder / "a b" / "new\nline.jpg")
    names = ["./pic00.jpg", str(folder / "pic01.jpg"), "a b\\new\nline.jpg", "a b//new\nline.jpg", *NAMES[2:]]
    write_csv(folder / "metadata.csv", [(name, f"caption {i}") for i, name in enumerate(names)])
    found = all_captions(load(folder))
    assert set(found) == {*NAMES, "new\nline.jpg"} and found["new\nline.jpg"] == ["caption 2", "caption 3"]


def test_photographs_of_a_table_are_also_found_by_name_alone(folder):
    for name in NAMES:
        (folder / "Images").mkdir(exist_ok=True)
        (folder / name).rename(folder / "Images" / name)
    write_csv(folder / "metadata.csv", ROWS)
    assert all_captions(load(folder)) == EXPECTED
    photograph(folder / "old" / "pic05.jpg")
    refused(folder, "line 7: 'pic05.jpg' may be Images/pic05.jpg or old/pic05.jpg; write the folder too")


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_photographs_may_be_links_and_a_folder_of_links_is_found(folder, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    folder.rename(elsewhere)
    folder.mkdir()
    (folder / "pictures").symlink_to(elsewhere)
    write_csv(folder / "metadata.csv", [(f"pictures/{name}", caption) for name, caption in ROWS])
    assert all_captions(load(folder)) == EXPECTED
    (folder / "loop.jpg").symlink_to(folder / "loop.jpg")
    write_csv(folder / "metadata.csv", [("loop.jpg", "x")])
    refused(folder, "line 2: 'loop.jpg' is not in ")
    (folder / "metadata.csv").unlink()
    (folder / "loop.txt").write_text("x")
    refused(folder, "loop.jpg cannot be opened: put the file back, or remove the link")


def refused(folder, message, **options):
    """The one sentence about a folder that is wrong; nothing of it is kept."""
    with pytest.raises(ItmError, match=message) as error:
        load(folder, **options)
    assert "\n" not in str(error.value) and len(str(error.value)) < 600
    return str(error.value)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "metadata.csv is empty"),
        (b" \r\n\t\n", "metadata.csv is empty"),
        (b"file_name,caption\n", "metadata.csv has a header and no rows"),
        (b"file_name,caption\npic00.jpg\n", r"line 2: 1 cells, but the header has 2"),
        (b"file_name,caption\npic00.jpg,a dog, a cat\n", r"line 2: 3 cells.*put double quotes around"),
        (b"file_name,caption\npic00.jpg,\n", "line 2: the caption of 'pic00.jpg' is empty"),
        (b"file_name,caption\npic00.jpg,...\n", "line 2: the caption of 'pic00.jpg' is empty"),
        (b"file_name,caption\n,a dog\n", "line 2: 'file_name' is ''; write the name of a photograph"),
        (b'file_name,caption\npic00.jpg,"a dog\npic01.jpg,a cat\n', "the row that starts in line 2: .*quote"),
        (b'file_name,caption\npic00.jpg,"a "dog" x"\n', "the row that starts in line 2"),
        (b"file_name,caption\npic00.jpg,caf\xe9\n", "metadata.csv line 2: not UTF-8; save it again"),
        ("file_name,caption\npic00.jpg,x\n".encode("utf-16-le"), "line 1: a zero byte"),
        (b"\xff\xfef\x00i\x00", "columns 'fi'"),
        (b"\xff\xfef\x00i\x00x", "not UTF-16"),
        (b"file_name,caption\npic00.jpg,a\0b\n", "line 2: a zero byte"),
        (b"file_name,caption\npic00.jpg," + b"x" * 1_000_000 + b"\n", "field larger than field limit"),
        (b"name,caption\npic00.jpg,x\n", "columns 'name', 'caption', and none is named file_name: rename one"),
        (b"file_name,words\npic00.jpg,x\n", "none is named caption: rename one, or name it"),
        (b"file_name,caption\n../../etc/passwd,x\n", "line 2: '../../etc/passwd' leads out of"),
        (b"file_name,caption\n/etc/passwd,x\n", "line 2: '/etc/passwd' leads out of"),
        (b"file_name,caption\nC:\\x.jpg,x\n", "leads out of"),
        (b"file_name,caption\na/../../x.jpg,x\n", "leads out of"),
        (b"file_name,caption\nhttps://e.org/a.jpg,x\n", "is an address; nothing is fetched"),
        (b"file_name,caption\n.,x\n", "is a folder, not a photograph"),
        (b"file_name,caption\npic99.jpg,x\npic98.jpg,y\n", "line 2: 'pic99.jpg' is not in .*, and so 1 more"),
        (b"file_name,caption\nPIC01.JPEG,x\n", r"'PIC01.JPEG' is not in .* \(there is 'pic01.jpg'\)"),
        (b"file_name,caption\n" + b"x" * 5000 + b".jpg,x\n", r"'x+... \(5,004 characters\) is not in"),
        (b"file_name,caption\n\x1b[31mred.jpg,x\n", r"'\\x1b\[31mred.jpg' is not in"),
        (b"file_name,caption\npic00.jpg,one dog\n", "there are 1 photographs with captions, and three splits need 4"),
    ],
)
def test_a_wrong_csv_is_one_sentence(folder, tmp_path, content, message):
    (folder / "metadata.csv").write_bytes(content)
    refused(folder, message)
    assert not list((tmp_path / "cache").rglob("*.json"))


@pytest.mark.parametrize(
    "line, message",
    [
        ('{"file_name": "pic00.jpg", "text": "x"', "metadata.jsonl line 2: broken JSON"),
        ("[1]", "line 2: a list; write one JSON object per line"),
        ("[" * 100_000, "line 2: broken JSON"),
        ('{"file_name": "pic00.jpg", "text": ' + "1" * 5000 + "}", "line 2: broken JSON"),
        ('{"file_name": "pic00.jpg", "text": 7}', "line 2: the caption is 7, not a text"),
        ('{"file_name": "pic00.jpg", "text": {"en": "x"}}', "line 2: the caption is {'en': 'x'}, not a text"),
        ('{"file_name": "pic00.jpg", "text": null}', "line 2: the caption of 'pic00.jpg' is empty"),
        ('{"file_name": "pic00.jpg", "text": NaN}', "line 2: the caption of 'pic00.jpg' is empty"),
        ('{"file_name": "pic00.jpg", "text": ["x", null]}', "line 2: a caption in the list is None; write texts"),
        ('{"file_name": "pic00.jpg", "text": "\\ud800 x"}', "line 2: .* holds half a character"),
        ('{"file_name": ["pic00.jpg"], "text": "x"}', r"line 2: 'file_name' is \['pic00.jpg'\]; write the name"),
        ('{"text": "x"}', "line 2: 'file_name' is None; write the name of a photograph"),
        ('{"file_name": "a\\u0000b.jpg", "text": "x"}', "is not in"),
    ],
)
def test_a_wrong_line_of_json_is_one_sentence(folder, line, message):
    first = json.dumps({"file_name": "pic01.jpg", "text": "fine"})
    (folder / "metadata.jsonl").write_text(f"{first}\n{line}\n", encoding="utf-8")
    refused(folder, message)


def test_wrong_photographs(folder, tmp_path):
    write_csv(folder / "metadata.csv", ROWS)
    whole = (folder / "pic04.jpg").read_bytes()
    for damage in (b"", whole[:200], b"no image"):
        (folder / "pic04.jpg").write_bytes(damage)
        refused(folder, "pic04.jpg is (empty|cut short or not an image)")
    (folder / "pic04.jpg").unlink()
    (folder / "pic04.jpg").mkdir()
    refused(folder, "line 6: 'pic04.jpg' is a folder, not a photograph")
    (folder / "IMG_1.HEIC").write_bytes(b"x")
    write_csv(folder / "metadata.csv", [("IMG_1.HEIC", "a dog"), *ROWS])
    refused(folder, "line 2: 'IMG_1.HEIC' is of a kind that Pillow does not read; convert it to JPEG")
    assert not list((tmp_path / "cache").rglob("splits.json"))


def test_wrong_folders_and_options(folder, tmp_path):
    refused(tmp_path / "nowhere", "nowhere: there is no such folder")
    refused(folder / "pic00.jpg", "pic00.jpg is a file: give the folder that holds it")
    refused("~nobody_has_this_name/x", "write out the folder")
    for wrong in (7, "", "a\0b"):
        refused(wrong, "folder is .*: give the path")
    refused(folder, "holds no captions: it must have a metadata.csv .*; there are 12 photographs in it")
    refused(folder, "holds no table with the caption column 'words'", caption="words")
    write_csv(folder / "metadata.csv", ROWS)
    refused(folder, "unknown column of .*metadata.csv 'captoin': did you mean 'caption'", caption="captoin")
    refused(folder, "unknown option of photos 'captoin': did you mean 'caption'", captoin="caption")
    refused(folder, r"caption is \[\]: give the name of a column or several", caption=[])
    refused(folder, "split is 3: give the name of a column", split=3)
    refused(folder, "seed is 'x'; give a whole number", seed="x")
    refused(folder, "fractions is", fractions=(1, 2, 3))
    write_jsonl(folder / "metadata.jsonl", [{"file_name": "pic00.jpg", "text": "x"}])
    refused(folder, "metadata.csv and metadata.jsonl stand side by side")


def test_other_data_sets_are_recognised(folder):
    with pytest.raises(ItmError, match="holds photos, not flickr8k: run `itm prepare photos --from"):
        write_csv(folder / "metadata.csv", ROWS)
        readers.prepare("flickr8k", folder)
    (folder / "metadata.csv").unlink()
    assert not photos.recognises(folder) and "photos" not in readers.recognised(folder)
    texts = folder / "Flickr8k_text"
    texts.mkdir()
    (texts / "Flickr8k.token.txt").write_text("a.jpg#0\ta dog")
    refused(folder, "holds flickr8k, not photos: run `itm prepare flickr8k --from")


def test_the_folder_that_was_used_last_is_taken_and_named(folder, tmp_path, capsys):
    with pytest.raises(ItmError, match="no folder was used yet; name one: --from DIR"):
        itm.load_corpus("photos")
    write_csv(folder / "metadata.csv", [(n, "x1", c) for n, c in ROWS], ("file_name", "caption", "words"))
    named = load(folder, caption="words", seed=3)
    capsys.readouterr()
    again = itm.load_corpus("photos")
    assert capsys.readouterr().err == f"photos: {folder}, the folder that was used last\n"
    assert all_captions(again) == all_captions(named) == EXPECTED and split_of(again) == split_of(named)
    assert split_of(itm.load_corpus("photos", seed=1)) == split_of(load(folder, caption="words", seed=1))
    note = photos._last_file()
    note.write_text('{"folder": 3}')
    with pytest.raises(ItmError, match="photos-last"):
        itm.load_corpus("photos")
    load(folder)
    folder.rename(tmp_path / "away")
    with pytest.raises(ItmError, match="the folder that was used last, is gone: name another"):
        itm.load_corpus("photos")


def test_a_change_is_seen_and_a_move_keeps_the_fingerprint(folder, tmp_path, capsys):
    write_csv(folder / "metadata.csv", ROWS)
    first = load(folder)
    prepared = [p for p in (tmp_path / "cache" / "corpora").iterdir() if p.is_dir()]
    assert len(prepared) == 1 and not list(prepared[0].rglob("*.jpg"))  # photographs stay where they are
    stamp = (prepared[0] / "splits.json").stat().st_mtime_ns
    load(folder)
    assert (prepared[0] / "splits.json").stat().st_mtime_ns == stamp
    moved = folder.rename(tmp_path / "moved")
    assert [s.fingerprint for s in load(moved).splits.values()] == [s.fingerprint for s in first.splits.values()]
    changed = first.train.images.files[0].name
    photograph(moved / changed, 11)
    capsys.readouterr()
    second = load(moved)
    assert "replaces it once the new one is complete" in capsys.readouterr().out
    assert second.train.fingerprint != first.train.fingerprint and second.val.fingerprint == first.val.fingerprint
    write_csv(moved / "metadata.csv", [(n, c.replace("dog", "cat")) for n, c in ROWS])
    assert "cat" in load(moved).train.captions[0]


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    made = tmp_path_factory.mktemp("fuzzed")
    for name in NAMES[:4]:
        photograph(made / name)
    return made


@settings(max_examples=150)
@given(st.data())
def test_damaged_tables_end_in_one_sentence_or_work(fuzzed, data):
    kind = data.draw(st.sampled_from(["csv", "jsonl"]))
    if kind == "csv":
        whole = "file_name,caption,split\n" + "".join(f'{n},"a dog, {i}",train\n' for i, n in enumerate(NAMES[:4]))
    else:
        whole = "".join(json.dumps({"file_name": n, "caption": ["a dog", "b"]}) + "\n" for n in NAMES[:4])
    content = bytearray(whole.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        cut = data.draw(st.integers(0, 6))
        put = data.draw(
            st.binary(max_size=3) | st.sampled_from([b'"', b"\n", b"[", b"\\", b";", b"../", b"\0", b"null"])
        )
        content[at : at + cut] = put
    for file in fuzzed.glob("metadata.*"):
        file.unlink()
    (fuzzed / f"metadata.{kind}").write_bytes(bytes(content))
    try:
        listing = photos.read_folder(fuzzed.resolve())
    except ItmError as error:
        assert "\n" not in str(error)
    else:
        assert all(row["captions"] for row in listing.rows())
