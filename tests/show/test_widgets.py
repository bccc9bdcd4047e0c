"""The search box, without a browser."""

import re

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial import show
from itm_tutorial.data.corpus import Split
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.statements import statements
from itm_tutorial.show.widgets import marked


@pytest.fixture
def model(small_split, instant_features):
    corpus = itm.Corpus("own", {"train": small_split, "val": small_split, "test": small_split}, drawn=False)
    return itm.create_model("bow", corpus, backbone="mini", min_count=1)


@pytest.fixture
def explored(model, small_split):
    return show.explorer(model, small_split, ["a red van", "a big van on the beach", "a red van"], k=3)


def queries_of(view):
    return re.findall("for the query “(.*?)”", view.value)


def test_the_explorer_starts_with_its_first_query(explored):
    assert explored.text.value == "a red van" and explored.twin.value == "" and explored.models is None
    assert [button.description for button in explored.ready] == ["a red van", "a big van on the beach"]
    assert "3 pictures for the query “a red van”" in explored.view.value
    assert "No training caption" not in explored.view.value


def test_the_explorer_marks_every_picture_of_a_caption(explored):
    explored.text.value = "A red van!"  # a caption of images 0 and 3
    assert "right picture" in explored.view.value
    explored.text.value = "a red dog"
    assert "“a red dog”" in explored.view.value and "right picture" not in explored.view.value


def test_the_explorer_names_words_that_the_model_does_not_know(explored):
    explored.text.value = "a zebra <i> on a beech"
    named = (
        "has the words <b>zebra</b>, <b>i</b>, <b>beech</b> (did you mean <b>beach</b>?): the search leaves them out"
    )
    assert named in explored.view.value
    assert "query “a on a”" in explored.view.value and "<i>" not in explored.view.value
    explored.text.value = "zebras"
    assert "has the word <b>zebras</b>: the search leaves it out" in explored.view.value
    assert "No word is left" in explored.view.value and "<img" not in explored.view.value


@pytest.mark.parametrize("nothing", ["", "   ", "?!"])
def test_the_explorer_asks_for_words(explored, nothing):
    explored.text.value = nothing
    assert "Type what the picture should show" in explored.view.value


def test_a_button_asks_its_query(explored):
    explored.ready[1].click()
    assert explored.text.value == "a big van on the beach" and queries_of(explored.view) == ["a big van on the beach"]
    explored.ready[1].click()
    explored.ready[0].click()
    assert queries_of(explored.view) == ["a red van"]


def test_a_changed_query_stands_below_and_follows_the_first(explored):
    explored.text.value = "a red dog left of a big van"
    assert queries_of(explored.view) == ["a red dog a big van"] * 2  # "left" and "right" are no words of it
    assert "has the words <b>right</b>, <b>of</b>" in explored.view.value
    assert not explored.changes["relation"].disabled and explored.changes["count"].disabled
    explored.changes["object"].click()
    assert explored.twin.value == "a red cat left of a big van"
    explored.text.value = "a red dog"
    assert explored.twin.value == "a red cat"
    explored.text.value = "a picture"  # nothing to replace
    assert explored.twin.value == "" and queries_of(explored.view) == ["a picture"]


def test_a_second_query_that_was_typed_stays(explored):
    explored.twin.value = "a big van"
    explored.text.value = "a dog"
    assert explored.twin.value == "a big van" and queries_of(explored.view) == ["a dog", "a big van"]
    explored.twin.value = ""
    assert queries_of(explored.view) == ["a dog"]


def test_a_switch_between_models(model, small_split):
    corpus = itm.Corpus("own", {"train": small_split, "val": small_split, "test": small_split}, drawn=False)
    other = itm.create_model("vse", corpus, backbone="mini", min_count=1, seed=3)
    explored = show.explorer({"bow": model, "vse": other}, small_split, ["a red van"], k=3)
    assert explored.models.options == ("bow", "vse") and explored.children[0] is explored.models
    before = explored.view.value
    explored.models.value = "vse"
    assert explored.view.value != before and queries_of(explored.view) == ["a red van"]
    explored.models.value = "bow"
    assert explored.view.value == before


def test_a_page_without_a_kernel_shows_the_pictures(explored):
    data = explored._repr_mimebundle_()
    data = data[0] if isinstance(data, tuple) else data
    assert data["text/html"] == explored.view.value and "application/vnd.jupyter.widget-view+json" in data


def test_photographs_have_no_marks_and_drawn_scenes_do(explored, instant_features, tiny):
    assert "✓ dog" not in explored.view.value and "✓ van" not in explored.view.value
    model = itm.create_model("bow", tiny)
    query = tiny.test.captions[1]  # "In a room, a small white dog is standing to the right of a cat."
    drawn = show.explorer(model, tiny.test, [query], k=30)
    assert drawn.twin.value == "In a room, a small white dog is standing to the left of a cat."
    first, second = re.findall('<img alt="([^"]*)"', drawn.view.value)
    whole = "✓ dog ✓ small ✓ white, ✓ cat, ✓ cat left of dog, ✓ in a room"
    assert whole in first and "✓ dog ✓ small ✓ white, ✓ cat, ✗ dog left of cat, ✓ in a room" in second
    assert first.count("Under ") == 30


def test_marks_are_those_of_the_facts():
    stated = statements("Two red dogs to the left of a cat on the beach at night.")
    true = frozenset({("object", "dog"), ("count", "dog", 2), ("place", "beach")})
    assert marked(stated, true).splitlines() == [
        "✓ dog ✓ two ✗ red",
        "✗ cat",
        "✗ dog left of cat",
        "✓ on the beach",
        "✗ at night",
    ]
    assert marked([], true) == ""


@pytest.mark.parametrize(("models", "queries"), [({}, ["a dog"]), (None, [])])
def test_nothing_to_explore_is_refused(model, small_split, models, queries):
    with pytest.raises(ItmError, match="needs a model and a query"):
        show.explorer(model if models is None else models, small_split, queries)


def test_a_split_without_facts_is_searched_all_the_same(model):
    images = [torch.full((3, 32, 32), shade, dtype=torch.uint8) for shade in (0, 250)]
    split = Split("test", images, ["a red van", "a dog"], torch.tensor([0, 1]))
    assert queries_of(show.explorer(model, split, ["a dog"]).view) == ["a dog"]
