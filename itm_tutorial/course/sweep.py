"""A sweep: one notebook run by papermill at every point of a grid, in worker processes, and read as one table.

A ``[[sweep]]`` of course.toml names the notebook and the grid. Each point leaves one executed notebook and one JSON
file under ``runs/sweeps/NAME``; what is there, whole and made by the same notebook is not run again.
"""

from __future__ import annotations

import ast
import hashlib
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import itm_tutorial.course.notebooks as course
from itm_tutorial.course.sweep_results import read_point
from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.progress import progress_wanted
from itm_tutorial.storage import check_writable, disk_errors, read_json, write_json

RESULT = "result"  # the parameter that tells a notebook where to write its figures
KEPT = "kept"  # the result of a point that needed no run
OUTCOME = "outcome: "  # begins the line in which a worker tells how its notebook ended
LOOK_SECONDS = 0.1  # between two looks at the workers
END_SECONDS = 5  # that a worker has to end its kernel


@dataclass(frozen=True)
class Point:
    """One run of the notebook.

    Attributes:
        axes: name -> value of what the grid varies.
        parameters: all that the notebook is given, but the path of its figures.
    """

    axes: dict[str, Any]
    parameters: dict[str, Any]

    @property
    def stem(self) -> str:
        """The name of its files: the same for the same axes."""
        return "_".join(f"{name}-{re.sub(r'[^A-Za-z0-9_.+-]+', '-', str(value))}" for name, value in self.axes.items())

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.axes.items())


