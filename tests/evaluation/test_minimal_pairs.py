"""The ceiling and the minimal-pair queries, on the smallest world."""

import math
from types import SimpleNamespace

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.data.corpus import Split, SplitFacts
from itm_tutorial.data.loading import _scene_split
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.minimal_pairs import (
    ceiling,
    evaluate_minimal_pairs,
    minimal_pair_queries,
    oracle_scores,
    true_fractions,
)
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


DOG, CAT, VAN, RED = ("object", "dog"), ("object", "cat"), ("object", "van"), ("attribute", "dog", "red")


def split_by_hand(of_image, of_caption, image_of, minimal_pairs=()):
    """A split of blank pictures with these facts."""
    truths = [SimpleNamespace(facts=facts) for facts in of_caption]
    facts = SplitFacts(of_image, of_caption, truths, [None] * len(of_image), list(minimal_pairs))
    images = [torch.zeros(3, 4, 4, dtype=torch.uint8) for _ in of_image]
    return Split("test", images, [f"caption {c}" for c in range(len(of_caption))], torch.tensor(image_of), facts=facts)


@pytest.fixture
def dog_or_cat():
    """Images 0 and 1 differ in one object; captions 0 and 3 are true of image 0 alone, 2 of image 1 alone."""
    images = [frozenset({DOG, VAN}), frozenset({CAT, VAN}), frozenset({DOG})]
    captions = [frozenset({DOG}), frozenset({VAN}), frozenset({CAT, VAN}), frozenset({DOG, VAN}), frozenset({DOG})]
    return split_by_hand(images, captions, [0, 0, 1, 0, 2], [(0, 1, "object")])


def test_the_captions_of_both_images_of_a_pair_are_queries(dog_or_cat):
    queries = minimal_pair_queries(dog_or_cat)
    assert set(queries) == {"object"}
    assert set(zip(*(part.tolist() for part in queries["object"]), strict=True)) == {(0, 0, 1), (3, 0, 1), (2, 1, 0)}


def test_accuracy_counts_captions_that_prefer_their_own_image(dog_or_cat):
    scores = torch.zeros(3, 5)
    scores[0, 0], scores[1, 3], scores[1, 2] = 1.0, 1.0, 0.5  # caption 3 prefers the other image
    result = evaluate_minimal_pairs(scores, dog_or_cat)["object"]
    assert (result.accuracy, result.n) == (pytest.approx(200 / 3), 3)
    assert result.standard_error == pytest.approx(100 * math.sqrt(2 / 3 * 1 / 3 / 3))


def test_a_tie_counts_against_the_model(dog_or_cat):
    assert evaluate_minimal_pairs(torch.ones(3, 5), dog_or_cat)["object"].accuracy == 0
    scores = torch.ones(3, 5)
    scores[0, 0] = 1.5
    assert evaluate_minimal_pairs(scores, dog_or_cat)["object"].accuracy == pytest.approx(100 / 3)


def test_the_oracle_adds_a_hundredth_of_what_the_caption_covers_of_the_image():
    images = [frozenset({DOG, CAT, VAN, RED}), frozenset({DOG, CAT}), frozenset({VAN})]
    captions = [frozenset({DOG}), frozenset({DOG, CAT}), frozenset({CAT, RED})]
    scores = oracle_scores(split_by_hand(images, captions, [0, 1, 0]))
    for image, true in enumerate(images):
        for caption, stated in enumerate(captions):
            relevance, coverage = (len(true & stated) / len(facts) for facts in (stated, true))
            assert -1e-6 < scores[image, caption].item() - relevance - 0.01 * coverage < 1.1e-5
    assert scores[1, 0] > scores[0, 0]  # "a dog" says half of image 1, a quarter of image 0


def test_the_true_fraction_counts_facts_and_nothing_else():
    images = [frozenset({DOG, CAT, VAN, RED}), frozenset({DOG, CAT}), frozenset({VAN})]
    captions = [frozenset({DOG}), frozenset({DOG, CAT}), frozenset({CAT, RED}), frozenset()]
    fractions = true_fractions(split_by_hand(images, captions, [0, 1, 0, 2]))
    for image, true in enumerate(images):
        for caption, stated in enumerate(captions):
            assert fractions[image, caption].item() == sum(fact in true for fact in stated) / max(1, len(stated))


def test_a_caption_is_wholly_true_of_its_own_image(split):
    fractions = itm.true_fractions(split)
    assert fractions.max() == 1 and (fractions[split.image_of, torch.arange(len(split.captions))] == 1).all()
    assert (itm.oracle_scores(split) - fractions).max() < 0.011


def test_the_oracle_breaks_ties_by_its_seed_alone():
    alike = split_by_hand([frozenset({DOG, VAN})] * 20, [frozenset({DOG})] * 20, list(range(20)))
    first, again, other = (oracle_scores(alike, seed) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first.argsort(0), other.argsort(0))
    assert (first - other).abs().max() < 1.1e-5
    ordered = split_by_hand([frozenset({DOG}), frozenset({DOG, VAN}), frozenset({VAN})], [frozenset({DOG})], [0])
    assert all(oracle_scores(ordered, seed)[:, 0].argsort().tolist() == [2, 1, 0] for seed in range(10))


def test_photographs_have_no_ceiling():
    photographs = Split("val", [torch.zeros(3, 4, 4, dtype=torch.uint8)], ["a dog"], torch.tensor([0]))
    with pytest.raises(ItmError, match="drawn"):
        ceiling(photographs)
