"""Chapter 01's figures of results: which labels each model gives to pictures, also from epoch to epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import LongTensor, Tensor

from itm_tutorial.chapters.ch01_devise.word_figures import group_of
from itm_tutorial.data.corpus import ClassTree, Split
from itm_tutorial.show.canvas import ACCENT, BLUE, GREEN, GREY, INK, PALE, axes_of, described, new_figure

STYLES = ((BLUE, "o", "-"), (ACCENT, "s", "--"), (GREEN, "^", "-."), (INK, "D", ":"), (BLUE, "v", ":"))
GUESSING = "guessing"  # a curve of this name is drawn as the baseline


def predicted_labels(
    split: Split, images: Sequence[int], scores: Mapping[str, Tensor], classes: ClassTree, k: int = 5, figure=None
) -> Figure:
    """Draws a few pictures, and below each the first k labels of several models.

    Args:
        split: where the pictures are from.
        images: their indices.
        scores: name of a model -> [n_images, n_classes], of the whole split.
        classes: the tree; the correct label has a tick, another label of its family a tilde.
        k: labels per picture and model.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text gives every first label.
    """
    figure = figure or new_figure(1.75 * len(images), 1.95 + len(scores) * (0.35 + 0.185 * k))
    heights = [1.6] + [0.3 + 0.185 * k] * len(scores)
    grid = figure.subplots(1 + len(scores), len(images), squeeze=False, height_ratios=heights)
    first_labels = {name: [] for name in scores}
    for column, i in enumerate(images):
        correct = classes.names[int(split.identity[i])]
        grid[0, column].imshow(split.images[i].permute(1, 2, 0).numpy(), interpolation="bicubic")
        grid[0, column].set(xticks=[], yticks=[])
        hidden = "" if correct in classes.seen else " (never shown)"
        grid[0, column].set_title(f"{correct}{hidden}", fontsize=9, color=INK)
        for row, (name, of_model) in enumerate(scores.items(), start=1):
            predicted = [classes.names[j] for j in of_model[i].topk(min(k, len(classes.names))).indices.tolist()]
            _labels(grid[row, column], name if column == 0 else "", predicted, correct, classes)
            first_labels[name].append(predicted[0])
    shown = [classes.names[int(split.identity[i])] for i in images]
    listed = "; ".join(f"{name}: {', '.join(firsts)}" for name, firsts in first_labels.items())
    n = sum(name not in classes.seen for name in shown)
    return described(
        figure,
        f"{len(shown)} pictures, {n} of kinds that training never showed, with {k} labels per model. "
        f"They show: {', '.join(shown)}. The first labels are: {listed}.",
    )


def _labels(axes: Axes, name: str, predicted: list[str], correct: str, classes: ClassTree) -> None:
    """Writes a list of labels, best first, with the model's name above it at the left edge."""
    axes.axis("off")
    axes.set(xlim=(0, 1), ylim=(len(predicted) - 0.3, -1.2))
    axes.text(0, -0.95, name, fontsize=9, fontweight="bold", color=INK, ha="left", va="center")
    for place, label in enumerate(predicted):
        mark, colour, weight = _mark(label, correct, classes)
        style = {"fontsize": 9, "color": colour, "fontweight": weight, "va": "center"}
        axes.text(0.12, place, mark, ha="center", **style)
        axes.text(0.22, place, label, ha="left", **style)


def _mark(label: str, correct: str, classes: ClassTree) -> tuple[str, str, str]:
    """Mark, colour and font weight of a label: a tick for the correct one, a tilde for others of its family."""
    if label == correct:
        return "✓", GREEN, "bold"
    if group_of(classes, label)[0] == group_of(classes, correct)[0]:
        return "~", BLUE, "normal"
    return "", INK, "normal"


