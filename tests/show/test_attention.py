"""Pictures of attention: alt text that says where words look, what grey print still shows, and the widget."""

import html
import io
import math
import re
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from itm_tutorial import show
from itm_tutorial.chapters.ch03_scan import figures as ch03
from itm_tutorial.chapters.ch03_scan.attention_figures import duration, softened
from itm_tutorial.data.corpus import Split
from itm_tutorial.data.text import tokenize
from itm_tutorial.encoders.backbones import BACKBONES
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.grounding import Attention, AttentionReport, _inside
from itm_tutorial.show.attention import place_of
from itm_tutorial.show.attention_pixels import grid_side, light, seen_square, spotlit

CORNERS = torch.tensor(
    [[0.0, 0, 0.3, 0.3], [0.7, 0.0, 1, 0.3], [0, 0.7, 0.3, 1], [0.7, 0.7, 1, 1], [0.4, 0.4, 0.6, 0.6]]
)
CAPTION = "A red dog and a dog <b>near</b> it"  # words: a red dog and a dog b near b it
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


def one_caption(tops, boxes=CORNERS, groundings=None, size=(32, 32), caption=CAPTION):
    """A split of two equal grey pictures, one caption, and attention of 0.6 for the region that each word is given."""
    image = torch.full((3, *size), 128, dtype=torch.uint8)
    true = [CORNERS, CORNERS] if groundings is not None else None
    split = Split("test", [image, image], [caption], torch.tensor([0]), groundings=groundings, boxes=true)
    words, n = tokenize(caption), len(boxes)
    weights = torch.full((n, len(words)), 0.4 / (n - 1))
    for word in range(len(words)):
        weights[tops.get(word, 0), word] = 0.6
    return Attention(torch.tensor([0]), torch.tensor([0]), [words], [weights], boxes[None]), split


@pytest.fixture
def looking():
    """ "red" looks at what it names, the first "dog" does not, and nobody knows of "near"."""
    return one_caption({1: 2, 2: 1, 5: 3, 7: 4}, groundings=[[(1, 2), (2, 2), (5, 3), (5, 0)]])


@pytest.fixture
def of_scenes(tiny):
    """Captions of the drawn corpus whose words look at what they name, whenever it is named first."""
    split, captions = tiny.test, torch.tensor([0, 7, 40])
    boxes = torch.stack([CORNERS for _ in captions])
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
def figures(looking):
    seen, split = looking
    similarities = torch.tensor([0.1, 0.0, 0.9, 0.2, 0.5])
    return {
        "attention": show.attention(seen, split),
        "attention_of": show.attention_of(seen, split),
        "attention_matrix": ch03.attention_matrix(seen.weights[0], seen.words[0], images=[split.images[0]] * 5),
        "pointing_game": ch03.pointing_game(REPORT),
        "search_cost": ch03.search_cost(SECONDS, limit=0.1),
        "smoothing": ch03.smoothing(similarities, image=split.images[0], boxes=CORNERS, word="red"),
    }


