"""What the chapters share is made before the first of them: afterwards no chapter makes a cache of its own."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from itm_tutorial.course import preparation
from itm_tutorial.course.files import read_chapters
from itm_tutorial.course.preparation import prepare_course
from itm_tutorial.course.running import NOTEBOOKS, ROOT, execute
from itm_tutorial.errors import ItmError

RECORD = """
import json, sys
import itm_tutorial.storage as storage
asked, prepare = [], storage.prepare_folder
storage.prepare_folder = lambda folder, build: asked.append(str(folder)) or prepare(folder, build)
from itm_tutorial.course.preparation import _work
status = _work("tiny")
print(json.dumps(asked))
sys.exit(status)
"""

POPEN = subprocess.Popen  # the real one


@pytest.fixture(scope="module")
def prepared(cache, tmp_path_factory):
    """A cache with what the preparation asks for at size tiny, and nothing else: links into the shared cache."""
    run = subprocess.run([sys.executable, "-c", RECORD], capture_output=True, text=True, check=True)
    folders = {Path(folder) for folder in json.loads(run.stdout.splitlines()[-1])}
    assert len(folders) > 10 and all(folder.is_dir() for folder in folders)
    linked = tmp_path_factory.mktemp("prepared")
    for folder in folders:
        link = linked / folder.relative_to(cache)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(folder)
    return linked


def made_in(folder):
    """What a cache has beside links: everything that was made in it, or that another process waited for."""
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_symlink() and path.is_file()]


@pytest.mark.slow
@pytest.mark.xdist_group("preparation")
@pytest.mark.parametrize("name", read_chapters(ROOT / "course.toml"))
def test_a_chapter_makes_no_cache_of_its_own(prepared, tmp_path, name):
    environment = {"ITM_CACHE": str(prepared), "ITM_FAST": "1", "ITM_PROGRESS": "0"}
    assert execute(NOTEBOOKS / name, tmp_path / name, environment=environment) == "ok"
    assert made_in(prepared) == []


def stand_in(monkeypatch, code):
    """Lets another program do the work."""
    monkeypatch.setattr(preparation.subprocess, "Popen", lambda command, **o: POPEN([sys.executable, "-c", code], **o))


def test_a_terminal_sees_what_is_made_and_a_log_file_one_line(monkeypatch, capsys):
    monkeypatch.setattr(preparation, "SHORT", 0.0)
    monkeypatch.setattr("itm_tutorial.course.patience.LOOK", 0.02)
    stand_in(monkeypatch, "import sys; print('step: drawings of x (1 of 2)', flush=True); sys.stdin.close(); input")
    prepare_course("tiny")
    assert re.fullmatch(r"itm: what the chapters share is ready after [\d:]+ \w+\n", capsys.readouterr().err)
    monkeypatch.setenv("ITM_PROGRESS", "1")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    stand_in(monkeypatch, "import time; print('step: drawings of x (1 of 2)', flush=True); time.sleep(2)")
    prepare_course("tiny")
    assert "\rbefore the first notebook: making drawings of x (1 of 2), " in capsys.readouterr().err


def test_nothing_is_said_where_everything_was_there(monkeypatch, capsys):
    monkeypatch.setattr(preparation, "SHORT", 3600.0)
    stand_in(monkeypatch, "print('step: a')")
    prepare_course("tiny")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("print('itm: the disk is full'); raise SystemExit(1)", "the disk is full"),
        ("import os; os.abort()", "its process died"),
        ("import time; time.sleep(10**6)", "it showed no sign of life for 3 s"),
    ],
)
def test_what_went_wrong_is_one_sentence(monkeypatch, code, message):
    monkeypatch.setattr(preparation, "SILENCE", 3.0)
    stand_in(monkeypatch, f"print('step: a', flush=True); {code}")
    with pytest.raises(ItmError, match=f"^a could not be made: {message}"):
        prepare_course("tiny")


def test_an_unknown_size_is_refused():
    run = [sys.executable, "-m", "itm_tutorial.course.preparation", "huge"]
    ended = subprocess.run(run, capture_output=True, text=True, env={**os.environ, "ITM_PROGRESS": "0"})
    assert ended.returncode == 1 and "huge" in ended.stdout.splitlines()[-1]


def test_the_command_prepares_the_course(monkeypatch, capsys):
    from itm_tutorial import cli

    asked = []
    monkeypatch.setattr(preparation, "prepare_course", asked.append)
    for words, expected in ((["course"], ["mini"]), (["course", "--size", "tiny"], ["mini", "tiny"])):
        cli.app_of_commands(["prepare", *words], standalone_mode=False)
        assert asked == expected
    with pytest.raises(ItmError, match="takes --size alone"):
        cli.app_of_commands(["prepare", "course", "--seed", "1"], standalone_mode=False)
