"""Figures of embeddings and losses: what CMPM compares, embeddings before and after training, R@1 of variants."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.patches import Rectangle
from torch import Tensor
from torch.nn.functional import normalize

from itm_tutorial.data.corpus import Split
from itm_tutorial.errors import ItmError
from itm_tutorial.show.canvas import ACCENT, BLUE, INK, PALE, axes_of, described, new_figure

MATRIX_WITH_NUMBERS = 12  # rows or columns, at most, for numbers in the cells
ROW, LINE = 0.52, 0.155  # inches, of a row with a thumbnail and of a caption


def projection_weights(
    probabilities: Tensor,
    match: Tensor,
    split: Split,
    images: Sequence[int],
    captions: Sequence[int],
    figure: Figure | None = None,
) -> Figure:
    """Draws what CMPM compares, side by side: the probabilities of captions for each image, and their targets.

    Args:
        probabilities: [n_images, n_captions], each row sums to 1.
        match: bool [n_images, n_captions]; True where both are of one person.
        split: shows the images and the captions of the matrix.
        images: the index of each row's image.
        captions: the index of each column's caption.
        figure: drawn on; a new one by default.

    Returns:
        The figure: thumbnails beside the rows, a letter above each column, and the captions below; cells that match
        are framed in both panels.

    Raises:
        ItmError: another shape of match, or another number of images or captions.
    """
    if probabilities.shape != match.shape:
        raise ItmError(
            f"match is {list(match.shape)} and probabilities {list(probabilities.shape)}: give one mask for the matrix"
        )
    if probabilities.shape != (len(images), len(captions)):
        raise ItmError(
            f"{len(images)} images and {len(captions)} captions for a matrix {list(probabilities.shape)}: give one per "
            "row and one per column"
        )
    n_images, n_captions = probabilities.shape
    targets = match / match.sum(1, keepdim=True).clamp(min=1)  # [n_images, n_captions]
    numbered = max(n_images, n_captions) <= MATRIX_WITH_NUMBERS
    lines = [f"{_letter(n)}   {textwrap.shorten(split.captions[c], 140)}" for n, c in enumerate(captions)]
    high = 0.7 + (ROW if numbered else 0.2) * n_images
    figure = figure or new_figure(9.4, high + LINE * (len(lines) + 1))
    top, bottom = figure.subfigures(2, 1, height_ratios=(high, LINE * (len(lines) + 1)))
    side, *panels = top.subplots(1, 3, width_ratios=(0.08, 1, 1))
    _thumbnails(side, split, images, ROW if numbered else 0.2)
    titles = (("p: softmax of the projections", probabilities), ("q: targets", targets))
    for axes, (title, values) in zip(panels, titles, strict=True):
        axes.imshow(values.float().numpy(), cmap="Greys", vmin=0, vmax=1, aspect="auto")
        axes.set_xticks(range(n_captions), [_letter(n) for n in range(n_captions)])
        axes.set(yticks=[])
        axes.xaxis.tick_top()
        axes.set_title(title, fontsize=10, color=INK)
        axes.tick_params(length=0)
        if numbered:
            _write_numbers(axes, values)
        _frame(axes, match, 2.0 if numbered else 1.2)
    bottom.text(0.02, 0.97, "\n".join(lines), va="top", fontsize=8, color=INK, linespacing=1.35)
    positive = 100 * (probabilities * match).sum(1).mean().item()
    return described(
        figure,
        f"Two matrices of {n_images} images by {n_captions} captions. On average {positive:.0f} % of an image's "
        "probability lies on captions of its person; the target is 100 %, divided evenly among "
        f"{match.sum(1).min():.0f} to {match.sum(1).max():.0f} matching captions. Captions: "
        f"{' '.join(split.captions[c] for c in captions)}",
    )


def _letter(number: int) -> str:
    return chr(ord("a") + number) if number < 26 else str(number)


def _thumbnails(axes: Axes, split: Split, images: Sequence[int], row: float) -> None:
    """Draws one picture beside each row of a matrix, ``row`` inches high."""
    for place, image in enumerate(images):
        pixels = split.display(image, 150).permute(1, 2, 0).numpy()
        thumbnail = OffsetImage(pixels, zoom=0.92 * 72 * row / pixels.shape[0])
        axes.add_artist(AnnotationBbox(thumbnail, (0.5, place), frameon=False, pad=0))
    axes.set(xlim=(0, 1), ylim=(len(images) - 0.5, -0.5))
    axes.axis("off")


def _write_numbers(axes: Axes, values: Tensor) -> None:
    for row, line in enumerate(values.tolist()):
        for column, value in enumerate(line):
            if value >= 0.005:  # smaller ones are left blank
                ink = "w" if value > 0.55 else INK
                axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=7.5, color=ink)


def _frame(axes: Axes, match: Tensor, width: float) -> None:
    for row, column in match.nonzero().tolist():
        place = (column - 0.46, row - 0.46)
        axes.add_patch(Rectangle(place, 0.92, 0.92, fill=False, edgecolor=ACCENT, linewidth=width))


def embedding_map(
    stages: Mapping[str, tuple[Tensor, Tensor]],
    groups: tuple[Tensor, Tensor] | None = None,
    figure: Figure | None = None,
) -> Figure:
    """Draws embeddings of both modalities on their two main directions, one panel per stage of training.

    Args:
        stages: name -> embeddings of images [n_images, dim] and of captions [n_captions, dim]; they get length 1.
        groups: int64 [n_images] and [n_captions], whom each is of; the embeddings of four people then have numbers.
        figure: drawn on; a new one by default.

    Returns:
        The figure: circles for images, crosses for captions. Each panel has its own directions.

    Raises:
        ItmError: no stage.
    """
    if not stages:
        raise ItmError("stages: give the embeddings of at least one stage")
    figure = figure or new_figure(4.3 * len(stages), 3.9)
    parts = []
    for axes, (name, sides) in zip(figure.subplots(1, len(stages), squeeze=False).flat, stages.items(), strict=True):
        images, captions = (normalize(side.detach().cpu().float(), dim=1) for side in sides)
        places, explained = _two_directions(torch.cat([images, captions]))
        of_images, of_captions = places.split([len(images), len(captions)])
        axes.scatter(*of_images.T.numpy(), s=14, facecolors="none", edgecolors=BLUE, linewidths=0.8, label="images")
        axes.scatter(*of_captions.T.numpy(), s=14, marker="x", color=ACCENT, linewidths=0.8, label="captions")
        if groups is not None:
            _number_people(axes, of_images, of_captions, groups)
        gap = (images.mean(0) - captions.mean(0)).norm().item()
        axes.set_title(
            f"{name} training: gap {gap:.2f}\n{100 * explained:.0f} % of the variance shown", fontsize=10, color=INK
        )
        axes.set(xticks=[], yticks=[])
        axes.legend(fontsize=8, loc="best", framealpha=0.8)
        parts.append(
            f"{name}: the means are {gap:.2f} apart, two directions hold {100 * explained:.0f} % of the variance"
        )
    return described(
        figure,
        f"Embeddings of {len(images)} images and {len(captions)} captions, one panel per stage. {'; '.join(parts)}.",
    )


def _two_directions(embeddings: Tensor) -> tuple[Tensor, float]:
    """[n, dim] -> places on the first two principal directions, [n, 2], and the fraction of variance they hold."""
    centred = embeddings - embeddings.mean(0)
    _, sizes, directions = torch.linalg.svd(centred, full_matrices=False)
    for column in directions[:2]:  # the sign of a direction is chance: the largest entry is positive
        column *= column[column.abs().argmax()].sign()
    return centred @ directions[:2].T, (sizes[:2].square().sum() / sizes.square().sum().clamp(min=1e-12)).item()


def _number_people(axes: Axes, images: Tensor, captions: Tensor, groups: tuple[Tensor, Tensor]) -> None:
    """Numbers 1 to 4 at the embeddings of the first four people."""
    people = list(dict.fromkeys(groups[0].tolist()))[:4]
    for number, who in enumerate(people, start=1):
        for places, group, colour in ((images, groups[0], BLUE), (captions, groups[1], ACCENT)):
            for x, y in places[group == who].tolist():
                axes.annotate(f"{number}", (x, y), (3, 3), textcoords="offset points", fontsize=9, fontweight="bold",
                              color=colour)  # fmt: skip


def loss_ablation(
    groups: Mapping[str, Mapping[str, Sequence[float]]],
    metric: str = "R@1",
    chance: float | None = None,
    axes: Axes | None = None,
) -> Figure | Axes:
    """Draws one bar per variant, the mean over seeds, with one dot per seed and a line of two standard errors.

    Args:
        groups: name of a group -> name of a variant -> its metric for each seed.
        metric: the name of the metric.
        chance: the metric of guessing, drawn as a dotted line; None for no line.
        axes: drawn on; a new figure by default.

    Returns:
        The axes it was given, or else the new figure.

    Raises:
        ItmError: no variant, or one without a number.
    """
    rows = [(group, name, some) for group, variants in groups.items() for name, some in variants.items()]
    if not rows or not all(len(some) for _, _, some in rows):
        raise ItmError("groups: give at least one variant, and a number for each")
    axes, drawn = axes_of(axes, 8.6, 0.9 + 0.31 * (len(rows) + len(groups)))
    most, before, y, ticks, listed = max(max(some) for _, _, some in rows), None, -1.0, [], []
    for group, name, some in rows:
        if group != before:
            y, before = y + 1, group
            axes.text(-0.01 * most, y, group, ha="right", va="center", fontsize=10, fontweight="bold", color=INK)
        y += 1
        written = _bar(axes, y, some, most)
        ticks.append((y, name))
        listed.append(f"{group}, {name}: {written}")
    if chance is not None:
        axes.axvline(chance, color=INK, linestyle=":", linewidth=1.3)
        listed.append(f"guessing: {chance:.1f}")
    axes.set_yticks(*zip(*ticks, strict=True))
    dotted = "; dotted: guessing" if chance is not None else ""
    axes.set(xlim=(0, 1.3 * most or 1), ylim=(y + 0.6, -0.6))
    axes.set_xlabel(f"{metric} in percent; dots: seeds; line: two standard errors{dotted}")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return described(
        drawn, f"{metric} of {len(rows)} variants, mean ± two standard errors over seeds. {'; '.join(listed)}."
    )


def _bar(axes: Axes, y: float, some: Sequence[float], most: float) -> str:
    """Draws the bar of one variant -> its mean and its uncertainty in words."""
    numbers, n = torch.tensor(some, dtype=torch.float64), len(some)
    mean = numbers.mean().item()
    spread = 2 * numbers.std().item() / math.sqrt(n) if n > 1 else 0.0
    axes.barh(y, mean, 0.62, facecolor=PALE, edgecolor=BLUE)
    if n > 1:
        axes.errorbar(mean, y, xerr=spread, color=INK, capsize=4, linewidth=1.5)
    axes.plot(some, [y] * n, "o", color=ACCENT, markersize=4)
    written = f"{mean:.1f} ± {spread:.1f}" if n > 1 else f"{mean:.1f}, one seed"
    axes.text(1.1 * most, y, written, va="center", fontsize=9, color=INK)
    return written
