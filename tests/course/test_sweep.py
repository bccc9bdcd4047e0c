"""Sweeps: every point runs once and is complete or absent, also with failures, killed runs and parallel commands."""

import json
import os
import signal
import subprocess
import sys
import time

import nbformat
import pandas as pd
import pytest

from itm_tutorial.chapters.ch02_vsepp.figures import heat_map
from itm_tutorial.course import notebooks as builds
from itm_tutorial.course import running as course
from itm_tutorial.course import sweep
from itm_tutorial.course.sweep import Point, load_sweep, run_sweep
from itm_tutorial.course.sweep_results import read_sweep
from itm_tutorial.errors import ItmError
from itm_tutorial.show import alt_text

pytest.importorskip("papermill")
FIXED = {"size": "small"}
GRID = {"margin": [0.1, 0.2]}
PARAMETERS = "margin, seed = 0.0, 0\nsize = ''\nseed = 0\nmargin = 0.1\nfolder = ''\nresult = ''"
RUN = """import json, os, time
with open(os.path.join(folder, "ran"), "a") as log:
    log.write(f"{margin} {os.environ['OMP_NUM_THREADS']}\\n")
while os.path.exists(os.path.join(folder, "wait")):
    time.sleep(0.05)
if margin < 0:
    raise ValueError("a margin below zero")
with open(result, "w") as file:
    json.dump({"rsum": 100 * margin + seed}, file)"""
