"""The answers of chapter 13 follow from the numbers of a run, whichever way these go."""

import pytest
import torch

from itm_tutorial.chapters.ch13_writing import answers
from itm_tutorial.evaluation.caption_truth import evaluate_captions, statement_truth
from itm_tutorial.retrieval.writing import WrittenCaption


@pytest.fixture
def split(tiny):
    return tiny.test


def test_pictures_count_statements_and_name_the_false_ones(split):
    own = [WrittenCaption(split.captions_of(i)[0], -4.0 - i) for i in (0, 1)]
    other = [own[0], WrittenCaption("a purple castle", -2.0)]
    text = answers.pictures(split, [0, 1], {"greedy": own, "beam": other})
    n = sum(len(statement_truth(one.text, split, i)) for i, one in enumerate(own))
    assert f"*greedy*: {n} of {n} statements are true, and log P is -4.5 on average. Nothing is false." in text
    assert "For 1 of 2 pictures the beam even found a less likely caption" not in text
    worse = [WrittenCaption(one.text, one.log_p - 1) for one in own[:1]] + own[1:]
    assert "For 1 of 2 pictures the beam even" in answers.pictures(split, [0, 1], {"greedy": own, "beam": worse})
    assert "False: *castle*, *purple*." in text and "For 1 of 2 pictures all ways write the same" in text


def test_the_words_that_tell_two_images_apart():
    own = [("a", -0.5), ("red", -1.0), ("dog", -0.25), ("<end>", -0.5)]
    other = [("a", -0.5), ("red", -3.0), ("dog", -4.25), ("<end>", -0.5)]
    text = answers.words(own, other)
    assert "its own image, log P of the caption is -2.2; given the other image it is -8.2" in text
    assert "+6.0, comes most from *dog* (+4.0), *red* (+2.0)" in text and "For 2 of 4 tokens" in text
    assert "differ by less" not in answers.words(own[1:3], other[1:3])


def test_hubs_and_shares_are_those_of_the_scores():
    same = torch.tensor([[-1.0, -5.0, -9.0]] * 3) - torch.eye(3)
    tables = {"log P": same, "divided": torch.eye(3)}
    text = answers.hubs(tables, {"log P": 33.0, "divided": 100.0}, ["a dog", "b", "c"])
    assert "*a dog* is first for 3 of 3 images, and only 1 of 3 captions are first" in text and "most of what" in text
    assert "*divided*: the share is 0 %. The most frequent first caption is first for 1 images, and 3 captions" in text
    assert text.endswith("R@1 from image to text: log P 33 %, divided 100 %.")
    few = answers.hubs({"log P": torch.eye(3)}, {"log P": 100.0}, ["a", "b", "c"])
    assert "so much of the score says how common" in few


@pytest.fixture
def reports(split):
    own = [split.captions_of(i)[0] for i in range(len(split.images))]
    true, false, silent = (evaluate_captions(row, split) for row in (own, ["a purple castle"] * len(own), ["is"] * 30))
    return {"true": true, "false": false, "silent": silent}


def test_a_beam_that_is_likelier_and_truer_or_not(reports):
    true, false = reports["true"], reports["false"]
    log_p = {"greedy": -9.0, "beam": -8.5, "drawn": -20.0}
    control = {"other pictures": false}
    up = answers.truth({"greedy": false, "beam": true, "drawn": false}, log_p, control)
    assert (
        "A beam raises log P, by 0.50 on average: -9.00 becomes -8.50." in up and "rises, from 0.0 % to 100.0 %" in up
    )
    assert "drawn 0 % (log P -20.0)" in up and "picture: other pictures 0 %." in up and "wrong less often" not in up
    down = answers.truth({"greedy": true, "beam": false}, log_p | {"beam": -9.5}, control)
    assert "does not raise log P" in down and "falls, from 100.0 % to 0.0 %" in down and "wrong less often" in down
    assert "The other captions" not in down and "object 100 %" in down
    equal = answers.truth({"greedy": true, "beam": true}, log_p, control)
    assert "hardly changes: 100.0 % and 100.0 %" in equal


def test_captions_that_state_nothing_have_no_share(reports):
    text = answers.truth({"greedy": reports["silent"], "beam": reports["true"]}, {"greedy": -1.0, "beam": -2.0}, {})
    assert "One of the two makes no statements" in text and "nan" not in text and "falsest" not in text


def test_ways_to_write_are_told_by_how_many_captions_differ():
    one, other = WrittenCaption("a dog", -1.0), WrittenCaption("a cat", -2.0)
    text = answers.alike({"greedy": [one, one, other], "drawn": [one, other, WrittenCaption("x", -9.0)]})
    assert text.startswith("*greedy*: 2 different captions for 3 pictures, *a dog* 2 times; *drawn*: 3 different")


@pytest.mark.parametrize(("gallery", "told"), [(30.2, "hardly differs"), (35.0, "5.0 points above"), (20.0, "below")])
def test_a_prior_over_the_gallery_changes_a_pair(gallery, told):
    pair = {"training images": [2.0, 2.0], "gallery": [1.5, 1.25]}
    text = answers.leak(pair, {"training images": 30.0, "gallery": gallery})
    assert "is 2.00 in both galleries" in text and "it is 1.50 among all images and 1.25 among half" in text
    assert told in text
