"""What checks note of a learner's attempts: only in a person's notebook, whole lines, and never at a check's cost."""

import json
import multiprocessing
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from itm_tutorial.chapters import attempts
from itm_tutorial.chapters.ch00_start_here import exercises
from itm_tutorial.chapters.exercise import Exercise
from itm_tutorial.errors import ItmError
from itm_tutorial.storage import course_folder

RIGHT = exercises.recall_at_k.own
WRONG = exercises.recall_at_k.mistakes[0][0]


@pytest.fixture
def file(tmp_path, monkeypatch):
    """The file of a learner who works in a notebook."""
    monkeypatch.setenv("ITM_PROGRESS_FILE", str(tmp_path / "mine" / "progress.jsonl"))
    monkeypatch.setattr(attempts, "in_a_learners_notebook", lambda: True)
    return tmp_path / "mine" / "progress.jsonl"


def lines(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def recall(state):
    return {"chapter": "00_start_here", "exercise": "recall_at_k", "state": state}


def check(answer):
    return exercises.recall_at_k.check(answer)


def test_a_check_notes_tried_and_solved_each_once(file, capsys):
    def stub(ranks, k): ...

    check(stub)
    assert not file.exists()  # an untouched stub is no attempt
    for answer in (WRONG, WRONG, None, RIGHT, RIGHT, WRONG):
        check(answer)
    assert lines(file) == [recall("tried"), recall("solved")]  # solved stays solved
    assert attempts.read(file) == ({("00_start_here", "recall_at_k"): "solved"}, [])
    assert str(file) not in capsys.readouterr().out


def test_a_line_holds_nothing_about_the_person(file):
    check(RIGHT)
    assert [set(line) for line in lines(file)] == [{"chapter", "exercise", "state"}]


def test_an_exercise_of_no_chapter_is_not_noted(file):
    def double(x):
        return 2 * x

    made_up = Exercise("double", 1, 1, (), double, double, {"numbers": lambda g: (1.0,)}, ())
    assert made_up.chapter == ""
    made_up.check(double)
    assert not file.exists()


def test_nothing_is_noted_by_tests_runners_and_scripts(tmp_path, monkeypatch):
    monkeypatch.setenv("ITM_PROGRESS_FILE", str(tmp_path / "progress.jsonl"))
    check(RIGHT)
    assert not attempts.in_a_learners_notebook()
    kernel = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setitem(sys.modules, "IPython", kernel)
    monkeypatch.delenv("ITM_PROGRESS", raising=False)
    assert not attempts.in_a_learners_notebook()  # pytest is above this process
    monkeypatch.setenv("ITM_PROGRESS", "0")
    assert not attempts.in_a_learners_notebook()
    check(RIGHT)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(attempts, "progress_wanted", lambda: True)  # a person's notebook
    assert attempts.in_a_learners_notebook()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace()))
    assert not attempts.in_a_learners_notebook()  # IPython in a terminal
    monkeypatch.delitem(sys.modules, "IPython")
    assert not attempts.in_a_learners_notebook()


def test_the_file_is_in_the_course_unless_the_variable_moves_it(monkeypatch, tmp_path):
    monkeypatch.delenv("ITM_PROGRESS_FILE", raising=False)
    assert attempts.file() == course_folder() / "runs" / "progress.jsonl"
    monkeypatch.setenv("ITM_PROGRESS_FILE", "")
    assert attempts.file() == course_folder() / "runs" / "progress.jsonl"
    monkeypatch.setenv("ITM_PROGRESS_FILE", "notes/mine.jsonl")
    assert attempts.file() == course_folder() / "notes" / "mine.jsonl"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ITM_PROGRESS_FILE", "~/mine.jsonl")
    assert attempts.file() == tmp_path / "mine.jsonl" or os.name == "nt"


def refuse(*arguments, **options):
    raise PermissionError(13, "Permission denied")


@pytest.mark.parametrize(
    "place", ["/dev/full", "folder", "pipe", "a file/below", "~nobody-of-this-name/x", "refused", "\0"]
)
def test_what_cannot_be_written_disturbs_no_check(tmp_path, monkeypatch, capsys, place):
    (tmp_path / "folder").mkdir()
    (tmp_path / "a file").write_text("x")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")  # reading it would wait for ever
    monkeypatch.setattr(attempts, "in_a_learners_notebook", lambda: True)
    chosen = place if place[0] in "/~" else str(tmp_path / place)
    if place == "refused":
        monkeypatch.setattr(attempts, "append_lines", refuse)
    if "\0" in place:
        monkeypatch.setattr(attempts, "file", lambda: attempts.Path("\0"))
    else:
        monkeypatch.setenv("ITM_PROGRESS_FILE", chosen)
    assert check(RIGHT) is RIGHT
    told = capsys.readouterr()
    assert told.out.startswith("Right: ") and told.err == ""


def test_a_lock_that_another_process_holds_is_waited_for_a_moment_only(file, monkeypatch, capsys):
    import filelock

    monkeypatch.setattr(attempts, "PATIENCE", 0.05)
    file.parent.mkdir()
    with filelock.FileLock(file.with_name(file.name + ".lock"), is_singleton=False):
        check(RIGHT)
    assert lines(file) == [recall("solved")]
    assert capsys.readouterr().err == ""


def note_many(file, chapter):
    for number in range(25):
        attempts.note(chapter, f"exercise_{number}", attempts.TRIED, file)
        attempts.note(chapter, f"exercise_{number}", attempts.SOLVED, file)


def test_two_kernels_at_once_leave_whole_lines(file):
    start = multiprocessing.get_context("spawn").Process
    both = [start(target=note_many, args=(file, chapter)) for chapter in ("00_a", "01_b")]
    for process in both:
        process.start()
    for process in both:
        process.join()
    states, damaged = attempts.read(file)
    assert damaged == [] and len(states) == 50 and set(states.values()) == {"solved"}
    assert len(lines(file)) == 100


def test_damaged_lines_are_named_and_skipped(file):
    file.parent.mkdir()
    good = json.dumps(recall("solved"))
    bad = [
        '{"chapter": ',
        "[1]",
        json.dumps({**recall("solved"), "state": "done"}),
        json.dumps({"chapter": "../x"}),
        "\x00",
    ]
    file.write_bytes("\n".join([good, *bad]).encode() + b"\n\xff\xfe\n\n" + json.dumps(recall("tried")).encode())
    states, damaged = attempts.read(file)
    assert states == {("00_start_here", "recall_at_k"): "solved"}
    assert [f"{file} line {n}" in line for n, line in zip(range(2, 8), damaged, strict=True)] == [True] * 6
    before = file.read_bytes()
    attempts.note("00_start_here", "image_ranks", "tried", file)  # behind a line that was cut short
    assert file.read_bytes().startswith(before + b"\n") and len(attempts.read(file)[0]) == 2


def test_what_is_no_file_cannot_be_read(tmp_path):
    with pytest.raises(ItmError, match="is no file: set ITM_PROGRESS_FILE"):
        attempts.read(tmp_path)
    assert attempts.read(tmp_path / "absent") == ({}, [])


def test_a_check_outside_a_notebook_loads_no_ipython():
    code = (
        "import sys; from itm_tutorial.chapters.ch00_start_here import exercises as e; "
        "e.recall_at_k.check(e.recall_at_k.own); print('IPython' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.splitlines()[-1] == "False", run.stderr
