"""Chapter 03: attention between words and regions against one vector a picture; and do words look where they should?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from itm_tutorial.chapters.ch00_start_here.claims import figures_of
from itm_tutorial.chapters.verdict import effect
from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.loading import load_corpus
from itm_tutorial.evaluation.grounding import CONTROLS, evaluate_attention
from itm_tutorial.evaluation.minimal_pairs import ceiling
from itm_tutorial.models import Matching, create_model
from itm_tutorial.retrieval.scoring import score
from itm_tutorial.training.loop import fit

# Both models read the same features and have the same loss; vsepp takes their mean, scan keeps them apart.
RUNS = {
    "vsepp, regions": ("vsepp", {"features": "regions", "warmup": 0.2}),
    "scan, regions": ("scan", {"features": "regions"}),
    "scan i2t, regions": ("scan_i2t", {"features": "regions"}),
    "vsepp, grid": ("vsepp", {"features": "grid", "warmup": 0.2}),
    "scan, grid": ("scan", {"features": "grid"}),
}
LEAD = 20  # points above the best control


def trained(corpus: Corpus, seed: int, name: str, options: dict[str, Any]) -> Matching:
    """A model trained by its recipe; ``benchmarks/scan_training.py`` says how long that takes."""
    model = create_model(name, corpus, seed=seed, **options)
    fit(model, corpus, seed=seed, progress=False)
    return model


def figures_of_seed(seed: int, size: str) -> list[dict[str, Any]]:
    """Everything that is trained for one seed, as rows of plain data."""
    corpus = load_corpus("scenes", size=size, seed=seed)
    best = ceiling(corpus.test)
    rows: list[dict[str, Any]] = [{"model": "ceiling", "rsum": best.rsum}]
    scores = {}
    for run, (name, options) in RUNS.items():
        model = trained(corpus, seed, name, options)
        scores[run] = score(model, corpus.test)
        row = {"model": run, **figures_of(scores[run], corpus.test)}
        if run == "scan, regions":
            found = evaluate_attention(model, corpus.test, seed)
            row |= {"pointing": found.pointing, "mass": found.mass, "words": found.words}
        rows.append(row)
    both = (scores["scan, regions"] + scores["scan i2t, regions"]) / 2  # as the paper's ensembles are made
    rows.append({"model": "scan t2i + i2t, regions", **figures_of(both, corpus.test)})
    return [{"seed": seed, **row} for row in rows]


def effects_of(figures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The verdicts over the seeds, as plain data."""

    def rows(model: str) -> list[dict[str, Any]]:
        return [row for row in figures if row["model"] == model]

    def summary(name: str, values: list[float]) -> dict[str, Any]:
        return asdict(effect(name, values))

    def gains(better: str, worse: str, get=lambda row: row["rsum"]) -> list[float]:
        return [get(a) - get(b) for a, b in zip(rows(better), rows(worse), strict=True)]

    measured = [row["minimal_pairs"] for row in figures if "minimal_pairs" in row]
    kinds = ("binding", "relation", "count", "object")
    decided = [kind for kind in kinds if all(kind in row for row in measured)]  # a tiny split may lack one
    effects = []
    for kind in ("regions", "grid"):
        scan, vsepp = f"scan, {kind}", f"vsepp, {kind}"
        effects.append(summary(f"given the same {kind}, scan beats vsepp (rsum)", gains(scan, vsepp)))
        for minimal_pair in decided:
            name = f"given the same {kind}, scan beats vsepp where the {minimal_pair} decides (points)"
            gain = gains(scan, vsepp, lambda row, minimal_pair=minimal_pair: row["minimal_pairs"][minimal_pair])
            effects.append(summary(name, gain))
    effects.append(summary("scan stays under the ceiling (rsum)", gains("ceiling", "scan, regions")))
    effects.append(
        summary(
            "words that attend to regions beat regions that attend to words (rsum)",
            gains("scan, regions", "scan i2t, regions"),
        )
    )
    effects.append(summary("both together beat words alone (rsum)", gains("scan t2i + i2t, regions", "scan, regions")))
    for word_class in ("noun", "colour", "relation"):
        leads = [
            row["pointing"]["model"][word_class] - max(row["pointing"][name][word_class] for name in CONTROLS)
            for row in rows("scan, regions")
        ]
        name = f"pointing game, {word_class}s: scan is {LEAD} points above the best control (points beyond)"
        effects.append(summary(name, [lead - LEAD for lead in leads]))
    return effects
