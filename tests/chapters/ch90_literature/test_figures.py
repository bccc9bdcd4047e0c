"""Chapter 90's figures of the literature: nothing invented, no name on another, and the widget."""

import re
import warnings

import pytest
from matplotlib.figure import Figure
from matplotlib.legend import Legend

import itm_tutorial as itm
from itm_tutorial import show
from itm_tutorial.chapters.ch90_literature import figures as ch90
from itm_tutorial.chapters.ch90_literature.map_figures import NODES, chapter_notebooks
from itm_tutorial.chapters.ch90_literature.paper_list import link
from itm_tutorial.chapters.ch90_literature.record_figures import MARKERS, reported, staircase
from itm_tutorial.course import leaderboard as board
from itm_tutorial.errors import ItmError
from itm_tutorial.literature.reported import DATASETS

RUN = {"method": "vsepp", "options": {"margin": 0.2}, "corpus": "scenes", "about": "tiny, seed 0", "drawn": True}
RUN |= {"split": "val", "metrics": {"t2i_r1": 41.5}, "seed": 3, "seconds": 41.5, "device": "cpu", "versions": {}}
RUN |= {"commit": None, "date": "2026-01-01T00:00:00+00:00"}


def columns():
    """Every column of results that the tables have."""
    for edition in ("2020", "2025"):
        frame = itm.literature.results(edition)
        frame = frame[frame.value.notna()]
        for name in dict.fromkeys(zip(frame.dataset, frame.metric, frame.direction, strict=True)):
            yield (*name, edition)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "leaderboard.jsonl"
    board.record(RUN, path)
    board.record({**RUN, "method": "scan", "split": "test", "seed": None, "metrics": {"t2i_r1": 44.0}}, path)
    return path


@pytest.fixture
def figures(file):
    return {
        "ingredients": ch90.ingredients(),
        "leaderboard": ch90.leaderboard(file=file),
        "papers_timeline": ch90.papers_timeline(),
        "record": ch90.record(),
        "who_follows_whom": ch90.who_follows_whom(),
    }


def test_every_figure_has_alt_text_of_its_own(figures):
    assert set(figures) == set(ch90.__all__) - {"literature_explorer", "papers_list", "reported", "staircase"}
    assert all(len(show.alt_text(figure)) > 200 for figure in figures.values())


def test_alt_text_quotes_the_numbers(figures, drawing):
    quoted = {
        "record": ["31 published rows", "2013 DeViSE 4.5; 2014 UVSE 23", "2018 SCAN_i2t 67.9", "1 of sort doubtful"],
        "ingredients": ["picture network, VGG → ResNet: median +7.4", "31 pairs, 10 methods", "no experiments"],
        "papers_timeline": ["78 papers in 10 categories, 2010 to 2020", "SCAN 2018 (chapter 03)", "(not yet in the c"],
        "who_follows_whom": ["VSE++ → SCAN: the loss of the hardest negative (seen in the authors' code)"],
        "leaderboard": ["vsepp, val split, seed 3: 41.5, not comparable: drawn images", "2 own runs on scenes"],
    }
    drawing.check_alt_texts(figures, quoted)


def boxes_of(figure):
    figure.draw_without_rendering()
    texts = [(axes, text) for axes in figure.axes for text in [axes.title, axes._left_title, *axes.texts]]
    return [(text.get_text(), text.get_window_extent()) for _, text in texts if text.get_text()]


def test_texts_stay_inside_the_figure_and_off_each_other(figures):
    for name, figure in figures.items():
        boxes = boxes_of(figure)
        width, height = figure.bbox.max
        for i, (text, box) in enumerate(boxes):
            assert box.x0 >= -1 and box.x1 <= width + 1 and box.y0 >= -1 and box.y1 <= height + 1, (name, text)
            assert not [other for other, b in boxes[:i] if box.overlaps(b)], (name, text)


