"""Figures of data and of results: alt text that quotes what is drawn, rows, ranks, and nothing cut off."""

import pytest
from matplotlib.figure import Figure

from itm_tutorial import show
from itm_tutorial.evaluation.minimal_pairs import MinimalPairResult
from itm_tutorial.retrieval.search import Hits
from itm_tutorial.training.loop import History

MINIMAL_PAIRS = {
    "object": MinimalPairResult(71.0, 476, 2.1),
    "binding": MinimalPairResult(50.0, 68, 6.1),
    "new": MinimalPairResult(0.0, 1, 0.0),
}
HISTORY = History([{"epoch": n, "loss": 0.5 / n, "rsum": 300 - (n - 2) ** 2} for n in (1, 2, 3)])


def hits(n, query="a red van"):
    return Hits(query, list(range(n)), [0.9 - i / 100 for i in range(n)])


def figures_of(split):
    return {
        "pictures": show.pictures(split, [2, 0, 1]),
        "ranked": show.ranked(split, hits(6), [3]),
        "captions_found": show.captions_found(split.images[0], split, hits(4, "an image")),
        "minimal_pair_accuracy": show.minimal_pair_accuracy(MINIMAL_PAIRS),
        "training_curve": show.training_curve(HISTORY),
    }


def test_alt_text_quotes_the_numbers(small_split, drawing):
    quoted = {
        "pictures": ["3 pictures", '1: a "quiet" dog', "2: a red van", "3: a big van"],
        "captions_found": ["the 4 captions that fit it best. 1, score 0.90: a red van 2, score 0.89: a big van"],
        "ranked": ["6 pictures", "“a red van”", "The right picture stands at rank 4.", "2, score 0.89: a big van"],
        "minimal_pair_accuracy": [
            "guessing gives 50 %",
            "one object replaced (476 queries): 71 % ± 4",
            "colours swapped (68 queries): 50 % ± 12",
            "new (1 query): 0 %",
        ],
        "training_curve": ["3 epochs", "from 0.5 to 0.1667", "from 299 to 299", "with 300, at epoch 2"],
    }
    drawing.check_alt_texts(figures_of(small_split), quoted)


def test_special_characters_are_escaped(small_split):
    shown = show.to_html(show.pictures(small_split, [2]))
    assert "a &quot;quiet&quot; dog &amp; &lt;b&gt;two&lt;/b&gt; cats" in shown and "<b>" not in shown
    assert "1 picture," in shown


@pytest.mark.parametrize("n", [1, 2, 6, 7, 20])
def test_ranked_wraps_into_rows(small_split, n):
    figure = show.ranked(small_split, hits(n, "a long query about many things " * 6), right=[1])
    shown = [axes for axes in figure.axes if axes.axison]
    assert len(shown) == n
    assert [axes.get_title() for axes in shown[:2]] == ["1", "✓ 2, right"][:n]
    assert shown[-1].get_xlabel() == f"{0.9 - (n - 1) / 100:.2f}"
    rows = {round(axes.get_subplotspec().rowspan.start) for axes in shown}
    assert len(rows) == -(-n // 6)


def test_ranked_says_where_the_right_ones_are(small_split):
    assert "right picture" not in show.alt_text(show.ranked(small_split, hits(2)))
    assert "The right picture is not among them." in show.alt_text(show.ranked(small_split, hits(2), [9]))
    assert "The right pictures stand at ranks 1, 3." in show.alt_text(show.ranked(small_split, hits(3), [0, 2]))


def test_notes_stand_below_their_pictures(small_split, drawing):
    notes = ["✓ dog ✗ red\n✓ at night", "✗ dog", "✓ van"]
    figure = show.ranked(small_split, hits(3), [1], notes=notes)
    assert [axes.get_xlabel() for axes in figure.axes] == [
        f"{0.9 - i / 100:.2f}\n{note}" for i, note in enumerate(notes)
    ]
    assert "Under 1: ✓ dog ✗ red, ✓ at night. Under 2: ✗ dog." in show.alt_text(figure)
    for n_lines, n in ((1, 3), (5, 6), (9, 12)):
        long = show.ranked(small_split, hits(n), [1], notes=["\n".join(["✓ a line"] * n_lines)] * n)
        drawing.check_texts({f"{n_lines} lines": long})


def test_the_ceiling_is_a_line_and_the_loss_is_logarithmic(drawing):
    figure = show.training_curve(HISTORY, 480.0)
    loss, rsum = figure.axes
    assert loss.get_yscale() == "log" and rsum.get_yscale() == "linear"
    assert any(list(line.get_ydata()) == [480.0, 480.0] for line in rsum.get_lines())
    assert rsum.texts[0].get_text() == "ceiling: 480" and rsum.get_ylim()[1] > 480
    assert "marks the ceiling, 480." in show.alt_text(figure)
    plain = show.training_curve(HISTORY)
    assert len(plain.axes[1].get_lines()) == 2 and "ceiling" not in show.alt_text(plain)
    drawing.check_texts({"curve": figure})


def test_a_loss_of_zero_is_drawn_on_a_linear_axis():
    history = History([{"epoch": n, "loss": 2.0 - n, "rsum": 6.0} for n in (1, 2)])
    assert show.training_curve(history).axes[0].get_yscale() == "linear"


def test_one_epoch_is_a_curve_too():
    history = History([{"epoch": 1, "loss": 2.0, "rsum": 6.0}])
    assert "at epoch 1" in show.alt_text(show.training_curve(history))


def test_texts_stay_inside_the_figure_and_off_each_other(small_split, drawing):
    long = "There is a large spotted orange animal to the right of several small grey houses in the snow at night."
    small_split.captions[:] = [long] * len(small_split.captions)
    figures = figures_of(small_split)
    figures["ranked"] = show.ranked(small_split, hits(7, long * 2), [1])
    figures["pictures"] = show.pictures(small_split, range(7), columns=4)
    drawing.check_texts(figures)


def test_figures_draw_on_what_they_are_given(small_split, drawing):
    figure = Figure(figsize=(8, 4), layout="constrained")
    left, right = figure.subfigures(1, 2)
    assert show.ranked(small_split, hits(2), figure=left) is left
    axes = right.subplots()
    assert show.minimal_pair_accuracy(MINIMAL_PAIRS, axes=axes) is axes
    assert "476" in show.alt_text(axes) and "a red van" in show.alt_text(left)
    drawing.check_targets(
        [lambda f: show.pictures(small_split, [0], figure=f), lambda f: show.training_curve(HISTORY, figure=f)]
    )
