"""The Flickr8k reader on tiny JPEGs in the published layout: the warts pass, the faults are named."""

import pytest
from PIL import Image

import itm_tutorial as itm
from itm_tutorial.data.readers.flickr8k import KNOWN_ORPHAN, prepare, prepared_folder
from itm_tutorial.errors import ItmError

NAMES = {"train": ["a.jpg", "b.jpg"], "dev": ["c.jpg"], "test": ["d.jpg"]}


@pytest.fixture
def published(tmp_path, monkeypatch):
    monkeypatch.setenv("ITM_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "published"
    (folder / "Flicker8k_Dataset").mkdir(parents=True)
    (folder / "Flickr8k_text").mkdir()
    for split, names in NAMES.items():
        (folder / f"Flickr8k_text/Flickr_8k.{split}Images.txt").write_bytes("\r\n".join(names).encode())  # Windows
        for name in names:
            if split != "test":
                Image.new("RGB", (20, 30), "red").save(folder / "Flicker8k_Dataset" / name)
    lines = [f"{n}.jpg#{i}\tA {word} ." for n in "abcde" for i, word in enumerate(["dog", "red car"])]
    lines.append(f"{KNOWN_ORPHAN}#0\tA wart .")
    (folder / "Flickr8k_text/Flickr8k.token.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_the_published_layout_is_read_and_absent_test_photographs_are_told(published):
    prepare(published)
    with pytest.warns(UserWarning, match="without its test"):
        corpus = itm.load_corpus("flickr8k")
    assert (len(corpus.train.images), len(corpus.train.captions), len(corpus.val.images)) == (2, 4, 1)
    assert corpus.train.image_of.tolist() == [0, 0, 1, 1]
    assert tuple(corpus.train.images[1].shape) == (3, 30, 20)
    with pytest.raises(ItmError, match="no test split"):
        _ = corpus.test


def test_unprepared_says_how(published):
    with pytest.raises(ItmError, match="itm prepare flickr8k --from"):
        itm.load_corpus("flickr8k")


def damage_text(old, new):
    def damage(folder):
        file = folder / "Flickr8k_text/Flickr8k.token.txt"
        file.write_bytes(file.read_bytes().replace(old, new, 1))

    return damage


def truncate(folder):
    file = folder / "Flicker8k_Dataset/b.jpg"
    file.write_bytes(file.read_bytes()[:200])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_text(b"b.jpg#0\t", b"b.jpg#0 "), "line 3: no tab"),
        (damage_text(b"\tA dog .", b"\t ."), "line 1: the caption of a.jpg is empty"),
        (damage_text(b"a.jpg#0", b"a.jpg"), "line 1: 'a.jpg' has no #number"),
        (damage_text(b"A dog", b"A d\xff"), "line 1: not UTF-8"),
        (damage_text(b"c.jpg#0\tA dog .\nc.jpg#1\tA red car .\n", b""), "c.jpg has no caption"),
        (lambda folder: (folder / "Flicker8k_Dataset/b.jpg").unlink(), "b.jpg is missing"),
        (lambda folder: (folder / "Flickr8k_text/Flickr8k.token.txt").unlink(), "token.txt is missing"),
        (truncate, "b.jpg is cut short"),
    ],
)
def test_faults_are_named_and_leave_nothing_behind(published, damage, message):
    damage(published)
    with pytest.raises(ItmError, match=message):
        prepare(published)
    assert not prepared_folder().exists()
    assert not list(prepared_folder().parent.glob("*part*"))
