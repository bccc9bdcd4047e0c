"""Losses. ``create_loss`` makes those that need only a score matrix and the mask of positive pairs."""

from __future__ import annotations

import inspect
from typing import Any

from torch import nn

from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.losses.contrastive import InfoNCE
from itm_tutorial.losses.ranking import MaxOfHinges, SumOfHinges, TopKHinges

LOSSES: dict[str, type[nn.Module]] = {
    "sum_of_hinges": SumOfHinges,
    "max_of_hinges": MaxOfHinges,
    "top_k_hinges": TopKHinges,
    "infonce": InfoNCE,
}


def create_loss(name: str, **options: Any) -> nn.Module:
    """Makes a loss by name, for models with a choice of losses.

    Args:
        name: one of ``LOSSES``.
        options: options for any of the losses, such as a margin; those that the chosen loss lacks are ignored, and
            None means the loss's default.

    Returns:
        A module: (scores [n_images, n_captions], positives bool of the same shape) -> scalar.

    Raises:
        ItmError: no loss has this name, or no loss has such an option.
    """
    if name not in LOSSES:
        raise unknown("loss", name, LOSSES)
    takes = {loss: set(inspect.signature(cls).parameters) for loss, cls in LOSSES.items()}
    for option in options:
        if not any(option in names for names in takes.values()):
            raise ItmError(f"loss: {unknown('option', option, set().union(*takes.values()))}")
    return LOSSES[name](**{k: v for k, v in options.items() if k in takes[name] and v is not None})
