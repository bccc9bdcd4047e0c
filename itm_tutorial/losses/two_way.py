"""The terms of the 2-way net: squared distances, decorrelation as a difference of norms, and a penalty on small scales.

Eisenschtat and Wolf, "Linking Image and Text with 2-Way Nets", CVPR 2017, https://arxiv.org/abs/1608.07973.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def squared_distance(a: Tensor, b: Tensor) -> Tensor:
    """The mean over rows of the summed squared differences: [n, dim] each -> a scalar, at least in float32."""
    wide = torch.promote_types(a.dtype, torch.float32)
    return (a.to(wide) - b.to(wide)).square().sum(1).mean()


def decorrelation(h: Tensor) -> Tensor:
    """|C|_F - |diag C| with C = h^T h / n: 0 where no two numbers go together.

    It is a difference of norms, not the sum of the squares off the diagonal, and h is not centred.

    Args:
        h: [n, dim].

    Returns:
        A scalar, at least in float32.
    """
    wide = torch.promote_types(h.dtype, torch.float32)
    with torch.autocast(h.device.type, enabled=False):
        h = h.to(wide)
        c = h.T @ h / len(h)  # [dim, dim]
        return c.norm() - c.diagonal().norm()


def scale_penalty(scales: Iterable[Tensor]) -> Tensor | float:
    """The sum of 1 / gamma^2 over the scales of batch normalisation, [dim] each -> a scalar; 0 where there are none."""
    return sum(scale.pow(-2).sum() for scale in scales)
