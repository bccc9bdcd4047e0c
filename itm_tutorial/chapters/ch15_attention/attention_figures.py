"""Attention of several methods or steps beside the truth, plans of transport, and the fovea's choice per channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from functools import partial

import torch
from matplotlib.figure import Figure
from torch import Tensor

from itm_tutorial.chapters.ch11_fragments.rule_figures import grounded
from itm_tutorial.data.corpus import Split
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.grounding import Attention
from itm_tutorial.interaction.transport import proximal_plan
from itm_tutorial.models import Matching
from itm_tutorial.show.attention_view import AttentionView
from itm_tutorial.show.canvas import ACCENT, BLUE, GREY, INK, described, new_figure

MOST_ROWS = 4  # words, unless more are asked for
SHADES = "Blues"


def attention_beside_truth(
    seen: Mapping[str, Attention],
    split: Split,
    words: Sequence[str | int] | None = None,
    i: int = 0,
    backbone: str = "mini",
) -> Figure:
    """Draws where words of one caption look, by several methods or in several steps, beside what they name.

    Args:
        seen: name -> what ``attend`` gives for it; the same caption, picture and regions.
        split: the split that the caption is from.
        words: some words of the caption, or their places; by default nouns that name a box, at most four.
        i: the place of the caption in each of ``seen``.
        backbone: the model's, which decides which centre crop of a photograph is drawn.

    Returns:
        The figure, one row per word; its alt text says where each one looks.

    Raises:
        ItmError: nothing is given, or the captions, pictures or regions differ.
    """
    if not seen:
        raise ItmError("attention_beside_truth: give the attention of one method or more")
    views = {name: AttentionView.of(one, split, i, None, backbone) for name, one in seen.items()}
    (first, *others), pairs = views.values(), {(int(one.captions[i]), int(one.images[i])) for one in seen.values()}
    if len(pairs) > 1 or any(not torch.equal(view.boxes, first.boxes) for view in others):
        raise ItmError(f"attention_beside_truth: {list(seen)} must look at one caption, one picture, the same regions")
    chosen = _nouns(first, split, pairs.pop()[0]) if words is None else first.places_of(words)
    return grounded(first, {name: view.weights for name, view in views.items()}, chosen)


def _nouns(view: AttentionView, split: Split, caption: int) -> list[int]:
    """At most four places: of nouns that name a box, else of any such word, else of content words."""
    named = sorted(view.named)
    if split.facts is not None:
        classes = [word.word_class for word in split.facts.truths[caption].words]
        named = [word for word in named if classes[word] == "noun"] or named
    return (named or view.content_words())[:MOST_ROWS]


def steps_of(model: Matching, prefix: str = "IMRAM, ") -> dict[str, Matching]:
    """Copies a model with steps once per step, for what takes any model with attention.

    Args:
        model: with ``steps`` and an ``attention`` that takes ``step``, such as "imram"; it is not changed.
        prefix: of the names.

    Returns:
        Prefix and "step 1" and so on -> a model that shares the weights, and whose ``attention`` is that of the step.

    Raises:
        ItmError: the model has no steps.
    """
    if not hasattr(model, "steps") or not hasattr(model, "attention"):
        raise ItmError(f"{model.name} does not attend in steps: give a model such as 'imram'")
    found = {}
    for step in range(model.steps):
        one = copy(model)  # which shares the weights
        one.attention = partial(model.attention, step=step)
        found[f"{prefix}step {step + 1}"] = one
    return found


def plans_after(cost: Tensor, steps: Sequence[int] = (1, 5, 20), beta: float = 0.5) -> dict[str, Tensor]:
    """The plans of some numbers of proximal steps, and Sinkhorn's plan after the largest of them.

    Args:
        cost: [n_regions, n_words], such as 1 - cosine.
        steps: numbers of steps.
        beta: see ``proximal_plan``.

    Returns:
        Title -> plan [n_regions, n_words].
    """
    every = torch.ones(cost.shape[1], dtype=torch.bool)
    plans = {f"{n} step" + "s" * (n != 1): proximal_plan(cost, every, beta, n) for n in steps}
    kernel, n = (-(cost - cost.min()) / beta).exp(), max(steps)
    rows, columns = 1 / cost.shape[0], 1 / cost.shape[1]
    sigma = torch.full_like(cost[0], columns)
    for _ in range(n):
        delta = rows / (kernel @ sigma)
        sigma = columns / (kernel.T @ delta)
    return {**plans, f"Sinkhorn, {n} steps": delta[:, None] * kernel * sigma}


def plans(
    found: Mapping[str, Tensor], cost: Tensor, words: Sequence[str], regions: Sequence[str] | None = None
) -> Figure:
    """Draws plans of transport side by side, with what each costs and how many cells hold most of the mass.

    Args:
        found: title -> plan [n_regions, n_words].
        cost: [n_regions, n_words].
        words: one per column.
        regions: names of the rows; by default their numbers from 1.

    Returns:
        The figure; its alt text gives cost and entropy of each plan.

    Raises:
        ItmError: no plan, or shapes that do not fit.
    """
    regions = [str(r + 1) for r in range(len(cost))] if regions is None else list(regions)
    expected = (len(regions), len(words))
    if not found or any(tuple(one.shape) != expected for one in (cost, *found.values())):
        shapes = {name: list(plan.shape) for name, plan in found.items()}
        raise ItmError(f"plans: give one or more plans and a cost of shape {list(expected)}, not {shapes}")
    wide = max(2.2, 0.9 + 0.26 * len(words))  # inches of a panel: its title needs two
    figure = new_figure(min(11.0, 0.9 + len(found) * wide), 1.8 + 0.3 * len(regions))
    panels = figure.subplots(1, len(found), squeeze=False)[0]
    most, told = max(float(plan.max()) for plan in found.values()), []
    for number, (axes, (name, plan)) in enumerate(zip(panels, found.items(), strict=True)):
        axes.imshow(plan.numpy(), cmap=SHADES, vmin=0, vmax=most, aspect="auto")
        price, entropy = float((plan * cost).sum()), float(torch.special.entr(plan).sum())
        axes.set_title(f"{name}\ncost {price:.3f}, entropy {entropy:.2f}", fontsize=9.5, color=INK)
        axes.set_xticks(range(len(words)), words, rotation=90, fontsize=9)
        axes.set_yticks(range(len(regions)), regions if number == 0 else [""] * len(regions), fontsize=9)
        axes.tick_params(length=0)
        told.append(f"{name}: cost {price:.3f}, entropy {entropy:.2f} nats")
    panels[0].set_ylabel("region", fontsize=10)
    return described(
        figure, f"Plans from {len(regions)} regions to {len(words)} words; darker is more mass. {'; '.join(told)}."
    )


def channel_curves(items: Tensor, scale: Tensor, smooth: float, channels: Sequence[int]) -> Figure:
    """Draws what the fovea takes from a channel, as a function of the caption's 1 + gamma.

    Args:
        items: of one image, [n_regions, dim].
        scale: 1 + gamma of a caption, [dim].
        smooth: lambda.
        channels: which ones are drawn, one panel each.

    Returns:
        The figure; its alt text gives the least, the mean and the largest number of each channel, and what is taken.

    Raises:
        ItmError: no channel, or one that is not there.
    """
    if not channels or not all(0 <= channel < items.shape[1] for channel in channels) or scale.shape != items[0].shape:
        raise ItmError(f"channel_curves: give a scale and one or more channels of {items.shape[1]}, not {channels}")
    reach = 1.3 * max(1.0, float(scale[list(channels)].abs().max()))
    figure = new_figure(min(11.0, 3.1 * len(channels)), 3.2)
    panels = figure.subplots(1, len(channels), squeeze=False, sharey=True)[0]
    x, told = torch.linspace(-reach, reach, 201), []
    for axes, channel in zip(panels, channels, strict=True):
        n = items[:, channel]
        curve, taken = pooled(n, x, smooth), float(pooled(n, scale[channel][None], smooth))
        for value in n.tolist():
            axes.axhline(value, color=GREY, linewidth=0.5, alpha=0.6)
        axes.axhline(float(n.mean()), color=INK, linestyle="--", linewidth=1, label="mean of the regions")
        axes.plot(x, curve, color=BLUE, linewidth=2, label="what is taken")
        axes.plot(float(scale[channel]), taken, "D", color=ACCENT, markersize=9, zorder=3, label="this caption")
        axes.set_title(f"channel {channel}", fontsize=10.5, color=INK)
        axes.set_xlabel("1 + gamma", fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
        told.append(
            f"channel {channel}: from {n.min():.2f} to {n.max():.2f}, mean {n.mean():.2f}; with 1 + gamma = "
            f"{scale[channel]:.2f} the caption takes {taken:.2f}"
        )
    panels[0].set_ylabel("number of the channel (thin: regions)", fontsize=10)
    panels[-1].legend(fontsize=8.5, loc="lower right")
    return described(figure, f"The fovea by channel, {len(items)} regions, lambda {smooth:g}. {'; '.join(told)}.")


def pooled(numbers: Tensor, scale: Tensor, smooth: float) -> Tensor:
    """f(1 + gamma) = sum_r softmax_r(lambda (1 + gamma) n_r) n_r.

    Args:
        numbers: n of one channel, [n_regions].
        scale: 1 + gamma, [n].
        smooth: lambda.

    Returns:
        [n]; it rises from the least number of the channel over its mean, at 0, to the largest.
    """
    return (smooth * scale[:, None] * numbers).softmax(1) @ numbers
