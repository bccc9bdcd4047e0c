"""DAN: a loop over steps and items on scalars, the worked example, and what each side may depend on."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import itm_tutorial as itm
from itm_tutorial.encoders.memory_attention import MemoryAttention, memory_steps

SMALL = {"embed_size": 5, "word_dim": 4, "hidden_size": 3}


@pytest.fixture
def model(tiny):
    return itm.create_model("dan", tiny, **SMALL).double().eval()


def times(weight, x):
    return [math.fsum(w * y for w, y in zip(row, x, strict=True)) for row in weight.tolist()]


def by_loop(items, start, attend, project=None):
    """The K + 1 vectors of one image or caption, number by number, from the equations."""
    memory, made = list(start), [list(start)]
    for k, step in enumerate(attend):
        logits = []
        for item in items:
            a, b = times(step.item.weight, item), times(step.memory.weight, memory)
            h = [math.tanh(x) * math.tanh(y) for x, y in zip(a, b, strict=True)]
            logits.append(times(step.logit.weight, h)[0])
        total = math.fsum(math.exp(x) for x in logits)
        alpha = [math.exp(x) / total for x in logits]
        out = [math.fsum(a * item[d] for a, item in zip(alpha, items, strict=True)) for d in range(len(items[0]))]
        if project is not None:
            out = [math.tanh(x) for x in times(project[k].weight, out)]
        made.append(out)
        memory = [x + y for x, y in zip(memory, out, strict=True)]
    return made


def mean(items):
    return [math.fsum(column) / len(items) for column in zip(*items, strict=True)]


def score_by_loop(model, feature, states):
    """S of one pair: features [n_regions, dim] and word states [n_words, dim] as lists."""
    regions = []
    for row in feature:
        length = math.sqrt(math.fsum(x * x for x in row))
        regions.append([x / length * math.sqrt(len(row)) for x in row])
    image = model.image_encoder
    start = [math.tanh(x) for x in times(image.project[0].weight, mean(regions))]
    v = by_loop(regions, start, image.attend, image.project[1:])
    u = by_loop(states, mean(states), model.text_encoder.attend)
    return math.fsum(a * b for vk, uk in zip(v, u, strict=True) for a, b in zip(vk, uk, strict=True))


@torch.no_grad()
def test_scores_equal_the_loop(tiny, model):
    captions = tiny.train.captions[:9:2]
    features = torch.rand(3, 4, 256, dtype=torch.float64)
    tokens = model.tokenize(captions)
    states = model.text_encoder.words(tokens.ids, tokens.lengths).words
    real = [states[c, :n].tolist() for c, n in enumerate(tokens.lengths.tolist())]
    expected = torch.tensor([[score_by_loop(model, f, s) for s in real] for f in features.tolist()])
    found = model.similarity(model.encode_images(features), model.encode_captions(captions))
    assert torch.allclose(found, expected.double(), atol=1e-10)
    single = model.float()
    found = single.similarity(single.encode_images(features.float()), single.encode_captions(captions))
    assert torch.allclose(found, expected.float(), atol=1e-5)


def worked(on_the_image=torch.tanh, at_first=torch.tanh):
    """Two regions, two words, every matrix the identity, w_h = (2, -1), K = 2: the sums up to each step."""
    step = MemoryAttention(2, 2, 2).double()
    with torch.no_grad():
        step.item.weight.copy_(torch.eye(2))
        step.memory.weight.copy_(torch.eye(2))
        step.logit.weight.copy_(torch.tensor([[2.0, -1.0]]))
        regions = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]]).double()
        words = torch.tensor([[[1.0, 0.0], [0.0, 0.5]]]).double()
        mask = torch.ones(1, 2, dtype=torch.bool)
        v = memory_steps(regions, mask, at_first(regions.mean(1)), [step, step], [on_the_image] * 2)
        u = memory_steps(words, mask, words.mean(1), [step, step])
    return [(a * b).sum().item() for a, b in zip(v.vectors, u.vectors, strict=True)]


def test_the_worked_example():
    assert worked() == pytest.approx([0.3466, 0.4721, 0.5711], abs=1e-4)
    assert sum(worked()) == pytest.approx(1.3898, abs=1e-4)
    assert sum(worked(lambda x: x)) == pytest.approx(1.5961, abs=1e-4)  # wrong: no tanh of v^k
    assert sum(worked()[1:]) == pytest.approx(1.0432, abs=1e-4)  # the wrong variant: k = 0 left out


@torch.no_grad()
def test_one_product_of_wide_vectors_is_the_sum_over_steps(tiny, model):
    captions = tiny.train.captions[:6]
    features, tokens = torch.rand(3, 4, 256, dtype=torch.float64), model.tokenize(captions)
    v, u = model.image_encoder.steps(features), model.text_encoder.steps(tokens.ids, tokens.lengths)
    summed = sum(a @ b.T for a, b in zip(v.vectors, u.vectors, strict=True))
    wide = model.encode_images(features)
    assert wide.shape == (3, 15) and model.pair_cost == "product"
    assert torch.allclose(model.similarity(wide, model.encode_captions(captions)), summed, atol=1e-7)
    assert torch.allclose(v.weights.sum(2), torch.ones(3, 2).double()) and v.weights.shape == (3, 2, 4)
    ended = torch.arange(tokens.ids.shape[1]) >= tokens.lengths[:, None]
    assert not u.weights.transpose(1, 2)[ended].any()  # no attention on padding


def test_no_weight_is_shared_between_steps(model):
    for side in (model.image_encoder, model.text_encoder):
        one, two = side.attend
        assert all(
            a is not b and not torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True)
        )
    assert len({id(p.weight) for p in model.image_encoder.project}) == 3
    assert not hasattr(model.text_encoder, "project")


@given(st.integers(1, 6), st.integers(0, 3), st.integers(0, 2**20))
@settings(max_examples=25, deadline=None)
def test_padding_adds_nothing_and_order_of_items_does_not_count(n_items, padding, seed):
    generator = torch.Generator().manual_seed(seed)
    items = torch.randn(2, n_items, 3, generator=generator).double()
    start = torch.randn(2, 3, generator=generator).double()
    steps = [MemoryAttention(3, 3, 4).double() for _ in range(2)]
    mask = torch.ones(2, n_items, dtype=torch.bool)
    found = memory_steps(items, mask, start, steps).vectors
    longer = torch.cat([items, torch.randn(2, padding, 3, generator=generator).double()], 1)
    masked = torch.cat([mask, torch.zeros(2, padding, dtype=torch.bool)], 1)
    turned = memory_steps(items.flip(1), mask, start, steps).vectors
    for same in (memory_steps(longer, masked, start, steps).vectors, turned):
        assert all(torch.allclose(a, b, atol=1e-10) for a, b in zip(found, same, strict=True))


def test_uniform_attention_keeps_parameters_and_takes_means(tiny, model):
    uniform = itm.create_model("dan_uniform", tiny, **SMALL).double().eval()
    uniform.load_state_dict(model.state_dict())
    features = torch.rand(2, 4, 256, dtype=torch.float64)
    steps = uniform.image_encoder.steps(features)
    assert torch.allclose(steps.weights, torch.full((2, 2, 4), 0.25).double())
    assert not torch.allclose(uniform.encode_images(features), model.encode_images(features))
    means = itm.create_model("dan_means", tiny, **SMALL)
    assert means.encode_images(features.float()).shape == (2, 5)


def test_the_margin_grows_with_the_width(tiny):
    margins = [itm.create_model("dan", tiny, embed_size=512, steps=k).loss_function.margin for k in (2, 1)]
    assert margins == pytest.approx([100, 200 / 3])
    assert itm.create_model("dan", tiny, margin=7.0).loss_function.margin == 7
