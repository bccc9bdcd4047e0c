"""The leaderboard: the user's runs, one line each in runs/leaderboard.jsonl, beside the results of papers.

with itm.leaderboard.leaderboard_callback(corpus, seed=0) as board:
    itm.fit(model, corpus, seed=0, callbacks=[board])  # when the run ends, its best epoch is recorded as one line
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import FiniteFloat

from itm_tutorial.course.leaderboard_row import FIELDS, Row, run_row
from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.literature.galleries import GALLERIES, STANDS_FOR
from itm_tutorial.literature.reported import ENSEMBLE, MEASURES, results
from itm_tutorial.storage import append_lines, fault_in

FILE = Path("runs/leaderboard.jsonl")
SPLITS_MADE_HERE = "not the published splits"  # in `about` where a reader made them, as data.readers.entries words it
COLUMNS = ("source", "dataset", "method", "note", "split", "seed", *MEASURES, "rsum", "comparable")
PAPER, OWN = "paper", "own run"


@dataclass(frozen=True)
class Damaged:
    """A damaged line; it stays in its file."""

    file: Path
    line: int
    why: str

    def __str__(self) -> str:
        return f"{self.file} line {self.line}: {self.why}; skipped"


def record(row: dict[str, Any], file: str | Path | None = None) -> None:
    """Appends one run; many processes may do so at once, on every system.

    They take turns by an empty file beside the leaderboard, ``NAME.lock``.

    Args:
        row: with all fields of ``FIELDS``, as from ``run_row``; other fields are kept too.
        file: ``FILE`` by default; made if missing.

    Raises:
        ItmError: a field is missing, the row is not plain data, a metric is not a number, or the file cannot be
            written.
    """
    try:
        line = _encoded(row)
    except ValueError as error:
        raise ItmError(f"leaderboard row: {error}; make it with leaderboard.run_row") from error
    append_lines(Path(file or FILE), [line])


def _encoded(row: Any) -> str:
    """The line of a row: equal rows have equal lines, in whatever order their keys are.

    Raises:
        ValueError: why the value is not a valid row.
    """
    if not isinstance(row, dict):
        raise ValueError(f"a {type(row).__name__} instead of an object")
    missing = [field for field in FIELDS if field not in row]
    if missing:
        raise ValueError(f"no {', '.join(missing)}")
    if not isinstance(row["metrics"], dict):
        raise ValueError("metrics is not an object of names and numbers")
    for name, value in row["metrics"].items():
        if fault_in(value, FiniteFloat):
            shown = f"{value!r}" if isinstance(value, bool | float | None) else f"of type {type(value).__name__}"
            raise ValueError(f"{ascii(name)[1:-1][:40]} is {shown}, not a finite number")
    try:
        line = json.dumps(row, ensure_ascii=False, sort_keys=True, allow_nan=False)
        line.encode()
    except UnicodeEncodeError as error:
        raise ValueError("half a character in a text; give whole ones") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{str(error).partition(':')[0]}; give plain data without NaN or infinity") from error
    if why := fault_in(row, Row):
        raise ValueError(why)
    return line


def read(file: str | Path | None = None) -> tuple[list[dict[str, Any]], list[Damaged]]:
    """Reads the runs of a file. Damaged lines are skipped and returned separately; the file is not changed.

    Args:
        file: ``FILE`` by default.

    Returns:
        The rows in the file's order, and the damaged lines.

    Raises:
        ItmError: the file does not exist or cannot be read.
    """
    file = Path(file or FILE)
    try:
        lines = file.read_bytes().split(b"\n")
    except FileNotFoundError as error:
        raise ItmError(
            f"{file} does not exist: record a run with leaderboard_callback, or give another file"
        ) from error
    except OSError as error:
        raise ItmError(f"{file} cannot be read ({error.strerror}): give a file that you may read") from error
    rows, damaged = [], []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            rows.append(_decoded(line))
        except ValueError as error:
            damaged.append(Damaged(file, number, str(error)))
    return rows, damaged


def _decoded(line: bytes) -> dict[str, Any]:
    """The row of a line; raises ``ValueError`` as ``_encoded`` does."""
    try:
        row = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"broken JSON ({str(getattr(error, 'msg', error)).partition(';')[0]})") from error
    _encoded(row)
    return row


def merge(files: Iterable[str | Path], out: str | Path) -> tuple[int, list[Damaged]]:
    """Adds the runs of several files, such as those of a class, to one file, without duplicates.

    Args:
        files: leaderboards; they are not changed.
        out: the file to append to; made if missing. Its own rows and damaged lines stay.

    Returns:
        The number of added rows, and the damaged lines of ``files``.

    Raises:
        ItmError: no file is given, one cannot be read, or ``out`` is among ``files``.
    """
    files, out = [Path(file) for file in files], Path(out)
    if not files:
        raise ItmError("merge: no files; give the leaderboards to merge")
    if any(_is_same(file, out) for file in files):
        raise ItmError(
            f"{out} is among the files to merge: remove it there, or give another --out; its own rows stay in any case"
        )
    present = {_encoded(row) for row in (read(out)[0] if out.exists() else [])}
    new: dict[str, None] = {}  # an ordered set
    damaged = []
    for file in files:
        rows, damaged_here = read(file)
        damaged += damaged_here
        new.update(dict.fromkeys(line for line in map(_encoded, rows) if line not in present))
    if new:
        append_lines(out, list(new))
    return len(new), damaged


def _is_same(file: Path, other: Path) -> bool:
    """Whether two paths, or two links, lead to one file."""
    try:
        return file.resolve() == other.resolve() or file.samefile(other)
    except (OSError, RuntimeError):  # one is not there, or a link leads to itself: reading it says so
        return False


class Recorder:
    """A callback of ``fit`` that records the best epoch once, when the run ends without an error."""

    def __init__(self, corpus, seed: int | None, file: str | Path | None):
        self.corpus, self.seed, self.file = corpus, seed, file
        self._forget()

    def _forget(self) -> None:
        self.model, self.best, self.seconds = None, None, 0.0

    def __call__(self, model, row: dict[str, Any]) -> None:
        self.model = model
        self.seconds += row["seconds"]
        if self.best is None or row["rsum"] > self.best["rsum"]:  # of equal epochs the first, as in History.best_epoch
            self.best = dict(row)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, kind, error, trace) -> None:
        if kind is None:
            self.finish()

    def finish(self) -> dict[str, Any] | None:
        """Records the best epoch so far and resets the callback; leaving ``with`` calls it.

        Returns:
            The row, or None if no epoch was trained.

        Raises:
            ItmError: as for ``record``.
        """
        if self.best is None:
            return None
        metrics = {name: value for name, value in self.best.items() if name not in ("epoch", "loss", "seconds")}
        row = run_row(self.model, self.corpus, metrics, "val", self.seed, round(self.seconds, 1))
        row["epoch"] = self.best["epoch"]
        record(row, self.file)
        self._forget()
        return row


def leaderboard_callback(corpus, seed: int | None = None, file: str | Path | None = None) -> Recorder:
    """A callback for ``fit`` that records the best epoch of a run, evaluated on the validation split.

    Use it with ``with``, or call its ``finish()`` after ``fit``: a run that fails or is stopped is not recorded. For
    metrics on the test split, pass ``run_row`` of the trained model to ``record``.

    Args:
        corpus: the corpus that ``fit`` gets.
        seed: the seed that ``fit`` gets.
        file: ``FILE`` by default.

    Returns:
        The callback. ``seconds`` of its row counts only epochs trained now, not those of an earlier run.
    """
    return Recorder(corpus, seed, file)


def table(edition: str = "2020", corpus: str | None = None, file: str | Path | None = None):
    """The results of papers and of own runs, side by side, as a pandas DataFrame; damaged lines are named in warnings.

    Args:
        edition: of the survey's results, "2020" or "2025".
        corpus: restricts the table to its runs and to papers' results on the corresponding data sets; None for all.
        file: ``FILE`` by default, which may be missing.

    Returns:
        Columns source ("paper" or "own run"), dataset, method, note (a run's options and features), split, seed, one
        column per measure in percent, rsum (NaN where a part is missing), comparable: "yes", or "no: " or
        "with care: " and the reasons. Papers come first, in the survey's order.

    Raises:
        ItmError: the corpus is unknown and has no run, the edition is unknown, or a given file does not exist.
    """
    import pandas as pd

    runs, damaged = ([], []) if file is None and not FILE.exists() else read(file)
    for line in damaged:
        warnings.warn(str(line), stacklevel=2)
    if corpus is not None:
        runs = [row for row in runs if row["corpus"] == corpus]
        if not runs and corpus not in STANDS_FOR:
            raise unknown("corpus", corpus, STANDS_FOR)
    rows = _paper_rows(edition, None if corpus is None else STANDS_FOR.get(corpus, ()))
    return pd.DataFrame([*rows, *map(_own_row, runs)], columns=COLUMNS)


def _paper_rows(edition: str, datasets: tuple[str, ...] | None) -> list[dict[str, Any]]:
    """One row per published row, with its values side by side."""
    rows: list[dict[str, Any]] = []
    before = None
    for reported in results(edition).to_dict("records"):
        name = (reported["dataset"], reported["method"], reported["note"], reported["ensemble"])
        measure = f"{reported['direction']} {reported['metric']}"
        if name != before or measure in rows[-1]:
            rows.append({"source": PAPER, "dataset": name[0], "method": name[1], "note": name[2], "split": "test"})
            rows[-1] |= {"reasons": {ENSEMBLE: None} if reported["ensemble"] else {}, "care": {}}  # ordered sets
            before = name
        rows[-1][measure] = reported["value"]
        remark = reported["remark"].removeprefix(ENSEMBLE).removeprefix("; ")
        if reported["doubtful"]:
            rows[-1]["reasons"][f"doubtful: {remark}"] = None
        elif remark:
            rows[-1]["care"][remark] = None
    for row in rows:
        row["rsum"] = _rsum(row)
        row["comparable"] = _verdict(row.pop("reasons"), row.pop("care"))
    return [row for row in rows if datasets is None or row["dataset"] in datasets]


def _own_row(run: dict[str, Any]) -> dict[str, Any]:
    """A run as a row of the table, with the survey's names of metrics."""
    options = " ".join(f"{name}={value}" for name, value in run["options"].items() if name != "features")
    backbone = (run["options"].get("features") or {}).get("backbone", "")
    row = {"source": OWN, "dataset": run["corpus"], "method": run["method"], "split": run["split"], "seed": run["seed"]}
    folds = f"mean of {run['folds']} folds" if run.get("folds") else ""
    row["note"] = ", ".join(filter(None, (backbone, options, folds)))
    for measure in MEASURES:
        direction, metric = measure.split(" ")
        name = f"{direction}_{metric.lower().replace('@', '')}"  # i2t_r1
        row[measure] = run["metrics"].get(name, math.nan)
    return {**row, "rsum": _rsum(row), "comparable": _verdict(_reasons(run))}


def _rsum(row: dict[str, Any]) -> float:
    return math.fsum(row.get(measure, math.nan) for measure in MEASURES if "R@" in measure)


def _reasons(run: dict[str, Any]) -> list[str]:
    """Why a run is not comparable with the papers' results."""
    reasons = []
    if run["drawn"]:
        reasons.append("drawn images, not photographs")
    elif run["corpus"] not in STANDS_FOR:
        reasons.append("the survey has no results on these photographs")
    if run["split"] != "test":
        reasons.append(f"evaluated on the {run['split']} split, the papers on test")
    if not run["drawn"] and SPLITS_MADE_HERE in str(run["about"]):
        reasons.append(f"splits made here, {SPLITS_MADE_HERE}")
    usual = GALLERIES.get(run["corpus"], ())
    if usual and run.get("images", usual[0]) not in usual:
        reasons.append(f"a gallery of {run['images']:,} images, in the papers {' or '.join(f'{n:,}' for n in usual)}")
    return reasons


def _verdict(reasons: Iterable[str], care: Iterable[str] = ()) -> str:
    if reasons:
        return "no: " + "; ".join(reasons)
    return "with care: " + "; ".join(care) if care else "yes"
