"""The Flickr8k reader on tiny JPEGs in the published layout: known oddities are accepted, and faults are named."""

import json
import multiprocessing
import runpy
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

import itm_tutorial as itm
from itm_tutorial.data import readers
from itm_tutorial.data.readers import flickr8k, listing
from itm_tutorial.data.readers.photographs import decode
from itm_tutorial.errors import ItmError

ORPHAN = "2258277193_586949ec62.jpg.1"  # its captions are published, but not the photograph
pytestmark = pytest.mark.filterwarnings("ignore:flickr8k was prepared without")


def prepare(source=None):
    return flickr8k.prepare(source=source)


def prepared_folder():
    return listing.prepared_folder("flickr8k")


def read_prepared(folder):
    return listing.read_prepared("flickr8k", folder)


NAMES = {"train": ["a.jpg", "b.jpg"], "dev": ["c.jpg"], "test": ["d.jpg"]}


@pytest.fixture
def published(tmp_path, monkeypatch):
    monkeypatch.setenv("ITM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ITM_PROGRESS", "0")
    folder = tmp_path / "published"
    (folder / "Flicker8k_Dataset").mkdir(parents=True)
    (folder / "Flickr8k_text").mkdir()
    for split, names in NAMES.items():
        (folder / f"Flickr8k_text/Flickr_8k.{split}Images.txt").write_bytes("\r\n".join(names).encode())  # Windows
        for name in names:
            if split != "test":
                Image.new("RGB", (20, 30), "red").save(folder / "Flicker8k_Dataset" / name)
    lines = [f"{n}.jpg#{i}\tA {word} ." for n in "abcde" for i, word in enumerate(["dog", "red car"])]
    lines.append(f"{ORPHAN}#0\tA wart .")
    (folder / "Flickr8k_text/Flickr8k.token.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_the_published_layout_is_read_and_absent_test_photographs_are_reported(published):
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


def test_captions_of_images_in_no_list_are_counted(published):
    Image.new("RGB", (20, 30)).save(published / "Flicker8k_Dataset/e.jpg")
    with pytest.warns(UserWarning):
        about = read_prepared(prepare(published)).about
    assert about == (
        "without its test photographs; 2 captioned images (3 captions) in no list, 1 of them without a photograph"
    )


def test_a_complete_set_without_unlisted_images_is_complete(published):
    Image.new("RGB", (20, 30)).save(published / "Flicker8k_Dataset/d.jpg")
    file = published / "Flickr8k_text/Flickr8k.token.txt"
    file.write_text("\n".join(line for line in file.read_text().split("\n") if line[:1] in "abcd"))
    corpus = read_prepared(prepare(published))
    assert (corpus.about, list(corpus.splits)) == ("complete", ["train", "val", "test"])


def damage_text(old, new, name="Flickr8k.token.txt"):
    def damage(folder):
        file = folder / "Flickr8k_text" / name
        file.write_bytes(file.read_bytes().replace(old, new, 1))

    return damage


def truncate(folder):
    file = folder / "Flicker8k_Dataset/b.jpg"
    file.write_bytes(file.read_bytes()[:-200])


def make_folder(folder):
    (folder / "Flicker8k_Dataset/b.jpg").unlink()
    (folder / "Flicker8k_Dataset/b.jpg").mkdir()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_text(b"b.jpg#0\t", b"b.jpg#0 "), "line 3: no tab"),
        (damage_text(b"\tA dog .", b"\t ."), "line 1: the caption of a.jpg is empty"),
        (damage_text(b"a.jpg#0", b"a.jpg"), "line 1: 'a.jpg' has no #number"),
        (damage_text(b"a.jpg#0", b"#0"), "line 1: '#0' has no #number after the image name"),
        (damage_text(b"A dog", b"A d\xff"), "line 1: not UTF-8"),
        (damage_text(b"c.jpg#0\tA dog .\nc.jpg#1\tA red car .\n", b""), "c.jpg has no caption"),
        (lambda folder: (folder / "Flicker8k_Dataset/b.jpg").unlink(), "b.jpg is missing"),
        (lambda folder: (folder / "Flickr8k_text/Flickr8k.token.txt").unlink(), "token.txt is missing"),
        (lambda folder: shutil.rmtree(folder / "Flicker8k_Dataset"), "holds none of the photographs that Flickr_8k.tr"),
        (damage_text(b"a.jpg#1", b"a.jpg#0"), "line 2: a.jpg#0 is in line 1 already"),
        (damage_text(b"c.jpg", b"b.jpg", "Flickr_8k.devImages.txt"), "b.jpg is listed in both .*train.* and .*dev"),
        (damage_text(b"d.jpg", b"c.jpg", "Flickr_8k.testImages.txt"), "c.jpg is listed in both .*dev.* and .*test"),
        (damage_text(b"b.jpg", b"a.jpg", "Flickr_8k.trainImages.txt"), "line 2: a.jpg is in line 1 already"),
        (damage_text(b"c.jpg", b"../c.jpg", "Flickr_8k.devImages.txt"), "line 1: '../c.jpg' is not a file name"),
        (damage_text(b"c.jpg", b"x" * 9000, "Flickr_8k.devImages.txt"), "line 1: 'x{90,110} is not a file name"),
        (damage_text(b"d.jpg", b"", "Flickr_8k.testImages.txt"), "lists no image"),
        (truncate, "b.jpg is cut short"),
        (lambda folder: (folder / "Flicker8k_Dataset/b.jpg").write_bytes(b""), "b.jpg is empty"),
        (make_folder, "b.jpg is a folder"),
    ],
)
def test_faults_are_named_and_leave_nothing_behind(published, damage, message):
    damage(published)
    with pytest.raises(ItmError, match=message):
        prepare(published)
    assert not prepared_folder().exists()
    assert not list(prepared_folder().parent.glob("*part*"))


