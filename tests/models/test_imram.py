"""IMRAM: every step is scored with the original words; the memory refines what the next step asks with."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

import itm_tutorial as itm
from itm_tutorial.encoders.text import Words
from itm_tutorial.interaction import pair_tiles, recurrent_attention
from itm_tutorial.interaction.recurrent_attention import Memory
from itm_tutorial.interaction.recurrent_attention import recurrent_attention as attend_in_steps
from itm_tutorial.models import Batch

SMALL = {"embed_size": 6, "word_dim": 8}


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def unit(*shape, seed=0):
    return normalize(numbers(*shape, seed=seed), dim=-1)


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def cosine(a, b):
    return dot(a, b) / math.sqrt(dot(a, a) * dot(b, b))


def updated(memory, x, c):
    """g x + (1 - g) o on Python's floats, with W [x; c] written out."""
    both = memory.of_query.weight.tolist(), memory.of_attended.weight.tolist(), memory.of_query.bias.tolist()
    logits = [dot(left, x) + dot(right, c) + bias for left, right, bias in zip(*both, strict=True)]
    gates = [1 / (1 + math.exp(-v)) for v in logits[: len(x)]]
    contents = [math.tanh(v) for v in logits[len(x) :]]
    return [g * a + (1 - g) * o for g, a, o in zip(gates, x, contents, strict=True)]


def by_loops(queries, keys, n_steps, smooth, memory, refined=False, raw=False):
    """F_1 to F_K of one pair from the equations, on lists of vectors.

    ``refined`` scores the refined query, and ``raw`` attends by products in place of cosines: both are wrong.
    """
    x, found = queries, []
    for _ in range(n_steps):
        ahead = [[max(0.0, dot(q, k) if raw else cosine(q, k)) for k in keys] for q in x]
        lengths = [math.sqrt(sum(row[j] ** 2 for row in ahead)) for j in range(len(keys))]
        attended = []
        for row in ahead:
            weights = [math.exp(smooth * (z / n if n else 0.0)) for z, n in zip(row, lengths, strict=True)]
            alpha = [w / sum(weights) for w in weights]
            attended.append([sum(a * k[d] for a, k in zip(alpha, keys, strict=True)) for d in range(len(keys[0]))])
        found.append(sum(cosine(q, c) for q, c in zip(x if refined else queries, attended, strict=True)) / len(queries))
        if memory is not None:
            x = [updated(memory, q, c) for q, c in zip(x, attended, strict=True)]
    return found


def scores_by_loops(model, regions, words, lengths):
    """S of every pair, one after the other."""
    table = []
    for image in regions.tolist():
        row = []
        for caption, n in zip(words.tolist(), lengths.tolist(), strict=True):
            total = 0.0
            for way in model.ways:
                sides = (caption[:n], image) if way == "t2i" else (image, caption[:n])
                memory = model.memories[way] if model.memories else None
                total += sum(by_loops(*sides, model.steps, model.smooth, memory))
            row.append(total)
        table.append(row)
    return torch.tensor(table, dtype=torch.float64)


@pytest.fixture
def captions():
    lengths = torch.tensor([5, 2, 4, 1])
    mask = torch.arange(5)[None] < lengths[:, None]
    return Words(unit(4, 5, 6, seed=1) * mask[..., None], lengths)


@pytest.fixture
def regions():
    return unit(3, 7, 6, seed=2)


@pytest.mark.parametrize("direction", ["t2i", "i2t", "both"])
@pytest.mark.parametrize("steps", [1, 2, 3, 4])
@torch.no_grad()
def test_scores_equal_the_equations_by_loops(tiny, regions, captions, monkeypatch, direction, steps):
    model = itm.create_model("imram", tiny, **SMALL, direction=direction, steps=steps).eval()
    expected = scores_by_loops(model.double(), regions, *captions)
    for most in (pair_tiles.MOST, 1):  # in one tile, and pair by pair
        monkeypatch.setattr(pair_tiles, "MOST", most)
        assert torch.allclose(model.similarity(regions, captions), expected, atol=1e-10)
    single = model.float().similarity(regions.float(), Words(captions.words.float(), captions.lengths))
    assert torch.allclose(single.double(), expected, atol=1e-5)


def example(refined=False):
    """The fact sheet's example: V = I, two words, lambda 2, W_g = 0, o = tanh(c)."""
    memory = Memory(2).double()
    with torch.no_grad():
        for weight in memory.parameters():
            weight.zero_()
        memory.of_attended.weight[2:] = torch.eye(2)
    words = normalize(torch.tensor([[0.8, 0.6], [0.1, 0.995]], dtype=torch.float64), dim=-1)
    keys = torch.eye(2, dtype=torch.float64)
    return words, keys, memory


@torch.no_grad()
def test_a_small_example_has_its_numbers():
    words, keys, memory = example()
    steps = attend_in_steps(words[None], keys[None], None, None, 3, 2.0, memory).cosines.mean(3).flatten()
    assert steps.tolist() == pytest.approx([0.9772, 0.9725, 0.9686], abs=5e-5)
    assert steps.sum().item() == pytest.approx(2.9183, abs=1e-4)
    wrong = by_loops(words.tolist(), keys.tolist(), 3, 2.0, memory, refined=True)
    assert wrong == pytest.approx([0.9772, 0.9879, 0.9938], abs=5e-5)  # the refined query is no longer the word


