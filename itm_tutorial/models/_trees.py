"""A text input that can put random trees in place of dependency trees: the control of a model that reads a graph."""

from __future__ import annotations

from collections import Counter
from random import Random
from zlib import crc32

import torch

from itm_tutorial.data.text import Tokens
from itm_tutorial.models._parsed_words import ParsedWords


class Trees(ParsedWords):
    """As ``ParsedWords``; of a model with ``graph="random"``, heads are those of a random tree with equal degrees.

    Every word keeps its number of neighbours. The tree of a caption follows from its words alone.
    """

    about = "words whose vectors are learned, and the dependency tree of each caption"

    def encode(self, model, captions: list[str]) -> Tokens:
        """As ``ParsedWords.encode``."""
        tokens = super().encode(model, captions)
        if model.graph != "random":
            return tokens
        heads = tokens.per_word["heads"].clone()
        for row, (caption, n_words) in enumerate(zip(captions, (tokens.lengths - 2).tolist(), strict=True)):
            if n_words > 2:
                tree = [head - 1 for head in heads[row, 1 : n_words + 1].tolist()]
                mixed = random_tree(tree, crc32(caption.encode()))
                heads[row, 1 : n_words + 1] = torch.tensor(mixed) + 1
        return Tokens(tokens.ids, tokens.lengths, {**tokens.per_word, "heads": heads}, tokens.per_caption)


def random_tree(heads: list[int], seed: int) -> list[int]:
    """A random tree in which each node has as many neighbours as before: a shuffled Pruefer sequence, decoded.

    Args:
        heads: of n nodes, 2 or more; the root's head is itself.
        seed: of the shuffling.

    Returns:
        The heads of the new tree, whose root has its own number.
    """
    n = len(heads)
    degree = Counter(range(n))  # one each, and so the sequence holds a node as often as it has neighbours, less one
    for node, head in enumerate(heads):
        if node != head:
            degree.update((node, head))
    sequence = [node for node in range(n) for _ in range(degree[node] - 2)]
    Random(seed).shuffle(sequence)
    left, new = Counter(sequence), list(range(n))
    alive = set(range(n))
    for node in sequence:
        leaf = min(one for one in alive if not left[one])
        new[leaf] = node
        alive.discard(leaf)
        left[node] -= 1
    first, last = sorted(alive)
    new[first] = last
    return new