def test_a_file_in_place_of_the_folder_is_reported(published):
    with pytest.raises(ItmError, match="is missing: give the folder"):
        prepare(published / "Flickr8k_text/Flickr8k.token.txt")


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGBA", "P", "1"])
def test_every_kind_of_photograph_comes_out_as_rgb(tmp_path, mode):
    white = Image.new("RGB", (20, 30), "white").convert(mode)
    file = tmp_path / ("a.jpg" if mode in ("L", "CMYK") else "a.png")
    white.save(file)
    decoded = decode(file)
    assert (decoded.dtype, tuple(decoded.shape)) == (torch.uint8, (3, 30, 20))
    assert decoded.min() == 255


def test_photographs_are_turned_as_their_exif_data_say(tmp_path):
    image, noted = Image.new("L", (20, 30)), Image.Exif()
    image.paste(255, (0, 0, 20, 8))  # a white stripe at the top of the sensor
    noted[0x0112] = 6  # EXIF orientation 6: the top is on the right
    image.save(tmp_path / "a.jpg", exif=noted)
    decoded = decode(tmp_path / "a.jpg")
    assert tuple(decoded.shape) == (3, 20, 30)
    assert decoded[:, :, -1].min() > 200 and decoded[:, :, 0].max() < 50


@pytest.mark.parametrize("error", [Image.DecompressionBombError("so large"), ValueError("so odd")])
def test_what_pillow_refuses_is_reported(tmp_path, monkeypatch, error):
    def refuse(*_, **__):
        raise error

    Image.new("RGB", (20, 30)).save(tmp_path / "a.jpg")
    monkeypatch.setattr(Image.Image, "convert", refuse)
    with pytest.raises(ItmError, match="a.jpg is cut short or not an image .so"):
        decode(tmp_path / "a.jpg")


def count_decodings(monkeypatch, log):
    def count(file):
        with log.open("a") as out:
            out.write(f"{file.name}\n")
        return decode(file)

    monkeypatch.setattr(listing, "decode", count)
    return lambda: len(log.read_text().split()) if log.exists() else 0


def test_the_same_source_again_is_not_converted_again(published, tmp_path, monkeypatch, capsys):
    prepare(published)
    decoded = count_decodings(monkeypatch, tmp_path / "log.txt")
    prepare(published)
    prepare()  # nor downloaded again
    assert (decoded(), capsys.readouterr().out) == (0, "")


