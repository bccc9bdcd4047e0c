"""Inputs on which careless answers fail: ties, zeros, negative, very small and very large numbers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Variation:
    """A change to the numbers of an input for which a correct answer stays correct.

    Attributes:
        change: makes the varied numbers from those drawn.
        remark: what an answer that is wrong only here probably overlooks.
    """

    change: Callable[[Tensor], Tensor]
    remark: str


def _with_ties(x: Tensor) -> Tensor:
    """Odd multiples of half a step, so that no number and no row is zero; a power of two, so that they are exact."""
    step = 2.0 ** x.nan_to_num().abs().mean().clamp(min=1e-6).log2().round()
    return ((x / step).floor() + 0.5) * step


def _first_row_zero(x: Tensor) -> Tensor:
    return torch.cat([torch.zeros_like(x[:1]), x[1:]])


VARIATIONS: Mapping[str, Variation] = {
    "numbers with ties": Variation(
        _with_ties,
        "Some numbers are equal there: identify places by their index, and decide which side of a tie wins.",
    ),
    "numbers that are all equal": Variation(
        lambda x: torch.full_like(x, 0.5).masked_fill(x.isnan(), torch.nan),
        "Every comparison is a tie there: identify places by their index, and decide which side of a tie wins.",
    ),
    "numbers that are all zero": Variation(
        lambda x: torch.zeros_like(x).masked_fill(x.isnan(), torch.nan),
        "Zero is a valid number: do not take it for padding or a missing value, and do not divide by it.",
    ),
    "a first row of zeros": Variation(
        _first_row_zero,
        "Zero is a valid number: do not take it for padding or a missing value, and do not divide by it.",
    ),
    "numbers that are all negative": Variation(
        lambda x: -x.abs() - 0.125,
        "Every number is negative there, so a 0 that was filled in wins the maximum. Fill with minus infinity.",
    ),
    "numbers far below zero": Variation(
        lambda x: -128 * (x.abs() + 1),
        "They are far below constants such as -10 or -100: fill with minus infinity, and do not clamp.",
    ),
    "numbers in the hundreds": Variation(
        lambda x: 128 * x,
        "Look for a constant that only suits small numbers: a limit, a fill value, a clamp.",
    ),
    "numbers near zero": Variation(
        lambda x: x / 1024,
        "Look for a constant that only suits larger numbers: a limit, an epsilon, a rounding.",
    ),
}


# What an exercise may leave open: which of two equal scores is first, and the direction of a zero vector.
ZEROS = ("numbers that are all zero", "a first row of zeros")
NO_LENGTH = (
    *ZEROS,
    "numbers near zero",
)  # an epsilon that is added to a length makes a difference here, and is not a mistake
TIES = ("numbers with ties", "numbers that are all equal", *ZEROS)
NEGATIVE = ("numbers that are all negative", "numbers far below zero")
LARGE = ("numbers far below zero", "numbers in the hundreds")


def varied(draws: Sequence[Callable[[torch.Generator], tuple]], change: Callable, places: Sequence[int]) -> Callable:
    """Changes the numbers of drawn inputs.

    Args:
        draws: functions that draw the arguments of an answer; each call takes the next.
        change: one variation's change.
        places: which arguments it applies to; others, and all but floating tensors, stay unchanged.

    Returns:
        A function that draws the changed arguments.
    """

    turns = itertools.cycle(draws)

    def drawn(g: torch.Generator) -> tuple:
        inputs = next(turns)(g)
        return tuple(
            change(value) if place in places and isinstance(value, Tensor) and value.is_floating_point() else value
            for place, value in enumerate(inputs)
        )

    return drawn
