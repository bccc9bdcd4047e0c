"""The measure of HM-LSTM's claim: which boxes a phrase names, which regions fit, and what a perfect model gets."""

from types import SimpleNamespace

import pytest
import torch

from itm_tutorial.chapters.ch10_sentences.measures import hm_lstm
from itm_tutorial.chapters.ch10_sentences.measures.hm_lstm import (
    grounded_phrases,
    overlaps_enough,
    phrases_to_regions,
)


def test_regions_that_overlap_a_named_box_by_half_fit():
    regions = torch.tensor([[[0.0, 0.0, 1.0, 0.5], [0.0, 0.0, 1.0, 0.4], [0.5, 0.5, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]]])
    named = torch.tensor([[[0.0, 0.0, 1.0, 1.0], [0.5, 0.5, 1.0, 0.9], [0.0, 0.0, 0.0, 0.0]]])
    assert overlaps_enough(regions, named).tolist() == [[True, False, True, False]]


def test_phrases_get_the_boxes_of_their_head_noun(tiny):
    split = tiny.test
    caption, number, named = grounded_phrases(split, "scenes")
    assert len(caption) == len(number) == len(named) and (number.diff() > 0).all()
    for row in range(0, len(caption), 17):
        c = int(caption[row])
        truth, boxes = split.facts.truths[c], split.boxes[int(split.image_of[c])]
        nouns = {w for w, word in enumerate(truth.words) if word.word_class == "noun"}
        of_nouns = [boxes[[box for word, box in split.groundings[c] if word == noun]] for noun in nouns]
        own = named[row][named[row].any(1)]
        assert any(own.shape == some.shape and torch.equal(own, some) for some in of_nouns)


def test_a_perfect_model_finds_every_phrase_and_a_blind_one_does_not(tiny, monkeypatch):
    split = tiny.test
    caption, number, named = grounded_phrases(split, "scenes")
    n, total = len(split.images), int(number.max()) + 9
    boxes = torch.stack([torch.cat([b, torch.zeros(8, 4)])[:8] for b in split.boxes])  # the true boxes themselves
    monkeypatch.setattr(hm_lstm, "split_boxes", lambda *_: boxes)
    monkeypatch.setattr(hm_lstm, "split_features", lambda *_: torch.eye(8).expand(n, 8, 8))
    fits = overlaps_enough(boxes[split.image_of[caption]], named).float()
    vectors = torch.zeros(total, 8)
    vectors[number] = fits
    pieces = iter([vectors])
    monkeypatch.setattr(hm_lstm, "CHUNK", len(split.captions))
    model = SimpleNamespace(
        features=None, encode_regions=lambda f: f, encode_phrases=lambda some: (None, next(pieces), None)
    )
    found = phrases_to_regions(SimpleNamespace(corpus=SimpleNamespace(test=split, name="scenes"), model=model, seed=0))
    assert found["phrase_r1"] == 100 and found["phrases"] == len(caption)
    assert found["phrase_chance"] == pytest.approx(100 * fits.mean().item())
    assert found["phrase_other"] < 80
