"""The first and the last lines of a notebook: minutes, neighbours, glossary, papers with their code, model files."""

from __future__ import annotations

from pathlib import Path

from itm_tutorial.course.files import Chapter
from itm_tutorial.errors import unknown
from itm_tutorial.literature import cite, papers
from itm_tutorial.models import list_methods

BRANCH = "main"  # of the repository: what Colab opens
PAGES = "[glossary](../docs/glossary.md) · [notation](../docs/notation.md)"


def header(contents: list[Chapter], notebook: str, repository: str = "", site: str = "") -> str:
    """The lines below a notebook's title, in Markdown.

    Args:
        contents: the notebooks of the course, in reading order.
        notebook: the name of this one.
        repository: the address of the repository; empty where it has none.
        site: the address of the course's site; empty where it has none.

    Returns:
        Badges for Colab and the site where there are addresses, its minutes and the computer's, the previous and the
        next notebook, the glossary and the notation.

    Raises:
        ItmError: the course does not have this notebook.
    """
    place, chapter = _place(contents, notebook)
    parts = []
    if "minutes" in chapter:
        parts.append(f"{chapter['minutes']} minutes")
    if "computing" in chapter:
        parts.append(f"the computer needs {chapter['computing']}")
    times = f"*{'; '.join(parts)}*" if parts else ""
    before = f"← {_link(contents[place - 1])}" if place else ""
    after = f"{_link(contents[place + 1])} →" if place + 1 < len(contents) else ""
    badges = _badges(notebook, repository.rstrip("/"), site.rstrip("/"))
    return "  \n".join(filter(None, (badges, times, " · ".join(filter(None, (before, after, PAGES))))))


def footer(contents: list[Chapter], notebook: str) -> str:
    """The last cell of a notebook, in Markdown.

    Args:
        contents: the notebooks of the course, in reading order.
        notebook: the name of this one.

    Returns:
        Its papers with links to text and code, the files of its models, and the next notebook.

    Raises:
        ItmError: the course does not have this notebook, or no paper has one of its keys.
    """
    place, chapter = _place(contents, notebook)
    lines = ["---"]
    if chapter.get("papers"):
        lines += ["**Papers and code**", "", *map(_paper, chapter["papers"]), ""]
    number, is_lab = notebook[:2], "_lab_" in notebook
    files = [f"{method.name}.py" for method in list_methods() if method.chapter == number and not is_lab]
    if files:
        linked = ", ".join(f"[{file}](../itm_tutorial/models/{file})" for file in files)
        lines += [f"**In the package:** {linked}", ""]
    lines.append("**All papers:** [bibliography](../docs/bibliography.md) · **Words:** " + PAGES)
    if place + 1 < len(contents):
        lines += ["", f"**Next:** {_link(contents[place + 1])}"]
    return "\n".join(lines)


def _badges(notebook: str, repository: str, site: str) -> str:
    """Links as small pictures, which lie in the repository; Colab opens notebooks of GitHub only."""
    badges = []
    if repository.startswith("https://github.com/"):
        path = repository.removeprefix("https://github.com/").removesuffix(".git")
        address = f"https://colab.research.google.com/github/{path}/blob/{BRANCH}/notebooks/{notebook}"
        badges.append(f"[![Open in Colab](../docs/images/badge_colab.svg)]({address})")
    if site:
        address = f"{site}/notebooks/{Path(notebook).stem}.html"
        badges.append(f"[![Read on the site](../docs/images/badge_site.svg)]({address})")
    return " ".join(badges)


def _place(contents: list[Chapter], notebook: str) -> tuple[int, Chapter]:
    names = [chapter["notebook"] for chapter in contents]
    if notebook not in names:
        raise unknown("notebook of course.toml", notebook, names)
    return names.index(notebook), contents[names.index(notebook)]


def _link(chapter: Chapter) -> str:
    number = chapter["notebook"][:2]
    return f"[{number} · {chapter.get('title', Path(chapter['notebook']).stem)}]({chapter['notebook']})"


def _paper(key: str) -> str:
    table = papers(beyond=True).set_index("key")
    if key not in table.index:
        raise unknown("paper in course.toml", key, table.index)
    paper = table.loc[key]
    code = f" · [code](<{paper.code}>)" if paper.code else ""
    return f"- {cite(key)}: [{paper.title}](<{paper.paper}>){code}"
