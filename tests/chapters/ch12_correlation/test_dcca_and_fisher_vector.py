"""The claims of DCCA and of Fisher vectors run from end to end, and their measures are what they say."""

from types import SimpleNamespace

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.chapters import runner
from itm_tutorial.chapters.ch12_correlation.measures.dcca import RankedNetworks, noise_curve, pearson, ranked
from itm_tutorial.chapters.ch12_correlation.measures.fisher_vector import reversal
from itm_tutorial.chapters.declaration import Arm
from itm_tutorial.chapters.effects import effects_of
from itm_tutorial.chapters.experiment import find
from itm_tutorial.chapters.runner import figures_of_seed
from itm_tutorial.losses.ranking import SumOfHinges
from itm_tutorial.training.loop import _load


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dcca", "fisher_vector"])
def test_a_claim_runs_from_end_to_end(tiny, instant_features, monkeypatch, name):
    fit = runner.fit
    monkeypatch.setattr(runner, "fit", lambda *args, **given: fit(*args, **{**given, "epochs": 1, "batch_size": 100}))
    claim = find(name)
    rows = figures_of_seed(claim, 0, "tiny")
    assert [row["model"] for row in rows] == [arm.name for arm in claim.arms]
    effects = effects_of(claim.effects, rows + [{**row, "seed": 1} for row in rows])
    assert len(effects) >= len(claim.effects) - 2  # a tiny split may lack a kind of minimal pairs


def test_noise_reaches_the_maximum_up_to_a_batch_of_the_dimension_plus_one():
    curve = {row["batch"]: row for row in noise_curve(dim=5, batches=(4, 6, 20, 1000))}
    assert curve[4]["correlation"] == pytest.approx(3, abs=1e-3)
    assert curve[6]["correlation"] == pytest.approx(5, abs=1e-3) and curve[6]["share"] == pytest.approx(100, abs=0.1)
    assert curve[6]["share"] > curve[20]["share"] > curve[1000]["share"]
    assert noise_curve(dim=5, batches=(20,), seed=1) != noise_curve(dim=5, batches=(20,))


def test_pearson_equals_torch_and_a_constant_column_has_none():
    x, y = torch.randn(9, 2), torch.randn(9, 2)
    x[:, 1] = 1.0
    expected = torch.corrcoef(torch.stack([x[:, 0], y[:, 0]]))[0, 1].item()
    assert pearson(x, y).tolist() == pytest.approx([expected, 0], abs=1e-5)


def test_the_control_has_the_same_networks_and_a_ranking_loss(tiny, instant_features):
    arm = Arm("ranked", "dcca", {"embed_size": 4}, start=ranked)
    model, plain = ranked(arm, tiny, 3, None), itm.create_model("dcca", tiny, seed=3, **arm.options)
    assert isinstance(model, RankedNetworks)
    assert all(torch.equal(weight, plain.state_dict()[name]) for name, weight in model.state_dict().items())
    (batch,) = _load(model, tiny.train, torch.device("cpu")).batches([torch.arange(20)])
    scores = model.encode_images(batch) @ model.encode_captions(batch).T
    assert torch.allclose(scores.diagonal().abs().clamp(max=1), scores.diagonal().abs(), atol=1e-5)  # cosines
    assert model.loss(batch) == SumOfHinges(0.2)(scores, batch.positives)


def test_a_reversed_caption_has_the_same_fisher_vector_and_another_recurrent_one(tiny):
    found = {}
    for name in ("fisher_vector", "vse"):
        model = itm.create_model(name, tiny)
        found[name] = reversal(SimpleNamespace(model=model, corpus=tiny))["reversal"]
    assert found["fisher_vector"] == pytest.approx(0, abs=1e-5) and found["vse"] > 1e-3
