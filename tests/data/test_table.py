"""``corpus_from_table``: a DataFrame of images of any kind and captions, and what is said about a row that is wrong."""

import io

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import itm_tutorial as itm
from itm_tutorial.data.readers import photos
from itm_tutorial.errors import ItmError

N = 8
CAPTIONS = [f"picture {i} of a dog" for i in range(N)]


def pixels(i):
    """uint8 [12, 10, 3], another one for each i."""
    return np.random.default_rng(i).integers(0, 256, (12, 10, 3), dtype=np.uint8)


def encoded(i):
    buffer = io.BytesIO()
    Image.fromarray(pixels(i)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path):
    for i in range(N):
        (tmp_path / f"{i}.png").write_bytes(encoded(i))
    return tmp_path


def images_of(corpus):
    """Caption -> the image that it describes."""
    return {
        caption: split.images[int(image)]
        for split in corpus.splits.values()
        for caption, image in zip(split.captions, split.image_of, strict=True)
    }


def check(images, **options):
    """A corpus of these images has their pixels, whatever kind they are of."""
    corpus = itm.corpus_from_table(pd.DataFrame({"image": images, "caption": CAPTIONS}), **options)
    found = images_of(corpus)
    for i, caption in enumerate(CAPTIONS):
        assert found[caption].dtype == torch.uint8
        assert torch.equal(found[caption], torch.from_numpy(pixels(i)).permute(2, 0, 1)), caption
    return corpus


KINDS = {
    "pillow": lambda i: Image.fromarray(pixels(i)),
    "channels last": pixels,
    "channels first": lambda i: pixels(i).transpose(2, 0, 1),
    "tensor": lambda i: torch.from_numpy(pixels(i)).permute(2, 0, 1),
    "floats": lambda i: pixels(i).astype(np.float32) / 255,
    "half": lambda i: torch.from_numpy(pixels(i)).permute(2, 0, 1).double() / 255,
    "opaque": lambda i: np.concatenate([pixels(i), np.full((12, 10, 1), 255, np.uint8)], axis=2),
    "bytes": encoded,
    "of datasets": lambda i: {"bytes": encoded(i), "path": None},
}


@pytest.mark.parametrize("kind", KINDS)
def test_images_of_every_kind(kind):
    corpus = check([KINDS[kind](i) for i in range(N)])
    assert set(corpus.splits) == {"train", "val", "test"} and not corpus.drawn and "8 rows" in corpus.about


def test_paths(folder, monkeypatch):
    corpus = check([f"{i}.png" for i in range(N)], folder=folder)
    check([folder / f"{i}.png" for i in range(N)])
    check([str(folder / f"{i}.png") for i in range(N)], folder=str(folder))
    check([{"path": f"{i}.png", "bytes": None} for i in range(N)], folder=folder)
    monkeypatch.chdir(folder)
    assert images_of(check([f"{i}.png" for i in range(N)])).keys() == images_of(corpus).keys()


def test_grey_images_have_three_equal_channels():
    table = pd.DataFrame({"image": [pixels(i)[..., 0] for i in range(N)], "caption": CAPTIONS})
    found = images_of(itm.corpus_from_table(table))[CAPTIONS[2]]
    assert torch.equal(found, torch.from_numpy(pixels(2)[..., 0]).expand(3, -1, -1))


@pytest.mark.parametrize(
    "index",
    [
        [0] * N,
        list("abcdefgh"),
        range(100, 100 + N),
        pd.MultiIndex.from_product([["x", "y"], range(4)]),
        pd.date_range("2026-01-01", periods=N),
        list(range(N))[::-1],
    ],
)
def test_any_index(index):
    table = pd.DataFrame({"image": [pixels(i) for i in range(N)], "caption": CAPTIONS}, index=index)
    found = images_of(itm.corpus_from_table(table))
    assert all(torch.equal(found[c], torch.from_numpy(pixels(i)).permute(2, 0, 1)) for i, c in enumerate(CAPTIONS))
    table.iloc[5, 1] = None
    with pytest.raises(ItmError, match=r"row 5 \(index .*\): the caption is (None|nan)") as error:
        itm.corpus_from_table(table)
    assert str(table.index[5])[:8] in str(error.value)


