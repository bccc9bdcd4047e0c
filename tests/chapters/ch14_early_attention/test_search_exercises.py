"""The exercises on counts, costs and shortlists: right answers pass, and typical mistakes are named."""

import math

import pytest
import torch

from itm_tutorial.chapters.ch14_early_attention.search_exercises import SEARCH_EXERCISES
from itm_tutorial.evaluation.retrieval_metrics import evaluate

recalls, costs, crossing, shortlist = SEARCH_EXERCISES


def recalls_by_slices(counts):
    return torch.stack([100 * counts[:k].sum() / counts.sum() for k in (1, 5, 10)])


def recalls_by_ranks(counts):
    ranks = torch.repeat_interleave(torch.arange(len(counts)), counts)
    return torch.stack([(ranks < k).float().mean() * 100 for k in (1, 5, 10)])


def recalls_by_parts(counts):
    parts = torch.stack([counts[:1].sum(), counts[1:5].sum(), counts[5:10].sum()])
    return 100 * parts.cumsum(0) / counts.sum()


def costs_by_columns(steps, n_regions, n_words, dim):
    stored = torch.tensor([steps + 1, n_regions + 1, 1, n_regions])
    pair = torch.tensor([steps + 1, steps * (n_regions + n_words + 8 * dim), 1, n_regions * n_words])
    return dim * torch.stack([stored, pair], 1)


def costs_in_place(steps, n_regions, n_words, dim):
    table = torch.zeros(4, 2, dtype=torch.long)
    table[0], table[2] = (steps + 1) * dim, dim
    table[1, 0], table[3, 0] = n_regions * dim + dim, n_regions * dim
    for _ in range(steps):
        table[1, 1] += n_regions * dim + n_words * dim + dim * 4 * dim + dim * 4 * dim
    table[3, 1] = n_words * table[3, 0]
    return table


def costs_by_rows(steps, n_regions, n_words, dim):
    index = torch.tensor([dim, dim])
    lstm = torch.tensor([(n_regions + 1) * dim, steps * dim * (n_regions + n_words + 4 * dim + 4 * dim)])
    return torch.stack([(steps + 1) * index, lstm, index, torch.tensor([1, n_words]) * n_regions * dim])


def crossing_without_dim(steps, n_regions, n_words, dim):
    return steps * n_regions * dim / (n_regions * n_words - steps - 1)


def crossing_by_solver(steps, n_regions, n_words, dim):
    low, high = 0.0, 1e9
    for _ in range(200):
        n = (low + high) / 2
        index = steps * n_regions * dim**2 + n * (steps + 1) * dim
        low, high = (n, high) if index > n * n_regions * n_words * dim else (low, n)
    return (low + high) / 2


def crossing_by_algebra(steps, n_regions, n_words, dim):
    a = torch.tensor([[1.0, -(steps + 1) * dim], [1.0, -n_regions * n_words * dim]], dtype=torch.float64)
    b = torch.tensor([steps * n_regions * dim**2, 0.0], dtype=torch.float64)
    return torch.linalg.solve(a, b)[1].item()


def shortlist_by_ranks(scores, image_of, k):
    own = scores[image_of, torch.arange(len(image_of))]
    return 100 * ((scores > own).sum(0) < k).float().mean().item()


def shortlist_by_sorting(scores, image_of, k):
    order = scores.argsort(0, descending=True)[:k]
    hits = sum(int(own in order[:, caption]) for caption, own in enumerate(image_of))
    return hits * 100 / len(image_of)


def shortlist_by_marks(scores, image_of, k):
    chosen = torch.zeros(scores.shape, dtype=torch.bool).scatter(0, scores.topk(k, dim=0).indices, True)
    return chosen[image_of, torch.arange(len(image_of))].double().mean().item() * 100


RIGHT = {
    "recalls_from_counts": (recalls_by_slices, recalls_by_ranks, recalls_by_parts),
    "costs": (costs_by_columns, costs_in_place, costs_by_rows),
    "crossing_point": (crossing_without_dim, crossing_by_solver, crossing_by_algebra),
    "shortlist_recall": (shortlist_by_ranks, shortlist_by_sorting, shortlist_by_marks),
}
WRONG = {
    "recalls_from_counts": (
        (lambda c: recalls_by_slices(c).flip(0), "many ranks"),
        (lambda c: recalls_by_slices(c)[:, None], "[3]"),
        (lambda c: recalls_by_slices(c).round(), "recalls_from_counts gives"),
        (lambda c: 100 * c.cumsum(0)[[0, 4, 9]] / c.sum(), "four ranks: There may be fewer"),
    ),
    "costs": (
        (lambda *x: costs.own(*x).T, "[4, 2]"),
        (lambda *x: costs.own(*x)[[0, 2, 1, 3]], "several steps"),
        (lambda *x: costs.own(*x) // x[3], "several steps"),
        (lambda *x: costs.own(*x).float(), "int64"),
    ),
    "crossing_point": (
        (lambda *x: math.ceil(crossing.own(*x)), "crossing_point gives"),
        (lambda *x: crossing.own(x[0], x[2], x[1], x[3]), "crossing_point gives"),
        (lambda *x: torch.tensor(crossing.own(*x), dtype=torch.float64), "plain number"),
        (lambda *x: 85.3, "crossing_point gives"),
    ),
    "shortlist_recall": (
        (lambda s, own, k: torch.tensor(shortlist.own(s, own, k)), "plain number"),
        (lambda s, own, k: 100.0, "shortlist_recall gives"),
        (lambda s, own, k: 100 * k / len(s), "shortlist_recall gives"),
        (lambda s, own, k: shortlist.own(s[:, : len(s)], own[: len(s)], k), "several captions per image"),
    ),
}
every = pytest.mark.parametrize("exercise", SEARCH_EXERCISES, ids=lambda exercise: exercise.name)


@every
def test_right_answers_pass(exercise, exercise_checks):
    exercise_checks.right_answers(exercise, RIGHT[exercise.name])


@every
def test_wrong_answers_are_named(exercise, exercise_checks):
    exercise_checks.wrong_answers(exercise, WRONG[exercise.name])


def test_the_slices_of_the_port_give_a_recall_that_is_too_low():
    counts = torch.tensor([1] * 10)
    assert recalls.own(counts).tolist() == [10, 50, 100]
    assert recalls.mistakes[0][0](counts).tolist() == [10, 50, 90]


def test_the_lines_cross_where_the_paper_sizes_say():
    sizes = (2, 36, 12, 512)  # steps, regions, words, numbers per vector
    n = crossing.own(*sizes)
    assert n == pytest.approx(85.93, abs=0.01)
    assert crossing.mistakes[0][0](*sizes) == pytest.approx(85.33, abs=0.01)  # comparisons as free: K * D / n
    table = costs.own(*sizes)
    once = 2 * 36 * 512**2
    assert once + n * table[0, 1].item() == pytest.approx(n * table[3, 1].item())
    assert table[0].tolist() == [1536, 1536] and costs.own(3, 36, 12, 1024)[1, 1] == 3 * 48 * 1024 + 24 * 1024**2


def test_a_shortlist_allows_the_recall_of_the_cheap_model_at_its_length():
    generator = torch.Generator().manual_seed(3)
    scores, image_of, _ = shortlist.inputs["several captions per image"](generator)
    report = evaluate(scores, image_of)
    for k in (1, 5):
        assert shortlist.own(scores, image_of, k) == pytest.approx(getattr(report.t2i, f"r{k}"), abs=1e-3)
