"""Chapter 01: a word space reaches labels that a classifier never saw, and the visual space has fewer hubs."""

from __future__ import annotations

from dataclasses import asdict
from functools import reduce
from operator import getitem
from typing import Any

import torch

from itm_tutorial.claims.verdict import effect, provenance
from itm_tutorial.class_metrics import hierarchical_precision, hit_at_k, k_occurrence, skewness
from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.loading import load_corpus
from itm_tutorial.models import create_model
from itm_tutorial.models.base import Matching
from itm_tutorial.retrieval import score
from itm_tutorial.training import fit
from itm_tutorial.word_training import world_words

KS = (1, 2, 5, 10)
MAPS = {  # name in the figures -> model and its options; all start from the same trained classifier
    "devise": ("devise", {}),
    "devise, one negative": ("devise", {"negatives": "one"}),
    "l2": ("devise", {"loss": "l2"}),
    "dem": ("dem", {}),
}
MAP_EPOCHS = 6


def figures_of(model: Matching, corpus: Corpus) -> dict[str, Any]:
    """Hits on seen kinds, on unseen ones with and without the seen as candidates, tree precision, and hubness."""
    classes = corpus.classes
    names, unseen, distances = classes.names, classes.unseen_classes, classes.distances()
    test, zero = (score(model, split, captions=names) for split in (corpus.test, corpus.unseen))  # [n, n_classes]
    of_test, of_zero = corpus.test.identity, corpus.unseen.identity
    hubs = {"unseen": zero[:, unseen], "all": zero}  # [n_images, n_candidates]
    return {
        "flat_hit": {str(k): hit_at_k(test, of_test, k) for k in KS},
        "hierarchical_precision": {str(k): hierarchical_precision(test, of_test, distances, k) for k in KS},
        "zero_shot_hit": {str(k): hit_at_k(zero, of_zero, k, among=unseen) for k in KS},
        "generalised_hit": {str(k): hit_at_k(zero, of_zero, k) for k in KS},
        "zero_shot_precision": {str(k): hierarchical_precision(zero, of_zero, distances, k) for k in KS},
        "skewness": {f"N_{k} {among}": skewness(k_occurrence(hubs[among], k)) for k in (1, 5) for among in hubs},
    }


def trained(corpus: Corpus, seed: int) -> dict[str, Matching]:
    """The classifier, and every map on top of its network."""
    words = world_words(seed)
    softmax = create_model("softmax", corpus, seed=seed)
    fit(softmax, corpus, seed=seed, progress=False)
    models = {"softmax": softmax}
    for name, (kind, options) in MAPS.items():
        model = create_model(kind, corpus, seed=seed, words=words, classify_until=0.0, **options)
        model.visual.load_state_dict(softmax.visual.state_dict())
        fit(model, corpus, epochs=MAP_EPOCHS, seed=seed, progress=False)
        models[name] = model
    return models


def run(seeds: tuple[int, ...] = (0, 1, 2), size: str = "mini") -> dict[str, Any]:
    """Trains a classifier and four maps for every seed, which also chooses the pictures, the text and the unseen kinds.

    Args:
        seeds: at least three for a verdict that means something.
        size: of the corpus.

    Returns:
        ``figures`` (one entry a seed and model), ``effects`` (with verdicts), ``provenance``.
    """
    figures = []
    for seed in seeds:
        corpus = load_corpus("objects", size=size, seed=seed)
        n_unseen = len(corpus.classes.unseen_classes)
        chance = {str(k): 100 * k / n_unseen for k in KS}
        figures.append({"seed": seed, "model": "chance", "zero_shot_hit": chance})
        for name, model in trained(corpus, seed).items():
            figures.append({"seed": seed, "model": name, **figures_of(model, corpus)})

    def per_seed(model: str, *path: str) -> torch.Tensor:
        """One figure of a model, a value a seed; ``path`` leads to it."""
        values = [reduce(getitem, path, row) for row in figures if row["model"] == model]
        return torch.tensor(values, dtype=torch.float64)

    def told(name: str, values: torch.Tensor) -> dict[str, Any]:
        return asdict(effect(name, values.tolist()))

    zero = {name: {k: per_seed(name, "zero_shot_hit", k) for k in ("1", "5")} for name in ("chance", *MAPS)}
    tree = {name: per_seed(name, "hierarchical_precision", "5") for name in ("softmax", *MAPS)}
    effects = [
        told("devise: zero-shot hit@1 beyond 3 times chance (points)", zero["devise"]["1"] - 3 * zero["chance"]["1"]),
        told("devise: zero-shot hit@5 beyond twice chance (points)", zero["devise"]["5"] - 2 * zero["chance"]["5"]),
        told(
            "softmax: zero-shot hit@1 below devise's (points)",
            zero["devise"]["1"] - per_seed("softmax", "zero_shot_hit", "1"),
        ),
        told("devise beats softmax in hierarchical precision@5 (points)", tree["devise"] - tree["softmax"]),
        told("rank loss beats L2 in zero-shot hit@1 (points)", zero["devise"]["1"] - zero["l2"]["1"]),
        told(
            "one negative beats all of them in zero-shot hit@1 (points)",
            zero["devise, one negative"]["1"] - zero["devise"]["1"],
        ),
        told(
            "softmax beats devise in flat hit@1 (points)",
            per_seed("softmax", "flat_hit", "1") - per_seed("devise", "flat_hit", "1"),
        ),
    ]
    for which in ("N_1 unseen", "N_1 all", "N_5 unseen", "N_5 all"):  # the first is the measure of the DEM paper
        skew = {name: per_seed(name, "skewness", which) for name in ("l2", "dem")}
        claim = f"fewer hubs in the visual space: skewness of {which}, L2 in word space less DEM"
        effects.append(told(claim, skew["l2"] - skew["dem"]))
    effects.append(told("DEM beats L2 in zero-shot hit@1 (points)", zero["dem"]["1"] - zero["l2"]["1"]))
    return {"figures": figures, "effects": effects, "provenance": provenance()}
