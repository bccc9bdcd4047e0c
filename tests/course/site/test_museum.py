"""The error museum: every exhibit shows its mistake, and its cure mends it."""

import re

import pytest

from itm_tutorial.course.running import ROOT

MUSEUM = ROOT / "docs" / "museum.py"
MISTAKE_IS_HIGHER = {  # exhibit -> whether its number is higher with the mistake, and by how much at least
    "collapse": (True, 0.4),
    "learning rate": (True, 0.3),
    "targets": (False, 0.1),
    "ties": (True, 99),
    "nan": (True, 20),
    "order": (False, 20),
    "folds": (True, 5),
    "rank": (True, 5),
    "dropout": (True, 0.01),
    "padding": (True, 0.1),
    "same image": (True, 5),
    "axis": (True, 30),
}


@pytest.fixture(scope="module")
def measured():
    """What the exhibits measured: exhibit -> the number with the mistake, and without it."""
    names = {"__name__": "museum"}
    exec(compile(MUSEUM.read_text(encoding="utf-8"), str(MUSEUM), "exec"), names)
    return names["measured"]


@pytest.mark.slow
def test_each_exhibit_shows_its_mistake_and_its_cure(measured):
    assert list(measured) == list(MISTAKE_IS_HIGHER)
    for exhibit, (higher, least) in MISTAKE_IS_HIGHER.items():
        mistake, mended = (float(value) for value in measured[exhibit])
        assert (mistake - mended if higher else mended - mistake) > least, f"{exhibit}: {mistake} and {mended}"


@pytest.mark.slow
def test_what_is_mended_is_exact_where_it_can_be(measured):
    exact = {"targets": 0, "ties": 0, "dropout": 0, "padding": 0, "same image": 0}
    assert {exhibit: abs(round(float(measured[exhibit][1]), 4)) for exhibit in exact} == exact


def test_each_exhibit_has_symptom_cause_cell_and_cure():
    exhibits = MUSEUM.read_text(encoding="utf-8").split("# ## ")[1:]
    assert len(exhibits) == len(MISTAKE_IS_HIGHER)
    for exhibit in exhibits:
        parts = [exhibit.find(part) for part in ("**Symptom.**", "**Cause.**", "# %%\n", "report(", "**Cure.**")]
        assert -1 not in parts and parts == sorted(parts), exhibit.splitlines()[0]


def test_the_table_of_symptoms_names_every_exhibit_once():
    text = MUSEUM.read_text(encoding="utf-8")
    titles = [
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^# ## (.+)$", text, re.M)
    ]
    assert re.findall(r"\[\d+\]\(#([^)]+)\)", text) == titles
