"""Chapter 02's figures: which negatives a ranking loss uses, how training collapses, how the space forms."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.patches import Circle, Rectangle
from torch import Tensor

from itm_tutorial.data.corpus import Split
from itm_tutorial.losses.ranking import hinge_costs
from itm_tutorial.retrieval.search import Hits
from itm_tutorial.show.canvas import ACCENT, BLUE, GREEN, GREY, INK, axes_of, described, new_figure
from itm_tutorial.show.figures import ranked

LETTERS = "abcdefghijkl"
LINES = (  # of several runs: distinguished by dash and marker too
    {"color": ACCENT, "marker": "X", "linestyle": "-"},
    {"color": BLUE, "marker": "o", "linestyle": "-"},
    {"color": GREEN, "marker": "s", "linestyle": "--"},
    {"color": INK, "marker": "^", "linestyle": "-."},
    {"color": "#cc79a7", "marker": "D", "linestyle": ":"},
    {"color": GREY, "marker": "v", "linestyle": (0, (5, 1))},
)
PUBLISHED = {"Flickr8k": 6000, "Flickr30k": 29_000, "MSCOCO": 113_287}  # training images, five captions each


def hardest_negatives(
    scores: Tensor, images: Sequence[Tensor], captions: Sequence[str], margin: float = 0.2, figure: Figure | None = None
) -> Figure:
    """Draws the hinge of each negative pair of a small batch in both directions; the hardest negatives are ringed.

    Args:
        scores: [n_pairs, n_pairs], the positive pairs on the diagonal; at most 12.
        images: uint8 [3, H, W] each.
        captions: of the images.
        margin: of the hinge.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text counts the negative pairs with a hinge above 0.
    """
    n = len(scores)
    figure = figure or new_figure(11.4, 2.0 + 0.42 * n)
    left, right, text = figure.subplots(1, 3, width_ratios=(1, 1, 0.95))
    against_captions, against_images = hinge_costs(scores, torch.eye(n, dtype=torch.bool), margin)
    high = max(against_captions.max().item(), against_images.max().item())
    parts = []
    for axes, costs, title in (
        (left, against_captions, "row by row: picture → captions"),
        (right, against_images.T, "column by column: caption → pictures"),
    ):
        along = 1 if axes is left else 0
        _paint_costs(axes, costs, high, images)
        worst, place = costs.max(dim=along)
        for pair, (value, other) in enumerate(zip(worst.tolist(), place.tolist(), strict=True)):
            if value > 0:
                at = (other, pair) if along == 1 else (pair, other)
                axes.add_patch(Circle(at, 0.44, fill=False, edgecolor=ACCENT, linewidth=2.4))
        total = f"sum {costs.sum():.2f}, ringed {worst.sum():.2f}"
        axes.set_title(f"{title}\n{total}", fontsize=9.5, color=INK, pad=20)
        parts.append(f"{title}: {(costs > 0).sum()} of {n * n - n} negative pairs cost something, {total}")
    text.axis("off")
    text.set(xlim=(0, 0.95 * n), ylim=(n - 0.5, -0.5), aspect="equal")  # as large as the cells beside it
    for row, caption in enumerate(captions):
        line = f"{LETTERS[row]}  " + textwrap.fill(textwrap.shorten(caption, 92, placeholder=" …"), 44)
        text.text(0, row, line.replace("\n", "\n    "), va="center", fontsize=8, color=INK)
    listed = " ".join(f"{LETTERS[row]}: {caption}" for row, caption in enumerate(captions))
    return described(
        figure, f"Two matrices of hinges, {n} pictures by {n} captions, margin {margin}. {'; '.join(parts)}. {listed}"
    )


def _paint_costs(axes: Axes, costs: Tensor, high: float, images: Sequence[Tensor]) -> None:
    n = len(costs)
    axes.imshow(costs.numpy(), cmap="Greys", vmin=0, vmax=1.6 * high or 1)
    for row, line in enumerate(costs.tolist()):
        axes.add_patch(Rectangle((row - 0.5, row - 0.5), 1, 1, facecolor="w", edgecolor=GREEN, linewidth=2))
        for column, value in enumerate(line):
            text = "✓" if row == column else f"{value:.2f}" if value else "0"
            colour = GREEN if row == column else INK if value else GREY
            axes.text(column, row, text, ha="center", va="center", fontsize=8.5, color=colour)
    axes.xaxis.tick_top()
    axes.set_xticks(range(n), LETTERS[:n], fontsize=9)
    axes.set_yticks([])
    axes.tick_params(length=0)
    for row, image in enumerate(images):
        thumbnail = OffsetImage(image.permute(1, 2, 0).numpy(), zoom=28 / image.shape[1], interpolation="bicubic")
        beside = {"xybox": (-17, 0), "boxcoords": "offset points", "frameon": False}
        axes.add_artist(AnnotationBbox(thumbnail, (-0.5, row), **beside))


def gradients(by_loss: Mapping[str, Tensor], figure: Figure | None = None) -> Figure:
    """Draws how hard each loss pushes on each score of one batch, one matrix per loss; darker is harder.

    Each matrix has its own grey scale, from 0 to its hardest push on a negative pair.

    Args:
        by_loss: name -> gradient of the loss with respect to the scores, [n_pairs, n_pairs], positive pairs on the
            diagonal. Positive: the step lowers this score.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text counts the negative scores that are pushed down, and those that get half of the push.
    """
    figure = figure or new_figure(2.95 * len(by_loss), 3.7)
    parts = []
    for axes, (name, gradient) in zip(figure.subplots(1, len(by_loss), squeeze=False)[0], by_loss.items(), strict=True):
        n = len(gradient)
        negatives = gradient.clone().fill_diagonal_(0)
        pushed, half = int((negatives > 0).sum()), holding_half(negatives)
        axes.imshow(negatives.clamp(min=0).numpy(), cmap="Greys", vmin=0, vmax=max(negatives.max().item(), 1e-9))
        for pair in range(n):
            axes.add_patch(Rectangle((pair - 0.5, pair - 0.5), 1, 1, facecolor=GREEN, edgecolor="none"))
        axes.set(xticks=[], yticks=[], xlabel="captions")
        title = f"{name}: pushes {pushed} of {n * n - n}\nhalf of the push falls on {half}"
        axes.set_title(title, fontsize=9.5, color=INK)
        parts.append(
            f"{name}: {pushed} of {n * n - n} negative scores are pushed down, half of the push falls on {half}"
        )
    figure.axes[0].set_ylabel("pictures")
    figure.supxlabel(
        "grey: a negative pair that is pushed down, darker is harder; green: the positive pairs", fontsize=9
    )
    return described(figure, f"Gradients of {len(by_loss)} losses on the scores of one batch. {'. '.join(parts)}.")


def holding_half(pushes: Tensor) -> int:
    """The smallest number of entries above zero that hold half of their total; 0 where there is none."""
    sizes = pushes.clamp(min=0).flatten().double().sort(descending=True).values
    if not sizes.sum() > 0:
        return 0
    return int((sizes.cumsum(0) < sizes.sum() / 2 - 1e-9).sum()) + 1


def rsum_by_batch_size(rsums: Mapping[str, Mapping[int, float]], axes: Axes | None = None) -> Figure | Axes:
    """Draws rsum against batch size, one line per loss, with the lead of the last loss over the first.

    Args:
        rsums: name of the loss -> batch size -> rsum; two losses or more.
        axes: drawn on; a new figure by default.

    Returns:
        The axes it was given, or else the new figure.
    """
    axes, drawn = axes_of(axes, 7.2, 3.5)
    for (name, by_size), style in zip(rsums.items(), LINES, strict=False):
        axes.plot(list(by_size), list(by_size.values()), label=name, markersize=8, linewidth=2, **style)
    sizes = list(next(iter(rsums.values())))
    first, *_, last = rsums.values()
    for size in sizes:
        words, middle = f"{last[size] - first[size]:+.0f}", (last[size] + first[size]) / 2
        axes.plot([size, size], [first[size], last[size]], color=GREY, linestyle=":", zorder=0)
        axes.annotate(words, (size, middle), (6, 0), textcoords="offset points", va="center", fontsize=9, color=INK)
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, map(str, sizes))
    axes.minorticks_off()
    axes.set(xlabel="pairs per batch", ylabel="rsum, of 600")
    axes.margins(x=0.08, y=0.18)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    listed = "; ".join(
        f"{name}: " + ", ".join(f"{value:.0f} at {size}" for size, value in by_size.items())
        for name, by_size in rsums.items()
    )
    return described(drawn, f"rsum against the pairs of a batch, for {len(rsums)} losses. {listed}.")


def collapse(
    runs: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    plateau: float,
    switches: Mapping[str, float] | None = None,
    figure: Figure | None = None,
) -> Figure:
    """Draws several runs: the loss of each step beside the value that equal embeddings give, and rsum per epoch.

    Args:
        runs: name -> (loss of every step, rsum of every epoch).
        plateau: 2 x pairs x margin.
        switches: name -> the fraction of the run after which its loss is the maximum alone.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text gives each run's last loss and last rsum.
    """
    switches = switches or {}
    figure = figure or new_figure(11, 4.1)
    left, right = figure.subplots(1, 2)
    left.axhline(plateau, color=INK, linestyle=":", linewidth=1.5)
    beside = {"transform": left.get_yaxis_transform(), "va": "center", "ha": "left", "fontsize": 9}
    left.text(1.01, plateau, f"{plateau:.1f}\n2 × pairs\n× margin", color=INK, **beside)
    parts = []
    for (name, (losses, rsums)), style in zip(runs.items(), LINES, strict=False):
        smooth = _smoothed(losses)
        steps = [len(losses) * (n + 1) / len(smooth) for n in range(len(smooth))]
        left.plot(steps, smooth, color=style["color"], linestyle=style["linestyle"], linewidth=1.8)
        right.plot(range(1, len(rsums) + 1), rsums, label=name, markersize=6, linewidth=1.8, **style)
        parts.append(f"{name}: loss {smooth[-1]:.1f}, rsum {rsums[-1]:.0f}")
        if name in switches:
            step = switches[name] * len(losses)
            parts[-1] += f", the maximum alone from step {step:.0f} on"
            left.axvline(step, color=style["color"], linestyle=style["linestyle"], linewidth=1, zorder=0)
            place = {"xycoords": left.get_xaxis_transform(), "textcoords": "offset points", "rotation": 90}
            words = {"va": "top", "ha": "left", "fontsize": 8.5, "color": INK}
            left.annotate(f"{name}: max only →", (step, 0.99), (2, 0), **place, **words)
    left.set(yscale="log", xlabel="step", ylabel="loss of the batch", title="training: loss per batch")
    ticks = [value for value in (10, 20, 50, 100, 200, 500, 1000, 2000, 5000) if _inside(value, left.get_ylim())]
    left.set_yticks(ticks, map(str, ticks))
    left.minorticks_off()
    right.set(xlabel="epoch", ylabel="rsum, of 600", title="validation: rsum", ylim=(0, None))
    right.xaxis.get_major_locator().set_params(integer=True)
    for axes in (left, right):
        axes.title.set(fontsize=10, color=INK)
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=len(runs), frameon=False)
    return described(
        figure,
        f"Loss by step and rsum by epoch of {len(runs)} runs; a dotted line marks {plateau:.1f}, the loss of equal "
        f"embeddings. At the end, {'; '.join(parts)}.",
    )


def _smoothed(losses: Sequence[float], wide: int = 10) -> list[float]:
    """Means over ten steps each, or over fewer in a short run."""
    wide = min(wide, max(1, len(losses) // 4))
    return [math.fsum(losses[n : n + wide]) / wide for n in range(0, len(losses) // wide * wide, wide)]


def _inside(value: float, ends: tuple[float, float]) -> bool:
    return ends[0] <= value <= ends[1]


def maps_by_epoch(snapshots: Mapping[str, tuple[Tensor, Tensor]], figure: Figure | None = None) -> Figure:
    """Draws pictures and captions at several moments of training, on the plane in which they spread most.

    The plane is spanned by the two main directions of the last moment, and is the same for all maps.

    Args:
        snapshots: what stands above a map -> (image embeddings, caption embeddings), unit vectors
            [n_pairs, dim] each; caption i belongs to image i.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text gives the mean cosine of positive pairs, and of each caption's hardest negative.
    """
    images, captions = list(snapshots.values())[-1]
    both = torch.cat([images, captions])
    plane = torch.linalg.svd(both - both.mean(0), full_matrices=False)[2][:2].T  # [dim, 2]
    drawn = [[embeddings @ plane for embeddings in pair] for pair in snapshots.values()]
    points = torch.cat([part for pair in drawn for part in pair])  # of all maps: they share their scale
    low, high = points.amin(0), points.amax(0)
    centre, reach = (low + high) / 2, 0.55 * (high - low).clamp(min=0.6 * float((high - low).max()))
    (left, bottom), (right, top) = (centre - reach).tolist(), (centre + reach).tolist()
    figure = figure or new_figure(3.7 * len(snapshots), 1.05 + 3.6 * float(reach[1] / reach[0]))
    parts = []
    for axes, (title, embeddings), (squares, dots) in zip(
        figure.subplots(1, len(snapshots), squeeze=False)[0], snapshots.items(), drawn, strict=True
    ):
        positive, hardest, found = cosines_of(*embeddings)
        n = len(embeddings[0])
        for a, b in zip(squares.tolist(), dots.tolist(), strict=True):
            axes.plot(*zip(a, b, strict=True), color=GREY, linewidth=0.8, zorder=1)
        axes.plot(*squares.T.tolist(), "s", color=BLUE, markersize=5, label="a picture", zorder=2)
        axes.plot(*dots.T.tolist(), "o", color=ACCENT, markersize=5, markerfacecolor="w", label="its caption", zorder=3)
        parts.append(
            f"{title}\ncosine: positive {positive:.2f}, hardest negative {hardest:.2f}\n"
            f"{found} of {n} captions nearest their own"
        )
        axes.set_title(parts[-1], fontsize=9.5, color=INK)
        axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", xticks=[], yticks=[])
        axes.spines[:].set_color(GREY)
    figure.axes[0].legend(loc="best", frameon=False, fontsize=9, labelcolor=INK)
    return described(
        figure,
        f"{len(snapshots)} maps of {len(images)} pictures, each tied to its caption. "
        f"{'. '.join(words.replace(chr(10), '; ') for words in parts)}.",
    )


def cosines_of(images: Tensor, captions: Tensor) -> tuple[float, float, int]:
    """Compares the positive pairs with the hardest negatives.

    Args:
        images, captions: unit vectors [n_pairs, dim]; caption i belongs to image i.

    Returns:
        The mean cosine of the positive pairs, that of each caption with its hardest negative image, and how many
        captions are nearest their own image.
    """
    cosines = images @ captions.T  # [n_pairs, n_pairs]
    n = len(cosines)
    hardest = (cosines - 3 * torch.eye(n)).amax(0)  # [n_captions]
    return cosines.diagonal().mean().item(), hardest.mean().item(), int((cosines.argmax(0) == torch.arange(n)).sum())


def before_and_after(
    split: Split, before: Hits, after: Hits, right: Sequence[int], columns: int = 6, figure: Figure | None = None
) -> Figure:
    """Draws the results of the same query before and after training, in two rows of pictures.

    Args:
        split: the split that was searched.
        before, after: the results of the search.
        right: indices of the correct images.
        columns: pictures per row, at most.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text is that of both rows.
    """
    figure = figure or new_figure(max(1.75 * min(columns, len(after.indices)), 4), 5.4)
    parts = []
    for part, (when, hits) in zip(
        figure.subfigures(2, 1, squeeze=False)[:, 0], {"before": before, "after": after}.items(), strict=True
    ):
        named = Hits(f"{when} training: {hits.query}", hits.indices, hits.scores)
        parts.append(ranked(split, named, right, columns, figure=part).alt_text)
    return described(figure, " ".join(parts))


def fraction_with_doubles(n_images: int, batch_size: int, captions_each: int = 5) -> float:
    """Computes the probability that a batch of shuffled captions holds two captions of one image.

    Args:
        n_images: of the training split.
        batch_size: captions per batch.
        captions_each: captions per image.

    Returns:
        From 0 to 1.
    """
    total, none = n_images * captions_each, 1.0
    for drawn in range(batch_size):  # images not drawn yet, with all their captions, of the captions that are left
        none *= max(0, n_images - drawn) * captions_each / (total - drawn) if total > drawn else 0.0
    return 1 - none


def doubles(
    measured: Mapping[str, tuple[int, float]], batch_size: int = 128, axes: Axes | None = None
) -> Figure | Axes:
    """Draws the fraction of batches that hold an image twice, by the size of the training split.

    Args:
        measured: name of the sampler -> (images of the split, fraction of its batches from 0 to 1).
        batch_size: captions per batch.
        axes: drawn on; a new figure by default.

    Returns:
        The axes it was given, or else the new figure.
    """
    axes, drawn = axes_of(axes, 8.6, 3.9)
    sizes = torch.logspace(math.log10(60), 5.3, 60).round().int().tolist()
    curve = [100 * fraction_with_doubles(n, batch_size) for n in sizes]
    axes.plot(sizes, curve, color=GREY, linewidth=2, label="shuffled captions, computed")
    parts = []
    for name, n in PUBLISHED.items():
        fraction = 100 * fraction_with_doubles(n, batch_size)
        parts.append(f"{name} {fraction:.0f} %")
        axes.plot(n, fraction, "o", color=INK, markersize=7)
        axes.annotate(parts[-1], (n, fraction), (7, 5), textcoords="offset points", fontsize=9, color=INK)
    for (name, (n, fraction)), style in zip(measured.items(), LINES, strict=False):
        point = {"color": style["color"], "marker": style["marker"], "markersize": 10, "linestyle": "none"}
        axes.plot(n, 100 * fraction, label=f"{name}, counted: {100 * fraction:.0f} %", **point)
        parts.append(f"{name} on {n} images, counted: {100 * fraction:.0f} %")
    axes.set(xscale="log", xlabel="training images, five captions each", ylim=(-4, 108))
    axes.set_ylabel(f"batches of {batch_size} with\nan image twice, in percent")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(0.55, 1.0))
    return described(
        drawn,
        f"Fraction of batches of {batch_size} captions that hold an image twice: {'; '.join(parts)}.",
    )
