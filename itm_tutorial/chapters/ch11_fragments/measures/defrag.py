"""The control of DeFrag's claim: an alignment objective that is given the regions of another image."""

from __future__ import annotations

from torch import Tensor

from itm_tutorial.chapters.declaration import Arm
from itm_tutorial.data.corpus import Corpus
from itm_tutorial.losses.fragment_alignment import FragmentAlignment
from itm_tutorial.models import Matching, create_model


class AlignmentElsewhere(FragmentAlignment):
    """As ``FragmentAlignment``, but "own" is the next image of the batch."""

    def forward(self, dots: Tensor, own: Tensor, mask: Tensor) -> Tensor:
        """As ``FragmentAlignment.forward``."""
        return super().forward(dots, own.roll(1, 0), mask)


def aligned_elsewhere(arm: Arm, corpus: Corpus, seed: int, before: Matching | None) -> Matching:
    """The arm's untrained model; its alignment objective pulls fragments towards the regions of another image."""
    model = create_model(arm.model, corpus, seed=seed, **arm.options)
    model.alignment = AlignmentElsewhere(model.alignment.multiple_instance, model.alignment.warmup)
    return model
