"""The models and metrics of chapter 01's claim: maps on a trained network, metrics of labels, ridge regression."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from itm_tutorial.chapters.declaration import Arm
from itm_tutorial.chapters.runner import Run, Trained
from itm_tutorial.data.corpus import Corpus
from itm_tutorial.evaluation.class_metrics import hierarchical_precision, hit_at_k, k_occurrence, skewness
from itm_tutorial.models import Matching, create_model
from itm_tutorial.pretraining.word_vectors import world_words
from itm_tutorial.retrieval.scoring import score

KS = (1, 2, 5, 10)
PENALTY = 1.0  # of ridge regression: light, for 6,000 standardised features; a heavy one shrinks what it maps


def on_its_network(arm: Arm, corpus: Corpus, seed: int, before: Matching) -> Matching:
    """Makes a map that starts from the image network of a trained classifier and from the word vectors of the seed."""
    model = create_model(arm.model, corpus, seed=seed, words=world_words(seed), **arm.options)
    model.visual.load_state_dict(before.visual.state_dict())
    return model


def labels(trained: Trained) -> dict[str, Any]:
    """Computes the metrics of ``label_figures`` from a model's scores of every class."""
    corpus = trained.corpus
    splits = (corpus.test, corpus.unseen)
    return label_figures(*(score(trained.model, split, captions=corpus.classes.names) for split in splits), corpus)


def chance(run: Run) -> dict[str, Any]:
    """A control: the zero-shot hits of guessing."""
    return {"zero_shot_hit": {str(k): 100 * k / len(run.corpus.classes.unseen_classes) for k in KS}}


def label_figures(test: Tensor, zero: Tensor, corpus: Corpus) -> dict[str, Any]:
    """Computes hits on seen classes and on unseen ones, hierarchical precision, and hubness.

    Args:
        test: scores of the images of the test split, [n_images, n_classes].
        zero: scores of the images of the unseen split, [n_images, n_classes].
        corpus: a corpus with classes.

    Returns:
        Name of a metric -> k or setting -> percent; skewness has no unit.
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
    """Fits a linear map from [n, a] to [n, b] by ridge regression; returns a function from [m, a] to [m, b]."""
    shift, goal = inputs.mean(0), targets.mean(0)
    moved = inputs - shift
    penalised = moved.T @ moved + PENALTY * torch.eye(inputs.shape[1])
    weights = torch.linalg.solve(penalised, moved.T @ (targets - goal))
    return lambda asked: (asked - shift) @ weights + goal


@torch.inference_mode()
def ridge_to_words(run: Run) -> dict[str, Any]:
    """A control: ridge regression from the classifier's features to raw word vectors, and the nearest vector there.

    Source: Shigeto et al. 2015, "Ridge Regression, Hubness, and Zero-Shot Learning".
    """
    features, names = _features(run), _label_vectors(run)  # name of a split -> [n_images, 512]; [n_classes, dim]
    to_words = ridge(features["train"], names[run.corpus.train.identity])
    scores = [-torch.cdist(to_words(features[split]), names) for split in ("test", "unseen")]
    return label_figures(*scores, run.corpus)


@torch.inference_mode()
def ridge_to_pictures(run: Run) -> dict[str, Any]:
    """A control: the other way, from word vectors to the classifier's features, and the nearest label there."""
    features, names = _features(run), _label_vectors(run)
    drawn = ridge(names[run.corpus.train.identity], features["train"])(names)  # [n_classes, 512]
    scores = [-torch.cdist(features[split], drawn) for split in ("test", "unseen")]
    return label_figures(*scores, run.corpus)


def _features(run: Run) -> dict[str, Tensor]:
    see = run.trained["softmax"].model.eval().visual
    splits = run.corpus.splits.items()
    return {name: torch.cat([see(some.float()) for some in split.images.split(250)]) for name, split in splits}


def _label_vectors(run: Run) -> Tensor:
    """The raw word vectors of every class, [n_classes, dim], at their own lengths."""
    return world_words(run.seed).matrix(run.corpus.classes.names)
