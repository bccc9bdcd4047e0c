"""The glossary and the notation: every term that a notebook introduces is there, and their links lead somewhere."""

import re

import pytest

from itm_tutorial.course.editions import ROOT, SOURCES

GLOSSARY, NOTATION = ROOT / "docs" / "glossary.md", ROOT / "docs" / "notation.md"
ENTRY = re.compile(r"^### (.+)\n\n(.+)$", re.MULTILINE)
SHOWN = {"question", "answer", "hidden", "tree", "batch", "person", "not comparable", "the same regions"}  # not terms
SHOWN |= {"papers and code", "in the package", "next", "no progress at all", "other direction"}
OTHER_NAMES = {
    "hubs": "hub",
    "seen": "seen class",
    "unseen": "unseen class",
    "generalised": "generalised zero-shot",
    "hierarchical precision@k": "hierarchical precision",
}


def anchor(heading):
    """The anchor of a heading, as GitHub and the site make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def entries():
    return dict(ENTRY.findall(GLOSSARY.read_text(encoding="utf-8")))


def terms_of(text):
    """Words in bold face that are short enough for a term, in lower case."""
    bold = re.findall(r"(?<!\*)\*\*([^*\n]+)\*\*", text)
    return {b.lower() for b in bold if len(b.split()) <= 3 and not re.search(r"[.:?!{}0-9]", b)} - SHOWN


def test_terms_are_alphabetical_and_stand_once():
    terms = [term.lower() for term in entries()]
    assert len(terms) > 100 and terms == sorted(set(terms))


@pytest.mark.parametrize("term, text", entries().items(), ids=entries())
def test_a_term_has_one_to_four_sentences_and_its_chapter(term, text):
    said, _, link = text.rpartition(" [")
    assert 1 <= len(re.findall(r"[.](?= |$)", said)) <= 4, said
    assert (GLOSSARY.parent / re.fullmatch(r".+\]\((.+\.ipynb)\)\.", link)[1]).exists()


def test_links_inside_the_glossary_have_a_target():
    text = GLOSSARY.read_text(encoding="utf-8")
    anchors = {anchor(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors


@pytest.mark.parametrize("source", sorted(SOURCES.glob("*.py")), ids=lambda file: file.stem)
def test_terms_that_a_notebook_sets_in_bold_are_in_the_glossary(source):
    known = {term.lower() for term in entries()} | {"r@k", "recall at k"}
    text = "\n".join(line for line in source.read_text(encoding="utf-8").splitlines() if line.startswith("#"))
    missing = {term for term in terms_of(text) if OTHER_NAMES.get(term, term) not in known}
    assert not missing, f"write an entry in docs/glossary.md, or name what is no term in SHOWN: {missing}"


def test_a_bold_term_that_is_missing_would_be_seen():
    assert terms_of("the **dark knowledge** of **Question.** and **hubs** and **what is easy to swap**") == {
        "dark knowledge",
        "hubs",
    }


def test_every_name_of_the_notation_is_in_the_code():
    text = NOTATION.read_text(encoding="utf-8")
    rows = [row.split(" | ") for row in text.splitlines() if row.startswith("| ") and row.count(" | ") == 3]
    names = {
        name for row in rows for code in re.findall(r"`([^`]+)`", row[3]) for name in re.findall(r"[a-zA-Z_]{2,}", code)
    }
    code = "\n".join(file.read_text(encoding="utf-8") for file in SOURCES.glob("*.py"))
    code += "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "itm_tutorial").rglob("*.py"))
    assert len(rows) > 50 and not {name for name in names if not re.search(rf"\b{name}\b", code)}
