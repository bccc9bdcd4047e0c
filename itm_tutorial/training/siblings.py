"""A sampler for losses that compare captions of one image: it is known to ``fit`` as "siblings"."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import LongTensor

from itm_tutorial.errors import ItmError
from itm_tutorial.training.samplers import SAMPLERS, identities_by_images


def siblings(image_of: LongTensor, batch_size: int, generator: torch.Generator) -> Iterator[LongTensor]:
    """Two captions of each image of a batch (Wang et al. 2016).

    An epoch pairs the captions of each image at random, and visits all images repeatedly, in a new random order each
    time: an image with five captions comes twice, and one caption of it is left out of this epoch.

    Args:
        image_of: int64 [n_captions].
        batch_size: captions per batch, of half as many images; all that have two captions, where these are fewer.
        generator: random numbers of the epoch.

    Yields:
        int64, indices of captions, as many as the largest even number up to batch_size; the two of an image are
        neighbours.

    Raises:
        ItmError: a batch of fewer than two images, or fewer than two images with two captions.
    """
    n_images = int((image_of.bincount() > 1).sum())
    if n_images < 2:
        raise ItmError(
            f'the sampler "siblings" needs images with two captions each, and the split has {n_images}: choose '
            'sampler="captions"'
        )
    at_once = min(batch_size // 2, n_images)
    if at_once < 2:
        raise ItmError(f'batch_size is {batch_size}, and "siblings" takes two captions of two images: give 4 or more')
    yield from identities_by_images(torch.arange(int(image_of.max()) + 1))(image_of, 2 * at_once, generator)


SAMPLERS["siblings"] = siblings
