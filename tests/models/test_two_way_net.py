"""2WayNet: both directions with W and W.T by loops, the loss part by part, what is tied, and dropout."""

import math

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.encoders.tied import SLOPE, TiedNet
from itm_tutorial.models import Batch


def small(corpus, name="two_way_net", **options):
    return itm.create_model(name, corpus, embed_size=6, hidden=8, **options)


def layer_by_loop(x, weight, bias, norm):
    made = [sum(w * v for w, v in zip(row, x, strict=True)) + b for row, b in zip(weight, bias, strict=True)]
    if norm is None:
        return made
    parts = (part.tolist() for part in (norm.running_mean, norm.running_var, norm.weight, norm.bias))
    made = [(v - m) / math.sqrt(var + norm.eps) * g + b for v, m, var, g, b in zip(made, *parts, strict=True)]
    return [v if v > 0 else SLOPE * v for v in made]


def forth_by_loop(net, x):
    found = []
    for weight, bias, norm in zip(net.weights, net.biases[0], [*net.norms[0], None], strict=True):
        x = layer_by_loop(x, weight.tolist(), bias.tolist(), norm)
        found.append(x)
    return found


def back_by_loop(net, y):
    found = []
    for number, weight in enumerate([net.weights[3], net.weights[2], net.weights[1], net.weights[0]]):
        transposed = [list(column) for column in zip(*weight.tolist(), strict=True)]
        norm = net.norms[1][number] if number < 3 else None
        y = layer_by_loop(y, transposed, net.biases[1][number].tolist(), norm)
        found.append(y)
    return found


def trained_a_little(net, x_dim, y_dim):
    """Running means and variances, scales and biases that are no longer 0 and 1."""
    for _ in range(3):
        net(torch.randn(9, x_dim).double()), net(torch.randn(9, y_dim).double(), True)
    for weight in net.parameters():
        if weight.ndim == 1:
            torch.nn.init.uniform_(weight, 0.5, 1.5)
    return net.eval()


def test_both_directions_equal_the_loops():
    net = trained_a_little(TiedNet([5, 4, 3, 4, 2]).double(), 5, 2)
    x, y = torch.randn(3, 5).double(), torch.randn(3, 2).double()
    for found, loop, rows in ((net(x), forth_by_loop, x), (net(y, True), back_by_loop, y)):
        for row, layers in zip(rows.tolist(), zip(*found, strict=True), strict=True):
            for layer, expected in zip(layers, loop(net, row), strict=True):
                assert layer.tolist() == pytest.approx(expected, abs=1e-10)


def pieces_of_loss(model, x, y):
    """The loss from the equation, in evaluation, with sums over units."""
    ways = [(forth_by_loop(model.net, a), back_by_loop(model.net, b)) for a, b in zip(x, y, strict=True)]
    n = len(x)

    def far(a, b):
        return sum((p - q) ** 2 for p, q in zip(a, b, strict=True))

    def pull(h):
        c = [[sum(row[a] * row[b] for row in h) / n for b in range(len(h[0]))] for a in range(len(h[0]))]
        whole = math.sqrt(sum(v * v for row in c for v in row))
        return whole - math.sqrt(sum(c[a][a] ** 2 for a in range(len(c))))

    scales = [g for way in model.net.norms for norm in way for g in norm.weight.tolist()]
    parts = {"prediction": sum(far(a, w[1][3]) + far(b, w[0][3]) for a, b, w in zip(x, y, ways, strict=True)) / n}
    parts["match"] = 0.25 * sum(far(w[0][1], w[1][1]) for w in ways) / n
    parts["decorrelation"] = 0.5 * (pull([w[0][1] for w in ways]) + pull([w[1][1] for w in ways]))
    return parts | {"scale": 0.05 * sum(1 / g**2 for g in scales)}


