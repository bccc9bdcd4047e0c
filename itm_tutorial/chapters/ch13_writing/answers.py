"""Answers to chapter 13's questions, made from the numbers of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import isnan

from torch import Tensor

from itm_tutorial.chapters.ch13_writing.truth_figures import column_share, first_places
from itm_tutorial.data.corpus import Split
from itm_tutorial.evaluation.caption_truth import ALL, SORTS, TruthReport, statement_truth
from itm_tutorial.retrieval.writing import WrittenCaption

LITTLE = 0.1  # a difference of two log p that is hardly one
MUCH = 1.0  # a point, in percent: a smaller difference between two ways to write is not called one


def pictures(split: Split, images: Sequence[int], captions: Mapping[str, Sequence[WrittenCaption]]) -> str:
    """Says how much of the written captions is true of their pictures.

    Args:
        split: of drawn scenes.
        images: indices of the pictures.
        captions: way to write -> one caption for each of the pictures.
    """
    parts = []
    for name, row in captions.items():
        truth = [
            pair for one, image in zip(row, images, strict=True) for pair in statement_truth(one.text, split, image)
        ]
        false = [f"*{statement.words}*" for statement, true in truth if not true]
        log_p = sum(one.log_p for one in row) / len(row)
        listed = f"False: {', '.join(dict.fromkeys(false))}." if false else "Nothing is false."
        parts.append(
            f"*{name}*: {len(truth) - len(false)} of {len(truth)} statements are true, and log P is {log_p:.1f} on "
            f"average. {listed}"
        )
    if captions.keys() >= {"greedy", "beam"}:
        worse = sum(b.log_p < g.log_p for g, b in zip(captions["greedy"], captions["beam"], strict=True))
        if worse:
            parts.append(
                f"For {worse} of {len(images)} pictures the beam even found a less likely caption than the greedy one: "
                "it keeps few beginnings, and had dropped that of the better caption."
            )
    same = sum(len({row[place].text for row in captions.values()}) == 1 for place in range(len(images)))
    parts.append(
        f"For {same} of {len(images)} pictures all ways write the same caption. A caption can be false and still be "
        "fluent, because the writer learns the language from all captions."
    )
    return " ".join(parts)


def words(own: Sequence[tuple[str, float]], other: Sequence[tuple[str, float]]) -> str:
    """Says which words of a caption tell its own image from another one.

    Args:
        own: words with their log p, given the caption's own image.
        other: the same words, given another image.
    """
    gains = [(word, mine - theirs) for (word, mine), (_, theirs) in zip(own, other, strict=True)]
    total, mine = sum(gain for _, gain in gains), sum(p for _, p in own)
    order = sorted(gains, key=lambda pair: -pair[1])[:3]
    best = ", ".join(f"*{word}* ({gain:+.1f})" for word, gain in order)
    quiet = [word for word, gain in gains if abs(gain) < LITTLE]
    text = (
        f"Given its own image, log P of the caption is {mine:.1f}; given the other image it is {mine - total:.1f}. The "
        f"difference, {total:+.1f}, comes most from {best}. "
    )
    if quiet:
        text += f"For {len(quiet)} of {len(gains)} tokens the images differ by less than {LITTLE}. "
    return text + (
        "Such words cost nearly the same under every image. They still count in the sum, so that a caption with a few "
        "rare words has a low log P for all images, its own included."
    )


def hubs(tables: Mapping[str, Tensor], r1: Mapping[str, float], captions: Sequence[str]) -> str:
    """Says how much of the scores is the caption's own commonness, and what the divisions change.

    Args:
        tables: "log P" and other names -> scores [n_images, n_captions].
        r1: the same names -> R@1 from image to text, in percent.
        captions: the texts of the columns.
    """
    first = {name: first_places(table) for name, table in tables.items()}
    n_images, share = len(next(iter(tables.values()))), {name: 100 * column_share(t) for name, t in tables.items()}
    hub = int(first["log P"].argmax())
    how = "most of what the score says is" if share["log P"] > 50 else "so much of the score says"
    parts = [
        f"Of the variance of log P, {share['log P']:.0f} % lies between the means of the captions: {how} how common a "
        f"caption is, whatever the image. *{captions[hub]}* is first for {int(first['log P'][hub])} of {n_images} "
        f"images, and only {int((first['log P'] > 0).sum())} of {len(captions)} captions are first for any image."
    ]
    for name in tables:
        if name != "log P":
            parts.append(
                f"*{name}*: the share is {share[name]:.0f} %. The most frequent first caption is first for "
                f"{int(first[name].max())} images, and {int((first[name] > 0).sum())} captions come first."
            )
    listed = ", ".join(f"{name} {value:.0f} %" for name, value in r1.items())
    return f"{' '.join(parts)}\n\nR@1 from image to text: {listed}."


def truth(reports: Mapping[str, TruthReport], log_p: Mapping[str, float], controls: Mapping[str, TruthReport]) -> str:
    """Says whether captions that are more likely are more true.

    Args:
        reports: "greedy", "beam" and other ways to write -> how true their captions are.
        log_p: the same names -> the mean log P of their captions.
        controls: captions that do not look at the picture.
    """
    share = {name: report.shares[ALL] for name, report in (reports | controls).items()}
    higher = log_p["beam"] - log_p["greedy"]
    gain = share["beam"] - share["greedy"]
    if higher > 0:
        likely = f"A beam raises log P, by {higher:.2f} on average: {log_p['greedy']:.2f} becomes {log_p['beam']:.2f}."
    else:
        likely = f"The beam does not raise log P in this run: {log_p['greedy']:.2f} becomes {log_p['beam']:.2f}."
    if isnan(gain):
        so = "One of the two makes no statements, so that there is no share of true ones: train longer."
    elif abs(gain) < MUCH:
        so = f"The share of true statements hardly changes: {share['greedy']:.1f} % and {share['beam']:.1f} %."
    else:
        so = (
            f"The share of true statements {'rises' if gain > 0 else 'falls'}, from {share['greedy']:.1f} % to "
            f"{share['beam']:.1f} %."
        )
    said = [reports[name].n_stated.double().mean().item() for name in ("greedy", "beam")]
    so += f" A caption makes {said[0]:.1f} statements if it is written greedily, and {said[1]:.1f} with the beam"
    so += (
        ". Who says less can be wrong less often: read the share beside the number of statements."
        if said[1] < said[0] - LITTLE
        else "."
    )
    parts = [f"{likely} {so}"]
    drawn = [name for name in reports if name not in ("greedy", "beam")]
    if drawn:
        listed = ", ".join(f"{name} {share[name]:.0f} % (log P {log_p[name]:.1f})" for name in drawn)
        parts.append(f"The other captions: {listed}.")
    text, greedy = " ".join(parts), reports["greedy"]
    worst = sorted((sort for sort in SORTS if greedy.counts[sort]), key=lambda sort: greedy.shares[sort])
    if worst:
        shares = ", ".join(f"{sort} {greedy.shares[sort]:.0f} %" for sort in worst)
        text += f"\n\nSorts of statements of the greedy captions, the falsest first: {shares}."
    if against := ", ".join(f"{name} {share[name]:.0f} %" for name in controls if not isnan(share[name])):
        text += (
            f" Captions that do not look at the picture: {against}. Only what lies above these comes from the image."
        )
    return text


def alike(captions: Mapping[str, Sequence[WrittenCaption]]) -> str:
    """Says how many different captions each way to write makes, and which caption is written most often.

    Args:
        captions: way to write -> one caption per picture.
    """
    parts = []
    for name, row in captions.items():
        texts = Counter(one.text for one in row)
        text, times = texts.most_common(1)[0]
        parts.append(f"*{name}*: {len(texts)} different captions for {len(row)} pictures, *{text}* {times} times")
    return (
        f"{'; '.join(parts)}. A low temperature makes likely words likelier, and captions become alike. A high one "
        "gives rare words a chance, whether the picture shows what they say or not. At 0, nothing is drawn, and the "
        "widget shows the greedy caption and the beam."
    )


def leak(pair: Mapping[str, Sequence[float]], r1: Mapping[str, float]) -> str:
    """Says how a prior over the gallery makes a score depend on the other images.

    Args:
        pair: "training images" and "gallery" -> the score of one pair in the whole gallery and in half of it.
        r1: the same names -> R@1 from image to text, in percent.
    """
    train, gallery = pair["training images"], pair["gallery"]
    difference = r1["gallery"] - r1["training images"]
    text = (
        f"With a prior over training images, the score of the pair is {train[0]:.2f} in both galleries. With one "
        f"over the gallery, it is {gallery[0]:.2f} among all images and {gallery[1]:.2f} among half of them, although "
        "neither the image nor the caption has changed. "
    )
    if abs(difference) < MUCH:
        text += f"R@1 hardly differs: {r1['training images']:.1f} % and {r1['gallery']:.1f} %. "
    else:
        text += (
            f"R@1 is {r1['gallery']:.1f} % with it, {abs(difference):.1f} points "
            f"{'above' if difference > 0 else 'below'} the {r1['training images']:.1f} % of the training images. "
        )
    return text + (
        "A number that used the test images to correct the scores of the test images cannot be compared with one that "
        "did not, and a search for one new image would need the whole test set."
    )
