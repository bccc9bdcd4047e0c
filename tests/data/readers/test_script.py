"""The scripts of data sets: prepare, check and download."""

import hashlib
import io
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from itm_tutorial.data import readers
from itm_tutorial.data.readers.download import Archive
from itm_tutorial.data.readers.listing import Listing
from itm_tutorial.data.readers.script import run
from itm_tutorial.data.readers.sources import SOURCES

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ITM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ITM_PROGRESS", "0")
    return tmp_path / "cache"


def jpeg(size=(20, 30)):
    made = io.BytesIO()
    Image.new("RGB", size).save(made, "JPEG")
    return made.getvalue()


@pytest.fixture
def flickr8k(tmp_path):
    """A tiny Flickr8k in its published layout."""
    folder = tmp_path / "flickr8k"
    (folder / "Flickr8k_text").mkdir(parents=True)
    (folder / "Flicker8k_Dataset").mkdir()
    lists = {"trainImages": "a.jpg\nb.jpg", "devImages": "c.jpg", "testImages": "d.jpg"}
    for name, listed in lists.items():
        (folder / f"Flickr8k_text/Flickr_8k.{name}.txt").write_text(listed)
    (folder / "Flickr8k_text/Flickr8k.token.txt").write_text("\n".join(f"{name}.jpg#0\tA dog ." for name in "abcd"))
    for name in "abcd":
        (folder / f"Flicker8k_Dataset/{name}.jpg").write_bytes(jpeg())
    return folder


@pytest.fixture
def precomp(tmp_path):
    """Tiny features in SCAN's layout."""
    folder = tmp_path / "f30k_precomp"
    folder.mkdir()
    for number, split in enumerate(("train", "dev", "test")):
        np.save(folder / f"{split}_ims.npy", np.random.default_rng(number).random((2, 3, 4), dtype=np.float32))
        (folder / f"{split}_caps.txt").write_text("A dog runs .\n" * 10)
    return folder


def told(capsys):
    return capsys.readouterr().out.strip()


def fails(*names, arguments):
    with pytest.raises(SystemExit) as stop:
        run(*names, arguments=arguments)
    return stop.value.code


def snapshot(*folders):
    return {file: file.read_bytes() for folder in folders for file in folder.rglob("*") if file.is_file()}


def test_a_folder_is_prepared_and_the_prepared_copy_is_checked(flickr8k, capsys, cache):
    run("flickr8k", arguments=["--from", str(flickr8k)])
    assert told(capsys) == f"prepared in {cache / 'corpora/flickr8k'}: complete"
    before = snapshot(cache)
    run("flickr8k", arguments=["--check"])
    assert told(capsys).startswith("flickr8k: nothing is broken; train 2 images and 2 captions, val 1 images")
    assert snapshot(cache) == before


def test_a_folder_is_checked_and_nothing_changes(flickr8k, capsys, cache):
    before = snapshot(flickr8k)
    run("flickr8k", arguments=["--check", "--from", str(flickr8k)])
    assert re.fullmatch(
        "flickr8k: nothing is broken; train 2 images and 2 captions, val 1 .*, test 1 .* 0.0 MB; the published set has "
        "8,000 or 8,091 images, so this is a part of it, or another edition",
        told(capsys),
    )
    assert snapshot(flickr8k) == before and not cache.exists()


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (lambda folder: (folder / "Flicker8k_Dataset/d.jpg").write_bytes(jpeg((200, 300))[:400]), "d.jpg is cut short"),
        (lambda folder: (folder / "Flicker8k_Dataset/b.jpg").write_bytes(b""), "b.jpg is empty"),
        (lambda folder: (folder / "Flicker8k_Dataset/b.jpg").unlink(), "b.jpg is missing"),
        (lambda folder: (folder / "Flickr8k_text/Flickr8k.token.txt").write_text("a.jpg"), "line 1"),
    ],
)
def test_a_broken_copy_is_one_sentence(flickr8k, cache, damage, what):
    damage(flickr8k)
    before = snapshot(flickr8k)
    message = fails("flickr8k", arguments=["--check", "--from", str(flickr8k)])
    assert message.startswith("flickr8k: ") and what in message and "\n" not in message
    assert snapshot(flickr8k) == before and not cache.exists()


def test_a_damaged_prepared_copy_is_found(flickr8k, cache, capsys):
    run("flickr8k", arguments=["--from", str(flickr8k)])
    file = next(cache.rglob("c.jpg"))
    file.write_bytes(jpeg((200, 300))[:400])
    assert "c.jpg is cut short" in fails("flickr8k", arguments=["--check"])
    assert "flickr8k is not prepared" not in fails("flickr8k", arguments=["--check"])


def test_a_reader_that_checks_only_while_it_prepares_says_so(tmp_path):
    assert "prepare it, then check the prepared copy" in fails("shards", arguments=["--check", "--from", str(tmp_path)])


def test_a_reader_of_a_folder_without_a_published_layout_is_checked_too(flickr8k, monkeypatch, capsys):
    rows = [{"image": f"{name}.jpg", "bytes": 1, "captions": ["A dog"]} for name in "ab"]
    found = Listing("photos", flickr8k / "Flicker8k_Dataset", {"train": rows})
    monkeypatch.setattr(readers, "_module", lambda name: SimpleNamespace(read_folder=lambda folder, name: found))
    run("photos", arguments=["--check", "--from", str(flickr8k)])
    assert told(capsys) == "photos: nothing is broken; train 2 images and 2 captions, 0.0 MB"


