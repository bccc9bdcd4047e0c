"""Answers of chapter 00 that speak of a run: every number in them is computed from that run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import mean

import torch
from torch import Tensor

from itm_tutorial.chapters.ch00_start_here.figures import one_query_of_each_kind
from itm_tutorial.chapters.verdict import VERDICTS, effect, per_model
from itm_tutorial.data.corpus import Split
from itm_tutorial.evaluation.minimal_pairs import MinimalPairResult, true_fractions
from itm_tutorial.evaluation.query_changes import exchange_sides, swap_colours
from itm_tutorial.evaluation.statements import Statement, statements
from itm_tutorial.models import Matching
from itm_tutorial.retrieval.search import search
from itm_tutorial.show.canvas import counted
from itm_tutorial.show.figures import KINDS
from itm_tutorial.worlds.scenes.lexicon import plural


def named_things(split: Split, image: int) -> str:
    """How many of the things in a picture each of its captions names."""
    things = [thing.kind for thing in split.facts.scenes[image].things if thing.named]
    truths = [split.facts.truths[c] for c in (split.image_of == image).nonzero().flatten().tolist()]
    named = [sum(fact[0] == "object" for fact in truth.facts) for truth in truths]
    whole = sum(n == len(things) for n in named)
    return (
        f"Take the first picture and its captions, printed above. It shows {counted(len(things), 'thing')} that "
        f"captions may name ({_listed(things)}). Its captions name {_listed(map(str, named))} of them: "
        f"{_of(whole, len(named))} named all. A caption often gives a colour, sometimes a number, a place, "
        "or how things stand to each other. It seldom says everything, so no model can find *the* picture when a "
        "caption fits several."
    )


def true_of(split: Split, caption: int) -> str:
    """Of how many pictures a whole caption is true, and what that means for a search."""
    n = int((true_fractions(split)[:, caption] == 1).sum())
    if n == 1:
        here = (
            f"This sentence is wholly true of one picture among {len(split.images):,}, so it decides, and the oracle "
            "puts that picture first. Every other picture makes some part of the sentence false."
        )
    else:
        here = (
            f"This sentence is wholly true of {n} pictures among {len(split.images):,}. It does not decide between "
            "them, and even the oracle may put the wrong one first."
        )
    several = (true_fractions(split) == 1).sum(0) > 1
    return (
        f"A score of 1.00 means that the whole sentence is true of the picture. {here}\n\n"
        f"In this split {100 * several.double().mean():.0f} % of the captions are wholly true of two pictures or more. "
        "So the most that a model can reach is less than 100 %. You will measure this **ceiling** below."
    )


def training(history, ceiling: float) -> str:
    """Whether more epochs would help, from the curve of a run."""
    frame, best = history.frame(), history.best_epoch
    n = max(1, len(frame) // 4)  # epochs
    before, after = frame.iloc[: len(frame) - n], frame.iloc[len(frame) - n :]
    highest, when = frame.rsum.max(), "in the last epoch" if n == 1 else f"in the last {n} epochs"
    gain = highest - (before.rsum.max() if len(before) else 0)
    if gain > 0.01 * highest:
        verdict = (
            f"The highest rsum rose by {gain:.0f} {when}, so the curve still climbs: more epochs would probably help."
        )
    else:
        rose = f"rose by only {gain:.1f}" if gain > 0 else "did not rise"
        verdict = (
            f"The highest rsum {rose} {when}, while the loss went from {_short(before.loss.iloc[-1])} to "
            f"{_short(after.loss.iloc[-1])}: more epochs would mostly teach the model its training captions by heart."
        )
    return (
        f"Decide by the right panel. {verdict} The star marks the weights that `fit` kept, those of epoch {best}, "
        f"with rsum {highest:.0f}. The ceiling is {ceiling:.0f}; the distance of {ceiling - highest:.0f} is what the "
        "model gets wrong."
    )


def changed_queries(models: Mapping[str, Matching], split: Split, caption: int, k: int = 6) -> str:
    """What a model finds for a caption, and how much of it stays when the caption's sides or colours change places.

    Args:
        models: by name; the first one is the chapter's.
        split: the split to search.
        caption: its index.
        k: pictures per search.

    Returns:
        The answer.
    """
    query, own = split.captions[caption], int(split.image_of[caption])
    name, model = next(iter(models.items()))
    order = search(model, split, query, len(split.images)).indices
    wrong = [i for i in order[:k] if i != own]
    first = f"For the query, `{name}` puts the right picture at rank {order.index(own) + 1} of {len(order):,}. "
    parts = [first + _true_of_the_wrong(statements(query), split, wrong)]
    for change, what in ((exchange_sides, "the sides exchanged"), (swap_colours, "the colours swapped")):
        other = change(query)
        if other != query:
            stay = {one: _shared(each, split, query, other, k) for one, each in models.items()}
            counts = _listed(f"`{one}` returns {n} of the same {k} pictures" for one, n in stay.items())
            parts.append(f"With {what}, {counts}.")
    if len(parts) > 1:
        parts.append(
            "The changed query describes other pictures. A model that returns the same pictures again did not use the "
            "change. A bag of words cannot use an order at all: with the colours swapped, its words are the same."
        )
    return "\n\n".join(parts)


def _shared(model: Matching, split: Split, query: str, other: str, k: int) -> int:
    """How many of the first k pictures two queries share."""
    first, second = (search(model, split, text, k).indices for text in (query, other))
    return len(set(first) & set(second))


def _true_of_the_wrong(stated: Sequence[Statement], split: Split, wrong: list[int]) -> str:
    """Of how many wrong pictures each sort of statement is true."""
    sorts = {"object": "every thing", "attribute": "every attribute", "count": "every number"}
    sorts |= {"relation": "the sides", "place": "the place", "light": "the light"}
    parts = []
    for sort, name in sorts.items():
        facts = {statement.fact for statement in stated if statement.fact[0] == sort}
        if facts:
            n = sum(facts <= split.facts.of_image[i] for i in wrong)
            agree = "" if parts else f" agree{'s' if n == 1 else ''} with the query"
            parts.append(f"{n or 'none'}{agree} in {name}")
    return f"Of the {counted(len(wrong), 'wrong picture')} beside it, {_listed(parts)}."


def nearest_negative(scores: Tensor, split: Split, captions: Sequence[int]) -> str:
    """Which columns of a corner of the scores go right, and what its highest negative pair has in common.

    Args:
        scores: [n, n], of images 0 to n - 1 and one caption of each, in this order.
        split: the split that they are from.
        captions: n indices, of the captions.

    Returns:
        The answer.
    """
    n = len(scores)
    positives = scores.diagonal()
    negatives = scores.masked_fill(torch.eye(n, dtype=torch.bool), -torch.inf)
    right = int((negatives.max(0).values < positives).sum())
    image, column = divmod(int(negatives.argmax()), n)
    stated = statements(split.captions[captions[column]])
    shared = [statement for statement in stated if statement.fact in split.facts.of_image[image]]
    common = (
        f"that picture shares {len(shared)} of the caption's {counted(len(stated), 'statement')} "
        f"({_listed(_phrases(shared))})"
        if shared
        else "no statement of the caption is true of that picture"
    )
    return (
        f"A search goes right where the framed cell is the darkest of its *column*: here {_of(right, n)}. The highest "
        f"wrong cell is caption {column} with picture {image}, at {negatives[image, column]:.2f}; the caption's own "
        f"picture has {positives[column]:.2f}. What the two have in common: {common}.\n\n"
        f"Among {n} pictures a column has {counted(n - 1, 'chance')} to fail; in the whole split it has "
        f"{len(split.images) - 1:,}."
    )


def what_decides(split: Split) -> str:
    """Which words of each drawn minimal pair's caption are false of the other picture."""
    parts = []
    for kind, (caption, _, other) in one_query_of_each_kind(split).items():
        stated, true = statements(split.captions[caption]), split.facts.of_image[other]
        false = _phrases([statement for statement in stated if statement.fact not in true])
        parts.append(f"**{KINDS.get(kind, kind)}**: {_listed(false)}")
    return (
        f"False of the second picture: {'; '.join(parts)}.\n\n"
        "Where one object is replaced or a number differs, a caption of the second picture would use another word, so "
        "a model that only collects words can find the right picture. Where colours are swapped or sides change, the "
        "second picture has the same things and the same colours: the words decide by their order alone."
    )