@pytest.mark.slow
@pytest.mark.parametrize("column", list(columns()), ids=lambda c: " ".join(c))
def test_names_of_record_holders_cover_nothing_on_any_column(column):
    figure = ch90.record(*column)
    (axes,) = figure.axes
    boxes = boxes_of(figure)
    (legend,) = [child for child in axes.get_children() if isinstance(child, Legend)] or [None]
    taken = [legend.get_window_extent()] if legend else []
    for i, (text, box) in enumerate(boxes):
        assert not [other for other, b in boxes[:i] if box.overlaps(b)], (text, "covers a name")
        assert not any(box.overlaps(other) for other in taken), (text, "covers the legend")
        assert box.x0 >= -1 and box.x1 <= figure.bbox.x1 + 1


@pytest.mark.parametrize("column", list(columns()), ids=lambda c: " ".join(c))
def test_the_staircase_is_the_running_maximum_of_single_models_that_nobody_doubts(column):
    rows = reported(*column)
    steps = staircase(rows)
    eligible = [row for row in rows if row["year"] and row["sort"] == "single model"]
    for year in {row["year"] for row in eligible}:
        best = max(row["value"] for row in eligible if row["year"] <= year)
        assert [step["value"] for step in steps if step["year"] <= year][-1] == best
    assert [s["value"] for s in steps] == sorted({s["value"] for s in steps})
    assert {row["sort"] for row in rows} <= set(MARKERS)


def test_every_result_of_a_column_is_a_point_or_counted_as_left_out():
    for edition in ("2020", "2025"):
        rows = reported("Flickr30K", "R@1", "t2i", edition)
        frame = itm.literature.results(edition).query(
            "dataset == 'Flickr30K' and metric == 'R@1' and direction == 't2i'"
        )
        assert len(rows) == frame.value.count()
        undated = sum(row["year"] is None for row in rows)
        assert undated == int((frame[frame.value.notna()].key == "").sum())
        figure = ch90.record("Flickr30K", "R@1", "t2i", edition)
        drawn = sum(len(points.get_offsets()) for points in figure.axes[0].collections)
        assert drawn == len(rows) - undated
        assert (f"{undated} rows whose year is not known are left out" in show.alt_text(figure)) == bool(undated)


def test_category_and_years_narrow_the_rows():
    losses = reported(category="Loss function")
    assert {row["method"] for row in losses} == {"VSE++", "CMPL"}
    assert {row["year"] for row in reported(years=(2014, 2015))} == {2014, 2015}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "Points of 0 published rows" in show.alt_text(ch90.record(years=(2010, 2012)))


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({"dataset": "Flickr9K"}, "unknown data set 'Flickr9K': did you mean 'Flickr8K'"),
        ({"dataset": "CUHK-PEDES"}, "has no i2t R@1 in the edition of 2020: choose t2i R@1 or"),
        ({"dataset": "RSTPReid"}, "has no i2t R@1 in the edition of 2020: take the edition of 2025"),
        ({"metric": "R@2"}, "Flickr30K has no i2t R@2"),
        ({"edition": "2021"}, "unknown edition '2021'"),
        ({"category": "Loss functions"}, "unknown category 'Loss functions': did you mean 'Loss function'"),
    ],
)
def test_an_unknown_column_is_named(words, complaint):
    with pytest.raises(ItmError, match=re.escape(complaint)):
        ch90.record(**words)


def test_ingredients_draw_every_pair_once():
    axes = ch90.ingredients().axes[0]
    drawn = sum(len(points.get_offsets()) for points in axes.collections)
    assert drawn == len(itm.literature.pairs()) == 176
    with pytest.raises(ItmError, match="unknown metric 'R@2'"):
        ch90.ingredients("R@2")


def test_every_paper_stands_in_its_category():
    papers = itm.literature.papers()
    axes = ch90.papers_timeline(there=["02"]).axes[0]
    bands = {}  # category -> its height, by the name at the left
    names = [text for text in axes.texts if re.match(r"[■□] ", text.get_text())][:-1]  # the last is the legend
    assert len(names) == 78
    heights = {}
    for text in names:
        name = re.sub(r"^[■□] (\d\d )?", "", text.get_text())
        heights[name] = text.get_position()[1]
    assert set(heights) == set(papers.name)
    for section, group in papers.groupby("section", sort=False):
        bands[section] = (min(heights[n] for n in group.name), max(heights[n] for n in group.name))
    ends = list(bands.values())
    assert all(low <= high for low, high in ends) and all(a[1] < b[0] for a, b in zip(ends, ends[1:], strict=False))
    treated = {text.get_text() for text in names if text.get_text().startswith("■")}
    assert treated == {f"■ 02 {name}" for name in papers[papers.chapter == "02"].name}


