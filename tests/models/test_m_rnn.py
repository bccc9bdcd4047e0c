"""m-RNN: its layer and its likelihood on Python numbers, the shared recurrence, and where the image enters."""

import math

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.encoders import decoder
from itm_tutorial.models import FeatureSpec, build_model, m_rnn
from itm_tutorial.models.m_rnn import scaled_tanh

CAPTIONS = ["a red dog", "a red car on grass", "a dog", "a red dog", "zebra"]


def make(image_at="multimodal", seed=0):
    torch.manual_seed(seed)
    vocabulary = Vocabulary(["a", "red", "dog", "car", "on", "grass"])
    spec = FeatureSpec("global", "precomputed", 6)
    model = build_model("m_rnn", vocabulary, spec, word_dim=3, multimodal_dim=4, image_at=image_at)
    for weight in model.parameters():
        torch.nn.init.uniform_(weight, -1, 1)
    return model.double().eval(), torch.randn(3, 6, dtype=torch.float64)


def affine(layer, x):
    biases = [0.0] * layer.out_features if layer.bias is None else layer.bias.tolist()
    rows = zip(layer.weight.tolist(), biases, strict=True)
    return [sum(a * b for a, b in zip(row, x, strict=True)) + bias for row, bias in rows]


def added(*vectors):
    return [sum(numbers) for numbers in zip(*vectors, strict=True)]


def loop(model, image, ids, squash=lambda x: 1.7159 * math.tanh(2 * x / 3)):
    """log P of one caption given one image embedding, one step at a time from the equations."""
    encoder, shared, total = model.text_encoder, model.text_encoder.shared, 0.0
    state = [0.0] * encoder.recurrent.in_features
    for now, then in zip(ids[:-1], ids[1:], strict=True):
        word = encoder.words.weight[now].tolist()
        inputs = word if shared else added(word, image)
        state = [max(0.0, x) for x in added(affine(encoder.recurrent, state), inputs)]
        layer = added(affine(encoder.from_word, word), affine(encoder.from_state, state))
        values = affine(model.output, [squash(x) for x in (added(layer, image) if shared else layer)])
        total += values[then - 2] - math.log(sum(math.exp(value) for value in values))
    return total


@torch.inference_mode()
@pytest.mark.parametrize("image_at", ["multimodal", "recurrence"])
def test_scores_equal_the_loop(image_at):
    model, images = make(image_at)
    image_emb = model.encode_images(images)
    rows = [model.tokenize([caption]).ids[0].tolist() for caption in CAPTIONS]
    expected = torch.tensor([[loop(model, v, ids) for ids in rows] for v in image_emb.tolist()], dtype=torch.float64)
    found = model.similarity(image_emb, model.encode_captions(CAPTIONS))
    assert torch.allclose(found, expected, atol=1e-10)
    plain = [[loop(model, v, ids, math.tanh) for ids in rows] for v in image_emb.tolist()]
    assert not torch.allclose(found, torch.tensor(plain, dtype=torch.float64), atol=1e-3)


def test_the_example_of_the_scaled_tanh():
    assert scaled_tanh(torch.tensor(1.0)).item() == pytest.approx(1.0, abs=1e-3)
    assert torch.tanh(torch.tensor(1.0)).item() == pytest.approx(0.762, abs=1e-3)  # the plain one
    assert scaled_tanh(torch.tensor(50.0)).item() == pytest.approx(1.7159)


@torch.inference_mode()
def test_the_shared_recurrence_equals_one_recurrence_per_pair():
    model, images = make()
    for numbers, tolerance in ((torch.float64, 1e-10), (torch.float32, 1e-5)):
        model = model.to(numbers)
        image_emb = model.encode_images(images)
        shared = model.similarity(image_emb, model.encode_captions(CAPTIONS))
        for row, image in enumerate(image_emb):
            for column, caption in enumerate(CAPTIONS):
                alone = model.pair_similarity(image[None], model.encode_captions([caption]))
                assert torch.allclose(alone, shared[row, column], atol=tolerance, rtol=0)


@torch.inference_mode()
def test_the_recurrence_runs_once_per_caption_and_never_per_image(monkeypatch):
    model, images = make()
    steps, step = [], type(model.text_encoder).step

    def counted(encoder, words, state, image_emb):
        steps.append(words.shape[:-1].numel() * (1 if image_emb is None else len(image_emb)))
        return step(encoder, words, state, image_emb)

    monkeypatch.setattr(type(model.text_encoder), "step", counted)
    caption_emb = model.encode_captions(CAPTIONS)
    assert sum(steps) == 5 * 7  # captions, and places with padding
    model.similarity(model.encode_images(images), caption_emb)
    assert sum(steps) == 5 * 7  # a pair has no step of its own
    steps.clear()
    other, _ = make("recurrence")
    other.similarity(other.encode_images(images), other.encode_captions(CAPTIONS))
    assert sum(steps) == 3 * (1 + 2 + 2 + 2 + 1 + 1)  # images, times distinct prefixes that go on


@torch.inference_mode()
@pytest.mark.parametrize("image_at", ["multimodal", "recurrence"])
def test_neither_padding_nor_small_tiles_change_a_score(image_at, monkeypatch):
    model, images = make(image_at)
    image_emb, tokens = model.encode_images(images), model.tokenize(CAPTIONS)
    before = model.similarity(image_emb, model.encode_captions(tokens))
    for word in (0, 2, 5):
        padded = torch.full((5, tokens.ids.shape[1] + 2), word)
        for row, (ids, n) in enumerate(zip(tokens.ids, tokens.lengths, strict=True)):
            padded[row, :n] = ids[:n]
        other = model.encode_captions(type(tokens)(padded, tokens.lengths))
        assert torch.allclose(model.similarity(image_emb, other), before, atol=1e-10)
        alone = model.pair_similarity(image_emb[:1].expand(5, -1), other)
        assert torch.allclose(alone, before[0], atol=1e-10)
    assert m_rnn.TILE == decoder.TILE
    monkeypatch.setattr(m_rnn, "TILE", 1)
    assert torch.allclose(model.similarity(image_emb, model.encode_captions(tokens)), before, atol=1e-10)


def test_the_variant_has_the_image_in_the_recurrence_and_not_in_the_layer(cache):
    corpus = itm.load_corpus("scenes", size="tiny")
    own, variant = itm.create_model("m_rnn", corpus), itm.create_model("m_rnn_recurrence", corpus)
    assert own.text_encoder.shared and not variant.text_encoder.shared
    assert own.image_encoder.project.out_features == 256 and variant.image_encoder.project.out_features == 128
    paper = itm.create_model("m_rnn", corpus, recipe="paper")
    assert paper.text_encoder.recurrent.in_features == 256 and paper.output.in_features == 512
