"""SGRAF: vectors, graph, filter and scores by loops, the fact sheet's numbers, a zero difference, padding and tiles."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

import itm_tutorial as itm
from itm_tutorial.interaction import pair_tiles
from itm_tutorial.interaction.similarity_vectors import (
    SimilarityFilter,
    SimilarityGraph,
    SimilarityVectors,
    attended_regions,
)
from itm_tutorial.models import Batch

SMALL = {"embed_size": 6, "similarity_dim": 4, "word_dim": 5}


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def l2(x):
    length = math.sqrt(sum(v * v for v in x))
    return [v / length for v in x]


def linear(x, layer):
    rows = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
    return [sum(w * v for w, v in zip(row, x, strict=True)) + b for row, b in rows]


def attended_by_loop(regions, words, smooth):
    """SCAN's attention of each word, number by number."""
    dot = lambda a, b: sum(p * q for p, q in zip(a, b, strict=True))  # noqa: E731
    s = [[max(d, 0.1 * d) for d in (dot(r, w) for w in words)] for r in regions]
    s = [l2(row) for row in s]
    out = []
    for w in range(len(words)):
        exp = [math.exp(smooth * row[w]) for row in s]
        mean = [sum(e * r[d] for e, r in zip(exp, regions, strict=True)) / sum(exp) for d in range(len(words[0]))]
        out.append(l2(mean))
    return out


def vectors_by_loop(module, regions, image, words, caption):
    square = lambda a, b: [(p - q) ** 2 for p, q in zip(a, b, strict=True)]  # noqa: E731
    local = [
        l2(linear(square(a, w), module.local))
        for a, w in zip(attended_by_loop(regions, words, module.smooth), words, strict=True)
    ]
    return [l2(linear(square(image, caption), module.whole)), *local]


def graph_by_loop(graph, nodes):
    for step in graph.steps:
        q, k = ([linear(s, step[part]) for s in nodes] for part in ("query", "key"))
        new = []
        for a in q:
            exp = [math.exp(sum(x * y for x, y in zip(a, b, strict=True))) for b in k]
            mean = [sum(e * s[d] for e, s in zip(exp, nodes, strict=True)) / sum(exp) for d in range(len(nodes[0]))]
            new.append([max(0.0, v) for v in linear(mean, step["out"])])
        nodes = new
    return nodes[0]


def filter_by_loop(gate, nodes):
    beta = [1 / (1 + math.exp(-linear(s, gate.gate)[0])) for s in nodes]
    return l2([sum(b * s[d] for b, s in zip(beta, nodes, strict=True)) / sum(beta) for d in range(len(nodes[0]))])


@torch.no_grad()
@given(n_regions=st.integers(1, 4), n_words=st.integers(1, 4), pad=st.integers(0, 2), seed=st.integers(0, 99))
def test_vectors_graph_and_filter_are_the_loops_of_one_pair_whatever_the_padding(n_regions, n_words, pad, seed):
    torch.manual_seed(seed)
    regions, words = (normalize(numbers(n, 5, seed=seed + n), dim=-1) for n in (n_regions, n_words))
    image, caption = (normalize(numbers(5, seed=seed + 50 + i), dim=0) for i in (0, 1))
    module, graph, gate = SimilarityVectors(5, 4, 9.0), SimilarityGraph(4, 3), SimilarityFilter(4)
    module, graph, gate = module.double(), graph.double(), gate.double()
    padded = torch.cat([words, words.new_zeros(pad, 5)])
    found = module(regions, image, padded, caption)
    expected = vectors_by_loop(module, regions.tolist(), image.tolist(), words.tolist(), caption.tolist())
    for row, own in zip(found[: 1 + n_words].tolist(), expected, strict=True):
        assert row == pytest.approx(own, abs=1e-10)
    mask = torch.arange(1 + n_words + pad) <= n_words
    assert graph(found, mask).tolist() == pytest.approx(graph_by_loop(graph, expected), abs=1e-10)
    assert gate(found, mask).tolist() == pytest.approx(filter_by_loop(gate, expected), abs=1e-10)


@torch.no_grad()
def test_weights_of_the_filter_are_those_of_the_fact_sheet_and_no_softmax():
    gate = SimilarityFilter(1)
    gate.gate.weight.fill_(1.0), gate.gate.bias.fill_(0.0)
    s, there = torch.tensor([[0.0], [math.log(3)]]), torch.tensor([True, True])
    assert torch.sigmoid(s[:, 0]).tolist() == pytest.approx([0.5, 0.75])
    assert gate.weights(s, there).tolist() == pytest.approx([0.4, 0.6])
    assert s[:, 0].softmax(0).tolist() == pytest.approx([0.25, 0.75])
    assert gate.weights(s, torch.tensor([True, False])).tolist() == [1, 0]


