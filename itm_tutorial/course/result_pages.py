"""The results pages in docs/results: one per chapter with claims, made from the kept results.

python -m itm_tutorial.course.result_pages build
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from itm_tutorial.chapters import experiment
from itm_tutorial.chapters.page import ROW, Column, Page, Table
from itm_tutorial.course import photographs
from itm_tutorial.course.markdown import mean_and_deviation, table
from itm_tutorial.course.reality_check import page as reality
from itm_tutorial.errors import ItmError, unknown

ROOT = Path(__file__).parents[2]
FOLDER, README = ROOT / "docs" / "results", ROOT / "README.md"
CHAPTERS = Path(experiment.__file__).parent
COMMAND = "python -m itm_tutorial.course.result_pages build"
MADE = f"Made by `{COMMAND}`; do not edit it here."
USUAL_SEEDS = 3  # of ``itm claims`` without --seeds
VERDICTS = ("holds", "does not hold", "too close to say")
START, END = "<!-- headlines: made by itm_tutorial.course.result_pages -->", "<!-- end of headlines -->"
OWN = re.compile(
    r"ch\d\d\.md|README\.md|photographs\.md|reality_check\.md"
)  # files of the folder that this module makes
WHAT = """Everything that the course claims, with the numbers behind it. Failures are listed like successes. The numbers
of every seed are in `results.json` in the folder of each chapter, `itm_tutorial/chapters/chNN_name/`."""
HOW_TO_READ = """## How to read a page

- A value is the mean ± the standard deviation over the seeds. Each seed has its own images, its own text and its own
  initial weights. Values are on the test split unless the page says otherwise.
- R@K and accuracies are in percent. rsum is the sum of R@1, R@5 and R@10 in both directions: 600 at most.
- An effect is a difference that is measured once per seed. A positive mean speaks for the claim.
- The rule for verdicts was fixed before the runs. A claim *holds* if the mean exceeds twice its standard error. It
  *does not hold* if the mean lies as far below zero. Otherwise it is *too close to say*.
- A minimal pair is two images that differ in exactly one thing. Guessing gives 50 %.
- The ceiling is what an oracle reaches that reads the true scene. Captions leave things out, so even the oracle cannot
  reach 100 %.
