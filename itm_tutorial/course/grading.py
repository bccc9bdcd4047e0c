"""Graded labs for otter-grader: the exercises of a chapter as a notebook, with tests made from their checks."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import zlib
from importlib.util import find_spec
from pathlib import Path

from itm_tutorial import __version__
from itm_tutorial.chapters.exercise import Exercise
from itm_tutorial.course import editions
from itm_tutorial.course.editions import (
    EXERCISE,
    Cut,
    exercise_name,
    exercises_of,
    finished,
    has_tag,
    read_source,
    solved,
    stubbed,
)
from itm_tutorial.course.files import read_repository
from itm_tutorial.course.names import names_of
from itm_tutorial.course.sections import Cell, heading_of, split_at_headings
from itm_tutorial.errors import ItmError

_INTRODUCTION = """# Graded lab · {title}

This lab has the exercises of the chapter *{title}*, without the text around them: work through the chapter first.
Replace the dots in each function. The cell below it checks your answer and says what is wrong with it; a hidden test
with other random inputs counts as much.

{points} points in all. When you are done, save the notebook and hand in this file."""
_TEST = '''"""Made by itm export otter from the check of the exercise."""

from otter.test_files import test_case

OK_FORMAT = False
name = "{name}"
points = None


def _verdict(answer, seed):
    from itm_tutorial.chapters.{chapter} import exercises

    exercise = exercises.{name}
    assert answer is not exercise.own, "This is the package's version: hand in a function of your own."
    return exercise.verdict(answer, seed)


@test_case(name="{name}", points={points}, hidden=False)
def test_{name}({name}):
    verdict = _verdict({name}, 0)
    assert verdict.startswith("Right"), verdict
'''
_HIDDEN = """

@test_case(name="{name}, other random inputs", points={points}, hidden=True)
def test_{name}_hidden({name}):
    verdict = _verdict({name}, {seed})
    assert verdict.startswith("Right"), verdict
