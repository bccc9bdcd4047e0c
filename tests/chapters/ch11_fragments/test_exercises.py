"""The exercises of chapter 11: right answers pass, however they are written, and typical mistakes are named."""

import numpy as np
import pytest
import torch

from itm_tutorial.chapters.ch11_fragments import exercises
from itm_tutorial.chapters.ch11_fragments.measures.dvsa import correlation
from itm_tutorial.interaction.fragments import best_region_scores, thresholded_scores
from itm_tutorial.losses import fragment_alignment


def best_by_captions(dots, mask):
    return torch.stack([d[:, m].max(0).values.sum() for d, m in zip(dots, mask, strict=True)])


def best_by_weights(dots, mask):
    return (dots.sort(dim=1).values[:, -1] * mask).sum(-1)


def best_filled_first(dots, mask):
    return torch.where(mask[:, None], dots, 0.0).amax(1).sum(1)


def thresholded_by_captions(dots, mask, smoothing):
    kept = [d[:, m][d[:, m] > 0].sum() / (int(m.sum()) + smoothing) for d, m in zip(dots, mask, strict=True)]
    return torch.stack(kept)


def thresholded_by_relu(dots, mask, smoothing):
    return torch.einsum("crt,ct->c", dots.relu(), mask.float()) / (mask.float().sum(1) + smoothing)


def thresholded_by_where(dots, mask, smoothing):
    return torch.where((dots > 0) & mask[:, None], dots, 0.0).sum((1, 2)) / mask.sum(1).add(smoothing)


def bias_by_numpy(scores, n_words):
    return float(np.mean([np.corrcoef(row, n_words)[0, 1] for row in scores.double().numpy()]))


def bias_by_torch(scores, n_words):
    stacked = [torch.corrcoef(torch.stack([row, n_words.double()]))[0, 1] for row in scores.double()]
    return torch.stack(stacked).mean().item()


def bias_by_z(scores, n_words):
    def z(x):
        x = x.double()
        return (x - x.mean(-1, keepdim=True)) / x.std(-1, keepdim=True, correction=0)

    return (z(scores) * z(n_words)).mean().item()


def labels_by_columns(dots, own):
    labels = -torch.ones(dots.shape, dtype=torch.long)
    for fragment in range(dots.shape[1]):
        column = torch.where(own, dots[:, fragment], -torch.inf)
        positive = column > 0
        if not positive.any():
            positive[column.argmax()] = True
        labels[positive, fragment] = 1
    return labels


def labels_by_rows(dots, own):
    rows = own.nonzero()[:, 0]
    part = torch.where(dots[rows] > 0, 1, -1)
    need = (part < 0).all(0).nonzero()[:, 0]
    part[dots[rows].argmax(0)[need], need] = 1
    labels = torch.full(dots.shape, -1)
    labels[rows] = part
    return labels


def labels_by_masking(dots, own):
    inside = dots.masked_fill(~own[:, None], -torch.inf)
    best = torch.nn.functional.one_hot(inside.argmax(0), len(dots)).T.bool()
    return 2 * torch.where((inside > 0).any(0), inside > 0, best).long() - 1


def weights_by_columns(labels):
    return torch.stack([1 / torch.stack([(c == y).sum() for y in c]).float() for c in labels.T], 1)


def weights_by_sums(labels):
    positive, negative = (labels > 0).float(), (labels < 0).float()
    return (positive / positive.sum(0).clamp(min=1)) + (negative / negative.sum(0).clamp(min=1))


def weights_by_halves(labels):
    n, total = len(labels), labels.sum(0)
    return 2 / (n + labels * total).float()  # n + y sum(y) is twice the number of labels equal to y


def iou_by_pairs(regions, named):
    def one(a, b):
        w = min(a[2], b[2]) - max(a[0], b[0])
        h = min(a[3], b[3]) - max(a[1], b[1])
        shared = max(w, 0) * max(h, 0)
        return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)

    return torch.tensor([[one(a, b) for b in named.tolist()] for a in regions.tolist()])


def iou_by_torchvision(regions, named):
    from torchvision.ops import box_iou

    return box_iou(regions, named)


def iou_by_sides(regions, named):
    x0, y0, x1, y1 = regions.T[..., None]
    u0, v0, u1, v1 = named.T[:, None]
    shared = (x1.minimum(u1) - x0.maximum(u0)).relu() * (y1.minimum(v1) - y0.maximum(v0)).relu()
    return shared / ((x1 - x0) * (y1 - y0) + (u1 - u0) * (v1 - v0) - shared)


