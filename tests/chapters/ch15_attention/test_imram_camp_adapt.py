"""The claims of IMRAM, CAMP and ADAPT run from end to end, and their measures are what they say."""

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.chapters import runner, small_galleries
from itm_tutorial.chapters.ch15_attention.measures import adapt, camp
from itm_tutorial.chapters.declaration import Arm
from itm_tutorial.chapters.effects import effects_of
from itm_tutorial.chapters.experiment import find
from itm_tutorial.chapters.runner import Trained, figures_of_seed
from itm_tutorial.retrieval import scoring
from itm_tutorial.training.loop import fit


@pytest.mark.slow
@pytest.mark.parametrize("name", ["imram", "camp", "adapt"])
def test_a_claim_runs_from_end_to_end(tiny, made_up_regions, monkeypatch, name):
    for module in (runner, small_galleries):
        monkeypatch.setattr(module, "fit", lambda *args, **given: fit(*args, **{**given, "epochs": 1}))
    for module in (adapt, camp):
        monkeypatch.setattr(module, "split_features", scoring.split_features)
    claim = find(name)
    rows = figures_of_seed(claim, 0, "tiny")
    assert [row["model"] for row in rows] == [arm.name for arm in claim.arms]
    effects = effects_of(claim.effects, rows + [{**row, "seed": 1} for row in rows])
    always = {one.name for one in claim.effects if not one.minimal_pairs}  # a tiny split has not all kinds of pairs
    assert always <= {one["name"] for one in effects}


def test_gates_are_compared_over_all_pairs(tiny, made_up_regions, monkeypatch):
    monkeypatch.setattr(camp, "split_features", scoring.split_features)
    model = itm.create_model("camp", tiny, embed_size=8, word_dim=8).eval()
    own = torch.eye(len(tiny.test.images))
    model.gates = lambda image_emb, caption_emb: 0.2 + 0.6 * own  # only a pair of the diagonal is open
    found = camp.gates(Trained(Arm("camp", "camp"), model, tiny, 0))["gate"]
    assert found == pytest.approx({"matched": 0.8, "unmatched": 0.2, "area_under_curve": 100}, abs=1e-4)
    assert camp.area_under_curve(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 3.0])) == pytest.approx(37.5)


def test_speed_is_that_of_the_similarity_alone(tiny, made_up_regions, monkeypatch):
    monkeypatch.setattr(adapt, "split_features", scoring.split_features)
    monkeypatch.setattr(adapt, "SOME", 8)
    now = iter(range(100))
    monkeypatch.setattr(adapt.time, "perf_counter", lambda: next(now))  # every call of it is a second later
    threads = torch.get_num_threads()
    model = itm.create_model("adapt", tiny, embed_size=8, word_dim=8).eval()
    found = adapt.speed(Trained(Arm("adapt", "adapt"), model, tiny, 0))
    assert found == {"thousand_pairs_per_second": pytest.approx(0.064)} and torch.get_num_threads() == threads
