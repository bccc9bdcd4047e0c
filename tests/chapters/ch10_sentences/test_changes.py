"""Changed captions: substitutes of words, exchanged nouns, and what a model that is blind to order sees."""

from math import isnan
from types import SimpleNamespace

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.chapters.ch10_sentences import changes
from itm_tutorial.data.parsing import WorldParser
from itm_tutorial.errors import ItmError

parse = WorldParser("scenes")
CAPTIONS = [
    "A dog is here.",
    "A white dog stands next to a grey cat in the forest.",
    "A red car stands near a blue van.",
]
PARSES = parse(CAPTIONS)


class Letters:
    """An encoder that counts words, whatever their order; its embedding has one number per word."""

    words = sorted({word for one in PARSES for word in one.words})

    def eval(self):
        return self

    def encode_captions(self, captions):
        return torch.tensor([[float(c.lower().strip(".").split().count(w)) for w in self.words] for c in captions])


def test_a_clear_caption_describes_two_nouns():
    assert changes.clear_caption(PARSES) == 1
    assert changes.described_nouns(PARSES[1]) == [2, 8]
    with pytest.raises(ItmError, match="none of 1 captions describes two nouns"):
        changes.clear_caption(PARSES[:1])


def test_nouns_change_places():
    assert changes.exchanged_nouns(PARSES[1]) == "a white cat stands next to a grey dog in the forest"
    with pytest.raises(ItmError, match="describes 0 nouns"):
        changes.exchanged_nouns(PARSES[0])


def test_words_of_one_class_and_relation_take_each_others_place():
    known = changes.substitutes(PARSES)
    assert set(known["ADJ", "amod"]) == {"white", "grey", "red", "blue"}
    assert known["DET", "det"][0] == "a"


def test_a_count_of_words_moves_with_words_and_not_with_their_order():
    model = Letters()
    (moved,) = changes.moves({"count": model}, PARSES[1], changes.substitutes(PARSES)).values()
    assert len(moved) == len(PARSES[1].words) and moved[1] > 0.01  # another colour in the place of "white"
    assert isnan(moved[4])  # no other word is used as "next" is here
    words = " ".join(PARSES[1].words)
    assert changes.distances(model, words, [words, changes.exchanged_nouns(PARSES[1])]) == pytest.approx(
        [0, 0], abs=1e-6
    )


def test_misspelt_recall_without_noise_is_recall(tiny):
    model = itm.create_model("bow", tiny, seed=0).eval()
    curve = changes.misspelt_recall(model, tiny.test, (0, 50))
    assert curve[0] == itm.evaluate(itm.score(model, tiny.test), tiny.test.image_of).t2i.r10 and set(curve) == {0, 50}


def test_agreement_of_captions_that_are_all_alike_per_image():
    image_of = torch.tensor([0, 0, 1, 1])
    split = SimpleNamespace(
        captions=["a", "b", "c", "d"],
        image_of=image_of,
        facts=SimpleNamespace(of_caption=[1, 2, 3, 4], truths=[SimpleNamespace(words=[]) for _ in range(4)]),
    )
    perfect = SimpleNamespace(encode_captions=lambda captions: torch.eye(2)[image_of[: len(captions)]])
    perfect.eval = lambda: perfect
    assert changes.agreements({"perfect": perfect}, split) == {"perfect": {"same_image": 1.0, "reordered_pairs": 0}}
