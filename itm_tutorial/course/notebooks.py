"""Builds the notebooks from their sources, checks that they are up to date, and runs the whole course.

A source is a jupytext py:percent file with solutions. The learner's notebook has a stub instead of the lines between
``# solution`` and ``# end of solution``. Only outputs of cells tagged ``nbval-check-output`` are stored.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

from itm_tutorial.course.files import read_cells, read_chapters, read_contents
from itm_tutorial.course.frame import footer, header
from itm_tutorial.errors import ItmError

ROOT = Path(__file__).parents[2]
SOURCES, NOTEBOOKS = ROOT / "notebooks" / "source", ROOT / "notebooks"
CHECKED, ANSWER = "nbval-check-output", "answer"  # tags of cells
CELL_SECONDS = 900  # a cell that takes longer has failed
HEADLINE = 40  # width of the table's column
_SOLUTION = re.compile(r"^( *)# solution\n.*?^ *# end of solution$", re.MULTILINE | re.DOTALL)


def learners_edition(source: Path):
    """Makes the learner's notebook of a source, without outputs.

    Args:
        source: a .py file in ``notebooks/source``.

    Returns:
        An nbformat notebook with stubs instead of solutions and with stable cell ids. Its title is followed by the
        minutes and links that course.toml knows, and its last cell lists papers and the next notebook; the source of
        cells tagged "answer" is hidden.

    Raises:
        ItmError: the source is missing, not UTF-8, or not a text in cells, or course.toml does not name its notebook.
    """
    import jupytext
    import nbformat

    try:
        notebook = jupytext.read(source)
    except Exception as error:  # jupytext raises the errors of its parsers
        raise ItmError(f"{source} cannot be read ({first_line(error)}): correct it, as py:percent in UTF-8") from error
    contents, name = read_contents(ROOT / "course.toml"), f"{source.stem}.ipynb"
    title, _, text = notebook.cells[0]["source"].partition("\n")
    notebook.cells[0]["source"] = f"{title}\n\n{header(contents, name)}\n{text}"
    notebook.cells.append(nbformat.v4.new_markdown_cell(footer(contents, name)))
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:03d}"
        cell["source"] = _SOLUTION.sub(r"\1...  # your code here", cell["source"])
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
        if ANSWER in cell["metadata"].get("tags", ()):
            cell["metadata"]["jupyter"] = {"source_hidden": True}
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def build_notebooks(check: bool = False) -> list[str]:
    """Writes every notebook from its source, or checks which are out of date.

    Args:
        check: whether to compare only, without writing.

    Returns:
        Names of notebooks that differ from their sources; empty after writing.
    """
    import nbformat

    drifted = []
    for source in sorted(SOURCES.glob("*.py")):
        made, file = learners_edition(source), NOTEBOOKS / f"{source.stem}.ipynb"
        if check:
            wanted = [(c["cell_type"], c["source"], c["metadata"].get("tags", [])) for c in made.cells]
            if _texts(file) != wanted:
                drifted.append(file.name)
            continue
        nbformat.write(_with_checked_outputs(made), file)
    return drifted


def _texts(file: Path) -> list[tuple] | None:
    """What a stored notebook shares with its source; None where it is missing or damaged: it must be made again."""
    try:
        return [(cell["cell_type"], cell["source"], cell["tags"]) for cell in read_cells(file)]
    except ItmError:
        return None


def _with_checked_outputs(notebook):
    """Runs the notebook at its smallest size and stores the outputs that nbval will compare."""
    from nbclient import NotebookClient

    os.environ["ITM_FAST"], os.environ["ITM_PROGRESS"] = "1", "0"
    NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOKS)}}
    ).execute()
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell["metadata"].pop("execution", None)
        if cell["cell_type"] == "code":
            kept = cell["outputs"] if CHECKED in cell["metadata"].get("tags", ()) else []
            cell["execution_count"] = 1 if kept else None  # nbval treats a cell without a count as never run
            cell["outputs"] = [{**o, "execution_count": None} if "execution_count" in o else o for o in kept]
    return notebook


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


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="make the learner's notebooks, or check them for drift")
    parser.add_argument("action", choices=("build", "check"))
    differing = build_notebooks(check=parser.parse_args().action == "check")
    print(
        "\n".join(f"{name} differs from its source: run make notebooks" for name in differing)
        or "notebooks are up to date"
    )
    sys.exit(bool(differing))
