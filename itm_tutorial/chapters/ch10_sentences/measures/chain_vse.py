"""Measures of CHAIN-VSE's claim: recall under misspelling, weights of the text encoder, and word dropout as control."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from itm_tutorial.chapters.declaration import Arm
from itm_tutorial.chapters.runner import Trained
from itm_tutorial.data.corpus import Corpus
from itm_tutorial.data.text import SPECIAL, UNKNOWN
from itm_tutorial.evaluation.misspelling import misspell
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.models import Matching, create_model
from itm_tutorial.retrieval.scoring import score

NOISE = (5, 10, 25)  # letters replaced, in percent, as in the paper's figure
HIDDEN = 0.3  # the probability of a word to be read as <unk> in training, with word dropout


def misspelt(trained: Trained) -> dict[str, Any]:
    """Text-to-image recall by the percentage of replaced letters, and what of it is lost, in percent and points."""
    test = trained.corpus.test
    recalls: dict[str, dict[str, float]] = {}
    for noise in (0, *NOISE):
        captions = [misspell(caption, noise / 100, trained.seed) for caption in test.captions]
        scores = score(trained.model, test, captions=captions) if noise else trained.scores
        found = evaluate(scores, test.image_of).t2i
        recalls[str(noise)] = {"r1": found.r1, "r10": found.r10}
    clean = recalls["0"]
    lost = {noise: {name: clean[name] - some[name] for name in some} for noise, some in recalls.items()}
    return {"t2i": recalls, "lost": lost}


def text_weights(trained: Trained) -> dict[str, float]:
    """Weights of the text encoder, in thousands."""
    return {"text_weights": sum(weight.numel() for weight in trained.model.text_encoder.parameters()) / 1000}


def with_word_dropout(arm: Arm, corpus: Corpus, seed: int, before: Matching | None) -> Matching:
    """A model that reads some words of the training captions as <unk>, so that it learns to do without them."""
    model = create_model(arm.model, corpus, seed=seed, **arm.options)
    unknown = model.vocabulary.index[UNKNOWN]

    def hide(encoder: nn.Module, inputs: tuple) -> tuple:
        ids, *others = inputs
        if encoder.training:
            hidden = (torch.rand(ids.shape, device=ids.device) < HIDDEN) & (ids >= len(SPECIAL))
            ids = ids.masked_fill(hidden, unknown)
        return (ids, *others)

    model.text_encoder.register_forward_pre_hook(hide)
    return model
