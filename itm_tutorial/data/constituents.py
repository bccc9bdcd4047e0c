"""Constituency trees by rule, from a dependency parse: which phrases a caption is made of.

A ``Parse`` has heads and relations and no constituents. They follow from it by four rules, applied from the root down
to a word w and the words that hang on it:

1. w with the phrases of its dependents is one constituent: a noun phrase if w is a noun, otherwise another phrase,
   such as a verb with all that follows it. A word without dependents is a leaf, unless it is a noun: that is a noun
   phrase of one word.
2. A preposition that hangs on w stands beside that constituent, in a phrase around both: [in [a room]].
3. What "and" or a comma joins to w stands beside that constituent too, in a phrase around all: [[a dog] and [a cat]].
   It is no noun phrase, since it names several things.
4. A subject stands beside the phrase of its verb: [[a dog] [stands [in [a room]]]].

A root node is put on top of all. The rules need no order of words, so that a place at the front of a sentence still
belongs to its verb.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from itm_tutorial.data.parsing import Parse

OUTSIDE = ("case", "cc", "mark")  # dependents that stand beside the phrase of their head
SUBJECTS = ("nsubj", "expl", "csubj")
INSIDE_NOUNS = ("compound", "fixed", "flat")  # nouns with these relations are part of another word's phrase


@dataclass(frozen=True)
class Constituents:
    """A constituency tree; nodes 0 to n_words - 1 are the words, the last node is the root.

    Attributes:
        parents: per node, the node above it; the root has its own number.
        is_noun_phrase: per node, whether it is a noun phrase.
        heads: per node, the word that it is about; the root of the sentence for the root node.
        leaves: per node, the words below it in order; a word's own number for a word.
    """

    parents: tuple[int, ...]
    is_noun_phrase: tuple[bool, ...]
    heads: tuple[int, ...]
    leaves: tuple[tuple[int, ...], ...]

    @property
    def noun_phrases(self) -> list[int]:
        """The nodes that are noun phrases, in the order of their heads."""
        return sorted((n for n, noun in enumerate(self.is_noun_phrase) if noun), key=self.heads.__getitem__)


def constituents(parse: Parse) -> Constituents:
    """The constituency tree of a parsed caption, by the rules above.

    Args:
        parse: of one caption.

    Returns:
        The tree.

    Example:
        >>> parse = WorldParser("scenes")(["a red car near a tree"])[0]
        >>> [parse.text(tree.leaves[n]) for tree in [constituents(parse)] for n in tree.noun_phrases]
        ['a red car near a tree', 'a tree']
    """
    tree = _Builder(parse)
    order = [parse.root]
    for word in order:  # from the root down, so that in reverse a word comes after all that hangs on it
        order += tree.children[word]
    for word in reversed(order):
        tree.phrase(word)
    root = tree.node([tree.node_of[parse.root]], False, parse.root)
    tree.parents[root] = root
    below: list[list[int]] = [[w] for w in range(len(parse.words))] + [[] for _ in tree.parents[len(parse.words) :]]
    for node, parent in enumerate(tree.parents):  # a node is made after all nodes below it
        if node != parent:
            below[parent] += below[node]
    leaves = tuple(tuple(sorted(words)) for words in below)
    return Constituents(tuple(tree.parents), tuple(tree.nouns), tuple(tree.heads), leaves)


class _Builder:
    """Makes nodes from the words up."""

    def __init__(self, parse: Parse):
        n = len(parse.words)
        self.parse, self.parents, self.nouns, self.heads = parse, [-1] * n, [False] * n, list(range(n))
        self.children: list[list[int]] = [[] for _ in range(n)]
        self.node_of: dict[int, int] = {}  # word -> the node of all that hangs on it
        for word, head in enumerate(parse.heads):
            if word != head:
                self.children[head].append(word)

    def node(self, children: Sequence[int], noun: bool, head: int) -> int:
        """A new node above others."""
        number = len(self.parents)
        self.parents.append(-1)
        self.nouns.append(noun)
        self.heads.append(head)
        for child in children:
            self.parents[child] = number
        return number

    def phrase(self, word: int) -> None:
        """Makes the nodes of a word, once those of its dependents are there."""
        groups = {"outside": [], "subjects": [], "joined": [], "inside": []}
        for child in self.children[word]:
            groups[self._place(child)].append(self.node_of[child])
        noun, node = self._is_noun(word), word
        if noun or groups["inside"]:
            node = self.node([word, *groups["inside"]], noun, word)
        for name in ("subjects", "joined", "outside"):
            if groups[name]:
                node = self.node([node, *groups[name]], False, word)
        self.node_of[word] = node

    def _place(self, child: int) -> str:
        relation = self.parse.relations[child]
        if relation in OUTSIDE:
            return "outside"
        return "subjects" if relation in SUBJECTS else "joined" if relation == "conj" else "inside"

    def _is_noun(self, word: int) -> bool:
        tag, relation = self.parse.parts_of_speech[word], self.parse.relations[word]
        return tag in ("NOUN", "PROPN") and relation not in INSIDE_NOUNS


def constituent_tensors(trees: Sequence[Constituents]) -> dict[str, Tensor]:
    """Constituency trees as padded tensors, for a batch of captions.

    Args:
        trees: n_captions trees.

    Returns:
        Named tensors on the CPU: "parents" int64 [n_captions, n_nodes], the position of each node's parent, the root's
        own; "node_kinds" int64 [n_captions, n_nodes], 0 for padding, 1 for a word, 2 for a noun phrase, 3 for another
        phrase; "phrases" int64 [n_captions, n_phrases], the nodes of noun phrases in the order of their heads;
        "phrase_mask" bool of the same shape; "phrase_spans" int64 [n_captions, n_phrases, 2], the first word of each
        and the one behind its last, counted from 0.
    """
    n, most = len(trees), max((len(tree.parents) for tree in trees), default=0)
    phrases = [tree.noun_phrases for tree in trees]
    widest = max(map(len, phrases), default=0)
    tensors = {
        "parents": torch.zeros(n, most, dtype=torch.int64),
        "node_kinds": torch.zeros(n, most, dtype=torch.int64),
        "phrases": torch.zeros(n, widest, dtype=torch.int64),
        "phrase_mask": torch.zeros(n, widest, dtype=torch.bool),
        "phrase_spans": torch.zeros(n, widest, 2, dtype=torch.int64),
    }
    for row, (tree, nodes) in enumerate(zip(trees, phrases, strict=True)):
        words = len(tree.leaves[-1])  # those of the root
        kinds = [1] * words + [2 if noun else 3 for noun in tree.is_noun_phrase[words:]]
        tensors["parents"][row, : len(kinds)] = torch.tensor(tree.parents)
        tensors["node_kinds"][row, : len(kinds)] = torch.tensor(kinds)
        tensors["phrases"][row, : len(nodes)] = torch.tensor(nodes, dtype=torch.int64)
        tensors["phrase_mask"][row, : len(nodes)] = True
        spans = [(tree.leaves[node][0], tree.leaves[node][-1] + 1) for node in nodes]
        tensors["phrase_spans"][row, : len(nodes)] = torch.tensor(spans, dtype=torch.int64).view(-1, 2)
    return tensors
