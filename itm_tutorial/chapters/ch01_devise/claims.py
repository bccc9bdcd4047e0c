"""Chapter 01: a word space reaches labels that a classifier never saw, and the visual space has fewer hubs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from itm_tutorial.chapters.verdict import effect, per_model
from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.loading import load_corpus
from itm_tutorial.data.word_vectors import WordVectors
from itm_tutorial.evaluation.class_metrics import hierarchical_precision, hit_at_k, k_occurrence, skewness
from itm_tutorial.models import Matching, create_model
from itm_tutorial.pretraining.word_vectors import world_words
from itm_tutorial.retrieval.scoring import score
from itm_tutorial.training.loop import fit

KS = (1, 2, 5, 10)
MAPS = {  # name in the figures -> model and its options; all start from the same trained classifier
    "devise": ("devise", {}),
    "devise, one negative": ("devise", {"negatives": "one"}),
    "l2": ("devise", {"loss": "l2"}),
    "dem": ("dem", {}),
}
MAP_EPOCHS = 7  # the last of them at a tenth of the rate, with the network free: shorter runs flatter the rank loss
RIDGE = 1.0  # strength of the penalty: light, for 6,000 standardised features; a heavy one shrinks what it maps


def figures_of(test: Tensor, zero: Tensor, corpus: Corpus) -> dict[str, Any]:
    """Hits on seen kinds, on unseen ones with and without the seen as candidates, tree precision, and hubness.

    Args:
        test, zero: scores of the test and of the unseen split against every class, [n_images, n_classes].
        corpus: with classes.
    """
    unseen, distances = corpus.classes.unseen_classes, corpus.classes.distances()
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


def ridge(inputs: Tensor, targets: Tensor) -> Callable[[Tensor], Tensor]:
    """Fits a linear map by ridge regression, [n, a] -> [n, b] -> what maps [m, a] to [m, b]."""
    shift, goal = inputs.mean(0), targets.mean(0)
    moved = inputs - shift
    penalised = moved.T @ moved + RIDGE * torch.eye(inputs.shape[1])
    weights = torch.linalg.solve(penalised, moved.T @ (targets - goal))
    return lambda asked: (asked - shift) @ weights + goal


@torch.inference_mode()
def ridge_figures(softmax: Matching, words: WordVectors, corpus: Corpus) -> dict[str, dict[str, Any]]:
    """Ridge regression from the classifier's features to raw word vectors, and back.

    Source: Shigeto et al. 2015, "Ridge Regression, Hubness, and Zero-Shot Learning".
    """
    see = softmax.eval().visual
    features = {n: torch.cat([see(some.float()) for some in s.images.split(250)]) for n, s in corpus.splits.items()}
    labels = words.matrix(corpus.classes.names)  # [n_classes, dim], at their own lengths
    of_train = labels[corpus.train.identity]
    to_words, to_pictures = ridge(features["train"], of_train), ridge(of_train, features["train"])
    landed = {"test": to_words(features["test"]), "unseen": to_words(features["unseen"])}
    drawn = to_pictures(labels)  # [n_classes, 512]
    ways = {
        "ridge to words": [-torch.cdist(landed[name], labels) for name in ("test", "unseen")],
        "ridge to pictures": [-torch.cdist(features[name], drawn) for name in ("test", "unseen")],
    }
    return {name: figures_of(*scores, corpus) for name, scores in ways.items()}


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


def figures_of_seed(seed: int, size: str) -> list[dict[str, Any]]:
    """A classifier and four maps; the seed also chooses the pictures, the text and the unseen kinds."""
    corpus = load_corpus("objects", size=size, seed=seed)
    chance = {str(k): 100 * k / len(corpus.classes.unseen_classes) for k in KS}
    rows = {"chance": {"zero_shot_hit": chance}}
    models = trained(corpus, seed)
    for name, model in models.items():
        scores = [score(model, split, captions=corpus.classes.names) for split in (corpus.test, corpus.unseen)]
        rows[name] = figures_of(*scores, corpus)
    rows |= ridge_figures(models["softmax"], world_words(seed), corpus)
    return [{"seed": seed, "model": name, **row} for name, row in rows.items()]


def effects_of(figures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The verdicts over the seeds, as plain data."""

    def per_seed(model: str, *path: str) -> Tensor:
        """One figure of a model, a value a seed; ``path`` leads to it."""
        return torch.tensor(per_model(figures, *path)[model], dtype=torch.float64)

    effects = []

    def tell(name: str, better: Tensor, worse: Tensor) -> None:
        effects.append(asdict(effect(name, (better - worse).tolist())))

    hit, tree = "zero_shot_hit", "hierarchical_precision"
    devise, chance = per_seed("devise", hit, "1"), per_seed("chance", hit, "1")
    tell("devise: zero-shot hit@1 beyond 3 times chance (points)", devise, 3 * chance)
    tell(
        "devise: zero-shot hit@5 beyond twice chance (points)",
        per_seed("devise", hit, "5"),
        2 * per_seed("chance", hit, "5"),
    )
    tell("devise beats softmax in zero-shot hit@1 (points)", devise, per_seed("softmax", hit, "1"))
    tell(
        "devise beats softmax in hierarchical precision@5 (points)",
        per_seed("devise", tree, "5"),
        per_seed("softmax", tree, "5"),
    )
    tell("rank loss beats L2 in zero-shot hit@1 (points)", devise, per_seed("l2", hit, "1"))
    tell(
        "one negative beats all of them in zero-shot hit@1 (points)", per_seed("devise, one negative", hit, "1"), devise
    )
    tell(
        "softmax beats devise in flat hit@1 (points)",
        per_seed("softmax", "flat_hit", "1"),
        per_seed("devise", "flat_hit", "1"),
    )
    tell("dem beats L2 in zero-shot hit@1 (points)", per_seed("dem", hit, "1"), per_seed("l2", hit, "1"))
    ways = {"L2 less dem": ("l2", "dem"), "ridge to words less to pictures": ("ridge to words", "ridge to pictures")}
    for summary, (to_words, to_pictures) in ways.items():
        for which in ("N_1 unseen", "N_1 all", "N_5 unseen", "N_5 all"):
            skew = per_seed(to_words, "skewness", which), per_seed(to_pictures, "skewness", which)
            tell(f"fewer hubs in the visual space: skewness of {which}, {summary}", *skew)
    return effects
