"""Regions: an untrained detector for shapes, a loop for each vectorised choice, and one real training run."""

from random import Random
from urllib.error import URLError

import pytest
import torch
from torch.nn.functional import adaptive_avg_pool2d
from torchvision.ops import box_iou, nms

from itm_tutorial.data.corpus import Split
from itm_tutorial.encoders.backbones import MiniBackbone, weights_file
from itm_tutorial.encoders.detector import best_boxes, cell_centres, overlaps
from itm_tutorial.errors import ItmError
from itm_tutorial.extraction import regions
from itm_tutorial.models import FeatureSpec
from itm_tutorial.pretraining import detector as region_training

MINI = FeatureSpec("regions", "mini")


@pytest.fixture
def untrained(monkeypatch):
    torch.manual_seed(0)
    detector = region_training.new_detector(MiniBackbone()).eval()
    monkeypatch.setattr(regions, "load_detector", lambda: detector)
    return detector


def pictures(n, size=128):
    return torch.randint(0, 256, (n, 3, size, size), generator=torch.Generator().manual_seed(n), dtype=torch.uint8)


def some_boxes(*shape):
    corners = torch.rand(*shape, 2, 2, generator=torch.Generator().manual_seed(1)).sort(-2).values
    return corners.flatten(-2)


def drawn(images, boxes):
    return Split("test", images, [], torch.empty(0, dtype=torch.int64), boxes=boxes)


def area(boxes):
    return (boxes[..., 2:] - boxes[..., :2]).prod(-1)


@pytest.mark.parametrize("shape", [(128, 128), (64, 96)])
@pytest.mark.parametrize("n_regions", [1, 12])
def test_every_image_has_as_many_regions_as_were_asked_for(untrained, shape, n_regions):
    with torch.no_grad():
        features, boxes, scores = untrained.detect(torch.randn(2, 3, *shape), n_regions)
    assert (features.shape, boxes.shape, scores.shape) == ((2, n_regions, 256), (2, n_regions, 4), (2, n_regions))
    assert ((scores >= 0) & (scores <= 1)).all()


def test_more_regions_than_cells_are_refused(untrained):
    with pytest.raises(ItmError, match="13 regions of 8 boxes"):
        untrained.detect(torch.randn(1, 3, 16, 32), 13)


@pytest.mark.parametrize("weight", [0.0, 1e3, -1e3])
def test_boxes_have_an_area_and_stay_inside_whatever_the_weights(untrained, weight):
    torch.nn.init.constant_(untrained.sides.bias, weight)
    blank = torch.full((3, 3, 128, 128), 255, dtype=torch.uint8)
    features, boxes, _ = regions.region_features(blank, MINI)
    assert (features.shape, boxes.shape) == ((3, 12, 256), (3, 12, 4))
    assert features.dtype == boxes.dtype == torch.float32
    assert ((boxes >= 0) & (boxes <= 1)).all() and (area(boxes) > 0).all()


def test_regions_are_the_same_twice_and_with_any_other_images(untrained, monkeypatch):
    images = pictures(5)
    first, again = regions.region_features(images, MINI), regions.region_features(images, MINI)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    monkeypatch.setattr(regions, "CHUNK", dict.fromkeys(regions.CHUNK, 2))
    apart = regions.region_features([images[i] for i in range(5)], MINI)
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(first, apart, strict=True))
    torch.nn.Linear(256, 2)(first[0]).sum().backward()  # a model can be trained on them


def test_a_region_holds_no_coordinates(untrained):
    thing = torch.randn(1, 3, 32, 32)
    read = []
    for at in (96, 128):  # far enough from the edge, where padding has an effect
        canvas = torch.zeros(1, 3, 256, 256)
        canvas[:, :, at : at + 32, at - 16 : at + 16] = thing
        box = torch.tensor([[[at - 16, at, at + 16, at + 32]]]) / 256
        with torch.no_grad():
            read.append(untrained.read(untrained(canvas)[0], box))
    assert read[0].std() > 0
    assert torch.allclose(read[0], read[1], atol=1e-5)


def test_images_of_another_size_are_refused(untrained):
    with pytest.raises(ItmError, match=r"image 1 is \[3, 64, 64\] for mini: resize it to \[3, 128, 128\]"):
        regions.region_features([pictures(1)[0], pictures(1, 64)[0]], MINI)


