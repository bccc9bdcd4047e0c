"""The pages that the site makes itself: contents, timings, the list of model cards, and source files."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

from itm_tutorial.course.files import Chapter, read_contents
from itm_tutorial.course.markdown import table

_HERO = re.compile(r"^!\[(.+)\]\((docs/images/.+)\)$", re.MULTILINE)
_ROW = re.compile(r'<img src="docs/images/(\S+)" .*?alt="([^"]+)">.*?\(notebooks/([\w.-]+)\)\*\*: (.+?) \|')
_SECTIONS = {  # caption of the navigation -> its pages, as paths from the root; what does not exist is left out
    "Look up": ("docs/glossary", "docs/notation", "docs/bibliography", "docs/data", "docs/pretrained"),
    "Evidence": ("docs/results/README", "docs/models/index", "docs/timings", "docs/faults"),
    "Mistakes": ("docs/museum",),
    "Teach": ("docs/teaching", "docs/class", "docs/accessibility", "docs/gallery"),
}
_SAID = {
    "docs/glossary": "every term of the field that the course uses",
    "docs/notation": "every symbol, with its shape and its name in the code",
    "docs/bibliography": "every paper, with links to text and code",
    "docs/data": "published data sets, their terms and how to prepare them",
    "docs/pretrained": "published CLIP and SigLIP weights, their sizes and licences, and how to use them",
    "docs/results/README": "every claim of the course with the numbers behind it, failures included",
    "docs/models/index": "one page per model: paper, options, recipes, results",
    "docs/timings": "how long each notebook ran, where and when",
    "docs/faults": "what happens on damaged files, full disks and killed runs",
    "docs/museum": "twelve mistakes: symptom, cause and cure, each provoked by a cell",
    "docs/accessibility": "alt text, colours, keys, pages",
    "docs/teaching": "for a teacher: minutes, talking points, common mistakes",
    "docs/class": "a class on one server",
    "docs/gallery": "one figure per chapter",
}


def figures_of_chapters(readme: str) -> dict[str, tuple[str, str, str]]:
    """What README's table shows of each chapter.

    Args:
        readme: the text of README.md.

    Returns:
        Name of a notebook -> the file of its figure in docs/images, the figure's alt text, and what a learner does.
    """
    rows = _ROW.findall(readme)
    return {notebook: (image, alt, re.sub(r"\[(.+?)\]\(.+?\)", r"\1", said)) for image, alt, notebook, said in rows}


def gallery_page(contents: list[Chapter], readme: str) -> str:
    """One figure per chapter, for a reader who wants to see what the course is like.

    Args:
        contents: the notebooks of the course, in reading order.
        readme: the text of README.md, from which figures, alt texts and sentences come.

    Returns:
        Markdown for docs/gallery.md.
    """
    lines = ["# Gallery", "", "One figure per chapter. Made by `python docs/gallery.py`; do not edit it here.", ""]
    shown = figures_of_chapters(readme)
    for chapter in contents:
        if chapter["notebook"] in shown:
            image, alt, said = shown[chapter["notebook"]]
            name = f"{chapter['notebook'][:2]} · {chapter.get('title', '')}"
            lines += [f"## {name}", "", f"![{alt}](images/{image})", "", said[:1].upper() + said[1:], ""]
            lines += [f"[Open the notebook](../notebooks/{chapter['notebook']}): {_times(chapter)}.", ""]
    return "\n".join(lines).rstrip() + "\n"


def index_page(root: Path, pages: set[str], repository: str = "") -> str:
    """The first page: what the course is, its chapters with their figures, and everything else.

    Args:
        root: the folder of the repository, with course.toml and README.md.
        pages: the site's pages, as paths from the root with their suffix.
        repository: the address of the repository; empty where it has none.

    Returns:
        MyST Markdown.
    """
    readme = (root / "README.md").read_text(encoding="utf-8")
    title, _, opening = readme.partition("\n")
    lines = [title, "", opening.strip().split("\n\n")[0], ""]
    hero = _HERO.search(readme)
    if hero:
        lines += [f"![{hero[1]}]({hero[2]})", ""]
    lines += ["## Chapters", "", "::::{grid} 1 2 2 2", ":gutter: 3", ""]
    shown = figures_of_chapters(readme)
    contents = [chapter for chapter in read_contents(root / "course.toml") if _page(chapter) in pages]
    labs = [chapter for chapter in contents if "_lab_" in chapter["notebook"]]
    for chapter in contents:
        if chapter not in labs:
            lines += _card(chapter, *shown.get(chapter["notebook"], ("", "", "")))
    lines += ["::::", "", "## Everything else", ""]
    lines += [f"- {{doc}}`notebooks/{Path(lab['notebook']).stem}`: {_times(lab)}." for lab in labs]
    sections = {caption: [page for page in said if _exists(page, pages)] for caption, said in _SECTIONS.items()}
    for said in sections.values():
        lines += [f"- {{doc}}`{page}`: {_SAID[page]}." for page in said]
    where = f"The source is at <{repository}>." if repository else "The source is in the folder of the course."
    lines += ["", "## Run it yourself", "", f"{where} In it, `make lab` installs the course and opens its first"]
    lines += ["chapter; every figure that is interactive in the notebook then reacts.", ""]
    notebooks = [f"notebooks/{Path(chapter['notebook']).stem}" for chapter in contents]
    for caption, said in {"Chapters": notebooks, **sections}.items():
        lines.append(toctree(said, caption))
    return "\n".join(lines)


def toctree(pages: list[str], caption: str = "") -> str:
    """A place in the navigation, for pages named without suffix; README is the page that lists the others."""
    head = ["", "```{toctree}", ":hidden:", *([f":caption: {caption}"] if caption else []), ""]
    listed = [page for page in pages if page != "README"]
    return "\n".join([*head, *listed, "```", ""]) if listed else ""


def _page(chapter: Chapter) -> str:
    return f"notebooks/{chapter['notebook']}"


def _exists(page: str, pages: set[str]) -> bool:
    return any(f"{page}{suffix}" in pages for suffix in (".md", ".ipynb"))


def _card(chapter: Chapter, image: str, alt: str, said: str) -> list[str]:
    """The card of a chapter: its figure, its title with a link, a sentence, and the minutes."""
    stem = Path(chapter["notebook"]).stem
    lines = [f":::{{grid-item-card}} {stem[:2]} · {chapter.get('title', stem)}", f":link: notebooks/{stem}"]
    lines += [":link-type: doc"]
    if image:
        lines += [f":img-top: docs/images/{image}", f":img-alt: {alt}"]
    return [*lines, "", said[:1].upper() + said[1:], "", f"*{_times(chapter)}*", ":::", ""]


def _times(chapter: Chapter) -> str:
    times = f"{chapter['minutes']} minutes" if "minutes" in chapter else ""
    return times + (f"; the computer needs {chapter['computing']}" if "computing" in chapter else "")


def timings_page(runs: list[tuple[Chapter, Any, dict[str, Any]]]) -> str:
    """How long each notebook ran, from the metadata that papermill left in it.

    Args:
        runs: per notebook its row of course.toml, the executed notebook, and who ran it (``provenance``, and ``fast``).

    Returns:
        Markdown.
    """
    rows, machines = [], []
    for chapter, notebook, about in runs:
        made = notebook.metadata.get("papermill", {})
        slowest = max(
            (cell["metadata"].get("papermill", {}).get("duration") or 0.0 for cell in notebook.cells), default=0.0
        )
        name = _machine(about)
        if name not in machines:
            machines.append(name)
        rows.append(
            (
                f"[{chapter['notebook'][:2]} · {chapter.get('title', '')}](../notebooks/{chapter['notebook']})",
                str(chapter.get("minutes", "")),
                f"{made['duration']:.0f}" if made.get("duration") else "unknown",
                f"{slowest:.0f}" if slowest else "unknown",
                "smallest" if about.get("fast") else "full",
                _day(made.get("start_time")),
                str(machines.index(name) + 1),
            )
        )
    head = ("notebook", "learner, minutes", "run, seconds", "slowest cell, seconds", "size", "date", "machine")
    lines = [
        "# Timings",
        "",
        "How long each notebook of this site ran. The minutes for a learner include the exercises.",
    ]
    lines += ["Each time is of one run; a machine that is busy with other work is slower.", "", table(head, rows), ""]
    lines += ["## Machines", ""] + [f"{number}. {name}" for number, name in enumerate(machines, start=1)]
    return "\n".join(lines) + "\n"


def _day(time: str | None) -> str:
    """A day that no line break divides."""
    return datetime.fromisoformat(time).strftime("%d&nbsp;%b&nbsp;%Y") if time else "unknown"


def _machine(about: dict[str, Any]) -> str:
    if not about:
        return "not recorded."
    cores = f", {about['cores']} cores" if about.get("cores") else ""
    versions = ", ".join(f"{name} {about[name]}" for name in ("python", "torch") if about.get(name))
    return f"{about.get('machine', 'unknown')}, {about.get('system', 'unknown')}{cores}; {versions}."


def models_page(cards: list[Path]) -> str:
    """The list of model cards.

    Args:
        cards: the files of the cards; the third paragraph of each says what the model is.

    Returns:
        MyST Markdown.
    """
    lines = ["# Models", "", "Every model of the course. A card lists paper, options, recipes and results.", ""]
    for card in cards:
        paragraphs = card.read_text(encoding="utf-8").split("\n\n")
        said = " ".join(paragraphs[2].split()) if len(paragraphs) > 2 else ""
        lines.append(f"- [`{card.stem}`]({card.name}): {said}")
    return "\n".join([*lines, toctree([card.stem for card in cards])])


def code_page(file: Path, name: str) -> str:
    """A source file as a page that no navigation lists.

    Args:
        file: the file.
        name: its path from the root of the repository.

    Returns:
        MyST Markdown.
    """
    language = {".py": "python", ".toml": "toml", ".md": "markdown"}.get(file.suffix, "text")
    text = file.read_text(encoding="utf-8").rstrip("\n")
    head = f"---\norphan: true\n---\n\n# {file.name}\n\nThe file `{name}` of the repository."
    return f"{head}\n\n``````{language}\n{text}\n``````\n"
