"""A figure of the kept runs: what the weight of the adversary does to two judges and to the search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from itm_tutorial.errors import ItmError
from itm_tutorial.show.canvas import ACCENT, BLUE, GREY, INK, described, new_figure

STYLES = ((BLUE, "o", "-"), (ACCENT, "s", "--"), (INK, "^", ":"), (GREY, "D", "-."))
JUDGES = {"line": "linear judge", "network": "network"}  # as the legend names them


def adversary_weights(
    judged: Mapping[str, Mapping[float, Sequence[float]]],
    recalls: Mapping[float, Sequence[float]],
    figure: Figure | None = None,
) -> Figure:
    """Draws how well fresh judges tell images from captions, and the recall of the search, per weight of the adversary.

    Args:
        judged: name of a judge -> weight (0 for no adversary) -> its accuracy for each seed, in percent.
        recalls: weight -> R@1 for each seed, in percent.
        figure: drawn on; a new one by default.

    Returns:
        The figure: two panels; lines join means, each seed is a small mark.

    Raises:
        ItmError: a panel without a weight, or a weight without a seed.
    """
    judged = {JUDGES.get(name, name): curve for name, curve in judged.items()}
    panels = {"accuracy of a judge; dotted: guessing": judged, "search: R@1 by person": {"R@1": recalls}}
    for curves in panels.values():
        if not curves or not all(len(curve) and all(map(len, curve.values())) for curve in curves.values()):
            raise ItmError("give at least one weight for each judge and for the recalls, and a number for each seed")
    figure = figure or new_figure(8.8, 3.1)
    parts = []
    for axes, (title, curves) in zip(figure.subplots(1, 2), panels.items(), strict=True):
        for (name, curve), style in zip(curves.items(), STYLES, strict=False):
            means = _over_seeds(axes, name, curve, style)
            parts.append(f"{name}: " + ", ".join(f"{mean:.1f} at {weight:g}" for weight, mean in means.items()))
        axes.set_title(title, fontsize=10, color=INK)
        axes.set(xlabel="weight of the adversary", ylabel="percent")
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(x=0.08, y=0.15)
    left = figure.axes[0]
    left.axhline(50, color=GREY, linestyle=":", linewidth=1.5)
    left.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 0.15))  # above the dotted line
    return described(figure, f"Two panels over the weight of the adversary, means over seeds. {'; '.join(parts)}.")


def _over_seeds(axes: Axes, name: str, curve: Mapping[float, Sequence[float]], style: tuple) -> dict[float, float]:
    """Draws one curve over evenly spaced weights -> weight -> its mean."""
    colour, marker, line = style
    means = {weight: torch.tensor(curve[weight], dtype=torch.float64).mean().item() for weight in sorted(curve)}
    places = range(len(means))
    axes.plot(places, means.values(), color=colour, marker=marker, linestyle=line, markersize=6, label=name)
    for place, weight in zip(places, means, strict=True):
        axes.plot([place] * len(curve[weight]), curve[weight], marker, color=colour, markersize=3, alpha=0.5)
    axes.set_xticks(places, ["none" if weight == 0 else f"{weight:g}" for weight in means])
    return means
