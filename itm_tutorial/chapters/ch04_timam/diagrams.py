"""Two diagrams of chapter 04: CMPM for one image, step by step, and the two moves of the adversary's game."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from torch import Tensor

from itm_tutorial.errors import ItmError
from itm_tutorial.show.canvas import ACCENT, BLUE, GREY, INK, PALE, described, new_figure

EPSILON = 1e-8  # of CMPM
IMAGES = ((3.8, 4.5), (4.55, 4.75), (5.25, 4.35), (5.9, 4.8), (6.45, 4.4))  # embeddings of the diagram of the game
CAPTIONS = ((4.2, 1.7), (4.9, 1.35), (5.6, 1.75), (6.2, 1.3), (6.75, 1.7))


def cmpm_terms(image: Tensor, captions: Tensor, match: Tensor) -> dict[str, Tensor]:
    """Computes the steps of CMPM for one image.

    Args:
        image: [dim].
        captions: [n_captions, dim], of any length.
        match: bool [n_captions], True for captions of the image's person.

    Returns:
        "projection", "p", "q" and "term", float64 [n_captions] each; the terms add up to the loss of the image.
    """
    captions = captions.double() / captions.double().norm(dim=1, keepdim=True)
    projection = captions @ image.double()
    p, q = projection.softmax(dim=0), match.double() / match.sum()
    return {"projection": projection, "p": p, "q": q, "term": p * (p / (q + EPSILON)).log()}


def cmpm_steps(image: Tensor, captions: Tensor, match: Tensor, figure: Figure | None = None) -> Figure:
    """Draws CMPM for one image: its projections on captions, the probabilities with their targets, and the loss.

    Args:
        image: float [2].
        captions: float [n_captions, 2], of any length but zero.
        match: bool [n_captions], True for captions of the image's person; at least one.
        figure: drawn on; a new one by default.

    Returns:
        The figure: three panels; its alt text gives every number.

    Raises:
        ItmError: other shapes, or no caption of the person.
    """
    if image.shape != (2,) or captions.ndim != 2 or captions.shape[1] != 2 or match.shape != captions.shape[:1]:
        shapes = [list(tensor.shape) for tensor in (image, captions, match)]
        raise ItmError(f"shapes {shapes}: give an image [2], captions [n_captions, 2] and a match for each caption")
    if not match.any():
        raise ItmError("match: no caption is of the image's person; set at least one entry to True")
    found = {name: values.tolist() for name, values in cmpm_terms(image, captions, match).items()}
    own, names = match.tolist(), _caption_names(match)
    figure = figure or new_figure(10.4, 3.5)
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.25, 1.1, 1))
    _draw_projections(left, image, captions, own, names, found["projection"])
    _draw_probabilities(middle, names, found)
    _draw_terms(right, names, found["term"], own)
    listed = "; ".join(
        f"{name}: projection {x:.2f}, p {p:.2f}, q {q:.2f}, term {term:+.2f}"
        for name, x, p, q, term in zip(names, *found.values(), strict=True)
    )
    return described(
        figure,
        f"Three panels: an image projected on {len(names)} captions; the softmax p of the projections with the targets "
        f"q; and the terms of the loss. {listed}. The loss of the image is {sum(found['term']):.2f}.",
    )


def _caption_names(match: Tensor) -> list[str]:
    """ "A1", "A2" for the captions of the image's person A, "B1", ... for those of others."""
    counts = {True: 0, False: 0}
    names = []
    for own in match.tolist():
        counts[own] += 1
        names.append(f"{'A' if own else 'B'}{counts[own]}")
    return names


