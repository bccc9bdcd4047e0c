"""The table and the results page of chapter 13: rows name effects and arms that the claims declare."""

import re

import pytest

from itm_tutorial.chapters.ch13_writing.exercises import EXERCISES
from itm_tutorial.chapters.ch13_writing.members import MEMBERS
from itm_tutorial.chapters.ch13_writing.method_figures import METHODS, NEW, methods
from itm_tutorial.chapters.ch13_writing.page import PAGE, TABLES
from itm_tutorial.chapters.experiment import find
from itm_tutorial.chapters.family import NOT_RUN, family_table
from itm_tutorial.models import list_methods
from itm_tutorial.show.canvas import alt_text


def test_every_method_of_the_chapter_has_a_row_and_a_table():
    names = {method.name for method in list_methods() if method.chapter == "13"}
    assert {member.model for member in MEMBERS} == names == set(PAGE.claims) == set(TABLES)
    assert {row[-1] for row in family_table(MEMBERS, kept=lambda name: None).rows} == {NOT_RUN}


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.model)
def test_a_row_shows_effects_of_its_claim(member):
    assert set(member.effects) <= {effect.name for effect in find(member.claim).effects}


@pytest.mark.parametrize("shown", PAGE.tables, ids=lambda shown: shown.claim)
def test_a_table_has_a_row_for_each_arm(shown):
    assert set(shown.rows) == {arm.name for arm in find(shown.claim).arms}


def test_sentences_of_the_page_name_declared_effects_and_arms():
    effects = [effect.name for claim in PAGE.claims for effect in find(claim).effects]
    for form, name in re.findall(r"\{(\w+): ([^{}]*)\}", " ".join(" ".join(PAGE.paragraphs).split())):
        if form == "value":
            claim, arm, _ = name.split(" / ")
            assert arm in {one.name for one in find(claim).arms}
        else:
            assert form == "effect" and effects.count(name) == 1  # a name that two claims share says nothing


def test_the_map_is_of_the_three_methods():
    assert [name.partition(" ")[0] for name in METHODS] == ["NIC", "m-RNN", "GXN"] and {n for n, _ in NEW} == set(
        METHODS
    )
    assert "A map of 3 methods" in alt_text(methods())


def test_the_exercises_stand_in_the_order_of_the_notebook():
    assert [exercise.name for exercise in EXERCISES] == [
        "caption_log_likelihood",
        "divide_by_prior",
        "changed_rankings",
        "greedy_words",
        "beam_step",
        "true_share",
    ]
    assert all(exercise.chapter == "13_writing" for exercise in EXERCISES)
