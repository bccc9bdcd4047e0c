"""How the models of m-CNN's claim are trained and scored: on small galleries, since each pair costs a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from itm_tutorial.chapters.declaration import Arm
from itm_tutorial.chapters.runner import Run, Trained
from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.models import Matching, create_model
from itm_tutorial.retrieval.scoring import score
from itm_tutorial.training.loop import fit

GALLERY = 200  # images of the validation and of the test split that are scored
APART = 1000  # between the seeds of models of one run


def trained_apart(number: int, arm: Arm, corpus: Corpus, seed: int, before: None) -> Matching:
    """A model with first weights, batches and random partners of its own, trained by its recipe.

    The epochs are compared on the first ``GALLERY`` images of the validation split.

    Args:
        number: of the model within the run, from 0.
        arm: its declaration; with ``fit=None``, since the model is trained here.
        corpus: to train on.
        seed: of the run.
        before: unused.
    """
    small = replace(corpus, splits={"train": corpus.train, "val": first_images(corpus.val)})
    own = seed + APART * number
    model = create_model(arm.model, small, seed=own, **arm.options)
    fit(model, small, seed=own, progress=False)
    return model


def small_gallery(trained: Trained) -> dict[str, float]:
    """rsum and R@1 in both directions on the first images of the test split, in percent."""
    return recalls(small_scores(trained), trained.corpus)


def sum_of_scores(arms: Sequence[str], run: Run) -> dict[str, Any]:
    """A control: the same by the sum of several arms' raw scores, as the paper adds them."""
    return recalls(sum(small_scores(run.trained[name]) for name in arms), run.corpus)


def small_scores(trained: Trained) -> Tensor:
    """Scores of the first images of the test split and of their captions, computed once for each trained arm."""
    if not hasattr(trained, "small_scores"):
        trained.small_scores = score(trained.model, first_images(trained.corpus.test))
    return trained.small_scores


def recalls(scores: Tensor, corpus: Corpus) -> dict[str, float]:
    """Recalls of scores on the first images of the test split."""
    report = evaluate(scores, first_images(corpus.test).image_of)
    return {"rsum": report.rsum, "i2t_r1": report.i2t.r1, "t2i_r1": report.t2i.r1}


def first_images(split: Split, n: int = GALLERY) -> Split:
    """The first n images of a split and their captions, without the truth about them."""
    kept = (split.image_of < n).nonzero().flatten()
    return Split(
        split.name,
        split.images[:n],
        [split.captions[caption] for caption in kept.tolist()],
        split.image_of[kept],
        fingerprint=split.fingerprint and f"{split.fingerprint}-first-{n}",
    )