@pytest.mark.parametrize("kind", [object, "string", "category", "str"])
@pytest.mark.parametrize("nothing", [None, float("nan"), pd.NA, ""])
def test_captions_that_are_missing_are_named(kind, nothing):
    captions = pd.Series([*CAPTIONS[:3], nothing, *CAPTIONS[4:]], dtype=object).astype(kind)
    table = pd.DataFrame({"image": [pixels(i) for i in range(N)], "caption": captions})
    with pytest.raises(ItmError, match=r"row 3 \(index 3\): the caption is .*; write one or drop the row"):
        itm.corpus_from_table(table)
    assert len(images_of(itm.corpus_from_table(table[table.index != 3]))) == N - 1


@pytest.mark.parametrize("wrong", [7, 1.5, b"a dog", {"en": "a dog"}, ["a dog", None], ["a dog", 3], pd.Timestamp(0)])
def test_captions_that_are_no_text_are_named(wrong):
    table = pd.DataFrame(
        {"image": [pixels(i) for i in range(N)], "caption": pd.Series([wrong, *CAPTIONS[1:]], dtype=object)}
    )
    with pytest.raises(ItmError, match=r"row 0 \(index 0\): (the|a) caption"):
        itm.corpus_from_table(table)


def test_several_captions_of_an_image():
    lists = [[c, f"{c} again"] for c in CAPTIONS]
    made = itm.corpus_from_table(pd.DataFrame({"image": [pixels(i) for i in range(N)], "caption": lists}))
    rows = {"image": [pixels(i) for i in range(N) for _ in range(2)], "caption": [c for two in lists for c in two]}
    by_rows = itm.corpus_from_table(pd.DataFrame(rows))
    columns = {"image": [encoded(i) for i in range(N)], "a": CAPTIONS, "b": [two[1] for two in lists]}
    by_columns = itm.corpus_from_table(pd.DataFrame(columns), caption=["a", "b"])
    for corpus in (made, by_rows, by_columns):
        assert sum(len(split.images) for split in corpus.splits.values()) == N
        assert sorted(images_of(corpus)) == sorted(c for two in lists for c in two)
    assert by_rows.train.fingerprint == made.train.fingerprint
    array = pd.DataFrame({"image": [pixels(i) for i in range(N)], "caption": [np.array(two) for two in lists]})
    assert itm.corpus_from_table(array).train.captions == made.train.captions


@pytest.mark.parametrize(
    "wrong, message",
    [
        (None, "the image is None; give one or drop the row"),
        (float("nan"), "the image is nan; give one"),
        (pd.NA, "the image is <NA>"),
        ("", "the image is ''; give the path of a file"),
        ("a\0b", "the image is .*; give the path"),
        ("nowhere.png", "there is no file 'nowhere.png'; check the path, or give folder="),
        (".", "it is a folder; name the file"),
        ("~nobody_has_this/a.png", "cannot be read"),
        ("x" * 5000, "row 1 .*x{20}"),
        ("https://e.org/a.png", "is an address; nothing is fetched"),
        (b"no image", "not an image that Pillow can read"),
        (b"", "not an image that Pillow can read"),
        ({"bytes": None, "path": None}, "the image is None"),
        (3, "the image is a int"),
        ([[1, 2], [3, 4]], "the image is a list"),
        (pixels(0).astype(np.float32), "values from 0 to 255|values from .*floats from 0 to 1"),
        (pixels(0) / 255 - 0.5, "values from -0.5.*floats from 0 to 1"),
        (np.full((6, 5, 3), np.nan), "values from nan"),
        (np.zeros((3, 40, 3), np.uint8), r"the shape \[3, 40, 3\], so its channels may be first or last"),
        (torch.zeros(4, 8, 3), r"the shape \[4, 8, 3\], so its channels may be first or last"),
        (np.zeros((5, 6, 7), np.uint8), r"shape \[5, 6, 7\]"),
        (np.zeros((2, 3, 8, 8), np.uint8), r"shape \[2, 3, 8, 8\]"),
        (np.zeros((0, 5), np.uint8), r"shape \[0, 5\]"),
        (np.array(["a"]), "an array of <U1"),
    ],
)
def test_images_that_cannot_be_read_are_named(wrong, message):
    images = pd.Series([pixels(i) for i in range(N)], dtype=object)
    images[1] = wrong
    with pytest.raises(ItmError, match=message) as error:
        itm.corpus_from_table(pd.DataFrame({"image": images, "caption": CAPTIONS}))
    assert str(error.value).startswith("row 1 (index 1)") and "\n" not in str(error.value)


