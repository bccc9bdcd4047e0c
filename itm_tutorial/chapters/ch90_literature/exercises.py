"""The exercises of chapter 90: the record by year, impossible results, paired differences, two leaderboards."""

from __future__ import annotations

import math

import torch
from torch import LongTensor, Tensor

from itm_tutorial.chapters.exercise import Exercise, random_size


def _recalls(g: torch.Generator, n: int) -> Tensor:
    return (5 + 90 * torch.rand(n, generator=g)).round()


def _in_order(g: torch.Generator) -> tuple[LongTensor, Tensor]:
    n = random_size(g, 6, 12)
    return torch.randint(2013, 2019, (n,), generator=g).sort().values, _recalls(g, n)


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
        "First the best of each year, then the best so far.",
        "years.unique() gives the years in their order; values[years == year].max() is the best of one.",
        "nan_to_num(nan=-torch.inf) takes missing results out; cummax(0).values is the best so far.",
    ),
    reference=_record_by_loop,
    own=_own_record_by_year,
    inputs={
        "rows in the order of years": _in_order,
        "rows in any order": _in_any_order,
        "rows without a result": _with_gaps,
    },
    shape="[n_years]",
    mistakes=(
        (
            lambda y, v: _of_each_year(y, v, lambda v, y, year: v[y == year].max()),
            "This is the best of each year: a record stands until it is broken, so take the best so far (cummax).",
        ),
        (
            lambda y, v: v.nan_to_num(nan=-torch.inf).cummax(0).values,
            "This has one entry per row, in the order of the rows: the answer has one per year.",
        ),
        (
            _in_the_order_of_rows,
            "The years stand in the order in which rows name them: sort them first (unique does).",
        ),
        (
            lambda y, v: _of_each_year(y, v, lambda v, y, year: v.max()),
            "This is the best of all years, everywhere: a year knows nothing of later ones.",
        ),
        (
            lambda y, v: torch.stack([v[y <= year].max() for year in y.unique()]),
            "A missing result (NaN) spreads: the maximum of anything and NaN is NaN. Take missing ones out first.",
        ),
        (
            lambda y, v: _of_each_year(y, v, lambda v, y, year: v[(y < year) | (y == y.min())].max()),
            "This is the record before each year: a year's own rows count too.",
        ),
        (
            lambda y, v: _of_each_year(y, v, lambda v, y, year: v[y <= year][v[y <= year] > -1].mean()),
            "This is the mean so far: a record is the highest.",
        ),
    ),
)


def _curves(g: torch.Generator, n: int = 8) -> tuple[Tensor, Tensor, Tensor]:
    """Recalls as papers print them: they grow with k, and ever more slowly."""
    r1 = _recalls(g, n) / 2
    each = 2 + (4 * torch.rand(n, generator=g)).round()  # points per rank, from 2 to 5
    later = (each * (0.2 + 0.6 * torch.rand(n, generator=g))).round()
    return r1, r1 + 4 * each, r1 + 4 * each + 5 * later


