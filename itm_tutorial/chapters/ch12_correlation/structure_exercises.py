"""Three exercises of chapter 12: the ten largest hinges, decorrelation by norms, and a residual step that is shared."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import relu

from itm_tutorial.chapters.exercise import Exercise, random_size


def _distances(g: torch.Generator, few: bool = False, far: float = 0.0) -> tuple[Tensor, Tensor, float]:
    """Distances of a few anchors to their positive and to negatives, and a margin."""
    n_anchors, n_negatives = random_size(g, 2, 6), random_size(g, 3, 9) if few else random_size(g, 12, 30)
    positive = 0.3 + 0.4 * torch.rand(n_anchors, generator=g)
    negatives = 0.4 + 0.8 * torch.rand(n_anchors, n_negatives, generator=g) + far
    return positive, negatives, 0.05 + 0.1 * random_size(g, 0, 3)


def _ten_by_loop(positive: Tensor, negatives: Tensor, margin: float) -> Tensor:
    total = 0.0
    for own, others in zip(positive.tolist(), negatives.tolist(), strict=True):
        hinges = sorted((max(0.0, margin + own - other) for other in others), reverse=True)[:10]
        total += sum(hinges) / len(hinges)
    return torch.tensor(total / len(positive))


def _own_ten_largest_hinges(positive, negatives, margin):
    hinges = (margin + positive[:, None] - negatives).clamp(min=0)  # [n_anchors, n_negatives]
    k = min(10, hinges.shape[1])
    return hinges.topk(k, dim=1).values.mean()


def _hinges(p: Tensor, n: Tensor, m: float) -> Tensor:
    return (m + p[:, None] - n).clamp(min=0)


def _top(hinges: Tensor) -> Tensor:
    return hinges.topk(min(10, hinges.shape[1]), dim=1).values


ten_largest_hinges = Exercise(
    name="ten_largest_hinges",
    minutes=10,
    difficulty=2,
    hints=(
        "A distance is small for what belongs together: the hinge is margin + distance to the positive - distance to "
        "the negative, and at least 0.",
        "hinges = (margin + positive[:, None] - negatives).clamp(min=0), then topk(10, dim=1) for each anchor.",
        "Average all ten, zeros too: .values.mean(). With fewer than ten negatives, take k = min(10, n_negatives).",
    ),
    reference=_ten_by_loop,
    own=_own_ten_largest_hinges,
    inputs={
        "many negatives": _distances,
        "negatives of which few violate": lambda g: _distances(g, far=0.25),
        "fewer than ten negatives": lambda g: _distances(g, few=True),
    },
    begin="Start from the distances `positive` [n_anchors] and `negatives` [n_anchors, n_negatives]; return a number.",
    remarks={
        "fewer than ten negatives": "An anchor with six negatives has six hinges: average those.",
        "negatives of which few violate": "Hinges of zero are among the ten largest there, and they count.",
    },
    mistakes=(
        (
            lambda p, n, m: _top(_hinges(p, n, m)).sum() / (_top(_hinges(p, n, m)) > 0).sum().clamp(min=1),
            "The mean is over the hinges above zero. All ten count: anchors that are nearly done weigh less then.",
        ),
        (
            lambda p, n, m: _top(_hinges(p, n, m)).sum(1).mean(),
            "The ten hinges of an anchor are added up. Take their mean.",
        ),
        (
            lambda p, n, m: _top(_hinges(p, n, m)).sum(),
            "All hinges are added up. Take the mean over the ten, and over the anchors.",
        ),
        (
            lambda p, n, m: _hinges(p, n, m).amax(1).mean(),
            "Only the largest hinge of an anchor counts: that is VSE++. Take the ten largest.",
        ),
        (
            lambda p, n, m: _hinges(p, n, m).mean(),
            "All negatives count. Take the ten largest hinges of each anchor.",
        ),
        (
            lambda p, n, m: (m - p[:, None] + n).clamp(min=0).topk(min(10, n.shape[1]), dim=1).values.mean(),
            "This hinge is for similarities. A distance is smaller for the positive: margin + positive - negative.",
        ),
        (
            lambda p, n, m: (m + p[:, None] - n).topk(min(10, n.shape[1]), dim=1).values.mean(),
            "Negatives that are far enough away have a negative cost. Clamp the hinges at 0.",
        ),
        (
            lambda p, n, m: _hinges(p, n, m).flatten().topk(min(10, n.numel())).values.mean(),
            "The ten largest of the whole table are taken. Take ten of each anchor: topk(10, dim=1).",
        ),
        (
            lambda p, n, m: _top(_hinges(p, n, m)).sum(1).mean() / 10,
            "The sum is divided by ten even where an anchor has fewer negatives.",
        ),
        (
            lambda p, n, m: _top(_hinges(p.square(), n.square(), m)).mean(),
            "The distances are squared. This loss takes them as they are.",
        ),
    ),
)


def _hidden(g: torch.Generator, shift: float = 0.0) -> tuple[Tensor]:
    """Hidden layers of a batch, whose numbers go together in part."""
    n, dim = random_size(g, 5, 12), random_size(g, 2, 5)
    mixed = torch.randn(n, dim, generator=g) @ (torch.eye(dim) + 0.5 * torch.randn(dim, dim, generator=g))
    return (mixed + shift,)


def _norms_by_loop(h: Tensor) -> Tensor:
    rows, dim = h.double().tolist(), h.shape[1]
    c = [[sum(row[a] * row[b] for row in rows) / len(rows) for b in range(dim)] for a in range(dim)]
    whole = math.sqrt(sum(value**2 for row in c for value in row))
    return torch.tensor(whole - math.sqrt(sum(c[a][a] ** 2 for a in range(dim))))


def _own_decorrelation(h):
    c = h.T @ h / len(h)  # [dim, dim]
    return c.norm() - c.diagonal().norm()


def _c(h: Tensor) -> Tensor:
    return h.T @ h / len(h)


decorrelation = Exercise(
    name="decorrelation",
    minutes=10,
    difficulty=2,
    hints=(
        "C = h^T h / n is one table for the batch, [dim, dim]. Nothing is subtracted from h first.",
        "Two lengths: that of all numbers of C (the Frobenius norm), and that of its diagonal alone.",
        "c.norm() - c.diagonal().norm(), with c = h.T @ h / len(h).",
    ),
    reference=_norms_by_loop,
    own=_own_decorrelation,
    inputs={
        "numbers that go together": _hidden,
        "numbers far from mean 0": lambda g: _hidden(g, shift=2.0),
        "a single row": lambda g: (_hidden(g)[0][:1],),
    },
    spared=("numbers in the hundreds",),  # there the difference of two large norms keeps few digits in float32
    begin="Start from `h` [n, dim], the middle layer of a batch; return one number.",
    remarks={"numbers far from mean 0": "C is not centred: a constant number of h goes together with every other one."},
    mistakes=(
        (
            lambda h: _c(h).square().sum() - _c(h).diagonal().square().sum(),
            "This is the sum of the squares off the diagonal. Take the difference of the two norms.",
        ),
        (
            lambda h: (_c(h).square().sum() - _c(h).diagonal().square().sum()).clamp(min=0).sqrt(),
            "This is the norm of what is off the diagonal. Take the norm of all minus the norm of the diagonal.",
        ),
        (
            lambda h: _c(h - h.mean(0)).norm() - _c(h - h.mean(0)).diagonal().norm(),
            "h is centred first. The published term does not subtract the mean.",
        ),
        (
            lambda h: (_c(h).norm() - _c(h).diagonal().norm()) * len(h),
            "h.T @ h is not divided by n: the term grows with the batch.",
        ),
        (
            lambda h: (_c(h).norm() - _c(h).diagonal().norm()) * len(h) / max(1, len(h) - 1),
            "h.T @ h is divided by n - 1. Divide it by n.",
        ),
        (
            lambda h: (h @ h.T / len(h)).norm() - (h @ h.T / len(h)).diagonal().norm(),
            "This compares rows of the batch with each other. Compare numbers of h: h.T @ h.",
        ),
        (
            lambda h: _c(h).norm() - _c(h).trace(),
            "The trace adds up the diagonal. Take its norm: the root of the sum of squares.",
        ),
        (
            lambda h: _c(h).abs().sum() - _c(h).diagonal().abs().sum(),
            "Absolute values are added up. A norm is the root of the sum of squares.",
        ),
        (
            lambda h: _c(h).diagonal().norm() - _c(h).norm(),
            "The sign is turned: the term would reward numbers that go together.",
        ),
    ),
)


def _start(g: torch.Generator, negative: bool = False) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """h_0, W and b of the shared layer, and the weights of four states."""
    n, dim = random_size(g, 2, 6), random_size(g, 2, 5)
    start = torch.randn(n, dim, generator=g)
    weight, bias = 0.6 * torch.randn(dim, dim, generator=g), 0.3 * torch.randn(dim, generator=g)
    mix = torch.rand(4, generator=g) + 0.1
    return (-start.abs() - 0.2 if negative else start), weight, bias, mix


def _states_by_loop(start: Tensor, weight: Tensor, bias: Tensor, mix: Tensor) -> Tensor:
    rows, w, b, a = (x.double().tolist() for x in (start, weight, bias, mix))
    fused = []
    for h in rows:
        total = [0.0] * len(h)
        for step in range(4):
            added = [sum(x * y for x, y in zip(w[d], h, strict=True)) + b[d] for d in range(len(h))]
            h = [x + max(0.0, y) for x, y in zip(h, added, strict=True)]
            total = [t + a[step] * x for t, x in zip(total, h, strict=True)]
        fused.append(total)
    return torch.tensor(fused)


def _own_fused_states(start, weight, bias, mix):
    h, fused = start, 0.0
    for share in mix:
        h = h + (h @ weight.T + bias).relu()  # [n, dim]
        fused = fused + share * h
    return fused


def _walk(start: Tensor, step, n_steps: int = 4) -> list[Tensor]:
    """h_0 and the states after it."""
    states = [start]
    for _ in range(n_steps):
        states.append(step(states[-1]))
    return states


def _mixed(states: list[Tensor], mix: Tensor) -> Tensor:
    return sum(share * state for share, state in zip(mix, states, strict=False))


def _usual(w: Tensor, b: Tensor):
    return lambda h: h + relu(h @ w.T + b)


fused_states = Exercise(
    name="fused_states",
    minutes=15,
    difficulty=2,
    hints=(
        "One layer, applied four times: the same weight and bias in each step, on the state that the last step made.",
        "A step adds to the state: h = h + (h @ weight.T + bias).relu().",
        "Loop over the four numbers of mix; after each step add mix[t] * h. h_0 itself is not added.",
    ),
    reference=_states_by_loop,
    own=_own_fused_states,
    inputs={"states of either sign": _start, "states below zero": lambda g: _start(g, negative=True)},
    shape="[n, dim]",
    begin="Start from `start` [n, dim], h_0; `weight` [dim, dim] and `bias` [dim] are those of nn.Linear; return the "
    "sum of the four states after it, weighed by `mix` [4].",
    varied=("start",),
    mistakes=(
        (
            lambda s, w, b, a: _mixed(_walk(s, _usual(w, b)), a),
            "The fusion starts with h_0. Fuse the four states after it.",
        ),
        (
            lambda s, w, b, a: _walk(s, _usual(w, b))[-1],
            "Only the last state comes back. Return the sum of all four, weighed by mix.",
        ),
        (
            lambda s, w, b, a: a[3] * _walk(s, _usual(w, b))[-1],
            "Only the last state is weighed. Add up all four.",
        ),
        (
            lambda s, w, b, a: _mixed(_walk(s, _usual(w, b), 3)[1:], a),
            "The layer is applied three times. The paper's t = 3 counts from 0: apply it four times.",
        ),
        (
            lambda s, w, b, a: _mixed(_walk(s, lambda h: relu(h @ w.T + b))[1:], a),
            "A step replaces the state. A residual step adds to it: h + relu(...).",
        ),
        (
            lambda s, w, b, a: _mixed(_walk(s, lambda h: s + relu(h @ w.T + b))[1:], a),
            "Every step adds to h_0. Add to the state that the last step made.",
        ),
        (
            lambda s, w, b, a: _mixed(_walk(s, lambda h: h + relu(s @ w.T + b))[1:], a),
            "The layer reads h_0 in every step. Let it read the state that the last step made.",
        ),
        (
            lambda s, w, b, a: _mixed(_walk(s, lambda h: relu(h + h @ w.T + b))[1:], a),
            "The ReLU is outside the sum. Only what the layer adds goes through it.",
        ),
        (
            lambda s, w, b, a: _mixed(_walk(s, lambda h: h + h @ w.T + b)[1:], a),
            "There is no ReLU: four linear steps are one linear map.",
        ),
        (
            lambda s, w, b, a: _mixed(_walk(s, lambda h: h + relu(h @ w + b))[1:], a),
            "The weight is not transposed: nn.Linear computes h @ weight.T + bias.",
        ),
        (
            lambda s, w, b, a: sum(_walk(s, _usual(w, b))[1:]) / 4,
            "This is the plain mean of the states. Weigh them by mix.",
        ),
    ),
)