- Three or five seeds show large effects and leave small ones open. *Too close to say* means just that."""
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

Kept = Callable[[str], dict[str, Any]]  # name of a claim -> its figures, effects and provenance


def load_pages() -> dict[str, Page]:
    """The pages that the chapters declare, with the claims that are kept: "ch00" -> page, in the order of chapters."""
    files = sorted(CHAPTERS.glob("ch*/page.py"))
    declared = {f.parent.name[:4]: import_module(f"itm_tutorial.chapters.{f.parent.name}.page").PAGE for f in files}
    pages = {number: kept_part(page) for number, page in declared.items()}
    return {number: page for number, page in pages.items() if page.claims}


def kept_part(page: Page, was_run: Callable[[str], bool] = experiment.was_run) -> Page:
    """A page without the claims and tables that nobody has run yet; a chapter of a family keeps its claims one by one.

    Args:
        page: as its chapter declares it.
        was_run: whether results of a claim are kept.

    Returns:
        The page, whole where all its claims are kept.
    """
    claims = tuple(claim for claim in page.claims if was_run(claim))
    return replace(page, claims=claims, tables=tuple(shown for shown in page.tables if was_run(shown.claim)))


def page_text(page: Page, kept: Kept = experiment.results) -> str:
    """The page of one chapter in Markdown.

    Args:
        page: as its chapter declares it.
        kept: gives the results of a claim, as ``itm.claims.results`` does.

    Returns:
        The text of docs/results/chNN.md.

    Raises:
        ItmError: a table, column, row or placeholder names results that are not kept, or a sentence assumes another
            verdict than the kept one.
    """
    parts = [f"# {page.title}", MADE]
    parts += [fill(text, page, kept) for text in page.paragraphs]
    for shown in page.tables:
        parts += [f"## {shown.title}", *([fill(shown.text, page, kept)] if shown.text else [])]
        parts.append(results_table(shown, kept))
        parts += [fill(shown.after, page, kept)] if shown.after else []
    parts += ["## Verdicts", "[How a verdict is made](README.md)."]
    for claim in page.claims:
        parts += [_provenance(claim, kept(claim)), _verdicts(kept(claim)["effects"])]
    if page.notes:
        parts += ["## Notes", "These numbers are written by hand: no claim measures them again."]
        parts.append("\n".join(f"- {fill(note, page, kept)}" for note in page.notes))
    return "\n\n".join(parts) + "\n"


def results_table(shown: Table, kept: Kept = experiment.results) -> str:
    """One table of a page: mean ± standard deviation over seeds, empty where a run has no such value.

    Raises:
        ItmError: a row or a column without any value, which is a misspelt name.
    """
    figures = kept(shown.claim)["figures"]
    seeds = len({row["seed"] for row in figures})
    cells = {name: [_cell(figures, column, name, seeds) for column in shown.columns] for name in shown.rows}
    for name, row in cells.items():
        if not any(row):
            raise ItmError(f"table {shown.title!r}: row {name!r} has no value in the results of {shown.claim}")
    for place, column in enumerate(shown.columns):
        if not any(row[place] for row in cells.values()):
            raise ItmError(
                f"table {shown.title!r}: column {column.header!r} ({column.path}) has no value in {shown.claim}"
            )
    head = [shown.head, *(column.header for column in shown.columns)]
    return table(head, [[label, *cells[name]] for name, label in shown.rows.items()])


def _cell(figures: list[dict[str, Any]], column: Column, name: str, seeds: int) -> str:
    run = column.run.replace(ROW, name)
    rows = [r for r in figures if r.get("model") == run and all(r.get(k) == v for k, v in column.where.items())]
    values = values_at(rows, column.path.replace(ROW, name))
    if not values:
        return ""
    best = values_at(rows, column.best) if column.best else []
    beside = f" ({sum(best) / len(best):.1f})" if best else ""
    fewer = f", {len(values)} of {seeds} seeds" if len(values) != seeds else ""
    return mean_and_deviation(values, column.decimals) + beside + fewer


def values_at(rows: list[dict[str, Any]], path: str) -> list[float]:
    """The numbers at a path such as "minimal_pairs/binding", one per row that has it."""
    found = []
    for row in rows:
        value: Any = row
        for key in path.split("/"):
            value = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            found.append(float(value))
    return found


def shown_runs(page: Page) -> dict[str, set[str]]:
    """For each claim of a page, the names of the runs that its tables read."""
    found: dict[str, set[str]] = {claim: set() for claim in page.claims}
    for shown in page.tables:
        names = {column.run.replace(ROW, row) for column in shown.columns for row in shown.rows}
        found.setdefault(shown.claim, set()).update(names)
    return found


def fill(text: str, page: Page, kept: Kept = experiment.results) -> str:
    """Puts kept numbers in the place of a text's placeholders, and its words on one line.

    Args:
        text: with placeholders; ``chapters.page`` lists their forms.
        page: whose claims have the effects.
        kept: gives the results of a claim.

    Raises:
        ItmError: an unknown effect, claim, run or path, an unknown form, or a verdict that is not the kept one.
    """
    return _PLACEHOLDER.sub(lambda match: _filled(match[1], page, kept), " ".join(text.split()))


def _filled(placeholder: str, page: Page, kept: Kept) -> str:
    form, _, name = (part.strip() for part in placeholder.partition(":"))
    if form == "value":
        return _value(name, kept)
    if form not in ("effect", *VERDICTS):
        raise ItmError(f"placeholder {{{placeholder}}}: begin with effect, value, {', '.join(VERDICTS)}, then a colon")
    effects = {effect["name"]: effect for claim in page.claims for effect in kept(claim)["effects"]}
    if name not in effects:
        raise unknown(f"effect of {' and '.join(page.claims)}", name, effects)
    found = effects[name]
    if form in VERDICTS and found["verdict"] != form:
        raise ItmError(
            f"{page.title}: a sentence says {form!r} of {name!r}, the kept verdict is {found['verdict']!r}: rewrite it"
        )
    return f"{found['mean']:+.1f}, standard error {found['standard_error']:.1f}"


def _value(name: str, kept: Kept) -> str:
    claim, run, path = ([part.strip() for part in name.split(" / ")] + ["", ""])[:3]
    figures = kept(claim)["figures"]
    rows = [row for row in figures if row.get("model") == run]
    if not rows:
        raise unknown(f"run of {claim}", run, {str(row.get("model")) for row in figures})
    values = values_at(rows, path)
    if not values:
        raise ItmError(f"placeholder {{value: {name}}}: {run!r} of {claim} has no number at {path!r}")
    return mean_and_deviation(values)


def _verdicts(effects: list[dict[str, Any]]) -> str:
    rows = []
    for effect in effects:
        values = effect.get("values") or [effect["mean"]]
        spread = f"{min(values):+.1f} to {max(values):+.1f}"
        rows.append(
            [effect["name"], f"{effect['mean']:+.1f}", f"{effect['standard_error']:.1f}", spread, effect["verdict"]]
        )
    return table(["claim", "mean", "standard error", "lowest to highest seed", "verdict"], rows)


def _provenance(claim: str, results: dict[str, Any]) -> str:
    """Who measured: the command, the seeds, the date, the machine and the versions."""
    about = dict(results["provenance"])
    seeds = sorted({row["seed"] for row in results["figures"]})
    many = f"{len(seeds)} seeds ({', '.join(map(str, seeds))})" if len(seeds) > 1 else f"seed {seeds[0]}"
    date = about.pop("date", "an unknown date")
    cores = about.pop("cores", None)
    machine = [str(about.pop(key)) for key in ("machine", "system") if about.get(key)]
    machine += [f"{cores} cores"] if cores else []
    versions = [f"{key} {value}" for key, value in about.items() if isinstance(value, str | int | float)]
    command = f"itm claims {claim}" + (f" --seeds {len(seeds)}" if len(seeds) != USUAL_SEEDS else "")
    return f"`{command}`: {many}, {date}, {', '.join(machine)}; {', '.join(versions)}."


def index_text(pages: Mapping[str, Page], kept: Kept = experiment.results) -> str:
    """The text of docs/results/README.md: how to read a page, and the verdicts of each page counted."""
    rows = []
    for number, page in pages.items():
        effects = [effect for claim in page.claims for effect in kept(claim)["effects"]]
        counts = [str(sum(effect["verdict"] == verdict for effect in effects)) for verdict in VERDICTS]
        commands = ", ".join(f"`itm claims {claim}`" for claim in page.claims)
        rows.append([f"[{page.title}]({number}.md)", commands, *counts])
    photos = f"[{photographs.title()}](photographs.md) has the runs on Flickr8k. [{reality.TITLE}](reality_check.md) "
    photos += "compares the models on drawn scenes, with learning rate and length of training chosen by one rule."
    counted = table(["page", "measure it again", *VERDICTS], rows)
    return "\n\n".join(["# Results", MADE, WHAT, counted, photos, HOW_TO_READ]) + "\n"


def headlines_text(pages: Mapping[str, Page], kept: Kept = experiment.results) -> str:
    """The headline results of README.md: one line each, with a link to the page behind it."""
    lines = [
        f"- {fill(line, page, kept)} [Chapter {number[2:]}](docs/results/{number}.md)."
        for number, page in pages.items()
        for line in page.headlines
    ]
    return "\n".join([START, *lines, END])


def with_headlines(readme: str, made: str) -> str:
    """README's text with its headline results replaced.

    Raises:
        ItmError: the markers are not there exactly once.
    """
    before, start, rest = readme.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end or START in after:
        raise ItmError(f"README.md: put the headline results between one {START!r} and one {END!r}")
    return before + made + after


def build_pages(
    check: bool = False, folder: Path = FOLDER, readme: Path = README, kept: Kept = experiment.results
) -> list[str]:
    """Writes every results page and README's headline results, or only says which differ.

    Args:
        check: compare, and write nothing.
        folder: of the pages; files that this module does not make are left alone.
        readme: the file whose headline results are kept up to date.
        kept: gives the results of a claim.

    Returns:
        Names of files that differ from what the kept results give, are missing, or belong to no chapter; after
        writing always empty.

    Raises:
        ItmError: as ``page_text`` and ``with_headlines``.
    """
    pages = load_pages()
    wanted = {f"{number}.md": page_text(page, kept) for number, page in pages.items()}
    wanted |= {"README.md": index_text(pages, kept), "photographs.md": photographs.page_text(MADE)}
    wanted["reality_check.md"] = reality.page_text(MADE, reality.FILE)
    there = {f.name: f.read_text(encoding="utf-8") for f in sorted(folder.glob("*.md")) if OWN.fullmatch(f.name)}
    top = readme.read_text(encoding="utf-8")
    new_top = with_headlines(top, headlines_text(pages, kept))
    if check:
        drifted = [name for name in sorted({*wanted, *there}) if wanted.get(name) != there.get(name)]
        return [f"{folder.name}/{name}" for name in drifted] + ([readme.name] if new_top != top else [])
    folder.mkdir(parents=True, exist_ok=True)
    for name in there:
        if name not in wanted:
            (folder / name).unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")
    readme.write_text(new_top, encoding="utf-8")
    return []


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="make the results pages, or check that they are up to date")
    parser.add_argument("action", choices=("build", "check"))
    differing = build_pages(check=parser.parse_args().action == "check")
    print("\n".join(f"{name} differs: run {COMMAND}" for name in differing) or "the results pages are up to date")
    sys.exit(bool(differing))