def in_grey(figure):
    """A figure as grey print has it, [H, W], from 0 to 255."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=80)
    return np.array(Image.open(buffer).convert("L")).astype(float)


def panel(figure, n):
    """One panel of a figure in grey."""
    grey = in_grey(figure)
    box = figure.axes[n].get_window_extent().transformed(figure.dpi_scale_trans.inverted())
    (x0, y0), (x1, y1) = (80 * box.min).astype(int), (80 * box.max).astype(int)
    return grey[grey.shape[0] - y1 : grey.shape[0] - y0, x0:x1]


def test_every_figure_says_what_it_shows(figures):
    for name, quoted in {
        "attention": [
            "5 regions and 6 panels",
            "2 of 3 words look into a box that they name",
            "“red” looks at the region at the lower left (0.60), inside the box it names",
            "“dog” looks at the region at the upper right (0.60), outside the box it names",
            "“dog” looks at the region at the lower right (0.60), inside a box it names",
            "“near” looks at the region in the middle (0.60)",
        ],
        "attention_of": [
            "“red” looks at the region at the lower left",
            "fair share, 0.20: 3, at the lower left (0.60)",
        ],
        "attention_matrix": [
            "5 regions by 10 words, from 0.10 to 0.60; each column sums to 1",
            "“red” is highest at r",
        ],
        "pointing_game": ["2 word classes", "model: noun 71, relation 20", "shuffled captions: noun 30, relation not"],
        "search_cost": ["2 lines", "global: 200 µs at 100, 4 ms at 10,000", "cross attention: 20 ms at 100, 2.4 s at"],
        "smoothing": [
            "“red” over 5",
            "λ = 0: largest weight 0.20, spread as over 5.0",
            "λ → ∞: largest weight 1.00",
            "lower l",
        ],
    }.items():
        alt = show.alt_text(figures[name])
        for words in quoted:
            assert words in alt, (name, words, alt)
        assert f'<img alt="{html.escape(alt)}"' in show.to_html(figures[name])


def test_the_drawn_world_names_its_boxes(of_scenes):
    seen, split = of_scenes
    for i in range(len(seen)):
        figure = show.attention(seen, split, i)
        drawn = [axes for axes in figure.axes if axes.axison]
        summary = show.alt_text(figure)
        assert summary.count("looks at the region") == len(drawn) - 1
        hits, known = map(int, re.search(r"(\d+) of (\d+) words look into", summary).groups())
        signs = [axes.get_title()[:1] for axes in drawn[1:]]
        assert signs.count("✓") == hits > 0 and signs.count("✗") == known - hits


def test_a_hit_is_what_the_pointing_game_counts(looking):
    seen, split = looking
    named = torch.stack([CORNERS[[2, 2]], CORNERS[[2, 2]], CORNERS[[3, 0]]])
    inside, _ = _inside(seen.boxes.expand(3, -1, -1), named)
    tops = seen.weights[0][:, [1, 2, 5]].argmax(0)
    counted = inside[torch.arange(3), tops].tolist()
    titles = [show.attention(seen, split, words=[word]).axes[1].get_title() for word in (1, 2, 5)]
    assert [title.startswith("✓") for title in titles] == counted == [True, False, True]
    assert titles == ["✓ red", "✗ dog", "✓ dog"]


def test_beside_another_picture_words_name_nothing(looking):
    seen, split = looking
    other = Attention(seen.captions, torch.tensor([1]), seen.words, seen.weights, seen.boxes)
    figure = show.attention(other, split)
    assert "it names" not in show.alt_text(figure) and "dashed" not in figure._supxlabel.get_text()
    assert [axes.get_title() for axes in figure.axes[1:7]] == ["red", "dog", "dog", "b", "near", "b"]


def test_words_are_chosen_by_name_or_place(looking):
    seen, split = looking
    titles = [axes.get_title() for axes in show.attention(seen, split, words=["dog", 7]).axes if axes.axison]
    assert titles == ["5 regions", "✗ dog", "✓ dog", "near"]
    long = " ".join(f"word{n}" for n in range(20)) + " dog"
    seen, split = one_caption({}, groundings=[[(20, 0)]], caption=long)
    titles = [axes.get_title() for axes in show.attention(seen, split).axes]
    assert len(titles) == 10 and titles[-1] == "✓ dog" and titles[1] == "word0"
    seen, split = one_caption({}, caption="it is the")  # no content word: all of them
    assert show.alt_text(show.attention(seen, split)).count(" looks at ") == 3


def test_panels_differ_in_grey(looking):
    seen, split = looking
    figure = show.attention(seen, split, words=[1, 2])
    for n, (top, left) in {1: (0.72, 0.02), 2: (0.05, 0.72)}.items():
        grey = panel(figure, n)
        height, width = grey.shape
        looked_at = grey[int((top + 0.1) * height) :, int((left + 0.1) * width) :][: height // 12, : width // 12]
        beside = grey[int(0.45 * height) : int(0.55 * height), int(0.12 * width) : int(0.3 * width)]
        assert beside.mean() - looked_at.mean() > 40  # the veil is pale, the picture is not
    assert np.abs(panel(figure, 1) - panel(figure, 2)).mean() > 5


def test_a_grid_is_a_smooth_map_that_is_lightest_where_the_word_looks():
    cell = torch.arange(16)
    corner = torch.stack([cell % 4, cell // 4], 1)
    seen, split = one_caption({1: 0, 2: 15}, torch.cat([corner, corner + 1], 1) / 4, size=(60, 80))
    figure = show.attention(seen, split, words=["red", 2], backbone="resnet18")
    assert "16 squares and 2 panels" in show.alt_text(figure)
    assert "“red” looks at the square at the upper left (0.60); “dog” looks at the square at the lower right" in (
        show.alt_text(figure)
    )
    for n, flip in ((1, 1), (2, -1)):
        grey = panel(figure, n)[::flip, ::flip]
        third = min(grey.shape) // 5
        assert grey[5:third, 5:third].mean() - grey[-third:-5, -third:-5].mean() > 30
    assert "16 regions" in show.alt_text(show.attention(seen, split, grid=False))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        even = Attention(seen.captions, seen.images, seen.words, [torch.full((16, 10), 1 / 16)], seen.boxes)
        show.to_html(show.attention(even, split))


def test_boxes_are_a_grid_only_in_its_order():
    cell = torch.arange(49)
    squares = torch.stack([cell % 7, cell // 7, cell % 7 + 1, cell // 7 + 1], 1) / 7
    assert grid_side(squares) == 7
    assert grid_side(squares.flip(0)) == grid_side(squares[:-1]) == grid_side(CORNERS) == grid_side(squares[:1]) == 0


@pytest.mark.parametrize("backbone", ["mini", "mobilenet_v2", "resnet50"])
@pytest.mark.parametrize("size", [(300, 470), (470, 300), (232, 232), (224, 224)])
def test_the_square_that_is_drawn_is_the_one_the_model_saw(backbone, size):
    from itm_tutorial.extraction.features import fitted

    y, x = torch.meshgrid(torch.linspace(0, 255, size[0]), torch.linspace(0, 255, size[1]), indexing="ij")
    image = torch.stack([x, y, x]).byte()
    square, expected = seen_square(image, backbone), fitted(image, backbone)
    about = BACKBONES[backbone]
    assert square.shape[1] == square.shape[2]
    small = torch.nn.functional.interpolate(square[None].float(), (about.image_size,) * 2, mode="area")[0]
    assert (small - expected.float()).abs().mean() < 2.5


def test_light_adds_up_where_regions_overlap():
    boxes = torch.tensor([[0.0, 0, 0.5, 1], [0, 0, 1, 0.5], [0, 0, 0, 0]])
    lit = light(boxes, torch.tensor([0.2, 0.5, 0.3]), 4)
    expected = torch.zeros(4, 4)
    for y in range(4):
        for x in range(4):
            expected[y, x] = 0.2 * (x < 2) + 0.5 * (y < 2)
    assert torch.allclose(lit, expected)
    image = torch.randint(0, 256, (3, 4, 4), dtype=torch.uint8)
    assert torch.allclose(spotlit(image, torch.ones(4, 4)), image.permute(1, 2, 0) / 255)
    assert spotlit(image, torch.zeros(4, 4)).std(2).max() < 1e-6  # without light there is no colour


def test_places_have_names():
    named = [place_of(torch.tensor([x, y, x, y])) for y in (0.1, 0.5, 0.9) for x in (0.1, 0.5, 0.9)]
    assert [name.removeprefix("at the ") for name in named] == [
        *("upper left", "top", "upper right"),
        *("left", "in the middle", "right"),
        *("lower left", "bottom", "lower right"),
    ]


def test_a_region_is_looked_at_by_words(looking):
    seen, split = looking
    figure = show.attention_of(seen, split, region=2)
    assert "Region 3, at the lower left: words above a fair share, 0.20: red (0.60)." in show.alt_text(figure)
    bars = figure.axes[1].patches
    assert len(bars) == 10 and [bool(bar.get_hatch()) for bar in bars[:4]] == [False, True, True, False]
    assert "share, 0.20: none." in show.alt_text(show.attention_of(*one_caption({}), region=3))


def test_bad_input_is_named(looking):
    seen, split = looking
    square = torch.eye(5)
    for words, call in {
        "no caption 1 among those attended; they go from 0 to 0": lambda: show.attention(seen, split, 1),
        "unknown word of “A red dog": lambda: show.attention(seen, split, words=["cat"]),
        "grid=True, but the 5 regions are not": lambda: show.attention(seen, split, grid=True),
        "unknown backbone 'resnet'": lambda: show.attention(seen, split, backbone="resnet"),
        "word 1 and region 2 at once": lambda: show.attention_of(seen, split, word=1, region=2),
        "no region 5; they go from 0 to 4": lambda: show.attention_of(seen, split, region=5),
        "unknown word of": lambda: show.attention_of(seen, split, word=10),
        "1 words for weights [5, 5]; give 5": lambda: ch03.attention_matrix(square, ["a"]),
        "2 images for weights [5, 5]": lambda: ch03.attention_matrix(square, "abcde", images=split.images),
        "unknown measure 'recall'": lambda: ch03.pointing_game(REPORT, "recall"),
        "similarities are [5, 5]; give those of one word": lambda: ch03.smoothing(square),
        "lambdas are [-1]": lambda: ch03.smoothing(square[0], [-1]),
        "an image without boxes": lambda: ch03.smoothing(square[0], image=split.images[0]),
        "4 boxes for 5 similarities": lambda: ch03.smoothing(square[0], boxes=CORNERS[:4]),
        "nothing was timed": lambda: ch03.search_cost({}),
        "'global' has {100: 0.0}; give sizes and seconds above zero": lambda: ch03.search_cost({"global": {100: 0.0}}),
        "no caption was attended": lambda: ch03.attention_explorer(
            Attention(torch.tensor([]), torch.tensor([]), [], [], CORNERS[None][:0]), split
        ),
    }.items():
        with pytest.raises(ItmError, match=re.escape(words)):
            call()


def test_a_matrix_without_sums_has_none_to_tell():
    summary = show.alt_text(
        ch03.attention_matrix(torch.tensor([[0.5, -0.5], [0.1, 0.2]]), ["red", "dog"], ["a van", "it"])
    )
    assert "from -0.50 to 0.50. “red” is highest at a van (0.50); “dog” is highest at it (0.20)." in summary
    rows = show.alt_text(ch03.attention_matrix(torch.tensor([[0.7, 0.3], [0.1, 0.9]]), ["red", "dog"]))
    assert "each row sums to 1" in rows
    assert len(ch03.attention_matrix(torch.rand(36, 30), [f"word{n}" for n in range(30)]).axes) == 2  # a scale


def test_bars_of_the_pointing_game_are_told_apart_without_colour():
    figure = ch03.pointing_game(REPORT)
    styles = {(bar.get_hatch(), bar.get_facecolor()) for bar in figure.axes[0].patches}
    assert len(styles) == 4 and len({hatch for hatch, _ in styles}) >= 3
    written = [text.get_text() for text in figure.axes[0].texts]
    assert written == ["71", "20", "13", "11", "30", "–", "13", "12"]
    assert "model: noun 40" in show.alt_text(ch03.pointing_game(REPORT, "mass"))


def test_smoothing_goes_from_even_to_hard():
    similarities = torch.tensor([0.1, 0.9, 0.9, -0.2])
    assert torch.equal(softened(similarities, 0), torch.full((4,), 0.25))
    assert softened(similarities, math.inf).tolist() == [0, 1, 0, 0]
    expected = [math.exp(9 * s) for s in similarities.tolist()]
    assert softened(similarities, 9).tolist() == pytest.approx([e / sum(expected) for e in expected], abs=1e-6)
    assert len(ch03.smoothing(similarities, [0, 9]).axes) == 2


@pytest.mark.parametrize(
    "seconds, stated",
    [(2e-6, "2 µs"), (3.14e-3, "3.1 ms"), (0.1, "100 ms"), (12, "12 s"), (150, "2.5 min"), (7200, "2 h")],
)
def test_times_are_said_as_a_person_would(seconds, stated):
    assert duration(seconds) == stated


def test_figures_draw_on_what_they_are_given(looking):
    seen, split = looking
    for draw in (
        lambda f: show.attention(seen, split, figure=f),
        lambda f: show.attention_of(seen, split, figure=f),
        lambda f: ch03.smoothing(torch.rand(4), figure=f),
    ):
        mine = Figure()
        assert draw(mine) is mine
    for draw in (
        lambda a: ch03.attention_matrix(torch.eye(2), "ab", axes=a),
        lambda a: ch03.pointing_game(REPORT, axes=a),
        lambda a: ch03.search_cost(SECONDS, axes=a),
    ):
        mine = Figure().subplots()
        assert draw(mine) is mine


def test_texts_stay_inside_the_figure(figures):
    for name, figure in figures.items():
        figure.draw_without_rendering()
        width, height = figure.bbox.max
        texts = [text for axes in figure.axes for text in [axes.title, *axes.texts] if text.get_text()]
        for text in texts + [text for text in (figure._suptitle, figure._supxlabel) if text is not None]:
            box = text.get_window_extent()
            assert box.x0 >= -1 and box.x1 <= width + 1 and box.y0 >= -1 and box.y1 <= height + 1, (name, text)


@pytest.fixture
def explored(looking):
    seen, split = looking
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
    assert "“near” looks at the region in the middle" in explored.view.value
    explored.region.value = 2
    assert explored.word.value is None and "Region 3, at the lower left: words above" in explored.view.value
    explored.word.value = 5
    assert explored.region.value is None and "inside a box it names" in explored.view.value
    assert (explored.word.index, explored.region.index) == (5, None)  # what the browser is told
    explored.region.value = 0
    assert (explored.word.index, explored.region.index) == (None, 0)
    explored.caption.value = 1
    assert explored.word.options == (("a", 0), ("van", 1)) and explored.word.value == 1
    assert explored.region.value is None and "“van” looks at the region at the lower left (0.80)" in explored.view.value
    explored.region.value = 2
    assert "share, 0.20: van (0.80)" in explored.view.value


def test_a_page_holds_every_figure_with_its_alt_text_and_escapes_what_it_is_told(looking):
    seen, split = looking
    page = show.attention_page(seen, split, "<b>maps</b>", ["a & b"])
    alt = show.alt_text(show.attention(seen, split, 0))
    assert f'alt="{html.escape(alt)}"' in page and "caption 0 of the test split beside image 0<" in page
    assert "<h1>&lt;b&gt;maps&lt;/b&gt;</h1>" in page and "<p>a &amp; b</p>" in page
    beside = Attention(seen.captions, torch.tensor([1]), seen.words, seen.weights, seen.boxes)
    assert "image 1, which it does not describe" in show.attention_page(beside, split, "maps")


def test_the_key_of_a_narrow_figure_stands_in_it(looking):
    figure = show.attention(*looking, words=["red"])
    figure.draw_without_rendering()
    box, whole = figure._supxlabel.get_window_extent(), figure.bbox
    assert whole.x0 <= box.x0 and box.x1 <= whole.x1
