"""The figures that papers reported, as the survey's tables list them in two editions."""

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
NOT_REPORTED = "--"  # the table has a column for it, and the paper no figure; an empty cell: no such column
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
        line: in its file.
        dataset, method, note: as the survey names them.
        ensemble, questionable: the survey's marks ``*`` and ``^``.
        figures: (direction, metric) -> value, None where the paper reports none.
    """

    line: int
    dataset: str
    method: str
    note: str
    ensemble: bool
    questionable: bool
    figures: dict[tuple[str, str], float | None]


@dataclass(frozen=True)
class Correction:
    """What must be known about some figures; an empty field means any.

    Attributes:
        line: in its file.
        edition, dataset, method, note, direction, metric: which figures.
        kind: one of ``DOUBTFUL``, where the figure may be wrong, or of ``TO_KNOW``.
        why: the reason, in words.
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
        """Whether it speaks of some figure of a row."""
        pairs = [(self.edition, edition), *((getattr(self, name), getattr(row, name)) for name in NAMES)]
        return all(mine in ("", other) for mine, other in pairs)


def read_rows(file: Path, measures: Iterable[str] = MEASURES) -> list[Row]:
    """Reads a table of figures, one published row a line.

    Args:
        file: with the columns dataset, method, note, ensemble, questionable and one a measure.
        measures: a direction and a metric each, such as "i2t R@1".

    Returns:
        The rows in the file's order.

    Raises:
        ItmError: an unknown data set, direction or metric; a value that is no number or out of range; a row without
            any figure; or as for ``read_table``.
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
        figures = {pair: _value(cells[name], *pair, where) for name, pair in measures.items() if cells[name]}
        if not any(figures.values()):
            raise ItmError(f"{where}: no figure but zeros; move the row to dropped.csv with the reason")
        rows.append(Row(line, *(cells[name] for name in NAMES), **marks, figures=figures))
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
    """Reads what must be known about some figures.

    Raises:
        ItmError: an unknown edition, data set, direction, metric or kind; no reason; or as for ``read_table``.
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
            raise ItmError(f"{file} line {line}: no reason; say why in the last column")
        found.append(Correction(line, **cells))
    return found


def results(edition: str = "2020"):
    """The figures that papers reported as a pandas DataFrame, one row a figure, equal to the survey's tables.

    Args:
        edition: "2020", 576 figures, or "2025", 2,552.

    Returns:
        Columns dataset, method, note (the survey's: what pictures are seen through), ensemble and questionable (bool,
        the survey's marks), direction ("i2t" finds captions, "t2i" images), metric, value (in percent; NaN where the
        paper reports none), edition, key (of the paper, empty where none of ours fits), doubtful (bool: the value may
        be wrong), remark (why, and what else to know; empty where there is nothing).

    Raises:
        ItmError: an unknown edition, or a damaged file, with its line.
    """
    import pandas as pd

    if edition not in EDITIONS:
        raise unknown("edition", edition, EDITIONS)
    return pd.DataFrame(figures(edition, FOLDER / f"results_{edition}.csv", FOLDER / "corrections.csv"))


def figures(edition: str, file: Path, corrections_file: Path) -> list[dict]:
    """The figures of a file, one dict each, with what corrections.csv says of them.

    Args:
        edition: of the file.
        file, corrections_file: as ``read_rows`` and ``read_corrections`` take them.

    Returns:
        The columns of ``results``.

    Raises:
        ItmError: a row twice that no correction calls repeated, a correction that speaks of no figure, a damaged file.
    """
    rows, corrections, keys = read_rows(file), read_corrections(corrections_file), key_of_method()
    _refuse_repeated(edition, rows, corrections, file)
    found, used = [], set()
    for row in rows:
        about = [c for c in corrections if c.is_about(edition, row)]
        names = {name: getattr(row, name) for name in (*NAMES, "ensemble", "questionable")}
        marks = [ENSEMBLE] * row.ensemble + [QUESTIONABLE] * row.questionable
        for (direction, metric), value in row.figures.items():
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
                f"{corrections_file} line {correction.line}: no figure of the edition of {edition} is meant by it; "
                "mend its names, or give its edition"
            )
    return found


def _refuse_repeated(edition: str, rows: list[Row], corrections: list[Correction], file: Path) -> None:
    first: dict[tuple, int] = {}
    for row in rows:
        name = (*(getattr(row, part) for part in NAMES), row.ensemble)
        known = any(c.kind == "repeated" and c.is_about(edition, row) for c in corrections)
        if name in first and not known:
            raise ItmError(
                f"{file} line {row.line}: {row.method} ({row.note}) on {row.dataset} stands in line {first[name]} too; "
                "take one out, or tell of both in corrections.csv as repeated"
            )
        first.setdefault(name, row.line)


def corrections():
    """What must be known about some figures, as a pandas DataFrame.

    Returns:
        Columns edition, dataset, method, note, direction, metric (an empty one means any), kind, doubtful (bool), why.

    Raises:
        ItmError: a damaged file, with its line.
    """
    import pandas as pd

    rows = [{**vars(c), "doubtful": c.kind in DOUBTFUL} for c in read_corrections()]
    return pd.DataFrame(rows, columns=["edition", *NAMES, "direction", "metric", "kind", "doubtful", "why"])


def dropped():
    """Rows of the survey's tables that hold no figures and are left out, as a pandas DataFrame.

    Returns:
        Columns edition, dataset, method, note, rows (int, how many), value (in every cell), why.

    Raises:
        ItmError: a damaged file, with its line.
    """
    import pandas as pd

    columns = ("edition", *NAMES, "rows", "value", "why")
    frame = pd.DataFrame([cells for _, cells in read_table(FOLDER / "dropped.csv", columns)], columns=columns)
    return frame.astype({"rows": int})
