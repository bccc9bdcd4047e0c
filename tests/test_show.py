"""Figures: alt text that quotes what is drawn, nothing cut off, no windows; the explorer without a browser."""

import html
import io
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

import itm_tutorial as itm
from itm_tutorial import show
from itm_tutorial.data.corpus import Split
from itm_tutorial.retrieval import Hits
from itm_tutorial.show.timeline import PARTS, STEPS
from itm_tutorial.siblings import SiblingResult
from itm_tutorial.training import History

CAPTIONS = ["a red van", "a big van on the beach", 'a "quiet" dog & <b>two</b> cats', "a dog", "a red van"]
SIBLINGS = {
    "kin": SiblingResult(71.0, 476, 2.1),
    "binding": SiblingResult(50.0, 68, 6.1),
    "new": SiblingResult(0.0, 1, 0.0),
}
HISTORY = History([{"epoch": n, "loss": 0.5 / n, "rsum": 300 - (n - 2) ** 2} for n in (1, 2, 3)])


@pytest.fixture
def split():
    generator = torch.Generator().manual_seed(0)
    images = [torch.randint(0, 256, (3, 32, 40), dtype=torch.uint8, generator=generator) for _ in range(24)]
    captions = CAPTIONS + [f"picture number {i}" for i in range(4, 24)]
    return Split("test", images, captions, torch.tensor([0, 1, 2, 3, 3, *range(4, 24)]))


def hits(n, query="a red van"):
    return Hits(query, list(range(n)), [0.9 - i / 100 for i in range(n)])


def drawn(split):
    scores = torch.tensor([[0.9, 0.2], [0.1, 0.05]])
    return {
        "history": show.history(),
        "pictures": show.pictures(split, [2, 0, 1]),
        "ranked": show.ranked(split, hits(6), [3]),
        "score_matrix": show.score_matrix(scores, torch.arange(2), split.images[:2], split.captions[:2]),
        "sibling_accuracy": show.sibling_accuracy(SIBLINGS),
        "training_curve": show.training_curve(HISTORY),
        "two_encoders": show.two_encoders(split, 1),
    }


