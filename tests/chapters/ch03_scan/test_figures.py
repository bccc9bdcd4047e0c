"""Chapter 03's figures of attention in numbers: alt text, marks without colour, errors, and the widget."""

import math
import re
from types import SimpleNamespace

import pytest
import torch

from itm_tutorial import show
from itm_tutorial.chapters.ch03_scan import figures as ch03
from itm_tutorial.chapters.ch03_scan.attention_figures import duration, softened
from itm_tutorial.data.corpus import Split
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.grounding import Attention, AttentionReport

REPORT = AttentionReport(
    {
        "model": {"noun": 71.4, "relation": 20.0},
        "uniform": {"noun": 12.6, "relation": 11.0},
        "shuffled captions": {"noun": 30.0, "relation": math.nan},
        "untrained": {"noun": 13.0, "relation": 12.0},
    },
    {name: {"noun": 40.0, "relation": 10.0} for name in ("model", "uniform", "shuffled captions", "untrained")},
    {"noun": 1200, "relation": 40},
)
SECONDS = {"global": {100: 2e-4, 10_000: 4e-3}, "cross attention": {100: 0.02, 10_000: 2.4}}
TRUE = [torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.5, 0.5, 1.0, 1.0]]), torch.zeros(0, 4)]
REGIONS = torch.tensor([[[0.0, 0.0, 0.5, 0.45], [0.1, 0.6, 0.3, 0.9], [0.0, 0.0, 1.0, 1.0]]]).repeat(2, 1, 1)


@pytest.fixture
def boxed():
    """Two black pictures, the first with two true boxes, the second with none."""
    images = torch.zeros(2, 3, 20, 30, dtype=torch.uint8)
    return Split("test", images, ["a", "b"], torch.arange(2), boxes=TRUE)


@pytest.fixture
def figures(attended, corners, boxed):
    seen, split = attended
    similarities = torch.tensor([0.1, 0.0, 0.9, 0.2, 0.5])
    return {
        "attention_matrix": ch03.attention_matrix(seen.weights[0], seen.words[0], images=[split.images[0]] * 5),
        "pointing_game": ch03.pointing_game(REPORT),
        "regions_found": ch03.regions_found(boxed, REGIONS, [0, 1]),
        "search_cost": ch03.search_cost(SECONDS, limit=0.1),
        "smoothing": ch03.smoothing(similarities, image=split.images[0], boxes=corners, word="red"),
    }


def test_every_figure_says_what_it_shows(figures, drawing):
    assert set(figures) == set(ch03.__all__) - {"attention_explorer"}
    quoted = {
        "attention_matrix": [
            "5 regions by 10 words, from 0.10 to 0.60; each column sums to 1",
            "“red” is highest at r",
        ],
        "pointing_game": ["2 word classes", "model: noun 71, relation 20", "shuffled captions: noun 30, relation not"],
        "regions_found": ["2 pictures with true boxes", "3 detected regions", "overlaps by half: 1 of 2, 0 of 0"],
        "search_cost": ["2 lines", "global: 200 µs at 100, 4 ms at 10,000", "cross attention: 20 ms at 100, 2.4 s at"],
        "smoothing": [
            "“red” over 5",
            "λ = 0: largest weight 0.20, spread as over 5.0",
            "λ → ∞: largest weight 1.00",
            "lower l",
        ],
    }
    drawing.check_alt_texts(figures, quoted)


def test_a_matrix_without_sums_mentions_none():
    alt = show.alt_text(ch03.attention_matrix(torch.tensor([[0.5, -0.5], [0.1, 0.2]]), ["red", "dog"], ["a van", "it"]))
    assert "from -0.50 to 0.50. “red” is highest at a van (0.50); “dog” is highest at it (0.20)." in alt
    rows = show.alt_text(ch03.attention_matrix(torch.tensor([[0.7, 0.3], [0.1, 0.9]]), ["red", "dog"]))
    assert "each row sums to 1" in rows
    assert len(ch03.attention_matrix(torch.rand(36, 30), [f"word{n}" for n in range(30)]).axes) == 2  # a scale


def test_bars_of_the_pointing_game_differ_without_colour():
    figure = ch03.pointing_game(REPORT)
    styles = {(bar.get_hatch(), bar.get_facecolor()) for bar in figure.axes[0].patches}
    assert len(styles) == 4 and len({hatch for hatch, _ in styles}) >= 3
    written = [text.get_text() for text in figure.axes[0].texts]
    assert written == ["71", "20", "13", "11", "30", "–", "13", "12"]
    assert "model: noun 40" in show.alt_text(ch03.pointing_game(REPORT, "mass"))


def test_smoothing_goes_from_uniform_to_hard():
    similarities = torch.tensor([0.1, 0.9, 0.9, -0.2])
    assert torch.equal(softened(similarities, 0), torch.full((4,), 0.25))
    assert softened(similarities, math.inf).tolist() == [0, 1, 0, 0]
    expected = [math.exp(9 * s) for s in similarities.tolist()]
    assert softened(similarities, 9).tolist() == pytest.approx([e / sum(expected) for e in expected], abs=1e-6)
    assert len(ch03.smoothing(similarities, [0, 9]).axes) == 2


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(2e-6, "2 µs"), (3.14e-3, "3.1 ms"), (0.1, "100 ms"), (12, "12 s"), (150, "2.5 min"), (7200, "2 h")],
)
def test_times_have_two_digits_and_a_unit(seconds, expected):
    assert duration(seconds) == expected


