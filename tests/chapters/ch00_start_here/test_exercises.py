"""The exercises of chapter 00: right answers pass, however they are written, and typical mistakes are named."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cosine_similarity

from itm_tutorial.chapters.ch00_start_here import exercises


def unit(x):
    return x / x.norm(dim=1, keepdim=True)


def cosine_by_division(images, captions):
    lengths = images.norm(dim=1)[:, None] * captions.norm(dim=1)[None, :]
    return torch.einsum("id,cd->ic", images, captions) / lengths


def ranks_by_pairs(scores, image_of):
    places = torch.ones(scores.shape[1], dtype=torch.int64)
    for caption in range(scores.shape[1]):
        for image in range(scores.shape[0]):
            if image != image_of[caption] and not scores[image, caption] < scores[image_of[caption], caption]:
                places[caption] += 1
    return places


def ranks_by_sorting(scores, image_of):
    ascending = scores.sort(dim=0).values.T.contiguous()  # [n_captions, n_images]
    positives = scores.gather(0, image_of[None]).T.contiguous()
    return len(scores) - torch.searchsorted(ascending, positives)[:, 0]


def recall_by_counting(ranks, k):
    hits = 0
    for rank in ranks:
        if int(rank) - 1 < k:
            hits = hits + 1
    return hits * 100 / ranks.numel()


RIGHT = {
    "cosine_scores": [
        cosine_by_division,
        lambda i, c: cosine_similarity(i[:, None], c[None], dim=-1),
        lambda i, c: torch.nn.functional.linear(unit(i.double()), unit(c.double())).float(),
    ],
    "image_ranks": [
        ranks_by_pairs,
        ranks_by_sorting,
        lambda s, o: len(s) - (s < s.gather(0, o[None])).sum(0),
    ],
    "recall_at_k": [
        recall_by_counting,
        lambda ranks, k: float(np.mean(ranks.numpy() <= k) * 100),
        lambda ranks, k: 100.0 - 100 * sum(r > k for r in ranks.tolist()) / len(ranks),
    ],
}
WRONG = {
    "cosine_scores": [
        (lambda i, c: (unit(i) @ unit(c).T).to_sparse(), "a sparse tensor, but the chapter needs a dense one"),
        (lambda i, c: exit(), "exit(), quit() and sys.exit() end Python, so end a function with return"),
        (lambda i, c: (unit(i) @ unit(c).T).clamp(min=0), "cosine_scores gives 0"),
        (lambda i, c: i @ c.T / (i.norm(dim=1)[:, None] * c.norm(dim=1) + 1e-3), "and right is"),
        (lambda i, c: (unit(i) @ unit(c).T).round(decimals=4), "is something rounded, shifted or clamped?"),
        (lambda i, c: (unit(i) @ unit(c).T).abs(), "and right is -"),
    ],
    "image_ranks": [
        (
            lambda s, o: ((s > s.gather(0, o[None])).sum(0) + (s >= s.gather(0, o[None])).sum(0) + 1) // 2,
            "wrong for scores with ties",
        ),
        (lambda s, o: s.argsort(dim=0, descending=True, stable=True).eq(o).long().argmax(0) + 1, "scores with ties"),
        (lambda s, o: (s >= s[o].diagonal()).sum(0).clamp(max=5), "and right is"),
    ],
    "recall_at_k": [
        (lambda r, k: 100 * (r <= k).sum().item() / 20, "wrong for one to three queries"),
        (lambda r, k: round(100 * (r <= k).double().mean().item(), 1), "gives 33.3, and right is 33.33"),
        (lambda r, k: 100 * (r.unique() <= k).double().mean().item(), "and right is"),
        (lambda r, k: 100 * (r <= k).double().sum().item() / max(1, (r <= k).sum().item()), "and right is"),
    ],
}
each_exercise = pytest.mark.parametrize("exercise", exercises.EXERCISES, ids=lambda e: e.name)


@each_exercise
def test_right_answers_pass(exercise, exercise_checks):
    exercise_checks.right_answers(exercise, RIGHT[exercise.name])


@each_exercise
def test_wrong_answers_are_named(exercise, exercise_checks):
    exercise_checks.wrong_answers(exercise, WRONG[exercise.name])


@each_exercise
@pytest.mark.parametrize(
    "returned",
    [None, "0.5", [], [0.5, "a"], float("nan"), torch.tensor(float("nan")), torch.zeros(1, 2, 3), {}, object(), print],
    ids=lambda odd: type(odd).__name__,
)
def test_any_returned_object_gets_a_sentence(exercise, returned):
    verdict = exercise.verdict(lambda *inputs: returned)
    assert verdict.startswith("Not yet.") and "Traceback" not in verdict


@each_exercise
def test_an_answer_on_another_device_gets_a_sentence(exercise):
    verdict = exercise.verdict(lambda *inputs: torch.as_tensor(exercise.own(*inputs)).to("meta"))
    assert verdict.startswith("Not yet.") and "device" in verdict


@each_exercise
def test_a_stub_names_the_inputs_and_gives_no_hint_away(exercise):
    printed = exercise.verdict(lambda *inputs: ...)
    assert exercise.begin in printed
    assert all(f"`{name}`" in exercise.begin for name in exercise.parameters)
    assert not any(hint in printed for hint in exercise.hints) and "normali" not in printed
