"""For claims whose models run a network per pair: training and measuring with a few images of a split.

Scoring the whole validation split after every epoch can cost such a model more than training does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from itm_tutorial.chapters.declaration import Arm
from itm_tutorial.chapters.runner import Trained
from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.models import Matching, create_model
from itm_tutorial.retrieval.scoring import score
from itm_tutorial.training.loop import fit

GALLERY = 200  # images of the test split that ``small_gallery`` scores


def trained_on_small_validation(
    arm: Arm, corpus: Corpus, seed: int, before: None, *, images: int = 100, **training: Any
) -> Matching:
    """The ``start`` of an arm: its model, trained, with the weights that did best on few images.

    ``Arm(name, "camp", fit=None, start=partial(trained_on_small_validation, epochs=2))``

    Args:
        arm: its declaration; with ``fit=None``, since the model is trained here.
        corpus: to train on; all of its training split is used.
        seed: of the first weights and of training.
        before: unused.
        images: of the validation split, the first ones.
        **training: arguments of ``fit``; by default the model's recipe.

    Returns:
        The trained model.
    """
    small = replace(corpus, splits={"train": corpus.train, "val": first_images(corpus.val, images)})
    model = create_model(arm.model, small, seed=seed, **arm.options)
    fit(model, small, seed=seed, progress=False, **training)
    return model


def small_gallery(trained: Trained) -> dict[str, float]:
    """rsum and R@1 in both directions on the first 200 images of the test split, in percent."""
    test = first_images(trained.corpus.test, GALLERY)
    report = evaluate(score(trained.model, test), test.image_of)
    return {"rsum": report.rsum, "i2t_r1": report.i2t.r1, "t2i_r1": report.t2i.r1}


def first_images(split: Split, n: int) -> Split:
    """The first images of a split and their captions, without the truth about them.

    Args:
        split: any split.
        n: how many images.

    Returns:
        A split with ``n`` images, or as many as there are.
    """
    kept = (split.image_of < n).nonzero().flatten()
    return Split(
        split.name,
        split.images[:n],
        [split.captions[caption] for caption in kept.tolist()],
        split.image_of[kept],
        fingerprint=split.fingerprint and f"{split.fingerprint}-first-{n}",
    )
