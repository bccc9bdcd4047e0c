"""Citations, BibTeX and the bibliography page, generated from the tables of papers."""

from __future__ import annotations

import re
import unicodedata

from itm_tutorial.errors import unknown
from itm_tutorial.literature.catalogue import LINKS, Paper, everything, venues

# LaTeX's accents by Unicode's combining marks, and letters that have no combining mark.
ACCENTS = {"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u030c": "v", "\u0327": "c"}
LETTERS = {"’": "'", "–": "--", "ø": r"{\o}", "ß": r"{\ss}", "ł": r"{\l}"}
SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
SPECIAL |= {sign: "\\" + sign for sign in "&%$#_{}"}
ENTRY = {"conference": ("inproceedings", "booktitle"), "journal": ("article", "journal"), "preprint": ("misc", "note")}
SURNAMES_OF_TWO_WORDS = ("Dahlgren Lindström",)


def cite(key: str) -> str:
    """A short citation for prose: ``cite("faghri2018vsepp")`` is "Faghri et al., BMVC 2018".

    Args:
        key: a key of ``papers(beyond=True)``.

    Returns:
        Authors, venue and year.

    Raises:
        ItmError: no paper has this key.
    """
    paper = _paper(key)
    names = [_surname(name) for name in _authors(paper)]
    authors = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
    return f"{authors}, {venues()[paper.venue].short} {paper.year}"


def bibtex(key: str | None = None) -> str:
    """Papers as BibTeX, in plain ASCII.

    Args:
        key: of one paper; by default all papers, those outside the survey last.

    Returns:
        One entry, or all entries separated by empty lines.

    Raises:
        ItmError: no paper has this key.
    """
    chosen = everything().values() if key is None else [_paper(key)]
    return "\n".join(map(_entry, chosen))


def bibliography() -> str:
    """The bibliography page in Markdown: every paper in its section, with links and key.

    Returns:
        The text of docs/bibliography.md.
    """
    parts = [
        "# Bibliography\n\nMade from `itm_tutorial/literature/` by `python docs/bibliography.py`; do not edit it here. "
        "The name in brackets is the key for `itm.literature.cite` and `itm.literature.bibtex`.\n"
    ]
    sections = dict.fromkeys(paper.section for paper in everything().values())
    for section in sections:
        parts.append(f"## {section}\n")
        parts += [_item(paper) for paper in everything().values() if paper.section == section]
        parts[-1] += "\n"
    return "\n".join(parts).rstrip("\n") + "\n"


def _paper(key: str) -> Paper:
    if key not in everything():
        raise unknown("paper", key, everything())
    return everything()[key]


def _authors(paper: Paper) -> list[str]:
    return [name.strip() for name in paper.authors.split(",")]


def _surname(name: str) -> str:
    """The last word with its prefix: "van den Oord", not "Oord"."""
    for surname in SURNAMES_OF_TWO_WORDS:
        if name.endswith(surname):
            return surname
    words = name.split()
    first = len(words) - 1
    while first > 1 and words[first - 1].islower():
        first -= 1
    return " ".join(words[first:])


def _item(paper: Paper) -> str:
    links = " ".join(f"[{link}](<{getattr(paper, link)}>)" for link in LINKS if getattr(paper, link))
    chapter = f" Chapter {paper.chapter}." if paper.chapter else ""
    entry = f"- **{paper.name}** {', '.join(_authors(paper))}: {paper.title}. {venues()[paper.venue].short}"
    return f"{entry} {paper.year}.{chapter} {links + ' ' if links else ''}(`{paper.key}`)"


def _entry(paper: Paper) -> str:
    """One BibTeX entry, one field per line."""
    venue = venues()[paper.venue]
    entry, place = ENTRY[venue.kind]
    fields = {
        "title": " ".join(map(_keep_capitals, paper.title.split())),
        "author": " and ".join(map(_person, _authors(paper))),
        place: _latex(venue.full),
        "year": str(paper.year),
    }
    if paper.paper:
        fields["url"] = paper.paper  # unchanged: \url and biblatex need no escapes in addresses
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@{entry}{{{paper.key},\n{lines}}}\n"


def _person(name: str) -> str:
    """A name in BibTeX's unambiguous form: surname, comma, given names."""
    surname = _surname(name)
    return f"{_latex(surname)}, {_latex(name.removesuffix(surname).strip())}"


def _keep_capitals(word: str) -> str:
    """Puts braces around a word whose capitals a BibTeX style must keep: VSE++, DeViSE, m-RNN."""
    escaped = _latex(word)
    bare = re.sub(r"^\W+", "", word)
    return f"{{{escaped}}}" if any(letter.isupper() or letter.isdigit() for letter in bare[1:]) else escaped


def _latex(text: str) -> str:
    """Text with LaTeX commands for special characters and accents, in plain ASCII."""
    entry = ""
    for letter in unicodedata.normalize("NFC", text):
        base, *marks = unicodedata.normalize("NFD", letter)
        if len(marks) == 1 and marks[0] in ACCENTS:
            entry += f"{{\\{ACCENTS[marks[0]]}{{{base}}}}}"
        else:
            entry += SPECIAL.get(letter) or LETTERS.get(letter) or letter
    return entry
