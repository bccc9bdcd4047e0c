"""The fuzzer finds faults that are there, and every reader takes a few damaged inputs; run.py tries thousands."""

import json
import os
import struct
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import fuzz
import mutations
import pytest
import readers
import run
from readers import Reader

from itm_tutorial.errors import ItmError

JSON = json.dumps({"a": [1, {"b": "x"}], "c": None}).encode()


@pytest.mark.parametrize("file", readers.reader_files())
def test_every_reader_takes_thirty_damaged_inputs(file):
    found = fuzz.fuzz_file(file, 30)
    assert found
    for name, result in found.items():
        assert result["worked"] + result["refused"] == 30, (name, result["faults"])
        assert not result["outside"] and not result["grew"], (name, result["outside_examples"], result["grew_examples"])
        assert not result["unclear"], (name, result["unclear_examples"])


def safetensors():
    header = json.dumps({"w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(24)


def zipped(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("data.pkl", b"abc")
        archive.writestr("data/0", b"123")
    return (tmp_path / "a.zip").read_bytes()


def test_the_same_seed_damages_alike_and_another_otherwise(tmp_path):
    files = {"a.json": JSON, "b.jsonl": JSON + b"\n" + JSON, "c.toml": b"[a]\nx = 1\n", "d.safetensors": safetensors()}
    files |= {"e.zip": zipped(tmp_path), "f.txt": b"one two\nthree\n"}
    damaged = {}
    for name, data in files.items():
        first = [mutations.mutated(name, data, Random(seed)) for seed in range(60)]
        assert first == [mutations.mutated(name, data, Random(seed)) for seed in range(60)]
        assert len({changed for changed, _ in first}) > 20, name
        damaged[name] = [what for _, what in first]
    assert any("a/1" in what for what in damaged["a.json"]) and any("deep" in what for what in damaged["a.json"])
    assert any("shape" in what for what in damaged["d.safetensors"])
    assert any("data.pkl" in what for what in damaged["e.zip"])


def test_a_folder_is_damaged_in_place(tmp_path):
    kinds = set()
    for seed in range(300):
        (folder := tmp_path / str(seed)).mkdir()
        for name in ("a.json", "b.txt"):
            (folder / name).write_bytes(JSON)
        kinds.update(
            what.partition(": ")[2].split("=")[0]
            for what in mutations.damage(folder, ["a.json", "b.txt"], Random(seed)).split("; ")
        )
    assert {"missing", "a folder", "a link to itself", "truncated", "root", "deleted slice"} <= kinds


def write(folder):
    (folder / "a.txt").write_text("one\n")


def refuses(folder):
    raise ItmError(f"{folder}: no good; make it again")


def panics(folder):
    raise type("PanicException", (BaseException,), {})("deep inside")


def loops(folder):
    time.sleep(30)


def writes_beside(folder):
    (folder.parent / "beside").write_text("x")


def starts_code(folder):
    subprocess.run([sys.executable, "-c", ""], check=True)


def fills_memory(folder):
    assert len(bytes(range(256)) * (1 << 19)) == 1 << 27


@pytest.fixture
def tried(tmp_path, monkeypatch):
    """Tries one input of a reader that is as given from its second call on: the first reads the valid input."""
    monkeypatch.setenv("ITM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr(fuzz, "SECONDS", 1)
    monkeypatch.setattr(fuzz, "_limit_memory", lambda: None)
    here = os.getcwd()

    def one(read):
        calls, told = [], []

        def second(folder):
            calls.append(folder)
            if len(calls) > 1:
                read(folder)

        (tmp_path / "box").mkdir()
        fuzz.try_inputs(Reader("toy", write, second), tmp_path / "box", 0, 1, 0, told.append)
        (result,) = [line for line in told if "kind" in line]
        return result

    yield one
    os.chdir(here)


@pytest.mark.parametrize(
    ("read", "kind"),
    [(write, "worked"), (refuses, "refused"), (panics, "other"), (loops, "hung"), (starts_code, "worked")],
)
def test_what_a_reader_does_is_told_apart(tried, read, kind):
    assert tried(read)["kind"] == kind


def test_files_outside_the_cache_and_started_code_are_noted(tried, tmp_path):
    assert any("beside" in note for note in tried(writes_beside)["wrote"])
    assert not (tmp_path / "cache").exists()


def test_started_code_is_noted(tried):
    assert any("subprocess" in note for note in tried(starts_code)["wrote"])


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells the peak")
def test_memory_beyond_ten_times_the_file_is_noted(tried):
    assert tried(fills_memory)["grew"]


def result(**changed):
    made = {"number": 0, "kind": "worked", "error": "", "where": "", "seconds": 0.1, "growth": 0, "grew": False}
    return {**made, "wrote": [], "unclear": False, "what": "a.txt: truncated", "size": 4, **changed}


def test_the_page_counts_and_groups_what_went_wrong():
    broken = {"kind": "other", "error": "TypeError: no", "where": "data/x.py:3"}
    found = [
        result(),
        result(**broken, what="a.txt: truncated; a.txt: flip 1 bits"),
        result(**broken, what="a.txt: swapped"),
    ]
    summed = {"toy": fuzz._summed(found, 3, 1.0)}
    (fault,) = summed["toy"]["faults"]
    assert (fault["count"], fault["smallest"]) == (2, "a.txt: swapped")
    assert not fuzz.passed(summed) and fuzz.passed({"toy": fuzz._summed(found[:1], 1, 1.0)})
    text = fuzz.section(summed)
    assert "| toy | 3 | 1 | 0 | 2 | 0 | 0 | 0 | 0 | 0.1 |" in text
    assert "| toy | TypeError | data/x.py:3 | 2 | `a.txt: swapped` |" in text


def test_the_page_is_made_of_what_was_kept(tmp_path):
    summed = {"toy": fuzz._summed([result()], 1, 1.0)}
    run._keep(tmp_path / "fuzz.json", {"older": summed["toy"]})
    run._keep(tmp_path / "fuzz.json", summed)
    text = run.page({"fuzz": fuzz}, tmp_path)
    assert "## Fuzzing" in text and "| toy |" in text and "| older |" in text


def removes_a_tree(folder):
    import shutil

    shutil.rmtree(folder)  # from within: by names that start from an open folder


def test_a_file_that_is_removed_from_an_open_folder_is_noted_with_its_path(tried, tmp_path):
    notes = tried(removes_a_tree)["wrote"]
    assert notes and all(str(tmp_path / "box" / "case") in note for note in notes)
