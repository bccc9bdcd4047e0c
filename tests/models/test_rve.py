"""RVE: regions in the order of their words, and a recurrent network over them for each pair."""

import math
from types import SimpleNamespace

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch.nn.functional import normalize

import itm_tutorial as itm
from itm_tutorial.encoders.embeddings import pick
from itm_tutorial.encoders.weighted_words import WeightedWords
from itm_tutorial.interaction.reordered_regions import (
    OrderedGRU,
    shortlist_scores,
    weighted_dots,
    word_cosines,
    word_order,
)
from itm_tutorial.models import Batch, rve

SMALL = {"embed_size": 6, "word_dim": 8}
OBJECTS = torch.tensor([[0.9, 0.1], [0.1, 0.9], [0.8, 0.3]])  # the fact sheet's
WORDS = torch.tensor([[0.2, 0.8], [1.0, 0.0]])


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def model(tiny):
    return itm.create_model("rve", tiny, **SMALL).double().eval()


@pytest.fixture
def captions():
    lengths = torch.tensor([6, 3, 4])
    mask = torch.arange(6)[None] < lengths[:, None]
    weights = numbers(3, 6, seed=1).masked_fill(~mask, -torch.inf).softmax(1)
    return WeightedWords(numbers(3, 6, 6, seed=2) * mask[..., None], lengths, weights)


@pytest.fixture
def regions():
    return numbers(4, 5, 6, seed=3)


def test_the_fact_sheets_keys_need_the_words_weights():
    mask = torch.ones(2) > 0
    plain = weighted_dots(OBJECTS, WORDS, torch.ones(2))
    weighted = weighted_dots(OBJECTS, WORDS, torch.tensor([0.1, 0.9]))
    assert plain.argmax(1).tolist() == [1, 0, 1] and word_order(plain, mask).tolist() == [1, 0, 2]
    assert weighted.argmax(1).tolist() == [1, 1, 1] and word_order(weighted, mask).tolist() == [0, 1, 2]  # stable


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 8), st.integers(1, 5), st.integers(0, 99))
def test_the_order_is_that_of_sorted(n, m, seed):
    products = numbers(n, m, seed=seed).round(decimals=1)
    keys = [row.index(max(row)) for row in products.tolist()]
    found = word_order(products, torch.ones(m) > 0).tolist()
    assert found == sorted(range(n), key=lambda r: keys[r])


def test_padding_is_no_word():
    products = torch.tensor([[-1.0, -2.0, 0.0], [-2.0, -1.0, 0.0]])
    assert word_order(products, torch.tensor([True, True, False])).tolist() == [0, 1]
    assert word_order(products.flip(0), torch.tensor([True, True, False])).tolist() == [1, 0]


@torch.no_grad()
def test_the_gru_is_torchs_own_on_sorted_regions(regions):
    gru = OrderedGRU(6).double()
    order = torch.stack([torch.randperm(5, generator=torch.Generator().manual_seed(i)) for i in range(4)])
    found = gru(gru.inputs(regions), order)
    for i in range(4):
        states = gru.gru(regions[i : i + 1, order[i]])[0][0]
        expected = (states[:, :6] + states[:, 6:]) / 2
        assert torch.allclose(found[i, order[i]], expected, atol=1e-12)


def score_by_loops(model, image, words, weights):
    """S of one pair on scalars, but for the GRU, which is torch's."""
    dot = lambda a, b: sum(x * y for x, y in zip(a, b, strict=True))  # noqa: E731
    o, h, a = image.tolist(), words.tolist(), weights.tolist()
    products = [[a[w] * dot(o[r], h[w]) for w in range(len(h))] for r in range(len(o))]
    order = sorted(range(len(o)), key=lambda r: products[r].index(max(products[r])))
    states = model.gru.gru(image[order][None])[0][0]
    new = ((states[:, :6] + states[:, 6:]) / 2).tolist()
    unit = lambda v: [x / math.sqrt(dot(v, v)) for x in v]  # noqa: E731
    v, e = [unit(x) for x in new], [unit(x) for x in h]
    ahead = [[max(0, dot(r, w)) for w in e] for r in v]
    ahead = [[x / max(1e-12, math.sqrt(dot(row, row))) for x in row] for row in ahead]
    total = 0.0
    for w in range(len(h)):
        logits = [math.exp(model.smooth * ahead[r][w]) for r in range(len(o))]
        attended = [sum(logits[r] / sum(logits) * v[r][d] for r in range(len(o))) for d in range(6)]
        total += a[w] * dot(e[w], attended) / math.sqrt(dot(attended, attended))
    return total


@torch.no_grad()
def test_scores_equal_the_equations_pair_by_pair(model, regions, captions, monkeypatch):
    expected = torch.tensor(
        [
            [
                score_by_loops(model, image, captions.words[c, :n], captions.weights[c, :n])
                for c, n in enumerate(captions.lengths.tolist())
            ]
            for image in regions
        ],
        dtype=torch.float64,
    )
    for tile in (rve.TILE, 1, 400):
        monkeypatch.setattr(rve, "TILE", tile)
        assert torch.allclose(model.similarity(regions, captions), expected, atol=1e-10)
    pairs = model.pair_similarity(regions[:3], captions)
    assert torch.allclose(pairs, expected[:3].diagonal(), atol=1e-12)
    assert torch.allclose(
        model.float().similarity(
            regions.float(), WeightedWords(*(part.float() if part.is_floating_point() else part for part in captions))
        ),
        expected.float(),
        atol=1e-5,
    )


