"""Answers to chapter 15's questions, made from the numbers of the run and of the kept claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from itm_tutorial.chapters.ch15_attention.attention_figures import pooled
from itm_tutorial.chapters.ch15_attention.cost_figures import Point, pareto_front
from itm_tutorial.chapters.ch15_attention.graph_figures import edges_of
from itm_tutorial.models._trees import random_tree
from itm_tutorial.show.attention_view import AttentionView

if TYPE_CHECKING:
    from itm_tutorial.chapters.ch15_attention.live import Pointing, Sweep
    from itm_tutorial.data.corpus import Split
    from itm_tutorial.evaluation.grounding import Attention
    from itm_tutorial.evaluation.retrieval_metrics import Report

LITTLE = 0.01  # of a weight or a share of mass
WITHOUT_PLAN = "got, attention"  # the name of a GOT that is read by SCAN's attention
ALIKE = 0.05  # a difference of weights below which two words look alike
MOST = 0.9  # of the channels
MUCH = 1.0  # points of a recall or of rsum: a smaller difference is not called one


def channels(items: Tensor, scale: Tensor, smooth: float, shown: Sequence[int]) -> str:
    """Says what a caption's scale takes from the channels of an image.

    Args:
        items: of one image, [n_regions, dim].
        scale: 1 + gamma of a caption, [dim].
        smooth: lambda.
        shown: the channels of the figure.
    """
    taken = torch.stack([pooled(items[:, d], scale[d][None], smooth)[0] for d in range(items.shape[1])])
    low, mean, high = items.amin(0), items.mean(0), items.amax(0)
    to_top = ((taken - mean) > (high - mean) / 2).sum().item()
    to_bottom = ((mean - taken) > (mean - low) / 2).sum().item()
    parts = [
        f"channel {d}: 1 + gamma is {scale[d]:.2f}, and the fovea takes {taken[d]:.2f} where the mean is {mean[d]:.2f}"
        for d in shown
    ]
    text = (
        f"With 1 + gamma = 0, all regions count alike: the mean. A large one takes the largest number, a very negative "
        f"one the least. Here, {'; '.join(parts)}. Of all {len(taken)} channels, {to_top} come more than halfway from "
        f"the mean to the largest number, and {to_bottom} more than halfway to the least. "
    )
    if to_top > MOST * len(taken):
        text += (
            f"So with lambda = {smooth:g} and this short training, the fovea is close to the maximum of each channel, "
            "and the caption does not use it to choose. "
        )
    return text + "The shift beta is the same for all regions, so it cannot change these weights."


def moved(found: Mapping[str, Tensor], cost: Tensor) -> str:
    """Says how sharp the plans are, and what the function words get.

    Args:
        found: title -> plan [n_regions, n_words]; the last one is Sinkhorn's.
        cost: [n_regions, n_words].
    """
    entropy = {name: torch.special.entr(plan).sum().item() for name, plan in found.items()}
    price = {name: (plan * cost).sum().item() for name, plan in found.items()}
    *_, last, sinkhorn = found
    used = (found[last] > LITTLE * found[last].max()).sum(0).double().mean().item()
    side = "lower" if price[last] < price[sinkhorn] else "not lower"
    return (
        f"After {last}, the plan costs {price[last]:.3f} and has an entropy of {entropy[last]:.2f} nats; a word goes "
        f"to {used:.1f} regions on average. The plan of *{sinkhorn}* costs {price[sinkhorn]:.3f}, with "
        f"{entropy[sinkhorn]:.2f} nats. So the cost of the proximal plan is {side} than Sinkhorn's: it also multiplies "
        "by the plan of the step before, and comes near exact transport whatever beta is.\n\nAll columns have the "
        f"same mass, {found[last].sum(0).mean().item():.3f}: *a* and *the* must go somewhere, too. Attention could "
        "spread them over all regions."
    )


def trees(words: Sequence[str], heads: Sequence[int], seed: int = 0) -> str:
    """Says what a caption's tree and its random twin share.

    Args:
        words: of the caption.
        heads: as in ``tree_and_twin``.
        seed: of the random tree.
    """
    own, twin = edges_of(heads), edges_of(random_tree(list(heads), seed))
    kept = sorted(own & twin)
    said = ", ".join(f"*{words[a]}* and *{words[b]}*" for a, b in kept)
    shared = f"they share {len(kept)} of {len(own)} edges{f' ({said})' if said else ''}"
    return (
        f"Both trees have the same words, the same number of edges, and as many neighbours per word; {shared}. A model "
        "that gains as much from random trees as from true ones has not learned from grammar: the gain comes from the "
        "additional weights, or from mixing nodes at all."
    )


def looks(seen: Mapping[str, Attention], split: Split, i: int = 0) -> str:
    """Says which methods look at what a word names, and which show the same map for every word.

    Args:
        seen: name -> attention.
        split: that the captions are from.
        i: the place of the caption in each of ``seen``.
    """
    parts, same = [], []
    for name, one in seen.items():
        view, weights = AttentionView.of(one, split, i, None, "mini"), one.weights[i]
        if (weights - weights.mean(1, keepdim=True)).abs().max() < ALIKE:
            same.append(name)
        hits = [bool(view.names(word, view.top(word)[0])) for word in view.named]
        largest = [view.top(word)[1] for word in view.named]
        parts.append(f"*{name}* {sum(hits)} of {len(hits)}, {sum(largest) / max(1, len(largest)):.2f}")
    text = (
        "Of the words that name a box, how many have their largest weight inside, and the mean of this weight: "
        f"{'; '.join(parts)}. "
    )
    if same:
        text += (
            f"{' and '.join(f'*{name}*' for name in same)} {'shows' if len(same) == 1 else 'show'} nearly the same map "
            "for every word. In ADAPT this must be so: the whole caption scales the channels, and the map is a mean "
            "over channels. "
        )
    return text + "A map can be sharp and wrong: look where the weight is, not only at how large it is."


def pointed(own: Mapping[str, Pointing], kept: Mapping[str, Sequence[float]]) -> str:
    """Says which of one's own runs points best, and what the kept claims say.

    Args:
        own: method -> the pointing game of one's own run.
        kept: label -> percent per seed, from kept claims.
    """
    order = sorted(own, key=lambda name: -own[name].model)
    first, chance = own[order[0]], own[order[0]].uniform
    best = [name for name in order if own[name].model > own[order[0]].model - MUCH]
    near = [name for name in order if own[name].model < chance + 10]
    text = (
        f"In your run {' and '.join(f'*{name}*' for name in best)} "
        f"{'points' if len(best) == 1 else 'point'} best: {first.model:.0f} % of {first.n:,} nouns, where a region "
        f"drawn at random reaches {chance:.0f} %. "
    )
    if near:
        text += f"{', '.join(f'*{name}*' for name in near)} {'is' if len(near) == 1 else 'are'} near chance. "
    if {"got", WITHOUT_PLAN} <= own.keys():
        plan, attention = own["got"].model, own[WITHOUT_PLAN].model
        side = "more often" if plan > attention + MUCH else "less often" if plan < attention - MUCH else "as often"
        text += (
            f"With one and the same GOT, the plan points right for {plan:.0f} % and SCAN's attention for "
            f"{attention:.0f} %: the plan is right {side}{' than' if side != 'as often' else ' as'} attention. It must "
            "give every region and every word its mass, named or not. "
        )
    text += (
        "These are single short runs: a difference of a few points says nothing. And a method can match well without "
        "pointing, because its loss asks for scores of pairs, not for maps."
    )
    if kept:
        said = ", ".join(f"{name} {sum(values) / len(values):.0f} %" for name, values in kept.items())
        return f"{text}\n\nOver the seeds of the kept claims: {said}."
    return f"{text}\n\nThe course has not measured the chapter's claims over several seeds yet."


def shortlist(found: Sweep, own: float, worth: Tensor, k: int, kept: bool) -> str:
    """Says what the second score of MMCA changes, what the shortlist allows, and what the bound would keep.

    Args:
        found: of one's own run.
        own: the alpha that the model was trained with.
        worth: bool [n_images, n_captions], what the bound keeps.
        k: of the shortlist.
        kept: whether the figure shows the kept claim.
    """
    gain, share = found.rsum[own] - found.cheap_rsum, 100 * worth.double().mean().item()
    if abs(gain) < MUCH:
        change = "hardly changes rsum"
    else:
        change = f"{'raises' if gain > 0 else 'lowers'} rsum by {abs(gain):.1f}"
    source = "The figure shows the kept claim, over its seeds." if kept else "The figure shows your run, one seed."
    saves = "It saves little, because it reckons with the worst" if share > 50 else "It reckons with the worst"
    return (
        f"{source} In your run, the second score with alpha {own:g} {change}: {found.cheap_rsum:.1f} becomes "
        f"{found.rsum[own]:.1f}. It was computed for {100 * found.share:.0f} % of the pairs. Shortlists of {k} allow a "
        f"recall at {k} of {found.allowed['i2t']:.1f} % from images to captions, and of {found.allowed['t2i']:.1f} % "
        "from captions to images; what they miss, no second score can bring back.\n\n"
        f"To be certain of the first {k}, your bound keeps {share:.0f} % of the captions of an image on average. "
        f"{saves}. A shortlist rests on what usually happens."
    )


def front(points: Sequence[Point], kept: bool) -> str:
    """Says which methods no other one beats, and what the others cost.

    Args:
        points: of the figure.
        kept: whether they come from kept results.
    """
    best = pareto_front(points)
    names = ", ".join(f"*{one.name}*" for one in best)
    quick, slow = (pick(points, key=lambda one: one.milliseconds) for pick in (min, max))
    source = (
        "The points are kept results: mean rsum of the reality check, and times at the same sizes."
        if kept
        else "The course keeps no full set of results for this chapter yet, so the points are your own short runs, of "
        "small models on a small gallery."
    )
    return (
        f"{source} No other method beats {names} in both. For each of the rest there is one that is at least as fast "
        f"and as good. *{slow.name}* takes {slow.milliseconds / quick.milliseconds:,.0f} times as long per pair as "
        f"*{quick.name}*. A method beside the line is not refuted: with another size, more epochs or other data it may "
        "stand on it."
    )


def beside_papers(own: Mapping[str, Report]) -> str:
    """Puts one's own rows below those of the papers.

    Args:
        own: name -> report of ``itm.evaluate``.
    """
    rows = ", ".join(f"*{name}* {one.i2t.r1:.1f} and {one.t2i.r1:.1f}" for name, one in own.items())
    return (
        f"Yours, R@1 from image to text and back, in a small gallery of drawn images: {rows}. They are **not "
        "comparable** with the rows above, which search 1,000 photographs."
    )
