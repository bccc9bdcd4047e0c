"""The answers of chapter 00: their words follow from the numbers, whichever way these fall."""

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.chapters.ch00_start_here import answers
from itm_tutorial.evaluation.minimal_pairs import MinimalPairResult
from itm_tutorial.training.loop import History


def history(*rsums):
    return History([{"epoch": n, "loss": 60 / n, "rsum": float(rsum)} for n, rsum in enumerate(rsums, start=1)])


def test_a_curve_that_climbs_and_one_that_is_flat():
    climbs = answers.training(history(100, 200, 300, 400), 580)
    assert "rose by 100 in the last epoch, so the curve still climbs" in climbs and "distance of 180" in climbs
    flat = answers.training(history(100, 300, 390, 395, 400, 401, 399, 400), 580)
    assert "did not rise in the last 2 epochs" in flat and "those of epoch 6, with rsum 401" in flat
    little = answers.training(history(*range(100, 500, 50), 450, 452), 580)
    assert "rose by only 2.0 in the last 2 epochs, while the loss went from 7.5 to 6: more" in little
    assert "climbs" not in flat + little and "by heart" not in climbs


def test_one_epoch_is_a_curve_too():
    assert "rose by 6 in the last epoch" in answers.training(history(6), 580)


def test_captions_name_some_of_the_things(tiny):
    answer = answers.named_things(tiny.test, 0)
    assert "It shows 3 things that captions may name (cat, man and dog)" in answer
    assert "name 3, 2, 2, 3 and 2 of them: 2 of 5 named all" in answer


def test_a_sentence_decides_or_does_not(tiny):
    n_true = (itm.true_fractions(tiny.test) == 1).sum(0)
    alone, shared = int((n_true == 1).nonzero()[0]), int((n_true > 1).nonzero()[0])
    assert "wholly true of one picture among 30, so it decides" in answers.true_of(tiny.test, alone)
    answer = answers.true_of(tiny.test, shared)
    assert f"wholly true of {n_true[shared]} pictures among 30. It does not decide" in answer
    assert f"{100 * (n_true > 1).double().mean():.0f} % of the captions" in answer


def test_the_highest_negative_of_a_corner(tiny):
    first = [int((tiny.test.image_of == i).nonzero()[0]) for i in range(4)]
    scores = torch.eye(4)
    scores[2, 1] = 1.5
    answer = answers.nearest_negative(scores, tiny.test, first)
    assert "here 3 of 4" in answer and "caption 1 with picture 2, at 1.50" in answer and "picture has 1.00" in answer
    assert "has 3 chances to fail; in the whole split it has 29" in answer
    assert "here all 4" in answers.nearest_negative(torch.eye(4), tiny.test, first)
    backwards = answers.nearest_negative(1 - torch.eye(4), tiny.test, first)
    assert "here none of 4" in backwards


def test_what_picture_and_caption_share_is_true_of_both(tiny):
    captions = [0, 5]  # "A man in white, a small white dog and a small grey kitten.", "A large red cottage ..."
    scores = torch.tensor([[1.0, 0.9], [0.1, 1.0]])
    assert "no statement of the caption is true" in answers.nearest_negative(scores, tiny.test, captions)
    same = [0, 3]  # two captions of picture 0, the second taken for one of picture 1
    answer = answers.nearest_negative(scores, tiny.test, same)
    shared = "in a room, white person, small white dog and small striped grey cat"
    assert f"that picture shares 10 of the caption's 10 statements ({shared})" in answer and "has 1 chance to" in answer


def test_each_drawn_pair_is_decided_by_what_is_false_of_the_other_picture(tiny):
    answer = answers.what_decides(tiny.train)
    assert answer.startswith("False of the second picture: **") and "by their order alone" in answer


RESULTS = {"binding": MinimalPairResult(77, 167, 3), "relation": MinimalPairResult(51, 59, 6)}
GUESSES = {"binding": MinimalPairResult(52, 167, 4), "relation": MinimalPairResult(51, 59, 6)}


def kept(vse, bow):
    rows = []
    for seed, change in enumerate((-1, 0, 1)):
        for model, values in (("vse", vse), ("bow", bow)):
            pairs = {kind: value + change for kind, value in zip(answers.KINDS, values, strict=True)}
            rows.append({"seed": seed, "model": model, "minimal_pairs": pairs})
        rows.append({"seed": seed, "model": "ceiling"})
    return rows


def test_a_model_that_notices_colours_and_one_that_guesses():
    ahead = answers.minimal_pairs(RESULTS, GUESSES, kept((75, 71, 45, 68), (75, 53, 46, 67)))
    assert "clearly above guessing for colours swapped (77 %). It is not clearly above guessing for sides" in ahead
    assert "`bow` gets 52 % for colours swapped, clearly less" in ahead and "for sides changed, clearly" not in ahead
    assert "Means over the 3 runs" in ahead and "colours swapped 71 and 53 %" in ahead
    assert "Neither model is above guessing" in ahead
    behind = answers.minimal_pairs(GUESSES, RESULTS, kept((75, 53, 70, 68), (75, 53, 46, 67)))
    assert behind.startswith("In this run your model is not clearly above guessing for colours swapped (52 %)")
    assert "clearly less" not in behind and "not clearly ahead" in behind and "`vse` learns the sides" in behind


class Reader:
    """Scores by the words of a query alone, or by its first word as well."""

    def __init__(self, ordered):
        self.ordered = ordered


@pytest.fixture
def fixed_search(monkeypatch):
    """A search in which an ordered model turns its results around for a changed query, and another does not."""
    from itm_tutorial.retrieval.search import Hits

    def search(model, split, query, k):
        n = len(split.images)
        turned = model.ordered and query != split.captions[1]
        order = list(range(n))[::-1] if turned else list(range(n))
        return Hits(query, order[:k], [0.0] * k)

    monkeypatch.setattr(answers, "search", search)


def test_a_changed_query_finds_the_same_pictures_or_others(tiny, fixed_search):
    models = {"vse": Reader(True), "bow": Reader(False)}
    answer = answers.changed_queries(models, tiny.test, 1)  # "In a room, a small white dog ... to the right of a cat."
    assert "`vse` puts the right picture at rank 1 of 30" in answer and "Of the 5 wrong pictures beside it, " in answer
    assert "With the sides exchanged, `vse` returns 0 of the same 6 pictures and `bow` returns 6" in answer
    assert "colours swapped, `" not in answer  # it names one colour
    plain = answers.changed_queries(models, tiny.test, 4)  # no sides, one colour
    assert "The changed query" not in plain and "rank 30 of 30" in plain and "6 wrong pictures" in plain
