"""The exercises of chapter 03: right answers pass, however they are written, and typical mistakes are named."""

import pytest
import torch
from torch.nn.functional import cosine_similarity

from itm_tutorial.chapters.ch03_scan import exercises


def normalised_by_rows(similarities):
    rectified = torch.where(similarities > 0, similarities, similarities / 10)
    return torch.stack([row / max(float((row * row).sum()) ** 0.5, 1e-8) for row in rectified])


def weights_by_columns(normalised, smooth):
    columns = [torch.softmax(smooth * normalised[:, word], 0) for word in range(normalised.shape[1])]
    return torch.stack(columns, 1)


def weights_by_exponentials(normalised, smooth):
    raised = torch.exp(normalised * smooth)
    return raised / raised.sum(0)


def attended_by_words(regions, words, weights):
    attended = [(weights[:, w, None] * regions).sum(0) for w in range(len(words))]
    return torch.stack([cosine_similarity(a, e, dim=0) for a, e in zip(attended, words, strict=True)])


def gram_by_words(similarities, weights, gram):
    return torch.stack([(a @ s) / (a @ gram @ a).sqrt() for a, s in zip(weights.T, similarities.T, strict=True)])


def gram_by_diagonal(similarities, weights, gram):
    return (weights.T @ similarities).diag() / (weights.T @ gram @ weights).diag().sqrt()


def pooled_by_captions(cosines, mask, lse):
    rows = [row[real] for row, real in zip(cosines, mask, strict=True)]
    if lse is None:
        return torch.stack([row.mean() for row in rows])
    return torch.stack([torch.logsumexp(lse * row, 0) / lse for row in rows])


def pooled_by_weights(cosines, mask, lse):
    if lse is None:
        return (cosines * mask).sum(1) / mask.float().sum(1)
    return ((lse * cosines).exp() * mask).sum(1).log() / lse


def pointing_by_words(weights, boxes, named):
    found = []
    for word in range(len(named)):
        box = boxes[int(weights[:, word].argmax())]
        x, y = float(box[0::2].mean()), float(box[1::2].mean())
        left, top, right, bottom = named[word].tolist()
        found.append(left < x < right and top < y < bottom)
    return sum(found) * 100 / len(found)


def pointing_by_chunks(weights, boxes, named):
    middle = torch.stack(boxes[weights.max(0).indices].chunk(2, dim=1)).mean(0)
    low, high = named.chunk(2, dim=1)
    return float(((middle - low) * (high - middle) > 0).all(1).float().mean() * 100)


def rerank_by_masking(quick, expensive, k):
    order = quick.argsort(descending=True)[:k]
    costly = torch.full_like(quick, -torch.inf)
    costly[order] = expensive(order)
    return costly.topk(k).indices


def rerank_by_pairs(quick, expensive, k):
    shortlist = quick.topk(k).indices
    pairs = sorted(zip(expensive(shortlist).tolist(), shortlist.tolist(), strict=True), reverse=True)
    return torch.tensor([image for _, image in pairs])


def unit(x, length=None):
    return x / (x.norm(dim=1, keepdim=True) if length is None else length)


def pooled_in_double(cosines, mask, lse):
    cosines = cosines.double()
    if lse is None:
        return cosines.where(mask, torch.tensor(0.0)).sum(1).div(mask.sum(1)).float()
    return torch.where(mask, lse * cosines, -torch.inf).logsumexp(1).div(lse).float()


def inside(box, named):
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return bool(named[0] < x < named[2] and named[1] < y < named[3])


def rerank_one_by_one(quick, expensive, k):
    costly = {int(image): expensive(int(image)).item() for image in quick.topk(k).indices}
    return torch.tensor(sorted(costly, key=costly.get, reverse=True))


def rerank_by_mask(quick, expensive, k):
    chosen = quick >= quick.sort(descending=True).values[k - 1]
    return chosen.nonzero()[:, 0][expensive(chosen).argsort(descending=True)]


def everything_first(quick, expensive, k):
    costly, shortlist = expensive(torch.arange(len(quick))), quick.topk(k).indices
    return shortlist[costly[shortlist].argsort(descending=True)]


def scored_twice(quick, expensive, k):
    shortlist = quick.topk(k).indices
    return shortlist[torch.tensor(sorted(range(k), key=lambda i: -expensive(shortlist)[i]))]


def a_few_more(quick, expensive, k):
    shortlist = quick.topk(min(k + 2, len(quick))).indices
    return shortlist[:k][expensive(shortlist)[:k].argsort(descending=True)]


def through_the_table(quick, expensive, k):
    shortlist = quick.topk(k).indices
    return shortlist[expensive.scores[shortlist].argsort(descending=True)]


def through_its_parts(quick, expensive, k):
    score = next(iter(vars(expensive).values()))
    costly, shortlist = score(torch.arange(len(quick))), quick.topk(k).indices
    return shortlist[costly[shortlist].argsort(descending=True)]


def filled_after(value):
    return lambda c, t, k: pooled_by_captions(c, t, k) if k is None else (k * c).where(t, value).logsumexp(1) / k


def filled_before(value):
    return lambda c, t, k: pooled_by_captions(c, t, k) if k is None else (k * c.where(t, value)).logsumexp(1) / k


