"""The exercises about writing captions: right answers pass in any form, and typical mistakes are named."""

import numpy as np
import pytest
import torch

from itm_tutorial.chapters.ch13_writing import generation_exercises as exercises
from itm_tutorial.data.text import SPECIAL, Vocabulary
from itm_tutorial.models import Matching
from itm_tutorial.models._writer import Writer
from itm_tutorial.retrieval.writing import write_captions


def greedy_by_recursion(start, follow, max_len):
    def after(row, left):
        word = row.argmax().item()
        return [] if left == 0 or word == len(row) - 1 else [word, *after(follow[word], left - 1)]

    return torch.tensor(after(start, max_len), dtype=torch.long)


def greedy_by_table(start, follow, max_len):
    best = torch.cat([follow, start[None]]).argmax(1)  # the next word after each word; the last row is the beginning
    words, at = torch.empty(0, dtype=torch.long), len(follow)
    for _ in range(max_len):
        at = best[at]
        if at == len(follow):
            break
        words = torch.cat([words, at[None]])
    return words


def greedy_cut_afterwards(start, follow, max_len):
    words, row = [], start
    for _ in range(max_len):
        words.append(row.argmax())
        row = follow[words[-1].clamp(max=len(follow) - 1)]
    words = torch.stack(words)
    stopped = (words == len(follow)).cumsum(0) > 0
    return words[~stopped]


def beam_by_numpy(scores, log_p, done):
    options = scores.numpy()[:, None] + log_p.numpy()
    options[done.numpy()] = -np.inf
    options[done.numpy(), -1] = scores.numpy()[done.numpy()]
    order = np.argsort(-options, axis=None, kind="stable")[: len(scores)]
    return torch.tensor(np.stack(np.unravel_index(order, options.shape), 1))


def beam_by_adding_nothing(scores, log_p, done):
    free = torch.where(torch.arange(log_p.shape[1]) == log_p.shape[1] - 1, 0.0, -torch.inf)
    options = scores[:, None] + torch.where(done[:, None], free, log_p)
    best = options.flatten().sort(descending=True).indices[: len(scores)]
    return torch.stack(torch.unravel_index(best, options.shape), 1)


def beam_by_lists(scores, log_p, done):
    live = [(scores[b] + p, b, w) for b in range(len(scores)) if not done[b] for w, p in enumerate(log_p[b])]
    kept = [(scores[b], b, log_p.shape[1] - 1) for b in range(len(scores)) if done[b]]
    best = sorted(live + kept, key=lambda o: o[0].item(), reverse=True)[: len(scores)]
    return torch.tensor([[b, w] for _, b, w in best])


def share_by_indexing(stated, true):
    return true[stated].double().mean().item()


def share_by_product(stated, true):
    s, t = stated.double(), true.double()
    return float((s * t).sum() / s.sum())


def share_by_sets(stated, true):
    said, holds = set(map(tuple, stated.nonzero().tolist())), set(map(tuple, true.nonzero().tolist()))
    return len(said & holds) / len(said)


RIGHT = {
    "greedy_words": (greedy_by_recursion, greedy_by_table, greedy_cut_afterwards),
    "beam_step": (beam_by_numpy, beam_by_adding_nothing, beam_by_lists),
    "true_share": (share_by_indexing, share_by_product, share_by_sets),
}
WRONG = {
    "greedy_words": (
        (lambda s, f, n: torch.zeros(n, dtype=torch.long), "captions that end"),
        (lambda s, f, n: greedy_by_table(s, f.roll(1, 0), n), "captions that"),
        (lambda s, f, n: greedy_by_table(s, f, n).flip(0), "captions that"),
    ),
    "beam_step": (
        (lambda s, p, d: beam_by_numpy(s, p, d)[:1], "[width, 2]"),
        (lambda s, p, d: beam_by_numpy(s, p, ~d), "captions"),
        (lambda s, p, d: beam_by_numpy(s * p.shape[1], p, d), "captions"),
    ),
    "true_share": (
        (lambda s, t: share_by_sets(s, t) ** 2, "a few statements"),
        (lambda s, t: share_by_sets(s[:1], t[:1]), "a few statements"),
        (lambda s, t: (s & t).sum(1) / s.sum(1), "true_share gives"),
    ),
}
each = pytest.mark.parametrize("exercise", exercises.GENERATION_EXERCISES, ids=lambda exercise: exercise.name)


@each
def test_right_answers_pass(exercise, exercise_checks):
    exercise_checks.right_answers(exercise, RIGHT[exercise.name])


@each
def test_wrong_answers_are_named(exercise, exercise_checks):
    exercise_checks.wrong_answers(exercise, WRONG[exercise.name])


def test_their_chapter_is_known():
    assert all(exercise.chapter == "13_writing" for exercise in exercises.GENERATION_EXERCISES)


class Bigrams(Writer, Matching):
    """A writer by the tables of the exercise."""

    def __init__(self, start, follow):
        super().__init__(Vocabulary([f"w{n}" for n in range(len(follow))]), None)
        self.start, self.follow = start, follow
        self.image_encoder = torch.nn.Linear(1, 1)

    def next_words(self, image_emb, prefixes):
        rows = (
            self.follow[prefixes[:, -1] - len(SPECIAL)] if prefixes.shape[1] else self.start.expand(len(prefixes), -1)
        )
        return torch.cat([torch.full((len(rows), len(SPECIAL)), -torch.inf), rows], 1)


def test_the_solution_writes_what_the_package_writes():
    draw = exercises.greedy_words.inputs["captions that end"]
    for seed in range(20):
        start, follow, max_len = draw(torch.Generator().manual_seed(seed))
        start = torch.cat([start[:-1], torch.tensor([-torch.inf])])  # the package writes no empty caption
        words = exercises.greedy_words.own(start, follow, max_len)
        (written,) = write_captions(Bigrams(start, follow), torch.zeros(1, 1), max_len=max_len)
        assert written.text == " ".join(f"w{word}" for word in words)
