"""What the chapter's models give: zero-shot guesses, the weights of generalised pooling, errors that are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from itm_tutorial.chapters.ch21_after_2020.live import FalseError
from itm_tutorial.data.corpus import Split
from itm_tutorial.encoders.pooling import GeneralizedPooling
from itm_tutorial.errors import ItmError
from itm_tutorial.show.attention_drawing import show_pixels
from itm_tutorial.show.canvas import ACCENT, BLUE, GREY, INK, described, new_figure, wrapped


def zero_shot_guesses(
    images: Sequence[Tensor], truth: Sequence[str], guessed: Sequence[Sequence[tuple[str, float]]]
) -> Figure:
    """Draws images with the classes that fit them best; the true class is marked by colour and an arrow.

    Args:
        images: uint8 [3, H, W] each.
        truth: the class of each image.
        guessed: per image, (class, score), the best first.

    Returns:
        The figure; its alt text lists the guesses.

    Raises:
        ItmError: no image, or lists of different lengths.
    """
    if not len(images) or not len(images) == len(truth) == len(guessed):
        raise ItmError(
            f"zero_shot_guesses: {len(images)} images, {len(truth)} classes, {len(guessed)} lists of guesses"
        )
    figure = new_figure(2.35 * len(images), 4.1)
    panels, told = figure.subplots(2, len(images), squeeze=False, height_ratios=(1.1, 1)), []
    for column, (image, name, ranked) in enumerate(zip(images, truth, guessed, strict=True)):
        above, below = panels[:, column]
        show_pixels(above, image.permute(1, 2, 0) / 255)
        above.set_title(name, fontsize=11, color=INK)
        right = [one == name for one, _ in ranked]
        colours = [ACCENT if hit else GREY for hit in right]
        places, values = range(len(ranked)), [value for _, value in ranked]
        low = min(0.0, *values)
        below.barh(places, [value - low for value in values], left=low, color=colours, height=0.82)
        for place, ((guess, _), hit) in enumerate(zip(ranked, right, strict=True)):
            below.text(low, place, f" {'→ ' if hit else ''}{guess}", va="center", fontsize=9.5, color=INK)
        below.set(yticks=[], ylim=(len(ranked) - 0.4, -0.6), xlabel="cosine")
        below.spines[["top", "right", "left"]].set_visible(False)
        told.append(f"{name}: " + ", ".join(guess for guess, _ in ranked))
    return described(figure, f"Images of single things, and the names that fit best, best first. {'; '.join(told)}.")


@torch.no_grad()
def weights_of(pool: GeneralizedPooling, n: int) -> Tensor:
    """The weights of a pooling for sets of n vectors, [n], the largest value first."""
    device = next(pool.parameters()).device
    return pool.weights(torch.tensor([n], device=device), n)[0].cpu()


def pooling_weights(pools: Mapping[str, GeneralizedPooling], sizes: Mapping[str, int]) -> Figure:
    """Draws learned weights of ranks beside those of the mean and of the maximum.

    Args:
        pools: name of a side -> its pooling.
        sizes: name of a side -> how many vectors a set has.

    Returns:
        The figure; its alt text gives the weights.
    """
    figure = new_figure(4.6 * len(pools), 3.3)
    panels, told = figure.subplots(1, len(pools), squeeze=False)[0], []
    for axes, (name, pool) in zip(panels, pools.items(), strict=True):
        n, theta = sizes[name], weights_of(pool, sizes[name])
        axes.bar(range(1, n + 1), theta.tolist(), color=BLUE, label="learned")
        axes.axhline(1 / n, color=INK, linestyle="--", linewidth=1.2, label=f"mean: 1/{n} each")
        axes.plot([1], [1], marker="*", markersize=13, color=ACCENT, linestyle="none", label="maximum: 1 for the first")
        axes.set(xlabel="rank of a number among its set", ylabel="weight", xticks=range(1, n + 1))
        axes.set_title(f"{name}, sets of {n}", fontsize=11, color=INK)
        axes.legend(frameon=False, fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
        told.append(f"{name}: " + ", ".join(f"{value:.2f}" for value in theta.tolist()))
    return described(figure, f"Learned weights by rank, the largest value first. {'; '.join(told)}.")


def true_errors(found: Sequence[FalseError], split: Split, most: int = 3) -> Figure:
    """Draws captions whose first image counts as an error, although they are true of it.

    Args:
        found: see ``live.errors_that_are_none``.
        split: that they are from.
        most: how many are drawn.

    Returns:
        The figure; its alt text gives the captions.

    Raises:
        ItmError: there is none to be drawn.
    """
    shown = _far_apart(found, most)
    if not shown:
        raise ItmError("true_errors: there is no such error among these scores")
    figure = new_figure(3.6 * len(shown), 2.75)
    parts, told = figure.subfigures(1, len(shown), squeeze=False)[0], []
    for part, one in zip(parts, shown, strict=True):
        text = split.captions[one.caption]
        part.suptitle(wrapped(text, 42), fontsize=10, color=INK)
        for axes, (image, label) in zip(
            part.subplots(1, 2), ((one.own, "its own image"), (one.first, "found first")), strict=True
        ):
            show_pixels(axes, split.images[image].permute(1, 2, 0) / 255)
            axes.set_title(label, fontsize=9.5, color=INK)
        told.append(text)
    return described(
        figure, f"Captions beside their own image and beside another one of which they are true: {'; '.join(told)}."
    )


def _far_apart(found: Sequence[FalseError], most: int) -> list[FalseError]:
    """Some of the errors, spread over all of them, no image twice."""
    step, shown, seen = max(1, len(found) // max(1, 2 * most)), [], set()
    for one in found[::step]:
        if not {one.own, one.first} & seen and len(shown) < most:
            shown.append(one)
            seen |= {one.own, one.first}
    return shown
