"""The results that papers reported over the years, and pairs of them that differ in one ingredient."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from statistics import median
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.literature import pairs, papers, results
from itm_tutorial.literature.relations import PARTS
from itm_tutorial.literature.reported import DATASETS
from itm_tutorial.show.canvas import ACCENT, BLUE, GREY, INK, PALE, axes_of, described

WAYS = {"i2t": "image to text", "t2i": "text to image"}
# Sort of row -> how it is drawn; distinguished by shape and filling, so that grey print is enough.
MARKERS: dict[str, dict[str, Any]] = {
    "single model": {"marker": "o", "color": BLUE, "s": 42},
    "ensemble": {"marker": "D", "facecolors": PALE, "edgecolors": GREY, "s": 38},
    "doubtful": {"marker": "o", "facecolors": "none", "edgecolors": ACCENT, "linewidths": 1.6, "s": 48},
}
NEAR = 1.3  # points: results of one year that are this near to each other are drawn side by side
PLACES = ((-9, 3), (-9, 12), (-9, 22), (9, -9), (9, -19), (-9, 32), (0, 13), (9, 6))  # of a label, in points


def reported(
    dataset: str = "Flickr30K",
    metric: str = "R@1",
    direction: str = "i2t",
    edition: str = "2020",
    category: str | None = None,
    years: tuple[int, int] | None = None,
) -> list[dict[str, Any]]:
    """Selects the results of one column of the survey's tables, with the year of each method's paper.

    Args:
        dataset, metric, direction, edition: which column; see ``literature.results``.
        category: of the method's paper, such as "Loss function"; None for all.
        years: the first and the last; None for all, including rows whose year is not known.

    Returns:
        Rows in the order of years, those without one (None) last, each with year, value, sort (a key of ``MARKERS``),
        method, note, key, section and remark.

    Raises:
        ItmError: an unknown name, or a column that the tables do not have.
    """
    if dataset not in DATASETS:
        raise unknown("data set", dataset, DATASETS)
    frame = results(edition)
    frame = frame[(frame.dataset == dataset) & frame.value.notna()]
    measures = dict.fromkeys(f"{row.direction} {row.metric}" for row in frame.itertuples())
    if f"{direction} {metric}" not in measures:
        raise ItmError(f"{dataset} has no {direction} {metric} in the edition of {edition}: {_or(measures)}")
    known = papers().set_index("key")
    sections = list(dict.fromkeys(known.section))
    if category is not None and category not in sections:
        raise unknown("category", category, sections)
    found = []
    for row in frame[(frame.metric == metric) & (frame.direction == direction)].to_dict("records"):
        year = int(known.year[row["key"]]) if row["key"] else None
        section = known.section[row["key"]] if row["key"] else ""
        sort = "doubtful" if row["doubtful"] else "ensemble" if row["ensemble"] else "single model"
        if category not in (None, section) or (years and not (year and years[0] <= year <= years[1])):
            continue
        kept = {name: row[name] for name in ("value", "method", "note", "key", "remark")}
        found.append({"year": year, "sort": sort, "section": section, **kept})
    return sorted(found, key=lambda row: (row["year"] is None, row["year"] or 0))


def _or(measures) -> str:
    return f"choose {' or '.join(measures)}" if measures else "take the edition of 2025"


def staircase(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Selects the record holders: single models, not doubtful, that beat all earlier rows and all of their year.

    Args:
        rows: as ``reported`` returns them.

    Returns:
        One row per step, in the order of years.
    """
    steps: list[dict[str, Any]] = []
    eligible = [row for row in rows if row["sort"] == "single model" and row["year"]]
    for _, of_year in groupby(eligible, key=lambda row: row["year"]):
        best = max(of_year, key=lambda row: row["value"])
        if not steps or best["value"] > steps[-1]["value"]:
            steps.append(best)
    return steps


