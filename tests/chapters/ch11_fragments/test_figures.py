"""The figures of chapter 11 in numbers: alt text, what is marked without colour, and errors."""

import pytest
import torch

from itm_tutorial import show
from itm_tutorial.chapters.ch11_fragments import figures as ch11
from itm_tutorial.chapters.ch11_fragments.method_figures import METHODS, NEW
from itm_tutorial.errors import ItmError
from itm_tutorial.show.attention_view import AttentionView

N_WORDS = torch.tensor([4.0, 6, 8, 10])
SCORES = {"sum": torch.tensor([1.0, 2, 3, 4]), "divided": torch.tensor([4.0, 2, 3, 1])}
OWN = torch.tensor([True, False, False, True])
RED, DOG = 1, 2  # places of two words of the caption that ``attended`` makes


@pytest.fixture
def view(attended):
    seen, split = attended
    return AttentionView.of(seen, split, 0, None, "mini")


@pytest.fixture
def dots(view):
    """Dot products [5, n_words]: "red" is highest at region 3, "dog" nowhere positive."""
    dots = torch.full(view.weights.shape, -1.0)
    dots[2, RED], dots[3, RED] = 3.0, 1.0
    dots[1, DOG] = -0.5
    return dots


@pytest.fixture
def figures(view, dots):
    return {
        "attention_matrix": ch11.attention_matrix(dots, view.words),
        "found_by": ch11.found_by({"A": [60.0, 70.0]}, {"chance": [20.0]}, "pointing game"),
        "grounded": ch11.grounded(view, ch11.weights_of(dots), [RED, DOG]),
        "methods": ch11.methods(),
        "score_by_length": ch11.score_by_length(SCORES, N_WORDS, OWN),
    }


def test_every_figure_says_what_it_shows(figures, drawing):
    assert set(figures) == set(ch11.__all__) - {"weights_of"}
    quoted = {
        "attention_matrix": ["5 regions by 10 words", "“red” is highest at region 3 (3.00)"],
        "found_by": ["pointing game, in percent", "A 65.0 ± 7.1; chance 20.0."],
        "grounded": ["best region: “red” attends", "(1.00), inside the box it names", "thresholded: “red”", "softmax:"],
        "methods": [
            "A map of 5 methods",
            "DVSA (2015), new: a piece takes: its best region; score: the sum over words",
        ],
        "score_by_length": [
            "Scores of 4 captions with one image. sum: correlation of score and length 1.00; the caption ranked first "
            "has 10 words and is one of its own",
            "divided: correlation of score and length -0.80",
        ],
    }
    drawing.check_alt_texts(figures, quoted)


def test_the_weights_of_each_rule_sum_to_one(dots):
    found = ch11.weights_of(dots)
    assert list(found) == ["best region", "thresholded", "softmax"]
    for weights in found.values():
        assert torch.allclose(weights.sum(0), torch.ones(dots.shape[1]))
    assert found["best region"][:, RED].tolist() == [0, 0, 1, 0, 0]
    assert found["thresholded"][:, RED].tolist() == [0, 0, 0.75, 0.25, 0]
    assert found["thresholded"][:, DOG].tolist() == pytest.approx([0.2] * 5)  # none is positive
    assert torch.equal(found["softmax"], dots.softmax(0))


def test_a_row_per_word_has_the_truth_and_each_rule(view, dots):
    before = view.weights
    figure = ch11.grounded(view, ch11.weights_of(dots), [RED, DOG])
    assert len(figure.axes) == 12 and view.weights is before
    heads = [text.get_text() for axes in figure.axes[:4] for text in axes.texts]
    assert heads == ["true box", "best region", "thresholded", "softmax"]
    assert figure.axes[5].get_title("left") == "✓ red" and figure.axes[10].get_title("left").endswith("dog")


def test_controls_are_hatched_and_every_seed_is_a_dot():
    axes = ch11.found_by({"A": [60.0, 70.0]}, {"chance": [20.0, 30.0]}, "pointing game").axes[0]
    assert [bar.get_hatch() for bar in axes.patches] == [None, "////"]
    assert [line.get_xdata().tolist() if hasattr(line.get_xdata(), "tolist") else list(line.get_xdata())
            for line in axes.lines] == [[60.0, 70.0], [20.0, 30.0]]  # fmt: skip
    assert [text.get_text() for text in axes.texts] == ["65.0 ± 7.1", "25.0 ± 7.1"]


def test_one_run_has_no_deviation():
    figure = ch11.found_by({"yours": [80.0]}, {}, "pointing game")
    assert [text.get_text() for text in figure.axes[0].texts] == ["80.0"]
    assert "yours 80.0." in show.alt_text(figure)


def test_the_first_caption_is_ringed_and_the_own_ones_are_diamonds():
    figure = ch11.score_by_length(SCORES, N_WORDS, OWN)
    for axes, first in zip(figure.axes, ((10.0, 4.0), (4.0, 4.0)), strict=True):
        others, own, ringed = axes.collections
        assert len(others.get_offsets()) == 2 and own.get_offsets()[:, 0].tolist() == [4.0, 10.0]
        assert tuple(ringed.get_offsets()[0].tolist()) == first


def test_the_map_is_of_the_registered_methods():
    assert {name.partition(" ")[0] for name in METHODS} == {"DeFrag", "DVSA", "CITE", "Align2Ground", "InfoGround"}
    assert {name for name, _ in NEW} == set(METHODS)


def test_what_cannot_be_drawn_is_refused(view, dots):
    with pytest.raises(ItmError, match="0 words and 3 rules"):
        ch11.grounded(view, ch11.weights_of(dots), [])
    with pytest.raises(ItmError, match=r"the weights of 'x' are \[2, 2\]; give \[5, 10\]"):
        ch11.grounded(view, {"x": torch.eye(2)}, [RED])
    with pytest.raises(ItmError, match="found_by: give one or more values"):
        ch11.found_by({"A": []}, {}, "pointing game")
    with pytest.raises(ItmError, match="give one per caption"):
        ch11.score_by_length({"sum": torch.zeros(3)}, N_WORDS, OWN)
