"""The exercises of chapter 02: right answers pass, however they are written, and typical mistakes are named."""

import inspect

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


def beats(row, own):
    return bool(row[own].max() > row[~own].max()) if (~own).any() else True


def folds_by_reshaping(scores, image_of, n_folds):
    size = len(scores) // n_folds
    parts = scores.view(n_folds, size, -1)[image_of // size, :, torch.arange(len(image_of))]  # [n_captions, size]
    hits = (parts >= parts.gather(1, image_of[:, None] % size)).sum(1) == 1
    folds = image_of // size
    return float(torch.stack([100 * hits[folds == fold].double().mean() for fold in range(n_folds)]).mean())


def votes(loss, generators):
    found = []
    for generator in generators:
        scores = torch.randn(6, 6, generator=generator) + 2 * torch.eye(6)
        near = [abs(float(loss(scores, 0.2) - other(scores, 0.2))) for other in exercises.SUSPECTS]
        found.append(near.index(min(near)))
    return found


def bug_by_majority(loss):
    found = votes(loss, [None] * 3)
    return max(set(found), key=found.count)


def bug_by_counting_votes(loss):
    return torch.tensor(votes(loss, [torch.Generator().manual_seed(seed) for seed in range(3)])).mode().values


def bug_by_seeds(loss):
    torch.manual_seed(1)
    return np.bincount(votes(loss, [None] * 3)).argmax()


def by_equal_diagonal(scores, margin):
    found = 0
    for s in (scores, scores.T):
        negatives = s.masked_fill(s == s.diagonal()[:, None], -torch.inf)
        found = found + torch.relu(margin - s.diagonal() + negatives.amax(1)).sum()
    return found


def captions_filled(value):
    def answer(scores, image_of):
        own = image_of[None] == torch.arange(len(scores))[:, None]
        wins = scores.masked_fill(~own, value).amax(1) > scores.masked_fill(own, value).amax(1)
        return 100 * wins[own.any(1)].double().mean().item()

    return answer


def in_folds(offset=lambda first, size: first, mean=lambda r: sum(r) / len(r), hit=None, of=lambda first, size: first):
    """A loop over folds, some part of which is wrong."""

    def answer(scores, image_of, n_folds):
        size, recalls = len(scores) // n_folds, []
        for first in range(0, len(scores), size):
            own = (image_of >= first) & (image_of < first + size)
            part, targets = (
                scores[of(first, size) : of(first, size) + size][:, own],
                image_of[own] - offset(first, size),
            )
            positives = part[targets, torch.arange(len(targets))]
            hits = hit(part, targets) if hit else (part >= positives).sum(0) == 1
            recalls.append(100 * hits.double().mean().item())
        return mean(recalls)

    return answer


def by_slices(scores, image_of, n_folds):
    size, each = len(scores) // n_folds, len(image_of) // n_folds
    recalls = []
    for fold in range(n_folds):
        part, own = (
            scores[fold * size : (fold + 1) * size, fold * each : (fold + 1) * each],
            image_of[fold * each :][:each],
        )
        targets = (own - fold * size).clamp(0, size - 1)
        positives = part[targets, torch.arange(each)]
        recalls.append(100 * ((part >= positives).sum(0) == 1).double().mean().item())
    return sum(recalls) / n_folds


def halving(recalls):
    average = recalls[0]
    for recall in recalls[1:]:
        average = (average + recall) / 2
    return average


WRONG = {
    "hardest_negative_loss": [
        (by_equal_diagonal, "A negative whose score equals the positive score is left out too"),
        (lambda s, m: hardest_by_sorting(s, m).round(decimals=1), "and right is"),
        (lambda s, m: hardest_by_sorting(s, 0.2), "wrong for scores that are all negative"),
        (
            lambda s, m: sum(torch.relu(m - s.diag() + t.clone().fill_diagonal_(0).amax(1)).sum() for t in (s, s.T)),
            "and right is",
        ),
    ],
    "top_k_loss": [
        (
            lambda c, k: sum(row.unique().sort(descending=True).values[:k].sum() for row in c),
            "Equal costs are counted once",
        ),
        (
            lambda c, k: sum(row[row >= row.topk(min(k, len(row))).values[-1]].sum() for row in c),
            "Every cost equal to the k-th largest is added",
        ),
        (lambda c, k: c.topk(k, dim=1).values.sum(), "stopped with RuntimeError"),
        (lambda c, k: c.topk(min(k, c.shape[1]), 1).values.sum().clamp(max=20), "and right is 2"),
    ],
    "caption_recall": [
        *((captions_filled(value), "minus infinity") for value in (0, -1, -10, -100, -1e4)),
        (lambda s, o: 100 * (o[s.argmax(1)] == torch.arange(len(s)))[o.unique()].double().mean().item(), "with ties"),
        (lambda s, o: round(caption_recall_by_first(s, o)), "and right is"),
    ],
    "recall_in_folds": [
        (
            in_folds(hit=lambda part, targets: part.argmax(0) == targets),
            "argmax takes the first of several tied images",
        ),
        (
            in_folds(hit=lambda part, targets: part.amax(0) == part[targets, torch.arange(len(targets))]),
            "A tie counts as a hit here",
        ),
        (in_folds(mean=halving), "In this running average"),
        (in_folds(mean=lambda r: (r[0] + r[-1]) / 2), "Only the first and the last fold count here"),
        (in_folds(mean=lambda r: r[-1]), "and right is"),
        (in_folds(mean=max), "and right is"),
        (in_folds(offset=lambda first, size: size if first else 0), "the case of three folds or more: Fold i starts"),
        (in_folds(of=lambda first, size: size if first else 0), "Fold i starts at image i * size"),
        (by_slices, "captions in any order"),
    ],
    "collapse_loss": [
        *((lambda n, m, k, d=d: round(2 * n * min(k, n - 1) * m, d), "and right is") for d in (2, 3)),
        (lambda n, m, k: round(2 * n * min(k, n - 1) * m, 1), "rounded to one decimal"),
        (lambda n, m, k: 2 * n * min(k, n - 1) * 0.2, "and right is"),
        (lambda n, m, k: torch.tensor(2 * n * min(k, n - 1) * m), "end with .item()"),
    ],
    "which_bug": [
        (lambda loss: int(loss.__name__[-1]), "recognised by its name, its source or its identity"),
        (lambda loss: exercises.SUSPECTS.index(loss), "recognised by its name, its source or its identity"),
        (
            lambda loss: [inspect.getsource(one) for one in exercises.SUSPECTS].index(inspect.getsource(loss)),
            "recognised by its name, its source or its identity",
        ),
        (lambda loss: {one: n for n, one in enumerate(exercises.SUSPECTS)}[loss], "recognised by its name"),
        (
            lambda loss: [one.__code__ for one in exercises.SUSPECTS].index(loss.__wrapped__.__code__),
            "recognised by its name",
        ),
        (lambda loss: True, "and right is"),
    ],
    "without_same_image": [
        (lambda c, o: c.masked_fill(c == c.diagonal()[:, None], 0), "and right is"),
        (
            lambda c, o: c.masked_fill((o[:, None] == o) | (c == c.diagonal()[:, None]), 0),
            "Costs equal to those of the diagonal are masked too",
        ),
        (lambda c, o: c.masked_fill((o[:, None] - o).abs() < 1, 0).clamp(max=1), "and right is 1."),
        (lambda c, o: c.mul_(o[:, None] != o), "changes costs for whoever called it"),
    ],
}


RIGHT = {
    "hardest_negative_loss": [
        hardest_by_sorting,
        hardest_by_masking_scores,
        lambda s, m: sum(
            torch.relu(m - s.diag().double() + t.double().fill_diagonal_(-torch.inf).amax(1)).sum() for t in (s, s.T)
        ).float(),
    ],
    "top_k_loss": [
        lambda c, k: c.sort(dim=1, descending=True).values[:, :k].sum(),
        lambda c, k: torch.stack([row.topk(min(k, len(row))).values.sum() for row in c]).sum(),
        lambda c, k: (c * (c.argsort(1, descending=True).argsort(1) < k)).sum(),
    ],
    "caption_recall": [
        caption_recall_by_first,
        lambda s, o: evaluate(s, o).i2t.r1,
        lambda s, o: 100 * sum(beats(s[i], o == i) for i in o.unique().tolist()) / len(o.unique()),
    ],
    "recall_in_folds": [folds_by_evaluating, folds_by_chunks, folds_by_reshaping],
    "collapse_loss": [
        lambda n, m, k: 2 * n * m * (k if k < n else n - 1),
        lambda n, m, k: sum(m for _ in range(2 * n) for _ in range(min(k, n - 1))),
        lambda n, m, k: float(2 * (m * torch.ones(n, n - 1).double()).topk(min(k, n - 1), dim=1).values.sum()),
    ],
    "which_bug": [bug_by_loops, bug_by_guessing_once, bug_by_majority, bug_by_counting_votes, bug_by_seeds],
    "without_same_image": [
        lambda c, o: c * (o[:, None] != o),
        lambda c, o: torch.stack([row.masked_fill(o == image, 0) for row, image in zip(c, o, strict=True)]),
        lambda c, o: torch.where(o.unsqueeze(1) == o.unsqueeze(0), torch.zeros_like(c), c),
    ],
}
each_exercise = pytest.mark.parametrize("exercise", exercises.EXERCISES, ids=lambda e: e.name)


@each_exercise
def test_right_answers_pass(exercise, exercise_checks):
    exercise_checks.right_answers(exercise, RIGHT[exercise.name])


@each_exercise
def test_wrong_answers_are_named(exercise, exercise_checks):
    exercise_checks.wrong_answers(exercise, WRONG[exercise.name])
