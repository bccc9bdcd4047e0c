"""The answers of chapter 03 follow from the numbers of a run, whichever way these go."""

import pytest
import torch

from itm_tutorial import claims
from itm_tutorial.chapters.ch03_scan import answers
from itm_tutorial.evaluation.grounding import Attention, AttentionReport
from itm_tutorial.evaluation.minimal_pairs import MinimalPairResult


def test_words_are_sorted_by_where_they_attend(attended):
    seen, split = attended
    text = answers.words_and_boxes(seen, split)
    assert text.startswith("2 of 3 words that name a box have their largest weight in it: *red*, *dog*.")
    assert "Largest weight elsewhere: *dog*." in text and "*b*, *near* name no box" in text and "Hardly" not in text
    flat = Attention(seen.captions, seen.images, seen.words, [torch.full((5, 10), 0.2)], seen.boxes)
    text = answers.words_and_boxes(flat, split)
    assert text.startswith("0 of 3 words that name a box have their largest weight in it.")
    assert "no weight of twice uniform attention: *red*, *dog*." in text and "elsewhere" not in text


def test_a_high_row_loses_its_columns():
    like_everything = torch.tensor([[0.6, 0.6, 0.6], [0.0, 0.0, 0.5]])
    text = answers.rows_and_columns(like_everything, ["a", "red", "dog"])
    assert "highest column is that of *dog* (mean 0.55)" in text and "region 1 (mean 0.60)" in text
    assert "the largest in 3 of 3 columns" in text and "region 1 is the largest in 2." in text
    assert "here in 2 of 2 cases" in text
    text = answers.rows_and_columns(torch.eye(3), ["a", "red", "dog"])
    assert "region 1 is the largest again in 1." in text and "here in 0 of 2 cases" in text


def test_a_detector_that_misses_nothing_is_said_to():
    assert "But 12 % of the things have no region. A word for such a thing cannot" in answers.detected(88.0, 60.0)
    text = answers.detected(100.0, 60.0)
    assert "60 % of the regions" in text and "Every thing has a region" in text and "But" not in text


def result(accuracy, error=4.0):
    return MinimalPairResult(accuracy, 100, error)


def test_kinds_are_compared_in_both_directions():
    pairs = {
        "scan": {"binding": result(80), "count": result(50), "object": result(60)},
        "vsepp": {"binding": result(55), "count": result(53), "object": result(90)},
    }
    text = answers.by_kind(pairs, {"scan": 300.0, "vsepp": 250.0, "ceiling": 500.0})
    assert "`scan` is ahead of `vsepp` where the pictures differ in: colours swapped (80 % against 55 %)." in text
    assert "`scan` is behind `vsepp` where the pictures differ in: one object replaced (60 % against 90 %)." in text
    assert "no clear difference on: a count (50 % against 53 %)." in text
    assert "attention gains 50; the ceiling is 200 above it" in text
    text = answers.by_kind({name: {"count": result(50)} for name in pairs}, {"scan": 2, "vsepp": 5, "ceiling": 9})
    assert "ahead" not in text and "behind" not in text and "attention loses 3" in text


def report(model):
    pointing = {"model": model, "uniform": {"noun": 20.0, "number": 40.0}, "untrained": {"noun": 10.0, "number": 10.0}}
    pointing["shuffled captions"] = {"noun": 30.0, "number": float("nan")}
    return AttentionReport(pointing, pointing, {"noun": 100, "number": 10})


def test_the_best_baseline_is_named():
    text = answers.pointing(report({"noun": 70.0, "number": 35.0}))
    assert "exceeds its best baseline for: nouns (70 % against 30 %, shuffled captions)." in text
    assert "does not for: numbers (35 % against 40 %, uniform)." in text
    assert "does not for" not in answers.pointing(report({"noun": 70.0, "number": 60.0}))
    assert "exceeds" not in answers.pointing(report({"noun": 1.0, "number": 2.0})).partition("\n")[0]


def test_lambda_may_help_or_harm():
    text = answers.sharpness({0.0: 100.0, 9.0: 250.0, 100.0: 240.0}, 9.0)
    assert "rsum rises by 150" in text and "changes by -10; it is highest at λ = 9." in text
    assert "rsum falls by 50" in answers.sharpness({0.0: 100.0, 9.0: 50.0, 100.0: 40.0}, 9.0)


@pytest.mark.parametrize(("r1", "words"), [(55.0, "loses 5.0 points"), (50.0, "loses nothing"), (49.0, "gains 1.0")])
def test_a_shortlist_costs_recall_or_gains_some(r1, words):
    taken = {"one vector": {100: 1e-5}, "cross attention": {100: 4e-3}, "shortlist of 20": {100: 1e-3}}
    text = answers.price(taken, {1: 30.0, 20: 50.0, 300: r1})
    assert words in text and "takes 400 times as long as one vector per image, and 4.0 times as long" in text


def test_kept_claims_are_a_short_table():
    table = answers.kept_claims(claims.results("scan")["effects"]).splitlines()
    assert len(table) == 8 and "mean of 3 seeds" in table[0] and max(map(len, table)) <= 80
    rows = {line.split("  ")[0]: line for line in table[2:7]}
    assert "+114.7 ± 25.5" in rows["rsum"] and "(" not in rows["rsum"]
    assert rows["a count"].count("(") == 2  # too close to say, on regions and on the grid
    one = [{"name": "given the same grid, scan beats vsepp (rsum)", "mean": -3.0, "standard_error": 1.0,
            "values": [1, 2], "verdict": "does not hold"}]  # fmt: skip
    assert answers.kept_claims(one).splitlines()[2].split(maxsplit=1)[1].split("  ", 1)[0] == "not run"
    assert answers.kept_claims(one).splitlines()[2].rstrip().endswith("-3.0 ± 2.0")
