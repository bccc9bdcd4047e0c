"""The benchmarks at a toy size: they run, compare what they claim to compare, and print a line or two."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def parts(name):
    return runpy.run_path(str(BENCHMARKS / f"{name}.py"))


def test_counted_ranks_are_those_of_the_loop(monkeypatch):
    measure = parts("ranks")["measure"]
    counting, loop, same, n_queries = measure(n_images=40, n_captions=200, dim=64, every=3)
    assert counting > 0 and loop > 0 and (same, n_queries) == (14 + 67, 14 + 67)
    ranks = measure.__globals__["ranks"]
    monkeypatch.setitem(measure.__globals__, "ranks", lambda *a: tuple(found + 1 for found in ranks(*a)))
    assert measure(n_images=40, n_captions=200, dim=64, every=3)[2] == 0  # wrong ranks would be seen


def test_scenes_are_made_and_drawn():
    assert min(parts("scenes")["measure"](3, 32)) > 0  # making, drawing, writing


@pytest.mark.parametrize("name", runpy.run_path(str(BENCHMARKS / "steps.py"))["models"]())
def test_models_take_steps(name):
    assert parts("steps")["measure"](name, n=6, steps=2) > 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports the peak of a process")
def test_memory_is_that_of_a_tile():
    peak = parts("memory")["measure"](n_images=2_000, n_captions=80_000, dim=8)
    assert 0 < peak < 300  # MiB; the whole matrix would take twice that


def test_each_says_what_it_compares_and_how_to_run_it():
    for file in BENCHMARKS.glob("*.py"):
        assert f"python benchmarks/{file.name}" in file.read_text(encoding="utf-8").split('"""')[1]
        assert parts(file.stem)["main"]


def test_one_runs_from_a_terminal():
    run = subprocess.run([sys.executable, BENCHMARKS / "scenes.py"], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "") and "scenes per second" in run.stdout
    assert len(run.stdout.splitlines()) <= 2


def test_a_full_step_is_compared_with_its_bare_products():
    full, bare = parts("vsepp_step")["measure"](n=6, n_words=50, image_dim=8, dim=6, word_dim=5, steps=2)
    assert full > 0 and bare > 0


def test_stacked_cross_attention_is_compared_with_the_loop(monkeypatch):
    bench = parts("stacked_cross")
    for way in ("t2i", "i2t"):
        found = bench["measure_scoring"](way, n_images=5, n_captions=7, dim=6)
        assert found["difference"] < 1e-5 and min(found.values()) >= 0
        assert min(bench["measure_step"](way, n=6, dim=5).values()) > 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports the peak of a process")
def test_the_memory_of_a_step_is_compared_with_the_loops():
    measure = parts("stacked_cross")["measure_memory"]
    assert measure("looped", "i2t", n=48, dim=256) > 2 * measure("ours", "i2t", n=48, dim=256)


def test_the_training_of_scan_is_compared_with_that_of_vsepp(cache, made_up_regions, monkeypatch):
    bench = parts("scan_training")
    found = bench["measure"]("regions", size="tiny", captions=140)
    assert found["scan"] > 0 and found["vsepp"] > 0


@pytest.mark.parametrize("case", runpy.run_path(str(BENCHMARKS / "search_index.py"))["CASES"])
def test_a_later_query_of_an_index_is_compared_with_the_first(case, monkeypatch):
    measure = parts("search_index")["measure"]
    times = measure(case, n_images=20, n_queries=3)
    assert times["first"] > 0 and times["later"] > 0 and times["wrong"] == 0
    itm = measure.__globals__["itm"]
    monkeypatch.setattr(itm, "search", lambda model, split, query, k: None)
    assert measure(case, n_images=20, n_queries=3)["wrong"] == 1  # other hits would be seen


def test_extraction_is_compared_with_bare_torchvision(monkeypatch):
    measure = parts("extraction")["measure"]
    extraction = measure.__globals__["extraction"]
    monkeypatch.setattr(extraction, "create_backbone", extraction.create_backbone)  # the benchmark gives its own
    found = measure("small", n=10, rounds=1)
    assert found["ours"] > 0 and found["bare"] > 0 and found["difference"] < 1e-5


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports the peak of a process")
def test_the_memory_of_extraction_is_measured_in_a_process_of_its_own():
    assert 0 < parts("extraction")["measure_memory"](40) < 1_000  # MiB


@pytest.mark.slow
def test_kernels_run_at_once_and_what_fails_is_said(tmp_path):
    import nbformat

    def made(name, cell):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
        nbformat.write(notebook, tmp_path / name)
        return tmp_path / name

    both_there = (  # each waits until it sees the other: one after the other would never end
        "import os, pathlib\nhere = pathlib.Path(os.environ['MEET'])\n(here / str(os.getpid())).touch()\n"
        "while len(list(here.iterdir())) < 2: pass"
    )
    measure = parts("thirty_kernels")["measure"]
    (tmp_path / "meet").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEET", str(tmp_path / "meet"))
        seconds, failed, memory = measure(2, made("meet.ipynb", both_there), "tiny")
    assert len(seconds) == 2 and failed == [] and memory.together >= memory.largest > 0
    assert measure(1, made("fails.ipynb", "1 / 0"), "tiny")[1] == [
        "failed in cell 1: ZeroDivisionError: division by zero"
    ]


def test_sentences_are_encoded_by_each_encoder():
    made = parts("sentences")
    for train in (False, True):
        speeds = made["measure"](n=4, n_words=30, train=train, small=True)
        assert list(speeds) == list(made["ENCODERS"]) and min(speeds.values()) > 0


@pytest.mark.parametrize("name", ["m_rnn", "nic"])
def test_a_shared_recurrence_is_compared_with_one_per_pair(cache, name, monkeypatch):
    bench = parts("writers")
    found = bench["measure"](name, size="tiny", part=2)
    assert (found["n_images"], found["n_captions"]) == (20, 100) and found["difference"] < 1e-5
    assert min(found["ours"], found["looped"]) > 0 and ("recurrences" in found) is (name == "m_rnn")
    monkeypatch.setitem(bench["measure"].__globals__, "looped", lambda *given: bench["ours"](*given) * 1.01)
    assert bench["measure"](name, size="tiny", part=2)["difference"] > 1e-3  # other scores would be seen


@pytest.mark.parametrize("name", ["imram_k2", "camp", "camp_scalar", "adapt"])
def test_all_pairs_of_a_batch_are_compared_with_one_call_per_pair(cache, name, monkeypatch):
    bench = parts("attention_pairs")
    found = bench["measure"](name, n=3)
    assert found["difference"] < 1e-5 and min(found["ours"], found["looped"]) > 0
    wrong = lambda model, images, captions, n: model.similarity(images, captions) * 1.01  # noqa: E731
    monkeypatch.setitem(bench["timed"].__globals__, "looped", wrong)
    assert bench["measure"](name, n=3)["difference"] > 1e-3  # other scores would be seen
