"""The editions of a notebook that are notebooks themselves: the learner's, and the teacher's.

A source is a jupytext py:percent file with solutions between ``# solution`` and ``# end of solution``. The learner's
edition has a stub in their place. The teacher's keeps them, and adds to each section its minutes and talking points,
and to each exercise the mistakes that its check knows. Cells tagged "teacher" are the teacher's alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from itm_tutorial.course.colab import bootstrap
from itm_tutorial.course.files import Chapter, read_contents, read_repository, read_site
from itm_tutorial.course.frame import footer, header
from itm_tutorial.course.running import NOTEBOOKS, ROOT, first_line
from itm_tutorial.course.sections import Cell, Section, heading_of, is_named, sections_of
from itm_tutorial.errors import ItmError
from itm_tutorial.show.canvas import counted

if TYPE_CHECKING:
    from itm_tutorial.chapters.exercise import Exercise

SOURCES = NOTEBOOKS / "source"
TALKING_POINTS = ROOT / "docs" / "teacher"
CHECKED, ANSWER, EXERCISE, TEACHER = "nbval-check-output", "answer", "exercise", "teacher"  # tags of cells
BOOTSTRAP = "bootstrap"  # the cell that installs the course on Colab
_SOLUTION = re.compile(r"^( *)# solution\n.*?^ *# end of solution$", re.MULTILINE | re.DOTALL)
_FUNCTION = re.compile(r"^def (\w+)\(", re.MULTILINE)
_MARKERS = re.compile(r"^ *# (end of )?solution\n", re.MULTILINE)
Cut = Callable[[list[Cell]], list[Cell]]  # takes the cells of a whole source, returns those that a track keeps


def read_source(source: Path):
    """Reads a source.

    Args:
        source: a .py file in ``notebooks/source``.

    Returns:
        An nbformat notebook with the solutions, without header and footer.

    Raises:
        ItmError: the source is missing, not UTF-8, or not a text in cells.
    """
    import jupytext

    try:
        notebook = jupytext.read(source)
    except Exception as error:  # jupytext raises the errors of its parsers
        raise ItmError(f"{source} cannot be read ({first_line(error)}): correct it, as py:percent in UTF-8") from error
    if not any(cell["source"].strip() for cell in notebook.cells):
        raise ItmError(f"{source} has no cell: begin it with # %% [markdown] and a line with the title")
    return notebook


def learners_edition(source: Path, contents: list[Chapter] | None = None, cut: Cut | None = None):
    """Makes the learner's notebook of a source, without outputs.

    Args:
        source: a .py file in ``notebooks/source``.
        contents: the notebooks that header and footer link to; by default those of course.toml.
        cut: leaves cells out, for a track.

    Returns:
        An nbformat notebook with stubs instead of solutions and with stable cell ids. Its title is followed by the
        minutes and links that course.toml knows, and its last cell lists papers and the next notebook; the source of
        cells tagged "answer" is hidden.

    Raises:
        ItmError: the source is missing, not UTF-8, or not a text in cells, or ``contents`` lacks its notebook.
    """
    notebook = read_source(source)
    cells = [cell for cell in notebook.cells if not has_tag(cell, TEACHER)]
    notebook.cells = _framed(cut(cells) if cut else cells, source, contents)
    for cell in notebook.cells:
        cell["source"] = stubbed(cell["source"])
        if has_tag(cell, ANSWER):
            cell["metadata"]["jupyter"] = {"source_hidden": True}
    return finished(notebook)


def teachers_edition(source: Path, contents: list[Chapter] | None = None, cut: Cut | None = None):
    """Makes the teacher's notebook of a source, without outputs.

    Args:
        source, contents, cut: as for ``learners_edition``.

    Returns:
        An nbformat notebook with the solutions in place. Below the heading of each section stand its minutes and its
        talking points; behind each exercise the messages that its check has for typical mistakes.

    Raises:
        ItmError: as for ``learners_edition``, or a talking point belongs to no section.
    """
    notebook = read_source(source)
    whole = sections_of(notebook.cells)
    points = talking_points(source, [section.heading for section in whole])
    exercises = {exercise.name: exercise for exercise in exercises_of(source)}
    marked: list[Cell] = []
    for section in whole:
        first, *others = section.cells
        of_all = sum(one.minutes for one in whole) if section is whole[0] else 0.0
        marked.append({**first, "source": _introduced(section, points, of_all)})
        for cell in others:
            marked.append(cell)
            if has_tag(cell, EXERCISE):
                cell["source"] = solved(cell["source"])
                marked.append(_for_teachers(common_mistakes(exercises[exercise_name(cell)])))
    notebook.cells = _framed(cut(marked) if cut else marked, source, contents)
    return finished(notebook)


def has_tag(cell: Cell, tag: str) -> bool:
    """Whether a cell has a tag."""
    return tag in cell["metadata"].get("tags", ())


def stubbed(code: str) -> str:
    """Code with a stub in place of each solution."""
    return _SOLUTION.sub(r"\1...  # your code here", code)


def solved(code: str) -> str:
    """Code with its solutions, without the lines that mark them."""
    return _MARKERS.sub("", f"{code}\n").rstrip("\n")


def exercises_of(source: Path) -> tuple[Exercise, ...]:
    """The exercises of a chapter in their order; none for a lab.

    Args:
        source: of its notebook.
    """
    try:
        return import_module(f"itm_tutorial.chapters.ch{source.stem}.exercises").EXERCISES
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("itm_tutorial.chapters.ch"):
            raise
        return ()


def exercise_name(cell: Cell) -> str:
    """The name of the function that the learner writes in a cell tagged "exercise"."""
    match = _FUNCTION.search(cell["source"])
    return match[1] if match else ""


def common_mistakes(exercise: Exercise) -> str:
    """What the check of an exercise says to typical wrong answers, in Markdown."""
    messages = "\n".join(f"> - {_text(message)}" for message in dict.fromkeys(m for _, m in exercise.mistakes))
    return f"> **Teacher: common mistakes.** The check knows them, and says:\n>\n{messages}"


def talking_points(source: Path, headings: list[str]) -> dict[str, str]:
    """The talking points of a chapter, from ``docs/teacher/NN.md``.

    Args:
        source: of the chapter's notebook.
        headings: of its sections; the file may name them up to their colon.

    Returns:
        Heading of the chapter -> Markdown; empty where there is no such file.

    Raises:
        ItmError: a heading of the file is none of the chapter's.
    """
    file = TALKING_POINTS / f"{source.stem}.md"
    if not file.exists():
        return {}
    import nbformat

    found = sections_of([nbformat.v4.new_markdown_cell(file.read_text(encoding="utf-8"))])[1:]
    points = {}
    for section in found:
        fitting = [heading for heading in headings if is_named(heading, section.heading)]
        if len(fitting) != 1:
            sections = ", ".join(headings)
            raise ItmError(f"{file} has talking points for {section.heading!r}: the chapter's sections are {sections}")
        points[fitting[0]] = section.cells[0]["source"].partition("\n")[2].strip()
    return points


def finished(notebook):
    """Gives a made notebook stable cell ids and one kernel, and takes out what was run; returns it."""
    import nbformat

    made = []
    for number, cell in enumerate(notebook.cells):
        cell = nbformat.from_dict(dict(cell))
        cell["id"] = f"cell-{number:03d}"
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
        made.append(cell)
    notebook.cells = made
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def relinked(notebook, folder: Path):
    """Makes a notebook's links to files of the course lead there from another folder; returns it.

    Args:
        notebook: whose relative links start at ``notebooks``; links to its neighbours there stay.
        folder: where it will lie.
    """
    try:
        way = Path(os.path.relpath(ROOT, folder.resolve())).as_posix()
    except ValueError:  # another drive
        way = ROOT.as_posix()
    for cell in notebook.cells:
        if cell["cell_type"] == "markdown":
            cell["source"] = cell["source"].replace("](../", f"]({way}/")
    return notebook


def _framed(cells: list[Cell], source: Path, contents: list[Chapter] | None) -> list[Cell]:
    """The cells between a header below the title and a footer; with an address, a cell that installs on Colab."""
    import nbformat

    course, name = ROOT / "course.toml", f"{source.stem}.ipynb"
    contents, repository = contents or read_contents(course), read_repository(course)
    first, *others = cells
    title, _, text = first["source"].partition("\n")
    first["source"] = f"{title}\n\n{header(contents, name, repository, read_site(course))}\n{text}"
    if repository:
        colab = {"cellView": "form", "tags": [BOOTSTRAP]}
        others.insert(0, nbformat.v4.new_code_cell(bootstrap(repository), metadata=colab))
    return [first, *others, nbformat.v4.new_markdown_cell(footer(contents, name))]


def _introduced(section: Section, points: dict[str, str], of_all: float) -> str:
    """The first text of a section with its minutes, or those of all below the title, and its talking points."""
    text = section.cells[0]["source"]
    if not section.heading or not heading_of(text.partition("\n")[0]):
        return text
    heading, _, rest = text.partition("\n")
    exercises = f", {section.exercise_minutes} of them for exercises" if section.exercise_minutes else ""
    if of_all:
        lines = [
            f"> **Teacher's edition: about {round(of_all)} minutes in all.** Solutions are in place.",
            "> Each section states its minutes, and each exercise lists what its check says to common mistakes.",
        ]
    else:
        lines = [f"> **Teacher: about {counted(max(1, round(section.minutes)), 'minute')}{exercises}.**"]
    if section.heading in points:
        lines += [">", *(f"> {line}".rstrip() for line in points[section.heading].splitlines())]
    return "\n".join([heading, "", *lines, "", rest.lstrip("\n")])


def _for_teachers(text: str) -> Cell:
    import nbformat

    return nbformat.v4.new_markdown_cell(text, metadata={"tags": [TEACHER]})


def _text(message: str) -> str:
    """A message as Markdown shows it, sign for sign."""
    return re.sub(r"([\\*_<>\[\]|`$])", r"\\\1", message)
