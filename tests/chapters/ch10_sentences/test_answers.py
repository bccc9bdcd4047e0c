"""The answers of chapter 10 follow from the numbers of a run, whichever way these go."""

from math import nan

import pytest
import torch

from itm_tutorial.chapters import experiment
from itm_tutorial.chapters.ch10_sentences import answers
from itm_tutorial.data.parsing import WorldParser
from itm_tutorial.evaluation.probing import ProbeResult

(TREE,) = WorldParser("scenes")(["A red dog stands next to a cat."])
CURVES = {"GRU": {0: 74.1, 25: 14.3}, "characters": {0: 60.8, 25: 36.4}}


def test_hops_that_read_the_same_word():
    hops = torch.eye(8)[[2, 7, 2]]
    text = answers.readings(TREE, hops, True)
    assert "*cat* and *stands* are 4 steps apart" in text and "the root, *stands*" in text
    assert "3 hops put their largest weights on *dog*, *cat*" in text and "Several hops read the same word" in text
    assert "Each hop reads another word" in answers.readings(TREE, torch.eye(8)[[2, 7]], True)
    assert "is not trained" in answers.readings(TREE, hops, False)


def test_a_set_is_told_from_a_sequence():
    rows = {"GRU": [0.0, 0.2, 0.3, nan], "seam": [0.1, 0.2, 0.4, nan]}
    words = ["a", "red", "dog", "to"]
    text = answers.moved(rows, words, {"GRU": 0.08, "seam": 0.0})
    assert "GRU: *dog*, *red*, *a*; seam: *dog*, *red*, *a*" in text
    assert "hardly move any" not in text
    quiet = answers.moved({"GRU": [0.0, 0.2, 0.3, 0.01]}, words, {"GRU": 0.08})
    assert "Words that hardly move any of them: *a*, *to*." in quiet
    assert "does not move seam at all" in text and "moves GRU 0.08" in text
    assert "at all" not in answers.moved(rows, words, {"GRU": 0.08, "seam": 0.01})
    assert "The exchange moves" not in answers.moved(rows, words, {"GRU": 0.0, "seam": 0.0})


def test_agreement_names_the_best_and_the_worst():
    ranks = {"GRU": {"same_image": 17.8, "reordered": 1.3}, "word vectors": {"same_image": 149.7}}
    text = answers.agreement(ranks)
    assert "in the space of *GRU* (mean rank 17.8)" in text and "*word vectors* (149.7)" in text
    assert "in another order are nearest with *GRU* (1.3)" in text
    ranks = {"a": {"same_image": 2.0}, "b": {"same_image": 3.0}}
    assert "another order" not in answers.agreement(ranks)


def test_misspelling_without_kept_results(monkeypatch):
    monkeypatch.setattr(experiment, "was_run", lambda name: False)
    text = answers.misspelt(CURVES)
    assert "GRU: 74.1 without misspelling, 14.3 at 25 % of the letters; characters: 60.8" in text
    assert "the highest is that of *GRU*" in text
    assert "= 0.59" in text and "was not measured yet" in text


def test_misspelling_with_kept_results():
    rows = [
        {"model": arm, "t2i": {str(n): {"r10": base + seed} for n in (0, 5, 10, 25)}}
        for arm, base in (("characters", 50), ("GRU over words", 60), ("GRU, word dropout", 55))
        for seed in (0, 1)
    ]
    text = answers.misspelt(CURVES, {"figures": rows})
    assert "Over several seeds: chain_vse 50.5 at 0 %, 50.5 at 5 %" in text and "GRU, word dropout 55.5 at 0 %" in text
    assert "not measured" not in text


def test_probes_are_compared_with_no_training():
    def read(accuracy):
        return ProbeResult(accuracy, 51.0, 45.0, 49.0, (accuracy,), 100, 10)

    results = {"object": {"untrained GRU": read(58.0), "trained GRU": read(70.0)}}
    text = answers.probes(results, {"once": [0.4], "twice": [1.9]}, 10)
    assert "object: 70 % after training, 58 % before, 51 % with the most common label" in text
    assert "Training changes *object* most, by +12.0 points" in text
    assert "the loss ends at 1.90; with one, at 0.40" in text and "never go below 1.46" in text


@pytest.mark.parametrize("names", [["a"], ["a", "b"], ["a", "b", "c"]])
def test_lists_are_joined(names):
    assert answers._joined(names) == {1: "a", 2: "a and b", 3: "a, b and c"}[len(names)]
