"""The figures of chapter 14 in numbers: alt text, what is marked without colour, and errors."""

import pytest
import torch

from itm_tutorial import show
from itm_tutorial.chapters.ch14_early_attention import figures as ch14
from itm_tutorial.chapters.ch14_early_attention.exercises import costs, crossing_point
from itm_tutorial.chapters.ch14_early_attention.method_figures import METHODS, NEW
from itm_tutorial.errors import ItmError
from itm_tutorial.models import method_of
from itm_tutorial.show.attention_view import AttentionView

COSTS = {"index": (100.0, 1.0), "pieces": (0.0, 5.0), "network": (10.0, 90.0)}
SHOWN, CONCEPTS = torch.tensor([0.2, 0.9, 0.5]), ["red", "dog", "beach"]
GATES = torch.tensor([[0.9, 0.1, 0.5], [0.7, 0.3, 0.5]])


@pytest.fixture
def view(attended):
    seen, split = attended
    return AttentionView.of(seen, split, 0, None, "mini")


@pytest.fixture
def maps():
    """Weights [2, 5] of two models: one moves from the first region to the second, one stays uniform."""
    moves = torch.full((2, 5), 0.1)
    moves[0, 0] = moves[1, 1] = 0.6
    return {"moves": moves, "uniform": torch.full((2, 5), 0.2)}


@pytest.fixture
def tokens(view):
    return ["<start>", *view.words, "<end>"]


@pytest.fixture
def words(tokens):
    first = torch.full((2, len(tokens)), 0.5 / (len(tokens) - 1))
    first[0, 2] = first[1, 3] = 0.5
    return {"moves": first, "uniform": torch.full((2, len(tokens)), 1 / len(tokens))}


@pytest.fixture
def figures(view, maps, tokens, words):
    return {
        "concepts_and_gate": ch14.concepts_and_gate(SHOWN, CONCEPTS, {"dog", "cat"}, GATES, 1, most=2),
        "cost_lines": ch14.cost_lines(COSTS, 1000, ("index", "pieces")),
        "map_pairs": ch14.map_pairs(view, tokens, maps, words),
        "methods": ch14.methods(),
        "step_maps": ch14.step_maps(view, maps),
    }


def test_every_figure_says_what_it_shows(figures, drawing):
    assert set(figures) == set(ch14.__all__) - {"crossing_of"}
    quoted = {
        "concepts_and_gate": [
            "concepts of picture 1: dog (0.90), beach (0.50); of the 2 drawn, its captions name 1.",
            "gate of 3 dimensions over 2 pictures: mean 0.50, between 0.20 and 0.80 by dimension",
        ],
        "cost_lines": [
            "compared with 1,000 captions. index: 1.1e+03; pieces: 5.0e+03",
            "index and pieces cost the same at 25.0 captions per image.",
        ],
        "map_pairs": [
            "moves: step 1 looks most at the region at the upper left (0.60), step 2 looks most at the region at the "
            "upper right (0.60); words with the largest weight: “red” (0.50), “dog” (0.50); from the first step to the "
            "last, 50% of the weight over regions moves",
            "0% of the weight over regions moves.",
        ],
        "methods": ["A map of 3 methods", "DAN (2017), new: image becomes: K + 1 vectors side by side"],
        "step_maps": ["in 2 steps. moves: step 1", "uniform: step 1 looks at no region most (0.20)"],
    }
    drawing.check_alt_texts(figures, quoted)


def test_a_row_per_model_and_a_panel_per_step(view, maps, tokens, words):
    before = view.weights
    assert len(ch14.step_maps(view, maps).axes) == 2 * 3
    figure = ch14.map_pairs(view, tokens, maps, words)
    assert len(figure.axes) == 4 * 3 and view.weights is before
    bars = figure.axes[4].patches
    assert [bar.get_hatch() for bar in bars].index("") == 2 and sum(bar.get_hatch() == "" for bar in bars) == 1
    assert [label.get_text() for label in figure.axes[4].get_yticklabels()] == tokens
    assert bars[2].get_width() == pytest.approx(0.5)


