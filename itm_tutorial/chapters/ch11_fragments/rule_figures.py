"""Three rules by which words choose regions, drawn beside the truth; and scores against the length of a caption."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from itm_tutorial.errors import ItmError
from itm_tutorial.show.attention_drawing import draw_word, show_pixels
from itm_tutorial.show.attention_view import AttentionView
from itm_tutorial.show.canvas import ACCENT, BLUE, GREY, INK, described, new_figure

PANEL, HEAD = 1.9, 0.3  # inches: a picture, and a line of text above it
RULES = ("best region", "thresholded", "softmax")


def weights_of(dots: Tensor) -> dict[str, Tensor]:
    """The weights that three rules give the regions, from the same dot products.

    Args:
        dots: [n_regions, n_words].

    Returns:
        Name of the rule -> [n_regions, n_words], each column with a sum of one: "best region" of DVSA; "thresholded",
        the parts of the positive dot products, of DeFrag (equal weights where none is positive); "softmax", as in
        attention.
    """
    best = torch.zeros_like(dots).scatter(0, dots.argmax(0, keepdim=True), 1.0)
    positive = dots.clamp(min=0)
    total = positive.sum(0, keepdim=True)
    shared = torch.where(total > 0, positive / total.clamp(min=1e-12), torch.full_like(dots, 1 / len(dots)))
    return dict(zip(RULES, (best, shared, dots.softmax(0)), strict=True))


def grounded(view: AttentionView, rules: Mapping[str, Tensor], words: Sequence[int]) -> Figure:
    """Draws some words of a caption: the true boxes, and the regions that each rule gives them.

    Args:
        view: the caption and its picture; its own weights are not used.
        rules: name -> weights [n_regions, n_words], each column with a sum of one.
        words: places of the words, one row each.

    Returns:
        The figure; its alt text says for each word and rule where the region with the largest weight lies.

    Raises:
        ItmError: no word or no rule, or weights of another shape.
    """
    if not words or not rules:
        raise ItmError(f"grounded: {len(words)} words and {len(rules)} rules; give one or more of each")
    for name, weights in rules.items():
        if weights.shape != view.weights.shape:
            expected = list(view.weights.shape)
            raise ItmError(f"grounded: the weights of {name!r} are {list(weights.shape)}; give {expected}")
    view = copy.copy(view)  # the caller's keeps its weights
    heights = [HEAD, *[PANEL + HEAD] * len(words)]  # of a row for the names of the rules, and of each word
    figure = new_figure(PANEL * (1 + len(rules)) + 0.4, sum(heights) + 0.1)
    names, *panels = figure.subplots(1 + len(words), 1 + len(rules), squeeze=False, height_ratios=heights)
    told = []
    for axes, name in zip(names, ("true box", *rules), strict=True):
        axes.axis("off")
        axes.text(0.5, 0.5, name, transform=axes.transAxes, ha="center", va="center", fontsize=12, fontweight="bold",
                  color=INK)  # fmt: skip
    for row, word in zip(panels, words, strict=True):
        _draw_truth(row[0], view, word)
        for axes, (name, weights) in zip(row[1:], rules.items(), strict=True):
            view.weights = weights
            draw_word(axes, view, word, PANEL)
            told.append(f"{name}: {view.description(word)}")
    return described(figure, f"“{view.caption}”. {'; '.join(told)}.")


def _draw_truth(axes: Axes, view: AttentionView, word: int) -> None:
    """The picture with the boxes that a word names."""
    show_pixels(axes, view.image.permute(1, 2, 0) / 255)
    for x0, y0, x1, y1 in view.named.get(word, torch.zeros(0, 4)).tolist():
        axes.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor=ACCENT, linewidth=2))
    axes.set_title(view.words[word], fontsize=11, pad=4, loc="left", color=INK)


def score_by_length(scores: Mapping[str, Tensor], n_words: Tensor, own: Tensor) -> Figure:
    """Draws the scores of one image with captions of many lengths, one panel per rule; its own captions are marked.

    Args:
        scores: name of the rule -> [n_captions], the scores of one image.
        n_words: [n_captions].
        own: bool [n_captions], True for the captions of this image.

    Returns:
        The figure; its alt text gives the correlation of each rule.

    Raises:
        ItmError: no rule, or not one score per caption.
    """
    if not scores or any(given.shape != n_words.shape for given in scores.values()):
        shapes = {name: list(given.shape) for name, given in scores.items()}
        raise ItmError(f"score_by_length: scores {shapes} for {list(n_words.shape)} captions; give one per caption")
    figure = new_figure(4.4 * len(scores), 3.4)
    told = []
    spread = torch.rand(len(n_words), generator=torch.Generator().manual_seed(0)) * 0.6 - 0.3  # so that dots part
    for axes, (name, given) in zip(figure.subplots(1, len(scores), squeeze=False)[0], scores.items(), strict=True):
        axes.scatter((n_words + spread)[~own], given[~own], s=9, color=GREY, alpha=0.5, linewidth=0,
                     label="other captions")  # fmt: skip
        axes.scatter(n_words[own], given[own], s=55, marker="D", color=BLUE, edgecolor="w", zorder=3,
                     label="its own captions")  # fmt: skip
        first = int(given.argmax())
        axes.scatter(n_words[first], given[first], s=150, marker="o", facecolor="none", edgecolor=ACCENT, linewidth=2,
                     zorder=4, label="ranked first")  # fmt: skip
        r = torch.corrcoef(torch.stack([n_words.float(), given.float()]))[0, 1].item()
        axes.set_title(f"{name}: correlation {r:z.2f}", fontsize=11, color=INK)
        axes.set_xlabel("words of the caption", fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
        whose = "one of its own" if own[first] else "another image's"
        best = f"the caption ranked first has {int(n_words[first])} words and is {whose}"
        told.append(f"{name}: correlation of score and length {r:z.2f}; {best}")
    figure.axes[0].set_ylabel("score with the image", fontsize=10)
    figure.axes[-1].legend(fontsize=9, loc="lower right")
    return described(figure, f"Scores of {len(n_words)} captions with one image. {'. '.join(told)}.")
