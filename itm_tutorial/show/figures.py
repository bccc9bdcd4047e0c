"""Figures: each is a matplotlib Figure made without pyplot, with alt text that quotes what it shows."""

from __future__ import annotations

import base64
import html
import io
import textwrap
from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import LongTensor, Tensor

from itm_tutorial.data.corpus import Split
from itm_tutorial.retrieval import Hits

RIGHT, INK = "#1b7f4d", "#33383d"


def new_figure(width: float, height: float, alt: str) -> Figure:
    """A figure in inches with its alt text, known to no window and no notebook until it is returned."""
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.alt_text = alt
    _show_with_alt_text()
    return figure


def alt_text(figure: Figure) -> str:
    """What a reader who cannot see the figure is told."""
    return getattr(figure, "alt_text", "")


def to_html(figure: Figure) -> str:
    """The figure as an HTML image with its alt text."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=90)
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="{html.escape(alt_text(figure), quote=True)}" src="data:image/png;base64,{data}">'


def _show_with_alt_text() -> None:
    """Tells IPython, where there is one, to show figures as images with alt text."""
    import sys

    if "IPython" not in sys.modules:
        return
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None:
        shell.display_formatter.formatters["text/html"].for_type(Figure, to_html)


def _paint(axes, image: Tensor, title: str = "", right: bool = False) -> None:
    axes.imshow(image.permute(1, 2, 0).numpy())
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title, fontsize=8, color=RIGHT if right else INK, fontweight="bold" if right else "normal")
    for spine in axes.spines.values():
        spine.set(visible=right, color=RIGHT, linewidth=4)


def pictures(split: Split, indices: Sequence[int], columns: int = 4) -> Figure:
    """Pictures of a split, each with its first caption.

    Args:
        split: where from.
        indices: of the images.
        columns: pictures a row.

    Returns:
        The figure; its alt text repeats the captions.
    """
    captions = [split.captions_of(i)[0] for i in indices]
    rows = -(-len(indices) // columns)
    figure = new_figure(2.4 * columns, 2.9 * rows, f"{len(indices)} pictures: " + " ".join(captions))
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(indices) :]:
        axes.axis("off")
    for axes, i, caption in zip(grid.flat, indices, captions, strict=False):
        _paint(axes, split.images[i], textwrap.fill(caption, 32))
    return figure


def ranked(split: Split, hits: Hits, right: Sequence[int] = ()) -> Figure:
    """Pictures in the order of a search, with rank and score; the right ones are framed and ticked.

    Args:
        split: where was searched.
        hits: what was found for a text.
        right: indices of the images that would have been right, if known.

    Returns:
        The figure.
    """
    found = [rank for rank, i in enumerate(hits.indices, start=1) if i in right]
    told = f" The right picture stands at rank {found[0]}." if found else ""
    if right and not found:
        told = " The right picture is not among them."
    figure = new_figure(1.7 * len(hits.indices), 2.3, f"The best pictures for the query: {hits.query}{told}")
    row = figure.subplots(1, len(hits.indices), squeeze=False)[0]
    for rank, (axes, i, value) in enumerate(zip(row, hits.indices, hits.scores, strict=True), start=1):
        _paint(axes, split.images[i], f"{'✓ ' if i in right else ''}{rank}.  {value:.2f}", i in right)
    figure.suptitle(textwrap.fill(hits.query, 90), fontsize=10)
    return figure


def training_curve(history) -> Figure:
    """Loss and validation rsum by epoch, two panels, of what ``fit`` returned."""
    frame = history.frame()
    alt = (
        f"Two curves over {len(frame)} epochs: the loss goes from {frame.loss.iloc[0]:.0f} "
        f"to {frame.loss.iloc[-1]:.0f}; "
        f"rsum on the validation split goes from {frame.rsum.iloc[0]:.0f} to {frame.rsum.iloc[-1]:.0f} "
        f"and is highest at epoch {history.best_epoch}."
    )
    figure = new_figure(8, 2.8, alt)
    names = {"loss": "training loss", "rsum": "validation rsum"}
    for axes, (column, name) in zip(figure.subplots(1, 2), names.items(), strict=True):
        axes.plot(frame.epoch, frame[column], marker="o", color="#2b5c9e")
        axes.set(xlabel="epoch", ylabel=name, ylim=(0, None))
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def score_matrix(scores: Tensor, image_of: LongTensor) -> Figure:
    """Scores of a few images and captions in grey, the right pairs framed.

    Args:
        scores: [n_images, n_captions], small.
        image_of: int64 [n_captions].

    Returns:
        The figure.
    """
    best = (scores.argmax(0) == image_of).sum().item()
    alt = (
        f"A matrix of {len(scores)} images by {len(image_of)} captions; {best} captions score their own image highest."
    )
    figure = new_figure(7, 3.2, alt)
    axes = figure.subplots()
    shown = axes.imshow(scores.numpy(), cmap="Greys", aspect="auto")
    for caption, image in enumerate(image_of.tolist()):
        axes.add_patch(Rectangle((caption - 0.5, image - 0.5), 1, 1, fill=False, edgecolor="#d95f02", linewidth=2))
    axes.set(xlabel="caption", ylabel="image")
    figure.colorbar(shown, ax=axes, label="score")
    return figure
