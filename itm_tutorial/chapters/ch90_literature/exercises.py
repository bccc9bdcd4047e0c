"""The exercises of chapter 90: the record by year, impossible results, paired differences, two leaderboards."""

from __future__ import annotations

import math

import torch
from torch import LongTensor, Tensor

from itm_tutorial.chapters.ch90_literature.result_exercises import paired_difference, random_recalls, suspicious
from itm_tutorial.chapters.exercise import Exercise, random_size


def _in_order(g: torch.Generator) -> tuple[LongTensor, Tensor]:
    n = random_size(g, 6, 12)
    return torch.randint(2013, 2019, (n,), generator=g).sort().values, random_recalls(g, n)


def _in_any_order(g: torch.Generator) -> tuple[LongTensor, Tensor]:
    years, values = _in_order(g)
    mixed = torch.randperm(len(years), generator=g)
    years = torch.cat([years[mixed], years[-1:], years[:1]])  # neither the first nor the last row is in order
    return years, torch.cat([values[mixed], torch.tensor([40.0, 96.0])])


def _with_gaps(g: torch.Generator) -> tuple[LongTensor, Tensor]:
    years, values = _in_any_order(g)
    values[1::3] = torch.nan
    first = years == years.min()
    values[first & values.isnan()] = 7.0
    return years, values


def _a_year_without_results(g: torch.Generator) -> tuple[LongTensor, Tensor]:
    """A year in the middle whose results are all missing, rows that stand twice, and years that do not occur."""
    years = torch.tensor([2011, 2013, 2013, 2014, 2014, 2017, 2017, 2018])
    values = random_recalls(g, len(years))
    values[0], values[3:5] = 5.0, torch.nan
    values[6] = values[5]
    mixed = torch.randperm(len(years), generator=g)
    return years[mixed], values[mixed]


def _a_single_year(g: torch.Generator) -> tuple[LongTensor, Tensor]:
    n = random_size(g, 1, 5)
    return torch.full((n,), 2016), random_recalls(g, n)


def _record_by_loop(years: LongTensor, values: Tensor) -> Tensor:
    steps = []
    for year in sorted(set(years.tolist())):
        known = [v for y, v in zip(years.tolist(), values.tolist(), strict=True) if y <= year and not math.isnan(v)]
        steps.append(max(known))
    return torch.tensor(steps)


def _own_record_by_year(years, values):
    values = values.nan_to_num(nan=-torch.inf)  # a missing result sets no record
    best = torch.stack([values[years == year].max() for year in years.unique()])  # [n_years], years in their order
    return best.cummax(0).values


def _of_each_year(years: LongTensor, values: Tensor, choose) -> Tensor:
    values = values.nan_to_num(nan=-torch.inf)
    return torch.stack([choose(values, years, year) for year in years.unique()])


def _first_seen(years: LongTensor) -> LongTensor:
    return torch.tensor(list(dict.fromkeys(years.tolist())))


def _in_the_order_of_rows(years: LongTensor, values: Tensor) -> Tensor:
    values = values.nan_to_num(nan=-torch.inf)
    return torch.stack([values[years == year].max() for year in _first_seen(years)]).cummax(0).values


