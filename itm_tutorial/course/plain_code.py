"""The plain code of a chapter: a script without prose, with the solutions, that writes its figures beside itself."""

from __future__ import annotations

import ast
from pathlib import Path

from itm_tutorial.course.editions import ANSWER, TEACHER, Cut, has_tag, read_source, solved
from itm_tutorial.course.sections import Cell, heading_of, sections_of

_PREAMBLE = '''"""{title}: the code of the notebook {name}.ipynb, with the solutions."""

from pathlib import Path

_FIGURES = Path(__file__).with_suffix("")  # a folder of this script's name


def _keep(shown, number):
    """Writes a figure; what else a notebook would show is printed, and widgets are left out."""
    if hasattr(shown, "savefig"):
        _FIGURES.mkdir(exist_ok=True)
        shown.savefig(_FIGURES / f"figure_{{number}}.png")
    elif shown is not None and not hasattr(shown, "comm"):
        print(shown)
'''


def plain_code(source: Path, cut: Cut | None = None) -> str:
    """Makes the script of a source.

    Args:
        source: a .py file in ``notebooks/source``.
        cut: leaves cells out, for a track.

    Returns:
        Python: the code cells in their order, under a comment with the heading of each section. What a notebook shows
        at the end of a cell is written to a file or printed. The checks of the exercises are left out.

    Raises:
        ItmError: the source is missing, not UTF-8, or not a text in cells.
    """
    cells = read_source(source).cells
    sections = sections_of(cut(cells) if cut else cells)
    title = sections[0].heading.replace('"', "'")
    lines = [_PREAMBLE.format(title=title, name=source.stem)]
    n_shown = 0
    for section in sections:
        code = [cell for cell in section.cells if _is_wanted(cell)]
        if code and heading_of(section.cells[0]["source"].partition("\n")[0]):
            lines.append(f"# {section.heading}\n")
        for cell in code:
            text, shows = _as_script(cell["source"], n_shown + 1)
            n_shown += shows
            if text:
                lines.append(f"{text}\n")
    return "\n".join(lines)


def _is_wanted(cell: Cell) -> bool:
    return cell["cell_type"] == "code" and not has_tag(cell, ANSWER) and not has_tag(cell, TEACHER)


def _as_script(code: str, number: int) -> tuple[str, bool]:
    """A cell without the line that checks an exercise, and with what it shows kept -> the code, whether it shows."""
    lines = solved(code).splitlines()
    body = ast.parse("\n".join(lines)).body
    for one in body:
        if _is_check(one):
            lines[one.lineno - 1 : one.end_lineno] = [""] * (one.end_lineno - one.lineno + 1)
    last, shows = body[-1] if body else None, False
    if isinstance(last, ast.Expr) and not _prints(last.value):
        shown = "\n".join(lines[last.lineno - 1 : last.end_lineno])
        lines[last.lineno - 1 : last.end_lineno] = [f"_keep({shown.rstrip(';')}, {number})"]
        shows = True
    return "\n".join(lines).strip("\n"), shows


def _is_check(statement: ast.stmt) -> bool:
    """Whether a statement is ``name = exercises.name.check(name)``."""
    value = getattr(statement, "value", None)
    called = value.func if isinstance(value, ast.Call) else None
    return isinstance(called, ast.Attribute) and called.attr == "check" and "exercises" in ast.unparse(called.value)


def _prints(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "print"
