"""Chapter 00: what a bag of words can do, and where the order of words decides."""

from __future__ import annotations

from dataclasses import asdict
from functools import reduce
from operator import getitem
from typing import Any

from torch import Tensor

from itm_tutorial.claims.verdict import effect, provenance
from itm_tutorial.data.corpus import Split
from itm_tutorial.data.loading import load_corpus
from itm_tutorial.metrics import evaluate
from itm_tutorial.models import create_model
from itm_tutorial.retrieval import score
from itm_tutorial.siblings import ceiling, evaluate_siblings
from itm_tutorial.training import fit

MODELS = ("bow", "vse")


def figures_of(scores: Tensor, split: Split) -> dict[str, Any]:
    """Recalls over all queries, and accuracy on the queries where one thing decides, by kind."""
    report, siblings = evaluate(scores, split.image_of), evaluate_siblings(scores, split)
    return {
        "rsum": report.rsum,
        "i2t_r1": report.i2t.r1,
        "t2i_r1": report.t2i.r1,
        "siblings": {kind: result.accuracy for kind, result in siblings.items()},
        "sibling_queries": {kind: result.n for kind, result in siblings.items()},
    }


def run(seeds: tuple[int, ...] = (0, 1, 2), size: str = "mini") -> dict[str, Any]:
    """Trains ``bow`` and ``vse`` on the drawn scenes of every seed, beside an untrained model and the oracle.

    Args:
        seeds: each draws its own corpus and trains its own models.
        size: of the corpus.

    Returns:
        ``figures`` (one entry a seed and model), ``effects`` (with verdicts), ``provenance``.
    """
    figures = []
    for seed in seeds:
        corpus = load_corpus("scenes", size=size, seed=seed)
        best = ceiling(corpus.test)
        figures.append(
            {"seed": seed, "model": "ceiling", "rsum": best.rsum, "i2t_r1": best.i2t.r1, "t2i_r1": best.t2i.r1}
        )
        untrained = create_model("vse", corpus, seed=seed)
        figures.append({"seed": seed, "model": "untrained", **figures_of(score(untrained, corpus.test), corpus.test)})
        for name in MODELS:
            model = create_model(name, corpus, seed=seed)
            history = fit(model, corpus, seed=seed, progress=False)
            seconds = sum(epoch["seconds"] for epoch in history.epochs)
            figures.append(
                {"seed": seed, "model": name, "seconds": seconds, **figures_of(score(model, corpus.test), corpus.test)}
            )

    def per_seed(model: str, *path: str) -> list[float]:
        """One figure of a model, a value a seed; ``path`` leads to it."""
        return [reduce(getitem, path, row) for row in figures if row["model"] == model]

    def effect_of(name: str, a: list[float], b: list[float]):
        return asdict(effect(name, [x - y for x, y in zip(a, b, strict=True)]))

    rsum = {name: per_seed(name, "rsum") for name in ("ceiling", "untrained", *MODELS)}
    binding = {name: per_seed(name, "siblings", "binding") for name in ("untrained", *MODELS)}
    chance = [50.0] * len(seeds)
    effects = [
        effect_of("vse beats bow where a binding decides (points)", binding["vse"], binding["bow"]),
        effect_of("vse is above chance where a binding decides (points)", binding["vse"], chance),
        effect_of("bow is above chance where a binding decides (points)", binding["bow"], chance),
        effect_of("vse beats bow over all queries (rsum)", rsum["vse"], rsum["bow"]),
    ]
    for name in MODELS:
        effects.append(effect_of(f"{name} beats an untrained model (rsum)", rsum[name], rsum["untrained"]))
        effects.append(effect_of(f"{name} stays under the ceiling (rsum)", rsum["ceiling"], rsum[name]))
    for kind in ("relation", "count", "kin"):
        pair = (per_seed(name, "siblings", kind) for name in MODELS[::-1])
        effects.append(effect_of(f"vse beats bow where a {kind} decides (points)", *pair))
    return {"figures": figures, "effects": effects, "provenance": provenance()}
