"""The figures of chapter 00: two encoders and a loss in one picture, minimal pairs, and a matrix of scores."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from torch import LongTensor, Tensor

from itm_tutorial.data.corpus import Split
from itm_tutorial.data.text import tokenize
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.minimal_pairs import minimal_pair_queries
from itm_tutorial.show.canvas import (
    ACCENT,
    BLUE,
    FORMULA,
    GREEN,
    GREY,
    INK,
    PALE,
    axes_of,
    counted,
    described,
    new_figure,
    wrapped,
)
from itm_tutorial.show.figures import KINDS

MATRIX_WITH_NUMBERS = 12  # rows or columns, at most, for numbers in the cells
MARGIN = 0.2
SCORES = {"positive": 0.7, "negative, too near": 0.58, "negative, far enough": 0.3}


def two_encoders(split: Split, caption: int = 0, figure: Figure | None = None) -> Figure:
    """Draws how a picture and its caption become two vectors with a cosine; below, how the loss uses scores.

    Args:
        split: the split that the picture is from.
        caption: index of the caption; its picture is drawn too.
        figure: drawn on; a new one by default.

    Returns:
        The figure.
    """
    figure = figure or new_figure(10.5, 4.6)
    above, below = figure.subplots(2, 1, height_ratios=[3, 1.25])
    i, words = int(split.image_of[caption]), tokenize(split.captions[caption])
    image = split.images[i]
    _encoders(above, image, split.display(i), split.captions[caption], len(words))
    _margin(below)
    size = " × ".join(map(str, image.shape[1:]))
    listed = ", ".join(f"{name} {score:.2f}" for name, score in SCORES.items())
    return described(
        figure,
        f"Above, a picture of {size} pixels goes through a convolutional network and a linear map; its caption of "
        f"{len(words)} words, “{split.captions[caption]}”, goes through word vectors and a GRU. Both end as a "
        f"vector of length 1, and the score is their cosine. Below, three scores on a line: {listed}. The loss pushes "
        f"down only the negative that lies less than the margin, {MARGIN}, below the positive.",
    )


def _encoders(axes: Axes, image: Tensor, sharp: Tensor, caption: str, n_words: int) -> None:
    axes.set(xlim=(0, 10.5), ylim=(-0.5, 2.8))
    axes.axis("off")
    picture = axes.inset_axes([0.15, 1.35, 1.4, 1.4], transform=axes.transData)
    picture.imshow(sharp.permute(1, 2, 0).numpy(), interpolation="bicubic", aspect="auto")
    picture.set(xticks=[], yticks=[])
    axes.text(0.85, 0.25, wrapped(caption, 22), ha="center", va="center", fontsize=8.5, color=INK)
    rows = (
        (2.05, BLUE, "v", ("convolutional\nnetwork", "linear map,\nlength 1"), (_shape(image), "[features]")),
        (0.25, ACCENT, "t", ("word vectors", "GRU, last state,\nlength 1"), (f"{n_words} words", "[words, word dim]")),
    )
    for y, color, name, (first, second), (before, between) in rows:
        _arrow(axes, (1.7, y), (2.55, y), before)
        _box(axes, 3.35, y, first, color)
        _arrow(axes, (4.15, y), (5.3, y), between)
        _box(axes, 6.1, y, second, color)
        _arrow(axes, (6.95, y), (8.25, 1.15 + (0.25 if y > 1 else -0.25)))
        axes.text(7.55, y, f"${name}$ [dim]", ha="left", va="center", fontsize=10, color=color, gid=FORMULA)
    _box(axes, 9.1, 1.15, "score\n$S = v \\cdot t$", INK, gid=FORMULA)


def _shape(image: Tensor) -> str:
    return f"[{', '.join(map(str, image.shape))}]"


def _box(axes: Axes, x: float, y: float, words: str, color: str, gid: str | None = None) -> None:
    box = FancyBboxPatch((x - 0.76, y - 0.38), 1.52, 0.76, boxstyle="round,pad=0,rounding_size=0.1", facecolor="w")
    box.set(edgecolor=color, linewidth=2)
    axes.add_patch(box)
    axes.text(x, y, words, ha="center", va="center", fontsize=9.5, color=INK, gid=gid)


def _arrow(axes: Axes, start: tuple, end: tuple, words: str = "", color: str = GREY) -> None:
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=14, color=color, linewidth=1.8))
    axes.text((start[0] + end[0]) / 2, start[1] + 0.1, words, ha="center", va="bottom", fontsize=8, color=INK)


def _margin(axes: Axes) -> None:
    positive, near = SCORES["positive"], SCORES["negative, too near"]
    low = positive - MARGIN
    axes.add_patch(Rectangle((low, -0.22), MARGIN, 0.44, facecolor=PALE, edgecolor=GREY, linewidth=1))
    axes.annotate("", (low, 0.34), (positive, 0.34), arrowprops={"arrowstyle": "<->", "color": GREY, "linewidth": 1.5})
    axes.text(low + MARGIN / 2, 0.42, f"margin {MARGIN}", ha="center", va="bottom", fontsize=9, color=INK)
    axes.plot([0.12, 0.93], [0, 0], color=GREY, linewidth=1.5, zorder=1)
    axes.text(0.94, 0, "score", ha="left", va="center", fontsize=9, color=INK)
    for (name, score), marker, color in zip(SCORES.items(), "o^s", (GREEN, ACCENT, GREY), strict=True):
        axes.plot(score, 0, marker=marker, markersize=11, color=color, zorder=4)
        axes.text(score, -0.35, f"{name}\n{score:.2f}", ha="center", va="top", fontsize=8.5, color=INK)
    _arrow(axes, (near - 0.015, 0), (low - 0.04, 0), color=ACCENT)
    axes.text(low - 0.05, 0.12, "the loss pushes it here", ha="right", va="bottom", fontsize=8.5, color=INK)
    axes.set(xlim=(0.1, 1.0), ylim=(-1.15, 0.9))
    axes.axis("off")


def minimal_pairs(split: Split, figure: Figure | None = None) -> Figure:
    """Draws one minimal pair of each kind: two pictures, and a caption that is true of the first alone.

    Of each kind one pair is drawn, see ``one_query_of_each_kind``.

    Args:
        split: of a drawn world.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text repeats the captions and says what each pair differs in.

    Raises:
        ItmError: the split has no facts, or no minimal pair.
    """
    examples = one_query_of_each_kind(split)
    if not examples:
        raise ItmError(f"split {split.name!r} has no minimal pair with a caption that decides: take a larger size")
    texts = [wrapped(split.captions[caption], 52) for caption, _, _ in examples.values()]
    columns = min(2, len(examples))
    rows, n_lines = -(-len(examples) // columns), 1 + max(text.count("\n") for text in texts)
    figure = figure or new_figure(5 * columns, (3.02 + 0.17 * n_lines) * rows)
    blocks = figure.subfigures(rows, columns, squeeze=False, wspace=0.06, hspace=0.04).flat
    for block, text, (kind, (_, image, other)) in zip(blocks, texts, examples.items(), strict=False):
        block.suptitle(f"{KINDS.get(kind, kind).upper()}\n{text}", fontsize=9.5, color=INK)
        for axes, i, below in zip(block.subplots(1, 2), (image, other), ("true", "false"), strict=True):
            axes.imshow(split.display(i).permute(1, 2, 0).numpy(), interpolation="bicubic")
            axes.set(xticks=[], yticks=[])
            true = i == image
            axes.set_xlabel(f"{'✓' if true else '✗'} {below}", fontsize=9.5, color=GREEN if true else ACCENT)
            for spine in axes.spines.values():
                spine.set(visible=true, color=GREEN, linewidth=4)
    listed = " ".join(
        f"{KINDS.get(kind, kind)}: {split.captions[caption]}" for kind, (caption, _, _) in examples.items()
    )
    return described(
        figure,
        f"{counted(len(examples), 'pair')} of pictures that differ in one thing, each with a caption that is true of "
        f"the left picture and false of the right one. {listed}",
    )


def one_query_of_each_kind(split: Split) -> dict[str, tuple[int, int, int]]:
    """Chooses one query on a minimal pair per kind of difference.

    Among the quarter with the shortest captions it is the one whose smallest thing is largest, so that the difference
    can be seen.

    Args:
        split: of a drawn world.

    Returns:
        For each kind: the caption, its image, and the other image of the pair.

    Raises:
        ItmError: the split has no facts.
    """
    chosen = {}
    for kind, found in minimal_pair_queries(split).items():
        queries = sorted(zip(*map(Tensor.tolist, found), strict=True), key=lambda query: len(split.captions[query[0]]))
        few = queries[: max(1, len(queries) // 4)]
        chosen[kind] = max(few, key=lambda query: min(_smallest(split, i) for i in query[1:]))
    return {kind: chosen[kind] for kind in [*KINDS, *chosen] if kind in chosen}


def _smallest(split: Split, image: int) -> float:
    """The height of the smallest thing in an image, as a fraction of the image."""
    boxes = split.boxes[image] if split.boxes is not None else []
    return (boxes[:, 3] - boxes[:, 1]).min().item() if len(boxes) else 0.0


def score_matrix(
    scores: Tensor,
    image_of: LongTensor,
    images: Sequence[Tensor] | None = None,
    captions: Sequence[str] | None = None,
    axes: Axes | None = None,
) -> Figure | Axes:
    """Draws the scores of a few images and captions in grey, with the positive pairs framed.

    Args:
        scores: [n_images, n_captions]; a small one has its numbers in the cells.
        image_of: int64 [n_captions].
        images: uint8 [3, H, W] each, drawn beside their rows.
        captions: listed beside the matrix under the numbers of their columns.
        axes: drawn on; a new figure by default.

    Returns:
        The axes it was given, or else the new figure.
    """
    n_images, n_captions = scores.shape
    numbered = max(n_images, n_captions) <= MATRIX_WITH_NUMBERS
    row = 0.74 if images is not None else 0.55
    height = min(0.8 + row * max(n_images, n_captions if captions else 0), 7)
    width = min(2.2 + 0.68 * n_captions, 9) + (3.2 if captions else 0)
    axes, drawn = axes_of(axes, width, height)
    low, high = scores.min().item(), scores.max().item()
    shown = axes.imshow(scores.numpy(), cmap="Greys", aspect="auto", vmin=low, vmax=high if high > low else low + 1)
    axes.set(xlabel="caption", ylabel="image")
    if numbered:
        axes.set(xticks=range(n_captions), yticks=range(n_images))
        _write_numbers(axes, scores, low, high)
    else:
        axes.figure.colorbar(shown, ax=axes, label="score")
    for caption, image in enumerate(image_of.tolist()):
        place = (caption - 0.47, image - 0.45)
        axes.add_patch(Rectangle(place, 0.94, 0.9, fill=False, edgecolor=ACCENT, linewidth=2.5 if numbered else 1.5))
    axes.tick_params(length=0)
    if captions is not None:
        axes.xaxis.tick_top()
        axes.xaxis.set_label_position("top")
        for number, caption in enumerate(captions):
            place = (n_captions - 0.3, (number + 0.5) * n_images / n_captions - 0.5)
            words = wrapped(caption, 42, most=4)
            axes.annotate(f"{number}", place, fontsize=10, fontweight="bold", va="center", annotation_clip=False)
            axes.annotate(
                words, place, (18, 0), "data", "offset points", fontsize=8.5, va="center", annotation_clip=False
            )
    if images is not None:
        axes.set(yticks=[])
        axes.yaxis.labelpad = 58
        for place, image in enumerate(images):
            thumbnail = OffsetImage(image.permute(1, 2, 0).numpy(), zoom=50 / image.shape[1], interpolation="bicubic")
            beside = {"xybox": (-30, 0), "boxcoords": "offset points", "frameon": False}
            axes.add_artist(AnnotationBbox(thumbnail, (-0.5, place), **beside))
    positives = scores[image_of, range(n_captions)]  # [n_captions]
    best = ((scores >= positives).sum(0) == 1).sum().item()  # a tie is no win
    n_queries = counted(n_captions, "caption")
    listed = " ".join(f"{number}: {caption}" for number, caption in enumerate(captions or ()))
    return described(
        drawn,
        f"A matrix of scores from {low:.2f} to {high:.2f}, {counted(n_images, 'image')} by {n_queries}. "
        f"{best} of {n_queries} score{'s' if n_captions == 1 else ''} the right image highest. {listed}".strip(),
    )


def _write_numbers(axes: Axes, scores: Tensor, low: float, high: float) -> None:
    for row, line in enumerate(scores.tolist()):
        for column, value in enumerate(line):
            ink = "w" if high > low and value > low + 0.55 * (high - low) else INK
            axes.text(column, row, f"{value:z.2f}", ha="center", va="center", fontsize=8.5, color=ink)
