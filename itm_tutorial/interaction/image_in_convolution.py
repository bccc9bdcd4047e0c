"""Convolutions over the words of a caption of which one takes an image in (m-CNN).

Ma, Lu, Shang and Li, "Multimodal Convolutional Neural Networks for Matching Image and Sentence", ICCV 2015
(https://arxiv.org/abs/1504.06063), equations 4 to 6 and table 1.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import relu


class TextMaps(NamedTuple):
    """Captions in front of the ReLU of the layer that takes the image in.

    Attributes:
        maps: [n_captions, n_positions, n_maps], W_x x + b, the maximum over pairs of positions.
        gate: bool [n_captions, n_positions], True where a word is read.
    """

    maps: Tensor
    gate: Tensor


class GatedConvolution(nn.Module):
    """Windows of three positions -> maps; ReLU; gate; the maximum over two positions. An odd last one is dropped.

    A gate is open where a word reaches the window. This is the paper's test for zeros, unless all maps of a window of
    words are zero, and it spares the computation of closed windows, about half of all.
    """

    def __init__(self, in_dim: int, n_maps: int):
        super().__init__()
        self.linear = nn.Linear(3 * in_dim, n_maps)

    def forward(self, x: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
        """A layer without the image, for some images at once.

        Args:
            x: [n, n_positions, ..., in_dim].
            gate: bool [n, n_positions].

        Returns:
            [n, (n_positions - 2) // 2, ..., n_maps], and the gates of these positions.
        """
        values, gate = self._windows(x, gate)
        return highest_of_two(relu(values), gate, closed=0.0)

    def before_relu(self, x: Tensor, gate: Tensor) -> TextMaps:
        """W_x x + b, [n, (n_positions - 2) // 2, n_maps], to which the image may still be added.

        The maximum may be taken first: W_v v is the same in both positions, and ReLU does not change their order.
        """
        maps, gate = highest_of_two(*self._windows(x, gate), closed=-torch.inf)
        return TextMaps(maps.masked_fill(~gate[..., None], 0), gate)

    def _windows(self, x: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
        """The maps of open windows alone, [n_open, ..., n_maps], and the gates of all, [n, n_positions - 2]."""
        gate = gate[:, :-2] | gate[:, 1:-1] | gate[:, 2:]
        return self.linear(torch.cat([x[:, :-2][gate], x[:, 1:-1][gate], x[:, 2:][gate]], -1)), gate


def highest_of_two(values: Tensor, gate: Tensor, closed: float) -> tuple[Tensor, Tensor]:
    """The maximum over positions (0, 1), (2, 3) and so on.

    Args:
        values: [n_open, ..., n_maps], of positions whose gate is open.
        gate: bool [n, n_positions].
        closed: the value of the other positions.

    Returns:
        [n, n_positions // 2, ..., n_maps], and the gates of these positions.
    """
    maps = values.new_full((*gate.shape, *values.shape[1:]), closed)
    maps[gate] = values
    even = gate.shape[1] // 2 * 2
    return maps[:, :even].unflatten(1, (-1, 2)).amax(2), gate[:, :even].unflatten(1, (-1, 2)).any(2)
