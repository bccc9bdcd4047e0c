"""One LSTM per pair of an image and a caption, which selects regions and words step by step (sm-LSTM).

After the abstract of Huang, Wang and Wang, "Instance-aware Image and Sentence Matching with Selective Multimodal LSTM",
CVPR 2017; the forms are ours and stand in ``models.sm_lstm``.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

TILE = 2**20  # hidden numbers of one step's attention that are in memory at once: 4 MiB


class Items(NamedTuple):
    """What every pair reads of an image or a caption, computed once: [..., n_items, hidden or dim], and the mask.

    Attributes:
        asked: A v_r + M v, or B s_w + N s.
        values: P v_r, or Q s_w: the maps are linear, so they may come before the weighted sum.
        mask: bool [..., n_items], False for padding.
    """

    asked: Tensor
    values: Tensor
    mask: Tensor


class Maps(NamedTuple):
    """Scores [...], and the saliency maps of each step, p [T, ..., n_regions] and q [T, ..., seq_len]."""

    scores: Tensor
    regions: Tensor
    words: Tensor


class ItemMaps(nn.Module):
    """The linear maps of one side.

    Args:
        in_dim: numbers per item.
        hidden: numbers of the attention's hidden layer.
        dim: numbers per local similarity.
        context: whether attention reads the mean item; without it, the weights that would read it are kept unused.
    """

    def __init__(self, in_dim: int, hidden: int, dim: int, context: bool):
        super().__init__()
        self.weight = float(context)
        self.item, self.mean = nn.Linear(in_dim, hidden), nn.Linear(in_dim, hidden, bias=False)
        self.value = nn.Linear(in_dim, dim)

    def forward(self, items: Tensor, mask: Tensor) -> Items:
        """Items [n, n_items, in_dim] and their mask [n, n_items] -> ``Items``."""
        share = mask.to(items.dtype) / mask.sum(1, keepdim=True)  # [n, n_items]
        context = self.mean((items * share[..., None]).sum(1)) * self.weight  # [n, hidden]
        return Items(self.item(items) + context[:, None], self.value(items), mask)


class PairLSTM(nn.Module):
    """T steps of attention to both sides of a pair, and an LSTM over what they find.

    Args:
        hidden: numbers of the attention's hidden layer.
        dim: numbers per local similarity.
        state_size: numbers per LSTM state.
        steps: T.
        asking: whether attention reads the state h_{t-1}; without it all maps of a pair are equal.
    """

    def __init__(self, hidden: int, dim: int, state_size: int, steps: int, asking: bool):
        super().__init__()
        self.steps, self.asking = steps, float(asking)
        self.state = nn.ModuleList(nn.Linear(state_size, hidden, bias=False) for _ in range(2))  # H, G
        self.logit = nn.ModuleList(nn.Linear(hidden, 1, bias=False) for _ in range(2))  # a, b
        self.input = nn.Linear(dim, 4 * state_size)
        self.recur = nn.Linear(state_size, 4 * state_size, bias=False)
        self.output = nn.Linear(state_size, 1, bias=False)  # a bias would cancel in the hinge

    def forward(self, image: Items, caption: Items) -> Maps:
        """Scores pairs.

        Args:
            image: of [n, 1] images.
            caption: of [1, m] captions, or of [n, 1].

        Returns:
            Scores [n, m or 1], and maps [T, n, m or 1, n_items].
        """
        shape = torch.broadcast_shapes(image.mask.shape[:2], caption.mask.shape[:2])
        h = cell = image.asked.new_zeros(*shape, self.recur.in_features)
        seen = ([], [])
        for _ in range(self.steps):
            attended = []
            for number, side in enumerate((image, caption)):
                hidden = (side.asked + self.asking * self.state[number](h)[:, :, None]).tanh()
                logits = self.logit[number](hidden).squeeze(3)  # [n, m, n_items]
                wide = logits.to(torch.promote_types(logits.dtype, torch.float32)).masked_fill(~side.mask, -torch.inf)
                weights = wide.softmax(2).to(side.values.dtype)
                attended.append(_weighted(weights, side.values).tanh())
                seen[number].append(weights)
            gates, new = (self.input(attended[0] * attended[1]) + self.recur(h)).tensor_split([-h.shape[2]], 2)
            update, forget, out = gates.sigmoid().chunk(3, 2)
            cell = forget * cell + update * new.tanh()
            h = out * cell.tanh()
        return Maps(self.output(h).squeeze(2), *(torch.stack(maps) for maps in seen))

    def pair_maps(self, images: Items, captions: Items) -> Maps:
        """Image 0 with caption 0, image 1 with caption 1 and so on: scores [n] and maps [T, n, n_items]."""
        sides = (Items(*(part[:, None] for part in side)) for side in (images, captions))
        found = self(*sides)
        return Maps(found.scores[:, 0], found.regions[:, :, 0], found.words[:, :, 0])

    def all_maps(self, images: Items, captions: Items) -> Maps:
        """Every image with every caption: scores [n_images, n_captions] and maps [T, n_images, n_captions, n_items]."""
        return self(Items(*(x[:, None] for x in images)), Items(*(x[None] for x in captions)))

    def all_pairs(self, images: Items, captions: Items) -> Tensor:
        """Scores [n_images, n_captions], some pairs at a time, so that memory is bounded by ``TILE``."""
        n_items = images.mask.shape[1] + captions.mask.shape[1]
        side = max(1, int((TILE / (n_items * images.asked.shape[2])) ** 0.5))
        columns = [Items(*some) for some in zip(*(part.split(side) for part in captions), strict=True)]
        rows = [Items(*some) for some in zip(*(part.split(side) for part in images), strict=True)]
        return torch.cat([torch.cat([self.all_maps(row, column).scores for column in columns], 1) for row in rows])


def coverage_penalty(weights: Tensor, mask: Tensor) -> Tensor:
    """sum over items of (1 - sum_t weight)^2: maps [T, n, n_items] and bool [n, n_items] -> [n]."""
    return ((1 - weights.sum(0)).square() * mask).sum(-1)


def _weighted(weights: Tensor, values: Tensor) -> Tensor:
    """Weighted sums of items: [n, m, n_items] and [n or 1, m or 1, n_items, dim] -> [n, m, dim]; nothing is copied."""
    if values.shape[0] == 1:
        return torch.einsum("nmi,mid->nmd", weights, values[0])
    if values.shape[1] == 1:
        return torch.einsum("nmi,nid->nmd", weights, values[:, 0])
    return torch.einsum("nmi,nmid->nmd", weights, values)
