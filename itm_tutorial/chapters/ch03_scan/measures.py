"""The measure of chapter 03's claim: whether words attend to the boxes that they name."""

from __future__ import annotations

from typing import Any

from itm_tutorial.chapters.runner import Trained
from itm_tutorial.evaluation.grounding import evaluate_attention


def pointing(trained: Trained) -> dict[str, Any]:
    """The pointing game and the attention inside the boxes, of the model and of three baselines, by word class."""
    found = evaluate_attention(trained.model, trained.corpus.test, trained.seed)
    return {"pointing": found.pointing, "mass": found.mass, "words": found.words}
