"""The editions made from one source: what each holds, and that each runs."""

import re
import subprocess
import sys

import nbformat
import pytest
from typer.testing import CliRunner

from itm_tutorial.chapters.ch00_start_here import exercises as start_here
from itm_tutorial.course import editions, export, slides
from itm_tutorial.course.editions import (
    EXERCISE,
    NOTEBOOKS,
    SOURCES,
    TEACHER,
    exercise_name,
    exercises_of,
    has_tag,
    learners_edition,
    teachers_edition,
)
from itm_tutorial.course.plain_code import plain_code
from itm_tutorial.course.sections import heading_of, sections_of, split_at_headings
from itm_tutorial.errors import ItmError

EDITED = sorted(SOURCES.glob("[0-9]*.py"))
CHAPTERS = [source for source in EDITED if "_lab_" not in source.stem]
FIRST = SOURCES / "00_start_here.py"
each_source = pytest.mark.parametrize("source", EDITED, ids=lambda f: f.stem)
each_chapter = pytest.mark.parametrize("source", CHAPTERS, ids=lambda f: f.stem)


def text_of(notebook):
    return "\n".join(cell.source for cell in notebook.cells)


def markdown(text, **metadata):
    return nbformat.v4.new_markdown_cell(text, metadata=metadata)


def code(text, *outputs, tags=()):
    return nbformat.v4.new_code_cell(text, outputs=list(outputs), metadata={"tags": list(tags)} if tags else {})


def shown(**data):
    return nbformat.v4.new_output("display_data", data=data)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A course of one chapter, "00_start_here", whose source a test writes."""
    for name, place in (("ROOT", tmp_path), ("SOURCES", tmp_path / "notebooks/source"), ("NOTEBOOKS", tmp_path)):
        monkeypatch.setattr(editions, name, place)
    monkeypatch.setattr(editions, "TALKING_POINTS", tmp_path)
    (tmp_path / "notebooks/source").mkdir(parents=True)
    (tmp_path / "course.toml").write_text('[[chapter]]\nnotebook = "00_start_here.ipynb"\nminutes = 20\n')

    def write(text):
        file = tmp_path / "notebooks/source/00_start_here.py"
        file.write_text(text, encoding="utf-8")
        return file

    return write


SMALL = """# %% [markdown]
# # 00 · A title
#
# **You will be able to** count.

# %%
import torch

# %% [markdown] tags=["teacher"]
# Only for teachers.

# %% [markdown]
# ## Build it: a sum
#
# ### Exercise 1 (5 minutes, ★): ranks


# %% tags=["exercise"]
def image_ranks(scores, image_of):
    # solution
    return (scores >= scores[image_of, torch.arange(len(image_of))]).sum(0)
    # end of solution


image_ranks = exercises.image_ranks.check(image_ranks)

# %%
figures.picture(1)

