"""The papers: those of the survey, and those that the course cites beyond it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from itm_tutorial.errors import ItmError, unknown
from itm_tutorial.literature.tables import FOLDER, read_table

LINKS = ("paper", "code", "demo", "slides")
COLUMNS = ("key", "section", "method", "name", "venue", "year", "chapter", "title", "authors", *LINKS)
YEARS = range(1950, 2100)
KINDS = ("conference", "journal", "preprint")


@dataclass(frozen=True)
class Paper:
    """A paper, each field as it stands in its file.

    Attributes:
        key: by which the course cites it: first author, year, name.
        section: where the survey lists it.
        method: the survey's name for it; empty for the papers that the survey lists without one.
        name: the course's name for it.
        venue, year: where and when it appeared.
        chapter: of the course, two digits; empty where none treats it.
        title, authors: authors between commas.
        paper, code, demo, slides: addresses, empty where there is none.
        remark: what the survey misprints, and how it should read.
    """

    key: str
    section: str
    method: str
    name: str
    venue: str
    year: int
    chapter: str
    title: str
    authors: str
    paper: str
    code: str
    demo: str
    slides: str
    remark: str = ""


@dataclass(frozen=True)
class Venue:
    """Where papers appear.

    Attributes:
        short: as a citation names it.
        kind: one of ``KINDS``.
        full: as a bibliography names it.
    """

    short: str
    kind: str
    full: str


def read_venues(file: Path = FOLDER / "venues.csv") -> dict[str, Venue]:
    """The venues, by the abbreviation that the tables of papers use.

    Raises:
        ItmError: an unknown kind, an abbreviation twice, or as for ``read_table``.
    """
    found: dict[str, Venue] = {}
    for line, cells in read_table(file, ("venue", "short", "kind", "full")):
        if cells["kind"] not in KINDS:
            raise ItmError(f"{file} line {line}: {unknown('kind', cells['kind'], KINDS)}")
        if cells["venue"] in found:
            raise ItmError(f"{file} line {line}: {cells['venue']!r} stands there twice; keep one")
        found[cells["venue"]] = Venue(cells["short"], cells["kind"], cells["full"])
    return found


def read_papers(file: Path) -> list[Paper]:
    """Reads a table of papers.

    Args:
        file: with the columns ``COLUMNS``.

    Returns:
        The papers in the file's order.

    Raises:
        ItmError: a key twice or malformed, no year, no title or author, a link that is none, or as for
            ``read_table``.
    """
    found: dict[str, Paper] = {}
    for line, cells in read_table(file, COLUMNS):
        fault = _fault(cells, found)
        if fault:
            raise ItmError(f"{file} line {line}: {fault}")
        found[cells["key"]] = Paper(**{**cells, "year": int(cells["year"])})
    return list(found.values())


def _fault(cells: dict[str, str], before: dict[str, Paper]) -> str:
    """What is wrong with a row of papers, or an empty string."""
    key, year = cells["key"], cells["year"]
    if not re.fullmatch(r"[a-z]+\d{4}[a-z0-9]+", key):
        return f"the key is {key!r}; write first author, year and name in small letters, such as faghri2018vsepp"
    if key in before:
        return f"the key {key} stands there twice; give each paper its own"
    if not (year.isascii() and year.isdigit() and int(year) in YEARS):
        return f"the year of {key} is {year!r}; write four digits"
    if re.search(r"\d{4}", key)[0] != year:
        return f"the key {key} names another year than {year}; make them agree"
    for column in ("name", "venue", "title", "authors", "section"):
        if not cells[column].strip():
            return f"{key} has no {column}; write it in"
    for column in LINKS:
        if cells[column] and not re.fullmatch(r"https?://\S+", cells[column]):
            return f"{column} of {key} is {cells[column]!r}; write an address that begins with http, or nothing"
    return ""


def read_corrections(file: Path, papers: list[Paper]) -> dict[str, list[dict[str, str]]]:
    """What the survey misprints about its papers.

    Args:
        file: with the columns key, field, printed, right, why.
        papers: what is corrected.

    Returns:
        Key -> its corrections, each with field, printed, right and why.

    Raises:
        ItmError: an unknown key or field, or a misprint that does not stand there once.
    """
    by_key, found = {paper.key: paper for paper in papers}, {}
    for line, cells in read_table(file, ("key", "field", "printed", "right", "why")):
        where = f"{file} line {line}"
        if cells["key"] not in by_key:
            raise ItmError(f"{where}: {unknown('key', cells['key'], by_key)}")
        fields = ("venue", "title", "authors", *LINKS)
        if cells["field"] not in fields:
            raise ItmError(f"{where}: {unknown('field', cells['field'], fields)}")
        if getattr(by_key[cells["key"]], cells["field"]).count(cells["printed"]) != 1:
            raise ItmError(f"{where}: {cells['printed']!r} must stand once in {cells['field']} of {cells['key']}")
        found.setdefault(cells["key"], []).append(cells)
    return found


venues = cache(read_venues)


@cache
def survey() -> tuple[Paper, ...]:
    """The survey's papers as it prints them, misprints noted in ``remark``."""
    found = read_papers(FOLDER / "papers.csv")
    misprints = read_corrections(FOLDER / "paper_corrections.csv", found)
    return tuple(replace(p, remark="; ".join(map(_summary, misprints.get(p.key, ())))) for p in found)


