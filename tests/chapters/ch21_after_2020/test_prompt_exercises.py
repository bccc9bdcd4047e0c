"""The exercises on prompts and pooling: right answers pass, however they are written; typical mistakes are named."""

import pytest
import torch
from torch.nn.functional import normalize

from itm_tutorial.chapters.ch21_after_2020.prompt_exercises import PROMPT_EXERCISES
from itm_tutorial.encoders.pooling import sorted_pool
from itm_tutorial.evaluation.zero_shot import ensemble

prompts, pooling = PROMPT_EXERCISES


def prompts_by_sum(template_emb):
    return normalize(normalize(template_emb, dim=-1).sum(0), dim=-1)  # the number of templates drops out


def prompts_by_division(template_emb):
    units = template_emb / template_emb.norm(dim=2, keepdim=True)
    mean = units.sum(0) / len(units)
    return mean / mean.norm(dim=1, keepdim=True)


def prompts_one_by_one(template_emb):
    total = sum(normalize(classes, dim=1) for classes in template_emb)
    return torch.stack([one / one.norm() for one in total])


def pool_one_by_one(vectors, mask, weights):
    rows = []
    for x, there, theta in zip(vectors, mask, weights, strict=True):
        largest_first = x[there].sort(0, descending=True).values
        rows.append(theta[: len(largest_first)] @ largest_first)
    return torch.stack(rows)


def pool_by_ascending_sort(vectors, mask, weights):
    smallest_first = vectors.masked_fill(~mask[..., None], -torch.inf).sort(1).values.flip(1)
    return torch.einsum("nk,nkd->nd", weights, smallest_first.nan_to_num(neginf=0.0))


RIGHT = {
    "prompt_ensemble": (ensemble, prompts_by_sum, prompts_by_division, prompts_one_by_one),
    "generalised_pooling": (sorted_pool, pool_one_by_one, pool_by_ascending_sort),
}
WRONG = {
    "prompt_ensemble": (
        (lambda e: prompts_by_sum(e).T, "[n_classes, dim]"),
        (lambda e: -prompts_by_sum(e), "several templates"),
        (lambda e: prompts_by_sum(e[1:] if len(e) > 1 else e), "several templates"),
        (lambda e: prompts_by_sum(e) * float("nan"), "several templates"),
        (lambda e: e, "[n_classes, dim]"),
    ),
    "generalised_pooling": (
        (lambda v, m, w: pool_one_by_one(v, m, w)[:, :1], "[n, dim]"),
        (lambda v, m, w: pool_one_by_one(v, m, w.flip(1)), "sets of different sizes"),
        (
            lambda v, m, w: (
                v.masked_fill(~m[..., None], -torch.inf).sort(1, descending=True).values * w[..., None]
            ).sum(1),
            "0 times minus infinity",
        ),
        (
            lambda v, m, w: (v.masked_fill(~m[..., None], -1e4).sort(1, descending=True).values * w[..., None]).sum(1),
            "-10,000",
        ),
        (lambda v, m, w: pool_one_by_one(v, m, w) + 1, "sets of different sizes"),
    ),
}
each = pytest.mark.parametrize("exercise", PROMPT_EXERCISES, ids=lambda exercise: exercise.name)


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


def test_two_templates_that_were_averaged_by_hand():
    emb = torch.tensor([[[2.0, 0.0]], [[0.0, 1.0]]])
    assert prompts.own(emb)[0].tolist() == pytest.approx([0.7071, 0.7071], abs=1e-4)
    assert prompts.mistakes[0][0](emb)[0].tolist() == pytest.approx([0.8944, 0.4472], abs=1e-4)


def test_three_vectors_that_were_pooled_by_hand():
    vectors, theta = torch.tensor([[[1.0, 5.0], [3.0, 2.0], [2.0, 4.0]]]), torch.tensor([[0.5, 0.3, 0.2]])
    there = torch.ones(1, 3, dtype=torch.bool)
    assert pooling.own(vectors, there, theta)[0].tolist() == pytest.approx([2.3, 4.1])
    assert pooling.mistakes[0][0](vectors, there, theta)[0].tolist() == pytest.approx([1.7, 4.1])  # rows by length
