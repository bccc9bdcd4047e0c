"""Two channels through one set of weights, which the second channel uses transposed and in the opposite order.

Eisenschtat and Wolf, "Linking Image and Text with 2-Way Nets", CVPR 2017, https://arxiv.org/abs/1608.07973.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, linear

from itm_tutorial.encoders.batch_norm import BatchNorm

SLOPE = 0.3  # of the leaky ReLU below 0, as in the public code


class TiedNet(nn.Module):
    """Both channels: the weights of one are those of the other, transposed and in the opposite order.

    Args:
        widths: numbers of x, of the three hidden layers, and of y.
        batch_norm: whether hidden layers are normalised.
    """

    def __init__(self, widths: list[int], batch_norm: bool = True):
        super().__init__()
        shapes = zip(widths[1:], widths[:-1], strict=True)
        self.weights = nn.ParameterList(nn.init.xavier_uniform_(torch.empty(shape)) for shape in shapes)
        ways = (widths, widths[::-1])
        self.biases = nn.ModuleList(nn.ParameterList(torch.zeros(width) for width in way[1:]) for way in ways)
        norm = BatchNorm if batch_norm else nn.Identity
        self.norms = nn.ModuleList(nn.ModuleList(norm(width) for width in way[1:-1]) for way in ways)

    def forward(self, rows: Tensor, back: bool = False, masks: list[Tensor] | None = None) -> list[Tensor]:
        """Runs a channel.

        Args:
            rows: x [n, in_dim], or y [n, out_dim].
            back: False from x to y, True from y to x.
            masks: per hidden layer, in the order from x to y, what its numbers are multiplied by, [n, width].

        Returns:
            The three hidden layers in the order of this channel, and the prediction.
        """
        weights = [weight.T for weight in reversed(self.weights)] if back else list(self.weights)
        masks = masks[::-1] if masks and back else masks
        found = []
        for number, (weight, bias) in enumerate(zip(weights, self.biases[back], strict=True)):
            rows = linear(rows, weight, bias)
            if number < len(weights) - 1:
                rows = leaky_relu(self.norms[back][number](rows), SLOPE)
                rows = rows * masks[number] if masks else rows
            found.append(rows)
        return found
