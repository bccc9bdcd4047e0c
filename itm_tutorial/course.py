"""The notebooks as a whole: made from their sources, checked for drift, run as a course.

A source is jupytext py:percent with solutions in it. Between ``# solution`` and ``# end of solution`` the learner's
notebook has a stub instead. Stored outputs are only those of cells tagged ``nbval-check-output``.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
import tomllib
from pathlib import Path

from itm_tutorial.errors import ItmError

ROOT = Path(__file__).parent.parent
SOURCES, NOTEBOOKS = ROOT / "notebooks" / "source", ROOT / "notebooks"
CHECKED = "nbval-check-output"
_SOLUTION = re.compile(r"^( *)# solution\n.*?^ *# end of solution$", re.MULTILINE | re.DOTALL)


def learners_edition(source: Path):
    """Makes the learner's notebook of a source, without outputs.

    Args:
        source: a .py file in ``notebooks/source``.

    Returns:
        An nbformat notebook with stubs in place of the solutions and with stable cell ids.
    """
    import jupytext

    notebook = jupytext.read(source)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:03d}"
        cell["source"] = _SOLUTION.sub(r"\1...  # your code here", cell["source"])
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def build_notebooks(check: bool = False) -> list[str]:
    """Writes every notebook from its source, or only says which differ.

    Args:
        check: compare, and write nothing.

    Returns:
        Names of notebooks that differ from what their source gives (after writing: always empty).
    """
    import nbformat

    drifted = []
    for source in sorted(SOURCES.glob("*.py")):
        made, file = learners_edition(source), NOTEBOOKS / f"{source.stem}.ipynb"
        if check:
            stored = nbformat.read(file, as_version=4) if file.exists() else None
            if stored is None or _texts(stored) != _texts(made):
                drifted.append(file.name)
            continue
        nbformat.write(_with_checked_outputs(made), file)
    return drifted


def _texts(notebook) -> list[tuple]:
    return [(c["cell_type"], c["source"], tuple(c["metadata"].get("tags", ()))) for c in notebook.cells]


def _with_checked_outputs(notebook):
    """Runs the notebook at its smallest size and keeps the outputs that nbval will compare."""
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
            cell["execution_count"] = 1 if kept else None  # nbval takes a cell without a count for one never run
            cell["outputs"] = [{**o, "execution_count": None} if "execution_count" in o else o for o in kept]
    return notebook


def run_course(out: Path = Path("build/course"), fast: bool = False) -> int:
    """Executes every notebook with papermill and prints one table.

    Args:
        out: where the executed notebooks go.
        fast: the smallest size, to see that all runs.

    Returns:
        0, or 1 when a notebook failed.
    """
    import papermill

    if not SOURCES.exists():
        raise ItmError(f"{NOTEBOOKS} does not exist: run the course from a clone of the repository")
    chapters = tomllib.loads((ROOT / "course.toml").read_text(encoding="utf-8"))["chapter"]
    out.mkdir(parents=True, exist_ok=True)
    os.environ["ITM_FAST"], os.environ["ITM_PROGRESS"] = "1" if fast else "0", "0"
    failed = 0
    print(f"{'notebook':<24}{'seconds':>8}  {'headline':<34}result")
    for chapter in chapters:
        start, target = time.perf_counter(), out / chapter["notebook"]
        try:
            papermill.execute_notebook(
                NOTEBOOKS / chapter["notebook"], target, kernel_name="python3", cwd=NOTEBOOKS, progress_bar=False
            )
            result = "ok"
        except papermill.PapermillExecutionError as error:
            result, failed = f"failed in cell {error.cell_index}: {error.ename}: {error.evalue}", 1
        seconds = time.perf_counter() - start
        print(f"{chapter['notebook']:<24}{seconds:>8.0f}  {_headline(target):<34}{result}", flush=True)
    return failed


def _headline(file: Path) -> str:
    """The last line that the notebook printed behind the word "Headline:"."""
    import nbformat

    found = "-"
    for cell in nbformat.read(file, as_version=4).cells if file.exists() else []:
        for output in cell.get("outputs", []):
            for line in output.get("text", "").splitlines():
                found = line.removeprefix("Headline: ") if line.startswith("Headline: ") else found
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="make the learner's notebooks, or check them for drift")
    parser.add_argument("action", choices=("build", "check"))
    differing = build_notebooks(check=parser.parse_args().action == "check")
    print(
        "\n".join(f"{name} differs from its source: run make notebooks" for name in differing)
        or "notebooks are up to date"
    )
    sys.exit(bool(differing))
