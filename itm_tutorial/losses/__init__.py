"""Losses. ``create_loss`` makes those that need only a score matrix and the mask of positive pairs."""

from __future__ import annotations

from typing import Any

from torch import nn

from itm_tutorial.data.options import check_options, option_types
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
        ItmError: no loss has this name, no loss has such an option, or its value has another type or is out of range.
    """
    if not isinstance(name, str) or name not in LOSSES:
        raise unknown("loss", name, LOSSES)
    takes = {loss: option_types(cls.__init__) for loss, cls in LOSSES.items()}
    for option in options:
        if not any(option in types for types in takes.values()):
            raise ItmError(f"loss: {unknown('option', option, set().union(*takes.values()))}")
    given = {option: value for option, value in options.items() if option in takes[name] and value is not None}
    return LOSSES[name](**check_options(f"loss {name!r}", takes[name], given))