def test_best_boxes_against_a_loop():
    boxes, scores = some_boxes(4, 30), torch.rand(4, 30)
    for chosen, own, score in zip(best_boxes(boxes, scores, 20), boxes, scores, strict=True):
        kept = nms(own, score, 0.5).tolist()
        others = [i for i in score.argsort(descending=True).tolist() if i not in kept]
        assert chosen.tolist() == (kept + others)[:20]


def test_overlaps_against_a_loop():
    a, b = some_boxes(3, 5), some_boxes(3, 7)
    assert torch.allclose(overlaps(a, b), torch.stack([box_iou(x, y) for x, y in zip(a, b, strict=True)]))


def test_the_assigned_cells_against_a_loop():
    true = some_boxes(3, 5)
    true[0, 3:] = 0  # padding
    centres = cell_centres(torch.empty(1, 1, 8, 8))
    owner = region_training.assign_cells(centres, true, 8)
    for image, boxes in enumerate(true.tolist()):
        for cell, (x, y) in enumerate(centres.tolist()):
            able = []
            for i, (x0, y0, x1, y1) in enumerate(boxes):
                across, up = (min(max(side / 2, 0.5 / 8), 1.5 / 8) for side in (x1 - x0, y1 - y0))
                if x1 > x0 and abs(x - (x0 + x1) / 2) <= across and abs(y - (y0 + y1) / 2) <= up:
                    able.append(((x1 - x0) * (y1 - y0), i))
            assert owner[image, cell] == (min(able)[1] if able else -1)


def test_training_scenes_are_labelled_in_the_order_of_their_boxes():
    images, boxes, labels = region_training.draw_labelled(6, Random(3))
    assert images.shape == (6, 3, 128, 128) and images.dtype == torch.uint8
    assert boxes.shape[:2] == labels.shape[:2] and boxes.shape[2] == 4 and labels.shape[2] == 3
    assert torch.equal(area(boxes) > 0, labels[..., 0] >= 0)


def test_a_step_of_training_reaches_every_weight():
    torch.manual_seed(0)
    detector = region_training.new_detector(MiniBackbone()).train()
    loss = region_training.objective(detector, *region_training.draw_labelled(4, Random(0)))
    loss.backward()
    assert loss.isfinite()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in detector.parameters())


def test_the_oracle_reads_true_boxes_first_and_in_their_order(untrained):
    images, true = pictures(3), [some_boxes(20), some_boxes(2), torch.empty(0, 4)]
    features, boxes, confidence = regions.oracle_features(drawn(images, true), MINI)
    found = regions.region_features(images, MINI)[1]
    assert (features.shape, boxes.shape) == ((3, 12, 256), (3, 12, 4))
    assert torch.equal(boxes[0], true[0][:12])
    again = (box_iou(found[1], true[1]) >= 0.5).any(1)
    assert torch.equal(boxes[1], torch.cat([true[1], found[1][~again], found[1][again]])[:12])
    assert torch.equal(boxes[2], found[2])
    assert (confidence[0] == 1).all() and (confidence[1, :2] == 1).all() and (confidence[1, 2:] < 1).all()
    assert torch.equal(confidence[2], regions.region_features(images, MINI).confidence[2])


def test_the_oracle_asks_for_true_boxes(untrained):
    with pytest.raises(ItmError, match='test: kind="oracle" reads true boxes'):
        regions.oracle_features(drawn(pictures(1), None), MINI)


def test_detected_boxes_that_match_a_true_one_come_last():
    found = torch.tensor([[[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1], [0.5, 0, 1, 0.5]]])
    true = [torch.tensor([[0.0, 0.0, 0.5, 0.45]])]
    assert torch.equal(
        regions.true_first(true, found, torch.ones(1, 3))[0][0], torch.stack([true[0][0], found[0, 1], found[0, 2]])
    )


def test_boxes_of_cells_are_in_the_order_of_grid_features():
    picture, boxes = torch.zeros(1, 1, 32, 32), regions.grid_boxes(16)
    for number, (x0, y0, x1, y1) in enumerate((boxes * 32).int().tolist()):
        picture[:, :, y0:y1, x0:x1] = number
    assert adaptive_avg_pool2d(picture, 4).flatten(2).flatten().tolist() == list(range(16))
    for wrong in (12, 0, -1):
        with pytest.raises(ItmError, match=f"{wrong} cells make no square grid"):
            regions.grid_boxes(wrong)


