"""What the claim of MMCA measures: the whole score on shortlists of the cheap one, and the cheap one alone."""

from __future__ import annotations

from copy import copy
from typing import Any

from itm_tutorial.chapters.runner import Trained
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.retrieval.rerank import rerank
from itm_tutorial.retrieval.scoring import score

SHORTLIST = 10  # items per query
SWEPT = (0.1, 0.4, 0.8)  # weights that a trained model is tried with, beside its own


def on_shortlists(trained: Trained) -> dict[str, Any]:
    """rsum and R@1 of S, computed on shortlists of i_0 . c_0; the same of i_0 . c_0; what the shortlists allow.

    ``rsum``, ``i2t_r1``, ``t2i_r1``: after reranking; ``cheap``: before; ``allowed``: the highest recall at 10, in
    percent, by direction; ``alpha``: rsum of the same weights under other values of alpha. Of a model with alpha = 0,
    the first two are i_0 . c_0.
    """
    test, cheap_model = trained.corpus.test, copy(trained.model)  # which shares the weights
    cheap_model.alpha = 0.0
    cheap = score(cheap_model, test)
    before = _recalls(evaluate(cheap, test.image_of))
    if not trained.model.alpha:
        return {**before, "cheap": before}
    scores, report = rerank(trained.model, test, cheap, k=min(SHORTLIST, *cheap.shape))
    swept = {}
    for alpha in SWEPT:
        cheap_model.alpha = alpha
        swept[str(alpha)] = evaluate(rerank(cheap_model, test, cheap, k=report.k).scores, test.image_of).rsum
    allowed = {way: ceiling[max(ceiling)] for way, ceiling in report.ceiling.items()}
    return {**_recalls(evaluate(scores, test.image_of)), "cheap": before, "allowed": allowed, "alpha": swept}


def _recalls(report) -> dict[str, float]:
    return {"rsum": report.rsum, "i2t_r1": report.i2t.r1, "t2i_r1": report.t2i.r1}
