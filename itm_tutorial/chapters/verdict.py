"""The rule by which a claim is judged, written before any run: the mean must exceed twice its standard error."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from statistics import mean, stdev
from typing import Any

from itm_tutorial.errors import ItmError

VERDICTS = ("holds", "does not hold", "too close to say")


@dataclass(frozen=True)
class Effect:
    """A difference measured once per seed.

    Attributes:
        name: what is claimed, as a sentence.
        values: one per seed; above zero speaks for the claim.
        mean: of the values.
        standard_error: of the mean.
        verdict: "holds", "does not hold" or "too close to say".
    """

    name: str
    values: tuple[float, ...]
    mean: float
    standard_error: float
    verdict: str


def effect(name: str, values: Sequence[float]) -> Effect:
    """Judges a claim by its effect over seeds.

    Args:
        name: what is claimed, as a sentence.
        values: the effect, one value per seed, in any unit; above zero speaks for the claim.

    Returns:
        The effect with its verdict: it holds when the mean exceeds twice its standard error, does not hold
        when the mean lies as far below zero, and is too close to say in between.

    Raises:
        ItmError: fewer than two seeds have no spread, or a value is not a finite number.
    """
    if len(values) < 2:
        raise ItmError(f"{name}: {len(values)} seed has no spread; run at least two, better three")
    for value in values:
        check_number(value, f"{name}: a value")
    centre, error = mean(values), stdev(values) / math.sqrt(len(values))
    holds, fails, close = VERDICTS
    verdict = holds if centre > 2 * error else fails if centre < -2 * error else close
    return Effect(name, tuple(values), centre, error, verdict)


def is_number(value: Any) -> bool:
    """Whether a value is a finite number that fits a float; True and False are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an int that no float can hold
        return False


def check_number(value: Any, where: str) -> None:
    """Refuses what is not a finite number.

    Args:
        value: from a run, or from a file.
        where: what the value should be, as the message begins.

    Raises:
        ItmError: it is not a number, or infinite, or too large.
    """
    if not is_number(value):
        shown = repr(value) if not isinstance(value, int) or isinstance(value, bool) else "an int of too many digits"
        raise ItmError(f"{where} is not a number ({shown[:80]}); look at the run of that seed, or run the claim again")


def per_model(figures: Sequence[dict[str, Any]], *path: str) -> dict[str, list[float]]:
    """One metric of every model, a list with one value per seed.

    Args:
        figures: rows of plain data with a "model" each, as claims keep them.
        path: leads to the metric in a row, such as "t2i", "r1".

    Returns:
        Model -> values, in the order of the rows; rows without such a metric are left out.
    """
    found: dict[str, list[float]] = {}
    for row in figures:
        value: Any = row
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None:
            found.setdefault(row["model"], []).append(value)
    return found


def provenance() -> dict[str, str | int | None]:
    """What a figure depends on beside its seed and the sources: versions and machine, as plain data."""
    packages = {name: version(name) for name in ("torch", "torchvision", "numpy", "pillow")}
    machine = {"machine": platform.machine(), "system": platform.system(), "cores": os.cpu_count()}
    return {"date": date.today().isoformat(), "python": platform.python_version(), **machine, **packages}
