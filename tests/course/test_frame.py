"""The first and last lines of a notebook: badges and the installing cell exist where course.toml has addresses."""

import pytest

from itm_tutorial.course import editions as notebooks
from itm_tutorial.course.colab import bootstrap
from itm_tutorial.course.files import read_repository, read_site
from itm_tutorial.course.frame import header
from itm_tutorial.errors import ItmError

CONTENTS = [{"notebook": "00_a.ipynb", "title": "A", "minutes": 5}, {"notebook": "01_b.ipynb", "title": "B"}]
GITHUB, SITE = "https://github.com/owner/course", "https://owner.example/course/"


def test_without_addresses_there_is_no_badge():
    said = header(CONTENTS, "00_a.ipynb")
    assert said.startswith("*5 minutes*") and "badge" not in said and "[01 · B](01_b.ipynb) →" in said


def test_badges_lead_to_this_notebook_on_colab_and_on_the_site():
    said = header(CONTENTS, "00_a.ipynb", GITHUB + ".git", SITE).splitlines()[0]
    assert "(https://colab.research.google.com/github/owner/course/blob/main/notebooks/00_a.ipynb)" in said
    assert "(https://owner.example/course/notebooks/00_a.html)" in said
    assert said.count("](../docs/images/badge_") == 2 and "[![Open in Colab]" in said


def test_colab_opens_notebooks_of_github_alone():
    assert "colab" not in header(CONTENTS, "00_a.ipynb", "https://git.example/owner/course", SITE)


def test_a_badge_has_its_picture():
    for name in ("colab", "site"):
        assert "<title>" in (notebooks.ROOT / "docs" / "images" / f"badge_{name}.svg").read_text(encoding="utf-8")


def test_a_notebook_that_the_course_does_not_have_is_named():
    with pytest.raises(ItmError, match="09_z.ipynb"):
        header(CONTENTS, "09_z.ipynb", GITHUB)


@pytest.fixture
def sources(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    (tmp_path / "00_a.py").write_text("# %% [markdown]\n# # A\n#\n# Text.\n\n# %%\nprint(1)\n")

    def make(addresses):
        (tmp_path / "course.toml").write_text(addresses + '[[chapter]]\nnotebook = "00_a.ipynb"\ntitle = "A"\n')
        return notebooks.learners_edition(tmp_path / "00_a.py").cells

    return make


def test_the_learners_notebook_installs_the_course_where_there_is_a_repository(sources):
    cells = sources(f'repository = "{GITHUB}"\nsite = "{SITE}"\n')
    assert cells[0].source.startswith("# A\n\n[![Open in Colab]")
    assert cells[1].cell_type == "code" and cells[1].source == bootstrap(GITHUB)
    assert [cell["id"] for cell in cells] == [f"cell-{number:03d}" for number in range(len(cells))]
    assert "print(1)" in cells[2].source


def test_without_a_repository_nothing_is_installed(sources):
    cells = sources("")
    assert cells[1].source == "print(1)" and "badge" not in cells[0].source


def test_addresses_are_read_from_course_toml(tmp_path):
    file = tmp_path / "course.toml"
    file.write_text(f'repository = "{GITHUB}"\nsite = "{SITE}"\n[[chapter]]\nnotebook = "00_a.ipynb"\n')
    assert (read_repository(file), read_site(file)) == (GITHUB, SITE)
    file.write_text('[[chapter]]\nnotebook = "00_a.ipynb"\n')
    assert (read_repository(file), read_site(file)) == ("", "")
