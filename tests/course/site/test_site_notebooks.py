"""An executed notebook as a page: figures in files, widgets as pictures, answers without their source."""

import base64
import io

import nbformat
import pytest
from PIL import Image

from itm_tutorial.course.site.links import Links
from itm_tutorial.course.site.notebooks import page_of


def png(width=20, height=10):
    buffer = io.BytesIO()
    Image.new("RGB", (width, height)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def cell_with(html, **kinds):
    cell = nbformat.v4.new_code_cell("figure()")
    cell["outputs"] = [nbformat.v4.new_output("display_data", {"text/html": html, **kinds})]
    return cell


def made(cells, tmp_path, note="", states=None):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A"), *cells])
    if states:
        notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": states}}
    return page_of(notebook, "notebooks/00_a.ipynb", tmp_path, Links(tmp_path, set()), note)


def test_a_figure_becomes_a_file_and_keeps_its_alt_text(tmp_path):
    given = f'<img alt="Two &quot;bars&quot;." width="40" style="x" src="data:image/png;base64,{png()}">'
    html = made([cell_with(given)], tmp_path).cells[1].outputs[0]["data"]["text/html"]
    (file,) = (tmp_path / "figures" / "00_a").iterdir()
    assert f'src="../figures/00_a/{file.name}"' in html and "base64" not in html
    assert 'alt="Two &quot;bars&quot;."' in html and 'width="40" height="20"' in html and 'loading="lazy"' in html
    assert Image.open(file).size == (20, 10)


def test_the_same_figure_twice_is_one_file(tmp_path):
    given = f'<img alt="a" src="data:image/png;base64,{png()}">'
    made([cell_with(given), cell_with(given)], tmp_path)
    assert len(list((tmp_path / "figures" / "00_a").iterdir())) == 1


@pytest.fixture
def states():
    def model(kind, **state):
        return {"model_name": f"{kind}Model", "state": state}

    return {
        "box": model("VBox", children=["IPY_MODEL_a", "IPY_MODEL_b", "IPY_MODEL_c", "IPY_MODEL_d", "IPY_MODEL_view"]),
        "a": model("FloatSlider", description="Margin", value=0.2),
        "b": model("Dropdown", description="Loss", _options_labels=["sum", "max"], index=1),
        "c": model("Checkbox", description="<shown>", value=True),
        "d": model("Button", description="", value=None),
        "view": model("HTML", value=f'<img alt="A circle." width="20" src="data:image/png;base64,{png()}">'),
        "other": model("HTML", value="of another widget"),
    }


def test_a_widget_is_shown_in_its_first_state(tmp_path, states):
    cell = nbformat.v4.new_code_cell("explorer()")
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "box", "version_major": 2}, "text/plain": "VBox()"}
    cell["outputs"] = [nbformat.v4.new_output("execute_result", view, execution_count=1)]
    notebook = made([cell], tmp_path, states=states)
    (output,) = notebook.cells[1].outputs
    assert list(output["data"]) == ["text/html", "text/plain"] and "widgets" not in notebook.metadata
    html = output["data"]["text/html"]
    assert "You can change: Margin (0.2); Loss (max); &lt;shown&gt;." in html
    assert 'alt="A circle."' in html and "../figures/00_a/" in html and "another" not in html
    nbformat.validate(notebook)


def test_a_widget_without_stored_state_is_a_note(tmp_path):
    cell = nbformat.v4.new_code_cell("explorer()")
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "gone"}}
    cell["outputs"] = [nbformat.v4.new_output("display_data", view)]
    html = made([cell], tmp_path).cells[1].outputs[0]["data"]["text/html"]
    assert "interactive in the notebook" in html


def test_the_source_of_an_answer_is_hidden_and_others_stay(tmp_path):
    answer, plain = nbformat.v4.new_code_cell("itm.show.answer('x')"), nbformat.v4.new_code_cell("x = 1")
    answer["metadata"]["tags"] = ["answer"]
    cells = made([answer, plain], tmp_path).cells
    assert cells[1]["metadata"]["tags"] == ["answer", "remove-input"] and "tags" not in cells[2]["metadata"]


def test_a_note_stands_below_the_first_cell(tmp_path):
    cells = made([nbformat.v4.new_code_cell("1")], tmp_path, note="*Executed small.*").cells
    assert [cell["source"] for cell in cells] == ["# A", "*Executed small.*", "1"]
