"""Slides of a chapter: reveal.js made by nbconvert from the learner's notebook and its executed outputs."""

from __future__ import annotations

import html
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

from itm_tutorial.course.editions import ANSWER, BOOTSTRAP, EXERCISE, has_tag
from itm_tutorial.course.sections import Cell, heading_of, split_at_headings
from itm_tutorial.errors import ItmError

WORDS_PER_SLIDE = 110  # a longer text goes on on the next slide, below the same heading
REVEAL = "https://unpkg.com/reveal.js@4.6.1"
_WIDGET = "application/vnd.jupyter.widget-view+json"
_STYLE = """<style>
.reveal { font-size: 29px; }
.reveal .slides section { text-align: left; }
.reveal h1, .reveal h2, .reveal h3 { text-transform: none; font-size: 1.5em; }
.reveal .slides img { max-height: 470px; max-width: 100%; width: auto; margin: 0; }
.reveal .slides pre { font-size: 0.65em; width: 100%; box-shadow: none; }
.reveal .slides pre, .reveal .slides pre span { white-space: pre-wrap; box-sizing: border-box; }
.reveal .slide-number { left: 8px; right: auto; }
.reveal .slides section { max-height: 700px; overflow-y: auto; }
</style>
"""
# What nbconvert loads from the web beside reveal.js is left out: with a local copy the slides need formulas at most.
_SCRIPTS = (
    (r'<script src="[^"]*(?:jquery|require)[^"]*"></script>', ""),
    (r'<script type="module">\s*import mermaid.*?</script>', ""),
    (
        r"<script>\s*require\(.*?</script>",
        """<script src="{reveal}/dist/reveal.js"></script>
<script>
Reveal.initialize({{ hash: true, slideNumber: "c/t", width: 1100, height: 720, margin: 0.04, center: false }});
</script>""",
    ),
)


def slides(notebook, reveal: str = "") -> str:
    """Makes the page of slides of an executed notebook.

    Args:
        notebook: a learner's edition with its outputs, as ``with_outputs`` or a run gives it. Each heading begins a
            slide; a figure stands on its own slide under its question, without its code.
        reveal: the address or folder of reveal.js, for a room without a network; by default nbconvert's, on the web.

    Returns:
        One HTML page with the figures inside.
    """
    import nbformat
    from nbconvert import SlidesExporter
    from traitlets.config import Config

    made = deepcopy(notebook)
    numbered = enumerate(_slide_cells(made.cells))
    made.cells = [nbformat.from_dict({**cell, "id": f"slide-{number:03d}"}) for number, cell in numbered]
    settings = Config()
    settings.SlidesExporter.exclude_input_prompt = settings.SlidesExporter.exclude_output_prompt = True
    settings.TagRemovePreprocessor.enabled = True
    settings.TagRemovePreprocessor.remove_input_tags = {"only-output"}
    prefix = html.escape(reveal or REVEAL, quote=True).rstrip("/")
    settings.SlidesExporter.reveal_url_prefix = prefix
    page, _ = SlidesExporter(config=settings).from_notebook_node(made)
    heading = heading_of(notebook.cells[0]["source"].partition("\n")[0])
    title = heading[1] if heading else "Slides"
    page = re.sub(r"<title>.*?</title>", lambda _: f"<title>{title}</title>", page, count=1, flags=re.DOTALL)
    page = page.replace("</head>", f"{_STYLE}</head>", 1)
    for pattern, text in _SCRIPTS:
        page = re.sub(pattern, lambda _, text=text: text.format(reveal=prefix), page, flags=re.DOTALL)
    return page


def with_outputs(notebook, executed: Path):
    """Gives a notebook the outputs of one that was run, cell by cell.

    Args:
        notebook: a learner's edition, which may be cut for a track.
        executed: the run notebook, such as ``build/course/00_start_here.ipynb``.

    Returns:
        The notebook, with its outputs.

    Raises:
        ItmError: the file is missing or no notebook, or lacks one of the cells, or was not run.
    """
    import nbformat

    if not executed.exists():
        raise ItmError(f"{executed} does not exist: run itm course, or leave --executed out")
    try:
        run = nbformat.read(executed, as_version=4)
    except Exception as error:  # nbformat raises the errors of its parsers
        raise ItmError(f"{executed} is no notebook ({type(error).__name__}): run itm course again") from error
    outputs = {cell["source"]: cell["outputs"] for cell in run.cells if cell["cell_type"] == "code"}
    if not any(outputs.values()):
        raise ItmError(f"{executed} holds no outputs: run itm course, and name its folder")
    for cell in notebook.cells:
        if cell["cell_type"] == "code":
            if cell["source"] not in outputs:
                first = cell["source"].partition("\n")[0]
                raise ItmError(f"{executed} has no cell {first!r}: it is of another version; run itm course again")
            cell["outputs"] = outputs[cell["source"]]
    return notebook


