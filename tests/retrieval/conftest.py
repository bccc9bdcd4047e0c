"""Made-up splits that bring their features, and models with random weights: nothing is drawn, downloaded or trained."""

from random import Random

import pytest
import torch

from itm_tutorial.data.corpus import Split
from itm_tutorial.data.text import Vocabulary
from itm_tutorial.models import FeatureSpec, build_model

WORDS = [f"word{number}" for number in range(40)]
DIM = 8


@pytest.fixture(autouse=True)
def nobody_watches(monkeypatch):
    """No bars, unless a test asks for them."""
    monkeypatch.setenv("ITM_PROGRESS", "0")


@pytest.fixture
def make_split():
    """A split of n images with random features, and captions of 1 to 9 random words in a shuffled pairing."""

    def make(n_images=11, n_captions=23, regions=0, seed=0, identity=None, image_of=None):
        rng, generator = Random(seed), torch.Generator().manual_seed(seed)
        captions = [" ".join(rng.choices(WORDS, k=rng.randint(1, 9))) for _ in range(n_captions)]
        shape = (n_images, regions, DIM) if regions else (n_images, DIM)
        if image_of is None:
            image_of = torch.randint(n_images, (n_captions,), generator=generator)
        features = torch.randn(shape, generator=generator).numpy()
        return Split("test", [None] * n_images, captions, image_of, identity=identity, precomputed=features)

    return make


@pytest.fixture
def make_model():
    """A model of small embeddings with random weights, in training mode as ``create_model`` leaves it."""

    def make(name, seed=0, **options):
        spec = FeatureSpec("regions" if name.startswith("scan") else "global", "precomputed", DIM)
        sizes = {"embed_size": 6, "word_dim": 5}
        torch.manual_seed(seed)
        return build_model(name, Vocabulary(WORDS), spec, **{**sizes, **options}).train()

    return make


@pytest.fixture
def counted():
    """Counts the calls of a model's method and the rows or pairs that went through it."""

    def count(model, method):
        inner, calls = getattr(model, method), []

        def call(*args):
            made = inner(*args)
            first = made if isinstance(made, torch.Tensor) else made[0]
            calls.append(tuple(first.shape) if method.endswith("similarity") else len(first))
            return made

        setattr(model, method, call)
        return calls

    return count