def test_a_word_that_equals_what_it_attends_to_gives_the_bias_and_no_nan():
    word = normalize(torch.ones(1, 3), dim=-1)
    module = SimilarityVectors(3, 2, 9.0)
    with torch.no_grad():
        module.local.bias.copy_(torch.tensor([3.0, 4.0]))
    found = module(word, word[0], word, word[0])
    assert torch.allclose(found[1], torch.tensor([0.6, 0.8]), atol=1e-6)
    with torch.no_grad():
        module.local.bias.zero_()  # as the public code starts
    found = module(word, word[0], word, word[0])
    found.sum().backward()
    assert found.isfinite().all() and module.local.bias.grad.isfinite().all()
    # the public l2norm divides by sqrt(sum of squares) + eps: its value at zero is finite, its gradient is not
    zero = torch.zeros(2, requires_grad=True)
    (zero / (zero.pow(2).sum().sqrt() + 1e-8)).sum().backward()
    assert zero.grad.isnan().all()


@torch.no_grad()
def test_all_pairs_and_given_pairs_are_one_computation():
    regions, words = normalize(numbers(3, 4, 5), dim=-1), normalize(numbers(2, 6, 5, seed=1), dim=-1)
    every = attended_regions(regions[:, None], words[None], 9.0)  # [3, 2, 6, 5]
    for i in range(3):
        for j in range(2):
            assert torch.allclose(every[i, j], attended_regions(regions[i], words[j], 9.0), atol=1e-12)
    given_pairs = attended_regions(regions[:2], words, 9.0)
    assert torch.allclose(given_pairs, torch.stack([every[0, 0], every[1, 1]]), atol=1e-12)


def whole_by_loop(module, parts):
    mean = [sum(p[d] for p in parts) / len(parts) for d in range(len(parts[0]))]
    about = [math.tanh(v) for v in linear(mean, module.mean)]
    logits = []
    for part in parts:
        local = [math.tanh(v) for v in linear(part, module.local)]
        logits.append(linear([a * b for a, b in zip(local, about, strict=True)], module.weigh)[0])
    exp = [math.exp(v) for v in logits]
    return l2([sum(e * p[d] for e, p in zip(exp, parts, strict=True)) for d in range(len(parts[0]))])


@pytest.fixture(params=["sgraf", "sgraf_filter"])
def model(tiny, request):
    return itm.create_model(request.param, tiny, **SMALL).double().eval()


@pytest.fixture
def batch(tiny, model):
    features = torch.rand(4, 5, 256, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return Batch(features, model.tokenize(tiny.train.captions[:20:5]), torch.arange(4))


@torch.no_grad()
def test_scores_are_those_of_a_loop_over_pairs_in_any_tiles(model, batch, monkeypatch):
    images, captions = model.encode_images(batch), model.encode_captions(batch)
    expected = []
    for regions in images.parts.tolist():
        image, row = whole_by_loop(model.image_whole, regions), []
        for words, mask in zip(captions.parts.tolist(), captions.mask, strict=True):
            words = words[: int(mask.sum())]
            caption = whole_by_loop(model.text_whole, words)
            nodes = vectors_by_loop(model.vectors, regions, image, words, caption)
            by_loop = graph_by_loop if hasattr(model.reason, "steps") else filter_by_loop
            row.append(1 / (1 + math.exp(-linear(by_loop(model.reason, nodes), model.judge)[0])))
        expected.append(row)
    expected = torch.tensor(expected, dtype=torch.float64)
    for most in (pair_tiles.MOST, 500, 1):  # one tile, some, and a pair at a time
        monkeypatch.setattr(pair_tiles, "MOST", most)
        assert torch.allclose(model.similarity(images, captions), expected, atol=1e-10)
    assert torch.allclose(model.pair_similarity(images, captions), expected.diagonal(), atol=1e-10)
    assert ((expected > 0) & (expected < 1)).all()


def test_tiles_that_are_computed_again_have_the_same_gradient(model, batch, monkeypatch):
    monkeypatch.setattr(pair_tiles, "MOST", 300)
    gradients = []
    for kept in (pair_tiles.KEPT, 0):
        monkeypatch.setattr(pair_tiles, "KEPT", kept)
        model.zero_grad()
        model.loss(batch).backward()
        gradients.append([p.grad.clone() for p in model.parameters() if p.grad is not None])
    for one, two in zip(*gradients, strict=True):
        assert torch.allclose(one, two, atol=1e-12)


@torch.no_grad()
def test_the_number_of_regions_is_free(model, batch):
    """Batch normalisation over 36 regions, as published, would fix it."""
    captions = model.encode_captions(batch)
    for n in (1, 3, 5):
        assert model.similarity(model.encode_images(batch.images[:, :n]), captions).isfinite().all()


@torch.no_grad()
def test_the_filter_knows_no_order_of_words_but_that_of_the_gru(tiny):
    bag = itm.create_model("sgraf_filter", tiny, **SMALL, sentence="bow").double().eval()
    image = bag.encode_images(torch.rand(2, 5, 256, dtype=torch.float64))
    one, two = (bag.encode_captions([text]) for text in ("a red car and a dog", "dog car red a and a"))
    assert torch.allclose(bag.similarity(image, one), bag.similarity(image, two), atol=1e-10)


def test_a_pair_costs_a_network_and_a_shortlist_is_scored_at_once(model):
    assert model.pair_cost == "network" and callable(model.pair_similarity)
