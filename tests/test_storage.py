"""The cache: folders are complete or absent, one process builds at a time, and a full disk is reported."""

import errno
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NotRequired

import filelock
import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from typing_extensions import TypedDict

import itm_tutorial as itm
from itm_tutorial.errors import ItmError
from itm_tutorial.storage import (
    check_writable,
    disk_errors,
    prepare_folder,
    read_json,
    read_tensors,
    write_json,
    write_tensors,
)

ROOT = Path(__file__).parents[1]


def names(folder):
    """The files in a folder, without locks."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def write_whole(part):
    (part / "whole").write_text("x")


def test_an_interrupted_build_leaves_nothing(tmp_path):
    def build(part):
        (part / "half").write_text("x")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_folder(tmp_path / "made", build)
    assert names(tmp_path) == []
    prepare_folder(tmp_path / "made", write_whole)
    assert (tmp_path / "made/whole").exists()


def _slow_build(folder, log):
    def build(part):
        with log.open("a") as file:
            file.write("built\n")
        time.sleep(0.3)
        (part / "whole").write_text("x")

    prepare_folder(folder, build)
    assert (folder / "whole").exists()


def test_two_processes_build_once(tmp_path):
    context = multiprocessing.get_context("fork")
    arguments = (tmp_path / "made", tmp_path / "log.txt")
    both = [context.Process(target=_slow_build, args=arguments) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert (tmp_path / "log.txt").read_text() == "built\n"


KILLED = """
import os, signal, sys
from pathlib import Path
from itm_tutorial.storage import prepare_folder

def build(part):
    (part / "half").write_text("x")
    os.kill(os.getpid(), signal.SIGKILL)

prepare_folder(Path(sys.argv[1]), build)
"""


def test_what_a_killed_build_left_is_cleared_away_by_the_next(tmp_path):
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "made")], cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL
    (left,) = names(tmp_path)
    assert left.startswith("made.part-") and (tmp_path / "made.lock").exists()
    prepare_folder(tmp_path / "made", write_whole)
    assert names(tmp_path) == ["made"] and names(tmp_path / "made") == ["whole"]


COLD = """
import os, sys, time
from pathlib import Path
import itm_tutorial as itm
from itm_tutorial.worlds.scenes.world import SceneSplit

draw, drawn = SceneSplit.draw, []
SceneSplit.draw = lambda self, *arguments: drawn.append(arguments) or draw(self, *arguments)
itm.load_corpus  # imports torch before the start is given
ready = Path(sys.argv[1])
(ready / str(os.getpid())).touch()
while len(list(ready.iterdir())) < 2:
    time.sleep(0.01)
