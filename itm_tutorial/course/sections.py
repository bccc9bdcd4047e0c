"""A notebook's cells by section: Markdown split at its headings, and the minutes that each section takes."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

Cell = dict[str, Any]  # of nbformat
_HEADING = re.compile(r"^(#{1,6}) +(.+?) *$")
_EXERCISE = re.compile(r"^### Exercise \d+ \((\d+) minutes?,", re.MULTILINE)
_FIGURE = re.compile(r"^(?:display\()?(?:itm\.show\.(?!answer\()|figures\.)\w+\(", re.MULTILINE)
WORDS_PER_MINUTE = 150  # of prose with formulas, read once, with the code between it
FIGURE_WORDS = 100  # a figure takes as long as a hundred words: it is looked at, and its question is answered


@dataclass
class Section:
    """A heading and the cells up to the next one.

    Attributes:
        heading: its text without the signs before it.
        cells: the first is the Markdown that begins with the heading.
    """

    heading: str
    cells: list[Cell] = field(default_factory=list)

    @property
    def exercise_minutes(self) -> int:
        """The minutes that its exercises state, together."""
        return sum(int(minutes) for cell in self.cells for minutes in _EXERCISE.findall(_prose(cell)))

    @property
    def minutes(self) -> float:
        """How long a learner takes: the exercises as they state, the words and the figures at a fixed pace."""
        words = sum(len(_prose(cell).split()) for cell in self.cells)
        figures = sum(len(_FIGURE.findall(cell["source"])) for cell in self.cells if cell["cell_type"] == "code")
        return self.exercise_minutes + (words + FIGURE_WORDS * figures) / WORDS_PER_MINUTE


def heading_of(line: str) -> tuple[int, str] | None:
    """The level and the text of a line of Markdown that is a heading, else None."""
    match = _HEADING.match(line)
    return (len(match[1]), match[2]) if match else None


def split_at_headings(cells: list[Cell], deepest: int = 2) -> list[Cell]:
    """Cells of which no Markdown cell holds a heading below its first line.

    Args:
        cells: of a notebook; they are not changed.
        deepest: the last level that counts, 2 for ``##``. A line of a code block is no heading.

    Returns:
        Copies of the cells; a Markdown cell with headings becomes several.
    """
    found: list[Cell] = []
    for cell in map(deepcopy, cells):
        parts = [cell["source"]] if cell["cell_type"] != "markdown" else _parts(cell["source"], deepest)
        found += [{**deepcopy(cell), "source": part} for part in parts]
    return found


def _parts(text: str, deepest: int) -> list[str]:
    parts: list[list[str]] = [[]]
    fenced = False
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith("```")
        heading = None if fenced else heading_of(line)
        if heading and heading[0] <= deepest and parts[-1]:
            parts.append([])
        parts[-1].append(line)
    return [part for lines in parts if (part := "\n".join(lines).strip("\n"))]


def sections_of(cells: list[Cell]) -> list[Section]:
    """The sections of a notebook, in their order; the first has its title.

    Args:
        cells: of the notebook; a Markdown cell may hold several headings.
    """
    found = [Section("")]
    for cell in split_at_headings(cells):
        heading = heading_of(cell["source"].partition("\n")[0]) if cell["cell_type"] == "markdown" else None
        if heading and heading[0] <= 2:
            found.append(Section(heading[1]))
        found[-1].cells.append(cell)
    return [section for section in found if section.cells]


def is_named(heading: str, name: str) -> bool:
    """Whether a section has this name: its whole heading, or what stands before a colon.

    ``is_named("Build it: words become numbers", "Build it")``
    """
    return heading == name or heading.startswith(f"{name}:")


def _prose(cell: Cell) -> str:
    """The text of a Markdown cell without tags, formulas and code blocks; empty for code."""
    if cell["cell_type"] != "markdown":
        return ""
    return re.sub(r"```.*?```|\$\$.*?\$\$|<[^>]+>", " ", cell["source"], flags=re.DOTALL)