"""


def check_installed() -> None:
    """Makes sure that otter-grader is there and starts.

    Raises:
        ItmError: it is not, or it is of a version that this Python cannot run.
    """
    remedy = "pip install 'otter-grader>=6'"
    if find_spec("otter") is None:
        raise ItmError(f"otter-grader is not installed: {remedy}")
    run = subprocess.run([sys.executable, "-m", "otter", "--version"], capture_output=True, text=True)
    if run.returncode:
        reason = next(iter(run.stderr.strip().splitlines()[-1:]), "it says nothing")
        raise ItmError(f"otter-grader does not start ({reason}): {remedy}")


def write_lab(source: Path, folder: Path, cut: Cut | None = None) -> None:
    """Writes the graded lab of a chapter.

    Args:
        source: a .py file in ``notebooks/source``, of a chapter with exercises.
        folder: a new one. ``student`` is for the learners: the notebook with stubs and the public tests. ``autograder``
            is for the teacher: the notebook with solutions, all tests, and ``autograder.zip`` for ``otter run``,
            ``otter grade`` and Gradescope.
        cut: keeps the exercises of a track alone.

    Raises:
        ItmError: the source is broken, or otter-grader cannot make its archive.
    """
    import nbformat

    cells = read_source(source).cells
    cells = cut(cells) if cut else cells
    named = {exercise.name: exercise for exercise in exercises_of(source)}
    chosen = [named[exercise_name(cell)] for cell in cells if has_tag(cell, EXERCISE)]
    for role, edit in (("student", stubbed), ("autograder", solved)):
        (folder / role / "tests").mkdir(parents=True)
        notebook = nbformat.v4.new_notebook(cells=_lab_cells(cells, chosen, edit))
        nbformat.write(finished(notebook), folder / role / f"{source.stem}.ipynb")
        for exercise in chosen:
            text = test_of(exercise, f"ch{source.stem}", hidden=role == "autograder")
            (folder / role / "tests" / f"{exercise.name}.py").write_text(text, encoding="utf-8")
    repository = read_repository(editions.ROOT / "course.toml")
    requirement = f"itm-tutorial @ git+{repository}" if repository else f"itm-tutorial=={__version__}"
    (folder / "autograder" / "requirements.txt").write_text(f"{requirement}\n", encoding="utf-8")
    _generate(folder / "autograder")


def test_of(exercise: Exercise, chapter: str, hidden: bool) -> str:
    """The test file of an exercise, in otter's format with exceptions.

    Args:
        exercise: whose check decides.
        chapter: the name of its package, such as "ch00_start_here".
        hidden: whether to add the hidden test.

    Returns:
        Python. Each test gives as many points as the exercise has stars, and fails with the message of the check.
    """
    seed = zlib.crc32(exercise.name.encode())
    fields = {"name": exercise.name, "chapter": chapter, "points": exercise.difficulty, "seed": seed}
    return (_TEST + (_HIDDEN if hidden else "")).format(**fields)


def _lab_cells(cells: list[Cell], exercises: list[Exercise], edit) -> list[Cell]:
    """The cells of a lab: what is imported, and for each exercise its text, the function, and otter's check."""
    import nbformat

    title = (heading_of(cells[0]["source"].partition("\n")[0]) or (1, ""))[1]
    points = 2 * sum(exercise.difficulty for exercise in exercises)
    parts = split_at_headings(cells, deepest=3)
    code = [cell["source"] for cell in parts if has_tag(cell, EXERCISE)]
    imports = _imports([cell["source"] for cell in parts if cell["cell_type"] == "code"], code)
    lab = [
        nbformat.v4.new_markdown_cell(_INTRODUCTION.format(title=title, points=points)),
        nbformat.v4.new_code_cell(f"import otter\n\n{imports}\n\ngrader = otter.Notebook()"),
    ]
    text = None
    for cell in parts:
        if cell["cell_type"] == "markdown" and cell["source"].startswith("### Exercise"):
            text = cell["source"]
        if has_tag(cell, EXERCISE):
            name = exercise_name(cell)
            own = re.sub(rf"^{name} = exercises\.{name}\.check\({name}\)$", "", cell["source"], flags=re.MULTILINE)
            lab.append(nbformat.v4.new_markdown_cell(_without_ours(text or f"### {name}", name)))
            lab.append(nbformat.v4.new_code_cell(edit(own.rstrip())))
            lab.append(nbformat.v4.new_code_cell(f'grader.check("{name}")'))
    return lab


def _without_ours(text: str, name: str) -> str:
    """The text of an exercise without the line on the package's solution, which a graded lab does not advertise."""
    kept = [line for line in text.splitlines() if f"exercises.{name}.solution()" not in line]
    return "\n".join(kept).rstrip()


def _imports(code: list[str], wanted_by: list[str]) -> str:
    """The imports of a chapter that its exercises need."""
    wanted = set().union(*(names_of(one).reads for one in wanted_by))
    lines = []
    for statement in (one for cell in code for one in ast.walk(ast.parse(cell))):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            kept = [a for a in statement.names if (a.asname or a.name.partition(".")[0]) in wanted - {"exercises"}]
            if kept:
                statement.names = kept
                lines.append(ast.unparse(statement))
    return "\n".join(dict.fromkeys(lines))


def _generate(folder: Path) -> None:
    """Lets otter make the archive with which it grades."""
    command = [sys.executable, "-m", "otter", "generate", "--tests-dir", "tests", "--output-path", "autograder.zip"]
    command += ["--requirements", "requirements.txt", "--no-config", "--no-environment"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if run.returncode or not (folder / "autograder.zip").exists():
        reason = next(iter(run.stderr.strip().splitlines()[-1:]), "it says nothing")
        raise ItmError(f"otter generate failed ({reason}): pip install 'otter-grader>=6'")
