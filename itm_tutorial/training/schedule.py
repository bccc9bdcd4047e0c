"""The learning rate of an epoch, and whether a run depends on its number of epochs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from itm_tutorial.models import EpochState


def rate_of_epoch(learning_rate: float, epoch: int, epochs: int, drop_at: float) -> float:
    """The learning rate of an epoch.

    Args:
        learning_rate: of the first epochs.
        epoch: from 0.
        epochs: of the whole run.
        drop_at: the fraction of the run after which the rate falls to a tenth.
    """
    return learning_rate * (0.1 if epoch >= drop_at * epochs else 1.0)


def same_rates(done: int, epochs: int, other_epochs: int, drop_at: float) -> bool:
    """Whether the first epochs of a run have the same learning rates if the run has another number of epochs.

    Args:
        done: how many epochs are compared.
        epochs, other_epochs: of the whole run.
        drop_at: as for ``rate_of_epoch``.
    """
    rates = ([rate_of_epoch(1.0, epoch, n, drop_at) for epoch in range(done)] for n in (epochs, other_epochs))
    return done <= min(epochs, other_epochs) and next(rates) == next(rates)


@dataclass(frozen=True)
class WatchedState(EpochState):
    """An ``EpochState`` that records whether the number of epochs was read.

    Attributes:
        asked: "epochs", once it was read: a stage or a warm-up then depends on the number.
    """

    asked: set[str] = field(default_factory=set)

    def __getattribute__(self, name: str) -> Any:
        if name == "epochs":
            super().__getattribute__("asked").add(name)
        return super().__getattribute__(name)
