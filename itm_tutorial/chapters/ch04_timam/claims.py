"""Chapter 04: losses over identities against a triplet loss, each ingredient of TIMAM by itself, and its adversary."""

from __future__ import annotations

from functools import partial

from itm_tutorial.chapters.ch04_timam.measures import (
    chance,
    search_classes,
    search_people,
    with_classifiers,
    with_ranking_loss,
)
from itm_tutorial.chapters.declaration import Arm, Claim, Control
from itm_tutorial.chapters.effects import Above, Of
from itm_tutorial.chapters.measures import seconds
from itm_tutorial.evaluation.modality_gap import JUDGES
from itm_tutorial.losses.ranking import MaxOfHinges, SumOfHinges

WORDS = {"bert": None}  # words learned from the start, as CMPL learns its own
FULL = "timam, learned words"
NONE = "without the adversary"
# weight -> name of the arm
ADVERSARIES = {0.0: NONE, 0.03: "adversary of weight 0.03", 0.1: FULL}
ADVERSARIES |= {weight: f"adversary of weight {weight}" for weight in (0.3, 1.0)}
WARM = partial(MaxOfHinges, warmup=0.2)  # without a warm-up it collapses
ByClass = partial(Arm, fit={"epochs": 3}, measures=(search_classes,))  # epochs of ten captions per image
R1 = partial(Above, metric="t2i.r1", where={"corpus": "people"})


def adversary_effects(weight: float, name: str) -> tuple[Above, ...]:
    """What an adversary of this weight does to the search, and to what fresh judges see."""
    who = f"an adversary of weight {weight}"
    seen = "tells images from captions less well (points)"
    judged = (Above(f"{who}: a fresh {judge} {seen}", NONE, name, f"probe.{judge}") for judge in JUDGES)
    return (R1(f"{who} adds to the rest (R@1)", name, NONE), *judged)


CLAIMS = (
    Claim(
        name="timam",
        corpus="people",
        arms=(
            Control("chance", chance),
            Arm("triplet, sum", "cmpl", start=partial(with_ranking_loss, SumOfHinges)),
            Arm("triplet, max", "cmpl", start=partial(with_ranking_loss, WARM)),
            Arm("cmpm", "cmpl", {"classification": False}),
            Arm("cmpl", "cmpl"),
            Arm("timam", "timam", {"bert": "mini"}),
            Arm(FULL, "timam", WORDS),
            # each leaves a part of FULL out, or weighs the adversary anew
            Arm("without identification", "timam", {**WORDS, "identification": False}),
            Arm("without matching", "timam", {**WORDS, "matching": False}),
            Arm(NONE, "timam", {**WORDS, "adversary": False}),
            *(
                Arm(name, "timam", {**WORDS, "adversary_weight": weight})
                for weight, name in ADVERSARIES.items()
                if name not in (NONE, FULL)
            ),
            Arm("identification alone", "timam", {**WORDS, "matching": False, "adversary": False}),
            Arm("one classifier for both", "cmpl", start=partial(with_classifiers, True)),
            Arm("a classifier each", "cmpl", start=partial(with_classifiers, False)),
            ByClass("cmpl", "cmpl", corpus="birds"),
            ByClass("timam", "timam", WORDS, corpus="birds"),
            ByClass("cmpl", "cmpl", corpus="flowers"),
            ByClass("timam", "timam", WORDS, corpus="flowers"),
        ),
        measures=(seconds, search_people),
        effects=(
            R1("cmpl beats a triplet loss that sums (R@1)", "cmpl", "triplet, sum"),
            R1("cmpl beats a triplet loss of the hardest (R@1)", "cmpl", "triplet, max"),
            R1("CMPC adds to CMPM (R@1)", "cmpl", "cmpm"),
            R1("timam beats cmpl (R@1)", "timam", "cmpl"),
            R1("a small frozen BERT beats learned words (R@1)", "timam", FULL),
            R1("timam with learned words beats cmpl (R@1)", FULL, "cmpl"),
            R1("identification adds to the rest (R@1)", FULL, "without identification"),
            R1("matching adds to the rest (R@1)", FULL, "without matching"),
            *(one for weight, name in ADVERSARIES.items() if weight for one in adversary_effects(weight, name)),
            R1("a classifier for both sides beats one each (R@1)", "one classifier for both", "a classifier each"),
            R1(
                "with a classifier each, R@1 stays below twice chance (points)",
                Of("chance", times=2),
                "a classifier each",
            ),
            R1(
                "identification alone beats identification with an adversary (R@1)",
                "identification alone",
                "without matching",
            ),
        ),
    ),
)