def test_papers_of_a_year_stand_in_its_column():
    papers = itm.literature.papers().set_index("name")
    axes = ch90.papers_timeline(there=[]).axes[0]
    starts = {int(t.get_text()): t.get_position()[0] for t in axes.texts if re.fullmatch(r"20\d\d", t.get_text())}
    for text in axes.texts:
        name = text.get_text().removeprefix("□ ")
        if name in papers.index:
            year = max(y for y, x in starts.items() if x <= text.get_position()[0] + 1e-6)
            assert year == papers.year[name], name


def test_the_chapters_that_are_there_are_those_of_course_toml(monkeypatch, tmp_path):
    assert {"00", "01", "02", "90"} <= set(chapter_notebooks())
    assert all(re.fullmatch(r"\d\d", n) and name.startswith(n) for n, name in chapter_notebooks().items())
    monkeypatch.setattr("itm_tutorial.chapters.ch90_literature.map_figures.CONTENTS", tmp_path / "course.toml")
    chapter_notebooks.cache_clear()
    assert chapter_notebooks() == {}
    chapter_notebooks.cache_clear()


def test_every_idea_is_an_arrow_between_papers_that_are_drawn():
    used = {key for idea in itm.literature.ideas() for key in (idea.source, idea.heir)}
    assert used == set(NODES)
    left, right = ch90.who_follows_whom().axes
    assert len(left.patches) == len(itm.literature.ideas()) == len(right.texts) / 2


def test_figures_draw_on_what_they_are_given(file, drawing):
    drawing.check_targets(
        [lambda f: ch90.leaderboard(file=file, figure=f), lambda f: ch90.who_follows_whom(figure=f)],
        [lambda a: ch90.record(axes=a), lambda a: ch90.ingredients(axes=a), lambda a: ch90.papers_timeline(axes=a)],
    )
    inner = Figure().subfigures(1, 2)[0].subplots()
    assert ch90.record(axes=inner) is inner


def test_the_list_of_papers_links_each_of_them_and_nothing_else():
    papers = itm.literature.papers()
    text = ch90.papers_list()._repr_html_()
    links = re.findall(r'<a href="([^"]+)"', text)
    notebooks = chapter_notebooks()
    chapters = [notebooks[number] for number in papers.chapter if number in notebooks]
    n_code = int(papers.code.str.startswith("http").sum())
    assert len(links) == len(papers) + n_code + len(chapters)
    assert text.count("<details>") == text.count("</details>") == papers.section.nunique()
    assert "78 papers with links" in repr(ch90.papers_list())
    assert all(re.match(r"https?://[!-~]+$", target) or target in notebooks.values() for target in links)


def test_a_link_takes_only_addresses_of_the_web_and_escapes_its_words():
    assert link("javascript:alert(1)", "<b>") == "&lt;b&gt;" and link("", "words") == "words"
    assert link("https://a.org/x y?a=1&b=2", "<i>").startswith(
        '<a href="https://a.org/x%20y?a=1&amp;b=2" target="_blank"'
    )
    assert "&lt;i&gt;" in link("https://a.org", "<i>")


