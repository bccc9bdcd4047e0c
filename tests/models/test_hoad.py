"""HOAD, in the spirit of: phrases against regions, and a penalty for regions that no phrase asks for."""

import math

import pytest
import torch
from torch.nn.functional import normalize

import itm_tutorial as itm
from itm_tutorial.encoders.phrases import Phrases
from itm_tutorial.models import hoad
from itm_tutorial.retrieval.corrections import subtract_distraction

SMALL = {"embed_size": 6, "word_dim": 8}


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def model(tiny):
    return itm.create_model("hoad", tiny, **SMALL).double().eval()


@pytest.fixture
def captions():
    mask = torch.tensor([[1, 1, 1], [1, 0, 0], [1, 1, 0]]) > 0
    phrases = normalize(numbers(3, 3, 6, seed=1), dim=-1) * mask[..., None]
    return Phrases(phrases, mask, normalize(numbers(3, 6, seed=2), dim=-1))


@pytest.fixture
def regions():
    return normalize(numbers(4, 5, 6, seed=3), dim=-1)


def by_loops(image, phrases, caption, smooth):
    """S of one pair, and asked, on scalars."""
    dot = lambda a, b: sum(x * y for x, y in zip(a, b, strict=True))  # noqa: E731
    v, p, t = image.tolist(), phrases.tolist(), caption.tolist()
    cosines = [[dot(r, w) for w in p] for r in v]
    ahead = [[max(0, c) for c in row] for row in cosines]
    ahead = [[c / max(1e-8, math.sqrt(dot(row, row))) for c in row] for row in ahead]
    total = 0.0
    for w in range(len(p)):
        logits = [math.exp(smooth * row[w]) for row in ahead]
        attended = [sum(logits[r] / sum(logits) * v[r][d] for r in range(len(v))) for d in range(len(t))]
        total += dot(p[w], attended) / math.sqrt(dot(attended, attended)) / len(p)
    mean = [sum(r[d] for r in v) / len(v) for d in range(len(t))]
    score = (total + dot(mean, t) / math.sqrt(dot(mean, mean))) / 2
    return score, [max(0, *row) for row in cosines]


@torch.no_grad()
def test_scores_and_asked_equal_loops(model, regions, captions, monkeypatch):
    pairs = [
        [by_loops(image, captions.phrases[c][captions.mask[c]], captions.caption[c], model.smooth) for c in range(3)]
        for image in regions
    ]
    expected = torch.tensor([[pair[0] for pair in row] for row in pairs], dtype=torch.float64)
    assert torch.allclose(model.similarity(regions, captions), expected, atol=1e-10)
    asked = torch.tensor([[pair[1] for pair in row] for row in pairs], dtype=torch.float64)
    for most in (hoad.MOST, 1):
        monkeypatch.setattr(hoad, "MOST", most)
        assert torch.allclose(model.asked(regions, captions), asked, atol=1e-12)


@torch.no_grad()
def test_the_penalty_is_zero_where_all_is_asked_for_and_rises_by_the_prominence_of_what_is_not(model, captions):
    asked_for = captions.phrases[0]  # the three phrases themselves, as regions
    one = Phrases(captions.phrases[:1], captions.mask[:1], captions.caption[:1])
    scores, prominence = torch.zeros(1, 1, dtype=torch.float64), torch.tensor([[0.3, 0.2, 0.4]], dtype=torch.float64)
    asked = model.asked(asked_for[None], one)
    assert subtract_distraction(scores, asked, prominence, 1.0).item() == pytest.approx(0, abs=1e-12)
    # a region at a right angle to all phrases
    unasked = torch.linalg.svd(asked_for).Vh[-1]
    asked = model.asked(torch.cat([asked_for, unasked[None]])[None], one)
    more = torch.cat([prominence, torch.tensor([[0.7]])], 1)
    assert subtract_distraction(scores, asked, more, 1.0).item() == pytest.approx(-0.7, abs=1e-6)
    assert torch.equal(subtract_distraction(scores + 0.5, asked, more, 0.0), scores + 0.5)


@torch.no_grad()
def test_padding_asks_for_nothing(model, regions, captions):
    negative = captions._replace(phrases=-captions.phrases.abs(), mask=captions.mask)
    assert not model.asked(regions.abs(), negative).any()
    padded = captions._replace(
        phrases=torch.cat([captions.phrases, numbers(3, 1, 6)], 1),
        mask=torch.cat([captions.mask, torch.zeros(3, 1) > 0], 1),
    )
    assert torch.allclose(model.asked(regions, padded), model.asked(regions, captions), atol=1e-12)
    assert torch.allclose(model.similarity(regions, padded), model.similarity(regions, captions), atol=1e-12)


@torch.no_grad()
def test_the_variant_is_the_local_score(tiny, model, regions, captions):
    model.global_weight = 1.0
    whole = normalize(regions.mean(1), dim=-1) @ captions.caption.T
    assert torch.allclose(model.similarity(regions, captions), whole, atol=1e-12)
    assert itm.create_model("hoad_local", tiny, **SMALL).global_weight == 0
