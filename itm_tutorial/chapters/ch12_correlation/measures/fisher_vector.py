"""What the claim of Fisher vectors measures: recall at 10 by direction, and what is left of a caption's word order."""

from __future__ import annotations

from typing import Any

import torch

from itm_tutorial.chapters.runner import Trained
from itm_tutorial.data.text import tokenize
from itm_tutorial.evaluation.retrieval_metrics import evaluate

MOST = 500  # captions that are reversed


def recalls(trained: Trained) -> dict[str, Any]:
    """rsum, R@1 and R@10 of either direction, and the mean R@10, on the test split in percent."""
    report = evaluate(trained.scores, trained.corpus.test.image_of)
    sides = {"i2t": report.i2t, "t2i": report.t2i}
    found: dict[str, Any] = {name: {"r1": side.r1, "r10": side.r10} for name, side in sides.items()}
    return {**found, "rsum": report.rsum, "r10": (report.i2t.r10 + report.t2i.r10) / 2}


@torch.inference_mode()
def reversal(trained: Trained) -> dict[str, float]:
    """Test captions against themselves with their words in reverse order: 1 - cosine of the embeddings, as a mean.

    It is 0 for a model that does not read the order. Embeddings must be unit vectors.
    """
    captions = trained.corpus.test.captions[:MOST]
    backwards = [" ".join(reversed(tokenize(caption))) for caption in captions]
    first, second = (trained.model.eval().encode_captions(texts) for texts in (captions, backwards))  # [n, dim] each
    return {"reversal": (1 - (first * second).sum(-1)).mean().item()}
