"""GOT: a proximal transport plan between regions and words, over nodes and edges."""

import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch.nn.functional import normalize

import itm_tutorial as itm
from itm_tutorial.encoders.text import Words
from itm_tutorial.interaction.transport import edge_costs, graph_transport, proximal_plan, words_with_mass
from itm_tutorial.models import Batch, got

SMALL = {"embed_size": 6, "word_dim": 8}
COST = [[0.1, 0.4], [0.5, 0.3]]  # the fact sheet's


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def ipot_by_loops(cost, beta, steps, proximal=True):
    """Algorithm 1 on scalars; without ``proximal``, Sinkhorn's method."""
    n, m = len(cost), len(cost[0])
    kernel = [[math.exp(-c / beta) for c in row] for row in cost]
    plan, sigma = [[1.0] * m for _ in range(n)], [1 / m] * m
    for _ in range(steps):
        q = [[kernel[i][j] * (plan[i][j] if proximal else 1) for j in range(m)] for i in range(n)]
        delta = [1 / (n * sum(q[i][j] * sigma[j] for j in range(m))) for i in range(n)]
        sigma = [1 / (m * sum(q[i][j] * delta[i] for i in range(n))) for j in range(m)]
        plan = [[delta[i] * q[i][j] * sigma[j] for j in range(m)] for i in range(n)]
    return plan


def edges_by_loops(plan, x, y):
    """L[i][j] = sum over k, l of (x_ik - y_jl)^2 T_kl, of a plan with equal masses."""
    n, m = len(x), len(y)
    return [
        [sum((x[i][k] - y[j][s]) ** 2 * plan[k][s] for k in range(n) for s in range(m)) for j in range(m)]
        for i in range(n)
    ]


@pytest.mark.parametrize(("steps", "first"), [(1, 0.3083), (5, 0.4622), (20, 0.5)])
def test_the_fact_sheets_plan(steps, first):
    cost = torch.tensor(COST, dtype=torch.float64)
    plan = proximal_plan(cost, torch.ones(2) > 0, 0.5, steps)
    assert plan[0, 0].item() == pytest.approx(first, abs=5e-5)
    assert torch.allclose(plan, torch.tensor(ipot_by_loops(COST, 0.5, steps), dtype=torch.float64), atol=1e-10)
    if steps == 20:
        assert (plan * cost).sum().item() == pytest.approx(0.2, abs=5e-5)


def test_sinkhorn_is_another_plan():
    plan = ipot_by_loops(COST, 0.5, 200, proximal=False)
    assert plan[0][0] == pytest.approx(0.3112, abs=5e-5)
    assert sum(plan[i][j] * COST[i][j] for i in range(2) for j in range(2)) == pytest.approx(0.2944, abs=5e-5)
    assert ipot_by_loops(COST, 0.5, 1, proximal=False) == ipot_by_loops(COST, 0.5, 1)  # the first step is the same


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_plan_and_edges_equal_loops_with_other_sizes_and_padding(dtype):
    cost, x, y = numbers(2, 4, 6, seed=1).abs(), numbers(4, 4, seed=2).abs(), numbers(2, 6, 6, seed=3).abs()
    x, y = x + x.T, y + y.mT
    real = (5, 3)
    mask = torch.arange(6)[None] < torch.tensor(real)[:, None]
    atol = 1e-10 if dtype == torch.float64 else 1e-5
    y = y * mask[:, None] * mask[..., None]
    plan = proximal_plan(cost.to(dtype), mask, 0.5, 7)
    costs = edge_costs(plan, x.to(dtype), y.to(dtype), mask)
    for b, n in enumerate(real):
        expected = ipot_by_loops(cost[b, :, :n].tolist(), 0.5, 7)
        assert torch.allclose(plan[b, :, :n], torch.tensor(expected, dtype=dtype), atol=atol)
        assert not plan[b, :, n:].any()
        # the expanded form needs a plan with its masses on both sides, which IPOT reaches in the limit
        long = ipot_by_loops(cost[b, :, :n].tolist(), 0.5, 3000)
        wide = torch.zeros(4, 6, dtype=torch.float64)
        wide[:, :n] = torch.tensor(long, dtype=torch.float64)
        found = edge_costs(wide, x, y[b], mask[b])[:, :n]
        expected = torch.tensor(edges_by_loops(long, x.tolist(), y[b].tolist()[:n]), dtype=torch.float64)
        assert torch.allclose(found, expected, atol=1e-6)
    assert costs.dtype == dtype and costs.shape == (2, 4, 6)


