"""Tracks: ways through the course that leave sections out, such as a lab of ninety minutes; course.toml has them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from itm_tutorial.course import editions
from itm_tutorial.course.editions import EXERCISE, Cut, has_tag, read_source
from itm_tutorial.course.files import Chapter, Part, Track, read_contents, read_tracks
from itm_tutorial.course.names import names_of
from itm_tutorial.course.sections import Cell, Section, is_named, sections_of
from itm_tutorial.errors import ItmError, unknown


@dataclass(frozen=True)
class Missing:
    """A section that stays, and needs what a section that is left out makes."""

    notebook: str
    section: str
    name: str
    left_out: str

    def __str__(self) -> str:
        return (
            f"{self.notebook}: {self.section!r} reads {self.name}, which {self.left_out!r} makes: "
            "keep both, or leave out both"
        )


def read_track(name: str) -> Track:
    """A track of course.toml.

    Raises:
        ItmError: there is none of this name, or course.toml is broken.
    """
    tracks = read_tracks(editions.ROOT / "course.toml")
    if name not in tracks:
        raise unknown("track", name, tracks)
    return tracks[name]


def cut_of(part: Part) -> Cut:
    """What leaves out the sections that a track does without.

    The title stays, and so do the cells that only import or that set the parameters.

    Args:
        part: a notebook of a track.

    Returns:
        A function that takes the cells of the whole source and returns those that stay.
    """

    def cut(cells: list[Cell]) -> list[Cell]:
        sections = sections_of(cells)
        kept = kept_headings(sections, part)
        left_out = [section.heading for section in sections if section.heading not in kept]
        stay = [cell for s in sections for cell in s.cells if s.heading in kept or is_needed_anyway(cell)]
        if left_out:
            names = ", ".join(f"*{heading}*" for heading in left_out)
            stay[0]["source"] += (
                f"\n\nThis is a short edition. It leaves out: {names}. You find them in the "
                f"[whole chapter](../notebooks/{part['notebook']})."
            )
        return stay

    return cut


def kept_headings(sections: list[Section], part: Part) -> list[str]:
    """The headings of a chapter that a track keeps, the title's among them.

    Args:
        sections: of the whole chapter.
        part: the notebook in the track.

    Raises:
        ItmError: a name in the track is none of the chapter's headings, or fits several.
    """
    first, *others = (section.heading for section in sections)
    if "sections" not in part:
        return [first, *others]
    kept = [first]
    for name in part["sections"]:
        fitting = [heading for heading in others if is_named(heading, name)]
        if len(fitting) != 1:
            where = f"course.toml, {part['notebook']}"
            if not fitting:
                raise ItmError(f"{where}: {unknown('section', name, [h.partition(':')[0] for h in others])}")
            raise ItmError(f"{where}: {name!r} fits {' and '.join(map(repr, fitting))}; write the whole heading")
        kept += fitting
    return kept


def is_needed_anyway(cell: Cell) -> bool:
    """Whether a cell stays although its section is left out: it sets the parameters, or only imports."""
    if cell["cell_type"] != "code":
        return False
    if has_tag(cell, "parameters"):
        return True
    body = ast.parse(cell["source"]).body
    return bool(body) and all(isinstance(one, ast.Import | ast.ImportFrom) for one in body)


def missing_names(sections: list[Section], part: Part) -> list[Missing]:
    """What the kept sections of a notebook lack.

    Args:
        sections: of the whole chapter, with the solutions.
        part: the notebook in the track.

    Returns:
        One entry per name that a kept section reads and that a left-out one made last before it.
    """
    kept = kept_headings(sections, part)
    made_by: dict[str, str | None] = {}  # name -> the left-out section that wrote it last, None for a kept one
    missing, modules = [], set()
    for section in sections:
        for cell in section.cells:
            if cell["cell_type"] != "code":
                continue
            names, stays = names_of(cell["source"], modules), section.heading in kept or is_needed_anyway(cell)
            for name in sorted(names.reads) if stays else ():
                if made_by.get(name):
                    missing.append(Missing(part["notebook"], section.heading, name, made_by[name]))
            modules |= names.imported
            made_by |= dict.fromkeys(names.writes, None if stays else section.heading)
    return missing


def contents_of(track: Track) -> list[Chapter]:
    """The notebooks of a track as header and footer need them: with the minutes of what stays.

    Args:
        track: of course.toml.

    Raises:
        ItmError: a source is missing, or a section is none of its chapter's.
    """
    chapters = {chapter["notebook"]: chapter for chapter in read_contents(editions.ROOT / "course.toml")}
    found = []
    for part in track["notebooks"]:
        chapter = chapters[part["notebook"]]
        if "sections" in part:
            chapter = {**chapter, "minutes": minutes_in(part)}
            chapter.pop("computing", None)  # of the whole chapter
        found.append(chapter)
    return found


def minutes_in(part: Part) -> int:
    """The minutes of a notebook in a track: its chapter's, or those of the kept sections, to the next five.

    Raises:
        ItmError: course.toml has no minutes for the chapter, or as for ``kept_headings``.
    """
    chapters = {chapter["notebook"]: chapter for chapter in read_contents(editions.ROOT / "course.toml")}
    if "minutes" not in chapters[part["notebook"]]:
        raise ItmError(f"course.toml gives no minutes for {part['notebook']}: add minutes = 60")
    whole = chapters[part["notebook"]]["minutes"]
    if "sections" not in part:
        return whole
    sections = source_sections(part["notebook"])
    kept = kept_headings(sections, part)
    return max(5, 5 * round(sum(section.minutes for section in sections if section.heading in kept) / 5))


def source_sections(notebook: str) -> list[Section]:
    """The sections of a notebook's source.

    Args:
        notebook: such as "00_start_here.ipynb".

    Raises:
        ItmError: the source is missing or cannot be read.
    """
    return sections_of(read_source(editions.SOURCES / f"{Path(notebook).stem}.py").cells)


def outline(track: Track) -> list[tuple[str, int, int, list[str]]]:
    """One row per notebook of a track.

    Returns:
        Its name, its minutes, the number of its exercises, and the headings that are left out.
    """
    rows = []
    for part in track["notebooks"]:
        sections = source_sections(part["notebook"])
        kept = kept_headings(sections, part)
        n_exercises = sum(has_tag(cell, EXERCISE) for s in sections if s.heading in kept for cell in s.cells)
        left_out = [section.heading for section in sections if section.heading not in kept]
        rows.append((part["notebook"], minutes_in(part), n_exercises, left_out))
    return rows


def seconds_in(part: Part, executed: Path) -> float | None:
    """How long the computer needed for a notebook in a track.

    Args:
        part: a notebook of a track.
        executed: the folder where ``itm course`` ran the whole notebooks.

    Returns:
        The seconds of the cells that stay, as papermill noted them; None where the notebook was not run there.

    Raises:
        ItmError: the run is of another version of the notebook.
    """
    import nbformat

    file = executed / part["notebook"]
    if not file.exists():
        return None
    try:
        cells = nbformat.read(file, as_version=4).cells
    except Exception as error:  # nbformat raises the errors of its parsers
        raise ItmError(f"{file} is no notebook ({type(error).__name__}): run itm course again") from error
    sections = sections_of(cells)
    kept = kept_headings(sections, part)
    stay = [cell for s in sections for cell in s.cells if s.heading in kept or is_needed_anyway(cell)]
    return sum(cell["metadata"].get("papermill", {}).get("duration") or 0.0 for cell in stay)
