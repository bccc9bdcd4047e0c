"""The table of published data sets: what it says, what is fetched, and that nothing is fetched unasked."""

import hashlib
import io
import re
import runpy
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from itm_tutorial.data import readers
from itm_tutorial.data.readers import listing, sources
from itm_tutorial.data.readers.download import Archive
from itm_tutorial.data.readers.listing import Layout, Listing
from itm_tutorial.data.readers.sources import SOURCES, downloads_folder, fetch, how_to_get, source_of
from itm_tutorial.errors import ItmError

ROOT = Path(__file__).parents[3]
ARCHIVES = [(name, archive) for name, source in SOURCES.items() for archive in source.archives]


def make_zip(files):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as out:
        for name, content in files.items():
            out.writestr(name, content)
    return made.getvalue()


@pytest.mark.parametrize("name", SOURCES)
def test_each_data_set_says_where_it_comes_from_and_on_which_terms(name):
    source = SOURCES[name]
    assert source.title and source.layout and source.terms.endswith(".")
    assert re.fullmatch("https?://[^ ]+", source.page) and re.fullmatch("(https://[^ ]+)?", source.paper)
    assert source.archives or source.ask or source.by_hand
    assert not (source.ask and source.archives)  # what one must ask for is never fetched


@pytest.mark.parametrize(("name", "archive"), ARCHIVES)
def test_each_archive_has_a_checksum_or_a_page(name, archive):
    assert re.fullmatch(r"[\w.-]+", archive.name)
    if archive.mirrors:
        assert archive.md5 or archive.sha256
        assert re.fullmatch("([0-9a-f]{32})?", archive.md5) and re.fullmatch("([0-9a-f]{64})?", archive.sha256)
        assert all(re.fullmatch("https?://[^ ]+", url) and url.endswith(archive.name) for url in archive.mirrors)
    else:
        assert archive.page.startswith("https://") and archive.name in str(SOURCES[name])


@pytest.mark.parametrize("name", ["coco", "coco_2017", "cub", "oxford102"])
def test_sizes_add_up(name):
    known = sum(archive.n_bytes or 0 for archive in SOURCES[name].archives)
    assert known / 1e9 == pytest.approx(SOURCES[name].gigabytes, abs=0.06)


def test_an_unknown_name_gets_the_nearest_ones():
    with pytest.raises(ItmError, match="unknown published data set 'flickr30': did you mean 'flickr30k'"):
        source_of("flickr30")


@pytest.mark.parametrize("name", [name for name, source in SOURCES.items() if not source.archives])
def test_what_a_person_must_get_is_one_sentence_with_page_and_layout(name, tmp_path, monkeypatch):
    monkeypatch.setenv("ITM_CACHE", str(tmp_path))
    with pytest.raises(ItmError, match=f"{name} cannot be downloaded here: ") as error:
        fetch(name)
    assert SOURCES[name].page in str(error.value) and f"itm prepare {name} --from DIR" in str(error.value)
    assert SOURCES[name].layout.replace("`", "") in str(error.value)
    assert ("ask " in how_to_get(name)) == bool(SOURCES[name].ask)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def tiny(server, tmp_path, monkeypatch):
    """A data set of two archives on the test's own server."""
    monkeypatch.setenv("ITM_CACHE", str(tmp_path))
    server.files = {
        "photos.zip": make_zip({"photos/a.jpg": b"jpeg"}),
        "texts.zip": make_zip({"captions.txt": b"A dog"}),
    }
    archives = tuple(
        Archive(name, (server.url(name),), hashlib.md5(content).hexdigest(), into)
        for (name, content), into in zip(server.files.items(), (".", "texts"), strict=True)
    )
    monkeypatch.setitem(SOURCES, "tiny", replace(SOURCES["coco"], title="Tiny", archives=archives))
    return server


def files(folder):
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def test_a_data_set_is_fetched_once_and_its_archives_are_thrown_away(tiny, tmp_path, capsys):
    folder = fetch("tiny")
    assert files(folder) == {"photos/a.jpg", "texts/captions.txt"}
    told = capsys.readouterr().out
    assert "Tiny: Annotations: Creative Commons" in told and "about 20.4 GB on these terms, from 127.0.0.1" in told
    assert files(downloads_folder("tiny")) - {"unpacked.lock"} == {
        "unpacked/photos/a.jpg",
        "unpacked/texts/captions.txt",
    }
    asked = len(tiny.requests)
    assert fetch("tiny") == folder and len(tiny.requests) == asked and capsys.readouterr().out == ""