def test_a_photograph_that_is_cut_short_is_named_when_it_is_read(folder):
    big = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (120, 100, 3), dtype=np.uint8)
    Image.fromarray(noise).save(big, "PNG")
    whole = [encoded(i) for i in range(N - 1)] + [big.getvalue()[:-2000]]
    table = pd.DataFrame({"image": whole, "caption": CAPTIONS})
    split = next(s for s in itm.corpus_from_table(table).splits.values() if CAPTIONS[-1] in s.captions)
    with pytest.raises(ItmError, match=r"row 7 \(index 7\): the image is cut short or not an image"):
        images_of(itm.Corpus("x", {"test": split}, drawn=False))
    (folder / "7.png").write_bytes(b"no image")
    with pytest.raises(ItmError, match="row 7 .*7.png: not an image"):
        check([f"{i}.png" for i in range(N)], folder=folder)


def test_splits_and_identities_may_be_given():
    table = pd.DataFrame({"image": [pixels(i) for i in range(N)], "caption": CAPTIONS})
    table["split"] = ["train"] * 4 + ["dev"] * 2 + ["test"] * 2
    table["who"] = list("aabbccdd")
    corpus = itm.corpus_from_table(table, identity="who")
    assert [split.identity.tolist() for split in corpus.splits.values()] == [[0, 0, 1, 1], [2, 2], [3, 3]] or {
        len(split.images) for split in corpus.splits.values()
    } == {4, 2}
    assert sum(len(set(split.identity.tolist())) for split in corpus.splits.values()) == 4
    renamed = table.rename(columns={"split": "part", "who": "identity"})
    again = itm.corpus_from_table(renamed, split="part")
    assert [s.captions for s in again.splits.values()] == [s.captions for s in corpus.splits.values()]
    by_identity = itm.corpus_from_table(table.drop(columns="split"), identity="who")
    people = [set(split.identity.tolist()) for split in by_identity.splits.values()]
    assert sum(map(len, people)) == 4 == len(set.union(*people))
    for column, value in (("split", None), ("split", "trian"), ("who", float("nan"))):
        wrong = table.astype({column: object})
        wrong.loc[2, column] = value
        with pytest.raises(ItmError, match=r"row 2 \(index 2\): (there is no|unknown split)"):
            itm.corpus_from_table(wrong, identity="who")
    twice = pd.concat([table, table.assign(split="test")])
    with pytest.raises(ItmError, match="its image is that of row 0 .*with another split"):
        itm.corpus_from_table(twice)