@torch.no_grad()
def test_attention_is_that_of_the_regions_as_they_came(model, regions, captions):
    weights = model.attention(regions, captions)
    mask = torch.arange(6)[None] < captions.lengths[:, None]
    assert torch.allclose(weights.sum(2), mask.double()[None].expand(4, -1, -1))
    model.order = "none"
    _, plain = word_cosines(regions[:1], captions.words[:1], mask[:1], 9.0)
    assert torch.allclose(model.attention(regions, captions)[0, 0], plain[0], atol=1e-12)


@torch.no_grad()
def test_only_the_order_of_words_follows_the_words(model, regions, captions):
    turned = regions.flip(1)
    scores = {}
    for order in ("words", "given", "none", "random"):
        model.order = order
        scores[order] = model.similarity(regions, captions)
        same = torch.allclose(model.similarity(turned, captions), scores[order], atol=1e-10)
        assert same == (order == "none")  # regions of one word keep their order, so that "words" sees it too
        assert torch.equal(model.similarity(regions, captions), scores[order])
    assert len({value.sum().item() for value in scores.values()}) == 4
    model.train()
    assert not torch.equal(model.similarity(regions, captions), model.similarity(regions, captions))


@torch.no_grad()
def test_the_shortlist_is_the_sum_over_regions_and_words(model, regions, captions):
    expected = torch.stack(
        [torch.stack([weighted_dots(i, h, a).sum() for h, _, a in zip(*captions, strict=True)]) for i in regions]
    )
    assert torch.allclose(shortlist_scores(regions, captions.words, captions.weights), expected, atol=1e-12)
    model.by = "shortlist"
    assert torch.allclose(model.similarity(regions, captions), expected, atol=1e-12)


@torch.no_grad()
def test_the_position_multiplies(model):
    features, boxes = torch.rand(2, 5, 256).double(), torch.tensor([0.1, 0.2, 0.5, 0.4]).expand(2, 5, 4)
    found = model.image_encoder(features, boxes)
    place = torch.tensor([0.4, 0.2, 0.3, 0.3], dtype=torch.float64)
    gate = (model.place.weight @ place + model.place.bias).sigmoid()
    assert torch.allclose(found, model.project(16 * normalize(features, dim=-1)) * gate, atol=1e-7)


def test_training_scores_only_candidates(model, tiny, monkeypatch):
    model.candidates = 2
    n = 6
    batch = Batch(torch.rand(n, 5, 256), model.tokenize(tiny.train.captions[: 5 * n : 5]), torch.arange(n))
    seen, scored = [], model.scored
    monkeypatch.setattr(model, "scored", lambda *args: seen.append(args[2:]) or scored(*args))
    loss = model.loss(batch)
    ((image, caption),) = seen
    assert len(image) == n * 3 and torch.bincount(caption).tolist() == [3] * n
    images, captions = model.encode_images(batch), model.encode_captions(batch)
    cheap = shortlist_scores(images, captions.words, captions.weights)
    for c in range(n):
        wrong = sorted((i for i in range(n) if i != c), key=lambda i: -cheap[i, c])[:2]
        assert set(image[caption == c].tolist()) == {c, *wrong}
    model.candidates = n
    full = model.loss_function(model.similarity(images, captions), batch.positives)
    assert torch.isclose(model.loss(batch), full) and loss <= full + 1e-9


def test_rerank_takes_its_own_shortlist(tiny, cheap_features, monkeypatch):
    monkeypatch.setattr("itm_tutorial.retrieval.rerank.split_features", cheap_features)
    expensive = itm.create_model("rve", tiny, **SMALL)
    cheap = itm.create_model("rve", tiny, score="shortlist", **SMALL)
    whole = itm.score(expensive, tiny.test)
    scores, report = itm.rerank(expensive, tiny.test, itm.score(cheap, tiny.test), k=5, direction="t2i")
    kept = scores.topk(5, 0).indices
    assert torch.allclose(scores.gather(0, kept), whole.gather(0, kept), atol=1e-5) and report.n_scored < whole.numel()


def test_embeddings_can_be_picked(captions):
    some = pick(captions, torch.tensor([2, 0]))
    assert torch.equal(some.weights, captions.weights[[2, 0]]) and isinstance(some, WeightedWords)


def test_the_first_epochs_train_without_the_gru_and_scores_always_have_it(model, regions, captions):
    pairs = torch.zeros(2, dtype=torch.long), torch.arange(2)
    with_gru = model.scored(regions, captions, *pairs)[0]
    assert model.matching == 0.2
    for epoch, skips in enumerate((True, False, False, False, False)):
        model.on_epoch(SimpleNamespace(epoch=epoch, epochs=5))
        assert model.skips is skips
    model.on_epoch(SimpleNamespace(epoch=0, epochs=5))
    assert torch.equal(model.eval().scored(regions, captions, *pairs)[0], with_gru)
    order, model.order = model.order, "none"
    without = model.scored(regions, captions, *pairs)[0]
    model.order = order
    assert torch.equal(model.train().scored(regions, captions, *pairs)[0], without)
    assert not torch.allclose(without, with_gru)
