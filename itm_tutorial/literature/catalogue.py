"""The papers of the survey, and the other papers that the course cites."""

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
    """A paper, with each field as in its file.

    Attributes:
        key: the key for citations: first author, year, name.
        section: the section of the survey that lists it.
        method: the survey's name for the method; empty if the survey gives none.
        name: the course's name for the method.
        venue, year: where and when it appeared.
        chapter: the chapter of the course that treats it, two digits; empty if none does.
        title, authors: authors separated by commas.
        paper, code, demo, slides: addresses; empty if there is none.
        remark: the survey's misprints about it, with corrections.
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
    """A conference, journal or preprint server.

    Attributes:
        short: its name in a citation.
        kind: one of ``KINDS``.
        full: its name in a bibliography.
    """

    short: str
    kind: str
    full: str


def read_venues(file: Path = FOLDER / "venues.csv") -> dict[str, Venue]:
    """Reads the venues, by the abbreviations in the tables of papers.

    Raises:
        ItmError: a kind is unknown, an abbreviation occurs twice, or as for ``read_table``.
    """
    found: dict[str, Venue] = {}
    for line, cells in read_table(file, ("venue", "short", "kind", "full")):
        if cells["kind"] not in KINDS:
            raise ItmError(f"{file} line {line}: {unknown('kind', cells['kind'], KINDS)}")
        if cells["venue"] in found:
            raise ItmError(f"{file} line {line}: {cells['venue']!r} occurs twice; keep one")
        found[cells["venue"]] = Venue(cells["short"], cells["kind"], cells["full"])
    return found


def read_papers(file: Path) -> list[Paper]:
    """Reads a table of papers.

    Args:
        file: with the columns ``COLUMNS``.

    Returns:
        The papers in the file's order.

    Raises:
        ItmError: a key occurs twice or is malformed, a year, title, author or link is missing or malformed, or as for
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
    """The error in a row of papers, or an empty string."""
    key, year = cells["key"], cells["year"]
    if not re.fullmatch(r"[a-z]+\d{4}[a-z0-9]+", key):
        return f"the key is {key!r}; write first author, year and name in small letters, such as faghri2018vsepp"
    if key in before:
        return f"the key {key} occurs twice; give each paper its own"
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
    """Reads the corrections of the survey's misprints about papers.

    Args:
        file: with the columns key, field, printed, right, why.
        papers: the papers to correct.

    Returns:
        Key -> its corrections, each with field, printed, right and why.

    Raises:
        ItmError: a key or field is unknown, or the field does not contain the misprint exactly once.
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
            raise ItmError(f"{where}: {cells['printed']!r} must occur once in {cells['field']} of {cells['key']}")
        found.setdefault(cells["key"], []).append(cells)
    return found


venues = cache(read_venues)


@cache
def survey() -> tuple[Paper, ...]:
    """The survey's papers as printed, with misprints noted in ``remark``."""
    found = read_papers(FOLDER / "papers.csv")
    misprints = read_corrections(FOLDER / "paper_corrections.csv", found)
    return tuple(replace(p, remark="; ".join(map(_remark, misprints.get(p.key, ())))) for p in found)


def _remark(misprint: dict[str, str]) -> str:
    return f"{misprint['field']}: {misprint['right']!r} is meant ({misprint['why']})"


@cache
def everything() -> dict[str, Paper]:
    """Every paper by its key, with misprints corrected: the survey's papers, then the others that the course cites.

    Raises:
        ItmError: a key is in both files, or a venue is not in venues.csv.
    """
    printed = read_papers(FOLDER / "papers.csv")
    misprints = read_corrections(FOLDER / "paper_corrections.csv", printed)
    found = {}
    for paper in (*survey(), *read_papers(FOLDER / "cited.csv")):
        if paper.key in found:
            raise ItmError(f"{FOLDER / 'cited.csv'}: {paper.key} is in papers.csv too; remove it here")
        for misprint in misprints.get(paper.key, ()):
            field = misprint["field"]
            paper = replace(paper, **{field: getattr(paper, field).replace(misprint["printed"], misprint["right"])})
        if paper.venue not in venues():
            raise ItmError(f"{FOLDER / 'venues.csv'}: {paper.venue!r}, the venue of {paper.key}, is missing; add it")
        found[paper.key] = paper
    return found


def papers(beyond: bool = False):
    """The papers as a pandas DataFrame, one row per paper, as the survey prints them.

    Args:
        beyond: whether to append the papers that the course cites besides the survey's 78.

    Returns:
        Columns key, section, method, name, venue, year (int), chapter, title, authors, paper, code, demo, slides,
        remark; strings, empty where there is nothing. ``remark`` lists misprints; ``bibtex`` and ``cite`` correct them.

    Raises:
        ItmError: a file is damaged; the message names the line.
    """
    import pandas as pd

    rows = list(survey()) + (read_papers(FOLDER / "cited.csv") if beyond else [])
    return pd.DataFrame([vars(paper) for paper in rows])


def key_of_method() -> dict[str, str]:
    """Maps the methods in the tables of results to the keys of their papers, where the survey has the paper.

    Raises:
        ItmError: names.csv has an unknown key, or a method twice.
    """
    keys = {paper.name: paper.key for paper in survey()}
    file = FOLDER / "names.csv"
    known = {paper.key for paper in survey()}
    for line, cells in read_table(file, ("method", "key", "why")):
        if cells["key"] not in known:
            raise ItmError(f"{file} line {line}: {unknown('key', cells['key'], known)}")
        if cells["method"] in keys:
            raise ItmError(f"{file} line {line}: the method {cells['method']!r} has a key already; remove the line")
        keys[cells["method"]] = cells["key"]
    return keys
