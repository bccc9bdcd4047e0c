"""The exercises of chapter 04: right answers pass, however they are written, and typical mistakes are named."""

import pytest
import torch
from torch.nn.functional import normalize

from itm_tutorial.chapters.ch04_timam import exercises
from itm_tutorial.evaluation.retrieval_metrics import ranks


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
    best = torch.where(positives, scores, -torch.inf).max(0).values
    others = torch.where(positives, -torch.inf, scores)
    return 100 * float(((others >= best).sum(0) < k).double().mean())


def person_recall_by_captions(scores, shown, described, k):
    hits = []
    for column, who in zip(scores.T, described, strict=True):
        best = column[shown == who].max()
        hits.append(int((column[shown != who] >= best).sum()) < k)
    return 100 * sum(hits) / len(hits)


def person_recall_by_package(scores, shown, described, k):
    """The package's metric, one caption at a time: its ranks are those of the exercise."""
    hits = 0
    for column, who in zip(scores.T, described, strict=True):
        first = (shown == who).nonzero()[0]  # the picture that the caption is said to be of
        (rank,) = ranks(column[:, None], first, identity=shown)[1].tolist()
        hits += rank <= k
    return 100 * hits / len(described)


def in_order_of_scores(scores, shown, described, k):
    found = scores.argsort(dim=0, descending=True, stable=True)[:k]
    return 100 * (shown[found] == described).any(0).double().mean().item()


def precision_by_classes(scores, identity, k):
    precisions = [(identity[column.topk(k).indices] == c).double().mean() for c, column in enumerate(scores.T)]
    return 100 * float(sum(precisions) / len(precisions))


def precision_by_one_hot(scores, identity, k):
    own = torch.nn.functional.one_hot(identity, scores.shape[1]).double()
    return float(own.gather(0, scores.argsort(0, descending=True)[:k]).mean() * 100)


def smoothed(change):
    return lambda p, q: (p * (p / change(q)).log()).sum(1).mean()


WRONG = {
    "projection_shares": [
        (lambda i, c: probabilities_by_rows(i, c).round(decimals=2), "and right is"),
        (lambda i, c: probabilities_by_rows(i, c).clamp(min=0.01), "and right is"),
        (lambda i, c: probabilities_by_rows(i.clamp(min=0), c), "and right is"),
        (lambda i, c: (i @ (c / (c.norm(dim=1, keepdim=True) + 0.1)).T).softmax(1), "and right is"),
    ],
    "matching_targets": [
        (lambda m: targets_by_rows(m).round(decimals=1), "and right is"),
        (lambda m: m.float() / m.sum(1, keepdim=True).clamp(max=2), "and right is"),
        (lambda m: m.double() / m.sum(1, keepdim=True), "gives float64 numbers"),
        (lambda m: m.float() / (m.sum(1, keepdim=True) + 1e-2), "and right is"),
    ],
    "divergence": [
        (smoothed(lambda q: q.clamp(min=1e-8)), "Here 1e-8 is a lower limit of q"),
        (smoothed(lambda q: q.where(q > 0, 1e-8)), "The 1e-8 is added to every target"),
        (smoothed(lambda q: q.where(q > 1e-8, 1e-8)), "Here 1e-8 is a lower limit of q"),
        (smoothed(lambda q: q + 1e-7), "and right is"),
        (lambda p, q: divergence_by_logs(p, q).clamp(max=10), "and right is"),
    ],
    "norm_softmax_logits": [
        (lambda c, w, s: int(s) * cosine_by_division(c, w), "wrong for a scale with decimals"),
        (lambda c, w, s: s * cosine_by_division(c, w).clamp(min=0), "and right is -"),
        (lambda c, w, s: s * cosine_by_division(c, w).round(decimals=2), "and right is"),
        (lambda c, w, s: cosine_by_division(s * c, w), "Multiply them by scale"),
    ],
    "max_over_words": [
        (lambda s, n: s.masked_fill(s == 0, -torch.inf).amax(1), "Use lengths to find"),
        (
            lambda s, n: s.masked_fill((s == 0).all(2, keepdim=True), -torch.inf).amax(1),
            "Use lengths to find",
        ),
        *(
            (lambda s, n, v=v: s.masked_fill(~exercises._real(s, n), v).amax(1), "minus infinity")
            for v in (-10.0, -100.0, -1e4)
        ),
        (lambda s, n: max_by_captions(s, n).clamp(min=-10), "and right is"),
        (lambda s, n: s[:, : int(n.min())].amax(1), "right for captions of one length"),
    ],
    "person_recall": [
        (lambda s, a, b, k: person_recall_by_ranks(s, a, b, 1), "right for the first picture alone"),
        (lambda s, a, b, k: person_recall_by_ranks(s.abs(), a, b, k), "and right is"),
        (lambda s, a, b, k: float(round(person_recall_by_ranks(s, a, b, k))), "and right is"),
        (lambda s, a, b, k: person_recall_by_ranks(s, a, b, k + 1), "and right is"),
        (in_order_of_scores, "Ties count against the model"),
        (lambda s, a, b, k: exercises.person_recall.mistakes[0][0](s, a, b, k), "topk decides ties by chance"),
    ],
    "held_out": [
        (lambda who, order, n: torch.isin(who, order[: n - 1]), "and right is"),
        (lambda who, order, n: torch.isin(who, order[: n + 1]), "and right is"),
        (lambda who, order, n: torch.isin(who, order[:n]).long(), "gives int64 numbers"),
        (lambda who, order, n: torch.isin(who, order[:n]).nonzero()[:, 0], "the right shape is"),
    ],
    "precision_at_k": [
        (lambda s, y, k: precision_by_classes(s, y, 4), "right for classes with enough pictures"),
        (lambda s, y, k: precision_by_classes(s.abs(), y, k), "and right is"),
        (lambda s, y, k: round(precision_by_classes(s, y, k), 1), "and right is"),
        (lambda s, y, k: precision_by_classes(s, y, k - 1), "and right is"),
    ],
}


