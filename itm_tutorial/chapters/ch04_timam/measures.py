"""What chapter 04's claim trains and measures in its own ways: other losses, search by person and by class, judges."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn

from itm_tutorial.chapters.declaration import Arm
from itm_tutorial.chapters.runner import Run, Trained
from itm_tutorial.data.corpus import Corpus, Split
from itm_tutorial.evaluation.class_metrics import search_by_class
from itm_tutorial.evaluation.modality_gap import JUDGES, modality_gap, modality_probe
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.extraction.features import split_features
from itm_tutorial.losses.identity import InstanceLoss
from itm_tutorial.models import Batch, Matching, create_model


def with_ranking_loss(
    make_loss: Callable[[], nn.Module], arm: Arm, corpus: Corpus, seed: int, before: None
) -> Matching:
    """The encoders of a model with a ranking loss in place of its own: what the loss alone is worth."""
    model = create_model(arm.model, corpus, seed=seed, **arm.options)
    model.loss_function = make_loss()
    model.loss = MethodType(Matching.loss, model)
    return model


def with_classifiers(shared: bool, arm: Arm, corpus: Corpus, seed: int, before: None) -> Matching:
    """The encoders of a ``cmpl`` with the instance loss alone: one classifier for both modalities, or one each."""
    model = create_model(arm.model, corpus, seed=seed, **arm.options)
    model.classifier = InstanceLoss(len(model.numbers.known), 128, shared)

    def loss(self: Matching, batch: Batch) -> Tensor:
        numbers = self.numbers(batch.identity)  # [n_images]
        return self.classifier(self.encode_images(batch), self.encode_captions(batch), numbers, numbers[batch.image_of])

    model.loss = MethodType(loss, model)
    return model


def chance(run: Run) -> dict[str, Any]:
    """A control: R@1 of guessing, from captions to images of the person."""
    test = run.corpus.test
    shown, described = test.identity, test.identity[test.image_of]
    return {"t2i": {"r1": 100 * (shown[:, None] == described).double().mean().item()}}


def search_people(trained: Trained) -> dict[str, Any]:
    """Recalls by person, and how far images and captions lie apart."""
    split = trained.corpus.test
    images, captions = embeddings(trained.model, split)
    report = evaluate(trained.model.similarity(images, captions), split.image_of, identity=split.identity)
    probes = {judge: modality_probe(images, captions, split.image_of, split.identity, judge) for judge in JUDGES}
    recalls = {name: getattr(report.t2i, name) for name in ("r1", "r5", "r10")}
    return {"rsum": report.rsum, "t2i": recalls, "probe": probes, "gap": modality_gap(images, captions)}


def search_classes(trained: Trained) -> dict[str, float]:
    """AP@50, its best value, and the fraction of images that name their class."""
    model, split = trained.model, trained.corpus.test
    found = search_by_class(*embeddings(model, split), split.image_of, split.identity, model.similarity)
    return {"ap50": found.precision, "best": found.best, "image_r1": found.image_r1}


@torch.inference_mode()
def embeddings(model: Matching, split: Split) -> tuple[Tensor, Tensor]:
    """Embeddings of all that a split holds: [n_images, dim] and [n_captions, dim]."""
    chunks = [model.encode_captions(split.captions[i : i + 512]) for i in range(0, len(split.captions), 512)]
    return model.encode_images(split_features(split, model.features)).cpu(), torch.cat(chunks).cpu()
