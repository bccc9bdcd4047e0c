"""The rows of chapter 11's table name effects that the claims declare; kept claims give the bars of the figure."""

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.chapters.ch11_fragments.kept_runs import SHOWN, kept_pointing, localised
from itm_tutorial.chapters.ch11_fragments.measures.pointing import points
from itm_tutorial.chapters.ch11_fragments.members import MEMBERS
from itm_tutorial.chapters.ch11_fragments.page import TABLES
from itm_tutorial.chapters.experiment import find, was_run
from itm_tutorial.chapters.family import family_table
from itm_tutorial.errors import ItmError
from itm_tutorial.evaluation.grounding import attend
from itm_tutorial.models import list_methods


def test_every_method_of_the_chapter_has_a_row_whose_effects_are_declared():
    assert {member.model for member in MEMBERS} == {m.name for m in list_methods() if m.chapter == "11"}
    for member in MEMBERS:
        declared = {effect.name for effect in find(member.claim).effects}
        assert set(member.effects) <= declared, member.model
    assert len(family_table(MEMBERS).rows) == 5


def test_the_figure_shows_arms_that_the_claims_declare():
    assert {one.claim for one in SHOWN} == {member.claim for member in MEMBERS} == set(TABLES)
    for one in SHOWN:
        assert one.arm in {arm.name for arm in find(one.claim).arms}
        names = {arm.name for arm in find(one.claim).arms}
        assert {row for table in TABLES[one.claim] for row in table.rows} <= names


def kept_of(name):
    """Results of DVSA and CITE alone."""
    arm = {"dvsa": "best region", "cite": "four, chosen"}.get(name)
    if arm is None:
        return None
    controls = {"regions of another image": {"noun": 20.0}, "untrained": {"noun": 30.0}}
    rows = [
        {"model": arm, "seed": seed, "pointing": {"model": {"noun": 80.0 + seed, "all": 90.0 + seed}, **controls}}
        for seed in (0, 1)
    ]
    return {"figures": [*rows, {"model": "other", "seed": 0, "pointing": {}}]}


def test_bars_come_from_kept_claims_and_the_others_are_named():
    methods, controls, missing = kept_pointing(kept_of)
    assert methods == {"DVSA": [80.0, 81.0], "CITE, trained with boxes": [90.0, 91.0]}
    assert controls == {"DVSA, regions of another image": [20.0, 20.0], "DVSA, untrained": [30.0, 30.0]}
    assert missing == ["DeFrag", "Align2Ground", "InfoGround"]
    assert len(kept_pointing()[2]) == sum(not was_run(one.claim) for one in SHOWN)


def test_dvsa_is_measured_as_its_claim_measures_nouns(tiny, made_up_regions, monkeypatch):
    from itm_tutorial.chapters.ch11_fragments import kept_runs

    model = itm.create_model("dvsa", tiny, embed_size=16, word_dim=8).eval()
    seen = attend(model, tiny.test)
    boxes = seen.boxes[[seen.images.tolist().index(i) for i in range(len(tiny.test.images))]]
    monkeypatch.setattr(kept_runs, "split_boxes", lambda split, spec: boxes)
    found = localised(model, tiny, "dvsa").pointing["model"]["all"]
    by_claim = points([weights.argmax(0) for weights in seen.weights], seen.boxes, tiny.test)["noun"]
    assert found == pytest.approx(by_claim, abs=1e-3)
    with pytest.raises(ItmError, match="unknown method of chapter 11 'dvas': did you mean 'dvsa'"):
        localised(model, tiny, "dvas")
    assert torch.equal(seen.captions, torch.arange(len(tiny.test.captions)))
