"""Figures open no window, load no pyplot, and stand once in a notebook, with their alt text."""

import re
import subprocess
import sys

import pytest


def test_no_window_and_no_pyplot():
    code = (
        "import sys, torch, itm_tutorial as itm; from itm_tutorial.chapters.ch00_start_here import figures; "
        "itm.show.history(); figures.score_matrix(torch.eye(3), torch.arange(3)); "
        "print('matplotlib.pyplot' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.strip() == "False", run.stderr


@pytest.mark.slow
def test_a_notebook_shows_each_figure_once_with_its_alt_text(tmp_path):
    nbformat, nbclient, nbconvert = (pytest.importorskip(name) for name in ("nbformat", "nbclient", "nbconvert"))
    cells = [
        "import matplotlib.pyplot\nimport torch\nimport itm_tutorial as itm\n"  # pyplot: its own formatters join in
        "from itm_tutorial.chapters.ch00_start_here.figures import score_matrix",
        "itm.show.history()",
        "score_matrix(torch.eye(2), torch.arange(2));\nscore_matrix(torch.eye(3), torch.arange(3))",
        "from IPython.display import display\ndisplay(itm.show.history('01'))",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(
        notebook, timeout=None, startup_timeout=600, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.outputs]
    assert [set(output.data) for output in outputs] == [{"text/html", "text/plain"}] * 3
    page, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    images = re.findall(r'<img alt="([^"]*)"', page)
    assert [alt[:20] for alt in images] == ["A timeline of 8 syst", "A matrix of scores f", "A timeline of 8 syst"]
    assert "3 images by 3 captions" in images[1]
    assert outputs[0].data["text/plain"].startswith("A timeline of 8 systems")
