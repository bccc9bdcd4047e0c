"""Attention drawn on pictures: alt text that says where words attend, and what grey print still shows."""

import re
import warnings

import numpy as np
import pytest
import torch

from itm_tutorial import show
from itm_tutorial.data.text import tokenize
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.grounding import Attention, _inside
from itm_tutorial.show.attention_drawing import _shared, _spans
from itm_tutorial.show.attention_view import AttentionView, place_of


@pytest.fixture
def of_scenes(tiny, corners):
    """Captions of the drawn corpus whose words attend to what they name, whenever it is named first."""
    split, captions = tiny.test, torch.tensor([0, 7, 40])
    boxes = torch.stack([corners for _ in captions])
    words = [tokenize(split.captions[c]) for c in captions]
    weights = []
    for row, c in enumerate(captions.tolist()):
        true = split.boxes[int(split.image_of[c])]
        boxes[row, : min(5, len(true))] = true[:5]
        weights.append(torch.full((5, len(words[row])), 0.1))
        named = dict(reversed(split.groundings[c]))
        for word in range(len(words[row])):
            weights[row][min(named.get(word, 0), 4), word] = 0.6
    return Attention(captions, split.image_of[captions], words, weights, boxes), split


@pytest.fixture
def figures(attended):
    return {"attention": show.attention(*attended), "attention_of": show.attention_of(*attended)}


def panel(drawing, figure, n):
    """One panel of a figure in grey."""
    grey = drawing.in_grey(figure)
    box = figure.axes[n].get_window_extent().transformed(figure.dpi_scale_trans.inverted())
    (x0, y0), (x1, y1) = (80 * box.min).astype(int), (80 * box.max).astype(int)
    return grey[grey.shape[0] - y1 : grey.shape[0] - y0, x0:x1]


def test_alt_text_says_where_words_attend(figures, drawing):
    quoted = {
        "attention": [
            "5 regions and 6 panels, one per word",
            "2 of 3 words attend to a box that they name",
            "“red” attends to the region at the lower left (0.60), inside the box it names",
            "“dog” attends to the region at the upper right (0.60), outside the box it names",
            "“dog” attends to the region at the lower right (0.60), inside a box it names",
            "“near” attends to the region in the middle (0.60)",
        ],
        "attention_of": [
            "“red” attends to the region at the lower left",
            "above uniform attention, 0.20: 3, at the lower left (0.60)",
        ],
    }
    drawing.check_alt_texts(figures, quoted)


def test_the_drawn_world_names_its_boxes(of_scenes):
    seen, split = of_scenes
    for i in range(len(seen)):
        figure = show.attention(seen, split, i)
        drawn = [axes for axes in figure.axes if axes.axison]
        alt = show.alt_text(figure)
        assert alt.count("attends to the region") == len(drawn) - 1
        hits, known = map(int, re.search(r"(\d+) of (\d+) words attend to", alt).groups())
        signs = [axes.get_title(loc="left")[:1] for axes in drawn[1:]]
        assert signs.count("✓") == hits > 0 and signs.count("✗") == known - hits
        named = [word.text for word in split.facts.truths[int(seen.captions[i])].words]
        assert not {"to", "the", "of"} & {named[w] for w in AttentionView.of(seen, split, i, None, "mini").named}


def test_a_hit_is_what_the_pointing_game_counts(attended, corners):
    seen, split = attended
    named = torch.stack([corners[[2, 2]], corners[[2, 2]], corners[[3, 0]]])
    inside, _ = _inside(seen.boxes.expand(3, -1, -1), named)
    tops = seen.weights[0][:, [1, 2, 5]].argmax(0)
    counted = inside[torch.arange(3), tops].tolist()
    titles = [show.attention(seen, split, words=[word]).axes[1].get_title(loc="left") for word in (1, 2, 5)]
    assert [title.startswith("✓") for title in titles] == counted == [True, False, True]
    assert titles == ["✓ red", "✗ dog", "✓ dog"]


