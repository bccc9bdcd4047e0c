"""m-CNN: scores against a loop over scalars, the gate, the four levels, the loss, bounded memory."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import itm_tutorial as itm
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders.embeddings import pick
from itm_tutorial.models import Batch, FeatureSpec, build_model
from itm_tutorial.models import m_cnn as file
from itm_tutorial.models.m_cnn import FRAME, LEVELS, random_negative

NAMES = ("m_cnn", "m_cnn_short_phrase", "m_cnn_long_phrase", "m_cnn_sentence")
WORDS = [f"word{i}" for i in range(9)]
SIZES = {"embed_size": 4, "word_dim": 3, "maps": 5, "deep_maps": 4, "hidden": 6}


def made(name="m_cnn", **options):
    """A small model in float64 whose words are large enough to matter."""
    model = build_model(name, Vocabulary(WORDS), FeatureSpec("global"), **{**SIZES, **options}).double().eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_()
        model.words.weight[0] = 0
    return model


def texts(lengths, seed=0):
    """Captions of so many random words."""
    generator = torch.Generator().manual_seed(seed)
    return [" ".join(WORDS[i] for i in torch.randint(len(WORDS), (n,), generator=generator).tolist()) for n in lengths]


def affine(layer, inputs, bias=True):
    """A linear map of a list of numbers."""
    rows = layer.weight.tolist()
    start = layer.bias.tolist() if bias and layer.bias is not None else [0.0] * len(rows)
    return [
        math.fsum([b, *(w * x for w, x in zip(row, inputs, strict=True))]) for row, b in zip(rows, start, strict=True)
    ]


def rectified(numbers):
    return [max(0.0, x) for x in numbers]


def oracle(model, feature, caption, frame=FRAME, gated=True, image_beyond=False):
    """The score of one pair: segments with the image in them, position by position, all from equations 4 to 6."""
    ids = model.tokenize([caption]).ids[0].tolist()[1:-1][:frame]  # without the marks
    table = model.words.weight.tolist()
    x = [table[i] for i in ids] + [[0.0] * len(table[0])] * (frame - len(ids))
    words = [True] * len(ids) + [False] * (frame - len(ids))  # positions that a word reaches
    v = rectified(affine(model.project, feature))
    from_image = affine(model.image_part, v)
    for number, layer in enumerate(model.layers):
        u, reached = [], []
        for i in range(len(x) - 2):
            segment = [*x[i], *x[i + 1], *x[i + 2]]
            values = affine(layer.linear, segment)
            if number == model.joint:
                values = [a + b for a, b in zip(values, from_image, strict=True)]
            reached.append(any(words[i : i + 3]))  # an empty segment is zeros; in so small a model, others may be too
            assert reached[-1] or not gated or not any(segment)
            u.append(rectified(values) if reached[-1] or not gated else [0.0] * len(values))
        x = [[max(a, b) for a, b in zip(u[i], u[i + 1], strict=True)] for i in range(0, len(u) - 1, 2)]
        words = [any(reached[i : i + 2]) for i in range(0, len(u) - 1, 2)]
    flat = [number for position in x for number in position]
    h = affine(model.hidden, flat)
    if model.joint == len(model.layers):
        h = [a + b for a, b in zip(h, from_image, strict=True)]
    return affine(model.output, rectified(h))[0]


@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_scores_are_those_of_a_loop_over_scalars(name):
    model = made(name)
    features, captions = torch.randn(5, 512, dtype=torch.float64) / 9, texts([1, 2, 3, 7, 12, 29, 30, 34])
    scores = model.similarity(model.encode_images(features), model.encode_captions(captions))
    expected = [[oracle(model, feature, caption) for caption in captions] for feature in features.tolist()]
    assert torch.allclose(scores, torch.tensor(expected, dtype=torch.float64), rtol=1e-10, atol=1e-10)
    single = model.float().similarity(model.encode_images(features), model.encode_captions(captions))
    assert torch.allclose(single, scores.float(), rtol=1e-5, atol=1e-4 * scores.abs().max().item())


@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_without_the_gate_the_scores_are_others(name):
    model = made(name)
    feature, (caption,) = torch.randn(1, 512, dtype=torch.float64) / 9, texts([4])
    score = model.similarity(model.encode_images(feature), model.encode_captions([caption])).item()
    assert score != pytest.approx(oracle(model, feature[0].tolist(), caption, gated=False), rel=1e-3)


def test_two_words_in_the_frame_open_two_of_its_28_positions():
    """The example of the gate: W = 0, b = 1. Without the gate all 28 positions are 1: they know only the padding."""
    model = made()
    with torch.no_grad():
        for weight in (model.layers[0].linear.weight, model.image_part.weight):
            weight.zero_()
        model.layers[0].linear.bias.fill_(1)
        x = model.words(torch.tensor([[3, 4] + [0] * (FRAME - 2)]))
        gate = torch.arange(FRAME)[None] < 2
        values, open_positions = model.layers[0]._windows(x, gate)
    assert open_positions.shape == (1, 28) and open_positions.sum() == 2
    assert torch.equal(values, torch.ones(2, 5, dtype=torch.float64))  # no other position is computed
    ungated = torch.relu(model.layers[0].linear(torch.cat([x[:, :-2], x[:, 1:-1], x[:, 2:]], -1)))
    assert (ungated == 1).all(-1).sum() == 28


@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_a_caption_is_cut_after_thirty_words_and_its_order_counts(name):
    model = made(name)
    image = model.encode_images(torch.randn(2, 512, dtype=torch.float64) / 9)
    (long,) = texts([34])
    first = long.split()[:FRAME]
    scores = model.similarity(image, model.encode_captions([long, " ".join(first), " ".join(first[::-1])]))
    assert torch.allclose(scores[:, 0], scores[:, 1], atol=1e-12)
    assert not torch.allclose(scores[:, 0], scores[:, 2], rtol=1e-6)


@given(
    lengths=st.lists(st.integers(1, 33), min_size=1, max_size=6), name=st.sampled_from(NAMES), side=st.integers(1, 7)
)
@settings(max_examples=25)
def test_a_score_depends_on_no_other_pair_and_on_no_tile(lengths, name, side):
    torch.manual_seed(1)
    with torch.no_grad(), pytest.MonkeyPatch.context() as patch:
        model = made(name)
        image = model.encode_images(torch.randn(4, 512, dtype=torch.float64) / 9)
        together = model.encode_captions(texts(lengths))
        whole = model.similarity(image, together)  # [4, n_captions]
        patch.setattr(file, "SIDE", side)
        assert torch.allclose(model.similarity(image, together), whole, atol=1e-11)
        for column, caption in enumerate(texts(lengths)):
            alone = model.encode_captions([caption])
            pairs = model.pair_similarity(image, pick(alone, torch.zeros(4, dtype=torch.int64)))
            assert torch.allclose(pairs, whole[:, column], atol=1e-11)


def test_memory_is_bounded_by_a_tile(monkeypatch):
    model, seen = made(), []
    plain = model._scores
    monkeypatch.setattr(
        model, "_scores", lambda image, text: seen.append((image.shape[1], len(text.maps))) or plain(image, text)
    )
    with torch.no_grad():
        model.similarity(torch.randn(70, 5, dtype=torch.float64), model.encode_captions(texts([3] * 40)))
    assert sorted(set(seen)) == [(6, 8), (6, 32), (32, 8), (32, 32)] and len(seen) == 6


@given(n=st.integers(1, 8), rows=st.integers(1, 8))
@settings(max_examples=50)
def test_a_random_negative_is_never_a_positive(n, rows):
    torch.manual_seed(n + 10 * rows)
    positives = torch.rand(rows, n) < 0.6
    column, some = random_negative(positives)
    assert torch.equal(some, ~positives.all(1))
    assert not positives[torch.arange(rows), column][some].any()


def test_every_negative_is_drawn():
    positives = torch.tensor([[True, False, False, False]])
    assert {random_negative(positives)[0].item() for _ in range(60)} == {1, 2, 3}


@pytest.mark.parametrize("name", NAMES)
def test_the_loss_is_that_of_a_loop_over_the_drawn_pairs(name):
    model = made(name)
    captions = texts([3, 5, 4, 9, 2, 6])
    features, own = torch.randn(4, 512, dtype=torch.float64) / 9, torch.tensor([0, 0, 1, 2, 3, 3])
    batch = Batch(features, model.tokenize(captions), own)
    torch.manual_seed(5)
    loss = model.loss(batch).item()
    torch.manual_seed(5)
    caption, image = random_negative(batch.positives[own])[0].tolist(), random_negative(batch.positives.T)[0].tolist()
    score = lambda i, j: oracle(model, features[i].tolist(), captions[j])  # noqa: E731
    expected = 0.0
    for j, i in enumerate(own.tolist()):
        assert own[caption[j]] != i != image[j]
        expected += max(0.0, 0.5 - score(i, j) + score(i, caption[j])) + max(
            0.0, 0.5 - score(i, j) + score(image[j], j)
        )
    assert loss == pytest.approx(expected, rel=1e-10)


def test_a_batch_of_one_image_costs_nothing_and_one_of_two_does():
    model = made()
    tokens = model.tokenize(texts([3, 5]))
    alone = Batch(torch.randn(1, 512, dtype=torch.float64), tokens, torch.tensor([0, 0]))
    assert model.loss(alone).item() == 0
    margin = Batch(alone.images.expand(2, -1), model.tokenize(texts([3]) * 2), torch.tensor([0, 1]))
    assert model.loss(margin).item() == pytest.approx(4 * 0.5)  # equal scores: the margin, twice per pair


@pytest.mark.parametrize("name", NAMES)
def test_a_gradient_reaches_every_parameter(name):
    model = made(name).train()
    batch = Batch(torch.randn(6, 512, dtype=torch.float64) / 9, model.tokenize(texts(range(3, 9))), torch.arange(6))
    model.loss(batch).backward()
    assert all(p.grad is not None for p in model.parameters())
    without = [name for name, p in model.named_parameters() if not p.grad.abs().sum() > 0]
    assert all(name.endswith("bias") for name in without)  # a hinge reads differences of scores, so a bias may cancel


def test_the_four_levels_are_four_models():
    assert tuple(itm.list_models(chapter="10")).count("m_cnn") == 1
    assert [made(name).joint for name in NAMES] == [LEVELS.index(level) for level in LEVELS] == [0, 1, 2, 3]
    widths = [made(name).image_part.out_features for name in NAMES]
    assert widths == [5, 4, 4, 6]
    with pytest.raises(itm.ItmError, match="level is 'phrase'.*'short_phrase'"):
        made(level="phrase")
