"""Chapter 01's figures of hidden kinds: how often each gets its name, and what its word and its pictures resemble."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import LongTensor, Tensor

from itm_tutorial.chapters.ch01_devise.word_figures import group_of
from itm_tutorial.data.corpus import ClassTree, Split
from itm_tutorial.data.word_vectors import WordVectors
from itm_tutorial.show.canvas import BLUE, GREEN, GREY, INK, PALE, axes_of, counted, described, new_figure


def label_mark(label: str, correct: str, classes: ClassTree) -> tuple[str, str, str]:
    """Mark, colour and font weight of a label: a tick for the correct one, a tilde for another of its family."""
    if label == correct:
        return "✓", GREEN, "bold"
    if group_of(classes, label)[0] == group_of(classes, correct)[0]:
        return "~", BLUE, "normal"
    return "", INK, "normal"


def predicted_kinds(
    scores: Tensor, identity: LongTensor, classes: ClassTree, among: LongTensor, axes: Axes | None = None
) -> Figure | Axes:
    """Draws, for each kind, the share of its pictures that get its name, and their most frequent wrong name.

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
    axes.text(
        114,
        len(rows) - 0.3,
        "most frequent wrong name (~: same family)",
        ha="left",
        va="bottom",
        fontsize=8.5,
        color=INK,
    )
    axes.set_yticks(range(len(rows)), [classes.names[c] for _, c, _, _ in rows], fontsize=9)
    axes.set(xlim=(0, 165), xticks=range(0, 101, 20), ylim=(-0.6, len(rows) + 0.6))
    axes.set_xlabel("pictures of the kind that get its name, in percent", x=0.31)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_bounds(0, 100)
    axes.tick_params(axis="y", length=0)
    return described(
        drawn,
        f"Bars of {len(rows)} kinds: the share of its pictures that get its name, where guessing gives {chance:.1f} %, "
        f"and the most frequent wrong name, with a tilde where it is of the same family. {'; '.join(reversed(parts))}.",
    )


def _family_mark(classes: ClassTree, a: int, b: int) -> str:
    return "~ " if group_of(classes, classes.names[a])[0] == group_of(classes, classes.names[b])[0] else "   "


def words_and_pictures(
    split: Split,
    kinds: Sequence[str],
    words: WordVectors,
    looks: Tensor,
    scores: Tensor,
    classes: ClassTree,
    k: int = 4,
    figure: Figure | None = None,
) -> Figure:
    """Compares what the word of a hidden kind is near in the text with what its pictures look like.

    One row per kind: a picture; the seen words nearest to its word; the labels that a classifier gives its pictures;
    the hidden labels that a model with a word space gives them.

    Args:
        split: pictures of hidden kinds.
        kinds: the hidden kinds, of which the split has a picture each.
        words: the word vectors.
        looks: scores of the classifier, [n_images, n_classes].
        scores: scores of the model with a word space, [n_images, n_classes].
        classes: the tree; in each list the correct label has a tick and another label of its family a tilde.
        k: labels per list.
        figure: drawn on; a new one by default.

    Returns:
        The figure; its alt text gives every list.
    """
    figure = figure or new_figure(10.8, 0.7 + 1.95 * len(kinds))
    grid = figure.subplots(len(kinds), 4, squeeze=False, width_ratios=(1, 1, 1, 1))
    titles = ("the text:\nnearest seen words (cosine)", "the classifier:\nits first label (% of pictures)",
              "DeViSE:\nfirst hidden label (% of pictures)")  # fmt: skip
    parts = []
    for row, kind in enumerate(kinds):
        shown = split.identity == classes.names.index(kind)  # [n_images]
        picture = grid[row, 0]
        picture.imshow(split.display(int(shown.nonzero()[0])).permute(1, 2, 0).numpy())
        picture.set(xticks=[], yticks=[])
        picture.set_title(f"{kind} (hidden), {counted(int(shown.sum()), 'picture')}", fontsize=9.5, color=INK)
        lists = (
            nearest_seen(kind, words, classes, k),
            first_labels(looks[shown], classes, k=k),
            first_labels(scores[shown], classes, classes.unseen_classes, k),
        )
        for column, (listed, title) in enumerate(zip(lists, titles, strict=True), start=1):
            _list(grid[row, column], listed, kind, classes, k, as_cosines=column == 1)
            grid[row, column].set_title(title if row == 0 else "", fontsize=9.5, color=INK)
        near, looks_like, named = (", ".join(f"{label} {value:.3g}" for label, value in listed) for listed in lists)
        parts.append(
            f"{kind}: nearest seen words by cosine {near}; the classifier says, in percent, {looks_like}; DeViSE says "
            f"{named}"
        )
    return described(
        figure, f"{len(kinds)} hidden kinds, each with a picture and three lists of labels. {'. '.join(parts)}."
    )


def shown_kinds(split: Split, wanted: Sequence[str], classes: ClassTree) -> list[str]:
    """The wanted kinds of which a split has a picture; if it has none of them, as many of the kinds that it shows."""
    shown = [classes.names[c] for c in split.identity.unique().tolist()]
    return [kind for kind in wanted if kind in shown] or shown[: len(wanted)]


def nearest_seen(kind: str, words: WordVectors, classes: ClassTree, k: int = 4) -> list[tuple[str, float]]:
    """The seen kinds whose words are nearest to the word of a kind, each with the cosine."""
    seen = [name for name in classes.names if name in classes.seen and name != kind]
    units = words.unit()
    cosines = units.matrix(seen) @ units.matrix([kind])[0]  # [n_seen]
    best = cosines.topk(min(k, len(seen)))
    return [(seen[j], value) for j, value in zip(best.indices.tolist(), best.values.tolist(), strict=True)]


def first_labels(
    scores: Tensor, classes: ClassTree, among: LongTensor | None = None, k: int = 4
) -> list[tuple[str, float]]:
    """The most frequent first labels of images, each with its share in percent.

    Args:
        scores: [n_images, n_classes].
        classes: the tree.
        among: int64 [n_candidates], the candidate classes; all of them by default.
        k: how many labels at most; labels that no image gets are left out.

    Returns:
        Pairs of a label and a percentage, the most frequent first.
    """
    candidates = torch.arange(len(classes.names)) if among is None else among
    counts = candidates[scores[:, candidates].argmax(1)].bincount(minlength=len(classes.names))
    best = counts.argsort(descending=True, stable=True)[:k].tolist()
    return [(classes.names[j], 100 * int(counts[j]) / len(scores)) for j in best if counts[j]]


def _list(axes: Axes, listed: list[tuple[str, float]], kind: str, classes: ClassTree, k: int, as_cosines: bool) -> None:
    """Draws labels with a bar each; a label of another family has a pale bar."""
    for y, (label, value) in enumerate(listed):
        mark, colour, weight = label_mark(label, kind, classes)
        axes.barh(y, value, 0.7, facecolor=PALE if colour == INK else colour, edgecolor=colour, linewidth=1.2)
        style = {"fontsize": 9, "va": "center", "color": colour, "fontweight": weight}
        axes.text(-0.03, y, f"{mark} {label}", ha="right", transform=axes.get_yaxis_transform(), **style)
        beside, written = (value + 0.02, f"{value:.2f}") if as_cosines else (value + 2, f"{value:.0f}")
        axes.text(beside, y, written, fontsize=8.5, va="center", color=INK)
    axes.set(yticks=[], xticks=[], ylim=(k - 0.3, -0.7), xlim=(0, 1.15 if as_cosines else 115))
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.spines["left"].set_color(GREY)