def test_beside_another_picture_words_name_nothing(attended):
    seen, split = attended
    other = Attention(seen.captions, torch.tensor([1]), seen.words, seen.weights, seen.boxes)
    figure = show.attention(other, split)
    assert "it names" not in show.alt_text(figure) and "dashed" not in figure._supxlabel.get_text()
    assert [axes.get_title(loc="left") for axes in figure.axes[1:7]] == ["red", "dog", "dog", "b", "near", "b"]


def test_words_are_chosen_by_name_or_place(attended, one_caption):
    seen, split = attended
    figure = show.attention(seen, split, words=["dog", 7])
    assert figure.axes[0].get_title().startswith("5 regions")
    assert [axes.get_title(loc="left") for axes in figure.axes[1:]] == ["✗ dog", "✓ dog", "near"]
    assert [axes.get_title(loc="right") for axes in figure.axes[1:]] == ["0.60"] * 3
    long = " ".join(f"word{n}" for n in range(20)) + " dog"
    seen, split = one_caption({}, groundings=[[(20, 0)]], caption=long)
    titles = [axes.get_title(loc="left") for axes in show.attention(seen, split).axes]
    assert len(titles) == 10 and titles[-1] == "✓ dog" and titles[1] == "word0"
    seen, split = one_caption({}, caption="it is the")  # no content word: all of them
    assert show.alt_text(show.attention(seen, split)).count(" attends to ") == 3


