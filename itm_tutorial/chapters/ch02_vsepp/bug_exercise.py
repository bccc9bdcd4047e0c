"""The exercise of chapter 02 on bugs: five versions of one loss, four of which are wrong."""

from __future__ import annotations

import functools
import inspect

import torch
from torch import Tensor

from itm_tutorial.chapters.exercise import Exercise, random_size


def loss_0(scores: Tensor, margin: float) -> Tensor:
    costs = (margin - scores.diagonal()[:, None] + torch.stack([scores, scores.T])).clamp(min=0)
    costs = costs.masked_fill(torch.eye(len(scores), dtype=torch.bool), 0)
    return costs.amax(2).sum()


def loss_1(scores: Tensor, margin: float) -> Tensor:
    costs = (margin - scores.diagonal()[:, None] + torch.stack([scores, scores.T])).clamp(min=0)
    return costs.amax(2).sum()


def loss_2(scores: Tensor, margin: float) -> Tensor:
    costs = (margin - scores.diagonal()[:, None] + torch.stack([scores, scores])).clamp(min=0)
    costs = costs.masked_fill(torch.eye(len(scores), dtype=torch.bool), 0)
    return costs.amax(2).sum()


def loss_3(scores: Tensor, margin: float) -> Tensor:
    costs = margin - scores.diagonal()[:, None] + torch.stack([scores, scores.T])
    costs = costs.masked_fill(torch.eye(len(scores), dtype=torch.bool), -torch.inf)
    return costs.amax(2).sum()


def loss_4(scores: Tensor, margin: float) -> Tensor:
    costs = (margin - scores.diagonal()[:, None] + torch.stack([scores, scores.T])).clamp(min=0)
    costs = costs.masked_fill(torch.eye(len(scores), dtype=torch.bool), 0)
    return costs.amax(2).mean()


SUSPECTS = (loss_0, loss_1, loss_2, loss_3, loss_4)


def print_suspects() -> None:
    """Prints the correct loss, 0, and the four with a bug."""
    print("\n".join(inspect.getsource(loss) for loss in SUSPECTS))


class Suspect:
    """One of the losses, to be called: its name, its source and what it equals are those of another suspect."""

    def __init__(self, number: int, alias: int):
        self._call = lambda scores, margin: SUSPECTS[number](scores, margin)
        self._number = lambda: number
        functools.update_wrapper(self, SUSPECTS[alias])

    def __call__(self, scores: Tensor, margin: float) -> Tensor:
        return self._call(scores, margin)

    def __deepcopy__(self, memo: dict) -> Suspect:
        return self

    def __eq__(self, other: object) -> bool:
        return other is self or other is self.__wrapped__

    def __hash__(self) -> int:
        return hash(self.__wrapped__)

    def __repr__(self) -> str:
        return "(one of the five)"


def _number_of(loss) -> int:
    return loss._number() if isinstance(loss, Suspect) else SUSPECTS.index(loss)


def _suspect(number: int):
    return lambda g: (Suspect(number, (number + random_size(g, 1, len(SUSPECTS))) % len(SUSPECTS)),)


def _own_which_bug(loss):
    ahead = loss(torch.eye(3), 0.2)  # each positive pair wins by far: the loss must be 0
    if ahead != 0:
        return 1 if ahead > 0 else 3
    if loss(torch.zeros(3, 3), 0.2) < 1:  # equal scores: six margins
        return 4
    rows_differ = torch.tensor([[0.0, 0.1, 0.1], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    return 2 if loss(rows_differ, 0.2) < 1.45 else 0  # rows 0.3 + 0.2 + 0.2, columns 0.2 + 0.3 + 0.3


def _by_far_ahead(loss) -> int:
    ahead = loss(torch.eye(3), 0.2)
    return 0 if ahead == 0 else 1 if ahead > 0 else 3


def _by_equal_scores(loss) -> int:
    return 4 if loss(torch.zeros(3, 3), 0.2) < 1 else 0


which_bug = Exercise(
    name="which_bug",
    minutes=20,
    difficulty=3,
    hints=(
        "Think of small batches whose loss you know: all positive pairs far ahead, or all scores equal.",
        "The loss must be 0 for torch.eye(3) and six margins for torch.zeros(3, 3). Which losses are higher or lower?",
        "Loss 2 reads the rows twice: use a matrix whose rows and columns have different maxima.",
    ),
    begin=(
        "Start by calling loss(scores, 0.2) on a small matrix that you make with torch.tensor, and return "
        "a whole number from 0 to 4."
    ),
    reference=_number_of,
    own=_own_which_bug,
    inputs={f"loss {number}": _suspect(number) for number in range(len(SUSPECTS))},
    mistakes=(
        (lambda loss: 0, "Every loss is reported as correct: find a batch on which the five losses differ."),
        (
            _by_equal_scores,
            "Equal scores reveal loss 4 alone: the others agree there. Add a batch whose positive pairs are far ahead.",
        ),
        (
            _by_far_ahead,
            "Positive pairs that are far ahead reveal losses 1 and 3 alone: add a batch whose correct loss is above 0.",
        ),
        (
            lambda loss: _by_far_ahead(loss) or _by_equal_scores(loss),
            "A symmetric matrix cannot reveal loss 2, which reads the rows twice: use other rows than columns.",
        ),
        (
            lambda loss: (0, 3, 2, 1, 4)[_number_of(loss)],
            "Losses 1 and 3 are confused: which of them can fall below zero?",
        ),
        (lambda loss: _number_of(loss) - 1, "The numbers are too low by one: the correct loss is number 0."),
        (
            lambda loss: SUSPECTS.index(loss.__wrapped__),
            "The loss is recognised by its name, its source or its identity, and here another loss "
            "has these: only call it.",
        ),
    ),
)
