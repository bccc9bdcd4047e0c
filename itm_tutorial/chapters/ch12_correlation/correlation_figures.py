"""Correlation in pictures: canonical directions, noise by batch size, and the words of a sentence beside a mixture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from torch import Tensor

from itm_tutorial.chapters.ch12_correlation.measures.dcca import pearson
from itm_tutorial.encoders.fisher_vector import Mixture
from itm_tutorial.errors import ItmError
from itm_tutorial.show.canvas import ACCENT, BLUE, GREEN, GREY, INK, PALE, axes_of, described, new_figure

MARKS = ("o", "s", "^", "D", "v")  # lines differ in their marks, and not in colour alone
COLOURS = (BLUE, ACCENT, GREEN, INK, GREY)


def directions(images: Tensor, captions: Tensor, chosen: Sequence[int]) -> Figure:
    """Draws pairs of image and caption along some canonical directions, one panel each.

    Args:
        images: projections [n_pairs, n_directions] of the images.
        captions: [n_pairs, n_directions]; row i belongs to row i of ``images``.
        chosen: directions, counted from 0.

    Returns:
        The figure; its alt text gives the correlation along each direction.

    Raises:
        ItmError: other shapes on both sides, or no direction.
    """
    if images.shape != captions.shape or not chosen:
        shapes = f"{list(images.shape)} and {list(captions.shape)}"
        raise ItmError(f"directions: projections {shapes}; give the same shape, and one or more directions")
    figure, told = new_figure(3.1 * len(chosen), 3.6), []
    r = pearson(images, captions)
    for axes, k in zip(figure.subplots(1, len(chosen), squeeze=False)[0], chosen, strict=True):
        x, y = ((side[:, k] - side[:, k].mean()) / side[:, k].std() for side in (images, captions))
        axes.plot([-3, 3], [-3, 3], color=GREY, linewidth=1, linestyle="--", zorder=1)
        axes.scatter(x, y, s=8, color=BLUE, alpha=0.45, linewidth=0, zorder=2)
        axes.set(xlim=(-3.4, 3.4), ylim=(-3.4, 3.4), box_aspect=1, xticks=(-2, 0, 2), yticks=(-2, 0, 2))
        axes.set_title(f"direction {k + 1}: r = {r[k].item():z.2f}", fontsize=11, color=INK)
        axes.set_xlabel("image", fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
        told.append(f"direction {k + 1}: {r[k].item():z.2f}")
    figure.axes[0].set_ylabel("caption", fontsize=10)
    alt = f"{len(images)} pairs of image and caption along canonical directions; correlation by direction: "
    return described(figure, f"{alt}{', '.join(told)}.")


def correlation_by_batch(
    curves: Mapping[str, Sequence[Mapping[str, float]]], dim: int, axes: Axes | None = None
) -> Figure | Axes:
    """Draws the total correlation by batch size, with the largest possible one.

    Args:
        curves: name -> rows with ``batch`` and ``correlation``.
        dim: numbers per row of either view.
        axes: drawn on; a new figure by default.

    Returns:
        The figure, or the axes; the alt text gives the first and the last value of each curve.

    Raises:
        ItmError: no curve, or one without a row.
    """
    if not curves or not all(curves.values()):
        raise ItmError(f"correlation_by_batch: give one or more rows for each of {list(curves)}")
    axes, drawn = axes_of(axes, 6.4, 3.6)
    batches = sorted({row["batch"] for rows in curves.values() for row in rows})
    fine = [batches[0] + (batches[-1] - batches[0]) * (i / 200) ** 3 for i in range(201)]
    axes.plot(fine, [min(n - 1, dim) for n in fine], color=GREY, linestyle="--", linewidth=1.2)
    axes.text(batches[-1], dim * 1.02, "largest possible", ha="right", va="bottom", fontsize=9.5, color=INK)
    axes.axvline(dim + 1, color=GREY, linestyle=":", linewidth=1.2)
    axes.text((dim + 1) * 1.04, 0.3, f"{dim + 1} pairs", fontsize=9.5, color=INK, va="bottom")
    told = []
    for (name, rows), colour, mark in zip(curves.items(), COLOURS, MARKS, strict=False):
        x, y = [row["batch"] for row in rows], [row["correlation"] for row in rows]
        axes.plot(x, y, color=colour, marker=mark, markersize=5, linewidth=1.8, label=name)
        told.append(f"{name}: {y[0]:.1f} with {x[0]:.0f} pairs, {y[-1]:.1f} with {x[-1]:.0f}")
    axes.set_xscale("log")
    axes.set_xticks(batches, [f"{n:.0f}" for n in batches])
    axes.set_xticks([], minor=True)
    axes.set(ylim=(0, dim * 1.14))
    axes.set_xlabel("pairs in the batch", fontsize=10)
    axes.set_ylabel("total correlation", fontsize=10)
    axes.legend(fontsize=9.5, loc="lower right", bbox_to_anchor=(1, 0.36), frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return described(
        drawn,
        f"Total correlation by batch size; at most {dim} is possible, from {dim + 1} pairs on. {'; '.join(told)}.",
    )


def spectrum(found: Mapping[str, Mapping[str, Tensor]], axes: Axes | None = None) -> Figure | Axes:
    """Draws the correlation along each canonical direction, of training pairs (open marks) and of test pairs.

    Args:
        found: model -> "train" and "test" -> correlations [n_directions].
        axes: drawn on; a new figure by default.

    Returns:
        The figure, or the axes; the alt text gives the sums.

    Raises:
        ItmError: no model.
    """
    if not found:
        raise ItmError("spectrum: give the correlations of one or more models")
    axes, drawn = axes_of(axes, 6.4, 3.5)
    told = []
    for (name, parts), colour, mark in zip(found.items(), COLOURS, MARKS, strict=False):
        for part, line, face in (("train", ":", "white"), ("test", "-", colour)):
            values = parts[part].tolist()
            axes.plot(range(1, len(values) + 1), values, color=colour, linestyle=line, linewidth=1.5, marker=mark,
                      markersize=4.5, markerfacecolor=face, label=f"{name}, {part}: sum {sum(values):.1f}")  # fmt: skip
        told.append(
            f"{name}: sum {parts['train'].sum().item():.1f} in training, {parts['test'].sum().item():.1f} in test"
        )
    axes.set(ylim=(min(0.0, axes.get_ylim()[0]), 1.05))
    axes.set_xlabel("canonical direction", fontsize=10)
    axes.set_ylabel("correlation", fontsize=10)
    axes.legend(fontsize=9, frameon=False, loc="upper right", ncols=len(found))
    axes.spines[["top", "right"]].set_visible(False)
    return described(drawn, f"Correlation along each canonical direction. {'; '.join(told)}.")


def shift(
    words: Mapping[str, Tensor], sentence: Sequence[str], mixture: Mixture, gradient: Tensor, axes: Axes | None = None
) -> Figure | Axes:
    """Draws word vectors in the plane, the mixture that explains them, and how a sentence would move its means.

    Args:
        words: word -> [2].
        sentence: words of the sentence; each is a key of ``words``.
        mixture: of two dimensions; its ellipses are two standard deviations wide on each side.
        gradient: [n_components, 2], the half of the means of the sentence's Fisher vector: an arrow each.
        axes: drawn on; a new figure by default.

    Returns:
        The figure, or the axes; the alt text gives the component with the longest arrow.

    Raises:
        ItmError: a word of the sentence without a vector, or anything that is not of two dimensions.
    """
    missing = [word for word in sentence if word not in words]
    if missing or not sentence:
        raise ItmError(f"shift: the sentence has no word with a vector, or words without one: {missing}")
    if mixture.locations.shape != gradient.shape or gradient.shape[1:] != (2,):
        shapes = f"{list(mixture.locations.shape)} and {list(gradient.shape)}"
        raise ItmError(f"shift: means and gradient are {shapes}; both must be [n_components, 2]")
    axes, drawn = axes_of(axes, 7.2, 5.0)
    places = torch.stack(list(words.values()))
    axes.scatter(*places.T, s=10, color=GREY, alpha=0.5, linewidth=0, zorder=1)
    longest = gradient.norm(dim=1).max().clamp(min=1e-9)
    reach = 0.28 * (places.amax(0) - places.amin(0)).max() / longest
    for k, (place, scale, arrow) in enumerate(zip(mixture.locations, mixture.scales, gradient, strict=True), start=1):
        axes.add_patch(Ellipse(place.tolist(), *(4 * scale).tolist(), facecolor=PALE, edgecolor=INK, alpha=0.45,
                               linewidth=1.2, zorder=0))  # fmt: skip
        (x, y), (u, v) = place.tolist(), (place + reach * arrow).tolist()
        axes.annotate("", (u, v), (x, y), annotation_clip=False, zorder=4,
                      arrowprops={"arrowstyle": "-|>", "color": ACCENT, "linewidth": 2.2})  # fmt: skip
        axes.update_datalim([(u, v)])  # so that the tip is inside
        axes.text(x, y, str(k), fontsize=11, fontweight="bold", ha="center", va="center", color=INK, zorder=5,
                  bbox={"boxstyle": "circle,pad=0.2", "facecolor": "white", "edgecolor": INK})  # fmt: skip
    side = {word: 1 if i % 2 else -1 for i, word in enumerate(sorted(set(sentence), key=lambda w: words[w][1].item()))}
    for word, to in side.items():
        x, y = words[word].tolist()
        axes.scatter([x], [y], s=46, marker="D", color=BLUE, edgecolor="white", zorder=3)
        axes.annotate(word, (x, y), (7 * to, 3), textcoords="offset points", fontsize=10, color=BLUE, zorder=6,
                      ha="left" if to > 0 else "right")  # fmt: skip
    axes.autoscale_view()
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    most = int(gradient.norm(dim=1).argmax())
    angle = math.degrees(math.atan2(gradient[most, 1].item(), gradient[most, 0].item()))
    return described(
        drawn,
        f"{len(words)} word vectors in two dimensions, the ellipses of {len(gradient)} Gaussians, and an arrow each: "
        f"where {len(side)} words of a sentence would move its mean. The arrow of component {most + 1} is the longest, "
        f"at an angle of {angle:.0f} degrees.",
    )