def test_panels_differ_in_grey(attended, drawing):
    figure = show.attention(*attended, words=[1, 2])
    for n, (top, left) in {1: (0.72, 0.02), 2: (0.05, 0.72)}.items():
        grey = panel(drawing, figure, n)
        height, width = grey.shape
        lit = grey[int((top + 0.1) * height) :, int((left + 0.1) * width) :][: height // 12, : width // 12]
        beside = grey[int(0.45 * height) : int(0.55 * height), int(0.12 * width) : int(0.3 * width)]
        assert lit.mean() - beside.mean() > 40  # the picture is dimmed, attention is not
    assert np.abs(panel(drawing, figure, 1) - panel(drawing, figure, 2)).mean() > 5


def test_words_stand_at_the_regions_they_attend_to(attended):
    figure = show.attention(*attended)
    texts = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    assert set(texts) == {"b", "red", "dog", "near"}  # "b" twice at one region is written once, "dog" at two of them
    assert texts["red"][0] < 0.5 < texts["red"][1]  # its region is at the lower left
    assert [text.get_text() for text in figure.axes[0].texts].count("dog") == 2


def test_nearly_uniform_attention_is_no_hit(attended):
    seen, split = attended
    weak = seen.weights[0].clone()
    weak[:, 1] = torch.tensor([0.15, 0.15, 0.39, 0.15, 0.16])  # the largest is in the box, and below 2 / 5
    figure = show.attention(Attention(seen.captions, seen.images, seen.words, [weak], seen.boxes), split, words=["red"])
    assert figure.axes[1].get_title(loc="left") == "○ red" and not figure.axes[0].texts
    alt = show.alt_text(figure)
    assert "0 of 1 words attend to a box that they name. 1 of them has no weight of twice uniform attention." in alt
    assert (
        "(0.39), hardly more than to the others" in alt
        and "○ no weight is twice uniform" in figure._supxlabel.get_text()
    )


def test_labels_of_overlapping_boxes_do_not_cover_each_other():
    taken = []
    for box in ([0.4, 0.4, 0.7, 0.7], [0.42, 0.41, 0.7, 0.7], [0.4, 0.38, 0.65, 0.7], [0.0, 0.0, 1.0, 1.0]):
        spans = _spans(box, 0.2, 0.05)
        assert all(x0 >= 0 and x1 <= 1 and y0 >= 0 and y1 <= 1 for x0, y0, x1, y1 in spans)
        best = min(spans, key=lambda span: sum(_shared(span, other) for other in taken))
        assert not any(_shared(best, other) for other in taken)
        taken.append(best)
    assert _shared((0, 0, 0.5, 0.5), (0.25, 0.4, 1, 1)) == pytest.approx(0.25 * 0.1)


def test_a_grid_is_a_smooth_map_that_is_lightest_where_the_word_attends(one_caption, drawing):
    cell = torch.arange(16)
    corner = torch.stack([cell % 4, cell // 4], 1)
    seen, split = one_caption({1: 0, 2: 15}, torch.cat([corner, corner + 1], 1) / 4, size=(60, 80))
    figure = show.attention(seen, split, words=["red", 2], backbone="resnet18")
    alt = show.alt_text(figure)
    assert "16 squares and 2 panels" in alt
    assert "“red” attends to the square at the upper left (0.60); “dog” attends to the square at the lower right" in alt
    for n, flip in ((1, 1), (2, -1)):
        grey = panel(drawing, figure, n)[::flip, ::flip]
        third = min(grey.shape) // 5
        assert grey[5:third, 5:third].mean() - grey[-third:-5, -third:-5].mean() > 30
    assert "16 regions" in show.alt_text(show.attention(seen, split, grid=False))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        even = Attention(seen.captions, seen.images, seen.words, [torch.full((16, 10), 1 / 16)], seen.boxes)
        show.to_html(show.attention(even, split))


def test_places_have_names():
    named = [place_of(torch.tensor([x, y, x, y])) for y in (0.1, 0.5, 0.9) for x in (0.1, 0.5, 0.9)]
    assert [name.removeprefix("at the ") for name in named] == [
        *("upper left", "top", "upper right"),
        *("left", "in the middle", "right"),
        *("lower left", "bottom", "lower right"),
    ]


def test_words_attend_to_a_region(attended, one_caption):
    seen, split = attended
    figure = show.attention_of(seen, split, region=2)
    alt = show.alt_text(figure)
    assert "Region 3, at the lower left: words above uniform attention, 0.20: red (0.60)." in alt
    bars = figure.axes[1].patches
    assert len(bars) == 10 and [bool(bar.get_hatch()) for bar in bars[:4]] == [False, True, True, False]
    assert "attention, 0.20: none." in show.alt_text(show.attention_of(*one_caption({}), region=3))


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"i": 1}, "no caption 1 among those attended; they go from 0 to 0"),
        ({"words": ["cat"]}, "unknown word of “A red dog"),
        ({"grid": True}, "grid=True, but the 5 regions are not"),
        ({"backbone": "resnet"}, "unknown backbone 'resnet'"),
    ],
)
def test_bad_input_of_attention_is_named(attended, options, complaint):
    with pytest.raises(ItmError, match=re.escape(complaint)):
        show.attention(*attended, **options)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"word": 1, "region": 2}, "word 1 and region 2 at once"),
        ({"region": 5}, "no region 5; they go from 0 to 4"),
        ({"word": 10}, "unknown word of"),
    ],
)
def test_bad_input_of_attention_of_is_named(attended, options, complaint):
    with pytest.raises(ItmError, match=re.escape(complaint)):
        show.attention_of(*attended, **options)


def test_figures_draw_on_what_they_are_given(attended, drawing):
    drawing.check_targets(
        [lambda f: show.attention(*attended, figure=f), lambda f: show.attention_of(*attended, figure=f)]
    )


def test_texts_stay_inside_the_figure(figures):
    for name, figure in figures.items():
        figure.draw_without_rendering()
        width, height = figure.bbox.max
        texts = [text for axes in figure.axes for text in [axes.title, *axes.texts] if text.get_text()]
        for text in texts + [text for text in (figure._suptitle, figure._supxlabel) if text is not None]:
            box = text.get_window_extent()
            assert box.x0 >= -1 and box.x1 <= width + 1 and box.y0 >= -1 and box.y1 <= height + 1, (name, text)


def test_the_key_of_a_narrow_figure_stands_in_it(attended):
    figure = show.attention(*attended, words=["red"])
    figure.draw_without_rendering()
    box, whole = figure._supxlabel.get_window_extent(), figure.bbox
    assert whole.x0 <= box.x0 and box.x1 <= whole.x1