def _draw_projections(axes: Axes, image: Tensor, captions: Tensor, own: list, names: list, lengths: list) -> None:
    directions = (captions.double() / captions.double().norm(dim=1, keepdim=True)).tolist()
    tip = image.tolist()
    far = 1.18 * max(*map(abs, lengths), image.norm().item())
    for (x, y), mine, name, length in zip(directions, own, names, lengths, strict=True):
        style = {"color": ACCENT if mine else INK, "linestyle": "-" if mine else "--"}
        axes.plot([0, far * x], [0, far * y], linewidth=1.4, **style)
        axes.plot([tip[0], length * x], [tip[1], length * y], color=GREY, linestyle=":", linewidth=1.3)
        axes.plot(length * x, length * y, "o", color=style["color"], markersize=6)
        axes.text(
            1.08 * far * x, 1.08 * far * y, name, ha="center", va="center", fontweight="bold", color=style["color"]
        )
        axes.annotate(f"{length:.2f}", (length * x, length * y), (5, -11), textcoords="offset points", fontsize=9)
    axes.annotate("", tip, (0, 0), arrowprops={"arrowstyle": "-|>", "color": BLUE, "linewidth": 2.5, "shrinkA": 0})
    axes.annotate("image of A", tip, (4, 5), textcoords="offset points", color=BLUE, fontweight="bold", fontsize=9)
    axes.set_aspect("equal")
    axes.margins(0.12)
    axes.axis("off")
    axes.set_title("1. project the image on each caption", fontsize=10, color=INK)
    axes.text(
        0.5,
        -0.04,
        "solid: captions of person A; dashed: of others",
        ha="center",
        transform=axes.transAxes,
        fontsize=8.5,
        color=INK,
    )


def _draw_probabilities(axes: Axes, names: list, found: dict) -> None:
    outline = {"facecolor": "white", "edgecolor": INK, "linewidth": 1.4}
    for y, (p, q) in enumerate(zip(found["p"], found["q"], strict=True)):
        axes.barh(y - 0.19, p, 0.34, color=BLUE, label="" if y else "p: the model")
        axes.barh(y + 0.19, q, 0.34, label="" if y else "q: the target", **outline)
        for place, value in ((y - 0.19, p), (y + 0.19, q)):
            axes.text(value + 0.02, place, f"{value:.2f}", va="center", fontsize=9, color=INK)
    _caption_axis(axes, names)
    axes.set(xlim=(0, 1.25 * max(*found["p"], *found["q"])), xticks=[])
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    axes.set_title("2. softmax gives p; compare with q", fontsize=10, color=INK)


def _draw_terms(axes: Axes, names: list, terms: list, own: list) -> None:
    span = max(map(abs, terms))
    for y, (term, mine) in enumerate(zip(terms, own, strict=True)):
        axes.barh(y, term, 0.5, facecolor=ACCENT if mine else INK)
        axes.text(max(term, 0) + 0.03 * span, y, f"{term:+.2f}".replace("-", "−"), va="center", fontsize=9, color=INK)
    axes.axvline(0, color=GREY, linewidth=1)
    _caption_axis(axes, names)
    axes.set(xlim=(min(0, 1.1 * min(terms)) - 0.05 * span, 1.3 * span), xticks=[])
    axes.set_title(f"3. terms p log(p / q): loss {sum(terms):.2f}", fontsize=10, color=INK)


def _caption_axis(axes: Axes, names: list) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(length=0)
    axes.spines[["top", "right", "bottom", "left"]].set_visible(False)


