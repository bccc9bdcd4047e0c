"""Three exercises of chapter 11: multiple-instance labels, the weights of their hinges, and the overlap of boxes."""

from __future__ import annotations

import torch
from torch import Tensor

from itm_tutorial.chapters.adversarial import ZEROS
from itm_tutorial.chapters.exercise import Exercise, random_size


def _table(g: torch.Generator, shift: float = 0.0) -> tuple[Tensor, Tensor]:
    """Dot products of all regions of a few images with the fragments of one caption, and which regions are its own."""
    n_own, n_others, n_fragments = random_size(g, 2, 5), random_size(g, 2, 7), random_size(g, 3, 7)
    own = torch.zeros(n_own + n_others, dtype=torch.bool)
    own[torch.randperm(len(own), generator=g)[:n_own]] = True
    dots = torch.randn(len(own), n_fragments, generator=g)
    dots[own] += shift
    return dots, own


def _labels_by_loop(dots: Tensor, own: Tensor) -> Tensor:
    labels = torch.full(dots.shape, -1)
    rows = [row for row, is_own in enumerate(own.tolist()) if is_own]
    for fragment in range(dots.shape[1]):
        column = dots[:, fragment].tolist()
        for row in rows:
            if column[row] > 0:
                labels[row, fragment] = 1
        if not any(column[row] > 0 for row in rows):
            labels[max(rows, key=lambda row: column[row]), fragment] = 1
    return labels


def _own_instance_labels(dots, own):
    positive = (dots > 0) & own[:, None]  # [n_regions, n_fragments]
    best = dots.masked_fill(~own[:, None], -torch.inf).argmax(dim=0)  # [n_fragments]: an own region
    chosen = torch.zeros_like(positive).scatter(0, best[None], True)
    positive = positive | (chosen & ~positive.any(dim=0))
    return torch.where(positive, 1, -1)


def _flipped(positive: Tensor, best: Tensor) -> Tensor:
    return positive | (torch.zeros_like(positive).scatter(0, best[None], True) & ~positive.any(0))


def _signs(positive: Tensor) -> Tensor:
    return torch.where(positive, 1, -1)


def _best_own(d: Tensor, own: Tensor) -> Tensor:
    return d.masked_fill(~own[:, None], -torch.inf).argmax(0)


def _authors(d: Tensor, own: Tensor) -> Tensor:
    labels = torch.where(own[:, None], d.sign(), -1.0)
    none = ~((labels > 0) & own[:, None]).any(0)
    flip = torch.zeros_like(labels).scatter(0, _best_own(d, own)[None], 2.0)
    return (labels + flip * none).long()


instance_labels = Exercise(
    name="instance_labels",
    minutes=15,
    difficulty=3,
    hints=(
        "Three rules: regions of other images are -1; own regions follow the sign of the dot product; and a fragment "
        "without a positive own region gets one.",
        "positive = (dots > 0) & own[:, None]. A fragment needs help where ~positive.any(dim=0).",
        "The best own region: dots.masked_fill(~own[:, None], -torch.inf).argmax(dim=0). Make it positive where the "
        "fragment needs help, then torch.where(positive, 1, -1).",
    ),
    reference=_labels_by_loop,
    own=_own_instance_labels,
    inputs={
        "some positive": _table,
        "no own region positive": lambda g: _table(g, shift=-6.0),
        "all own regions positive": lambda g: _table(g, shift=6.0),
    },
    shape="[n_regions, n_fragments]",
    begin="Start from `dots` [n_regions, n_fragments] and `own`, True for the regions of the caption's image; return "
    "labels 1 and -1 of the shape of `dots`.",
    remarks={
        "numbers that are all zero": "A dot product of 0 is not positive; the first of equal own regions is the best.",
        "no own region positive": "A fragment belongs somewhere in its own image: there its best region is positive.",
    },
    mistakes=(
        (
            lambda d, own: _signs(_flipped(d > 0, _best_own(d, own))),
            "Regions of other images become positive where their dot product is. They are -1 always.",
        ),
        (
            lambda d, own: _signs((d > 0) & own[:, None]),
            "A fragment without a positive own region has no positive at all. Its best own region must become 1.",
        ),
        (
            lambda d, own: _signs(_flipped((d > 0) & own[:, None], d.argmax(0))),
            "The region that becomes positive is the best of all images. Take the best one of the own image.",
        ),
        (
            lambda d, own: _signs(own[:, None].expand_as(d)),
            "Every own region is positive: that is the objective without multiple instances. Follow the dot products.",
        ),
        (
            lambda d, own: _signs(torch.zeros_like(d > 0).scatter(0, _best_own(d, own)[None], True)),
            "Only the best own region is positive. All own regions with a positive dot product are.",
        ),
        (
            lambda d, own: _signs(_flipped((d > 0) & own[:, None], _best_own(d, own))).clamp(min=0),
            "Negatives have the label 0 here. Give them -1, so that 1 - y d grows with their dot product.",
        ),
        (
            _authors,
            "A dot product of exactly 0 gets the label 0, and 2 where it is the best: neither 1 nor -1. That is the "
            "authors' code: a fragment whose ReLU is dead then has no label. Compare with d > 0 instead of the sign.",
        ),
    ),
)