# %%
print("the end")
"""


def test_headings_split_a_text_but_not_a_block_of_code():
    cells = split_at_headings([markdown("# A\none\n\n## B\n```\n## no heading\n```\n### C"), code("# not this")])
    assert [cell["source"] for cell in cells] == [
        "# A\none",
        "## B\n```\n## no heading\n```\n### C",
        "# not this",
    ]
    assert len(split_at_headings(cells, deepest=3)) == 4
    assert [section.heading for section in sections_of(cells)] == ["A", "B"]


def test_the_minutes_of_a_section_are_those_of_its_exercises_and_of_its_words():
    words = "word " * 300  # two minutes at 150 words per minute
    cells = [
        markdown(f"## A\n### Exercise 1 (5 minutes, ★): x\n\n{words}"),
        markdown("### Exercise 2 (10 minutes, ★★): y"),
        code("x = 1\nitm.show.pictures(x)"),
    ]
    (section,) = sections_of(cells)
    assert section.exercise_minutes == 15
    n_words = 300 + sum(len(cell["source"].partition("\n\n")[0].split()) for cell in cells[:2])
    assert section.minutes == pytest.approx(15 + (n_words + 100) / 150)


@pytest.mark.parametrize(
    ("code", "n_figures"),
    [
        ("figures.a(1)", 1),
        ("display(figures.a(1))\nitm.show.b()", 2),
        ('itm.show.answer("It falls.")', 0),
        ("x = 1", 0),
    ],
)
def test_a_figure_takes_time_and_a_printed_answer_is_none(code, n_figures):
    (section,) = sections_of([nbformat.v4.new_code_cell(code)])
    assert section.minutes == pytest.approx(100 * n_figures / 150)


@each_source
def test_the_learners_edition_holds_no_solution_and_nothing_for_teachers(source):
    notebook = learners_edition(source)
    assert "# solution" not in text_of(notebook) and "Teacher" not in text_of(notebook)
    assert not any(has_tag(cell, TEACHER) for cell in notebook.cells)


def test_cells_for_teachers_are_in_their_edition_alone(small):
    source = small(SMALL)
    assert "Only for teachers." not in text_of(learners_edition(source))
    assert "Only for teachers." in text_of(teachers_edition(source))


@each_chapter
def test_the_teachers_edition_states_each_message_of_each_check(source):
    cells = teachers_edition(source).cells
    exercises = {exercise.name: exercise for exercise in exercises_of(source)}
    answers = [(cell, after) for cell, after in zip(cells, cells[1:], strict=False) if has_tag(cell, EXERCISE)]
    assert [exercise_name(cell) for cell, _ in answers] == list(exercises)
    for cell, after in answers:
        assert "your code here" not in cell.source and "# solution" not in cell.source
        assert "# end of solution" not in cell.source and "return" in cell.source
        compile(cell.source, "<answer>", "exec")
        told = after.source.replace("\\", "")  # signs that Markdown would read are escaped
        for _, message in exercises[exercise_name(cell)].mistakes:
            assert message.replace("\\", "") in told
    headings = [heading_of(cell.source.partition("\n")[0]) for cell in cells if cell.cell_type == "markdown"]
    assert sum("> **Teacher: about " in cell.source for cell in cells) == sum(
        h is not None and h[0] == 2 for h in headings
    )


@each_source
def test_talking_points_belong_to_sections(source):
    headings = [section.heading for section in sections_of(editions.read_source(source).cells)]
    points = editions.talking_points(source, headings)  # refuses a heading that the chapter lacks
    if source.stem in ("00_start_here", "01_devise"):
        assert len(points) >= 8 and all(text.startswith("- ") for text in points.values())


def test_talking_points_of_no_section_are_refused(small, tmp_path):
    source = small(SMALL)
    (tmp_path / "00_start_here.md").write_text("# Notes\n\n## Build it: a sum\n\n- Ask them.\n")
    assert "> - Ask them." in text_of(teachers_edition(source))
    (tmp_path / "00_start_here.md").write_text("# Notes\n\n## Build them\n\n- Ask them.\n")
    with pytest.raises(ItmError, match="'Build them'.*Build it: a sum"):
        teachers_edition(source)


@each_source
def test_the_plain_code_compiles_and_has_no_prose(source):
    text = plain_code(source)
    compile(text, source.stem, "exec")
    assert ".check(" not in text and "# solution" not in text and "itm.show.answer(" not in text
    comments = [line for line in text.splitlines() if line.startswith("# ")]
    assert not any(line.startswith("# #") or "**" in line for line in comments)


def test_the_plain_code_runs_as_a_script_and_keeps_its_figures(small, tmp_path):
    text = SMALL.replace("import torch", "import torch\nfrom matplotlib.figure import Figure\n\nfigures = Figures")
    text = text.replace('print("the end")', 'print(image_ranks(torch.eye(3), torch.arange(3)).tolist())\n"shown"')
    text = text.replace("figures = Figures", "class figures:\n    picture = staticmethod(lambda n: Figure((n, n)))")
    script = tmp_path / "script.py"
    script.write_text(plain_code(small(text)), encoding="utf-8")
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert run.stdout.splitlines() == ["[1, 1, 1]", "shown"], run.stderr
    assert [file.name for file in (tmp_path / "script").iterdir()] == ["figure_1.png"]


def test_slides_begin_at_headings_and_show_figures_without_their_code():
    picture = {"text/html": '<img alt="a map" src="data:,">'}
    notebook = nbformat.v4.new_notebook(
        cells=[
            markdown("# 00 · Title\n\n[glossary](../docs/glossary.md)\n\nHello."),
            code("import torch"),
            code("size = 1", tags=["parameters"]),
            markdown("## The question\n\n" + "\n\n".join(["many words " * 40] * 3) + "\n\n**Question.** What?"),
            code("figures.secret_call()", shown(**picture)),
            markdown("<details><summary>Answer</summary>\n\nThat.\n\n</details>"),
            code("widget", shown(**{"application/vnd.jupyter.widget-view+json": {"model_id": "1"}})),
            markdown("### Exercise 1 (5 minutes, ★): ranks"),
            code("def f(x):\n    ...  # your code here", shown(**{"text/plain": "not yet"}), tags=["exercise"]),
            markdown("---\n**Papers and code**"),
        ]
    )
    found = slides._slide_cells(notebook.cells)
    places = [(cell["metadata"]["slideshow"]["slide_type"], cell["source"].partition("\n")[0]) for cell in found]
    assert places == [
        ("slide", "# 00 · Title"),
        ("slide", "## The question"),
        ("subslide", "## The question (continued)"),
        ("subslide", "## The question (continued)"),
        ("subslide", "## The question (continued)"),
        ("-", "figures.secret_call()"),
        ("-", "<details><summary>Answer</summary>"),
        ("subslide", "### Exercise 1 (5 minutes, ★): ranks"),
        ("subslide", "def f(x):"),
    ]
    assert found[4]["source"].endswith("(continued)\n\n**Question.** What?")
    page = slides.slides(notebook, "reveal/")
    assert "a map" in page and "secret_call" not in page and "your code here" in page.replace("</span>", "")
    assert "not yet" not in page and "Papers and code" not in page and "glossary" not in page
    assert '<html lang="en">' in page and "<title>00 · Title</title>" in page
    assert '<script src="reveal/dist/reveal.js">' in page and "require(" not in page and "jquery" not in page


def test_slides_take_the_outputs_of_a_run(tmp_path):
    made = nbformat.v4.new_notebook(cells=[code("1 + 1"), code("2 + 2")])
    run = nbformat.v4.new_notebook(cells=[code("x = 0", shown(**{"text/plain": "0"}))])
    nbformat.write(run, tmp_path / "old.ipynb")
    with pytest.raises(ItmError, match=r"has no cell '1 \+ 1'.*run itm course again"):
        slides.with_outputs(made, tmp_path / "old.ipynb")
    run.cells += [code("1 + 1", shown(**{"text/plain": "2"})), code("2 + 2")]
    nbformat.write(run, tmp_path / "new.ipynb")
    filled = slides.with_outputs(made, tmp_path / "new.ipynb")
    assert [len(cell.outputs) for cell in filled.cells] == [1, 0]
    nbformat.write(nbformat.v4.new_notebook(cells=[code("1 + 1")]), tmp_path / "never.ipynb")
    (tmp_path / "broken.ipynb").write_text("{")
    for name, message in (("never", "no outputs"), ("broken", "no notebook"), ("absent", "does not exist")):
        with pytest.raises(ItmError, match=message):
            slides.with_outputs(made, tmp_path / f"{name}.ipynb")


def run_itm(*arguments):
    from itm_tutorial.cli import app_of_commands

    return CliRunner().invoke(app_of_commands, ["export", *map(str, arguments)])


def test_the_command_writes_what_is_asked_for(tmp_path):
    out = tmp_path / "a" / "b"
    assert run_itm("learner", "--chapter", "00", "--out", out).exit_code == 0
    assert run_itm("teacher", "--chapter", "02_vsepp_lab_2_results", "--out", out).exit_code == 0
    assert run_itm("code", "--chapter", "90", "--out", out).exit_code == 0
    names = ["00_start_here.ipynb", "02_vsepp_lab_2_results.ipynb", "90_literature.py"]
    assert sorted(file.name for file in out.iterdir()) == names
    first = nbformat.read(out / names[0], as_version=4).cells[0].source
    (glossary,) = re.findall(r"\[glossary\]\(([^)]+)\)", first)
    assert (out / glossary).resolve() == (
        editions.ROOT / "docs/glossary.md"
    ).resolve()  # the link leads there from here


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("lerner",), "unknown edition 'lerner': did you mean 'learner'"),
        (("learner", "--chapter", "07"), "unknown chapter '07'"),
        (("learner", "--track", "labb"), "unknown track 'labb': did you mean 'lab'"),
        (("code", "--executed", "build"), "belong to slides"),
        (("slides", "--chapter", "00", "--executed", "nowhere"), "run itm course"),
    ],
)
def test_what_cannot_be_exported_is_named_and_nothing_is_written(tmp_path, arguments, message):
    ran = run_itm(*arguments, "--out", tmp_path / "out")
    assert isinstance(ran.exception, ItmError) and message in str(ran.exception)
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_an_export_that_fails_leaves_the_folder_as_it_was(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("kept")

    def build(folder):
        (folder / "half.ipynb").write_text("{")
        raise ItmError("no more")

    with pytest.raises(ItmError, match="no more"):
        export._written(out, build)
    assert [file.name for file in out.iterdir()] == ["mine.txt"]
    with pytest.raises(ItmError, match="a part of the path is a file"):
        export._written(out / "mine.txt" / "deeper", build)


@pytest.mark.slow
@each_chapter
def test_all_checks_pass_in_the_teachers_edition(source):
    from itm_tutorial.course.running import execute_cells

    notebook = teachers_edition(source)
    execute_cells(notebook, NOTEBOOKS, ITM_FAST="1", ITM_PROGRESS="0")
    answered = [cell for cell in notebook.cells if has_tag(cell, EXERCISE)]
    assert len(answered) == len(exercises_of(source))
    for cell in answered:
        printed = "".join(output.get("text", "") for output in cell.outputs)
        assert printed.startswith("Right: "), printed


def test_an_exercise_knows_its_chapter():
    assert start_here.recall_at_k.chapter == "00_start_here"
    for source in CHAPTERS:
        assert {exercise.chapter for exercise in exercises_of(source)} == {source.stem}


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_a_source_without_a_cell_is_refused(tmp_path, text):
    source = tmp_path / "run.py"
    source.write_text(text, encoding="utf-8")
    with pytest.raises(ItmError, match="has no cell: begin it with # %%"):
        learners_edition(source)
