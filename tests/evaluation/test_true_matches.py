"""True matches of drawn splits against set operations; R@1 by pairing and by truth against loops."""

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.data.corpus import Split
from itm_tutorial.data.loading import _scene_split
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.r_precision import evaluate_relevant
from itm_tutorial.evaluation.true_matches import compare_with_truth, true_matches
from itm_tutorial.worlds.scenes.world import make_split


@pytest.mark.parametrize("world", ["scenes", "people", "birds"])
def test_a_caption_is_true_where_all_its_facts_are(cache, world):
    split = itm.load_corpus(world, size="tiny").test
    found = true_matches(split)
    facts = split.facts
    expected = [[bool(said) and said <= true for said in facts.of_caption] for true in facts.of_image]
    assert found.tolist() == expected
    assert found[split.image_of, torch.arange(len(split.captions))].all()  # a caption is true of its own image
    assert found.sum() > len(split.captions)  # and, for some, of others


def test_duplicates_have_the_same_true_captions():
    split = _scene_split(make_split("test", 300, seed=1), torch.zeros(300, 3, 4, 4, dtype=torch.uint8), None)
    found = true_matches(split)
    assert split.facts.duplicates
    for first, second in split.facts.duplicates:
        assert torch.equal(found[first], found[second])
    report = evaluate_relevant(itm.oracle_scores(split), found)
    assert report.t2i.map_at_r == 100 and report.t2i.n_relevant > 1


def first_by_loop(scores, marks):
    """Whether the first answer is right where a tie goes to the wrong ones."""
    best = max(scores)
    return all(mark for score, mark in zip(scores, marks, strict=True) if score == best)


@pytest.mark.parametrize("levels", [4, 10_000])
def test_errors_by_pairing_that_are_none(tiny, levels):
    split, generator = tiny.test, torch.Generator().manual_seed(0)
    scores = itm.oracle_scores(split)
    scores = ((scores + 0.4 * torch.rand(scores.shape, generator=generator)) * levels).round()
    found = compare_with_truth(scores, split)
    true = true_matches(split)
    own = torch.arange(len(split.images))[:, None] == split.image_of
    for side, *matrices in ((found.i2t, scores, own, true), (found.t2i, scores.T, own.T, true.T)):
        values, paired, right = (matrix.tolist() for matrix in matrices)
        by_pairing = [first_by_loop(*row) for row in zip(values, paired, strict=True)]
        by_truth = [first_by_loop(*row) for row in zip(values, right, strict=True)]
        assert side.n_queries == len(values)
        assert side.r1_by_pairing == pytest.approx(100 * sum(by_pairing) / len(values))
        assert side.r1_by_truth == pytest.approx(100 * sum(by_truth) / len(values))
        assert side.n_errors == by_pairing.count(False)
        assert side.n_true == sum(t and not p for p, t in zip(by_pairing, by_truth, strict=True))
    report = itm.evaluate(scores, split.image_of)
    assert (found.i2t.r1_by_pairing, found.t2i.r1_by_pairing) == pytest.approx((report.i2t.r1, report.t2i.r1))


def test_every_error_of_the_oracle_is_none(tiny):
    found = compare_with_truth(itm.oracle_scores(tiny.val), tiny.val)
    assert found.t2i.r1_by_pairing < 100 == found.t2i.r1_by_truth
    assert found.t2i.n_true == found.t2i.n_errors > 0 and found.t2i.true_fraction == 100
    assert "of these true" in repr(found)


def test_photographs_and_other_shapes_are_refused(tiny):
    photographs = Split("test", torch.zeros(1, 3, 4, 4, dtype=torch.uint8), ["a"], torch.tensor([0]))
    with pytest.raises(ItmError, match="has no facts"):
        true_matches(photographs)
    with pytest.raises(ItmError, match="no facts"):
        compare_with_truth(torch.zeros(1, 1), photographs)
    with pytest.raises(ItmError, match=r"scores is \[2, 2\]; val needs"):
        compare_with_truth(torch.zeros(2, 2), tiny.val)
