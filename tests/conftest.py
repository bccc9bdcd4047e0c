"""What the tests share: the package's cache, so that worlds are drawn and networks trained once, not in every run."""

import os

import pytest
import torch

from itm_tutorial.storage import cache_dir

torch.set_num_threads(1 if "PYTEST_XDIST_WORKER" in os.environ else 2)  # a process per core, or one with both


@pytest.fixture(scope="session")
def cache():
    """The package's own cache, which a test may fill and never damages; a test that would takes a folder of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ITM_PROGRESS", "0")
        yield cache_dir()


@pytest.fixture(scope="session")
def tiny(cache):
    """The smallest drawn corpus."""
    import itm_tutorial as itm

    return itm.load_corpus("scenes", size="tiny")


@pytest.fixture
def register(monkeypatch):
    """``register_model`` for the length of one test."""
    from itm_tutorial.models import _registry

    monkeypatch.setattr(_registry, "_AT_RUN_TIME", {})
    monkeypatch.setattr(_registry, "_CLASSES", dict(_registry._CLASSES))
    return _registry.register_model


@pytest.fixture(scope="module")
def cheap_features():
    """Features of every kind that need no backbone: mean colours of patches, in the shapes of the mini backbone's."""
    from torch.nn.functional import adaptive_avg_pool2d, pad

    def features(split, spec):
        images = [split.images[i] for i in range(len(split.images))]
        if spec.kind == "pixels":
            return torch.stack(images)
        stack = torch.stack(images).float() / 255
        if spec.kind in ("global", "mirrored"):
            return torch.cat([adaptive_avg_pool2d(stack, 12).flatten(1), torch.ones(len(stack), 80)], 1)  # [n, 512]
        rows, columns = (8, 8) if spec.kind in ("grid", "mirrored_grid") else (4, 3)
        fine = adaptive_avg_pool2d(stack, (4 * rows, 4 * columns)).unflatten(3, (columns, 4)).unflatten(2, (rows, 4))
        cells = fine.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)  # [n, 64 or 12, 48]
        return pad(cells, (0, 208), value=0.1)

    with pytest.MonkeyPatch.context() as patch:
        for module in ("retrieval.scoring", "retrieval.search", "training.loop"):
            patch.setattr(f"itm_tutorial.{module}.split_features", features)
        yield features


@pytest.fixture
def instant_features(monkeypatch):
    """Features that need no backbone: the mean colour of sixteen patches, in place of the mini backbone's."""
    from torch.nn.functional import adaptive_avg_pool2d

    def patches(images, spec):
        stack = torch.stack([images[i] for i in range(len(images))]).float() / 255
        return torch.cat([adaptive_avg_pool2d(stack, 12).flatten(1), torch.ones(len(stack), 80)], 1)  # [n, 512]

    for module in ("retrieval.scoring", "retrieval.search", "training.loop"):
        name = f"itm_tutorial.{module}.split_features"
        monkeypatch.setattr(name, lambda split, spec: patches(split.images, spec))
    monkeypatch.setattr("itm_tutorial.retrieval.search.image_features", patches)


@pytest.fixture
def made_up_regions(monkeypatch):
    """Features that need no detector: the colours of sixteen patches of each of 16 squares, at the squares' boxes."""

    def patches(split, spec):
        stack = torch.stack([split.images[i] for i in range(len(split.images))]).float() / 255  # [n, 3, 128, 128]
        tiles = stack.unfold(2, 32, 32).unfold(3, 32, 32).permute(0, 2, 3, 1, 4, 5).flatten(1, 2)  # [n, 16, 3, 32, 32]
        small = torch.nn.functional.adaptive_avg_pool2d(tiles.flatten(0, 1), 4).flatten(1).view(len(stack), 16, 48)
        return torch.nn.functional.pad(small, (0, 256 - 48))

    from itm_tutorial.extraction.regions import grid_boxes

    for module in ("retrieval.scoring", "retrieval.search", "training.loop", "evaluation.grounding"):
        monkeypatch.setattr(f"itm_tutorial.{module}.split_features", patches)
    boxes = lambda split, spec: grid_boxes(16).expand(len(split.images), -1, -1)  # noqa: E731
    sure = lambda split, spec: torch.ones(len(split.images), 16)  # noqa: E731
    monkeypatch.setattr("itm_tutorial.evaluation.grounding.split_boxes", boxes)
    for module in ("retrieval.scoring", "training.loop"):
        monkeypatch.setattr(f"itm_tutorial.{module}.split_boxes", boxes)
        monkeypatch.setattr(f"itm_tutorial.{module}.split_confidence", sure)


@pytest.fixture
def grids(monkeypatch):
    """Grids that need no backbone: the mean colours of 8 x 4 patches, of 256 numbers a cell."""
    from torch.nn.functional import adaptive_avg_pool2d, pad

    def cells(split, spec):
        stack = torch.stack([split.images[i] for i in range(len(split.images))]).float() / 255
        colours = adaptive_avg_pool2d(stack, (8, 4)).flatten(2).transpose(1, 2)  # [n, 32, 3]
        return pad(colours, (0, 253)) if spec.kind == "grid" else pad(colours.flatten(1), (0, 512 - 96))

    for module in ("retrieval.scoring", "retrieval.search", "training.loop", "chapters.ch04_timam.measures"):
        monkeypatch.setattr(f"itm_tutorial.{module}.split_features", cells)
