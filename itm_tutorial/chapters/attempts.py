"""Which exercises a learner has tried and solved: one line each in runs/progress.jsonl, written by their checks.

A line names a chapter, an exercise and a state, and nothing else: no name, no time, no answer.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from itm_tutorial.errors import ItmError
from itm_tutorial.progress import progress_wanted
from itm_tutorial.storage import append_lines, checked, in_course, user_path

FILE = "runs/progress.jsonl"
TRIED, SOLVED = "tried", "solved"
PATIENCE = 1.0  # seconds that a check waits for another process
_Name = Annotated[str, Field(pattern=r"^\w+$", max_length=100)]


class Attempt(TypedDict):
    """A line of the file: ``state`` is the best so far that was new."""

    chapter: _Name
    exercise: _Name
    state: Literal["tried", "solved"]


def file() -> Path:
    """The file: ``ITM_PROGRESS_FILE``, or runs/progress.jsonl in the course's folder.

    Raises:
        ItmError: ``ITM_PROGRESS_FILE`` is no possible path.
    """
    chosen = os.environ.get("ITM_PROGRESS_FILE")
    return in_course(user_path(chosen, "ITM_PROGRESS_FILE") if chosen else FILE)


def remember(chapter: str, exercise: str, state: str) -> None:
    """Notes an attempt of a learner; whatever goes wrong, nothing is raised and nothing printed.

    Nothing is written outside a notebook, by automatic runs (papermill, pytest, CI, ``ITM_PROGRESS=0``), or where the
    file says the same already.

    Args:
        chapter: such as "00_start_here".
        exercise: its name.
        state: ``TRIED`` or ``SOLVED``.
    """
    with suppress(Exception):  # a folder that may not be written to, a full disk: the check goes on
        if chapter and in_a_learners_notebook():
            note(chapter, exercise, state, file())


def in_a_learners_notebook() -> bool:
    """Whether this is the kernel of a notebook that a person runs."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None and progress_wanted()


def note(chapter: str, exercise: str, state: str, where: Path) -> None:
    """Appends an attempt unless the file has it, or has the exercise as solved; several kernels may do so at once.

    Args:
        chapter, exercise, state: as for ``remember``.
        where: the file.

    Raises:
        ItmError: the file cannot be read or written.
    """
    found = read(where)[0].get((chapter, exercise)) if where.exists() else None
    if found not in (state, SOLVED):
        line = json.dumps(Attempt(chapter=chapter, exercise=exercise, state=state))
        append_lines(where, [line], PATIENCE)


def read(where: Path) -> tuple[dict[tuple[str, str], str], list[str]]:
    """What a file holds; it is not changed.

    Args:
        where: the file; one that is missing holds nothing.

    Returns:
        (chapter, exercise) -> the best state; and one sentence per damaged line, which is skipped.

    Raises:
        ItmError: it cannot be read, or is no file.
    """
    if not where.exists():
        return {}, []
    if not where.is_file():  # a pipe would keep the reader waiting for ever
        raise ItmError(f"{where} is no file: set ITM_PROGRESS_FILE to the path of one")
    try:
        lines = where.read_bytes().split(b"\n")
    except OSError as error:
        raise ItmError(f"{where} cannot be read ({error.strerror}): set ITM_PROGRESS_FILE to another file") from error
    states: dict[tuple[str, str], str] = {}
    damaged = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        place = f"{where} line {number}"
        try:
            attempt = checked(json.loads(line.decode("utf-8-sig")), Attempt, place, "skipped")
        except ItmError as error:
            damaged.append(str(error))
        except (ValueError, RecursionError):  # not UTF-8, not JSON
            damaged.append(f"{place}: broken JSON; skipped")
        else:
            key = attempt["chapter"], attempt["exercise"]
            states[key] = SOLVED if SOLVED in (attempt["state"], states.get(key)) else TRIED
    return states, damaged