RIGHT = {
    "projection_shares": [
        probabilities_by_rows,
        lambda i, c: torch.softmax(i @ normalize(c, dim=-1).T, -1),
        lambda i, c: torch.einsum("id,cd->ic", i.double(), normalize(c.double(), dim=1)).softmax(1).float(),
    ],
    "matching_targets": [
        targets_by_rows,
        lambda m: normalize(m.float(), p=1, dim=1),
        lambda m: torch.tensor([[one / sum(row) for one in row] for row in m.tolist()]),
    ],
    "divergence": [
        divergence_by_logs,
        lambda p, q: torch.nn.functional.kl_div((q + 1e-8).log(), p, reduction="batchmean"),
        lambda p, q: torch.einsum("ij,ij->", p.double(), (p.double() / (q.double() + 1e-8)).log()).float() / len(p),
    ],
    "norm_softmax_logits": [
        lambda c, w, s: s * cosine_by_division(c, w),
        lambda c, w, s: s * normalize(c, dim=-1) @ normalize(w, dim=-1).T,
        lambda c, w, s: torch.stack([s * torch.cosine_similarity(row[None].double(), w.double()) for row in c]).float(),
    ],
    "max_over_words": [
        max_by_captions,
        max_by_weights,
        lambda s, n: torch.tensor(
            [[max(x[:k].tolist()) for x in rows.T] for rows, k in zip(s, n.tolist(), strict=True)]
        ),
    ],
    "person_recall": [
        person_recall_by_ranks,
        person_recall_by_captions,
        person_recall_by_package,
    ],
    "held_out": [
        lambda identity, order, n: (identity[:, None] == order[None, :n]).any(1),
        lambda identity, order, n: sum(identity == who for who in order[:n]).bool(),
        lambda identity, order, n: torch.tensor([who in order[:n].tolist() for who in identity.tolist()]),
    ],
    "precision_at_k": [
        precision_by_classes,
        precision_by_one_hot,
        lambda s, y, k: sum(
            100 / (k * s.shape[1]) for c, column in enumerate(s.T) for i in column.topk(k).indices if y[i] == c
        ),
    ],
}
each_exercise = pytest.mark.parametrize("exercise", exercises.EXERCISES, ids=lambda e: e.name)


@each_exercise
def test_right_answers_pass(exercise, exercise_checks):
    exercise_checks.right_answers(exercise, RIGHT[exercise.name])


@each_exercise
def test_wrong_answers_are_named(exercise, exercise_checks):
    exercise_checks.wrong_answers(exercise, WRONG[exercise.name])
