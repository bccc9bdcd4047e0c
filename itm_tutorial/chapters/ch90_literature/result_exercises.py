"""Two exercises of chapter 90 on results as papers print them: which cannot be, and what a network adds."""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor

from itm_tutorial.chapters.exercise import Exercise, random_size


def random_recalls(g: torch.Generator, n: int) -> Tensor:
    """Percentages with two decimals, as papers print them."""
    return (500 + 9000 * torch.rand(n, generator=g)).round() / 100


def _curves(g: torch.Generator, n: int = 8) -> tuple[Tensor, Tensor, Tensor]:
    """Recalls as papers print them: they grow with k, and ever more slowly."""
    r1 = random_recalls(g, n) / 2
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


def _by_a_hair(g: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Rows that break a rule by a quarter of a point, and rows that just keep both, with equal recalls among them."""
    r1, _, _ = _curves(g)
    r1 = r1.floor()
    each = torch.tensor([1.0, 1.0, 2.0, 2.0, 4.0, 4.0, 0.0, 1.0])  # points per rank, so that 5 / 5 and 4 / 4 are exact
    r5 = r1 + 4 * each
    r10 = r5 + 5 * each + torch.tensor([0.0, 0.25, 0.0, 0.25, -0.25, 0.25, 0.0, 0.0])
    r5[7] = r1[7] - 0.25
    r10[7] = r5[7] - 0.25
    return r1, r5, r10


def _missing_one_by_one(g: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Each recall missing in rows that break what the two others can still break, and in rows that do not."""
    r1, r5, r10 = _curves(g)
    r1[0], r10[0] = torch.nan, r5[0] - 1
    r1[1] = torch.nan
    r10[2], r1[2] = torch.nan, r5[2] + 1
    r10[3] = torch.nan
    r5[4] = torch.nan
    r1[5], r5[5] = torch.nan, torch.nan
    r1[6], r5[6], r10[6] = torch.nan, torch.nan, torch.nan
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
        "recalls that break a rule by a quarter of a point": _by_a_hair,
        "one of three recalls missing": _missing_one_by_one,
    },
    shape="[n_rows]",
    remarks={
        "recalls that break a rule by a quarter of a point": "There is no tolerance: any fall breaks the first rule, "
        "and equal points per rank keep the second.",
        "results that are missing": "What is silent breaks no rule: with NaN every comparison is False.",
        "one of three recalls missing": "What is silent breaks no rule, and the two other recalls may still break one.",
    },
    varied=(),
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
            lambda a, b, c: (a > b) | _bends_up(a, b, c),
            "R@5 above R@10 is not found: recall never falls, from 5 to 10 neither.",
        ),
        (
            lambda a, b, c: (b > c) | _bends_up(a, b, c),
            "R@1 above R@5 is not found where R@10 does not betray it: compare these two as well.",
        ),
        (
            lambda a, b, c: (a > b) | (b > c) | ((c - b) / 5 >= (b - a) / 4),
            "Equal points per rank are called suspicious: a later rank may find as much as an earlier one (use >).",
        ),
        (
            lambda a, b, c: (a > b) | (b > c) | ((c - b) / 4 > (b - a) / 5),
            "The ranks are mixed up: ranks 2 to 5 are four, and ranks 6 to 10 are five.",
        ),
        (
            lambda a, b, c: (a > b) | (b > c) | ((c - b) / 10 > (b - a) / 5),
            "Points are divided by the last rank: divide by how many ranks there are, five and four.",
        ),
        (
            lambda a, b, c: _own_suspicious(a, b, c) & ~(a + b + c).isnan(),
            "A row with any gap is let off: two recalls that are there can still break a rule.",
        ),
        (
            lambda a, b, c: _own_suspicious(*(x.nan_to_num(nan=0.0) for x in (a, b, c))),
            "What is missing counts as 0: leave NaN as it is, with which every comparison is False.",
        ),
        (
            lambda a, b, c: (a > b + 0.5) | (b > c + 0.5) | ((c - b) / 5 > (b - a) / 4 + 0.1),
            "Small breaches are forgiven: the rules have no tolerance.",
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


def _methods_with_doubles(g: torch.Generator) -> tuple:
    """Two data sets on which some methods have two rows with one network, and some get worse with network 1."""
    rows = [torch.stack([column.double() for column in _methods(g, several=True, alone=1)], 1)]
    again = rows[0][torch.randperm(len(rows[0]), generator=g)[:3]]
    again[:, 3] += 1 + 5 * torch.rand(3, generator=g)
    worse = torch.tensor([[0.0, 7, 1, 31], [0, 7, 0, 52], [1, 7, 0, 30], [1, 8, 1, 71]], dtype=torch.float64)
    rows = torch.cat([rows[0], again, worse])
    dataset, method, network, value = rows[torch.randperm(len(rows), generator=g)].unbind(1)
    return dataset.long(), method.long(), network.long(), value.float()


def _one_of_each(dataset: LongTensor, method: LongTensor, network: LongTensor, value: Tensor, choose) -> float:
    """The mean of paired differences when each method has one value for each network and data set."""
    sides: dict[tuple, list[float]] = {}
    for d, m, n, v in zip(dataset.tolist(), method.tolist(), network.tolist(), value.tolist(), strict=True):
        sides.setdefault((d, m, n), []).append(v)
    found = [choose(v) - choose(sides[d, m, 0]) for (d, m, n), v in sides.items() if n == 1 and (d, m, 0) in sides]
    return sum(found) / len(found)


def _of_data_sets(dataset: LongTensor, method: LongTensor, network: LongTensor, value: Tensor) -> float:
    each = [_differences(*(x[dataset == one] for x in (dataset, method, network, value))) for one in dataset.unique()]
    return sum(sum(found) / len(found) for found in each) / len(each)


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
        "two rows of one method": _methods_with_doubles,
    },
    remarks={
        "numbers that are all negative": "Network 1 is often the worse one there, and the mean is below zero.",
        "two rows of one method": "A row may have several partners, and each is a pair; a difference may be negative.",
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
            lambda d, m, n, v: _one_of_each(d, m, n, v, lambda values: values[-1]),
            "Where a method has two rows with one network only the last counts, as in a dict: each makes a pair.",
        ),
        (
            lambda d, m, n, v: _one_of_each(d, m, n, v, lambda values: values[0]),
            "Where a method has two rows with one network only the first counts: each makes a pair.",
        ),
        (
            lambda d, m, n, v: _one_of_each(d, m, n, v, max),
            "Where a method has two rows with one network only the best counts: each makes a pair.",
        ),
        (
            lambda d, m, n, v: _one_of_each(d, m, n, v, lambda values: sum(values) / len(values)),
            "Each method counts once, with the mean of its rows: each pair counts, so two partners make two pairs.",
        ),
        (
            _of_data_sets,
            "This is the mean over data sets of their means: take one mean over all pairs.",
        ),
        (
            lambda d, m, n, v: (lambda f: sum(map(abs, f)) / len(f))(_differences(d, m, n, v)),
            "A loss counts as a gain here: leave out abs.",
        ),
        (
            lambda d, m, n, v: sorted(_differences(d, m, n, v))[len(_differences(d, m, n, v)) // 2],
            "This is the median of the differences: take their mean.",
        ),
        (
            lambda d, m, n, v: round(_paired_by_loop(d, m, n, v), 1),
            "The mean is rounded to one decimal: give it with all its digits.",
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
