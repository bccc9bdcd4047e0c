"""The results page of chapter 15 and its kept values: tables name arms and effects that the claims declare."""

import re

import pytest

from itm_tutorial.chapters.ch15_attention.figures import rsum_by_alpha
from itm_tutorial.chapters.ch15_attention.kept_runs import CONTROLS, POINTING, kept_alphas, kept_pointing
from itm_tutorial.chapters.ch15_attention.members import MEMBERS
from itm_tutorial.chapters.ch15_attention.page import PAGE, TABLES
from itm_tutorial.chapters.experiment import find
from itm_tutorial.chapters.family import NOT_RUN, family_table
from itm_tutorial.models import list_methods
from itm_tutorial.show.canvas import alt_text


def test_every_method_of_the_chapter_has_a_table():
    names = {method.name for method in list_methods() if method.chapter == "15"}
    assert names == set(TABLES) == set(PAGE.claims) == {member.model for member in MEMBERS} and len(names) == 11
    assert {row[-1] for row in family_table(MEMBERS, kept=lambda name: None).rows} == {NOT_RUN}


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.model)
def test_a_row_shows_effects_of_its_claim(member):
    assert set(member.effects) <= {effect.name for effect in find(member.claim).effects}


@pytest.mark.parametrize("shown", PAGE.tables, ids=lambda shown: shown.claim)
def test_a_table_has_a_row_for_each_arm(shown):
    assert set(shown.rows) == {arm.name for arm in find(shown.claim).arms}


def test_sentences_of_the_page_name_declared_effects():
    effects = [effect.name for claim in PAGE.claims for effect in find(claim).effects]
    text = " ".join(" ".join(PAGE.paragraphs).split())
    named = re.findall(r"\{(?:effect|holds|does not hold|too close to say): ([^{}]*)\}", text)
    assert len(named) >= len(TABLES) and all(effects.count(name) == 1 for name in named)


def test_kept_values_are_those_of_the_claims():
    arms = {(claim, arm.name) for claim in ("imram", "got") for arm in find(claim).arms}
    assert {row[:2] for row in (*POINTING, *CONTROLS)} <= arms
    rows = [
        {"model": arm, "pointing": {"model": {"noun": 70.0}, "uniform": {"noun": 10.0}, "untrained": {"noun": 12.0}}}
        for arm in ("K = 3", "K = 3", "K = 1")
    ]
    methods, controls = kept_pointing({"imram": {"figures": rows}, "got": None}.get)
    assert methods == {"IMRAM, last step": [70.0, 70.0]}
    assert controls == {"equal weights": [10.0, 10.0], "IMRAM, untrained": [12.0, 12.0]}


def test_a_kept_sweep_is_drawn():
    row = {"model": "alpha 0.2", "rsum": 300.0, "cheap": {"rsum": 290.0}, "allowed": {"i2t": 90.0, "t2i": 80.0}}
    rows = [{**row, "alpha": {"0.1": 299.0, "0.4": 301.0}}, {"model": "alpha 0", "rsum": 1.0}]
    rsum, cheap, allowed = kept_alphas(lambda name: {"figures": rows})
    assert rsum == {0.1: [299.0], 0.4: [301.0], 0.2: [300.0]} and cheap == [290.0]
    assert "299.0 for alpha 0.1, 300.0 for alpha 0.2" in alt_text(rsum_by_alpha(rsum, cheap, allowed))
    assert kept_alphas(lambda name: None) is None
