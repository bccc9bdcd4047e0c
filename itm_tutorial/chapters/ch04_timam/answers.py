"""The folded answers of chapter 04: each says what this run showed, with numbers that were computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from itm_tutorial.chapters.ch04_timam.claims import FULL, NONE
from itm_tutorial.chapters.ch04_timam.diagrams import cmpm_terms
from itm_tutorial.chapters.verdict import per_model
from itm_tutorial.data.corpus import Split
from itm_tutorial.evaluation.class_metrics import ClassSearch
from itm_tutorial.evaluation.modality_gap import modality_gap
from itm_tutorial.retrieval.search import Hits
from itm_tutorial.show.canvas import counted

WORDS = {"head": "hair or hat", "upper": "top", "lower": "trousers or skirt", "person": "build"}  # parts of a person
CLOSE = 2.0  # points of R@1 on one test split that one run may differ by chance


def gallery(split: Split, found: Sequence[Hits], captions: Sequence[int]) -> str:
    """Says where the described people stand, and how much of a description is true of the pictures before them.

    Args:
        split: a drawn one, that was searched.
        found: the results of ``search``, one per description.
        captions: the index of each description.
    """
    shown, facts = split.identity, split.facts
    parts, true, stated, false = [], 0, 0, Counter()
    for hits, caption in zip(found, captions, strict=True):
        who = int(shown[split.image_of[caption]])
        right = [rank for rank, image in enumerate(hits.indices, start=1) if int(shown[image]) == who]
        place = f"finds its person at rank {right[0]}" if right else None
        parts.append(place or f"does not find its person among the first {len(hits.indices)}")
        for image in hits.indices[: right[0] - 1 if right else None]:
            said = facts.of_caption[caption]
            true, stated = true + len(said & facts.of_image[image]), stated + len(said)
            false.update(_part(fact) for fact in said - facts.of_image[image])
    places = "; ".join(f"description {n} {part}" for n, part in enumerate(parts, start=1)).capitalize() + "."
    if not stated:
        return f"{places} No picture of another person comes before it in these three searches."
    share = 100 * true / stated
    return (
        f"{places} In the pictures of other people before it, {share:.0f} % of what the description says is true; what "
        f"is not true most often concerns the {' and the '.join(part for part, _ in false.most_common(2))}. The world "
        "contains people who look alike, and a short caption may be true of several people. A person counts as found "
        "if any of their pictures is found, from behind or at dusk too."
    )


def _part(fact: tuple) -> str:
    """What a fact of a person is about, in a word."""
    if fact[0] not in ("kind", "attribute"):
        return fact[0]
    return {"head": "hair or hat", "upper": "top", "lower": "trousers or skirt", "person": "build"}.get(
        fact[1], fact[1]
    )


def cmpm_steps(image: Tensor, captions: Tensor, match: Tensor) -> str:
    """Says which caption adds most to the loss of an image; the arguments are those of ``figures.cmpm_steps``."""
    found = cmpm_terms(image, captions, match)
    most = int(found["term"].argmax())
    p, term, total = found["p"][most].item(), found["term"][most].item(), found["term"].sum().item()
    negatives = (found["p"] * ~match).sum().item()
    whose = "of another person" if not match[most] else "of the same person"
    return (
        f"The largest term, {term:.2f}, comes from a caption {whose}, whose probability is {p:.2f}. The whole loss is "
        f"{total:.2f}. The captions of other people have {100 * negatives:.0f} % of the probability. Their target is "
        "0, so log(p / q) divides by 1e-8, and each unit of probability costs about 18. The captions of the same "
        "person add little, whether the probability is divided evenly between them or not."
    )


def copied_targets(cost: float, copied_cost: float) -> str:
    """Says what a perfect answer costs with the right targets and with those divided by the L2 norm."""
    rewarded = (
        f"With the L2 norm it costs {copied_cost:.2f}, less than 0: these targets sum to more than 1, so they are no "
        "distribution, and the loss rewards batches in which people repeat."
        if copied_cost < -0.005
        else f"With the L2 norm it costs {copied_cost:.2f}: where each person comes once, both targets are equal."
    )
    return f"A perfect answer costs {abs(cost):.2f} with the right targets, as a divergence should. {rewarded}"


def directions(negative: float, forward: float, backward: float) -> str:
    """Says what a probability on a wrong caption costs in KL(p || q) and in KL(q || p)."""
    return (
        f"CMPM's direction, KL(p || q): a probability of {negative:g} on a wrong caption costs {forward:.3f} there and "
        f"{backward:.3f} in the other direction. Each unit of probability on a wrong caption costs about -log(1e-8), "
        "which is 18; this is why the 1e-8 must not be changed without thought. In KL(q || p) a wrong caption costs "
        "only what it takes away from the right ones, and *every* right caption needs some probability. That loss "
        "trains too, but it is another loss."
    )


def padding(plain: bool, masked: bool) -> str:
    """Says whether a caption keeps its embedding in a batch with a longer one, without and with a mask."""
    first = (
        "It should not. With the plain maximum it does: the zeros of the padding are larger than the negative states, "
        "so the result of a search depends on the other queries of its batch."
        if not plain
        else "It should not, and with these states the plain maximum happens to give the same embedding."
    )
    return (
        f"{first} {'With your mask the embedding stays the same.' if masked else 'The mask has to be corrected.'} The "
        "same public copy had a third bug: it reversed the input of its backward LSTM along the *batch* in place of "
        "the words, so that a sentence was read with its neighbours. Both bugs train without an error and only lower "
        "R@1. People who ran this code reported R@1 of 38 to 41 in place of 49."
    )


def projection_weights(probabilities: Tensor, match: Tensor) -> str:
    """Says how much probability lies inside the frames, and how evenly it is divided there.

    Args:
        probabilities: [n_images, n_captions], each row sums to 1.
        match: bool [n_images, n_captions], True where both are of one person.
    """
    inside = (probabilities * match).sum(1)  # [n_images]
    largest = (probabilities * match).amax(1) / inside.clamp(min=1e-12)
    even = (1 / match.sum(1)).mean().item()
    first = match[torch.arange(len(match)), probabilities.argmax(1)]
    return (
        f"The framed cells hold {100 * inside.mean():.0f} % of the probability, on average over the images. Inside the "
        f"frames the largest cell of a row holds {100 * largest.mean():.0f} % of the row's framed probability, where "
        f"an even division would give {100 * even:.0f} %. KL(p || q) punishes probability outside the frames and "
        f"tolerates an uneven division inside. The search needs no even division: for {int(first.sum())} of "
        f"{len(match)} images the largest cell of the row is framed, so the best caption is one of the right person."
    )


def embedding_map(stages: Mapping[str, tuple[Tensor, Tensor]], groups: tuple[Tensor, Tensor]) -> str:
    """Says how far the two modalities are apart in each stage, and whether each person's embeddings came together.

    Args:
        stages: two of them, as for ``figures.embedding_map``.
        groups: int64 [n_images] and [n_captions], whom each is of.
    """
    (first, before), (last, after) = stages.items()
    gaps = [modality_gap(*sides) for sides in (before, after)]
    ahead = [_lead(*sides, *groups) for sides in (before, after)]
    moved = "smaller" if gaps[1] < gaps[0] else "no smaller"
    came = "came together" if ahead[1] > ahead[0] + 0.05 else "did not come together"
    return (
        f"{first.capitalize()} training the means of the two sides are {gaps[0]:.2f} apart; {last} training they are "
        f"{gaps[1]:.2f} apart, so the gap is {moved}. A caption's cosine with pictures of its person exceeds its "
        f"cosine with other pictures by {ahead[0]:.2f} {first} and by {ahead[1]:.2f} {last} training: each person's "
        f"embeddings {came}. The search needs the second change. It ranks pictures for one caption, and for a ranking "
        "the right picture must be nearer than the others, however large the gap is."
    )


def _lead(images: Tensor, captions: Tensor, shown: Tensor, described: Tensor) -> float:
    """How much larger the mean cosine of matching pairs is than that of the others."""
    scores = normalize(images.float(), dim=1) @ normalize(captions.float(), dim=1).T
    match = shown[:, None] == described[None]
    return (scores[match].mean() - scores[~match].mean()).item()


def known_people(known: float, new: float) -> str:
    """Says what a search among people of the training split would pretend; R@1 in percent for known and new people."""
    if known > new + CLOSE:
        return (
            f"R@1 is {known:.1f} among people of the training split and {new:.1f} among new people. Both galleries "
            f"have the same number of people, so the {known - new:.1f} points show what the model remembers of people "
            "it was trained on. A split by pictures would report part of this as skill."
        )
    return (
        f"R@1 is {known:.1f} among people of the training split and {new:.1f} among new people: this short run has not "
        "learned its training people by heart. With more epochs the first number grows beyond the second, and a split "
        "by pictures would report part of that as skill."
    )


def centred(judged: Mapping[str, tuple[float, float, float]]) -> str:
    """Says what removing the gap changed.

    Args:
        judged: "trained" and "centred" -> accuracy of the judge in percent, gap, R@1 in percent.
    """
    (seen, gap, r1), (seen_after, gap_after, r1_after) = judged["trained"], judged["centred"]
    change = r1_after - r1
    same = abs(change) <= CLOSE
    effect = f"R@1 stays within {CLOSE:.0f} points ({change:+.1f})" if same else f"R@1 changes by {change:+.1f} points"
    return (
        f"Subtracting the means takes the gap from {gap:.2f} to {gap_after:.2f} and the accuracy of the judge from "
        f"{seen:.0f} % to {seen_after:.0f} %, and {effect}. "
        + (
            "Most of what a linear judge sees is a shift that all images share. Such a shift adds nearly the same "
            "number to all scores of a caption, so it leaves the order of the pictures as it was. An adversary that "
            "removes it has little to offer to the search."
            if same and seen_after - 50 < (seen - 50) / 2
            else "In this run the shift between the two sides did affect the order of the pictures."
        )
    )


def adversary(kept: Mapping[str, Any]) -> str:
    """Says what the adversary does to both judges and to the search, from the verdicts of the kept effects.

    Args:
        kept: as ``itm.claims.results("timam")`` gives it.
    """
    effects = {effect["name"]: effect for effect in kept["effects"]}
    judges = {}
    for judge in ("line", "network"):
        seen = {n: e for n, e in effects.items() if f"a fresh {judge} tells images from captions less well" in n}
        judges[judge] = [n.split(":")[0].rpartition(" ")[2] for n, e in seen.items() if e["verdict"] == "holds"]
    gains = [e for n, e in effects.items() if n.startswith("an adversary") and n.endswith("adds to the rest (R@1)")]
    helped = [e for e in gains if e["verdict"] == "holds"]
    changes = ", ".join(f"{e['mean']:+.1f} ± {2 * e['standard_error']:.1f}" for e in gains)
    seen = per_model(kept["figures"], "probe", "line")
    gaps = per_model(kept["figures"], "gap")
    without, full = (mean(gaps[name]) for name in (NONE, FULL))
    line = (
        f"The linear judge is less accurate with an adversary of weight {_listed(judges['line'])}: at 0.1 it falls "
        f"from {mean(seen[NONE]):.0f} % to {mean(seen[FULL]):.0f} %, still far above guessing."
        if judges["line"]
        else "The linear judge is as accurate with an adversary as without one, at every weight."
    )
    network = (
        f"The network is less accurate at weight {_listed(judges['network'])}."
        if judges["network"]
        else "For the network, a judge of the discriminator's own kind, three seeds show no clear difference at any "
        "weight. This is what to expect if the encoders mislead only the one discriminator that they were trained with."
    )
    search = f"R@1 clearly rises at {counted(len(helped), 'weight')}." if helped else "R@1 clearly rises at no weight."
    return (
        f"{line} {network}\n\n{search} The changes, each with two standard errors, are {changes} points. Three reasons "
        "why the game does not help the search here. First, there was little left to do: without an adversary the gap "
        f"is already {without:.2f}, and with it {full:.2f}, since CMPM pulls each caption towards its person's "
        "pictures. Second, the discriminator sees one embedding at a time and never learns whose it is: it compares "
        "the two clouds as wholes, and does not know whether a caption is near its own picture. Third, a shift of a "
        "whole cloud changes all scores of a caption by nearly the same amount; the experiment above measured what "
        "this is worth."
    )


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def ablation(kept: Mapping[str, Any]) -> str:
    """Says which losses differ by more than seeds do, and why two variants fail.

    Args:
        kept: as ``itm.claims.results("timam")`` gives it.
    """
    effects = {effect["name"]: effect for effect in kept["effects"]}
    gap = mean(per_model(kept["figures"], "gap")["without matching"])
    r1 = {name: mean(values) for name, values in per_model(kept["figures"], "t2i", "r1").items()}

    def judged(name: str) -> str:
        found = effects[name]
        size = f"{found['mean']:+.1f} ± {2 * found['standard_error']:.1f} points"
        words = {"holds": "is better", "does not hold": "is worse", "too close to say": "shows no clear difference"}
        return f"{words[found['verdict']]} ({size})"

    return (
        f"Compared with the triplet loss of the hardest negative (chapter 02), `cmpl` "
        f"{judged('cmpl beats a triplet loss of the hardest (R@1)')}; compared with the sum of hinges, it "
        f"{judged('cmpl beats a triplet loss that sums (R@1)')}. CMPM with CMPC, compared with CMPM alone, "
        f"{judged('CMPC adds to CMPM (R@1)')}. `timam` with the words of a small BERT, compared with learned words, "
        f"{judged('a small frozen BERT beats learned words (R@1)')}: this BERT was trained for a minute and stays "
        "frozen.\n\n"
        f"Two variants are near guessing, which is {r1['chance']:.1f}. *Without CMPM* reaches "
        f"{r1['without matching']:.1f} and ends with a gap of {gap:.2f}, which the game was meant to close. A likely "
        "reason: each side moves to where the discriminator expects the other one, the discriminator follows, and "
        "nothing else holds a caption near its person's pictures. Identification without the game reaches "
        f"{r1['identification alone']:.1f}. *One classifier per side* ({r1['a classifier each']:.1f}) names people "
        "well on each side, but the two classifiers place the people in unrelated directions, so cosines between the "
        f"sides mean nothing. One classifier for both sides reaches {r1['one classifier for both']:.1f}."
    )


def birds(hits: Sequence[Hits], identity: Tensor, wanted: Sequence[int], package: ClassSearch) -> str:
    """Says how well single sentences and whole classes find their species.

    Args:
        hits: the results of ``search``, one per sentence.
        identity: int64 [n_images], the species in each picture.
        wanted: the species that each sentence describes.
        package: the search with one vector per species.
    """
    counts = [int((identity[one.indices] == who).sum()) for one, who in zip(hits, wanted, strict=True)]
    shown = sum(len(one.indices) for one in hits)
    share = 100 * sum(counts) / shown
    reached = 100 * package.precision / package.best
    harder = "One sentence is harder" if share < reached else "In this run the chosen sentences do as well as the means"
    return (
        f"{harder}: {share:.0f} % of the {shown} pictures found by single sentences show the right species, and the "
        f"means of all captions reach {package.precision:.1f} of a best possible {package.best:.1f}, which is "
        f"{reached:.0f} % of it. A sentence names a few parts of the bird and fits several species; a mean over all "
        "captions of a species leaves out little. AP@50 measures how well classes are described, R@1 how well one "
        "description finds a picture. Always read AP@50 beside its best possible value. Public code also has a "
        "function of this name that computes another metric, and one called MAP that is off by one."
    )
