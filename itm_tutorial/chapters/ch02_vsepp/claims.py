"""Chapter 02: the hardest negative against all of them, in long runs, large batches and noise; and order."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import torch
from torch import Tensor

from itm_tutorial.chapters.verdict import effect
from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.data.loading import load_corpus
from itm_tutorial.evaluation.minimal_pairs import ceiling
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.models import Matching, create_model
from itm_tutorial.retrieval.scoring import score
from itm_tutorial.training.loop import fit
from itm_tutorial.worlds.scenes.facts import entails

# A bag of words converges in half a minute, so that losses can be compared where they end and not on the way.
LONG = {"sentence": "bow", "embed_size": 512, "word_dim": 300}
EPOCHS, LEARNING_RATE = 40, 1e-3
LOSSES: dict[str, dict[str, Any]] = {
    "sum": {"max_violation": False},
    "max": {},
    "max, warm-up": {"warmup": 0.2},
    "top 5": {"loss": "top_k_hinges", "k": 5},
    "infonce": {"loss": "infonce"},
}
BATCHES = (32, 128, 512)
CONVERGED = 0.01  # the last quarter of a run may add this share to its best rsum, and no more


def long_run(corpus: Corpus, seed: int, batch_size: int = 128, **options: Any) -> dict[str, Any]:
    """Trains until it stands still -> rsum on val by epoch, on test at the best epoch, and whether it stood still."""
    model = create_model("vsepp", corpus, seed=seed, **LONG, **options)
    settings = {"epochs": EPOCHS, "learning_rate": LEARNING_RATE, "batch_size": batch_size, "seed": seed}
    history = fit(model, corpus, progress=False, **settings)
    by_epoch = [row["rsum"] for row in history.epochs]
    before = max(by_epoch[: 3 * EPOCHS // 4])
    return {
        "val_rsum_by_epoch": [round(value, 1) for value in by_epoch],
        "steps_an_epoch": len(corpus.train.captions) // batch_size,
        "rsum": rsum(model, corpus.test),
        "converged": max(by_epoch) <= (1 + CONVERGED) * before,
        "seconds": round(sum(row["seconds"] for row in history.epochs), 1),
    }


def rsum(model: Matching, split: Split) -> float:
    """The sum of recalls of a trained model."""
    return evaluate(score(model, split), split.image_of).rsum


def crossing(first: list[float], second: list[float]) -> int | None:
    """The epoch, from 1, from which the first curve stays above the second; None where it never does."""
    behind = [epoch for epoch, (a, b) in enumerate(zip(first, second, strict=True), start=1) if a <= b]
    last = max(behind, default=0)
    return last + 1 if last < len(first) else None


def entailment_pairs(split: Split) -> tuple[Tensor, Tensor, Tensor]:
    """Ordered pairs of captions of one image, and whether who believes the first must believe the second.

    Returns:
        int64 [n_pairs], int64 [n_pairs], bool [n_pairs].
    """
    captions_of: dict[int, list[int]] = {}
    for caption, image in enumerate(split.image_of.tolist()):
        captions_of.setdefault(image, []).append(caption)
    pairs = [(a, b) for own in captions_of.values() for a in own for b in own if a != b]
    truths = split.facts.truths
    entailed = [entails(truths[a].facts, truths[b].facts) for a, b in pairs]
    first, second = torch.tensor(pairs).T
    return first, second, torch.tensor(entailed)


def area_under_curve(scores: Tensor, right: Tensor) -> float:
    """How often a right pair scores above a wrong one, in percent; a tie is half a time."""
    wrong, _ = scores[~right].sort()
    below = torch.searchsorted(wrong, scores[right]) + torch.searchsorted(wrong, scores[right], right=True)
    return 50 * below.double().mean().item() / len(wrong)


@torch.inference_mode()
def entailment_area(model: Matching, split: Split, by: str) -> float:
    """How well a model's caption embeddings tell entailment, area under the curve in percent.

    Args:
        model: trained.
        split: of a drawn world.
        by: "order", minus how far the second caption lies above the first; or "cosine", which knows no direction.
    """
    first, second, entailed = entailment_pairs(split)
    embeddings = torch.cat(
        [model.encode_captions(split.captions[i : i + 512]) for i in range(0, len(split.captions), 512)]
    )
    a, b = embeddings[first], embeddings[second]  # [n_pairs, dim]
    scores = (a * b).sum(1) if by == "cosine" else -(b - a).clamp(min=0).square().sum(1)
    return area_under_curve(scores, entailed)


def figures_of_seed(seed: int, size: str) -> list[dict[str, Any]]:
    """Everything that is trained for one seed, as rows of plain data."""
    corpus = load_corpus("scenes", size=size, seed=seed)
    rows: list[dict[str, Any]] = [{"model": "ceiling", "rsum": ceiling(corpus.test).rsum}]
    for name, options in LOSSES.items():
        rows.append({"model": name, "batch_size": 128, **long_run(corpus, seed, **options)})
    curves = {row["model"]: row["val_rsum_by_epoch"] for row in rows[1:]}
    for name in ("max", "max, warm-up"):
        rows.append({"model": f"{name}: above sum from this epoch on", "epoch": crossing(curves[name], curves["sum"])})
    for batch_size in (b for b in BATCHES if b != 128):
        for name in ("sum", "max, warm-up"):
            rows.append({"model": name, "batch_size": batch_size, **long_run(corpus, seed, batch_size, **LOSSES[name])})
    noisy = load_corpus("scenes", size=size, seed=seed, wrong_captions=0.1)
    noisy = replace(corpus, splits={**corpus.splits, "train": noisy.train})  # measured on captions that are right
    for name in ("max, warm-up", "top 5"):
        rows.append({"model": f"{name}, 10 % wrong", "batch_size": 128, **long_run(noisy, seed, **LOSSES[name])})
    for name, options in {"vse": {}, "vsepp": {"warmup": 0.2}, "order": {}}.items():  # the recipes, with their GRU
        model = create_model(name, corpus, seed=seed, **options)
        fit(model, corpus, seed=seed, progress=False)
        entailed = {by: entailment_area(model, corpus.test, by) for by in ("cosine", "order")}
        rows.append({"model": f"{name}, GRU", "rsum": rsum(model, corpus.test), "entailment": entailed})
    return [{"seed": seed, **row} for row in rows]


def effects_of(figures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The verdicts over the seeds, as plain data."""

    def rows(model: str, batch_size: int | None = None) -> list[dict[str, Any]]:
        return [r for r in figures if r["model"] == model and batch_size in (None, r.get("batch_size"))]

    def entailed(name: str, better: list[float], worse: list[float]) -> dict[str, Any]:
        return asdict(effect(name, [a - b for a, b in zip(better, worse, strict=True)]))

    def sums(model: str, batch_size: int | None = 128) -> list[float]:
        return [row["rsum"] for row in rows(model, batch_size)]

    def gain(model: str) -> list[float]:
        small, large = sums(model, BATCHES[0]), sums(model, BATCHES[-1])
        return [a - b for a, b in zip(large, small, strict=True)]

    effects = [
        entailed("max with a warm-up beats sum at convergence (rsum)", sums("max, warm-up"), sums("sum")),
        entailed("max without a warm-up beats sum at convergence (rsum)", sums("max"), sums("sum")),
        entailed("a warm-up helps max (rsum)", sums("max, warm-up"), sums("max")),
        entailed("InfoNCE beats max with a warm-up (rsum)", sums("infonce"), sums("max, warm-up")),
        entailed("top 5 beats max with a warm-up (rsum)", sums("top 5"), sums("max, warm-up")),
        entailed("a batch of 512 over one of 32 helps max more than sum (rsum)", gain("max, warm-up"), gain("sum")),
        entailed(
            "with 10 % wrong captions top 5 beats max (rsum)",
            sums("top 5, 10 % wrong"),
            sums("max, warm-up, 10 % wrong"),
        ),
        entailed(
            "with the GRU, vsepp beats vse in ten epochs (rsum)", sums("vsepp, GRU", None), sums("vse, GRU", None)
        ),
    ]
    order = [row["entailment"]["order"] for row in rows("order, GRU")]
    cosines = {name: [row["entailment"]["cosine"] for row in rows(f"{name}, GRU")] for name in ("vse", "order")}
    effects.append(
        entailed("order violation tells entailment better than vse's cosine (AUC points)", order, cosines["vse"])
    )
    effects.append(entailed("order violation tells it better than its own embeddings' cosine", order, cosines["order"]))
    return effects
