"""Captions as a tree of their first words, so that captions that begin alike share the work for these words.

A network that reads a caption from left to right has the same state after "a red car" in every caption that begins so.
Each node of the tree is a distinct prefix, and sharing is exact: the same numbers, computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import LongTensor, Tensor


class Level(NamedTuple):
    """The distinct prefixes of t tokens behind <start>, for one t from 1 on; all are int64 tensors of indices.

    Attributes:
        tokens: [n_nodes], the last token of each prefix.
        parents: [n_nodes], the prefix without it: its place among the ``inner`` nodes of the level before.
        inner: [n_inner], the nodes that go on.
        captions: [n_ended], the captions that end here.
        ends: [n_ended], at which node each of them ends.
        examples: [n_nodes], a caption that begins with the prefix.
    """

    tokens: LongTensor
    parents: LongTensor
    inner: LongTensor
    captions: LongTensor
    ends: LongTensor
    examples: LongTensor


def prefix_levels(ids: LongTensor, lengths: LongTensor) -> list[Level]:
    """The tree of the prefixes of captions, by length; what stands behind the end of a caption is not read.

    Args:
        ids: int64 [n_captions, seq_len], <start> first, <end> last.
        lengths: int64 [n_captions], both included.

    Returns:
        One ``Level`` for each t from 1 to the longest caption's length minus 1, on the device of ``ids``.
    """
    last = lengths.to(ids.device) - 1  # the place of <end>
    going = torch.arange(len(ids), device=ids.device)  # captions that go on, and the node that each has reached
    at = torch.zeros_like(going)
    levels: list[Level] = []
    for place in range(1, int(lengths.max()) if len(ids) else 0):
        pairs = torch.stack([at, ids[going, place]], 1)  # [n_going, 2]
        nodes, node_of = pairs.unique(dim=0, return_inverse=True)
        goes_on = last[going] > place
        inner, at = node_of[goes_on].unique(return_inverse=True)
        examples = torch.empty(len(nodes), dtype=torch.int64, device=ids.device).scatter_(0, node_of, going)
        levels.append(Level(nodes[:, 1], nodes[:, 0], inner, going[~goes_on], node_of[~goes_on], examples))
        going = going[goes_on]
    return levels


def prefix_scores(
    levels: list[Level],
    outputs: Iterable[Tensor],
    logits: Callable[[Tensor], Tensor],
    n_captions: int,
    first: int,
) -> Tensor:
    """Sums the log-probabilities of tokens along the tree.

    Args:
        levels: of ``prefix_levels``.
        outputs: for each level, the network's outputs [n_images, n_inner, dim] at the inner nodes of the level before,
            from which the level's tokens are predicted; [n_images, 1, dim] for the first.
        logits: outputs -> unnormalised log-probabilities [n_images, n_inner, n_tokens].
        n_captions: in the tree.
        first: the id that the first of the n_tokens has.

    Returns:
        log P of each caption given each image, [n_images, n_captions].
    """
    scores, total = None, None
    for level, output in zip(levels, outputs, strict=True):
        values = logits(output)
        chosen = values[:, level.parents, level.tokens - first] - values.logsumexp(-1)[:, level.parents]
        total = chosen if total is None else total[:, level.parents] + chosen  # [n_images, n_nodes]
        if scores is None:
            scores = total.new_zeros(len(total), n_captions)
        scores[:, level.captions] = total[:, level.ends]
        total = total[:, level.inner]
    return scores
