"""Answers to chapter 14's questions, made from the numbers of the run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from itm_tutorial.chapters.ch14_early_attention.live import Saliency, moved
from itm_tutorial.show.attention_view import CLEAR

if TYPE_CHECKING:
    from itm_tutorial.retrieval.rerank import RerankReport

LITTLE = 0.05  # of the weight of a map: below it, two maps are nearly the same
SPREAD = 0.05  # a standard deviation of the gate over dimensions below which one number per image would do


def steps(maps: Mapping[str, Tensor]) -> str:
    """Says whether DAN's second look differs from its first.

    Args:
        maps: name of a model -> weights [K, n_regions] of one image; K of 2 or more.
    """
    parts = []
    for name, weights in maps.items():
        top, change = weights.argmax(1).tolist(), moved(weights)
        uniform = CLEAR / weights.shape[1]
        clear = int((weights.amax(1) >= uniform).sum())
        if change < LITTLE:
            what = "the last step attends as the first does"
        elif top[0] == top[-1]:
            what = "the region with the largest weight stays the same"
        else:
            what = "the last step prefers another region than the first"
        parts.append(
            f"*{name}*: {100 * change:.0f}% of the weight moves, and {what}. In {clear} of {len(weights)} steps some "
            "region has twice the weight of uniform attention."
        )
    parts.append("The caption was not asked: these maps, and so the image's vectors, are the same for every caption.")
    return " ".join(parts)


def pairs(found: Mapping[str, Saliency]) -> str:
    """Says how the pairs of maps change over the steps, and how much of the items they reach.

    Args:
        found: name of a model -> its pairs of maps of the same caption.
    """
    parts = []
    for name, one in found.items():
        tops = [one.tokens[int(step.argmax())] for step in one.words]
        reached = one.regions.sum(0).clamp(max=1).sum().item()
        change = moved(one.regions)
        if len(one.regions) > 1 and change < 1e-4 and moved(one.words) < 1e-4:
            how = "its maps are equal in all steps, since attention does not read the state"
        else:
            how = f"{100 * change:.0f}% of the weight over regions moves from the first step to the last"
            if len(one.regions) > 1 and change < LITTLE:
                how += ", so that it looks at nearly the same regions again"
        listed = ", ".join(f"*{word}*" for word in tops)
        parts.append(
            f"*{name}*: {how}; the words with the largest weight are {listed}; all steps together reach {reached:.1f} "
            f"of {one.regions.shape[1]} regions."
        )
    parts.append(
        "The first map of an image is the same for every caption, since the state is still zero. If attention reads "
        "the state, the later maps belong to the pair and cannot be stored."
    )
    return " ".join(parts)


def fusion(shown: Tensor, concepts: Sequence[str], named: Collection[str], gates: Tensor, most: int = 5) -> str:
    """Says which concepts are predicted for a picture, and whether the gate is used as a vector.

    Args:
        shown: probabilities p_c of the picture, [n_concepts].
        concepts: their words.
        named: the words that a caption of the picture names.
        gates: [n_images, dim] of a split.
        most: concepts that are looked at.
    """
    order = shown.argsort(descending=True, stable=True)[:most].tolist()
    right = [concepts[c] for c in order if concepts[c] in named]
    wrong = [concepts[c] for c in order if concepts[c] not in named]
    mean = gates.mean().item()
    by_dimension = gates.mean(0).std(correction=0).item()
    by_image = gates.mean(1).std(correction=0).item()
    side = "the concepts" if mean > 0.55 else "the context" if mean < 0.45 else "neither side"
    text = (
        f"Of the {len(order)} likeliest concepts, the captions name {len(right)}"
        f"{': ' if right else ''}{', '.join(right)}. "
    )
    if wrong:
        text += f"Not named: {', '.join(wrong)}; a picture may show what no caption says. "
    text += (
        f"The mean gate is {mean:.2f}, which prefers {side}. Its standard deviation is {by_dimension:.2f} over "
        f"dimensions and {by_image:.2f} over pictures: "
    )
    if by_dimension < SPREAD:
        return text + "here one number per picture would do nearly as well."
    return text + "dimensions do not agree, which one number per picture could not express."


def costs(work: Mapping[str, tuple[float, float]], n_captions: int) -> str:
    """Says which method is cheapest for one caption per image and for many.

    Args:
        work: method -> (multiply-adds once per image, per pair).
        n_captions: compared with an image.
    """
    one = min(work, key=lambda name: sum(work[name]))
    totals = {name: once + n_captions * pair for name, (once, pair) in work.items()}
    many, last = min(totals, key=totals.get), max(totals, key=totals.get)
    turned = "the order turns round" if one != many else "it is the cheapest for both"
    return (
        f"For a single caption {one} is cheapest, and for {n_captions:,} captions {many}: {turned}. There {last} needs "
        f"{totals[last] / totals[many]:,.0f} times as many multiply-adds as {many}. What is paid once per image can be "
        "stored before any caption comes; what is paid per pair cannot."
    )


def shortlist(report: RerankReport, cheap_r1: float, new_r1: float) -> str:
    """Says what a shortlist allowed, and what the expensive model made of it.

    Args:
        report: of ``rerank``, with the direction "t2i" among its ceilings.
        cheap_r1: text-to-image R@1 of the cheap model, in percent.
        new_r1: the same after the shortlists are ranked again.
    """
    most = report.ceiling["t2i"][max(report.ceiling["t2i"])]
    saved = 100 * (1 - report.n_scored / report.n_pairs)
    gain = new_r1 - cheap_r1
    said = "changes nothing" if gain == 0 else f"{'gains' if gain > 0 else 'loses'} {abs(gain):.1f} points"
    return (
        f"Only {report.n_scored:,} of {report.n_pairs:,} pairs cost a network, {saved:.0f}% fewer. A perfect model "
        f"could reach an R@1 of {most:.1f}; the cheap model has {cheap_r1:.1f}, and ranked again it is {new_r1:.1f}: "
        f"the expensive model {said}. The {100 - most:.1f}% of the captions whose image is not on the list are lost to "
        "any model."
    )
