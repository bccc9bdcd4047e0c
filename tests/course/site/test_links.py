"""Links of notebooks and pages lead to pages of the site, to the repository, or to a page of the source file."""

import pytest

from itm_tutorial.course.site.links import Links

PAGES = {"notebooks/00_a.ipynb", "docs/glossary.md", "docs/results/README.md", "docs/images/a.png"}


@pytest.fixture
def root(tmp_path):
    for name in ("itm_tutorial/models/vse.py", "course.toml", "docs/results/README.md", "data_scripts/coco.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("text")
    return tmp_path


@pytest.mark.parametrize(
    ("link", "wanted"),
    [
        ("00_a.ipynb", "00_a.ipynb"),
        ("../docs/glossary.md#hub", "../docs/glossary.md#hub"),
        ("../docs/results/", "../docs/results/README.md"),
        ("https://example.org/a.md", "https://example.org/a.md"),
        ("mailto:a@example.org", "mailto:a@example.org"),
        ("#quiz", "#quiz"),
        ("../docs/missing.md", "../docs/missing.md"),
        ("../itm_tutorial/models/vse.py", "../code/itm_tutorial/models/vse.py.md"),
        ("../course.toml", "../code/course.toml.md"),
    ],
)
def test_a_link_of_a_notebook(root, link, wanted):
    links = Links(root, PAGES)
    assert links.rewritten(f"see [it]({link}).", "notebooks/01_b.ipynb") == f"see [it]({wanted})."
    assert links.rewritten(f'<a href="{link}">it</a>', "notebooks/01_b.ipynb") == f'<a href="{wanted}">it</a>'


def test_source_files_are_kept_for_pages_of_their_own(root):
    links = Links(root, PAGES)
    links.rewritten("[a](../itm_tutorial/models/vse.py) [b](../docs/glossary.md)", "notebooks/00_a.ipynb")
    assert links.sources == {"itm_tutorial/models/vse.py"}


@pytest.mark.parametrize("address", ["https://git.example/o/r", "https://git.example/o/r/"])
def test_with_a_repository_a_source_file_leads_there(root, address):
    links = Links(root, PAGES, address)
    said = links.rewritten("[a](../itm_tutorial/models/vse.py)", "notebooks/00_a.ipynb")
    assert said == "[a](https://git.example/o/r/blob/main/itm_tutorial/models/vse.py)" and not links.sources
    folder = links.rewritten("[a](../data_scripts)", "notebooks/00_a.ipynb")
    assert folder == "[a](https://git.example/o/r/blob/main/data_scripts)"


def test_an_address_in_angle_brackets_stays(root):
    said = "[paper](<https://example.org/a (b).pdf>) · [code](<https://example.org/c>)"
    assert Links(root, PAGES).rewritten(said, "notebooks/00_a.ipynb") == said


@pytest.mark.parametrize(
    ("link", "wanted"),
    [
        ("00_a.ipynb", "00_a.html"),
        ("../docs/glossary.md#hub", "../docs/glossary.html#hub"),
        ("../itm_tutorial/models/vse.py", "../code/itm_tutorial/models/vse.py.html"),
        ("https://example.org/a.md", "https://example.org/a.md"),
        ("#quiz", "#quiz"),
    ],
)
def test_a_link_in_the_output_of_a_cell_leads_to_the_page_that_sphinx_makes(root, link, wanted):
    links = Links(root, PAGES)
    assert links.in_html(f'<a href="{link}">it</a>', "notebooks/01_b.ipynb") == f'<a href="{wanted}">it</a>'
