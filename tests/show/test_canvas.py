"""Figures open no window, load no pyplot, stand once in a notebook with their alt text, and draw text as written."""

import re
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from matplotlib.text import Text

from itm_tutorial import show
from itm_tutorial.chapters.ch00_start_here import figures as ch00
from itm_tutorial.chapters.ch02_vsepp import figures as ch02
from itm_tutorial.chapters.ch03_scan import figures as ch03
from itm_tutorial.data.corpus import Split
from itm_tutorial.data.text import tokenize
from itm_tutorial.evaluation.grounding import Attention
from itm_tutorial.retrieval.search import Hits
from itm_tutorial.show.canvas import FORMULA, described, new_figure, wrapped


def test_no_window_and_no_pyplot():
    code = (
        "import sys, torch, itm_tutorial as itm; from itm_tutorial.chapters.ch00_start_here import figures; "
        "itm.show.history(); figures.score_matrix(torch.eye(3), torch.arange(3)); "
        "print('matplotlib.pyplot' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.strip() == "False", run.stderr


@pytest.mark.slow
def test_a_notebook_shows_each_figure_once_with_its_alt_text(tmp_path):
    nbformat, nbclient, nbconvert = (pytest.importorskip(name) for name in ("nbformat", "nbclient", "nbconvert"))
    cells = [
        "import matplotlib.pyplot\nimport torch\nimport itm_tutorial as itm\n"  # pyplot: its own formatters join in
        "from itm_tutorial.chapters.ch00_start_here.figures import score_matrix",
        "itm.show.history()",
        "score_matrix(torch.eye(2), torch.arange(2));\nscore_matrix(torch.eye(3), torch.arange(3))",
        "from IPython.display import display\ndisplay(itm.show.history('01'))",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(
        notebook, timeout=None, startup_timeout=600, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.outputs]
    assert [set(output.data) for output in outputs] == [{"text/html", "text/plain"}] * 3
    page, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    images = re.findall(r'<img alt="([^"]*)"', page)
    assert [alt[:20] for alt in images] == ["A timeline of 8 syst", "A matrix of scores f", "A timeline of 8 syst"]
    assert "3 images by 3 captions" in images[1]
    assert outputs[0].data["text/plain"].startswith("A timeline of 8 systems")


HOSTILE = [
    "a $5 hat and a $7 hat",
    "$$",
    r"a \frac{ $x^ and \$ $\undefined$",
    "$\\frac$ \x1b[31mred\x1b[0m\x00 dog",
    "one\nline $ and\r another $",
    "\u202edog\u202c <b>bold</b> & _{x}^{y} {braces} %s {0}",
    "一只狗 🐶 कुत्ता สุนัข $a$",
]
ON_A_SPLIT = {  # every function that draws captions or their words
    "pictures": lambda split: show.pictures(split, [0, 1]),
    "ranked": lambda split: show.ranked(split, Hits(split.captions[0], [0, 1], [0.5, 0.4])),
    "captions_found": lambda split: show.captions_found(split.images[0], split, Hits("an image", [0, 1], [0.5, 0.4])),
    "two_encoders": lambda split: ch00.two_encoders(split, 0),
    "score_matrix": lambda split: ch00.score_matrix(torch.eye(2), torch.arange(2), None, split.captions),
    "hardest_negatives": lambda split: ch02.hardest_negatives(torch.eye(2), split.images, split.captions),
    "before_and_after": lambda split: ch02.before_and_after(
        split, *[Hits(split.captions[0], [0, 1], [0.5, 0.4])] * 2, [0]
    ),
}
ON_ATTENTION = {
    "attention": lambda seen, split: show.attention(seen, split),
    "attention_of": lambda seen, split: show.attention_of(seen, split),
    "attention_of a region": lambda seen, split: show.attention_of(seen, split, region=0),
    "attention_matrix": lambda seen, split: ch03.attention_matrix(seen.weights[0], seen.words[0]),
}


def split_of(caption):
    image = torch.full((3, 32, 32), 128, dtype=torch.uint8)
    return Split("test", [image, image], [caption, "a dog"], torch.tensor([0, 1]))


@pytest.mark.parametrize("caption", HOSTILE)
@pytest.mark.parametrize("name", ON_A_SPLIT)
def test_a_caption_is_drawn_as_it_is_written(name, caption, said, drawing):
    split = split_of(caption)
    figure = (ON_A_SPLIT[name] if tokenize(caption) else ON_A_SPLIT["pictures"])(split)
    drawing.check_as_written(figure, name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a letter without a glyph is not warned about once more
        page = show.to_html(figure)
    assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e]", page)
    assert len(said()) <= 1


@pytest.mark.parametrize("name", ON_ATTENTION)
def test_words_are_drawn_as_they_are_written(name, corners, said, drawing):
    words = ["$a$", "$$", "\\frac", "\x1b[1m", "狗"]
    split = split_of("a b c d e")
    seen = Attention(torch.tensor([0]), torch.tensor([0]), [words], [torch.full((5, 5), 0.2)], corners[None])
    figure = ON_ATTENTION[name](seen, split)
    drawing.check_as_written(figure, name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "\x1b" not in show.to_html(figure)
    if name not in ("attention_of",):
        drawn = {text.get_text().split()[-1] for text in figure.findobj(Text) if text.get_text().strip()}
        assert {"$a$", "$$", "\\frac", "\\x1b[1m"} <= drawn


def test_names_on_an_axis_and_in_a_legend_are_text_and_powers_of_ten_are_not(drawing):
    figure = new_figure(4, 3)
    axes = figure.subplots()
    axes.plot([1, 1000], [0, 1], label="$l$")
    axes.set_yticks([0, 1], ["$y$", "\x1b"])
    axes.set_xscale("log")
    axes.legend()
    axes.text(10, 0.5, "$m$", gid=FORMULA)
    figure.suptitle("$s$")
    described(figure, "alt \x07")
    figure.draw_without_rendering()
    drawing.check_as_written(figure, "own")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["$y$", "\\x1b"]
    assert any("mathdefault" in label.get_text() and label.get_parse_math() for label in axes.get_xticklabels())
    assert axes.texts[0].get_parse_math() and show.alt_text(figure) == "alt \\x07"


def test_a_dollar_has_the_pixels_of_a_dollar(drawing):
    """Drawn by a figure function, "$x$" is three characters wide; as mathematics it would be one."""

    def width(caption):
        figure = show.pictures(split_of(caption), [0])
        figure.draw_without_rendering()
        return figure.axes[0].xaxis.label.get_window_extent().width

    assert width("$mm$") > width("mm") + 5
    assert np.isclose(width("€mm€"), width("$mm$"), rtol=0.2)


@pytest.mark.parametrize(
    ("text", "width", "most", "lines"),
    [
        ("a red van on the beach", 10, None, ["a red van", "on the", "beach"]),
        ("", 10, None, [""]),
        ("one\ntwo", 10, None, ["one two"]),
        ("abcdefghijkl m", 5, None, ["abcde", "fghij", "kl m"]),
        ("一只狗在海滩上", 6, None, ["一只狗", "在海滩", "上"]),
        ("a red van on the beach", 10, 2, ["a red van", "on the …"]),
    ],
)
def test_lines_are_broken_by_their_drawn_width(text, width, most, lines):
    assert wrapped(text, width, most).split("\n") == lines


@pytest.mark.parametrize("caption", ["一只狗在海滩上旁边有一辆红色的面包车" * 2, "e" * 90, "कुत्ता और एक लाल कार " * 3])
def test_a_caption_of_any_script_stays_below_its_picture(caption, said, drawing):
    split = split_of(caption)
    drawing.check_texts(
        {
            "pictures": show.pictures(split, [0, 1, 0]),
            "captions_found": show.captions_found(split.images[0], split, Hits("an image", [0, 1], [0.5, 0.4])),
        }
    )
