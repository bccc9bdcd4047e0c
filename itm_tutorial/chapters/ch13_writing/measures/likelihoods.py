"""How writers are trained and scored for the claims of chapter 13: recalls, and what a caption's commonness does.

Each pair costs a network, so that galleries are small: the first images of the validation and of the test split.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from itm_tutorial.chapters.ch10_sentences.measures.m_cnn import first_images
from itm_tutorial.chapters.declaration import Arm
from itm_tutorial.chapters.runner import Run, Trained
from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.models import Matching, create_model
from itm_tutorial.retrieval.corrections import divide_by_prior
from itm_tutorial.retrieval.scoring import score
from itm_tutorial.training.loop import fit

GALLERY = 200  # test images that are scored, with all of their captions
VALIDATION = 50  # images of the validation split by which an epoch is chosen
PRIOR_IMAGES = 100  # training images over which the prior takes its mean: the first ones
COMMON = 0.01  # fraction of the gallery's captions that count as the commonest


def trained_writer(arm: Arm, corpus: Corpus, seed: int, before: None, **settings: Any) -> Matching:
    """A model trained with ``settings`` of ``fit``, its epochs compared on a small part of the validation split.

    Args:
        arm: its declaration; with ``fit=None``, since the model is trained here.
        corpus: to train on.
        seed: of the run.
        before: unused.
        settings: arguments of ``fit``.
    """
    small = replace(corpus, splits={"train": corpus.train, "val": first_images(corpus.val, VALIDATION)})
    model = create_model(arm.model, small, seed=seed, **arm.options)
    fit(model, small, seed=seed, progress=False, **settings)
    return model


@dataclass(frozen=True)
class Scored:
    """What a model gives the captions of the small gallery.

    Attributes:
        split: the gallery.
        raw: float64 [n_images, n_captions], scores of its images.
        prior: float64 [n_prior_images, n_captions], the same captions given training images.
        n_tokens: [n_captions], words and stop.
    """

    split: Split
    raw: Tensor
    prior: Tensor
    n_tokens: Tensor

    @property
    def divided(self) -> Tensor:
        """Log-likelihoods divided by the caption's prior, [n_images, n_captions]."""
        return divide_by_prior(self.raw, self.prior)


def scored(trained: Trained) -> Scored:
    """The scores of a trained arm on the small gallery, computed once for each arm."""
    if not hasattr(trained, "scored"):
        split, train = first_images(trained.corpus.test, GALLERY), first_images(trained.corpus.train, PRIOR_IMAGES)
        prior = score(trained.model, train, captions=split.captions)
        n_tokens = trained.model.vocabulary.encode(split.captions).lengths - 1
        trained.scored = Scored(split, score(trained.model, split).double(), prior.double(), n_tokens)
    return trained.scored


def recalls(scores: Tensor, split: Split) -> dict[str, float]:
    """R@1 and R@10 in both directions, and rsum, in percent."""
    report = evaluate(scores, split.image_of)
    found = {
        f"{way}_{metric}": getattr(getattr(report, way), metric) for way in ("i2t", "t2i") for metric in ("r1", "r10")
    }
    return {**found, "rsum": report.rsum}


def ranking(trained: Trained) -> dict[str, Any]:
    """Recalls by the scores as they are, and R@10 of a random ranking of images."""
    found = scored(trained)
    return {"raw": recalls(found.raw, found.split), "chance_r10": min(100.0, 1000 / len(found.split.images))}


def division(trained: Trained) -> dict[str, Any]:
    """What the division by the prior, and that by the number of tokens, change.

    ``divided`` and ``per_word``: recalls; ``column_share``: the share of the variance of the scores, in percent, that
    the means of the captions explain; ``t2i_changed``: captions for which the division changes the order of the images.
    """
    found = scored(trained)
    divided = found.divided
    return {
        "divided": recalls(divided, found.split),
        "per_word": recalls(found.raw / found.n_tokens, found.split),
        "column_share": {"raw": column_share(found.raw), "divided": column_share(divided)},
        "t2i_changed": int((divided.argsort(dim=0, stable=True) != found.raw.argsort(dim=0, stable=True)).any(0).sum()),
    }


def column_share(scores: Tensor) -> float:
    """The share of the variance of scores [n_images, n_captions] between columns, in percent; 0 if all are equal."""
    scores = scores.double()
    total = scores.var(correction=0)
    return 100 * (scores.mean(0).var(correction=0) / total).item() if total > 0 else 0.0


def common_captions(language: str, ranked: str, run: Run, corrected: bool = False) -> dict[str, float]:
    """A control: how many images rank one of the commonest captions first, in percent.

    Args:
        language: the arm of a writer that sees no image; the captions that it finds most likely are the commonest.
        ranked: the arm whose rankings are looked at.
        run: so far.
        corrected: whether its scores are divided by the caption's prior.
    """
    likelihood = scored(run.trained[language]).raw[0]  # the same for every image
    found = scored(run.trained[ranked])
    commonest = likelihood.topk(max(1, round(COMMON * len(likelihood)))).indices
    first = (found.divided if corrected else found.raw).argmax(1)  # [n_images]
    return {"common_first": 100 * torch.isin(first, commonest).double().mean().item()}
