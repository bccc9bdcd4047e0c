"""The results page of chapter 21 and its kept values: tables name arms and effects that the claims declare."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from itm_tutorial.chapters.ch21_after_2020 import claims
from itm_tutorial.chapters.ch21_after_2020.figures import recall_by_batch
from itm_tutorial.chapters.ch21_after_2020.kept_runs import BATCHES, effects, kept_batches
from itm_tutorial.chapters.ch21_after_2020.members import MEMBERS
from itm_tutorial.chapters.ch21_after_2020.page import PAGE, TABLES
from itm_tutorial.chapters.experiment import find
from itm_tutorial.chapters.family import NOT_RUN, family_table
from itm_tutorial.models import list_methods
from itm_tutorial.show.canvas import alt_text


def test_every_claim_of_the_chapter_has_a_table():
    files = {file.stem for file in Path(claims.__file__).parent.glob("[!_]*.py")}
    declared = {claim.name for file in files for claim in import_module(f"{claims.__name__}.{file}").CLAIMS}
    assert declared == set(TABLES) == set(PAGE.claims) and len(declared) == 10
    assert {row[-1] for row in family_table(MEMBERS, kept=lambda name: None).rows} == {NOT_RUN}


def test_the_table_of_the_family_has_every_method_with_an_idea_of_its_own():
    names = {method.name for method in list_methods() if method.chapter == "21"}
    same_idea = {"clip_features", "siglip_features"}  # the same losses on frozen features
    assert {member.model for member in MEMBERS} == names - same_idea - {"dual_encoder"}


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.model)
def test_a_row_shows_effects_of_its_claim(member):
    assert set(member.effects) <= {effect.name for effect in find(member.claim).effects}


@pytest.mark.parametrize("shown", PAGE.tables, ids=lambda shown: shown.claim)
def test_a_table_has_a_row_for_each_arm(shown):
    ceiling = {"ceiling"} if shown.claim in BATCHES else set()  # it stands in the text above the table
    assert set(shown.rows) | ceiling == {arm.name for arm in find(shown.claim).arms}


def test_sentences_of_the_page_name_declared_effects():
    declared = {effect.name for claim in PAGE.claims for effect in find(claim).effects}
    text = " ".join(" ".join(PAGE.paragraphs).split())
    named = re.findall(r"\{(?:effect|holds|does not hold|too close to say): ([^{}]*)\}", text)
    assert all(name in declared for name in named)


def test_kept_values_are_those_of_the_claims():
    rows = [{"model": "softmax", "batch_size": size, "rsum": 300.0 + size} for size in (16, 64, 64)]
    found = kept_batches({"contrastive_losses": {"figures": [{"model": "ceiling", "rsum": 584.0}, *rows]}}.get)
    assert found == {"3 epochs": {"softmax": {16: [316.0], 64: [364.0, 364.0]}}}
    assert "3 epochs, softmax: 16 316, 64 364" in alt_text(recall_by_batch(found))
    assert kept_batches(lambda name: None) == {} == effects("gpo", lambda name: None)
    kept = {"effects": [{"name": "a", "mean": 1.0}]}
    assert effects("gpo", lambda name: kept) == {"a": {"name": "a", "mean": 1.0}}
