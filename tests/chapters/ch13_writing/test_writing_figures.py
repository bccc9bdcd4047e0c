"""The figures and the widget of chapter 13: what they count, what their alt texts say, and what they refuse."""

import re
from types import SimpleNamespace

import pytest
import torch
from matplotlib.text import Text

from itm_tutorial.chapters.ch13_writing import explorer as module
from itm_tutorial.chapters.ch13_writing import figures as ch13
from itm_tutorial.chapters.ch13_writing.truth_figures import column_share, first_places
from itm_tutorial.data.text import SPECIAL, Vocabulary
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.caption_truth import evaluate_captions, statement_truth
from itm_tutorial.models import Matching
from itm_tutorial.models._writer import Writer
from itm_tutorial.retrieval.writing import WrittenCaption, write_captions
from itm_tutorial.show.canvas import alt_text

WORDS = ["a", "red", "dog", "cat", "two", "on", "the", "beach"]


class Bigrams(Writer, Matching):
    """Writes by a random table of pairs of words; it does not look at the image."""

    def __init__(self, seed=0):
        super().__init__(Vocabulary(WORDS), None)
        generator = torch.Generator().manual_seed(seed)
        self.table = torch.nn.Parameter(torch.randn(len(WORDS) + 4, len(WORDS) + 2, generator=generator))
        self.image_encoder = torch.nn.Identity()

    def next_tokens(self, image_emb, prefixes):
        last = prefixes[:, -1] if prefixes.shape[1] else torch.zeros(len(prefixes), dtype=torch.long)
        return self.table[last].log_softmax(-1)


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


@pytest.fixture
def split(tiny):
    return tiny.test


def test_each_statement_is_marked_in_words_and_colours(split):
    own = [WrittenCaption(split.captions_of(i)[0], -3.0) for i in (0, 1)]
    other = [WrittenCaption("a red zebra on the beach", -9.5), WrittenCaption("dogs", -1.0)]
    figure = ch13.written(split, [0, 1], {"grammar": own, "greedy": other})
    marks = [text for text in texts(figure) if text[0] in "✓✗"]
    expected = [(s, true) for row in (own, other) for i in (0, 1) for s, true in statement_truth(row[i].text, split, i)]
    assert len(marks) == len(expected)
    assert sum(mark[0] == "✓" for mark in marks) == sum(true for _, true in expected) >= len(own[0].text.split()) // 5
    assert "nothing false" in alt_text(figure) and "log P -9.5" in " ".join(texts(figure))
    for wrong in (([], {"greedy": []}), ([0], {}), ([0, 1], {"greedy": own[:1]})):
        with pytest.raises(ItmError, match="one caption of each way"):
            ch13.written(split, *wrong)


def test_log_p_adds_up_over_the_words():
    rows = {"its own": [("a", -0.5), ("dog", -2.0), ("<end>", -0.25)], "another's": [("a", -0.5), ("<end>", -4.0)]}
    figure = ch13.log_p_by_word(rows)
    assert [[round(bar.get_y() + bar.get_height(), 6) for bar in axes.patches] for axes in figure.axes] == [
        [-0.5, -2.5, -2.75],
        [-0.5, -4.5],
    ]
    alt = alt_text(figure)
    assert "its own: log P -2.8 over 2 words" in alt and "least likely “dog” (-2.0)" in alt and "log P -4.5" in alt
    with pytest.raises(ItmError, match="one caption or more"):
        ch13.log_p_by_word({"none": []})


def test_truth_by_sort_shows_every_report(split):
    one_each = [split.captions_of(i)[0] for i in range(len(split.images))]
    reports = {"grammar": evaluate_captions(one_each, split)}
    figure = ch13.truth_by_sort(reports, {"other pictures": evaluate_captions(one_each[::-1], split)})
    lines = [line for line in figure.axes[0].lines if line.get_label() in ("grammar", "other pictures (control)")]
    assert len(lines) == 2 and lines[0].get_xdata()[0] == 100 > lines[1].get_xdata()[0]
    assert lines[0].get_marker() != lines[1].get_marker()
    assert "grammar: object 100" in alt_text(figure)
    with pytest.raises(ItmError, match="one to 6 reports, not 0"):
        ch13.truth_by_sort({}, {})