record_by_year = Exercise(
    name="record_by_year",
    minutes=10,
    difficulty=2,
    hints=(
        "First compute the best result of each year, then the best so far.",
        "years.unique() gives the years in their order; values[years == year].max() is the best of one.",
        "nan_to_num(nan=-torch.inf) removes missing results; cummax(0).values is the best so far.",
    ),
    reference=_record_by_loop,
    own=_own_record_by_year,
    begin="Start from the years that occur, and return one value per year, in ascending order of years.",
    inputs={
        "rows in the order of years": _in_order,
        "rows in any order": _in_any_order,
        "rows without a result": _with_gaps,
        "a year without any result": _a_year_without_results,
        "a single year": _a_single_year,
    },
    shape="[n_years]",
    remarks={
        "rows in any order": "Rows come in any order: sort the years, and use all rows up to each year.",
        "a year without any result": "In a year whose results are all missing, the record of the years before still "
        "holds.",
    },
    mistakes=(
        (
            lambda y, v: _of_each_year(y, v, lambda v, y, year: v[y == year].max()),
            "This is the best of each year. A record holds until it is broken, so take the best so far (cummax).",
        ),
        (
            lambda y, v: v.nan_to_num(nan=-torch.inf).cummax(0).values,
            "This has one entry per row, in the order of the rows. Return one entry per year.",
        ),
        (
            _in_the_order_of_rows,
            "The years are in the order of the rows. Sort them first (unique does).",
        ),
        (
            lambda y, v: _of_each_year(y, v, lambda v, y, year: v.max()),
            "Every entry is the best of all years. The record of a year does not include later years.",
        ),
        (
            lambda y, v: torch.stack([v[y <= year].max() for year in y.unique()]),
            "The maximum of anything and NaN is NaN, so one missing result hides the others. Remove missing results "
            "first.",
        ),
        (
            lambda y, v: _of_each_year(y, v, lambda v, y, year: v[(y < year) | (y == y.min())].max()),
            "This is the record before each year. The rows of the year itself count too.",
        ),
        (
            lambda y, v: _record_by_loop(y[~v.isnan()], v[~v.isnan()]),
            "You leave out a year whose results are all missing. It occurs in the rows, so its entry is the record "
            "before it.",
        ),
        (
            lambda y, v: _of_each_year(y, v.nan_to_num(nan=0.0), lambda v, y, year: v[y <= year].max()),
            "Missing results count as 0, which is larger than negative numbers. Replace them by minus infinity.",
        ),
        (
            lambda y, v: _record_by_loop(y, v).new_tensor(
                [
                    max(x for x, w in zip(v.tolist(), y.tolist(), strict=True) if w <= z and x == x)
                    for z in range(int(y.min()), int(y.max()) + 1)
                ]
            ),
            "Years that do not occur have an entry here. Return one entry per year that has a row.",
        ),
        (
            lambda y, v: _of_each_year(y, v, lambda v, y, year: v[(y <= year) & (v > -torch.inf)].min()),
            "This is the lowest result so far. A record is the highest.",
        ),
        (
            lambda y, v: _record_by_loop(y, v).round(),
            "You rounded the records. Return the results as they are printed.",
        ),
        (
            lambda y, v: _of_each_year(y, v, lambda v, y, year: v[y == year][-1]).cummax(0).values,
            "This uses the last row of each year. Use its best row.",
        ),
        (
            lambda y, v: _of_each_year(y, v, lambda v, y, year: v[y <= year][v[y <= year] > -1].mean()),
            "This is the mean so far. A record is the highest result so far.",
        ),
    ),
)


def _runs(g: torch.Generator, n: int) -> Tensor:
    """Rows (method, seed, rsum), all different."""
    method, seed = torch.randint(0, 4, (n,), generator=g), torch.arange(n)[torch.randperm(n, generator=g)]
    return torch.stack([method.float(), seed.float(), (300 + 200 * torch.rand(n, generator=g)).round()], 1)


def _nothing_in_common(g: torch.Generator) -> tuple[Tensor, Tensor]:
    runs = _runs(g, random_size(g, 6, 10))
    return runs[:3], runs[3:]


def _some_in_common(g: torch.Generator) -> tuple[Tensor, Tensor]:
    runs = _runs(g, random_size(g, 8, 12))
    theirs = runs[3:][torch.randperm(len(runs) - 3, generator=g)]
    return runs[:6], theirs


