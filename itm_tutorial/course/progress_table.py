"""What ``itm progress`` prints: the exercises of each chapter, which are solved or tried, and the minutes left."""

from __future__ import annotations

from pathlib import Path

from itm_tutorial.chapters import attempts
from itm_tutorial.course import editions
from itm_tutorial.course.editions import exercises_of
from itm_tutorial.course.files import read_contents

_MARKS = {attempts.SOLVED: "x", attempts.TRIED: "~", "not begun": " "}


def progress_table() -> tuple[str, list[str]]:
    """The table of ``itm progress``.

    Returns:
        One line per exercise with its minutes and state, under a line per chapter; "not begun" is every exercise of
        which the file knows nothing. And the damaged lines of the file.

    Raises:
        ItmError: course.toml is broken, or the file cannot be read.
    """
    states, damaged = attempts.read(attempts.file())
    lines: list[str] = []
    n_solved = n_all = left_in_all = 0
    for chapter in read_contents(editions.ROOT / "course.toml"):
        name = Path(chapter["notebook"]).stem
        exercises = exercises_of(editions.SOURCES / f"{name}.py")
        if not exercises:
            continue
        of = {e.name: states.get((name, e.name), "not begun") for e in exercises}
        solved = sum(state == attempts.SOLVED for state in of.values())
        left = sum(e.minutes for e in exercises if of[e.name] != attempts.SOLVED)
        title = f"{name[:2]} {chapter.get('title', name)}"
        lines.append(f"{title}: {solved} of {len(exercises)} solved, {left} minutes left")
        lines += [f"  [{_MARKS[of[e.name]]}] {e.name:<26}{e.minutes:>3} min  {of[e.name]}" for e in exercises]
        n_solved, n_all, left_in_all = n_solved + solved, n_all + len(exercises), left_in_all + left
    lines.append(f"All chapters: {n_solved} of {n_all} exercises solved, {left_in_all} minutes of exercises left")
    return "\n".join(lines), damaged
