"""Sweeps: papermill runs one notebook at every point of a grid, in worker processes; the results form one table.

A ``[[sweep]]`` of course.toml names the notebook and the grid. Each point writes one executed notebook and one JSON
file to ``runs/sweeps/NAME``; a point that is complete and made by the same notebook is not run again.
"""

from __future__ import annotations

import ast
import hashlib
import itertools
import json
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import itm_tutorial.course.running as course
from itm_tutorial.course.files import read_cells, read_sweeps
from itm_tutorial.course.sweep_results import read_point
from itm_tutorial.encoders.cores import THREADS, usable_cores
from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.progress import progress_wanted
from itm_tutorial.storage import check_writable, disk_errors, read_json, write_json

RESULT = "result"  # the parameter with the path to which the notebook writes its metrics
KEPT = "kept"  # the result of a point that was not run again
OUTCOME = "outcome: "  # begins the line in which a worker reports how its notebook ended
POLL_SECONDS = 0.1  # between two checks of the workers
LONGEST_NAME = 200  # characters of a point's file; file systems take 255 with the suffixes
END_SECONDS = 5  # for a worker to end its kernel


@dataclass(frozen=True)
class Point:
    """One run of the notebook.

    Attributes:
        axes: name -> value of each axis of the grid.
        parameters: all parameters of the notebook, except the path for its metrics.
    """

    axes: dict[str, Any]
    parameters: dict[str, Any]

    @property
    def stem(self) -> str:
        """The name of its files, determined by the axes."""
        return "_".join(f"{name}-{re.sub(r'[^A-Za-z0-9_.+-]+', '-', str(value))}" for name, value in self.axes.items())

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.axes.items())


