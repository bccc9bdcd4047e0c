"""Flickr30k: lists give the splits where there are some, a stated rule otherwise; the broken line is repaired."""

import pytest

from itm_tutorial.data import readers
from itm_tutorial.errors import ItmError

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture(params=["flickr30k_token", "flickr30k_kaggle"])
def copy(request, tmp_path, layouts):
    layouts.make(request.param, tmp_path)
    return tmp_path


def stems(rows):
    return [row["image"].rpartition("/")[2].removesuffix(".jpg") for row in rows]


@pytest.mark.parametrize("names", ["flickr30k_{}.txt", "{}.txt", "lists/{}.txt"])
@pytest.mark.parametrize("ending", [".jpg", ""])
def test_lists_give_the_splits(copy, layouts, names, ending):
    wanted = {}
    for split, images in layouts.FLICKR30K.items():
        wanted["val" if split == "dev" else split] = own = [image.removesuffix(".jpg") for image in images]
        layouts.write_lines(copy / names.format("val" if split == "dev" else split), [name + ending for name in own])
    listed = readers.read("flickr30k", copy)
    assert {split: stems(rows) for split, rows in listed.splits.items()} == wanted
    assert listed.note == ""


def test_karpathys_splits_go_first(copy, layouts):
    layouts.write_json(copy / "dataset_flickr30k.json", layouts.karpathy("flickr30k", layouts.FLICKR30K))
    listed = readers.read("flickr30k", copy)
    assert stems(listed.splits["test"]) == [name.removesuffix(".jpg") for name in layouts.FLICKR30K["test"]]
    assert listed.note == ""


def test_images_in_no_list_are_counted(copy, layouts):
    for split, images in layouts.FLICKR30K.items():
        layouts.write_lines(copy / f"{'val' if split == 'dev' else split}.txt", images[1:])
    assert readers.read("flickr30k", copy).note == "3 captioned images in no list"


def test_two_lists_with_one_image_and_a_missing_list_are_named(copy, layouts):
    layouts.write_lines(copy / "train.txt", ["2001", "2002"])
    layouts.write_lines(copy / "val.txt", ["2003"])
    with pytest.raises(ItmError, match="test.txt is missing beside train.txt"):
        readers.read("flickr30k", copy)
    layouts.write_lines(copy / "test.txt", ["2004", "2001.jpg"])
    with pytest.raises(ItmError, match="test.txt line 2: 2001.jpg is in the list of train too"):
        readers.read("flickr30k", copy)


def test_the_broken_line_is_repaired_and_said(tmp_path, layouts):
    layouts.make("flickr30k_kaggle", tmp_path)
    file = tmp_path / "results.csv"
    file.write_text(file.read_text().replace("2001.jpg| 2| ", "2001.jpg| 2   "))
    listed = readers.read("flickr30k", tmp_path)
    assert "line 4 (2001.jpg): the missing '|' after the number was put in" in listed.note
    assert {len(row["captions"]) for row in listed.rows()} == {3}


def test_captions_txt_of_images_with_numbers_for_names_is_flickr30k(tmp_path, layouts):
    layouts.make("flickr30k_kaggle", tmp_path)
    text = (tmp_path / "results.csv").read_text().replace("| ", ",")
    (tmp_path / "results.csv").unlink()
    (tmp_path / "captions.txt").write_text(text)
    assert readers.recognised(tmp_path) == ["flickr30k"]
    assert len(readers.read("flickr30k", tmp_path).rows()) == layouts.N_PHOTOGRAPHS


def test_the_archive_of_kaggle_keeps_everything_in_a_folder_of_the_same_name(tmp_path, layouts):
    layouts.make("flickr30k_kaggle", tmp_path / "flickr30k_images")
    assert readers.recognised(tmp_path) == ["flickr30k"]
    assert len(readers.read("flickr30k", tmp_path).rows()) == layouts.N_PHOTOGRAPHS
