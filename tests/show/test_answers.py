import pytest

import itm_tutorial as itm


def test_an_answer_is_folded_and_its_marks_are_tags():
    shown = itm.show.answer("The model wins by **3 points**.\n\nIts `score` is *higher*.")._repr_html_()
    assert shown == (
        "<details><summary>Answer</summary><p>The model wins by <strong>3 points</strong>.</p>"
        "<p>Its <code>score</code> is <em>higher</em>.</p></details>"
    )


def test_nothing_in_an_answer_is_markup_but_its_marks():
    shown = itm.show.answer('a caption: <script>alert("x")</script>')._repr_html_()
    assert "<script" not in shown and "&lt;script&gt;" in shown


def test_a_terminal_shows_the_text():
    assert repr(itm.show.answer(" It **falls**. ")) == "Answer: It **falls**."


@pytest.mark.parametrize("text", ["", "  \n", None, 3])
def test_an_empty_answer_is_refused(text):
    with pytest.raises(itm.ItmError, match="give answer"):
        itm.show.answer(text)
