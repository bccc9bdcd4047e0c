"""What the claim of CAMP measures: whether gates are more open where image and caption belong together."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from itm_tutorial.chapters.runner import Trained
from itm_tutorial.encoders.embeddings import pick
from itm_tutorial.extraction.features import split_features
from itm_tutorial.retrieval.scoring import evaluation_mode

SOME = 100  # images of the test split, with one caption each: all pairs of these


@torch.inference_mode()
def gates(trained: Trained) -> dict[str, Any]:
    """The mean gate of matched and of unmatched pairs, and how often a matched one exceeds an unmatched one (percent).

    Only the first ``SOME`` images of the test split count, each with the first of its captions.
    """
    model, split = trained.model, trained.corpus.test
    n = min(SOME, len(split.images))
    first = [int((split.image_of == image).nonzero()[0]) for image in range(n)]
    with evaluation_mode(model):
        image_emb = model.encode_images(pick(split_features(split, model.features), slice(0, n)))
        mean = model.gates(image_emb, model.encode_captions([split.captions[row] for row in first])).cpu()  # [n, n]
    own = torch.eye(n, dtype=torch.bool)
    return {
        "gate": {
            "matched": mean[own].mean().item(),
            "unmatched": mean[~own].mean().item(),
            "area_under_curve": area_under_curve(mean[own], mean[~own]),
        }
    }


def area_under_curve(positives: Tensor, negatives: Tensor) -> float:
    """How often a positive [n] exceeds a negative [m], in percent; a tie counts half."""
    above = (positives[:, None] > negatives).double() + (positives[:, None] == negatives).double() / 2
    return 100 * above.mean().item()
