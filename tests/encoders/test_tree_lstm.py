"""The tree LSTM against a recursion on Python numbers, the example of three children, and its reader's padding."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from itm_tutorial.encoders.tree_lstm import NOUN_PHRASE, OTHER, WORD, ChainReader, TreeLSTM, TreeReader


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def product(matrix, vector):
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def recursion(node, words, parents, kinds, weights):
    """The state and the cell of one node, from its equations; ``weights``: W, b, U and V of i, o, u, f, and b^f."""
    w, b, matrices, forget_bias = weights
    dim = len(forget_bias)
    total, kept = [x + y for x, y in zip(product(w, words[node]), b, strict=True)], [0.0] * dim
    for child, parent in enumerate(parents):
        if parent == node and child != node and kinds[child]:
            state, cell = recursion(child, words, parents, kinds, weights)
            message = product(matrices[0 if kinds[child] == NOUN_PHRASE else 1], state)
            total = [x + y for x, y in zip(total, message[: 3 * dim], strict=True)]
            forget = [sigmoid(x + y) for x, y in zip(message[3 * dim :], forget_bias, strict=True)]
            kept = [x + f * c for x, f, c in zip(kept, forget, cell, strict=True)]
    i, o, u = total[:dim], total[dim : 2 * dim], total[2 * dim :]
    cell = [sigmoid(x) * math.tanh(y) + z for x, y, z in zip(i, u, kept, strict=True)]
    return [sigmoid(x) * math.tanh(y) for x, y in zip(o, cell, strict=True)], cell


def random_constituents(n, most, word_dim, seed):
    """Words, parents and kinds of n random trees, a parent behind its children, with padding at the end."""
    generator = torch.Generator().manual_seed(seed)
    parents, kinds = (torch.zeros(n, most, dtype=torch.int64) for _ in range(2))
    for row in range(n):
        size = int(torch.randint(1, most + 1, (), generator=generator))
        for node in range(size):
            later = torch.randint(node + 1, size, (), generator=generator) if node < size - 1 else node
            parents[row, node] = later
        kinds[row, :size] = torch.randint(WORD, OTHER + 1, (size,), generator=generator)
    return torch.randn(n, most, word_dim, generator=generator).double(), parents, kinds


@settings(max_examples=40)
@given(
    st.integers(1, 4), st.integers(1, 8), st.integers(1, 3), st.integers(1, 4), st.booleans(), st.integers(0, 10_000)
)
def test_a_batch_equals_the_recursion(n, most, word_dim, dim, two_kinds, seed):
    words, parents, kinds = random_constituents(n, most, word_dim, seed)
    lstm = TreeLSTM(word_dim, dim, two_kinds).double()
    for weight in lstm.parameters():
        torch.nn.init.normal_(weight)
    matrices = [lstm.kinds[0].weight.tolist(), lstm.kinds[-1].weight.tolist()]
    weights = lstm.word.weight.tolist(), lstm.word.bias.tolist(), matrices, lstm.forget_bias.tolist()
    found = lstm(words, parents, kinds)
    for row in range(n):
        of_row = words[row].tolist(), parents[row].tolist(), kinds[row].tolist(), weights
        for node in range(most):
            expected = recursion(node, *of_row)[0] if kinds[row, node] else [0.0] * dim
            assert torch.allclose(found[row, node], torch.tensor(expected, dtype=torch.float64), atol=1e-10)


def cell_of_three(forget):
    """c and h of a node whose weights are all zero, above three children with c = 1."""
    cell = sigmoid(0) * math.tanh(0) + forget([1.0, 1.0, 1.0])
    return cell, sigmoid(0) * math.tanh(cell)


def test_three_children_with_their_own_forget_gates():
    assert cell_of_three(lambda cells: sum(sigmoid(0) * c for c in cells)) == pytest.approx((1.5, 0.4526), abs=1e-4)
    assert cell_of_three(lambda cells: sigmoid(0) * sum(cells) / 3)[0] == 0.5  # the mean of the children is another
    lstm = TreeLSTM(1, 1).double()
    for weight in lstm.parameters():
        torch.nn.init.zeros_(weight)
    with torch.no_grad():  # leaves: i = 1, u = tanh(large) = 1, so that c = 1; a word of 0 leaves all gates at 0
        lstm.word.weight[:] = torch.tensor([[50.0], [0.0], [50.0]])
    words = torch.tensor([[[1.0], [1.0], [1.0], [0.0]]], dtype=torch.float64)
    kinds = torch.tensor([[WORD, NOUN_PHRASE, WORD, OTHER]])
    assert lstm(words, torch.tensor([[3, 3, 3, 3]]), kinds)[0, 3].item() == pytest.approx(0.4526, abs=1e-4)


def test_the_two_kinds_are_not_mixed_up():
    """U = 1 and V = -1, with h^N = 0.5 and h^O = 0.25: the input gate is sigmoid(0.25), not sigmoid(0.75)."""
    lstm = TreeLSTM(1, 1).double()
    for weight in lstm.parameters():
        torch.nn.init.zeros_(weight)
    wanted = [0.5, 0.25]  # h of the two leaves: o = sigmoid(50) = 1, so h = tanh(c) with c = tanh(u)
    inputs = [math.atanh(math.atanh(h)) for h in wanted]
    with torch.no_grad():
        lstm.word.weight[:] = torch.tensor([[0.0], [0.0], [1.0]])
        lstm.word.bias[:] = torch.tensor([50.0, 50.0, 0.0])
        lstm.kinds[0].weight[2], lstm.kinds[1].weight[2] = 1.0, -1.0
    words = torch.tensor([[[inputs[0]], [inputs[1]], [0.0]]], dtype=torch.float64)
    parents = torch.tensor([[2, 2, 2]])

    def u_of_the_root(kinds):
        h = lstm(words, parents, torch.tensor([kinds]))[0, 2].item()  # tanh(tanh(u) + what the cells keep)
        kept = 0.5 * sum(math.atanh(x) for x in wanted)  # forget gates of sigmoid(0)
        return math.atanh(math.atanh(h) - kept)

    assert sigmoid(u_of_the_root([NOUN_PHRASE, WORD, OTHER])) == pytest.approx(0.562, abs=1e-3)
    assert sigmoid(u_of_the_root([NOUN_PHRASE, NOUN_PHRASE, OTHER])) == pytest.approx(0.679, abs=1e-3)  # the mix-up


def test_noun_children_commute_and_a_child_that_changes_its_kind_does_not():
    lstm = TreeLSTM(2, 3).double()
    words, parents = torch.randn(1, 4, 2).double(), torch.tensor([[3, 3, 3, 3]])
    kinds = torch.tensor([[NOUN_PHRASE, NOUN_PHRASE, WORD, OTHER]])
    root = lstm(words, parents, kinds)[0, 3]
    assert torch.allclose(lstm(words[:, [1, 0, 2, 3]], parents, kinds)[0, 3], root)
    assert not torch.allclose(lstm(words[:, [2, 1, 0, 3]], parents, kinds)[0, 3], root)
    one = TreeLSTM(2, 3, two_kinds=False).double()
    assert torch.allclose(
        one(words[:, [2, 1, 0, 3]], parents, kinds)[0, 3], one(words, parents, kinds)[0, 3]
    )  # a child-sum LSTM does not see the kind


@pytest.fixture
def two_captions():
    """ "dog" and "a dog": trees [N[dog]] and [N[a dog]], as token vectors with <start> and <end>."""
    a, dog = torch.randn(2, 3)
    end = torch.zeros(3)
    words = torch.stack([torch.stack([end, dog, end, end]), torch.stack([end, a, dog, end])])
    tree = {
        "parents": torch.tensor([[1, 2, 2, 0], [2, 2, 3, 3]]),
        "node_kinds": torch.tensor([[WORD, NOUN_PHRASE, OTHER, 0], [WORD, WORD, NOUN_PHRASE, OTHER]]),
        "phrases": torch.tensor([[1], [2]]),
        "phrase_mask": torch.tensor([[True], [True]]),
        "phrase_spans": torch.tensor([[[0, 1]], [[0, 2]]]),
    }
    return words, torch.tensor([3, 4]), tree


@pytest.mark.parametrize("reader", [TreeReader(3, 4), ChainReader(3, 4)])
def test_a_reader_gives_roots_and_phrases_whatever_the_padding(two_captions, reader):
    words, lengths, tree = two_captions
    roots, phrases = reader(words, lengths, **tree)
    assert roots.shape == phrases.shape == (2, 4)
    for row in range(2):
        alone = reader(
            words[row : row + 1, : lengths[row]],
            lengths[row : row + 1],
            **{k: v[row : row + 1] for k, v in tree.items()},
        )
        assert torch.allclose(alone[0], roots[row], atol=1e-6) and torch.allclose(alone[1], phrases[row], atol=1e-6)


def test_the_chain_reads_a_phrase_as_if_it_were_a_sentence(two_captions):
    words, lengths, tree = two_captions
    roots, phrases = ChainReader(3, 4)(words, lengths, **tree)
    assert torch.allclose(roots, phrases, atol=1e-6)  # each phrase is its whole caption here
    none = {**tree, "phrase_mask": torch.zeros(2, 1, dtype=torch.bool)}
    assert ChainReader(3, 4)(words, lengths, **none)[1].shape == (0, 4)
