"""The search box, without a browser."""

import pytest

import itm_tutorial as itm
from itm_tutorial import show


@pytest.fixture
def explored(small_split, instant_features):
    corpus = itm.Corpus("own", {"train": small_split, "val": small_split, "test": small_split}, drawn=False)
    model = itm.create_model("bow", corpus, backbone="mini", min_count=1)
    box = show.explorer(model, small_split, ["a red van", "a dog", "a dog"], k=3)
    return box.children


def test_the_explorer_starts_with_its_first_query(explored):
    text, view = explored
    assert text.value == "a red van" and text.options == ("a red van", "a dog")
    assert "3 pictures for the query “a red van”" in view.value and "No training caption" not in view.value


def test_the_explorer_marks_every_picture_of_a_caption(explored):
    text, view = explored
    text.value = "A red van!"  # a caption of images 0 and 3
    assert "right picture" in view.value
    text.value = "a red dog"
    assert "“a red dog”" in view.value and "right picture" not in view.value


def test_the_explorer_names_words_that_the_model_does_not_know(explored):
    text, view = explored
    text.value = "a zebra <i> on a beech"
    assert "has the words <b>zebra</b>, <b>i</b>, <b>beech</b> (did you mean <b>beach</b>?)" in view.value
    assert "query “a on a”" in view.value and "<i>" not in view.value
    text.value = "zebras"
    assert "has the word <b>zebras</b>:" in view.value and "No word is left" in view.value and "<img" not in view.value


@pytest.mark.parametrize("nothing", ["", "   ", "?!"])
def test_the_explorer_asks_for_words(explored, nothing):
    text, view = explored
    text.value = nothing
    assert "Type what the picture should show" in view.value