RIGHT = {
    "best_regions": (best_by_captions, best_by_weights, best_filled_first),
    "thresholded_score": (thresholded_by_captions, thresholded_by_relu, thresholded_by_where),
    "length_bias": (bias_by_numpy, bias_by_torch, bias_by_z),
    "instance_labels": (labels_by_columns, labels_by_rows, labels_by_masking),
    "alignment_weights": (weights_by_columns, weights_by_sums, weights_by_halves),
    "iou": (iou_by_pairs, iou_by_torchvision, iou_by_sides),
}
WRONG = {
    "best_regions": (
        (lambda d, m: d.amax(1), "[n_captions]"),
        (lambda d, m: torch.where(m, d.amax(1), -1.0).sum(1), "captions of several lengths"),
        (lambda d, m: best_by_captions(d, m).mean(), "[n_captions]"),
    ),
    "thresholded_score": (
        (lambda d, m, n: thresholded_by_where(d, m, n + 1), "n = 10"),
        (lambda d, m, n: thresholded_by_where(d.abs(), m, n), "n = 10"),
        (lambda d, m, n: thresholded_by_where(d, m, 10.0), "n = 0"),
    ),
    "length_bias": (
        (lambda s, w: bias_by_z(s, w) * len(w) / (len(w) - 1), "scores that rise with length"),
        (lambda s, w: bias_by_z(s[:1], w), "scores that rise with length"),
        (lambda s, w: -bias_by_z(s, w), "scores that rise with length"),
    ),
    "instance_labels": (
        (lambda d, own: -labels_by_rows(d, own), "some positive"),
        (lambda d, own: labels_by_rows(d, own) > 0, "Negatives have the label 0"),
        (lambda d, own: labels_by_rows(d - 0.5, own), "some positive"),
    ),
    "alignment_weights": (
        (lambda y: weights_by_sums(y)[0], "[n_regions, n_fragments]"),
        (lambda y: weights_by_sums(y) * (y > 0), "both labels"),
        (lambda y: (1 / (y == 1).sum(0)) * (y == 1) + (1 / (y == -1).sum(0)) * (y == -1), "a column without"),
    ),
    "iou": (
        (lambda r, n: iou_by_pairs(r, n)[0], "[n_regions, n_words]"),
        (lambda r, n: iou_by_pairs(r, n) ** 0.5, "boxes that overlap"),
        (lambda r, n: iou_by_pairs(r, n).masked_fill(iou_by_pairs(r, n) < 0.5, 0), "boxes"),
    ),
}
each = pytest.mark.parametrize("exercise", exercises.EXERCISES, ids=lambda exercise: exercise.name)


def test_the_chapter_has_six_exercises():
    assert [exercise.name for exercise in exercises.EXERCISES] == [
        "best_regions",
        "thresholded_score",
        "instance_labels",
        "alignment_weights",
        "iou",
        "length_bias",
    ]
    assert all(exercise.chapter == "11_fragments" for exercise in exercises.EXERCISES)


@each
def test_right_answers_pass(exercise, exercise_checks):
    exercise_checks.right_answers(exercise, RIGHT[exercise.name])


@each
def test_wrong_answers_are_named(exercise, exercise_checks):
    exercise_checks.wrong_answers(exercise, WRONG[exercise.name])


def test_the_solutions_are_what_the_models_compute():
    dots = torch.randn(2, 4, 3, 5)  # [n_images, n_regions, n_captions, seq_len]
    mask = torch.arange(5)[None] < torch.tensor([5, 2, 3])[:, None]
    of_image = dots[0].transpose(0, 1)  # [n_captions, n_regions, seq_len]
    best, thresholded = exercises.best_regions.own, exercises.thresholded_score.own
    assert torch.allclose(best(of_image, mask), best_region_scores(dots, mask)[0], atol=1e-6)
    assert torch.allclose(thresholded(of_image, mask, 10.0), thresholded_scores(dots, mask, 10.0)[0], atol=1e-6)
    own = torch.tensor([[True] * 3, [False] * 3])
    labels = fragment_alignment.instance_labels(dots, own)
    weights = fragment_alignment.alignment_weights(labels)
    theirs = exercises.instance_labels.own(dots[:, :, 1].flatten(0, 1), own[:, :1].expand(2, 4).flatten())
    assert torch.equal(theirs, torch.where(labels[:, :, 1].flatten(0, 1), 1, -1))
    assert torch.allclose(exercises.alignment_weights.own(theirs), weights[:, :, 1].flatten(0, 1), atol=1e-6)
    scores, words = torch.randn(3, 8), torch.arange(8.0)
    assert exercises.length_bias.own(scores, words) == pytest.approx(correlation(scores, words))
