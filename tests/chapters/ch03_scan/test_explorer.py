"""The widget of chapter 03: each control changes the figure, captions may be typed, and pictures may be wrong."""

from types import SimpleNamespace

import pytest
import torch

from itm_tutorial import show
from itm_tutorial.chapters.ch03_scan import explorer as module
from itm_tutorial.chapters.ch03_scan import figures as ch03
from itm_tutorial.data.corpus import Split
from itm_tutorial.data.text import tokenize
from itm_tutorial.evaluation.grounding import Attention

VOCABULARY = {"a", "red", "dog", "blue", "van"}


@pytest.fixture
def explored(corners, monkeypatch):
    """The widget on two captions of two pictures; word number n attends to region n, and a score is 0.5 or 0.1."""
    images = [torch.full((3, 32, 32), 60 * n, dtype=torch.uint8) for n in (1, 2)]
    split = Split("test", images, ["a red dog", "a blue van"], torch.tensor([0, 1]), groundings=[[(2, 2)], []],
                  boxes=[corners, corners])  # fmt: skip
    asked = []

    def attend(model, split, captions, images=None):
        c = captions[0]
        image = int(split.image_of[c]) if images is None else images[0]
        words = tokenize(split.captions[c])
        asked.append((split.captions[c], image))
        weights = torch.full((5, len(words)), 0.1)
        for n in range(len(words)):
            weights[n % 5, n] = 0.6
        return Attention(torch.tensor([c]), torch.tensor([image]), [words], [weights], corners[None])

    model = SimpleNamespace(features=SimpleNamespace(backbone="mini"), vocabulary=VOCABULARY)
    monkeypatch.setattr(module, "attend", attend)
    monkeypatch.setattr(module, "_score", lambda model, split, text, image: 0.5 if image == 0 else 0.1)
    widget = ch03.attention_explorer(model, split, [0, 1])
    names = ("caption", "typed", "picture", "word", "region", "view")
    controls = dict(zip(names, widget.children, strict=True))
    return SimpleNamespace(**controls, split=split, asked=asked, default=attend(model, split, [0]))


def test_it_begins_with_its_figure(explored):
    assert explored.view.value.endswith(show.to_html(show.attention_of(explored.default, explored.split)))
    assert explored.caption.options == (("a red dog", 0), ("a blue van", 1))
    assert [name for name, _ in explored.picture.options][:2] == [
        "the caption's own picture",
        "the picture of: a red dog",
    ]
    assert explored.word.value == 2 and explored.region.value == module.NO_REGION  # "dog" names a box
    assert [name for name, _ in explored.region.options][:2] == ["choose a region", "1, at the upper left"]
    assert "Score of this caption with this picture: 0.50." in explored.view.value


def test_words_and_regions_take_turns(explored):
    explored.word.value = 1
    assert "“red” attends to the region at the upper right (0.60)" in explored.view.value
    explored.region.value = 2
    assert explored.word.value is None and "Region 3, at the lower left: words above" in explored.view.value
    explored.word.value = 2
    assert explored.region.value == module.NO_REGION and "inside the box it names" in explored.view.value
    assert (explored.word.index, explored.region.index) == (2, 0)  # what the browser gets


def test_another_caption_brings_its_words(explored):
    explored.region.value = 1
    explored.caption.value = 1
    assert [name for name, _ in explored.word.options] == ["a", "blue", "van"] and explored.word.value == 1
    assert explored.region.value == module.NO_REGION and explored.asked[-1] == ("a blue van", 1)


def test_a_wrong_picture_names_both_scores_and_no_boxes(explored):
    explored.picture.value = 1
    assert explored.asked[-1] == ("a red dog", 1)
    assert "with this picture: 0.10; with its own picture: 0.50." in explored.view.value
    assert "it names" not in explored.view.value


def test_a_typed_caption_is_tried_with_the_picture(explored):
    explored.typed.value = "  a <b>red</b> zebra "
    assert explored.asked[-1] == ("a <b>red</b> zebra", 0)
    assert "Training had no caption with: b, zebra." in explored.view.value and "<b>" not in explored.view.value
    assert [name for name, _ in explored.word.options] == ["a", "b", "red", "b (2)", "zebra"]
    explored.picture.value = 1
    assert explored.asked[-1] == ("a <b>red</b> zebra", 1) and "own picture" not in explored.view.value
    explored.caption.value = 1
    assert explored.typed.value == "" and explored.asked[-1] == ("a blue van", 1)


def test_a_caption_without_words_says_so_and_the_rest_goes_on(explored):
    explored.typed.value = "?!"
    assert explored.view.value == "<p>This caption has no word: type a few.</p>"
    explored.word.value = 0
    assert "“a” attends to" in explored.view.value and "Score of this caption" in explored.view.value
