"""What the claim of SCO measures beside retrieval: how well concepts are predicted, and what the gate lets through."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from itm_tutorial.chapters.runner import Trained
from itm_tutorial.encoders.concepts import named_concepts
from itm_tutorial.extraction.features import split_features

CHUNK = 256  # images encoded at a time


@torch.inference_mode()
def concepts(trained: Trained) -> dict[str, Any]:
    """The area under the curve of p_c over images in percent, the mean gate, and the gate's spread over dimensions.

    Test captions are read as the truth about a concept, never as an input: an image shows a concept if one of its
    captions names it.
    """
    model, test = trained.model, trained.corpus.test
    features = split_features(test, model.features)
    seen = [
        model.image_encoder.predict(features[first : first + CHUNK].to(model.device, model.dtype))
        for first in range(0, len(test.images), CHUNK)
    ]
    shown = torch.cat([-part.absent.expm1() for part in seen]).cpu()  # [n_images, n_concepts]
    gate = torch.cat([part.gate for part in seen]).float().cpu()  # [n_images, dim]
    ids = model.tokenize(test.captions).ids
    named = named_concepts(ids, model.concept_of.cpu(), len(model.concepts))  # [n_captions, n_concepts]
    truth = torch.zeros_like(shown, dtype=named.dtype).index_add_(0, test.image_of, named) > 0
    return {
        "concept_auc": area_under_curve(shown, truth),
        "gate": gate.mean().item(),
        "gate_spread": gate.mean(0).std().item(),
    }


def area_under_curve(scores: Tensor, truth: Tensor) -> float:
    """How often an image that shows a concept has a larger score for it than one that does not, in percent.

    Args:
        scores: [n_images, n_concepts].
        truth: bool [n_images, n_concepts].

    Returns:
        The mean over the concepts that some images, but not all, show; equal scores count half. 50 if there are none.
    """
    found = []
    for column, shown in zip(scores.double().T, truth.T, strict=True):  # a loop over the concepts
        n = int(shown.sum())
        if 0 < n < len(shown):
            yes, no = column[shown], column[~shown].sort().values
            below = (torch.searchsorted(no, yes) + torch.searchsorted(no, yes, right=True)).double().sum() / 2
            found.append(below / (n * len(no)))
    return 100 * torch.stack(found).mean().item() if found else 50.0
