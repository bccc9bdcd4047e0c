"""The map of a family of methods: every text is drawn, new parts are told, and gaps are refused."""

import pytest

from itm_tutorial import show
from itm_tutorial.errors import ItmError

METHODS = {
    "first": {"pieces of text": "words", "score": "sum of maxima over regions, without a threshold"},
    "second": {"pieces of text": "word pairs", "score": "thresholded sum"},
}


def test_every_text_is_drawn_and_new_parts_are_told():
    figure = show.family_map(METHODS, {("first", "score")})
    drawn = [text.get_text().replace("\n", " ") for text in figure.axes[0].texts]
    assert set(drawn) == {"pieces of text", "score", "first", "second"} | {
        t for m in METHODS.values() for t in m.values()
    }
    bold = [text.get_text().replace("\n", " ") for text in figure.axes[0].texts if text.get_fontweight() == "bold"]
    assert METHODS["first"]["score"] in bold and METHODS["second"]["score"] not in bold
    assert "first, new: score: sum of maxima over regions, without a threshold. second, nothing new here." in (
        show.alt_text(figure)
    )


@pytest.mark.parametrize(
    ("methods", "new", "message"),
    [
        ({}, (), "give one or more methods"),
        ({**METHODS, "third": {"score": "mean"}}, (), "with the same parts"),
        (METHODS, {("first", "scroe")}, r"\('first', 'scroe'\) is no method and part"),
    ],
)
def test_a_map_with_a_gap_is_refused(methods, new, message):
    with pytest.raises(ItmError, match=message):
        show.family_map(methods, new)
