"""sm-LSTM: an independent run per pair on scalars, the penalty and its wrong variant, controls, bounded memory."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import itm_tutorial as itm
from itm_tutorial.encoders.embeddings import pick
from itm_tutorial.interaction import selective_lstm
from itm_tutorial.interaction.selective_lstm import Items, PairLSTM, coverage_penalty
from itm_tutorial.models import Batch

SMALL = {"embed_size": 4, "word_dim": 5, "hidden_size": 3, "state_size": 2}


@pytest.fixture
def model(tiny):
    model = itm.create_model("sm_lstm", tiny, **SMALL).double().eval()
    with torch.no_grad():  # weights large enough for attention to matter
        for weight in model.network.parameters():
            weight.mul_(3)
    return model


def affine(layer, x):
    bias = layer.bias.tolist() if layer.bias is not None else [0.0] * layer.out_features
    rows = zip(layer.weight.tolist(), bias, strict=True)
    return [math.fsum([b, *(w * y for w, y in zip(row, x, strict=True))]) for row, b in rows]


def plus(*vectors):
    return [math.fsum(numbers) for numbers in zip(*vectors, strict=True)]


def attended(maps, state, logit, items, h):
    """The attended vector tanh(P sum p v) and the map, from the items themselves."""
    mean = [math.fsum(column) / len(items) for column in zip(*items, strict=True)]
    logits = []
    for item in items:
        hidden = plus(affine(maps.item, item), affine(maps.mean, mean), affine(state, h))
        logits.append(affine(logit, [math.tanh(x) for x in hidden])[0])
    total = math.fsum(math.exp(x) for x in logits)
    weights = [math.exp(x) / total for x in logits]
    joined = [math.fsum(w * x for w, x in zip(weights, column, strict=True)) for column in zip(*items, strict=True)]
    return [math.tanh(x) for x in affine(maps.value, joined)], weights


def by_loop(model, regions, words):
    """S of one pair and its maps p and q, step by step."""
    net = model.network
    h = cell = [0.0] * net.recur.in_features
    ps, qs = [], []
    sigmoid = lambda x: 1 / (1 + math.exp(-x))  # noqa: E731
    for _ in range(net.steps):
        v, p = attended(model.image_encoder, net.state[0], net.logit[0], regions, h)
        s, q = attended(model.text_encoder.maps, net.state[1], net.logit[1], words, h)
        gates = plus(affine(net.input, [x * y for x, y in zip(v, s, strict=True)]), affine(net.recur, h))
        n = len(h)
        cell = [sigmoid(gates[n + d]) * cell[d] + sigmoid(gates[d]) * math.tanh(gates[3 * n + d]) for d in range(n)]
        h = [sigmoid(gates[2 * n + d]) * math.tanh(cell[d]) for d in range(n)]
        ps.append(p)
        qs.append(q)
    return affine(net.output, h)[0], ps, qs


def inputs(model, tiny, n=3, columns=slice(0, 9, 2)):
    """Features, captions, and both as lists of the vectors that the pair network reads."""
    captions = tiny.train.captions[columns]
    features = torch.rand(n, 4, 256, dtype=torch.float64)
    tokens = model.tokenize(captions)
    states = model.text_encoder.words(tokens.ids, tokens.lengths).words
    words = [states[c, :k].tolist() for c, k in enumerate(tokens.lengths.tolist())]
    regions = (torch.nn.functional.normalize(features, dim=-1) * 256**0.5).tolist()
    return features, captions, regions, words


@torch.no_grad()
def test_scores_maps_and_attention_equal_the_loop(tiny, model, monkeypatch):
    features, captions, regions, words = inputs(model, tiny)
    runs = [[by_loop(model, r, w) for w in words] for r in regions]
    expected = torch.tensor([[run[0] for run in row] for row in runs]).double()
    image, caption = model.encode_images(features), model.encode_captions(captions)
    for tile in (selective_lstm.TILE, 1):  # in one tile, and pair by pair
        monkeypatch.setattr(selective_lstm, "TILE", tile)
        assert torch.allclose(model.similarity(image, caption), expected, atol=1e-10)
    maps, weights = model.network.all_maps(image, caption), model.attention(image, caption)
    _, ps, qs = runs[1][2]
    n = len(words[2])
    assert torch.allclose(maps.regions[:, 1, 2], torch.tensor(ps).double(), atol=1e-10)
    assert torch.allclose(maps.words[:, 1, 2, :n], torch.tensor(qs).double(), atol=1e-10)
    assert not maps.words[:, 1, 2, n:].any()
    joint = [sum(p[0] * q[1] for p, q in zip(ps, qs, strict=True)) / sum(q[1] for q in qs)]
    assert weights[1, 2, 0, 1].item() == pytest.approx(joint[0], abs=1e-10)
    single = model.float()
    found = single.similarity(single.encode_images(features.float()), single.encode_captions(captions))
    assert torch.allclose(found, expected.float(), atol=1e-5)


@torch.no_grad()
def test_a_pair_depends_on_no_other(tiny, model):
    features, captions, _, _ = inputs(model, tiny, n=5)
    image, caption = model.encode_images(features), model.encode_captions(captions)
    whole = model.similarity(image, caption)
    for i, j in ((0, 0), (4, 3)):
        alone = model.similarity(model.encode_images(features[i : i + 1]), model.encode_captions([captions[j]]))
        assert torch.allclose(alone[0, 0], whole[i, j], atol=1e-10)
    rows = torch.tensor([3, 1, 1, 0])
    pairs = model.pair_similarity(pick(image, rows), pick(caption, torch.arange(4)))
    assert torch.allclose(pairs, whole[rows, torch.arange(4)], atol=1e-10)


def test_the_worked_penalty_and_its_wrong_variant():
    p = torch.tensor([[0.7, 0.3], [0.6, 0.4], [0.2, 0.8]])[:, None]
    mask = torch.ones(1, 2, dtype=torch.bool)
    assert coverage_penalty(p, mask).item() == pytest.approx(0.5)
    assert (1 - p.sum(0)).sum().item() == pytest.approx(-1)  # without the square: items - T for any maps


@given(st.integers(1, 6), st.integers(1, 4), st.integers(0, 2**20))
@settings(max_examples=30, deadline=None)
def test_without_the_square_there_is_no_gradient(n_items, steps, seed):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(steps, 2, n_items, generator=generator).double().requires_grad_()
    plain = (1 - logits.softmax(2).sum(0)).sum(1)
    assert torch.allclose(plain, torch.tensor(float(n_items - steps)).double())
    (gradient,) = torch.autograd.grad(plain.sum(), logits)
    assert torch.allclose(gradient, torch.zeros_like(gradient), atol=1e-12)
    uniform = torch.full((steps, 1, n_items), 1 / n_items).double()
    mask = torch.ones(2, n_items, dtype=torch.bool)
    assert (coverage_penalty(logits.softmax(2), mask) >= coverage_penalty(uniform, mask[:1]) - 1e-12).all()


@torch.no_grad()
def test_without_the_state_all_maps_are_equal_and_parameters_stay(tiny, model):
    features, captions, _, _ = inputs(model, tiny)
    count = lambda m: sum(p.numel() for p in m.parameters())  # noqa: E731
    maps = {}
    for name in ("sm_lstm", "sm_lstm_fixed", "sm_lstm_one_step", "sm_lstm_no_context"):
        other = itm.create_model(name, tiny, **SMALL).double().eval()
        other.load_state_dict(model.state_dict())
        assert count(other) == count(model)
        maps[name] = other.network.all_maps(other.encode_images(features), other.encode_captions(captions))
    fixed = maps["sm_lstm_fixed"].regions
    assert torch.equal(fixed[0], fixed[1]) and torch.equal(fixed[1], fixed[2])
    own = maps["sm_lstm"].regions
    assert torch.equal(own[0], fixed[0]) and not torch.allclose(own[1], own[0], atol=1e-4)
    assert not torch.allclose(maps["sm_lstm"].scores, maps["sm_lstm_fixed"].scores)  # the LSTM still runs T times
    assert len(maps["sm_lstm_one_step"].regions) == 1
    assert not torch.allclose(maps["sm_lstm_no_context"].regions[0], own[0])


def test_the_loss_adds_the_penalty_of_matched_pairs(tiny, model):
    features, captions, regions, words = inputs(model, tiny)
    own = torch.tensor([0, 0, 1, 2, 2])
    parts = model.loss(Batch(features, model.tokenize(captions), own))
    expected = 0.0
    for c, i in enumerate(own.tolist()):
        _, ps, qs = by_loop(model, regions[i], words[c])
        expected += sum((1 - sum(column)) ** 2 for maps in (ps, qs) for column in zip(*maps, strict=True))
    assert parts["coverage"].item() == pytest.approx(0.01 * expected, abs=1e-8)
    model.penalty = 0.0
    assert set(model.loss(Batch(features, model.tokenize(captions), own))) == {"match"}


def test_memory_is_bounded_by_a_tile(monkeypatch):
    network, seen = PairLSTM(3, 4, 2, 2, True), []
    plain = network.forward
    monkeypatch.setattr(network, "forward", lambda i, c: seen.append((len(i.mask), c.mask.shape[1])) or plain(i, c))
    monkeypatch.setattr(selective_lstm, "TILE", 4 * 9 * 3 * 4)
    items = lambda n, k: Items(torch.randn(n, k, 3), torch.randn(n, k, 4), torch.ones(n, k) > 0)  # noqa: E731
    assert network.all_pairs(items(7, 4), items(5, 5)).shape == (7, 5)
    assert max(a * b for a, b in seen) <= 16 and len(seen) == 4