def _sent_twice(g: torch.Generator) -> tuple[Tensor, Tensor]:
    mine, theirs = _some_in_common(g)
    again = theirs[-2:].clone()
    rerun, other = mine[[0, 2]], mine[1:2].clone()
    rerun[:, 2] += torch.tensor([0.25, 7.0])  # the same method and seed with another result: another run
    other[0, 1] += 50  # the same method and result with another seed: another run
    return mine, torch.cat([theirs, again, rerun, other])


def _nothing_new(g: torch.Generator) -> tuple[Tensor, Tensor]:
    mine = _runs(g, random_size(g, 4, 8))
    return mine, mine[torch.randperm(len(mine), generator=g)[:3]]


def _merged_by_loop(mine: Tensor, theirs: Tensor) -> Tensor:
    rows = [tuple(row) for row in mine.tolist()]
    for row in theirs.tolist():
        if tuple(row) not in rows:
            rows.append(tuple(row))
    return torch.tensor(rows)


def _own_merged(mine, theirs):
    rows = dict.fromkeys(map(tuple, mine.tolist()))  # a set that keeps its order
    rows.update(dict.fromkeys(map(tuple, theirs.tolist())))
    return torch.tensor(list(rows))


def _without_known(mine: Tensor, theirs: Tensor) -> Tensor:
    known = (theirs[:, None] == mine[None]).all(2).any(1)
    return torch.cat([mine, theirs[~known]])


def _once_by(mine: Tensor, theirs: Tensor, name) -> Tensor:
    rows = {}
    for row in (*mine.tolist(), *theirs.tolist()):
        rows.setdefault(name(row), row)
    return torch.tensor(list(rows.values()))


merged = Exercise(
    name="merged",
    minutes=10,
    difficulty=1,
    hints=(
        "Two rows are the same run if all three numbers are equal.",
        "mine.tolist() gives rows as lists; tuple(row) can be a key of a dict, and a dict keeps its order.",
        "dict.fromkeys(map(tuple, mine.tolist())), update it with theirs, then torch.tensor(list(rows)).",
    ),
    reference=_merged_by_loop,
    own=_own_merged,
    begin="Start from the rows of mine, and return a tensor [n_runs, 3] that contains each run once.",
    inputs={
        "leaderboards with nothing in common": _nothing_in_common,
        "leaderboards with runs in common": _some_in_common,
        "a leaderboard that was sent twice": _sent_twice,
        "a leaderboard with nothing new": _nothing_new,
    },
    shape="[n_runs, 3]",
    varied=(),
    mistakes=(
        (
            lambda a, b: torch.cat([a, b]),
            "Runs that both leaderboards contain occur twice here. Each run must occur once.",
        ),
        (
            _without_known,
            "A run that occurs twice in theirs is added twice. Compare each row also with the rows added so far.",
        ),
        (
            lambda a, b: _once_by(a, b, lambda row: (row[0], row[1])),
            "You compare rows by method and seed alone. A row with another rsum is another run, and it is lost here.",
        ),
        (
            lambda a, b: _once_by(a, b, lambda row: row[0]),
            "One run per method is left. A leaderboard keeps every run.",
        ),
        (
            lambda a, b: _once_by(a, b, lambda row: (row[0], row[2])),
            "You do not compare the seed. Two seeds with the same rsum are two runs.",
        ),
        (
            lambda a, b: _once_by(a, b, lambda row: tuple(map(round, row))),
            "You compare rows after rounding. A difference of a quarter of a point makes another run.",
        ),
        (
            lambda a, b: _own_merged(a, b).unique(dim=0),
            "The rows are sorted by their numbers (unique does this). Keep the order: first mine, then theirs.",
        ),
        (
            lambda a, b: _own_merged(b, a),
            "The rows of theirs come first here. Put the rows of mine first, in their order.",
        ),
        (
            lambda a, b: _own_merged(a, b)[len(a) :],
            "These are only the new rows. The merged leaderboard also contains the rows of mine.",
        ),
    ),
)

EXERCISES = (record_by_year, suspicious, paired_difference, merged)
