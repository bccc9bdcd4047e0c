"""The timeline of systems: known parts, in the order of years, and the chapter that is marked."""

from itm_tutorial import show
from itm_tutorial.show.timeline import PARTS, STEPS


def test_alt_text_quotes_the_systems(drawing):
    quoted = ["8 systems", "VSE++, 2018: loss: only the hardest negative counts; R@1 39.6", "UVSE, 2014 (this"]
    drawing.check_alt_texts({"history": show.history()}, {"history": quoted})


def test_the_timeline_names_known_parts_once_each():
    assert [step.year for step in STEPS] == sorted(step.year for step in STEPS)
    assert all(set(step.changed) <= set(PARTS) and step.changed for step in STEPS)
    assert set(STEPS[0].changed) == set(PARTS)
    assert "TIMAM, 2019 (this chapter)" not in show.alt_text(show.history())


def test_texts_stay_inside_the_figure_and_off_each_other(drawing):
    drawing.check_texts({"history": show.history()})


def test_it_draws_on_what_it_is_given(drawing):
    drawing.check_targets([], [lambda a: show.history(axes=a)])
