"""ADAPT: scale and shift by the other side, a fovea per channel; and four identities on paper."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import itm_tutorial as itm
from itm_tutorial.encoders.standard_items import StandardItems
from itm_tutorial.interaction import pair_tiles
from itm_tutorial.interaction.adaptive_scaling import fovea, foveal_cosines, mean_cosines
from itm_tutorial.models import Batch
from itm_tutorial.models.adapt import Sentences

SMALL = {"embed_size": 4, "word_dim": 8}
NAMES = ("adapt", "adapt_i2t", "adapt_no_fovea")


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_loops(items, vector, gamma, beta, smooth, has_fovea=True, over_channels=False):
    """S of one pair from the equations, number by number; ``over_channels`` is a wrong softmax."""
    x = [[n * (1 + g) + b for n, g, b in zip(row, gamma, beta, strict=True)] for row in items]
    weights = [[math.exp(smooth * value) if has_fovea else 1.0 for value in row] for row in x]
    if over_channels:
        weights = [[w / sum(row) for w in row] for row in weights]
    elif has_fovea:
        totals = [sum(row[d] for row in weights) for d in range(len(vector))]
        weights = [[w / total for w, total in zip(row, totals, strict=True)] for row in weights]
    pooled = [sum(w[d] * row[d] for w, row in zip(weights, x, strict=True)) / len(items) for d in range(len(vector))]
    dot = sum(a * b for a, b in zip(pooled, vector, strict=True))
    return dot / math.sqrt(sum(a * a for a in pooled) * sum(b * b for b in vector))


def example(n_captions=4, seq_len=5):
    """Items of three images, captions with their mask."""
    mask = torch.arange(seq_len)[None] < torch.tensor([5, 2, 4, 1])[:n_captions, None]
    return numbers(3, 6, 4, seed=1), mask


@pytest.mark.parametrize("adapts", [True, False])
@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_scores_equal_the_equations_by_loops(tiny, monkeypatch, name, adapts):
    model = itm.create_model(name, tiny, **SMALL, adapts=adapts).double().eval()
    regions, mask = example()
    if name == "adapt_i2t":
        images, captions = numbers(3, 4, seed=2), Sentences(numbers(4, 5, 4, seed=3) * mask[..., None], mask)
        vectors, items = images, [words[:n].tolist() for words, n in zip(captions.vectors, mask.sum(1), strict=True)]
    else:
        images, captions = regions, Sentences(numbers(4, 4, seed=3), mask)
        vectors, items = captions.vectors, regions.tolist()
    scale, beta = model.scale_and_shift(vectors)
    assert torch.equal(scale, 1 + (model.gamma(vectors) if adapts else 0 * vectors))
    of_vectors = list(zip(vectors.tolist(), (scale - 1).tolist(), beta.tolist(), strict=True))
    table = [[by_loops(some, *one, model.smooth, model.has_fovea) for one in of_vectors] for some in items]
    expected = torch.tensor(table, dtype=torch.float64)
    expected = expected.T if name == "adapt_i2t" else expected
    for most in (pair_tiles.MOST, 1):  # in one tile, and pair by pair
        monkeypatch.setattr(pair_tiles, "MOST", most)
        assert torch.allclose(model.similarity(images, captions), expected, atol=1e-10)
    single = model.float().similarity(images.float(), Sentences(captions.vectors.float(), mask))
    assert torch.allclose(single.double(), expected, atol=1e-5)


def test_a_small_example_has_its_numbers():
    items, gamma, beta = torch.tensor([[1.0, 0.0], [-1.0, 1.0]]), torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5])
    t, scale = torch.tensor([1.0, 0.0]), 1 + gamma
    shaped = [part[None, None, None] for part in (t, scale, beta)]
    assert fovea(items[None, None], shaped[1], None, 1.0)[0, 0].flatten().tolist() == pytest.approx(
        [0.982, 0.269, 0.018, 0.731], abs=5e-4
    )
    assert foveal_cosines(items[None, None], *shaped, None, 1.0).item() == pytest.approx(0.8919, abs=5e-5)
    found = mean_cosines(items.mean(0)[None], *(part[None] for part in (t, scale, beta)))
    assert found.item() == pytest.approx(0.4472, abs=5e-5)
    args = items.tolist(), t.tolist(), gamma.tolist(), beta.tolist(), 1.0
    assert by_loops(*args) == pytest.approx(0.8919, abs=5e-5)
    assert by_loops(*args, has_fovea=False) == pytest.approx(0.4472, abs=5e-5)
    assert abs(by_loops(*args, over_channels=True) - 0.8919) > 1e-2  # a softmax over channels


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.1, 10))
def test_identity_a_the_shift_drops_out_of_the_fovea(seed, smooth):
    items, scale, beta = numbers(2, 1, 5, 3, seed=seed), numbers(1, 4, 1, 3, seed=seed + 1), 7.0
    shifted = (smooth * (items * scale + beta)).softmax(2)
    assert torch.allclose(fovea(items, scale, None, smooth), shifted, atol=1e-10)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_identity_b_the_mean_is_the_scaled_weighted_sum_and_the_shift(seed):
    n, scale, beta = (numbers(5, 3, seed=seed), numbers(3, seed=seed + 1), numbers(3, seed=seed + 2))
    m = fovea(n[None, None], scale[None, None, None], None, 2.0)[0, 0]
    mean = (m * (n * scale + beta)).mean(0)
    assert torch.allclose(5 * mean, scale * (m * n).sum(0) + beta, atol=1e-10)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_identity_c_without_a_fovea_the_mean_region_is_all_that_counts(seed):
    items, (t, scale, beta) = numbers(2, 5, 3, seed=seed), numbers(3, 4, 3, seed=seed + 1)
    found = mean_cosines(items.mean(1), t, scale, beta)
    x = (items[:, None] * scale[None, :, None] + beta[None, :, None]).mean(2)  # [2, 4, 3]
    assert torch.allclose(found, torch.cosine_similarity(x, t[None], dim=2), atol=1e-9)
    spread = numbers(2, 1, 3, seed=seed + 9) * torch.tensor([1.0, -1, 0, 2, -2], dtype=torch.float64)[None, :, None]
    assert torch.allclose(mean_cosines((items + spread).mean(1), t, scale, beta), found, atol=1e-9)
    # a fovea sees the difference
    shaped = [part[None, :, None] for part in (t, scale, beta)]
    foveal = [foveal_cosines(some[:, None], *shaped, None, 5.0) for some in (items, items + spread)]
    assert not torch.allclose(*foveal, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_identity_d_a_channel_rises_with_its_scale_from_the_minimum_over_the_mean_to_the_maximum(seed):
    n = numbers(6, seed=seed)
    scales = torch.tensor([-1e4, -3, -1, 0, 0.5, 1, 3, 1e4], dtype=torch.float64)
    m = fovea(n[None, None, :, None], scales[None, None, None], None, 2.0)[0, 0]  # [6, 8]
    value = (m * n[:, None]).sum(0)
    assert (value.diff() >= -1e-12).all()
    ends = [value[0].item(), value[3].item(), value[-1].item()]
    assert ends == pytest.approx([n.min().item(), n.mean().item(), n.max().item()], abs=1e-3)


@torch.no_grad()
def test_the_items_are_standardised_without_padding_and_without_a_scale():
    torch.manual_seed(0)
    layer, mask = StandardItems(7, 5).train(), torch.arange(4)[None] < torch.tensor([4, 1, 3])[:, None]
    made = layer(torch.randn(3, 4, 7), mask)
    rows = made[mask]  # 8 words
    assert torch.allclose(rows.mean(0), torch.zeros(5), atol=1e-5)
    assert torch.allclose(rows.var(0, unbiased=False), torch.ones(5), atol=1e-2)
    assert not made[~mask].any() and not list(layer.norm.parameters())


@torch.no_grad()
def test_attention_is_the_mean_fovea_for_every_word(tiny):
    model = itm.create_model("adapt", tiny, **SMALL).double().eval()
    regions, mask = example()
    captions = Sentences(numbers(4, 4, seed=3), mask)
    weights, channels = model.attention(regions, captions), model.fovea_weights(regions, captions)
    assert channels.shape == (3, 4, 6, 4) and weights.shape == (3, 4, 6, 5)
    assert torch.allclose(weights.sum(2), mask.double().expand(3, 4, 5))
    assert torch.allclose(weights[..., 0], channels.mean(3))
    model.has_fovea = False
    assert torch.allclose(model.attention(regions, captions)[..., 0], torch.full((3, 4, 6), 1 / 6).double())
    with pytest.raises(itm.ItmError, match='make the model with direction="t2i"'):
        itm.create_model("adapt_i2t", tiny, **SMALL).attention(numbers(3, 4), captions)


@pytest.mark.parametrize("name", NAMES)
def test_a_gradient_reaches_every_parameter(tiny, name):
    model = itm.create_model(name, tiny, embed_size=16, word_dim=8)
    assert model.pair_cost == ("product" if name == "adapt_no_fovea" else "network")
    batch = Batch(torch.rand(8, 12, 256), model.tokenize(tiny.train.captions[:40:5]), torch.arange(8))
    model.loss(batch).backward()
    for key, p in model.named_parameters():
        assert p.grad is not None and p.grad.abs().sum() > 0, key
