"""Answers to chapter 11's questions, made from the numbers of the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from itm_tutorial.evaluation.phrase_grounding import PhraseReport
    from itm_tutorial.show.attention_view import AttentionView

LITTLE = 0.01  # a weight from which a region counts as used


def rules(view: AttentionView, weights: Mapping[str, Tensor], words: Sequence[int]) -> str:
    """Says where three rules put the weight of some words.

    Args:
        view: the caption and its picture.
        weights: name of the rule -> [n_regions, n_words].
        words: places of words that name a box.
    """
    tops = {name: [int(given[:, word].argmax()) for word in words] for name, given in weights.items()}
    first, *others = tops.values()
    right = sum(bool(view.names(word, top)) for word, top in zip(words, first, strict=True))
    parts = [f"The best region lies in the true box for {right} of {len(words)} words."]
    if all(other == first for other in others):
        parts.append(
            "The region with the largest weight is the same under all rules, because each of them keeps the order of "
            "the dot products."
        )
    else:
        parts.append(
            "The largest weights differ: where no dot product is positive, the threshold has no order to keep."
        )
    parts.append("What differs is the weight of the other regions.")
    for name, given in weights.items():
        some = given[:, list(words)]
        used = (some > LITTLE).sum(0).float().mean().item()
        parts.append(
            f"*{name}*: {used:.1f} regions per word, of which the largest has {some.amax(0).mean().item():.2f} of the "
            "weight on average;"
        )
    parts[-1] = f"{parts[-1][:-1]}."
    return " ".join(parts)


def dots(table: Tensor, tokens: Sequence[str], named: Sequence[int]) -> str:
    """Says which words of a caption decide its score.

    Args:
        table: dot products [n_regions, n_words].
        tokens: the words.
        named: places of the words that name a box.
    """
    best, spread = table.amax(0), table.amax(0) - table.amin(0)  # [n_words] each
    order = spread.argsort(descending=True).tolist()
    high, low = ([f"*{tokens[word]}*" for word in dict.fromkeys(some)] for some in (order[:3], order[::-1]))
    low = list(dict.fromkeys(low))[:3]  # words may occur several times
    names = torch.zeros(len(tokens), dtype=torch.bool)
    names[list(named)] = True
    parts = [
        f"The columns of {', '.join(high)} vary most: these words tell regions apart, and so images too. The columns "
        f"of {', '.join(low)} vary least."
    ]
    if names.any() and not names.all():
        mine, other = spread[names].mean().item(), spread[~names].mean().item()
        parts.append(
            f"Between its best and its worst region, a word that names a box differs by {mine:.1f} on average, any "
            f"other word by {other:.1f}. Nothing was normalised, so the length of a vector is learned, and words that "
            "say nothing about images can become short."
        )
    parts.append(f"The score of the caption is the sum of the framed numbers, {best.sum().item():z.1f}.")
    return " ".join(parts)


def found(
    own: str,
    report: PhraseReport,
    methods: Mapping[str, Sequence[float]],
    controls: Mapping[str, Sequence[float]],
    missing: Sequence[str],
) -> str:
    """Says how one's own run compares with its chance lines, and what the kept claims say.

    Args:
        own: the name of one's own run.
        report: of it.
        methods: label -> percent per seed, from kept claims.
        controls: the same for controls.
        missing: labels of methods that are not measured yet.
    """
    pointing, iou = ({party: of["all"] for party, of in one.items()} for one in (report.pointing, report.iou))
    chance = max(pointing["uniform"], pointing["by area"])
    side = "above" if pointing["model"] > chance else "not above"
    parts = [
        f"Your run of `{own}` points into a true box for {pointing['model']:.0f} % of the phrases, which is {side} "
        f"chance: a region drawn at random does so for {pointing['uniform']:.0f} %, and one drawn in proportion to its "
        f"area for {pointing['by area']:.0f} %. With the stricter measure, IoU of 0.5 or more, it reaches "
        f"{iou['model']:.0f} %. No choice of regions can exceed {iou['best region']:.0f} % there, because the detector "
        "finds no better ones."
    ]
    means = {name: sum(values) / len(values) for name, values in methods.items()}
    if means:
        ordered = ", ".join(f"{name} {means[name]:.0f} %" for name in sorted(means, key=means.get, reverse=True))
        parts.append(f"Over the seeds of the kept claims: {ordered}.")
    if controls:
        lines = ", ".join(f"{name} {sum(values) / len(values):.0f} %" for name, values in controls.items())
        parts.append(f"Their controls: {lines}. What a method reaches above its control comes from the words.")
    if missing:
        parts.append(f"Not measured yet: {', '.join(missing)}.")
    parts.append(
        "Keep in mind that CITE is trained with the true boxes of phrases, and the other four with pairs of image and "
        "caption alone. DeFrag and DVSA point for the noun, the other three for the whole noun phrase; the true boxes "
        "are nearly the same."
    )
    return "\n\n".join([" ".join(parts[:-1]), parts[-1]])


def length(biases: Mapping[str, float], first_words: Mapping[str, float], r1: Mapping[str, float], mean: float) -> str:
    """Says whether sums favour long captions in this run, and what a division by the length changes.

    Args:
        biases: "sum" and "divided" -> the correlation of scores with the number of words.
        first_words: the same keys -> the mean number of words of the caption that an image ranks first.
        r1: the same keys -> R@1 from image to text, in percent.
        mean: number of words of a caption, on average.
    """
    if biases["sum"] > 0:
        over_all = f"Over the whole gallery the sums rise with the length: the correlation is {biases['sum']:z.2f}."
    else:
        over_all = (
            f"Over the whole gallery the sums do not rise with the length: the correlation is {biases['sum']:z.2f}. "
            "Most captions belong to other images, and each word that fits no region costs something."
        )
    longer = first_words["sum"] > mean
    at_the_top = (
        f"But a search is decided at the top. The caption that an image ranks first has {first_words['sum']:.1f} words "
        f"on average, which is {'longer' if longer else 'not longer'} than the mean of all captions, {mean:.1f}."
    )
    at_the_top += " If all words fit, more words add more." if longer else ""
    change = r1["divided"] - r1["sum"]
    shorter = first_words["divided"] < mean
    division = (
        f"After a division by the number of words, the first caption has {first_words['divided']:.1f} words, and R@1 "
        f"from image to text goes from {r1['sum']:.1f} to {r1['divided']:.1f}, a {'gain' if change > 0 else 'loss'} of "
        f"{abs(change):.1f} points."
    )
    division += " A mean over few words reaches a high value more easily than a mean over many." if shorter else ""
    return (
        f"{over_all} {at_the_top}\n\n{division} From text to image the division changes nothing: all scores of a query "
        "belong to one caption and are divided by the same number. The division is not part of the paper."
    )
