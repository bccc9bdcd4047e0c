"""SDT-RNN against a recursion on Python floats, the example of three words below a root, and its loss by loops."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import itm_tutorial as itm
from itm_tutorial.encoders import tree_rnn
from itm_tutorial.encoders.tree_rnn import MOST_CHILDREN, TreeRNN, child_positions
from itm_tutorial.losses.ranking import SumOfHinges
from itm_tutorial.models import create_model
from itm_tutorial.models.sdt_rnn import ChainRNN, MeanWords

EXAMPLE = [1.0, 2.0, 3.0, 4.0], [0, 0, 0, 2]  # words and heads: 1 and 2 hang on the root 0, 3 hangs on 2


def random_trees(n, seq_len, seed, n_kinds=3):
    """Heads, mask and kinds of n random trees of 1 to seq_len words, which stand at random places."""
    generator = torch.Generator().manual_seed(seed)
    heads, mask = torch.zeros(n, seq_len, dtype=torch.int64), torch.zeros(n, seq_len, dtype=torch.bool)
    for row in range(n):
        size = int(torch.randint(1, seq_len + 1, (), generator=generator))
        places = torch.randperm(seq_len, generator=generator)[:size].tolist()  # the first is the root
        for number, place in enumerate(places):
            heads[row, place] = places[int(torch.randint(0, max(1, number), (), generator=generator))]
            mask[row, place] = True
    return heads, mask, torch.randint(0, n_kinds, (n, seq_len), generator=generator)


def product(matrix, vector):
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def recursion(words, heads, kinds, word, w_v, matrices, f):
    """Equation 4 for one word, on Python numbers: its state and the words of its subtree."""
    total, size = product(w_v, words[word]), 1
    for child, head in enumerate(heads):
        if head == word and child != word:
            state, below = recursion(words, heads, kinds, child, w_v, matrices, f)
            total = [a + below * b for a, b in zip(total, product(matrices[kinds[child]], state), strict=True)]
            size += below
    return [f(a / size) for a in total], size


def tree_of_ones(f=lambda x: x, n_kinds=1, dim=1):
    """A network whose matrices are all the identity."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tree_rnn, "NOISE", 0.0)
        return TreeRNN(dim, dim, f, n_kinds).double()


def run_example(network, words=EXAMPLE[0], heads=EXAMPLE[1]):
    words = torch.tensor(words, dtype=torch.float64).view(1, -1, 1)
    heads = torch.tensor([heads])
    return network(words, torch.ones_like(heads, dtype=torch.bool), heads, torch.zeros_like(heads)).item()


@settings(max_examples=40)
@given(st.integers(1, 4), st.integers(1, 8), st.integers(1, 4), st.integers(1, 4), st.integers(0, 10_000))
def test_a_batch_equals_the_recursion(n, seq_len, word_dim, dim, seed):
    heads, mask, kinds = random_trees(n, seq_len, seed)
    network = TreeRNN(word_dim, dim, torch.tanh, 3).double()
    for weight in network.parameters():
        torch.nn.init.normal_(weight)
    words = torch.randn(n, seq_len, word_dim, dtype=torch.float64)
    w_v, matrices = network.word.weight.tolist(), [kind.weight.tolist() for kind in network.kinds]
    expected = []
    for row in range(n):
        places = mask[row].nonzero().flatten().tolist()
        own = [places.index(h) for h in heads[row, places].tolist()]
        root = next(w for w, head in enumerate(own) if w == head)
        of_row = words[row, places].tolist(), own, kinds[row, places].tolist()
        expected.append(recursion(*of_row, root, w_v, matrices, math.tanh)[0])
    found = network(words, mask, heads, kinds)
    assert torch.allclose(found, torch.tensor(expected, dtype=torch.float64), atol=1e-10)


def test_the_example_is_the_plain_mean_of_all_words_for_any_tree():
    assert run_example(tree_of_ones()) == pytest.approx(2.5)
    for heads in ([0, 0, 0, 0], [0, 0, 1, 2], [3, 3, 3, 3], [1, 2, 3, 3]):  # a star, chains, another root
        assert run_example(tree_of_ones(), heads=heads) == pytest.approx(2.5)
    assert run_example(tree_of_ones(torch.tanh)) == pytest.approx(0.75002, abs=1e-5)


def test_the_wrong_variants_give_the_other_numbers():
    words, heads = EXAMPLE

    def composed(word, size_of, divide):
        children = [c for c, head in enumerate(heads) if head == word and c != word]
        done = [composed(c, size_of, divide) for c in children]
        size = size_of(word, [s for _, s in done])
        total = words[word] + sum((s if divide == "size" else 1) * h for h, s in done)
        return total / {"size": size, "children": 1 + len(children), "none": 1}[divide], size

    right = composed(0, lambda word, below: 1 + sum(below), "size")[0]
    no_size = composed(0, lambda word, below: 1, "none")[0]
    mean_over_children = composed(0, lambda word, below: 1, "children")[0]
    leaves_alone = composed(0, lambda word, below: sum(below) or 1, "size")[0]
    assert (right, no_size, leaves_alone) == (2.5, 10, 5)
    assert mean_over_children == pytest.approx(2.167, abs=1e-3)


