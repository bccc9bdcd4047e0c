"""What stands between papers: rows that differ in one ingredient, and ideas that one took from another."""

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
    """Two kinds of published rows that differ in one ingredient as far as the survey's notes tell.

    Attributes:
        line: in its file.
        part: one of ``PARTS``.
        change: in words.
        methods: of the row before and of the row after; empty ones mean any method, the same in both.
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
    """Reads which rows differ in one ingredient.

    Raises:
        ItmError: an unknown part or ensemble, a name on one side only, two sides that are the same, or as for
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
    """Published rows that differ in one ingredient as far as the survey tells, as a pandas DataFrame.

    Both rows of a pair are on one data set and of one direction, and neither is doubtful. What else differs between
    them (tuning, code, luck) is unknown: a pair is no experiment.

    Args:
        edition: of the survey's figures; that of 2020 has few pairs.
        metric: "R@1", "R@5" or "R@10".

    Returns:
        Columns part, change, dataset, direction, method (of the row after), before, after, difference (points).

    Raises:
        ItmError: an unknown edition, a metric that no pair has, or a damaged file.
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
    """The pairs of one change among the rows of one data set and direction."""
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
    """Whether two rows agree in what the change leaves open."""
    wanted = ((change.methods, "method"), (change.notes, "note"), (change.ensembles, "ensemble"))
    return all(before[name] == after[name] for sides, name in wanted if sides[0] in ("", "same"))


@dataclass(frozen=True)
class Idea:
    """Something that one paper took from another.

    Attributes:
        source, heir: keys of papers.
        idea: what was taken, and what became of it, in a line.
        seen_in: where that can be seen, a key of ``SEEN_IN``.
    """

    source: str
    heir: str
    idea: str
    seen_in: str


def read_ideas(file: Path = FOLDER / "ideas.csv") -> list[Idea]:
    """Reads who took what from whom.

    Raises:
        ItmError: an unknown key or place, an heir older than its source, a pair twice, or as for ``read_table``.
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
            raise ItmError(f"{where}: {cells['heir']} is older than {cells['source']}; turn the two round")
        pair = (cells["source"], cells["heir"])
        if pair in found:
            raise ItmError(f"{where}: {' and '.join(pair)} stand there twice; keep one line")
        if not cells["idea"].strip():
            raise ItmError(f"{where}: no idea; say what was taken")
        found[pair] = Idea(**cells)
    return list(found.values())


@cache
def ideas() -> tuple[Idea, ...]:
    """Who took what from whom, as far as it was checked, in the order of the file: a part of what there is."""
    return tuple(read_ideas())