@dataclass(frozen=True)
class Sweep:
    """A ``[[sweep]]`` of course.toml.

    Attributes:
        name: as ``itm sweep`` takes it.
        notebook: the file that is run; its parameters cell has every name of ``fixed`` and ``grid``, and ``result``.
        grid: axis -> values; every combination is a point.
        fixed: parameters that are the same for all points.
        figure: which of the notebook's figures stands in the final table.
        workers: notebooks at a time.
        corpus: its features are made before the first worker starts, for every ``size`` and ``seed`` of the points.
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
        """Twelve digits that change with the notebook's code and with the fixed parameters, not with its prose."""
        text = json.dumps([[cell["source"] for cell in _code_cells(self.notebook)], self.fixed], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def load_sweep(name: str, **fixed: Any) -> Sweep:
    """Reads a sweep from course.toml; with ``ITM_FAST=1`` its ``tiny`` table replaces parts of the grid.

    Args:
        name: of the sweep.
        fixed: parameters in place of the table's own; None is left out.

    Returns:
        The sweep, checked against the parameters cell of its notebook.

    Raises:
        ItmError: no such sweep, an axis without values, a parameter that the notebook does not have.
    """
    table, where = _table(name), f"course.toml, sweep {name!r}"
    tiny = table.pop("tiny", {})
    try:
        if os.environ.get("ITM_FAST") != "1":
            tiny = {}
        for key in ("fixed", "grid"):
            table[key] = {**table.get(key, {}), **tiny.get(key, {})}
        table["fixed"] |= {key: value for key, value in fixed.items() if value is not None}
        sweep = Sweep(**{**table, "notebook": course.NOTEBOOKS / table["notebook"]})
    except (KeyError, TypeError, AttributeError) as error:
        raise ItmError(f"{where}: {error}; give it a name, a notebook, and a [sweep.grid] of lists") from error
    _check(sweep, where)
    return sweep


def _table(name: str) -> dict[str, Any]:
    file = course.ROOT / "course.toml"
    if not file.exists():
        raise ItmError(f"{file} does not exist: run the sweep from a clone of the repository")
    try:
        tables = {table["name"]: table for table in tomllib.loads(file.read_text(encoding="utf-8")).get("sweep", [])}
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ItmError(f"{file}: {error}; give each [[sweep]] a name, a notebook, and a [sweep.grid]") from error
    if not tables:
        raise ItmError(f"{file} has no sweep: add a [[sweep]]")
    if name not in tables:
        raise unknown("sweep", name, tables)
    return tables[name]


def _check(sweep: Sweep, where: str) -> None:
    if not sweep.grid:
        raise ItmError(f"{where}: the grid has no axis: give [sweep.grid] at least one, such as margin = [0.1, 0.2]")
    for axis, values in sweep.grid.items():
        if not isinstance(values, list) or not values:
            raise ItmError(f"{where}: axis {axis!r} has no values: give it a list of at least one")
        if axis in sweep.fixed:
            raise ItmError(f"{where}: {axis!r} is an axis of the grid and fixed as well: leave one of them out")
    for value in (*sweep.fixed.values(), *itertools.chain(*sweep.grid.values())):
        if not isinstance(value, str | int | float):
            raise ItmError(f"{where}: {value!r} is no parameter: give texts, numbers, true or false")
    known = _parameters(sweep.notebook)
    if RESULT not in known:
        raise ItmError(
            f"{sweep.notebook.name}: its parameters cell has no {RESULT!r}: add {RESULT} = '', and write there"
        )
    for parameter in (*sweep.fixed, *sweep.grid):
        if parameter not in known or parameter == RESULT:
            raise ItmError(f"{where}, {sweep.notebook.name}: {unknown('parameter', parameter, known - {RESULT})}")
    stems = [point.stem for point in sweep.points()]
    if twice := {stem for stem in stems if stems.count(stem) > 1}:
        raise ItmError(f"{where}: two points would both be kept as {min(twice)}: give each value of an axis once")
    if not isinstance(sweep.workers, int) or sweep.workers < 1:
        raise ItmError(f"workers is {sweep.workers}; give 1 or more")


def _code_cells(notebook: Path) -> list[dict]:
    import nbformat

    if not notebook.exists():
        raise ItmError(f"{notebook.name} does not exist: make it with make notebooks, or mend course.toml")
    try:
        cells = nbformat.read(notebook, as_version=4).cells
    except Exception as error:  # nbformat raises what its parsers raise
        raise ItmError(
            f"{notebook.name} is no notebook ({course.first_line(error)}): make it with make notebooks"
        ) from error
    return [cell for cell in cells if cell["cell_type"] == "code"]


def _parameters(notebook: Path) -> set[str]:
    """The names that a notebook's parameters cell sets."""
    for cell in _code_cells(notebook):
        if "parameters" in cell["metadata"].get("tags", ()):
            assigned = [node for node in ast.walk(ast.parse(cell["source"])) if isinstance(node, ast.Assign)]
            return {target.id for node in assigned for target in node.targets if isinstance(target, ast.Name)}
    raise ItmError(f"{notebook.name} has no parameters cell: tag one with parameters")


def run_sweep(name: str, workers: int | None = None, out: Path = Path("runs/sweeps"), **fixed: Any) -> int:
    """Runs every point of a sweep that is not there yet and prints one table; a point that fails hides no other.

    Args:
        name: of a ``[[sweep]]`` in course.toml.
        workers: notebooks at a time; by default the table's own. The cores are shared out among them.
        out: the points go to a folder of the sweep's name in it.
        fixed: parameters in place of the table's own, such as ``size``; None is left out.

    Returns:
        0, or 1 when a point failed.

    Raises:
        ItmError: as for ``load_sweep``; fewer than one worker; a folder that cannot be written to.
    """
    sweep = load_sweep(name, **fixed)
    workers = sweep.workers if workers is None else workers
    if workers < 1:
        raise ItmError(f"workers is {workers}; give 1 or more")
    shelf = _Shelf(sweep, out.resolve() / name, sweep.made_by())
    check_writable(shelf.unfinished)
    points = sweep.points()
    results = {point.stem: KEPT for point in points}
    if left := [point for point in points if not shelf.has(point)]:
        _warm(sweep, left)
        results |= _run_points(shelf, left, workers)
    _print_table(shelf, points, results)
    return int(any(result.startswith("failed") for result in results.values()))


def _warm(sweep: Sweep, points: list[Point]) -> None:
    """Draws each corpus and computes its features once, so that the workers need not wait for each other."""
    if sweep.corpus is None:
        return
    from itm_tutorial.data.loading import load_corpus
    from itm_tutorial.extraction.features import features

    chosen = [{key: point.parameters[key] for key in ("size", "seed") if key in point.parameters} for point in points]
    for n, settings in enumerate(chosen):
        if settings not in chosen[:n]:
            seen = features(load_corpus(sweep.corpus, **settings))
            for split in ("train", "val"):
                getattr(seen, split)


@dataclass(frozen=True)
class _Shelf:
    """Where the points of a sweep are kept, and what a point must be to count as done."""

    sweep: Sweep
    folder: Path
    made_by: str

    @property
    def unfinished(self) -> Path:
        """For locks, and for what workers are writing."""
        return self.folder / "unfinished"

    def file(self, point: Point) -> Path:
        return self.folder / f"{point.stem}.json"

    def has(self, point: Point) -> bool:
        """Whether a point is there, whole, and made by this notebook with these parameters."""
        try:
            record = read_point(self.file(point))
        except ItmError:
            return False
        same = record["made_by"] == self.made_by and record["parameters"] == point.parameters
        return same and self.sweep.figure in record["figures"]

    def keep(self, point: Point, figures: Any, seconds: float) -> None:
        if not isinstance(figures, dict) or self.sweep.figure not in figures:
            raise ItmError(f"the notebook wrote no {self.sweep.figure!r} to the path in its parameter {RESULT!r}")
        record = {"parameters": point.parameters, "figures": figures, "seconds": round(seconds, 1)}
        record |= {"made_by": self.made_by, "finished": datetime.now(UTC).isoformat()}
        write_json(self.file(point), record)

    def lock(self, point: Point):
        """The lock of a point, or None where another command holds it."""
        from filelock import FileLock, Timeout

        lock = FileLock(self.unfinished / f"{point.stem}.lock", mode=0o666)
        try:
            with disk_errors(self.folder):
                return lock.acquire(blocking=False).lock
        except Timeout:
            return None


class _Worker:
    """A process that runs one point, and the lock that keeps other commands from running it too."""

    def __init__(self, shelf: _Shelf, point: Point, lock: Any, threads: int):
        self.shelf, self.point, self.lock = shelf, point, lock
        self.notebook = shelf.unfinished / f"{point.stem}.ipynb"
        self.figures = shelf.unfinished / f"{point.stem}.json"
        old = shelf.file(point)  # out of date or damaged, else nobody would run it again
        with disk_errors(shelf.folder):
            for file in (self.notebook, self.figures, old, *old.parent.glob(f"{old.name}.part-*")):
                file.unlink(missing_ok=True)
        task = {"notebook": str(shelf.sweep.notebook), "target": str(self.notebook)}
        task["parameters"] = {**point.parameters, RESULT: str(self.figures)}
        summary = {"OMP_NUM_THREADS": str(threads), "ITM_PROGRESS": "0", "ITM_FAST": "0"}  # a point's size is its own
        self.output, self.start = tempfile.TemporaryFile(), time.perf_counter()  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-m", "itm_tutorial.course.sweep"],
            env={**os.environ, **summary},
            stdin=subprocess.PIPE,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            bufsize=0,
        )
        with suppress(BrokenPipeError):  # a worker that died at once is reported like any other
            self.process.stdin.write(json.dumps(task).encode() + b"\n")
        # left open: it closes when this process ends, however it ends, and then the worker ends too

    def finish(self) -> str:
        """Keeps what an ended worker has made, and tells how it ended: "ok", or what failed and where."""
        seconds, result = time.perf_counter() - self.start, self._outcome()
        with disk_errors(self.shelf.folder):
            if self.notebook.exists():
                self.notebook.replace(self.shelf.folder / self.notebook.name)
        if result == "ok":
            try:
                self.shelf.keep(self.point, read_json(self.figures) if self.figures.exists() else {}, seconds)
            except ItmError as error:
                result = f"failed: {error}"
        self.close()
        return result

    def _outcome(self) -> str:
        self.output.seek(0)
        lines = self.output.read().decode(errors="replace").strip().splitlines() or ["it printed nothing"]
        summary = [line.removeprefix(OUTCOME) for line in lines if line.startswith(OUTCOME)]
        return (
            summary[-1]
            if summary
            else f"failed: the worker ended with code {self.process.returncode}: {lines[-1][:160]}"
        )

    def close(self) -> None:
        """Ends the process if it still runs, and lets go of everything."""
        self.process.stdin.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.output.close()
        self.figures.unlink(missing_ok=True)
        self.lock.release()