def _slide_cells(cells: list[Cell]) -> list[Cell]:
    """The cells of the slides, each with its place: a heading begins a slide, further text and figures go below it."""
    found: list[Cell] = []
    for cell in split_at_headings(cells, deepest=3):
        if cell["cell_type"] == "markdown":
            found += _texts(cell)
        elif cell["cell_type"] == "code" and not _is_hidden(cell):
            found.append(_code(cell))
    return found


def _texts(cell: Cell) -> list[Cell]:
    """A text as one slide or several; the header, which links to other notebooks, and the footer are left out."""
    heading = heading_of(cell["source"].partition("\n")[0])
    if cell["source"].startswith("---\n"):
        return []
    body = cell["source"].partition("\n")[2] if heading else cell["source"]
    if heading and heading[0] == 1:
        body = "\n\n".join(b for b in _blocks(body) if "../docs/" not in b)
    pages: list[list[str]] = [[]]
    for block in _blocks(body):
        together = [*pages[-1], block]
        full = sum(len(b.split()) for b in together) > WORDS_PER_SLIDE
        if pages[-1] and (full or block.startswith("**Question.**")):  # a question stands over its figure
            pages.append([])
        pages[-1].append(block)
    made = []
    for number, page in enumerate(pages):
        level = "slide" if heading and heading[0] <= 2 and number == 0 else "subslide"
        title = f"{'#' * heading[0]} {heading[1]}{' (continued)' if number else ''}" if heading else ""
        text = "\n\n".join(filter(None, [title, *page]))
        if text:
            made.append({**deepcopy(cell), "source": text, "metadata": _metadata(cell, level)})
    if made and not heading and _goes_on(made[0]["source"]):
        made[0]["metadata"] = _metadata(cell, "-")
    return made


def _blocks(text: str) -> list[str]:
    """Paragraphs; a block of code, a formula or a folded answer is one."""
    blocks: list[str] = []
    open_ = False
    for part in re.split(r"\n{2,}", text.strip("\n")):
        if open_:
            blocks[-1] += f"\n\n{part}"
        elif part:
            blocks.append(part)
        signs = part.count("```") + part.count("$$")
        tags = part.count("<details>") - part.count("</details>")
        open_ = (open_ != bool(signs % 2)) if signs else open_
        open_ = tags > 0 or (open_ and tags == 0)
    return blocks


def _goes_on(text: str) -> bool:
    """Whether a text belongs on the slide before it: a folded answer."""
    return text.startswith("<details>")


def _is_hidden(cell: Cell) -> bool:
    """Cells that a slide does without: parameters, imports alone, widgets."""
    lines = [line for line in cell["source"].splitlines() if line.strip()]
    only_imports = bool(lines) and all(re.match(r"(import|from) |[ )]", line) for line in lines)
    left_out = has_tag(cell, "parameters") or has_tag(cell, BOOTSTRAP)
    return left_out or only_imports or any(_WIDGET in o.get("data", {}) for o in cell["outputs"])


def _code(cell: Cell) -> Cell:
    """A code cell: with a figure or an answer only what it shows, else code and output on a slide of their own."""
    shows = any("text/html" in output.get("data", {}) for output in cell["outputs"])
    metadata = _metadata(cell, "-" if shows else "subslide")
    if has_tag(cell, EXERCISE):
        return {**deepcopy(cell), "outputs": [], "metadata": metadata}
    if has_tag(cell, ANSWER) or shows:
        metadata["tags"] = [*metadata.get("tags", []), "only-output"]
    return {**deepcopy(cell), "metadata": metadata}


def _metadata(cell: Cell, level: str) -> dict[str, Any]:
    return {**deepcopy(dict(cell["metadata"])), "slideshow": {"slide_type": level}}
