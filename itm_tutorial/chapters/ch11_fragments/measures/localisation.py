"""The measures of phrase localisation that several methods of the chapter share."""

from __future__ import annotations

from typing import Any

from itm_tutorial.chapters.runner import Trained
from itm_tutorial.data.parsing import parser_for
from itm_tutorial.evaluation.phrase_grounding import PhraseReport, evaluate_phrases


def localisation(trained: Trained) -> dict[str, Any]:
    """Pointing and intersection over union of the region chosen for each phrase, and both chance lines, by kind."""
    return figures(evaluate_phrases(trained.model, trained.corpus.test, parser_for(trained.corpus)))


def localisation_by_largest(trained: Trained) -> dict[str, Any]:
    """As ``localisation``; a phrase attends as the word of it with the largest weight does (InfoGround's way)."""
    return figures(evaluate_phrases(trained.model, trained.corpus.test, parser_for(trained.corpus), "max"))


def figures(report: PhraseReport) -> dict[str, Any]:
    """A report as plain data."""
    return {"pointing": report.pointing, "iou": report.iou, "phrases": report.phrases}
