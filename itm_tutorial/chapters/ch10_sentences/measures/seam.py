"""The control of SEAM's claim: hops that all read the mean of the words."""

from __future__ import annotations

from torch import nn

from itm_tutorial.chapters.declaration import Arm
from itm_tutorial.data.corpus import Corpus
from itm_tutorial.models import Matching, create_model


def uniform_attention(arm: Arm, corpus: Corpus, seed: int, before: Matching | None) -> Matching:
    """A SEAM whose W2 is 0 and stays 0, so that each hop is the mean of the words; the rest is learned as usual."""
    model = create_model(arm.model, corpus, seed=seed, **arm.options)
    for hops in model.hops.hops:
        nn.init.zeros_(hops.w2.weight)
        hops.w2.requires_grad_(False)
    return model
