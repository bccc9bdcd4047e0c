"""CSE: the local term against a loop, what its weight switches, which layers it reaches, padding and resizing."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

import itm_tutorial as itm
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.convolutional import CELLS, ImageConvolutions, TextConvolutions
from itm_tutorial.models import Batch, FeatureSpec, build_model
from itm_tutorial.models.cse import local_scores

WORDS = [f"word{i}" for i in range(9)]
CAPTIONS = ["word1 word2", "word3", "word4 word5 word6 word7 word8", "word0 word2 word4"]


def made(**options):
    torch.manual_seed(0)
    sizes = {"embed_size": 7, "word_dim": 6, "side": 48}
    return build_model("cse", Vocabulary(WORDS), FeatureSpec("pixels"), **{**sizes, **options}).double()


def batch_of(model, captions=CAPTIONS):
    images = torch.rand(len(captions), 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 255
    return Batch(images, model.tokenize(captions), torch.arange(len(captions)))


def local_oracle(cells, windows, lengths):
    """The local score, pair by pair: for each window the best cosine with a cell; then the mean over the windows."""
    scores = []
    for image in cells.tolist():
        row = []
        for caption, n in zip(windows.tolist(), lengths, strict=True):
            best = [max(math.fsum(a * b for a, b in zip(t, r, strict=True)) for r in image) for t in caption[:n]]
            row.append(math.fsum(best) / n)
        scores.append(row)
    return torch.tensor(scores, dtype=torch.float64)


@given(n=st.integers(1, 4), lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5), seed=st.integers(0, 99))
@settings(max_examples=40)
def test_the_local_term_is_that_of_a_loop(n, lengths, seed):
    torch.manual_seed(seed)
    cells = normalize(torch.randn(n, 5, 3, dtype=torch.float64), dim=-1)
    windows = normalize(torch.randn(len(lengths), max(lengths) + 2, 3, dtype=torch.float64), dim=-1)
    mask = torch.arange(windows.shape[1])[None] < torch.tensor(lengths)[:, None]
    found, expected = local_scores(cells, windows, mask), local_oracle(cells, windows, lengths)
    assert torch.allclose(found, expected, atol=1e-10)
    assert torch.allclose(local_scores(cells.float(), windows.float(), mask), expected.float(), atol=1e-6)
    without_mask = local_scores(cells, windows, torch.ones_like(mask))
    assert not torch.allclose(without_mask, expected, atol=1e-6)  # padding would count as words


def conv_oracle(tower, ids):
    """The layers of the text network for one caption, position by position."""
    x = [tower.words.weight[i].tolist() for i in ids]
    layers = []
    for layer in tower.convolutions:
        weight, bias, width = layer.weight.tolist(), layer.bias.tolist(), len(x[0])
        at = lambda i, x=x, width=width: x[i] if 0 <= i < len(x) else [0.0] * width  # noqa: E731
        x = [
            [
                max(
                    0.0, bias[m] + math.fsum(weight[m][d][k] * at(i + k - 1)[d] for d in range(width) for k in range(3))
                )
                for m in range(len(bias))
            ]
            for i in range(len(x))
        ]
        layers.append(x)
    highest = [max(position[m] for position in x) for m in range(len(x[0]))]
    weight, bias = tower.project.weight.tolist(), tower.project.bias.tolist()
    out = [b + math.fsum(w * h for w, h in zip(row, highest, strict=True)) for row, b in zip(weight, bias, strict=True)]
    norm = math.sqrt(math.fsum(v * v for v in out))
    return [v / norm for v in out], layers


@torch.no_grad()
def test_the_text_network_is_a_loop_over_positions_and_knows_no_padding():
    model = made().eval()
    tokens = model.tokenize(CAPTIONS)
    embeddings, layers = model.text_network(tokens.ids, tokens.lengths)
    for row, n in enumerate(tokens.lengths.tolist()):
        expected, of_layers = conv_oracle(model.text_network, tokens.ids[row, :n].tolist())
        assert torch.allclose(embeddings[row], torch.tensor(expected, dtype=torch.float64), atol=1e-10)
        for layer, own in zip(layers, of_layers, strict=True):
            assert torch.allclose(layer[row, :n], torch.tensor(own, dtype=torch.float64), atol=1e-10)
            assert not layer[row, n:].any()


def test_without_its_weight_the_loss_is_exactly_the_global_one():
    with_local, without = made(), made(local_weight=0.0)
    assert not [name for name in without.state_dict() if name.startswith(("cells", "windows"))]
    same = {name: weight for name, weight in with_local.state_dict().items() if name in without.state_dict()}
    without.load_state_dict(same)
    both, alone = with_local.loss(batch_of(with_local)), without.loss(batch_of(without))
    assert list(alone) == ["global"] and list(both) == ["global", "local"]
    assert both["global"].item() == alone["global"].item() and both["local"].item() > 0
    twice = made(local_weight=2.0)
    twice.load_state_dict(with_local.state_dict())
    assert twice.loss(batch_of(twice))["local"].item() == pytest.approx(2 * both["local"].item(), rel=1e-12)


@pytest.mark.parametrize(("image_layer", "text_layer"), [(2, 2), (1, 3), (3, 1)])
def test_the_local_gradient_reaches_the_first_convolutions_and_nothing_above_its_layers(image_layer, text_layer):
    model = made(image_layer=image_layer, text_layer=text_layer)
    model.loss(batch_of(model))["local"].backward()
    reached = {name for name, weight in model.named_parameters() if weight.grad is not None and weight.grad.any()}
    for number in range(3):
        assert (f"image_network.blocks.{number}.0.weight" in reached) == (number < image_layer)
        assert (f"text_network.convolutions.{number}.weight" in reached) == (number < text_layer)
    assert {"text_network.words.weight", "cells.weight", "windows.weight"} <= reached
    assert not reached & {"image_network.project.weight", "text_network.project.weight"}


@torch.no_grad()
def test_larger_images_are_averaged_down_and_every_layer_has_the_same_cells():
    network = ImageConvolutions(32, 5).double().eval()
    small = torch.rand(2, 3, 32, 32, dtype=torch.float64) * 255
    large = small.repeat_interleave(3, 2).repeat_interleave(3, 3)  # each pixel as a square of nine
    (one, layers), (two, _) = network(small), network(large)
    assert torch.allclose(one, two, atol=1e-10) and torch.allclose(one.norm(dim=1), torch.ones(2).double())
    assert [tuple(layer.shape) for layer in layers] == [(2, CELLS**2, n) for n in (24, 48, 96)]
    assert not torch.allclose(network(small.flip(3))[1][0], layers[0])  # cells know where they are


@torch.no_grad()
def test_a_layer_sees_three_then_five_then_seven_words():
    network = TextConvolutions(12, 6, 5).double()
    ids = torch.tensor([[1, 2, 3, 4, 5, 6, 7, 8, 9]])
    other = ids.clone()
    other[0, 4] = 11
    lengths = torch.tensor([9])
    torch.nn.init.normal_(network.words.weight)
    changed = [(a != b).any(-1)[0] for a, b in zip(network(ids, lengths)[1], network(other, lengths)[1], strict=True)]
    for reach, positions in enumerate(changed, start=1):
        outside = [i for i in range(9) if abs(i - 4) > reach]
        assert not positions[outside].any() and positions[4]


def test_the_gru_has_no_layers_to_compare():
    model = made(sentence="gru", local_weight=0.0)
    losses = model.loss(batch_of(model))
    assert list(losses) == ["global"] and losses["global"] > 0
    with pytest.raises(itm.ItmError, match="GRU has no middle layers.*local_weight=0"):
        made(sentence="gru")


@pytest.mark.parametrize("name", ["image_layer", "text_layer"])
def test_a_layer_that_does_not_exist_is_refused(name):
    with pytest.raises(itm.ItmError, match=f"{name} is 4; give a layer from 1 to 3"):
        made(**{name: 4})
