"""Progress bars: shown in a terminal or notebook that a person uses, hidden in automatic runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

_MACHINES = ("papermill", "pytest", "nbconvert", "nbval", "itm course")


def progress_wanted() -> bool:
    """Whether to show bars: ``ITM_PROGRESS`` (0 or 1) if it is set, else no bars in CI or under a notebook runner."""
    chosen = os.environ.get("ITM_PROGRESS")
    if chosen is not None:
        return chosen != "0"
    if os.environ.get("CI"):
        return False
    import psutil

    try:
        above = [" ".join(process.cmdline()) for process in psutil.Process().parents()]
    except psutil.Error:
        return False
    return not any(machine in line for machine in _MACHINES for line in above)


def progress_bar(steps: Sequence[Any], what: str):
    """Iterates over steps, with a progress bar if there are eight or more and bars are wanted.

    Args:
        steps: anything of known length.
        what: the bar's label, two or three words.

    Returns:
        An iterable over the steps.
    """
    from tqdm.auto import tqdm

    return tqdm(steps, desc=what, disable=len(steps) < 8 or not progress_wanted(), leave=False)


def progress_counter(total: int | None, what: str, unit: str):
    """A bar that the caller moves by ``update(n)``, for work whose steps differ in size.

    Args:
        total: how many units there are in all; None if that is unknown.
        what: is being done, in two or three words.
        unit: the name of one of them.

    Returns:
        A tqdm bar, hidden from machines; ``close`` it in the end.
    """
    from tqdm.auto import tqdm

    return tqdm(total=total, desc=what, unit=unit, unit_scale=True, disable=not progress_wanted(), leave=False)


def notice(line: str) -> None:
    """Writes a line to the error stream for a person; nothing for a machine."""
    if progress_wanted():
        print(line, file=sys.stderr, flush=True)
