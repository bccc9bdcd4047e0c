"""The exercises of chapter 01: right answers pass, however they are written, and typical mistakes are named."""

import pytest
import torch

from itm_tutorial.chapters.ch01_devise import exercises


def rank_loss_by_mask(scores, labels, margin):
    n, m = scores.shape
    negatives = torch.arange(m)[None, :] != labels[:, None]
    costs = torch.relu(scores - scores[torch.arange(n), labels][:, None] + margin)
    return costs[negatives].sum() / n


def rank_loss_by_rows(scores, labels, margin):
    return torch.stack(
        [(margin - s[y] + s).clamp(min=0).sum() - margin for s, y in zip(scores, labels, strict=True)]
    ).mean()


def precision_by_sets(scores, identity, distances, k):
    hits = 0
    for row, y in zip(scores, identity, strict=True):
        reach = distances[y].sort().values[k - 1]
        near = set((distances[y] <= reach).nonzero().flatten().tolist())
        hits += len(near & set(row.argsort(descending=True)[:k].tolist()))
    return 100 * hits / (k * len(scores))


def precision_by_mask(scores, identity, distances, k):
    guessed = torch.zeros_like(scores).scatter(1, scores.topk(k).indices, 1.0)
    from_label = distances[identity]
    near = from_label <= from_label.kthvalue(k, dim=1, keepdim=True).values
    return float((guessed * near).sum(1).div(k).mean() * 100)


def occurrence_by_ranks(scores, k):
    return (scores.argsort(1, descending=True).argsort(1) < k).sum(0)


def occurrence_by_adding(scores, k):
    counts = torch.zeros(scores.shape[1], dtype=torch.int64)
    for row in scores:
        counts[row.topk(k).indices] += 1
    return counts


def bias_by_hand(scores, words):
    lengths = torch.sqrt((words * words).sum(-1))
    return lengths[scores.max(1).indices].mean().item() / lengths.mean().item()


RIGHT = {
    "rank_loss": [rank_loss_by_mask, rank_loss_by_rows],
    "zero_shot": [
        lambda s, c: torch.full_like(s, -torch.inf).index_copy(1, c, s[:, c]).argmax(1),
        lambda s, c: torch.stack([c[row[c].argmax()] for row in s]),
    ],
    "hierarchical_precision": [precision_by_sets, precision_by_mask],
    "k_occurrence": [occurrence_by_ranks, occurrence_by_adding],
    "length_bias": [bias_by_hand, lambda s, w: float(w.norm(dim=-1)[s.argmax(-1)].mean() / w.norm(dim=-1).mean())],
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
