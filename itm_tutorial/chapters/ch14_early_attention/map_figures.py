"""Attention step by step: maps over a picture, and pairs of maps, one over a picture and one over a caption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from itm_tutorial.errors import ItmError
from itm_tutorial.show.attention_drawing import show_pixels
from itm_tutorial.show.attention_pixels import heat_of_grid, heat_of_regions, tinted
from itm_tutorial.show.attention_view import CLEAR, AttentionView, place_of
from itm_tutorial.show.canvas import BLUE, GREY, INK, described, new_figure, wrapped

PANEL, BARS, LINE = 1.8, 0.18, 0.2  # inches: a picture, the bar of a word, and a line of text above a panel
NAMES = 1.15  # inches: the column of names
LETTERS = 13  # per line of a name


def step_maps(view: AttentionView, maps: Mapping[str, Tensor]) -> Figure:
    """Draws the attention of each step over one picture, one row per model; true boxes of the caption are dashed.

    Args:
        view: the picture with its regions; its own weights are not used.
        maps: name of a model -> weights [K, n_regions], one row per step, such as those of
            ``model.image_encoder.steps(features).weights``.

    Returns:
        The figure; its alt text says where the region with the largest weight lies in each step.

    Raises:
        ItmError: no model, or weights of another shape.
    """
    steps = _checked("step_maps", maps, view.n)
    height = (PANEL + LINE) * len(maps) + 0.1
    figure = new_figure(NAMES + PANEL * steps, height)
    rows = figure.subplots(len(maps), 1 + steps, squeeze=False, width_ratios=[NAMES, *[PANEL] * steps])
    told = []
    for row, (name, weights) in zip(rows, maps.items(), strict=True):
        _name(row[0], name)
        told.append(f"{name}: {_draw_steps(row[1:], view, weights)}")
    return described(figure, f"Attention over a picture in {steps} steps. {'. '.join(told)}.")


def map_pairs(
    view: AttentionView,
    tokens: Sequence[str],
    regions: Mapping[str, Tensor],
    words: Mapping[str, Tensor],
) -> Figure:
    """Draws the pair of maps of each step, over a picture and over a caption: two rows per model.

    Args:
        view: the picture with its regions; its own weights are not used.
        tokens: what the caption's map weights, <start> and <end> included, in order.
        regions: name of a model -> [T, n_regions], such as ``model.network.pair_maps(image, caption).regions[:, 0]``.
        words: the same names -> [T, len(tokens)], such as ``.words[:, 0]``.

    Returns:
        The figure; its alt text names the region and the token with the largest weight in each step.

    Raises:
        ItmError: no model, other names, or weights of another shape.
    """
    steps = _checked("map_pairs", regions, view.n)
    if list(words) != list(regions):
        raise ItmError(f"map_pairs: regions of {list(regions)} and words of {list(words)}; give the same models")
    if _checked("map_pairs", words, len(tokens)) != steps:
        raise ItmError("map_pairs: regions and words have different numbers of steps; give one pair of maps per step")
    tall = BARS * len(tokens) + 0.15
    figure = new_figure(NAMES + (PANEL + 0.1) * steps, (PANEL + LINE + tall) * len(regions) + 0.1)
    heights = [PANEL + LINE, tall] * len(regions)
    rows = figure.subplots(len(heights), 1 + steps, squeeze=False, height_ratios=heights,
                           width_ratios=[NAMES, *[PANEL] * steps])  # fmt: skip
    figure.get_layout_engine().set(h_pad=0.02, hspace=0.01)
    most = max(weights.max().item() for weights in words.values())
    told = []
    for number, name in enumerate(regions):
        pictures, bars = rows[2 * number], rows[2 * number + 1]
        _name(pictures[0], name)
        bars[0].axis("off")
        where = _draw_steps(pictures[1:], view, regions[name])
        for axes, weights in zip(bars[1:], words[name], strict=True):
            _draw_tokens(axes, tokens, weights, most, first=axes is bars[1])
        tops = ", ".join(f"“{tokens[int(weights.argmax())]}” ({weights.max():.2f})" for weights in words[name])
        moved = (regions[name][-1] - regions[name][0]).abs().sum().item() / 2
        told.append(f"{name}: {where}; words with the largest weight: {tops}; from the first step to the last, "
                    f"{100 * moved:.0f}% of the weight over regions moves")  # fmt: skip
    return described(figure, f"Pairs of maps of “{view.caption}” in {steps} steps. {'. '.join(told)}.")


def _checked(name: str, maps: Mapping[str, Tensor], n_items: int) -> int:
    """The number of steps, after a look at the shapes."""
    shapes = {model: list(weights.shape) for model, weights in maps.items()}
    steps = next(iter(shapes.values()))[0] if shapes and next(iter(shapes.values())) else 0
    if not steps or any(shape != [steps, n_items] for shape in shapes.values()):
        raise ItmError(f"{name}: weights {shapes}; give one model or more, with [steps, {n_items}] each")
    return steps


def _name(axes: Axes, name: str) -> None:
    axes.axis("off")
    axes.text(0, 0.5, wrapped(name, LETTERS), transform=axes.transAxes, va="center", fontsize=11, fontweight="bold",
              color=INK)  # fmt: skip


def _draw_steps(panels: Sequence[Axes], view: AttentionView, weights: Tensor) -> str:
    """Draws one map per panel; says where the largest weight lies, if it is twice that of uniform attention."""
    told, size = [], view.image.shape[1]
    true = torch.cat([boxes for _, boxes in sorted(view.named.items())]) if view.named else torch.zeros(0, 4)
    for number, (axes, one) in enumerate(zip(panels, weights, strict=True), start=1):
        one = one.detach().float().cpu()
        heat = heat_of_grid(one, view.side, size) if view.side else heat_of_regions(view.boxes, one, size)
        show_pixels(axes, tinted(view.image, heat))
        for box in true.unique(dim=0):
            _outline(axes, box, GREY, dashed=True)
        top = int(one.argmax())
        clear = one[top] >= CLEAR / view.n
        if clear:
            _outline(axes, view.boxes[top], INK)
        axes.set_title(f"step {number}", fontsize=10, pad=4, loc="left", color=INK)
        axes.set_title(f"{one[top]:.2f}", fontsize=9.5, pad=4, loc="right", color=INK)
        where = (
            f"looks most at the {view.noun} {place_of(view.boxes[top])}" if clear else f"looks at no {view.noun} most"
        )
        told.append(f"step {number} {where} ({one[top]:.2f})")
    return ", ".join(told)


def _draw_tokens(axes: Axes, tokens: Sequence[str], weights: Tensor, most: float, first: bool) -> None:
    """Draws the weights of tokens as bars; the largest is filled, and the others are hatched."""
    weights = weights.detach().float().cpu()
    top = int(weights.argmax())
    bars = axes.barh(range(len(tokens)), weights.tolist(), 0.7, color="w", edgecolor=BLUE, linewidth=0.8, hatch="////")
    bars[top].set(facecolor=BLUE, hatch="")
    axes.set(xlim=(0, 1.05 * most), ylim=(len(tokens) - 0.4, -0.6), xticks=[])
    axes.set_yticks(range(len(tokens)), tokens if first else [""] * len(tokens), fontsize=8.5)
    axes.tick_params(axis="y", length=0)
    axes.text(weights[top].item() if weights[top] < most / 2 else 0, top + 0.02, f" {weights[top]:.2f}", va="center",
              fontsize=8, color=INK if weights[top] < most / 2 else "w")  # fmt: skip
    axes.spines[["top", "right", "bottom"]].set_visible(False)


def _outline(axes: Axes, box: Tensor, colour: str, dashed: bool = False) -> None:
    x0, y0, x1, y1 = box.tolist()
    axes.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor=colour, linewidth=1.2,
                             linestyle=(0, (4, 2.5)) if dashed else "-"))  # fmt: skip
