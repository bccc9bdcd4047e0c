"""The claims of the miniature models run from end to end at the smallest size, and their measures are what they say."""

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.chapters import runner
from itm_tutorial.chapters.ch21_after_2020.measures.contrastive import LOSSES, with_its_loss
from itm_tutorial.chapters.ch21_after_2020.measures.pcme import rank_correlation
from itm_tutorial.chapters.ch21_after_2020.measures.word_order import same_words, shuffled
from itm_tutorial.chapters.declaration import Arm
from itm_tutorial.chapters.effects import effects_of
from itm_tutorial.chapters.experiment import find
from itm_tutorial.chapters.runner import Trained, figures_of_seed

NAMES = (
    "contrastive_losses",
    "contrastive_losses_long",
    "temperature",
    "siglip",
    "word_order",
    "zero_shot",
    "gpo",
    "pcme",
    "sgraf",
)


@pytest.fixture
def cheap(cheap_features, monkeypatch):
    """Cheap features in every measure, one epoch, and batches that the smallest corpus fills."""
    for name in ("contrastive", "word_order", "zero_shot", "gpo", "pcme"):
        module = f"itm_tutorial.chapters.ch21_after_2020.measures.{name}"
        monkeypatch.setattr(f"{module}.split_features", cheap_features)
    fit = runner.fit

    def one_epoch(model, corpus, **given):
        small = {"epochs": 1, "batch_size": min(given.get("batch_size", 20), 60)}
        return fit(model, corpus, **{**given, **small})

    monkeypatch.setattr(runner, "fit", one_epoch)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_claim_runs_from_end_to_end(tiny, cheap, name):
    claim = find(name)
    rows = figures_of_seed(claim, 0, "tiny")
    assert [row["model"] for row in rows] == [arm.name for arm in claim.arms]
    effects = effects_of(claim.effects, rows + [{**row, "seed": 1} for row in rows])
    assert len(effects) >= len(claim.effects) - 3  # a tiny split may lack a kind of minimal pairs


def test_arms_of_the_batch_sizes_differ_in_the_loss_alone(tiny):
    arms = [Arm(name, "clip_features", {"features": "global", "embed_size": 8}) for name in LOSSES]
    models = [with_its_loss(arm, tiny, 3, None) for arm in arms]
    assert len({type(model.loss_function) for model in models}) == len(LOSSES)
    for model in models[1:]:
        for (name, one), two in zip(models[0].named_parameters(), model.state_dict().values(), strict=False):
            if not name.startswith("loss_function"):
                assert torch.equal(one, two)


@pytest.mark.parametrize(("claim", "epochs"), [("contrastive_losses", 3), ("contrastive_losses_long", 12)])
def test_the_claims_of_batch_sizes_show_every_arm_the_same_number_of_captions(claim, epochs):
    fits = [(arm.columns["batch_size"], arm.fit) for arm in find(claim).arms if isinstance(arm, Arm)]
    assert {fit["epochs"] for _, fit in fits} == {epochs} and {size for size, _ in fits} == {16, 64, 256, 1024}
    assert all(fit["learning_rate"] == pytest.approx(2e-3 * (size / 64) ** 0.5) for size, fit in fits)


def test_a_bag_of_words_never_prefers_the_true_order(tiny, cheap_features, monkeypatch):
    monkeypatch.setattr("itm_tutorial.chapters.ch21_after_2020.measures.word_order.split_features", cheap_features)
    bag = itm.create_model("clip_features", tiny, sentence="bow", embed_size=8, width=8).eval()
    arm = Arm("bag", "clip_features")
    found = same_words(Trained(arm, bag, tiny, 0))
    assert found["prefers"]["words shuffled"] == 0 and found["changed"]["words shuffled"] > 100
    assert found["prefers"]["colours swapped"] == 0 and found["changed"]["colours swapped"] > 0
    ordered = itm.create_model("clip_features", tiny, embed_size=8, width=8).eval()
    assert 0 < same_words(Trained(arm, ordered, tiny, 0))["prefers"]["words shuffled"] < 100


def test_shuffled_captions_have_the_same_words():
    text = "A red car stands next to two dogs on the beach."
    assert sorted(shuffled(text).split()) == sorted(text.lower().rstrip(".").split())
    assert shuffled(text) == shuffled(text) != text.lower()


def test_rank_correlation_against_a_loop_with_ties():
    a, b = torch.tensor([3.0, 1.0, 2.0, 2.0, 5.0]), torch.tensor([30, 10, 10, 20, 40])

    def ranks(values):
        return [sum(w < v for w in values) + (sum(w == v for w in values) + 1) / 2 for v in values]

    x, y = (torch.tensor(ranks(side.tolist())) for side in (a, b))
    assert rank_correlation(a, b) == pytest.approx(torch.corrcoef(torch.stack([x, y]))[0, 1].item(), abs=1e-6)
    assert rank_correlation(a, a) == pytest.approx(1) and rank_correlation(a, -a) == pytest.approx(-1)
    assert rank_correlation(a, torch.ones(5)) == 0
