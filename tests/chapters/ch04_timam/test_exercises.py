"""The exercises of chapter 04: right answers pass, however they are written, and typical mistakes are named."""

import pytest
import torch
from torch.nn.functional import normalize

from itm_tutorial.chapters.ch04_timam import exercises


def cosine_by_division(embeddings, weight):
    lengths = embeddings.norm(dim=1)[:, None] * weight.norm(dim=1)[None, :]
    return torch.einsum("nd,pd->np", embeddings, weight) / lengths


def probabilities_by_rows(images, captions):
    lengths = (captions * captions).sum(1).sqrt()
    return torch.stack([torch.softmax((captions @ image) / lengths, 0) for image in images])


def targets_by_rows(match):
    return torch.stack([row / row.sum() for row in match.float()])


def divergence_by_logs(probabilities, targets):
    rows = [(p * (p.log() - (q + 1e-8).log())).sum() for p, q in zip(probabilities, targets, strict=True)]
    return sum(rows) / len(rows)


def max_by_captions(states, lengths):
    return torch.stack([rows[:n].max(0).values for rows, n in zip(states, lengths.tolist(), strict=True)])


def max_by_weights(states, lengths):
    real = torch.arange(states.shape[1]) < lengths[:, None]
    return torch.where(real[:, :, None], states, torch.full_like(states, -1e30)).max(dim=1).values


def person_recall_by_ranks(scores, shown, described, k):
    positives = shown[:, None] == described[None]
    best = scores.masked_fill(~positives, -torch.inf).amax(0)
    return 100 * float(((scores > best).sum(0) < k).float().mean())


def person_recall_by_captions(scores, shown, described, k):
    hits = [who in shown[column.argsort(descending=True)[:k]] for column, who in zip(scores.T, described, strict=True)]
    return 100 * sum(hits) / len(hits)


def precision_by_classes(scores, identity, k):
    precisions = [(identity[column.topk(k).indices] == c).double().mean() for c, column in enumerate(scores.T)]
    return 100 * float(sum(precisions) / len(precisions))


def precision_by_one_hot(scores, identity, k):
    own = torch.nn.functional.one_hot(identity, scores.shape[1]).double()
    return float(own.gather(0, scores.argsort(0, descending=True)[:k]).mean() * 100)


RIGHT = {
    "projection_shares": [
        probabilities_by_rows,
        lambda i, c: torch.softmax(i @ normalize(c, dim=-1).T, -1),
    ],
    "matching_targets": [targets_by_rows, lambda m: normalize(m.float(), p=1, dim=1)],
    "divergence": [
        divergence_by_logs,
        lambda p, q: torch.nn.functional.kl_div((q + 1e-8).log(), p, reduction="batchmean"),
    ],
    "norm_softmax_logits": [
        lambda c, w, s: s * cosine_by_division(c, w),
        lambda c, w, s: s * normalize(c, dim=-1) @ normalize(w, dim=-1).T,
    ],
    "max_over_words": [max_by_captions, max_by_weights],
    "person_recall": [person_recall_by_ranks, person_recall_by_captions],
    "held_out": [
        lambda identity, order, n: (identity[:, None] == order[None, :n]).any(1),
        lambda identity, order, n: torch.tensor([who in order[:n].tolist() for who in identity.tolist()]),
    ],
    "precision_at_k": [precision_by_classes, precision_by_one_hot],
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