def test_siblings_of_one_relation_commute_and_others_do_not():
    network = TreeRNN(2, 2, torch.tanh, 2).double()
    for weight in network.parameters():
        torch.nn.init.normal_(weight)
    words, mask = torch.randn(1, 3, 2, dtype=torch.float64), torch.ones(1, 3, dtype=torch.bool)
    heads, swapped = torch.zeros(1, 3, dtype=torch.int64), words[:, [0, 2, 1]]
    same, other = torch.tensor([[0, 1, 1]]), torch.tensor([[0, 0, 1]])
    assert torch.allclose(network(words, mask, heads, same), network(swapped, mask, heads, same))
    assert not torch.allclose(network(words, mask, heads, other), network(swapped, mask, heads, other))


def test_at_the_start_the_model_with_f_identity_is_the_mean_of_the_words(tiny, monkeypatch):
    monkeypatch.setattr(tree_rnn, "NOISE", 0.0)
    captions = tiny.val.captions[:9]
    tree, mean = (create_model("sdt_rnn", tiny, compose=c, activation="identity") for c in ("relation", "mean"))
    assert torch.allclose(tree.encode_captions(captions), mean.encode_captions(captions), atol=1e-6)
    tokens = tree.tokenize(captions)
    words = [vectors[1 : n - 1] for vectors, n in zip(tree.words.vectors[tokens.ids], tokens.lengths, strict=True)]
    means = torch.stack([w.mean(0) for w in words])
    assert torch.allclose(tree.encode_captions(captions)[:, : means.shape[1]], means, atol=1e-6)


def test_word_vectors_are_not_trained(tiny, cheap_features):
    model = create_model("sdt_rnn", tiny)
    before = model.words.vectors.clone()
    itm.fit(model, tiny, epochs=1, batch_size=20, progress=False)
    assert torch.equal(model.words.vectors, before) and before[-1].norm() == pytest.approx(1)


def test_positions_are_counted_away_from_the_head():
    heads = torch.tensor([[2, 2, 2, 2, 2, 4], [0, 0, 1, 0, 0, 0]])
    real = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    found = child_positions(heads, real)
    right = MOST_CHILDREN
    assert found[0, [0, 1, 3, 4, 5]].tolist() == [1, 0, right, right + 1, right]
    assert found[1, [1, 2, 3]].tolist() == [right, right, right + 1]
    many = child_positions(torch.zeros(1, 9, dtype=torch.int64), torch.ones(1, 9, dtype=torch.bool))
    assert many[0, 1:].tolist() == [right, right + 1, right + 2] + [right + 3] * 5


def test_the_plain_network_equals_a_loop_over_words():
    network, real = ChainRNN(3, 4, torch.tanh).double(), torch.tensor([[False, True, True, True, False]])
    words = torch.randn(1, 5, 3, dtype=torch.float64)
    w_v, w = network.rnn.weight_ih_l0.tolist(), network.rnn.weight_hh_l0.tolist()
    state = [0.0] * 4
    for x in words[0, 1:4].tolist():
        state = [math.tanh(a + b) for a, b in zip(product(w_v, x), product(w, state), strict=True)]
    assert torch.allclose(network(words, real, None, None)[0], torch.tensor(state, dtype=torch.float64), atol=1e-10)


def test_the_mean_of_words_leaves_padding_out():
    network, real = MeanWords(2, 2, None).double(), torch.tensor([[False, True, True, False]])
    words = torch.randn(1, 4, 2, dtype=torch.float64)
    assert torch.allclose(network(words, real, None, None), network.word((words[:, 1] + words[:, 2]) / 2))


def test_the_loss_leaves_out_other_captions_of_the_image_and_equals_the_loops():
    scores, image_of, margin = torch.randn(3, 5, dtype=torch.float64) * 3, [0, 0, 1, 2, 2], 3.0
    expected = 0.0
    for j, i in enumerate(image_of):
        expected += sum(
            max(0.0, margin - scores[i, j].item() + scores[i, c].item()) for c in range(5) if image_of[c] != i
        )
        expected += sum(max(0.0, margin - scores[i, j].item() + scores[k, j].item()) for k in range(3) if k != i)
    positives = torch.arange(3)[:, None] == torch.tensor(image_of)
    assert SumOfHinges(margin)(scores, positives).item() == pytest.approx(expected, abs=1e-10)
    assert SumOfHinges(margin, mask_same_image=False)(scores, positives).item() > expected


def test_neither_side_is_normalised(tiny, cheap_features):
    model = create_model("sdt_rnn", tiny).eval()
    captions = model.encode_captions(tiny.val.captions[:5])
    assert model.loss_function.margin == 3 and not torch.allclose(captions.norm(dim=1), torch.ones(5), atol=0.05)
    image = torch.randn(2, model.image_map.in_features)
    assert torch.allclose(model.encode_images(2 * image), 2 * model.encode_images(image))
