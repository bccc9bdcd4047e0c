"""Many trees at once: the nodes of a batch level by level, from the deepest up to the roots.

A network that composes a sentence along a tree needs the children of a node before the node itself. All nodes of one
depth are ready at the same time, in every tree of the batch, so that a batch takes as many steps as its deepest tree
has levels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import LongTensor, Tensor
from torch.nn.functional import linear

from itm_tutorial.errors import ItmError


@dataclass(frozen=True)
class Level:
    """The nodes of one depth, those of one kind side by side.

    Attributes:
        nodes: int64 [n_nodes], node numbers; node p of tree t has number t * seq_len + p.
        parents: int64 [n_nodes], the number of each node's parent; a root's own number.
        counts: how many of them have kind 0, 1, and so on.
    """

    nodes: LongTensor
    parents: LongTensor
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Forest:
    """Trees ready to be computed.

    Attributes:
        levels: from the deepest nodes up to the roots.
        roots: int64 [n_trees], the number of each tree's root.
        shape: (n_trees, seq_len).
    """

    levels: tuple[Level, ...]
    roots: LongTensor
    shape: tuple[int, int]

    def below(self) -> Iterator[Level]:
        """The levels without the roots: the nodes that have a parent to report to."""
        return iter(self.levels[:-1])

    def sizes(self) -> LongTensor:
        """The nodes of each node's subtree, itself included, int64 [n_trees * seq_len]; 1 for padding."""
        sizes = torch.ones(self.shape[0] * self.shape[1], dtype=torch.int64, device=self.roots.device)
        for level in self.below():
            sizes.index_add_(0, level.parents, sizes[level.nodes])
        return sizes


def plant(heads: LongTensor, mask: Tensor, kinds: LongTensor | None = None, n_kinds: int = 1) -> Forest:
    """Sorts the nodes of trees by depth, and within a depth by kind.

    Args:
        heads: int64 [n_trees, seq_len], the position of each node's parent in its tree; a root has its own position.
        mask: bool [n_trees, seq_len], False for padding.
        kinds: int64 [n_trees, seq_len], 0 to n_kinds - 1, such as the relation between a node and its parent; by
            default all nodes are of one kind.
        n_kinds: how many kinds there are.

    Returns:
        The forest.

    Raises:
        ItmError: shapes differ, a row is not one tree, a node hangs on padding, or a kind is out of range.
    """
    if heads.shape != mask.shape or heads.ndim != 2 or (kinds is not None and kinds.shape != heads.shape):
        shapes = [list(part.shape) for part in (heads, mask, kinds) if part is not None]
        raise ItmError(f"heads, mask and kinds are {shapes}: give all of them as [n_trees, seq_len]")
    n_trees, seq_len = heads.shape
    if (mask & ((heads < 0) | (heads >= seq_len))).any():
        raise ItmError(f"heads name positions outside 0 to {seq_len - 1}: give each node a parent of its own tree")
    own = torch.arange(seq_len, device=heads.device).expand_as(heads)
    heads = torch.where(mask, heads, own)
    kinds = torch.zeros_like(heads) if kinds is None else torch.where(mask, kinds, 0)
    depth, at = torch.zeros_like(heads), own
    for _ in range(seq_len):
        up = heads.gather(1, at)
        moved = up != at
        if not moved.any():
            break
        depth, at = depth + moved, up
    roots = (mask & (heads == own)).flatten().nonzero().squeeze(1)
    wrong = ~mask.gather(1, heads) & mask | (heads.gather(1, at) != at) | (kinds < 0) | (kinds >= n_kinds)
    one_each = torch.equal(roots // max(1, seq_len), torch.arange(n_trees, device=heads.device))
    if wrong.any() or not one_each:
        raise ItmError(
            "heads are no trees: in each row, exactly one word must be its own head, every other word must lead up to "
            f"it, and kinds must be 0 to {n_kinds - 1}"
        )
    first = own.new_tensor(range(n_trees))[:, None] * seq_len
    order = ((depth.max() - depth) * n_kinds + kinds).flatten()  # the deepest first
    nodes = mask.flatten().nonzero().squeeze(1)
    keys, sort = order[nodes].sort(stable=True)
    nodes = nodes[sort]
    parents = (first + heads).flatten()[nodes]
    counts = keys.bincount(minlength=n_kinds).cpu()
    counts = torch.cat([counts, counts.new_zeros(-len(counts) % n_kinds)]).view(-1, n_kinds)  # [n_levels, n_kinds]
    cuts = counts.sum(1).tolist()
    parts = zip(nodes.split(cuts), parents.split(cuts), counts.tolist(), strict=True)
    return Forest(tuple(Level(n, p, tuple(c)) for n, p, c in parts), roots, (n_trees, seq_len))


def by_kind(states: Tensor, level: Level, matrix_of: Callable[[int], Tensor]) -> Tensor:
    """Multiplies the state of each node with the matrix of its kind.

    Args:
        states: [n_nodes, in_dim], in the order of the level.
        level: the nodes.
        matrix_of: a kind -> its matrix [out_dim, in_dim].

    Returns:
        [n_nodes, out_dim], in the order of the level.
    """
    parts = zip(states.split(level.counts), level.counts, strict=True)
    return torch.cat([linear(part, matrix_of(kind)) for kind, (part, n) in enumerate(parts) if n])
