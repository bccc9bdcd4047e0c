"""The kept runs of the claim ``timam`` as the figures of chapter 04 read them: by weight and by variant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from itm_tutorial.chapters.ch04_timam.claims import ADVERSARIES, FULL, NONE
from itm_tutorial.chapters.verdict import per_model
from itm_tutorial.evaluation.modality_gap import JUDGES

VARIANTS = {  # group -> name in the figure -> name of the arm in the claim
    "encoders of cmpl": {
        "triplet loss, hardest negative": "triplet, max",
        "triplet loss, sum of hinges": "triplet, sum",
        "CMPM": "cmpm",
        "CMPM and CMPC: cmpl": "cmpl",
        "one classifier for both sides": "one classifier for both",
        "one classifier per side": "a classifier each",
    },
    "encoders of timam": {
        "all three losses: timam": FULL,
        "without the adversary": NONE,
        "without identification": "without identification",
        "without CMPM": "without matching",
        "identification alone": "identification alone",
        "all three, words of a small BERT": "timam",
    },
}


def by_weight(rows: Sequence[dict[str, Any]]) -> tuple[dict[str, dict[float, list[float]]], dict[float, list[float]]]:
    """Selects the runs that differ in the adversary's weight alone.

    Args:
        rows: as ``itm.claims.results("timam")["figures"]`` holds them.

    Returns:
        Judge -> weight -> its accuracy per seed, and weight -> R@1 per seed, all in percent; weight 0 is no adversary.
    """
    accuracies = {judge: per_model(rows, "probe", judge) for judge in JUDGES}
    recalls = per_model(rows, "t2i", "r1")
    judged = {
        judge: {weight: found[name] for weight, name in ADVERSARIES.items()} for judge, found in accuracies.items()
    }
    return judged, {weight: recalls[name] for weight, name in ADVERSARIES.items()}


def by_variant(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, list[float]]]:
    """Selects R@1 of the losses and of what is left out.

    Args:
        rows: as ``itm.claims.results("timam")["figures"]`` holds them.

    Returns:
        Group -> variant -> R@1 per seed, in percent.
    """
    recalls = per_model(rows, "t2i", "r1")
    return {group: {name: recalls[arm] for name, arm in arms.items()} for group, arms in VARIANTS.items()}