def test_another_source_replaces_the_old_one_and_says_so(published, capsys):
    prepare(published)
    before = read_prepared(prepared_folder()).train
    Image.new("RGB", (40, 30), "blue").save(published / "Flicker8k_Dataset/a.jpg")
    prepare(published)
    assert "prepared from other files" in capsys.readouterr().out
    after = read_prepared(prepared_folder()).train
    assert tuple(after.images[0].shape) == (3, 30, 40)
    assert after.fingerprint != before.fingerprint  # so that cached features of the old photographs are not used
    assert {file.name for file in prepared_folder().parent.iterdir() if file.suffix != ".lock"} == {"flickr8k"}


def test_the_old_one_stays_where_the_new_one_is_at_fault(published):
    prepare(published)
    truncate(published)
    with pytest.raises(ItmError, match="b.jpg is cut short"):
        prepare(published)
    assert len(read_prepared(prepared_folder()).train.images[1]) == 3


def test_a_photograph_lost_from_the_cache_comes_back_by_preparing_again(published):
    prepare(published)
    (prepared_folder() / "images/a.jpg").unlink()
    with pytest.raises(ItmError, match="a.jpg is missing: prepare the corpus again"):
        _ = read_prepared(prepared_folder()).train.images[0]
    prepare(published)
    assert len(read_prepared(prepared_folder()).train.images[0]) == 3


def test_a_swap_that_was_killed_half_way_is_repaired(published):
    prepare(published)
    prepared_folder().rename(prepared_folder().with_name("flickr8k.old"))
    prepare(published)
    assert json.loads((prepared_folder() / "source.json").read_text())["note"].startswith("2 captioned")
    assert not prepared_folder().with_name("flickr8k.old").exists()


def test_a_corpus_of_an_earlier_version_says_how_to_go_on(published):
    prepare(published)
    (prepared_folder() / "source.json").unlink()
    with pytest.raises(ItmError, match="itm prepare flickr8k --from DIR"):
        read_prepared(prepared_folder())


def test_an_interrupted_preparation_leaves_nothing(published, monkeypatch):
    def interrupt(file):
        if file.name == "b.jpg":
            raise KeyboardInterrupt

    monkeypatch.setattr(listing, "decode", interrupt)
    with pytest.raises(KeyboardInterrupt):
        prepare(published)
    assert [file for file in prepared_folder().parent.iterdir() if file.suffix != ".lock"] == []


