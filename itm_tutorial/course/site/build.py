"""Makes the site: python -m itm_tutorial.course.site.build (or ``make site``).

The pages lie in folders named as in the repository, so that its links work on the site as well. Notebooks come from
``itm course`` where it has run them as they are now; the others are run here at their smallest size.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from itm_tutorial.chapters.verdict import provenance
from itm_tutorial.course.files import Chapter, read_cells, read_contents, read_repository
from itm_tutorial.course.running import NOTEBOOKS, PROVENANCE, ROOT, execute
from itm_tutorial.course.site.check import check_site
from itm_tutorial.course.site.links import CODE, Links
from itm_tutorial.course.site.notebooks import page_of
from itm_tutorial.course.site.pages import code_page, index_page, models_page, timings_page, toctree
from itm_tutorial.errors import ItmError
from itm_tutorial.progress import say
from itm_tutorial.storage import read_json, write_json, write_text

DOCS, MUSEUM = ROOT / "docs", ROOT / "docs" / "museum.py"
CONFIGURATION = DOCS / "site"
SMALL = "*Executed at the smallest size, as a quick check: the figures show that the code runs, and little more.*"
Run = tuple[Chapter, Any, dict[str, Any]]


def build_site(course: Path = Path("build/course"), out: Path = Path("build/site")) -> list[str]:
    """Makes the site, and checks its pages.

    Args:
        course: where ``itm course`` left executed notebooks.
        out: a folder for the site: ``html`` is what a server serves, and the rest can be made again.

    Returns:
        One line per fault that was found; empty where there is none.

    Raises:
        ItmError: Sphinx is missing, course.toml is broken, or a notebook of the site fails.
    """
    try:
        import myst_nb  # noqa: F401
    except ImportError as error:
        raise ItmError("Sphinx and MyST-NB are not installed: pip install -e '.[lab,site]'") from error
    start = time.perf_counter()
    runs = executed(course, out / "executed")
    exhibits = museum(out / "executed")
    say(f"notebooks are executed ({time.perf_counter() - start:.0f} s)")
    return make(runs, exhibits, out)


def make(runs: list[Run], exhibits: Any, out: Path) -> list[str]:
    """Makes the pages of executed notebooks and of docs, and checks them.

    Args:
        runs: the executed notebooks.
        exhibits: the executed error museum, or None.
        out: the folder for the site.

    Returns:
        One line per fault that was found; empty where there is none.
    """
    start = time.perf_counter()
    for old in (out / "source", out / "html"):
        shutil.rmtree(old, ignore_errors=True)
    stage(runs, exhibits, out / "source")
    faults = [] if sphinx(out / "source", out / "html") else ["Sphinx found faults: its warnings are above"]
    faults += check_site(out / "html")
    say(f"{out / 'html' / 'index.html'} is made ({time.perf_counter() - start:.0f} s)")
    return faults


def sphinx(source: Path, html: Path) -> bool:
    """Runs Sphinx, for which every warning is an error; whether it found none."""
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-E"]
    command += ["-d", str(html.parent / "doctrees"), "-c", str(CONFIGURATION)]
    if (source / "extra").exists():  # figures, beside the pages
        command += ["-D", f"html_extra_path={(source / 'extra').resolve()}"]
    return subprocess.run([*command, str(source), str(html)], check=False).returncode == 0


def executed(course: Path, own: Path) -> list[Run]:
    """The executed notebooks of all chapters and labs.

    A notebook that ``itm course`` ran as it is now is taken from there. Another one is run at the smallest size, and
    kept in ``own`` until its source changes.

    Raises:
        ItmError: a notebook fails.
    """
    import nbformat

    runs = []
    for chapter in read_contents(ROOT / "course.toml"):
        name = chapter["notebook"]
        folder = course if _is_current(course / name, NOTEBOOKS / name) else own
        if folder == own and not _is_current(own / name, NOTEBOOKS / name):
            _run_small(NOTEBOOKS / name, own / name)
        about = read_json(folder / PROVENANCE, dict) if (folder / PROVENANCE).exists() else {}
        runs.append((chapter, nbformat.read(folder / name, as_version=4), about))
    return runs


def museum(own: Path) -> Any:
    """The executed error museum, from ``docs/museum.py``; None where this file is missing.

    Raises:
        ItmError: a cell of it fails.
    """
    import jupytext
    import nbformat

    if not MUSEUM.exists():
        return None
    plain = own / "source" / "museum.ipynb"
    plain.parent.mkdir(parents=True, exist_ok=True)
    notebook = jupytext.read(MUSEUM)
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:03d}"
    nbformat.write(notebook, plain)
    if not _is_current(own / "museum.ipynb", plain):
        _run_small(plain, own / "museum.ipynb")
    return nbformat.read(own / "museum.ipynb", as_version=4)


def _is_current(made: Path, notebook: Path) -> bool:
    """Whether an executed notebook ended well and has the cells that the notebook has now."""
    try:
        cells, wanted = read_cells(made), read_cells(notebook)
    except ItmError:
        return False
    ended = all("papermill-error-cell-tag" not in cell["tags"] for cell in cells)
    return ended and [cell["source"] for cell in cells] == [cell["source"] for cell in wanted]


def _run_small(notebook: Path, target: Path) -> None:
    say(f"{notebook.name} is executed at the smallest size: itm course has not run it as it is now")
    target.parent.mkdir(parents=True, exist_ok=True)
    result = execute(notebook, target, environment={"ITM_FAST": "1", "ITM_PROGRESS": "0"})
    if result != "ok":
        raise ItmError(f"{notebook.name} {result}: correct it, then make the site again")
    write_json(target.parent / PROVENANCE, {**provenance(), "fast": True})


def stage(runs: list[Run], exhibits: Any, source: Path) -> None:
    """Writes what Sphinx reads.

    Args:
        runs: the executed notebooks.
        exhibits: the executed error museum, or None.
        source: the folder to write, which must not exist.
    """
    import nbformat

    repository = read_repository(ROOT / "course.toml")
    texts = {file.relative_to(ROOT).as_posix(): file for file in sorted(DOCS.glob("*.md"))}
    for folder in ("models", "results", "teacher"):
        texts |= {file.relative_to(ROOT).as_posix(): file for file in sorted((DOCS / folder).glob("*.md"))}
    notebooks = {f"notebooks/{chapter['notebook']}": (notebook, about) for chapter, notebook, about in runs}
    if exhibits is not None:
        notebooks["docs/museum.ipynb"] = (exhibits, {})
    images = [file for file in (DOCS / "images").iterdir() if file.is_file()]
    pages = {*texts, *notebooks, "docs/models/index.md", "docs/timings.md"}
    links = Links(ROOT, pages | {f"docs/images/{file.name}" for file in images}, repository)
    extra = source / "extra"
    below = {  # page -> those below it in the navigation
        "docs/results/README.md": [Path(name).stem for name in texts if name.startswith("docs/results/")],
        "docs/teaching.md": [f"teacher/{Path(name).stem}" for name in texts if name.startswith("docs/teacher/")],
    }
    for name, file in texts.items():
        text = links.rewritten(file.read_text(encoding="utf-8"), name)
        _write(source / name, text + toctree(below.get(name, [])))
    for name, (notebook, about) in notebooks.items():
        made = page_of(notebook, name, extra, links, SMALL if about.get("fast") else "")
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(made, source / name)
    for file in images:
        _write(source / "docs" / "images" / file.name, file.read_bytes())
    _write(source / "docs" / "models" / "index.md", models_page(sorted((DOCS / "models").glob("*.md"))))
    _write(source / "docs" / "timings.md", timings_page(runs))
    for name in sorted(links.sources):
        _write(source / CODE / f"{name}.md", code_page(ROOT / name, name))
    _write(source / "index.md", index_page(ROOT, pages, repository))


def _write(file: Path, content: str | bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        write_text(file, content)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="make the site from executed notebooks, and check it")
    parser.add_argument("--course", type=Path, default=Path("build/course"), help="where itm course left notebooks")
    parser.add_argument("--out", type=Path, default=Path("build/site"), help="folder for the site")
    given = parser.parse_args()
    try:
        found = build_site(given.course, given.out)
    except ItmError as fault:
        sys.exit(str(fault))
    print("\n".join(found) or "every link, image and heading of the site is in order")
    sys.exit(bool(found))
