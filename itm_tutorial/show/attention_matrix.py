"""A matrix of regions by words: weights, similarities or dot products, the highest of each word framed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.patches import Rectangle
from torch import Tensor

from itm_tutorial.errors import ItmError
from itm_tutorial.show.canvas import ACCENT, INK, axes_of, described

NUMBERED = 24  # rows or columns, at most, for numbers in the cells


def attention_matrix(
    weights: Tensor,
    words: Sequence[str],
    regions: Sequence[str] | None = None,
    images: Sequence[Tensor] | None = None,
    means: bool = False,
    axes: Axes | None = None,
) -> Figure | Axes:
    """Draws a matrix of regions by words in grey, darker is higher; the highest value of each word is framed.

    Args:
        weights: [n_regions, n_words]: attention weights, or similarities.
        words: names of the columns.
        regions: names of the rows; "region 1" and so on by default.
        images: uint8 [3, H, W] each, the crops of the regions, drawn beside the rows.
        means: whether the mean of each row and column stands beside it, the highest one in bold.
        axes: drawn on; a new figure by default.

    Returns:
        The axes it was given, or else the new figure; the alt text names the highest region of each word.

    Raises:
        ItmError: not one word per column, or not one name or image per row.
    """
    n_regions, n_words = weights.shape
    regions = regions or [f"region {region + 1}" for region in range(n_regions)]
    for what, some, n in (("words", words, n_words), ("regions", regions, n_regions), ("images", images, n_regions)):
        if some is not None and len(some) != n:
            raise ItmError(f"attention_matrix: {len(some)} {what} for weights {list(weights.shape)}; give {n}")
    axes, drawn = axes_of(axes, min(2.4 + 0.62 * n_words, 11), min(1.5 + 0.42 * n_regions, 8))
    low, high = weights.min().item(), weights.max().item()
    high = high if high > low else low + 1
    shown = axes.imshow(weights.numpy(), cmap="Greys", aspect="auto", vmin=low, vmax=low + 1.25 * (high - low))
    if max(n_regions, n_words) <= NUMBERED:
        _write_numbers(axes, weights, low, high)
    else:
        axes.figure.colorbar(shown, ax=axes)
    best = weights.argmax(0).tolist()
    for word, region in enumerate(best):
        axes.add_patch(Rectangle((word - 0.47, region - 0.46), 0.94, 0.92, fill=False, edgecolor=ACCENT, linewidth=2.2))
    axes.xaxis.tick_top()
    axes.set_xticks(range(n_words), words, rotation=35, ha="left", fontsize=9)
    axes.set_yticks(range(n_regions), regions, fontsize=9)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    told = _write_means(axes, weights, words, regions) if means else ""
    sums = _sums(weights)
    axes.set_xlabel(f"framed: the highest of each word{sums and '; ' + sums}", fontsize=9)
    for row, image in enumerate(images or ()):
        thumbnail = OffsetImage(image.permute(1, 2, 0).numpy(), zoom=20 / max(image.shape[1:]), interpolation="bicubic")
        axes.add_artist(
            AnnotationBbox(thumbnail, (-0.5, row), xybox=(-14, 0), boxcoords="offset points", frameon=False)
        )
    if images is not None:
        axes.tick_params(axis="y", pad=28)
    listed = "; ".join(
        f"“{word}” is highest at {regions[region]} ({weights[region, column]:z.2f})"
        for column, (word, region) in enumerate(zip(words, best, strict=True))
    )
    size = f"{n_regions} regions by {n_words} words"
    return described(
        drawn, f"A matrix of {size}, from {low:z.2f} to {high:z.2f}{sums and '; ' + sums}. {told}{listed}."
    )


def _write_means(axes: Axes, weights: Tensor, words: Sequence[str], regions: Sequence[str]) -> str:
    """Writes the mean of each row and column, the highest in bold, and returns the highest in words."""
    n_regions, n_words = weights.shape
    rows, columns = weights.mean(1), weights.mean(0)
    row, column = int(rows.argmax()), int(columns.argmax())
    places = [(n_words + 0.05, n, rows[n], n == row) for n in range(n_regions)]
    places += [(n, n_regions + 0.05, columns[n], n == column) for n in range(n_words)]
    for x, y, value, highest in places:
        style = {"color": ACCENT, "fontweight": "bold"} if highest else {"color": INK}
        axes.text(x, y, f"{value:z.2f}", ha="center", va="center", fontsize=8.5, **style)
    axes.text(n_words + 0.05, n_regions + 0.05, "mean", ha="center", va="center", fontsize=8.5, color=INK)
    axes.set(xlim=(-0.5, n_words + 0.6), ylim=(n_regions + 0.6, -0.5))
    return (
        f"The highest mean of a row is that of {regions[row]} ({rows[row]:z.2f}), of a column that of "
        f"“{words[column]}” ({columns[column]:z.2f}). "
    )


def _sums(weights: Tensor) -> str:
    """Says which dimension sums to one, if any does."""
    ways = {"each column sums to 1": weights.sum(0), "each row sums to 1": weights.sum(1)}
    return next((way for way, sums in ways.items() if torch.allclose(sums, torch.ones_like(sums), atol=1e-3)), "")


def _write_numbers(axes: Axes, weights: Tensor, low: float, high: float) -> None:
    small = 8.5 if weights.shape[1] <= 14 else 7
    for row, line in enumerate(weights.tolist()):
        for column, value in enumerate(line):
            ink = "w" if value > low + 0.62 * (high - low) else INK
            axes.text(column, row, f"{value:z.2f}", ha="center", va="center", fontsize=small, color=ink)
