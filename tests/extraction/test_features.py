"""Features: shapes, resizing, and errors, with an untrained mini backbone."""

import pytest
import torch

from itm_tutorial.encoders.backbones import BACKBONES, MiniBackbone, feature_dim, pool
from itm_tutorial.errors import ItmError
from itm_tutorial.extraction import features as visual_features
from itm_tutorial.extraction import versions
from itm_tutorial.models import FeatureSpec
from itm_tutorial.pretraining.backbone import draw_objects, mosaics


@pytest.fixture
def untrained(monkeypatch):
    torch.manual_seed(0)
    backbone = MiniBackbone().eval()
    monkeypatch.setattr(visual_features, "load_mini", lambda: backbone)


SHAPES = {"global": (3, 512), "mirrored": (3, 512), "grid": (3, 64, 256), "mirrored_grid": (3, 64, 256)}


@pytest.mark.parametrize(("kind", "shape"), SHAPES.items())
def test_features_have_the_shape_their_spec_says_and_can_be_trained_on(untrained, kind, shape):
    images = [torch.randint(0, 256, (3, h, w), dtype=torch.uint8) for h, w in ((128, 128), (60, 90), (200, 150))]
    spec = FeatureSpec(kind, "mini")
    features = visual_features.image_features(images, spec)
    assert tuple(features.shape) == shape
    assert feature_dim(spec) == shape[-1]
    torch.nn.Linear(shape[-1], 2)(features).sum().backward()


def test_a_mirrored_feature_is_the_mean_of_two_and_knows_no_left_from_right(untrained):
    images = torch.randint(0, 256, (5, 3, 128, 128), dtype=torch.uint8)
    here, there, both, turned = (
        visual_features.image_features(some, FeatureSpec(kind))
        for some, kind in (
            (images, "global"),
            (images.flip(-1), "global"),
            (images, "mirrored"),
            (images.flip(-1), "mirrored"),
        )
    )
    assert torch.allclose(both, (here + there) / 2, atol=1e-5) and not torch.allclose(here, there, atol=1e-3)
    assert torch.allclose(both, turned, atol=1e-5)


def test_a_mirrored_grid_matches_cell_by_cell(untrained):
    images = torch.randint(0, 256, (3, 3, 128, 128), dtype=torch.uint8)

    def cells(some, kind):
        return visual_features.image_features(some, FeatureSpec(kind)).unflatten(1, (8, 8))

    turned = images.flip(-1)
    both = cells(images, "mirrored_grid")
    assert torch.allclose(both, (cells(images, "grid") + cells(turned, "grid").flip(2)) / 2, atol=1e-5)
    assert torch.allclose(cells(turned, "mirrored_grid").flip(2), both, atol=1e-5)
    assert not torch.allclose(both.flip(2), both, atol=1e-2)  # left is still left


def test_features_do_not_depend_on_the_other_images(untrained, monkeypatch):
    images = torch.randint(0, 256, (5, 3, 128, 128), dtype=torch.uint8)
    whole = visual_features.image_features(images, FeatureSpec())
    monkeypatch.setattr(visual_features, "CHUNK", dict.fromkeys(visual_features.CHUNK, 2))
    assert torch.allclose(visual_features.image_features(images, FeatureSpec()), whole, atol=1e-5)


def test_pooling_by_hand():
    grid = torch.tensor([[[[1.0, 3.0], [5.0, 7.0]]]])
    assert pool(grid).tolist() == [[4.0, 7.0]]


def test_a_mosaic_keeps_its_quarters_and_says_what_is_in_them():
    from random import Random

    images, labels = draw_objects(8, Random(0))
    mosaic, there = mosaics(images, labels, torch.arange(8))
    assert torch.equal(mosaic[1, :, :64, 64:], images[5])
    assert torch.equal(mosaic[0, :, 64:, :64], images[2])
    assert there[0].nonzero().flatten().tolist() == sorted({int(k) * 11 + int(c) for k, c, _ in labels[:4]})


def test_unknown_kinds_and_backbones_are_refused():
    with pytest.raises(ItmError, match="grid"):
        feature_dim(FeatureSpec("patches", "mini"))
    with pytest.raises(ItmError, match="mobilenet_v2"):
        feature_dim(FeatureSpec("global", "mobilenet"))
    assert set(BACKBONES) >= {"mini", "mobilenet_v2", "resnet50"}


