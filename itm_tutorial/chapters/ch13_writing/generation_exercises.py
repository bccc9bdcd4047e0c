"""Three exercises of chapter 13: writing greedily, one step of beam search, and the share of true statements."""

from __future__ import annotations

import torch
from torch import Tensor

from itm_tutorial.chapters.adversarial import TIES
from itm_tutorial.chapters.exercise import Exercise, random_size


def _writer(g: torch.Generator, stop: float = 0.5, max_len: int | None = None) -> tuple[Tensor, Tensor, int]:
    """log p of the first word and of each next word after each word; the last column is stop, shifted by ``stop``."""
    n_words = random_size(g, 4, 9)
    logits = 1.5 * torch.randn(n_words + 1, n_words + 1, generator=g)
    logits[1:, -1] += stop
    logits[0, -1] -= 4
    log_p = logits.log_softmax(1)
    return log_p[0], log_p[1:], random_size(g, 4, 9) if max_len is None else max_len


def _stopped_at_once(g: torch.Generator) -> tuple[Tensor, Tensor, int]:
    start, follow, max_len = _writer(g)
    start = start.clone()
    start[-1] = 1 + start.abs().max()
    return start, follow, max_len


def _greedy_by_loop(start: Tensor, follow: Tensor, max_len: int) -> Tensor:
    words, row = [], start.tolist()
    for _ in range(max_len):
        word = row.index(max(row))
        if word == len(row) - 1:
            break
        words.append(word)
        row = follow[word].tolist()
    return torch.tensor(words, dtype=torch.int64)


def _own_greedy_words(start, follow, max_len):
    words, log_p = [], start
    while len(words) < max_len:
        word = int(log_p.argmax())
        if word == len(follow):  # the last column is stop
            break
        words.append(word)
        log_p = follow[word]
    return torch.tensor(words, dtype=torch.int64)


def _walk(start: Tensor, row_after, choose, max_len: int, stop: int | None, keep_stop: bool = False) -> Tensor:
    """Greedy writing with exchangeable parts, for the typical mistakes."""
    words, log_p = [], start
    while len(words) < max_len:
        word = int(choose(log_p))
        if word == stop:
            words += [word] if keep_stop else []
            break
        words.append(word)
        log_p = row_after(words)
    return torch.tensor(words, dtype=torch.int64)


greedy_words = Exercise(
    name="greedy_words",
    minutes=10,
    difficulty=1,
    hints=(
        "Keep a list of words and the row that says what may come next. At first this row is `start`.",
        "The next word is int(row.argmax()). If it is the last column, len(follow), the caption has ended.",
        "Else append the word and go on with row = follow[word], until there are max_len words; "
        "torch.tensor(words, dtype=torch.int64) is the answer.",
    ),
    reference=_greedy_by_loop,
    own=_own_greedy_words,
    inputs={
        "captions that end": lambda g: _writer(g, stop=2.5),
        "captions that reach max_len": lambda g: _writer(g, stop=-30.0),
        "captions that stop at once": _stopped_at_once,
        "one word at most": lambda g: _writer(g, max_len=1),
    },
    shape="[n_written]",
    spared=TIES,
    begin="Start from `start` [n_words + 1], log p of the first word, and `follow` [n_words, n_words + 1], log p of "
    "the next one after each word; the last column is stop. Return the words as an int64 tensor, without stop and with "
    "at most `max_len` words.",
    remarks={
        "captions that stop at once": "An empty caption is an int64 tensor of shape [0].",
        "captions that reach max_len": "Not every caption stops by itself: there are max_len words at most.",
    },
    mistakes=(
        (
            lambda s, f, n: _walk(s, lambda w: f[w[-1]], torch.argmax, n, len(f), keep_stop=True),
            "Stop is returned as if it were a word. Leave it out.",
        ),
        (
            lambda s, f, n: _walk(s[:-1], lambda w: f[w[-1], :-1], torch.argmax, n, None),
            "The caption never stops: the last column is left out of the comparison. Where it is the largest, end.",
        ),
        (
            lambda s, f, n: _walk(s, lambda w: s, torch.argmax, n, len(f)),
            "Every word is chosen by `start`. After the first word, look into the row of `follow` of the last word.",
        ),
        (
            lambda s, f, n: _walk(s, lambda w: f[w[0]], torch.argmax, n, len(f)),
            "Every word is chosen by the row of the first word. Use the row of the word before it.",
        ),
        (
            lambda s, f, n: _walk(s, lambda w: f[w[-1]], torch.argmin, n, len(f)),
            "These are the least likely words. Larger log p is likelier, although it is negative: take argmax.",
        ),
        (
            lambda s, f, n: _walk(s, lambda w: f[w[-1]], torch.argmax, n + 1, len(f)),
            "There may be one word too many: a caption has at most max_len words.",
        ),
        (
            lambda s, f, n: _walk(s, lambda w: f[w[-1]], torch.argmax, n, len(f))[1:],
            "The first word is missing. It is the argmax of `start`.",
        ),
    ),
)


