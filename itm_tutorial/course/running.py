"""Runs notebooks: one, or the whole course with one table."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from itm_tutorial.course.files import read_cells, read_chapters
from itm_tutorial.errors import ItmError

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
CELL_SECONDS = 900  # a cell that takes longer has failed
HEADLINE = 40  # width of the table's column


def run_course(out: Path = Path("build/course"), fast: bool = False) -> int:
    """Executes every notebook with papermill and prints one table; after a failure, the other notebooks still run.

    Args:
        out: folder for the executed notebooks.
        fast: whether to use the smallest size, as a quick check.

    Returns:
        0, or 1 if a notebook failed.

    Raises:
        ItmError: course.toml is missing or broken.
    """
    names = read_chapters(ROOT / "course.toml")
    out.mkdir(parents=True, exist_ok=True)
    os.environ["ITM_FAST"], os.environ["ITM_PROGRESS"] = "1" if fast else "0", "0"
    width = max(map(len, names))
    print(f"{'notebook':<{width}}  seconds  {'headline':<{HEADLINE}}  result")
    failed = False
    for name in names:
        start, target = time.perf_counter(), out / name
        target.unlink(missing_ok=True)  # so that the headline of an earlier run is not shown
        result = execute(NOTEBOOKS / name, target)
        seconds = time.perf_counter() - start
        print(f"{name:<{width}}  {seconds:>7.0f}  {_headline(target):<{HEADLINE}}  {result}", flush=True)
        failed = failed or result != "ok"
    return int(failed)


def execute(notebook: Path, target: Path, parameters: dict[str, Any] | None = None) -> str:
    """Runs one notebook, in its own folder.

    Args:
        notebook: the file to run.
        target: file for the executed notebook.
        parameters: values for its parameters cell.

    Returns:
        "ok", or what failed and where.
    """
    import papermill

    if not notebook.exists():
        return f"failed: {notebook.name} does not exist; make it with make notebooks, or correct course.toml"
    try:
        papermill.execute_notebook(
            notebook,
            target,
            parameters,
            kernel_name="python3",
            cwd=notebook.parent,
            progress_bar=False,
            execution_timeout=CELL_SECONDS,
            extra_arguments=["--log-level=ERROR"],  # otherwise each kernel warns about its TCP ports
        )
    except papermill.PapermillExecutionError as error:
        return f"failed in cell {error.exec_count}: {error.ename}: {first_line(error.evalue)}"
    except Exception as error:  # no kernel, a dead kernel, a cell that takes too long, not a notebook
        return f"failed: {type(error).__name__}: {first_line(error)}"
    return "ok"


def first_line(message: object) -> str:
    """The first line of a message, for a table."""
    return next(iter(str(message).strip().splitlines()), "")[:160]


def _headline(file: Path) -> str:
    """The last text that the notebook printed after "Headline:", or a dash."""
    try:
        printed = "".join(cell["printed"] for cell in read_cells(file))
    except ItmError:  # missing, or cut short when the kernel died: the result says why
        return "-"
    found = [line.removeprefix("Headline: ") for line in printed.splitlines() if line.startswith("Headline: ")]
    return found[-1][:HEADLINE] if found else "-"
