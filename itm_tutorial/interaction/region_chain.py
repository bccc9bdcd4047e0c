"""Segments of a caption: neighbouring words are drawn to one region, and the best assignment is found exactly.

Karpathy and Fei-Fei, "Deep Visual-Semantic Alignments for Generating Image Descriptions", CVPR 2015, use a Markov
random field over the words of a caption to decode segments after training. It is a chain: the words are its nodes, and
only neighbours are joined.
"""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor

from itm_tutorial.errors import ItmError


def best_chain(dots: Tensor, beta: float) -> LongTensor:
    """The assignment a that maximises sum_t dots[a_t, t] + beta * (the neighbours t, t + 1 with a_t = a_{t+1}).

    Dynamic programming over the words, from left to right: exact, in n_words * n_regions steps.

    Args:
        dots: [n_regions, n_words], the dot product of each region with each word of one caption.
        beta: 0 or more; 0 gives each word its best region, a large number one region to all.

    Returns:
        int64 [n_words], the region of each word.

    Raises:
        ItmError: no region, no word, or a negative beta.

    Example:
        >>> best_chain(torch.tensor([[2.0, 0.9, 2.0], [0.0, 1.0, 0.0]]), beta=0.1).tolist()
        [0, 0, 0]
    """
    if dots.ndim != 2 or not dots.numel():
        raise ItmError(f"dots are {list(dots.shape)}: give [n_regions, n_words] with at least one of each")
    if beta < 0:
        raise ItmError(f"beta is {beta}; give 0 or more")
    every = torch.arange(len(dots), device=dots.device)
    score, back = dots[:, 0], []  # [n_regions]: the best score of the words so far, by the region of the last one
    for word in range(1, dots.shape[1]):
        leader = score.argmax()
        stays = score + beta >= score[leader]  # to keep the region is worth more than to come from the leader
        back.append(torch.where(stays, every, leader))
        score = torch.where(stays, score + beta, score[leader]) + dots[:, word]
    path = [score.argmax()]
    for step in reversed(back):
        path.append(step[path[-1]])
    return torch.stack(path[::-1])