@torch.no_grad()
def test_attention_of_later_steps_reads_cosines(captions, regions, tiny):
    model = itm.create_model("imram", tiny, **SMALL).double().eval()
    n = captions.lengths[0]
    args = captions.words[0, :n].tolist(), regions[0].tolist(), 3, 9.0, model.memories["t2i"]
    right, products = by_loops(*args), by_loops(*args, raw=True)
    assert right[0] == pytest.approx(products[0]) and abs(right[1] - products[1]) > 1e-4
    assert model.similarity(regions, captions)[0, 0].item() == pytest.approx(sum(right), abs=1e-10)


@torch.no_grad()
def test_without_an_update_the_score_is_k_times_that_of_one_step(tiny, regions, captions):
    one = itm.create_model("imram", tiny, **SMALL, steps=1).double().eval()
    three = itm.create_model("imram", tiny, **SMALL, memory="none").double().eval()
    assert torch.allclose(three.similarity(regions, captions), 3 * one.similarity(regions, captions), atol=1e-12)


def test_without_an_update_training_is_that_of_a_third_of_the_margin(tiny):
    """The second control: three equal scores with margin 0.2 have three times the loss of one with margin 0.2 / 3."""
    three = itm.create_model("imram", tiny, **SMALL, memory="none", warmup=0.0)
    third, same = (itm.create_model("imram", tiny, **SMALL, steps=1, margin=m, warmup=0.0) for m in (0.2 / 3, 0.2))
    batch = Batch(torch.rand(8, 12, 256), three.tokenize(tiny.train.captions[:40:5]), torch.arange(8))
    for model in (third, same):
        model.load_state_dict(three.state_dict())
    losses = [model.loss(batch) for model in (three, third, same)]
    assert torch.isclose(losses[0], 3 * losses[1], rtol=1e-5)
    assert not torch.isclose(losses[0], 3 * losses[2], rtol=1e-2)


@torch.no_grad()
def test_one_word_attends_to_all_regions_ahead_alike(tiny, regions, captions):
    model = itm.create_model("imram", tiny, **SMALL, steps=1).double().eval()
    weights = model.attention(regions, captions)[0, 3, :, 0]  # caption 3 has one word
    ahead = regions[0] @ captions.words[3, 0] > 0
    assert torch.allclose(weights[ahead], weights[ahead][0].expand(int(ahead.sum())))
    assert torch.isclose(weights[ahead][0] / weights[~ahead][0], torch.tensor(math.exp(9.0), dtype=torch.float64))


@torch.no_grad()
def test_two_steps_make_no_product_of_the_memory_s_size_per_pair(tiny, regions, captions, monkeypatch):
    """With K = 2, W reads each word and each region once; with K = 3 it reads the words of every pair."""
    seen = []
    for steps in (2, 3):
        model = itm.create_model("imram", tiny, **SMALL, steps=steps).double().eval()
        rows = []
        for part in model.memories["t2i"].children():
            part.register_forward_hook(lambda module, given, out, rows=rows: rows.append(out.shape[:-1].numel()))
        model.similarity(regions, captions)
        seen.append(rows)
    n_words, n_regions = 4 * 5, 3 * 7
    assert seen == [[n_words, n_regions], [n_words, n_regions, 3 * n_words]]  # and nothing after the last step


@torch.no_grad()
def test_attention_of_each_step_sums_to_one_and_the_last_is_the_default(tiny, regions, captions):
    model = itm.create_model("imram", tiny, **SMALL).double().eval()
    mask = torch.arange(5)[None] < captions.lengths[:, None]
    steps = [model.attention(regions, captions, step) for step in range(3)]
    for weights in steps:
        assert weights.shape == (3, 4, 7, 5)
        assert torch.allclose(weights.sum(2), mask.double().expand(3, 4, 5))
    assert torch.equal(model.attention(regions, captions), steps[2]) and not torch.allclose(steps[0], steps[2])
    other = itm.create_model("imram_i2t", tiny, **SMALL).double().eval()
    weights = other.attention(regions, captions)
    assert torch.allclose(weights.sum(3), torch.ones(3, 4, 7, dtype=torch.float64))
    assert not weights[:, 1, :, 2:].any()  # padding gets nothing


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4))
@torch.no_grad()
def test_the_order_of_regions_and_of_words_does_not_count(seed, steps):
    torch.manual_seed(seed)
    memory, words, keys = Memory(5).double(), unit(2, 4, 5, seed=seed), unit(3, 6, 5, seed=seed + 1)
    found = attend_in_steps(words, keys, None, None, steps, 9.0, memory).cosines
    turned = attend_in_steps(words.flip(1), keys.roll(2, 1), None, None, steps, 9.0, memory).cosines
    assert torch.allclose(turned.flip(3), found, atol=1e-10)
    assert found.abs().max() <= 1 + 1e-12


def test_a_gradient_reaches_every_parameter(tiny):
    model = itm.create_model("imram_both", tiny, **SMALL)
    batch = Batch(torch.rand(8, 12, 256), model.tokenize(tiny.train.captions[:40:5]), torch.arange(8))
    model.loss(batch).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


@torch.no_grad()
def test_a_zero_word_has_score_zero():
    steps = attend_in_steps(torch.zeros(1, 2, 3), torch.eye(3)[None], None, None, 1, 9.0, None)
    assert not steps.cosines.any() and recurrent_attention.EPS > 0
