"""Every published layout is read, told from the others, and found where people put it; broken copies are named."""

import os
import random
import shutil
import unicodedata
import warnings
from pathlib import Path

import pytest

import itm_tutorial as itm
from itm_tutorial.data import readers
from itm_tutorial.data.readers import finding, listing
from itm_tutorial.data.readers.entries import MADE_HERE
from itm_tutorial.data.readers.sources import SOURCES
from itm_tutorial.errors import ItmError

pytestmark = [pytest.mark.usefixtures("own_cache"), pytest.mark.filterwarnings("ignore:.*was prepared without")]
MADE_UP = {"flickr8k_kaggle", "flickr30k_token", "flickr30k_kaggle", "coco_2014", "coco_2017", "coco_val"}
MADE_UP |= {"cuhk_pedes_all", "icfg_pedes"}  # layouts that have no splits, or not all


def load(name, folder):
    readers.prepare(name, folder)
    return itm.load_corpus(name)


def check_rows(name, folder):
    """As ``check_pairs``, on what a reader lists: nothing is decoded or kept."""
    listed = readers.read(name, folder)
    for row in listed.rows():
        file = listed.photographs / row["image"]
        assert file.stat().st_size == row["bytes"]
        assert all(unicodedata.normalize("NFC", file.stem) in text for text in row["captions"])
    return len(listed.rows())


def photographs_in(folder):
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() == ".jpg" and not file.name.startswith("."))


def texts_in(folder):
    return sorted(file for file in folder.rglob("*") if file.suffix in (".txt", ".json", ".csv", ".token"))


def check_pairs(corpus):
    """The captions name their photograph, and the person or class in it."""
    n = 0
    for split in corpus.splits.values():
        for text, image in zip(split.captions, split.image_of.tolist(), strict=True):
            assert unicodedata.normalize("NFC", split.images.files[image].stem) in text
        who = [split.captions_of(image)[0].split()[-2] for image in range(len(split.images))]
        if split.identity is not None:
            same = split.identity[:, None] == split.identity[None, :]
            assert same.tolist() == [[a == b for b in who] for a in who]
        else:
            assert set(who) == {"nobody"}
        n += len(split.images)
    return n


def test_a_path_of_thousands_of_letters_is_cut_in_the_message(tmp_path, layouts):
    folder = tmp_path / "set"
    name = layouts.make("rstpreid", folder)
    file = folder / "data_captions.json"
    file.write_text(file.read_text().replace(".jpg", "x" * 9000 + ".jpg", 1))
    with pytest.raises(ItmError, match="is not a file name") as error:
        readers.read(name, folder)
    assert len(str(error.value)) < 600


def test_each_layout_is_read_and_its_pairs_are_right(tmp_path, layouts, layout):
    name = layouts.make(layout, tmp_path / "copy")
    corpus = load(name, tmp_path / "copy")
    assert corpus.name == name and not corpus.drawn
    assert check_pairs(corpus) == layouts.N_PHOTOGRAPHS
    assert list(corpus.splits) == ["train", "val", "test"]
    assert len(corpus.train.images) >= len(corpus.test.images) >= 1
    assert (MADE_HERE in corpus.about) == (layout in MADE_UP)
    assert tuple(corpus.train.images[0].shape) == (3, 18, 24)
    assert (corpus.train.identity is not None) == (name in ("cuhk_pedes", "icfg_pedes", "rstpreid", "cub", "oxford102"))


def test_each_layout_is_told_from_all_others(tmp_path, layouts, layout):
    name = layouts.make(layout, tmp_path / "copy")
    assert readers.recognised(tmp_path / "copy") == [name]
    for other in set(layouts.ALL.values()) - {name}:
        with pytest.raises(ItmError, match=f"holds {name}, not {other}: run `itm prepare {name} --from .*copy`"):
            readers.prepare(other, tmp_path / "copy")


def test_a_folder_one_level_too_high_is_found(tmp_path, layouts, layout):
    name = layouts.make(layout, tmp_path / "data/copy")
    (tmp_path / "data/.hidden").mkdir()
    assert readers.recognised(tmp_path / "data") == [name]
    assert check_rows(name, tmp_path / "data") == layouts.N_PHOTOGRAPHS


