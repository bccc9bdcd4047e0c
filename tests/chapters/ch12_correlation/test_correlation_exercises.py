"""Three exercises of chapter 12: right answers pass, however they are written, and typical mistakes are named."""

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from itm_tutorial.chapters.ch12_correlation import correlation_exercises as exercises
from itm_tutorial.encoders.fisher_vector import Mixture
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.losses.correlation import total_correlation

EXERCISES = (exercises.total_correlation, exercises.fisher_means, exercises.recall_at)


def correlation_by_cholesky(x, y, ridge):
    return total_correlation(x, y, ridge).item()


def correlation_by_numpy(x, y, ridge):
    x, y = x.double().numpy(), y.double().numpy()
    both = np.cov(np.hstack([x, y]).T)
    d = x.shape[1]
    roots = []
    for part in (both[:d, :d], both[d:, d:]):
        u, s, _ = np.linalg.svd(part + ridge * np.eye(len(part)))
        roots.append(u / np.sqrt(s) @ u.T)
    return float(np.linalg.norm(roots[0] @ both[:d, d:] @ roots[1], "nuc"))


def correlation_by_torch_cov(x, y, ridge):
    d, both = x.shape[1], torch.cov(torch.cat([x, y], 1).T)
    both = both + torch.diag(torch.full((len(both),), ridge))
    (u, a), (v, b) = (torch.linalg.eigh(part)[::-1] for part in (both[:d, :d], both[d:, d:]))
    return torch.linalg.matrix_norm((u / a.sqrt()).T @ both[:d, d:] @ (v / b.sqrt()), "nuc").item()


def fisher_by_autograd(words, weights, means, deviations):
    moved = means.clone().requires_grad_()
    mixed = MixtureSameFamily(Categorical(weights), Independent(Normal(moved, deviations), 1))
    (gradient,) = torch.autograd.grad(mixed.log_prob(words).sum(), moved)
    gradient = gradient * deviations / (len(words) * weights[:, None]).sqrt()
    rooted = gradient.sign() * gradient.abs().sqrt()
    return rooted / rooted.norm()


def fisher_by_components(words, weights, means, deviations):
    normal = torch.distributions.Normal
    joint = torch.stack(
        [t * normal(m, s).log_prob(words).sum(1).exp() for t, m, s in zip(weights, means, deviations, strict=True)], 1
    )
    gamma = joint / joint.sum(1, keepdim=True)
    rows = [
        gamma[:, k] @ ((words - means[k]) / deviations[k]) / weights[k] ** 0.5 for k in range(len(weights))
    ]  # without N, which unit length takes away
    flat = torch.stack(rows)
    return torch.nn.functional.normalize((flat.sign() * flat.abs() ** 0.5).flatten(), dim=0).view_as(means)


def fisher_by_package(words, weights, means, deviations):
    mixture = Mixture(*means.shape)
    mixture.weights, mixture.locations, mixture.scales = weights, means, deviations
    both = mixture(words[None], torch.ones(1, len(words), dtype=torch.bool)).view(len(means), 2, -1)
    rooted = both[:, 0].sign() * both[:, 0].abs().sqrt()
    return rooted / rooted.norm()


def recall_by_rows(scores, k):
    hits = [int((row >= row[i]).sum()) - 1 < k for i, row in enumerate(scores)]
    return 100 * sum(hits) / len(hits)


def recall_by_sorting(scores, k):
    others = scores.masked_fill(torch.eye(len(scores)).bool(), -torch.inf)
    return (100 * (others.sort(1, descending=True).values[:, k - 1] < scores.diagonal()).double().mean()).item()


def recall_by_numpy(scores, k):
    s = scores.numpy()
    return float(100 * np.mean((s >= np.diag(s)[:, None]).sum(1) <= k))


RIGHT = {
    "total_correlation": (correlation_by_cholesky, correlation_by_numpy, correlation_by_torch_cov),
    "fisher_means": (fisher_by_autograd, fisher_by_components, fisher_by_package),
    "recall_at": (recall_by_rows, recall_by_sorting, recall_by_numpy),
}
WRONG = {
    "total_correlation": (
        (lambda x, y, r: -correlation_by_cholesky(x, y, r), "many pairs"),
        (lambda x, y, r: correlation_by_cholesky(x, y, r) / min(x.shape[1], y.shape[1]), "many pairs"),
        (lambda x, y, r: correlation_by_cholesky(x, y, 2 * r), "many pairs"),
        (lambda x, y, r: correlation_by_numpy(x, y, 0.0), "many pairs"),
        (lambda x, y, r: float(np.linalg.norm(exercises._t(x, y, r).numpy())), "Frobenius"),
    ),
    "fisher_means": (
        (lambda w, t, m, s: fisher_by_autograd(w, t, m, s)[0], "[n_components, dim]"),
        (lambda w, t, m, s: -fisher_by_autograd(w, t, m, s), "several words"),
        (lambda w, t, m, s: fisher_by_autograd(w, t, m, s).abs(), "sign is lost"),
        (lambda w, t, m, s: fisher_by_autograd(w[:1], t, m, s), "several words"),
        (lambda w, t, m, s: fisher_by_components(w, torch.ones_like(t), m, s), "several words"),
    ),
    "recall_at": (
        (lambda s, k: recall_by_rows(s, k + 1), "one rank too kind"),
        (lambda s, k: recall_by_rows(s, k) / 100, "fraction"),
        (lambda s, k: 100 - recall_by_rows(s, k), "a poor model"),
        (lambda s, k: recall_by_rows(s, 1), "a poor model"),
        (lambda s, k: (s.topk(k, 1).indices == torch.arange(len(s))[:, None]).any(1).float().mean() * 100, "equal"),
    ),
}
each = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)


@each
def test_right_answers_pass(exercise, exercise_checks):
    exercise_checks.right_answers(exercise, RIGHT[exercise.name])


@each
def test_wrong_answers_are_named(exercise, exercise_checks):
    exercise_checks.wrong_answers(exercise, WRONG[exercise.name])


@each
def test_their_chapter_is_known(exercise):
    assert exercise.chapter == "12_correlation"


def test_the_solution_of_recall_is_what_the_course_computes():
    scores = torch.randn(20, 20).round(decimals=1)  # with ties
    report = evaluate(scores, torch.arange(20))
    assert exercises.recall_at.own(scores, 5) == pytest.approx(report.i2t.r5)


def test_one_rank_too_kind_at_chance():
    scores = torch.randn(400, 400)
    kind = exercises.recall_at.mistakes[0][0](scores, 1).item()
    assert kind == pytest.approx(exercises.recall_at.own(scores, 2))  # R@1 as printed is R@2
