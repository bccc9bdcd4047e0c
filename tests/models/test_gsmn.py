"""GSMN: nodes and messages by loops, what travels along which graph, and random trees with equal degrees."""

import math
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

import itm_tutorial as itm
from itm_tutorial.errors import ItmError
from itm_tutorial.interaction.graph_matching import (
    LayoutKernels,
    StructureMatch,
    attention,
    block_cosines,
    polar,
    word_edges,
)
from itm_tutorial.models import gsmn as module
from itm_tutorial.models._trees import random_tree
from itm_tutorial.models.gsmn import RegionGraph, WordGraph

SMALL = {"embed_size": 8, "word_dim": 6, "blocks": 4}
HEADS = torch.tensor([[0, 2, 2, 2, 3, 0], [0, 1, 1, 0, 0, 0], [0, 2, 3, 4, 4, 0]])  # <start>, words, <end>
MASK = torch.tensor([[0, 1, 1, 1, 1, 0], [0, 1, 1, 0, 0, 0], [0, 1, 1, 1, 1, 0]]) > 0


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def images():
    corner = numbers(2, 5, 2, seed=3).abs() / 4
    return RegionGraph(normalize(numbers(2, 5, 8, seed=1), dim=-1), torch.cat([corner, corner + 0.3], -1))


@pytest.fixture
def captions():
    return WordGraph(normalize(numbers(3, 6, 8, seed=2), dim=-1) * MASK[..., None], MASK, HEADS)


def made(tiny, name="gsmn", **options):
    model = itm.create_model(name, tiny, **SMALL, **options).double().eval()
    for number, part in enumerate(model.parameters()):  # biases too
        part.data += numbers(*part.shape, seed=number) / 4
    return model


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def softmax(values):
    top = max(values)
    made = [math.exp(v - top) for v in values]
    return [v / sum(made) for v in made]


def node_by_loop(t, keys, smooth, blocks):
    """x: the attended vector is made, and each block compared."""
    alpha = softmax([smooth * dot(t, key) for key in keys])
    c = [sum(a * key[d] for a, key in zip(alpha, keys, strict=True)) for d in range(len(t))]
    size = len(t) // blocks
    cuts = [slice(b * size, (b + 1) * size) for b in range(blocks)]
    return [dot(t[s], c[s]) / math.sqrt(dot(t[s], t[s]) * dot(c[s], c[s])) for s in cuts]