def test_a_copy_that_was_not_prepared_is_named():
    assert "flickr8k is not prepared" in fails("flickr8k", arguments=["--check"])


def test_features_are_checked_and_not_recorded(precomp, capsys, cache):
    names = ("f30k_precomp", "coco_precomp")
    run(*names, arguments=["f30k_precomp", "--check", "--from", str(precomp)])
    assert told(capsys).startswith("f30k_precomp: nothing is broken; features only, 3 x 4 per image")
    assert not cache.exists()
    run(*names, arguments=["coco_precomp", "--from", str(precomp)])
    assert told(capsys).startswith(f"prepared in {cache / 'corpora/coco_precomp.json'}: features only")
    run(*names, arguments=["coco_precomp", "--check"])
    assert "nothing is broken; train 2 images and 10 captions" in told(capsys)
    values = np.load(precomp / "dev_ims.npy")
    values[1] = np.nan
    np.save(precomp / "dev_ims.npy", values)
    assert "dev_ims.npy" in fails(*names, arguments=["--check", "--from", str(precomp)])


@pytest.mark.parametrize("name", SOURCES)
def test_without_an_order_nothing_is_done(name, cache, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("the network was asked")

    monkeypatch.setattr("socket.socket.connect", refuse)
    message = fails(name, arguments=[])
    assert message.startswith(f"{name}: ") and "--from DIR" in message and not cache.exists()
    assert ("--download downloads it" in message) == bool(SOURCES[name].archives)
    assert ("cannot be downloaded here" in message) == (not SOURCES[name].archives)
    if not SOURCES[name].archives:
        assert fails(name, arguments=["--download"]) == message


def test_a_download_goes_through_the_table_and_is_prepared(monkeypatch, flickr8k, capsys):
    fetched, prepared = [], []
    monkeypatch.setattr("itm_tutorial.data.readers.script.fetch", lambda name: fetched.append(name) or flickr8k)
    monkeypatch.setattr(readers, "prepare", lambda name, source: prepared.append((name, source)))
    monkeypatch.setattr(readers, "load", lambda name: type("Corpus", (), {"about": "complete"}))
    run("coco", "coco_2017", arguments=["coco_2017", "--download"])
    run("flickr8k", arguments=["--download"])
    assert fetched == ["coco_2017"] and prepared == [("coco", flickr8k), ("flickr8k", None)]


@pytest.mark.parametrize("also", [["--check"], ["--from", "."]])
def test_two_orders_at_once_are_refused(also):
    assert "--download goes with neither" in fails("flickr8k", arguments=["--download", *also])


def test_a_script_ends_with_exit_code_1_and_one_sentence(flickr8k):
    script = [sys.executable, str(ROOT / "data_scripts/flickr8k.py"), "--check", "--from", str(flickr8k / "nowhere")]
    broken = subprocess.run(script, capture_output=True, text=True)
    assert broken.returncode == 1 and "there is no such folder" in broken.stderr
    assert broken.stdout == "" and broken.stderr.count("\n") == 1


@pytest.mark.filterwarnings("ignore:.*was prepared without")
def test_every_layout_is_checked_where_it_lies(layouts, layout, tmp_path, capsys, cache):
    name = layouts.make(layout, tmp_path / layout)
    before = snapshot(tmp_path / layout)
    run(name, arguments=["--check", "--from", str(tmp_path / layout)])
    assert told(capsys).startswith(f"{name}: nothing is broken; ")
    assert snapshot(tmp_path / layout) == before and not cache.exists()
    next((tmp_path / layout).rglob("*.jpg")).write_bytes(b"")
    assert "is empty" in fails(name, arguments=["--check", "--from", str(tmp_path / layout)])


@pytest.mark.parametrize(
    ("layout", "name"),
    [("coco_karpathy", "coco"), ("coco_2017", "coco_2017"), ("cub", "cub"), ("oxford102", "oxford102")],
)
@pytest.mark.filterwarnings("ignore:.*was prepared without")
def test_what_was_downloaded_is_read_by_its_reader(layouts, layout, name, tmp_path, server, monkeypatch, capsys):
    corpus = layouts.make(layout, tmp_path / layout)
    archives = []
    for entry in sorted((tmp_path / layout).iterdir()):
        packed = entry
        if entry.is_dir():
            kind = "zip" if corpus == "coco" else "gztar"
            packed = Path(shutil.make_archive(str(tmp_path / entry.name), kind, tmp_path / layout, entry.name))
        server.files[packed.name] = packed.read_bytes()
        md5 = hashlib.md5(packed.read_bytes()).hexdigest()
        archives.append(Archive(packed.name, (server.url(packed.name),), md5))
    monkeypatch.setitem(SOURCES, name, replace(SOURCES[name], archives=tuple(archives)))
    run(name, arguments=["--download"])
    assert SOURCES[name].terms in (out := told(capsys)) and f"corpora/{corpus}: complete" in out
    shutil.rmtree(tmp_path / layout)
    run(name, arguments=["--check"])
    assert told(capsys).startswith(f"{corpus}: nothing is broken; train ")
    assert readers.load(corpus).train.images[0].shape[0] == 3
