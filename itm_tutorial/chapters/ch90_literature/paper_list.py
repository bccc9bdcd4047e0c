"""The survey's papers as a list with links to each paper, its code and its chapter; it works by keyboard."""

from __future__ import annotations

import html
from urllib.parse import quote

from itm_tutorial.chapters.ch90_literature.map_figures import CATEGORIES, chapter_notebooks, citation
from itm_tutorial.literature import papers

CELL = "padding: 1px 14px 1px 0; text-align: left; vertical-align: top"
HEADS = ("paper", "year", "title", "code", "chapter")


class PaperList:
    """A list of papers, folded by category, that a notebook shows as HTML.

    Attributes:
        frame: the papers, as ``itm.literature.papers`` returns them.
    """

    def __init__(self, frame):
        self.frame = frame

    def _repr_html_(self) -> str:
        parts = []
        for section, group in self.frame.groupby("section", sort=False):
            rows = "".join(_row(paper) for paper in group.sort_values("year", kind="stable").itertuples())
            heads = "".join(f'<th scope="col" style="{CELL}">{head}</th>' for head in HEADS)
            title = html.escape(f"{CATEGORIES.get(section, section)}: {len(group)}")
            table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
            parts.append(f"<details><summary>{title}</summary>{table}</details>")
        return "".join(parts)

    def __repr__(self) -> str:
        sections = ", ".join(f"{name} {len(group)}" for name, group in self.frame.groupby("section", sort=False))
        return f"{len(self.frame)} papers with links: {sections}"


def papers_list() -> PaperList:
    """Lists the survey's papers by category, each with links to the paper, to its code and to its chapter.

    Returns:
        What a notebook shows as folded tables, one per category; the links can be reached with the Tab key.
    """
    return PaperList(papers())


def _row(paper) -> str:
    code = link(paper.code, "code") if paper.code else ""
    cells = (
        html.escape(paper.name),
        str(paper.year),
        link(paper.paper, paper.title),
        code,
        chapter_link(paper.chapter) or "not yet",
    )
    return "<tr>" + "".join(f'<td style="{CELL}">{cell}</td>' for cell in cells) + "</tr>"


def link(address: str, words: str) -> str:
    """A link that opens in a new tab; the words alone where there is no address of the web."""
    if not address.startswith(("https://", "http://")):
        return html.escape(words)
    safe = html.escape(quote(address, safe=":/?#[]@!$&'()*+,;=%~"), quote=True)
    return f'<a href="{safe}" target="_blank" rel="noopener">{html.escape(words)}</a>'


def chapter_link(number: str) -> str:
    """A link to the notebook of a chapter, in the same folder; empty if the course does not have the chapter yet."""
    notebook = chapter_notebooks().get(number)
    if not notebook:
        return ""
    return f'<a href="{html.escape(notebook, quote=True)}" target="_blank" rel="noopener">{html.escape(number)}</a>'


def paper_links(key: str) -> str:
    """The citation of a paper as HTML, with links to the paper, its code and its chapter."""
    paper = papers().set_index("key").loc[key]
    links = [link(paper.paper, "paper")]
    links += [link(paper.code, "code")] if paper.code else []
    links += [f"chapter {chapter_link(paper.chapter)}"] if chapter_link(paper.chapter) else []
    return f"{html.escape(citation(key))} ({', '.join(links)})"
