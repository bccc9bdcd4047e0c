"""Losses as functions of a score matrix and the pairs that are right."""

from __future__ import annotations

from torch import nn

from itm_tutorial.errors import unknown
from itm_tutorial.losses.contrastive import InfoNCE
from itm_tutorial.losses.ranking import SumOfHinges


def create_loss(name: str, *, margin: float = 0.2, temperature: float = 0.07) -> nn.Module:
    """Makes a loss by name, for models that leave the choice open.

    Args:
        name: "sum_of_hinges" or "infonce".
        margin: of the hinges, in units of the scores.
        temperature: of the softmax, in units of the scores.

    Returns:
        A module: (scores [n_images, n_captions], positives bool of the same shape) -> scalar.

    Raises:
        ItmError: no loss has this name.
    """
    losses = {"sum_of_hinges": lambda: SumOfHinges(margin), "infonce": lambda: InfoNCE(temperature)}
    if name not in losses:
        raise unknown("loss", name, losses)
    return losses[name]()
