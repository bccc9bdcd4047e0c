"""The second stage: same codes as the first, then every weight moves but the statistics of normalisation."""

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.encoders.backbones import MiniBackbone
from itm_tutorial.finetuning import unfreeze
from itm_tutorial.visual_features import image_features


@pytest.fixture
def untrained(monkeypatch):
    """A backbone of random weights in place of the trained one, the same each time."""

    def load():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return MiniBackbone().eval()

    monkeypatch.setattr("itm_tutorial.finetuning.load_mini", load)
    monkeypatch.setattr("itm_tutorial.visual_features.load_mini", load)
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
    tuned.loss_function.on_epoch(0, 10)
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
    statistics = [n for n in after if n.startswith("eyes") and ("running" in n or "tracked" in n)]
    convolutions = [n for n in after if n.startswith("eyes") and n.endswith("0.weight")]
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
