"""The exercises of chapter 02: right answers pass, however they are written, and typical mistakes are named."""

import numpy as np
import pytest
import torch

from itm_tutorial.chapters.ch02_vsepp import exercises
from itm_tutorial.evaluation.retrieval_metrics import evaluate, evaluate_folds


def recall_by_counting(ranks, k):
    hits = 0
    for rank in ranks:
        if int(rank) - 1 < k:
            hits = hits + 1
    return hits * 100 / ranks.numel()


def hardest_by_sorting(scores, margin):
    found = scores.new_zeros(())
    for s in (scores, scores.T):
        for i, row in enumerate(s):
            hardest = torch.cat([row[:i], row[i + 1 :]]).sort().values[-1]
            found = found + torch.relu(margin + hardest - row[i])
    return found


def hardest_by_masking_scores(scores, margin):
    negatives = scores - 1e9 * torch.eye(len(scores))
    return sum(torch.relu(margin - scores.diag() + negatives.max(d).values).sum() for d in (0, 1))


def caption_recall_by_first(scores, image_of):
    hits = []
    for image in image_of.unique().tolist():
        order = sorted(range(len(image_of)), key=lambda c: (-scores[image, c].item(), image_of[c] == image))
        hits.append(image_of[order[0]] == image)
    return 100 * sum(map(bool, hits)) / len(hits)


def folds_by_evaluating(scores, image_of, n_folds):
    return evaluate_folds(scores, image_of, n_folds).t2i.r1


def folds_by_chunks(scores, image_of, n_folds):
    recalls = []
    for images in torch.arange(len(scores)).chunk(n_folds):
        ranks = []
        for caption, image in enumerate(image_of.tolist()):
            if image in images:
                column = scores[images, caption]
                ranks.append(int((column >= scores[image, caption]).sum()))
        recalls.append(recall_by_counting(torch.tensor(ranks), 1))
    return float(np.mean(recalls))


def bug_by_loops(loss):
    scores = torch.tensor([[0.5, 0.6, 0.7], [0.9, 0.5, 0.2], [-0.9, -0.9, 0.8]])
    correct, found = exercises.hardest_negative_loss.own(scores, 0.1).item(), loss(scores, 0.1).item()
    if abs(found - correct) < 1e-4:
        return 0
    if abs(found - correct - 0.2) < 1e-4:  # the last pair pays its own margin, in both directions
        return 1
    if abs(found * 6 - correct) < 1e-3:
        return 4
    return 3 if loss(torch.eye(2), 0) < 0 else 2


def bug_by_guessing_once(loss):
    for number, other in enumerate(exercises.SUSPECTS):
        scores = torch.randn(5, 5, generator=torch.Generator().manual_seed(1)) + 1.5 * torch.eye(5)
        if torch.allclose(loss(scores, 0.2), other(scores, 0.2)):
            return number


RIGHT = {
    "hardest_negative_loss": [hardest_by_sorting, hardest_by_masking_scores],
    "top_k_loss": [
        lambda c, k: c.sort(dim=1, descending=True).values[:, :k].sum(),
        lambda c, k: torch.stack([row.topk(min(k, len(row))).values.sum() for row in c]).sum(),
    ],
    "caption_recall": [caption_recall_by_first, lambda s, o: evaluate(s, o).i2t.r1],
    "recall_in_folds": [folds_by_evaluating, folds_by_chunks],
    "collapse_loss": [
        lambda n, m, k: 2 * n * m * (k if k < n else n - 1),
        lambda n, m, k: float(2 * (m * torch.ones(n, n - 1).double()).topk(min(k, n - 1), dim=1).values.sum()),
    ],
    "which_bug": [bug_by_loops, bug_by_guessing_once],
    "without_same_image": [
        lambda c, o: c * (o[:, None] != o),
        lambda c, o: torch.where(o.unsqueeze(1) == o.unsqueeze(0), torch.zeros_like(c), c),
    ],
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
