"""Regions in the order of their words: a caption sorts the regions of an image before a recurrent network reads them.

Chen and Luo, "Expressing Objects just like Words: Recurrent Visual Embedding for Image-Text Matching", AAAI 2020
(https://arxiv.org/abs/2002.08510), sections on reordering and early selection.
"""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import linear, normalize


def weighted_dots(regions: Tensor, words: Tensor, weights: Tensor) -> Tensor:
    """P(r, w) = a_w (o_r . h_w), a dot product and not a cosine.

    Args:
        regions: o, [..., n_regions, dim].
        words: h, [..., seq_len, dim].
        weights: a, [..., seq_len], zero at padding.

    Returns:
        [..., n_regions, seq_len].
    """
    return (regions @ words.mT) * weights[..., None, :]


def word_order(products: Tensor, mask: Tensor) -> LongTensor:
    """Each region's place in the sentence is that of its word argmax_w P(r, w); regions are sorted by it.

    Regions of one word keep their order: the sort is stable. The paper leaves this open.

    Args:
        products: P, [..., n_regions, seq_len].
        mask: bool, broadcasts to [..., seq_len]; True where there is a word.

    Returns:
        int64 [..., n_regions]: which region comes first, second and so on.
    """
    keys = products.masked_fill(~mask[..., None, :], -torch.inf).argmax(-1)
    return keys.argsort(dim=-1, stable=True)


def region_order(kind: str, products: Tensor, mask: Tensor, fresh: bool) -> LongTensor:
    """The order of the regions of some pairs, int64 [n_pairs, n_regions].

    Args:
        kind: "words", as ``word_order``; "random"; or "given", as they are.
        products: P, [n_pairs, n_regions, seq_len].
        mask: bool [n_pairs, seq_len].
        fresh: whether "random" differs from call to call, as in training.
    """
    if kind == "words":
        return word_order(products, mask)
    order = torch.arange(products.shape[1]).repeat(len(products), 1)
    if kind == "random":
        generator = None if fresh else torch.Generator().manual_seed(0)
        order = torch.rand(order.shape, generator=generator).argsort(1)
    return order.to(products.device)


def shortlist_scores(regions: Tensor, words: Tensor, weights: Tensor) -> Tensor:
    """S_em = sum over r and w of P(r, w), of all pairs: one matrix product of two sums.

    Args:
        regions: o, [n_images, n_regions, dim].
        words: h, [n_captions, seq_len, dim].
        weights: a, [n_captions, seq_len], zero at padding.

    Returns:
        [n_images, n_captions].
    """
    return regions.sum(1) @ (words * weights[..., None]).sum(1).T


class OrderedGRU(nn.Module):
    """A bidirectional GRU over regions in an order of their own per pair; both directions are averaged.

    What a region adds to the gates does not depend on its place, so it is computed once per image and sorted; only the
    recurrent half is computed per pair.

    Args:
        dim: numbers per region, before and after.
    """

    def __init__(self, dim: int):
        super().__init__()
        self.gru = nn.GRU(dim, dim, batch_first=True, bidirectional=True)

    def inputs(self, regions: Tensor) -> Tensor:
        """What regions add to the gates of both directions: [n_images, n_regions, dim] -> [..., 2, 3 dim]."""
        gru = self.gru
        ways = ((gru.weight_ih_l0, gru.bias_ih_l0), (gru.weight_ih_l0_reverse, gru.bias_ih_l0_reverse))
        return torch.stack([linear(regions, *way) for way in ways], 2)

    def forward(self, inputs: Tensor, order: LongTensor) -> Tensor:
        """Reads regions in order.

        Args:
            inputs: of the image of each pair, [n_pairs, n_regions, 2, 3 dim].
            order: int64 [n_pairs, n_regions].

        Returns:
            New regions [n_pairs, n_regions, dim]; each stands where it stood before the sort.
        """
        index = order[..., None].expand(-1, -1, inputs.shape[3])
        gru = self.gru
        ahead = self._run(inputs[:, :, 0].gather(1, index), gru.weight_hh_l0, gru.bias_hh_l0)
        back = inputs[:, :, 1].gather(1, index.flip(1))
        read = (ahead + self._run(back, gru.weight_hh_l0_reverse, gru.bias_hh_l0_reverse).flip(1)) / 2
        return torch.zeros_like(read).scatter(1, order[..., None].expand_as(read), read)

    @staticmethod
    def _run(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """One direction: [n_pairs, n_regions, 3 dim] -> states [n_pairs, n_regions, dim]."""
        state, states = inputs.new_zeros(len(inputs), weight.shape[1]), []
        for given in inputs.unbind(1):
            (r, z, new), (hr, hz, hnew) = given.chunk(3, -1), linear(state, weight, bias).chunk(3, -1)
            z = (z + hz).sigmoid()
            state = (1 - z) * (new + (r + hr).sigmoid() * hnew).tanh() + z * state
            states.append(state)
        return torch.stack(states, 1)


def word_cosines(regions: Tensor, words: Tensor, mask: Tensor, smooth: float) -> tuple[Tensor, Tensor]:
    """The cosine of each word and its attended regions, pair by pair; attention as in SCAN with the plain rectifier.

    Args:
        regions: [n_pairs, n_regions, dim].
        words: [n_pairs, seq_len, dim].
        mask: bool [n_pairs, seq_len], True where there is a word.
        smooth: the inverse temperature.

    Returns:
        Cosines [n_pairs, seq_len] and attention [n_pairs, n_regions, seq_len], which sums to one over the regions;
        both are zero at padding.
    """
    regions, words = normalize(regions, dim=-1), normalize(words * mask[..., None], dim=-1)
    cosines = regions @ words.mT  # [n_pairs, n_regions, seq_len]
    ahead = normalize(cosines.clamp(min=0), dim=2)  # over the words, the queries
    attention = (smooth * ahead).softmax(1) * mask[:, None]
    squared = (attention * (regions @ regions.mT @ attention)).sum(1)
    return (attention * cosines).sum(1) / squared.clamp(min=1e-16).sqrt(), attention
