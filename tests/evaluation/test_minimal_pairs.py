"""The ceiling and the minimal-pair queries, on the smallest world."""

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.data.corpus import Split
from itm_tutorial.data.loading import _scene_split
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.minimal_pairs import ceiling, minimal_pair_queries
from itm_tutorial.worlds.scenes.facts import closure, relevance, scene_facts
from itm_tutorial.worlds.scenes.world import make_split


@pytest.fixture(scope="module")
def split():
    made = make_split("test", 300, seed=1)
    return _scene_split(made, torch.zeros(300, 3, 4, 4, dtype=torch.uint8), None)


def test_the_oracle_scores_by_relevance(split):
    scores = itm.oracle_scores(split)
    for image, caption in ((0, 0), (5, 700), (299, 3)):
        expected = relevance(closure(split.facts.truths[caption].facts), scene_facts(split.facts.scenes[image]))
        assert scores[image, caption].item() == pytest.approx(expected, abs=0.011)


def test_the_ceiling_is_high_and_under_a_hundred(split):
    report = ceiling(split)
    assert 80 < report.t2i.r1 < 100
    assert report.i2t.r1 > 80


def test_the_oracle_knows_minimal_pairs_and_a_coin_does_not(split):
    oracle = itm.evaluate_minimal_pairs(itm.oracle_scores(split), split)
    coin = itm.evaluate_minimal_pairs(torch.rand(300, 1500, generator=torch.Generator().manual_seed(0)), split)
    assert set(oracle) == {"binding", "relation", "count", "object"}
    assert all(result.accuracy == 100 for result in oracle.values())
    assert all(abs(result.accuracy - 50) < 5 * result.standard_error for result in coin.values())


def test_where_a_binding_decides_both_colours_are_named(split):
    captions, images, others = minimal_pair_queries(split)["binding"]
    assert len(captions)
    for caption, image, other in zip(captions.tolist(), images.tolist(), others.tolist(), strict=True):
        assert split.image_of[caption] == image
        here = {(t.kind, t.colour) for t in split.facts.scenes[image].things}
        there = {(t.kind, t.colour) for t in split.facts.scenes[other].things}
        stated = [w.meaning for w in split.facts.truths[caption].words if w.word_class == "colour"]
        assert {colour for _, colour in here - there} <= set(stated)


def test_photographs_have_no_ceiling():
    photographs = Split("val", [torch.zeros(3, 4, 4)], ["a dog"], torch.tensor([0]))
    with pytest.raises(ItmError, match="drawn"):
        ceiling(photographs)
