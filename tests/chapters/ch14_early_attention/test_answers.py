"""The answers of chapter 14 follow from the numbers of a run, whichever way these go."""

import torch

from itm_tutorial.chapters.ch14_early_attention import answers
from itm_tutorial.chapters.ch14_early_attention.live import Saliency
from itm_tutorial.retrieval.rerank import RerankReport

MOVES = torch.tensor([[0.7, 0.1, 0.1, 0.1], [0.1, 0.7, 0.1, 0.1]])
SHIFTS = torch.tensor([[0.7, 0.1, 0.1, 0.1], [0.5, 0.3, 0.1, 0.1]])
EVEN = torch.full((2, 4), 0.25)


def test_the_second_look_is_another_the_same_or_between():
    text = answers.steps({"dan": MOVES, "still": EVEN, "shifts": SHIFTS})
    assert "*dan*: 60% of the weight moves, and the last step prefers another region" in text
    assert "*still*: 0% of the weight moves, and the last step attends as the first does. In 0 of 2" in text
    assert "*shifts*: 20% of the weight moves, and the region with the largest weight stays the same." in text
    assert "In 2 of 2 steps" in text and "the same for every caption" in text


def test_pairs_of_maps_are_equal_or_move():
    tokens = ["<start>", "dog", "<end>"]
    words = torch.tensor([[0.2, 0.6, 0.2], [0.2, 0.2, 0.6]])
    text = answers.pairs(
        {"sm_lstm": Saliency(tokens, MOVES, words), "fixed": Saliency(tokens, EVEN, words[:1].expand(2, -1))}
    )
    assert "*sm_lstm*: 60% of the weight over regions moves" in text and "*dog*, *<end>*; all steps together" in text
    assert "reach 2.0 of 4 regions" in text and "*fixed*: its maps are equal in all steps" in text
    still = answers.pairs({"sm_lstm": Saliency(tokens, EVEN, words)})
    assert "equal" not in still and "to the last, so that it looks at nearly the same regions again" in still
    assert "nearly" not in text


def test_the_gate_is_used_as_a_vector_or_not():
    shown, names = torch.tensor([0.1, 0.9, 0.8]), ["a", "dog", "red"]
    wide = torch.tensor([[0.9, 0.1], [0.9, 0.1]])
    text = answers.fusion(shown, names, {"dog"}, wide, most=2)
    assert "Of the 2 likeliest concepts, the captions name 1: dog. Not named: red;" in text
    assert "mean gate is 0.50, which prefers neither side. Its standard deviation is 0.40 over" in text
    assert "could not express" in text
    flat = answers.fusion(shown, names, {"dog", "red"}, torch.full((2, 2), 0.8), most=2)
    assert "prefers the concepts" in flat and "one number per picture would do" in flat and "Not named" not in flat
    assert "prefers the context" in answers.fusion(shown, names, set(), torch.full((2, 2), 0.2))


def test_the_cheapest_method_depends_on_the_number_of_captions():
    work = {"index": (100.0, 1.0), "pieces": (0.0, 5.0)}
    text = answers.costs(work, 1000)
    assert "For a single caption pieces is cheapest, and for 1,000 captions index: the order turns round." in text
    assert "There pieces needs 5 times as many" in text
    assert "it is the cheapest for both" in answers.costs(work, 2)


def test_a_shortlist_gains_loses_or_changes_nothing():
    report = RerankReport("t2i", 5, 500, 10_000, {"t2i": {1: 30.0, 5: 70.0}})
    text = answers.shortlist(report, 30.0, 42.5)
    assert "Only 500 of 10,000 pairs cost a network, 95% fewer." in text and "reach an R@1 of 70.0" in text
    assert "the expensive model gains 12.5 points. The 30.0% of the captions" in text
    assert "loses 2.0 points" in answers.shortlist(report, 30.0, 28.0)
    assert "the expensive model changes nothing." in answers.shortlist(report, 30.0, 30.0)
