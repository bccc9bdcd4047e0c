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
    "rank_loss": [
        rank_loss_by_mask,
        rank_loss_by_rows,
        lambda s, y, m: ((torch.relu(m - s[torch.arange(len(s)), y][:, None].double() + s).sum() / len(s)) - m).float(),
    ],
    "zero_shot": [
        lambda s, c: torch.full_like(s, -torch.inf).index_copy(1, c, s[:, c]).argmax(1),
        lambda s, c: torch.stack([c[row[c].argmax()] for row in s]),
        lambda s, c: (s.index_fill(1, c, torch.inf).isinf().logical_not() * -1e30 + s).argmax(1),
    ],
    "hierarchical_precision": [
        precision_by_sets,
        precision_by_mask,
        lambda s, y, d, k: sum(
            100 * (d[one][row.topk(k).indices] <= sorted(d[one].tolist())[k - 1]).sum().item() / k / len(s)
            for row, one in zip(s, y.tolist(), strict=True)
        ),
    ],
    "k_occurrence": [
        occurrence_by_ranks,
        occurrence_by_adding,
        lambda s, k: (s >= s.kthvalue(s.shape[1] - k + 1, dim=1, keepdim=True).values).sum(0),
    ],
    "length_bias": [
        bias_by_hand,
        lambda s, w: float(w.norm(dim=-1)[s.argmax(-1)].mean() / w.norm(dim=-1).mean()),
        lambda s, w: (
            float(w.double().norm(dim=1) @ s.argmax(1).bincount(minlength=len(w)).double())
            / len(s)
            / float(w.double().norm(dim=1).mean())
        ),
    ],
}


def filled(value):
    return lambda s, c: torch.full_like(s, value).index_copy(1, c, s[:, c]).argmax(1)


def by_equal_scores(scores, labels, margin):
    positives = scores.gather(1, labels[:, None])
    return torch.relu(margin - positives + scores)[scores != positives].sum() / len(scores)


def by_equal_costs(scores, labels, margin):
    costs = torch.relu(margin - scores.gather(1, labels[:, None]) + scores)
    return costs[costs != costs.gather(1, labels[:, None])].sum() / len(scores)


def of_nearest(scores, identity, distances, k):
    near = distances[identity].topk(k, dim=1, largest=False).indices
    guesses = scores.topk(k, dim=1).indices
    return 100 * (guesses[:, :, None] == near[:, None]).any(2).double().mean().item()


WRONG = {
    "rank_loss": [
        (by_equal_scores, "A wrong label that ties with the right one is left out with it"),
        (by_equal_costs, "A wrong label that ties with the right one is left out with it"),
        (lambda s, y, m: rank_loss_by_mask(s.clamp(-5, 5), y, m), "do not clamp"),
        (lambda s, y, m: rank_loss_by_mask(s, y, m).round(decimals=1), "and right is"),
        (lambda s, y, m: rank_loss_by_mask(s, y, 0.2), "and right is"),
    ],
    "zero_shot": [
        *((filled(value), "leave them out, or give them -torch.inf") for value in (-5.0, -10.0, -100.0, -1e4)),
        (lambda s, c: c[s[:, c].abs().argmax(1)], "and right is"),
        (lambda s, c: c.sort().values[s[:, c].argmax(1)], "right for candidates in order"),
    ],
    "hierarchical_precision": [
        (of_nearest, "C_k contains all of them"),
        (lambda s, y, d, k: round(precision_by_sets(s, y, d, k)), "and right is"),
        (lambda s, y, d, k: precision_by_sets(s, y, d, 1), "wrong for a tree"),
        (lambda s, y, d, k: precision_by_sets(s.abs(), y, d, k), "and right is"),
    ],
    "k_occurrence": [
        (lambda s, k: (s > s.kthvalue(s.shape[1] - k + 1, dim=1, keepdim=True).values).sum(0), "and right is"),
        (lambda s, k: occurrence_by_ranks(s.abs(), k), "and right is"),
        (lambda s, k: occurrence_by_ranks(s, 2), "and right is"),
        (lambda s, k: occurrence_by_ranks(s, k).clamp(max=len(s) // 2), "and right is"),
    ],
    "length_bias": [
        (lambda s, w: w.norm(dim=1)[s.argmax(1)].median().item() / w.norm(dim=1).mean().item(), "and right is"),
        (lambda s, w: round(bias_by_hand(s, w), 2), "and right is"),
        (lambda s, w: bias_by_hand(s.abs(), w), "and right is"),
        (lambda s, w: (w.norm(dim=1)[s.argmax(1)] / w.norm(dim=1).sum()).sum().item(), "This compares sums"),
        (lambda s, w: bias_by_hand(s, w.clamp(-1, 1)), "and right is"),
    ],
}
each_exercise = pytest.mark.parametrize("exercise", exercises.EXERCISES, ids=lambda e: e.name)


@each_exercise
def test_right_answers_pass(exercise, exercise_checks):
    exercise_checks.right_answers(exercise, RIGHT[exercise.name])


@each_exercise
def test_wrong_answers_are_named(exercise, exercise_checks):
    exercise_checks.wrong_answers(exercise, WRONG[exercise.name])


# What a learner may return by mistake; a tensor that fits no exercise stands for every wrong shape.
ODD = {
    "nothing": None,
    "a text": "0.5",
    "a list of texts": ["fox", "owl"],
    "a dictionary": {"loss": 0.5},
    "NaN": torch.tensor(torch.nan),
    "numbers of a wrong shape": torch.zeros(2, 3, 5, 7),
    "an empty tensor": torch.zeros(0),
    "another device": torch.zeros(3, device="meta"),
    "complex numbers": torch.zeros(3, dtype=torch.complex64),
    "truth values": torch.zeros(3, dtype=torch.bool),
    "a class": torch.Tensor,
}


@each_exercise
@pytest.mark.parametrize("what", ODD)
def test_whatever_is_returned_ends_in_words(exercise, what):
    verdict = exercise.verdict(lambda *inputs: ODD[what])
    assert verdict.startswith("Not yet.") and "Traceback" not in verdict


@each_exercise
def test_the_beginning_gives_no_hint_away(exercise):
    assert exercise.begin and all(hint not in exercise.begin for hint in exercise.hints)
    assert exercise.begin in " ".join(exercise.verdict(None).split())
