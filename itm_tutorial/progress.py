"""Whether anybody is watching: a bar for a person, silence for a machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

_MACHINES = ("papermill", "pytest", "nbconvert", "nbval", "itm course")


def progress_wanted() -> bool:
    """True where a person looks on: ``ITM_PROGRESS`` decides (0 or 1), else no bar under CI or a notebook runner."""
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
    """The steps one by one, with a bar for a person where there are many.

    Args:
        steps: anything of known length.
        what: is being done, in two or three words.

    Returns:
        An iterable over the steps.
    """
    from tqdm.auto import tqdm

    return tqdm(steps, desc=what, disable=len(steps) < 8 or not progress_wanted(), leave=False)