def _some_out_of_order(g: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    r1, r5, r10 = _curves(g)
    r5[1], r1[3], r10[5] = r1[1] - 1, r5[3] + 2, r5[5] - 3
    return r1, r5, r10


def _some_off_the_curve(g: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    r1, r5, r10 = _curves(g)
    r5[2], r10[2] = r1[2] + 4, r1[2] + 24
    r5[6], r10[6] = r1[6] + 8, r1[6] + 17.5  # 2 points per rank, then 1.9: not suspicious
    return r1, r5, r10


def _some_not_reported(g: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    r1, r5, r10 = _some_out_of_order(g)
    r5[0], r10[2], r1[4] = torch.nan, torch.nan, torch.nan
    r5[7], r10[6] = r1[7], 40.0 + r5[6]  # nothing found at ranks 2 to 5 is strange only if later ranks find more
    r10[7] = r5[7]
    return r1, r5, r10


def _suspicious_by_loop(r1: Tensor, r5: Tensor, r10: Tensor) -> Tensor:
    found = []
    for a, b, c in zip(r1.tolist(), r5.tolist(), r10.tolist(), strict=True):
        found.append(a > b or b > c or (c - b) / 5 > (b - a) / 4)
    return torch.tensor(found)


def _own_suspicious(r1, r5, r10):
    falls = (r1 > r5) | (r5 > r10)
    return falls | ((r10 - r5) / 5 > (r5 - r1) / 4)  # NaN compares as False: what is missing is not suspicious


def _bends_up(r1: Tensor, r5: Tensor, r10: Tensor) -> Tensor:
    return (r10 - r5) / 5 > (r5 - r1) / 4


suspicious = Exercise(
    name="suspicious",
    minutes=10,
    difficulty=2,
    hints=(
        "Two rules: recall never falls as k grows, and a later rank finds no more than an earlier one.",
        "Ranks 2 to 5 are four, and together they find r5 - r1. Ranks 6 to 10 are five, and find r10 - r5.",
        "(r1 > r5) | (r5 > r10) | ((r10 - r5) / 5 > (r5 - r1) / 4); with NaN a comparison is False.",
    ),
    reference=_suspicious_by_loop,
    own=_own_suspicious,
    inputs={
        "results that all fit": _curves,
        "recalls that fall": _some_out_of_order,
        "recalls off the curve": _some_off_the_curve,
        "results that are missing": _some_not_reported,
    },
    shape="[n_rows]",
    mistakes=(
        (
            lambda a, b, c: (a > b) | (b > c),
            "Only falling recalls are found: a result may grow and still be off the curve of its neighbours.",
        ),
        (
            _bends_up,
            "Only the curve is checked: R@1 above R@5 (or R@5 above R@10) is impossible, whatever the curve.",
        ),
        (
            lambda a, b, c: ~((a <= b) & (b <= c)) | _bends_up(a, b, c),
            "A missing result is called suspicious: NaN <= x is False, so ask for what is wrong, not for what fits.",
        ),
        (
            lambda a, b, c: (a >= b) | (b >= c) | _bends_up(a, b, c),
            "Equal recalls are called suspicious: ranks that find nothing are allowed (use >).",
        ),
        (
            lambda a, b, c: (a > b) | (b > c) | (c - b > b - a),
            "Sums are compared: ranks 6 to 10 are five and ranks 2 to 5 four, so divide first.",
        ),
        (
            lambda a, b, c: ((a > b) | (b > c)) & _bends_up(a, b, c),
            "Both rules must be broken here: one is enough (|, not &).",
        ),
        (
            lambda a, b, c: ~_own_suspicious(a, b, c),
            "Turned round: True is for the rows that cannot be trusted.",
        ),
    ),
)


def _methods(g: torch.Generator, several: bool = False, alone: int = 0) -> tuple:
    """Rows (dataset, method, network, value) in which network 1 adds 7 to 13 points; ``alone`` have one row."""
    rows = []
    for dataset in range(2 if several else 1):
        for method in range(random_size(g, 3, 6)):
            base = 20 + 30 * torch.rand((), generator=g) + 25 * dataset
            gain = 7 + 6 * torch.rand((), generator=g)
            rows += [(dataset, method, 0, base), (dataset, method, 1, base + gain)]
        for method in range(10, 10 + alone):  # good methods that only ever had the better network
            rows.append((dataset, method, 1, 70 + 20 * torch.rand((), generator=g)))
    order = torch.randperm(len(rows), generator=g).tolist()
    dataset, method, network, value = zip(*[rows[i] for i in order], strict=True)
    return torch.tensor(dataset), torch.tensor(method), torch.tensor(network), torch.stack(value)


def _differences(dataset: LongTensor, method: LongTensor, network: LongTensor, value: Tensor) -> list[float]:
    rows = list(zip(dataset.tolist(), method.tolist(), network.tolist(), value.tolist(), strict=True))
    return [b - a for d, m, n, a in rows for e, o, k, b in rows if (d, m, n) == (e, o, 0) and k == 1]


def _paired_by_loop(dataset: LongTensor, method: LongTensor, network: LongTensor, value: Tensor) -> float:
    found = _differences(dataset, method, network, value)
    return sum(found) / len(found)


def _own_paired_difference(dataset, method, network, value):
    gains = []
    for i in (network == 0).nonzero().flatten():
        partner = (network == 1) & (dataset == dataset[i]) & (method == method[i])
        gains += (value[partner] - value[i]).tolist()
    return sum(gains) / len(gains)


def _blind_to(dataset: LongTensor, method: LongTensor, network: LongTensor, value: Tensor, same) -> float:
    rows = list(zip(dataset.tolist(), method.tolist(), network.tolist(), value.tolist(), strict=True))
    found = [b - a for d, m, n, a in rows for e, o, k, b in rows if n == 0 and k == 1 and same((d, m), (e, o))]
    return sum(found) / len(found)


paired_difference = Exercise(
    name="paired_difference",
    minutes=15,
    difficulty=3,
    hints=(
        "A pair is two rows of one method on one data set, one with network 0, one with network 1.",
        "For a row with network 0 its partners are (network == 1) & (dataset == dataset[i]) & (method == method[i]).",
        "Collect value[partner] - value[i] for each row with network 0 that has a partner, and take the mean.",
    ),
    reference=_paired_by_loop,
    own=_own_paired_difference,
    inputs={
        "every method with both networks": lambda g: _methods(g),
        "methods with one network alone": lambda g: _methods(g, alone=3),
        "two data sets": lambda g: _methods(g, several=True, alone=1),
    },
    mistakes=(
        (
            lambda d, m, n, v: (v[n == 1].mean() - v[n == 0].mean()).item(),
            "This is the difference of two means: methods that have one network alone are in it. Pair first.",
        ),
        (
            lambda d, m, n, v: -_paired_by_loop(d, m, n, v),
            "The sign is turned: network 1 less network 0.",
        ),
        (
            lambda d, m, n, v: _blind_to(d, m, n, v, lambda a, b: a[1] == b[1]),
            "Rows of two data sets are paired: an easier data set is no better network.",
        ),
        (
            lambda d, m, n, v: _blind_to(d, m, n, v, lambda a, b: a[0] == b[0]),
            "Rows of different methods are paired: the method must be the same as well.",
        ),
        (
            lambda d, m, n, v: sum(_differences(d, m, n, v)),
            "These are the differences added up: divide by the number of pairs.",
        ),
        (
            lambda d, m, n, v: sum(_differences(d, m, n, v)) / len(v),
            "Divide by the number of pairs, not by the number of rows.",
        ),
        (
            lambda d, m, n, v: sum(_differences(d, m, n, v)) / len(set(zip(d.tolist(), m.tolist(), strict=True))),
            "A method without a partner counts as no difference here: leave it out of the mean.",
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
    rerun = mine[:1].clone()
    rerun[0, 2] += 1  # the same method and seed with another result: another run
    return mine, torch.cat([theirs, again, rerun])


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
        "Two rows are the same run where all three numbers agree.",
        "mine.tolist() gives rows as lists; tuple(row) can be a key of a dict, which keeps its order.",
        "dict.fromkeys(map(tuple, mine.tolist())), update it with theirs, then torch.tensor(list(rows)).",
    ),
    reference=_merged_by_loop,
    own=_own_merged,
    inputs={
        "leaderboards with nothing in common": _nothing_in_common,
        "leaderboards with runs in common": _some_in_common,
        "a leaderboard that was sent twice": _sent_twice,
    },
    shape="[n_runs, 3]",
    mistakes=(
        (lambda a, b: torch.cat([a, b]), "Runs in common stand there twice: whoever trained them counts double."),
        (
            _without_known,
            "A run that stands twice in theirs is added twice: compare with the rows added so far, too.",
        ),
        (
            lambda a, b: _once_by(a, b, lambda row: (row[0], row[1])),
            "Rows are compared by method and seed alone: a row with another value is another run, and it is lost here.",
        ),
        (
            lambda a, b: _once_by(a, b, lambda row: row[0]),
            "One run per method is left: a leaderboard keeps every run.",
        ),
        (
            lambda a, b: _own_merged(a, b).unique(dim=0),
            "The rows are sorted by their numbers (unique does that): mine come first, in their order, then theirs.",
        ),
        (lambda a, b: _own_merged(b, a), "Theirs come first here: mine stay where they were, theirs follow."),
        (lambda a, b: _own_merged(a, b)[len(a) :], "These are the new rows alone: the merged board holds mine too."),
    ),
)

EXERCISES = (record_by_year, suspicious, paired_difference, merged)
