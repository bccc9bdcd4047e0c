"""What the claim of GSMN measures besides recall: whether a trained model reads the trees that it is given."""

from __future__ import annotations

from copy import copy
from typing import Any

from itm_tutorial.chapters.runner import Trained
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.retrieval.scoring import score


def trees_at_test(trained: Trained) -> dict[str, Any]:
    """rsum on the test split with the captions' own trees, and with random trees of the same degrees."""
    test, model = trained.corpus.test, copy(trained.model)  # which shares the weights
    model.graph = "random"
    own, random = (evaluate(scores, test.image_of).rsum for scores in (trained.scores, score(model, test)))
    return {"trees": {"own": own, "random": random}}