corpus = itm.load_corpus("scenes", size="tiny")
print(len(drawn), sum(int(image.sum()) for image in corpus.test.images))
"""


@pytest.mark.slow
def test_a_cold_cache_is_drawn_once_by_two_who_ask_at_once(tmp_path):
    (tmp_path / "ready").mkdir()
    environment = {**os.environ, "ITM_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", COLD, str(tmp_path / "ready")]
    both = [subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=900)[0].split() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(int(drawn) for drawn, _ in outputs) == [0, 60 + 20 + 30]
    assert outputs[0][1] == outputs[1][1]
    assert len(names(tmp_path / "cache" / "corpora")) == 1


def test_a_folder_that_exists_is_used_where_nothing_may_be_written(tmp_path, monkeypatch):
    prepare_folder(tmp_path / "made", write_whole)
    for name in ("mkdir", "touch", "rename"):
        monkeypatch.setattr(Path, name, _refuse(errno.EROFS))
    monkeypatch.setattr(filelock.FileLock, "acquire", _refuse(errno.EROFS))
    assert prepare_folder(tmp_path / "made", pytest.fail) == tmp_path / "made"
    with pytest.raises(ItmError, match="other: the folder is read-only"):
        prepare_folder(tmp_path / "other", pytest.fail)


def _refuse(code):
    def refuse(*_, **__):
        raise OSError(code, os.strerror(code))

    return refuse


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_without_locks_the_first_to_end_wins(tmp_path, monkeypatch, code):
    monkeypatch.setattr(filelock.FileLock, "acquire", _refuse(code))
    folder, anothers = tmp_path / "made", tmp_path / "made.part-another"
    anothers.mkdir()  # another process works here: it must not be removed

    def build(part):
        write_whole(part)
        if not folder.exists():
            (anothers / "first").write_text("x")
            shutil.copytree(anothers, folder)

    prepare_folder(folder, build)
    assert names(tmp_path) == ["made", "made.part-another"] and names(folder) == ["first"]
    shutil.rmtree(folder)
    prepare_folder(folder, write_whole)
    assert names(folder) == ["whole"]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "no"), "the disk is full; free some space, or choose another place"),
        (OSError(errno.EROFS, "no"), "read-only; choose another place"),
        (SafetensorError("I/O error: No space left on device (os error 28)"), "the disk is full; free some space"),
    ],
)
def test_a_full_or_read_only_disk_is_reported_and_nothing_is_left(tmp_path, error, message):
    def build(part):
        (part / "half").write_text("x")
        raise error

    with pytest.raises(ItmError, match=message):
        prepare_folder(tmp_path / "made", build)
    assert names(tmp_path) == []


def test_a_disk_that_fills_while_tensors_are_written_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "weights.safetensors"
    write_tensors(file, {"a": torch.ones(3)})

    def fill(tensors, part):
        Path(part).write_bytes(b"half")
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("safetensors.torch.save_file", fill)
    with pytest.raises(ItmError, match="weights.safetensors: the disk is full"):
        write_tensors(file, {"a": torch.zeros(3)})
    assert names(tmp_path) == ["weights.safetensors"] and torch.equal(read_tensors(file)["a"], torch.ones(3))


def test_what_safetensors_says_of_the_disk_is_understood(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ItmError, match="a part of the path is a file"), disk_errors(tmp_path):
        save_file({"a": torch.ones(3)}, tmp_path / "file" / "weights.safetensors")


def test_errors_of_another_sort_are_left_alone():
    for error in (ValueError("no"), OSError(errno.ECONNRESET, "no"), ItmError("reported already (os error 28)")):
        with pytest.raises(type(error)) as caught, disk_errors(Path("x")):
            raise error
        assert caught.value is error


def test_the_remedy_in_the_cache_is_another_cache(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("ITM_CACHE", str(tmp_path))
    with pytest.raises(ItmError, match="a part of the path is a file; set ITM_CACHE to another folder"):
        prepare_folder(tmp_path / "file" / "made", pytest.fail)


def test_writable_is_tried(tmp_path, monkeypatch):
    check_writable(tmp_path / "new" / "folder")
    assert names(tmp_path / "new" / "folder") == []
    (tmp_path / "file").write_text("x")
    with pytest.raises(ItmError, match="a part of the path is a file"):
        check_writable(tmp_path / "file" / "below")
    monkeypatch.setattr(Path, "write_bytes", _refuse(errno.EACCES))
    with pytest.raises(ItmError, match="may not be written to; choose another place"):
        check_writable(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_others_on_the_server_may_read_what_is_kept(tmp_path):
    before = os.umask(0o022)
    try:
        folder = prepare_folder(tmp_path / "made", lambda part: write_tensors(part / "a", {"a": torch.ones(1)}))
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o755
    assert (folder / "a").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "made.lock").stat().st_mode & 0o777 == 0o666


@pytest.mark.parametrize("keep", [0, 4, 20, 0.5, 0.99])
def test_a_damaged_corpus_is_named_with_the_folder_to_delete(tmp_path, monkeypatch, keep):
    monkeypatch.setenv("ITM_CACHE", str(tmp_path))
    monkeypatch.setattr("itm_tutorial.worlds.scenes.world.SceneSplit.draw", _blank)
    itm.load_corpus("scenes", size="tiny")
    (folder,) = (path for path in (tmp_path / "corpora").iterdir() if path.is_dir())
    file = folder / "val.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[: int(keep if keep > 1 else keep * len(whole))])
    with pytest.raises(ItmError) as error:
        itm.load_corpus("scenes", size="tiny")
    assert f"{file} is cut short or damaged" in str(error.value) and f"delete {folder} " in str(error.value)
    file.unlink()
    with pytest.raises(ItmError, match=f"{file} does not exist.*delete {folder} "):
        itm.load_corpus("scenes", size="tiny")
    shutil.rmtree(folder)  # the remedy
    assert len(itm.load_corpus("scenes", size="tiny").val.images) == 20


def _blank(split, image, size):
    import numpy as np

    return np.zeros((size, size, 3), np.uint8)


@pytest.mark.parametrize("read", [read_json, read_tensors])
def test_a_path_that_is_no_file_is_reported(tmp_path, read):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ItmError, match="file/below does not exist"):
        read(tmp_path / "file" / "below")
    with pytest.raises(ItmError, match="cannot be read"):
        read(tmp_path)


def test_broken_json_is_named_with_its_line(tmp_path):
    write_json(tmp_path / "a.json", {"a": 1})
    assert read_json(tmp_path / "a.json") == {"a": 1}
    (tmp_path / "a.json").write_text('{"a":\n1,,}')
    with pytest.raises(ItmError, match="line 2"):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize("text", ["1" * 5000, "[" * 100_000])
def test_json_that_python_gives_up_on_is_named_too(tmp_path, text):
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    with pytest.raises(ItmError, match="a.json: broken JSON"):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: itm.load_corpus("scene"), "scenes"),
        (lambda: itm.load_corpus("scenes", size="mimi"), "mini"),
        (lambda: itm.load_corpus("scenes", size="tiny", minimal_pair=0.1), "minimal_pairs"),
        (lambda: itm.create_model("vs", None), "vse"),
    ],
)
def test_unknown_names_bring_the_nearest(call, message):
    with pytest.raises(ItmError, match=message):
        call()


class Row(TypedDict):
    name: str
    scores: list[float]
    note: NotRequired[str]


def test_a_json_file_is_checked_against_a_schema(tmp_path):
    good = [{"name": "vse", "scores": [1, 2.5]}]
    write_json(tmp_path / "a.json", good)
    assert read_json(tmp_path / "a.json", list[Row]) == good


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("x", ""),
        ([1], "[0]"),
        ([{"scores": []}], "[0]['name']"),
        ([{"name": 5, "scores": []}], "[0]['name']"),
        ([{"name": "a", "scores": [1.0, "2"]}], "[0]['scores'][1]"),
        ([{"name": "a", "scores": [True]}], "[0]['scores'][0]"),
        ([{"name": "a", "scores": [10**400]}], "[0]['scores'][0]"),
    ],
)
def test_a_json_file_of_another_form_is_named_with_the_part_that_is_wrong(tmp_path, value, place):
    write_json(tmp_path / "a.json", value)
    with pytest.raises(ItmError, match=re.escape(f"{tmp_path / 'a.json'}: {place}") + ".*delete it and make it again"):
        read_json(tmp_path / "a.json", list[Row])
