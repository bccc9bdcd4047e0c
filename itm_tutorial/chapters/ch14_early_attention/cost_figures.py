"""What is stored and computed: costs per image against the number of captions; and the concepts and the gate of SCO."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from matplotlib.figure import Figure
from torch import Tensor

from itm_tutorial.errors import ItmError
from itm_tutorial.show.canvas import ACCENT, BLUE, GREEN, GREY, INK, described, new_figure

STYLES, COLOURS = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1))), (BLUE, ACCENT, GREEN, INK, "#cc79a7")
MARKS = 60  # points of a line
CLOSE = 0.06  # of the axis: names of lines that end closer than this are moved apart


def cost_lines(
    costs: Mapping[str, tuple[float, float]],
    most: int,
    crossing: tuple[str, str] | None = None,
    figure: Figure | None = None,
) -> Figure:
    """Draws the multiply-adds per image against the number of captions it is compared with, on logarithmic axes.

    Args:
        costs: method -> (multiply-adds once per image, multiply-adds per pair).
        most: captions at the right end of the axis.
        crossing: two methods whose lines cross; None marks no point.
        figure: to draw in; a new one by default.

    Returns:
        The figure; its alt text gives the costs at the right end and the point where the two lines cross.

    Raises:
        ItmError: no method, more than five, no caption beyond the first, or two methods whose lines do not cross.
    """
    if not 0 < len(costs) <= len(COLOURS) or most < 2:
        raise ItmError(
            f"cost_lines: {len(costs)} methods up to {most} captions; give 1 to {len(COLOURS)} and 2 or more"
        )
    figure = figure or new_figure(7.4, 4.0)
    axes = figure.subplots()
    numbers = [most ** (step / (MARKS - 1)) for step in range(MARKS)]
    told = []
    ends = [once + most * pair for once, pair in costs.values()]
    lowest, highest = min(once + pair for once, pair in costs.values()), max(ends)
    heights = _apart([math.log(end) for end in ends], CLOSE * math.log(highest / lowest))
    for (name, (once, pair)), style, colour, height in zip(costs.items(), STYLES, COLOURS, heights, strict=False):
        axes.plot(numbers, [once + n * pair for n in numbers], linestyle=style, color=colour, linewidth=2)
        axes.annotate(name, (most, math.exp(height)), xytext=(7, 0), textcoords="offset points", fontsize=10,
                      color=colour, va="center", annotation_clip=False)  # fmt: skip
        told.append(f"{name}: {once + most * pair:.1e}")
    text = ""
    if crossing is not None:
        n = crossing_of(costs, *crossing)
        once, pair = costs[crossing[0]]
        axes.plot([n], [once + n * pair], marker="o", markersize=10, markerfacecolor="none", markeredgecolor=INK,
                  markeredgewidth=1.8, linestyle="none")  # fmt: skip
        axes.annotate(f"equal at {n:.0f}", (n, once + n * pair), xytext=(8, -11), textcoords="offset points",
                      fontsize=10, color=INK, va="center")  # fmt: skip
        text = f" {crossing[0]} and {crossing[1]} cost the same at {n:.1f} captions per image."
    axes.set(xscale="log", yscale="log", xlim=(1, most))
    axes.set_xlabel("captions that the image is compared with", fontsize=10)
    axes.set_ylabel("multiply-adds for one image", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=GREY, alpha=0.25)
    alt = f"Multiply-adds for one image compared with {most:,} captions. {'; '.join(told)}.{text}"
    return described(figure, alt)


def _apart(heights: Sequence[float], least: float) -> list[float]:
    """Moves heights up, from the lowest on, until neighbours differ by ``least``."""
    placed, last = [0.0] * len(heights), -math.inf
    for number in sorted(range(len(heights)), key=heights.__getitem__):
        placed[number] = last = max(heights[number], last + least)
    return placed


def crossing_of(costs: Mapping[str, tuple[float, float]], first: str, second: str) -> float:
    """The number of captions at which two methods cost the same.

    Args:
        costs: method -> (once per image, per pair).
        first: a method.
        second: another one.

    Raises:
        ItmError: the lines do not cross at a positive number of captions.
    """
    (once, pair), (other, other_pair) = costs[first], costs[second]
    if pair == other_pair or (other - once) / (pair - other_pair) <= 0:
        raise ItmError(f"cost_lines: {first} and {second} cost the same for no number of captions")
    return (other - once) / (pair - other_pair)


def concepts_and_gate(
    shown: Tensor, concepts: Sequence[str], named: Collection[str], gates: Tensor, image: int, most: int = 12
) -> Figure:
    """Draws the likeliest concepts of one picture, and what the gate lets through per dimension.

    Args:
        shown: probabilities p_c of the picture, [n_concepts].
        concepts: their words.
        named: the words that a caption of the picture names; they are marked.
        gates: [n_images, dim] of a split; 1 takes the concepts, 0 the context.
        image: row of the picture in ``gates``.
        most: concepts that are drawn.

    Returns:
        The figure; its alt text gives the likeliest concepts and how much the gate differs between dimensions.

    Raises:
        ItmError: not one probability per concept, or no such row of gates.
    """
    if len(concepts) != len(shown) or not len(shown) or gates.ndim != 2 or not 0 <= image < len(gates):
        raise ItmError(
            f"concepts_and_gate: {len(shown)} probabilities of {len(concepts)} concepts, and gates "
            f"{list(gates.shape)} for image {image}; give one probability per concept, and gates [n_images, dim]"
        )
    shown, gates = shown.detach().float().cpu(), gates.detach().float().cpu()
    order = shown.argsort(descending=True, stable=True)[:most].tolist()
    figure = new_figure(9.6, 0.9 + 0.27 * len(order))
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.25])
    for place, concept in enumerate(order):
        own = concepts[concept] in named
        left.barh(place, shown[concept].item(), 0.7, color=BLUE if own else "w", edgecolor=BLUE,
                  hatch="" if own else "////")  # fmt: skip
    marks = [f"{'✓ ' if concepts[concept] in named else ''}{concepts[concept]}" for concept in order]
    left.set_yticks(range(len(order)), marks, fontsize=9.5)
    left.set(xlim=(0, 1), ylim=(len(order) - 0.4, -0.6))
    left.set_xlabel("probability that the picture shows it", fontsize=10)
    mean, dims = gates.mean(0), gates.mean(0).argsort()
    places = range(len(dims))
    low, high = gates.amin(0)[dims], gates.amax(0)[dims]
    right.fill_between(places, low.tolist(), high.tolist(), color=GREY, alpha=0.3, linewidth=0, label="all pictures")
    right.plot(places, mean[dims].tolist(), color=INK, linewidth=1.6, label="their mean")
    right.plot(places, gates[image][dims].tolist(), linestyle="none", marker=".", color=ACCENT, label="this picture")
    right.axhline(0.5, color=GREY, linewidth=0.8, linestyle="--")
    right.set(ylim=(0, 1), xlim=(-1, len(dims)))
    right.set_xlabel("dimensions, in the order of their mean gate", fontsize=10)
    right.set_ylabel("gate: 1 concepts, 0 context", fontsize=10)
    right.legend(fontsize=9, frameon=False, loc="upper left")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    listed = ", ".join(f"{concepts[concept]} ({shown[concept]:.2f})" for concept in order[:5])
    hits = sum(concepts[concept] in named for concept in order)
    alt = (
        f"The likeliest concepts of picture {image}: {listed}; of the {len(order)} drawn, its captions name {hits}. "
        f"The gate of {gates.shape[1]} dimensions over {len(gates)} pictures: mean {mean.mean():.2f}, between "
        f"{mean.min():.2f} and {mean.max():.2f} by dimension; of this picture, mean {gates[image].mean():.2f}."
    )
    return described(figure, alt)