def test_a_cold_cache_trains_the_backbone_wherever_it_is_first_asked_for(tmp_path, monkeypatch):
    import itm_tutorial as itm
    from itm_tutorial.pretraining import backbone as pretraining

    for name, value in {"N_TRAIN": 64, "N_HELD_OUT": 20, "N_SCENES": 32, "EPOCHS": 1}.items():
        monkeypatch.setattr(pretraining, name, value)
    for first in ("score", "fit"):
        monkeypatch.setenv("ITM_CACHE", str(tmp_path / first))
        corpus = itm.load_corpus("scenes", size="tiny")
        model = itm.create_model("bow", corpus, dim=8, word_dim=8)
        if first == "score":
            assert itm.score(model, corpus.val).shape == (20, 100)
        itm.fit(model, corpus, epochs=1, batch_size=30, progress=False)


@pytest.mark.parametrize("name", [name for name in BACKBONES if name != "mini"])
def test_images_are_fitted_as_the_weights_were_measured(name):
    from torchvision.models import get_model_weights

    theirs, ours = get_model_weights(name).DEFAULT.transforms(), BACKBONES[name]
    assert ([ours.resized], [ours.image_size]) == (theirs.resize_size, theirs.crop_size)
    assert (list(ours.mean), list(ours.std)) == (theirs.mean, theirs.std)
    image = torch.randint(0, 256, (3, 300, 400), dtype=torch.uint8)
    seen = visual_features.normalised(visual_features.fitted(image, name)[None], name)[0]
    assert torch.allclose(seen, theirs(image), atol=1e-5)


def test_other_weights_give_other_features(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    file = versions.weights_file("resnet18")
    assert file.parent == tmp_path / "hub/checkpoints"
    file.parent.mkdir(parents=True)
    names = set()
    for content in (b"some", b"others"):
        file.write_bytes(content)
        names.add(versions.seen_by(FeatureSpec("global", "resnet18")))
    assert len(names) == 2
    with pytest.raises(ItmError, match="delete this file"):
        visual_features.create_backbone("resnet18")


def test_the_mini_backbones_global_feature_is_standardised_over_scenes(monkeypatch):
    from random import Random

    import numpy as np

    from itm_tutorial.pretraining import backbone as pretraining
    from itm_tutorial.worlds.scenes.drawing import draw_scene
    from itm_tutorial.worlds.scenes.layout import sample_scene

    for name, value in {"N_TRAIN": 64, "N_HELD_OUT": 20, "N_SCENES": 256, "EPOCHS": 1}.items():
        monkeypatch.setattr(pretraining, name, value)
    backbone, _ = pretraining.train_mini(seed=1)
    assert not any(module.training for module in backbone.modules())
    rng = Random(0)
    scenes = torch.from_numpy(np.stack([draw_scene(sample_scene(rng), 128, rng) for _ in range(128)]))
    with torch.no_grad():
        features = backbone.pooled(backbone(visual_features.normalised(scenes.permute(0, 3, 1, 2), "mini")))
    assert features.mean(0).abs().median() < 0.15
    assert 0.5 < features.std(0).median() < 1.3


@pytest.mark.parametrize("damage", ["cut short", "other names", "too few images", "other numbers"])
def test_damaged_features_in_the_cache_name_the_folder_to_delete(tmp_path, monkeypatch, damage):
    from itm_tutorial.data.corpus import Split
    from itm_tutorial.encoders.backbones import MiniBackbone
    from itm_tutorial.storage import read_tensors, write_tensors

    monkeypatch.setenv("ITM_CACHE", str(tmp_path))
    monkeypatch.setattr(visual_features, "load_mini", lambda: MiniBackbone().eval())
    images = [torch.full((3, 128, 128), 40 * i, dtype=torch.uint8) for i in range(3)]
    split, spec = (
        Split("val", images, ["a", "b", "c"], torch.arange(3), fingerprint="toy/val"),
        FeatureSpec("global", "mini"),
    )
    found = visual_features.split_features(split, spec)
    assert torch.equal(visual_features.split_features(split, spec), found)
    (file,) = tmp_path.rglob("features.safetensors")
    changed = {
        "other names": {"x": found.clone()},
        "too few images": {"features": found[:2].clone()},
        "other numbers": {"features": found.int()},
    }
    if damage in changed:
        write_tensors(file, changed[damage])
        assert read_tensors(file)
    else:
        file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(ItmError, match=f"{file}.*delete {file.parent} and make it again"):
        visual_features.split_features(split, spec)
