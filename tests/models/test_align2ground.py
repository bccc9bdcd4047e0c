"""Align2Ground: phrases choose regions, and only the chosen ones carry the caption's score."""

import math

import pytest
import torch
from torch.nn.functional import normalize

import itm_tutorial as itm
from itm_tutorial.encoders.phrases import PhraseEncoder, Phrases, whole_where_none
from itm_tutorial.models import Batch, align2ground

SMALL = {"embed_size": 6, "word_dim": 8}


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def model(tiny):
    return itm.create_model("align2ground", tiny, **SMALL).double().eval()


@pytest.fixture
def captions():
    mask = torch.tensor([[1, 1, 1], [1, 0, 0], [1, 1, 0], [1, 1, 1]]) > 0
    phrases = normalize(numbers(4, 3, 6, seed=1), dim=-1) * mask[..., None]
    return Phrases(phrases, mask, normalize(numbers(4, 6, seed=2), dim=-1))


@pytest.fixture
def regions():
    return normalize(numbers(3, 5, 6, seed=3), dim=-1)


def by_loops(model, regions, captions):
    """S and L from the equations: one vector z per pair, on Python's floats where the network is not."""
    dot = lambda a, b: sum(x * y for x, y in zip(a, b, strict=True))  # noqa: E731
    whole, local = [], []
    for image in regions:
        pooled = (image + model.pool(image)).tolist()
        rows = [[], []]
        for c in range(len(captions.mask)):
            chosen, total = [], 0.0
            for p in range(captions.mask.shape[1]):
                if captions.mask[c, p]:
                    cosines = [dot(r, captions.phrases[c, p].tolist()) for r in image.tolist()]
                    chosen.append(cosines.index(max(cosines)))
                    total += max(cosines)
            z = [sum(pooled[r][d] for r in chosen) / len(chosen) for d in range(image.shape[1])]
            t = captions.caption[c].tolist()
            rows[0].append(dot(z, t) / math.sqrt(dot(z, z)) / math.sqrt(dot(t, t)))
            rows[1].append(total)
        whole.append(rows[0])
        local.append(rows[1])
    return torch.tensor(whole, dtype=torch.float64), torch.tensor(local, dtype=torch.float64)


@torch.no_grad()
def test_both_scores_equal_the_equations_by_loops(model, regions, captions, monkeypatch):
    expected = by_loops(model, regions, captions)
    for most in (align2ground.MOST, 1):  # in one tile, and image by image
        monkeypatch.setattr(align2ground, "MOST", most)
        for found, wanted in zip(model.both_scores(regions, captions), expected, strict=True):
            assert torch.allclose(found, wanted, atol=1e-10)
    assert torch.equal(model.similarity(regions, captions), model.both_scores(regions, captions)[0])
    model.score = "local"
    assert torch.allclose(model.similarity(regions, captions), expected[1], atol=1e-10)


@torch.no_grad()
def test_order_and_repetition_of_phrases_do_not_count(model, regions, captions):
    scores, sums = model.both_scores(regions, captions)
    turned = captions._replace(phrases=captions.phrases.flip(1), mask=captions.mask.flip(1))
    assert torch.allclose(model.both_scores(regions, turned)[0], scores, atol=1e-12)
    twice = captions._replace(phrases=captions.phrases.repeat(1, 2, 1), mask=captions.mask.repeat(1, 2))
    again, doubled = model.both_scores(regions, twice)
    assert torch.allclose(again, scores, atol=1e-12)
    assert torch.allclose(doubled, 2 * sums, atol=1e-12) and not torch.allclose(doubled, sums)  # a sum does count it


@torch.no_grad()
def test_one_phrase_gives_the_score_of_its_region(model, regions, captions):
    one = captions._replace(phrases=captions.phrases[:, :1], mask=captions.mask[:, :1])
    best = model.phrase_scores(regions, one)[..., 0].argmax(2)  # [n_images, n_captions]
    pooled = normalize(regions + model.pool(regions), dim=-1)
    own = torch.stack([torch.stack([pooled[i, best[i, c]] @ one.caption[c] for c in range(4)]) for i in range(3)])
    assert torch.allclose(model.similarity(regions, one), own, atol=1e-12)
    everything = torch.stack([normalize((regions + model.pool(regions)).mean(1), dim=-1) @ t for t in one.caption], 1)
    assert not torch.allclose(model.similarity(regions, one), everything, atol=1e-3)  # all regions are another number


def test_the_gradient_passes_through_chosen_regions_alone(model, regions, captions):
    regions, phrases = regions.requires_grad_(), captions.phrases.clone().requires_grad_()
    whole, _ = model.both_scores(regions, captions._replace(phrases=phrases))
    whole[1, 0].backward()
    chosen = set(model.phrase_scores(regions, captions)[1, 0].argmax(0).tolist())
    moved = {r for r in range(5) if regions.grad[1, r].abs().sum() > 0}
    assert moved == chosen and len(chosen) < 5
    assert phrases.grad is None or not phrases.grad.any()  # the choice has no gradient
    assert not regions.grad[[0, 2]].any()


@torch.no_grad()
def test_the_control_reads_random_regions(model, regions, captions):
    matched = model.similarity(regions, captions)
    model.score = "random"
    mean = torch.stack([normalize((regions + model.pool(regions)).mean(1), dim=-1) @ t for t in captions.caption], 1)
    assert torch.allclose(model.similarity(regions, captions), mean, atol=1e-12)  # in evaluation nothing is drawn
    model.train()
    one, two = model.similarity(regions, captions), model.similarity(regions, captions)
    assert not torch.allclose(one, two) and not torch.allclose(one, matched)


def test_a_model_of_local_scores_has_one_loss(tiny, model):
    tokens = model.tokenize(tiny.train.captions[:20:5])
    batch = Batch(torch.rand(4, 12, 256), tokens, torch.arange(4))
    whole, local = (
        model.loss_function(s, batch.positives)
        for s in model.both_scores(model.encode_images(batch), model.encode_captions(batch))
    )
    assert torch.isclose(model.loss(batch), whole + local)
    model.local_weight = 0.5
    assert torch.isclose(model.loss(batch), whole + local / 2)
    model.score = "local"
    assert torch.isclose(model.loss(batch), local)


def test_a_phrase_is_the_mean_of_its_words():
    encoder = PhraseEncoder("bow", 20, 5, 4).eval()
    ids = torch.tensor([[1, 4, 5, 6, 7, 2], [1, 8, 9, 2, 0, 0]])
    spans, mask = torch.tensor([[[1, 3], [4, 5]], [[0, 0], [0, 0]]]), torch.tensor([[True, True], [False, False]])
    found = encoder(ids, torch.tensor([6, 4]), noun_phrases=spans, noun_phrase_mask=mask)
    states = encoder.words(ids, torch.tensor([6, 4])).words
    assert torch.allclose(found.phrases[0, 0], normalize(states[0, 1:3].mean(0), dim=0), atol=1e-6)
    assert torch.allclose(found.phrases[0, 1], normalize(states[0, 4], dim=0), atol=1e-6)
    assert found.mask.tolist() == [[True, True], [True, False]]  # a caption without a phrase is one phrase
    assert torch.allclose(found.phrases[1, 0], normalize(states[1, 1:3].mean(0), dim=0), atol=1e-6)
    assert not found.phrases[1, 1].any()
    none = whole_where_none(spans[:, :0], mask[:, :0], torch.tensor([6, 4]))
    assert none[0].tolist() == [[[1, 5]], [[1, 3]]] and none[1].all()
