"""Chapter 14's table, page and exercises agree with the models and the claims that they speak of."""

import re

from itm_tutorial.chapters.ch14_early_attention.exercises import EXERCISES
from itm_tutorial.chapters.ch14_early_attention.members import MEMBERS
from itm_tutorial.chapters.ch14_early_attention.page import PAGE, TABLES
from itm_tutorial.chapters.experiment import find
from itm_tutorial.chapters.family import family_table
from itm_tutorial.models import list_methods


def test_every_method_of_the_chapter_has_a_row_whose_effects_are_declared():
    assert {member.model for member in MEMBERS} == {m.name for m in list_methods() if m.chapter == "14"}
    for member in MEMBERS:
        declared = {effect.name for effect in find(member.claim).effects}
        assert set(member.effects) <= declared, member.model
    assert len(family_table(MEMBERS).rows) == 3


def test_every_arm_stands_in_a_table_of_the_page():
    assert set(TABLES) == set(PAGE.claims)
    for name, tables in TABLES.items():
        arms = {arm.name for arm in find(name).arms}
        rows = {row for table in tables for row in table.rows}
        assert rows == arms, name


def test_every_effect_stands_on_the_page_and_no_other():
    text = " ".join(" ".join(paragraph.split()) for paragraph in PAGE.paragraphs)
    quoted = re.findall(r"\{(?:effect|holds|does not hold|too close to say): ([^}]*)\}", text)
    declared = [effect.name for name in PAGE.claims for effect in find(name).effects]
    assert sorted(quoted) == sorted(declared)


def test_the_exercises_have_names_of_their_own():
    assert len({exercise.name for exercise in EXERCISES}) == len(EXERCISES) >= 6
    assert all(exercise.chapter == "14_early_attention" for exercise in EXERCISES)
