"""Samplers: what a batch holds, and that its order is another in every epoch."""

import pytest
import torch

import itm_tutorial as itm
from itm_tutorial.errors import ItmError
from itm_tutorial.training.samplers import distinct_images, identities_by_images, shuffled_captions


@pytest.fixture(scope="module")
def people(cache):
    return itm.load_corpus("people", size="tiny")


def test_every_caption_comes_once_and_no_image_twice():
    image_of, generator = torch.arange(100) // 5, torch.Generator().manual_seed(0)
    batches = torch.cat(list(shuffled_captions(image_of, 10, generator)))
    assert sorted(batches.tolist()) == list(range(100))
    for batch in distinct_images(image_of, 7, generator):
        assert len(image_of[batch].unique()) == 7


def test_distinct_images_take_any_pairing_and_every_caption_in_time():
    image_of, generator = torch.tensor([3, 0, 3, 5, 0, 3, 1]), torch.Generator().manual_seed(0)
    seen = set()
    for _ in range(50):
        (batch,) = distinct_images(image_of, 4, generator)
        assert sorted(image_of[batch].tolist()) == [0, 1, 3, 5]
        seen |= set(batch.tolist())
    assert seen == set(range(7))


@pytest.mark.parametrize("per_identity", [1, 2, 3])
def test_every_batch_of_the_sampler_shows_so_many_identities_and_pictures(people, per_identity):
    identity, image_of = people.train.identity, people.train.image_of
    sampler, generator = identities_by_images(identity, per_identity), torch.Generator().manual_seed(0)
    seen = []
    for _ in range(20):
        for batch in sampler(image_of, 4 * per_identity + (per_identity > 1), generator):
            _, counts = identity[image_of[batch]].unique(return_counts=True)
            assert counts.tolist() == [per_identity] * 4
            seen.append(batch)
        pictures = image_of[batch].view(4, per_identity)
        if per_identity == 2:
            assert all(len(set(hand.tolist())) == 2 for hand in pictures)
    assert set(torch.cat(seen).tolist()) == set(range(len(image_of)))
    epoch = torch.cat(list(sampler(image_of, 4 * per_identity, generator)))
    assert len(epoch.unique()) == len(epoch)  # nothing twice in an epoch
    assert sampler.__name__ == f"identities_by_images({per_identity})"


def test_what_a_sampler_cannot_do_is_refused():
    identity, image_of, generator = torch.tensor([5, 5, 9]), torch.tensor([0, 1, 2, 2]), torch.Generator()
    sampler = identities_by_images(identity, 2)
    assert sorted(next(iter(sampler(image_of, 4, generator))).tolist()) == [0, 1, 2, 3]
    for batch_size in (2, 3, 6):
        with pytest.raises(ItmError, match="give 4 to 4"):
            list(sampler(image_of, batch_size, generator))
    with pytest.raises(ItmError, match="per_identity"):
        identities_by_images(identity, 0)
    with pytest.raises(ItmError, match="corpus.train.identity"):
        list(identities_by_images(identity[:2])(image_of, 4, generator))


def rounds_of(at_once, seed, n_identities=8, n_images=6):
    """Each round through all identities: its batches, each a set of identities."""
    identity, image_of = torch.arange(n_identities * n_images) % n_identities, torch.arange(n_identities * n_images)
    picked = identities_by_images(identity, 1)(image_of, at_once, torch.Generator().manual_seed(seed))
    batches = [frozenset(identity[batch].tolist()) for batch in picked]
    per_round = n_identities // at_once
    assert len(batches) == n_images * per_round and {len(batch) for batch in batches} == {at_once}
    return [frozenset(batches[first : first + per_round]) for first in range(0, len(batches), per_round)]


@pytest.mark.parametrize("seed", range(5))
def test_identities_meet_others_in_every_round(seed):
    rounds = rounds_of(4, seed)
    assert all(frozenset.union(*batches) == set(range(8)) for batches in rounds)
    assert len(set(rounds)) > 1


def test_the_identities_that_fill_no_batch_are_others_in_every_round():
    left_out = [set(range(8)) - frozenset.union(*batches) for batches in rounds_of(3, seed=0)]
    assert all(len(some) == 2 for some in left_out)
    assert not set.intersection(*left_out)


def test_a_late_round_with_too_few_identities_gives_no_batch():
    identity = torch.tensor([0, 1, 2, 0, 1, 0])  # only one is left in the third round
    batches = list(identities_by_images(identity, 1)(torch.arange(6), 2, torch.Generator().manual_seed(0)))
    assert [len(batch) for batch in batches] == [2, 2]


@pytest.mark.parametrize(
    "sampler", [shuffled_captions, distinct_images, identities_by_images(torch.arange(12) // 3, 2)]
)
def test_the_generator_alone_decides_on_the_order(sampler):
    image_of = torch.arange(36) % 12
    first, again, other = (
        torch.cat(list(sampler(image_of, 4, torch.Generator().manual_seed(seed)))).tolist() for seed in (0, 0, 1)
    )
    assert first == again != other
