"""Answers to chapter 10's questions, made from the numbers of the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

from torch import Tensor

from itm_tutorial.chapters import experiment
from itm_tutorial.chapters.ch10_sentences.measures.chain_vse import NOISE
from itm_tutorial.chapters.ch10_sentences.probes import double_softmax_floor
from itm_tutorial.data.parsing import Parse
from itm_tutorial.evaluation.probing import ProbeResult

STILL = 1e-5  # 1 - cosine that is rounding alone
QUIET = 0.02  # 1 - cosine below which an embedding hardly moves
KEPT_ARMS = {"characters": "chain_vse", "GRU over words": "GRU", "GRU, word dropout": "GRU, word dropout"}


def readings(parse: Parse, hops: Tensor, trained: bool) -> str:
    """Says what the tree joins that word order keeps apart, and which words the hops read.

    Args:
        parse: of the caption.
        hops: [n_hops, n_words].
        trained: whether the model of the hops is trained.
    """
    root = parse.words[parse.root]
    far = max(range(len(parse.words)), key=lambda w: abs(parse.heads[w] - w))
    gap = abs(parse.heads[far] - far)
    tops = list(dict.fromkeys(parse.words[int(row.argmax())] for row in hops))
    one, other = parse.words[far], parse.words[parse.heads[far]]
    text = (
        f"In order, a state reads one more word at a time, so that *{one}* and *{other}* are {gap} steps apart. In "
        f"the tree they are neighbours: one arc joins them. All ways up end at the root, "
        f"*{root}*. Characters know neither words nor grammar: a window sees a few letters. "
        f"The {len(hops)} hops put their largest weights on {_words(tops)}."
    )
    if not trained:
        return text + ' This SEAM is not trained, so its weights mean nothing; run the chapter with `method = "seam"`.'
    return text + (
        " Several hops read the same word. Nothing in the loss tells them to differ: that would be the task of the "
        "penalty on hops that overlap, which the authors' public code computes but never adds."
        if len(tops) < len(hops)
        else " Each hop reads another word."
    )


def moved(rows: Mapping[str, Sequence[float]], words: Sequence[str], exchanged: Mapping[str, float]) -> str:
    """Says which words move each encoder most, and what it does when two nouns change places."""
    said = []
    for name, row in rows.items():
        order = sorted((w for w in range(len(words)) if not isnan(row[w])), key=lambda w: -row[w])[:3]
        said.append(f"{name}: {_words([words[w] for w in order])}")
    still = [name for name, distance in exchanged.items() if distance < STILL]
    text = f"The three words that move each embedding most: {'; '.join(said)}. "
    quiet = [word for w, word in enumerate(words) if all(row[w] < QUIET for row in rows.values())]
    if quiet:
        text += f"Words that hardly move any of them: {_words(quiet)}. "
    if still:
        text += (
            f"Exchanging the nouns does not move {_joined(still)} at all. An encoder whose embedding never changes "
            "with the order, such as hops over word vectors or a mean, reads a set. Whatever the loss, it cannot tell "
            "the two captions apart. "
        )
    rest = {name: value for name, value in exchanged.items() if name not in still}
    if rest:
        listed = ", ".join(f"{name} {value:.2f}" for name, value in rest.items())
        text += f"The exchange moves {listed}. A large number shows that order matters, not that it is understood."
    return text.strip()


def agreement(rows: Mapping[str, Mapping[str, float]]) -> str:
    """Says which encoder brings captions of one image nearest, and whether another order of the facts hurts."""
    best = min(rows, key=lambda name: rows[name]["same_image"])
    worst = max(rows, key=lambda name: rows[name]["same_image"])
    text = (
        f"Captions of one image are nearest in the space of *{best}* (mean rank {rows[best]['same_image']:.1f}) and "
        f"farthest in that of *{worst}* ({rows[worst]['same_image']:.1f}). "
    )
    both = {name: of for name, of in rows.items() if "reordered" in of}
    if both:
        order = min(both, key=lambda name: both[name]["reordered"])
        text += (
            f"Captions with the same facts in another order are nearest with *{order}* "
            f"({both[order]['reordered']:.1f}). "
        )
    return text + (
        "What an encoder reaches without training comes from the words that the captions share. The five captions of "
        "an image state different facts, so even a perfect encoder has no reason to put all of them in one place.\n\n"
        "Agreement is not recall: it compares captions with captions, and no picture takes part. An encoder may bring "
        "captions of one image together and still place them far from the image."
    )


def misspelt(curves: Mapping[str, Mapping[float, float]], kept: Mapping[str, Any] | None = None) -> str:
    """Compares the losses under misspelling of this run, and of the kept claim over several seeds.

    Args:
        curves: encoder -> percent of letters replaced -> R@10.
        kept: results of the claim "chain_vse"; by default those of the course, where somebody has run it.
    """
    if kept is None and experiment.was_run("chain_vse"):
        kept = experiment.results("chain_vse")
    some = max(next(iter(curves.values())))
    parts = []
    for name, points in curves.items():
        parts.append(f"{name}: {points[0]:.1f} without misspelling, {points[some]:.1f} at {some:g} % of the letters")
    best = max(curves, key=lambda name: curves[name][0])
    text = (
        f"R@10 of {'; '.join(parts)}. Without misspelling the highest is that of *{best}*. A misspelt word is unknown "
        "to an encoder of words: it reads `<unk>`, whatever the word was. An encoder of characters still sees the "
        "letters that are left. At 10 % of the letters, a word of five letters stays as it was with probability 0.9⁵ = "
        f"{0.9**5:.2f}. "
    )
    if kept is None:
        return (
            text + "Our comparison over several seeds, with a third arm that trains the GRU with word dropout, was not "
            "measured yet."
        )
    return text + "Over several seeds: " + "; ".join(_kept_curve(kept)) + "."


def _kept_curve(kept: Mapping[str, Any]) -> list[str]:
    """Mean R@10 of each arm of the kept claim, by percent of letters replaced."""
    said = []
    for arm, name in KEPT_ARMS.items():
        rows = [row for row in kept["figures"] if row.get("model") == arm]
        if not rows:
            continue
        means = [sum(row["t2i"][str(n)]["r10"] for row in rows) / len(rows) for n in (0, *NOISE)]
        listed = ", ".join(f"{mean:.1f} at {n} %" for n, mean in zip((0, *NOISE), means, strict=True))
        said.append(f"{name} {listed}")
    return said


def probes(
    results: Mapping[str, Mapping[str, ProbeResult]], losses: Mapping[str, Sequence[float]], n_classes: int
) -> str:
    """Says what training added to the embeddings, and what the second softmax does to the loss.

    Args:
        results: task -> encoder -> result; one encoder is untrained.
        losses: "once" and "twice" -> the loss at each step.
        n_classes: of the task whose losses these are.
    """
    parts, gains = [], {}
    for task, by_encoder in results.items():
        (untrained,) = [one for name, one in by_encoder.items() if "untrained" in name]
        (trained,) = [one for name, one in by_encoder.items() if "untrained" not in name]
        gains[task] = trained.accuracy - untrained.accuracy
        parts.append(
            f"{task}: {trained.accuracy:.0f} % after training, {untrained.accuracy:.0f} % before, "
            f"{trained.majority:.0f} % with the most common label"
        )
    floor, most = double_softmax_floor(n_classes), max(gains, key=lambda task: abs(gains[task]))
    return (
        f"{'. '.join(parts)}. Training changes *{most}* most, by {gains[most]:+.1f} points in this run.\n\nA number "
        "above the line of the most common label is not yet a result of training: an untrained network keeps much of "
        "its words too. Random labels cannot be known for captions that the probe has not seen, so its accuracy there "
        "shows how often the frequent ones occur. In the task *swapped*, two captions change their nouns, so that no "
        "single word gives the change away, only what it stands beside.\n\n"
        f"With the softmax applied twice, the loss ends at {losses['twice'][-1]:.2f}; with one, at "
        f"{losses['once'][-1]:.2f}. Two can never go below {floor:.2f}, since the second softmax gets numbers between "
        "0 and 1, which leaves the labels nearly equally likely. A loss that stops high above 0 while the accuracy is "
        "good is the symptom of this fault."
    )


def _words(words: Sequence[str]) -> str:
    return ", ".join(f"*{word}*" for word in dict.fromkeys(words))


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
