"""Where words point, and how sharply: by the transport plan and by attention, on the embeddings of one model."""

from __future__ import annotations

from typing import Any

import torch

from itm_tutorial.chapters.runner import Trained
from itm_tutorial.evaluation.grounding import attend, evaluate_attention
from itm_tutorial.models import Matching, build_model


def plan_and_attention(trained: Trained) -> dict[str, Any]:
    """The pointing game in percent, by word class, and the mean entropy of a word's weights in nats, of both."""
    pointing, entropy = {}, {}
    for reader in ("plan", "attention"):
        model = reading(trained.model, reader)
        pointing[reader] = evaluate_attention(model, trained.corpus.test, trained.seed).pointing["model"]
        weights = torch.cat([some.T for some in attend(model, trained.corpus.test).weights])  # [n_words, n_regions]
        entropy[reader] = torch.special.entr(weights.double()).sum(1).mean().item()
    return {"pointing": pointing, "entropy": entropy}


def reading(model: Matching, reader: str) -> Matching:
    """A copy of a trained "got" whose ``attention`` gives the "plan", or SCAN's "attention"."""
    copy = build_model(model.name, model.vocabulary, model.features, **{**model.options, "attends": reader})
    copy.load_state_dict(model.state_dict())
    return copy.to(model.device).eval()
