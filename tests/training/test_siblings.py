"""The sampler "siblings": two captions of each image of a batch."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import itm_tutorial as itm
from itm_tutorial.errors import ItmError
from itm_tutorial.training.samplers import SAMPLERS
from itm_tutorial.training.siblings import siblings

SETTINGS = {"epochs": 1, "sampler": "siblings", "device": "cpu", "progress": False}


@given(st.lists(st.integers(0, 6), min_size=4, max_size=40), st.integers(4, 20), st.integers(0, 9999))
def test_two_captions_of_each_image_of_a_batch(image_of, batch_size, seed):
    image_of = torch.tensor(image_of)
    n_images = int((image_of.bincount() >= 2).sum())
    generator = torch.Generator().manual_seed(seed)
    if n_images < 2:
        with pytest.raises(ItmError, match='sampler="captions"'):
            list(siblings(image_of, batch_size, generator))
        return
    batches = list(siblings(image_of, batch_size, generator))
    assert batches  # the first round always fills one
    for batch in batches:
        _, counts = image_of[batch].unique(return_counts=True)
        assert counts.tolist() == [2] * min(batch_size // 2, n_images)
        assert all(a == b for a, b in image_of[batch].view(-1, 2).tolist())
    seen = torch.cat(batches)
    assert len(seen.unique()) == len(seen)


def test_in_time_every_caption_and_every_pair_is_shown():
    image_of, generator = torch.arange(20) // 5, torch.Generator().manual_seed(0)
    batches = [batch for _ in range(60) for batch in siblings(image_of, 8, generator)]
    pairs = {tuple(sorted(pair)) for pair in torch.cat(batches).view(-1, 2).tolist()}
    assert len(pairs) == 4 * 10
    assert len(batches) == 60 * 2  # an image of five captions comes twice


def test_the_generator_alone_decides_on_the_order():
    image_of = torch.arange(36) % 12
    first, again, other = (
        torch.cat(list(siblings(image_of, 4, torch.Generator().manual_seed(seed)))).tolist() for seed in (0, 0, 1)
    )
    assert first == again != other


def test_a_small_split_trains_in_smaller_batches(tiny):
    assert SAMPLERS["siblings"] is siblings
    model, n_images = itm.create_model("bow", tiny), len(tiny.train.images)
    itm.fit(model, tiny, batch_size=2 * n_images + 10, **SETTINGS)
    with pytest.raises(ItmError, match="give 4 or more"):
        itm.fit(model, tiny, batch_size=3, **SETTINGS)


def test_a_split_without_two_captions_of_an_image_is_refused(tiny):
    split = tiny.train
    first = [split.image_of.tolist().index(i) for i in range(len(split.images))]
    captions = [split.captions[i] for i in first]
    split = replace(split, captions=captions, image_of=torch.arange(len(first)), facts=None)
    alone = replace(tiny, splits={**tiny.splits, "train": split})
    with pytest.raises(ItmError, match='sampler="captions"'):
        itm.fit(itm.create_model("bow", alone), alone, batch_size=4, **SETTINGS)