def test_a_graph_and_its_own_permutation_are_no_distance_apart():
    edges = torch.tensor([[0, 0.9, 0.2], [0.9, 0, 0.5], [0.2, 0.5, 0]], dtype=torch.float64)
    order = [2, 0, 1]
    moved, mask = edges[order][:, order], torch.ones(3) > 0
    right = torch.eye(3, dtype=torch.float64)[:, order] / 3
    assert (edge_costs(right, edges, moved, mask) * right).sum().item() == pytest.approx(0, abs=1e-12)
    uniform = graph_transport(torch.zeros(3, 3, dtype=torch.float64), edges, moved, mask, nodes=0, uniform=True)
    assert uniform.edges.item() == pytest.approx(0.2360, abs=5e-5)
    found = graph_transport(torch.zeros(3, 3, dtype=torch.float64), edges, moved, mask, nodes=0, steps=200, rounds=20)
    assert found.edges.item() == pytest.approx(0, abs=1e-4) and torch.allclose(found.plan, right, atol=1e-3)


def test_one_plan_serves_nodes_and_edges():
    cost = torch.tensor(COST, dtype=torch.float64)
    edges = torch.tensor([[1, 0.5], [0.5, 1]], dtype=torch.float64)
    moved = graph_transport(cost, edges, edges, torch.ones(2) > 0, nodes=1.0)
    assert moved.nodes.item() == pytest.approx(0.2, abs=5e-5)
    assert torch.allclose(moved.edges, (edge_costs(moved.plan, edges, edges, torch.ones(2) > 0) * moved.plan).sum())


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 6), st.integers(1, 6), st.integers(0, 99), st.floats(-3, 3))
def test_masses_are_kept_and_a_constant_changes_nothing(n, m, seed, constant):
    cost, mask = numbers(n, m, seed=seed), torch.ones(m) > 0
    plan = proximal_plan(cost, mask)
    assert torch.allclose(plan.sum(0), torch.full((m,), 1 / m, dtype=torch.float64))
    assert torch.allclose(proximal_plan(cost + constant, mask), plan, atol=1e-9)
    assert torch.allclose(proximal_plan(cost.flip(0), mask), plan.flip(0), atol=1e-9)


@pytest.fixture
def sides():
    words = normalize(numbers(3, 7, 6, seed=4), dim=-1)
    lengths = torch.tensor([7, 4, 2])
    return normalize(numbers(4, 5, 6, seed=5), dim=-1), Words(words, lengths)


def test_the_marks_of_start_and_end_have_no_mass(sides):
    _, captions = sides
    assert words_with_mass(*captions).int().tolist() == [
        [0, 1, 1, 1, 1, 1, 0],
        [0, 1, 1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0, 0],
    ]


@torch.no_grad()
def test_scores_in_tiles_equal_a_loop_over_pairs(tiny, sides, monkeypatch):
    model, (regions, captions) = itm.create_model("got_score", tiny, **SMALL).double().eval(), sides
    mask = words_with_mass(*captions)
    pairs = torch.stack(
        [
            torch.stack([-model.distance(model.transport(r, captions.words[c], mask[c])) for c in range(3)])
            for r in regions
        ]
    )
    for tile in (got.TILE, 1, 100):
        monkeypatch.setattr(got, "TILE", tile)
        assert torch.allclose(model.similarity(regions, captions), pairs, atol=1e-10)
        weights = model.attention(regions, captions)
    assert torch.allclose(weights.sum(2), mask.double()[None].expand(4, -1, -1))
    padded = Words(torch.cat([captions.words, numbers(3, 2, 6)], 1), captions.lengths)
    assert torch.allclose(model.similarity(regions, padded), pairs, atol=1e-10)


def test_the_gradient_is_that_of_a_fixed_plan(tiny, sides):
    model, (regions, captions) = itm.create_model("got_nodes", tiny, **SMALL).double(), sides
    regions = regions.clone().requires_grad_()
    moved = model.transport(regions[:3], captions.words, words_with_mass(*captions))
    assert not moved.plan.requires_grad
    model.distance(moved).sum().backward()
    expected = -moved.plan @ (captions.words * words_with_mass(*captions)[..., None])
    assert torch.allclose(regions.grad[:3], expected, atol=1e-12)


def test_the_loss_adds_the_distance_of_matched_pairs(tiny):
    model = itm.create_model("got", tiny, **SMALL).double()
    tokens = model.tokenize(tiny.train.captions[:6])
    batch = Batch(torch.rand(3, 12, 256), tokens, torch.tensor([0, 0, 1, 1, 2, 2]))
    images, captions = model.encode_images(batch), model.encode_captions(batch)
    ranking = model.loss_function(model.similarity(images, captions), batch.positives)
    own = torch.stack(
        [
            model.distance(model.transport(images[i], captions.words[c], words_with_mass(*captions)[c]))
            for c, i in enumerate(batch.image_of)
        ]
    )
    assert torch.isclose(model.loss(batch), ranking + 0.5 * own.mean(), atol=1e-10)
    model.weight = 0.0
    assert torch.isclose(model.loss(batch), ranking)
    assert model.eval().attention(images, captions).shape == (3, 6, 12, captions.words.shape[1])
