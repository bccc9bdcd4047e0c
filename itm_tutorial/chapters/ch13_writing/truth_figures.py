"""How true written captions are by the sort of statement, and how much the commonness of a caption decides."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from matplotlib.figure import Figure
from torch import Tensor

from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.caption_truth import ALL, SORTS, TruthReport
from itm_tutorial.show.canvas import ACCENT, BLUE, GREEN, GREY, INK, PALE, described, new_figure

MARKERS, COLOURS = "osD^vP", (BLUE, ACCENT, GREEN, INK, "#cc79a7", "#56b4e9")
TOP = 30  # captions of the curve


def truth_by_sort(written: Mapping[str, TruthReport], controls: Mapping[str, TruthReport]) -> Figure:
    """Draws the share of true statements by their sort, for several ways to write and for captions that see nothing.

    Args:
        written: way to write, such as "greedy" -> its report.
        controls: the same for captions that do not look at the picture.

    Returns:
        The figure; its alt text gives every share of all statements, and of each sort.

    Raises:
        ItmError: nothing was written, or there are more than six ways to write.
    """
    if not 0 < len(written) <= len(MARKERS):
        raise ItmError(f"truth_by_sort: give one to {len(MARKERS)} reports, not {len(written)}")
    rows = (*SORTS, ALL)
    figure = new_figure(8.8, 0.9 + 0.5 * len(rows))
    axes = figure.subplots()
    step = 0.62 / max(1, len(written) + len(controls) - 1)
    told = []
    for number, (name, report) in enumerate([*written.items(), *controls.items()]):
        shares = report.shares
        seen = name in written
        colour = COLOURS[number] if seen else GREY
        marker = MARKERS[number] if seen else "|x+"[(number - len(written)) % 3]
        places = [place - 0.31 + step * number for place in range(len(rows))]
        axes.plot(
            [shares[sort] for sort in rows],
            places,
            linestyle="none",
            marker=marker,
            markersize=7 if seen else 9,
            markeredgewidth=2,
            color=colour,
            markerfacecolor=colour if seen else "none",
            label=name if seen else f"{name} (control)",
        )
        listed = ", ".join(f"{sort} {shares[sort]:.0f}" for sort in rows if shares[sort] == shares[sort])
        told.append(f"{name}: {listed}")
    for place in range(len(rows)):
        axes.axhspan(place - 0.45, place + 0.45, color=PALE, zorder=0, alpha=1 if place % 2 else 0)
    counts = next(iter(written.values())).counts
    axes.set_yticks(range(len(rows)), [f"{sort}\n({counts[sort]:,})" for sort in rows], fontsize=9)
    axes.set(xlim=(-2, 103), ylim=(len(rows) - 0.5, -0.5))
    first = next(iter(written))
    axes.set_xlabel(f"true statements, in percent (in brackets: how many {first} makes)", fontsize=10)
    axes.legend(fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return described(figure, f"True statements by sort, in percent. {'; '.join(told)}.")


def hubs(scores: Mapping[str, Tensor]) -> Figure:
    """Draws how many images rank the same caption first, and what share of the scores the caption alone explains.

    Args:
        scores: name, such as "log P" and "divided by the prior" -> [n_images, n_captions].

    Returns:
        The figure; its alt text gives the numbers.

    Raises:
        ItmError: no scores, or fewer than two images or captions.
    """
    if not scores or any(table.ndim != 2 or min(table.shape) < 2 for table in scores.values()):
        raise ItmError("hubs: give scores [n_images, n_captions] of two images and two captions or more")
    figure = new_figure(9.2, 3.3)
    left, right = figure.subplots(1, 2, width_ratios=[1.5, 1])
    told = []
    for number, (name, table) in enumerate(scores.items()):
        first = first_places(table)
        top = first.sort(descending=True).values[:TOP].tolist()
        colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
        left.plot(range(1, len(top) + 1), top, color=colour, marker=marker, markersize=4, label=name)
        share = 100 * column_share(table)
        right.barh(number, share, 0.6, color=colour)
        right.text(share + 2, number, f"{share:.0f}%", va="center", fontsize=10, color=INK)
        n_used = int((first > 0).sum())
        told.append(
            f"{name}: the commonest first caption is first for {top[0]} of {len(table)} images, {n_used} captions are "
            f"first for some image, and the means of the columns explain {share:.0f}% of the variance"
        )
    left.set_xlabel("captions, those that are first most often on the left", fontsize=10)
    left.set_ylabel("images that rank it first", fontsize=10)
    left.set_ylim(bottom=0)
    left.legend(fontsize=9, frameon=False)
    right.set_yticks(range(len(scores)), list(scores), fontsize=9)
    right.set(xlim=(0, 112), ylim=(len(scores) - 0.5, -0.5))
    right.set_xlabel("variance that the caption explains, %", fontsize=10)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    return described(figure, f"Hubs of image-to-text search. {'; '.join(told)}.")


def first_places(scores: Tensor) -> Tensor:
    """How many images rank each caption first: scores [n_images, n_captions] -> int64 [n_captions]."""
    return torch.bincount(scores.argmax(1), minlength=scores.shape[1])


def column_share(scores: Tensor) -> float:
    """The share of the variance of scores [n_images, n_captions] that the means of the columns explain, in [0, 1]."""
    wide = scores.double()
    whole = wide.var(correction=0)
    return (wide.mean(0).var(correction=0) / whole).item() if whole > 0 else 0.0
