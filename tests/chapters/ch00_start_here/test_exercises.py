"""The exercises of chapter 00: right answers pass, however they are written, and typical mistakes are named."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cosine_similarity

from itm_tutorial.chapters.ch00_start_here import exercises


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
    "cosine_scores": [cosine_by_division, lambda i, c: cosine_similarity(i[:, None], c[None], dim=-1)],
    "image_ranks": [ranks_by_pairs, ranks_by_sorting],
    "recall_at_k": [recall_by_counting, lambda ranks, k: float(np.mean(ranks.numpy() <= k) * 100)],
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
