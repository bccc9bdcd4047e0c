"""Answers to chapter 21's questions, made from the numbers of the run and of the kept claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from itm_tutorial.chapters.ch21_after_2020.loss_figures import gradients

if TYPE_CHECKING:
    from itm_tutorial.chapters.ch21_after_2020.live import FalseError, Space
    from itm_tutorial.evaluation.retrieval_metrics import Report
    from itm_tutorial.evaluation.true_matches import TruthComparison
    from itm_tutorial.retrieval.rerank import RerankReport

MUCH = 1.0  # points of a recall or of rsum: a smaller difference is not called one
SILENT = 5e-4  # a gradient that the figure shows as 0
NOT_KEPT = "The course has not measured this over several seeds yet."


def eight_losses(scores: Tensor) -> str:
    """Says which losses leave scores alone, and what the softmax and the sigmoid do to easy negatives.

    Args:
        scores: float [n, n], the matrix of the figure.
    """
    found = {name: gradient for name, (_, gradient) in gradients(scores).items()}
    silent = {name: int((gradient.abs() < SILENT).sum()) for name, gradient in found.items()}
    most = max((name for name in silent if "hinge" in name), key=silent.get)
    every = [name for name, n in silent.items() if n == 0]
    ratio = {}
    for name in ("softmax, temperature 0.1", "softmax, temperature 0.5"):
        negatives = found[name].clone().fill_diagonal_(0)
        ratio[name] = (negatives.max() / negatives[negatives > 0].min()).item()
    sharp, soft = ratio.values()
    return (
        f"Hinges leave a score alone once its margin is kept: *{most}* leaves {silent[most]} of {scores.numel()} "
        f"scores as they are. {', '.join(f'*{name}*' for name in every)} move all of them, but not equally. With a "
        f"temperature of 0.1 the hardest negative gets {sharp:,.0f} times the gradient of the easiest, with 0.5 only "
        f"{soft:.1f} times: a low temperature comes near the largest hinge, a high one near the sum. In a softmax, "
        "the gradients of a row that come from this row add up to 0: what the positive gains, the negatives lose. In "
        "the sigmoid every pair stands alone, so one that is right loses its gradient whatever the others do."
    )


def slip(own: Mapping[str, tuple[float, float]], kept: Mapping[str, dict[str, Any]]) -> str:
    """Says where the scale went with and without the slip, and what it cost.

    Args:
        own: "log(1 / 0.07)" and "0.07" -> scale after training and rsum of one's own runs.
        kept: effects of the claim "temperature", or nothing.
    """
    (right, right_rsum), (wrong, wrong_rsum) = own["log(1 / 0.07)"], own["0.07"]
    change = right_rsum - wrong_rsum
    text = (
        f"The first run ends with a scale of {right:.1f}, the one with the slip with {wrong:.1f}. Nothing stops and no "
        "warning appears: the loss falls, only more slowly, because at a scale near 1 the softmax is nearly even. In "
        f"your runs the slip costs {change:.0f} points of rsum. "
        if change > MUCH
        else f"The first run ends with a scale of {right:.1f}, the one with the slip with {wrong:.1f}. In your runs "
        f"the difference in rsum is {change:.0f} points, so this seed does not show a cost. "
    )
    return text + _said(kept, "a learned temperature beats the slip (rsum)", "Over the kept seeds, the slip costs")


def batches(kept: Mapping[str, Mapping[str, Mapping[int, Sequence[float]]]]) -> str:
    """Says which loss is best at the smallest and at the largest batch, and which gains most.

    Args:
        kept: see ``kept_runs.kept_batches``.
    """
    if not kept:
        return NOT_KEPT
    parts = []
    for title, losses in kept.items():
        mean = {loss: {size: fmean(values) for size, values in sizes.items()} for loss, sizes in losses.items()}
        small, large = (pick(next(iter(mean.values()))) for pick in (min, max))
        best = {size: max(mean, key=lambda loss, size=size: mean[loss][size]) for size in (small, large)}
        top = {loss: max(sizes, key=sizes.get) for loss, sizes in mean.items()}
        peaks = ", ".join(f"*{loss}* at {size:,}" for loss, size in top.items())
        if best[small] == best[large]:
            first = f"*{best[small]}* is best at {small} and at {large:,}"
        else:
            first = f"*{best[small]}* is best at {small}, and *{best[large]}* at {large:,}"
        parts.append(f"With {title}, {first}. Each loss has its best batch: {peaks}.")
    return (
        f"{' '.join(parts)} All arms see the same captions equally often, so a large batch takes few steps: compare "
        "the two panels before you blame the batch. What the papers say of batches of tens of thousands cannot be "
        "tested with 15,000 captions."
    )


def space(record: Sequence[Space]) -> str:
    """Says how far positive pairs and others moved, and what became of the gap.

    Args:
        record: moments of the training, in their order.
    """
    first, last = record[0], record[-1]
    moved = last.positives.mean() - first.positives.mean()
    gap = "shrinks" if last.gap < first.gap - 0.02 else "grows" if last.gap > first.gap + 0.02 else "hardly changes"
    return (
        f"Before training, positive pairs have a mean cosine of {first.positives.mean():.2f} and other pairs of "
        f"{first.others.mean():.2f}: nothing separates them. After epoch {last.epoch} they have "
        f"{last.positives.mean():.2f} and {last.others.mean():.2f}; the positives moved by {moved:+.2f}. The "
        f"modality gap {gap}, from {first.gap:.2f} to {last.gap:.2f}. The loss looks at differences within a row or "
        "a column, so it does not mind a gap: moving all captions by one vector changes a row little. The scale goes "
        f"from {first.scale:.1f} to {last.scale:.1f}: the surer the model, the sharper the softmax that fits it."
    )


def prompts(hits: Mapping[str, float], guessing: float, kept: Mapping[str, dict[str, Any]]) -> str:
    """Says how much better than guessing the prompts are, and what ensembles add.

    Args:
        hits: kind of prompt -> hit@1 in percent.
        guessing: hit@1 of guessing, in percent.
        kept: effects of the claim "zero_shot", or nothing.
    """
    said = ", ".join(f"*{name}* {value:.1f} %" for name, value in hits.items())
    best = max(hits.values())
    verdict = (
        f"about {best / guessing:.0f} times guessing ({guessing:.1f} %)"
        if best > 2 * guessing
        else f"close to guessing ({guessing:.1f} %)"
    )
    return (
        f"Right at the first guess: {said}. The best of them is {verdict}. The model has seen no picture of a single "
        "thing and no caption that is only a name; it had one minute of training where CLIP had 400 million pairs. "
        + _said(kept, "a template beats the bare label in hit@1 (points)", "Over the kept seeds, a template adds")
    )


def order(own: Mapping[str, float], rsum: float, kept: Mapping[str, dict[str, Any]]) -> str:
    """Says whether the model tells a true caption from one with the same words.

    Args:
        own: change -> percent of captions where the true one wins.
        rsum: of the same model.
        kept: effects of the claim "word_order", or nothing.
    """
    said = ", ".join(f"*{name}* {value:.0f} %" for name, value in own.items())
    blind = [name for name, value in own.items() if abs(value - 50) < 10]
    seen = f"{' and '.join(f'*{name}*' for name in blind)}: this run cannot tell. " if blind else ""
    bag = "a bag of words reaches nine tenths of the transformer's rsum"
    return (
        f"The true caption wins against: {said}; 50 % is guessing. {seen}The model retrieves (rsum {rsum:.0f}) without "
        "needing order: within a batch, the words alone usually tell the captions apart, so the loss does not ask for "
        "more. This is the finding of Yuksekgonul and others (2023) on published models. "
        + _said(kept, bag, "Over the kept seeds, the bag of words is ahead of nine tenths of the transformer by")
    )


def pooling(weights: Mapping[str, Tensor], kept: Mapping[str, dict[str, Any]]) -> str:
    """Says which fixed pooling the learned weights are nearest to.

    Args:
        weights: side -> weights [n], that of the largest value first.
        kept: effects of the claim "gpo", or nothing.
    """
    parts = []
    for side, theta in weights.items():
        n = len(theta)
        fixed = {"the mean": torch.full((n,), 1 / n), "the maximum": torch.eye(n)[0], "the minimum": torch.eye(n)[-1]}
        near = min(fixed, key=lambda name, theta=theta, fixed=fixed: (theta - fixed[name]).abs().sum().item())
        parts.append(
            f"{side}: nearest to {near}, {theta[0]:.2f} for the largest value and {theta[-1]:.2f} for the least"
        )
    text = (
        f"{'; '.join(parts).capitalize()}. The weights depend on the rank and on the size of the set, never on the "
        "vectors: this is no attention. "
    )
    if any("the minimum" in part for part in parts):
        text += (
            "A minimum is as good as a maximum: before the pooling stands a linear map, and if it turns the sign of a "
            "number, the largest value becomes the least. "
        )
    effect = "learned pooling beats the mean (rsum)"
    return text + _said(kept, effect, "Over the kept seeds, learned pooling beats the mean by")


def true_errors(found: Sequence[FalseError], compared: TruthComparison) -> str:
    """Says how many errors are none.

    Args:
        found: see ``live.errors_that_are_none``.
        compared: R@1 by pairing and by truth.
    """
    side = compared.t2i
    return (
        f"Of {side.n_errors:,} captions whose first image is not their own, {side.n_true:,} "
        f"({side.true_fraction:.0f} %) are true of the image that was found. R@1 by the pairing is "
        f"{side.r1_by_pairing:.1f} %, by the truth {side.r1_by_truth:.1f} %. Short captions say little, so they fit "
        "many images; the data set knows only the image that each was written for. ECCV Caption had people look for "
        "such pairs in COCO: 17.9 captions fit an image on average, where the labels name 5."
    )


def reranked(cheap: Report, after: Report, both: Report, report: RerankReport) -> str:
    """Says what the head changes on the shortlist, and what the shortlist allows.

    Args:
        cheap: by the cosine.
        after: by the head on the shortlist.
        both: by the sum of both.
        report: of ``itm.rerank``.
    """
    change = after.t2i.r1 - cheap.t2i.r1
    word = "raises" if change > MUCH else "lowers" if change < -MUCH else "hardly changes"
    ceiling = report.ceiling["t2i"]
    allowed = ceiling[max(ceiling)]
    by = f" by {abs(change):.1f} points" if abs(change) > MUCH else ""
    text = (
        f"From captions to images, the cosine has an R@1 of {cheap.t2i.r1:.1f} %. The head {word} it{by}: "
        f"{after.t2i.r1:.1f} %; both added up, as in BLIP, give {both.t2i.r1:.1f} %. The shortlist holds the right "
        f"image for {allowed:.1f} % of the captions, and no head can pass that."
    )
    if change > MUCH:
        return text
    return (
        f"{text} A head that is trained for so short a time need not be better than the cosine: it must learn from "
        "nothing which words belong to which regions."
    )


def beside_papers(own: Mapping[str, Report]) -> str:
    """Puts one's own rows beside those of the papers.

    Args:
        own: name -> report of ``itm.evaluate``.
    """
    rows = ", ".join(f"*{name}* {one.i2t.r1:.1f} and {one.t2i.r1:.1f}" for name, one in own.items())
    return (
        f"Yours, R@1 from image to text and back, among drawn images: {rows}. They are **not comparable** with the "
        "rows above: other images, another number of them, and networks that are thousands of times smaller. With "
        "weights of a published model you can score CLIP and the course's models on the same photographs: see "
        "`docs/pretrained.md`."
    )


def _said(kept: Mapping[str, dict[str, Any]], effect: str, words: str) -> str:
    """One kept effect in a sentence; that nothing is kept otherwise."""
    if effect not in kept:
        return NOT_KEPT
    one = kept[effect]
    return f"{words} {one['mean']:+.1f}, standard error {one['standard_error']:.1f}: {one['verdict']}."
