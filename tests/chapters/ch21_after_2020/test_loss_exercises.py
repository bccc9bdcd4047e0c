"""The exercises on losses: right answers pass, however they are written; typical mistakes are named."""

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from itm_tutorial.chapters.ch21_after_2020.loss_exercises import LOSS_EXERCISES
from itm_tutorial.losses.learned_scale import LearnedScale
from itm_tutorial.losses.pairwise_sigmoid import PairwiseSigmoid
from itm_tutorial.losses.symmetric_cross_entropy import SymmetricCrossEntropy

clip, step, chunks = LOSS_EXERCISES
S = torch.tensor([[1.0, 0.2], [0.9, 0.5]])


def clip_by_package(scores, scale):
    loss = SymmetricCrossEntropy(1 / scale, learned=False)
    return loss(scores, torch.eye(len(scores)).bool())


def clip_by_log_softmax(scores, scale):
    logits = scores * scale
    return -(logits.log_softmax(0) + logits.log_softmax(1)).diagonal().mean() / 2


def clip_by_logsumexp(scores, scale):
    logits = scores * scale
    return ((logits.logsumexp(0) + logits.logsumexp(1)) / 2 - logits.diagonal()).mean()


def scale_by_package(temperature, gradient, rate):
    scale = LearnedScale(1 / temperature.item())
    with torch.no_grad():
        scale.theta -= rate * gradient
    return scale().detach()


def scale_by_factor(temperature, gradient, rate):
    return (torch.exp(-rate * gradient) / temperature).clamp(1, 100)  # monotone: clamping before or after is the same


def scale_by_limits(temperature, gradient, rate):
    theta = -temperature.log() - rate * gradient
    return torch.minimum(torch.maximum(theta, torch.tensor(0.0)), torch.tensor(math.log(100))).exp()


def sigmoid_by_package(image_emb, caption_emb, scale, bias, columns):
    loss = PairwiseSigmoid(scale, bias)
    with torch.no_grad():
        return loss.in_chunks(image_emb, caption_emb, torch.eye(len(image_emb)).bool(), columns)


def sigmoid_at_once(image_emb, caption_emb, scale, bias, columns):
    logits = scale * image_emb @ caption_emb.T + bias
    signs = 1 - 2 * torch.eye(len(logits))
    return softplus(signs * logits).sum() / len(logits)  # -log sigmoid(x) = softplus(-x)


def sigmoid_by_cross_entropy(image_emb, caption_emb, scale, bias, columns):
    total = []
    for some, own in zip(caption_emb.split(columns), torch.eye(len(image_emb)).split(columns, 1), strict=True):
        logits = scale * image_emb @ some.T + bias
        total.append(binary_cross_entropy_with_logits(logits, own, reduction="sum"))
    return torch.stack(total).sum() / len(caption_emb)


RIGHT = {
    "clip_loss": (clip_by_package, clip_by_log_softmax, clip_by_logsumexp),
    "scale_after_step": (scale_by_package, scale_by_factor, scale_by_limits),
    "sigmoid_by_chunks": (sigmoid_by_package, sigmoid_at_once, sigmoid_by_cross_entropy),
}
WRONG = {
    "clip_loss": (
        (lambda s, t: clip_by_log_softmax(s, t)[None], "right shape is []"),
        (lambda s, t: -clip_by_log_softmax(s, t), "several pairs"),
        (
            lambda s, t: ((t * s).exp().sum(0).log() + (t * s).exp().sum(1).log() - 2 * t * s.diag()).mean() / 2,
            "of 100",
        ),
        (lambda s, t: clip_by_log_softmax(s, t) + float("nan"), "several pairs"),
        (lambda s, t: "a loss", "Not yet"),
    ),
    "scale_after_step": (
        (lambda t, g, r: scale_by_factor(t, g, 2 * r), "an ordinary step"),
        (lambda t, g, r: scale_by_factor(t, g, r).clamp(max=50), "a step beyond a scale of 100"),
        (lambda t, g, r: scale_by_factor(t, g, r)[None], "right shape is []"),
        (lambda t, g, r: 1 / t, "an ordinary step"),
        (lambda t, g, r: torch.tensor(float("nan")), "an ordinary step"),
    ),
    "sigmoid_by_chunks": (
        (lambda v, t, s, b, c: -sigmoid_at_once(v, t, s, b, c), "chunks of two captions"),
        (lambda v, t, s, b, c: sigmoid_at_once(v, t, s, -b, c), "chunks of two captions"),
        (lambda v, t, s, b, c: sigmoid_at_once(v, t, s, b, c)[None], "right shape is []"),
        (lambda v, t, s, b, c: sigmoid_at_once(v, t.flip(0), s, b, c), "chunks of two captions"),
        (
            lambda v, t, s, b, c: (
                -torch.where(torch.eye(len(v)).bool(), s * v @ t.T + b, -(s * v @ t.T + b)).sigmoid().log().sum()
                / len(v)
            ),
            "very sure pairs",
        ),
    ),
}
each = pytest.mark.parametrize("exercise", LOSS_EXERCISES, ids=lambda exercise: exercise.name)


@each
def test_right_answers_pass(exercise, exercise_checks):
    assert exercise.chapter == "21_after_2020"
    exercise_checks.right_answers(exercise, RIGHT[exercise.name])


@each
def test_wrong_answers_are_named(exercise, exercise_checks):
    exercise_checks.wrong_answers(exercise, WRONG[exercise.name])


@each
def test_an_unwritten_answer_says_how_to_begin(exercise, exercise_checks):
    exercise_checks.stubs(exercise)


def test_the_losses_of_two_pairs_that_were_computed_by_hand():
    assert clip.own(S, 2.0).item() == pytest.approx(0.5977, abs=1e-4)
    assert clip.mistakes[0][0](S, 2.0).item() == pytest.approx(0.6775, abs=1e-4)  # one direction only
    assert clip.mistakes[2][0](S, 2.0).item() == pytest.approx(1.1953, abs=1e-4)  # the sum, as in ALIGN
    eye = torch.eye(2)
    for columns in (1, 2):
        assert chunks.own(eye, eye, 10.0, -10.0, columns).item() == pytest.approx(0.69319, abs=1e-5)
    assert chunks.mistakes[1][0](eye, eye, 10.0, -10.0, 1).item() == pytest.approx(0.34660, abs=1e-5)


def test_the_slip_starts_at_a_scale_of_one():
    start = torch.tensor(0.07)
    assert step.own(start, torch.tensor(0.0), 0.1).item() == pytest.approx(1 / 0.07)
    assert step.mistakes[0][0](start, torch.tensor(0.0), 0.1).item() == pytest.approx(math.exp(0.07))