def _beam(g: torch.Generator, ended: float = 0.4) -> tuple[Tensor, Tensor, Tensor]:
    """Scores of a few beginnings, log p of their next words, and which of them have stopped."""
    width, n_words = random_size(g, 2, 6), random_size(g, 4, 9)
    log_p = (1.5 * torch.randn(width, n_words + 1, generator=g)).log_softmax(1)
    scores = -2 * torch.rand(width, generator=g) - 1.0
    done = torch.rand(width, generator=g) < ended
    return scores, log_p, done


def _beam_by_loop(scores: Tensor, log_p: Tensor, done: Tensor) -> Tensor:
    width, columns = log_p.shape
    options = []
    for beam, (score, row, ended) in enumerate(zip(scores.tolist(), log_p.tolist(), done.tolist(), strict=True)):
        if ended:
            options.append((score, beam, columns - 1))
        else:
            options += [(score + value, beam, word) for word, value in enumerate(row)]
    best = sorted(options, key=lambda option: -option[0])[:width]
    return torch.tensor([[beam, word] for _, beam, word in best])


def _own_beam_step(scores, log_p, done):
    options = scores[:, None] + log_p  # [width, n_words + 1]
    stay = torch.full_like(options, -torch.inf)
    stay[:, -1] = scores  # a caption that has stopped keeps its score, in the column of stop
    options = torch.where(done[:, None], stay, options)
    best = options.flatten().topk(len(scores)).indices
    return torch.stack([best // options.shape[1], best % options.shape[1]], dim=1)


def _options(scores: Tensor, log_p: Tensor, done: Tensor, stopped: Tensor) -> Tensor:
    """All options [width, n_words + 1], with ``stopped`` [width] as the scores of captions that have ended."""
    stay = torch.full_like(log_p, -torch.inf)
    stay[:, -1] = stopped
    return torch.where(done[:, None], stay, scores[:, None] + log_p)


def _pairs(options: Tensor, columns: int | None = None, largest: bool = True) -> Tensor:
    best = options.flatten().topk(len(options), largest=largest).indices
    columns = columns or options.shape[1]
    return torch.stack([best // columns, best % columns], 1)


beam_step = Exercise(
    name="beam_step",
    minutes=15,
    difficulty=3,
    hints=(
        "Each beginning that goes on has n_words + 1 options: its score plus log p of each next word or of stop.",
        "A caption that has stopped has one option: to stay as it is, with its own score, in the column of stop. Give "
        "its other columns -torch.inf.",
        "options.flatten().topk(len(scores)).indices numbers the options through all rows: // n_columns is the row, "
        "% n_columns the word.",
    ),
    reference=_beam_by_loop,
    own=_own_beam_step,
    inputs={
        "some captions that have stopped": _beam,
        "no caption that has stopped": lambda g: _beam(g, ended=0.0),
        "all captions have stopped": lambda g: _beam(g, ended=1.1),
    },
    shape="[width, 2]",
    spared=TIES,
    begin="Start from `scores` [width], log P of each beginning, `log_p` [width, n_words + 1] of the next word (the "
    "last column is stop), and `done` [width], True where a caption has stopped. Return int64 [width, 2]: row and word "
    "of the best options of all, best first.",
    remarks={"all captions have stopped": "Captions that have stopped stay in the beam, the best of them first."},
    mistakes=(
        (
            lambda s, p, d: torch.stack(
                [torch.arange(len(s)), torch.where(d, p.shape[1] - 1, (s[:, None] + p).argmax(1))], 1
            ),
            "Each beginning is continued by its own best word. Compare the options of all beginnings with each other.",
        ),
        (
            lambda s, p, d: _pairs(_options(torch.zeros_like(s), p, d, torch.zeros_like(s))),
            "The scores of the beginnings are left out: log P of a beginning is its score plus log p of the word.",
        ),
        (
            lambda s, p, d: _pairs(s[:, None] + p),
            "Captions that have stopped are continued. Their only option is to stay as they are.",
        ),
        (
            lambda s, p, d: _pairs((s[:, None] + p).masked_fill(d[:, None], -1e9)),
            "Captions that have stopped are thrown away. They stay in the beam with their score.",
        ),
        (
            lambda s, p, d: _pairs(_options(s, p, d, s + p[:, -1])),
            "Captions that have stopped pay for stop once more. Their score stays as it is.",
        ),
        (
            lambda s, p, d: _pairs(_options(s, p, d, s), columns=len(s)),
            "Rows and words are read from the number of an option with the width. Divide by the number of columns.",
        ),
        (
            lambda s, p, d: _pairs(_options(s, p, d, s)).flip(1),
            "The word comes first and the row second here: give (row, word).",
        ),
        (
            lambda s, p, d: _pairs(_options(s, p, d, s)).flip(0),
            "The best option comes last here: give the best one first.",
        ),
    ),
)


def _facts(g: torch.Generator, silent: bool = False, often: float = 0.3) -> tuple[Tensor, Tensor]:
    """Which facts each caption states, and which are true of its picture."""
    n_captions, n_facts = random_size(g, 3, 7), random_size(g, 6, 12)
    stated = torch.rand(n_captions, n_facts, generator=g) < often
    true = torch.rand(n_captions, n_facts, generator=g) < 0.5
    stated[:, 0] = True
    stated[0, 1] = True
    true[0, :2] = torch.tensor([True, False])
    if silent:
        stated[-1] = False
    return stated, true


def _share_by_loop(stated: Tensor, true: Tensor) -> float:
    n_stated = n_true = 0
    for said, holds in zip(stated.tolist(), true.tolist(), strict=True):
        for one, right in zip(said, holds, strict=True):
            n_stated += one
            n_true += one and right
    return n_true / n_stated


def _own_true_share(stated, true):
    return ((stated & true).sum() / stated.sum()).item()


def _per_caption(s: Tensor, t: Tensor, silent: float) -> float:
    share = (s & t).sum(1) / s.sum(1).clamp(min=1)
    return torch.where(s.any(1), share, silent).mean().item()


true_share = Exercise(
    name="true_share",
    minutes=5,
    difficulty=1,
    hints=(
        "Count two things over all captions: the statements, and the statements that are true.",
        "stated & true is True where a fact is both stated and true; .sum() counts.",
        "((stated & true).sum() / stated.sum()).item()",
    ),
    reference=_share_by_loop,
    own=_own_true_share,
    inputs={
        "captions with a few statements": _facts,
        "captions with many statements": lambda g: _facts(g, often=0.8),
        "a caption that states nothing": lambda g: _facts(g, silent=True),
    },
    begin="Start from `stated` and `true`, bool [n_captions, n_facts]: what each caption states, and what is true of "
    "its picture. Return one number: the true statements of all captions, as a fraction of all statements.",
    remarks={
        "a caption that states nothing": "A caption that states nothing adds no statement, neither true nor false."
    },
    mistakes=(
        (
            lambda s, t: ((s & t).sum() / t.sum()).item(),
            "This is the share of the true facts that are stated, the coverage. Divide by the number of statements.",
        ),
        (
            lambda s, t: (s == t).float().mean().item(),
            "Facts that are neither stated nor true count as right here. Only statements count.",
        ),
        (
            lambda s, t: (~(s & ~t).any(1)).float().mean().item(),
            "This is the share of captions without a false statement. Count statements, not captions.",
        ),
        (
            lambda s, t: ((s & t).sum() / (s | t).sum()).item(),
            "The facts that are true but not stated are in the denominator. A caption need not state everything.",
        ),
        (
            lambda s, t: _per_caption(s, t, 0.0),
            "This is the mean of the captions' shares: statements of short captions count more. Count all together.",
        ),
        (
            lambda s, t: _per_caption(s, t, 1.0),
            "This is the mean of the captions' shares, with 1 for a silent caption. Count all statements together.",
        ),
        (
            lambda s, t: ((s & ~t).sum() / s.sum()).item(),
            "This is the share of false statements. Count those that are stated and true.",
        ),
        (
            lambda s, t: 100 * _own_true_share(s, t),
            "This is in percent. Return a fraction from 0 to 1.",
        ),
    ),
)

GENERATION_EXERCISES = (greedy_words, beam_step, true_share)