def test_the_content_makes_the_fingerprint_and_order_makes_no_difference(folder):
    table = pd.DataFrame({"image": [pixels(i) for i in range(N)], "caption": CAPTIONS})
    prints = lambda t, **o: {s.fingerprint for s in itm.corpus_from_table(t, **o).splits.values()}  # noqa: E731
    first = prints(table)
    assert prints(table.sample(frac=1, random_state=0)) == first == prints(table, name="mine")
    assert prints(table.assign(caption=table.caption + "!")).isdisjoint(first)
    assert prints(table, seed=4) != first
    other = table.copy()
    other.at[0, "image"] = 255 - pixels(0)
    assert prints(other) != first
    by_path = itm.corpus_from_table(
        pd.DataFrame({"image": [f"{i}.png" for i in range(N)], "caption": CAPTIONS}), folder=folder
    )
    rows = "".join(f"{i}.png,{c}\n" for i, c in enumerate(CAPTIONS))
    (folder / "metadata.csv").write_text("file_name,caption\n" + rows)
    listed = photos.read_folder(folder).splits
    assert {n: s.captions for n, s in by_path.splits.items()} == {
        n: [c for row in rows for c in row["captions"]] for n, rows in listed.items()
    }  # a folder and a table of its files are split alike


def test_pixels_are_copied_so_that_later_changes_do_not_reach_the_corpus():
    images = [pixels(i) for i in range(N)]
    corpus = itm.corpus_from_table(pd.DataFrame({"image": images, "caption": CAPTIONS}))
    before = images_of(corpus)[CAPTIONS[0]].clone()
    for image in images:
        image[:] = 0
    assert torch.equal(images_of(corpus)[CAPTIONS[0]], before)


def test_tables_and_arguments_that_are_wrong():
    table = pd.DataFrame({"image": [pixels(i) for i in range(N)], "caption": CAPTIONS})
    cases = [
        ({"table": {"image": []}}, "table is a dict: give a pandas DataFrame"),
        ({"table": table[:0]}, "table has no rows"),
        ({"table": table[:3]}, "there are 3 photographs with captions, and three splits need 4"),
        ({"table": table.rename(columns={"image": "caption"})}, "unknown column of the table 'image'"),
        ({"caption": "captoin"}, "unknown column of the table 'captoin': did you mean 'caption'"),
        ({"caption": []}, "caption names no column"),
        ({"table": pd.concat([table, table.caption], axis=1)}, "several columns named 'caption'"),
        ({"folder": "/no/such"}, "there is no such folder"),
        ({"folder": 3}, "folder is 3"),
        ({"seed": 1.5}, "seed is 1.5"),
        ({"name": "flickr8k"}, "name is 'flickr8k': give a text that is not the name of another corpus"),
        ({"name": ""}, "name is ''"),
    ]
    for options, message in cases:
        with pytest.raises(ItmError, match=message):
            itm.corpus_from_table(options.pop("table", table), **options)


@pytest.mark.parametrize(
    "images, found",
    [
        ([pixels(0)], r"images\[0\] is a ndarray"),
        ([torch.zeros(3, 8, 8)], r"images\[0\] is torch.float32 \[3, 8, 8\]"),
        ([torch.zeros(8, 8, 3, dtype=torch.uint8)], r"images\[0\] is torch.uint8 \[8, 8, 3\]"),
        ([None], r"images\[0\] is a NoneType"),
        (("a.jpg",), r"images\[0\] is a str"),
        (torch.zeros(1, 3, 8, 8), r"images is torch.float32 \[1, 3, 8, 8\]"),
        (torch.zeros(1, 8, 8, 3, dtype=torch.uint8), r"images is torch.uint8 \[1, 8, 8, 3\]"),
        (pixels(0)[None], "images is a ndarray"),
        (pd.Series([torch.zeros(3, 8, 8, dtype=torch.uint8)], index=[5]), "images is a Series"),
        ("a", "images is a str"),
    ],
)
def test_a_split_that_is_made_by_hand_has_its_images_checked(images, found):
    with pytest.raises(ItmError, match=f"mine: {found}; give .*; itm.corpus_from_table"):
        itm.Split("mine", images, ["a dog"], torch.tensor([0]))
