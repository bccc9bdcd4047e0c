"""Chapter 01's figures of labels: hierarchical precision, the labels of one picture over epochs, and hubs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import LongTensor, Tensor

from itm_tutorial.chapters.ch01_devise.kind_figures import label_mark
from itm_tutorial.data.corpus import ClassTree, Split
from itm_tutorial.show.canvas import ACCENT, BLUE, GREEN, GREY, INK, PALE, described, new_figure

STYLES = ((BLUE, "o", "-"), (ACCENT, "s", "--"), (GREEN, "^", "-."), (INK, "D", ":"), (BLUE, "v", ":"))
GUESSING = "guessing"  # a curve of this name is drawn as the baseline


def precision_curves(
    panels: Mapping[str, Mapping[str, Sequence[float]]], ks: Sequence[int], figure: Figure | None = None
) -> Figure:
    """Draws hierarchical precision over the number of guesses: one panel per set of pictures, one curve per model.

    Args:
        panels: title of a panel -> name of a model -> percent, one number for each of ``ks``; a model named
            "guessing" is drawn as the baseline.
        ks: the numbers of guesses.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text gives both ends of every curve.
    """
    figure = figure or new_figure(4.9 * len(panels), 3.6)
    parts = []
    places = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (title, curves) in zip(places, panels.items(), strict=True):
        styles = iter(STYLES)
        for name, values in curves.items():
            colour, marker, line = (GREY, None, (0, (1, 2))) if name == GUESSING else next(styles)
            axes.plot(ks, values, color=colour, marker=marker, linestyle=line, markersize=6, linewidth=2, label=name)
            parts.append(f"{title}, {name}: {values[0]:.0f} to {values[-1]:.0f}")
        axes.set_title(title, fontsize=10, color=INK)
        axes.set(
            xticks=list(ks),
            ylim=(0, 102),
            xlabel="k, the number of guesses",
            ylabel="hierarchical precision@k, in percent" if axes is places[0] else "",
        )
        axes.spines[["top", "right"]].set_visible(False)
    names = len(next(iter(panels.values())))
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=names, frameon=False, fontsize=9)
    return described(
        figure,
        f"Hierarchical precision at {ks[0]} to {ks[-1]} guesses, in percent, {len(panels)} panels of {names} curves. "
        f"{'; '.join(parts)}.",
    )


def labels_over_epochs(
    split: Split,
    image: int,
    by_epoch: Sequence[Tensor],
    classes: ClassTree,
    epoch: int | None = None,
    k: int = 6,
    figure: Figure | None = None,
) -> Figure:
    """Draws a picture, how far its first labels are ahead of the correct one, and the ranks of labels over epochs.

    Args:
        split: where the picture is from.
        image: its index.
        by_epoch: scores of the split's images, [n_images, n_classes], before training and after each epoch.
        classes: the tree.
        epoch: whose labels are listed, 0 for those before training; the last by default.
        k: the number of labels that are listed, and whose ranks are drawn.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text gives the first label after every epoch, and how far it is ahead.
    """
    epoch = len(by_epoch) - 1 if epoch is None else epoch
    figure = figure or new_figure(10.8, 3.4)
    picture, bars, curves = figure.subplots(1, 3, width_ratios=(1, 1.25, 1.9))
    c = int(split.identity[image])
    correct = classes.names[c]
    picture.imshow(split.display(image).permute(1, 2, 0).numpy())
    picture.set(xticks=[], yticks=[])
    picture.set_title(f"{correct}{'' if correct in classes.seen else ' (hidden)'}", fontsize=10, color=INK)
    ranks = torch.stack([_ranks(scores[image]) for scores in by_epoch])  # [n_epochs + 1, n_classes], from 1
    gaps = torch.stack([scores[image] - scores[image, c] for scores in by_epoch])  # [n_epochs + 1, n_classes]
    _bars(bars, gaps[epoch], c, classes, k)
    bars.set_xlim(*_limits(gaps, k))
    bars.set_title(_moment(epoch), fontsize=10, color=INK)
    _draw_ranks(curves, ranks, c, classes, epoch, k)
    firsts = ", ".join(classes.names[int(row.argmin())] for row in ranks)
    first, ahead = classes.names[int(ranks[epoch].argmin())], gaps[epoch].max().item()
    return described(
        figure,
        f"A picture of {correct}. The first label before training and after each of {len(by_epoch) - 1} epochs: "
        f"{firsts}. {correct} goes from rank {int(ranks[0, c])} to {int(ranks[-1, c])} of {len(classes.names)}; "
        f"{_moment(epoch)} its rank is {int(ranks[epoch, c])}, and the first label, {first}, scores {ahead:.2f} more.",
    )


def _moment(epoch: int) -> str:
    return f"after epoch {epoch}" if epoch else "before training"


def _ranks(scores: Tensor) -> Tensor:
    """Scores [n_classes] -> the rank of each class, from 1."""
    return scores.argsort(descending=True, stable=True).argsort() + 1


def _limits(gaps: Tensor, k: int) -> tuple[float, float]:
    """The same limits for every epoch, so that bars of two epochs can be compared."""
    listed = gaps.topk(min(k, gaps.shape[1]), dim=1).values
    low, high = min(0.0, listed.min().item()), max(0.0, listed.max().item())
    room = 0.05 * max(high - low, 1e-3)
    return low - room, high + room


def _bars(axes: Axes, gaps: Tensor, c: int, classes: ClassTree, k: int) -> None:
    """Draws how far each of the first k labels is ahead of the correct one, which comes last if it is behind them."""
    listed = gaps.topk(min(k, len(gaps))).indices.tolist()
    listed += [] if c in listed else [c]
    rank = int(_ranks(gaps)[c])
    for y, j in enumerate(listed):
        label = classes.names[j]
        mark, colour, weight = label_mark(label, classes.names[c], classes)
        hidden = label not in classes.seen
        style = {"facecolor": "w" if hidden else PALE, "edgecolor": colour, "hatch": "///" if hidden else None}
        axes.barh(y, gaps[j].item(), 0.7, linewidth=1.2, **style)
        written = f"{mark} {label}{f' (rank {rank})' if j == c and rank > k else ''}"
        axes.text(-0.03, y, written, color=colour, fontweight=weight, fontsize=9, ha="right", va="center",
                  transform=axes.get_yaxis_transform())  # fmt: skip
    axes.axvline(0, color=GREEN, linewidth=1.5)
    axes.set(yticks=[], ylim=(k + 0.6, -0.6))
    axes.set_xlabel(f"score minus the score of {classes.names[c]}\n(hatched: hidden label)", fontsize=8.5)
    axes.tick_params(axis="x", labelsize=8)
    axes.locator_params(axis="x", nbins=4)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _draw_ranks(axes: Axes, ranks: Tensor, c: int, classes: ClassTree, epoch: int, k: int) -> None:
    """Draws one line per label: those that end among the first k, and the correct one."""
    last, n_classes = ranks.shape[0] - 1, ranks.shape[1]
    drawn = sorted({*ranks[-1].argsort()[:k].tolist(), c}, key=lambda j: int(ranks[-1, j]))
    heights = _spread([float(ranks[-1, j]) for j in drawn], n_classes)
    for j, height in zip(drawn, heights, strict=True):
        _, colour, weight = label_mark(classes.names[j], classes.names[c], classes)
        wide = {"linewidth": 3, "marker": "o", "zorder": 3} if j == c else {"linewidth": 1.3, "marker": "."}
        axes.plot(ranks[:, j].tolist(), color=GREY if colour == INK else colour, clip_on=False, **wide)
        axes.text(1.03 * last + 0.15, height, f"{int(ranks[-1, j])} {classes.names[j]}", va="center", fontsize=8.5,
                  color=colour, fontweight=weight)  # fmt: skip
    axes.axvline(epoch, color=GREY, linestyle="--", linewidth=1.2)
    axes.set_yscale("log")
    axes.set(xlim=(-0.1, last * 1.35 + 0.3), ylim=(1.06 * n_classes, 0.9), xlabel="epoch (0: untrained)")
    axes.set_xticks(range(last + 1))
    ticks = [rank for rank in (1, 2, 3, 5, 10, 20, 40) if rank < 0.7 * n_classes] + [n_classes]
    axes.set_yticks(ticks, [str(tick) for tick in ticks])
    axes.set_yticks([], minor=True)
    axes.set_ylabel("rank among all labels (log scale)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines["bottom"].set_bounds(0, last)


def _spread(ranks: Sequence[float], n_classes: int) -> list[float]:
    """Heights of names on a logarithmic axis: at their ranks, or lower where two names would overlap."""
    step, heights = n_classes**0.065, []
    for rank in ranks:
        heights.append(max(rank, heights[-1] * step) if heights else rank)
    return heights


def hubs(
    counts: Mapping[str, LongTensor],
    names: Sequence[str],
    lengths: Tensor,
    columns: int = 3,
    figure: Figure | None = None,
) -> Figure:
    """Draws how many pictures name each label first, over the length of its raw word vector: one panel per method.

    Every panel has a scale of its own. Without hubs all points are near the dashed line, which is the mean.

    Args:
        counts: name of a method -> int64 [n_labels], as ``k_occurrence`` returns it.
        names: of the labels.
        lengths: float [n_labels], of their raw word vectors.
        columns: panels side by side.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text gives the largest count of each panel, the labels that no picture names, and the
        correlation of count and length.
    """
    rows = -(-len(counts) // columns)
    figure = figure or new_figure(3.6 * columns, 0.5 + 2.3 * rows)
    grid = figure.subplots(rows, columns, squeeze=False)
    parts = []
    for place, (axes, (method, n)) in enumerate(zip(grid.flat, counts.items(), strict=False)):
        never, r = int((n == 0).sum()), correlation(lengths, n)
        axes.plot(lengths.tolist(), n.tolist(), "o", color=BLUE, markersize=6, alpha=0.75, linestyle="none")
        axes.axhline(float(n.float().mean()), color=ACCENT, linestyle="--", linewidth=1.5)
        _name_largest(axes, lengths, n, names)
        written = "" if r is None else f", r = {r:+.2f}"
        axes.set_title(f"{method}\nnever named: {never}{written}", fontsize=9.5, color=INK)
        axes.set(ylim=(-0.06 * int(n.max()) - 0.5, 1.28 * int(n.max()) + 0.5), xlim=_room(lengths))
        axes.tick_params(labelsize=8)
        axes.locator_params(axis="x", nbins=5)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_ylabel("pictures, N₁" if place % columns == 0 else "", fontsize=9)
        parts.append(f"{method}: most {int(n.max())} ({names[int(n.argmax())]}), {never} never named{written}")
    for axes in list(grid.flat)[len(counts) :]:
        axes.axis("off")
    figure.supxlabel("length of the label's raw word vector", fontsize=9, color=INK)
    mean = float(next(iter(counts.values())).float().mean())
    return described(
        figure,
        f"How many pictures name each of {len(names)} labels first, over the length of its raw word vector, "
        f"{float(lengths.min()):.1f} to {float(lengths.max()):.1f}; {len(counts)} panels. The mean is {mean:.0f}, a "
        f"dashed line; r is the correlation of count and length. {'; '.join(parts)}.",
    )


def correlation(lengths: Tensor, counts: Tensor) -> float | None:
    """Pearson's correlation of two lists of numbers, [n] and [n]; None where one of them does not vary."""
    both = torch.stack([lengths.double(), counts.double()])
    if len(lengths) < 3 or (both.std(1) < 1e-9).any():
        return None
    return torch.corrcoef(both)[0, 1].item()


def _room(lengths: Tensor) -> tuple[float, float]:
    low, high = float(lengths.min()), float(lengths.max())
    room = 0.12 * max(high - low, 1e-3)
    return low - room, high + room


def _name_largest(axes: Axes, lengths: Tensor, counts: LongTensor, names: Sequence[str]) -> None:
    """Writes the name of the label that most pictures name, and that of the second if it is clearly lower."""
    middle = (float(lengths.min()) + float(lengths.max())) / 2
    first, *others = counts.argsort(descending=True, stable=True)[:2].tolist()
    for j in [first] + [j for j in others if 0 < counts[j] < 0.85 * counts[first]]:
        x, n = float(lengths[j]), int(counts[j])
        side, shift = ("left", 5) if x <= middle else ("right", -5)
        axes.annotate(f"{names[j]} {n}", (x, n), xytext=(shift, 4), ha=side, va="bottom",
                      textcoords="offset points", fontsize=8.5, color=INK)  # fmt: skip
