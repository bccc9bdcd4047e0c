"""Tries the faults that happen to files and processes, and writes docs/faults.md: python tests/faults/run.py

Each section is a module beside this one, named in ``SECTIONS``. It has ``TITLE``, ``add_arguments(parser)`` for options
of its own, ``run(**options)`` that returns plain data, ``passed(found)``, and ``section(found)`` that returns Markdown.
What a section found is kept in ``results/NAME.json``; the page is made from these files, so that one section can be run
alone.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import sys
import tempfile
from datetime import date
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent
RESULTS, PAGE = HERE / "results", HERE.parents[1] / "docs" / "faults.md"
SECTIONS = ("fuzz", "kills", "full_disk", "processes")  # modules beside this one, in the order of the page
MADE = "Made by `python tests/faults/run.py`; do not edit it here. Every number is of a run."


def main(arguments: list[str] | None = None) -> int:
    """Runs the sections that are asked for -> 0, or 1 where one did not pass."""
    parser = argparse.ArgumentParser(description="try the faults that happen to files and processes")
    parser.add_argument("--only", choices=SECTIONS, help="one section; by default all")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for what was found")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page to write")
    parser.add_argument("--no-page", action="store_true", help="print what was found, and keep nothing")
    sections = {name: import_module(name) for name in SECTIONS}
    for module in sections.values():
        module.add_arguments(parser)
    options = parser.parse_args(arguments)
    sound = True
    for name, module in sections.items():
        if options.only not in (None, name):
            continue
        found = module.run(**vars(options))
        sound = sound and module.passed(found)
        if not options.no_page:
            _keep(options.results / f"{name}.json", found)
    if not options.no_page:
        options.page.write_text(page(sections, options.results), encoding="utf-8")
    return 0 if sound else 1


def _keep(file: Path, found: dict) -> None:
    """Keeps what a section found; a run over some of its parts leaves the others as they are."""
    about = {"date": date.today().isoformat(), "python": platform.python_version(), "system": platform.system()}
    kept = json.loads(file.read_text(encoding="utf-8"))["found"] if file.exists() else {}
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"about": about, "found": {**kept, **found}}, indent=1)
    text = re.sub(re.escape(tempfile.gettempdir()) + r"/fuzz-\w+/(case|template)", "FOLDER", text)  # of this run alone
    file.write_text(text + "\n", encoding="utf-8")


def page(sections: dict, results: Path = RESULTS) -> str:
    """The text of docs/faults.md from what was kept."""
    parts = ["# Faults tried, and what happened", MADE]
    for name, module in sections.items():
        file = results / f"{name}.json"
        if file.exists():
            kept = json.loads(file.read_text(encoding="utf-8"))
            about = kept["about"]
            when = f"Run on {about['date']} with Python {about['python']} on {about['system']}."
            parts += [f"## {module.TITLE}", when, module.section(kept["found"])]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.exit(main())
