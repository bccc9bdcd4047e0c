"""The folded answers of chapter 90 say what the tables say, whichever way they go."""

import pandas as pd
import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.chapters.ch90_literature import answers
from itm_tutorial.chapters.ch90_literature.record_figures import reported


def row(year, method, value, note="", sort="single model"):
    return {"year": year, "method": method, "value": value, "note": note, "sort": sort}


def test_the_record_names_its_largest_steps_and_counts_the_rows_below_it():
    rows = [row(2013, "A", 5.0), row(2014, "B", 20.0), row(2014, "C", 10.0), row(2015, "D", 22.0), row(2016, "E", 40.0)]
    text = answers.record(rows)
    assert "2016 (E, from 22 to 40) and 2014 (B, from 5 to 20)" in text and "after 2013, 1 are below" in text
    assert "Several things changed" not in text
    assert "hold no step" in answers.record(rows[:1])


def test_what_else_a_step_brought_is_said_where_it_is_a_step():
    text = answers.record(reported())
    assert "UVSE brought a recurrent network" in text and "With VGG it has 41.4, which is +1.1 points" in text
    later = answers.record(reported(years=(2014, 2016)))
    assert "UVSE brought" not in later and "DAN brought" not in later


def test_categories_are_counted():
    frame = itm.literature.papers()
    text = answers.categories(frame, ["02", "03"])
    assert (
        "*Posted in*, with 30 of 78 papers" in text and "no paper of 2011, 2012" in text and "chapters on 5 of" in text
    )
    other = answers.categories(frame[frame.section != "Posted in"], [])
    assert "*Generic-feature extraction*" in other and "never sorted" not in other


@pytest.fixture
def frame():
    columns = ("year", "method", "value", "ensemble", "doubtful")
    rows = [(2015, "A", 20.0, False, False), (2016, "B", 30.0, True, False), (2017, "C", 40.0, False, False)]
    return pd.DataFrame(rows, columns=columns)


def test_ensembles_and_doubts_are_named_where_they_raise_the_record(frame):
    assert answers.filtered_record(frame).startswith("They differ in 2016 (B, 30, an ensemble).")
    frame.loc[1, ["ensemble", "doubtful"]] = False, True
    assert "2016 (B, 30, doubtful)" in answers.filtered_record(frame)
    frame.loc[1, "value"] = 10.0
    assert "They never differ" in answers.filtered_record(frame)


def test_suspicious_and_undated_rows_are_counted():
    assert "1 of 100 and 3 of 200" in answers.suspicious_rows([(100, 1), (200, 3)])
    assert "0 of 31 in the edition of 2020, 84 of 146" in answers.rows_without_year("Flickr30K")
    later = answers.rows_without_year("RSTPReid")  # which the edition of 2020 does not have
    assert "for t2i R@1" in later and "2020" not in later and "in the edition of 2025" in later


def test_means_are_compared_with_pairs_as_the_numbers_go():
    assert "is larger than" in answers.careless_means(10.0, 8.0) and "later ones" in answers.careless_means(10.0, 8.0)
    assert "is smaller than" in answers.careless_means(5.0, 8.0) and "weaker ones" in answers.careless_means(5.0, 8.0)


def test_ingredients_quote_the_best_supported_pair(monkeypatch):
    text = answers.ingredients()
    assert "VGG → ResNet: 31 pairs of 10 methods, median +7.4 points, all above 0" in text
    assert "signs occur in: random → GloVe words; attention I2T → T2I" in text
    turned = itm.literature.pairs()
    turned = turned[turned.part.isin(["picture network", "loss"])].copy()
    turned["difference"] *= -1
    monkeypatch.setattr(answers, "pairs", lambda: turned)
    assert "31 of them below 0" in answers.ingredients() and "No row has differences of both" in answers.ingredients()


def test_descent_names_who_is_followed_and_the_shared_mistake():
    text = answers.descent()
    assert "VSE++ and SCAN have the most" in text and "Arrows 20, 21, 22 are a mistake" in text


def test_a_run_is_told_what_can_be_changed():
    both = answers.own_run({"split": "val", "drawn": True})
    assert "on the val split" in both and "cannot be changed" in both
    assert "Nothing keeps this run" in answers.own_run({"split": "test", "drawn": False})


def test_a_field_without_progress_is_described_by_its_numbers():
    years, values = torch.tensor([1, 1, 2, 2]), torch.tensor([50.0, 52.0, 47.0, 60.0])
    text = answers.no_progress(years, values, torch.tensor([52.0, 60.0]))
    assert "rises from 52 to 60 in 1 step," in text and "between 47 and 50" in text
    assert "*rises*: it is 4.5 in 2013" in text