def structure_by_loop(part, x, weight):
    """The mean over nodes of the MLP; weight(i, j, k)."""
    matrix, bias = part.project.weight.tolist(), part.bias.tolist()
    per = len(matrix) // part.kernels
    total = 0.0
    for i in range(len(x)):
        y = []
        for row in range(len(matrix)):
            heard = sum(weight(i, j, row // per) * dot(matrix[row], x[j]) for j in range(len(x)))
            y.append(max(0.0, heard + bias[row]))
        first, _, last = part.judge
        hidden = [math.tanh(dot(w, y) + b) for w, b in zip(first.weight.tolist(), first.bias.tolist(), strict=True)]
        total += dot(last.weight[0].tolist(), hidden) + last.bias.item()
    return total / len(x)


def score_by_loop(model, regions, boxes, words, heads):
    """S of one image and one caption without padding; heads count the words from 0."""
    n, r = len(words), len(regions)
    x = [node_by_loop(t, regions, model.smooth, model.blocks) for t in words]
    z = [node_by_loop(v, words, model.smooth, model.blocks) for v in regions]
    if model.structure == "none":
        return sum(sum(row) for row in x) / n / model.blocks + sum(sum(row) for row in z) / r / model.blocks
    edges = []
    for i in range(n):
        similar = softmax([model.smooth * dot(words[i], words[j]) for j in range(n)])
        near = [model.graph == "complete" or j in (i, heads[i]) or heads[j] == i for j in range(n)]
        row = [s * ok for s, ok in zip(similar, near, strict=True)]
        edges.append([value / math.sqrt(dot(row, row)) for value in row])
    centres = [((a + c) / 2, (b + d) / 2) for a, b, c, d in boxes]
    mean, width = model.layout.mean.tolist(), model.layout.width.tolist()
    logs = {}
    for i, (x0, y0) in enumerate(centres):
        for j, (x1, y1) in enumerate(centres):
            place = (math.hypot(x1 - x0, y1 - y0), math.atan2(y1 - y0, x1 - x0) / math.pi)
            for k in range(model.of_regions.kernels):
                away = [(p - m) / (abs(w) + 0.05) for p, m, w in zip(place, mean[k], width[k], strict=True)]
                logs[i, j, k] = -dot(away, away) / 2
    kernels = range(model.of_regions.kernels)

    def near(i, j, k):
        return softmax([logs[i, other, k] for other in range(r)])[j]

    def own(i, j, k):
        return (i == j) * sum(softmax([logs[i, other, one] for one in kernels])[k] for other in range(r))

    if model.structure == "own":
        return structure_by_loop(model.of_words, x, lambda i, j, k: float(i == j)) + structure_by_loop(
            model.of_regions, z, own
        )
    return structure_by_loop(model.of_words, x, lambda i, j, k: edges[i][j]) + structure_by_loop(
        model.of_regions, z, near
    )


@torch.no_grad()
@pytest.mark.parametrize("name", ["gsmn", "gsmn_dense", "gsmn_code", "gsmn_nodes"])
def test_scores_equal_the_equations_by_loops(tiny, images, captions, name, monkeypatch):
    model = made(tiny, name)
    expected = []
    for regions, boxes in zip(*(part.tolist() for part in images), strict=True):
        row = []
        for words, mask, heads in zip(captions.words, captions.mask, captions.heads, strict=True):
            own = [head - 1 for head in heads[mask].tolist()]
            row.append(score_by_loop(model, regions, boxes, words[mask].tolist(), own))
        expected.append(row)
    expected = torch.tensor(expected, dtype=torch.float64)
    for most in (module.MOST, 1):
        monkeypatch.setattr(module, "MOST", most)
        assert torch.allclose(model.similarity(images, captions), expected, atol=1e-10)
    single = model.float().similarity(
        RegionGraph(*(part.float() for part in images)), captions._replace(words=captions.words.float())
    )
    assert torch.allclose(single, expected.float(), atol=1e-5)


def test_the_tiny_example_has_two_cosines_where_the_whole_has_one():
    t, c = torch.tensor([[[1.0, 0.0, 0.0, 1.0]]]), torch.tensor([[[1.0, 0.0, 1.0, 0.0]]])
    alpha = attention(t, c, None, 10.0)
    assert block_cosines(t, c, alpha, 2).flatten().tolist() == pytest.approx([1, 0])
    assert block_cosines(t, c, alpha, 1).item() == pytest.approx(0.5)


def moved_by(part, edges, changed=3):
    """Which nodes hold something else after node ``changed`` has another x."""
    x = numbers(1, 1, 4, 4)
    other = x.clone()
    other[0, 0, changed] += 1
    return ((part.nodes(other, edges) - part.nodes(x, edges)).abs().amax((0, 1, 3)) > 1e-9).tolist()


@torch.no_grad()
def test_messages_travel_to_neighbours_and_nowhere_else():
    part = StructureMatch(4, 2, 4).double()
    torch.nn.init.ones_(part.bias)
    words, mask, heads = normalize(numbers(1, 4, 8), dim=-1), torch.ones(1, 4).bool(), torch.tensor([[1, 1, 1, 2]])
    assert moved_by(part, word_edges(words, mask, heads, 1.0)) == [False, False, True, True]  # 3 hangs on 2
    assert moved_by(part, word_edges(words, mask, None, 1.0)) == [True] * 4
    boxes = torch.rand(1, 4, 4, dtype=torch.float64)
    assert moved_by(part, LayoutKernels(2).double()(boxes)) == [True] * 4
    assert moved_by(part, torch.eye(4).double()[None]) == [False, False, False, True]  # the public code


@torch.no_grad()
def test_the_tree_decides_where_messages_pass_and_is_not_read_where_none_do(tiny, images, captions):
    other = captions._replace(heads=torch.tensor([[0, 1, 1, 2, 1, 0], [0, 1, 1, 0, 0, 0], [0, 1, 1, 1, 2, 0]]))
    for name, reads in (("gsmn", True), ("gsmn_code", False), ("gsmn_dense", False), ("gsmn_nodes", False)):
        model = made(tiny, name)
        same = torch.isclose(model.similarity(images, captions), model.similarity(images, other), atol=1e-9)
        assert same[:, 1].all()  # its tree is the same
        assert bool(same[:, [0, 2]].all()) is not reads


@torch.no_grad()
def test_a_layout_counts_and_reading_boxes_leaves_them_as_they_are(tiny, images, captions):
    before = images.boxes.clone()
    mirrored = images._replace(boxes=images.boxes * 0.5 + images.boxes.flip(1) * 0.3)
    for name, reads in (("gsmn", True), ("gsmn_code", True), ("gsmn_nodes", False)):
        model = made(tiny, name)
        same = torch.allclose(model.similarity(images, captions), model.similarity(mirrored, captions), atol=1e-9)
        assert same is not reads
    assert torch.equal(images.boxes, before)  # the public code divides them at each visit
    away = polar(torch.tensor([[[0.0, 0.0, 0.2, 0.2], [0.3, 0.4, 0.5, 0.6]]]))
    assert away[0, 0, 1].tolist() == pytest.approx([0.5, math.atan2(0.4, 0.3) / math.pi])
    assert away[0, 1, 1].tolist() == [0, 0]


def test_the_order_of_regions_does_not_count(tiny, images, captions):
    model = made(tiny)
    expected = model.similarity(images, captions)

    @given(st.permutations(range(5)))
    def check(order):
        turned = RegionGraph(*(part[:, order] for part in images))
        assert torch.allclose(model.similarity(turned, captions), expected, atol=1e-9)

    check()


@given(
    st.integers(2, 12).flatmap(lambda n: st.tuples(*(st.integers(0, max(0, i - 1)) for i in range(n)))),
    st.integers(0, 99),
)
def test_random_trees_are_trees_with_the_same_degrees(heads, seed):
    new = random_tree(list(heads), seed)

    def degrees(tree):
        return Counter(node for pair in enumerate(tree) if pair[0] != pair[1] for node in pair)

    assert degrees(new) == degrees(heads)
    assert sum(node == head for node, head in enumerate(new)) == 1
    for node in range(len(new)):
        for _ in new:
            node = new[node]
        assert node == new[node]  # every way up ends at the root
    assert new == random_tree(list(heads), seed)


def test_the_control_reads_other_trees_than_the_parser_gives(tiny):
    captions = [max(tiny.train.captions, key=len), "car"]
    heads = {
        graph: itm.create_model("gsmn", tiny, graph=graph, **SMALL).tokenize(captions).per_word["heads"]
        for graph in ("dependencies", "random")
    }
    assert not torch.equal(heads["dependencies"][0], heads["random"][0])
    assert torch.equal(heads["dependencies"][1], heads["random"][1])
    alone = itm.create_model("gsmn", tiny, graph="random", **SMALL).tokenize(captions[:1]).per_word["heads"]
    assert torch.equal(alone[0], heads["random"][0])


@torch.no_grad()
def test_attention_is_that_of_words_over_regions(tiny, images, captions):
    weights = made(tiny).attention(images, captions)
    assert weights.shape == (2, 3, 5, 6)
    assert torch.allclose(weights.sum(2), MASK.double().expand(2, -1, -1), atol=1e-12)


def test_blocks_must_divide_the_embedding(tiny):
    with pytest.raises(ItmError, match="give blocks that divide embed_size"):
        itm.create_model("gsmn", tiny, embed_size=10, blocks=4)
