"""Figures of data and of results. Each takes the Figure or Axes to draw on, and returns it with alt text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from torch import Tensor

from itm_tutorial.data.corpus import Split
from itm_tutorial.data.readers.photographs import decode
from itm_tutorial.evaluation.minimal_pairs import MinimalPairResult
from itm_tutorial.retrieval.search import Hits
from itm_tutorial.show.canvas import ACCENT, BLUE, GREEN, GREY, INK, axes_of, counted, described, new_figure, wrapped

KINDS = {
    "object": "one object replaced",
    "binding": "colours swapped",
    "relation": "sides changed",
    "count": "a count",
}


def _paint(axes: Axes, image: Tensor, above: str = "", below: str = "", correct: bool = False) -> None:
    """Draws uint8 [3, H, W] with a line above and text below; a correct one has a green frame and bold text."""
    axes.imshow(image.permute(1, 2, 0).numpy(), interpolation="bicubic")
    axes.set(xticks=[], yticks=[])
    style = {"fontsize": 8.5, "color": GREEN if correct else INK, "fontweight": "bold" if correct else "normal"}
    axes.set_title(above, pad=4, **style)
    axes.set_xlabel(below, labelpad=4, **style)
    for spine in axes.spines.values():
        spine.set(visible=correct, color=GREEN, linewidth=4)


def _grid(figure: Figure, n: int, columns: int) -> list[Axes]:
    """Places for n pictures, row by row; what is left of the last row stays empty."""
    grid = figure.subplots(-(-n // columns), columns, squeeze=False).flat
    for axes in grid[n:]:
        axes.axis("off")
    return list(grid[:n])


def pictures(split: Split, indices: Sequence[int], columns: int = 4, figure: Figure | None = None) -> Figure:
    """Draws pictures of a split, each with its first caption below.

    Args:
        split: the split that the pictures are from.
        indices: of the images.
        columns: pictures per row, at most.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text repeats the captions.
    """
    indices = list(indices)
    columns = min(columns, len(indices))
    captions = [_caption(split, i) for i in indices]
    texts = [wrapped(caption, 34) for caption in captions]
    rows, n_lines = -(-len(indices) // columns), 1 + max((text.count("\n") for text in texts), default=0)
    figure = figure or new_figure(2.5 * columns, (2.62 + 0.17 * n_lines) * rows)
    for axes, i, text in zip(_grid(figure, len(indices), columns), indices, texts, strict=True):
        _paint(axes, split.display(i), below=text)
    listed = " ".join(f"{n}: {caption}" for n, caption in enumerate(captions, start=1))
    return described(figure, f"{counted(len(indices), 'picture')}, each with one of its captions. {listed}")


def ranked(
    split: Split,
    hits: Hits,
    right: Sequence[int] = (),
    columns: int = 6,
    figure: Figure | None = None,
    notes: Sequence[str] = (),
) -> Figure:
    """Draws the results of a search in order: rank above, score below; correct ones are framed and ticked.

    Args:
        split: the split that was searched.
        hits: the results of the search.
        right: indices of the correct images, if known.
        columns: pictures per row, at most.
        figure: drawn on; a new one by default.
        notes: one text per result, drawn below its score; none by default.

    Returns:
        The figure; its alt text gives the ranks of the correct pictures, what the first five show, and the notes.
    """
    n = len(hits.indices)
    columns = min(columns, n)
    width = max(1.75 * columns, 4)
    question = wrapped(hits.query, round(11 * width))
    if right and not set(right) & set(hits.indices):
        question += "\n(the right picture is not among these)"
    noted = [f"\n{note}" for note in notes] or [""] * n
    height = 2.2 + 0.155 * max((note.count("\n") for note in noted), default=0)
    figure = figure or new_figure(width, height * -(-n // columns) + 0.2 * (1.5 + question.count("\n")))
    places = zip(_grid(figure, n, columns), hits.indices, hits.scores, noted, strict=True)
    for rank, (axes, i, value, note) in enumerate(places, start=1):
        correct = i in right
        _paint(axes, split.display(i), f"✓ {rank}, right" if correct else f"{rank}", f"{value:.2f}{note}", correct)
    figure.suptitle(question, fontsize=10, color=INK)
    return described(figure, _ranked_alt(split, hits, right, notes))


def _caption(split: Split, image: int) -> str:
    """The first caption of an image."""
    return next(iter(split.captions_of(image)), "(no caption)")


def captions_found(image: Tensor | Path, split: Split, hits: Hits, figure: Figure | None = None) -> Figure:
    """Draws an image that was searched for, and beside it the captions that were found, best first.

    Args:
        image: uint8 [3, H, W], or the path of an image file.
        split: the split that was searched.
        hits: the results of the search; their indices are those of captions.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text lists the captions.
    """
    pixels = image if isinstance(image, Tensor) else decode(image)
    found = [(value, split.captions[i]) for i, value in zip(hits.indices, hits.scores, strict=True)]
    texts = [wrapped(caption, 62) for _, caption in found]
    n_lines = sum(1.35 + text.count("\n") for text in texts)
    figure = figure or new_figure(9.5, max(3, 0.3 + 0.185 * n_lines))
    picture, beside = figure.subplots(1, 2, width_ratios=(1, 2))
    _paint(picture, pixels)
    beside.axis("off")
    beside.set(xlim=(0, 1), ylim=(max(n_lines, 14), 0))
    style, line = {"va": "top", "fontsize": 9.5, "color": INK}, 0.0
    for rank, ((value, _), text) in enumerate(zip(found, texts, strict=True), start=1):  # three columns, so that a
        beside.text(0.03, line, f"{rank}", ha="right", fontweight="bold", **style)  # script from right to left
        beside.text(0.12, line, f"{value:.2f}", ha="right", **style)  # exchanges none of them
        beside.text(0.15, line, text, **style)
        line += 1.35 + text.count("\n")
    spoken = " ".join(f"{rank}, score {value:.2f}: {caption}" for rank, (value, caption) in enumerate(found, start=1))
    return described(figure, f"A picture, and the {counted(len(found), 'caption')} that fit it best. {spoken}")


def _ranked_alt(split: Split, hits: Hits, right: Sequence[int], notes: Sequence[str]) -> str:
    n = len(hits.indices)
    found = [str(rank) for rank, i in enumerate(hits.indices, start=1) if i in right]
    if len(found) > 1:
        where = f" The right pictures stand at ranks {', '.join(found)}."
    elif found:
        where = f" The right picture stands at rank {found[0]}."
    else:
        where = " The right picture is not among them." if right else ""
    shown = zip(range(1, 6), hits.indices, hits.scores, strict=False)
    listed = " ".join(f"{rank}, score {value:.2f}: {_caption(split, i)}" for rank, i, value in shown)
    said = "".join(f" Under {rank}: {', '.join(note.splitlines())}." for rank, note in enumerate(notes, start=1))
    return f"{counted(n, 'picture')} for the query “{hits.query}”, best first.{where} They show: {listed}{said}"


def training_curve(history, ceiling: float | None = None, figure: Figure | None = None) -> Figure:
    """Draws loss (on a logarithmic axis) and validation rsum by epoch, in two panels; the kept epoch is marked.

    Args:
        history: what ``fit`` returned.
        ceiling: the highest rsum that a model can reach on the validation split, drawn as a line; none by default.
        figure: drawn on; a new one by default.

    Returns:
        The figure.
    """
    frame, best = history.frame(), history.best_epoch
    figure = figure or new_figure(8.4, 3.1)
    panels = figure.subplots(1, 2)
    for axes, column, name in zip(panels, ("loss", "rsum"), ("loss", "rsum, of 600"), strict=True):
        axes.plot(frame.epoch, frame[column], marker="o", markersize=4, color=BLUE)
        kept = frame[column][frame.epoch == best]
        axes.plot([best], kept, marker="*", markersize=15, color=ACCENT, linestyle="none", label=f"kept: epoch {best}")
        axes.set_title(f"{'training' if column == 'loss' else 'validation'} split", fontsize=10, color=INK)
        axes.set(xlabel="epoch", ylabel=name)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.spines[["top", "right"]].set_visible(False)
    loss, rsum = panels
    if frame.loss.min() > 0:  # a hinge loss may reach 0, which a logarithmic axis cannot show
        _logarithmic(loss, frame.loss.min(), frame.loss.max())
    top = max(frame.rsum.max(), ceiling or 0)
    rsum.set_ylim(0, 1.15 * top)
    if ceiling is not None:
        rsum.axhline(ceiling, color=GREY, linestyle="--", linewidth=1.5)
        place = (0.02, ceiling + 0.02 * top)
        rsum.text(*place, f"ceiling: {ceiling:.0f}", color=INK, fontsize=9.5, transform=rsum.get_yaxis_transform())
    loss.legend(frameon=False, loc="upper right")
    rsum.legend(frameon=False, loc="lower right" if frame.rsum.iloc[-1] > 0.4 * top else "center right")
    first, last = frame.iloc[0], frame.iloc[-1]
    limit = f" A dashed line marks the ceiling, {ceiling:.0f}." if ceiling is not None else ""
    return described(
        figure,
        f"Two curves over {len(frame)} epochs. The loss on the training split goes from {first.loss:.4g} to "
        f"{last.loss:.4g}; rsum on the validation split goes from {first.rsum:.0f} to {last.rsum:.0f} "
        f"and is highest, with {frame.rsum.max():.0f}, at epoch {best}.{limit}",
    )


def _logarithmic(axes: Axes, low: float, high: float) -> None:
    """A logarithmic y axis with plain numbers at 1, 2 and 5 times the powers of ten, two of them at least."""
    axes.set_yscale("log")
    axes.set_ylim(low / 1.25, high * 1.25)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low > 3 else range(1, 10)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylabel("loss, logarithmic axis")


def minimal_pair_accuracy(results: Mapping[str, MinimalPairResult], axes: Axes | None = None) -> Figure | Axes:
    """Draws how often a caption prefers its own image to the other one of a minimal pair, one row per kind of pair.

    Args:
        results: what ``evaluate_minimal_pairs`` returned.
        axes: drawn on; a new figure by default.

    Returns:
        The axes it was given, or else the new figure.
    """
    axes, drawn = axes_of(axes, 7.6, 1.2 + 0.42 * len(results))
    rows = sorted(results.items(), key=lambda item: item[1].accuracy)
    axes.axvline(50, color=GREY, linestyle="--", linewidth=1.5)
    axes.set_title("guessing: 50 %", fontsize=9, color=INK)
    labels = [f"{result.accuracy:.0f} % ± {2 * result.standard_error:.0f}" for _, result in rows]
    for y, (_, result) in enumerate(rows):
        accuracy, width = result.accuracy, 2 * result.standard_error
        around = [[min(width, accuracy)], [min(width, 100 - accuracy)]]
        axes.errorbar(accuracy, y, xerr=around, fmt="o", color=BLUE, markersize=8, capsize=4, lw=2, clip_on=False)
        axes.text(101, y, labels[y], va="center", color=INK)
    names = [f"{KINDS.get(kind, kind)} ({counted(result.n, 'query')})" for kind, result in rows]
    axes.set_yticks(range(len(rows)), names)
    axes.set(xlim=(0, 100), ylim=(-0.6, len(rows) - 0.4), xlabel="captions that prefer their own picture, in percent")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    listed = "; ".join(f"{name}: {label}" for name, label in zip(reversed(names), reversed(labels), strict=True))
    return described(
        drawn,
        f"Captions that prefer their own picture to the other one of a minimal pair; guessing gives 50 %. {listed}.",
    )
