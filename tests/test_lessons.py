"""Every check takes right answers, and names what is wrong with typical wrong ones."""

import pytest
import torch

from itm_tutorial.lessons.start_here import EXERCISES, cosine_scores


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_right_answers_pass(exercise):
    for answer in (exercise.own, exercise.reference):
        assert exercise.verdict(answer).startswith("Right")


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_wrong_answers_are_named(exercise):
    assert len(exercise.mistakes) >= 4
    assert len({message for _, message in exercise.mistakes}) == len(exercise.mistakes)
    for mistake, message in exercise.mistakes:
        assert exercise.verdict(mistake) == f"Not yet. {message}"


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_a_stub_prints_how_to_begin_and_the_chapter_goes_on(exercise, capsys):
    assert exercise.check(lambda *inputs: ...) is exercise.own
    assert "not written yet" in capsys.readouterr().out


def test_an_answer_that_stops_is_told_and_an_unknown_mistake_shown():
    assert "RuntimeError" in cosine_scores.verdict(lambda i, c: i @ c)
    assert "and not" in cosine_scores.verdict(lambda i, c: torch.zeros(1))
