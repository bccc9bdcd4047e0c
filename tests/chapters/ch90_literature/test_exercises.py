"""The exercises of chapter 90: right answers pass, however they are written, and typical mistakes are named."""

import numpy as np
import pandas as pd
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


def sides_of(dataset, method, network, value):
    names = list(zip(dataset.tolist(), method.tolist(), strict=True))
    return ([(n, float(v)) for n, k, v in zip(names, network, value, strict=True) if k == side] for side in (0, 1))


def paired_by_names(dataset, method, network, value):
    before, after = sides_of(dataset, method, network, value)
    return float(np.mean([late - early for name, early in before for other, late in after if name == other]))


def paired_by_frames(dataset, method, network, value):
    columns = {"dataset": dataset, "method": method, "network": network, "value": value.double()}
    rows = pd.DataFrame({name: column.numpy() for name, column in columns.items()})
    pairs = rows[rows.network == 0].merge(rows[rows.network == 1], on=["dataset", "method"])
    return float((pairs.value_y - pairs.value_x).mean())


def paired_by_dicts(choose):
    def answer(dataset, method, network, value):
        before, after = ({}, {})
        for side, found in zip(sides_of(dataset, method, network, value), (before, after), strict=True):
            for name, number in side:
                found[name] = choose(found[name], number) if name in found else number
        return sum(after[name] - before[name] for name in before if name in after) / len(before.keys() & after.keys())

    return answer


