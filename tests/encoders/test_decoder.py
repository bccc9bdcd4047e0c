"""The caption decoder against a loop on Python numbers, one image, one caption and one step at a time."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from itm_tutorial.encoders.decoder import FIRST_WRITTEN, CaptionDecoder
from itm_tutorial.encoders.prefixes import prefix_levels
from itm_tutorial.errors import ItmError

N_WORDS = 9
IDS = torch.tensor([[1, 5, 6, 7, 2], [1, 8, 2, 0, 0], [1, 5, 6, 2, 0], [1, 5, 3, 4, 2], [1, 8, 2, 0, 0]])
LENGTHS = torch.tensor([5, 3, 4, 5, 3])


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def affine(layer, x):
    biases = [0.0] * layer.out_features if layer.bias is None else layer.bias.tolist()
    rows = zip(layer.weight.tolist(), biases, strict=True)
    return [sum(a * b for a, b in zip(row, x, strict=True)) + bias for row, bias in rows]


def loop(decoder, image, ids, start=False, stop=True):
    """log P of one caption (ids without padding) from the equations; <start> scored or stop forgotten if asked."""
    dim = decoder.recurrent.in_features
    output, cell, total = [0.0] * dim, [0.0] * dim, 0.0

    def step(x):
        nonlocal output, cell
        gates = [a + b for a, b in zip(affine(decoder.input, x), affine(decoder.recurrent, output), strict=True)]
        i, f, o, u = (gates[k * dim : (k + 1) * dim] for k in range(4))
        cell = [sigmoid(f[k]) * cell[k] + sigmoid(i[k]) * math.tanh(u[k]) for k in range(dim)]
        output = [sigmoid(o[k]) * (math.tanh(cell[k]) if decoder.squash else cell[k]) for k in range(dim)]

    def log_prob(token):
        values = affine(decoder.output, output)
        return values[token - FIRST_WRITTEN] - math.log(sum(math.exp(value) for value in values))

    step(image)
    if start:  # the wrong variant: <start> has no output, so <end> stands in for it
        total += log_prob(FIRST_WRITTEN)
    for now, then in zip(ids[:-1], ids[1:], strict=True):
        step(decoder.words.weight[now].tolist())
        if stop or then != 2:
            total += log_prob(then)
    return total


def make(cell="standard", seed=0):
    torch.manual_seed(seed)
    decoder = CaptionDecoder(N_WORDS, 3, 4, cell).double()
    for weight in decoder.parameters():
        torch.nn.init.uniform_(weight, -1, 1)
    return decoder, torch.randn(2, 3, dtype=torch.float64)


@pytest.mark.parametrize("cell", ["standard", "paper"])
def test_all_pairs_equal_the_double_loop(cell):
    decoder, images = make(cell)
    expected = [
        [loop(decoder, image, row[:n]) for row, n in zip(IDS.tolist(), LENGTHS, strict=True)]
        for image in images.tolist()
    ]
    expected = torch.tensor(expected, dtype=torch.float64)
    assert torch.allclose(decoder.pairs(images, IDS, LENGTHS), expected, atol=1e-10)
    one_each = torch.stack([decoder(image.expand(len(IDS), -1), IDS, LENGTHS) for image in images])
    assert torch.allclose(one_each, expected, atol=1e-10)


def test_one_softmax_per_token_in_float32_too():
    decoder, images = make()
    expected = decoder.pairs(images, IDS, LENGTHS)
    decoder = decoder.float()
    assert torch.allclose(decoder.pairs(images.float(), IDS, LENGTHS).double(), expected, atol=1e-5)
    assert torch.allclose(decoder(images[:1].float().expand(5, -1), IDS, LENGTHS).double(), expected[0], atol=1e-5)


@pytest.mark.parametrize("stop, start, expected", [(True, False, -5.493), (False, False, -4.394), (True, True, -6.592)])
def test_the_example_of_a_uniform_network(stop, start, expected):
    decoder = CaptionDecoder(5, 3, 4).double()  # it may write <end>, <unk> or the one word
    torch.nn.init.zeros_(decoder.output.weight)
    ids = [1, 4, 4, 4, 4, 2]
    assert loop(decoder, [0.1, 0.2, 0.3], ids, start, stop) == pytest.approx(expected, abs=5e-4)
    found = decoder(torch.ones(1, 3).double(), torch.tensor([ids]), torch.tensor([6])).item()
    assert (found == pytest.approx(expected, abs=5e-4)) is (stop and not start)


@pytest.mark.parametrize("cell, expected", [("paper", 1.0), ("standard", 0.482)])
def test_the_example_of_a_cell(cell, expected):
    decoder = CaptionDecoder(5, 1, 1, cell)
    gates = torch.tensor([[-50.0, 50.0, 0.0, 0.0]])  # nothing comes in, all is kept, o = 0.5
    decoder.recurrent.weight.data.zero_()
    state = decoder.step(gates, type(decoder.begin(torch.zeros(1, 1)))(torch.zeros(1, 1), torch.full((1, 1), 2.0)))
    assert state.output.item() == pytest.approx(expected, abs=5e-4)


def test_the_paper_s_cell_has_no_biases():
    assert CaptionDecoder(N_WORDS, 3, 4, "paper").input.bias is None
    assert CaptionDecoder(N_WORDS, 3, 4).input.bias.shape == (16,)
    with pytest.raises(ItmError, match="unknown cell 'papr': did you mean 'paper'"):
        CaptionDecoder(N_WORDS, 3, 4, "papr")


@given(word=st.integers(0, N_WORDS - 1), more=st.integers(0, 3))
@settings(max_examples=20)
def test_whatever_the_padding_word_scores_do_not_change(word, more):
    decoder, images = make()
    padded = torch.full((len(IDS), IDS.shape[1] + more), word)
    for row, (ids, n) in enumerate(zip(IDS, LENGTHS, strict=True)):
        padded[row, :n] = ids[:n]
    before = decoder.pairs(images, IDS, LENGTHS)
    assert torch.allclose(decoder.pairs(images, padded, LENGTHS), before, atol=1e-10)
    assert torch.allclose(decoder(images[:1].expand(5, -1), padded, LENGTHS), before[0], atol=1e-10)


def test_what_follows_a_prefix_sums_to_one_and_along_a_caption_to_its_log_likelihood():
    decoder, images = make()
    for row, n in zip(IDS, LENGTHS.tolist(), strict=True):
        total = 0.0
        for place in range(1, n):
            log_p = decoder.next(images, row[1:place].expand(2, -1))  # [2, N_WORDS - FIRST_WRITTEN]
            assert torch.allclose(log_p.exp().sum(1), torch.ones(2).double())
            total += log_p[:, row[place] - FIRST_WRITTEN]
        assert torch.allclose(total, decoder.pairs(images, row[None], torch.tensor([n]))[:, 0], atol=1e-10)


def test_small_tiles_change_nothing(monkeypatch):
    decoder, _ = make()
    images = torch.randn(7, 3, dtype=torch.float64)
    whole = decoder.pairs(images, IDS, LENGTHS)
    monkeypatch.setattr("itm_tutorial.encoders.decoder.TILE", 1)
    assert torch.allclose(decoder.pairs(images, IDS, LENGTHS), whole, atol=1e-12)
    assert decoder.pairs(images[:0], IDS, LENGTHS).shape == (0, 5)
    assert decoder.pairs(images, IDS[:0], LENGTHS[:0]).shape == (7, 0)


def test_the_tree_has_one_node_for_each_distinct_prefix():
    levels = prefix_levels(IDS, LENGTHS)
    prefixes = {tuple(row[1:k]) for row, n in zip(IDS.tolist(), LENGTHS, strict=True) for k in range(2, n + 1)}
    assert sum(len(level.tokens) for level in levels) == len(prefixes) == 10  # of 15 tokens
    assert [sorted(level.captions.tolist()) for level in levels] == [[], [1, 4], [2], [0, 3]]
    for place, level in enumerate(levels, start=1):
        assert torch.equal(IDS[level.examples, place], level.tokens)
    assert len(levels[-1].inner) == 0


def test_a_prefix_may_end_where_another_caption_goes_on():
    ids = torch.tensor([[1, 5, 2, 0, 0], [1, 5, 2, 6, 2]])  # no text becomes the second, but the lengths decide
    decoder, images = make()
    lengths = torch.tensor([3, 5])
    expected = [
        [loop(decoder, image, row[:n]) for row, n in zip(ids.tolist(), lengths, strict=True)]
        for image in images.tolist()
    ]
    found = decoder.pairs(images, ids, lengths)
    assert torch.allclose(found, torch.tensor(expected, dtype=torch.float64), atol=1e-10)


def test_gradients_of_the_log_likelihood_are_right():
    decoder, images = make()
    assert torch.autograd.gradcheck(lambda x: decoder(x, IDS[:2], LENGTHS[:2]), images.requires_grad_())
