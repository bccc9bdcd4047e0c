"""The cache: folders are complete or absent, one process builds at a time, and a full disk is reported."""

import errno
import json
import multiprocessing
import os
import re
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import threading
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
    cache_dir,
    check_writable,
    disk_errors,
    folders,
    prepare_folder,
    read_json,
    read_tensors,
    read_toml,
    replace_folder,
    user_path,
    whole_folder,
    write_json,
    write_tensors,
    write_text,
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
    monkeypatch.setattr(os, "open", _refuse(errno.EACCES))
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


def test_four_threads_write_one_file_and_no_writing_fails(tmp_path):
    file, failed = tmp_path / "a.json", []

    def write(number):
        for turn in range(40):
            try:
                write_json(file, [number] * 1000)
                assert len(set(read_json(file, list[int]))) == 1, turn
            except Exception as error:  # a thread's own would be lost
                failed.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == [] and names(tmp_path) == ["a.json"]


@pytest.mark.skipif(os.name == "nt", reason="a link needs a right on Windows")
def test_a_link_that_lies_under_a_temporary_name_is_not_followed(tmp_path, monkeypatch):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    for guess in (".probe", "a.json"):
        (tmp_path / f"{guess}-{os.getpid()}").symlink_to(victim)
        (tmp_path / f"{guess}.part-{os.getpid()}").symlink_to(victim)
    check_writable(tmp_path)
    write_json(tmp_path / "a.json", 1)
    monkeypatch.setattr("secrets.token_hex", lambda n: "guessed")  # and if it could be guessed
    for name in (".probe", "a.json", "b.safetensors"):
        (tmp_path / f"{name}.part-guessed").symlink_to(victim)
    for write in (
        lambda: check_writable(tmp_path),
        lambda: write_json(tmp_path / "a.json", 2),
        lambda: write_tensors(tmp_path / "b.safetensors", {"a": torch.ones(1)}),
    ):
        with pytest.raises(ItmError, match="cannot write"):
            write()
    assert victim.read_text() == "mine" and read_json(tmp_path / "a.json") == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no folder open")
@pytest.mark.parametrize("write", ["json", "text", "tensors", "folder"])
def test_a_file_is_on_the_disk_before_it_has_its_name_and_the_name_is_after(tmp_path, monkeypatch, write):
    events, fsync, rename, replace = [], os.fsync, os.rename, os.replace

    def moving(move):
        return lambda source, target, **options: (
            events.append(("named", os.stat(source).st_ino)),
            move(source, target),
        )

    monkeypatch.setattr(os, "fsync", lambda handle: (events.append(("kept", os.fstat(handle).st_ino)), fsync(handle)))
    monkeypatch.setattr(os, "rename", moving(rename))
    monkeypatch.setattr(os, "replace", moving(replace))
    target = tmp_path / "made"
    {
        "json": lambda: write_json(target, [1]),
        "text": lambda: write_text(target, "x"),
        "tensors": lambda: write_tensors(target, {"a": torch.ones(1)}),
        "folder": lambda: prepare_folder(target, write_whole),
    }[write]()
    named = events.index(("named", target.stat().st_ino))
    assert ("kept", target.stat().st_ino) in events[:named]
    assert ("kept", tmp_path.stat().st_ino) in events[named:]
    if write == "folder":
        assert ("kept", (target / "whole").stat().st_ino) in events[:named]


STEPS = ("mkdir", "rename", "replace", "unlink", "rmdir", "fsync", "chmod")


def killed_at(step, act):
    """Runs ``act`` in a process of its own that is killed before its n-th change of the disk -> whether it was."""
    child = os.fork()
    if not child:
        left = [step]

        def counted(change):
            def call(*arguments, **options):
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return change(*arguments, **options)

            return call

        for name in STEPS:
            setattr(os, name, counted(getattr(os, name)))
        folders._exchange = counted(folders._exchange)
        try:
            act()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("in_one_step", [True, False])
def test_a_reader_finds_the_old_folder_or_the_new_one_wherever_the_replacing_is_killed(
    tmp_path, monkeypatch, in_one_step
):
    folder = tmp_path / "corpus"
    if not in_one_step:
        monkeypatch.setattr(folders, "_exchange", lambda a, b: False)

    def version(text):
        def build(part):
            (part / "a").write_text(text)
            (part / "b").write_text(text)

        return lambda: replace_folder(folder, build, lambda made: (made / "b").read_text() == text)

    version("old")()
    step, seen = 0, set()
    while True:
        step += 1
        killed = killed_at(step, version("new"))
        whole = whole_folder(folder)
        found = {(whole / name).read_text() for name in ("a", "b")}
        assert len(found) == 1, step
        assert not in_one_step or whole == folder
        seen |= found
        version("new")()  # the next run clears up
        assert {(folder / name).read_text() for name in ("a", "b")} == {"new"} and names(tmp_path) == ["corpus"]
        version("old")()
        assert names(tmp_path) == ["corpus"]
        if not killed:
            break
    assert step > 8 and seen == {"old", "new"}


