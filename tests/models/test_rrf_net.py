"""RRF-Net: the whole encoder by loops over numbers, the tiny example of its states, and what the variants change."""

import math

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.models import Batch
from itm_tutorial.models.rrf_net import RecurrentResidual


def small(corpus, name="rrf_net", **options):
    return itm.create_model(name, corpus, embed_size=6, hidden=8, **options)


def linear(x, layer):
    rows = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
    return [sum(w * v for w, v in zip(row, x, strict=True)) + bias for row, bias in rows]


def norm(x, layer):
    parts = (part.tolist() for part in (layer.running_mean, layer.running_var, layer.weight, layer.bias))
    return [(v - m) / math.sqrt(var + layer.eps) * g + b for v, m, var, g, b in zip(x, *parts, strict=True)]


def relu(x):
    return [max(0.0, v) for v in x]


def by_loop(encoder, x):
    """One feature -> its embedding, in evaluation: running means and variances."""
    norm_in, first, _, _, second, norm_0, _ = encoder.first
    x = [v / math.sqrt(sum(u * u for u in x) / len(x)) for v in x]
    h = relu(norm(linear(relu(linear(norm(x, norm_in), first)), second), norm_0))
    states = []
    for step in range(4):
        added = relu(norm(linear(h, encoder.layers[0]), encoder.norms[step]))
        h = [a + b for a, b in zip(h, added, strict=True)]
        states.append(h)
    weights = encoder.weights.tolist()
    fused = [sum(a * s[d] for a, s in zip(weights, states, strict=True)) + encoder.shift.item() for d in range(len(h))]
    one = encoder.fusion_norm
    scale = one.weight.item() / math.sqrt(one.running_var.item() + one.eps)
    z = relu([(v - one.running_mean.item()) * scale + one.bias.item() for v in fused])
    found = norm(linear(z, encoder.last[0]), encoder.last[1])
    length = math.sqrt(sum(v * v for v in found))
    return [v / length for v in found]


def test_the_encoder_equals_the_loop():
    encoder = RecurrentResidual(5, 8, 6, 4, "shared", "all", 0.0).double()
    for _ in range(3):
        encoder(torch.randn(9, 5).double())  # so that running means and variances are no longer 0 and 1
    torch.nn.init.normal_(encoder.weights), torch.nn.init.normal_(encoder.shift)
    features = torch.randn(4, 5).double()
    found = encoder.eval()(features)
    assert found.tolist() == [pytest.approx(by_loop(encoder, x), abs=1e-10) for x in features.tolist()]


@torch.no_grad()
def plain(layers="shared", fusion="all"):
    """W = 1, b = 0 and no batch normalisation, on one number."""
    encoder = RecurrentResidual(1, 1, 1, 4, layers, fusion, 0.0)
    encoder.norms = torch.nn.ModuleList(torch.nn.Identity() for _ in encoder.norms)
    for layer in encoder.layers:
        layer.weight.fill_(1), layer.bias.zero_()
    return encoder


def test_the_tiny_example_of_four_states():
    start, encoder = torch.ones(1, 1), plain()
    states = encoder.states(start)
    assert states[0, :, 0].tolist() == [2, 4, 8, 16]
    assert encoder.fuse(states).item() == pytest.approx(7.5)
    with_start = torch.cat([start[:, None], states], 1).mean()
    assert with_start.item() == pytest.approx(6.2)  # h_0 in the fusion: another network
    assert plain(fusion="last").fuse(states).item() == 16
    single = plain("single")
    assert single.states(start)[0, :, 0].tolist() == [1]  # one layer, without the sum


def test_the_weights_are_shared_and_batch_normalisation_is_not(tiny):
    n_numbers = {
        name: sum(w.numel() for w in small(tiny, name).image_encoder.parameters())
        for name in ("rrf_net", "rrf_net_unshared", "rrf_net_last", "rrf_net_single")
    }
    of_layer, of_norm = 6 * 6 + 6, 2 * 6
    assert n_numbers["rrf_net_unshared"] == n_numbers["rrf_net"] + 3 * of_layer
    assert n_numbers["rrf_net_last"] == n_numbers["rrf_net"] - 3  # of the fusion
    assert n_numbers["rrf_net_single"] == n_numbers["rrf_net"] - 3 - 3 * of_norm
    encoder = small(tiny).image_encoder
    assert len(encoder.layers) == 1 and len({id(norm) for norm in encoder.norms}) == 4


def test_a_batch_of_one_pair_can_be_trained_on(tiny):
    model = small(tiny).train()
    loss = model.loss(Batch(torch.rand(1, 512), model.tokenize(["a red car"]), torch.tensor([0])))
    loss.backward()
    assert loss.isfinite()
