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


RIGHT = {
    "normalised_similarities": [
        normalised_by_rows,
        lambda s: torch.nn.functional.normalize(torch.nn.functional.leaky_relu(s, 0.1), dim=-1),
    ],
    "attention_weights": [weights_by_columns, weights_by_exponentials],
    "attended_cosine": [attended_by_words, lambda v, e, a: cosine_similarity(a.T @ v, e, dim=1)],
    "cosine_by_gram": [gram_by_words, gram_by_diagonal],
    "pooled": [pooled_by_captions, pooled_by_weights],
    "pointing_game": [pointing_by_words, pointing_by_chunks],
    "rerank": [rerank_by_masking, rerank_by_pairs],
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
