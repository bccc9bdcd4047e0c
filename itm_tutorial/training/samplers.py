"""Samplers: which captions form a batch, for ``fit(..., sampler=...)``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

import torch
from torch import LongTensor

from itm_tutorial.data.corpus import check_identity
from itm_tutorial.errors import ItmError


def shuffled_captions(image_of: LongTensor, batch_size: int, generator: torch.Generator) -> Iterator[LongTensor]:
    """Every caption once, in random order: the field's usual sampler. An image may occur twice in a batch.

    Args:
        image_of: int64 [n_captions].
        batch_size: captions per batch; the rest, which does not fill a batch, is left out of this epoch.
        generator: random numbers of the epoch.

    Yields:
        int64 [batch_size], indices of captions.
    """
    order = torch.randperm(len(image_of), generator=generator)
    yield from order[: len(order) // batch_size * batch_size].split(batch_size)


def distinct_images(image_of: LongTensor, batch_size: int, generator: torch.Generator) -> Iterator[LongTensor]:
    """One random caption for each image, so that no image occurs twice in a batch (Vendrov et al. 2016).

    Args:
        image_of: int64 [n_captions].
        batch_size: captions, and so images, per batch.
        generator: random numbers of the epoch.

    Yields:
        int64 [batch_size], indices of captions.
    """
    order = torch.randperm(len(image_of), generator=generator)
    by_image = order[image_of[order].argsort(stable=True)]  # captions of one image together, in shuffled order
    first = torch.ones(len(order), dtype=torch.bool)
    first[1:] = image_of[by_image[1:]] != image_of[by_image[:-1]]
    chosen = by_image[first]
    chosen = chosen[torch.randperm(len(chosen), generator=generator)]
    yield from chosen[: len(chosen) // batch_size * batch_size].split(batch_size)


SAMPLERS = {"captions": shuffled_captions, "images": distinct_images}


def identities_by_images(identity: LongTensor, per_identity: int = 2) -> Callable[..., Iterator[LongTensor]]:
    """Makes a sampler whose batches hold the same number of captions of each of their identities.

    The captions of an identity are put into groups of ``per_identity``, from different images if possible. An epoch
    visits all identities repeatedly, in a new random order each time, until too few have a group left to fill a batch.
    Identities with many images occur more often, as in random batches.

    Args:
        identity: int64 [n_images], of the split that is trained on, such as ``corpus.train.identity``.
        per_identity: captions of each identity in a batch.

    Returns:
        A sampler: (image_of int64 [n_captions], batch_size, generator) -> index vectors of captions, as long as the
        largest multiple of ``per_identity`` up to batch_size.

    Raises:
        ItmError: per_identity below 1; and, when the sampler is used, an identity for each image of another split, a
            batch size that does not hold two identities, or more than there are.
    """
    if not isinstance(per_identity, int) or per_identity < 1:
        raise ItmError(f"per_identity is {per_identity!r}; give 1 or more, such as 2")

    def sampler(image_of: LongTensor, batch_size: int, generator: torch.Generator) -> Iterator[LongTensor]:
        if len(image_of) and int(image_of.max()) >= len(identity):
            raise ItmError(f"identity has {len(identity)} images, the pairing more: give corpus.train.identity")
        check_identity(identity, len(identity), "sampler")
        at_once = batch_size // per_identity
        n_identities = len(identity[image_of].unique())
        if not 2 <= at_once <= n_identities:
            raise ItmError(
                f"batch_size {batch_size} holds {at_once} identities of {per_identity} captions, and there are "
                f"{n_identities}: give {2 * per_identity} to {n_identities * per_identity}"
            )
        for hands in _rounds(_hands(identity, image_of, per_identity, generator)):
            order = torch.randperm(len(hands), generator=generator)  # identities of this round
            for some in order.split(at_once):
                if len(some) == at_once:
                    yield hands[some].flatten()

    sampler.__name__ = f"identities_by_images({per_identity})"  # what ``fit`` writes down
    return sampler


def _hands(
    identity: LongTensor, image_of: LongTensor, per_identity: int, generator: torch.Generator
) -> dict[int, LongTensor]:
    """Each identity's captions in hands, int64 [n_hands, per_identity]; neighbours in a hand are of other pictures."""
    stacks = defaultdict(lambda: defaultdict(list))  # identity -> image -> captions, all in random order
    for caption in torch.randperm(len(image_of), generator=generator).tolist():
        image = int(image_of[caption])
        stacks[int(identity[image])][image].append(caption)
    dealt = {}
    for who, of_image in stacks.items():
        seq_len = max(map(len, of_image.values()))
        turns = [stack[turn] for turn in range(seq_len) for stack in of_image.values() if turn < len(stack)]
        whole = turns[: len(turns) // per_identity * per_identity]
        dealt[who] = torch.tensor(whole, dtype=torch.int64).view(-1, per_identity)
    return dealt


def _rounds(dealt: dict[int, LongTensor]) -> Iterator[LongTensor]:
    """Hands by round: the first hand of every identity, then the second of those that have one, and so on."""
    for number in range(max(map(len, dealt.values()))):
        yield torch.stack([hands[number] for hands in dealt.values() if number < len(hands)])
