"""Constituency trees by rule: their phrases, their shape, and their tensors."""

import pytest
import torch

from itm_tutorial.data.constituents import constituent_tensors, constituents
from itm_tutorial.data.parsing import Parse, WorldParser

PHRASES = {
    "dog": ["dog"],
    "A red car near a tree.": ["a red car near a tree", "a tree"],
    "In a room, a small white dog is standing to the right of a cat.": ["a room", "a small white dog", "a cat"],
    "A man in white, a dog and a kitten.": ["a man in white", "a dog", "a kitten"],
    "A boy in striped blue clothes stands behind two cars.": [
        "a boy in striped blue clothes",
        "striped blue clothes",
        "two cars",
    ],
    "There is a fire truck.": ["a fire truck"],
}


def drawn(parse, tree, node):
    """A tree as text: N[...] is a noun phrase, O[...] another phrase; children in the order of their first words."""
    if node < len(parse.words):
        return parse.words[node]
    below = [n for n, parent in enumerate(tree.parents) if parent == node and n != node]
    below.sort(key=lambda n: tree.leaves[n][0])
    return ("N" if tree.is_noun_phrase[node] else "O") + f"[{' '.join(drawn(parse, tree, n) for n in below)}]"


@pytest.mark.parametrize("caption", PHRASES)
def test_noun_phrases(caption):
    (parse,) = WorldParser("scenes")([caption])
    tree = constituents(parse)
    assert [parse.text(tree.leaves[node]) for node in tree.noun_phrases] == PHRASES[caption]


@pytest.mark.parametrize(
    "caption, expected",
    [
        ("A dog stands in a room.", "O[O[N[a dog] O[stands O[in N[a room]]]]]"),
        ("In a room, a dog stands.", "O[O[O[O[in N[a room]] stands] N[a dog]]]"),  # the place belongs to the verb
        ("A dog and a cat.", "O[O[N[a dog] O[and N[a cat]]]]"),
        ("A man in white.", "O[N[a man O[in white]]]"),
    ],
)
def test_the_rules(caption, expected):
    (parse,) = WorldParser("scenes")([caption])
    tree = constituents(parse)
    assert drawn(parse, tree, len(tree.parents) - 1) == expected


def test_every_caption_gives_one_tree_whose_leaves_are_its_words(tiny):
    for parse in WorldParser("scenes")(tiny.train.captions):
        tree = constituents(parse)
        root, n = len(tree.parents) - 1, len(parse.words)
        assert tree.parents[root] == root and tree.leaves[root] == tuple(range(n))
        assert all(node < parent for node, parent in enumerate(tree.parents[:-1]))  # so there is no cycle
        assert all(tree.leaves[word] == (word,) for word in range(n))
        assert set(range(n, root + 1)) <= set(tree.parents)  # each inner node has a child
        for node in tree.noun_phrases:
            assert parse.parts_of_speech[tree.heads[node]] in ("NOUN", "PROPN")


def test_a_long_chain_of_words_needs_no_deep_recursion():
    n = 3000
    parse = Parse(("dog",) * n, (0, *range(n - 1)), ("root",) + ("nmod",) * (n - 1), ("NOUN",) * n)
    assert len(constituents(parse).parents) == 2 * n + 1


def test_tensors_hold_the_trees():
    parses = WorldParser("scenes")(["A dog and a cat.", "Dog"])
    trees = [constituents(parse) for parse in parses]
    tensors = constituent_tensors(trees)
    assert {name: list(t.shape) for name, t in tensors.items()} == {
        "parents": [2, 10],
        "node_kinds": [2, 10],
        "phrases": [2, 2],
        "phrase_mask": [2, 2],
        "phrase_spans": [2, 2, 2],
    }
    for row, (tree, parse) in enumerate(zip(trees, parses, strict=True)):
        n, words = len(tree.parents), len(parse.words)
        assert tensors["parents"][row, :n].tolist() == list(tree.parents)
        kinds = [1] * words + [2 if noun else 3 for noun in tree.is_noun_phrase[words:]] + [0] * (10 - n)
        assert tensors["node_kinds"][row].tolist() == kinds
    assert tensors["phrase_mask"].tolist() == [[True, True], [True, False]]
    assert tensors["phrase_spans"].tolist() == [[[0, 2], [3, 5]], [[0, 1], [0, 0]]]
    assert constituent_tensors([])["parents"].shape == (0, 0)
    assert all(t.dtype in (torch.int64, torch.bool) for t in tensors.values())
