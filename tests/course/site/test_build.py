"""The whole site, from notebooks that were not executed: no broken link, no warning of Sphinx, every check passes."""

import nbformat
import pytest

from itm_tutorial.course.files import read_contents
from itm_tutorial.course.running import NOTEBOOKS, PROVENANCE, ROOT
from itm_tutorial.course.site import build
from itm_tutorial.errors import ItmError
from itm_tutorial.storage import write_json

for package in ("myst_nb", "furo", "sphinx_design"):
    pytest.importorskip(package, reason="the site needs pip install -e '.[site]'")


@pytest.mark.slow
def test_the_site_has_no_fault_and_all_its_pages(tmp_path):
    contents = read_contents(ROOT / "course.toml")
    runs = [(row, nbformat.read(NOTEBOOKS / row["notebook"], as_version=4), {"fast": True}) for row in contents]
    assert build.make(runs, None, tmp_path) == []
    pages = {file.relative_to(tmp_path / "html").as_posix() for file in (tmp_path / "html").rglob("*.html")}
    wanted = {f"notebooks/{row['notebook'][:-6]}.html" for row in contents}
    wanted |= {"index.html", "docs/glossary.html", "docs/notation.html", "docs/bibliography.html", "docs/timings.html"}
    wanted |= {"docs/results/ch02.html", "docs/models/vsepp.html", "docs/models/index.html", "search.html"}
    assert wanted <= pages
    assert (tmp_path / "html" / "_static" / "mathjax" / "tex-chtml.js").exists()


@pytest.mark.slow
def test_a_warning_of_sphinx_is_a_fault(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "index.md").write_text("# A\n\n[b](b.md)\n")
    assert not build.sphinx(tmp_path / "source", tmp_path / "html")
    (tmp_path / "source" / "index.md").write_text("# A\n\nText.\n")
    assert build.sphinx(tmp_path / "source", tmp_path / "html")


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of one notebook, and what ran instead of papermill: the names of notebooks."""
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build, "NOTEBOOKS", tmp_path)
    (tmp_path / "course.toml").write_text('[[chapter]]\nnotebook = "00_a.ipynb"\n')
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    nbformat.write(notebook, tmp_path / "00_a.ipynb")
    ran = []

    def execute(notebook, target, environment):
        ran.append((notebook.name, environment["ITM_FAST"]))
        target.write_bytes(notebook.read_bytes())
        return ran.result

    class Ran(list):
        result = "ok"

    ran = Ran()
    monkeypatch.setattr(build, "execute", execute)
    ran.folder = tmp_path
    return ran


def test_a_notebook_that_the_course_ran_is_taken(course):
    made = course.folder / "course"
    made.mkdir()
    (made / "00_a.ipynb").write_bytes((course.folder / "00_a.ipynb").read_bytes())
    write_json(made / PROVENANCE, {"cores": 2, "fast": False})
    ((_, _, about),) = build.executed(made, course.folder / "own")
    assert about == {"cores": 2, "fast": False} and not course


def test_a_notebook_that_changed_since_is_run_small_and_only_once(course):
    for _ in range(2):
        ((_, _, about),) = build.executed(course.folder / "course", course.folder / "own")
        assert about["fast"] and course == [("00_a.ipynb", "1")]
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("2")]), course.folder / "00_a.ipynb")
    build.executed(course.folder / "course", course.folder / "own")
    assert len(course) == 2


def test_a_notebook_that_fails_is_named(course):
    course.result = "failed in cell 1: ValueError: no"
    with pytest.raises(ItmError, match="00_a.ipynb failed in cell 1.*make the site again"):
        build.executed(course.folder / "course", course.folder / "own")