@pytest.fixture
def photographs(tmp_path, monkeypatch):
    """A folder of random weights in place of torchvision's."""
    from torchvision.models import resnet18
    from torchvision.models.detection import fasterrcnn_mobilenet_v3_large_320_fpn

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    torch.manual_seed(0)
    weights_file("resnet18").parent.mkdir(parents=True)
    torch.save(resnet18(weights=None).state_dict(), weights_file("resnet18"))
    network = fasterrcnn_mobilenet_v3_large_320_fpn(weights=None, weights_backbone=None)
    torch.save(network.state_dict(), weights_file(regions.BOXES_BY))
    return FeatureSpec("regions", "resnet18")


@pytest.mark.slow
def test_photographs_have_thirty_six_regions(photographs):
    images = torch.cat([pictures(1, 224), torch.zeros(1, 3, 224, 224, dtype=torch.uint8)])
    features, boxes, confidence = regions.region_features(images, photographs)
    assert (features.shape, boxes.shape) == ((2, 36, 512), (2, 36, 4))
    assert ((boxes >= 0) & (boxes <= 1)).all() and (area(boxes) > 0).all()
    assert len(boxes[0].unique(dim=0)) == 36


def test_where_nothing_is_found_cells_fill_the_rest():
    network = regions.PhotoDetector.__new__(regions.PhotoDetector)
    torch.nn.Module.__init__(network)
    one = {"boxes": torch.tensor([[0.0, 0.0, 120.0, 60.0]]), "scores": torch.tensor([0.9])}
    network.finder = lambda images: [one, {"boxes": torch.empty(0, 4), "scores": torch.empty(0)}]
    network.backbone = torch.nn.Identity()
    _, boxes, scores = network.propose(torch.zeros(2, 3, 120, 120), 9)
    assert boxes[0, 0].tolist() == [0, 0, 1, 0.5] and torch.equal(boxes[0, 1:], regions.grid_boxes(9)[:8])
    assert torch.equal(boxes[1], regions.grid_boxes(9))
    assert scores[0, 1:].eq(0).all() and scores[1].eq(0).all()


def test_missing_weights_are_reported_with_their_place_and_the_grid_as_another_way(photographs, monkeypatch):
    def refuse(*_, **__):
        raise URLError("no network")

    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)
    weights_file(regions.BOXES_BY).unlink()
    with pytest.raises(
        ItmError, match=f'{regions.BOXES_BY} cannot be had from .*checkpoints.*https://.*features="grid"'
    ):
        regions.region_features(pictures(1, 224), photographs)
    weights_file(regions.BOXES_BY).write_bytes(b"cut short")
    with pytest.raises(ItmError, match="delete this file"):
        regions.region_features(pictures(1, 224), photographs)


def test_a_detector_is_trained_once_and_kept(tmp_path, monkeypatch):
    from itm_tutorial.pretraining import backbone as pretraining
    from itm_tutorial.storage import read_json

    monkeypatch.setenv("ITM_CACHE", str(tmp_path))
    for name, value in {"N_TRAIN": 64, "N_HELD_OUT": 20, "N_SCENES": 32, "EPOCHS": 1}.items():
        monkeypatch.setattr(pretraining, name, value)
    for name, value in {"N_TRAIN": 32, "N_HELD_OUT": 8, "BATCH": 16, "EPOCHS": 1}.items():
        monkeypatch.setattr(region_training, name, value)
    with torch.inference_mode():  # as when features are extracted
        first = region_training.load_detector(seed=1)
    monkeypatch.setattr(region_training, "train_detector", None)
    second = region_training.load_detector(seed=1)
    assert not second.training
    assert all(
        torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )
    metrics = read_json(region_training.detector_folder(seed=1) / "figures.json")
    assert set(metrics) == {"recall", "kind", "colour", "seconds", "seed"}


@pytest.mark.slow
def test_the_trained_detector_is_useful_and_imperfect(tiny):
    from itm_tutorial.storage import read_json

    region_training.load_detector()
    metrics = read_json(region_training.detector_folder() / "figures.json")
    assert 0.75 < metrics["recall"] < 0.99
    assert 0.6 < metrics["kind"] < 0.99
    assert metrics["colour"] > 0.9
    _, boxes, _ = regions.region_features(tiny.train.images, MINI)
    covered = [(box_iou(t, b).amax(1) >= 0.5) for t, b in zip(tiny.train.boxes, boxes, strict=True)]
    assert torch.cat(covered).float().mean() > 0.7
