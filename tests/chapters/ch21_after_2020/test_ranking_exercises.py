"""The exercises on several right answers: right ones pass, however they are written; typical mistakes are named."""

import pytest
import torch

from itm_tutorial.chapters.ch21_after_2020.ranking_exercises import RANKING_EXERCISES
from itm_tutorial.evaluation.r_precision import average_precision_at_r
from itm_tutorial.losses.hard_negatives import negative_probabilities

at_r, negatives = RANKING_EXERCISES


def map_by_package(relevant):
    scores = -torch.arange(float(len(relevant)))
    return average_precision_at_r(scores[None], relevant[None])[0][0].float()


def map_by_places(relevant):
    places = relevant.nonzero().flatten() + 1  # ranks of the relevant items
    hits = torch.arange(1.0, len(places) + 1)
    return (hits / places)[places <= len(places)].sum() / len(places)


def map_by_matrix(relevant):
    n = len(relevant)
    precision = torch.tril(torch.ones(n, n)) @ relevant.float() / torch.arange(1, n + 1)
    counted = relevant & (torch.arange(n) < relevant.sum())
    return precision[counted].sum() / relevant.sum()


def negatives_by_difference(scores, positives):
    largest = scores.masked_fill(positives, -torch.inf).amax(1, keepdim=True)
    powers = (scores - largest).clamp(max=0).exp() * ~positives
    return powers / powers.sum(1, keepdim=True)


def negatives_in_float64(scores, positives):
    return torch.softmax(scores.double() - 1e6 * positives, 1).masked_fill(positives, 0).float()


RIGHT = {
    "map_at_r": (map_by_package, map_by_places, map_by_matrix),
    "hard_negative_probabilities": (negative_probabilities, negatives_by_difference, negatives_in_float64),
}
WRONG = {
    "map_at_r": (
        (lambda x: map_by_places(x)[None], "right shape is []"),
        (lambda x: 100 * map_by_places(x), "several relevant items"),
        (lambda x: map_by_places(x.flip(0)), "several relevant items"),
        (lambda x: map_by_places(~x), "several relevant items"),
        (lambda x: torch.tensor(1.0), "several relevant items"),
    ),
    "hard_negative_probabilities": (
        (lambda s, p: negatives_by_difference(s, p).T, "Not yet"),
        (lambda s, p: negatives_by_difference(2 * s, p), "several queries"),
        (lambda s, p: negatives_by_difference(s, p).log(), "several queries"),
        (lambda s, p: s.masked_fill(p, -100).softmax(1), "Not yet"),
        (lambda s, p: negatives_by_difference(s, p)[:1], "[n_queries, n_items]"),
    ),
}
each = pytest.mark.parametrize("exercise", RANKING_EXERCISES, ids=lambda exercise: exercise.name)


@each
def test_right_answers_pass(exercise, exercise_checks):
    assert exercise.chapter == "21_after_2020"
    exercise_checks.right_answers(exercise, RIGHT[exercise.name])


@each
def test_wrong_answers_are_named(exercise, exercise_checks):
    exercise_checks.wrong_answers(exercise, WRONG[exercise.name])


@each
def test_an_unwritten_answer_says_how_to_begin(exercise, exercise_checks):
    exercise_checks.stubs(exercise)


def test_a_ranking_that_was_judged_by_hand():
    ranking = torch.tensor([True, False, True, True])
    assert at_r.own(ranking).item() == pytest.approx(0.5556, abs=1e-4)
    assert at_r.mistakes[0][0](ranking).item() == pytest.approx(0.8056, abs=1e-4)  # plain average precision
    assert at_r.mistakes[1][0](ranking).item() == pytest.approx(0.6667, abs=1e-4)  # R-precision


def test_a_draw_that_was_computed_by_hand():
    scores, own = torch.tensor([[2.0, 1.0, 0.0]]), torch.tensor([[True, False, False]])
    assert negatives.own(scores, own)[0].tolist() == pytest.approx([0, 0.731, 0.269], abs=1e-3)
