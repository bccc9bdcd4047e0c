"""What the claim of 2WayNet measures: R@5, as the paper reports it, and how much is left of the variance of h."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from itm_tutorial.chapters.runner import Trained
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.extraction.features import split_features


def recall_at_5(trained: Trained) -> dict[str, float]:
    """R@5 on the test split: the mean of both directions, and each, in percent."""
    report = evaluate(trained.scores, trained.corpus.test.image_of)
    return {"r5": (report.i2t.r5 + report.t2i.r5) / 2, "i2t_r5": report.i2t.r5, "t2i_r5": report.t2i.r5}


def of_hidden(h: Tensor) -> dict[str, float]:
    """The mean over numbers of their variance over rows, and the mean size of their correlations: [n, dim] -> two."""
    variance, centred = h.var(0, correction=0), h - h.mean(0)
    unit = torch.nn.functional.normalize(centred, dim=0)  # [n, dim]; a constant number stays 0
    together = (unit.T @ unit).abs()  # [dim, dim]
    off = together.sum() - together.trace()
    return {"variance": float(variance.mean()), "correlation": float(off / max(1, h.shape[1] * (h.shape[1] - 1)))}


@torch.no_grad()
def hidden(trained: Trained) -> dict[str, Any]:
    """Variance and correlation of the middle layer over the images of the test split, and over its captions."""
    model, test = trained.model, trained.corpus.test
    features = torch.nn.functional.normalize(split_features(test, model.features).to(model.dtype), dim=1)
    tokens = model.tokenize(test.captions)
    h_y = model.middle(model.words(tokens.ids, tokens.lengths), True)
    return {"image": of_hidden(model.middle(features, False)), "caption": of_hidden(h_y)}