def test_the_most_attended_region_is_outlined_only_where_attention_is_clear(view, maps):
    figure = ch14.step_maps(view, maps)
    solid = [sum(patch.get_linestyle() in ("-", "solid") for patch in axes.patches) for axes in figure.axes]
    assert [solid[1], solid[2], solid[4], solid[5]] == [1, 1, 0, 0]


def test_lines_cross_where_the_exercise_says():
    steps, n_regions, n_words, dim = 2, 36, 12, 512
    table = costs.own(steps, n_regions, n_words, dim).tolist()
    lines = {"DAN": (steps * n_regions * dim**2, table[0][1]), "SCAN": (0, table[3][1])}
    assert ch14.crossing_of(lines, "DAN", "SCAN") == pytest.approx(crossing_point.own(steps, n_regions, n_words, dim))
    figure = ch14.cost_lines(lines, 10_000, ("DAN", "SCAN"))
    (x,), (y,) = figure.axes[0].lines[-1].get_data()
    assert lines["DAN"][0] + x * lines["DAN"][1] == pytest.approx(y) == pytest.approx(x * lines["SCAN"][1])
    assert "cost the same" not in show.alt_text(ch14.cost_lines(lines, 10))


def test_the_names_of_lines_that_end_together_stand_apart():
    figure = ch14.cost_lines({"a": (1.0, 1.0), "b": (2.0, 1.0), "c": (1.0, 900.0)}, 1000)
    places = {text.get_text(): text.xy[1] for text in figure.axes[0].texts}
    assert (
        places["b"] / places["a"] > 1.5
        and places["a"] == pytest.approx(1001)
        and places["c"] == pytest.approx(9e5, 0.01)
    )


def test_named_concepts_are_marked_and_the_picture_is_a_row_of_the_gates():
    left, right = ch14.concepts_and_gate(SHOWN, CONCEPTS, {"dog"}, GATES, 1).axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["✓ dog", "beach", "red"]
    assert [bar.get_hatch() for bar in left.patches] == ["", "////", "////"]
    assert list(right.lines[1].get_ydata()) == pytest.approx([0.3, 0.5, 0.7])  # by their mean


def test_the_map_is_of_the_registered_methods():
    for name, model in zip(METHODS, ("dan", "sm_lstm", "sco"), strict=True):
        assert method_of(model).chapter == "14" and name.split(" ")[0].lower().replace("-", "_") == model
    assert {name for name, _ in NEW} == set(METHODS)


def test_the_heads_of_the_map_are_apart(figures, drawing):
    drawing.check_texts({"methods": figures["methods"]})


def test_what_cannot_be_drawn_is_refused(view, maps, tokens, words):
    with pytest.raises(ItmError, match=r"step_maps: weights \{\}; give one model or more"):
        ch14.step_maps(view, {})
    with pytest.raises(ItmError, match=r"give one model or more, with \[steps, 5\] each"):
        ch14.step_maps(view, {"x": torch.eye(2)})
    with pytest.raises(ItmError, match="give the same models"):
        ch14.map_pairs(view, tokens, maps, {"moves": words["moves"]})
    with pytest.raises(ItmError, match="different numbers of steps"):
        ch14.map_pairs(view, tokens, maps, {name: w[:1] for name, w in words.items()})
    with pytest.raises(ItmError, match=f"with .steps, {len(tokens) - 1}. each"):
        ch14.map_pairs(view, tokens[1:], maps, words)
    with pytest.raises(ItmError, match="0 methods up to 9 captions"):
        ch14.cost_lines({}, 9)
    with pytest.raises(ItmError, match="index and network cost the same for no number"):
        ch14.cost_lines({"index": (1.0, 1.0), "network": (2.0, 2.0)}, 9, ("index", "network"))
    with pytest.raises(ItmError, match="one probability per concept"):
        ch14.concepts_and_gate(SHOWN, CONCEPTS[:2], set(), GATES, 0)
    with pytest.raises(ItmError, match="for image 2"):
        ch14.concepts_and_gate(SHOWN, CONCEPTS, set(), GATES, 2)
