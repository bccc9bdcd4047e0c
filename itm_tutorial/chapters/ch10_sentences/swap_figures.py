"""What moves a caption's embedding, which captions agree, and what misspelling costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan

import torch
from matplotlib.figure import Figure

from itm_tutorial.errors import ItmError
from itm_tutorial.show.canvas import ACCENT, BLUE, GREEN, GREY, INK, PALE, described, new_figure

LINES = (
    {"color": BLUE, "marker": "o", "linestyle": "-"},
    {"color": ACCENT, "marker": "X", "linestyle": "--"},
    {"color": GREEN, "marker": "s", "linestyle": "-."},
)


def moved_by(
    rows: Mapping[str, Sequence[float]], words: Sequence[str], exchanged: Mapping[str, float], nouns: str
) -> Figure:
    """Draws how far an embedding moves when one word is replaced, one row per encoder; darkest is a row's largest.

    Args:
        rows: encoder -> one distance per word, 1 - cosine; NaN where no other word was tried.
        words: of the caption.
        exchanged: encoder -> the distance when two nouns change places, drawn as a last column.
        nouns: the two nouns, for the label.

    Returns:
        The figure; its alt text gives the three words that move each encoder most.

    Raises:
        ItmError: no encoder, or not one distance per word.
    """
    if not rows or any(len(row) != len(words) for row in rows.values()) or list(rows) != list(exchanged):
        raise ItmError(f"moved_by: give one distance for each of {len(words)} words and encoders alike in both")
    n = len(words)
    table = torch.tensor([list(row) for row in rows.values()])  # [n_encoders, n_words]
    figure = new_figure(11, 1.2 + 0.45 * len(rows))
    axes = figure.subplots()
    last = torch.tensor(list(exchanged.values()))[:, None]
    shade = torch.cat([table, torch.full((len(rows), 1), torch.nan), last], 1)
    shade = shade / table.nan_to_num(0).amax(1, keepdim=True).clamp(min=1e-9)
    axes.imshow(shade.clamp(max=1).numpy(), cmap="Blues", vmin=0, vmax=1.15, aspect="auto")
    for r, row in enumerate(torch.cat([table, last], 1)):
        for w, value in enumerate(row.tolist()):
            at = w if w < n else n + 1
            axes.text(at, r, "–" if isnan(value) else f"{value:.2f}", ha="center", va="center", fontsize=9,
                      color="w" if shade[r, at] > 0.62 else INK)  # fmt: skip
    axes.set_xticks([*range(n), n + 1], [*words, f"{nouns}\nexchanged"], fontsize=9.5)
    axes.set_yticks(range(len(rows)), rows, fontsize=10)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title("1 − cosine with the caption as it was, when the word below is replaced (–: no other word is known)",
                   fontsize=10, color=INK, loc="left")  # fmt: skip
    told = []
    for name, row in rows.items():
        order = sorted((w for w in range(n) if not isnan(row[w])), key=lambda w: -row[w])[:3]
        tops = ", ".join(f"{words[w]} {row[w]:.2f}" for w in order)
        told.append(f"{name}: {tops}; {nouns} exchanged {exchanged[name]:.2f}")
    return described(figure, f"How far an embedding moves, 1 − cosine. {'. '.join(told)}.")


def agreement(rows: Mapping[str, Mapping[str, float]], chance: float) -> Figure:
    """Draws how near captions of one image are to each other, as mean ranks; lower is better.

    Args:
        rows: encoder -> "same_image" and, where there are such pairs, "reordered": mean ranks from 1.
        chance: the number of captions that a caption is compared with.

    Returns:
        The figure; its alt text gives each rank.

    Raises:
        ItmError: no encoder.
    """
    if not rows:
        raise ItmError("agreement: give one encoder or more")
    kinds = {"same_image": "nearest other caption of the image", "reordered": "same facts in another order"}
    styles = {"same_image": {"color": BLUE}, "reordered": {"facecolor": PALE, "edgecolor": ACCENT, "hatch": "////"}}
    figure = new_figure(9, 1.1 + 0.62 * len(rows))
    axes = figure.subplots()
    told = []
    for place, (name, ranks) in enumerate(rows.items()):
        for number, kind in enumerate(kinds):
            if kind not in ranks:
                continue
            y = place - 0.19 + 0.38 * number
            axes.barh(y, ranks[kind], 0.34, left=0, label=kinds[kind] if place == 0 else None, **styles[kind])
            axes.text(ranks[kind] * 1.04, y, f"{ranks[kind]:,.1f}", va="center", fontsize=9.5, color=INK)
        told.append(f"{name} " + ", ".join(f"{kinds[k]} {ranks[k]:.1f}" for k in kinds if k in ranks))
    top = max(max(ranks[k] for k in kinds if k in ranks) for ranks in rows.values())
    axes.set(xscale="log", xlim=(1, max(10, 2 * top)), ylim=(len(rows) - 0.5, -0.5))
    ticks = [10**n for n in range(5) if 10**n <= max(10, 2 * top)]
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks(range(len(rows)), rows, fontsize=10)
    axes.set_xlabel(f"mean rank among {chance:,.0f} captions, logarithmic; 1 is best", fontsize=10)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False, fontsize=9.5)
    return described(figure, f"Mean ranks among {chance:.0f} captions, lower is better. {'; '.join(told)}.")


def misspelt(curves: Mapping[str, Mapping[float, float]]) -> Figure:
    """Draws recall against the share of letters that are replaced, one line per encoder.

    Args:
        curves: encoder -> percent of letters replaced -> R@10, text to image.

    Returns:
        The figure; its alt text gives every number.

    Raises:
        ItmError: no encoder, or no point.
    """
    if not curves or not all(curves.values()):
        raise ItmError("misspelt: give one encoder or more, each with recalls by percent of letters replaced")
    figure = new_figure(8.4, 3.9)
    axes = figure.subplots()
    told = []
    for number, (name, points) in enumerate(curves.items()):
        x, y = zip(*sorted(points.items()), strict=True)
        axes.plot(x, y, label=name, markersize=8, linewidth=2, **LINES[number % len(LINES)])
        told.append(f"{name}: " + ", ".join(f"{b:.1f} at {a:g} %" for a, b in zip(x, y, strict=True)))
    axes.set_xticks(sorted({x for points in curves.values() for x in points}))
    axes.set_xlabel("letters replaced, in percent", fontsize=10)
    axes.set_ylabel("text to image R@10", fontsize=10)
    axes.set_ylim(0, None)
    axes.legend(frameon=False, fontsize=10)
    axes.grid(axis="y", color=GREY, alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    return described(figure, f"R@10 of misspelt queries. {'; '.join(told)}.")
