"""The second stage: same embeddings as the first, then every weight moves but the statistics of normalisation."""

from types import SimpleNamespace

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.encoders.backbones import MiniBackbone
from itm_tutorial.extraction.features import image_features
from itm_tutorial.training.finetuning import unfreeze


@pytest.fixture
def untrained(monkeypatch):
    """A backbone of random weights in place of the trained one, the same each time."""

    def load():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return MiniBackbone().eval()

    monkeypatch.setattr("itm_tutorial.training.finetuning.load_mini", load)
    monkeypatch.setattr("itm_tutorial.extraction.features.load_mini", load)
    return load()


@pytest.mark.parametrize("name", ["vsepp", "order"])
def test_the_second_stage_begins_with_the_codes_of_the_first(tiny, untrained, name):
    model = itm.create_model(name, tiny).eval()
    tuned = unfreeze(model).eval()
    kept = image_features(tiny.val.images, model.features)
    seen = image_features(tiny.val.images, tuned.features)
    assert seen.dtype == torch.uint8
    with torch.no_grad():
        assert torch.allclose(tuned.encode_images(seen), model.encode_images(kept), atol=1e-4)
        assert torch.equal(tuned.encode_captions(["a red car"]), model.encode_captions(["a red car"]))


def test_the_second_stage_has_no_warm_up_of_its_own(tiny, untrained):
    model = itm.create_model("vsepp", tiny, embed_size=16, word_dim=8, warmup=0.5)
    tuned = itm.unfreeze(model)
    assert (model.loss_function.warmup, model.loss_function.hardest) == (0.5, 0.0)
    tuned.loss_function.on_epoch(SimpleNamespace(epoch=0, epochs=10))
    assert tuned.loss_function.hardest == 1.0


def test_pictures_of_another_size_are_brought_to_the_backbones(tiny, untrained):
    tuned = unfreeze(itm.create_model("vsepp", tiny)).eval()
    large = torch.stack([tiny.val.images[0]]).repeat_interleave(2, 2).repeat_interleave(2, 3)
    small = tiny.val.images[0][None]
    with torch.no_grad():
        assert torch.allclose(tuned.encode_images(large), tuned.encode_images(small), atol=0.05)


def test_every_weight_is_trained_and_no_statistic_moves(tiny, untrained, tmp_path):
    tuned = unfreeze(itm.create_model("vsepp", tiny))
    assert tuned.recipe.learning_rate == pytest.approx(0.1 * itm.create_model("vsepp", tiny).recipe.learning_rate)
    before = {name: value.clone() for name, value in tuned.state_dict().items()}
    itm.fit(tuned, tiny, epochs=1, batch_size=30, device="cpu", progress=False, folder=tmp_path)
    after = tuned.state_dict()
    statistics = [n for n in after if n.startswith("pixel_backbone") and ("running" in n or "tracked" in n)]
    convolutions = [n for n in after if n.startswith("pixel_backbone") and n.endswith("0.weight")]
    assert statistics and convolutions
    assert all(torch.equal(before[name], after[name]) for name in statistics)
    assert all(not torch.equal(before[name], after[name]) for name in convolutions)
    again = itm.load_model(tmp_path)
    assert all(torch.equal(value, after[name]) for name, value in again.state_dict().items())
    assert torch.equal(itm.score(again, tiny.val), itm.score(tuned, tiny.val))


def test_a_model_that_reads_pixels_has_nothing_to_unfreeze(tiny, untrained):
    tuned = unfreeze(itm.create_model("vsepp", tiny))
    with pytest.raises(itm.ItmError, match="reads pixels"):
        unfreeze(tuned)
    with pytest.raises(itm.ItmError, match="does not read pixels"):
        itm.create_model("vsepp", tiny, features="pixels")


BAG = {"sentence": "bow", "embed_size": 16, "word_dim": 8}


def test_attention_begins_with_the_scores_of_the_first_stage(tiny, made_up_regions):
    first = itm.create_model("vsepp", tiny, features="grid", loss="top_k_hinges", k=2, dropout=0.4, **BAG).eval()
    for direction in ("t2i", "i2t"):
        even = itm.add_attention(first, smooth=0.0, direction=direction)
        assert torch.allclose(itm.score(even, tiny.val), itm.score(first, tiny.val), atol=1e-5)
    scan = itm.add_attention(first, sample=3)
    assert (scan.name, scan.features) == ("scan", first.features) and scan.recipe.epochs == first.recipe.epochs // 2
    assert (scan.options["k"], scan.options["dropout"], scan.options["sample"], scan.loss_function.k) == (2, 0.4, 3, 2)
    embeddings = scan.encode_captions(["a dog"]).words[0]
    assert not torch.allclose(embeddings[0], embeddings[1], atol=1e-3)  # words differ
    sharp = itm.score(itm.add_attention(first, smooth=50.0), tiny.val)
    assert (sharp - itm.score(first, tiny.val)).abs().max() > 1e-3  # and so does what they see
    before = {name: value.clone() for name, value in first.state_dict().items()}
    itm.fit(scan, tiny, epochs=1, batch_size=30, device="cpu", progress=False)
    assert all(torch.equal(value, before[name]) for name, value in first.state_dict().items())


def test_the_loss_of_the_first_stage_goes_on(tiny):
    for options, loss in (
        ({}, "MaxOfHinges"),
        ({"max_violation": False}, "SumOfHinges"),
        ({"loss": "infonce"}, "InfoNCE"),
    ):
        scan = itm.add_attention(itm.create_model("vsepp", tiny, features="grid", warmup=0.2, **BAG, **options))
        assert type(scan.loss_function).__name__ == loss
        assert getattr(scan.loss_function, "warmup", 0.0) == 0.0  # the first stage has had it


@pytest.mark.parametrize("unit", [True, False])
def test_attention_trains_in_bf16(tiny, made_up_regions, unit):
    first = itm.create_model("vsepp", tiny, features="grid", **BAG)
    scan = itm.add_attention(first, no_txtnorm=not unit, dropout=0.5)
    history = itm.fit(scan, tiny, epochs=1, batch_size=30, device="cpu", precision="bf16-mixed", progress=False)
    assert history.epochs[0]["loss"] > 0


def test_attention_scores_and_comes_back_from_a_file(tiny, made_up_regions, tmp_path):
    scan = itm.add_attention(itm.create_model("vsepp", tiny, features="regions", **BAG))
    itm.fit(scan, tiny, epochs=1, batch_size=30, device="cpu", progress=False, folder=tmp_path)
    assert torch.equal(itm.score(itm.load_model(tmp_path), tiny.val), itm.score(scan, tiny.val))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("vsepp", {}, "sentence='bow' first"),
        ("bow", {}, "scan cannot start from bow: it starts only from vsepp"),
        ("vsepp", {"sentence": "bow", "features": "grid", "no_imgnorm": True}, "'no_imgnorm': True"),
        ("vsepp", {"sentence": "bow"}, "global features of mini are not a mean of regions"),
    ],
)
def test_what_attention_cannot_begin_with_is_told(tiny, name, options, message):
    with pytest.raises(itm.ItmError, match=message):
        itm.add_attention(itm.create_model(name, tiny, **options))


@pytest.mark.parametrize("option", ["sampel", "embed_size"])
def test_an_option_that_scan_has_not_or_the_first_model_settles_is_refused(tiny, option):
    with pytest.raises(itm.ItmError, match=option):
        itm.add_attention(itm.create_model("vsepp", tiny, features="grid", **BAG), **{option: 3})
