"""The survey's papers at a glance: all of them by category and year, and some ideas that one took from another."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from functools import cache
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

from itm_tutorial.literature import cite, ideas, papers
from itm_tutorial.literature.relations import SEEN_IN
from itm_tutorial.show.canvas import ACCENT, BLUE, GREY, INK, PALE, axes_of, described, new_figure

CONTENTS = Path(__file__).parents[3] / "course.toml"
CATEGORIES = {"Posted in": "Posted in (unsorted)", "Un-supervised or Semi-supervised": "Little supervision"}
CATEGORIES |= {"Zero-shot or Fewer-shot": "Zero shot", "Generic-feature extraction": "Feature extraction"}
CATEGORIES |= {"Identification learning": "Identification", "Similarity measurement": "Similarity measure"}
MANY = 9  # papers of one category and year in one column; more are drawn in two
NOT_YET = "not yet in the course"
LEGEND = f"■ 02  in chapter 02 of the course        □  {NOT_YET}"
LEFT = 3.1  # width of the column of categories, in units of the axes
LINE = 1.0  # height of a name, in units of the axes
# Where the papers of the map of ideas stand: how far into their year, and their height.
NODES = {
    "mikolov2013word2vec": (0.0, 0.6), "frome2013devise": (0.45, 2.0), "kiros2014uvse": (0.0, 4.6),
    "karpathy2014defrag": (0.0, 2.6), "karpathy2015dvsa": (0.0, 1.6), "klein2015fv": (0.0, 8.6),
    "vendrov2016order": (0.0, 5.6), "wang2016spe": (0.0, 7.8), "liu2017rrfnet": (0.0, 9.3),
    "faghri2018vsepp": (-0.4, 4.6), "shi2018cas": (-0.05, 2.7), "zhang2018cmpl": (0.0, 1.2),
    "anderson2018butd": (-0.1, 6.8), "lee2018scan": (0.4, 3.8), "li2019vsrn": (0.2, 5.25),
    "wang2019twobranch": (0.0, 8.0), "sarafianos2019timam": (0.1, 1.2), "chen2020imram": (0.2, 2.3),
    "chen2020got": (0.2, 3.4), "liu2020hal": (0.2, 4.4), "chen2020aoq": (0.2, 5.5), "liu2020gsmn": (0.2, 7.1),
    "zheng2020dualpath": (0.2, 0.4),
}  # fmt: skip


@cache
def chapter_notebooks() -> dict[str, str]:
    """The number of each chapter in the course -> its notebook; empty where there is no clone of the repository."""
    if not CONTENTS.exists():
        return {}
    listed = tomllib.loads(CONTENTS.read_text(encoding="utf-8"))["chapter"]
    return {chapter["notebook"][:2]: chapter["notebook"] for chapter in listed}


def papers_timeline(there: Collection[str] | None = None, axes: Axes | None = None) -> Figure | Axes:
    """Draws all papers of the survey, one row per category and one column per year.

    A paper with a chapter has a filled square and the chapter's number, any other paper a hollow square.

    Args:
        there: the chapters that exist; by default those that course.toml lists.
        axes: drawn on; a new figure by default.

    Returns:
        The axes it was given, or else the new figure; the alt text names every paper under its category.
    """
    there = chapter_notebooks() if there is None else there
    frame = papers()
    cells = {key: group for key, group in frame.groupby(["section", "year"], sort=False)}
    sections, years = list(dict.fromkeys(frame.section)), sorted(frame.year.unique())
    columns = {year: 2 if any(y == year and len(c) > MANY for (_, y), c in cells.items()) else 1 for year in years}
    treated = frame.chapter.isin(list(there))
    letters = frame.name.str.len() * (1 + 0.15 * treated) + 4.5 * treated  # bold, and with the number
    wide = {year: max(0.95, 0.1 * (5.2 + letters[frame.year == year].max())) for year in years}
    starts, x = {}, 0.0
    for year in years:
        starts[year] = x
        x += columns[year] * wide[year]
    tallest = {s: max(-(-len(c) // columns[y]) for (t, y), c in cells.items() if t == s) for s in sections}
    axes, drawn = axes_of(axes, 15.6, 0.6 + 0.24 * (sum(tallest.values()) + 0.5 * len(sections)))
    y = 0.0
    for number, section in enumerate(sections):
        height = tallest[section] * LINE + 0.5
        if number % 2 == 0:
            axes.add_patch(Rectangle((-LEFT, y), x + LEFT, height, facecolor=PALE, edgecolor="none", zorder=0))
        axes.text(
            0.05 - LEFT,
            y + height / 2,
            _category(section, frame),
            va="center",
            fontsize=10,
            fontweight="bold",
            color=INK,
        )
        for year in years:
            if (section, year) in cells:
                _names(axes, starts[year], y, cells[section, year], tallest[section], there, wide[year])
        y += height
    for year in years:
        axes.text(starts[year] + 0.04, -0.55, str(year), fontsize=10.5, fontweight="bold", color=INK, va="center")
        axes.axvline(starts[year], color="white", linewidth=2, zorder=1)
    axes.set(xlim=(-LEFT, x), ylim=(y + 1.3, -1.1))
    axes.axis("off")
    axes.text(0.05 - LEFT, y + 0.75, LEGEND, fontsize=10, color=INK, va="center")
    return described(drawn, _alt_of_papers(frame, there))


def _category(section: str, frame) -> str:
    n = int((frame.section == section).sum())
    return f"{CATEGORIES.get(section, section)} ({n})"


def _names(axes: Axes, x: float, y: float, group, tallest: int, there: Collection[str], wide: float) -> None:
    """Writes the papers of one category and year below each other; those that do not fit, in a second column."""
    for place, paper in enumerate(group.itertuples()):
        column, row = divmod(place, tallest)
        treated = paper.chapter in there
        words = f"■ {paper.chapter} {paper.name}" if treated else f"□ {paper.name}"
        style = {"color": BLUE if treated else INK, "fontweight": "bold" if treated else "normal"}
        axes.text(x + 0.04 + column * wide, y + 0.25 + (row + 0.5) * LINE, words, va="center", fontsize=8.5, **style)


def _alt_of_papers(frame, there: Collection[str]) -> str:
    sections = []
    for section, group in frame.groupby("section", sort=False):
        names = [
            f"{paper.name} {paper.year} ({f'chapter {paper.chapter}' if paper.chapter in there else NOT_YET})"
            for paper in group.itertuples()
        ]
        sections.append(f"{section}: {', '.join(names)}.")
    years = f"{frame.year.min()} to {frame.year.max()}"
    return f"The survey's {len(frame)} papers in {len(sections)} categories, {years}. {' '.join(sections)}"


def who_follows_whom(figure: Figure | None = None) -> Figure:
    """Draws a map of ideas: an arrow from a paper to one that took an idea from it, each with its reason.

    Args:
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text lists every arrow. Only ideas that could be checked are drawn; many are missing.
    """
    figure = figure or new_figure(13.6, 6.2)
    left, right = figure.subplots(1, 2, width_ratios=(2.15, 1))
    known = papers().set_index("key")
    where = {key: (known.year[key] + dx, y) for key, (dx, y) in NODES.items()}
    arrows = []
    for number, idea in enumerate(ideas(), start=1):
        _arrow(left, where[idea.source], where[idea.heir], number, idea.seen_in)
        arrows.append((number, idea, f"{known.name[idea.source]} → {known.name[idea.heir]}: {idea.idea}"))
    for key, (x, y) in where.items():
        box = {"boxstyle": "round,pad=0.3", "facecolor": "white", "edgecolor": BLUE, "linewidth": 1.5}
        left.text(
            x,
            y,
            known.name[key],
            ha="center",
            va="center",
            fontsize=10,
            fontweight="bold",
            color=INK,
            bbox=box,
            zorder=4,
        )
    left.set(xlim=(2012.5, 2020.75), ylim=(-0.2, 9.9), xticks=range(2013, 2021), yticks=[])
    left.spines[["top", "right", "left"]].set_visible(False)
    left.set_xlabel("year; the height has no meaning. Solid: seen in code or paper; dashed: in the survey's notes")
    right.axis("off")
    right.set(xlim=(0, 1), ylim=(len(arrows) + 0.6, 0.4))
    for number, _, words in arrows:
        right.text(0.0, number, f"{number}", ha="right", va="center", fontsize=8.5, fontweight="bold", color=ACCENT)
        right.text(0.03, number, words, va="center", fontsize=8.5, color=INK)
    listed = "; ".join(f"{words} (seen in {SEEN_IN[idea.seen_in]})" for _, idea, words in arrows)
    return described(
        figure, f"A map of {len(where)} papers and {len(arrows)} ideas that one took from another. {listed}."
    )


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], number: int, seen_in: str) -> None:
    """Draws an arrow with its number in the middle; dashed where only the survey's notes name the idea."""
    style = {"arrowstyle": "-|>", "mutation_scale": 13, "shrinkA": 16, "shrinkB": 18, "color": GREY, "linewidth": 1.3}
    line = "--" if seen_in == "survey" else "-"
    axes.add_patch(FancyArrowPatch(start, end, connectionstyle="arc3,rad=0.06", linestyle=line, zorder=2, **style))
    middle = [(a + b) / 2 for a, b in zip(start, end, strict=True)]
    badge = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": "none"}
    axes.text(
        *middle,
        str(number),
        ha="center",
        va="center",
        fontsize=8.5,
        fontweight="bold",
        color=ACCENT,
        bbox=badge,
        zorder=3,
    )


def citation(key: str) -> str:
    """A paper in one line: authors, venue, year and title; empty for a row whose paper the survey does not list."""
    if not key:
        return ""
    row = papers().set_index("key").loc[key]
    return f"{cite(key)}: {row.title}"
