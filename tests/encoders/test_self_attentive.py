"""Self-attention hops against a loop on plain numbers, one caption at a time and cut to its real length."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from itm_tutorial.encoders.self_attentive import KERNELS, Hops, SelfAttentive, redundancy

STATES = st.sampled_from(["E", "G", "C"])


def looped_hops(states, w1, w2):
    """A and A H of one caption, from the equation; states is a list of rows of numbers."""
    hidden = [[math.tanh(sum(w * x for w, x in zip(row, state, strict=True))) for row in w1] for state in states]
    weights, means = [], []
    for hop in w2:
        scores = [math.exp(sum(w * u for w, u in zip(hop, units, strict=True))) for units in hidden]
        weights.append([score / sum(scores) for score in scores])
        means.append([sum(a * s[d] for a, s in zip(weights[-1], states, strict=True)) for d in range(len(states[0]))])
    return weights, means


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def looped_gru(words, gru):
    """The states of a GRU, from its equations."""
    w, u, b, c = (getattr(gru, f"{name}_l0").tolist() for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    size = len(u[0])
    state, states = [0.0] * size, []
    for x in words:
        inputs = [sum(p * q for p, q in zip(row, x, strict=True)) + b[i] for i, row in enumerate(w)]
        inner = [sum(p * q for p, q in zip(row, state, strict=True)) + c[i] for i, row in enumerate(u)]
        new = []
        for d in range(size):
            reset, update = sigmoid(inputs[d] + inner[d]), sigmoid(inputs[size + d] + inner[size + d])
            candidate = math.tanh(inputs[2 * size + d] + reset * inner[2 * size + d])
            new.append((1 - update) * candidate + update * state[d])
        state = new
        states.append(state)
    return states


def looped_windows(words, convolution, norm):
    """ReLU, then batch normalisation by its kept statistics, of windows that begin one word before."""
    weight, bias = convolution.weight.tolist(), convolution.bias.tolist()
    mean, variance = norm.running_mean.tolist(), norm.running_var.tolist()
    gain, shift = norm.weight.tolist(), norm.bias.tolist()
    rows = []
    for place in range(len(words)):
        row = []
        for m, kernel in enumerate(weight):
            total = bias[m]
            for channel, offsets in enumerate(kernel):
                for offset, w in enumerate(offsets):
                    at = place - 1 + offset
                    total += w * words[at][channel] if 0 <= at < len(words) else 0.0
            total = max(0.0, total)
            row.append(gain[m] * (total - mean[m]) / math.sqrt(variance[m] + norm.eps) + shift[m])
        rows.append(row)
    return rows


def looped_embedding(encoder, ids):
    """The embedding of one caption of real words."""
    words = [encoder.words.weight[i].tolist() for i in ids]
    if encoder.gru is not None:
        states = [looped_gru(words, encoder.gru)]
    else:
        states = [*(looped_windows(words, *p) for p in zip(encoder.convolutions, encoder.norms, strict=True)), words]
    flat = []
    for hops, some in zip(encoder.hops, states, strict=True):
        _, means = looped_hops(some, hops.w1.weight.tolist(), hops.w2.weight.tolist())
        flat += [x for mean in means for x in mean]
    weight, bias = encoder.project.weight.tolist(), encoder.project.bias.tolist()
    raw = [sum(w * x for w, x in zip(row, flat, strict=True)) + b for row, b in zip(weight, bias, strict=True)]
    norm = math.sqrt(sum(x * x for x in raw))
    return [x / norm for x in raw]


def encoder_of(kind, seed, hops=3):
    torch.manual_seed(seed)
    encoder = SelfAttentive(kind, 9, 4, 5, hops, units=6, gru_units=3, conv_maps=2).double().eval()
    for norm in encoder.norms:
        torch.nn.init.uniform_(norm.running_mean, -1, 1)
        torch.nn.init.uniform_(norm.running_var, 0.5, 2)
        torch.nn.init.uniform_(norm.weight)
        torch.nn.init.uniform_(norm.bias)
    return encoder


def captions_of(lengths, seed):
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(1, 9, (len(lengths), max(lengths)), generator=generator)
    lengths = torch.tensor(lengths)
    return ids * (torch.arange(ids.shape[1]) < lengths[:, None]), lengths


@settings(max_examples=30)
@given(STATES, st.lists(st.integers(1, 6), min_size=1, max_size=4), st.integers(1, 4), st.integers(0, 10_000))
def test_it_equals_the_loop_for_captions_of_any_length(kind, lengths, hops, seed):
    encoder = encoder_of(kind, seed, hops)
    ids, lengths = captions_of(lengths, seed)
    found = encoder(ids, lengths)
    expected = [looped_embedding(encoder, row[:n].tolist()) for row, n in zip(ids, lengths, strict=True)]
    assert torch.allclose(found, torch.tensor(expected, dtype=torch.float64), atol=1e-10)
    single = encoder.float()(ids, lengths)
    assert torch.allclose(single.double(), torch.tensor(expected, dtype=torch.float64), atol=1e-6)


@settings(max_examples=30)
@given(STATES, st.integers(0, 10_000))
def test_padding_changes_no_number(kind, seed):
    encoder = encoder_of(kind, seed)
    ids, lengths = captions_of([2, 5, 3], seed)
    wide = torch.cat([ids, torch.zeros(3, 4, dtype=torch.int64)], 1)
    assert torch.allclose(encoder(wide, lengths), encoder(ids, lengths), atol=1e-12)
    for weights in encoder.read(wide, lengths).weights:
        assert torch.allclose(weights.sum(-1), torch.ones(()).double())
        assert weights[0, :, 2:].abs().max() == 0  # exactly nothing for padding


def test_the_statistics_of_a_batch_leave_padding_out():
    encoder = encoder_of("C", 0).train()
    ids, lengths = captions_of([2, 5, 3], 0)
    encoder(ids, lengths)
    first = [norm.running_mean.clone() for norm in encoder.norms]
    again = encoder_of("C", 0).train()
    again(torch.cat([ids, torch.zeros(3, 9, dtype=torch.int64)], 1), lengths)
    for mean, norm in zip(first, again.norms, strict=True):
        assert torch.allclose(mean, norm.running_mean)


def test_word_order_counts_for_the_gru_and_for_windows_but_not_for_words_alone():
    ids, lengths = torch.tensor([[3, 4, 5, 6]]), torch.tensor([4])
    for kind, blind in {"E": True, "G": False, "C": False}.items():
        encoder = encoder_of(kind, 1)
        assert torch.allclose(encoder(ids, lengths), encoder(ids.flip(1), lengths), atol=1e-12) == blind


def test_without_w2_every_hop_is_the_mean_of_the_real_words():
    """Words 1 and 3 and a padded 100: 2. Without the mask the hop would be 34.7."""
    hops = Hops(1, 2, 3)
    torch.nn.init.zeros_(hops.w2.weight)
    states, mask = torch.tensor([[[1.0], [3.0], [100.0]]]), torch.tensor([[True, True, False]])
    means, weights = hops(states, mask)
    assert means.flatten().tolist() == pytest.approx([2.0] * 3)
    assert weights[0, 0].tolist() == pytest.approx([0.5, 0.5, 0.0])
    unmasked, _ = hops(states, torch.ones_like(mask))
    assert unmasked.flatten().tolist() == pytest.approx([104 / 3] * 3)


def test_the_softmax_is_over_words_and_not_over_hops():
    torch.manual_seed(0)
    _, weights = Hops(2, 3, 4)(torch.randn(1, 5, 2), torch.ones(1, 5, dtype=torch.bool))
    assert weights.sum(2).flatten().tolist() == pytest.approx([1.0] * 4)
    assert not torch.allclose(weights.sum(1), torch.ones(1, 5))


def test_the_penalty_is_the_norm_and_not_its_square():
    """Two hops on one word: 1.414, squared 2. Two hops on two words: 0."""
    same, apart = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]]), torch.eye(2)[None]
    assert redundancy(same).item() == pytest.approx(math.sqrt(2))
    assert redundancy(apart).item() == 0
    assert redundancy(torch.cat([same, apart])).item() == pytest.approx(math.sqrt(2) / 2)  # a mean over captions
    weights = apart.clone().requires_grad_()
    redundancy(weights).backward()
    assert weights.grad.isfinite().all()


@settings(max_examples=30)
@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 3), st.integers(0, 10_000))
def test_the_penalty_equals_the_loop(hops, seq_len, n, seed):
    weights = torch.rand(n, hops, seq_len, generator=torch.Generator().manual_seed(seed)).double().softmax(-1)
    total = 0.0
    for a in weights.tolist():
        squares = 0.0
        for i in range(hops):
            for j in range(hops):
                squares += (sum(p * q for p, q in zip(a[i], a[j], strict=True)) - (i == j)) ** 2
        total += math.sqrt(squares)
    assert redundancy(weights).item() == pytest.approx(total / n, abs=1e-10)


def test_the_widths_of_the_three_encoders():
    assert [len(encoder_of(kind, 0).hops) for kind in ("E", "G", "C")] == [1, 1, 1 + len(KERNELS)]
    assert encoder_of("C", 0, hops=2).project.in_features == 2 * (2 + 2 + 4)  # two maps per window, four per word