def test_true_boxes_and_regions_are_drawn_apart_and_counted(boxed):
    figure = ch03.regions_found(boxed, REGIONS, [0, 1])
    first, second = figure.get_axes()
    assert [axes.get_title()[:6] for axes in (first, second)] == ["1 of 2", "0 of 0"]
    widths = [patch.get_linewidth() for patch in first.patches]
    assert widths == [3.0, 3.0, 1.2, 1.2, 1.2] and len(second.patches) == 3
    assert first.patches[1].get_bbox().extents.tolist() == [0.5, 0.5, 1.0, 1.0]


def test_regions_without_true_boxes_are_refused(boxed):
    for wrong in ((Split("test", boxed.images, ["a"], torch.zeros(1, dtype=torch.int64)), [0]), (boxed, [])):
        with pytest.raises(ItmError, match="drawn world"):
            ch03.regions_found(wrong[0], REGIONS, wrong[1])


def test_bad_input_is_named(attended, corners):
    seen, split = attended
    square = torch.eye(5)
    for words, call in {
        "1 words for weights [5, 5]; give 5": lambda: ch03.attention_matrix(square, ["a"]),
        "2 images for weights [5, 5]": lambda: ch03.attention_matrix(square, "abcde", images=split.images),
        "unknown measure 'recall'": lambda: ch03.pointing_game(REPORT, "recall"),
        "similarities are [5, 5]; give those of one word": lambda: ch03.smoothing(square),
        "lambdas are [-1]": lambda: ch03.smoothing(square[0], [-1]),
        "an image without boxes": lambda: ch03.smoothing(square[0], image=split.images[0]),
        "4 boxes for 5 similarities": lambda: ch03.smoothing(square[0], boxes=corners[:4]),
        "nothing was timed": lambda: ch03.search_cost({}),
        "'global' has {100: 0.0}; give sizes and seconds above zero": lambda: ch03.search_cost({"global": {100: 0.0}}),
        "no caption was attended": lambda: ch03.attention_explorer(
            Attention(torch.tensor([]), torch.tensor([]), [], [], corners[None][:0]), split
        ),
    }.items():
        with pytest.raises(ItmError, match=re.escape(words)):
            call()


def test_figures_draw_on_what_they_are_given(boxed, drawing):
    drawing.check_targets(
        [
            lambda f: ch03.smoothing(torch.rand(4), figure=f),
            lambda f: ch03.regions_found(boxed, REGIONS, [0], figure=f),
        ],
        [
            lambda a: ch03.attention_matrix(torch.eye(2), "ab", axes=a),
            lambda a: ch03.pointing_game(REPORT, axes=a),
            lambda a: ch03.search_cost(SECONDS, axes=a),
        ],
    )


def test_texts_stay_inside_the_figure(figures):
    for name, figure in figures.items():
        figure.draw_without_rendering()
        width, height = figure.bbox.max
        texts = [text for axes in figure.axes for text in [axes.title, *axes.texts] if text.get_text()]
        for text in texts + [text for text in (figure._suptitle, figure._supxlabel) if text is not None]:
            box = text.get_window_extent()
            assert box.x0 >= -1 and box.x1 <= width + 1 and box.y0 >= -1 and box.y1 <= height + 1, (name, text)


@pytest.fixture
def explored(attended):
    seen, split = attended
    two = Attention(*(torch.cat([part, part]) for part in (seen.captions, seen.images)), *(
        part * 2 for part in (seen.words, seen.weights)), torch.cat([seen.boxes, seen.boxes]))  # fmt: skip
    two.words[1], two.weights[1] = ["a", "van"], torch.tensor([[0.5, 0.1]] * 2 + [[0.0, 0.8], [0, 0], [0, 0]])
    controls = ch03.attention_explorer(two, split).children
    return SimpleNamespace(
        **dict(zip(("caption", "word", "region", "view"), controls, strict=True)), seen=two, split=split
    )


def test_the_explorer_starts_with_its_figure(explored):
    assert explored.view.value == show.to_html(show.attention_of(explored.seen, explored.split))
    words = [name for name, _ in explored.word.options]
    assert words == ["a", "red", "dog", "and", "a (2)", "dog (2)", "b", "near", "b (2)", "it"]
    assert explored.word.value == 1 and explored.region.value is None
    assert [name for name, _ in explored.region.options] == ["1", "2", "3", "4", "5"]


def test_the_explorer_follows_each_control(explored):
    explored.word.value = 7
    assert "“near” attends to the region in the middle" in explored.view.value
    explored.region.value = 2
    assert explored.word.value is None and "Region 3, at the lower left: words above" in explored.view.value
    explored.word.value = 5
    assert explored.region.value is None and "inside a box it names" in explored.view.value
    assert (explored.word.index, explored.region.index) == (5, None)  # what the browser gets
    explored.region.value = 0
    assert (explored.word.index, explored.region.index) == (None, 0)
    explored.caption.value = 1
    assert explored.word.options == (("a", 0), ("van", 1)) and explored.word.value == 1
    assert explored.region.value is None
    assert "“van” attends to the region at the lower left (0.80)" in explored.view.value
    explored.region.value = 2
    assert "attention, 0.20: van (0.80)" in explored.view.value
