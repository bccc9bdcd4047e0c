"""The notebooks: up to date with their sources, the structure of a chapter, and stored outputs."""

import html
import re
from importlib import import_module
from statistics import median

import nbformat
import pytest

from itm_tutorial.course.editions import ANSWER, CHECKED, NOTEBOOKS, ROOT, SOURCES, learners_edition
from itm_tutorial.course.files import read_contents
from itm_tutorial.course.notebooks import _streams_joined, build_notebooks

FILES = sorted(NOTEBOOKS.glob("*.ipynb"))
EDITED = sorted(SOURCES.glob("[0-9]*.py"))
LABS = [source for source in EDITED if "_lab_" in source.stem]  # shorter than a chapter, and without exercises
CHAPTERS = [source for source in EDITED if source not in LABS]
each_chapter = pytest.mark.parametrize("source", CHAPTERS, ids=lambda f: f.stem)
each_lab = pytest.mark.parametrize("source", LABS, ids=lambda f: f.stem)
FOLDED = "<details><summary>Answer</summary>\n\n"
FIGURE = re.compile(r"(itm\.show|figures)\.(?!explorer|answer)\w+\(")


def has_tag(cell, tag):
    return tag in cell.metadata.get("tags", [])


def code_of(cells):
    """The code cells but for those that print an answer, which are prose with numbers."""
    return [cell for cell in cells if cell.cell_type == "code" and not has_tag(cell, ANSWER)]


def is_answer(cell):
    """Whether a cell is a folded answer: text, or a sentence about this run."""
    if has_tag(cell, ANSWER):
        return cell.cell_type == "code" and cell.source.splitlines()[-1].startswith("itm.show.answer(")
    return cell.cell_type == "markdown" and cell.source.startswith(FOLDED)


def is_figure(cell):
    return cell.cell_type == "code" and not has_tag(cell, ANSWER) and bool(FIGURE.match(cell.source.splitlines()[-1]))


def prose_of(cells):
    """The prose: without formulas, code blocks, HTML tags, and the header and footer, which are made."""
    text = "\n".join(cell.source for cell in cells[:-1] if cell.cell_type == "markdown")
    text = "**You will be able to**" + text.partition("**You will be able to**")[2]
    return re.sub(r"```.*?```|\$\$.*?\$\$|<[^>]+>", " ", text, flags=re.DOTALL)


def quiz_of(cells):
    """The questions of the quiz, each with its (option, feedback) pairs."""
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown").partition("## Quiz")[2]
    questions = re.split(r"^\*\*\d+\. ", text, flags=re.MULTILINE)[1:]
    return [re.findall(r"^<details><summary>(.+)</summary>(.+)</details>$", q, re.MULTILINE) for q in questions]


def test_there_is_a_notebook_and_none_has_drifted():
    assert FILES and [file.stem for file in FILES] == [source.stem for source in EDITED]
    assert build_notebooks(check=True) == []


def test_printed_text_is_stored_as_one_output():
    pieces = [("stdout", "a"), ("stdout", "\n"), ("stderr", "w"), ("stdout", "b")]
    made = [{"output_type": "stream", "name": name, "text": text} for name, text in pieces]
    shown = {"output_type": "display_data", "data": {}}
    found = _streams_joined([*made[:2], shown, *made[1:]])
    assert [one.get("text") for one in found] == ["a\n", None, "\n", "w", "b"]
    assert made[0]["text"] == "a" and found[1] is shown


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_only_checked_cells_have_outputs_and_five_of_them_do(file):
    code = [cell for cell in nbformat.read(file, as_version=4).cells if cell.cell_type == "code"]
    checked = [cell for cell in code if has_tag(cell, CHECKED)]
    assert sum(bool(cell.outputs) for cell in checked) >= 5
    assert not any(cell.outputs for cell in code if cell not in checked)
    assert all(cell.execution_count for cell in checked if cell.outputs)  # without one, nbval takes a cell for not run


@pytest.mark.parametrize("source", EDITED, ids=lambda f: f.stem)
def test_parameters_that_papermill_sets_come_after_the_smallest_size(source):
    """Papermill puts its cell behind the parameters cell, so what that cell sets under ITM_FAST=1 is replaced."""
    for cell in learners_edition(source).cells:
        assert "ITM_FAST" not in cell.source or has_tag(cell, "parameters")


@each_chapter
def test_a_chapter_keeps_its_shape(source):
    cells = learners_edition(source).cells
    code = code_of(cells)
    assert 15 <= len(code) <= 25
    assert median(len(cell.source.splitlines()) for cell in code) <= 8
    assert sum(has_tag(cell, "parameters") for cell in code) == 1
    assert sum(has_tag(cell, CHECKED) for cell in code) >= 5
    assert 1500 <= len(prose_of(cells).split()) <= 3000
    text = "\n".join(cell.source for cell in cells)
    for part in ("You will be able to", "The question", "The picture to aim for", "The idea", "Build it", "Train it"):
        assert part in text
    for part in ("Measure it", "Break it", "The paper's numbers and yours", "Quiz", "Where to go next", "Headline: "):
        assert part in text