WRONG = {
    "normalised_similarities": [
        (lambda s: unit(torch.nn.functional.leaky_relu(s, 0.1), 1 + s.norm()), "and right is"),
        (lambda s: normalised_by_rows(s).round(decimals=1), "and right is"),
        (lambda s: normalised_by_rows(s).clamp(min=-0.05), "and right is -"),
        (
            lambda s: torch.nn.functional.normalize(torch.nn.functional.leaky_relu(s, 0.1), dim=1, eps=0.01),
            "and right is",
        ),
    ],
    "attention_weights": [
        (lambda s, smooth: weights_by_columns(s, 9.0), "right for lambda 9"),
        (lambda s, smooth: weights_by_columns(s, smooth).round(decimals=2), "and right is"),
        (lambda s, smooth: weights_by_columns(s.clamp(min=0), smooth), "and right is"),
        (lambda s, smooth: weights_by_columns(s, smooth) + 1e-3, "and right is"),
    ],
    "attended_cosine": [
        (lambda v, e, a: attended_by_words(v, e, a).clamp(min=0), "and right is -"),
        (lambda v, e, a: attended_by_words(v, e, a).abs(), "and right is -"),
        (lambda v, e, a: attended_by_words(v, e, a.round()), "right for words that attend to one region each"),
        (lambda v, e, a: attended_by_words(v, e, a).round(decimals=3), "and right is"),
    ],
    "cosine_by_gram": [
        (lambda s, a, m: gram_by_words(s, a, m).clamp(-0.5, 0.5), "and right is"),
        (lambda s, a, m: gram_by_words(s, a, m.clamp(min=0)), "and right is"),
        (lambda s, a, m: gram_by_words(s, a, m / m.diag().max()), "right for unit regions"),
        (lambda s, a, m: gram_by_words(s, a, m).round(decimals=2), "and right is"),
    ],
    "pooled": [
        *((filled_after(value), "inf") for value in (-20.0, -10.0, -50.0)),
        *((filled_before(value), "only exp(-inf) is 0") for value in (-1.0, -10.0, -20.0, -100.0)),
        (lambda c, t, k: pooled_by_captions(c, t & (c != 0), k), "Zero is a valid number"),
        (lambda c, t, k: pooled_by_captions(c, t, k or 1.0), "wrong for the mean"),
    ],
    "pointing_game": [
        (lambda w, b, n: round(pointing_by_words(w, b, n)), "and right is"),
        (lambda w, b, n: pointing_by_words(w.T.reshape(w.shape), b, n), "and right is"),
        (lambda w, b, n: pointing_by_words(w, b[:, [1, 0, 3, 2]], n), "right for words that name the whole picture"),
        (lambda w, b, n: min(pointing_by_words(w, b, n), 50), "and right is"),
    ],
    "rerank": [
        (everything_first, "images scored by the expensive model, and the shortlist has"),
        (a_few_more, "images scored by the expensive model, and the shortlist has"),
        (scored_twice, "has the same images scored twice by the expensive model"),
        (through_the_table, "the expensive model has no scores to look into: call it with the images of the shortlist"),
        (through_its_parts, "images scored by the expensive model, and the shortlist has"),
        (lambda q, f, k: rerank_by_masking(q, f, 1), "wrong for a shortlist of some"),
    ],
}


RIGHT = {
    "normalised_similarities": [
        normalised_by_rows,
        lambda s: unit(torch.nn.functional.leaky_relu(s, 0.1)).nan_to_num(),
        lambda s: torch.nn.functional.normalize(torch.nn.functional.leaky_relu(s, 0.1), dim=-1),
        lambda s: (lambda r: (r / (r.square().sum(1, keepdim=True).sqrt() + 1e-8)).float())(
            torch.maximum(s.double(), s.double() / 10)
        ),
    ],
    "attention_weights": [
        weights_by_columns,
        weights_by_exponentials,
        lambda s, smooth: torch.log_softmax(smooth * s.double(), 0).exp().float(),
    ],
    "attended_cosine": [
        attended_by_words,
        lambda v, e, a: cosine_similarity(a.T @ v, e, dim=1),
        lambda v, e, a: (
            torch.einsum("rw,rd,wd->w", a, unit(v, v.norm()), unit(e))
            / torch.einsum("rw,rd->wd", a, unit(v, v.norm())).norm(dim=1)
        ),
    ],
    "cosine_by_gram": [
        gram_by_words,
        gram_by_diagonal,
        lambda s, a, m: ((a * s).sum(0).double() / torch.einsum("rw,rq,qw->w", a, m, a).double().sqrt()).float(),
    ],
    "pooled": [pooled_by_captions, pooled_by_weights, pooled_in_double],
    "pointing_game": [
        pointing_by_words,
        pointing_by_chunks,
        lambda w, b, n: sum(100 / len(n) for at, box in zip(w.argmax(0), n, strict=True) if inside(b[at], box)),
    ],
    "rerank": [rerank_by_masking, rerank_by_pairs, rerank_one_by_one, rerank_by_mask],
}
each_exercise = pytest.mark.parametrize("exercise", exercises.EXERCISES, ids=lambda e: e.name)


@each_exercise
def test_right_answers_pass(exercise, exercise_checks):
    exercise_checks.right_answers(exercise, RIGHT[exercise.name])


@each_exercise
def test_wrong_answers_are_named(exercise, exercise_checks):
    exercise_checks.wrong_answers(exercise, WRONG[exercise.name])