def rendered(figure):
    """A figure as [H, W] bool: where it is not white."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=80)
    return np.array(Image.open(buffer).convert("L")) < 250


def test_every_figure_has_specific_alt_text_and_is_drawn(split):
    figures = drawn(split)
    assert set(figures) == set(show.__all__) - {"alt_text", "to_html", "explorer"}
    for name, figure in figures.items():
        assert isinstance(figure, Figure)
        alt = show.alt_text(figure)
        assert len(alt) > 60 and re.search(r"\d", alt), name
        assert rendered(figure).any(), name
        assert f'<img alt="{html.escape(alt)}"' in show.to_html(figure), name
    assert len({show.alt_text(figure) for figure in figures.values()}) == len(figures)


def test_alt_text_quotes_the_figures(split):
    figures = drawn(split)
    for name, quoted in {
        "history": ["8 systems", "VSE++, 2018: loss: only the hardest wrong pair counts; R@1 39.6", "UVSE, 2014 (this"],
        "pictures": ["3 pictures", '1: a "quiet" dog', "2: a red van", "3: a big van"],
        "ranked": ["6 pictures", "“a red van”", "The right picture stands at rank 4.", "2, score 0.89: a big van"],
        "score_matrix": ["from 0.05 to 0.90", "2 images by 2 captions", "1 of 2 captions score the right image"],
        "sibling_accuracy": [
            "guessing gives 50 %",
            "an object and its kin (476 queries): 71 % ± 4",
            "new (1 query): 0 %",
        ],
        "training_curve": ["3 epochs", "from 0.5 to 0.167", "from 299 to 299", "with 300, at epoch 2"],
        "two_encoders": ["32 × 40 pixels", "6 words", "“a big van on the beach”", "the right caption 0.70"],
    }.items():
        for words in quoted:
            assert words in show.alt_text(figures[name]), (name, words)


def test_special_characters_are_escaped(split):
    shown = show.to_html(show.pictures(split, [2]))
    assert "a &quot;quiet&quot; dog &amp; &lt;b&gt;two&lt;/b&gt; cats" in shown and "<b>" not in shown
    assert "1 picture," in shown


@pytest.mark.parametrize("n", [1, 2, 6, 7, 20])
def test_ranked_wraps_into_rows(split, n):
    figure = show.ranked(split, hits(n, "a long query about many things " * 6), right=[1])
    shown = [axes for axes in figure.axes if axes.axison]
    assert len(shown) == n
    assert [axes.get_title() for axes in shown[:2]] == ["1", "✓ 2, right"][:n]
    assert shown[-1].get_xlabel() == f"{0.9 - (n - 1) / 100:.2f}"
    rows = {round(axes.get_subplotspec().rowspan.start) for axes in shown}
    assert len(rows) == -(-n // 6)


def test_ranked_says_where_the_right_ones_are(split):
    assert "right picture" not in show.alt_text(show.ranked(split, hits(2)))
    assert "The right picture is not among them." in show.alt_text(show.ranked(split, hits(2), [9]))
    assert "The right pictures stand at ranks 1, 3." in show.alt_text(show.ranked(split, hits(3), [0, 2]))


def test_a_matrix_of_one_and_a_matrix_of_ties():
    assert "1 of 1 caption scores" in show.alt_text(show.score_matrix(torch.ones(1, 1), torch.tensor([0])))
    tied = show.alt_text(show.score_matrix(torch.ones(3, 4), torch.tensor([0, 1, 2, 0])))
    assert "0 of 4 captions" in tied
    large = show.score_matrix(torch.rand(20, 30), torch.randint(0, 20, (30,)))
    assert len(large.axes) == 2  # a scale in place of numbers


def test_one_epoch_is_a_curve_too():
    history = History([{"epoch": 1, "loss": 2.0, "rsum": 6.0}])
    assert "at epoch 1" in show.alt_text(show.training_curve(history))


def boxes_of_texts(figure):
    figure.draw_without_rendering()
    texts = [figure._suptitle] if figure._suptitle is not None else []
    for axes in figure.axes:
        texts += [axes.title, *axes.texts] + ([axes.xaxis.label, axes.yaxis.label] if axes.axison else [])
        named = not axes.get_lines() or axes.get_title() == "guessing: 50 %"  # rows and columns with names, no scales
        if axes.axison and named:
            texts += [*axes.get_xticklabels(), *axes.get_yticklabels()]
    return [text.get_window_extent() for text in texts if text.get_text()]


def test_texts_stay_inside_the_figure_and_off_each_other(split):
    long = "There is a large spotted orange animal to the right of several small grey houses in the snow at night."
    split.captions[:] = [long] * len(split.captions)
    figures = drawn(split)
    figures["ranked"] = show.ranked(split, hits(7, long * 2), [1])
    figures["pictures"] = show.pictures(split, range(7), columns=4)
    for name, figure in figures.items():
        boxes = boxes_of_texts(figure)
        width, height = figure.bbox.max
        assert boxes
        for i, box in enumerate(boxes):
            assert box.x0 >= -1 and box.x1 <= width + 1 and box.y0 >= -1 and box.y1 <= height + 1, (name, box)
            if name != "score_matrix":  # its names are slanted, so that their boxes cross where they do not
                assert not any(box.overlaps(other) for other in boxes[:i]), (name, box)


def test_figures_draw_on_what_they_are_given(split):
    figure = Figure(figsize=(8, 4), layout="constrained")
    left, right = figure.subfigures(1, 2)
    assert show.ranked(split, hits(2), figure=left) is left
    axes = right.subplots()
    assert show.sibling_accuracy(SIBLINGS, axes=axes) is axes
    assert "476" in show.alt_text(axes) and "a red van" in show.alt_text(left)
    for draw in (lambda f: show.pictures(split, [0], figure=f), lambda f: show.training_curve(HISTORY, figure=f)):
        mine = Figure()
        assert draw(mine) is mine
    for draw in (lambda a: show.history(axes=a), lambda a: show.score_matrix(torch.eye(2), torch.arange(2), axes=a)):
        mine = Figure().subplots()
        assert draw(mine) is mine


def test_no_window_and_no_pyplot():
    code = (
        "import sys, torch, itm_tutorial as itm; itm.show.history(); "
        "itm.show.score_matrix(torch.eye(3), torch.arange(3)); print('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"


def test_the_timeline_names_known_parts_once_each():
    assert [step.year for step in STEPS] == sorted(step.year for step in STEPS)
    assert all(set(step.changed) <= set(PARTS) and step.changed for step in STEPS)
    assert set(STEPS[0].changed) == set(PARTS)
    assert "TIMAM, 2019 (this chapter)" not in show.alt_text(show.history())


@pytest.fixture
def explored(split, instant_features):
    corpus = itm.Corpus("own", {"train": split, "val": split, "test": split}, drawn=False)
    model = itm.create_model("bow", corpus, backbone="mini", min_count=1)
    box = show.explorer(model, split, ["a red van", "a dog", "a dog"], k=3)
    return box.children


def test_the_explorer_starts_with_its_first_query(explored):
    text, view = explored
    assert text.value == "a red van" and text.options == ("a red van", "a dog")
    assert "3 pictures for the query “a red van”" in view.value and "No training caption" not in view.value


def test_the_explorer_marks_every_picture_of_a_caption(explored):
    text, view = explored
    text.value = "A red van!"  # stands with images 0 and 3
    assert "right picture" in view.value
    text.value = "a red dog"
    assert "“a red dog”" in view.value and "right picture" not in view.value


def test_the_explorer_names_words_that_the_model_does_not_know(explored):
    text, view = explored
    text.value = "a zebra <i> on a beech"
    assert "has the words <b>zebra</b>, <b>i</b>, <b>beech</b> (did you mean <b>beach</b>?)" in view.value
    assert "query “a on a”" in view.value and "<i>" not in view.value
    text.value = "zebras"
    assert "has the word <b>zebras</b>:" in view.value and "No word is left" in view.value and "<img" not in view.value


@pytest.mark.parametrize("nothing", ["", "   ", "?!"])
def test_the_explorer_asks_for_words(explored, nothing):
    text, view = explored
    text.value = nothing
    assert "Type what the picture should show" in view.value


@pytest.mark.slow
def test_a_notebook_shows_each_figure_once_with_its_alt_text(tmp_path):
    nbformat, nbclient, nbconvert = (pytest.importorskip(name) for name in ("nbformat", "nbclient", "nbconvert"))
    cells = [
        "import matplotlib.pyplot\nimport torch\nimport itm_tutorial as itm",  # pyplot: its own formatters join in
        "itm.show.history()",
        "itm.show.score_matrix(torch.eye(2), torch.arange(2));\nitm.show.score_matrix(torch.eye(3), torch.arange(3))",
        "from IPython.display import display\ndisplay(itm.show.history('01'))",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(
        notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.outputs]
    assert [set(output.data) for output in outputs] == [{"text/html", "text/plain"}] * 3
    page, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    images = re.findall(r'<img alt="([^"]*)"', page)
    assert [alt[:20] for alt in images] == ["A timeline of 8 syst", "A matrix of scores f", "A timeline of 8 syst"]
    assert "3 images by 3 captions" in images[1]
    assert outputs[0].data["text/plain"].startswith("A timeline of 8 systems")
