"""The pages that the site makes itself."""

import re

import nbformat

from itm_tutorial.course.files import read_contents
from itm_tutorial.course.running import ROOT
from itm_tutorial.course.site.pages import code_page, gallery_page, index_page, models_page, timings_page

CONTENTS = read_contents(ROOT / "course.toml")
PAGES = {f"notebooks/{chapter['notebook']}" for chapter in CONTENTS} | {"docs/glossary.md", "docs/museum.ipynb"}


def test_the_first_page_shows_each_chapter_with_its_figure_and_lists_each_page_once():
    said = index_page(ROOT, PAGES)
    chapters = [chapter for chapter in CONTENTS if "_lab_" not in chapter["notebook"]]
    assert said.startswith("# ") and said.count("{grid-item-card}") == len(chapters)
    assert said.count(":img-alt: ") == said.count(":img-top: docs/images/") == len(chapters)
    for page in PAGES:
        assert said.count(f"\n{page.rpartition('.')[0]}\n") == 1, f"{page} is not in the navigation"
    assert all(f"{chapter['minutes']} minutes" in said for chapter in chapters)


def test_the_gallery_is_up_to_date_and_shows_a_figure_of_each_chapter():
    """It is made by ``python docs/gallery.py``."""
    wanted = gallery_page(CONTENTS, (ROOT / "README.md").read_text(encoding="utf-8"))
    assert (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8") == wanted
    figures = re.findall(r"^!\[.{20,}\]\((images/ch\d\d\.png)\)$", wanted, re.MULTILINE)
    assert len(figures) == sum("_lab_" not in chapter["notebook"] for chapter in CONTENTS)
    assert all((ROOT / "docs" / figure).exists() for figure in figures)


def test_pages_that_do_not_exist_are_left_out():
    said = index_page(ROOT, PAGES)
    assert "docs/glossary" in said and "docs/teaching" not in said and ":caption: Teach" not in said
    assert "docs/teaching" in index_page(ROOT, PAGES | {"docs/teaching.md"})


def test_the_repository_is_named_where_there_is_one():
    assert "<https://git.example/o/r>" in index_page(ROOT, PAGES, "https://git.example/o/r")
    assert "folder of the course" in index_page(ROOT, PAGES)


def notebook_of(seconds, cells):
    made = nbformat.v4.new_notebook(metadata={"papermill": {"duration": seconds, "start_time": "2026-11-30T13:57:07"}})
    for duration in cells:
        cell = nbformat.v4.new_code_cell("x")
        cell["metadata"]["papermill"] = {"duration": duration}
        made.cells.append(cell)
    return made


def test_timings_come_from_the_executed_notebooks():
    about = {"machine": "x86_64", "system": "Linux", "cores": 2, "python": "3.11", "torch": "2.15.0", "fast": False}
    runs = [(CONTENTS[0], notebook_of(46.8, [1.4, 12.6, None]), about), (CONTENTS[1], notebook_of(80.0, [9.0]), {})]
    rows = [line for line in timings_page(runs).splitlines() if line.startswith("| [")]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert cells[0][1:] == [str(CONTENTS[0]["minutes"]), "47", "13", "full", "30&nbsp;Nov&nbsp;2026", "1"]
    assert cells[1][2:4] == ["80", "9"] and cells[1][-1] == "2"
    assert "1. x86_64, Linux, 2 cores; python 3.11, torch 2.15.0." in timings_page(runs)
    assert "2. not recorded." in timings_page(runs)


def test_a_notebook_without_times_is_told_as_unknown():
    (row,) = (
        line
        for line in timings_page([(CONTENTS[0], nbformat.v4.new_notebook(), {"fast": True})]).splitlines()
        if line.startswith("| [")
    )
    assert row.count("unknown") == 3 and "smallest" in row


def test_the_list_of_models_names_each_card(tmp_path):
    (tmp_path / "vse.md").write_text("# VSE\n\nMade by a command.\n\nTwo encoders\nand a cosine.\n\nMore.\n")
    said = models_page([tmp_path / "vse.md"])
    assert "- [`vse`](vse.md): Two encoders and a cosine." in said and "\nvse\n" in said


def test_a_source_file_is_shown_as_it_is(tmp_path):
    (tmp_path / "a.py").write_text('"""Ticks: ``` and `x`."""\n')
    said = code_page(tmp_path / "a.py", "itm_tutorial/a.py")
    assert '``````python\n"""Ticks: ``` and `x`."""\n``````' in said and said.startswith("---\norphan: true\n---")