def test_a_network_cut_leaves_no_data_set_and_keeps_what_came(tiny):
    whole = tiny.files.pop("texts.zip")
    with pytest.raises(ItmError, match="cannot download texts.zip from .* .404 Not Found.*--from DIR"):
        fetch("tiny")
    assert files(downloads_folder("tiny")) - {"unpacked.lock"} == {"photos.zip"}
    tiny.files["texts.zip"] = whole
    assert files(fetch("tiny")) == {"photos/a.jpg", "texts/captions.txt"}
    assert [name for name, _ in tiny.requests] == ["photos.zip", "texts.zip", "texts.zip"]


def test_an_archive_that_cannot_be_unpacked_leaves_no_data_set(tiny):
    content = make_zip({"a.txt": b"x", "../out.txt": b"x"})
    tiny.files["texts.zip"] = content
    archives = SOURCES["tiny"].archives
    archives = (archives[0], replace(archives[1], md5=hashlib.md5(content).hexdigest()))
    with pytest.raises(ItmError, match="leads out of the folder"):
        fetch("tiny", archives)
    assert not (downloads_folder("tiny") / "unpacked").exists()


def test_what_a_person_must_bring_is_asked_for_before_anything_is_downloaded(tiny):
    archives = (*SOURCES["tiny"].archives, Archive("more.zip", page="https://example.org/more"))
    with pytest.raises(ItmError, match="more.zip has to be got with a browser: take it from https://example.org/more"):
        fetch("tiny", archives)
    assert tiny.requests == []
    (downloads_folder("tiny") / "more.zip").write_bytes(make_zip({"more.txt": b"x"}))
    assert "more.txt" in files(fetch("tiny", archives))
    assert (downloads_folder("tiny") / "more.zip").exists()  # what a person brought is not ours to delete


def test_a_disk_that_is_too_small_is_told_first(tiny):
    huge = tuple(replace(archive, n_bytes=10**16) for archive in SOURCES["tiny"].archives)
    with pytest.raises(ItmError, match="tiny needs 40000000.0 GB while it is unpacked, and .* GB left: free some"):
        fetch("tiny", huge)
    assert tiny.requests == []


def test_the_page_is_the_one_that_is_made():
    made = runpy.run_path(str(ROOT / "docs" / "data.py"))["page"]()
    assert (ROOT / "docs" / "data.md").read_text(encoding="utf-8") == made, "run python docs/data.py"
    for name, source in SOURCES.items():
        assert f"| `{name}` |" in made and source.terms in made and f"### {source.title}\n" in made
    for _, archive in ARCHIVES:
        assert archive.name in made and (archive.sha256 or archive.md5 or "none is published") in made


def test_each_data_set_has_a_script_and_each_script_a_data_set():
    scripts = {file.stem: file.read_text(encoding="utf-8") for file in (ROOT / "data_scripts").glob("*.py")}
    run = [name for text in scripts.values() for name in re.findall(r'"(\w+)"', text[text.index("    run(") :])]
    assert sorted(run) == sorted([*SOURCES, "photos", "shards"])
    for name, text in scripts.items():
        assert f"python data_scripts/{name}.py " in text


def test_nothing_is_fetched_by_reading_the_table(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("the network was asked")

    monkeypatch.setattr("socket.socket.connect", refuse)
    runpy.run_path(str(Path(sources.__file__)))
    runpy.run_path(str(ROOT / "docs" / "data.py"))["page"]()


def test_a_data_set_that_can_be_fetched_is_prepared_by_its_name_alone(monkeypatch, tmp_path):
    """The reader is a stand-in that keeps what it was given."""
    monkeypatch.setenv("ITM_CACHE", str(tmp_path))
    read, fetched = [], []
    layout = Layout(
        ("coco",), "anything", lambda folder: True, lambda folder, name: Listing(name, folder, {"train": []})
    )
    module = SimpleNamespace(LAYOUTS=(layout,))
    monkeypatch.setattr(readers, "_module", lambda name: module)
    monkeypatch.setattr(sources, "fetch", lambda name: fetched.append(name) or tmp_path)
    monkeypatch.setattr(listing, "prepare_listing", lambda found: read.append(found.photographs))
    readers.prepare("coco")
    assert (fetched, read) == (["coco"], [tmp_path])
    listing.prepared_folder("coco").mkdir(parents=True)
    readers.prepare("coco")  # prepared already, perhaps from a folder: nothing is fetched
    assert (fetched, read) == (["coco"], [tmp_path])
