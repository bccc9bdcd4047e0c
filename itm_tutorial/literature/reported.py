"""The results that papers reported, from the two editions of the survey's tables."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.literature.catalogue import key_of_method
from itm_tutorial.literature.tables import FOLDER, read_table

EDITIONS = ("2020", "2025")
DATASETS = ("Flickr8K", "Flickr30K", "MSCOCO1K", "MSCOCO5K", "CUHK-PEDES", "ICFG-PEDES", "RSTPReid", "CUB", "Flowers")
DIRECTIONS = ("i2t", "t2i")
METRICS = {"R@1": 100.0, "R@5": 100.0, "R@10": 100.0, "AP@50": 100.0, "MedR": math.inf}  # name -> the highest value
MEASURES = ("i2t R@1", "i2t R@5", "i2t R@10", "t2i R@1", "t2i R@5", "t2i R@10", "t2i AP@50")
NOT_REPORTED = "--"  # the paper reports no value; an empty cell: the survey's table has no such column
FLAGS = {"yes": True, "no": False}
NAMES = ("dataset", "method", "note")
DOUBTFUL = ("one rank too many", "off the curve", "same in both directions", "repeated")
TO_KNOW = ("other name", "other split", "shared figures", "measured by others")
ENSEMBLE = "an ensemble of models: stands beside single models, not among them"
QUESTIONABLE = "the survey marks the row as questionable"


@dataclass(frozen=True)
class Row:
    """One row of a published table.

    Attributes:
        line: its line in the file.
        dataset, method, note: the survey's names.
        ensemble, questionable: the survey's marks ``*`` and ``^``.
        values: (direction, metric) -> value, None where the paper reports none.
    """

    line: int
    dataset: str
    method: str
    note: str
    ensemble: bool
    questionable: bool
    values: dict[tuple[str, str], float | None]


@dataclass(frozen=True)
class Correction:
    """A remark about some reported values; an empty field matches any.

    Attributes:
        line: its line in the file.
        edition, dataset, method, note, direction, metric: the values that it is about.
        kind: one of ``DOUBTFUL``, if the value may be wrong, or of ``TO_KNOW``.
        why: the reason.
    """

    line: int
    edition: str
    dataset: str
    method: str
    note: str
    direction: str
    metric: str
    kind: str
    why: str

    def is_about(self, edition: str, row: Row) -> bool:
        """Whether it is about some value of a row."""
        pairs = [(self.edition, edition), *((getattr(self, name), getattr(row, name)) for name in NAMES)]
        return all(own in ("", other) for own, other in pairs)


def read_rows(file: Path, measures: Iterable[str] = MEASURES) -> list[Row]:
    """Reads a table of results, one published row per line.

    Args:
        file: with the columns dataset, method, note, ensemble, questionable and one per measure.
        measures: a direction and a metric each, such as "i2t R@1".

    Returns:
        The rows in the file's order.

    Raises:
        ItmError: a data set, direction or metric is unknown, a value is not a number or out of range, a row has no
            value, or as for ``read_table``.
    """
    measures = {name: _measure(name, file) for name in measures}
    rows = []
    for line, cells in read_table(file, (*NAMES, "ensemble", "questionable", *measures)):
        where = f"{file} line {line}"
        if cells["dataset"] not in DATASETS:
            raise ItmError(f"{where}: {unknown('data set', cells['dataset'], DATASETS)}")
        if not cells["method"].strip():
            raise ItmError(f"{where}: no method; write its name")
        marks = {}
        for mark in ("ensemble", "questionable"):
            if cells[mark] not in FLAGS:
                raise ItmError(f"{where}: {mark} is {cells[mark]!r}; write yes or no")
            marks[mark] = FLAGS[cells[mark]]
        values = {pair: _value(cells[name], *pair, where) for name, pair in measures.items() if cells[name]}
        if not any(values.values()):
            raise ItmError(f"{where}: no value except zeros; move the row to dropped.csv with the reason")
        rows.append(Row(line, *(cells[name] for name in NAMES), **marks, values=values))
    return rows


def _measure(name: str, file: Path) -> tuple[str, str]:
    direction, _, metric = name.partition(" ")
    if direction not in DIRECTIONS:
        raise ItmError(f"{file} line 1: {unknown('direction', direction, DIRECTIONS)}")
    if metric not in METRICS:
        raise ItmError(f"{file} line 1: {unknown('metric', metric, METRICS)}")
    return direction, metric


def _value(text: str, direction: str, metric: str, where: str) -> float | None:
    if text == NOT_REPORTED:
        return None
    try:
        value = float(text)
    except ValueError:
        raise ItmError(
            f"{where}: {direction} {metric} is {text!r}; write a number, or {NOT_REPORTED} where the paper has none"
        ) from None
    if not 0 <= value <= METRICS[metric] or math.isinf(value):
        above = "a number of 0 or more" if math.isinf(METRICS[metric]) else "a percentage from 0 to 100"
        raise ItmError(f"{where}: {direction} {metric} is {text}; write {above}")
    return value


def read_corrections(file: Path = FOLDER / "corrections.csv") -> list[Correction]:
    """Reads the remarks about reported values.

    Raises:
        ItmError: an edition, data set, direction, metric or kind is unknown, a reason is missing, or as for
            ``read_table``.
    """
    known = {"edition": EDITIONS, "dataset": DATASETS, "direction": DIRECTIONS, "metric": METRICS}
    found = []
    for line, cells in read_table(file, ("edition", *NAMES, "direction", "metric", "kind", "why")):
        for column, names in known.items():
            if cells[column] and cells[column] not in names:
                raise ItmError(f"{file} line {line}: {unknown(column, cells[column], names)}")
        if cells["kind"] not in (*DOUBTFUL, *TO_KNOW):
            raise ItmError(f"{file} line {line}: {unknown('kind', cells['kind'], (*DOUBTFUL, *TO_KNOW))}")
        if not cells["why"].strip():
            raise ItmError(f"{file} line {line}: no reason; write it in the last column")
        found.append(Correction(line, **cells))
    return found


def results(edition: str = "2020"):
    """The results that papers reported as a pandas DataFrame, one row per value, equal to the survey's tables.

    Args:
        edition: "2020", 576 values, or "2025", 2,552.

    Returns:
        Columns dataset, method, note (the survey's: mostly the image network), ensemble and questionable (bool, the
        survey's marks), direction ("i2t" retrieves captions, "t2i" images), metric, value (in percent; NaN where the
        paper reports none), edition, key (of the paper; empty if the course does not list it), doubtful (bool: the
        value may be wrong), remark (the reason, and other remarks; empty where there is nothing).

    Raises:
        ItmError: the edition is unknown, or a file is damaged; the message names the line.
    """
    import pandas as pd

    if edition not in EDITIONS:
        raise unknown("edition", edition, EDITIONS)
    return pd.DataFrame(reported_values(edition, FOLDER / f"results_{edition}.csv", FOLDER / "corrections.csv"))


def reported_values(edition: str, file: Path, corrections_file: Path) -> list[dict]:
    """The values of a file, one dict each, with the remarks of corrections.csv.

    Args:
        edition: of the file.
        file, corrections_file: as for ``read_rows`` and ``read_corrections``.

    Returns:
        The columns of ``results``.

    Raises:
        ItmError: a row occurs twice and no correction marks it as repeated, a correction is about no value, or a file
            is damaged.
    """
    rows, corrections, keys = read_rows(file), read_corrections(corrections_file), key_of_method()
    _check_repeated(edition, rows, corrections, file)
    found, used = [], set()
    for row in rows:
        about = [c for c in corrections if c.is_about(edition, row)]
        names = {name: getattr(row, name) for name in (*NAMES, "ensemble", "questionable")}
        marks = [ENSEMBLE] * row.ensemble + [QUESTIONABLE] * row.questionable
        for (direction, metric), value in row.values.items():
            applied = [c for c in about if c.direction in ("", direction) and c.metric in ("", metric)]
            used.update(applied)
            found.append(
                names
                | {"direction": direction, "metric": metric, "value": math.nan if value is None else value}
                | {"edition": edition, "key": keys.get(row.method, "")}
                | {"doubtful": row.questionable or any(c.kind in DOUBTFUL for c in applied)}
                | {"remark": "; ".join(marks + [c.why for c in applied])}
            )
    for correction in corrections:
        if correction.edition in ("", edition) and correction not in used:
            raise ItmError(
                f"{corrections_file} line {correction.line}: it is about no value of the edition of {edition}; "
                "correct its names, or give its edition"
            )
    return found


def _check_repeated(edition: str, rows: list[Row], corrections: list[Correction], file: Path) -> None:
    first: dict[tuple, int] = {}
    for row in rows:
        name = (*(getattr(row, part) for part in NAMES), row.ensemble)
        known = any(c.kind == "repeated" and c.is_about(edition, row) for c in corrections)
        if name in first and not known:
            raise ItmError(
                f"{file} line {row.line}: {row.method} ({row.note}) on {row.dataset} is in line {first[name]} too; "
                "remove one, or add both to corrections.csv as repeated"
            )
        first.setdefault(name, row.line)


def corrections():
    """The remarks about reported values, as a pandas DataFrame.

    Returns:
        Columns edition, dataset, method, note, direction, metric (empty means any), kind, doubtful (bool), why.

    Raises:
        ItmError: a file is damaged; the message names the line.
    """
    import pandas as pd

    rows = [{**vars(c), "doubtful": c.kind in DOUBTFUL} for c in read_corrections()]
    return pd.DataFrame(rows, columns=["edition", *NAMES, "direction", "metric", "kind", "doubtful", "why"])


def dropped():
    """Rows of the survey's tables without any value, which are left out, as a pandas DataFrame.

    Returns:
        Columns edition, dataset, method, note, rows (int, their number), value (in every cell), why.

    Raises:
        ItmError: a file is damaged; the message names the line.
    """
    import pandas as pd

    columns = ("edition", *NAMES, "rows", "value", "why")
    frame = pd.DataFrame([cells for _, cells in read_table(FOLDER / "dropped.csv", columns)], columns=columns)
    return frame.astype({"rows": int})
