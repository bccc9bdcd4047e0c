"""Exercises on structure: right answers pass, however they are written, and typical mistakes are named."""

import pytest
import torch

from itm_tutorial.chapters.ch12_correlation import structure_exercises as exercises
from itm_tutorial.losses import two_way
from itm_tutorial.losses.structure import mean_of_largest
from itm_tutorial.models.rrf_net import RecurrentResidual


def ten_by_sorting(positive, negatives, margin):
    nearest = negatives.sort(dim=1).values[:, :10]  # the largest hinges are those of the nearest negatives
    return torch.relu(margin + positive.unsqueeze(1) - nearest).mean()


def ten_by_anchors(positive, negatives, margin):
    means = [
        torch.stack(sorted((margin + p - n).clamp(min=0) for n in row)[-10:]).mean()
        for p, row in zip(positive, negatives, strict=True)
    ]
    return torch.stack(means).mean()


def ten_by_ranks(positive, negatives, margin):
    kept = negatives.argsort(1).argsort(1) < 10
    return ((margin + positive[:, None] - negatives).clamp(min=0) * kept).sum() / kept.sum()


def norms_by_einsum(h):
    c = torch.einsum("na,nb->ab", h, h) / h.shape[0]
    return c.square().sum().sqrt() - c.diag().square().sum().sqrt()


def norms_by_singular_values(h):
    c = (h.mT @ h).div(len(h))
    return torch.linalg.svdvals(c).square().sum().sqrt() - torch.linalg.vector_norm(h.square().mean(0))


def norms_by_outer_products(h):
    c = (h[:, :, None] * h[:, None, :]).mean(0)
    return torch.linalg.matrix_norm(c) - torch.linalg.vector_norm(torch.diagonal(c))


def states_by_stacking(start, weight, bias, mix):
    states = [start]
    for _ in range(4):
        states.append(states[-1] + torch.nn.functional.linear(states[-1], weight, bias).relu())
    return torch.einsum("tnd,t->nd", torch.stack(states[1:]), mix)


def states_by_rows(start, weight, bias, mix):
    fused = []
    for h in start:
        total = torch.zeros_like(h)
        for a in mix:
            h = h + (weight @ h + bias).clamp(min=0)
            total = total + a * h
        fused.append(total)
    return torch.stack(fused)


def states_by_sums(start, weight, bias, mix):
    """h_t is h_0 plus all that was added before."""
    h, fused = start.clone(), mix.sum() * start
    for t in range(4):
        added = (h @ weight.T + bias).relu()
        h = h + added
        fused = fused + mix[t:].sum() * added
    return fused


ALL = (exercises.ten_largest_hinges, exercises.decorrelation, exercises.fused_states)
RIGHT = {
    "ten_largest_hinges": (ten_by_sorting, ten_by_anchors, ten_by_ranks),
    "decorrelation": (norms_by_einsum, norms_by_singular_values, norms_by_outer_products),
    "fused_states": (states_by_stacking, states_by_rows, states_by_sums),
}
WRONG = {
    "ten_largest_hinges": (
        (lambda p, n, m: ten_by_sorting(p, n, 0.0), "many negatives"),
        (lambda p, n, m: ten_by_sorting(p, -n, m), "many negatives"),
        (lambda p, n, m: (m + p[:, None] - n).clamp(min=0).topk(10, dim=1).values.mean(), "fewer than ten"),
    ),
    "decorrelation": (
        (lambda h: norms_by_einsum(h) / h.shape[1], "numbers that go together"),
        (lambda h: (h.T @ h).norm(), "numbers that go together"),
        (lambda h: torch.corrcoef(h.T).norm() - h.shape[1] ** 0.5, "numbers that go together"),
    ),
    "fused_states": (
        (lambda s, w, b, a: states_by_rows(s, w, -b, a), "states of either sign"),
        (lambda s, w, b, a: states_by_rows(s, w, b, a.flip(0)), "states of either sign"),
        (lambda s, w, b, a: states_by_rows(s, w, b, a)[0], "[n, dim]"),
    ),
}
each = pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.name)


@each
def test_right_answers_pass(exercise, exercise_checks):
    exercise_checks.right_answers(exercise, RIGHT[exercise.name])


@each
def test_wrong_answers_are_named(exercise, exercise_checks):
    exercise_checks.wrong_answers(exercise, WRONG[exercise.name])


def test_the_exercises_are_of_chapter_12():
    assert {exercise.chapter for exercise in ALL} == {"12_correlation"}


def test_the_solutions_are_what_the_models_compute():
    positive, negatives = torch.rand(4), torch.rand(4, 15)
    hinges = (0.05 + positive[:, None] - negatives).clamp(min=0)
    expected = mean_of_largest(hinges, torch.ones_like(hinges, dtype=torch.bool), 10)
    assert torch.allclose(exercises.ten_largest_hinges.own(positive, negatives, 0.05), expected)
    h = torch.randn(6, 4)
    assert torch.allclose(exercises.decorrelation.own(h), two_way.decorrelation(h))
    encoder = RecurrentResidual(3, 3, 3, 4, "shared", "all", 0.0)
    encoder.norms = torch.nn.ModuleList(torch.nn.Identity() for _ in range(4))
    start, layer = torch.randn(5, 3), encoder.layers[0]
    fused = exercises.fused_states.own(start, layer.weight, layer.bias, encoder.weights)
    assert torch.allclose(fused, encoder.fuse(encoder.states(start)), atol=1e-6)