def test_a_folder_that_is_read_while_it_is_replaced_is_always_there(tmp_path):
    if not folders._exchange(*(prepare_folder(tmp_path / name, write_whole) for name in "ab")):
        pytest.skip("this system exchanges no folders")
    folder, missing, done = tmp_path / "corpus", [], threading.Event()

    def look():
        while not done.is_set():
            if not (folder / "whole").exists():
                missing.append(time.time())

    prepare_folder(folder, write_whole)
    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(20):
        replace_folder(folder, write_whole, lambda made: False)
    done.set()
    reader.join()
    assert missing == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no groups of this kind")
def test_what_is_made_in_a_folder_of_a_group_is_the_groups(tmp_path):
    before = os.umask(0o022)
    try:
        alone = prepare_folder(tmp_path / "alone" / "made", write_whole)
        shared = tmp_path / "shared"
        shared.mkdir()
        shared.chmod(0o2775)

        def build(part):
            (part / "below").mkdir()
            write_json(part / "below" / "a.json", 1)
            write_whole(part)

        made = prepare_folder(shared / "corpora" / "made", build)
    finally:
        os.umask(before)
    for folder in (shared / "corpora", made, made / "below"):
        assert folder.stat().st_mode & stat.S_IWGRP and folder.stat().st_mode & stat.S_ISGID, folder
    for file in (made / "whole", made / "below" / "a.json"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o664, file
    assert not (alone.stat().st_mode | alone.parent.stat().st_mode) & stat.S_IWGRP


def as_user(number, group, act):
    """Runs ``act`` as another user of a group, with the usual umask -> whether it went well."""
    child = os.fork()
    if not child:
        code = 1
        try:
            os.setgroups([])
            os.setgid(group)
            os.setuid(number)
            os.umask(0o022)
            act()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can be another user")
def test_two_users_of_a_group_share_a_cache_and_a_third_reads_it():
    group = 54321
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        shared = Path(place) / "cache"
        shared.mkdir()
        os.chown(shared, 0, group)
        shared.chmod(0o2775)
        for user, name in ((54322, "first"), (54323, "second"), (54322, "third")):
            assert as_user(user, group, lambda name=name: prepare_folder(shared / "corpora" / name, write_whole))
        assert as_user(54323, group, lambda: replace_folder(shared / "corpora/first", write_whole, lambda made: False))

        def read():
            assert (prepare_folder(shared / "corpora" / "first", pytest.fail) / "whole").read_text() == "x"
            with pytest.raises(ItmError, match="may not be written to"):
                prepare_folder(shared / "corpora" / "fourth", write_whole)

        assert as_user(54324, 54325, read)


@pytest.mark.parametrize("chosen", ["/proc/x", "~nobody_here/c", "FILE", "FILE/below"])
def test_a_cache_that_cannot_be_is_one_sentence(tmp_path, monkeypatch, chosen):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("ITM_CACHE", chosen.replace("FILE", str(tmp_path / "file")))
    with pytest.raises(ItmError, match="ITM_CACHE") as error:
        prepare_folder(cache_dir() / "corpora" / "made", write_whole)
    assert "\n" not in str(error.value) and (tmp_path / "file").read_text() == "x"


def test_an_empty_cache_variable_means_the_usual_place(monkeypatch):
    monkeypatch.setenv("ITM_CACHE", "")
    usual = cache_dir()
    monkeypatch.delenv("ITM_CACHE")
    assert cache_dir() == usual


@pytest.mark.parametrize("path", ["", "a\0b", "~nobody_here/a"])
def test_a_path_that_cannot_be_is_refused_by_its_argument(path):
    with pytest.raises(ItmError, match="--from is "):
        user_path(path, "--from")
    assert user_path("~/a", "--from") == Path.home() / "a"


def test_half_characters_are_kept_in_json_and_written_by_number_in_texts(tmp_path):
    write_json(tmp_path / "a.json", {"\ud800": "\udfff é"})
    assert read_json(tmp_path / "a.json") == {"\ud800": "\udfff é"}
    write_text(tmp_path / "a.txt", "a\ud800b é")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "a\\ud800b é"


def test_what_json_cannot_hold_is_refused_and_leaves_the_old_file(tmp_path):
    write_json(tmp_path / "a.json", 1)
    for value in (torch.ones(1), {"a": {1, 2}}, {("a",): 1}):
        with pytest.raises(ItmError, match="a.json cannot hold this"):
            write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == 1 and names(tmp_path) == ["a.json"]


def tensors_file(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        os.urandom(500),
        tensors_file({}, length=2**63),
        tensors_file(b"{" * 100),
        tensors_file({"a": {"dtype": "U32", "shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
        tensors_file({"a": {"dtype": "F4", "shape": [2], "data_offsets": [0, 1]}}, bytes(1)),
        tensors_file({"a": {"dtype": "F32", "shape": [2**62, 2**62], "data_offsets": [0, 4]}}, bytes(4)),
        tensors_file({"a": {"dtype": "nan", "shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
    ],
)
def test_a_damaged_file_of_tensors_is_read_or_named(tmp_path, content):
    file = tmp_path / "a.safetensors"
    file.write_bytes(content)
    try:
        assert all(isinstance(value, torch.Tensor) for value in read_tensors(file).values())
    except ItmError as error:
        assert str(error).startswith(f"{file} is cut short or damaged") and len(str(error)) < 600


def test_whatever_the_library_raises_names_the_file(tmp_path, monkeypatch):
    write_tensors(tmp_path / "a.safetensors", {"a": torch.ones(1)})
    for raised in (KeyError("x"), RuntimeError("a\nb"), NotImplementedError(), OverflowError("long"), MemoryError()):

        def fail(path, raised=raised):
            raise raised

        monkeypatch.setattr("safetensors.torch.load_file", fail)
        with pytest.raises(ItmError, match="a.safetensors is cut short or damaged") as error:
            read_tensors(tmp_path / "a.safetensors")
        assert "\n" not in str(error.value)


def test_tensors_are_checked_against_what_a_file_must_hold(tmp_path):
    file = tmp_path / "a.safetensors"
    write_tensors(file, {"images": torch.zeros(2, 3, 4), "n": torch.tensor(5)})
    assert set(read_tensors(file, {"images": ("torch.float32", 2, None, 4), "n": ("torch.int64",)})) == {"images", "n"}
    for wanted, found in {
        ("torch.float32", 3, None, 4): "images must be torch.float32 3 any 4 and is torch.float32 2 3 4",
        ("torch.uint8", 2, 3, 4): "images must be torch.uint8 2 3 4",
        ("torch.float32", 2, 3): "images must be torch.float32 2 3 and",
        ("torch.float32", 2, 3, 4, 5): "images must be",
    }.items():
        with pytest.raises(ItmError, match=f"a.safetensors: {found}.*delete {tmp_path} and make it again"):
            read_tensors(file, {"images": wanted})
    with pytest.raises(ItmError, match="boxes must be torch.float32 and is absent"):
        read_tensors(file, {"boxes": ("torch.float32",)})


def test_the_remedy_is_that_of_the_file(tmp_path):
    for name, text in {"a": "[1]", "b": "[1", "c": "[" * 100_000}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        with pytest.raises(ItmError, match=f"{name}.*; draw it again$"):
            read_json(tmp_path / name, list[str], "draw it again")


def test_a_toml_file_is_checked_against_a_schema(tmp_path):
    (tmp_path / "a.toml").write_text("name = 'vse'\nscores = [1, 2.5]\n", encoding="utf-8")
    assert read_toml(tmp_path / "a.toml", Row) == {"name": "vse", "scores": [1, 2.5]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name = ", "is no valid TOML"),
        (b"name = '\xff'", "not UTF-8 at byte 8"),
        (b"name = " + b"[" * 50_000, "is no valid TOML"),
        (b"name = " + b"1" * 5000, "is no valid TOML"),
        (b"name = 1979-05-27\nscores = []", r"\['name'\]: input should be a valid string"),
        (b"name = 'a'\nscores = [nan, 'b']", r"\['scores'\]\[1\]"),
    ],
)
def test_a_damaged_toml_file_is_named(tmp_path, content, message):
    (tmp_path / "a.toml").write_bytes(content)
    with pytest.raises(ItmError, match=f"a.toml.*{message}.*correct it"):
        read_toml(tmp_path / "a.toml", Row)
    with pytest.raises(ItmError, match="b.toml does not exist"):
        read_toml(tmp_path / "b.toml", Row)
    with pytest.raises(ItmError, match="cannot be read"):
        read_toml(tmp_path)
