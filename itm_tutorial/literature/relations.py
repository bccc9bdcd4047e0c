"""Relations between papers: results that differ in one component, and ideas that one paper took from another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.literature.catalogue import everything
from itm_tutorial.literature.reported import results
from itm_tutorial.literature.tables import FOLDER, read_table

PARTS = ("picture network", "pretraining", "text encoder", "interaction", "loss", "at the test")
SEEN_IN = {"code": "the authors' code", "text": "the paper's text", "survey": "the survey's note of its rows"}
ENSEMBLES = ("same", "no", "yes")
_SIDES = tuple(f"{side}_{name}" for side in ("from", "to") for name in ("method", "note", "ensemble"))


@dataclass(frozen=True)
class Change:
    """A change of one component that distinguishes two published rows, according to the survey's notes.

    Attributes:
        line: its line in the file.
        part: one of ``PARTS``.
        change: a description.
        methods: of the row before and the row after; empty ones mean any method, the same in both.
        notes: likewise; empty ones mean any note, the same in both.
        ensembles: likewise, "yes" or "no" each; "same" means either, the same in both.
    """

    line: int
    part: str
    change: str
    methods: tuple[str, str]
    notes: tuple[str, str]
    ensembles: tuple[str, str]


def read_changes(file: Path = FOLDER / "pairs.csv") -> list[Change]:
    """Reads the changes of one component.

    Raises:
        ItmError: a part or ensemble is unknown, a name is given on one side only, both sides are the same, or as for
            ``read_table``.
    """
    found = []
    for line, cells in read_table(file, ("part", "change", *_SIDES)):
        where = f"{file} line {line}"
        if cells["part"] not in PARTS:
            raise ItmError(f"{where}: {unknown('part', cells['part'], PARTS)}")
        sides = [tuple(cells[f"{side}_{name}"] for side in ("from", "to")) for name in ("method", "note", "ensemble")]
        for name, (before, after) in zip(("method", "note", "ensemble"), sides, strict=True):
            if bool(before) != bool(after) or ("same" in (before, after) and before != after):
                raise ItmError(f"{where}: {name} is {before!r} before and {after!r} after; give both, or neither")
        if any(mark not in ENSEMBLES for mark in sides[2]):
            raise ItmError(f"{where}: ensemble is {' and '.join(sides[2])}; write yes, no or same")
        if all(before == after for before, after in sides):
            raise ItmError(f"{where}: both sides are the same row; say what differs")
        found.append(Change(line, cells["part"], cells["change"], *sides))
    return found


def pairs(edition: str = "2025", metric: str = "R@1"):
    """Pairs of published rows that differ in one component according to the survey, as a pandas DataFrame.

    Both rows of a pair have the same data set and direction, and neither is doubtful. Other differences between them
    (tuning, code, chance) are unknown: a pair is not a controlled experiment.

    Args:
        edition: of the survey's results; that of 2020 has few pairs.
        metric: "R@1", "R@5" or "R@10".

    Returns:
        Columns part, change, dataset, direction, method (of the row after), before, after, difference (percentage
        points).

    Raises:
        ItmError: the edition or the metric is unknown, or a file is damaged.
    """
    import pandas as pd

    frame = results(edition)
    if metric not in ("R@1", "R@5", "R@10"):
        raise unknown("metric", metric, ("R@1", "R@5", "R@10"))
    frame = frame[(frame.metric == metric) & ~frame.doubtful & frame.value.notna()]
    rows = []
    for change in read_changes():
        for _, group in frame.groupby(["dataset", "direction"], sort=False):
            rows += _paired(change, group.to_dict("records"))
    columns = ["part", "change", "dataset", "direction", "method", "before", "after", "difference"]
    return pd.DataFrame(rows, columns=columns)


def _paired(change: Change, rows: list[dict]) -> list[dict]:
    """The pairs with one change among the rows of one data set and direction."""
    first, second = ([row for row in rows if _fits(change, row, side)] for side in (0, 1))
    found = []
    for before in first:
        for after in second:
            if before is not after and _rest_agrees(change, before, after):
                same = {name: after[name] for name in ("dataset", "direction", "method")}
                values = {"before": before["value"], "after": after["value"]}
                difference = round(after["value"] - before["value"], 2)
                found.append({"part": change.part, "change": change.change, **same, **values, "difference": difference})
    return found


def _fits(change: Change, row: dict, side: int) -> bool:
    mark = "yes" if row["ensemble"] else "no"
    wanted = ((change.methods, row["method"]), (change.notes, row["note"]), (change.ensembles, mark))
    return all(sides[side] in ("", "same", value) for sides, value in wanted)


def _rest_agrees(change: Change, before: dict, after: dict) -> bool:
    """Whether two rows agree in everything that the change does not specify."""
    wanted = ((change.methods, "method"), (change.notes, "note"), (change.ensembles, "ensemble"))
    return all(before[name] == after[name] for sides, name in wanted if sides[0] in ("", "same"))


@dataclass(frozen=True)
class Idea:
    """An idea that one paper took from another.

    Attributes:
        source, heir: keys of the earlier and the later paper.
        idea: the idea and its later use, in one line.
        seen_in: the evidence, a key of ``SEEN_IN``.
    """

    source: str
    heir: str
    idea: str
    seen_in: str


def read_ideas(file: Path = FOLDER / "ideas.csv") -> list[Idea]:
    """Reads which paper took an idea from which.

    Raises:
        ItmError: a key or the evidence is unknown, an heir is older than its source, a pair occurs twice, or as for
            ``read_table``.
    """
    papers, found = everything(), {}
    for line, cells in read_table(file, ("source", "heir", "idea", "seen_in")):
        where = f"{file} line {line}"
        for column in ("source", "heir"):
            if cells[column] not in papers:
                raise ItmError(f"{where}: {unknown(column, cells[column], papers)}")
        if cells["seen_in"] not in SEEN_IN:
            raise ItmError(f"{where}: {unknown('place', cells['seen_in'], SEEN_IN)}")
        if papers[cells["heir"]].year < papers[cells["source"]].year:
            raise ItmError(f"{where}: {cells['heir']} is older than {cells['source']}; exchange the two")
        pair = (cells["source"], cells["heir"])
        if pair in found:
            raise ItmError(f"{where}: {' and '.join(pair)} occur twice; keep one line")
        if not cells["idea"].strip():
            raise ItmError(f"{where}: no idea; describe it")
        found[pair] = Idea(**cells)
    return list(found.values())


@cache
def ideas() -> tuple[Idea, ...]:
    """The ideas that papers took from others, in the order of the file; only those that were checked."""
    return tuple(read_ideas())
