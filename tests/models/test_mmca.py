"""MMCA: both cosines of a pair by loops, who sees whom, the weight of the second one, and a shortlist."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import itm_tutorial as itm
from itm_tutorial.errors import ItmError
from itm_tutorial.models import mmca as module
from itm_tutorial.models.mmca import CaptionSide, ImageSide

SMALL = {"embed_size": 4, "word_dim": 8, "heads": 2, "hidden": 3, "filters": 3}


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def made(tiny, **options):
    model = itm.create_model("mmca", tiny, **SMALL, **options).double().eval()
    for number, part in enumerate(model.parameters()):
        part.data += numbers(*part.shape, seed=number) / 2
    return model


@pytest.fixture
def images():
    return ImageSide(numbers(3, 5, 4, seed=1), torch.nn.functional.normalize(numbers(3, 4, seed=2), dim=-1))


@pytest.fixture
def captions():
    mask = torch.arange(6) < torch.tensor([6, 1, 3, 4])[:, None]
    return CaptionSide(numbers(4, 6, 4, seed=3), mask, torch.nn.functional.normalize(numbers(4, 4, seed=4), dim=-1))


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def linear(layer, x):
    return [dot(row, x) + bias for row, bias in zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)]


def normed(layer, x):
    mean = sum(x) / len(x)
    deviation = math.sqrt(sum((v - mean) ** 2 for v in x) / len(x) + layer.eps)
    rows = zip(x, layer.weight.tolist(), layer.bias.tolist(), strict=True)
    return [(v - mean) / deviation * g + b for v, g, b in rows]


def unit_by_loop(unit, tokens, sees=lambda i, j: True):
    """One transformer unit over a list of tokens, and the mean over heads of its attention."""
    dim, size = len(tokens[0]), len(tokens[0]) // unit.heads
    projected = [linear(unit.qkv, token) for token in tokens]
    made, shares = [], [[0.0] * len(tokens) for _ in tokens]
    for i, token in enumerate(tokens):
        mixed = []
        for head in range(unit.heads):
            cut = [slice(part * dim + head * size, part * dim + (head + 1) * size) for part in range(3)]
            near = [j for j in range(len(tokens)) if sees(i, j)]
            logits = [dot(projected[i][cut[0]], projected[j][cut[1]]) / math.sqrt(size) for j in near]
            exps = [math.exp(logit - max(logits)) for logit in logits]
            for j, e in zip(near, exps, strict=True):
                shares[i][j] += e / sum(exps) / unit.heads
            mixed += [
                sum(e / sum(exps) * projected[j][cut[2]][d] for j, e in zip(near, exps, strict=True))
                for d in range(size)
            ]
        x = normed(unit.norms[0], [a + b for a, b in zip(token, linear(unit.out, mixed), strict=True)])
        hidden = [max(0.0, v) for v in linear(unit.network[0], x)]
        made.append(normed(unit.norms[1], [a + b for a, b in zip(x, linear(unit.network[2], hidden), strict=True)]))
    return made, shares


def pool_by_loop(pool, words):
    found = []
    for width, layer in enumerate(pool.convolutions, 1):
        for matrix, bias in zip(layer.weight.tolist(), layer.bias.tolist(), strict=True):  # [dim][width]
            values = []
            for start in range(len(words)):
                window = [words[start + o] if start + o < len(words) else [0.0] * len(words[0]) for o in range(width)]
                values.append(bias + sum(matrix[d][o] * window[o][d] for d in range(len(matrix)) for o in range(width)))
            found.append(max(0.0, *values))
    return linear(pool.project, found)


def cosine(a, b):
    return dot(a, b) / math.sqrt(dot(a, a) * dot(b, b))


def score_by_loop(model, regions, i_0, words, c_0):
    n = len(regions)
    sees = (lambda i, j: True) if model.cross == "joint" else (lambda i, j: (i < n) == (j < n))
    joined, _ = unit_by_loop(model.both, regions + words, sees)
    i_1 = [sum(row[d] for row in joined[:n]) / n for d in range(len(i_0))]
    return dot(i_0, c_0) + model.alpha * cosine(i_1, pool_by_loop(model.pool_both, joined[n:]))


@torch.no_grad()
@pytest.mark.parametrize("cross", ["joint", "own"])
def test_all_pairs_equal_the_loop(tiny, images, captions, cross, monkeypatch):
    model = made(tiny, cross=cross)
    expected = torch.tensor(
        [
            [
                score_by_loop(model, *image, words[mask].tolist(), code.tolist())
                for words, mask, code in zip(*captions, strict=True)
            ]
            for image in zip(*(part.tolist() for part in images), strict=True)
        ],
        dtype=torch.float64,
    )
    for most in (module.MOST, 1):
        monkeypatch.setattr(module, "MOST", most)
        assert torch.allclose(model.similarity(images, captions), expected, atol=1e-10)
    pairs = model.pair_similarity(images, CaptionSide(*(part[:3] for part in captions)))
    assert torch.allclose(pairs, expected.diagonal(), atol=1e-10)
    sides = ImageSide(*(part.float() for part in images)), CaptionSide(*(part.float() for part in captions))
    sides = sides[0], sides[1]._replace(mask=captions.mask)
    assert torch.allclose(model.float().similarity(*sides), expected.float(), atol=1e-5)


@torch.no_grad()
def test_each_side_by_itself_equals_the_loop(tiny, captions):
    model, features = made(tiny), numbers(2, 5, 256, seed=8)
    regions = model.regions(features)
    for row, code in zip(regions.tolist(), model.image_encoder(features).code.tolist(), strict=True):
        made_by_loop, _ = unit_by_loop(model.within, row)
        mean = [sum(token[d] for token in made_by_loop) / len(row) for d in range(4)]
        assert code == pytest.approx([v / math.sqrt(dot(mean, mean)) for v in mean], abs=1e-10)
    for words, mask, found in zip(captions.words, captions.mask, model.pool(*captions[:2]).tolist(), strict=True):
        assert found == pytest.approx(pool_by_loop(model.pool, words[mask].tolist()), abs=1e-10)


@torch.no_grad()
def test_only_joint_attention_lets_the_image_depend_on_the_caption(tiny, images, captions):
    one = ImageSide(*(part[:, None] for part in images))
    for cross, depends in (("joint", True), ("own", False)):
        joined = made(tiny, cross=cross).join(one, captions)
        i_1 = joined.regions.mean(-2)  # [n_images, n_captions, dim]
        assert torch.allclose(i_1[:, :1].expand_as(i_1), i_1, atol=1e-9) is not depends
        weights = joined.attention * captions.mask[:, None]
        assert bool((weights.sum(2) > 0)[:, captions.mask].all()) is depends


@torch.no_grad()
def test_attention_is_the_share_of_regions_in_the_joint_softmax(tiny, images, captions):
    model = made(tiny)
    weights = model.attention(images, captions)
    assert weights.shape == (3, 4, 5, 6)
    words = captions.words[2][captions.mask[2]].tolist()
    _, shares = unit_by_loop(model.both, images.regions[1].tolist() + words)
    assert torch.allclose(weights[1, 2, :, :3], torch.tensor(shares).double()[5:, :5].T, atol=1e-6)
    assert not weights[1, 2, :, 3:].any() and (weights.sum(2) < 1).all()
    with pytest.raises(ItmError, match="an alpha above 0"):
        made(tiny, alpha=0.0).attention(images, captions)


@torch.no_grad()
def test_two_identical_codes_score_one_and_alpha(tiny, images, captions, monkeypatch):
    model = made(tiny)
    same = captions._replace(code=images.code[:1].expand(4, -1))
    joined = model.join(ImageSide(*(part[:, None] for part in images)), same)
    monkeypatch.setattr(model.pool_both, "forward", lambda words, mask: joined.regions.mean(-2))
    assert model.similarity(images, same)[0].tolist() == pytest.approx([1.2] * 4)
    model.alpha = 0.0
    assert model.similarity(images, same)[0].tolist() == pytest.approx([1.0] * 4)


def test_the_order_of_regions_does_not_count_and_that_of_words_does(tiny, images, captions):
    model = made(tiny)
    with torch.no_grad():
        expected = model.similarity(images, captions)

        @given(st.permutations(range(5)))
        def check(order):
            turned = images._replace(regions=images.regions[:, order])
            assert torch.allclose(model.similarity(turned, captions), expected, atol=1e-9)

        check()
        swapped = captions._replace(words=captions.words[:, [1, 0, 2, 3, 4, 5]])
        assert not torch.allclose(model.similarity(images, swapped)[:, 0], expected[:, 0], atol=1e-6)


@torch.no_grad()
def test_a_shortlist_of_the_own_sides_is_scored_by_both(tiny, cheap_features, monkeypatch):
    monkeypatch.setattr("itm_tutorial.retrieval.rerank.split_features", cheap_features)
    model = itm.create_model("mmca", tiny, **SMALL).eval()
    full = itm.score(model, tiny.val)
    model.alpha = 0.0
    cheap = itm.score(model, tiny.val)
    model.alpha = 0.2
    assert (full - cheap).abs().max() <= 0.2 + 1e-5
    found, report = itm.rerank(model, tiny.val, cheap, k=3)
    assert 0 < report.n_scored < report.n_pairs
    top = cheap.topk(3, dim=0).indices
    assert torch.allclose(found.gather(0, top), full.gather(0, top), atol=1e-5)


def test_heads_must_divide_the_embedding(tiny):
    with pytest.raises(ItmError, match="give heads that divide embed_size"):
        itm.create_model("mmca", tiny, embed_size=6, heads=4)