@each_lab
def test_a_lab_keeps_its_shape(source):
    cells = learners_edition(source).cells
    code = code_of(cells)
    assert 8 <= len(code) <= 14
    assert median(len(cell.source.splitlines()) for cell in code) <= 8
    assert sum(has_tag(cell, "parameters") for cell in code) == 1
    assert sum(has_tag(cell, CHECKED) for cell in code) >= 5
    assert not any(has_tag(cell, "exercise") for cell in code)
    assert 400 <= len(prose_of(cells).split()) <= 1200
    text = "\n".join(cell.source for cell in cells)
    for part in ("You will be able to", "The question", "Where to go next", "Headline: "):
        assert part in text


@pytest.mark.parametrize("source", EDITED, ids=lambda f: f.stem)
def test_each_figure_is_between_a_question_and_its_answer(source):
    cells = learners_edition(source).cells
    figures = [n for n, cell in enumerate(cells) if is_figure(cell)]
    fewest, most = (1, 3) if source in LABS else (4, 8)
    assert fewest <= len(figures) <= most
    for n in figures:
        assert "**Question.**" in cells[n - 1].source, cells[n].source
        assert is_answer(cells[n + 1]), cells[n].source


@pytest.mark.parametrize("source", EDITED, ids=lambda f: f.stem)
def test_no_answer_stands_open(source):
    for cell in learners_edition(source).cells:
        assert "**Answer.**" not in cell.source
        if cell.cell_type == "markdown":
            assert cell.source.count("<details>") == cell.source.count("</details>")


@pytest.mark.parametrize("source", EDITED, ids=lambda f: f.stem)
def test_a_notebook_has_its_header_recap_and_footer(source):
    cells = learners_edition(source).cells
    first, last = cells[0].source, cells[-1].source
    contents = {chapter["notebook"]: chapter for chapter in read_contents(ROOT / "course.toml")}
    chapter = contents[f"{source.stem}.ipynb"]
    times = f"*{chapter['minutes']} minutes; the computer needs {chapter['computing']}*"
    assert first.startswith("# ") and times in first
    assert not re.search(r"^\*(About )?\d+ minutes", first.replace(times, ""), re.MULTILINE)  # stated once
    for page in ("glossary", "notation"):
        assert f"[{page}](../docs/{page}.md)" in first and f"[{page}](../docs/{page}.md)" in last
    assert "[bibliography](../docs/bibliography.md)" in last
    for target in re.findall(r"\]\((?!http|<)([^)#]+)", first + last):
        assert (NOTEBOOKS / target).exists(), target
    assert ("**Papers and code**" in last) == bool(chapter["papers"])
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    recap = text.partition("## Recap\n")[2].partition("\n## ")[0]
    assert len(re.findall(r"^- ", recap, re.MULTILINE)) == 5, recap


@each_chapter
def test_the_solutions_are_taken_out_and_the_stubs_are_valid(source):
    cells = learners_edition(source).cells
    stubs = [cell for cell in cells if has_tag(cell, "exercise")]
    for cell in stubs:
        assert "...  # your code here" in cell.source and cell.source.count("def ") == 1
        compile(cell.source, "<stub>", "exec")
    assert "solution" not in "".join(cell.source for cell in cells if cell.cell_type == "code")
    assert len(stubs) == source.read_text(encoding="utf-8").count("# end of solution")


@each_chapter
def test_an_exercise_states_its_minutes_its_difficulty_and_its_hints(source):
    cells = learners_edition(source).cells
    lesson = import_module(f"itm_tutorial.chapters.ch{source.stem}.exercises")
    headings = [cell for cell in cells if "### Exercise" in cell.source]
    assert len(headings) == len(lesson.EXERCISES) >= 3
    for cell, exercise in zip(headings, lesson.EXERCISES, strict=True):
        assert f"({exercise.minutes} minutes, {'★' * exercise.difficulty})" in cell.source
        hints = re.findall(r"^<details><summary>Hint \d</summary>(.+)</details>$", cell.source, re.MULTILINE)
        assert tuple(map(html.unescape, hints)) == exercise.hints
        stub = cells[cells.index(cell) + 1].source
        assert stub.startswith(exercise.first_line)
        assert stub.endswith(f"{exercise.name} = exercises.{exercise.name}.check({exercise.name})")


@each_chapter
def test_each_option_of_the_quiz_explains_itself(source):
    quiz = quiz_of(learners_edition(source).cells)
    assert 4 <= len(quiz) <= 6
    for options in quiz:
        assert len(options) >= 3
        verdicts = [re.match(r"(Yes\.|No: |Not yet[:,])", feedback) for _, feedback in options]
        assert all(verdicts), options
        assert [match[0] for match in verdicts].count("Yes.") == 1
        assert len({feedback for _, feedback in options}) == len(options)
        assert all(len(feedback.split()) >= 6 for _, feedback in options)
    places = [[feedback.startswith("Yes") for _, feedback in options].index(True) for options in quiz]
    assert len(set(places)) > 1  # the correct option is not always in the same place
