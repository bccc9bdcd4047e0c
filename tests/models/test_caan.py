"""CAAN: all pairs against a loop from the equations, the tiny example, zero responses, and what each order reads."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

import itm_tutorial as itm
from itm_tutorial.encoders.text import Words
from itm_tutorial.models import caan as module
from itm_tutorial.models.caan import at_length_one

SMALL = {"embed_size": 6, "word_dim": 8, "hidden": 3}
NAMES = ("caan", "caan_mean", "caan_inter", "caan_first", "caan_second", "caan_inter_first")


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def made(tiny, name="caan"):
    model = itm.create_model(name, tiny, **SMALL).double().eval()
    for number, part in enumerate(model.parameters()):
        part.data += numbers(*part.shape, seed=number) / 2
    return model


@pytest.fixture
def regions():
    return normalize(numbers(3, 4, 6, seed=1), dim=-1)


@pytest.fixture
def captions():
    return Words(normalize(numbers(4, 5, 6, seed=2), dim=-1), torch.tensor([5, 2, 1, 4]))


def product(a, b):
    return [[sum(x * y for x, y in zip(row, column, strict=True)) for column in zip(*b, strict=True)] for row in a]


def turned(a):
    return [list(row) for row in zip(*a, strict=True)]


def rows_at_one(a):
    return [[x / math.sqrt(sum(y * y for y in row) + 1e-12) for x in row] for row in a]


def weights(terms, w):
    """softmax( tanh(the sum of matrices) w )."""
    logits = []
    for rows in zip(*terms, strict=True):
        hidden = [math.tanh(sum(numbers)) for numbers in zip(*rows, strict=True)]
        logits.append(sum(a * b for a, b in zip(hidden, w, strict=True)))
    top = max(logits)
    made = [math.exp(x - top) for x in logits]
    return [x / sum(made) for x in made]


def by_loop(v, t, k, q, w_v, w_u, inter=True, intra="second", m=None):
    """f, g and S of one pair, on lists."""
    h = [[max(0.0, math.tanh(x)) for x in row] for row in product(product(v, k), turned(t))]
    h_uv, h_vu = turned(rows_at_one(turned(h))), turned(rows_at_one(h))  # [r, w] and [w, r]
    zeros_v, zeros_t = ([[0.0] * len(q[0][0]) for _ in side] for side in (v, t))
    of_v, of_t = [zeros_v], [zeros_t]
    if inter:
        of_v.append(product(h_uv, product(t, q[1])))
        of_t.append(product(h_vu, product(v, q[3])))
    if intra == "second":
        n_v, n_u = rows_at_one(h_uv), rows_at_one(h_vu)
        of_v.append(product(product(n_v, turned(n_v)), product(v, q[0])))
        of_t.append(product(product(n_u, turned(n_u)), product(t, q[2])))
    if intra == "first":
        of_v.append(product(product(product(v, m[0]), turned(v)), product(v, q[0])))
        of_t.append(product(product(product(t, m[1]), turned(t)), product(t, q[2])))
    f, g = weights(of_v, w_v), weights(of_t, w_u)
    s = product(v, turned(t))
    score = sum(f[r] * s[r][w] * g[w] for r in range(len(v)) for w in range(len(t)))
    return f, g, score


def matrices(model):
    flipped = lambda layer: layer.weight.T.tolist()  # noqa: E731
    q = [flipped(layer) for layer in (model.q1, model.q2, model.q3, model.q4)]
    rest = [model.of_regions.weight[0].tolist(), model.of_words.weight[0].tolist(), model.inter, model.intra]
    return flipped(model.affinity), q, *rest, [flipped(model.m1), flipped(model.m2)] if hasattr(model, "m1") else None


@torch.no_grad()
@pytest.mark.parametrize("name", NAMES)
def test_all_pairs_equal_the_loop(tiny, regions, captions, name, monkeypatch):
    model = made(tiny, name)
    rows = [
        [
            by_loop(v, t[:n], *matrices(model))[2]
            for t, n in zip(captions.words.tolist(), captions.lengths.tolist(), strict=True)
        ]
        for v in regions.tolist()
    ]
    expected = torch.tensor(rows, dtype=torch.float64)
    for most in (module.MOST, 1):
        monkeypatch.setattr(module, "MOST", most)
        assert torch.allclose(model.similarity(regions, captions), expected, atol=1e-10)
    single = model.float().similarity(regions.float(), captions._replace(words=captions.words.float()))
    assert torch.allclose(single, expected.float(), atol=1e-5)


@torch.no_grad()
def test_the_tiny_example(tiny):
    model = itm.create_model("caan", tiny, embed_size=2, hidden=2).double().eval()
    for layer in (model.q1, model.q2, model.q3, model.q4):
        torch.nn.init.eye_(layer.weight)
    for layer in (model.of_regions, model.of_words):
        layer.weight.copy_(torch.tensor([[1.0, -0.5]]))
    v, t = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [0.5, 1.0]]
    found = model.weigh(torch.tensor([v]).double(), Words(torch.tensor([t]).double(), torch.tensor([2])))
    n_v = at_length_one(found.response[0, 0], 1)
    second = n_v @ n_v.T
    assert (second[0, 1].item(), second[0, 2].item()) == pytest.approx((0.4576, 0.9511), abs=6e-5)
    assert found.regions[0, 0].tolist() == pytest.approx([0.3478, 0.3108, 0.3415], abs=6e-5)
    assert found.words[0, 0].tolist() == pytest.approx([0.5188, 0.4812], abs=6e-5)
    assert found.scores.item() == pytest.approx(0.8372, abs=6e-5)
    pooled = [torch.tensor(x).double().T @ y[0, 0] for x, y in ((v, found.regions), (t, found.words))]
    assert found.scores.item() == pytest.approx((pooled[0] @ pooled[1]).item())
    assert abs(torch.cosine_similarity(*pooled, dim=0).item() - 0.8372) > 0.05  # a dot product, not a cosine


def test_a_region_that_responds_to_nothing_is_finite_in_value_and_gradient(tiny):
    model = itm.create_model("caan", tiny, embed_size=2, hidden=2).double()
    regions = torch.tensor([[[-1.0, 0.0], [0.0, 1.0]]]).double().requires_grad_()
    captions = Words(torch.tensor([[[1.0, 0.0], [0.0, 1.0]]]).double(), torch.tensor([2]))
    score = model.weigh(regions, captions).scores
    score.sum().backward()
    assert score.isfinite().all() and regions.grad.isfinite().all()
    response = torch.tensor([[0.0, 0.0], [0.0, 1.0]])
    assert normalize(response, dim=1).isfinite().all() and (response / response.norm(dim=1, keepdim=True)).isnan().any()


@torch.no_grad()
def test_without_terms_the_score_is_that_of_the_means(tiny, regions, captions):
    words = torch.stack([t[:n].mean(0) for t, n in zip(*captions, strict=True)])
    assert torch.allclose(made(tiny, "caan_mean").similarity(regions, captions), regions.mean(1) @ words.T, atol=1e-12)


@torch.no_grad()
@pytest.mark.parametrize("name", ["caan_second", "caan_first"])
def test_second_order_weights_depend_on_the_partner_and_first_order_ones_do_not(tiny, regions, captions, name):
    f = made(tiny, name).weigh(regions, captions).regions  # [n_images, n_captions, n_regions]
    assert torch.allclose(f[:, 0], f[:, 3], atol=1e-6) is (name == "caan_first")


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_regions_does_not_count(tiny, regions, captions, name):
    model = made(tiny, name)
    expected = model.similarity(regions, captions)

    @given(st.permutations(range(4)))
    def check(order):
        assert torch.allclose(model.similarity(regions[:, order], captions), expected, atol=1e-9)

    check()


@torch.no_grad()
def test_attention_is_zero_behind_the_end_and_sums_to_one_at_most(tiny, regions, captions):
    found = made(tiny).attention(regions, captions)
    assert found.shape == (3, 4, 4, 5) and not found[:, 1, :, 2:].any()
    total = found.sum(2)
    assert ((total - 1).abs() < 1e-6).logical_or(total == 0).all()
