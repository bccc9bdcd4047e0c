"""What the tests share: one cache folder a session, so that worlds are drawn and the backbone trained once."""

import pytest
import torch

torch.set_num_threads(2)


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """A cache folder of the session's own."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ITM_CACHE", str(folder))
        patch.setenv("ITM_PROGRESS", "0")
        yield folder


@pytest.fixture(scope="session")
def tiny(cache):
    """The smallest drawn corpus."""
    import itm_tutorial as itm

    return itm.load_corpus("scenes", size="tiny")


@pytest.fixture
def instant_features(monkeypatch):
    """Features that need no backbone: the mean colour of sixteen patches, in place of the mini backbone's."""
    from torch.nn.functional import adaptive_avg_pool2d

    def patches(images, spec):
        stack = torch.stack([images[i] for i in range(len(images))]).float() / 255
        return torch.cat([adaptive_avg_pool2d(stack, 12).flatten(1), torch.ones(len(stack), 80)], 1)  # [n, 512]

    for module in ("retrieval", "training"):
        name = f"itm_tutorial.{module}.split_features"
        monkeypatch.setattr(name, lambda split, spec: patches(split.images, spec))
    monkeypatch.setattr("itm_tutorial.retrieval.image_features", patches)