def precision_curves(
    panels: Mapping[str, Mapping[str, Sequence[float]]], ks: Sequence[int], figure: Figure | None = None
) -> Figure:
    """Draws hierarchical precision over the number of guesses: one panel per set of pictures, one curve per model.

    Args:
        panels: what stands above a panel -> name of a model -> percent, one for each of ``ks``; a model named
            "guessing" is drawn as the baseline.
        ks: how many guesses count.
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
            xlabel="k, how many guesses",
            ylabel="in percent" if axes is places[0] else "",
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


def predicted_kinds(
    scores: Tensor, identity: LongTensor, classes: ClassTree, among: LongTensor, axes: Axes | None = None
) -> Figure | Axes:
    """Draws, for each kind, how many of its pictures got its name, and their most frequent wrong name.

    Args:
        scores: [n_images, n_classes].
        identity: int64 [n_images].
        classes: the tree.
        among: int64 [n_candidates], the candidate classes.
        axes: drawn on; a new figure by default.

    Returns:
        The axes it was given, or else the new figure; the alt text lists all kinds.
    """
    predicted = among[scores[:, among].argmax(1)]  # [n_images]
    rows = []
    for c in among.tolist():
        named = predicted[identity == c]
        if len(named):
            others = named[named != c]
            usual = int(others.mode().values) if len(others) else None
            rows.append((100 * (named == c).float().mean().item(), c, usual, len(named)))
    rows.sort(key=lambda row: row[0])
    axes, drawn = axes_of(axes, 8.6, 0.9 + 0.27 * len(rows))
    parts, chance = [], 100 / len(among)
    for y, (recall, c, usual, n) in enumerate(rows):
        axes.barh(y, recall, 0.68, color=BLUE)
        beside = 1 + (recall if recall > chance else chance)  # off the dashed line
        axes.text(beside, y, f"{recall:.0f}", va="center", fontsize=8.5, color=INK)
        often = "" if usual is None else 100 * int((predicted[identity == c] == usual).sum()) / n
        mistake = "" if usual is None else f"{_family_mark(classes, c, usual)}{classes.names[usual]}, {often:.0f} %"
        axes.text(114, y, mistake, va="center", ha="left", fontsize=8.5, color=INK)
        parts.append(f"{classes.names[c]} {recall:.0f} %" + (f", else mostly {mistake.strip()}" if mistake else ""))
    axes.axvline(chance, color=GREY, linestyle="--", linewidth=1.5)
    axes.text(chance + 1, len(rows) - 0.3, f"guessing: {chance:.1f}", ha="left", va="bottom", fontsize=8.5, color=INK)
    axes.text(114, len(rows) - 0.3, "most frequent wrong name", ha="left", va="bottom", fontsize=8.5, color=INK)
    axes.set_yticks(range(len(rows)), [classes.names[c] for _, c, _, _ in rows], fontsize=9)
    axes.set(xlim=(0, 148), xticks=range(0, 101, 20), ylim=(-0.6, len(rows) + 0.6))
    axes.set_xlabel("pictures of a kind that got its name, in percent", x=0.34)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_bounds(0, 100)
    axes.tick_params(axis="y", length=0)
    return described(
        drawn,
        f"Bars of {len(rows)} kinds: how many of a kind's pictures got its name, where guessing gives {chance:.1f} %, "
        f"and the most frequent wrong name, with a tilde where it is of the same family. {'; '.join(reversed(parts))}.",
    )


def _family_mark(classes: ClassTree, a: int, b: int) -> str:
    return "~ " if group_of(classes, classes.names[a])[0] == group_of(classes, classes.names[b])[0] else "   "


def labels_over_epochs(
    split: Split,
    image: int,
    by_epoch: Sequence[Tensor],
    classes: ClassTree,
    epoch: int | None = None,
    k: int = 6,
    figure: Figure | None = None,
) -> Figure:
    """Draws a picture, its first labels after one epoch, and how the ranks of labels change from epoch to epoch.

    Args:
        split: where the picture is from.
        image: its index.
        by_epoch: scores of the split's images, [n_images, n_classes], before training and after each epoch.
        classes: the tree.
        epoch: whose labels are listed, 0 for those before training; the last by default.
        k: labels that are listed, and places that are drawn.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text gives the first label after every epoch.
    """
    epoch = len(by_epoch) - 1 if epoch is None else epoch
    figure = figure or new_figure(10.6, 3.3)
    picture, bars, curves = figure.subplots(1, 3, width_ratios=(1, 1.25, 1.9))
    c = int(split.identity[image])
    correct = classes.names[c]
    picture.imshow(split.images[image].permute(1, 2, 0).numpy(), interpolation="bicubic")
    picture.set(xticks=[], yticks=[])
    picture.set_title(f"{correct}{'' if correct in classes.seen else ' (never shown)'}", fontsize=10, color=INK)
    places = torch.stack([_places(scores[image]) for scores in by_epoch])  # [n_epochs + 1, n_classes], from 1
    _bars(bars, by_epoch[epoch][image], correct, classes, k)
    bars.set_title(_moment(epoch), fontsize=10, color=INK)
    _draw_ranks(curves, places, c, classes, epoch, k)
    firsts = ", ".join(classes.names[int(row.argmin())] for row in places)
    return described(
        figure,
        f"A picture of {correct}. The first label before training and after each of {len(by_epoch) - 1} epochs: "
        f"{firsts}. {correct} goes from place {int(places[0, c])} to {int(places[-1, c])} of {len(classes.names)}; "
        f"{_moment(epoch)} it is at place {int(places[epoch, c])}.",
    )


def _moment(epoch: int) -> str:
    return f"after epoch {epoch}" if epoch else "before training"


def _places(scores: Tensor) -> Tensor:
    """Scores [n_classes] -> the place of each class, from 1."""
    return scores.argsort(descending=True, stable=True).argsort() + 1


def _bars(axes: Axes, scores: Tensor, correct: str, classes: ClassTree, k: int) -> None:
    best = scores.topk(min(k, len(scores)))
    floor = scores.min().item()
    for y, (value, j) in enumerate(zip(best.values.tolist(), best.indices.tolist(), strict=True)):
        label = classes.names[j]
        mark, colour, weight = _mark(label, correct, classes)
        hidden = label not in classes.seen
        style = {"facecolor": "w" if hidden else PALE, "edgecolor": colour, "hatch": "///" if hidden else None}
        axes.barh(y, value - floor, 0.7, left=floor, linewidth=1.2, **style)
        axes.text(-0.03, y, f"{mark} {label}", color=colour, fontweight=weight, fontsize=9, ha="right", va="center",
                  transform=axes.get_yaxis_transform())  # fmt: skip
    axes.set(yticks=[], ylim=(k - 0.4, -0.6))
    axes.set_xlabel("score; hatched: never shown", fontsize=8.5)
    axes.tick_params(axis="x", labelsize=8)
    axes.locator_params(axis="x", nbins=4)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _draw_ranks(axes: Axes, places: Tensor, c: int, classes: ClassTree, epoch: int, k: int) -> None:
    """Draws one line per label: those that end among the first k, and the correct one wherever it stands."""
    last = len(places) - 1
    for j in sorted({*places[-1].argsort()[:k].tolist(), c}, key=lambda j: j == c):
        _, colour, weight = _mark(classes.names[j], classes.names[c], classes)
        wide = {"linewidth": 3, "marker": "o", "zorder": 3} if j == c else {"linewidth": 1.3, "marker": "."}
        line = GREY if colour == INK else colour
        axes.plot(places[:, j].clamp(max=k + 1).tolist(), color=line, clip_on=False, **wide)
        end = int(places[-1, j])
        if end <= k or j == c:
            axes.text(last + 0.15, min(end, k + 1), f"{classes.names[j]}{f' ({end})' if end > k else ''}", va="center",
                      fontsize=9, color=colour, fontweight=weight)  # fmt: skip
    axes.axvline(epoch, color=GREY, linestyle="--", linewidth=1.2)
    axes.set(xlim=(-0.1, last * 1.35 + 0.3), ylim=(k + 1.4, 0.6), xticks=range(last + 1), xlabel="epoch (0: untrained)")
    axes.set_yticks(range(1, k + 2), [*map(str, range(1, k + 1)), f"> {k}"])
    axes.set_ylabel("place among all labels")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines["bottom"].set_bounds(0, last)


def hubs(
    counts: Mapping[str, LongTensor], names: Sequence[str], lengths: Tensor, figure: Figure | None = None
) -> Figure:
    """Draws how many pictures named each label first, one panel per model; without hubs all bars are about equal.

    Args:
        counts: name of a model -> int64 [n_labels], what ``k_occurrence`` returned.
        names: of the labels.
        lengths: float [n_labels], of their raw word vectors; the shortest stands at the top.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text gives the largest of each panel and how many labels were never named.
    """
    order = lengths.argsort(descending=True, stable=True).tolist()  # drawn from below
    figure = figure or new_figure(10.6, 1.1 + 0.21 * len(names))
    panels = figure.subplots(1, len(counts), sharey=True, squeeze=False).flat
    most = max(int(n.max()) for n in counts.values())
    parts = []
    for axes, (model, n) in zip(panels, counts.items(), strict=True):
        mean = float(n.float().mean())
        axes.barh(range(len(order)), n[order].tolist(), 0.72, color=BLUE)
        axes.axvline(mean, color=ACCENT, linestyle="--", linewidth=1.5)
        axes.set_title(f"{model}\nmost {int(n.max())}, never {int((n == 0).sum())}", fontsize=9.5, color=INK)
        axes.set(xlim=(0, 1.03 * most), ylim=(-0.6, len(order) - 0.4))
        axes.set_xlabel("pictures", fontsize=8.5)
        axes.tick_params(axis="y", length=0, labelsize=8)
        axes.tick_params(axis="x", labelsize=8)
        axes.locator_params(axis="x", nbins=4)
        axes.spines[["top", "right", "left"]].set_visible(False)
        first = names[int(n.argmax())]
        parts.append(f"{model}: most {int(n.max())} ({first}), {int((n == 0).sum())} never named")
    panels[0].set_yticks(range(len(order)), [f"{names[i]}  {lengths[i]:.1f}" for i in order])
    panels[0].set_ylabel("label, and length\nof its raw vector", fontsize=9)
    return described(
        figure,
        f"How many pictures named each of {len(names)} labels first, {len(counts)} panels; the mean is {mean:.0f}, "
        f"a dashed line. Labels are ordered by the length of their vectors, {float(lengths.min()):.1f} to "
        f"{float(lengths.max()):.1f}, the shortest at the top. {'; '.join(parts)}.",
    )
