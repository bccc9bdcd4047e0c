"""Parquet files and webdataset shards: read into one corpus, and every broken row or file is named."""

import io
import json
import tarfile

import pytest
from PIL import Image

import itm_tutorial as itm
from itm_tutorial.data.readers import prepare, recognised
from itm_tutorial.data.readers.listing import prepared_folder
from itm_tutorial.errors import ItmError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
pytestmark = pytest.mark.filterwarnings("ignore:shards was prepared without")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ITM_CACHE", str(tmp_path / "cache"))


def image_bytes(shade, kind="PNG"):
    out = io.BytesIO()
    Image.new("RGB", (20, 30), (shade, 0, 0)).save(out, kind)
    return out.getvalue()


def write_parquet(file, rows):
    """Rows of {"image": bytes, ...} in the form that the datasets library writes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = [{**row, "image": {"bytes": row["image"], "path": "a.png"}} for row in rows]
    pq.write_table(pa.Table.from_pylist(rows), file)


def write_tar(file, members):
    file.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file, "w") as archive:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def small(tmp_path, n=3, split="train", first=0):
    rows = [{"image": image_bytes(first + i), "caption": [f"{split} {i}", "a dog"]} for i in range(n)]
    write_parquet(tmp_path / f"set/data/{split}-00000-of-00001.parquet", rows)
    return tmp_path / "set"


def test_parquet_files_named_after_splits(tmp_path):
    for first, split in enumerate(["train", "validation", "test"]):
        folder = small(tmp_path, split=split, first=10 * first)
    prepare("shards", folder)
    corpus = itm.load_corpus("shards")
    assert {name: len(split.images) for name, split in corpus.splits.items()} == {"train": 3, "val": 3, "test": 3}
    assert sorted(corpus.val.captions[::2]) == ["validation 0", "validation 1", "validation 2"]
    for i in range(3):  # the pairing survives the order in which photographs are kept
        number = int(corpus.test.captions_of(i)[0].removeprefix("test "))
        assert corpus.test.images[i][0, 0, 0] == 20 + number


def test_webdataset_shards(tmp_path):
    members = {}
    for i in range(4):
        members |= {f"s{i}.jpg": image_bytes(40 * i, "JPEG"), f"s{i}.txt": f"caption {i} .\nanother\n".encode()}
    write_tar(tmp_path / "wds/test/0.tar", members)
    (tmp_path / "wds/test/nshards.txt").write_text("1")
    prepare("shards", tmp_path / "wds")
    corpus = itm.load_corpus("shards")
    assert list(corpus.splits) == ["test"] and len(corpus.test.captions) == 8
    for i in range(4):
        caption = corpus.test.captions_of(i)[0]
        assert abs(int(corpus.test.images[i][0, 0, 0]) - 40 * int(caption.split()[1])) <= 2


def test_rows_of_one_photograph_become_its_captions(tmp_path):
    rows = [{"image": image_bytes(i // 5), "sentence": f"caption {i}"} for i in range(50)]
    write_parquet(tmp_path / "set/all.parquet", rows)
    prepare("shards", tmp_path / "set")
    corpus = itm.load_corpus("shards")
    assert sum(len(split.images) for split in corpus.splits.values()) == 10
    assert all(len(split.captions_of(0)) == 5 for split in corpus.splits.values())
    assert "split by content with seed 0" in corpus.about


def test_a_column_says_the_split_and_other_columns_are_named(tmp_path):
    words = ["train", "restval", "val", "test"]
    rows = [{"image": image_bytes(i), "legend": "a dog", "where": w, "who": w} for i, w in enumerate(words)]
    write_parquet(tmp_path / "set/x.parquet", rows)
    with pytest.raises(ItmError, match="columns image, legend, where, who: say which is the caption with --column"):
        prepare("shards", tmp_path / "set")
    with pytest.raises(ItmError, match="unknown column for caption .* 'legnd': did you mean 'legend'"):
        prepare("shards", tmp_path / "set", caption="legnd")
    prepare("shards", tmp_path / "set", caption="legend", split="where", identity="who")
    corpus = itm.load_corpus("shards")
    assert [len(split.images) for split in corpus.splits.values()] == [2, 1, 1]
    assert len(set(corpus.train.identity.tolist())) == 2


def test_the_same_source_again_is_not_read_again(tmp_path):
    prepare("shards", small(tmp_path, n=4))
    before = prepared_folder("shards").stat().st_ino
    prepare("shards", tmp_path / "set")
    assert prepared_folder("shards").stat().st_ino == before
    small(tmp_path, n=5)
    prepare("shards", tmp_path / "set")
    assert sum(len(split.images) for split in itm.load_corpus("shards").splits.values()) == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image": b""}, "row 1: its photograph is empty"),
        ({"image": image_bytes(9)[:-30]}, "row 1: its photograph is cut short or not an image"),
        ({"image": b"rubbish"}, "row 1: its photograph is cut short or not an image"),
        ({"caption": None}, "row 1: its caption is None; write a text"),
        ({"caption": []}, "row 1: its caption is empty"),
        ({"caption": [" . "]}, "row 1: its caption is empty"),
    ],
)
def test_a_broken_row_is_named_and_nothing_is_kept(tmp_path, change, message):
    rows = [{"image": image_bytes(i), "caption": ["a dog"]} for i in range(3)]
    rows[1] |= change
    write_parquet(tmp_path / "set/train.parquet", rows)
    with pytest.raises(ItmError, match=message):
        prepare("shards", tmp_path / "set")
    assert not prepared_folder("shards").exists()


def test_a_photograph_in_two_splits_is_named(tmp_path):
    small(tmp_path, split="train")
    folder = small(tmp_path, split="test")
    with pytest.raises(
        ItmError, match="its photograph is in (train already, and now in test|test already, and now in train)"
    ):
        prepare("shards", folder)


@pytest.mark.parametrize("damage", ["truncate", "rubbish", "empty"])
@pytest.mark.parametrize("suffix", [".parquet", ".tar"])
def test_a_broken_file_is_one_sentence(tmp_path, suffix, damage):
    file = tmp_path / f"set/train{suffix}"
    if suffix == ".parquet":
        write_parquet(file, [{"image": image_bytes(0), "caption": ["a"]}])
    else:
        write_tar(file, {"a.png": image_bytes(0), "a.txt": b"a dog", "b.png": image_bytes(1), "b.txt": b"a cat"})
    data = file.read_bytes()
    file.write_bytes({"truncate": data[: len(data) // 3], "rubbish": b"rubbish" * 200, "empty": b""}[damage])
    with pytest.raises(ItmError, match="train"):
        prepare("shards", tmp_path / "set")
    assert not prepared_folder("shards").exists()


def test_names_in_an_archive_do_not_lead_out(tmp_path):
    write_tar(tmp_path / "set/train.tar", {"../../x.png": image_bytes(0), "../../x.txt": b"a dog"})
    with pytest.raises(ItmError):  # too small for three splits; the names on disk are made of the content
        prepare("shards", tmp_path / "set")
    assert not list(tmp_path.rglob("x.png"))


def test_what_is_no_set_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ItmError, match="holds neither a Parquet file nor a tar archive"):
        prepare("shards", tmp_path / "empty")
    with pytest.raises(ItmError, match="there is no such folder"):
        prepare("shards", tmp_path / "absent")
    with pytest.raises(ItmError, match="give a folder"):
        prepare("shards")
    small(tmp_path)
    write_tar(tmp_path / "set/a.tar", {"a.txt": b"x"})
    with pytest.raises(ItmError, match="holds both Parquet files and tar archives"):
        prepare("shards", tmp_path / "set")
    with pytest.raises(ItmError, match="takes no option 'caption'"):
        itm.load_corpus("shards", caption="x")


def test_a_folder_of_shards_is_recognised(tmp_path):
    assert recognised(small(tmp_path)) == ["shards"]


def test_a_damaged_prepared_set_is_named(tmp_path):
    prepare("shards", small(tmp_path, n=8))
    file = prepared_folder("shards") / "splits.json"
    splits = json.loads(file.read_text())
    splits["train"][0]["image"] = "../../../x.png"
    file.write_text(json.dumps(splits))
    with pytest.raises(ItmError, match="leads out of the folder"):
        itm.load_corpus("shards")
