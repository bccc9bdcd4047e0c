"""Many trees at once: the nodes of a batch level by level, from the deepest up to the roots.

A network that composes a sentence along a tree needs the children of a node before the node itself. All nodes of one
depth are ready at the same time, in every tree of the batch, so that a batch takes as many steps as its deepest tree
has levels.
"""

from __future__ import annotations

from collections.abc import Callable
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
        parents: int64 [n_nodes], the place of each node's parent among the nodes of the next level; a root's own place.
        counts: how many of them have kind 0, 1, and so on.
        n_above: how many nodes the next level has; 0 for the roots.
    """

    nodes: LongTensor
    parents: LongTensor
    counts: tuple[int, ...]
    n_above: int

    def __len__(self) -> int:
        return len(self.nodes)

    def to_parents(self, messages: Tensor) -> Tensor:
        """Adds up what these nodes send to their parents.

        Args:
            messages: [n_nodes, ...], in the order of the level.

        Returns:
            [n_above, ...], in the order of the next level; zero where a node has no child.
        """
        return messages.new_zeros(self.n_above, *messages.shape[1:]).index_add(0, self.parents, messages)


@dataclass(frozen=True)
class Forest:
    """Trees ready to be computed.

    Attributes:
        levels: from the deepest nodes up to the roots.
        roots: int64 [n_trees], the place of each tree's root among the nodes of the last level.
        shape: (n_trees, seq_len).
    """

    levels: tuple[Level, ...]
    roots: LongTensor
    shape: tuple[int, int]

    @property
    def order(self) -> LongTensor:
        """The numbers of all nodes, level by level, int64 [n_nodes]."""
        return torch.cat([level.nodes for level in self.levels])

    def by_level(self, values: Tensor) -> tuple[Tensor, ...]:
        """Values of all nodes and of padding, [n_trees, seq_len, dim] -> [n_nodes, dim] for each level."""
        return values.flatten(0, 1)[self.order].split([len(level) for level in self.levels])

    def sizes(self) -> list[LongTensor]:
        """The nodes of each node's subtree, itself included: int64 [n_nodes] for each level."""
        sizes = [torch.ones_like(self.levels[0].nodes)]
        for level in self.levels[:-1]:
            sizes.append(1 + level.to_parents(sizes[-1]))
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
    roots = (mask & (heads == own)).flatten().nonzero().squeeze(1)  # numbers
    wrong = ~mask.gather(1, heads) & mask | (heads.gather(1, at) != at) | (kinds < 0) | (kinds >= n_kinds)
    one_each = torch.equal(roots // max(1, seq_len), torch.arange(n_trees, device=heads.device))
    if wrong.any() or not one_each:
        raise ItmError(
            "heads are no trees: in each row, exactly one word must be its own head, every other word must lead up to "
            f"it, and kinds must be 0 to {n_kinds - 1}"
        )
    first = torch.arange(n_trees, device=heads.device)[:, None] * seq_len
    order = ((depth.max() - depth) * n_kinds + kinds).flatten()  # the deepest first
    nodes = mask.flatten().nonzero().squeeze(1)
    keys, sort = order[nodes].sort(stable=True)
    nodes = nodes[sort]
    counts = keys.bincount(minlength=n_kinds).cpu()
    counts = torch.cat([counts, counts.new_zeros(-len(counts) % n_kinds)]).view(-1, n_kinds)  # [n_levels, n_kinds]
    cuts = counts.sum(1).tolist()
    place = torch.zeros(n_trees * seq_len, dtype=torch.int64, device=heads.device)
    parts = nodes.split(cuts)
    for part in parts:
        place[part] = torch.arange(len(part), device=heads.device)  # within the level
    parents = place[(first + heads).flatten()]
    levels = (
        Level(part, parents[part], tuple(of_kind), n_above)
        for part, of_kind, n_above in zip(parts, counts.tolist(), [*cuts[1:], 0], strict=True)
    )
    return Forest(tuple(levels), place[roots], (n_trees, seq_len))


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