def _labels(g: torch.Generator) -> tuple[Tensor]:
    """Labels 1 and -1, at least one of each in every column."""
    labels = torch.where(torch.rand(random_size(g, 4, 9), random_size(g, 3, 7), generator=g) < 0.4, 1, -1)
    labels[0], labels[1] = 1, -1
    return (labels[torch.randperm(len(labels), generator=g)],)


def _without_negatives(g: torch.Generator) -> tuple[Tensor]:
    (labels,) = _labels(g)
    labels[:, 0] = 1
    return (labels,)


def _weights_by_loop(labels: Tensor) -> Tensor:
    found = torch.zeros(labels.shape)
    for fragment in range(labels.shape[1]):
        column = labels[:, fragment].tolist()
        found[:, fragment] = torch.tensor([1 / column.count(label) for label in column])
    return found


def _own_alignment_weights(labels):
    positives = (labels == 1).sum(dim=0)  # [n_fragments]
    negatives = (labels == -1).sum(dim=0)
    return torch.where(labels == 1, 1 / positives.clamp(min=1), 1 / negatives.clamp(min=1))


def _by_side(y: Tensor, positives: Tensor, negatives: Tensor) -> Tensor:
    return torch.where(y == 1, 1 / positives.clamp(min=1), 1 / negatives.clamp(min=1))


alignment_weights = Exercise(
    name="alignment_weights",
    minutes=10,
    difficulty=2,
    hints=(
        "Look at one column, the labels of one fragment: its positives share a weight of 1, its negatives another.",
        "Count down each column: (labels == 1).sum(dim=0) and (labels == -1).sum(dim=0).",
        "torch.where(labels == 1, 1 / positives, 1 / negatives); clamp the counts (min=1): one of them may be 0.",
    ),
    reference=_weights_by_loop,
    own=_own_alignment_weights,
    inputs={
        "both labels in every column": _labels,
        "a column without negatives": _without_negatives,
        "a single fragment": lambda g: (_labels(g)[0][:, :1],),
    },
    shape="[n_regions, n_fragments]",
    begin="Start from `labels` [n_regions, n_fragments], 1 and -1; return a tensor of the same shape.",
    mistakes=(
        (
            lambda y: _by_side(y, (y == 1).sum(1, keepdim=True), (y == -1).sum(1, keepdim=True)),
            "The labels are counted along the rows, for each region. Count down the columns, for each fragment.",
        ),
        (
            lambda y: _by_side(y, (y == 1).sum(), (y == -1).sum()),
            "The labels of all fragments are counted together. Each fragment has a weight of 1 on either side.",
        ),
        (
            lambda y: torch.ones(y.shape),
            "Every pair weighs 1, so that the many negatives drown the few positives. Divide by their numbers.",
        ),
        (
            lambda y: torch.full(y.shape, 1 / len(y)),
            "Every pair weighs the same. Divide positives by the number of positives, negatives by that of negatives.",
        ),
        (
            lambda y: _by_side(y, (y == -1).sum(0), (y == 1).sum(0)),
            "The counts are exchanged: positives are divided by the number of negatives.",
        ),
        (
            lambda y: y * _own_alignment_weights(y),
            "The weights of negatives are negative. The sign stands in the hinge already: weights are positive.",
        ),
        (
            lambda y: torch.where(y == 1, 1 / (y == 1).sum(0).clamp(min=1), 1.0),
            "Only the positives share a weight of 1. So do the negatives.",
        ),
        (
            lambda y: _own_alignment_weights(y) / 2,
            "Positives and negatives together weigh 1 here. Each side weighs 1.",
        ),
    ),
)


