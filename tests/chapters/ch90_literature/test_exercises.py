"""The exercises of chapter 90: right answers pass, however they are written, and typical mistakes are named."""

import numpy as np
import pytest
import torch

from itm_tutorial.chapters.ch90_literature import exercises


def record_by_sorting(years, values):
    rows = sorted((y, v) for y, v in zip(years.tolist(), values.tolist(), strict=True) if v == v)
    record, steps = -np.inf, {}
    for year, value in rows:
        record = max(record, value)
        steps[year] = record
    for before, year in zip(years.unique().tolist(), years.unique().tolist()[1:], strict=False):
        steps.setdefault(year, steps[before])  # a year whose results are all missing
    return torch.tensor([steps[year] for year in years.unique().tolist()], dtype=values.dtype)


def record_by_masks(years, values):
    known = torch.where(values.isnan(), torch.full_like(values, -1e9), values)
    return torch.stack([known.masked_fill(years > year, -1e9).max() for year in years.unique()])


def suspicious_by_slopes(r1, r5, r10):
    early, late = (r5 - r1) / 4, (r10 - r5) / 5
    return (early < 0) | (late < 0) | (late > early)


def suspicious_by_rows(r1, r5, r10):
    found = []
    for a, b, c in torch.stack([r1, r5, r10], 1).tolist():
        found.append(any((a > b, b > c, 4 * (c - b) > 5 * (b - a))))
    return torch.tensor(found)


def paired_by_names(dataset, method, network, value):
    names = list(zip(dataset.tolist(), method.tolist(), strict=True))
    before, after = ({n: v for n, k, v in zip(names, network, value, strict=True) if k == side} for side in (0, 1))
    return float(np.mean([float(after[n] - before[n]) for n in before if n in after]))


def paired_by_matrix(dataset, method, network, value):
    pair = (dataset[:, None] == dataset) & (method[:, None] == method)
    pair &= (network[:, None] == 1) & (network == 0)
    return (value[:, None] - value)[pair].mean().item()


def merged_by_asking(mine, theirs):
    rows = list(mine)
    for row in theirs:
        if not any(torch.equal(row, other) for other in rows):
            rows.append(row)
    return torch.stack(rows)


def merged_by_first_places(mine, theirs):
    both = torch.cat([mine, theirs])
    same = (both[:, None] == both[None]).all(2)
    return both[same.float().argmax(1) == torch.arange(len(both))]


RIGHT = {
    "record_by_year": [record_by_sorting, record_by_masks],
    "suspicious": [suspicious_by_slopes, suspicious_by_rows],
    "paired_difference": [paired_by_names, paired_by_matrix],
    "merged": [merged_by_asking, merged_by_first_places],
}
each_exercise = pytest.mark.parametrize("exercise", exercises.EXERCISES, ids=lambda e: e.name)


@each_exercise
def test_right_answers_pass(exercise, exercise_checks):
    exercise_checks.right_answers(exercise, RIGHT[exercise.name])


@each_exercise
def test_wrong_answers_are_named(exercise, exercise_checks):
    exercise_checks.wrong_answers(exercise)


@each_exercise
def test_a_stub_says_how_to_begin(exercise, exercise_checks):
    exercise_checks.stubs(exercise)


@each_exercise
def test_hints_grow_plainer_and_the_solution_passes(exercise, exercise_checks):
    exercise_checks.hints_and_solution(exercise)
