"""The answers of chapter 02 that speak of one run: its numbers, and the words that follow from them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from itm_tutorial.chapters.ch02_vsepp.loss_figures import (
    LETTERS,
    PUBLISHED,
    cosines_of,
    fraction_with_doubles,
    holding_half,
)
from itm_tutorial.chapters.ch02_vsepp.toy_figures import (
    LAST_STEP,
    NAMES,
    toy_after,
    toy_angles,
    toy_forces,
    toy_hinges,
    toy_turns,
)
from itm_tutorial.data.corpus import Split
from itm_tutorial.losses.ranking import hinge_costs
from itm_tutorial.retrieval.search import Hits

NEAR = 0.02  # a loss that differs from the plateau by no more than this fraction counts as standing on it
STOP = frozenset(
    (
        "a",
        "an",
        "and",
        "are",
        "at",
        "behind",
        "by",
        "from",
        "in",
        "is",
        "its",
        "near",
        "nearby",
        "of",
        "on",
        "one",
        "other",
        "some",
        "the",
        "there",
        "to",
        "with",
        "view",
        "left",
        "right",
    )
)


def about_forces(margin: float) -> str:
    """Answers which way the picture rotates in the toy space, and why.

    Args:
        margin: of the hinge.

    Returns:
        Two paragraphs: the sum and the maximum.
    """
    angles, told = toy_angles(), {}
    for loss in ("sum", "max"):
        turns, force = toy_turns(angles, margin, loss), toy_forces(angles, margin, loss)[0].item()
        listed = joined([f"{name} {turn:+.2f}" for name, turn in zip(NAMES, turns.tolist(), strict=True) if turn])
        way = "towards its own caption" if force > 0 else "away from its own caption"
        told[loss] = f"{listed}; together {force:+.2f}, so the picture rotates **{way}**"
    hinges = toy_hinges(angles, margin)
    cheapest = min(hinges[hinges > 0].tolist())
    return (
        "It should rotate towards its own caption, away from negative a, which lies nearer.\n\n"
        f"Under the **sum**, {told['sum']}. A hinge of {cheapest:.2f} pushes as steadily as one of "
        f"{hinges.max():.2f}: what a negative contributes depends on the sine of its angle and not on its cost.\n\n"
        f"Under the **maximum**, {told['max']}."
    )


def about_margins(steps: int = LAST_STEP) -> str:
    """Answers for which margins of the explorer's slider the sum rotates the picture as the maximum does.

    Args:
        steps: of gradient descent, for the second paragraph.
    """
    angles = toy_angles()
    widths = [step / 20 for step in range(1, 21)]
    right = {loss: [w for w in widths if toy_forces(angles, w, loss)[0] > 0] for loss in ("sum", "max")}
    agree = [w for w in widths if (w in right["sum"]) == (w in right["max"])]
    ends = []
    for loss in ("sum", "max"):
        moved = toy_after(0.2, loss, steps)
        scores = (moved[1:] - moved[0]).cos()
        ends.append(f"{loss} {scores[0]:.2f} against {scores[1:].max():.2f}")
    return (
        "At the start the two losses rotate the picture the same way for margins of "
        f"{joined([f'{width:.2f}' for width in agree])}, and opposite ways for all others on the slider. A small "
        "margin leaves fewer negatives to the sum.\n\n"
        f"After {steps} steps at a margin of 0.20 the cosines of the own caption and of the hardest negative are: "
        f"{joined(ends)}. In two dimensions with seven negatives the sum recovers once the easy negatives have left "
        "the margin. In a batch of hundreds there are always more."
    )


def about_ringed(scores: Tensor, captions: Sequence[str], margin: float) -> str:
    """Answers which captions are ringed, and how much of the loss the rings hold.

    Args:
        scores: [n_pairs, n_pairs], the positive pairs on the diagonal.
        captions: of the pairs.
        margin: of the hinge.

    Returns:
        Two paragraphs.
    """
    costs, against_images = hinge_costs(scores, torch.eye(len(scores), dtype=torch.bool), margin)
    worst, place = costs.max(1)
    ringed = {}  # caption -> the pictures for which it is the hardest negative
    for picture, (value, caption) in enumerate(zip(worst.tolist(), place.tolist(), strict=True)):
        if value > 0:
            ringed.setdefault(caption, []).append(LETTERS[picture])
    if not ringed:
        return "No negative caption comes within the margin of a positive one, so nothing is ringed and the loss is 0."
    often = max(ringed, key=lambda caption: len(ringed[caption]))
    picture = int(worst.argmax())
    hardest = int(place[picture])
    shared = _shared(captions[picture], captions[hardest])
    said = f"Both name *{joined(shared)}*." if shared else "The two share no word but articles and the like."
    twice = (
        f"Caption {LETTERS[often]} is ringed for {len(ringed[often])} pictures ({joined(ringed[often])}): a caption "
        "that is near to many pictures is called a **hub**."
        if len(ringed[often]) > 1
        else "A caption may be ringed for several pictures; here each is ringed for one at most."
    )
    won = [LETTERS[i] for i, value in enumerate(worst.tolist()) if value == 0]
    rows = f"In {'row' if len(won) == 1 else 'rows'} {joined(won)}"
    lead = f"{rows} nothing is ringed: the own caption leads by the margin" if won else "Every row has a ring"
    total, ring = (costs.sum() + against_images.sum()).item(), (worst.sum() + against_images.amax(1).sum()).item()
    return (
        f"The most expensive pair of the left matrix is picture {LETTERS[picture]} with caption {LETTERS[hardest]}, at "
        f"{worst[picture]:.2f}. {said} {twice} {lead}.\n\n"
        f"The maximum adds up the ringed hinges of both matrices, {ring:.2f}; the sum adds up all hinges, {total:.2f}. "
        f"With {len(scores)} pairs the rings hold {100 * ring / total:.0f} % of the total. With 128 pairs there are "
        "16,256 negative pairs, and 128 rings per matrix at most."
    )


def about_pushes(by_loss: Mapping[str, Tensor]) -> str:
    """Answers how many negative scores each loss pushes down, from its gradient.

    Args:
        by_loss: name -> gradient of the loss with respect to the scores, [n_pairs, n_pairs]; "sum", "max" and
            "InfoNCE" among them.

    Returns:
        Two paragraphs.
    """
    n = len(by_loss["sum"])
    negatives = {name: gradient.clone().fill_diagonal_(0) for name, gradient in by_loss.items()}
    pushed = {name: int((gradient > 0).sum()) for name, gradient in negatives.items()}
    both = int((negatives["sum"] > 1.5).sum())
    return (
        f"Of the {n * n - n} negative scores the sum pushes {pushed['sum']} and the maximum {pushed['max']}, which can "
        f"be {2 * n} at most: one caption per picture and one picture per caption. A hinge pushes with 1 or with 0, "
        f"whatever it costs. Under the sum {both} scores are pushed with 2 (black), because the pair costs something "
        "in its row and in its column. So under the sum the *number* of negatives within the margin decides where the "
        "step goes.\n\n"
        f"InfoNCE pushes {pushed['InfoNCE']} scores, each by its softmax probability, and half of its push falls on "
        f"{holding_half(negatives['InfoNCE'])} of them; for the sum these are {holding_half(negatives['sum'])}, for "
        f"the maximum {holding_half(negatives['max'])}."
    )


def about_maps(snapshots: Mapping[str, tuple[Tensor, Tensor]]) -> str:
    """Answers when positive pairs come together, and when they pass the hardest negatives.

    Args:
        snapshots: name of the moment -> (image embeddings, caption embeddings), [n_pairs, dim] each.

    Returns:
        Two paragraphs.
    """
    cosines = {name: cosines_of(*pair) for name, pair in snapshots.items()}
    listed = "; ".join(f"{name} {own:.2f} against {hardest:.2f}" for name, (own, hardest, _) in cosines.items())
    ahead = [name for name, (own, hardest, _) in cosines.items() if own > hardest]
    when = (
        f"The positive pairs are ahead on average {joined(ahead)}."
        if ahead
        else "At none of these moments are the positive pairs ahead on average."
    )
    found = list(cosines.values())[-1][2]
    return (
        f"Mean cosine of the positive pairs against that of each caption's hardest negative: {listed}. {when} At the "
        f"end {found} of {len(next(iter(snapshots.values()))[0])} captions are nearest their own picture.\n\n"
        "What counts is not how near the own picture comes, but its lead over the hardest negative. The cosines use "
        "all dimensions and the map shows two, so that a long line on the last map need not be a mistake."
    )


def about_searches(split: Split, before: Hits, after: Hits, right: int) -> str:
    """Answers what training changed in one search.

    Args:
        split: the split that was searched.
        before, after: the results of the search.
        right: the index of the correct image.

    Returns:
        Two paragraphs.
    """
    ranks = {
        when: f"at rank {hits.indices.index(right) + 1}"
        if right in hits.indices
        else f"not among the first {len(hits.indices)}"
        for when, hits in (("before", before), ("after", after))
    }
    text = (
        f"Before training the right picture is {ranks['before']}: with random weights the order has nothing to do with "
        f"the sentence, although pictures that look alike stand together. After training it is {ranks['after']}."
    )
    wrong = next((i for i in after.indices if i != right), None)
    if wrong is None:
        return text
    words = _shared(after.query, " ".join(split.captions_of(wrong)))
    missing = [word for word in _words(after.query) if word not in words]
    said = (
        f"Its captions share *{joined(words)}* with the query" if words else "Its captions share no word with the query"
    )
    lacks = f", and lack *{joined(missing)}*" if missing else ""
    return f"{text}\n\nThe first wrong picture of the second row is a hard negative of this query. {said}{lacks}."


def about_batches(rsums: Mapping[str, Mapping[int, float]]) -> str:
    """Answers whether the lead of the maximum over the sum grows with the batch.

    Args:
        rsums: "sum" and "max" -> batch size -> rsum.
    """
    leads = {size: rsums["max"][size] - rsums["sum"][size] for size in rsums["sum"]}
    listed = joined([f"{lead:+.0f} at {size}" for size, lead in leads.items()])
    small, *_, large = leads
    if leads[large] > leads[small]:
        said = "It is larger for the largest batch than for the smallest: here the maximum makes use of more negatives."
    else:
        said = "It is no larger for the largest batch than for the smallest: this run does not show what was expected."
    return (
        f"The lead of the maximum over the sum, in points of rsum, is {listed}. {said}\n\n"
        "Compare the two losses at one batch size, since a larger batch also means fewer steps per epoch, which costs "
        "both losses something. One seed says little: three seeds and longer runs are on the results page of this "
        "chapter, and the first lab asks the same in a sweep."
    )


def about_collapse(
    runs: Mapping[str, tuple[Sequence[float], Sequence[float]]], spreads: Mapping[str, float], plateau: float
) -> str:
    """Answers which runs end on the plateau, and what their rsum does.

    Args:
        runs: name -> (loss of every step, rsum of every epoch).
        spreads: name -> standard deviation of the validation scores.
        plateau: the loss of equal embeddings.

    Returns:
        Two paragraphs.
    """
    last = {name: sum(losses[-10:]) / len(losses[-10:]) for name, (losses, _) in runs.items()}
    rsums = {name: rsum[-1] for name, (_, rsum) in runs.items()}
    stuck = [name for name, loss in last.items() if abs(loss / plateau - 1) < NEAR]
    best = max(rsums, key=rsums.get)
    if not stuck:
        return (
            f"No run ends within {100 * NEAR:.0f} % of the dotted line, {plateau:.1f}: none has collapsed here. "
            f"The highest rsum is {rsums[best]:.0f}, of *{best}*."
        )
    parts = []
    for name in stuck:
        first, end = runs[name][1][0], rsums[name]
        moved = f"rises from {first:.0f} to {end:.0f}" if end > first else f"goes from {first:.0f} to {end:.0f}"
        parts.append(
            f"*{name}* ends at a loss of {last[name]:.1f} with a spread of the scores of {spreads[name]:.3f}, and its "
            f"rsum {moved}"
        )
    free = [f"*{name}* ({rsums[name]:.0f})" for name in sorted(rsums, key=rsums.get, reverse=True) if name not in stuck]
    return (
        f"On the plateau of {plateau:.1f}: {'; '.join(parts)}. rsum reads only the *order* of the scores, and the "
        "order can be right where the differences are tiny. So a rising rsum does not prove that a run is healthy.\n\n"
        f"Off the plateau, with their last rsum: {joined(free) or 'none'}. The highest of all is *{best}*. The "
        "plateau of *top 3* would be three times as high."
    )


def about_doubles(measured: Mapping[str, tuple[int, float]], batch_size: int) -> str:
    """Answers on which data sets a batch of shuffled captions holds an image twice.

    Args:
        measured: name of the sampler -> (images of the split, fraction of its batches from 0 to 1).
        batch_size: captions per batch.
    """
    published = [f"{100 * fraction_with_doubles(n, batch_size):.0f} % on {name}" for name, n in PUBLISHED.items()]
    here = joined([f"{100 * fraction:.0f} % with {name}" for name, (_, fraction) in measured.items()])
    images = next(iter(measured.values()))[0]
    return (
        f"The share of batches of {batch_size} that hold an image twice would be {joined(published)}. The authors "
        f"worked with MSCOCO and called it harmless. Here, with {images:,} images, we counted {here}."
    )


def _words(text: str) -> list[str]:
    """The words of a text in their order, each once, without articles and the like."""
    return [word for word in dict.fromkeys(re.findall(r"[a-z]+", text.lower())) if word not in STOP]


def _shared(first: str, second: str) -> list[str]:
    known = set(_words(second))
    return [word for word in _words(first) if word in known]


def joined(parts: Sequence[str]) -> str:
    """Parts as a list in words: "a", "a and b", "a, b and c"."""
    *first, last = parts or [""]
    return f"{', '.join(first)} and {last}" if first else last
