"""Builds the notebooks from their sources and checks that they are up to date.

A source is a jupytext py:percent file with solutions. The learner's notebook has a stub instead of the lines between
``# solution`` and ``# end of solution``. Only outputs of cells tagged ``nbval-check-output`` are stored.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from itm_tutorial.course.colab import bootstrap
from itm_tutorial.course.files import read_cells, read_contents, read_repository, read_site
from itm_tutorial.course.frame import footer, header
from itm_tutorial.course.running import NOTEBOOKS, ROOT, execute_cells, first_line
from itm_tutorial.errors import ItmError

SOURCES = NOTEBOOKS / "source"
CHECKED, ANSWER, BOOTSTRAP = "nbval-check-output", "answer", "bootstrap"  # tags of cells
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
    repository, site = read_repository(ROOT / "course.toml"), read_site(ROOT / "course.toml")
    title, _, text = notebook.cells[0]["source"].partition("\n")
    notebook.cells[0]["source"] = f"{title}\n\n{header(contents, name, repository, site)}\n{text}"
    if repository:
        cell = nbformat.v4.new_code_cell(bootstrap(repository), metadata={"cellView": "form", "tags": [BOOTSTRAP]})
        notebook.cells.insert(1, cell)
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
    execute_cells(notebook, NOTEBOOKS, ITM_FAST="1", ITM_PROGRESS="0")
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell["metadata"].pop("execution", None)
        if cell["cell_type"] == "code":
            kept = cell["outputs"] if CHECKED in cell["metadata"].get("tags", ()) else []
            cell["execution_count"] = 1 if kept else None  # nbval treats a cell without a count as never run
            cell["outputs"] = [{**o, "execution_count": None} if "execution_count" in o else o for o in kept]
    return notebook


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="make the learner's notebooks, or check them for drift")
    parser.add_argument("action", choices=("build", "check"))
    differing = build_notebooks(check=parser.parse_args().action == "check")
    print(
        "\n".join(f"{name} differs from its source: run make notebooks" for name in differing)
        or "notebooks are up to date"
    )
    sys.exit(bool(differing))
