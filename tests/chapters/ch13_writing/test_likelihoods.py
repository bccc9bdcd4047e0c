"""The claims of the writers run from end to end, and their measures are what they say."""

import json
from types import SimpleNamespace

import pytest
import torch

from itm_tutorial.chapters.ch13_writing.measures import likelihoods
from itm_tutorial.chapters.ch13_writing.measures.likelihoods import Scored, column_share, common_captions, division
from itm_tutorial.chapters.effects import effects_of
from itm_tutorial.chapters.experiment import find
from itm_tutorial.chapters.runner import figures_of_seed


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nic", "m_rnn"])
def test_a_claim_runs_from_end_to_end(tiny, cheap_features, monkeypatch, name):
    fit = likelihoods.fit
    monkeypatch.setattr(likelihoods, "fit", lambda *given, **settings: fit(*given, **{**settings, "epochs": 1}))
    claim = find(name)
    rows = figures_of_seed(claim, 0, "tiny")
    assert json.loads(json.dumps(rows)) == rows and [row["model"] for row in rows] == [arm.name for arm in claim.arms]
    assert rows[0]["t2i_changed"] == 0  # by construction
    blind = [row for row in rows if row["model"] == "nic without the image"]
    assert all(row["raw"]["t2i_r10"] == 0 for row in blind)  # all images tie, and ties count against it
    effects = effects_of(claim.effects, rows + [{**row, "seed": 1} for row in rows])
    assert len(effects) == len(claim.effects)


def scored(n_images=6, n_captions=9, level=8.0):
    """A gallery with one caption per image, whose scores have a level of each caption."""
    torch.manual_seed(0)
    levels = level * torch.randn(n_captions, dtype=torch.float64)
    raw, prior = (levels - 40 + torch.randn(n, n_captions, dtype=torch.float64) for n in (n_images, 12))
    split = SimpleNamespace(image_of=torch.arange(n_captions) % n_images, images=range(n_images))
    return Scored(split, raw, prior, torch.randint(3, 9, (n_captions,)))


def test_the_share_of_columns_by_a_loop():
    scores = scored().raw
    rows = scores.tolist()
    mean = sum(map(sum, rows)) / scores.numel()
    columns = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    total = sum((x - mean) ** 2 for row in rows for x in row) / scores.numel()
    share = sum((c - mean) ** 2 for c in columns) / len(columns) / total
    assert column_share(scores) == pytest.approx(100 * share)
    assert column_share(scores[:1].expand(4, -1)) == pytest.approx(100) and column_share(torch.zeros(3, 4)) == 0
    assert column_share(scores - scores.mean(0)) == pytest.approx(0, abs=1e-9)


def test_division_lowers_the_share_of_columns_and_no_ranking_of_images_changes():
    trained = SimpleNamespace(scored=scored())
    found = division(trained)
    assert found["column_share"]["raw"] > 90 and found["column_share"]["divided"] < 50
    assert found["t2i_changed"] == 0
    raw = likelihoods.ranking(trained)["raw"]
    for other in ("divided", "per_word"):
        assert [found[other][key] for key in ("t2i_r1", "t2i_r10")] == [raw[key] for key in ("t2i_r1", "t2i_r10")]
    scores = trained.scored
    for other in (scores.divided, scores.raw / scores.n_tokens):
        assert not torch.equal(other.argmax(1), scores.raw.argmax(1))  # image-to-text does change


def test_images_that_rank_one_of_the_commonest_captions_first():
    raw = torch.full((4, 200), -9.0, dtype=torch.float64)
    raw[[0, 1, 2], [7, 7, 30]] = -1.0
    raw[3, 5] = -2.0
    prior = torch.full((3, 200), -9.0, dtype=torch.float64)
    prior[:, 7] = -1.0
    language = torch.full((4, 200), -50.0, dtype=torch.float64)
    language[:, 7], language[:, 30] = -3.0, -4.0  # the commonest 1 %
    trained = {
        "blind": SimpleNamespace(scored=SimpleNamespace(raw=language)),
        "writer": SimpleNamespace(scored=Scored(None, raw, prior, None)),
    }
    run = SimpleNamespace(trained=trained)
    assert common_captions("blind", "writer", run) == {"common_first": 75.0}
    assert common_captions("blind", "writer", run, corrected=True) == {"common_first": 25.0}


def test_the_gallery_is_scored_once_and_the_prior_is_of_training_images(tiny, monkeypatch):
    asked = []

    def score(model, split, captions=None):
        asked.append((split.name, len(split.images), captions or split.captions))
        return -torch.rand(len(split.images), len(captions or split.captions)) - 1

    monkeypatch.setattr(likelihoods, "score", score)
    lengths = SimpleNamespace(lengths=torch.full((len(tiny.test.captions),), 6))
    model = SimpleNamespace(vocabulary=SimpleNamespace(encode=lambda captions: lengths))
    trained = SimpleNamespace(model=model, corpus=tiny)
    found = likelihoods.scored(trained)
    assert likelihoods.scored(trained) is found and found.n_tokens.unique().tolist() == [5]
    n_train, n_test = min(100, len(tiny.train.images)), len(tiny.test.images)
    assert asked == [("train", n_train, tiny.test.captions), ("test", n_test, tiny.test.captions)]
    assert found.raw.dtype == found.divided.dtype == torch.float64 and found.divided.shape == found.raw.shape