def test_a_board_without_runs_says_how_to_add_one(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    figure = ch90.leaderboard()
    assert "0 own runs on scenes: none yet" in show.alt_text(figure)
    assert any("leaderboard_callback(corpus" in text.get_text() for text in figure.axes[1].texts)


def test_a_board_shows_the_best_comparable_row_of_a_method_and_marks_the_rest(file):
    figure = ch90.leaderboard(dataset="Flickr30K", file=file)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert "VSE++ (ResNet)" in labels and "VSE++ (VggNet)" not in labels and "sm-LSTM (VggNet)" in labels
    hatched = [bar.get_hatch() for bar in figure.axes[0].patches[: len(labels)]]
    marked = {label for label, hatch in zip(labels, hatched, strict=True) if hatch}
    assert {"m-CNN (VggNet)", "2WayNet (VggNet)", "SCAN (BUTD, AVE+LSE)"} <= marked
    for words, complaint in (
        ({"measure": "t2i R@2"}, "unknown measure"),
        ({"dataset": "CUB"}, "scenes does not stand for CUB"),
        ({"corpus": "scene"}, "unknown corpus"),
    ):
        with pytest.raises(ItmError, match=complaint):
            ch90.leaderboard(file=file, **words)


@pytest.fixture
def explored():
    pytest.importorskip("ipywidgets")
    (first, second, third, details, view, listed) = ch90.literature_explorer().children
    names = ("edition", "dataset", "measure", "category", "years", "order", "filter", "row")
    controls = dict(zip(names, (*first.children, *second.children, *third.children), strict=True))
    return controls, details, view, listed


def rows_of(listed):
    return re.findall(r"<tr><td[^>]*>(?:<a [^>]*>)?([^<]+)(?:</a>)?</td>", listed.value)


def test_the_explorer_starts_with_its_figure(explored):
    controls, details, view, listed = explored
    assert view.value == show.to_html(ch90.record("Flickr30K"))
    assert rows_of(listed)[:2] == ["SCAN_i2t", "SCAN"] and len(rows_of(listed)) == 31
    assert "Lee et al., ECCV 2018: Stacked Cross Attention" in details.value
    paper = itm.literature.papers().set_index("key").loc["lee2018scan"]
    for text in (details.value, listed.value):  # the paper and its chapter are a click, or a Tab and Enter, away
        assert (
            f'<a href="{paper.paper}" target="_blank"' in text
            and '<a href="03_scan.ipynb" target="_blank" rel="noopener">03</a>' in text
        )
    assert f'<a href="{paper.code}" target="_blank"' in details.value
    assert tuple(controls["dataset"].options) == tuple(
        name for name in DATASETS if name not in ("ICFG-PEDES", "RSTPReid")
    )


def test_the_explorer_follows_each_control(explored):
    controls, details, view, listed = explored
    controls["order"].value = "by year"
    assert rows_of(listed)[0] == "DeViSE" and "Frome et al., NIPS 2013" in details.value
    controls["filter"].value = "scan"
    assert set(rows_of(listed)) == {"SCAN_t2i", "SCAN_i2t", "SCAN"}
    controls["row"].value = 1
    assert "An ensemble." in details.value
    controls["filter"].value = "nothing of the kind"
    assert rows_of(listed) == [] and "No row fits these choices" in details.value and controls["row"].value is None
    controls["filter"].value = ""
    controls["category"].value = "Loss function"
    assert set(rows_of(listed)) == {"VSE++", "CMPL"} and "2018 VSE++ 52.9" in view.value
    controls["category"].value = "all categories"
    controls["years"].value = (2013, 2014)
    assert "SCAN" not in rows_of(listed) and "UVSE" in rows_of(listed)
    controls["dataset"].value = "CUB"
    assert tuple(controls["measure"].options) == ("i2t R@1", "t2i AP@50")


def test_the_explorer_goes_to_another_edition_and_back(explored):
    controls, details, view, listed = explored
    controls["edition"].value = "2025"
    assert "the survey&#x27;s edition of 2025" in view.value and "rows whose year is not known" in view.value
    controls["dataset"].value = "RSTPReid"
    assert controls["measure"].value == "t2i R@1" and "not among the survey&#x27;s 78" in details.value
    controls["edition"].value = "2020"
    assert controls["dataset"].value == "Flickr8K"
    assert all(widget.description for widget in controls.values())  # what a screen reader says of each
    with pytest.raises(ItmError, match="unknown data set"):
        ch90.literature_explorer("Flickr")