@dataclass(frozen=True)
class Sweep:
    """A ``[[sweep]]`` of course.toml.

    Attributes:
        name: the argument of ``itm sweep``.
        notebook: the file to run; its parameters cell has every name of ``fixed`` and ``grid``, and ``result``.
        grid: axis -> values; every combination is a point.
        fixed: parameters that are the same for all points.
        figure: the metric of the notebook that the final table shows.
        workers: number of notebooks at a time.
        corpus: its features are computed before the first worker starts, for every ``size`` and ``seed`` of the points.
    """

    name: str
    notebook: Path
    grid: dict[str, list]
    fixed: dict[str, Any] = field(default_factory=dict)
    figure: str = "rsum"
    workers: int = 2
    corpus: str | None = None

    def points(self) -> list[Point]:
        """Every combination of the grid; the last axis changes fastest."""
        axes = [dict(zip(self.grid, values, strict=True)) for values in itertools.product(*self.grid.values())]
        return [Point(own, {**self.fixed, **own}) for own in axes]

    def made_by(self) -> str:
        """A hash (twelve digits) of the notebook's code and the fixed parameters; prose does not change it."""
        text = json.dumps([[cell["source"] for cell in _code_cells(self.notebook)], self.fixed], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def load_sweep(name: str, **fixed: Any) -> Sweep:
    """Reads a sweep from course.toml; with ``ITM_FAST=1`` its ``tiny`` table replaces parts of the grid.

    Args:
        name: of the sweep.
        fixed: replace parameters of the table; None is ignored.

    Returns:
        The sweep, checked against the parameters cell of its notebook.

    Raises:
        ItmError: the sweep does not exist, an axis has no values, or the notebook lacks a parameter.
    """
    tables, where = read_sweeps(course.ROOT / "course.toml"), f"course.toml, sweep {name!r}"
    if name not in tables:
        raise unknown("sweep", name, tables)
    table = dict(tables[name])
    tiny = table.pop("tiny", {})
    if os.environ.get("ITM_FAST") != "1":
        tiny = {}
    for key in ("fixed", "grid"):
        table[key] = {**table.get(key, {}), **tiny.get(key, {})}
    table["fixed"] |= {key: value for key, value in fixed.items() if value is not None}
    sweep = Sweep(**{**table, "notebook": course.NOTEBOOKS / table["notebook"]})
    _check(sweep, where)
    return sweep


def _check(sweep: Sweep, where: str) -> None:
    if not sweep.grid:
        raise ItmError(f"{where}: the grid has no axis: give [sweep.grid] at least one, such as margin = [0.1, 0.2]")
    for axis, values in sweep.grid.items():
        if not isinstance(values, list) or not values:
            raise ItmError(f"{where}: axis {axis!r} has no values: give it a list of at least one")
        if axis in sweep.fixed:
            raise ItmError(f"{where}: {axis!r} is an axis of the grid and fixed as well: leave one of them out")
    for value in (*sweep.fixed.values(), *itertools.chain(*sweep.grid.values())):
        if not isinstance(value, str | int | float) or (isinstance(value, float) and not math.isfinite(value)):
            raise ItmError(f"{where}: {value!r} is not a parameter: give strings, numbers, true or false")
    known = _parameters(sweep.notebook)
    if RESULT not in known:
        raise ItmError(
            f"{sweep.notebook.name}: its parameters cell has no {RESULT!r}: add {RESULT} = '', and write the "
            "metrics to that path"
        )
    for parameter in (*sweep.fixed, *sweep.grid):
        if parameter not in known or parameter == RESULT:
            raise ItmError(f"{where}, {sweep.notebook.name}: {unknown('parameter', parameter, known - {RESULT})}")
    stems = [point.stem for point in sweep.points()]
    if twice := {stem for stem in stems if stems.count(stem) > 1}:
        raise ItmError(f"{where}: two points would both be kept as {min(twice)}: give each value of an axis once")
    if len(longest := max(stems, key=len)) > LONGEST_NAME:
        raise ItmError(f"{where}: a file cannot be called {longest[:60]}...: give the axes shorter names and values")
    if sweep.workers < 1:
        raise ItmError(f"workers is {sweep.workers}; give 1 or more")


def _parameters(notebook: Path) -> set[str]:
    """The names that a notebook's parameters cell sets."""
    for cell in _code_cells(notebook):
        if "parameters" in cell["tags"]:
            try:
                statements = ast.walk(ast.parse(cell["source"]))
                assigned = [node for node in statements if isinstance(node, ast.Assign)]
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # what Python's parser raises
                reason = course.first_line(error)
                raise ItmError(
                    f"{notebook.name}: its parameters cell is not Python ({reason}): make it with make notebooks"
                ) from error
            return {target.id for node in assigned for target in node.targets if isinstance(target, ast.Name)}
    raise ItmError(f"{notebook.name} has no parameters cell: tag one with parameters")


def _code_cells(notebook: Path) -> list[dict]:
    return [cell for cell in read_cells(notebook) if cell["cell_type"] == "code"]


def run_sweep(name: str, workers: int | None = None, out: Path = Path("runs/sweeps"), **fixed: Any) -> int:
    """Runs the missing points of a sweep and prints one table; after a failure, the other points still run.

    Args:
        name: of a ``[[sweep]]`` in course.toml.
        workers: number of notebooks at a time; by default the table's. The cores are divided among them.
        out: the points go to its subfolder with the sweep's name.
        fixed: replace parameters of the table, such as ``size``; None is ignored.

    Returns:
        0, or 1 if a point failed.

    Raises:
        ItmError: as for ``load_sweep``; or there is fewer than one worker, or a folder cannot be written to.
    """
    sweep = load_sweep(name, **fixed)
    workers = sweep.workers if workers is None else workers
    if workers < 1:
        raise ItmError(f"workers is {workers}; give 1 or more")
    store = _Store(sweep, out.resolve() / name, sweep.made_by())
    check_writable(store.unfinished)
    points = sweep.points()
    results = {point.stem: KEPT for point in points}
    if left := [point for point in points if not store.has(point)]:
        _warm(sweep, left)
        results |= _run_points(store, left, workers)
    _print_table(store, points, results)
    return int(any(result.startswith("failed") for result in results.values()))


def _warm(sweep: Sweep, points: list[Point]) -> None:
    """Draws each corpus and extracts its features once, so that the workers need not wait for each other."""
    if sweep.corpus is None:
        return
    from itm_tutorial.data.loading import load_corpus
    from itm_tutorial.extraction.features import features

    chosen = [{key: point.parameters[key] for key in ("size", "seed") if key in point.parameters} for point in points]
    for n, settings in enumerate(chosen):
        if settings not in chosen[:n]:
            extracted = features(load_corpus(sweep.corpus, **settings))
            for split in ("train", "val"):
                getattr(extracted, split)


@dataclass(frozen=True)
class _Store:
    """The folder with the points of a sweep; it decides which of them are done."""

    sweep: Sweep
    folder: Path
    made_by: str

    @property
    def unfinished(self) -> Path:
        """The folder for locks and for files that workers are writing."""
        return self.folder / "unfinished"

    def file(self, point: Point) -> Path:
        return self.folder / f"{point.stem}.json"

    def has(self, point: Point) -> bool:
        """Whether a point is complete and made by this notebook with these parameters."""
        try:
            record = read_point(self.file(point))
        except ItmError:
            return False
        same = record["made_by"] == self.made_by and record["parameters"] == point.parameters
        return same and _is_number(record["figures"].get(self.sweep.figure))

    def keep(self, point: Point, metrics: Any, seconds: float) -> None:
        if not isinstance(metrics, dict) or self.sweep.figure not in metrics:
            raise ItmError(f"the notebook wrote no {self.sweep.figure!r} to the path in its parameter {RESULT!r}")
        if not _is_number(metrics[self.sweep.figure]):
            raise ItmError(f"the notebook wrote a {self.sweep.figure!r} that is not a number: look at its last cells")
        record = {"parameters": point.parameters, "figures": metrics, "seconds": round(seconds, 1)}
        record |= {"made_by": self.made_by, "finished": datetime.now(UTC).isoformat()}
        write_json(self.file(point), record)

    def lock(self, point: Point):
        """The lock of a point, or None if another command holds it."""
        from filelock import FileLock, Timeout

        lock = FileLock(self.unfinished / f"{point.stem}.lock", mode=0o666)
        try:
            with disk_errors(self.folder):
                return lock.acquire(blocking=False).lock
        except Timeout:
            return None


def _is_number(value: Any) -> bool:
    """Whether the final table can show a value; that of a run that diverged is NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value != value or abs(value) <= sys.float_info.max


class _Worker:
    """A process that runs one point, and the lock that prevents other commands from running it too."""

    def __init__(self, store: _Store, point: Point, lock: Any, threads: int):
        self.store, self.point, self.lock = store, point, lock
        self.notebook = store.unfinished / f"{point.stem}.ipynb"
        self.metrics = store.unfinished / f"{point.stem}.json"
        old = store.file(point)  # out of date or damaged, since the point is run again
        with disk_errors(store.folder):
            for file in (self.notebook, self.metrics, old, *old.parent.glob(f"{old.name}.part-*")):
                file.unlink(missing_ok=True)
        task = {"notebook": str(store.sweep.notebook), "target": str(self.notebook)}
        task["parameters"] = {**point.parameters, RESULT: str(self.metrics)}
        settings = {"ITM_PROGRESS": "0", "ITM_FAST": "0"}  # sizes come from the point
        settings |= {name: str(threads) for name in THREADS}
        self.output, self.start = tempfile.TemporaryFile(), time.perf_counter()  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-m", "itm_tutorial.course.sweep"],
            env={**os.environ, **settings},
            stdin=subprocess.PIPE,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            bufsize=0,
        )
        with suppress(BrokenPipeError):  # a worker that died at once is reported like any other
            self.process.stdin.write(json.dumps(task).encode() + b"\n")
        # stdin stays open: it closes when this process ends, for any reason, and then the worker ends too

    def finish(self) -> str:
        """Stores the results of a finished worker; returns "ok", or what failed and where."""
        seconds, result = time.perf_counter() - self.start, self._outcome()
        with disk_errors(self.store.folder):
            if self.notebook.exists():
                self.notebook.replace(self.store.folder / self.notebook.name)
        if result == "ok":
            try:
                self.store.keep(self.point, read_json(self.metrics) if self.metrics.exists() else {}, seconds)
            except ItmError as error:
                result = f"failed: {error}"
        self.close()
        return result

    def _outcome(self) -> str:
        self.output.seek(0)
        lines = self.output.read().decode(errors="replace").strip().splitlines() or ["it printed nothing"]
        outcomes = [line.removeprefix(OUTCOME) for line in lines if line.startswith(OUTCOME)]
        failure = f"failed: the worker ended with exit code {self.process.returncode}: {lines[-1][:160]}"
        return outcomes[-1] if outcomes else failure

    def close(self) -> None:
        """Ends the process if it still runs, and releases everything."""
        self.process.stdin.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.output.close()
        self.metrics.unlink(missing_ok=True)
        self.lock.release()


def _run_points(store: _Store, points: list[Point], workers: int) -> dict[str, str]:
    """Runs points, ``workers`` at a time -> the result of each, by stem. In any case all workers are ended."""
    from tqdm.auto import tqdm

    threads = max(1, usable_cores() // workers)
    waiting, running, results = list(points), [], {}
    bar = tqdm(total=len(points), desc=f"sweep {store.sweep.name}", unit="point", disable=not progress_wanted())
    try:
        while waiting or running:
            for point in [*waiting]:
                if len(running) == workers:
                    break
                if (lock := store.lock(point)) is None:  # another command runs it: check again later
                    continue
                waiting.remove(point)
                if store.has(point):  # another command has finished it meanwhile
                    lock.release()
                    results[point.stem] = KEPT
                    bar.update()
                else:
                    running.append(_Worker(store, point, lock, threads))
            for worker in [worker for worker in running if worker.process.poll() is not None]:
                running.remove(worker)
                results[worker.point.stem] = worker.finish()
                bar.update()
                bar.set_postfix(failed=sum(result.startswith("failed") for result in results.values()))
            time.sleep(POLL_SECONDS)
    finally:
        for worker in running:
            worker.process.stdin.close()  # all at once: each then ends its kernel
        for worker in running:
            worker.close()
        bar.close()
    return results


def _print_table(store: _Store, points: list[Point], results: dict[str, str]) -> None:
    metric, width = store.sweep.figure, max(len(str(point)) for point in points)
    print(f"{'point':<{width}}  seconds  {metric:>8}  result")
    for point in points:
        result, seconds, value = results[point.stem], "-", "-"
        if not result.startswith("failed"):
            record = read_point(store.file(point))
            seconds, value = f"{record['seconds']:.0f}", f"{record['figures'][metric]:.4g}"
        print(f"{str(point):<{width}}  {seconds:>7}  {value:>8}  {result}")
    ended = [result.split()[0].rstrip(":") for result in results.values()]
    labels = {"ok": "run", KEPT: KEPT, "failed": "failed"}
    summary = ", ".join(f"{ended.count(word)} {what}" for word, what in labels.items())
    print(f"{len(points)} points in {_shown(store.folder)}: {summary}")


def _shown(folder: Path) -> Path:
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def _work() -> None:
    """A worker process: reads its task from one line of standard input, runs the notebook, and prints the outcome.

    When its standard input closes, the parent process has ended, and the worker ends itself and its kernel.
    """
    task = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    notebook, target = Path(task["notebook"]), Path(task["target"])
    print(f"\n{OUTCOME}{course.execute(notebook, target, task['parameters'])}", flush=True)


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # nothing is ever sent: this waits until the other side closes
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    _work()