def _phrases(found: Sequence[Statement]) -> list[str]:
    """Statements as phrases, one per thing, relation, place and light: "small white dog", "dog left of cat"."""
    phrases: dict[str, str] = {}
    for statement in found:
        if not statement.subject:
            phrases[statement.words] = statement.words
    for subject in dict.fromkeys(statement.subject for statement in found if statement.subject):
        own = [statement for statement in found if statement.subject == subject]
        noun = plural(subject) if any(statement.fact[0] == "count" for statement in own) else subject
        adjectives = [statement.words for statement in own if statement.words != subject]
        phrases[subject] = " ".join([*adjectives, noun])
    return list(phrases.values())


def minimal_pairs(
    results: Mapping[str, MinimalPairResult], bow: Mapping[str, MinimalPairResult], kept: Iterable[Mapping]
) -> str:
    """Which differences a model and a bag of words notice, in this run and in the runs that are kept.

    Args:
        results: of the chapter's model, by kind of minimal pair.
        bow: of the bag of words, on the same queries.
        kept: rows of the chapter's claim, see ``itm.claims.results``.

    Returns:
        The answer.
    """
    clear = [kind for kind, result in results.items() if result.accuracy - 2 * result.standard_error > 50]
    others = [kind for kind in results if kind not in clear]
    parts = []
    if clear:
        parts.append(f"In this run your model is clearly above guessing for {_shown(clear, results)}.")
    if others:
        parts.append(
            f"{'It' if clear else 'In this run your model'} is not clearly above guessing for "
            f"{_shown(others, results)}: there these queries do not show that the model uses the difference."
        )
    for kind in [kind for kind in results if kind in bow]:
        ours, theirs = results[kind], bow[kind]
        if ours.accuracy - theirs.accuracy > 2 * math.hypot(ours.standard_error, theirs.standard_error):
            parts.append(
                f"`bow` gets {theirs.accuracy:.0f} % for {KINDS.get(kind, kind)}, clearly less than your model."
            )
    rows = list(kept)
    over = {kind: per_model(rows, "minimal_pairs", kind) for kind in KINDS}  # of each model, one value per seed
    listed = "; ".join(f"{KINDS[kind]} {mean(v['vse']):.0f} and {mean(v['bow']):.0f} %" for kind, v in over.items())
    colours, sides = over["binding"], over["relation"]
    gain = effect("", [ours - theirs for ours, theirs in zip(colours["vse"], colours["bow"], strict=True)])
    learned = effect("", [accuracy - 50 for accuracy in sides["vse"]])
    holds = VERDICTS[0]
    order = (
        "A GRU reads the words in order, so it can learn which colour belongs to which thing; a bag of words cannot."
        if gain.verdict == holds
        else "On swapped colours the GRU is not clearly ahead of the bag of words."
    )
    guess = "`vse` learns the sides" if learned.verdict == holds else "Neither model is above guessing for the sides"
    return " ".join(parts) + (
        f"\n\nA kind with few queries has a long bar, and one run says little about it. Means over the "
        f"{len(sides['vse'])} runs that we keep, `vse` and `bow`: {listed}. {order} {guess}; chapter 03 comes back to "
        "them."
    )


def _shown(kinds: Iterable[str], results: Mapping[str, MinimalPairResult]) -> str:
    return _listed(f"{KINDS.get(kind, kind)} ({results[kind].accuracy:.0f} %)" for kind in kinds)


def _short(number: float) -> str:
    """A number with about three digits: "1,304", "26.3"."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _of(n: int, total: int) -> str:
    """A number of a total in words: "none of 5", "3 of 5", "all 5"."""
    return f"all {total}" if n == total else f"{n or 'none'} of {total}"


def _listed(parts: Iterable[str]) -> str:
    """Parts as one text: "a, b and c"."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
