"""The cache: whole or not at all, one builder at a time, and a full disk told in a sentence."""

import errno
import multiprocessing
import time

import pytest

import itm_tutorial as itm
from itm_tutorial.errors import ItmError
from itm_tutorial.storage import prepare_folder, read_json, write_json


def test_an_interrupted_build_leaves_nothing(tmp_path):
    def build(part):
        (part / "half").write_text("x")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_folder(tmp_path / "made", build)
    assert [p.name for p in tmp_path.iterdir() if not p.name.endswith(".lock")] == []
    prepare_folder(tmp_path / "made", lambda part: (part / "whole").write_text("x"))
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


@pytest.mark.parametrize(("code", "message"), [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only")])
def test_a_full_or_read_only_disk_is_told(tmp_path, code, message):
    def build(part):
        raise OSError(code, "no")

    with pytest.raises(ItmError, match=message):
        prepare_folder(tmp_path / "made", build)
    assert not (tmp_path / "made").exists()


def test_broken_json_is_named_with_its_line(tmp_path):
    write_json(tmp_path / "a.json", {"a": 1})
    assert read_json(tmp_path / "a.json") == {"a": 1}
    (tmp_path / "a.json").write_text('{"a":\n1,,}')
    with pytest.raises(ItmError, match="line 2"):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: itm.load_corpus("scene"), "scenes"),
        (lambda: itm.load_corpus("scenes", size="mimi"), "mini"),
        (lambda: itm.load_corpus("scenes", size="tiny", siblngs=0.1), "siblings"),
        (lambda: itm.create_model("vs", None), "vse"),
    ],
)
def test_unknown_names_bring_the_nearest(call, message):
    with pytest.raises(ItmError, match=message):
        call()