def test_two_processes_convert_once(published, tmp_path, monkeypatch):
    decoded = count_decodings(monkeypatch, tmp_path / "log.txt")
    context = multiprocessing.get_context("fork")
    both = [context.Process(target=prepare, args=(published,)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert decoded() == 3


def test_the_script_prepares_and_reports_a_fault_in_one_line(published, monkeypatch, capsys):
    script = str(Path(__file__).parents[3] / "data_scripts/flickr8k.py")
    monkeypatch.setattr("sys.argv", [script, "--from", str(published)])
    runpy.run_path(script, run_name="__main__")
    assert "flickr8k: without its test photographs; 2 captioned images" in capsys.readouterr().out
    truncate(published)
    with pytest.raises(SystemExit, match="^flickr8k: .*b.jpg is cut short"):
        runpy.run_path(script, run_name="__main__")


def test_the_command_refuses_a_folder_for_a_drawn_world(published):
    from typer.testing import CliRunner

    from itm_tutorial.cli import app_of_commands

    result = CliRunner().invoke(app_of_commands, ["prepare", "scenes", "--from", str(published)])
    assert isinstance(result.exception, ItmError) and "--from is for flickr8k" in str(result.exception)


def test_captions_printed_as_bytes_are_read_and_counted(published):
    damage_text(b"A dog .", b"b'A dog .'")(published)
    assert "1 caption written as b'...' read as plain text" in read_prepared(prepare(published)).about
    assert read_prepared(prepared_folder()).train.captions[0] == "A dog ."


def test_a_link_to_itself_among_the_photographs_is_passed_over(published):
    (published / "Flicker8k_Dataset/loop.jpg").symlink_to("loop.jpg")
    assert len(read_prepared(prepare(published)).train.images) == 2


def test_capital_letters_of_endings_do_not_count(published):
    for name in "ab":
        (published / f"Flicker8k_Dataset/{name}.jpg").rename(published / f"Flicker8k_Dataset/{name}.JPG")
    assert [file.name for file in read_prepared(prepare(published)).train.images.files] == ["a.JPG", "b.JPG"]


BARS = ("image_name| comment_number| comment", "| 0| ")


@pytest.mark.parametrize(("heading", "between"), [("image,caption", ","), BARS])
def test_tables_of_kaggle_in_the_published_folders_are_read(published, heading, between):
    file = published / "Flickr8k_text/Flickr8k.token.txt"
    lines = [line.replace("\t", between).replace("#0", "").replace("#1", "") for line in file.read_text().splitlines()]
    file.write_text("\n".join([heading, *lines]) + "\n")
    assert read_prepared(prepare(published)).train.captions == ["A dog .", "A red car .", "A dog .", "A red car ."]


@pytest.mark.parametrize("place", ["Images", "Flickr8k_Dataset/Flicker8k_Dataset", "Flickr8k_Dataset"])
def test_texts_unpacked_without_a_folder_and_photographs_elsewhere(published, place):
    for file in (published / "Flickr8k_text").iterdir():
        file.rename(published / file.name)
    (published / "Flickr8k_text").rmdir()
    (published / "Flicker8k_Dataset").rename(published / "moved")
    (published / place).parent.mkdir(exist_ok=True)
    (published / "moved").rename(published / place)
    readers.prepare("flickr8k", published)
    assert len(read_prepared(prepared_folder()).train.images) == 2


@pytest.mark.parametrize("place", ["", "lists", "Flickr8k_text"])
def test_kaggles_copy_with_the_published_lists_beside_it(tmp_path, layouts, own_cache, place):
    layouts.make("flickr8k_kaggle", tmp_path / "copy")
    for split, images in layouts.FLICKR8K.items():
        layouts.write_lines(tmp_path / "copy" / place / f"Flickr_8k.{split}Images.txt", images[:-1])
    listed = readers.read("flickr8k", tmp_path / "copy")
    found = {split: [row["image"].removeprefix("Images/") for row in rows] for split, rows in listed.splits.items()}
    assert found == {split.replace("dev", "val"): images[:-1] for split, images in layouts.FLICKR8K.items()}
    assert listed.note == "3 captioned images (9 captions) in no list"
    (tmp_path / "copy" / place / "Flickr_8k.devImages.txt").unlink()
    with pytest.raises(ItmError, match="Flickr_8k.devImages.txt is missing"):
        readers.read("flickr8k", tmp_path / "copy")


def test_karpathys_json_with_the_folder_of_texts_beside_it(tmp_path, layouts, own_cache):
    layouts.make("flickr8k_karpathy", tmp_path)
    (tmp_path / "Flickr8k_text").mkdir()
    assert len(readers.read("flickr8k", tmp_path).rows()) == layouts.N_PHOTOGRAPHS


def test_a_folder_of_texts_without_captions_is_a_broken_copy(published, own_cache):
    (published / "Flickr8k_text/Flickr8k.token.txt").unlink()
    with pytest.raises(ItmError, match="Flickr8k.token.txt is missing: give the folder that holds"):
        readers.prepare("flickr8k", published)


def test_kaggles_copy_without_lists_is_divided_by_a_rule(tmp_path, layouts, own_cache):
    layouts.make("flickr8k_kaggle", tmp_path / "copy")
    listed = readers.read("flickr8k", tmp_path / "copy")
    assert listed.note.startswith(
        "splits made here by the hash of the file names (10 train, 1 val, 1 test), not the pub"
    )
    before = {row["image"]: split for split, rows in listed.splits.items() for row in rows}
    lines = (tmp_path / "copy/captions.txt").read_text().splitlines()
    layouts.write_lines(tmp_path / "copy/captions.txt", [lines[0], *reversed(lines[1:])])
    again = readers.read("flickr8k", tmp_path / "copy")
    assert {row["image"]: split for split, rows in again.splits.items() for row in rows} == before