def _boxes(g: torch.Generator, apart: bool = False) -> tuple[Tensor, Tensor]:
    """Boxes of a few regions, and boxes of a few words, often near one of them."""
    n_regions, n_words = random_size(g, 3, 7), random_size(g, 2, 5)
    low = 0.6 * torch.rand(n_regions, 2, generator=g)
    regions = torch.cat([low, low + 0.1 + 0.3 * torch.rand(n_regions, 2, generator=g)], 1)
    near = regions[torch.randint(n_regions, (n_words,), generator=g)]
    low = near[:, :2] + 0.1 * torch.rand(n_words, 2, generator=g) - 0.05
    named = torch.cat([low, low + 0.1 + 0.3 * torch.rand(n_words, 2, generator=g)], 1)
    return regions, named + (torch.tensor([2.0, 0, 2, 0]) if apart else 0.0)


def _inside_of_each_other(g: torch.Generator) -> tuple[Tensor, Tensor]:
    regions, _ = _boxes(g)
    middle, half = (regions[:2, :2] + regions[:2, 2:]) / 2, (regions[:2, 2:] - regions[:2, :2]) / 4
    return regions, torch.cat([middle - half, middle + half], 1)


def _iou_by_loop(regions: Tensor, named: Tensor) -> Tensor:
    found = torch.zeros(len(regions), len(named))
    for i, (x0, y0, x1, y1) in enumerate(regions.tolist()):
        for j, (u0, v0, u1, v1) in enumerate(named.tolist()):
            shared = max(0.0, min(x1, u1) - max(x0, u0)) * max(0.0, min(y1, v1) - max(y0, v0))
            found[i, j] = shared / ((x1 - x0) * (y1 - y0) + (u1 - u0) * (v1 - v0) - shared)
    return found


def _own_iou(regions, named):
    low = torch.maximum(regions[:, None, :2], named[None, :, :2])  # [n_regions, n_words, 2]
    high = torch.minimum(regions[:, None, 2:], named[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(dim=2)  # [n_regions, n_words]
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(dim=1) for boxes in (regions, named)]
    return shared / (areas[0][:, None] + areas[1][None] - shared)


def _sides(r: Tensor, n: Tensor) -> Tensor:
    return torch.minimum(r[:, None, 2:], n[None, :, 2:]) - torch.maximum(r[:, None, :2], n[None, :, :2])


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2:] - boxes[:, :2]).prod(1)


def _total(r: Tensor, n: Tensor) -> Tensor:
    return _area(r)[:, None] + _area(n)[None]


iou = Exercise(
    name="iou",
    minutes=10,
    difficulty=2,
    hints=(
        "The intersection of two boxes is a box: from the larger lower corner to the smaller upper one, by axis.",
        "Where they do not meet, a side is negative: clamp each side at 0 before you multiply.",
        "The union is both areas minus the intersection. regions[:, None] and named[None] give all pairs.",
    ),
    reference=_iou_by_loop,
    own=_own_iou,
    inputs={
        "boxes that overlap": _boxes,
        "boxes that lie apart": lambda g: _boxes(g, apart=True),
        "boxes inside of each other": _inside_of_each_other,
    },
    shape="[n_regions, n_words]",
    begin="Start from one box of `regions` and one of `named`, each (x0, y0, x1, y1); return one number for each pair.",
    varied=(),
    spared=ZEROS,
    mistakes=(
        (
            lambda r, n: _sides(r, n).prod(2) / (_total(r, n) - _sides(r, n).prod(2)),
            "The sides of the intersection are not clamped at 0: boxes that lie apart in both directions overlap then.",
        ),
        (
            lambda r, n: _sides(r, n).clamp(min=0).prod(2) / _total(r, n),
            "The union counts the intersection twice. Subtract it from the sum of the areas.",
        ),
        (
            lambda r, n: _sides(r, n).clamp(min=0).prod(2) / _area(r)[:, None],
            "The intersection is divided by the region's area. Divide by the area of the union.",
        ),
        (
            lambda r, n: _sides(r, n).clamp(min=0).prod(2) / _area(n)[None],
            "The intersection is divided by the named box's area. Divide by the area of the union.",
        ),
        (
            lambda r, n: _sides(r, n).clamp(min=0).prod(2),
            "This is the area of the intersection. Divide by that of the union.",
        ),
        (
            lambda r, n: _own_iou(r, n).T.contiguous(),
            "Rows and columns are exchanged: a row belongs to a region, a column to a word.",
        ),
        (
            lambda r, n: (_sides(r, n).prod(2).clamp(min=0)) / (_total(r, n) - _sides(r, n).prod(2).clamp(min=0)),
            "The product is clamped, not the sides: two negative sides have a positive product.",
        ),
        (
            lambda r, n: (_own_iou(r, n) >= 0.5).float(),
            "This says whether the overlap is at least one half. Return the overlap itself.",
        ),
    ),
)
