"""The page of the runs on Flickr8k, made from the numbers that chapters keep by hand in ``photographs.toml``.

The file of chapter 03 has the text of the page. A file of another chapter has only ``[[run]]`` and ``[[published]]``.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, NotRequired

from pydantic import Field, FiniteFloat
from typing_extensions import TypedDict

from itm_tutorial.chapters import ch03_scan
from itm_tutorial.chapters.verdict import effect
from itm_tutorial.course.markdown import table
from itm_tutorial.errors import ItmError
from itm_tutorial.literature import cite, results
from itm_tutorial.storage import read_toml

FILE = Path(ch03_scan.__file__).parent / "photographs.toml"
CHAPTERS = FILE.parents[1]
EDITION = "2025"  # of the survey's tables
DIRECTIONS = {"i2t": "image to text", "t2i": "text to image"}
METRICS = ("R@1", "R@5", "R@10")
_RSum = Annotated[float, Field(ge=0, le=600)]


class _Run(TypedDict):
    model: str
    cost: str
    seeds: Annotated[int, Field(ge=1, le=1000)]
    i2t: list[FiniteFloat]
    t2i: list[FiniteFloat]


class _Row(TypedDict):
    method: str
    note: str


class _Effect(TypedDict):
    name: str
    better: list[_RSum]
    worse: list[_RSum]


class _Trial(TypedDict):
    setting: str
    rsum: _RSum


class _Notes(TypedDict):
    notes: list[str]


class _Part(TypedDict):
    title: str
    text: str
    notes: NotRequired[list[str]]


class _Rows(TypedDict):
    """What ``photographs.toml`` of any chapter has."""

    run: list[_Run]
    published: NotRequired[list[_Row]]


class _Photographs(_Rows):
    """What ``photographs.toml`` of chapter 03 has: the text of the page, too."""

    title: str
    introduction: list[str]
    commands: str
    recipe: str
    runs: _Notes
    effect: list[_Effect]
    trial: list[_Trial]
    attention: _Part
    why: _Part
    maps: _Part


def read_photographs(file: Path = FILE) -> dict[str, Any]:
    """The kept numbers, checked.

    Args:
        file: with the tables that ``photographs.toml`` has.

    Returns:
        Plain data.

    Raises:
        ItmError: the file is no TOML, lacks a part, or has recalls that cannot be: outside 0 to 100, or falling from
            R@1 to R@10.
    """
    kept = _read(file, _Photographs)
    for row in kept["effect"]:
        if len(row["better"]) != len(row["worse"]):
            raise ItmError(
                f"{file}: effect {row['name']!r} has other seeds on either side: give as many values for both"
            )
    return kept


def rows_of_chapters(folder: Path = CHAPTERS) -> list[dict[str, Any]]:
    """The rows that the chapters after 03 keep, in the order of the chapters.

    Args:
        folder: with one folder per chapter.

    Returns:
        Plain data with "run" and, where a paper has rows on Flickr8k, "published".

    Raises:
        ItmError: as ``read_photographs``.
    """
    files = sorted(folder.glob("ch*/photographs.toml"))
    return [_read(file, _Rows) for file in files if file.parent.name != FILE.parent.name]


def _read(file: Path, kind: type) -> dict[str, Any]:
    """A file of rows, whose recalls have been checked."""
    kept = read_toml(file, kind, "compare with an earlier version of the file")
    for run in kept["run"]:
        for direction in DIRECTIONS:
            values = run[direction]
            if len(values) != len(METRICS) or values != sorted(values) or not 0 <= values[0] <= values[-1] <= 100:
                expected = "give R@1, R@5 and R@10 in percent, rising"
                raise ItmError(f"{file}: run {run['model']!r}, {direction} is {values}: {expected}")
    return kept


def title(file: Path = FILE) -> str:
    """The title of the page."""
    return read_photographs(file)["title"]


def page_text(made: str, file: Path = FILE, folder: Path = CHAPTERS) -> str:
    """The text of docs/results/photographs.md.

    Args:
        made: the sentence that says how the page is made.
        file: the text of the page and the numbers of chapter 03.
        folder: of the chapters, for the rows of the later ones.

    Returns:
        Markdown.

    Raises:
        ItmError: as ``read_photographs``, or a published row that the literature tables do not have.
    """
    kept, later = read_photographs(file), rows_of_chapters(folder)
    runs = [run for rows in (kept, *later) for run in rows["run"]]
    published = [row for rows in (kept, *later) for row in rows.get("published", ())]
    attention, why, maps = kept["attention"], kept["why"], kept["maps"]
    parts = [f"# {kept['title']}", made, *kept["introduction"], f"```\n{kept['commands'].strip()}\n```", kept["recipe"]]
    parts += ["## Recalls", _recalls(runs, published), _listed(kept["runs"])]
    parts += [f"## {attention['title']}", attention["text"], _effects(kept["effect"]), _listed(attention)]
    trials = table(["setting", "rsum"], [[trial["setting"], f"{trial['rsum']:.1f}"] for trial in kept["trial"]])
    parts += [f"## {why['title']}", why["text"], trials, _listed(why)]
    parts += [f"## {maps['title']}", maps["text"]]
    return "\n\n".join(parts) + "\n"


def _listed(part: dict[str, Any]) -> str:
    return "\n".join(f"- {note}" for note in part.get("notes", ()))


def _recalls(runs: list[dict[str, Any]], published: list[dict[str, str]]) -> str:
    """Our runs, then the published rows, in one table."""
    rows = []
    for run in runs:
        about = f"{run['seeds']} seed{'s' * (run['seeds'] > 1)}" + (f"; {run['cost']}" if run["cost"] else "")
        recalls = [_slashed(run[direction]) for direction in DIRECTIONS]
        rows.append([run["model"], "MobileNetV2", "dev", *recalls, about])
    rows += [_published(row["method"], row["note"]) for row in published]
    directions = [f"{name} R@1 / 5 / 10" for name in DIRECTIONS.values()]
    return table(["model", "visual features", "split", *directions, "remark"], rows)


def _slashed(values: Iterable[float]) -> str:
    """One decimal each, more only where the number has more."""
    return " / ".join(f"{value:.1f}" if round(value, 1) == value else f"{value:g}" for value in values)


def _published(method: str, note: str) -> list[str]:
    frame = results(EDITION)
    frame = frame[(frame.dataset == "Flickr8K") & (frame.method == method) & (frame.note == note)]
    if frame.empty:
        raise ItmError(f"photographs.toml: the edition of {EDITION} has no row {method!r}, {note!r} on Flickr8K")
    value = {(f["direction"], f["metric"]): f["value"] for f in frame.to_dict("records")}
    recalls = [_slashed(value[direction, metric] for metric in METRICS) for direction in DIRECTIONS]
    return [f"{method} ({cite(frame.key.iloc[0])})", note, "test", *recalls, frame.remark.iloc[0]]


def _effects(kept: list[dict[str, Any]]) -> str:
    rows = []
    for row in kept:
        judged = effect(row["name"], [a - b for a, b in zip(row["better"], row["worse"], strict=True)])
        values = [", ".join(f"{value:.1f}" for value in row[side]) for side in ("better", "worse")]
        rows.append([row["name"], *values, f"{judged.mean:+.1f}", f"{judged.standard_error:.1f}", judged.verdict])
    return table(["claim", "rsum, by seed", "against", "mean", "standard error", "verdict"], rows)
