"""What RVE's cheap sum is worth as a shortlist for the network that every pair costs."""

from __future__ import annotations

from typing import Any

from itm_tutorial.chapters.runner import Trained
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.models import Matching, build_model
from itm_tutorial.retrieval.rerank import rerank
from itm_tutorial.retrieval.scoring import score

K = 50  # images on the shortlist of a caption


def shortlist_recall(trained: Trained) -> dict[str, Any]:
    """Text-to-image R@1 after reranking K images, by the sum alone, the recall that it allows, and chance: percent."""
    test = trained.corpus.test
    k = min(K, len(test.images))
    cheap = score(by_the_sum(trained.model), test)
    scores, report = rerank(trained.model, test, cheap, k, "t2i")
    return {
        "shortlist": {
            "t2i_r1": evaluate(scores, test.image_of).t2i.r1,
            "alone_t2i_r1": evaluate(cheap, test.image_of).t2i.r1,
            "ceiling": report.ceiling["t2i"][k],
            "chance": 100 * k / len(test.images),
        }
    }


def by_the_sum(model: Matching) -> Matching:
    """A copy of a trained "rve" whose score is the cheap sum."""
    copy = build_model(model.name, model.vocabulary, model.features, **{**model.options, "score": "shortlist"})
    copy.load_state_dict(model.state_dict())
    return copy.to(model.device).eval()
