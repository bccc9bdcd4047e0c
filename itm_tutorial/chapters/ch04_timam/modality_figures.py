"""Figures of the game between the encoders and a judge of modalities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from itm_tutorial.errors import ItmError
from itm_tutorial.show.canvas import ACCENT, BLUE, GREY, INK, described, new_figure

STYLES = ((BLUE, "o", "-"), (ACCENT, "s", "--"), (INK, "^", ":"), (GREY, "D", "-."))


def modality_game(runs: Mapping[str, Sequence[tuple[float, float]]], figure: Figure | None = None) -> Figure:
    """Draws how well a judge distinguishes images from captions, and the gap between their centres, per epoch.

    Args:
        runs: name of a run -> (accuracy in percent, gap) of each epoch, the first of them before training.
        figure: drawn on; a new one by default.

    Returns:
        The figure: two panels over epochs, with a dashed line where guessing is.

    Raises:
        ItmError: no run, or one without an epoch.
    """
    if not runs or not all(len(epochs) for epochs in runs.values()):
        raise ItmError("runs: give at least one run, and for each the numbers of at least one epoch")
    figure = figure or new_figure(8.8, 3.1)
    left, right = figure.subplots(1, 2)
    for (name, epochs), (colour, marker, line) in zip(runs.items(), STYLES, strict=False):
        accuracy, gap = zip(*epochs, strict=True)
        style = {"color": colour, "marker": marker, "linestyle": line, "markersize": 5, "label": name}
        left.plot(range(len(accuracy)), accuracy, **style)
        right.plot(range(len(gap)), gap, **style)
    left.axhline(50, color=GREY, linestyle=":", linewidth=1.5)
    left.set(xlabel="epoch", ylabel="percent", ylim=(40, 103))
    left.set_title("accuracy of a judge; dotted: guessing", fontsize=10, color=INK)
    right.set(xlabel="epoch", ylabel="distance", ylim=(0, None))
    right.set_title("gap between the middles", fontsize=10, color=INK)
    for axes in (left, right):
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(y=0.1)
    right.legend(frameon=False, fontsize=9)
    listed = "; ".join(
        f"{name}: accuracy {e[0][0]:.0f} to {e[-1][0]:.0f} %, gap {e[0][1]:.2f} to {e[-1][1]:.2f}"
        for name, e in runs.items()
    )
    return described(
        figure, f"Two panels over epochs, from before training to the last. {listed}. Guessing gives 50 %."
    )


def adversary_weights(
    judged: Mapping[str, Mapping[float, Sequence[float]]],
    recalls: Mapping[float, Sequence[float]],
    figure: Figure | None = None,
) -> Figure:
    """Draws the accuracy of a judge after the game, and the recall of the search, against the adversary's weight.

    Args:
        judged: name of a judge -> weight (0 for no adversary) -> its accuracy for each seed, in percent.
        recalls: weight -> R@1 for each seed, in percent.
        figure: drawn on; a new one by default.

    Returns:
        The figure: two panels; lines join means, each seed is a small mark.

    Raises:
        ItmError: a panel without a weight, or a weight without a seed.
    """
    panels = {"accuracy of a fresh judge; dotted: guessing": judged, "R@1": {"R@1": recalls}}
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
    left.legend(frameon=False, fontsize=9)
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
