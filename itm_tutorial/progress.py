"""Whether anybody is watching: a bar for a person, silence for a machine."""

from __future__ import annotations

import os

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
