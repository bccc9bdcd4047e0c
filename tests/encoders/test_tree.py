"""Trees level by level: depths, sizes and kinds against recursion, and heads that are no trees."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from itm_tutorial.encoders.tree import by_kind, plant
from itm_tutorial.errors import ItmError


def random_trees(n, seq_len, seed, n_kinds=3):
    """Heads, mask and kinds of n random trees of 1 to seq_len words, with padding anywhere but in the tree."""
    generator = torch.Generator().manual_seed(seed)
    heads, mask = torch.zeros(n, seq_len, dtype=torch.int64), torch.zeros(n, seq_len, dtype=torch.bool)
    for row in range(n):
        size = int(torch.randint(1, seq_len + 1, (), generator=generator))
        places = torch.randperm(seq_len, generator=generator)[:size].tolist()  # the first is the root
        for number, place in enumerate(places):
            above = int(torch.randint(0, max(1, number), (), generator=generator))
            heads[row, place] = places[above]
            mask[row, place] = True
    return heads, mask, torch.randint(0, n_kinds, (n, seq_len), generator=generator)


def depth_of(heads, word):
    return 0 if heads[word] == word else 1 + depth_of(heads, heads[word])


@settings(max_examples=40)
@given(st.integers(1, 5), st.integers(1, 9), st.integers(0, 10_000))
def test_levels_equal_the_recursion(n, seq_len, seed):
    heads, mask, kinds = random_trees(n, seq_len, seed)
    forest = plant(heads, mask, kinds, 3)
    deepest = len(forest.levels) - 1
    seen = []
    for height, level in enumerate(forest.levels):
        rows = [divmod(number, seq_len) for number in level.nodes.tolist()]
        assert all(depth_of(heads[row].tolist(), place) == deepest - height for row, place in rows)
        if height < deepest:
            above = forest.levels[height + 1].nodes[level.parents].tolist()
            assert above == [row * seq_len + int(heads[row, place]) for row, place in rows]
        found = [int(kinds[row, place]) for row, place in rows]
        assert found == sorted(found) and tuple(found.count(kind) for kind in range(3)) == level.counts
        seen += rows
    assert sorted(map(list, seen)) == mask.nonzero().tolist()
    assert forest.levels[-1].nodes[forest.roots].tolist() == [
        row * seq_len + place
        for row in range(n)
        for place in range(seq_len)
        if mask[row, place] and heads[row, place] == place
    ]
    values = torch.randn(n, seq_len, 2)
    for level, part in zip(forest.levels, forest.by_level(values), strict=True):
        assert torch.equal(part, values.flatten(0, 1)[level.nodes])


@settings(max_examples=40)
@given(st.integers(1, 4), st.integers(1, 8), st.integers(0, 10_000))
def test_sizes_count_the_words_of_a_subtree_itself_included(n, seq_len, seed):
    heads, mask, _ = random_trees(n, seq_len, seed)
    forest = plant(heads, mask)
    sizes = torch.zeros(n * seq_len, dtype=torch.int64)
    sizes[forest.order] = torch.cat(forest.sizes())
    sizes = sizes.view(n, seq_len)

    def size(row, word):
        below = [w for w in range(seq_len) if mask[row, w] and w != word and heads[row, w] == word]
        return 1 + sum(size(row, w) for w in below)

    for row, word in mask.nonzero().tolist():
        assert sizes[row, word] == size(row, word)


def test_each_kind_has_its_matrix():
    heads, mask = torch.tensor([[0, 0, 0]]), torch.ones(1, 3, dtype=torch.bool)
    forest = plant(heads, mask, torch.tensor([[0, 2, 1]]), 3)
    level, roots = forest.levels
    assert level.nodes.tolist() == [2, 1]  # kind 1 before kind 2
    found = by_kind(torch.ones(2, 1), level, lambda kind: torch.full((1, 1), 10.0 * kind))
    assert found.squeeze(1).tolist() == [10, 20]
    assert level.to_parents(found).tolist() == [[30]] and (level.n_above, roots.n_above) == (1, 0)


@pytest.mark.parametrize(
    "heads, message",
    [
        ([[0, 1, 0]], "no trees"),  # two roots
        ([[1, 2, 0]], "no trees"),  # a cycle
        ([[0, 3, 0]], "outside 0 to 2"),
        ([[0, -1, 0]], "outside 0 to 2"),
    ],
)
def test_heads_that_are_no_tree_are_refused(heads, message):
    with pytest.raises(ItmError, match=message):
        plant(torch.tensor(heads), torch.ones(1, 3, dtype=torch.bool))


def test_other_mistakes_are_refused():
    heads, mask = torch.tensor([[0, 0, 0]]), torch.ones(1, 3, dtype=torch.bool)
    with pytest.raises(ItmError, match="give all of them as"):
        plant(heads, mask[:, :2])
    with pytest.raises(ItmError, match="kinds must be 0 to 1"):
        plant(heads, mask, torch.tensor([[0, 2, 1]]), 2)
    with pytest.raises(ItmError, match="no trees"):  # a word that hangs on padding
        plant(torch.tensor([[0, 2, 0]]), torch.tensor([[True, True, False]]))
    with pytest.raises(ItmError, match="no trees"):  # a row without a word
        plant(heads, torch.zeros_like(mask))
