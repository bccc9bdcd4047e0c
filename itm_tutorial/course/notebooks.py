"""Builds the notebooks from their sources and checks that they are up to date.

The committed notebooks are the learner's edition (see ``editions``); only outputs of cells tagged
``nbval-check-output`` are stored.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from itm_tutorial.course.editions import CHECKED, NOTEBOOKS, SOURCES, learners_edition
from itm_tutorial.course.files import read_cells
from itm_tutorial.course.running import execute_cells
from itm_tutorial.errors import ItmError


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
    execute_cells(notebook, NOTEBOOKS, ITM_FAST="1", ITM_PROGRESS="0")
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell["metadata"].pop("execution", None)
        if cell["cell_type"] == "code":
            kept = _streams_joined(cell["outputs"]) if CHECKED in cell["metadata"].get("tags", ()) else []
            cell["execution_count"] = 1 if kept else None  # nbval treats a cell without a count as never run
            cell["outputs"] = [{**o, "execution_count": None} if "execution_count" in o else o for o in kept]
    return notebook


def _streams_joined(outputs: list) -> list:
    """Printed text as one output: on a busy machine a kernel sends it in several pieces."""
    joined: list = []
    for one in outputs:
        last = joined[-1] if joined else {}
        if one["output_type"] == "stream" == last.get("output_type") and one["name"] == last["name"]:
            joined[-1] = type(last)({**last, "text": last["text"] + one["text"]})  # a NotebookNode stays one
        else:
            joined.append(one)
    return joined


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="make the learner's notebooks, or check them for drift")
    parser.add_argument("action", choices=("build", "check"))
    differing = build_notebooks(check=parser.parse_args().action == "check")
    print(
        "\n".join(f"{name} differs from its source: run make notebooks" for name in differing)
        or "notebooks are up to date"
    )
    sys.exit(bool(differing))