def adversary_game(figure: Figure | None = None) -> Figure:
    """Draws the two moves of the adversary's game: the discriminator learns, then the encoders learn.

    Args:
        figure: drawn on; a new one by default.

    Returns:
        The figure: one panel per move. What learns has a thick blue frame, what is fixed a thin grey one.
    """
    figure = figure or new_figure(10.4, 3.9)
    left, right = figure.subplots(1, 2)
    _draw_move(left, "Move 1: the discriminator learns to tell images from captions", encoders_learn=False)
    _draw_move(right, "Move 2: the encoders learn to mislead it", encoders_learn=True)
    left.plot([3.5, 6.9], [1.9, 4.2], color=GREY, linestyle="--", linewidth=1.6)
    left.plot([3.5, 6.9], [3.05, 3.05], color=BLUE, linewidth=2.2)
    left.text(6.85, 2.5, "boundary: dashed\nbefore, solid after", fontsize=8, color=INK, va="center", ha="right")
    _back_arrow(left, [(8.75, 2.1), (8.75, 0.55)], "discriminator loss", (8.75, 0.25), up=True)
    right.plot([3.5, 6.9], [3.05, 3.05], color=GREY, linestyle="-", linewidth=1.6)
    for points, step in ((IMAGES, -1.9), (CAPTIONS, 1.9)):
        for x, y in points:
            right.annotate("", (x, y + step), (x, y), arrowprops={"arrowstyle": "->", "color": INK, "linewidth": 1.3})
    right.plot([8.75, 8.75, 1.25, 1.25], [3.97, 5.75, 5.75, 5.2], color=BLUE, linewidth=1.8)
    _arrow_head(right, (1.25, 5.3), (1.25, 5.0))
    right.plot([8.75, 8.75, 1.25], [2.1, 0.45, 0.45], color=BLUE, linewidth=1.8)
    _arrow_head(right, (1.25, 0.45), (1.25, 1.0))
    right.text(5.2, 5.95, "fooling loss", ha="center", va="bottom", fontsize=9, color=BLUE, fontweight="bold")
    return described(
        figure,
        "Two panels with the same parts: an image encoder and a text encoder give embeddings, circles and crosses, and "
        "a discriminator says for one embedding whether it is of an image or of a caption. Move 1: the encoders are "
        "fixed; the discriminator loss turns the discriminator's boundary until it separates circles from crosses. "
        "Move 2: the discriminator is fixed; the fooling loss goes back to both encoders and moves circles and crosses "
        "across the boundary. Both moves happen in every batch.",
    )


def _draw_move(axes: Axes, title: str, encoders_learn: bool) -> None:
    axes.set(xlim=(-0.1, 10.1), ylim=(-0.1, 6.5))
    axes.axis("off")
    axes.set_title(title, fontsize=10, color=INK)
    _box(axes, (0.0, 4.0), "image\nencoder", encoders_learn)
    _box(axes, (0.0, 1.1), "text\nencoder", encoders_learn)
    _box(axes, (7.5, 2.2), "discriminator:\nimage or\ncaption?", not encoders_learn, height=1.7)
    axes.add_patch(FancyBboxPatch((3.5, 0.95), 3.4, 4.2, boxstyle="round,pad=0.05", facecolor=PALE, edgecolor="none"))
    axes.text(5.2, 5.28, "embeddings", ha="center", fontsize=9, color=INK)
    axes.plot(*zip(*IMAGES, strict=True), "o", color=BLUE, markersize=7, markerfacecolor="white", markeredgewidth=1.8)
    axes.plot(*zip(*CAPTIONS, strict=True), "x", color=ACCENT, markersize=7, markeredgewidth=2)
    for start, end in (((2.6, 4.55), (3.4, 4.55)), ((2.6, 1.65), (3.4, 1.65)), ((6.95, 3.05), (7.45, 3.05))):
        axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=12, color=INK, linewidth=1.3))


def _box(axes: Axes, corner: tuple[float, float], words: str, learns: bool, height: float = 1.1) -> None:
    style = {"facecolor": "white", "edgecolor": BLUE if learns else GREY, "linewidth": 3 if learns else 1}
    axes.add_patch(FancyBboxPatch(corner, 2.5, height, boxstyle="round,pad=0.05", **style))
    x, y = corner[0] + 1.25, corner[1] + height / 2
    state = {"color": BLUE, "fontweight": "bold"} if learns else {"color": INK}
    axes.text(x, y + 0.2, words, ha="center", va="center", fontsize=8.5, color=INK, linespacing=1.2)
    axes.text(x, corner[1] + 0.02, "learns" if learns else "fixed", ha="center", va="bottom", fontsize=8, **state)


def _back_arrow(axes: Axes, path: list, words: str, place: tuple[float, float], up: bool) -> None:
    (x, top), (_, low) = path
    start, end = ((x, low), (x, top)) if up else ((x, top), (x, low))
    _arrow_head(axes, start, end)
    axes.text(*place, words, ha="center", va="center", fontsize=9, color=BLUE, fontweight="bold")


def _arrow_head(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=14, color=BLUE, linewidth=1.8))
