"""Bars are for people who look on: at a terminal or a notebook, never in a log file."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from itm_tutorial import progress
from itm_tutorial.progress import LiveLine, notice, progress_wanted


@pytest.fixture
def people(monkeypatch):
    """A process that a person started: whether it has a terminal, and whether it is a kernel."""
    for name in ("CI", "ITM_PROGRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("psutil.Process.parents", lambda self: [])

    def make(terminal=False, kernel=False, above=()):
        shell = SimpleNamespace(kernel=object() if kernel else None)
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
        monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
        lines = [SimpleNamespace(cmdline=lambda line=line: line.split()) for line in above]
        monkeypatch.setattr("psutil.Process.parents", lambda self: lines)

    return make


@pytest.mark.parametrize(
    ("where", "bars"),
    [
        ({"terminal": True}, True),
        ({"kernel": True}, True),
        ({}, False),  # a log file
        ({"terminal": True, "above": ["python -m papermill a.ipynb"]}, False),
        ({"kernel": True, "above": ["python /x/itm course"]}, False),
        ({"kernel": True, "above": ["python -m sphinx docs build"]}, False),
        ({"kernel": True, "above": ["python /x/jupyter-lab"]}, True),
    ],
)
def test_bars_are_for_terminals_and_notebooks(people, where, bars):
    people(**where)
    assert progress_wanted() == bars


def test_the_variable_decides_and_ci_has_no_bars(people, monkeypatch):
    people(terminal=True)
    monkeypatch.setenv("CI", "1")
    assert not progress_wanted()
    monkeypatch.setenv("ITM_PROGRESS", "1")
    assert progress_wanted()
    people()
    assert progress_wanted()
    monkeypatch.setenv("ITM_PROGRESS", "0")
    assert not progress_wanted()


def test_a_notice_is_a_line_that_a_log_file_may_have(people, capsys, monkeypatch):
    people()
    notice("about a minute")
    people(above=["papermill"])
    notice("nobody reads this")
    monkeypatch.setenv("ITM_PROGRESS", "0")
    people()
    notice("nor this")
    assert capsys.readouterr().err == "about a minute\n"


def test_a_live_line_is_written_over_cut_to_the_terminal_and_taken_away(people, capsys, monkeypatch):
    monkeypatch.setattr(progress.shutil, "get_terminal_size", lambda: SimpleNamespace(columns=11))
    people(terminal=True)
    line = LiveLine()
    line.clear()
    line.show("cell 1 of 25 and more")
    line.show("cell 2")
    line.clear()
    assert capsys.readouterr().err == "\rcell 1 of \rcell 2    \r      \r"


def test_a_log_file_has_no_live_line_even_where_bars_were_asked_for(people, capsys, monkeypatch):
    monkeypatch.setenv("ITM_PROGRESS", "1")
    people()
    line = LiveLine()
    line.show("cell 1 of 25")
    line.clear()
    assert capsys.readouterr().err == ""


def test_a_program_whose_output_goes_to_a_file_writes_no_bar(tmp_path):
    code = (
        "from itm_tutorial import progress; progress._MACHINES = ()\n"
        "for _ in progress.progress_bar(range(20), 'counting'): pass\nprint('done')"
    )
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "ITM_PROGRESS")}
    with (tmp_path / "log").open("w") as log:
        subprocess.run([sys.executable, "-c", code], stdout=log, stderr=log, check=True, env=environment)
    assert (tmp_path / "log").read_text() == "done\n"
