"""Chapter 03's figures of attention in numbers: alt text, marks without colour, and errors."""

import math
import re

import pytest
import torch

from itm_tutorial import show
from itm_tutorial.chapters.ch03_scan import figures as ch03
from itm_tutorial.chapters.ch03_scan.smoothing_figures import duration, softened
from itm_tutorial.data.corpus import Split
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.grounding import AttentionReport
from itm_tutorial.evaluation.minimal_pairs import MinimalPairResult

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
PAIRS = {
    "scan": {"binding": MinimalPairResult(80.0, 100, 4.0), "count": MinimalPairResult(48.0, 12, 14.0)},
    "vsepp": {"binding": MinimalPairResult(55.0, 100, 5.0), "count": MinimalPairResult(51.0, 12, 15.0)},
}
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
        "minimal_pairs": ch03.minimal_pairs(PAIRS),
        "pointing_game": ch03.pointing_game(REPORT),
        "queries_keys_values": ch03.queries_keys_values(split.images[0], corners, seen.weights[0][:, 1], "red"),
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
        "minimal_pairs": ["by kind, 2 models", "colours swapped, scan 80 % ± 8", "a count, vsepp 51 % ± 30"],
        "queries_keys_values": ["The word “red” is the query", "region 3: 0.60, region 1: 0.10", "three projections"],
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


def test_means_stand_beside_a_matrix():
    weights = torch.tensor([[0.5, -0.5], [0.1, 0.4]])
    figure = ch03.attention_matrix(weights, ["red", "dog"], means=True)
    assert "mean of a row is that of region 2 (0.25), of a column that of “red” (0.30)." in show.alt_text(figure)
    written = [text.get_text() for text in figure.axes[0].texts]
    assert written[-5:] == ["0.00", "0.25", "0.30", "-0.05", "mean"]


def test_pairs_are_grouped_by_kind_and_models_differ_without_colour():
    axes = ch03.minimal_pairs(PAIRS).axes[0]
    assert [label.get_text().split("\n")[0] for label in axes.get_yticklabels()] == ["colours swapped", "a count"]
    written = [text for text in axes.texts if "%" in text.get_text()]
    assert [text.get_text()[:10] for text in written] == ["scan 80 % ", "vsepp 55 %", "scan 48 % ", "vsepp 51 %"]
    rows = [text.get_position()[1] for text in written]
    assert rows == sorted(rows) and [round(row) for row in rows] == [0, 0, 1, 1]
    assert len({line.get_marker() for line in axes.lines if line.get_marker() in ("o", "D")}) == 2


def test_the_output_is_the_mean_of_the_values(corners):
    image = torch.zeros(3, 40, 40, dtype=torch.uint8)
    image[0, :20], image[2, 20:] = 255, 255  # red above, blue below
    weights = torch.tensor([0.5, 0.0, 0.5, 0.0, 0.0])
    figure = ch03.queries_keys_values(image, corners, weights, "red")
    output = figure.axes[0].images[-1].get_array()
    assert output[60, 60].tolist() == pytest.approx([0.5, 0, 0.5], abs=0.01)


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


def test_names_at_the_ends_of_lines_do_not_meet():
    axes = ch03.search_cost({"a": {10: 1e-3, 100: 1e-2}, "b": {10: 1e-3, 100: 1.05e-2}, "c": {10: 1.0, 100: 9.0}}).axes[
        0
    ]
    axes.figure.draw_without_rendering()
    boxes = sorted((text.get_window_extent() for text in axes.texts), key=lambda box: box.y0)
    assert len(boxes) == 3 and all(below.y1 <= above.y0 + 1 for below, above in zip(boxes, boxes[1:], strict=False))


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
    assert widths == [2.6, 2.6, 1.2, 1.2, 1.2] and len(second.patches) == 3
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
        "attention_explorer: no caption; give": lambda: ch03.attention_explorer(None, split, []),
        "minimal_pairs: give one to 3 models": lambda: ch03.minimal_pairs({}),
        "the same kinds, not ['a', 'b']": lambda: ch03.minimal_pairs({"a": PAIRS["scan"], "b": {}}),
        "weights [4] for 5 boxes": lambda: ch03.queries_keys_values(split.images[0], corners, torch.rand(4), "a"),
    }.items():
        with pytest.raises(ItmError, match=re.escape(words)):
            call()


def test_figures_draw_on_what_they_are_given(boxed, drawing):
    drawing.check_targets(
        [
            lambda f: ch03.smoothing(torch.rand(4), figure=f),
            lambda f: ch03.queries_keys_values(boxed.images[0], TRUE[0], torch.tensor([0.3, 0.7]), "a", figure=f),
            lambda f: ch03.regions_found(boxed, REGIONS, [0], figure=f),
        ],
        [
            lambda a: ch03.attention_matrix(torch.eye(2), "ab", axes=a),
            lambda a: ch03.pointing_game(REPORT, axes=a),
            lambda a: ch03.minimal_pairs(PAIRS, axes=a),
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
