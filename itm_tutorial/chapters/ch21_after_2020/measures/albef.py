"""What a matching head adds to the cosines of the same model: on a shortlist, and on minimal pairs."""

from __future__ import annotations

from typing import Any

import torch

from itm_tutorial.chapters.runner import Trained
from itm_tutorial.encoders.embeddings import join, pick
from itm_tutorial.evaluation.minimal_pairs import minimal_pair_queries
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.evaluation.true_matches import compare_with_truth
from itm_tutorial.extraction.features import split_features
from itm_tutorial.retrieval.rerank import rerank
from itm_tutorial.retrieval.scoring import CHUNK, encode_in_chunks, evaluation_mode

K = 8  # images on the shortlist of a caption


def shortlist(trained: Trained) -> dict[str, Any]:
    """R@1 of captions by the cosine, and after the head scored a shortlist; and the errors of the cosine that are none.

    All numbers are in percent but the two counts of errors.
    """
    model, split, cheap = trained.model, trained.corpus.test, trained.scores
    found: dict[str, Any] = {"itc": {"t2i_r1": evaluate(cheap, split.image_of).t2i.r1}}
    for way in ("itm", "sum"):
        scores, report = rerank(model.by(way), split, cheap, K, "t2i")
        truth = compare_with_truth(scores, split).t2i
        found[way] = {"t2i_r1": truth.r1_by_pairing, "t2i_r1_by_truth": truth.r1_by_truth}
        found["ceiling"] = report.ceiling["t2i"][max(report.ceiling["t2i"])]
    truth = compare_with_truth(cheap, split).t2i
    found["itc"]["t2i_r1_by_truth"] = truth.r1_by_truth
    return {**found, "errors": truth.n_errors, "errors_that_are_true": truth.n_true}


@torch.inference_mode()
def pairs_by_head(trained: Trained) -> dict[str, dict[str, float]]:
    """Accuracy on minimal pairs by the cosine and by the head, in percent; and the number of queries of each kind."""
    split, found = trained.corpus.test, {"itc": {}, "itm": {}, "queries": {}}
    with evaluation_mode(trained.model):
        features = split_features(split, trained.model.features)
        images = join(list(encode_in_chunks(trained.model.encode_images, features, CHUNK)))
        for kind, (captions, own, others) in minimal_pair_queries(split).items():
            texts = trained.model.encode_captions([split.captions[c] for c in captions.tolist()])
            head = trained.model.by("itm").score_pairs
            right = head(pick(images, own), texts) > head(pick(images, others), texts)
            cosines = ((pick(images, rows).pooled * texts.pooled).sum(1) for rows in (own, others))
            by_cosine = next(cosines) > next(cosines)
            found["itm"][kind] = 100 * right.double().mean().item()
            found["itc"][kind] = 100 * by_cosine.double().mean().item()
            found["queries"][kind] = len(right)
    for way in ("itc", "itm"):  # a tiny split lacks some kinds
        hits = sum(found[way][kind] * n for kind, n in found["queries"].items())
        found[way]["all"] = hits / sum(found["queries"].values())
    return {"pairs": found}
