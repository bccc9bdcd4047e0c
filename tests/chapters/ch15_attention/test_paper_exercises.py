"""The exercises on margins and shortlists: right answers pass, and typical mistakes are named."""

import pytest
import torch

from itm_tutorial.chapters.ch15_attention.exercises import EXERCISES
from itm_tutorial.chapters.ch15_attention.paper_exercises import PAPER_EXERCISES

active, worth = PAPER_EXERCISES


def active_by_hinges(scores, margin, n_steps):
    counts, eye = [], torch.eye(len(scores), dtype=torch.bool)
    for k in range(1, n_steps + 1):
        own = (k * scores).diag()
        costs = torch.stack([margin - own[:, None] + k * scores, margin - own[None] + k * scores]).relu()
        counts.append(((costs > 0) & ~eye).sum())
    return torch.stack(counts)


def active_by_margins(scores, margin, n_steps):
    off = ~torch.eye(len(scores), dtype=torch.bool)
    gap = torch.cat([(s - s.diag()[:, None])[off] for s in (scores, scores.T)])
    margins = margin / torch.arange(1, n_steps + 1)
    return (gap[None] + margins[:, None] > 0).sum(1)


def active_less_the_diagonal(scores, margin, n_steps):
    gap = torch.stack([scores - scores.diag()[:, None], scores - scores.diag()])
    return torch.tensor([int((gap * k + margin > 0).sum()) - 2 * len(scores) for k in range(1, n_steps + 1)])


def worth_by_counting(cheap, alpha, k):
    surely = cheap[:, None] - alpha > cheap[:, :, None] + alpha  # [n_images, caption, other]
    return surely.sum(2) < k


def worth_by_sorting(cheap, alpha, k):
    kth = cheap.sort(1, descending=True).values[:, k - 1]
    return cheap > (kth - 2 * alpha)[:, None]


def worth_by_rows(cheap, alpha, k):
    return torch.stack([row >= row.kthvalue(len(row) - k + 1).values - 2 * alpha for row in cheap])


RIGHT = {
    "active_hinges": (active_by_hinges, active_by_margins, active_less_the_diagonal),
    "worth_rescoring": (worth_by_counting, worth_by_sorting, worth_by_rows),
}
WRONG = {
    "active_hinges": (
        (lambda *a: active_by_hinges(*a).float().mean(), "[n_steps]"),
        (lambda *a: active_by_hinges(*a)[-1:], "[n_steps]"),
        (lambda *a: active_by_hinges(*a) // 2, "several steps"),
        (lambda s, m, k: active_by_hinges(s, 0.1, k), "several steps"),
    ),
    "worth_rescoring": (
        (lambda *a: worth_by_counting(*a).sum(1), "[n_images, n_captions]"),
        (lambda *a: worth_by_counting(*a).T, "[n_images, n_captions]"),
        (lambda c, a, k: torch.ones_like(c, dtype=torch.bool), "several captions wanted"),
        (lambda c, a, k: worth_by_counting(c, 0.2, k), "several captions wanted"),
    ),
}
each = pytest.mark.parametrize("exercise", PAPER_EXERCISES, ids=lambda exercise: exercise.name)


@each
def test_right_answers_pass(exercise, exercise_checks):
    assert exercise.chapter == "15_attention"
    exercise_checks.right_answers(exercise, RIGHT[exercise.name])


@each
def test_wrong_answers_are_named(exercise, exercise_checks):
    exercise_checks.wrong_answers(exercise, WRONG[exercise.name])


@each
def test_an_unwritten_answer_says_how_to_begin(exercise, exercise_checks):
    exercise_checks.stubs(exercise)


def test_more_equal_steps_never_have_more_active_hinges():
    g = torch.Generator().manual_seed(0)
    counts = [active.own(torch.randint(-8, 9, (6, 6), generator=g) / 64, 0.2, 6) for _ in range(20)]
    assert all((one.diff() <= 0).all() for one in counts)
    assert sum(bool((one.diff() < 0).any()) for one in counts) > 10


def test_nothing_outside_the_bound_can_come_in_and_all_inside_can():
    g = torch.Generator().manual_seed(1)
    cheap, alpha, k = worth.inputs["several captions wanted"](g)
    kept = worth.own(cheap, alpha, k)
    for _ in range(200):
        cross = 2 * torch.rand(cheap.shape, generator=g) - 1
        assert kept.gather(1, (cheap + alpha * cross).topk(k, 1).indices).all()
    for image, caption in kept.nonzero().tolist():
        cross = -torch.ones_like(cheap)
        cross[image, caption] = 1
        assert caption in (cheap + alpha * cross)[image].topk(k).indices


def test_the_chapter_has_eight_exercises():
    assert len({exercise.name for exercise in EXERCISES}) == 8