def test_a_folder_one_level_too_low_is_found(tmp_path, layouts, layout):
    name = layouts.make(layout, tmp_path / "copy")
    below = {file.relative_to(tmp_path / "copy").parts[0] for file in photographs_in(tmp_path / "copy")}
    for folder in sorted(below):
        assert check_rows(name, tmp_path / "copy" / folder) == layouts.N_PHOTOGRAPHS


def test_two_copies_in_one_folder_are_both_named(tmp_path, layouts, layout):
    name = layouts.make(layout, tmp_path / "data/one")
    layouts.make(layout, tmp_path / "data/two")
    with pytest.raises(ItmError, match="both .*one and .*two hold this data set: give one of them"):
        readers.prepare(name, tmp_path / "data")


def test_a_relative_folder_is_found(tmp_path, layouts, monkeypatch):
    layouts.make("rstpreid", tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy/imgs")
    assert check_rows("rstpreid", Path()) == layouts.N_PHOTOGRAPHS


def test_a_missing_photograph_is_named(tmp_path, layouts, layout):
    name = layouts.make(layout, tmp_path / "copy")
    gone = photographs_in(tmp_path / "copy")[0]
    gone.unlink()
    with pytest.raises(ItmError, match=f"{gone.name} is missing.*(get|remove)"):
        readers.prepare(name, tmp_path / "copy")
    assert not listing.prepared_folder(name).exists()


def test_how_many_photographs_are_missing_is_said(tmp_path, layouts):
    layouts.make("rstpreid", tmp_path / "copy")
    for file in photographs_in(tmp_path / "copy")[1:4]:
        file.unlink()
    with pytest.raises(ItmError, match="0001_c14_0001.jpg is missing .* record 1 lists it, and so are 2 others"):
        readers.prepare("rstpreid", tmp_path / "copy")


def test_without_any_photograph_the_folder_for_them_is_named(tmp_path, layouts, layout):
    name = layouts.make(layout, tmp_path / "copy")
    for file in photographs_in(tmp_path / "copy"):
        file.unlink()
    with pytest.raises(ItmError, match="holds none of the photographs"):
        readers.prepare(name, tmp_path / "copy")


def test_a_damaged_photograph_is_named_and_nothing_is_kept(tmp_path, layouts, layout):
    name = layouts.make(layout, tmp_path / "copy")
    broken = photographs_in(tmp_path / "copy")[3]
    broken.write_bytes(broken.read_bytes()[:300])
    with pytest.raises(ItmError, match=f"{broken.name} is cut short"):
        readers.prepare(name, tmp_path / "copy")
    assert not listing.prepared_folder(name).exists()


def test_what_systems_leave_behind_is_no_photograph(tmp_path, layouts, layout):
    name = layouts.make(layout, tmp_path / "copy")
    for file in photographs_in(tmp_path / "copy"):
        file.with_name(f"._{file.name}").write_bytes(b"\0\5\26\7")
    for folder in {file.parent for file in photographs_in(tmp_path / "copy")}:
        (folder / ".DS_Store").write_bytes(b"\0")
        (folder / "Thumbs.db").write_bytes(b"\0")
        (folder / "loop").symlink_to("loop")
        (folder / "above").symlink_to("..")
        (folder / "broken.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "copy/__MACOSX").mkdir()
    assert check_rows(name, tmp_path / "copy") == layouts.N_PHOTOGRAPHS


def test_a_photograph_that_is_a_link_to_itself_is_missing(tmp_path, layouts, layout):
    name = layouts.make(layout, tmp_path / "copy")
    loop = photographs_in(tmp_path / "copy")[0]
    loop.unlink()
    loop.symlink_to(loop.name)
    with pytest.raises(ItmError, match=f"{loop.name} is missing"):
        readers.prepare(name, tmp_path / "copy")


def test_capital_letters_of_endings_do_not_count(tmp_path, layouts, layout):
    name = layouts.make(layout, tmp_path / "copy")
    for file in photographs_in(tmp_path / "copy"):
        file.rename(file.with_suffix(".JPG"))
    assert check_rows(name, tmp_path / "copy") == layouts.N_PHOTOGRAPHS


@pytest.mark.parametrize("form", ["NFD", "NFC"])
def test_accents_are_found_in_any_unicode_form(tmp_path, layouts, layout, form):
    """macOS unpacks file names in the decomposed form; captions and lists keep the other one, or the reverse."""
    if layout in ("cub", "oxford102"):
        pytest.skip("names of photographs and descriptions are both file names")
    other = "NFC" if form == "NFD" else "NFD"
    name = layouts.make(layout, tmp_path / "copy")
    for file in photographs_in(tmp_path / "copy"):
        file.rename(file.with_name(unicodedata.normalize(form, f"{file.stem}é.jpg")))
    for file in texts_in(tmp_path / "copy"):
        text = file.read_text(encoding="utf-8").replace(".jpg", unicodedata.normalize(other, "é.jpg"))
        file.write_text(text, encoding="utf-8")
    rows = readers.read(name, tmp_path / "copy").rows()
    assert len(rows) == layouts.N_PHOTOGRAPHS and all(Path(row["image"]).stem[-1] in "é\u0301" for row in rows)


def test_photographs_are_found_in_any_subfolder(tmp_path, layouts, layout):
    if layout == "flickr8k_published":
        pytest.skip("the folder of photographs is part of the layout")
    name = layouts.make(layout, tmp_path / "copy")
    for file in photographs_in(tmp_path / "copy"):
        new = tmp_path / "copy/some/where" / file.relative_to(tmp_path / "copy")
        new.parent.mkdir(parents=True, exist_ok=True)
        file.rename(new)
    assert check_rows(name, tmp_path / "copy") == layouts.N_PHOTOGRAPHS


def test_photographs_in_one_folder_without_their_subfolders_are_found(tmp_path, layouts):
    layouts.make("cub", tmp_path / "copy")
    for file in photographs_in(tmp_path / "copy"):
        file.rename(tmp_path / "copy/CUB_200_2011/images" / file.name)
    assert check_rows("cub", tmp_path / "copy") == layouts.N_PHOTOGRAPHS


def test_a_linked_folder_of_photographs_is_followed(tmp_path, layouts):
    layouts.make("rstpreid", tmp_path / "copy")
    shutil.move(tmp_path / "copy/imgs", tmp_path / "elsewhere")
    (tmp_path / "copy/imgs").symlink_to(tmp_path / "elsewhere")
    assert check_rows("rstpreid", tmp_path / "copy") == layouts.N_PHOTOGRAPHS


def test_a_photograph_in_two_subfolders_is_not_guessed(tmp_path, layouts):
    layouts.make("rstpreid", tmp_path / "copy")
    shutil.copytree(tmp_path / "copy/imgs", tmp_path / "copy/one")
    assert check_rows("rstpreid", tmp_path / "copy") == layouts.N_PHOTOGRAPHS  # imgs/ is the published place
    (tmp_path / "copy/imgs").rename(tmp_path / "copy/two")
    with pytest.raises(ItmError, match="0001_c14_0000.jpg is both one/.* and two/.*: keep one of them"):
        readers.prepare("rstpreid", tmp_path / "copy")


def test_nothing_outside_the_folder_is_read(tmp_path, layouts):
    layouts.make("rstpreid", tmp_path / "copy")
    layouts.photograph(tmp_path / "secret.jpg")
    for path in ("../secret.jpg", str(tmp_path / "secret.jpg"), "imgs/../../secret.jpg"):
        records = layouts.persons("{number:04d}_c14_{view:04d}.jpg", "img_path")
        records[0]["img_path"] = path
        layouts.write_json(tmp_path / "copy/data_captions.json", records)
        with pytest.raises(ItmError, match=r"secret.jpg is missing below .*copy, though .* record 0 lists it"):
            readers.prepare("rstpreid", tmp_path / "copy")


def damaged(data: bytes, chance: random.Random) -> bytes:
    """A file with a part cut off, doubled, replaced or flipped."""
    at, n = chance.randrange(len(data)), chance.randint(1, 40)
    other = chance.choice(
        [b"", b"null", b"[[[[", b'"', b"\xff\xfe", b"\0", b"9" * 5000, b"\\ud800", b"../", b"\r", b"{}"]
    )
    return chance.choice([data[:at], data[:at] + other + data[at + n :], data[:at] + data[at : at + n] + data[at:]])


def test_damaged_captions_and_lists_end_in_a_sentence(tmp_path, layouts, layout):
    name = layouts.make(layout, tmp_path / "copy")
    texts = texts_in(tmp_path / "copy")
    chance = random.Random(layout)
    ended = set()
    for _ in range(60):
        file = chance.choice(texts)
        before = file.read_bytes()
        file.write_bytes(damaged(before, chance))
        try:
            readers.read(name, tmp_path / "copy")
            ended.add("read")
        except ItmError as error:
            assert len(str(error)) > 20
            ended.add("refused")
        file.write_bytes(before)
    assert "refused" in ended
    readers.read(name, tmp_path / "copy")


def test_prepared_again_nothing_changes_and_moved_photographs_are_asked_for(tmp_path, layouts, layout, capsys):
    name = layouts.make(layout, tmp_path / "copy")
    before = load(name, tmp_path / "copy").train.fingerprint
    written = (listing.prepared_folder(name) / "source.json").stat().st_mtime_ns
    assert load(name, tmp_path / "copy").train.fingerprint == before and capsys.readouterr().out == ""
    assert (listing.prepared_folder(name) / "source.json").stat().st_mtime_ns == written
    if layout == "flickr8k_published":
        return  # its photographs are copied
    (tmp_path / "copy").rename(tmp_path / "moved")
    with pytest.raises(ItmError, match=f"copy is gone, and {name} was prepared from it: put it back, or run"):
        itm.load_corpus(name)


def test_without_a_folder_it_says_where_to_get_the_data(layouts):
    without_archives = [name for name in set(layouts.ALL.values()) if not SOURCES[name].archives]
    assert len(without_archives) >= 3
    for name in without_archives:
        with pytest.raises(ItmError, match=f"{name} cannot be downloaded .*run `itm prepare {name} --from DIR`"):
            readers.prepare(name)


def test_what_is_not_prepared_says_how(layouts):
    for name in set(layouts.ALL.values()) - {"flickr8k"}:
        with pytest.raises(ItmError, match=f"{name} is not prepared: run `itm prepare {name} --from DIR`"):
            itm.load_corpus(name)
        with pytest.raises(ItmError, match=f"{name} takes no option 'colour'"):
            itm.load_corpus(name, colour=1)


def test_a_file_in_place_of_the_folder_is_named(tmp_path, layouts):
    layouts.make("rstpreid", tmp_path / "copy")
    with pytest.raises(ItmError, match="captions.json: this is a file; give the folder that holds it, --from .*copy"):
        readers.prepare("rstpreid", tmp_path / "copy/data_captions.json")


def test_an_empty_folder_says_what_it_must_have(tmp_path, layouts):
    (tmp_path / "empty").mkdir()
    for name in set(layouts.ALL.values()):
        with pytest.raises(ItmError, match=r"(does not hold|has no text_c10|is missing: give the folder)"):
            readers.prepare(name, tmp_path / "empty")


def test_files_below_follows_links_once_and_in_order(tmp_path):
    for path in ("b/1.jpg", "a/2.jpg", "3.jpg", "a/deep/4.jpg"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / "b/up").symlink_to("..")
    assert list(finding.files_below(tmp_path)) == ["3.jpg", "a/2.jpg", "a/deep/4.jpg", "b/1.jpg"]
    assert list(finding.files_below(tmp_path, depth=1)) == ["3.jpg", "a/2.jpg", "b/1.jpg"]
    assert list(finding.files_below(tmp_path / "absent")) == []


@pytest.mark.skipif(os.geteuid() == 0 if hasattr(os, "geteuid") else True, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_passed_over(tmp_path, layouts):
    layouts.make("rstpreid", tmp_path / "data/copy")
    (tmp_path / "data/locked").mkdir(mode=0)
    assert check_rows("rstpreid", tmp_path / "data") == layouts.N_PHOTOGRAPHS


def test_no_warning_where_all_splits_are_there(tmp_path, layouts, layout):
    name = layouts.make(layout, tmp_path / "copy")
    readers.prepare(name, tmp_path / "copy")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "complete" in itm.load_corpus(name).about