def _summary(misprint: dict[str, str]) -> str:
    return f"{misprint['field']}: {misprint['right']!r} is meant ({misprint['why']})"


@cache
def everything() -> dict[str, Paper]:
    """Every paper by its key, misprints mended: the survey's, then those cited beyond it.

    Raises:
        ItmError: a key in both files, or a venue that venues.csv does not list.
    """
    printed = read_papers(FOLDER / "papers.csv")
    misprints = read_corrections(FOLDER / "paper_corrections.csv", printed)
    found = {}
    for paper in (*survey(), *read_papers(FOLDER / "cited.csv")):
        if paper.key in found:
            raise ItmError(f"{FOLDER / 'cited.csv'}: {paper.key} stands in papers.csv too; take it out here")
        for misprint in misprints.get(paper.key, ()):
            field = misprint["field"]
            paper = replace(paper, **{field: getattr(paper, field).replace(misprint["printed"], misprint["right"])})
        if paper.venue not in venues():
            raise ItmError(f"{FOLDER / 'venues.csv'}: {paper.venue!r}, the venue of {paper.key}, is missing; add it")
        found[paper.key] = paper
    return found


def papers(beyond: bool = False):
    """The papers as a pandas DataFrame, one row a paper, as the survey prints them.

    Args:
        beyond: whether those that the course cites beyond the survey's 78 follow.

    Returns:
        Columns key, section, method, name, venue, year (int), chapter, title, authors, paper, code, demo, slides,
        remark; texts, empty where there is nothing. ``remark`` tells misprints; ``bibtex`` and ``cite`` mend them.

    Raises:
        ItmError: a damaged file, with its line.
    """
    import pandas as pd

    rows = list(survey()) + (read_papers(FOLDER / "cited.csv") if beyond else [])
    return pd.DataFrame([vars(paper) for paper in rows])


def key_of_method() -> dict[str, str]:
    """The key of the paper behind each method that the tables of figures name, as far as one fits.

    Raises:
        ItmError: names.csv names an unknown key, or a method twice.
    """
    keys = {paper.name: paper.key for paper in survey()}
    file = FOLDER / "names.csv"
    known = {paper.key for paper in survey()}
    for line, cells in read_table(file, ("method", "key", "why")):
        if cells["key"] not in known:
            raise ItmError(f"{file} line {line}: {unknown('key', cells['key'], known)}")
        if cells["method"] in keys:
            raise ItmError(f"{file} line {line}: the method {cells['method']!r} has a key already; take the line out")
        keys[cells["method"]] = cells["key"]
    return keys
