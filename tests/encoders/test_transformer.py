"""The transformers of both sides: a layer by loops, what a token may see, positions, and the end token."""

import math

import pytest
import torch

from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.transformer import (
    ImageTransformer,
    TextTransformer,
    TransformerLayer,
    create_image_transformer,
    sinusoidal_positions,
)
from itm_tutorial.errors import ItmError


def layer_norm(x, norm):
    mean = sum(x) / len(x)
    variance = sum((v - mean) ** 2 for v in x) / len(x)
    parts = zip(x, norm.weight.tolist(), norm.bias.tolist(), strict=True)
    return [(v - mean) / math.sqrt(variance + norm.eps) * g + b for v, g, b in parts]


def linear(x, layer):
    rows = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
    return [sum(w * v for w, v in zip(row, x, strict=True)) + b for row, b in rows]


def gelu(v):
    return v * 0.5 * (1 + math.erf(v / math.sqrt(2)))


def layer_by_loops(layer, tokens, causal):
    """x + attention(LN(x)), then x + MLP(LN(x)), head by head and token by token."""
    width, heads = len(tokens[0]), layer.heads
    size = width // heads
    seen = [linear(layer_norm(x, layer.norm_1), layer.queries_keys_values) for x in tokens]
    out = []
    for i, x in enumerate(tokens):
        mixed = []
        for head in range(heads):
            part = lambda n, which, head=head: seen[n][which * width + head * size :][:size]  # noqa: E731
            others = range(i + 1) if causal else range(len(tokens))
            dots = [sum(a * b for a, b in zip(part(i, 0), part(n, 1), strict=True)) / math.sqrt(size) for n in others]
            total = sum(math.exp(d) for d in dots)
            mixed += [
                sum(math.exp(d) / total * part(n, 2)[k] for n, d in zip(others, dots, strict=True)) for k in range(size)
            ]
        x = [a + b for a, b in zip(x, linear(mixed, layer.out), strict=True)]
        hidden = [gelu(v) for v in linear(layer_norm(x, layer.norm_2), layer.mlp[0])]
        out.append([a + b for a, b in zip(x, linear(hidden, layer.mlp[2]), strict=True)])
    return out


@torch.no_grad()
@pytest.mark.parametrize("causal", [False, True])
def test_a_layer_is_the_loop_over_heads_and_tokens(causal):
    layer, x = TransformerLayer(6, 2).double(), torch.randn(2, 4, 6, dtype=torch.float64)
    for found, tokens in zip(layer(x, causal).tolist(), x.tolist(), strict=True):
        for row, expected in zip(found, layer_by_loops(layer, tokens, causal), strict=True):
            assert row == pytest.approx(expected, abs=1e-10)
    single = layer.float()(x.float(), causal)
    assert torch.allclose(single.double(), layer.double()(x, causal), atol=1e-5)


def test_heads_divide_the_width():
    with pytest.raises(ItmError, match="width is 6 and heads 4"):
        TransformerLayer(6, 4)


@torch.no_grad()
def test_a_caption_is_read_at_its_last_token_whatever_stands_behind_it():
    encoder = TextTransformer(20, 8, 5, depth=2, heads=2).double()
    ids, lengths = torch.tensor([[1, 7, 9, 2, 0, 0]]), torch.tensor([4])
    alone = encoder(ids[:, :4], lengths)
    assert torch.allclose(encoder(ids, lengths), alone, atol=1e-12)
    assert torch.allclose(encoder(torch.tensor([[1, 7, 9, 2, 11, 5]]), lengths), alone, atol=1e-12)  # causal
    assert not torch.allclose(encoder(torch.tensor([[1, 9, 7, 2]]), lengths), alone, atol=1e-3)  # order counts
    assert torch.allclose(alone.norm(dim=1), torch.ones(1).double())
    assert torch.allclose(torch.nn.functional.normalize(encoder.vectors(ids, lengths), dim=1), alone, atol=1e-12)


def test_the_highest_id_finds_the_end_token_in_clip_s_vocabulary_and_a_word_in_ours():
    """CLIP's code takes the state at ids.argmax(), right as long as no id is above that of the end token."""
    vocabulary = Vocabulary.from_captions(["a red van on the beach", "two dogs"])
    tokens = vocabulary.encode(["a red van"])
    last = int(tokens.lengths[0]) - 1
    assert tokens.ids[0, last] == vocabulary.index["<end>"]
    wrong = int(tokens.ids[0].argmax())
    assert wrong != last  # the end token has a low id here
    published = torch.tensor([320, 736, 2915, 49407, 0, 0])  # in CLIP's vocabulary it is the highest
    assert published.argmax() == 3
    more = torch.tensor([320, 49410, 2915, 49407, 0, 0])  # a new token, added to the vocabulary
    assert more.argmax() == 1
    encoder = TextTransformer(len(vocabulary), 8, 5, 1, 2)
    states = encoder.states(tokens.ids)
    assert not torch.allclose(encoder.project(states[:, wrong]), encoder.vectors(tokens.ids, tokens.lengths), atol=1e-3)


def test_positions_are_sines_and_cosines_of_any_number():
    found = sinusoidal_positions(50, 6)
    for i in (0, 1, 7, 49):
        angles = [i * 10_000 ** (-k / 3) for k in range(3)]
        assert found[i].tolist() == pytest.approx([f(a) for f in (math.sin, math.cos) for a in angles], abs=1e-4)
    assert sinusoidal_positions(3, 5).shape == (3, 5)
    assert torch.equal(sinusoidal_positions(9, 6), found[:9])


@torch.no_grad()
def test_tokens_of_pixels_and_cells_have_a_place_and_regions_none():
    for kind, same in (("grid", False), ("regions", True)):
        encoder = ImageTransformer(7, 8, 5, 1, 2, kind).double().eval()
        features = torch.rand(2, 9, 7, dtype=torch.float64)
        order = torch.tensor([8, 1, 2, 3, 4, 5, 6, 7, 0])
        assert torch.allclose(encoder(features[:, order]), encoder(features), atol=1e-8) == same
    pixels = ImageTransformer(0, 8, 5, 1, 2, "pixels", side=16).eval()
    images = torch.rand(2, 3, 32, 32) * 255
    assert pixels.tokens(images).shape == (2, 4, 8)
    assert not torch.allclose(pixels(images), pixels(images.flip(3)), atol=1e-4)
    large = images.repeat_interleave(2, 2).repeat_interleave(2, 3)  # averaged down to the same pixels
    assert torch.allclose(pixels(large), pixels(images), atol=1e-5)


def test_a_side_or_a_grid_that_does_not_fit_is_refused():
    with pytest.raises(ItmError, match="side is 50: give a multiple of 8"):
        ImageTransformer(0, 8, 5, 1, 2, "pixels", side=50)
    with pytest.raises(ItmError, match="grid of 6 cells is no square"):
        ImageTransformer(7, 8, 5, 1, 2, "grid")(torch.rand(1, 6, 7))


def test_one_vector_per_image_is_projected_by_one_linear_map():
    encoder = create_image_transformer("global", 7, 8, 5, 1, 2)
    assert len(list(encoder.parameters())) == 2 and encoder(torch.rand(3, 7)).shape == (3, 5)
    assert isinstance(create_image_transformer("regions", 7, 8, 5, 1, 2), ImageTransformer)
