"""Chapter 00: what a bag of words can do, and where the order of words decides."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from torch import Tensor

from itm_tutorial.chapters.verdict import effect, per_model
from itm_tutorial.data.corpus import Split
from itm_tutorial.data.loading import load_corpus
from itm_tutorial.evaluation.minimal_pairs import ceiling, evaluate_minimal_pairs
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.models import create_model
from itm_tutorial.retrieval.scoring import score
from itm_tutorial.training.loop import fit

MODELS = ("bow", "vse")


def figures_of(scores: Tensor, split: Split) -> dict[str, Any]:
    """Recalls over all queries, and accuracy on the queries where one thing decides, by kind."""
    report, minimal_pairs = evaluate(scores, split.image_of), evaluate_minimal_pairs(scores, split)
    return {
        "rsum": report.rsum,
        "i2t_r1": report.i2t.r1,
        "t2i_r1": report.t2i.r1,
        "minimal_pairs": {kind: result.accuracy for kind, result in minimal_pairs.items()},
        "minimal_pair_queries": {kind: result.n for kind, result in minimal_pairs.items()},
    }


def figures_of_seed(seed: int, size: str) -> list[dict[str, Any]]:
    """``bow`` and ``vse`` on the drawn scenes of a seed, beside an untrained model and the oracle."""
    corpus = load_corpus("scenes", size=size, seed=seed)
    best = ceiling(corpus.test)
    rows = [{"model": "ceiling", "rsum": best.rsum, "i2t_r1": best.i2t.r1, "t2i_r1": best.t2i.r1}]
    untrained = create_model("vse", corpus, seed=seed)
    rows.append({"model": "untrained", **figures_of(score(untrained, corpus.test), corpus.test)})
    for name in MODELS:
        model = create_model(name, corpus, seed=seed)
        history = fit(model, corpus, seed=seed, progress=False)
        seconds = sum(epoch["seconds"] for epoch in history.epochs)
        rows.append({"model": name, "seconds": seconds, **figures_of(score(model, corpus.test), corpus.test)})
    return [{"seed": seed, **row} for row in rows]


def effects_of(figures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The verdicts over the seeds, as plain data."""
    rsum, binding = per_model(figures, "rsum"), per_model(figures, "minimal_pairs", "binding")
    effects = []

    def tell(name: str, better: list[float], worse: list[float]) -> None:
        effects.append(asdict(effect(name, [a - b for a, b in zip(better, worse, strict=True)])))

    if binding:  # a tiny split may lack a kind of minimal pair
        chance = [50.0] * len(binding["vse"])
        tell("vse beats bow where the binding decides (points)", binding["vse"], binding["bow"])
        tell("vse is above chance where the binding decides (points)", binding["vse"], chance)
        tell("bow is above chance where the binding decides (points)", binding["bow"], chance)
    tell("vse beats bow over all queries (rsum)", rsum["vse"], rsum["bow"])
    for name in MODELS:
        tell(f"{name} beats an untrained model (rsum)", rsum[name], rsum["untrained"])
        tell(f"{name} stays under the ceiling (rsum)", rsum["ceiling"], rsum[name])
    for kind in ("relation", "count", "object"):
        decided = per_model(figures, "minimal_pairs", kind)
        if decided:
            tell(f"vse beats bow where the {kind} decides (points)", decided["vse"], decided["bow"])
    return effects