def record(
    dataset: str = "Flickr30K",
    metric: str = "R@1",
    direction: str = "i2t",
    edition: str = "2020",
    category: str | None = None,
    years: tuple[int, int] | None = None,
    axes: Axes | None = None,
) -> Figure | Axes:
    """Draws reported results over the years and the record as a staircase, with the names of its holders.

    A result is drawn at the year of its method's paper. Only single models that are not doubtful can hold the record.

    Args:
        dataset, metric, direction, edition, category, years: which rows; see ``reported``.
        axes: drawn on; a new figure by default.

    Returns:
        The axes it was given, or else the new figure; the alt text gives every step of the record.

    Raises:
        ItmError: as for ``reported``.
    """
    rows = reported(dataset, metric, direction, edition, category, years)
    dated, steps = [row for row in rows if row["year"]], staircase(rows)
    axes, drawn = axes_of(axes, 9.4, 4.9)
    places = _side_by_side(dated)
    for sort, style in MARKERS.items():
        chosen = [place for place, row in zip(places, dated, strict=True) if row["sort"] == sort]
        label = f"{sort}{'s' if len(chosen) != 1 and sort != 'doubtful' else ''} ({len(chosen)})"
        if chosen:
            axes.scatter(*zip(*chosen, strict=True), label=label, zorder=3, **style)
    if steps:
        ends = [row["year"] for row in steps] + [max(row["year"] for row in dated) + 0.45]
        values = [row["value"] for row in steps]
        axes.step(ends, values + values[-1:], where="post", color=INK, linewidth=1.4, zorder=2, label="record")
    last = max((row["year"] for row in dated), default=2020)
    first = min((row["year"] for row in dated), default=2013)
    axes.set(xlim=(first - 0.9, last + 0.6), xticks=range(first, last + 1))
    top = max((row["value"] for row in dated), default=50)
    axes.set_ylim(0, min(104, 1.16 * top))
    axes.set(xlabel="year of the method's paper", ylabel=f"{metric}, {WAYS[direction]}, in percent")
    axes.spines[["top", "right"]].set_visible(False)
    if dated:
        axes.legend(frameon=False, loc="upper left", fontsize=9)
    undated = len(rows) - len(dated)
    left_out = f"; {undated} rows without a known year left out" if undated else ""
    axes.set_title(f"{dataset}, the survey's edition of {edition}{left_out}", fontsize=10, color=INK, loc="left")
    at = dict(zip(map(id, dated), places, strict=True))
    name_points(axes, [(*at[id(row)], f"{row['method']} {row['value']:g}") for row in steps], places)
    return described(drawn, _alt_of_record(dataset, metric, direction, edition, dated, steps, undated))


def _side_by_side(rows: list[dict[str, Any]]) -> list[tuple[float, float]]:
    """Where results are drawn: at their year, moved a little if another of the year is as high."""
    moved, places = {}, {}
    for row in sorted(rows, key=lambda row: row["value"]):
        near = moved.get(row["year"])
        n = near[1] + 1 if near and row["value"] - near[0] < NEAR else 0
        moved[row["year"]] = (row["value"], n)
        places[id(row)] = (row["year"] + (0, 0.13, -0.13, 0.26, -0.26)[n % 5], row["value"])
    return [places[id(row)] for row in rows]


def name_points(axes: Axes, named: Sequence[tuple[float, float, str]], points: Sequence[tuple[float, float]]) -> None:
    """Writes names beside points, each at a place where it covers no other name and no point.

    Args:
        axes: with its limits set.
        named: x, y and the words.
        points: x and y of everything drawn, in the units of the axes.
    """
    texts = [_beside(axes, x, y, words) for x, y, words in named]
    axes.get_figure(root=True).draw_without_rendering()
    legend = axes.get_legend()
    taken = [legend.get_window_extent()] if legend else []
    dots = [axes.transData.transform(point) for point in points]
    taken += [Bbox.from_extents(x - 5, y - 5, x + 5, y + 5) for x, y in dots]
    inside = axes.get_window_extent()
    for text in texts:
        best = None
        for place in PLACES:
            text.set_position(place)
            text.set_ha("right" if place[0] < 0 else "left" if place[0] else "center")
            box = text.get_window_extent()
            cost = sum(box.overlaps(other) for other in taken) + 3 * (box.x0 < inside.x0 or box.x1 > inside.x1 + 20)
            if best is None or cost < best[0]:
                best = (cost, place, text.get_ha(), box)
        text.set_position(best[1])
        text.set_ha(best[2])
        taken.append(best[3])


def _beside(axes: Axes, x: float, y: float, words: str) -> Annotation:
    text = axes.annotate(words, (x, y), xytext=PLACES[0], textcoords="offset points", fontsize=9, color=INK)
    text.set(fontweight="bold", va="center", in_layout=False, zorder=4)
    return text


