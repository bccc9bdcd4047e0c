"""The factor that contrastive losses multiply cosines with, learned as its logarithm.

Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", ICML 2021,
https://arxiv.org/abs/2103.00020: the scale exp(theta) begins at 1 / 0.07 and is not to exceed 100.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from itm_tutorial.data.options import PositiveFloat


class LearnedScale(nn.Module):
    """exp(theta), where theta is learned and kept in [0, log(largest)].

    Public code clamps the parameter after each step of the optimiser, so that the next gradient can move it back at
    once; a clamp of the logits would take its gradient away. ``fit`` calls nothing after a step, so the parameter is
    clamped when it is next read or saved: before the next loss and before a checkpoint. The results are the same.

    Args:
        start: exp(theta) in the beginning.
        largest: the largest scale; None clamps neither above nor below.
        learned: False keeps the scale as it is.
    """

    def __init__(self, start: PositiveFloat = 1 / 0.07, largest: PositiveFloat | None = 100.0, learned: bool = True):
        super().__init__()
        self.largest = largest
        theta = torch.tensor(math.log(start))
        if learned:
            self.theta = nn.Parameter(theta)
        else:
            self.register_buffer("theta", theta)

    @torch.no_grad()
    def clamp_(self) -> None:
        """Clamps theta; a scale below 1 becomes 1."""
        if self.largest is not None:
            self.theta.clamp_(0.0, math.log(self.largest))

    def forward(self) -> Tensor:
        """exp(theta), a scalar, at least in float32."""
        if isinstance(self.theta, nn.Parameter):
            self.clamp_()
        return self.theta.to(torch.promote_types(self.theta.dtype, torch.float32)).exp()

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        if isinstance(self.theta, nn.Parameter):
            self.clamp_()
        super()._save_to_state_dict(destination, prefix, keep_vars)
