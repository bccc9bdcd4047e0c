"""The pointing game as bars: how often words attend to what they name, by word class, beside three baselines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from itm_tutorial.errors import unknown
from itm_tutorial.show.canvas import ACCENT, BLUE, GREY, INK, PALE, axes_of, described

if TYPE_CHECKING:
    from itm_tutorial.evaluation.grounding import AttentionReport

MEASURES = {
    "pointing": "words whose largest weight lies in a box that they name, in percent",
    "mass": "attention inside the boxes that a word names, in percent",
}
PARTIES = (  # of the pointing game: distinguished by fill and by hatch
    {"facecolor": BLUE, "edgecolor": BLUE, "hatch": None},
    {"facecolor": "w", "edgecolor": GREY, "hatch": None},
    {"facecolor": PALE, "edgecolor": ACCENT, "hatch": "////"},
    {"facecolor": PALE, "edgecolor": INK, "hatch": "...."},
)


def pointing_game(report: AttentionReport, measure: str = "pointing", axes: Axes | None = None) -> Figure | Axes:
    """Draws how often words attend to what they name, by word class, for the model and three baselines.

    Args:
        report: what ``evaluate_attention`` returned.
        measure: "pointing", how often the largest weight lies in a named box, or "mass", the attention inside.
        axes: drawn on; a new figure by default.

    Returns:
        The axes it was given, or else the new figure; the alt text gives every number.

    Raises:
        ItmError: unknown measure.
    """
    if measure not in MEASURES:
        raise unknown("measure", measure, MEASURES)
    results, classes = getattr(report, measure), list(report.words)
    axes, drawn = axes_of(axes, max(5.5, 1.2 + 1.75 * len(classes)), 3.7)
    width = 0.84 / len(results)
    parts = []
    for party, (name, by_class) in enumerate(results.items()):
        style = PARTIES[party % len(PARTIES)]
        for n, word_class in enumerate(classes):
            x, value = n + (party - (len(results) - 1) / 2) * width, by_class[word_class]
            asked = not math.isnan(value)
            if asked:
                axes.bar(x, value, 0.9 * width, linewidth=1.2, label=name if n == 0 else None, **style)
            axes.annotate(f"{value:.0f}" if asked else "–", (x, value if asked else 0), (0, 2), ha="center",
                          textcoords="offset points", fontsize=8.5, color=INK,
                          fontweight="normal" if party else "bold")  # fmt: skip
        values = (f"{word_class} {by_class[word_class]:.0f}" for word_class in classes)
        parts.append(f"{name}: {', '.join(values)}".replace("nan", "not asked"))
    axes.set_xticks(range(len(classes)), [f"{name}\n{report.words[name]:,} words" for name in classes])
    highest = max([50.0, *(bar.get_height() for bar in axes.patches)])
    axes.set(ylim=(0, 1.08 * highest), xlim=(-0.55, len(classes) - 0.45))
    axes.set_title(MEASURES[measure], fontsize=10, color=INK, loc="left")
    axes.tick_params(axis="x", length=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return described(drawn, f"Bars of {len(classes)} word classes: {MEASURES[measure]}. {'; '.join(parts)}.")
