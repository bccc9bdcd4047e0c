"""The answers of chapter 21 follow from the numbers of a run, whichever way these go; so does what is measured live."""

from types import SimpleNamespace

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.chapters.ch21_after_2020 import answers, live
from itm_tutorial.chapters.ch21_after_2020.live import FalseError, Record, Space
from itm_tutorial.evaluation.minimal_pairs import true_fractions
from itm_tutorial.evaluation.true_matches import compare_with_truth

MATRIX = torch.tensor([[0.60, 0.52, 0.45], [0.20, 0.70, 0.35], [0.05, 0.30, 0.50]])


def kept(name, mean=-12.0, verdict="does not hold"):
    return {name: {"name": name, "mean": mean, "standard_error": 1.5, "verdict": verdict}}


def report(i2t, t2i):
    return SimpleNamespace(i2t=SimpleNamespace(r1=i2t), t2i=SimpleNamespace(r1=t2i))


def test_losses_that_leave_scores_alone_are_counted():
    text = answers.eight_losses(MATRIX)
    assert "*largest hinge, margin 0.1* leaves 5 of 9 scores" in text
    assert "0.1 the hardest negative gets 34 times the gradient of the easiest, with 0.5 only 1.7 times" in text


def test_the_slip_is_told_with_its_cost_or_without():
    effect = "a learned temperature beats the slip (rsum)"
    text = answers.slip({"log(1 / 0.07)": (22.3, 450.0), "0.07": (2.7, 413.0)}, kept(effect, 27.8, "holds"))
    assert "costs 37 points of rsum" in text and "the slip costs +27.8, standard error 1.5: holds." in text
    text = answers.slip({"log(1 / 0.07)": (22.3, 400.0), "0.07": (2.7, 413.0)}, {})
    assert "does not show a cost" in text and answers.NOT_KEPT in text


def test_batches_are_told_by_the_best_loss():
    found = {"3 epochs": {"softmax": {16: [300.0], 64: [350.0, 360.0]}, "sigmoid": {16: [310.0], 64: [340.0]}}}
    text = answers.batches(found)
    assert "With 3 epochs, *sigmoid* is best at 16, and *softmax* at 64." in text
    assert "*softmax* at 64, *sigmoid* at 64" in text
    found["3 epochs"]["softmax"][16] = [320.0]
    assert "*softmax* is best at 16 and at 64." in answers.batches(found)
    assert answers.batches({}) == answers.NOT_KEPT


@pytest.mark.parametrize(("gap", "word"), [(0.3, "shrinks"), (1.0, "hardly changes"), (1.4, "grows")])
def test_the_gap_is_told_whichever_way_it_goes(gap, word):
    first = Space(0, torch.zeros(4), torch.zeros(9), 1.0, 14.3)
    text = answers.space([first, Space(3, torch.full((4,), 0.5), torch.zeros(9), gap, 20.0)])
    assert f"The modality gap {word}, from 1.00 to {gap:.2f}" in text and "moved by +0.50" in text


def test_prompts_are_compared_with_guessing():
    text = answers.prompts({"the label alone": 6.0, "one template": 5.0}, 1.5, {})
    assert "about 4 times guessing (1.5 %)" in text and "*one template* 5.0 %" in text
    assert "close to guessing (1.5 %)" in answers.prompts({"one template": 2.0}, 1.5, {})


def test_a_model_that_cannot_tell_the_order_is_named():
    text = answers.order({"colours swapped": 47.0, "words shuffled": 80.0}, 120.0, {})
    assert "*colours swapped*: this run cannot tell." in text and "retrieves (rsum 120)" in text
    assert "this run cannot tell" not in answers.order({"words shuffled": 80.0}, 120.0, {})


@pytest.mark.parametrize(
    ("theta", "near"),
    [([0.9, 0.1, 0.0], "the maximum"), ([0.3, 0.4, 0.3], "the mean"), ([0.0, 0.1, 0.9], "the minimum")],
)
def test_learned_weights_are_nearest_to_a_fixed_pooling(theta, near):
    text = answers.pooling({"regions": torch.tensor(theta)}, {})
    assert f"Regions: nearest to {near}" in text and ("turns the sign" in text) == (near == "the minimum")


def test_a_head_may_help_or_not(tiny):
    shortlist = SimpleNamespace(ceiling={"t2i": {1: 40.0, 8: 80.0}})
    text = answers.reranked(report(50, 40.0), report(50, 52.0), report(50, 53.0), shortlist)
    assert "The head raises it by 12.0 points: 52.0 %" in text and "for 80.0 % of the captions" in text
    text = answers.reranked(report(50, 40.0), report(50, 30.0), report(50, 40.4), shortlist)
    assert "The head lowers it by 10.0 points" in text
    assert "hardly changes it: 40.5 %" in answers.reranked(report(0, 40.0), report(0, 40.5), report(0, 0), shortlist)
    assert "*gpo* 33.0 and 24.2" in answers.beside_papers({"gpo": report(33.0, 24.2)})


def test_errors_that_are_none_are_found_by_a_loop(tiny):
    split = tiny.val
    scores = torch.randn(len(split.images), len(split.captions), generator=torch.Generator().manual_seed(0))
    scores = scores + 2 * (true_fractions(split) == 1)
    found, true = [], true_fractions(split)
    for caption in range(len(split.captions)):
        first = int(scores[:, caption].argmax())
        if first != int(split.image_of[caption]) and true[first, caption] == 1:
            found.append(FalseError(caption, int(split.image_of[caption]), first))
    assert live.errors_that_are_none(scores, split) == found and found
    compared = compare_with_truth(scores, split)
    assert compared.t2i.n_true == len(found)
    assert f"{len(found):,} (" in answers.true_errors(found, compared)


@pytest.fixture
def model(tiny, cheap_features, monkeypatch):
    monkeypatch.setattr(live, "split_features", cheap_features)
    return itm.create_model("clip_features", tiny, features="global", sentence="bow", embed_size=8)


def test_a_record_holds_the_cosines_of_its_images(model, tiny):
    record = Record(tiny.val)
    record(model)
    record(model, {"epoch": 1})
    first, second = record.moments
    n = len(record.split.captions)
    assert (first.epoch, second.epoch) == (0, 1) and first.scale == pytest.approx(1 / 0.07)
    assert len(first.positives) == n and len(first.others) == n * (len(record.split.images) - 1)
    assert 0 <= first.gap <= 2 and torch.equal(first.positives, second.positives)


def test_guesses_are_sorted():
    assert live.guesses(torch.tensor([[0.1, 0.5, 0.3]]), ["a", "b", "c"], k=2) == [
        [("b", pytest.approx(0.5)), ("c", pytest.approx(0.3))]
    ]
