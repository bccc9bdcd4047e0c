"""What a person sees of a run: progress bars (hidden in automatic runs), and lines that any console can print."""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from itm_tutorial.errors import visible

_MACHINES = ("papermill", "pytest", "nbconvert", "nbval", "jupyter-execute", "sphinx", "itm course")


def progress_wanted() -> bool:
    """Whether to show bars: as ``ITM_PROGRESS`` (0 or 1) says; if it is not set, to people and never in a log file.

    People look at a terminal, or at a notebook that no runner executes.
    """
    chosen = os.environ.get("ITM_PROGRESS")
    return chosen != "0" if chosen is not None else _before_people() and (_in_notebook() or sys.stderr.isatty())


def _before_people() -> bool:
    """Whether a person started this process: not CI, and not a program that executes notebooks."""
    if os.environ.get("CI"):
        return False
    import psutil

    try:
        above = [" ".join(process.cmdline()) for process in psutil.Process().parents()]
    except psutil.Error:
        return False
    return not any(machine in line for machine in _MACHINES for line in above)


def _in_notebook() -> bool:
    """Whether this process is a kernel, whose output a notebook shows."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None


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
    """Writes a line to the error stream for a person, who may read it in a log file; nothing for a machine."""
    chosen = os.environ.get("ITM_PROGRESS")
    if chosen != "0" if chosen is not None else _before_people():
        print(line, file=sys.stderr, flush=True)


class LiveLine:
    """One line of a terminal that is written over, to show how far a long piece of work is; nothing in a log file."""

    def __init__(self) -> None:
        self._on, self._length = progress_wanted() and sys.stderr.isatty(), 0

    def show(self, text: str) -> None:
        """Writes the text over the last one, cut to the width of the terminal."""
        if self._on:
            text = text[: shutil.get_terminal_size().columns - 1]
            print(f"\r{text:<{self._length}}", end="", file=sys.stderr, flush=True)
            self._length = len(text)

    def clear(self) -> None:
        """Takes the line away, so that what is printed next begins a line."""
        if self._on and self._length:
            print(f"\r{'':<{self._length}}\r", end="", file=sys.stderr, flush=True)
            self._length = 0


def say(text: object = "", file: TextIO | None = None) -> None:
    """Prints text of which a part was written by somebody else; control characters are escaped.

    Args:
        text: one line or several.
        file: where to; by default the output.
    """
    print(visible(str(text), keep="\n\t"), file=file or sys.stdout)


@contextmanager
def console(name: str) -> Iterator[None]:
    """For a command: every character can be printed, and a warning of the package is one line.

    A console or pipe whose encoding lacks a character gets an escape such as \\u72d7 for it, where Python would end in
    an error. Warnings of other packages look as usual.

    Args:
        name: of the command, which stands before a warning.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    here, usual = str(Path(__file__).parent), warnings.showwarning

    def show(message, category, filename, lineno, file=None, line=None):
        if filename.startswith(here):
            say(f"{name}: {message}", file or sys.stderr)
        else:
            usual(message, category, filename, lineno, file, line)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield
