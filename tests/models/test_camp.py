"""CAMP: messages, gates, fused pairs; the two gates; the loss as meant and as printed."""

import math
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import itm_tutorial as itm
from itm_tutorial.encoders.text import Words
from itm_tutorial.interaction import pair_tiles
from itm_tutorial.interaction.message_passing import ScalarGate, VectorGate
from itm_tutorial.losses.hardest_bce import HardestNegativeBCE
from itm_tutorial.models import Batch, EpochState
from itm_tutorial.retrieval import scoring

SMALL = {"embed_size": 4, "word_dim": 8}


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def softmax(values):
    weights = [math.exp(v) for v in values]
    return [w / sum(weights) for w in weights]


def linear(layer, x):
    biases = [0.0] * layer.out_features if layer.bias is None else layer.bias.tolist()
    return [dot(row, x) + bias for row, bias in zip(layer.weight.tolist(), biases, strict=True)]


def mix(weights, vectors):
    return [sum(w * v[d] for w, v in zip(weights, vectors, strict=True)) for d in range(len(vectors[0]))]


def fused(fusion, x, message):
    """One item and its message, from the paper's equation or from the authors' code (concatenated, one gate)."""
    if isinstance(fusion, ScalarGate):
        length = math.sqrt(dot(message, message))
        message = [m / length for m in message]
        gate = sigmoid(dot(x, message))
        both = [row + more for row, more in zip(fusion.own.weight.tolist(), fusion.other.weight.tolist(), strict=True)]
        made = [dot(row, [gate * v for v in x + message]) for row in both]  # W (g [x; m]), a list of 2 dim numbers
    else:
        gates = [sigmoid(a * b) if fusion.gated else 1.0 for a, b in zip(x, message, strict=True)]
        made = linear(fusion.layer, [g * (a + b) for g, a, b in zip(gates, x, message, strict=True)])
    return [max(0.0, v) + a for v, a in zip(made, x, strict=True)]


def pooled(pooling, items):
    return mix(softmax([linear(pooling.query, x)[0] / math.sqrt(len(x)) for x in items]), items)


def score_by_loops(model, regions, words):
    """The logit of one pair, on lists of regions and words."""
    asked, answers = [linear(model.of_regions, v) for v in regions], [linear(model.of_words, h) for h in words]
    a = [[dot(q, k) / math.sqrt(len(q)) for k in answers] for q in asked]
    to_regions = [mix(softmax(row), words) for row in a]
    to_words = [mix(softmax([row[w] for row in a]), regions) for w in range(len(words))]
    v = pooled(model.pool_regions, [fused(model.fuse_regions, x, m) for x, m in zip(regions, to_regions, strict=True)])
    t = pooled(model.pool_words, [fused(model.fuse_words, x, m) for x, m in zip(words, to_words, strict=True)])
    hidden = [max(0.0, value) for value in linear(model.head[0], [x + y for x, y in zip(v, t, strict=True)])]
    return linear(model.head[2], hidden)[0]


@pytest.fixture
def captions():
    lengths = torch.tensor([5, 2, 4, 1])
    mask = torch.arange(5)[None] < lengths[:, None]
    return Words(numbers(4, 5, 4, seed=1) * mask[..., None], lengths)


@pytest.fixture
def regions():
    return numbers(3, 6, 4, seed=2)


@pytest.mark.parametrize("gate", ["vector", "scalar", "none"])
@torch.no_grad()
def test_scores_equal_the_equations_by_loops(tiny, regions, captions, monkeypatch, gate):
    model = itm.create_model("camp", tiny, **SMALL, gate=gate).double().eval()
    expected = torch.tensor(
        [
            [
                score_by_loops(model, image, words[:n])
                for words, n in zip(captions.words.tolist(), captions.lengths, strict=True)
            ]
            for image in regions.tolist()
        ],
        dtype=torch.float64,
    )
    for most in (pair_tiles.MOST, 1):  # in one tile, and pair by pair
        monkeypatch.setattr(pair_tiles, "MOST", most)
        assert torch.allclose(model.similarity(regions, captions), expected, atol=1e-10)
    single = model.float().similarity(regions.float(), Words(captions.words.float(), captions.lengths))
    assert torch.allclose(single.double(), expected, atol=1e-5)


@torch.no_grad()
def test_a_small_example_has_its_two_gates():
    x, y, alpha = torch.tensor([[[[2.0, 0.0]]]]), torch.tensor([[[[0.6, 0.8]]]]), torch.ones(1, 1, 1, 1)
    assert ScalarGate(2).gate(x, y, alpha).flatten().tolist() == pytest.approx([0.7685], abs=5e-5)
    assert VectorGate(2).gate(x, y, alpha).flatten().tolist() == pytest.approx([0.7685, 0.5], abs=5e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.1, 10))
@torch.no_grad()
def test_a_scalar_gate_commutes_with_the_linear_map_and_ignores_the_message_s_length(seed, size):
    torch.manual_seed(seed)
    fusion, x, y = ScalarGate(3).double(), numbers(2, 1, 4, 3, seed=seed), numbers(1, 5, 6, 3, seed=seed + 1)
    alpha = numbers(2, 5, 4, 6, seed=seed + 2).softmax(3)
    message = torch.nn.functional.normalize(alpha @ y, dim=3)
    gate = (x * message).sum(3, keepdim=True).sigmoid()
    weight = torch.cat([fusion.own.weight, fusion.other.weight], 1)
    late = (gate * torch.cat([x.expand_as(message), message], 3)) @ weight.T  # W reads a vector of every pair
    assert torch.allclose(fusion(x, y, alpha), late.relu() + x, atol=1e-10)
    assert torch.allclose(fusion(x, size * y, alpha), fusion(x, y, alpha), atol=1e-10)


def test_the_loss_as_meant_and_as_printed():
    m = torch.tensor([[0.8, 0.3, 0.1], [0.6, 0.7, 0.2], [0.1, 0.4, 0.9]], dtype=torch.float64)
    own = torch.eye(3, dtype=torch.bool)
    assert HardestNegativeBCE()(m.logit(), own).item() == pytest.approx(4.8044, abs=5e-5)
    assert HardestNegativeBCE("easiest")(m.logit(), own).item() == pytest.approx(2.3716, abs=5e-4)
    expected = 0.0
    for i in range(3):
        row, column = ([float(m[i, j]) for j in range(3) if j != i], [float(m[j, i]) for j in range(3) if j != i])
        expected -= 2 * math.log(m[i, i]) + math.log(1 - max(row)) + math.log(1 - max(column))
    assert HardestNegativeBCE()(m.logit(), own).item() == pytest.approx(expected, abs=1e-10)


def test_the_warm_up_takes_the_mean_over_all_negatives_and_ends():
    torch.manual_seed(0)
    s = torch.randn(3, 4, dtype=torch.float64)
    own = torch.tensor([[True, True, False, False], [False, False, True, False], [False, False, False, True]])
    expected = 0.0
    for i, c in own.nonzero().tolist():
        expected += 2 * math.log1p(math.exp(-s[i, c]))
        captions, images = [k for k in range(4) if not own[i, k]], [k for k in range(3) if not own[k, c]]
        expected += sum(math.log1p(math.exp(s[i, k])) for k in captions) / len(captions)
        expected += sum(math.log1p(math.exp(s[k, c])) for k in images) / len(images)
    loss = HardestNegativeBCE(warmup=0.5)
    assert loss(s, own).item() == pytest.approx(expected, abs=1e-10)
    for epoch, warm in enumerate((True, True, False, False)):
        loss.on_epoch(SimpleNamespace(epoch=epoch, epochs=4))
        assert loss.warms_up is warm
    assert loss(s, own).item() == HardestNegativeBCE()(s, own).item() != pytest.approx(expected)
    assert HardestNegativeBCE(warmup=1.0)(s[:1], own[:1]).isfinite()


def test_the_table_s_value_and_gradient():
    s = torch.tensor([[0.60, 0.52, 0.45], [0.20, 0.70, 0.35], [0.05, 0.30, 0.50]], requires_grad=True)
    loss = HardestNegativeBCE()(s.logit(), torch.eye(3, dtype=torch.bool))
    assert loss.item() == pytest.approx(6.1977, abs=5e-4)
    loss.backward()
    expected = torch.tensor([[-3.333, 4.167, 1.818], [1.25, -2.857, 1.538], [0, 1.429, -4]])
    assert torch.allclose(s.grad, expected, atol=1e-3)


def test_the_loss_leaves_other_positives_out_and_survives_large_logits():
    scores = torch.tensor([[3.0, 200.0, -1.0]], requires_grad=True)
    loss = HardestNegativeBCE()(scores, torch.tensor([[True, True, False]]))
    positive = 2 * (math.log1p(math.exp(-3.0)) + 0.0)
    negative = 2 * math.log1p(math.exp(-1.0))  # two pairs, one negative caption, no negative image
    assert loss.item() == pytest.approx(positive + negative, abs=1e-5)
    loss.backward()
    assert scores.grad.isfinite().all()
    for kind in ("hardest", "easiest"):
        far = torch.tensor([[-300.0, 300.0], [300.0, -300.0]], requires_grad=True)
        HardestNegativeBCE(kind)(far, torch.eye(2, dtype=torch.bool)).backward()
        assert far.grad.isfinite().all() and (far.grad.diagonal() < 0).all()


def test_the_printed_loss_gives_the_hardest_negative_no_gradient():
    scores = torch.tensor([[2.0, 1.0, -3.0], [1.5, 2.0, -2.0], [-3.0, -2.0, 2.0]], requires_grad=True)
    own = torch.eye(3, dtype=torch.bool)
    HardestNegativeBCE()(scores, own).backward()
    hard, scores.grad = scores.grad.clone(), None
    HardestNegativeBCE("easiest")(scores, own).backward()
    assert hard[0, 1] > 0 and hard[1, 0] > 0 and scores.grad[0, 1] == scores.grad[1, 0] == 0


@torch.no_grad()
def test_a_message_comes_from_the_other_side_alone(tiny, regions, captions):
    model = itm.create_model("camp", tiny, **SMALL).double().eval()
    scores, weights = model.similarity(regions, captions), model.attention(regions, captions)
    mask = torch.arange(5)[None] < captions.lengths[:, None]
    assert torch.allclose(weights.sum(2), mask.double().expand(3, 4, 5))
    changed = regions.clone()
    changed[1, 2] += 1
    moved = (model.similarity(changed, captions) - scores).abs() > 1e-9
    assert moved[1].all() and not moved[[0, 2]].any()
    gates = model.gates(regions, captions)
    assert gates.shape == (3, 4) and (gates > 0).all() and (gates < 1).all()


def test_the_first_epochs_train_cosines(tiny):
    model = itm.create_model("camp", tiny, **SMALL, warmup=0.5)
    batch = Batch(torch.rand(8, 12, 256), model.tokenize(tiny.train.captions[:40:5]), torch.arange(8))
    image_emb, caption_emb = model.encode_images(batch), model.encode_captions(batch)
    cosines, scores = model.pooled_cosine(image_emb, caption_emb), model.similarity(image_emb, caption_emb)
    assert cosines.abs().max() <= 1 + 1e-6
    for epoch, expected in ((0, model.cosine_loss(cosines, batch.positives)), (1, None)):
        model.on_epoch(EpochState(model, None, epoch, 2, torch.Generator()))
        expected = model.loss_function(scores, batch.positives) if expected is None else expected
        assert torch.isclose(model.loss(batch), expected)


@pytest.mark.parametrize("gate", ["vector", "scalar"])
def test_a_gradient_reaches_every_parameter(tiny, gate):
    model = itm.create_model("camp", tiny, embed_size=16, word_dim=8, gate=gate)
    batch = Batch(torch.rand(8, 12, 256), model.tokenize(tiny.train.captions[:40:5]), torch.arange(8))
    model.loss(batch).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_a_shortlist_is_scored_as_the_whole_is(tiny, made_up_regions, monkeypatch):
    monkeypatch.setattr("itm_tutorial.retrieval.rerank.split_features", scoring.split_features)
    model = itm.create_model("camp", tiny, **SMALL).eval()
    cheap = itm.score(itm.create_model("bow", tiny, features="regions", dim=8, word_dim=8), tiny.val)
    whole, (scores, report) = itm.score(model, tiny.val), itm.rerank(model, tiny.val, cheap, k=5, direction="t2i")
    listed = cheap.topk(5, 0).indices
    assert torch.allclose(scores.gather(0, listed), whole.gather(0, listed), atol=1e-5)
    assert report.n_scored == 5 * len(tiny.val.captions) and 0 < report.ceiling["t2i"][5] <= 100
