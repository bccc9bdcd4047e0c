"""The answers of chapter 11 follow from the numbers of a run, whichever way these go."""

import pytest
import torch

from itm_tutorial.chapters.ch11_fragments import answers
from itm_tutorial.chapters.ch11_fragments.rule_figures import weights_of
from itm_tutorial.evaluation.phrase_grounding import PhraseReport
from itm_tutorial.show.attention_view import AttentionView

RED, DOG = 1, 2


@pytest.fixture
def view(attended):
    seen, split = attended
    return AttentionView.of(seen, split, 0, None, "mini")


def test_rules_that_agree_on_the_best_region(view):
    dots = torch.zeros(view.weights.shape)
    dots[2, RED], dots[3, RED], dots[2, DOG] = 3.0, 1.0, 2.0
    text = answers.rules(view, weights_of(dots), [RED, DOG])
    assert text.startswith("The best region lies in the true box for 2 of 2 words.")
    assert "is the same under all rules" in text and "*best region*: 1.0 regions per word" in text
    assert "*thresholded*: 1.5 regions per word, of which the largest has 0.88" in text


def test_rules_differ_where_nothing_is_positive(view):
    dots = torch.full(view.weights.shape, -1.0)
    dots[4, RED] = -0.5
    text = answers.rules(view, weights_of(dots), [RED])
    assert "The largest weights differ" in text and "0 of 1 words" in text


def test_the_words_that_decide_a_score():
    table = torch.tensor([[0.1, 3.0, 2.0, -0.2, 0.1], [0.0, 1.0, -2.5, -0.4, 0.0]])
    tokens = ["a", "red", "dog", "is", "a"]
    text = answers.dots(table, tokens, [1, 2])
    assert "The columns of *dog*, *red*, *is* vary most" in text and "of *a*, *is*, *red* vary least" in text
    assert "differs by 3.2 on average, any other word by 0.1." in text and "the framed numbers, 5.0." in text
    assert "on average" not in answers.dots(table, tokens, [])


def report(model, iou):
    def of(value, uniform):
        parties = {"model": value, "uniform": uniform, "by area": uniform + 2, "best region": 95.0}
        return {party: {"all": number} for party, number in parties.items()}

    return PhraseReport(of(model, 27.0), of(iou, 12.0), {"all": 10}, torch.zeros(10, 2))


def test_a_run_is_compared_with_chance_and_with_kept_claims():
    text = answers.found("dvsa", report(81.0, 71.0), {"DVSA": [80.0, 82.0]}, {"control": [20.0]}, ["CITE"])
    assert "points into a true box for 81 % of the phrases, which is above chance" in text
    assert "27 %" in text and "29 %" in text and "it reaches 71 %" in text and "exceed 95 %" in text
    assert "kept claims: DVSA 81 %." in text and "Their controls: control 20 %." in text
    assert "Not measured yet: CITE." in text
    alone = answers.found("cite", report(28.0, 71.0), {}, {}, [])
    assert "not above chance" in alone and "kept claims" not in alone and "Not measured" not in alone


def test_sums_that_favour_long_captions():
    r1 = {"sum": 20.0, "divided": 25.0}
    text = answers.length({"sum": 0.6, "divided": 0.1}, {"sum": 14.0, "divided": 11.0}, r1, 10.0)
    assert "the sums rise with the length: the correlation is 0.60. But a search" in text
    assert "14.0 words on average, which is longer than the mean of all captions, 10.0. If all words fit" in text
    assert "goes from 20.0 to 25.0, a gain of 5.0 points. From text" in text


def test_sums_that_do_not_favour_long_captions():
    r1 = {"sum": 25.0, "divided": 20.0}
    text = answers.length({"sum": -0.2, "divided": 0.4}, {"sum": 8.0, "divided": 7.0}, r1, 10.0)
    assert "do not rise" in text and "is not longer" in text and "a loss of 5.0 points. A mean over few words" in text
    assert "If all words fit" not in text
