"""The names of show: each has a test of its own kind of figure, and names of earlier versions say where they went."""

from importlib import import_module

import pytest

from itm_tutorial import show


def test_the_names_are_those_that_notebooks_and_commands_use():
    figures = {"attention", "attention_of", "captions_found", "history", "minimal_pair_accuracy", "pictures", "ranked"}
    figures |= {"attention_matrix", "family_map", "pointing_game", "training_curve"}
    assert set(show.__all__) == figures | {"alt_text", "answer", "attention_page", "explorer", "to_html"}
    assert all(callable(getattr(show, name)) for name in show.__all__)


def test_a_renamed_figure_answers_to_its_old_name():
    assert show.sibling_accuracy is show.minimal_pair_accuracy


@pytest.mark.parametrize("chapter", show.MOVED)
def test_a_moved_figure_says_where_it_is(chapter):
    figures = import_module(f"itm_tutorial.chapters.{chapter}.figures")
    for name in show.MOVED[chapter].split():
        assert callable(getattr(figures, name))
        with pytest.raises(AttributeError, match=rf"^itm\.show\.{name} is now in {figures.__name__}$"):
            getattr(show, name)


@pytest.mark.parametrize("old", [old for old in show.RENAMED if old != "sibling_accuracy"])
def test_a_figure_that_moved_under_a_new_name_says_both(old):
    where = rf"itm\.show\.{old} is now in itm_tutorial\.chapters\.\w+\.figures, as {show.RENAMED[old]}$"
    with pytest.raises(AttributeError, match=where):
        getattr(show, old)


def test_an_unknown_name_is_an_ordinary_attribute_error():
    with pytest.raises(AttributeError, match="module 'itm_tutorial.show' has no attribute 'pointing_gaem'"):
        _ = show.pointing_gaem
    assert not hasattr(show, "embeddings")
