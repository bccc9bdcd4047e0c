"""The control of SEAM's claim: hops that all read the mean of the words."""

from __future__ import annotations

from torch import Tensor, nn

from itm_tutorial.chapters.declaration import Arm
from itm_tutorial.data.corpus import Corpus
from itm_tutorial.models import Matching, create_model


class NoScores(nn.Module):
    """In place of W2: the same score for every word, and nothing to learn.

    Args:
        hops: scores per word.
    """

    def __init__(self, hops: int):
        super().__init__()
        self.hops = hops

    def forward(self, units: Tensor) -> Tensor:
        """[n_captions, seq_len, units] -> zeros [n_captions, seq_len, hops]."""
        return units.new_zeros(*units.shape[:2], self.hops)


def uniform_attention(arm: Arm, corpus: Corpus, seed: int, before: Matching | None) -> Matching:
    """A SEAM whose W2 is 0 and stays 0, so that each hop is the mean of the words; the rest is learned as usual."""
    model = create_model(arm.model, corpus, seed=seed, **arm.options)
    for hops in model.hops.hops:
        hops.w2 = NoScores(hops.w2.out_features)
    return model
