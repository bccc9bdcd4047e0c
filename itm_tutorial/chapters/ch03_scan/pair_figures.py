"""A figure of accuracies on minimal pairs: kinds in rows, models side by side."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.minimal_pairs import MinimalPairResult
from itm_tutorial.show.canvas import ACCENT, BLUE, GREEN, GREY, INK, PALE, axes_of, described
from itm_tutorial.show.figures import KINDS

MARKS = ((BLUE, "o"), (ACCENT, "D"), (GREEN, "s"))


def minimal_pairs(results: Mapping[str, Mapping[str, MinimalPairResult]], axes: Axes | None = None) -> Figure | Axes:
    """Draws how often captions prefer their own image of a minimal pair, grouped by kind, one mark per model.

    Args:
        results: model -> kind of pair -> what ``evaluate_minimal_pairs`` returned; at most three models.
        axes: drawn on; a new figure by default.

    Returns:
        The axes it was given, or else the new figure; the alt text gives every number.

    Raises:
        ItmError: no model, more than three, or models with different kinds of pairs.
    """
    models = list(results)
    kinds = list(results[models[0]]) if models else []
    if not 1 <= len(models) <= len(MARKS) or not kinds or any(set(of) != set(kinds) for of in results.values()):
        raise ItmError(f"minimal_pairs: give one to {len(MARKS)} models with the same kinds, not {models}")
    axes, drawn = axes_of(axes, 8.6, 0.9 + 0.34 * len(kinds) * (len(models) + 0.6))
    step = 0.8 / len(models)
    parts = []
    for row, kind in enumerate(kinds):
        if row % 2 == 0:
            axes.axhspan(row - 0.5, row + 0.5, color=PALE, zorder=0)
        for n, model in enumerate(models):
            result, (colour, marker) = results[model][kind], MARKS[n]
            y, width = row + (n - (len(models) - 1) / 2) * step, 2 * result.standard_error
            around = [[min(width, result.accuracy)], [min(width, 100 - result.accuracy)]]
            axes.errorbar(result.accuracy, y, xerr=around, fmt=marker, color=colour, markersize=8, capsize=4, lw=2,
                          clip_on=False, label=model if row == 0 else None)  # fmt: skip
            text = f"{model} {result.accuracy:.0f} % ± {width:.0f}"
            axes.text(101.5, y, text, va="center", fontsize=9.5, color=INK)
            parts.append(f"{KINDS.get(kind, kind)}, {text}")
    axes.axvline(50, color=GREY, linestyle="--", linewidth=1.5)
    axes.annotate("guessing", (50, -0.5), (0, 3), textcoords="offset points", ha="center", fontsize=9, color=INK)
    names = [f"{KINDS.get(kind, kind)}\n({results[models[0]][kind].n:,} queries)" for kind in kinds]
    axes.set_yticks(range(len(kinds)), names, fontsize=10)
    axes.set(xlim=(0, 100), ylim=(len(kinds) - 0.5, -0.5))
    axes.set_xlabel("captions that score their own picture above the other one, in percent (± two standard errors)")
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    return described(
        drawn, f"Accuracy on minimal pairs by kind, {len(models)} models; guessing gives 50 %. {'; '.join(parts)}."
    )