def test_hubs_count_first_places_and_the_variance_of_columns():
    same = torch.tensor([[3.0, 1.0, 2.0]] * 4)
    assert first_places(same).tolist() == [4, 0, 0] and column_share(same) == pytest.approx(1)
    table = torch.randn(6, 5, generator=torch.Generator().manual_seed(0)).double()
    mean = table.mean()
    by_loop = sum((column.mean() - mean) ** 2 for column in table.T) / 5 / (((table - mean) ** 2).sum() / 30)
    assert column_share(table) == pytest.approx(by_loop.item())
    assert column_share(table - table.mean(0)) == pytest.approx(0, abs=1e-12)
    assert column_share(torch.zeros(3, 3)) == 0
    figure = ch13.hubs({"raw": same, "divided": same - same.mean(0) + torch.eye(4)[:, :3]})
    alt = alt_text(figure)
    assert "raw: the commonest first caption is first for 4 of 4 images, 1 captions are first" in alt
    assert "explain 100% of the variance" in alt
    with pytest.raises(ItmError, match="two images and two captions"):
        ch13.hubs({"raw": torch.zeros(1, 5)})


@pytest.fixture
def explored(split, monkeypatch):
    monkeypatch.setattr(module, "split_features", lambda split, spec: torch.zeros(len(split.images), 2))
    models = {"one": Bigrams(), "other": Bigrams(1)}
    parts = ch13.caption_explorer(models, split, [0, 3, 0]).children
    return SimpleNamespace(**dict(zip(("model", "picture", "heat", "view"), parts, strict=True)), models=models)


def items(view):
    return re.findall(r"<li[^>]*>(.*?)</li>", view.value)


def test_the_widget_begins_with_greedy_and_beam(explored, split):
    found = items(explored.view)
    greedy = write_captions(explored.models["one"], torch.zeros(1, 2))[0]
    assert len(found) == 6 and found[0].startswith(f"greedy: {greedy.text} ")
    assert f"log P = {greedy.log_p:.1f}" in found[0] and "beam, 5" in found[5]
    assert "<img alt=" in explored.view.value and len(explored.picture.options) == 2
    truth = statement_truth(greedy.text, split, 0)
    assert f"{sum(true for _, true in truth)} of {len(truth)} statements are true" in found[0]
    for statement, true in truth:
        assert re.search(f"{'✓' if true else '✗'} {statement.words}[^;]*: {'true' if true else 'false'}", found[0])


def test_temperature_picture_and_model_change_the_captions(explored, split):
    explored.heat.value = 1.0
    drawn = items(explored.view)
    rows = write_captions(explored.models["one"], torch.zeros(5, 2), "sample", temperature=1.0)
    assert len(drawn) == 5 and all(item.startswith(one.text) for item, one in zip(drawn, rows, strict=True))
    explored.picture.value = 3
    assert [item.split("<br>")[0] for item in items(explored.view)] == [
        item.split("<br>")[0] for item in drawn
    ]  # blind
    explored.heat.value = 0.1
    cold = items(explored.view)
    assert cold != drawn
    explored.model.value = "other"
    assert items(explored.view) != cold
    explored.heat.value = 0.0
    assert "The likeliest captions" in explored.view.value


def test_what_the_widget_cannot_show_is_refused(split, small_split):
    for models, images, where in (({}, [0], split), (Bigrams(), [], split)):
        with pytest.raises(ItmError, match="one model or more, and one picture or more"):
            ch13.caption_explorer(models, where, images)
    for where, images in ((small_split, [0]), (split, [10**6])):
        with pytest.raises(ItmError, match="drawn scenes"):
            ch13.caption_explorer(Bigrams(), where, images)
    assert len(SPECIAL) == 4
