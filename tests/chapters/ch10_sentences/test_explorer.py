"""The widget of chapter 10: chosen and typed sentences change the tree, the pictures and the nearest captions."""

from types import SimpleNamespace

import pytest
import torch

from itm_tutorial.chapters.ch10_sentences import explorer as module
from itm_tutorial.chapters.ch10_sentences import figures as ch10
from itm_tutorial.data.corpus import Split
from itm_tutorial.data.parsing import WorldParser
from itm_tutorial.errors import ItmError

WORDS = ["a", "red", "dog", "blue", "van"]
parse = WorldParser("scenes")


class Counter:
    """An encoder that counts words; image number n equals caption number n."""

    vocabulary, features = set(WORDS), None

    def __init__(self, captions):
        self.captions = captions

    def eval(self):
        return self

    def encode_captions(self, captions):
        words = [caption.lower().strip(".").split() for caption in captions]
        return torch.tensor([[0.01, *(float(one.count(w)) for w in WORDS)] for one in words])

    def encode_images(self, images):
        return self.encode_captions(self.captions)

    def similarity(self, image_emb, caption_emb):
        return image_emb @ caption_emb.T


@pytest.fixture
def explored(monkeypatch):
    images = [torch.full((3, 32, 32), 60 * n, dtype=torch.uint8) for n in (1, 2)]
    split = Split("test", images, ["a red dog", "a blue van"], torch.tensor([0, 1]))
    monkeypatch.setattr(module, "split_features", lambda split, features: torch.zeros(2, 1))
    drawn = []
    nearest = module.nearest

    def noted(tree, found, split):
        drawn.append((tree, found))
        return nearest(tree, found, split)

    monkeypatch.setattr(module, "nearest", noted)
    widget = ch10.sentence_explorer({"count": Counter(split.captions)}, split, parse, ["a red dog", "a blue van"])
    return SimpleNamespace(**dict(zip(("ready", "typed", "view"), widget.children, strict=True)), drawn=drawn)


def test_it_begins_with_the_first_sentence(explored):
    tree, found = explored.drawn[-1]
    assert tree.words == ("a", "red", "dog") and found == {"count": ([0, 1], 1)}
    assert (
        "The tree: a hangs on dog (det)" in explored.view.value and "<li>count: a blue van</li>" in explored.view.value
    )
    assert "No training caption" not in explored.view.value


def test_another_sentence_finds_another_picture(explored):
    explored.ready.value = "a blue van"
    assert explored.drawn[-1][1] == {"count": ([1, 0], 0)} and "<li>count: a red dog</li>" in explored.view.value


def test_a_typed_sentence_goes_the_same_way(explored):
    explored.typed.value = "  a blue <b>zebra</b> "
    tree, found = explored.drawn[-1]
    assert "zebra" in tree.words and found["count"][0] == [1, 0]
    assert "No training caption has: b, zebra." in explored.view.value and "<b>zebra" not in explored.view.value
    explored.ready.value = "a blue van"
    assert explored.typed.value == "" and explored.drawn[-1][0].words == ("a", "blue", "van")


def test_no_word_and_too_many_words_are_named(explored):
    n = len(explored.drawn)
    explored.typed.value = "?!"
    assert explored.view.value == "<p>This sentence has no word: type 1 to 24.</p>"
    explored.typed.value = "dog " * 25
    assert explored.view.value == "<p>This sentence has 25 words: type 1 to 24.</p>" and len(explored.drawn) == n
    explored.typed.value = "a dog"
    assert len(explored.drawn) == n + 1


def test_nothing_to_show_is_refused():
    split = Split("test", [torch.zeros(3, 8, 8, dtype=torch.uint8)], ["a"], torch.tensor([0]))
    with pytest.raises(ItmError, match="one model or more, and one caption or more"):
        ch10.sentence_explorer({}, split, parse, ["a"])