def _alt_of_record(dataset, metric, direction, edition, dated, steps, undated) -> str:
    counts = [f"{sum(row['sort'] == sort for row in dated)} of sort {sort}" for sort in MARKERS]
    listed = "; ".join(f"{row['year']} {row['method']} {row['value']:g}" for row in steps) or "none"
    more = f" {undated} rows whose year is not known are left out." if undated else ""
    return (
        f"Points of {len(dated)} published rows over the years: {metric}, {WAYS[direction]}, on {dataset}, the "
        f"survey's edition of {edition}; {', '.join(counts)}. The record by single models: {listed}.{more}"
    )


def ingredients(metric: str = "R@1", edition: str = "2025", axes: Axes | None = None) -> Figure | Axes:
    """Draws the differences between published results that differ in one ingredient, as far as the survey notes it.

    A dot is a pair of results on one data set in one direction, a bar the median. Several dots of one method are not
    independent evidence, so methods are counted too.

    Args:
        metric: "R@1", "R@5" or "R@10".
        edition: of the survey's results.
        axes: drawn on; a new figure by default.

    Returns:
        The axes it was given, or else the new figure; the alt text gives medians, ranges and counts.

    Raises:
        ItmError: as for ``literature.pairs``.
    """
    frame = pairs(edition, metric)
    groups = [
        (part, change, rows)
        for part in PARTS
        for change, rows in frame[frame.part == part].groupby("change", sort=False)
    ]
    axes, drawn = axes_of(axes, 9.6, 1.5 + 0.34 * (len(groups) + frame.part.nunique()))
    y, parts, before = 0.0, [], None
    right = frame.difference.max() + 0.8
    low = min(frame.difference.min(), 0) - 0.8
    axes.axvline(0, color=GREY, linewidth=1.2, zorder=0)
    for part, change, rows in groups:
        if part != before:
            axes.text(low - 0.2, y, part, ha="right", va="center", fontsize=10, fontweight="bold", color=INK)
            y, before = y + 1, part
        _strip(axes, y, rows)
        methods = rows.method.nunique()
        counted = f"{len(rows)} pairs, {methods} method{'s' if methods > 1 else ''}"
        axes.text(low - 0.2, y, change, ha="right", va="center", fontsize=9, color=INK)
        axes.text(right, y, counted, ha="left", va="center", fontsize=9, color=INK)
        middle, values = median(rows.difference), rows.difference
        parts.append(f"{part}, {change}: median {middle:+.1f}, {values.min():+.1f} to {values.max():+.1f}, {counted}")
        y += 1
    axes.set(ylim=(y - 0.3, -0.7), xlim=(low, frame.difference.max() + 0.6), yticks=[])
    axes.set_xlabel(f"difference in {metric}, in points: the second less the first")
    axes.spines[["top", "right", "left"]].set_visible(False)
    handles = [axes.scatter([], [], **_dot(way), label=WAYS[way]) for way in WAYS]
    handles += axes.plot([], [], color=INK, linewidth=3, label="median")
    axes.legend(handles=handles, frameon=False, fontsize=9, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return described(
        drawn,
        f"Dots of {len(frame)} pairs of published rows that differ in one ingredient as far as the survey's edition of "
        f"{edition} says: differences in {metric}, in points. {'; '.join(parts)}. These are no experiments.",
    )


def _dot(way: str) -> dict[str, Any]:
    if way == "i2t":
        return {"marker": "o", "color": BLUE, "s": 26, "alpha": 0.85}
    return {"marker": "o", "facecolors": "white", "edgecolors": ACCENT, "linewidths": 1.3, "s": 26}


def _strip(axes: Axes, y: float, rows) -> None:
    """Draws one row of dots, image to text a little above text to image, and the median of both."""
    for way, up in (("i2t", -0.14), ("t2i", 0.14)):
        values = sorted(rows[rows.direction == way].difference)
        if values:
            axes.scatter(values, [y + up] * len(values), zorder=2, **_dot(way))
    middle = median(rows.difference)
    axes.plot([middle, middle], [y - 0.34, y + 0.34], color=INK, linewidth=3, zorder=3, solid_capstyle="butt")
