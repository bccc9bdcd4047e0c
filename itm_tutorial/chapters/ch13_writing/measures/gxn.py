"""What the claim of GXN measures beside retrieval: what is imagined from a caption, and how true a written one is."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import normalize

from itm_tutorial.chapters.runner import Trained
from itm_tutorial.evaluation.caption_truth import evaluate_captions, exchanged
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.extraction.features import split_features
from itm_tutorial.retrieval.writing import write_captions

CHUNK = 512  # captions encoded at a time


@torch.inference_mode()
def imagined_recall(trained: Trained) -> dict[str, Any]:
    """R@10 of images if they are ranked by the cosine of their feature with the one imagined from the caption."""
    model, test = trained.model, trained.corpus.test
    features = split_features(test, model.features)
    real = normalize(features.mean(1) if features.ndim == 3 else features, dim=-1)
    chunks = [test.captions[first : first + CHUNK] for first in range(0, len(test.captions), CHUNK)]
    made = torch.cat([model.imagine(model.encode_captions(chunk)).cpu() for chunk in chunks])
    return {"imagined_t2i_r10": evaluate(real.to(made) @ made.T, test.image_of).t2i.r10}


def written_truth(trained: Trained) -> dict[str, Any]:
    """Of the statements in greedily written captions, those that are true; also of other pictures, in percent.

    Both are 0 where the captions of a model that has learned nothing state nothing.
    """
    test = trained.corpus.test
    captions = [written.text for written in write_captions(trained.model, test)]
    others = evaluate_captions(captions, test, exchanged(len(captions)))
    own = evaluate_captions(captions, test)
    n_stated = int(own.n_stated.sum())
    true, of_others = (100 * int(report.n_true.sum()) / max(1, n_stated) for report in (own, others))
    return {"true_statements": true, "true_of_others": of_others, "statements": n_stated}