def paired_in_order(dataset, method, network, value):
    order = np.lexsort((network, method, dataset))
    return (value[order][1::2] - value[order][::2][: len(value) // 2]).mean().item()


def record_by_frames(years, values):
    rows = pd.DataFrame({"year": years.numpy(), "value": values.numpy()})
    return torch.tensor(rows.groupby("year").value.max().sort_index().cummax().ffill().to_numpy())


def record_of_frame(change):
    """A record with pandas, in which one step is wrong."""

    def answer(years, values):
        series = change(pd.DataFrame({"year": years.numpy(), "value": values.numpy()}))
        return torch.tensor(np.ascontiguousarray(series.to_numpy(dtype=np.float32)))

    return answer


def frame_of(mine, theirs):
    return pd.DataFrame(torch.cat([mine, theirs]).numpy())


def missing_is_nothing(r1, r5, r10):
    known = ~(r1.isnan() | r5.isnan() | r10.isnan())
    return known & suspicious_by_slopes(r1, r5, r10)


WRONG = {
    "record_by_year": [
        (record_of_frame(lambda f: f.groupby("year").value.max()), "Not yet."),
        (record_of_frame(lambda f: f.groupby("year", sort=False).value.max().cummax().ffill()), "sort the years"),
        (record_of_frame(lambda f: f.groupby("year").value.max().cummax()), "NaN"),
        (
            record_of_frame(lambda f: f.dropna().groupby("year").value.max().cummax()),
            "You leave out a year whose results are all",
        ),
        (record_of_frame(lambda f: f.groupby("year").value.min().cummin().ffill()), "This is the lowest result so far"),
        (
            record_of_frame(lambda f: f.groupby("year").value.max().fillna(0).cummax()),
            "a 0 that was filled in",
        ),
        (record_of_frame(lambda f: f.groupby("year").value.last().cummax().ffill()), "and right is"),
        (record_of_frame(lambda f: f.groupby("year").value.max().cummax().ffill().shift().bfill()), "and right is"),
        (record_of_frame(lambda f: f.sort_values("year").value.cummax()), "the right shape is"),
        (record_of_frame(lambda f: f.groupby("year").value.max().cummax().ffill().round(1)), "and right is"),
        (record_of_frame(lambda f: f.groupby("year").value.max().sort_values()), "Not yet."),
        (record_of_frame(lambda f: f.groupby("year").value.max().cummax().ffill().iloc[::-1]), "Not yet."),
        (lambda y, v: record_by_frames(y, v).tolist(), "gives a list, but the chapter needs a tensor"),
        (lambda y, v: pd.Series(record_by_frames(y, v).numpy()), "gives a Series"),
        (lambda y, v: record_by_frames(y, v).double(), "gives float64 numbers"),
        (lambda y, v: record_by_frames(y, v.nan_to_num_(-9e9)), "changes values for whoever called it"),
    ],
    "suspicious": [
        (missing_is_nothing, "You accept every row with a missing result"),
        (lambda a, b, c: suspicious_by_slopes(a.round(), b.round(), c.round()), "There is no tolerance"),
        (lambda a, b, c: suspicious_by_slopes(a, b, c) | a.isnan() | b.isnan() | c.isnan(), "results that are missing"),
        (lambda a, b, c: suspicious_by_slopes(a, b, c).float(), "gives float32 numbers"),
        (lambda a, b, c: suspicious_by_slopes(a, b, c).tolist(), "gives a list"),
        (lambda a, b, c: suspicious_by_slopes(a, b, c.nan_to_num(0)), "A missing result breaks no rule"),
        (lambda a, b, c: (a > b) | (b > c) | ((c - b) > 1.25 * (b - a) + 0.3), "There is no tolerance"),
        (lambda a, b, c: suspicious_by_slopes(a, b, b.maximum(c)), "R@5 above R@10 is not found"),
        (lambda a, b, c: ((b - a) < 0) | ((c - b) < 0) | ((c - b) / (b - a) > 1.5), "There is no tolerance"),
    ],
    "paired_difference": [
        (paired_by_dicts(lambda old, new: new), "only the last counts"),
        (paired_by_dicts(lambda old, new: old), "only the first counts"),
        (paired_by_dicts(max), "only the best counts"),
        (paired_by_dicts(min), "A row may have several partners"),
        (paired_in_order, "Not yet."),
        (lambda *rows: abs(paired_by_names(*rows)), "the mean is below 0"),
        (lambda *rows: round(paired_by_names(*rows), 1), "rounded the mean to one decimal"),
        (lambda *rows: round(paired_by_names(*rows), 3), "and right is"),
        (lambda *rows: max(0.0, paired_by_names(*rows)), "the mean is below 0"),
        (lambda *rows: torch.tensor(paired_by_names(*rows)), "end with .item()"),
        (lambda d, m, n, v: paired_by_names(d * 0, m, n, v), "You pair rows of two data sets"),
        (lambda d, m, n, v: paired_by_names(d, m, 1 - n, v), "The sign is wrong"),
        (lambda d, m, n, v: paired_by_names(d * 0, d * 10 + m, n, v), "two data sets"),
    ],
    "merged": [
        (lambda a, b: torch.cat([a, b]).unique(dim=0, sorted=True), "The rows are sorted"),
        (lambda a, b: merged_by_asking(a, b.round()), "You compare rows after rounding"),
        (lambda a, b: merged_by_asking(a, b.flip(0)), "and right is"),
        (lambda a, b: merged_by_asking(a, b).long(), "and right is"),
        (lambda a, b: merged_by_asking(a, b).tolist(), "gives a list"),
        (lambda a, b: torch.tensor(frame_of(a, b).drop_duplicates([0, 1]).to_numpy()), "by method and seed alone"),
        (lambda a, b: frame_of(a, b).drop_duplicates(), "gives a DataFrame"),
        (lambda a, b: torch.tensor(frame_of(a, b).drop_duplicates(keep="last").to_numpy()), "Not yet."),
    ],
}


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
    "record_by_year": [record_by_sorting, record_by_masks, record_by_frames],
    "suspicious": [
        suspicious_by_slopes,
        suspicious_by_rows,
        lambda a, b, c: ((b - a) < 0) | ((c - b) < 0) | ((c - b) / (b - a) > 1.25),
        lambda a, b, c: torch.stack([b < a, c < b, 4 * (c - b).double() > 5 * (b - a).double()]).any(0),
    ],
    "paired_difference": [paired_by_names, paired_by_matrix, paired_by_frames],
    "merged": [
        merged_by_asking,
        merged_by_first_places,
        lambda a, b: torch.tensor(frame_of(a, b).drop_duplicates().to_numpy()),
    ],
}
each_exercise = pytest.mark.parametrize("exercise", exercises.EXERCISES, ids=lambda e: e.name)


@each_exercise
def test_right_answers_pass(exercise, exercise_checks):
    exercise_checks.right_answers(exercise, RIGHT[exercise.name])


@each_exercise
def test_wrong_answers_are_named(exercise, exercise_checks):
    exercise_checks.wrong_answers(exercise, WRONG[exercise.name])
