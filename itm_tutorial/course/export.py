"""Writes the editions of the course into a folder: learner, teacher, slides, plain code, otter."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from itm_tutorial.course import editions
from itm_tutorial.course.files import Chapter, Part, read_contents
from itm_tutorial.course.running import execute_cells, first_line
from itm_tutorial.course.tracks import contents_of, cut_of, read_track
from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.progress import notice
from itm_tutorial.storage import check_writable, disk_errors, user_path

Written = list[Path]


def export_notebooks(edition: str, out: Path, chapter: str = "", track: str = "") -> Written:
    """Writes the learner's or the teacher's notebooks.

    Args:
        edition: "learner" or "teacher".
        out: the folder; it is made. What it holds stays, but for files of the same names.
        chapter: the number or the name of one notebook, such as "00"; all by default.
        track: a track of course.toml, whose sections alone are kept.

    Returns:
        The files.

    Raises:
        ItmError: the chapter or the track is unknown, a source is broken, or the folder cannot be written to.
    """
    make = editions.learners_edition if edition == "learner" else editions.teachers_edition
    parts, contents = _chosen(chapter, track)

    def build(folder: Path) -> None:
        import nbformat

        for part in parts:
            made = editions.relinked(make(_source(part), contents, cut_of(part)), out)
            nbformat.write(made, folder / part["notebook"])

    return _written(out, build)


def export_code(out: Path, chapter: str = "", track: str = "") -> Written:
    """Writes the plain code of the notebooks.

    Args:
        out, chapter, track: as for ``export_notebooks``.
    """
    from itm_tutorial.course.plain_code import plain_code

    parts, _ = _chosen(chapter, track)

    def build(folder: Path) -> None:
        for part in parts:
            text = plain_code(_source(part), cut_of(part))
            (folder / f"{Path(part['notebook']).stem}.py").write_text(text, encoding="utf-8")

    return _written(out, build)


def export_slides(
    out: Path, chapter: str = "", track: str = "", executed: Path | None = None, reveal: str = ""
) -> Written:
    """Writes the slides of the notebooks, with their figures.

    Args:
        out, chapter, track: as for ``export_notebooks``.
        executed: a folder with the notebooks as ``itm course`` ran them; without it they are run now.
        reveal: the address or folder of reveal.js; by default the web.

    Raises:
        ItmError: as for ``export_notebooks``; a notebook fails, or ``executed`` lacks one or is of another version.
    """
    from itm_tutorial.course.slides import slides, with_outputs

    parts, contents = _chosen(chapter, track)

    def build(folder: Path) -> None:
        for part in parts:
            notebook = editions.learners_edition(_source(part), contents, cut_of(part))
            if executed is None:
                notice(f"running {part['notebook']}")
                notebook = _run(notebook, part["notebook"])
            else:
                notebook = with_outputs(notebook, executed / part["notebook"])
            page = slides(notebook, reveal)
            (folder / f"{Path(part['notebook']).stem}.slides.html").write_text(page, encoding="utf-8")

    return _written(out, build)


def export_labs(out: Path, chapter: str = "", track: str = "") -> Written:
    """Writes a graded lab for otter-grader per chapter, in a folder of the chapter's name.

    Args:
        out, chapter, track: as for ``export_notebooks``.

    Raises:
        ItmError: as for ``export_notebooks``; otter-grader is not installed, or the chapter has no exercises.
    """
    from itm_tutorial.course.grading import check_installed, write_lab

    check_installed()
    parts, _ = _chosen(chapter, track)
    graded = [part for part in parts if editions.exercises_of(_source(part))]
    if not graded:
        raise ItmError(f"{chapter or track} has no exercises to grade: choose a chapter such as --chapter 00")

    def build(folder: Path) -> None:
        for part in graded:
            write_lab(_source(part), folder / Path(part["notebook"]).stem, cut_of(part))

    return _written(out, build)


def _chosen(chapter: str, track: str) -> tuple[list[Part], list[Chapter]]:
    """The notebooks to write, and those that their headers link to."""
    if track:
        chosen = read_track(track)
        parts, contents = chosen["notebooks"], contents_of(chosen)
    else:
        contents = read_contents(editions.ROOT / "course.toml")
        parts = [Part(notebook=one["notebook"]) for one in contents]
    if chapter:
        fitting = [part for part in parts if chapter in _names(part["notebook"])]
        if not fitting:
            raise unknown("chapter", chapter, {name for part in parts for name in _names(part["notebook"])[:2]})
        parts = fitting
    return parts, contents


def _names(notebook: str) -> tuple[str, ...]:
    """How a notebook may be called: its stem, a chapter's number, its file."""
    stem = Path(notebook).stem
    return (stem, notebook) if "_lab_" in stem else (stem, stem[:2], notebook)


def _source(part: Part) -> Path:
    return editions.SOURCES / f"{Path(part['notebook']).stem}.py"


def _run(notebook, name: str):
    """Runs a notebook where its chapter lies."""
    from nbclient.exceptions import CellExecutionError

    try:
        execute_cells(notebook, editions.NOTEBOOKS, ITM_PROGRESS="0")
    except CellExecutionError as error:
        reason = f"{error.ename}: {first_line(error.evalue)}"
        raise ItmError(f"{name} failed when it was run ({reason}): mend it, then export again") from error
    return notebook


def _written(out: Path, build: Callable[[Path], None]) -> Written:
    """Makes everything in a folder of its own first, so that a failure leaves ``out`` as it was."""
    out = user_path(out, "--out")
    check_writable(out)
    with disk_errors(out), tempfile.TemporaryDirectory(prefix=".export-", dir=out) as made:
        build(Path(made))
        return sorted(_moved(Path(made), out))


def _moved(made: Path, out: Path) -> Iterable[Path]:
    """Moves what was made to its place, file by file or lab by lab."""
    for one in sorted(made.iterdir()):
        target = out / one.name
        if target.is_dir() and one.is_dir():
            shutil.rmtree(target)
        one.replace(target)
        yield target
