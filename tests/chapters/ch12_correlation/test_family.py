"""The rows of chapter 12's table name effects that the claims declare, and the page names their arms."""

import pytest

from itm_tutorial.chapters.ch12_correlation import exercises
from itm_tutorial.chapters.ch12_correlation.kept_runs import kept_sentence
from itm_tutorial.chapters.ch12_correlation.members import MEMBERS
from itm_tutorial.chapters.ch12_correlation.page import PAGE, TABLES
from itm_tutorial.chapters.experiment import find
from itm_tutorial.chapters.family import family_table
from itm_tutorial.course.result_pages import _PLACEHOLDER
from itm_tutorial.errors import ItmError
from itm_tutorial.models import list_methods


def test_every_method_of_the_chapter_has_a_row_whose_effects_are_declared():
    assert {member.model for member in MEMBERS} == {m.name for m in list_methods() if m.chapter == "12"}
    for member in MEMBERS:
        declared = {effect.name for effect in find(member.claim).effects}
        assert set(member.effects) <= declared, member.model
    assert len(family_table(MEMBERS).rows) == 6


def test_the_page_names_arms_and_effects_that_the_claims_declare():
    assert set(TABLES) == {member.claim for member in MEMBERS}
    for name, tables in TABLES.items():
        arms = {arm.name for arm in find(name).arms}
        assert {row for table in tables for row in table.rows} <= arms, name
    declared = {effect.name for name in TABLES for effect in find(name).effects}
    quoted = [found for text in PAGE.paragraphs for found in _PLACEHOLDER.findall(" ".join(text.split()))]
    assert len(quoted) == 20 and all(text.partition(": ")[2] in declared for text in quoted)


def test_the_chapter_has_six_exercises():
    assert [exercise.name for exercise in exercises.EXERCISES] == [
        "total_correlation",
        "fisher_means",
        "ten_largest_hinges",
        "decorrelation",
        "fused_states",
        "recall_at",
    ]
    assert all(exercise.chapter == "12_correlation" for exercise in exercises.EXERCISES)


def test_a_claim_that_was_not_run_says_so_and_a_kept_one_gives_its_effect():
    assert "has not measured this over several seeds yet (claim `spe`)" in kept_sentence(
        "spe", ["x"], lambda name: None
    )
    effect = {"name": "x", "mean": 2.0, "standard_error": 0.5, "verdict": "holds"}
    text = kept_sentence("spe", ["x"], lambda name: {"effects": [effect]})
    assert text == "Over the seeds of the kept claim `spe`: x: +2.0, standard error 0.5 (holds)."
    with pytest.raises(ItmError, match="unknown effect of spe 'y'"):
        kept_sentence("spe", ["y"], lambda name: {"effects": [effect]})
