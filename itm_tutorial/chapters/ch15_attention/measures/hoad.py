"""The penalty for unasked regions, on the scores of one trained model: its weight is chosen on the validation split."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from itm_tutorial.chapters.runner import Trained
from itm_tutorial.data.corpus import Split
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.extraction.features import split_boxes, split_confidence, split_features
from itm_tutorial.models import Matching
from itm_tutorial.retrieval.corrections import subtract_distraction
from itm_tutorial.retrieval.scoring import score

WEIGHTS = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


@torch.no_grad()
def asked_and_prominence(model: Matching, split: Split) -> tuple[Tensor, Tensor]:
    """What captions ask for [n_images, n_captions, n_regions], and each region's area times the detector's confidence.

    The prominence is [n_images, n_regions]; regions that overlap each count in full.
    """
    model.eval()
    images = model.encode_images(split_features(split, model.features))
    boxes = split_boxes(split, model.features)
    area = (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(-1)
    asked = model.asked(images, model.encode_captions(split.captions)).float().cpu()
    return asked, area * split_confidence(split, model.features)


def distraction(trained: Trained) -> dict[str, Any]:
    """Text-to-image R@1 and R@10 in percent: without a penalty, with it, and with prominence of another image."""
    corpus = trained.corpus
    val = score(trained.model, corpus.val)
    asked, prominence = asked_and_prominence(trained.model, corpus.val)
    weight = chosen_weight(val, asked, prominence, corpus.val)
    plain = trained.scores
    asked, prominence = asked_and_prominence(trained.model, corpus.test)
    other = torch.randperm(len(prominence), generator=torch.Generator().manual_seed(trained.seed))
    scores = {
        "none": plain,
        "penalty": subtract_distraction(plain, asked, prominence, weight),
        "shuffled": subtract_distraction(plain, asked, prominence[other], weight),
        "fixed": subtract_distraction(plain, asked, prominence, 0.5),
    }
    found = {name: evaluate(some, corpus.test.image_of).t2i for name, some in scores.items()}
    return {"weight": weight, **{name: {"r1": t2i.r1, "r10": t2i.r10} for name, t2i in found.items()}}


def chosen_weight(scores: Tensor, asked: Tensor, prominence: Tensor, split: Split) -> float:
    """The weight with the highest text-to-image R@1 on a split; of equal ones the smallest."""
    recalls = [
        evaluate(subtract_distraction(scores, asked, prominence, weight), split.image_of).t2i.r1 for weight in WEIGHTS
    ]
    return WEIGHTS[recalls.index(max(recalls))]
