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
        "Compare neighbours: r1 with r5, r5 with r10, and the gain per rank from 1 to 5 with that from 5 to 10.",
        "Ranks 2 to 5 are four ranks and find r5 - r1 together. Ranks 6 to 10 are five ranks and find r10 - r5.",
        "(r1 > r5) | (r5 > r10) | ((r10 - r5) / 5 > (r5 - r1) / 4); with NaN a comparison is False.",
    ),
    reference=_suspicious_by_loop,
    own=_own_suspicious,
    begin="Start from the two rules, and return a bool tensor [n_rows], True where a row breaks one of them.",
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
        "and equal points per rank satisfy the second.",
        "results that are missing": "A missing result breaks no rule: every comparison with NaN is False.",
        "one of three recalls missing": "A missing result breaks no rule, but the two other recalls may still break "
        "one.",
    },
    varied=(),
    mistakes=(
        (
            lambda a, b, c: (a > b) | (b > c),
            "You find only falling recalls. The second rule, on the points per rank, is missing.",
        ),
        (
            _bends_up,
            "You check only the points per rank. R@1 above R@5, or R@5 above R@10, breaks the first rule as well.",
        ),
        (
            lambda a, b, c: ~((a <= b) & (b <= c)) | _bends_up(a, b, c),
            "You mark missing results: NaN <= x is False, so its negation is True. Test for what is wrong, with >.",
        ),
        (
            lambda a, b, c: (a >= b) | (b >= c) | _bends_up(a, b, c),
            "You mark equal recalls. Ranks that find nothing are allowed: use > in place of >=.",
        ),
        (
            lambda a, b, c: (a > b) | (b > c) | (c - b > b - a),
            "You compare sums. Divide first: ranks 6 to 10 are five ranks, and ranks 2 to 5 are four.",
        ),
        (
            lambda a, b, c: (a > b) | _bends_up(a, b, c),
            "R@5 above R@10 is not found. Recall must not fall from 5 to 10 either.",
        ),
        (
            lambda a, b, c: (b > c) | _bends_up(a, b, c),
            "R@1 above R@5 is not found in every row. Compare these two as well.",
        ),
        (
            lambda a, b, c: (a > b) | (b > c) | ((c - b) / 5 >= (b - a) / 4),
            "You mark equal points per rank. A later rank may find as much as an earlier one: use > in place of >=.",
        ),
        (
            lambda a, b, c: (a > b) | (b > c) | ((c - b) / 4 > (b - a) / 5),
            "The numbers of ranks are exchanged: ranks 2 to 5 are four, and ranks 6 to 10 are five.",
        ),
        (
            lambda a, b, c: (a > b) | (b > c) | ((c - b) / 10 > (b - a) / 5),
            "You divide by the last rank. Divide by the number of ranks, five and four.",
        ),
        (
            lambda a, b, c: _own_suspicious(a, b, c) & ~(a + b + c).isnan(),
            "You accept every row with a missing result. The two recalls that are given can still break a rule.",
        ),
        (
            lambda a, b, c: _own_suspicious(*(x.nan_to_num(nan=0.0) for x in (a, b, c))),
            "Missing results count as 0 here. Keep them as NaN: every comparison with NaN is False.",
        ),
        (
            lambda a, b, c: (a > b + 0.5) | (b > c + 0.5) | ((c - b) / 5 > (b - a) / 4 + 0.1),
            "You tolerate small differences. The rules have no tolerance.",
        ),
        (
            lambda a, b, c: ((a > b) | (b > c)) & _bends_up(a, b, c),
            "Here a row must break both rules. One is enough: use | in place of &.",
        ),
        (
            lambda a, b, c: ~_own_suspicious(a, b, c),
            "The mask is inverted. Return True for rows that break a rule.",
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
        "Two rows are a pair if method and data set are equal and the networks are 0 and 1.",
        "For a row with network 0 its partners are (network == 1) & (dataset == dataset[i]) & (method == method[i]).",
        "Collect value[partner] - value[i] for each row with network 0 that has a partner, and take the mean.",
    ),
    reference=_paired_by_loop,
    own=_own_paired_difference,
    begin="Start from one row and find the rows that form a pair with it. Return one number, the mean over all pairs.",
    inputs={
        "every method with both networks": lambda g: _methods(g),
        "methods with one network alone": lambda g: _methods(g, alone=3),
        "two data sets": lambda g: _methods(g, several=True, alone=1),
        "two rows of one method": _methods_with_doubles,
    },
    remarks={
        "numbers that are all negative": "Network 1 is often the worse one there, and the mean is below 0.",
        "two rows of one method": "A row may have several partners, and each makes a pair; a difference may be "
        "negative.",
    },
    mistakes=(
        (
            lambda d, m, n, v: (v[n == 1].mean() - v[n == 0].mean()).item(),
            "This is the difference of two means, which includes methods with one network alone. Form pairs first.",
        ),
        (
            lambda d, m, n, v: -_paired_by_loop(d, m, n, v),
            "The sign is wrong. Subtract the value with network 0 from the value with network 1.",
        ),
        (
            lambda d, m, n, v: _blind_to(d, m, n, v, lambda a, b: a[1] == b[1]),
            "You pair rows of two data sets. An easier data set is not a better network.",
        ),
        (
            lambda d, m, n, v: _blind_to(d, m, n, v, lambda a, b: a[0] == b[0]),
            "You pair rows of different methods. The method must be the same as well.",
        ),
        (
            lambda d, m, n, v: sum(_differences(d, m, n, v)),
            "This is the sum of the differences. Divide by the number of pairs.",
        ),
        (
            lambda d, m, n, v: _one_of_each(d, m, n, v, lambda values: values[-1]),
            "Where a method has two rows with the same network, only the last counts, as in a dict. Each makes a pair.",
        ),
        (
            lambda d, m, n, v: _one_of_each(d, m, n, v, lambda values: values[0]),
            "Where a method has two rows with the same network, only the first counts. Each makes a pair.",
        ),
        (
            lambda d, m, n, v: _one_of_each(d, m, n, v, max),
            "Where a method has two rows with the same network, only the best counts. Each makes a pair.",
        ),
        (
            lambda d, m, n, v: _one_of_each(d, m, n, v, lambda values: sum(values) / len(values)),
            "Each method counts once, with the mean of its rows. Count each pair: two partners make two pairs.",
        ),
        (
            _of_data_sets,
            "This is the mean of one mean per data set. Take one mean over all pairs.",
        ),
        (
            lambda d, m, n, v: (lambda f: sum(map(abs, f)) / len(f))(_differences(d, m, n, v)),
            "A negative difference counts as positive here. Remove abs.",
        ),
        (
            lambda d, m, n, v: sorted(_differences(d, m, n, v))[len(_differences(d, m, n, v)) // 2],
            "This is the median of the differences. Take their mean.",
        ),
        (
            lambda d, m, n, v: round(_paired_by_loop(d, m, n, v), 1),
            "You rounded the mean to one decimal. Return it with all its digits.",
        ),
        (
            lambda d, m, n, v: sum(_differences(d, m, n, v)) / len(v),
            "You divide by the number of rows. Divide by the number of pairs.",
        ),
        (
            lambda d, m, n, v: sum(_differences(d, m, n, v)) / len(set(zip(d.tolist(), m.tolist(), strict=True))),
            "A row without a partner counts as a difference of 0 here. Leave it out of the mean.",
        ),
    ),
)
