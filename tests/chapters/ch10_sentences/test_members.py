"""The table of chapter 10: every row names a claim, and effects that its claim declares."""

import pytest

from itm_tutorial.chapters.ch10_sentences.members import MEMBERS
from itm_tutorial.chapters.ch10_sentences.page import PAGE
from itm_tutorial.chapters.experiment import find
from itm_tutorial.chapters.family import NOT_RUN, family_table
from itm_tutorial.models import list_models, method_of


def test_every_method_of_the_chapter_has_a_row_and_a_table():
    names = [member.model for member in MEMBERS]
    papers = {method_of(name).paper for name in list_models("10")}  # a variant has the paper of its method
    assert len(set(names)) == 7 and {method_of(name).paper for name in names} == papers
    assert set(PAGE.claims) == {*names, "probing"}


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.model)
def test_a_row_shows_effects_of_its_claim(member):
    declared = {effect.name for effect in find(member.claim).effects}
    assert set(member.effects) <= declared


def test_a_row_without_results_says_so():
    assert {row[-1] for row in family_table(MEMBERS, kept=lambda name: None).rows} == {NOT_RUN}


@pytest.mark.parametrize("shown", PAGE.tables, ids=lambda shown: shown.claim)
def test_a_table_has_a_row_for_each_arm(shown):
    assert set(shown.rows) == {arm.name for arm in find(shown.claim).arms}
