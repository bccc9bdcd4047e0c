"""VSRN: a layer of reasoning by loops, where it is the identity, the order of the GRU, and the two losses."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

import itm_tutorial as itm
from itm_tutorial.encoders.region_reasoning import ReasonedImage, RegionReasoning
from itm_tutorial.errors import ItmError
from itm_tutorial.models import Batch

SMALL = {"embed_size": 6, "word_dim": 8}


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def trained_layer(dim, affinity="mean"):
    """A layer whose normalisation is no longer zero."""
    layer = RegionReasoning(dim, affinity).double().eval()
    for part, seed in zip((layer.norm.weight, layer.norm.bias), (1, 2), strict=True):
        part.data = numbers(dim, seed=seed)
    layer.norm.running_mean.copy_(numbers(dim, seed=3))
    layer.norm.running_var.copy_(numbers(dim, seed=4).square() + 0.5)
    return layer


def layer_by_loop(layer, v):
    """V* of one image, number by number."""
    maps = {name: getattr(layer, name) for name in ("phi", "psi", "message", "out")}

    def linear(name, x):
        rows = zip(maps[name].weight.tolist(), maps[name].bias.tolist(), strict=True)
        return [sum(w * number for w, number in zip(row, x, strict=True)) + b for row, b in rows]

    n = len(v)
    phi, psi, messages = ([linear(name, row) for row in v] for name in ("phi", "psi", "message"))
    norm = layer.norm
    parts = [part.tolist() for part in (norm.running_mean, norm.running_var, norm.weight, norm.bias)]
    new = []
    for i in range(n):
        r = [sum(a * b for a, b in zip(phi[i], psi[j], strict=True)) / n for j in range(n)]
        heard = linear("out", [sum(r[j] * messages[j][d] for j in range(n)) for d in range(len(v[0]))])
        rows = zip(heard, *parts, v[i], strict=True)
        new.append([(h - m) / (var + norm.eps) ** 0.5 * g + b + old for h, m, var, g, b, old in rows])
    return new


def plain(layer):
    """A layer whose maps are all the identity, without normalisation."""
    for linear in (layer.phi, layer.psi, layer.message, layer.out):
        torch.nn.init.eye_(linear.weight)
        torch.nn.init.zeros_(linear.bias)
    layer.norm = torch.nn.Identity()
    return layer.double()


@torch.no_grad()
def test_a_layer_equals_the_loop():
    layer, regions = trained_layer(5), numbers(3, 4, 5)
    expected = torch.tensor([layer_by_loop(layer, image) for image in regions.tolist()], dtype=torch.float64)
    assert torch.allclose(layer(regions), expected, atol=1e-10)
    assert torch.allclose(layer.float()(regions.float()), expected.float(), atol=1e-5)


@torch.no_grad()
def test_the_tiny_example_tells_the_division_from_a_softmax():
    regions = torch.tensor([[[1.0, 0.0], [0.0, 2.0]]], dtype=torch.float64)
    assert plain(RegionReasoning(2))(regions).tolist() == [[[1.5, 0.0], [0.0, 6.0]]]
    softmax = plain(RegionReasoning(2, "softmax"))(regions)
    assert torch.allclose(softmax, torch.tensor([[[1.73, 0.54], [0.02, 3.96]]]).double(), atol=0.006)
    assert plain(RegionReasoning(2, "own"))(regions).tolist() == [[[2.0, 0.0], [0.0, 4.0]]]


@torch.no_grad()
def test_a_new_layer_changes_nothing_in_training_or_evaluation():
    layer, regions = RegionReasoning(5), torch.randn(3, 4, 5)
    assert torch.equal(layer(regions), regions) and torch.equal(layer.eval()(regions), regions)
    usual = RegionReasoning(5)
    torch.nn.init.ones_(usual.norm.weight)
    assert not torch.allclose(usual(regions), regions, atol=1e-2)  # the usual start does change it


@pytest.mark.parametrize(("affinity", "travels"), [("mean", True), ("softmax", True), ("own", False)])
def test_a_change_of_one_region_reaches_the_others(affinity, travels):
    layer, regions = trained_layer(5, affinity), numbers(1, 4, 5)
    changed = regions.clone()
    changed[0, 3] += 1
    moved = (layer(changed) - layer(regions)).abs().amax(2)[0]
    assert moved[3] > 1e-6 and bool((moved[:3] > 1e-6).all()) is travels


@given(st.permutations(range(5)), st.integers(0, 2))
@torch.no_grad()
def test_reasoning_and_mean_have_no_order_and_the_gru_has(order, layers):
    features = numbers(2, 5, 7)
    for pool, order_of_gru in (("mean", "confidence"), ("gru", "shuffled"), ("gru", "confidence")):
        torch.manual_seed(0)
        encoder = ReasonedImage(7, 6, layers, pool, order_of_gru, "mean").double().eval()
        same = torch.allclose(encoder(features[:, order]), encoder(features), atol=1e-9)
        assert same or (pool, order_of_gru) == ("gru", "confidence")
        if (pool, order_of_gru) == ("gru", "confidence") and order != list(range(5)):
            assert not same


@torch.no_grad()
def test_lengths_are_taken_over_numbers_not_over_regions():
    encoder = ReasonedImage(2, 2, 0, "mean", "confidence", "mean").eval()
    torch.nn.init.eye_(encoder.project.project.weight)
    features = torch.tensor([[[3.0, 0.0], [4.0, 1.0]]])
    regions = encoder.project(features)
    assert torch.allclose(regions.norm(dim=2), torch.ones(1, 2))
    wrong = normalize(features, dim=1)  # the mistake of the public code
    assert torch.allclose(wrong, torch.tensor([[[0.6, 0.0], [0.8, 1.0]]]))
    assert not torch.allclose(regions, wrong, atol=0.1)


@torch.no_grad()
def test_the_shuffled_order_does_not_depend_on_the_batch():
    encoder, features = ReasonedImage(7, 6, 1, "gru", "shuffled", "mean").eval(), torch.randn(6, 5, 7)
    alone = torch.cat([encoder(image[None]) for image in features])
    assert torch.allclose(encoder(features), alone, atol=1e-6)


def test_the_loss_has_two_parts_and_writing_can_be_left_out(tiny):
    tokens_of = {}
    for name in ("vsrn", "vsrn_match"):
        model = itm.create_model(name, tiny, **SMALL).double().eval()
        batch = Batch(torch.rand(4, 12, 256), model.tokenize(tiny.train.captions[:20:5]), torch.arange(4))
        images, captions = model.encode_images(batch), model.encode_captions(batch)
        parts, tokens_of[name] = model.loss(batch), batch.captions
        assert torch.isclose(
            parts["match"], model.loss_function(images[:, :6] @ captions.T, batch.positives), atol=1e-12
        )
        if name == "vsrn_match":
            assert set(parts) == {"match"}
            with pytest.raises(ItmError, match="write_weight above 0"):
                model.next_tokens(images, torch.zeros(4, 0, dtype=torch.int64))
            continue
        one_by_one = [
            model.decoder(model.decoder_input(images[i : i + 1]), batch.captions.ids[i : i + 1], lengths[None])
            for i, lengths in enumerate(batch.captions.lengths)
        ]
        assert torch.isclose(parts["write"], -torch.cat(one_by_one).mean(), atol=1e-10)
        words = model.next_words(images, torch.zeros(4, 0, dtype=torch.int64)).exp()
        assert torch.all(words.sum(1) <= 1 + 1e-9)


def test_the_ablations_are_variants(tiny):
    parts = {}
    for name in ("vsrn", "vsrn_mean", "vsrn_reasoning", "vsrn_gru", "vsrn_match"):
        encoder = itm.create_model(name, tiny, **SMALL).image_encoder
        parts[name] = (len(encoder.layers), encoder.gru is not None)
    assert parts == {
        "vsrn": (4, True),
        "vsrn_mean": (0, False),
        "vsrn_reasoning": (4, False),
        "vsrn_gru": (0, True),
        "vsrn_match": (4, True),
    }
