"""Panels of an attention map: a picture with its regions, with a word's attention, or with one region."""

from __future__ import annotations

import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from torch import Tensor

from itm_tutorial.show.attention_pixels import heat_of_grid, heat_of_regions, tinted
from itm_tutorial.show.attention_view import SIGNS, AttentionView, place_of
from itm_tutorial.show.canvas import GREEN, GREY, INK

LETTER, LINE = 0.6 / 72, 1.5 / 72  # of a text, in inches per point of its size: an average width, and a height
Span = tuple[float, float, float, float]  # (x0, y0, x1, y1) of a label on the unit square


def draw_regions(axes: Axes, view: AttentionView, chosen: list[int], inches: float) -> None:
    """Draws the picture with thin outlines of all regions, and words beside the region that they attend to most.

    Args:
        axes: drawn on.
        view: the caption with its attention.
        chosen: places of words; those whose attention is nearly uniform are left out.
        inches: the width of the panel.
    """
    show_pixels(axes, view.image.permute(1, 2, 0) / 255)
    attended: dict[int, list[str]] = {}
    for word in chosen:
        if view.clear(word):
            attended.setdefault(view.top(word)[0], []).append(view.words[word])
    if view.side:
        lines = [n / view.side for n in range(1, view.side)]
        axes.hlines(lines, 0, 1, color="w", linewidth=0.5, alpha=0.6)
        axes.vlines(lines, 0, 1, color="w", linewidth=0.5, alpha=0.6)
    else:
        for box in view.boxes:
            _outline(axes, box, "w", 0.5, halo=0.3)
    for region in attended:
        _outline(axes, view.boxes[region], "w", 1.6, halo=0.8)
    labels = {region: " · ".join(dict.fromkeys(words)) for region, words in attended.items()}
    _write_beside(axes, view.boxes, labels, 10, inches, bold=set(labels))


def draw_word(axes: Axes, view: AttentionView, word: int, inches: float, numbered: bool = False) -> None:
    """Draws a word's attention as a transparent colour over the picture.

    The region with the largest weight has a thin outline; true boxes are dashed. The weight stands in the title.

    Args:
        axes: drawn on.
        view: the caption with its attention.
        word: its place.
        inches: the width of the panel.
        numbered: whether regions above uniform attention have an outline and their number, counted from 1.
    """
    weights, size = view.weights[:, word], view.image.shape[1]
    heat = heat_of_grid(weights, view.side, size) if view.side else heat_of_regions(view.boxes, weights, size)
    show_pixels(axes, tinted(view.image, heat))
    top, most = view.top(word)
    for box in view.named.get(word, ()):
        _outline(axes, box, INK, 0.9, halo=0.6, dashed=True)
    if numbered:
        above = [top] if view.side else (weights > 1 / view.n).nonzero().flatten().tolist()
        for region in set(above) - {top}:
            _outline(axes, view.boxes[region], "w", 0.7, halo=0.5)
        ordered = sorted({*above, top}, key=lambda region: -weights[region].item())
        _write_beside(axes, view.boxes, {region: f"{region + 1}" for region in ordered}, 8, inches, bold={top})
    _outline(axes, view.boxes[top], "w", 1.1, halo=0.6)
    hit = view.hit(word)
    style = {"color": GREEN, "fontweight": "bold"} if hit == "inside" else {"color": INK}
    axes.set_title(f"{SIGNS[hit]}{view.words[word]}", fontsize=11, pad=4, loc="left", **style)
    axes.set_title(f"{most:.2f}", fontsize=9.5, pad=4, loc="right", color=INK)


def draw_region(axes: Axes, view: AttentionView, region: int) -> None:
    """Draws the picture with a transparent colour over one region."""
    one = torch.zeros(view.n)
    one[region] = 1
    show_pixels(axes, tinted(view.image, heat_of_regions(view.boxes, one, view.image.shape[1])))
    _outline(axes, view.boxes[region], "w", 1.4, halo=1.2)
    axes.set_title(f"{view.noun} {region + 1}, {place_of(view.boxes[region])}", fontsize=11, pad=4, color=INK)


def show_pixels(axes: Axes, pixels: Tensor) -> None:
    """An image [H, W, 3] in [0, 1] on the unit square, whose corner (0, 0) is the picture's upper left."""
    axes.imshow(pixels.numpy(), interpolation="bicubic", extent=(0, 1, 1, 0))
    axes.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(1, 0))
    axes.spines[:].set(color=GREY, linewidth=0.6)


def _outline(axes: Axes, box: Tensor, colour: str, width: float, halo: float = 0.9, dashed: bool = False) -> None:
    """Draws a box as a thin line with a halo of the other lightness, to be seen on any ground."""
    x0, y0, x1, y1 = box.tolist()
    around = [withStroke(linewidth=width + 2 * halo, foreground=INK if colour == "w" else "w")]
    style = {"linestyle": (0, (4, 2.5)) if dashed else "-", "linewidth": width, "edgecolor": colour}
    axes.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, path_effects=around, **style))


def _write_beside(
    axes: Axes, boxes: Tensor, labels: dict[int, str], size: float, inches: float, bold: set[int]
) -> None:
    """Writes a label at each box, the first ones where they like, the others where they cover no earlier one."""
    taken: list[Span] = []
    for region, text in labels.items():
        width, height = LETTER * size * len(text) / inches + 0.02, LINE * size / inches
        span = min(_spans(boxes[region].tolist(), width, height), key=lambda s: sum(_shared(s, t) for t in taken))
        taken.append(span)
        label = {"facecolor": "w", "edgecolor": "none", "pad": 1, "alpha": 0.9}
        weight = "bold" if region in bold else "normal"
        axes.text((span[0] + span[2]) / 2, (span[1] + span[3]) / 2, text, fontsize=size, color=INK, fontweight=weight,
                  ha="center", va="center", bbox=label)  # fmt: skip


def _spans(box: list[float], width: float, height: float) -> list[Span]:
    """Where a label of this size may stand at a box, the best place first: above, below, then at its inner edges."""
    x0, y0, x1, y1 = box
    gap = 0.012
    rows = [y0 - height - gap, y1 + gap, y0 + gap, y1 - height - gap]
    columns = [x0, x1 - width, (x0 + x1 - width) / 2]
    spans = []
    for y in rows:
        for x in columns:
            left, top = min(max(x, 0.01), 0.99 - width), min(max(y, 0.01), 0.99 - height)
            spans.append((left, top, left + width, top + height))
    return sorted(spans, key=lambda span: not gap <= span[1] <= 1)


def _shared(a: Span, b: Span) -> float:
    """The area that two labels share."""
    across, down = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(across, 0) * max(down, 0)
