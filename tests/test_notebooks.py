"""The notebooks: what their sources give, short cells, checked outputs that are there."""

from statistics import median

import nbformat
import pytest

from itm_tutorial.course import CHECKED, NOTEBOOKS, build_notebooks

FILES = sorted(NOTEBOOKS.glob("*.ipynb"))


def test_there_is_a_notebook_and_none_has_drifted():
    assert FILES
    assert build_notebooks(check=True) == []


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_a_notebook_keeps_to_the_shape_of_a_chapter(file):
    cells = nbformat.read(file, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert 15 <= len(code) <= 25
    assert median(len(cell.source.splitlines()) for cell in code) <= 8
    checked = [cell for cell in code if CHECKED in cell.metadata.get("tags", [])]
    assert sum(bool(cell.outputs) for cell in checked) >= 5
    assert not any(cell.outputs for cell in code if cell not in checked)
    assert "solution" not in "".join(cell.source for cell in code)
    assert any("parameters" in cell.metadata.get("tags", []) for cell in code)
