"""``itm progress``: every exercise with its state, the minutes left, and damaged lines by name."""

import json
import re

import pytest
from typer.testing import CliRunner

from itm_tutorial.chapters import attempts
from itm_tutorial.cli import app_of_commands
from itm_tutorial.course.editions import SOURCES, exercises_of
from itm_tutorial.course.progress_table import progress_table
from itm_tutorial.errors import ItmError

ALL = {
    (source.stem, exercise.name): exercise
    for source in sorted(SOURCES.glob("[0-9]*.py"))
    for exercise in exercises_of(source)
}


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("ITM_PROGRESS_FILE", str(tmp_path / "progress.jsonl"))
    return tmp_path / "progress.jsonl"


def test_every_exercise_is_listed_with_its_state(file):
    attempts.note("00_start_here", "cosine_scores", attempts.SOLVED, file)
    attempts.note("00_start_here", "image_ranks", attempts.TRIED, file)
    attempts.note("77_gone", "of_an_older_course", attempts.SOLVED, file)
    table, damaged = progress_table()
    lines = table.splitlines()
    assert damaged == []
    left = sum(exercise.minutes for (chapter, _), exercise in ALL.items() if chapter == "00_start_here")
    left -= ALL["00_start_here", "cosine_scores"].minutes
    assert lines[0] == f"00 Retrieval in five minutes: 1 of 3 solved, {left} minutes left"
    states = [re.fullmatch(r"  \[(.)\] (\w+) +(\d+) min  (.+)", line).groups() for line in lines[1:4]]
    assert states == [
        ("x", "cosine_scores", "5", "solved"),
        ("~", "image_ranks", "10", "tried"),
        (" ", "recall_at_k", "5", "not begun"),
    ]
    in_all = sum(exercise.minutes for exercise in ALL.values()) - ALL["00_start_here", "cosine_scores"].minutes
    assert lines[-1] == f"All chapters: 1 of {len(ALL)} exercises solved, {in_all} minutes of exercises left"
    assert sum(line.startswith("  [") for line in lines) == len(ALL)


def run():
    return CliRunner().invoke(app_of_commands, ["progress"])


def test_the_command_names_damaged_lines_and_says_where_nothing_is_yet(file):
    ran = run()
    assert ran.exit_code == 0 and f"No check has written {file} yet" in ran.output
    row = {"chapter": "00_start_here", "exercise": "recall_at_k", "state": "solved"}
    file.write_text(f"{{\n{json.dumps(row)}\n")
    ran = run()
    assert f"itm: {file} line 1: broken JSON; skipped" in ran.output
    assert "1 of 3 solved" in ran.output and "No check has written" not in ran.output


def test_a_file_that_is_none_is_named(file):
    file.mkdir()
    ran = run()
    assert isinstance(ran.exception, ItmError) and "is no file" in str(ran.exception)