def _run_points(shelf: _Shelf, points: list[Point], workers: int) -> dict[str, str]:
    """Runs points, some at a time -> how each ended, by stem. However this ends, no worker is left behind."""
    from tqdm.auto import tqdm

    threads = max(1, _cores() // workers)
    waiting, running, results = list(points), [], {}
    bar = tqdm(total=len(points), desc=f"sweep {shelf.sweep.name}", unit="point", disable=not progress_wanted())
    try:
        while waiting or running:
            for point in [*waiting]:
                if len(running) == workers:
                    break
                if (lock := shelf.lock(point)) is None:  # another command runs it: look again later
                    continue
                waiting.remove(point)
                if shelf.has(point):  # that command has made it meanwhile
                    lock.release()
                    results[point.stem] = KEPT
                    bar.update()
                else:
                    running.append(_Worker(shelf, point, lock, threads))
            for worker in [worker for worker in running if worker.process.poll() is not None]:
                running.remove(worker)
                results[worker.point.stem] = worker.finish()
                bar.update()
                bar.set_postfix(failed=sum(result.startswith("failed") for result in results.values()))
            time.sleep(LOOK_SECONDS)
    finally:
        for worker in running:
            worker.process.stdin.close()  # all at once: each then ends its kernel
        for worker in running:
            worker.close()
        bar.close()
    return results


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _print_table(shelf: _Shelf, points: list[Point], results: dict[str, str]) -> None:
    figure, width = shelf.sweep.figure, max(len(str(point)) for point in points)
    print(f"{'point':<{width}}  seconds  {figure:>8}  result")
    for point in points:
        result, seconds, value = results[point.stem], "-", "-"
        if not result.startswith("failed"):
            record = read_point(shelf.file(point))
            seconds, value = f"{record['seconds']:.0f}", f"{record['figures'][figure]:.4g}"
        print(f"{str(point):<{width}}  {seconds:>7}  {value:>8}  {result}")
    ended = [result.split()[0].rstrip(":") for result in results.values()]
    words = {"ok": "run", KEPT: KEPT, "failed": "failed"}
    summary = ", ".join(f"{ended.count(word)} {what}" for word, what in words.items())
    print(f"{len(points)} points in {_shown(shelf.folder)}: {summary}")


def _shown(folder: Path) -> Path:
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def _work() -> None:
    """A worker process: runs the notebook that one line of its standard input tells of, and says how it ended.

    When its standard input closes, the process that started it is gone, and it ends with its kernel.
    """
    task = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    notebook, target = Path(task["notebook"]), Path(task["target"])
    print(f"\n{OUTCOME}{course.execute(notebook, target, task['parameters'])}", flush=True)


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # nothing ever comes: this waits until the other side is closed
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    _work()
