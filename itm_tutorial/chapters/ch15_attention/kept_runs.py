"""Kept results of chapter 15 in the form that its figures take: pointing game, MMCA's alpha, recall against time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from itm_tutorial.chapters import experiment
from itm_tutorial.chapters.ch15_attention.claims.mmca import SWEPT
from itm_tutorial.chapters.ch15_attention.cost_figures import LABELS, Point
from itm_tutorial.chapters.ch15_attention.pair_times import kept_times
from itm_tutorial.storage import read_json

Kept = Callable[[str], dict[str, Any] | None]
Bars = dict[str, list[float]]  # label -> percent, one value per seed
POINTING = (  # claim, arm, keys of the value, label
    ("imram", "K = 3", ("pointing", "model", "noun"), "IMRAM, last step"),
    ("got", "+ nodes and edges", ("pointing", "plan", "noun"), "GOT, its plan"),
    ("got", "+ nodes and edges", ("pointing", "attention", "noun"), "GOT, attention of the same model"),
    ("got", "SCAN", ("pointing", "attention", "noun"), "SCAN"),
)
CONTROLS = (
    ("imram", "K = 3", ("pointing", "uniform", "noun"), "equal weights"),
    ("imram", "K = 3", ("pointing", "untrained", "noun"), "IMRAM, untrained"),
)
IN_THE_LOSS = {"got": "scan"}  # model -> whose score it has: its own idea costs nothing at test time
ALPHA = 0.2  # of the arm whose model is tried with other values


def _kept(name: str) -> dict[str, Any] | None:
    return experiment.results(name) if experiment.was_run(name) else None


def _values(results: dict[str, Any] | None, arm: str, keys: tuple[str, ...]) -> list[float]:
    values = []
    for row in results["figures"] if results else ():
        if row["model"] == arm:
            for key in keys:
                row = row[key]
            values.append(row)
    return values


def kept_pointing(kept: Kept = _kept) -> tuple[Bars, Bars]:
    """The pointing game for nouns, over the seeds of the kept claims.

    Args:
        kept: claim -> its kept results, or None; by default those of the course.

    Returns:
        Methods and controls, for ``ch11_fragments.figures.found_by``; what is not kept is left out.
    """
    bars = [
        {label: values for claim, arm, keys, label in rows if (values := _values(kept(claim), arm, keys))}
        for rows in (POINTING, CONTROLS)
    ]
    return bars[0], bars[1]


def kept_alphas(kept: Kept = _kept) -> tuple[dict[float, list[float]], list[float], Bars] | None:
    """What ``rsum_by_alpha`` draws: the model of alpha 0.2, tried with other values, over the seeds of its claim.

    Args:
        kept: claim -> its kept results, or None; by default those of the course.

    Returns:
        rsum by alpha, rsum of the first score, and the allowed recall by direction; None if the claim is not kept.
    """
    results, arm = kept("mmca"), SWEPT[ALPHA]
    if not (own := _values(results, arm, ("rsum",))):
        return None
    tried = next(row["alpha"] for row in results["figures"] if row["model"] == arm)
    rsum = {float(alpha): _values(results, arm, ("alpha", alpha)) for alpha in tried} | {ALPHA: own}
    names = {"i2t": "image to captions", "t2i": "caption to images"}
    allowed = {label: _values(results, arm, ("allowed", way)) for way, label in names.items()}
    return rsum, _values(results, arm, ("cheap", "rsum")), allowed


def kept_points(check: Path, times: Mapping[str, float] | None = None) -> list[Point]:
    """What ``pareto`` draws: rsum of the reality check against the kept times of a pair.

    Args:
        check: the file of the reality check; it may be missing.
        times: row of the map -> milliseconds per pair; by default the kept ones.

    Returns:
        One point for each of the map's models that has been through the reality check; none where none has.
    """
    times = kept_times() if times is None else times
    models = read_json(check)["models"] if check.exists() else {}
    points = []
    for name, label in LABELS.items():
        tests = [one["test"]["rsum"] for one in models.get(name, {}).get("trainings", ()) if one.get("test")]
        if tests and (score := IN_THE_LOSS.get(name, name)) in times:
            label = "GOT, in the loss alone" if name == "got" else label
            points.append(Point(label, times[score], sum(tests) / len(tests)))
    return points
