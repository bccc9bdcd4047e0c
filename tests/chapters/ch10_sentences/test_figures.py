"""Chapter 10's figures in numbers: alt text, texts inside the figure, and errors."""

from math import nan

import pytest
import torch

from itm_tutorial.chapters.ch10_sentences import figures as ch10
from itm_tutorial.chapters.ch10_sentences.method_figures import METHODS
from itm_tutorial.chapters.ch10_sentences.probes import double_softmax_floor, losses_of_probe
from itm_tutorial.chapters.ch10_sentences.reading_figures import tree_text
from itm_tutorial.data.parsing import WorldParser
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.probing import ProbeResult

(TREE,) = WorldParser("scenes")(["A red dog stands next to a cat."])
HOPS = torch.eye(8)[[2, 7, 2]] * 0.9 + 0.0125
ROWS = {"GRU": [0.0, 0.2, 0.3, 0.0, nan, 0.0, 0.0, 0.25], "seam": [0.0, 0.1, 0.4, 0.0, nan, 0.0, 0.0, 0.35]}
EXCHANGED = {"GRU": 0.08, "seam": 0.0}
RANKS = {"GRU": {"same_image": 17.8, "reordered": 1.3}, "word vectors": {"same_image": 149.7}}
CURVES = {"GRU": {0: 74.1, 10: 41.2}, "characters": {0: 60.8, 10: 52.2}}
READ = ProbeResult(60.0, 51.0, 45.0, 49.0, (60.0,), 100, 10)
PROBES = {"object": {"untrained GRU": READ, "trained GRU": READ}}
LOSSES = {"once": [2.3, 1.0, 0.4], "twice": [2.3, 2.0, 1.9]}


@pytest.fixture
def figures():
    return {
        "agreement": ch10.agreement(RANKS, 4995),
        "methods": ch10.methods(),
        "misspelt": ch10.misspelt(CURVES),
        "moved_by": ch10.moved_by(ROWS, TREE.words, EXCHANGED, "dog and cat"),
        "probes": ch10.probes(PROBES, LOSSES, 10),
        "readings": ch10.readings(TREE, HOPS),
    }


def test_every_figure_says_what_it_shows(figures, drawing):
    assert set(figures) == set(ch10.__all__) - {"sentence_explorer"}
    quoted = {
        "agreement": [
            "among 4995 captions",
            "GRU nearest other caption of the image 17.8, same facts in another order 1.3",
        ],
        "methods": ["A map of 7 methods", "SEAM (2018), new: combines by: several hops"],
        "misspelt": ["GRU: 74.1 at 0 %, 41.2 at 10 %", "characters: 60.8 at 0 %"],
        "moved_by": ["GRU: dog 0.30, cat 0.25, red 0.20; dog and cat exchanged 0.08", "seam: dog 0.40"],
        "probes": ["object, trained GRU: 60 %, most common label 51, random labels 45", "floor of two: 1.46"],
        "readings": ["“a red dog stands next to a cat”", "red hangs on dog (amod)", "hop 1 dog, hop 2 cat, hop 3 dog"],
    }
    drawing.check_alt_texts(figures, quoted)


def test_texts_stay_inside_and_apart(figures, drawing):
    drawing.check_texts(figures, may_cross=("readings", "probes"))


def test_hops_of_an_untrained_model_are_called_so():
    assert "3 hops before training" in ch10.readings(TREE, HOPS, trained=False).alt_text


def test_figures_are_drawn_where_asked(drawing):
    drawing.check_targets([lambda mine: ch10.readings(TREE, HOPS, figure=mine)])


def test_the_map_has_every_method_with_the_same_parts():
    assert len(METHODS) == 7 and len({tuple(parts) for parts in METHODS.values()}) == 1


def test_a_tree_in_words():
    assert tree_text(TREE).startswith("a hangs on dog (det), red hangs on dog (amod), dog hangs on stands (nsubj)")
    assert "stands is the root" in tree_text(TREE)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: ch10.readings(TREE, HOPS[:, :5]), r"hops are \[3, 5\] for 8 words"),
        (lambda: ch10.moved_by({"GRU": [0.1]}, TREE.words, {"GRU": 0.1}, "dog and cat"), "one distance for each of 8"),
        (lambda: ch10.moved_by(ROWS, TREE.words, {"GRU": 0.1}, "dog and cat"), "encoders alike in both"),
        (lambda: ch10.agreement({}, 10), "give one encoder or more"),
        (lambda: ch10.misspelt({"GRU": {}}), "give one encoder or more"),
        (lambda: ch10.probes(PROBES, {"once": [1.0]}, 10), "the losses of “once” and “twice”"),
    ],
)
def test_wrong_inputs_are_named(draw, message):
    with pytest.raises(ItmError, match=message):
        draw()


def test_the_floor_of_two_softmax_functions():
    assert [round(double_softmax_floor(n), 3) for n in (2, 6, 80)] == [0.313, 1.044, 3.403]


def test_a_probe_that_is_watched_learns_only_with_one_softmax():
    g = torch.Generator().manual_seed(0)
    labels = torch.randint(4, (60,), generator=g)
    x = torch.randn(60, 8, generator=g) + 4 * torch.nn.functional.one_hot(labels, 8)
    loss = torch.nn.functional.cross_entropy
    once = losses_of_probe(x, labels, loss)
    twice = losses_of_probe(x, labels, lambda logits, y: loss(logits.softmax(1), y))
    assert once[-1] < 0.1 and once[0] == pytest.approx(twice[0], abs=1e-5)
    assert min(twice) >= double_softmax_floor(4) - 1e-6