def test_every_part_of_the_loss_equals_the_loops(tiny):
    model = small(tiny).double()
    x_dim, y_dim = model.net.weights[0].shape[1], model.net.weights[3].shape[0]
    trained_a_little(model.net, x_dim, y_dim)
    model.eval()
    x, y = torch.randn(4, x_dim).double(), torch.randn(4, y_dim).double()
    expected = pieces_of_loss(model, x.tolist(), y.tolist())
    found = model.pair_loss(x, y)
    assert {name: part.item() for name, part in found.items()} == pytest.approx(expected, abs=1e-9)


def test_exchanged_views_and_transposed_weights_give_the_same_loss(tiny):
    model = small(tiny).double()
    x_dim, y_dim = model.net.weights[0].shape[1], model.net.weights[3].shape[0]
    trained_a_little(model.net, x_dim, y_dim)
    x, y = torch.randn(4, x_dim).double(), torch.randn(4, y_dim).double()
    expected = sum(model.eval().pair_loss(x, y).values())
    net = model.net
    net.weights = torch.nn.ParameterList(weight.detach().T for weight in reversed(net.weights))
    net.biases = torch.nn.ModuleList(reversed(list(net.biases)))
    net.norms = torch.nn.ModuleList(reversed(list(net.norms)))
    assert sum(model.pair_loss(y, x).values()).item() == pytest.approx(expected.item(), abs=1e-9)


def test_each_variant_leaves_one_part_out(tiny):
    parts = {"prediction", "match", "decorrelation", "scale"}
    left_out = {
        "two_way_net": set(),
        "two_way_net_plain": {"scale"},
        "two_way_net_free_scale": {"scale"},
        "two_way_net_correlated": {"decorrelation"},
    }
    for name, missing in left_out.items():
        model = small(tiny, name)
        batch = Batch(torch.rand(3, 512), model.tokenize(tiny.train.captions[:15:5]), torch.arange(3))
        assert set(model.loss(batch)) == parts - missing
        assert bool([m for m in model.net.modules() if isinstance(m, torch.nn.BatchNorm1d)]) == (
            name != "two_way_net_plain"
        )


def test_dropout_hides_the_same_numbers_in_both_channels_and_divides_by_the_root(tiny):
    model = small(tiny, dropout=0.75).train()
    x, y = torch.randn(50, 512), torch.randn(50, model.net.weights[3].shape[0])
    masks = model.masks(x)
    assert [mask.shape[1] for mask in masks] == [8, 6, 8]
    assert {value for mask in masks for value in mask.unique().tolist()} == {0.0, 2.0}  # 1 / sqrt(1 - p), not 4
    forth, back = model.net(x, False, masks), model.net(y, True, masks)
    for hidden, other, mask in zip(forth[:3], back[2::-1], masks, strict=True):
        assert torch.equal(hidden == 0, mask == 0) and torch.equal(other == 0, mask == 0)
    assert model.eval().masks(x) is None


def test_a_score_is_a_correlation(tiny):
    model = small(tiny).eval()
    images, captions = torch.rand(3, 512), model.tokenize(tiny.train.captions[:15:5])
    scores = model.similarity(model.encode_images(images), model.encode_captions(captions))
    normalised = torch.nn.functional.normalize(images, dim=1)
    h_x = model.middle(normalised, False)
    h_y = model.middle(model.words(captions.ids, captions.lengths), True)
    expected = torch.corrcoef(torch.cat([h_x, h_y]))[:3, 3:]
    assert torch.allclose(scores, expected, atol=1e-5)


def test_two_captions_of_an_image_and_one_pair_alone_can_be_trained_on(tiny):
    model = small(tiny).train()
    for image_of in ([0, 0, 1], [0, 0], [0]):
        captions = model.tokenize(tiny.train.captions[: len(image_of)])
        loss = sum(model.loss(Batch(torch.rand(max(image_of) + 1, 512), captions, torch.tensor(image_of))).values())
        loss.backward()
        assert loss.isfinite() and all(weight.grad.isfinite().all() for weight in model.net.weights)
