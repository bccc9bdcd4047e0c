"""What the reality check will cost: the trainings that are left, and the time of an epoch from a few steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import LongTensor

from itm_tutorial.course.patience import lasting
from itm_tutorial.course.reality_check import protocol
from itm_tutorial.course.reality_check.protocol import TRAINED, Point, Setup
from itm_tutorial.data.corpus import Corpus
from itm_tutorial.training.loop import fit
from itm_tutorial.training.samplers import SAMPLERS

FEW, MORE = 2, 12  # steps of the epochs that are timed; the first epoch is not counted


def epochs_left(
    setup: Setup, size: str, seeds: Sequence[int], found: Callable[[Point], Mapping[str, Any] | None], rising: bool
) -> int:
    """What is left to train of a model, by playing the protocol with made-up results for what is not there yet.

    Args:
        setup, size, seeds, found: as for ``protocol.plan``.
        rising: whether every made-up run still rises in its end, so that epochs are doubled as often as is allowed.

    Returns:
        Epochs of all trainings together.
    """
    made_up: dict[Point, dict[str, Any]] = {}
    while todo := protocol.plan(setup, size, seeds, lambda point: found(point) or made_up.get(point)).todo:
        for point in todo:
            higher = 1e6 * point.epochs  # than every true rsum, and than that of a shorter run
            rsums = [higher * epoch for epoch in range(1, point.epochs + 1)] if rising else [0.0] * point.epochs
            made_up[point] = {"outcome": TRAINED, "validation": rsums, "message": ""}
    return sum(point.epochs for point in made_up)


def seconds_per_epoch(setup: Setup, corpus: Corpus) -> float:
    """Estimates what an epoch of a model costs, its validation included, from a few steps.

    Args:
        setup: of the model.
        corpus: that it is trained on.

    Returns:
        Seconds of computing, summed over cores.

    Raises:
        ItmError: as ``create_model`` and ``fit``.
    """
    model = protocol.make_model(setup, corpus, protocol.TUNING_SEED)
    steps, ends, in_an_epoch = iter((FEW, FEW, MORE)), [], 0

    def sampler(image_of: LongTensor, batch_size: int, generator: torch.Generator) -> Iterator[LongTensor]:
        nonlocal in_an_epoch
        batches = list(SAMPLERS[model.recipe.sampler](image_of, batch_size, generator))
        in_an_epoch = len(batches)
        yield from batches[: next(steps)]

    fit(
        model,
        corpus,
        epochs=3,
        sampler=sampler,
        progress=False,
        callbacks=[lambda *_: ends.append(time.process_time())],
    )
    short, long = ends[1] - ends[0], ends[2] - ends[1]
    step = max(0.0, long - short) / (min(MORE, in_an_epoch) - FEW) if in_an_epoch > FEW else 0.0
    return max(0.0, short - FEW * step) + in_an_epoch * step


def shown_range(least: float, most: float) -> str:
    """Two durations for people, or one where they look alike."""
    return lasting(least) if lasting(least) == lasting(most) else f"{lasting(least)} to {lasting(most)}"
