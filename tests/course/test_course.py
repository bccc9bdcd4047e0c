"""``itm course``: one table with one row per notebook; after a failure, the others still run."""

import nbformat
import pytest
from jupyter_client.kernelspec import NoSuchKernel
from typer.testing import CliRunner

from itm_tutorial.course import running as course
from itm_tutorial.errors import ItmError

pytest.importorskip("papermill")


@pytest.fixture
def small_course(tmp_path, monkeypatch):
    """Makes a course of notebooks, each given by its cells; a text in place of cells is the file itself."""
    monkeypatch.setattr(course, "ROOT", tmp_path)
    monkeypatch.setattr(course, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(course, "prepare_course", lambda size: None)
    for name in ("ITM_FAST", "ITM_PROGRESS"):
        monkeypatch.setenv(name, "0")
    (tmp_path / "notebooks").mkdir()

    def make(**notebooks):
        for name, cells in notebooks.items():
            file = tmp_path / "notebooks" / f"{name}.ipynb"
            if isinstance(cells, list):
                made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
                made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
                nbformat.write(made, file)
            elif cells is not None:
                file.write_text(cells)
        chapters = "".join(f'[[chapter]]\nnotebook = "{name}.ipynb"\n' for name in notebooks)
        (tmp_path / "course.toml").write_text(chapters)
        return tmp_path / "out"

    return make


def rows(capsys):
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == ["notebook", "seconds", "headline", "result"]
    return {line.split()[0]: line for line in lines}


@pytest.mark.slow
def test_a_failing_notebook_is_a_row_and_hides_no_other(small_course, capsys):
    out = small_course(
        first=["print('Headline: rsum 100')\nprint('Headline: rsum 101')", "print('after')"],
        fails=["print('Headline: too early')", "1 / 0"],
        absent=None,
        broken='{"cells": [',
        last=["import os\nprint('Headline: fast', os.environ['ITM_FAST'], os.environ['ITM_PROGRESS'])"],
    )
    assert course.run_course(out, fast=True) == 1
    table = rows(capsys)
    assert list(table) == ["first.ipynb", "fails.ipynb", "absent.ipynb", "broken.ipynb", "last.ipynb"]
    assert "rsum 101" in table["first.ipynb"] and table["first.ipynb"].endswith("  ok")
    assert table["fails.ipynb"].endswith("failed in cell 2: ZeroDivisionError: division by zero")
    assert "absent.ipynb does not exist" in table["absent.ipynb"]
    assert " -  " in table["broken.ipynb"] and "failed: NotJSONError" in table["broken.ipynb"]
    assert "fast 1 0" in table["last.ipynb"] and table["last.ipynb"].endswith("  ok")


@pytest.mark.slow
def test_a_silent_kernel_and_a_dead_one_are_rows_and_one_whose_child_computes_is_waited_for(
    small_course, capsys, monkeypatch
):
    monkeypatch.setattr(course, "SILENCE", 5.0)
    child = "import time; start = time.process_time()\nwhile time.process_time() - start < 6: pass"
    out = small_course(
        silent=["1", "import time\ntime.sleep(10**6)"],
        dead=["import os\nos._exit(1)"],
        busy=[f"import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', {child!r}]).returncode)"],
    )
    assert course.run_course(out) == 1
    table = rows(capsys)
    assert table["silent.ipynb"].endswith(
        "failed in cell 2: its kernel neither computed nor wrote anything for 5 s, so it was ended: "
        "look for what this cell waits for"
    )
    assert "failed in cell 1: its kernel died" in table["dead.ipynb"] and "itm doctor" in table["dead.ipynb"]
    assert table["busy.ipynb"].endswith("  ok")


def test_a_terminal_sees_which_cell_runs_and_a_log_file_the_table_alone(small_course, capsys, monkeypatch):
    def execute(notebook, target, environment, seen):
        seen(3, 25)
        seen(12, 25)
        return "ok"

    monkeypatch.setattr(course, "execute", execute)
    monkeypatch.setenv("ITM_PROGRESS", "1")
    out = small_course(one=["1"], two=["2"])
    monkeypatch.setenv("ITM_PROGRESS", "1")
    assert course.run_course(out) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert course.run_course(out) == 0
    said = capsys.readouterr()
    assert "\rtwo.ipynb, notebook 2 of 2: cell 12 of 25, 0 s" in said.err and said.err.endswith("\r")
    assert len(said.out.splitlines()) == 3 and "\r" not in said.out


def test_a_missing_kernel_is_a_row_and_an_old_headline_is_not_shown_again(small_course, capsys, monkeypatch):
    def no_kernel(*args, **kwargs):
        raise NoSuchKernel("python3")

    out = small_course(one=["1"], two=["2"])
    out.mkdir()
    nbformat.write(
        nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell("1", outputs=[nbformat.v4.new_output("stream", text="Headline: old\n")])]
        ),
        out / "one.ipynb",
    )
    monkeypatch.setattr("papermill.execute_notebook", no_kernel)
    assert course.run_course(out) == 1
    table = rows(capsys)
    assert len(table) == 2 and "old" not in table["one.ipynb"]
    assert "failed: NoSuchKernel: No such kernel named python3" in table["one.ipynb"]


def test_all_well_exits_with_zero_and_a_failure_with_one(small_course, monkeypatch):
    from itm_tutorial.cli import app_of_commands

    out = small_course(one=["1"], two=["2"])
    for results, code in ((["ok", "ok"], 0), (["failed: X", "ok"], 1), (["ok", "failed: X"], 1)):
        monkeypatch.setattr(course, "execute", lambda *_, left=list(results), **__: left.pop(0))
        ran = CliRunner().invoke(app_of_commands, ["course", "--out", str(out)])
        assert ran.exit_code == code and len(ran.output.splitlines()) == 3


@pytest.mark.parametrize(
    "text", ["[[chapter]\n", "title = 'x'\n", "[[chapter]]\ntitle = 'x'\n", "chapter = []\n", "chapter = 1\n"]
)
def test_a_broken_list_of_chapters_is_reported(small_course, tmp_path, text):
    out = small_course(one=["1"])
    (tmp_path / "course.toml").write_text(text)
    with pytest.raises(ItmError, match="course.toml"):
        course.run_course(out)


def test_a_course_outside_a_clone_is_reported(small_course, tmp_path):
    with pytest.raises(ItmError, match="from a clone of the repository"):
        course.run_course(tmp_path / "out")


@pytest.mark.slow
def test_a_notebook_in_memory_gets_its_outputs_or_one_sentence(tmp_path):
    def made(*cells):
        return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])

    notebook = made("import os; print(os.environ['ITM_FAST'], os.getcwd())")
    course.execute_cells(notebook, tmp_path, ITM_FAST="1")
    assert notebook.cells[0].outputs[0].text == f"1 {tmp_path}\n"
    with pytest.raises(ItmError, match="failed in cell 2: its kernel died"):
        course.execute_cells(made("1", "import os; os._exit(1)"), tmp_path)
