"""The map of the chapter's methods by what a pair costs, and what the time of a pair buys in recall."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from itm_tutorial.chapters.ch15_attention.pair_costs import KINDS, Cost, Sizes, pair_costs
from itm_tutorial.errors import ItmError
from itm_tutorial.show.canvas import ACCENT, BLUE, GREY, INK, PALE, described, new_figure

LABELS = {
    "scan": "SCAN (chapter 03)",
    "vsrn": "VSRN",
    "cvse": "CVSE",
    "adapt_no_fovea": "ADAPT without fovea",
    "hoad": "HOAD",
    "got": "GOT, as a score",
    "gsmn": "GSMN",
    "caan": "CAAN",
    "adapt": "ADAPT",
    "imram_k2": "IMRAM, two steps",
    "imram": "IMRAM, three steps",
    "camp_scalar": "CAMP, scalar gate",
    "camp": "CAMP, vector gate",
    "mmca": "MMCA",
    "rve": "RVE",
}
MARKERS = "osD^"  # of the kinds
ROW = 0.33  # inches


def zoo(sizes: Sizes | None = None) -> Figure:
    """Draws the map of the zoo: every method, by what it computes for a pair and how many multiply-adds that takes.

    Args:
        sizes: of images and captions; by default those of the papers.

    Returns:
        The figure; its alt text gives the multiply-adds of each method and the part that costs most.
    """
    sizes = sizes or Sizes()
    costs = pair_costs(sizes)
    figure = new_figure(9.8, 1.3 + ROW * (len(costs) + len(KINDS)))
    axes = figure.subplots()
    place, told, places = 0.0, [], {}
    low = min(cost.total for cost in costs.values())
    high = max(cost.total for cost in costs.values())
    start = low / 3
    for number, kind in enumerate(KINDS):
        rows = {name: cost for name, cost in costs.items() if cost.kind == kind}
        axes.axhspan(place - 0.5, place + len(rows) + 0.5, color=PALE, zorder=0, alpha=1 - number % 2, linewidth=0)
        axes.text(start * 1.15, place, kind, fontsize=9.5, fontweight="bold", color=INK, va="center")
        for name, cost in sorted(rows.items(), key=lambda pair: pair[1].total):
            place += 1
            places[place] = LABELS[name]
            axes.hlines(place, start, cost.total, color=GREY, linewidth=1)
            axes.plot(cost.total, place, MARKERS[number], color=BLUE, markersize=8)
            axes.text(cost.total * 1.35, place, _label(cost), fontsize=9, color=INK, va="center")
            told.append(f"{LABELS[name]} {_number(cost.total)}, most of it {cost.largest}")
        place += 1
    axes.set_yticks(list(places), list(places.values()), fontsize=10)
    axes.set(xscale="log", xlim=(start, high * 900), ylim=(place - 0.5, -0.7))
    axes.set_xticks([10.0**power for power in range(math.ceil(math.log10(start)), int(math.log10(high)) + 2)])
    axes.tick_params(axis="y", length=0)
    axes.minorticks_off()
    given = f"{sizes.n_regions} regions, {sizes.n_words} words, {sizes.dim:,} numbers each, {sizes.joint_dim} for MMCA"
    axes.set_xlabel(f"multiply-adds per pair ({given}); beside it: the part that costs most", fontsize=10)
    axes.spines[["top", "right", "left"]].set_visible(False)
    return described(figure, f"Multiply-adds per pair, with {given}. {'; '.join(told)}.")


def _label(cost: Cost) -> str:
    more = f", and {_number(cost.exponentials)} exponentials" if cost.exponentials else ""
    return f"{_number(cost.total)}: {cost.largest}{more}"


def _number(value: float) -> str:
    """A number with two digits that count: 1.5 thousand, 440 thousand, 25 million."""
    for size, name in ((1e12, " trillion"), (1e9, " billion"), (1e6, " million"), (1e3, " thousand")):
        if value >= size:
            digits = 1 if value / size < 10 else 0
            return f"{value / size:.{digits}f}{name}"
    return f"{value:.0f}"


@dataclass(frozen=True)
class Point:
    """One method of the Pareto plot.

    Attributes:
        name: of the method.
        milliseconds: per pair.
        recall: in percent, or the sum of several recalls.
        shortlist: whether only a shortlist of another model is scored.
    """

    name: str
    milliseconds: float
    recall: float
    shortlist: bool = False


def pareto_front(points: Sequence[Point]) -> list[Point]:
    """The points that no other one beats: none is at least as fast and at least as good, and better in one of both."""
    front = [
        one
        for one in points
        if not any(
            other.milliseconds <= one.milliseconds
            and other.recall >= one.recall
            and (other.milliseconds, other.recall) != (one.milliseconds, one.recall)
            for other in points
        )
    ]
    return sorted(front, key=lambda one: (one.milliseconds, one.recall))


def pareto(points: Sequence[Point], what: str = "rsum") -> Figure:
    """Draws recall against the time of a pair; methods that no other one beats in both are joined by a line.

    Args:
        points: one per method.
        what: the recall, for the axis.

    Returns:
        The figure; its alt text lists the front, and those that another method beats.

    Raises:
        ItmError: no point, or a time that is not above 0.
    """
    if not points or not all(0 < one.milliseconds < math.inf and math.isfinite(one.recall) for one in points):
        raise ItmError("pareto: give one or more points, each with milliseconds above 0 and a recall")
    front = pareto_front(points)
    figure = new_figure(8.8, 5.0)
    axes = figure.subplots()
    axes.step(
        [one.milliseconds for one in front],
        [one.recall for one in front],
        where="post",
        color=BLUE,
        linewidth=1.2,
        zorder=1,
    )
    least, most = min(one.milliseconds for one in points), max(one.milliseconds for one in points)
    low, high = min(one.recall for one in points), max(one.recall for one in points)
    tall = max(high - low, 1e-9)
    span = max(1.0, math.log10(most / least))  # powers of ten
    letter = 0.0105 * (1.3 * span + 0.4)  # its width, in powers of ten
    taken: list[tuple[float, float, float]] = []  # where names begin and end, and how high they stand
    for one in sorted(points, key=lambda one: -one.recall):
        on_front = one in front
        style = {"color": BLUE} if on_front else {"color": GREY, "markerfacecolor": "w"}
        axes.plot(one.milliseconds, one.recall, "s" if one.shortlist else "o", markersize=8, zorder=2, **style)
        x, y = math.log10(one.milliseconds), one.recall + (tall / 30 if on_front else 0)  # above the line
        end = x + 0.022 * span + letter * len(one.name)
        while any(x < last and first < end and abs(y - above) < tall / 20 for first, last, above in taken):
            y -= tall / 20
        taken.append((x, end, y))
        axes.annotate(
            one.name,
            (one.milliseconds, one.recall),
            xytext=(one.milliseconds * 10 ** (0.022 * span), y),
            fontsize=9.5,
            color=INK,
            va="center",
            fontweight="bold" if on_front else "normal",
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.6} if y < one.recall else None,
        )
    axes.set(xscale="log", xlim=(least / 1.6, most * (most / least) ** 0.3 * 1.6))
    axes.set_ylim(min(low, min(y for *_, y in taken)) - 0.08 * tall, high + 0.08 * tall)
    axes.set_xlabel("milliseconds per pair (squares: on a shortlist of a cheap model)", fontsize=10)
    axes.set_ylabel(what, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    on_it = ", ".join(f"{one.name} ({one.recall:.1f} in {one.milliseconds:.2g} ms)" for one in front)
    beaten = ", ".join(
        f"{one.name} ({one.recall:.1f} in {one.milliseconds:.2g} ms)" for one in points if one not in front
    )
    rest = f" Another method is at least as fast and as good as: {beaten}." if beaten else ""
    return described(figure, f"{what} against milliseconds per pair. No method beats in both: {on_it}.{rest}")


def rsum_by_alpha(
    rsum: Mapping[float, Sequence[float]], cheap: Sequence[float], allowed: Mapping[str, Sequence[float]]
) -> Figure:
    """Draws rsum over the weight of the second score, beside the recall that the shortlist allows.

    Args:
        rsum: alpha -> one value per seed, after reranking.
        cheap: of the first score alone, one value per seed.
        allowed: direction -> the highest recall that the shortlist allows, in percent, one value per seed.

    Returns:
        The figure; its alt text gives the means.

    Raises:
        ItmError: no alpha or no direction, or one without a value.
    """
    if not rsum or not allowed or not all([cheap, *rsum.values(), *allowed.values()]):
        raise ItmError("rsum_by_alpha: give one or more values for each alpha, for the cheap score and each direction")
    figure = new_figure(9.0, 3.4)
    left, right = figure.subplots(1, 2, width_ratios=[1.7, 1])
    alphas = sorted(rsum)
    means = [_mean(rsum[alpha]) for alpha in alphas]
    for alpha in alphas:
        left.plot([alpha] * len(rsum[alpha]), rsum[alpha], "o", color=ACCENT, markersize=4, zorder=3)
    left.plot(alphas, means, color=BLUE, marker="s", markersize=6, label="both scores")
    left.axhline(_mean(cheap), color=GREY, linestyle="--", label="the first score alone")
    left.set_xticks(alphas, [f"{alpha:g}" for alpha in alphas])
    left.set_xlabel("alpha, the weight of the second score (dots: seeds)", fontsize=10)
    left.set_ylabel("rsum", fontsize=10)
    left.legend(fontsize=9, frameon=False)
    for place, values in enumerate(allowed.values()):
        right.barh(place, _mean(values), 0.55, facecolor=PALE, edgecolor=GREY, hatch="////")
        right.plot(values, [place] * len(values), "o", color=ACCENT, markersize=4)
        right.text(_mean(values) / 2, place, f"{_mean(values):.1f}", ha="center", va="center", fontsize=10, color=INK,
                   bbox={"facecolor": "w", "edgecolor": "none", "pad": 1.5})  # fmt: skip
    right.set_yticks(range(len(allowed)), list(allowed), fontsize=9.5)
    right.set(xlim=(0, 105), ylim=(len(allowed) - 0.4, -0.6))
    right.set_xlabel("recall allowed by the shortlist, %", fontsize=10)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    told = ", ".join(f"{mean:.1f} for alpha {alpha:g}" for alpha, mean in zip(alphas, means, strict=True))
    of_list = ", ".join(f"{name} {_mean(values):.1f}" for name, values in allowed.items())
    return described(
        figure,
        f"rsum: {told}; {_mean(cheap):.1f} for the first score alone. The shortlist allows a recall, in percent: "
        f"{of_list}.",
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
