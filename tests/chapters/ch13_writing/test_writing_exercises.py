"""The exercises on likelihoods: right answers pass, however they are written, and typical mistakes are named."""

import math

import pytest
import torch

from itm_tutorial.chapters.ch13_writing.writing_exercises import WRITING_EXERCISES
from itm_tutorial.encoders.decoder import FIRST_WRITTEN, log_likelihoods
from itm_tutorial.retrieval import corrections

likelihood, division, changes = WRITING_EXERCISES


def likelihood_by_captions(logits, ids, lengths):
    found = []
    for values, tokens, n in zip(logits, ids, lengths.tolist(), strict=True):
        found.append(-torch.nn.functional.cross_entropy(values[: n - 1], tokens[1:n], reduction="sum"))
    return torch.stack(found)


def likelihood_by_ignoring(logits, ids, lengths):
    targets = ids.masked_fill(torch.arange(ids.shape[1]) >= lengths[:, None], -100)[:, 1:]
    return -torch.nn.functional.cross_entropy(logits[:, :-1].mT, targets, reduction="none").sum(1)


def likelihood_by_mask(logits, ids, lengths):
    mask = torch.arange(ids.shape[1])[None] < lengths[:, None]
    chosen = logits.gather(2, ids.roll(-1, 1)[..., None]).squeeze(2) - logits.logsumexp(2)
    return (chosen[:, :-1] * mask[:, 1:]).sum(1)


def division_by_columns(log_p, train_log_p):
    n = len(train_log_p)
    return torch.stack([own - (t.logsumexp(0) - math.log(n)) for own, t in zip(log_p.T, train_log_p.T, strict=True)], 1)


def division_by_shift(log_p, train_log_p):
    most = train_log_p.amax(0)
    return (log_p - most) - (train_log_p - most).exp().mean(0).log()


def division_by_float64(log_p, train_log_p):
    return (log_p.double() - (train_log_p.double().logsumexp(0) - math.log(len(train_log_p)))).float()


def changes_by_loop(log_p, log_prior):
    divided = log_p - log_prior
    columns = sum(not torch.equal(a.argsort(), b.argsort()) for a, b in zip(log_p.T, divided.T, strict=True))
    rows = sum(not torch.equal(a.argsort(), b.argsort()) for a, b in zip(log_p, divided, strict=True))
    return torch.tensor([columns, rows])


def changes_by_knowing(log_p, log_prior):
    moved = (log_p - log_prior).argsort(1, descending=True) != log_p.argsort(1, descending=True)
    return torch.tensor([0, int(moved.any(1).sum())])


def changes_by_pairs(log_p, log_prior):
    def order(scores, dim):
        scores = scores if dim else scores.T
        return scores[:, :, None] > scores[:, None]

    divided = log_p - log_prior
    return torch.stack([(order(divided, dim) != order(log_p, dim)).flatten(1).any(1).sum() for dim in (0, 1)])


RIGHT = {
    "caption_log_likelihood": (likelihood_by_captions, likelihood_by_ignoring, likelihood_by_mask),
    "divide_by_prior": (division_by_columns, division_by_shift, division_by_float64),
    "changed_rankings": (changes_by_loop, changes_by_knowing, changes_by_pairs),
}
WRONG = {
    "caption_log_likelihood": (
        (lambda x, ids, n: likelihood_by_mask(x, ids, n)[:, None], "[n_captions]"),
        (lambda x, ids, n: likelihood_by_mask(x, ids, n).mean(), "[n_captions]"),
        (lambda x, ids, n: likelihood_by_mask(x, ids, n) / math.log(2), "captions of several lengths"),
        (lambda x, ids, n: likelihood_by_mask(x.clamp(max=50), ids, n), "constant"),
    ),
    "divide_by_prior": (
        (lambda p, t: division_by_shift(p, t).exp(), "likely captions"),
        (lambda p, t: division_by_shift(p, t[1:] if len(t) > 1 else t), "likely captions"),
        (lambda p, t: division_by_shift(p, t).T, "[n_images, n_captions]"),
        (lambda p, t: division_by_shift(p.softmax(1).log(), t), "likely captions"),
    ),
    "changed_rankings": (
        (lambda p, prior: changes_by_loop(p, prior)[1], "[2]"),
        (lambda p, prior: torch.tensor([0, len(p)]), "captions of unequal commonness"),
        (lambda p, prior: torch.tensor([p.shape[1], len(p)]), "captions of unequal commonness"),
        (lambda p, prior: torch.tensor([0, 0]), "captions of unequal commonness"),
    ),
}
each = pytest.mark.parametrize("exercise", WRITING_EXERCISES, ids=lambda exercise: exercise.name)


@each
def test_right_answers_pass(exercise, exercise_checks):
    assert exercise.chapter == "13_writing"
    exercise_checks.right_answers(exercise, RIGHT[exercise.name])


@each
def test_wrong_answers_are_named(exercise, exercise_checks):
    exercise_checks.wrong_answers(exercise, WRONG[exercise.name])


def test_the_solutions_are_what_the_models_and_corrections_compute():
    logits, ids, lengths = next(iter(likelihood.inputs.values()))(torch.Generator().manual_seed(0))
    rows = logits[..., FIRST_WRITTEN:]  # the models have no output for <pad> and <start>
    full = torch.cat([torch.full_like(logits[..., :FIRST_WRITTEN], -torch.inf), rows], 2)
    theirs = log_likelihoods(rows[:, :-1], ids, lengths, lambda values: values)
    assert torch.allclose(likelihood.own(full, ids, lengths), theirs, atol=1e-5)
    own, train = next(iter(division.inputs.values()))(torch.Generator().manual_seed(0))
    assert torch.allclose(division.own(own, train), corrections.divide_by_prior(own, train), atol=1e-5)


def test_division_by_a_prior_never_changes_a_ranking_of_images():
    generator = torch.Generator().manual_seed(1)
    counts = torch.stack([changes.own(*changes.inputs["captions of unequal commonness"](generator)) for _ in range(50)])
    assert counts[:, 0].sum() == 0 and (counts[:, 1] > 0).float().mean() > 0.9
    assert len(counts[:, 1].unique()) > 2  # no constant is the answer