ITM = """import signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # the background jobs of a shell ignore it
from itm_tutorial import cli
from itm_tutorial.course import running as course
course.ROOT = Path(sys.argv.pop(1))
course.NOTEBOOKS = course.ROOT / "notebooks"
cli.app()"""


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Makes a course with one sweep of a short notebook; returns the folder of its points."""
    monkeypatch.setattr(course, "ROOT", tmp_path)
    monkeypatch.setattr(course, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setenv("ITM_PROGRESS", "0")
    monkeypatch.delenv("ITM_FAST", raising=False)
    (tmp_path / "notebooks").mkdir()

    def made(grid=None, fixed=None, more="", run=RUN, parameters=PARAMETERS):
        cells = [nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]} if parameters else {})]
        notebook = nbformat.v4.new_notebook(cells=[*cells, nbformat.v4.new_code_cell(run)])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, tmp_path / "notebooks" / "run.ipynb")
        fixed = {**FIXED, "folder": str(tmp_path)} if fixed is None else fixed
        tables = {"fixed": fixed, "grid": GRID if grid is None else grid}
        text = '[[sweep]]\nname = "toy"\nnotebook = "run.ipynb"\n' + more
        for name, table in tables.items():
            text += f"\n[sweep.{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
        (tmp_path / "course.toml").write_text(text)
        return tmp_path / "runs" / "toy"

    return made


def ran(tmp_path):
    """The margins whose notebooks have started, in order."""
    file = tmp_path / "ran"
    return sorted(line.split()[0] for line in file.read_text().splitlines()) if file.exists() else []


def wait_until(true, seconds=900):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def start(tmp_path, *words):
    """Starts ``itm sweep`` in a separate process group."""
    return subprocess.Popen(
        [sys.executable, "-c", ITM, str(tmp_path), "sweep", "toy", "--out", str(tmp_path / "runs"), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def kernels_of(tmp_path):
    import psutil

    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        if process.info["cwd"] == str(tmp_path / "notebooks") and "ipykernel" in " ".join(
            process.info["cmdline"] or []
        ):
            found.append(process)
    return found


def kept(folder, stem, **more):
    """Writes a point as a sweep does, with the given changes."""
    record = {"parameters": {"margin": 0.1, "seed": 0}, "figures": {"rsum": 10.0}, "seconds": 1.0}
    record |= {"made_by": "a", "finished": "2026-01-01"}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stem}.json").write_text(json.dumps({**record, **more}))


def test_the_grid_is_every_combination_and_names_are_stable(make):
    make(grid={"margin": [0.1, 0.2], "seed": [0, 1]}, fixed={"size": "a b"})
    points = load_sweep("toy").points()
    assert [point.axes for point in points] == [{"margin": m, "seed": s} for m in (0.1, 0.2) for s in (0, 1)]
    assert points[1].parameters == {"size": "a b", "margin": 0.1, "seed": 1}
    assert [point.stem for point in points[:2]] == ["margin-0.1_seed-0", "margin-0.1_seed-1"]
    assert Point({"size": "a/b c"}, {}).stem == "size-a-b-c"


def test_the_tiny_grid_and_parameters_of_the_command(make, monkeypatch):
    make(more='tiny = { fixed = { size = "tiny" }, grid = { margin = [0.5] } }\n', grid={**GRID, "seed": [0]})
    assert len(load_sweep("toy").points()) == 2 and load_sweep("toy", size="big").fixed["size"] == "big"
    monkeypatch.setenv("ITM_FAST", "1")
    (point,) = load_sweep("toy", size=None).points()
    assert point.axes == {"margin": 0.5, "seed": 0} and point.parameters["size"] == "tiny"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"grid": {"margin": []}}, "axis 'margin' has no values"),
        ({"grid": {"margin": 0.2}}, "axis 'margin' has no values"),
        ({"grid": {}}, "the grid has no axis"),
        ({"grid": {"margn": [0.2]}}, "unknown parameter 'margn': did you mean 'margin'"),
        ({"grid": {"result": ["x"]}}, "unknown parameter 'result'"),
        ({"grid": {"margin": [0.1, 0.1]}}, "give each value of an axis once"),
        ({"grid": {"margin": [[0.1]]}}, r"\[0.1\] is not a parameter"),
        ({"fixed": {"sise": "mini"}}, "unknown parameter 'sise': did you mean 'size'"),
        ({"fixed": {"margin": 1}}, "'margin' is an axis of the grid and fixed as well"),
        ({"more": "workers = 0\n"}, "workers is 0; give 1 or more"),
        ({"more": "wrkers = 2\n"}, "wrkers"),
        ({"grid": {"margin": [0.1], "size": ["x" * 300]}, "fixed": {}}, "a file cannot be called .*shorter names"),
        ({"more": "workers = 1.5\n"}, r"\['workers'\]"),
        ({"more": "figure = 5\n"}, r"\['figure'\]"),
        (
            {"parameters": "margin = = 1"},
            "run.ipynb: its parameters cell is not Python .*: make it with make notebooks",
        ),
        ({"parameters": "margin = '\x00'"}, "its parameters cell is not Python"),
        ({"parameters": "x = " + "(" * 5000}, "its parameters cell is not Python"),
        ({"parameters": ""}, "no parameters cell"),
        ({"parameters": "margin = 1\nsize = folder = ''"}, "has no 'result'"),
    ],
)
def test_what_is_wrong_with_a_table_is_reported(make, change, message):
    make(**change)
    with pytest.raises(ItmError, match=message):
        load_sweep("toy")


@pytest.mark.parametrize("value", ["nan", "inf", "[[1]]", "{ a = 1 }", "1979-05-27"])
def test_a_value_that_is_no_parameter_is_reported(make, tmp_path, value):
    make()
    file = tmp_path / "course.toml"
    file.write_text(file.read_text().replace("margin = [0.1, 0.2]", f"margin = [{value}]"))
    with pytest.raises(ItmError, match="is not a parameter: give strings, numbers, true or false"):
        load_sweep("toy")


@pytest.mark.parametrize("metric", ["'high'", "None", "[1]", "10**400", "True"])
def test_a_metric_that_is_no_number_fails_its_point(make, metric):
    folder = make()
    store = sweep._Store(load_sweep("toy"), folder, "a")
    point = store.sweep.points()[0]
    with pytest.raises(ItmError, match="'rsum' that is not a number"):
        store.keep(point, {"rsum": eval(metric)}, 1.0)
    store.keep(point, {"rsum": float("nan")}, 1.0)  # of a run that diverged
    assert store.has(point)
    record = json.loads(store.file(point).read_text())
    store.file(point).write_text(json.dumps({**record, "figures": {"rsum": eval(metric)}}))
    assert not store.has(point)


def test_unknown_names_and_missing_files_are_reported(make, tmp_path):
    make()
    with pytest.raises(ItmError, match="unknown sweep 'toi': did you mean 'toy'"):
        run_sweep("toi", out=tmp_path)
    with pytest.raises(ItmError, match="workers is 0; give 1 or more"):
        run_sweep("toy", workers=0, out=tmp_path)
    (tmp_path / "notebooks" / "run.ipynb").write_text("{")
    with pytest.raises(ItmError, match="run.ipynb is not a notebook .+: make it with make notebooks"):
        load_sweep("toy")
    (tmp_path / "notebooks" / "run.ipynb").unlink()
    with pytest.raises(ItmError, match="run.ipynb does not exist: make it with make notebooks"):
        load_sweep("toy")
    for text, message in (("", "has no sweep"), ("[[sweep]\n", "give each"), ("[[sweep]]\nx = 1\n", "give each")):
        (tmp_path / "course.toml").write_text(text)
        with pytest.raises(ItmError, match=message):
            load_sweep("toy")
    (tmp_path / "course.toml").unlink()
    with pytest.raises(ItmError, match="from a clone of the repository"):
        load_sweep("toy")


def test_the_courses_own_sweeps_fit_their_notebooks(tmp_path, monkeypatch):
    import tomllib

    for source in builds.SOURCES.glob("*_lab_*.py"):  # not the generated ones: those may be made in a moment
        nbformat.write(builds.learners_edition(source), tmp_path / f"{source.stem}.ipynb")
    monkeypatch.setattr(course, "NOTEBOOKS", tmp_path)
    for table in tomllib.loads((course.ROOT / "course.toml").read_text(encoding="utf-8"))["sweep"]:
        monkeypatch.delenv("ITM_FAST", raising=False)
        full = load_sweep(table["name"]).points()
        monkeypatch.setenv("ITM_FAST", "1")
        assert 1 <= len(load_sweep(table["name"]).points()) <= 4 < len(full) <= 100


@pytest.mark.slow
def test_a_second_run_runs_what_is_not_whole_and_current_and_a_failure_hides_no_other(make, tmp_path, capsys):
    folder = make(grid={"margin": [0.1, -1.0, 0.2]})
    assert run_sweep("toy", workers=2, out=tmp_path / "runs") == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["point", "seconds", "rsum", "result"]
    assert [line.split()[-1] for line in lines[1:4:2]] == ["ok", "ok"]
    assert lines[2].endswith("failed in cell 3: ValueError: a margin below zero")
    assert lines[4].endswith("runs/toy: 2 run, 0 kept, 1 failed")
    assert ran(tmp_path) == ["-1.0", "0.1", "0.2"]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert {line.split()[1] for line in (tmp_path / "ran").read_text().splitlines()} == {str(max(1, cores // 2))}
    assert {file.name for file in folder.glob("*.ipynb")} == {f"margin-{m}.ipynb" for m in (0.1, 0.2, -1.0)}

    make()  # without the point that fails
    before = {file: file.read_bytes() for file in folder.glob("*.json")}
    assert run_sweep("toy", out=tmp_path / "runs") == 0 and len(ran(tmp_path)) == 3
    assert capsys.readouterr().out.count("kept") == 3
    damaged = folder / "margin-0.2.json"
    damaged.write_bytes(before[damaged][:20])
    assert run_sweep("toy", out=tmp_path / "runs") == 0 and ran(tmp_path)[3:] == ["0.2"]
    assert read_sweep(folder)["rsum"].tolist() == [10.0, 20.0]
    assert not list((folder / "unfinished").glob("*.json")) and not list((folder / "unfinished").glob("*.ipynb"))


def test_a_point_of_other_code_or_other_fixed_parameters_is_run_anew(make, tmp_path, monkeypatch):
    folder, started = make(), []

    def run_nothing(store, points, workers):
        started.append([point.stem for point in points])
        return {point.stem: "failed" for point in points}

    monkeypatch.setattr(sweep, "_run_points", run_nothing)
    for point in load_sweep("toy").points():
        kept(folder, point.stem, parameters=point.parameters, made_by=load_sweep("toy").made_by())
    assert run_sweep("toy", out=tmp_path / "runs") == 0 and started == []
    make(grid={"margin": [0.1, 0.2, 0.3]})
    assert run_sweep("toy", out=tmp_path / "runs") == 1 and started == [["margin-0.3"]]
    both = ["margin-0.1", "margin-0.2"]
    make()
    assert run_sweep("toy", out=tmp_path / "runs", size="other") == 1 and started[1:] == [both]
    make(run=RUN + "\nprint(1)")
    assert run_sweep("toy", out=tmp_path / "runs") == 1 and started[2:] == [both]
    make(more='figure = "r1"\n')
    assert run_sweep("toy", out=tmp_path / "runs") == 1 and started[3:] == [both]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="process groups are POSIX")
def test_a_killed_run_leaves_nothing_half_and_goes_on(make, tmp_path):
    folder = make(grid={"margin": [0.1]})
    (tmp_path / "wait").touch()
    run = start(tmp_path)
    wait_until(lambda: ran(tmp_path) == ["0.1"])
    assert len(kernels_of(tmp_path)) == 1
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()
    assert not list(folder.glob("*.json"))
    wait_until(lambda: not kernels_of(tmp_path), seconds=10)
    (tmp_path / "wait").unlink()
    assert run_sweep("toy", out=tmp_path / "runs") == 0
    assert ran(tmp_path) == ["0.1", "0.1"] and len(read_sweep(folder)) == 1


@pytest.mark.slow
def test_two_commands_run_no_point_twice(make, tmp_path):
    folder = make()
    runs = [start(tmp_path, "--workers", "1") for _ in range(2)]
    outputs = [run.communicate(timeout=900) for run in runs]
    assert [run.returncode for run in runs] == [0, 0] and ran(tmp_path) == ["0.1", "0.2"]
    assert len(read_sweep(folder)) == 2
    assert all(out.splitlines()[-1].startswith("2 points") and not complaint for out, complaint in outputs)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
@pytest.mark.parametrize("ctrl_c", [True, False])
def test_however_the_command_ends_its_workers_end_too(make, tmp_path, ctrl_c):
    folder = make(grid=GRID if ctrl_c else {"margin": [0.1]})
    (tmp_path / "wait").touch()
    run = start(tmp_path)
    wait_until(lambda: len(ran(tmp_path)) == (2 if ctrl_c else 1))
    if ctrl_c:  # a terminal sends it to the workers as well
        os.killpg(run.pid, signal.SIGINT)
    else:
        run.kill()
    _, complaint = run.communicate(timeout=900)
    assert (run.returncode, complaint) == ((130, "itm: interrupted\n") if ctrl_c else (-signal.SIGKILL, ""))
    wait_until(lambda: not kernels_of(tmp_path), seconds=10)
    assert not list(folder.glob("*.json"))


def test_read_sweep_gives_one_row_per_point_and_names_what_it_leaves_out(tmp_path):
    for nothing in (tmp_path / "absent", tmp_path):
        with pytest.raises(ItmError, match=f"has no points of a sweep: run itm sweep {nothing.name}"):
            read_sweep(nothing)
    toy = tmp_path / "toy"
    for seed in (0, 1):
        kept(toy, f"seed-{seed}", parameters={"margin": 0.1, "seed": seed}, figures={"rsum": 10.0 + seed})
    frame = read_sweep(toy)
    assert list(frame.columns) == ["rsum", "margin", "seed", "seconds"]
    assert frame["rsum"].tolist() == [10.0, 11.0]

    (toy / "cut.json").write_text('{"parameters": {')
    (toy / "list.json").write_text("[]")
    kept(toy, "long", seconds="long")
    kept(toy, "half", figures={"\ud800": 1.0})
    with pytest.warns(UserWarning) as caught:
        assert len(read_sweep(toy)) == 2
    assert [str(w.message) for w in caught] == [
        f"{name}.json is damaged and left out: run itm sweep toy to replace it"
        for name in ("cut", "half", "list", "long")
    ]


def test_read_sweep_mixes_no_two_notebooks(tmp_path):
    for stem, made_by in (("a", "older"), ("b", "older"), ("c", "newest")):
        kept(tmp_path, stem, made_by=made_by, finished=f"2026-01-0{1 + (made_by == 'newest')}", seconds=ord(stem))
    with pytest.warns(UserWarning, match="2 of 3 points come from another notebook or other fixed parameters"):
        assert read_sweep(tmp_path)["seconds"].tolist() == [ord("c")]


@pytest.fixture
def frame():
    rows = [(32, 0.1, "sum", 400.0), (32, 0.1, "sum", 410.0), (32, 0.2, "max", 430.0), (512, 0.1, "max", 450.25)]
    return pd.DataFrame(rows, columns=["batch_size", "margin", "negatives", "rsum"])


def test_the_heat_map_shows_every_number_in_its_cells_and_in_its_alt_text(frame):
    figure = heat_map(frame)
    alt = alt_text(figure)
    assert alt.startswith("A heat map of rsum over margin and negatives, from 405.0 to 450.2, 4 runs. Batch size 32: ")
    assert "sum at margin 0.1 405.0 (± 7.1, 2 seeds)" in alt and "max at margin 0.2 430.0 (1 seed)" in alt
    assert "Highest: max at margin 0.2, with 430.0. Batch size 512: " in alt
    left, right = figure.get_axes()
    assert [text.get_text() for text in left.texts] == ["405.0", "± 7.1, 2 seeds", "430.0", "1 seed"]
    assert left.get_title() == "batch size 32" and left.get_ylabel() == "margin"
    assert sum(bool(patch.get_hatch()) for patch in (*left.patches, *right.patches)) == 5  # of eight cells
    assert all(len(set(p.get_facecolor()[:3])) == 1 for p in (*left.patches, *right.patches) if p.get_fill())  # grey
    assert [label.get_text() for label in left.get_xticklabels()] == ["max", "sum"]
    frame["negatives"] = pd.Categorical(frame["negatives"], ["sum", "max"])
    assert [label.get_text() for label in heat_map(frame).get_axes()[0].get_xticklabels()] == ["sum", "max"]


def test_one_panel_one_cell_and_equal_numbers_can_be_drawn(frame):
    assert len(heat_map(frame, panels=None).get_axes()) == 1
    assert "405.0 (± 7.1, 2 seeds). Highest: sum at margin 0.1" in alt_text(heat_map(frame[:2], panels=None))


def test_a_heat_map_of_nothing_is_refused(frame):
    with pytest.raises(ItmError, match="unknown column 'rsun': did you mean 'rsum'"):
        heat_map(frame, value="rsun")
    with pytest.raises(ItmError, match="no row"):
        heat_map(frame[:0])
