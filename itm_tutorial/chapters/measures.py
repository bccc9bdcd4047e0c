"""Measures that the claims of several chapters name: functions from a trained arm to the figures of its row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from itm_tutorial.chapters.runner import Run, Trained
from itm_tutorial.data.corpus import Split
from itm_tutorial.evaluation import minimal_pairs as pairs
from itm_tutorial.evaluation.retrieval_metrics import Report, evaluate


def retrieval(trained: Trained) -> dict[str, float]:
    """rsum and R@1 in both directions on the test split, in percent."""
    return _recalls(evaluate(trained.scores, trained.corpus.test.image_of))


def minimal_pairs(trained: Trained) -> dict[str, dict[str, float]]:
    """Accuracy on the minimal pairs of the test split in percent, and the number of queries, by kind."""
    return of_pairs(trained.scores, trained.corpus.test)


def rsum(trained: Trained) -> dict[str, float]:
    """The sum of recalls on the test split."""
    return {"rsum": retrieval(trained)["rsum"]}


def seconds(trained: Trained) -> dict[str, float]:
    """How long training took."""
    return {"seconds": round(sum(epoch["seconds"] for epoch in trained.history.epochs), 1)}


def oracle(run: Run) -> dict[str, float]:
    """A control: the recalls of an oracle that reads the true scene."""
    return _recalls(pairs.ceiling(run.corpus.test))


def oracle_rsum(run: Run) -> dict[str, float]:
    """A control: the oracle's sum of recalls."""
    return {"rsum": oracle(run)["rsum"]}


def mean_of_scores(arms: Sequence[str], run: Run) -> dict[str, Any]:
    """A control: retrieval and minimal pairs by the mean of several arms' scores, as papers make their ensembles."""
    first, *others = (run.trained[name].scores for name in arms)
    scores, test = sum(others, first) / len(arms), run.corpus.test  # [n_images, n_captions]
    return {**_recalls(evaluate(scores, test.image_of)), **of_pairs(scores, test)}


def of_pairs(scores: Tensor, split: Split) -> dict[str, dict[str, float]]:
    """Accuracy on the minimal pairs in percent, and the number of queries, by kind, from scores [images, captions]."""
    found = pairs.evaluate_minimal_pairs(scores, split)
    return {
        "minimal_pairs": {kind: result.accuracy for kind, result in found.items()},
        "minimal_pair_queries": {kind: result.n for kind, result in found.items()},
    }


def _recalls(report: Report) -> dict[str, float]:
    return {"rsum": report.rsum, "i2t_r1": report.i2t.r1, "t2i_r1": report.t2i.r1}
