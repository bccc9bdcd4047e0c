"""The effect of lambda, and the cost of search."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from itm_tutorial.errors import ItmError
from itm_tutorial.show.attention_drawing import show_pixels
from itm_tutorial.show.attention_pixels import heat_of_regions, tinted
from itm_tutorial.show.attention_view import place_of
from itm_tutorial.show.canvas import ACCENT, BLUE, GREEN, GREY, INK, axes_of, described, new_figure

LINES = (
    {"color": GREEN, "marker": "s", "linestyle": "--"},
    {"color": ACCENT, "marker": "X", "linestyle": "-"},
    {"color": BLUE, "marker": "o", "linestyle": "-."},
    {"color": INK, "marker": "^", "linestyle": ":"},
)
LAMBDAS = (0.0, 1.0, 4.0, 9.0, 20.0, math.inf)


def smoothing(
    similarities: Tensor,
    lambdas: Sequence[float] = LAMBDAS,
    image: Tensor | None = None,
    boxes: Tensor | None = None,
    word: str = "the word",
    figure: Figure | None = None,
) -> Figure:
    """Draws one word's attention for several inverse temperatures, from uniform to a single region.

    Args:
        similarities: [n_regions], of the word with each region, before lambda multiplies them.
        lambdas: inverse temperatures; infinity puts all weight on the most similar region.
        image: uint8 [3, size, size]; drawn above, clear where the word attends.
        boxes: [n_regions, 4], in [0, 1]; needed with an image.
        word: for the title.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text gives the largest weight for each lambda.

    Raises:
        ItmError: similarities of another shape, no lambda or a negative one, or an image without boxes.
    """
    _check_smoothing(similarities, lambdas, image, boxes)
    n, rows = len(similarities), 1 if image is None else 2
    tall = 0.9 + 0.19 * n
    figure = figure or new_figure(max(1.85 * len(lambdas), 5), tall + (2.0 if rows == 2 else 0) + 0.5)
    heights = [tall] if rows == 1 else [1.7, tall]
    panels = figure.subplots(rows, len(lambdas), squeeze=False, height_ratios=heights)
    parts = []
    for column, smooth in enumerate(lambdas):
        weights = softened(similarities, smooth)
        name = "λ → ∞" if math.isinf(smooth) else f"λ = {smooth:g}"
        spread = torch.special.entr(weights).sum().exp().item()
        if image is not None:
            show_pixels(panels[0, column], tinted(image, heat_of_regions(boxes, weights, image.shape[1])))
        _few_bars(panels[-1, column], weights)
        panels[0, column].set_title(f"{name}\nover {spread:.1f} regions", fontsize=10, color=INK)
        parts.append(f"{name}: largest weight {weights.max():.2f}, spread as over {spread:.1f} regions")
    panels[-1, 0].set_yticks(range(n), [f"{region + 1}" for region in range(n)], fontsize=8)
    panels[-1, 0].set_ylabel("region", fontsize=9)
    figure.supxlabel(
        f"weights of “{word}”; dashed: uniform, {1 / n:.2f}; over n regions: exponential of the entropy",
        fontsize=9,
        color=INK,
    )
    top = int(similarities.argmax())
    where = "" if boxes is None else f", {place_of(boxes[top])}"
    return described(
        figure,
        f"Weights of “{word}” over {n} regions for {len(lambdas)} inverse temperatures; the most similar is region "
        f"{top + 1}{where}. {'; '.join(parts)}.",
    )


def softened(similarities: Tensor, smooth: float) -> Tensor:
    """Attention of one word: softmax(smooth * similarities), [n_regions]; at infinity all on the first highest."""
    if math.isinf(smooth):
        return torch.eye(len(similarities))[int(similarities.argmax())]
    return (smooth * similarities.float()).softmax(0)


def _few_bars(axes: Axes, weights: Tensor) -> None:
    """Draws the weights for one lambda: one bar per region, with the value beside the longest."""
    top = int(weights.argmax())
    axes.barh(range(len(weights)), weights.tolist(), 0.72, color=BLUE)
    axes.axvline(1 / len(weights), color=ACCENT, linestyle="--", linewidth=1.3)
    value = weights[top].item()
    side = {"ha": "right", "color": "w", "xytext": (-3, 0)} if value > 0.5 else {"color": INK, "xytext": (4, 0)}
    at = (max(value, 1 / len(weights)), top)
    axes.annotate(f"{value:.2f}", at, textcoords="offset points", va="center", fontsize=8.5, fontweight="bold", **side)
    axes.set(ylim=(len(weights) - 0.4, -0.6), xlim=(0, 1), yticks=[])
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _check_smoothing(similarities: Tensor, lambdas: Sequence[float], image: Tensor | None, boxes: Tensor | None):
    if similarities.ndim != 1 or not len(similarities):
        raise ItmError(f"smoothing: similarities are {list(similarities.shape)}; give those of one word, [n_regions]")
    if not lambdas or min(lambdas) < 0:
        raise ItmError(f"smoothing: lambdas are {list(lambdas)}; give one or more, 0 or above")
    if image is not None and boxes is None:
        raise ItmError("smoothing: an image without boxes; give the boxes of its regions too")
    if boxes is not None and len(boxes) != len(similarities):
        raise ItmError(f"smoothing: {len(boxes)} boxes for {len(similarities)} similarities; give one box per region")


def search_cost(
    seconds: Mapping[str, Mapping[int, float]], limit: float | None = None, axes: Axes | None = None
) -> Figure | Axes:
    """Draws the time of one search against the size of the gallery, one line per way of searching, in log scales.

    Args:
        seconds: name -> pictures in the gallery -> seconds per query.
        limit: the longest wait that a person accepts, in seconds, drawn as a dotted line.
        axes: drawn on; a new figure by default.

    Returns:
        The axes it was given, or else the new figure; the alt text gives every number.

    Raises:
        ItmError: nothing to draw, or a size or time that is not above zero.
    """
    for name, by_size in seconds.items():
        if not by_size or min(*by_size, *by_size.values()) <= 0:
            raise ItmError(f"search_cost: {name!r} has {dict(by_size)}; give sizes and seconds above zero")
    if not seconds:
        raise ItmError("search_cost: nothing was timed; give a name and its seconds by gallery size")
    axes, drawn = axes_of(axes, 8.6, 3.9)
    sizes = sorted({size for by_size in seconds.values() for size in by_size})
    parts = []
    for n, (name, by_size) in enumerate(seconds.items()):
        points = sorted(by_size.items())
        axes.plot(*zip(*points, strict=True), label=name, markersize=8, linewidth=2, **LINES[n % len(LINES)])
        parts.append(f"{name}: " + ", ".join(f"{duration(value)} at {size:,}" for size, value in points))
    axes.set(xscale="log", yscale="log", xlabel="pictures in the gallery", ylabel="time per query")
    low, high = axes.get_ylim()
    ticks = [10.0**n for n in range(-6, 6) if low <= 10.0**n <= high]
    axes.set_yticks(ticks, map(duration, ticks))
    if limit is not None:
        axes.axhline(limit, color=GREY, linestyle=":", linewidth=1.8)
        axes.text(0.99, limit, f"{duration(limit)}: the longest accepted wait", transform=axes.get_yaxis_transform(),
                  ha="right", va="bottom", fontsize=8.5, color=INK)  # fmt: skip
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    _name_ends(axes, {name: by_size[max(by_size)] for name, by_size in seconds.items()}, sizes[-1])
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines["bottom"].set_bounds(sizes[0], sizes[-1])
    axes.margins(x=0.04, y=0.1)
    return described(
        drawn, f"Time per query against pictures in the gallery, {len(seconds)} lines. {'; '.join(parts)}."
    )


def _name_ends(axes: Axes, ends: Mapping[str, float], size: int) -> None:
    """Names each line at its end with its time; names of lines that end close together are moved apart."""
    low, high = (math.log(end) for end in axes.get_ylim())
    points = 72 * 0.8 * axes.figure.get_figheight() / (high - low)  # per unit of the logarithm, about
    free = -math.inf
    for name, value in sorted(ends.items(), key=lambda end: end[1]):
        height = max(points * math.log(value), free)
        free = height + 13
        axes.annotate(f"{name}, {duration(value)}", (size, value), (9, height - points * math.log(value)), va="center",
                      textcoords="offset points", fontsize=9, color=INK, annotation_clip=False)  # fmt: skip


def duration(seconds: float) -> str:
    """Formats seconds in two digits with a unit: "3.1 ms", "12 s", "2.5 min", "1.2 h"."""
    for unit, size in (("h", 3600), ("min", 60), ("s", 1), ("ms", 1e-3)):
        if seconds >= size:
            value = seconds / size
            return f"{value:.0f} {unit}" if value >= 9.95 or value == round(value) else f"{value:.1f} {unit}"
    return f"{seconds / 1e-6:.0f} µs"
