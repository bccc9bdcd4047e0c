"""Own runs beside reported results, each with the reason why the two may not be compared."""

from __future__ import annotations

import math
import textwrap
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from itm_tutorial.course.leaderboard import PAPER, STANDS_FOR, table
from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.literature.reported import MEASURES
from itm_tutorial.show.canvas import ACCENT, BLUE, GREY, INK, PALE, described, new_figure

NONE_YET = (
    "no run of your own yet; add one with\n\nwith itm.leaderboard.leaderboard_callback(corpus, seed=0) as board:\n"
    "    itm.fit(model, corpus, seed=0, callbacks=[board])"
)
MOST = 8  # own runs drawn, the latest
WORDS = 120  # letters of a reason per line


def leaderboard(
    corpus: str = "scenes",
    dataset: str | None = None,
    measure: str = "t2i R@1",
    edition: str = "2020",
    file: str | Path | None = None,
    figure: Figure | None = None,
) -> Figure:
    """Draws reported results, and below them own runs, with the reason why each is not comparable.

    Each method has one bar: its best comparable result, or else its best one. The panels have the same scale.

    Args:
        corpus: whose runs are drawn.
        dataset: a data set of the survey that the corpus is or stands for; by default the first with this metric.
        measure: such as "t2i R@1".
        edition: of the survey's results.
        file: the leaderboard; by default runs/leaderboard.jsonl, where a missing one means no run.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text gives every run with its reason.

    Raises:
        ItmError: an unknown name, or as for ``itm.leaderboard.table``.
    """
    if measure not in MEASURES:
        raise unknown("measure", measure, MEASURES)
    frame = table(edition, corpus, file)
    frame = frame[frame[measure].notna()]
    papers, own = frame[frame.source == PAPER], frame[frame.source != PAPER].tail(MOST)
    if dataset is None:
        dataset = next(iter(papers.dataset), "")
    elif dataset not in STANDS_FOR.get(corpus, ()):
        raise ItmError(f"{corpus} does not stand for {dataset}: choose {' or '.join(STANDS_FOR.get(corpus, ()))}")
    best = _best_of_methods(papers[papers.dataset == dataset], measure)
    heights = (0.6 + 0.25 * max(len(best), 1), 0.8 + 0.75 * max(len(own), 1))  # inches
    figure = figure or new_figure(9.4, sum(heights))
    upper, lower = figure.subplots(2, 1, height_ratios=heights)
    high = 1.12 * max([*best[measure], *own[measure], 10])
    _papers(upper, best, measure, high)
    _runs(lower, own.to_dict("records"), measure, high)
    name = f"{measure.partition(' ')[2]}, {measure.partition(' ')[0]}, in percent"
    papers_on = f"reported by papers on {dataset or 'no data set'}, edition of {edition}"
    for axes, title in ((upper, papers_on), (lower, f"your own runs on {corpus}")):
        axes.set_title(title, fontsize=10.5, color=INK, loc="left", fontweight="bold")
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
    lower.set_xlabel(name)
    return described(figure, _alt(dataset, best, own, measure, edition, corpus))


def _best_of_methods(rows, measure: str):
    """One row per method, lowest first: its best comparable result, or else its best one."""
    rows = rows.assign(able=~rows.comparable.str.startswith("no"))
    rows = rows.sort_values(["able", measure]).drop_duplicates("method", keep="last")
    return rows.sort_values(measure, kind="stable")


def _papers(axes: Axes, rows, measure: str, high: float) -> None:
    for y, row in enumerate(rows.to_dict("records")):
        value, able = row[measure], not row["comparable"].startswith("no")
        style = {"color": BLUE} if able else {"facecolor": "white", "edgecolor": GREY, "hatch": "////"}
        axes.barh(y, value, 0.66, **style)
        axes.text(value + 0.01 * high, y, f"{value:.1f}", va="center", fontsize=9, color=INK)
    axes.set_yticks(range(len(rows)), [f"{m} ({n})" if n else m for m, n in zip(rows.method, rows.note, strict=True)])
    axes.tick_params(axis="y", labelsize=9)
    axes.set(xlim=(0, high), ylim=(-0.7, max(len(rows), 1) - 0.3))
    if (~rows.able).any():
        style = {"facecolor": "white", "edgecolor": GREY, "hatch": "////"}
        axes.barh([0], [0], label="ensemble or doubtful: no record", **style)
        axes.legend(frameon=False, loc="lower right", fontsize=9)


def _runs(axes: Axes, runs: list[dict], measure: str, high: float) -> None:
    """Draws own runs, the latest at the top, with the reason in words inside each row."""
    axes.set(xlim=(0, high), yticks=[])
    if not runs:
        axes.text(0.5, 0.55, NONE_YET, transform=axes.transAxes, ha="center", va="center", fontsize=9.5, color=INK)
        axes.set(ylim=(0, 1))
        return
    for y, run in enumerate(runs):
        axes.barh(y + 0.2, run[measure], 0.3, color=ACCENT)
        axes.barh(y + 0.2, high, 0.3, color=PALE, zorder=0)
        axes.text(run[measure] + 0.01 * high, y + 0.2, f"{run[measure]:.1f}", va="center", fontsize=9, color=INK)
        axes.text(0, y + 0.46, _name(run), va="center", fontsize=9, fontweight="bold", color=INK)
        axes.text(0, y - 0.02, _reason(run), va="top", fontsize=8.5, color=INK, linespacing=1.1)
    axes.set(ylim=(-0.4, len(runs) - 0.3))


def _name(run: dict) -> str:
    seed = "" if run["seed"] is None or math.isnan(run["seed"]) else f", seed {run['seed']:.0f}"
    return textwrap.shorten(f"{run['method']}, {run['split']} split{seed}", 70, placeholder=" …")


def _reason(run: dict) -> str:
    verdict, _, why = run["comparable"].partition(": ")
    reason = {"no": "not comparable: ", "with care": "comparable with care: "}.get(verdict, "comparable") + why
    return textwrap.fill(textwrap.shorten(reason, 2 * WORDS, placeholder=" …"), WORDS)


def _alt(dataset: str, best, own, measure: str, edition: str, corpus: str) -> str:
    first = f"{best.iloc[0].method} {best.iloc[0][measure]:.1f} to {best.iloc[-1].method} {best.iloc[-1][measure]:.1f}"
    runs = [f"{_name(run)}: {run[measure]:.1f}, {' '.join(_reason(run).split())}" for run in own.to_dict("records")]
    listed = "; ".join(runs) or "none yet"
    spread = f", from {first}" if len(best) else ""
    return (
        f"Two panels of bars with {measure} in percent. Above, {len(best)} methods as papers report them on {dataset}, "
        f"edition of {edition}{spread}. Below, {len(own)} own runs on {corpus}: {listed}."
    )
