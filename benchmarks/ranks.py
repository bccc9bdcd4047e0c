"""Ranks of 5,000 images against 25,000 captions, dim 1024: counting in tiles beside the field's loop with argsort.

Both times include the scores. The loop answers one query in fifty and is scaled up; the ranks of these are compared
(random embeddings have no ties, so both ways must agree).

    python benchmarks/ranks.py
"""

import time

import numpy as np
import torch
from torch.nn.functional import normalize

from itm_tutorial.evaluation.retrieval_metrics import ranks


def make_codes(n_images: int, n_captions: int, dim: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Unit embeddings [n_images, dim] and [n_captions, dim], each caption near its image, and the pairing, shuffled."""
    generator = torch.Generator().manual_seed(0)
    images = normalize(torch.randn(n_images, dim, generator=generator), dim=-1)
    image_of = torch.randperm(n_captions, generator=generator) % n_images
    captions = normalize(images[image_of] + 2 * torch.randn(n_captions, dim, generator=generator) / dim**0.5, dim=-1)
    return images, captions, image_of


def measure(n_images: int, n_captions: int, dim: int, share: int) -> tuple[float, float, int, int]:
    """Times both ways.

    Args:
        n_images, n_captions, dim: of the embeddings.
        share: the loop answers one query in so many.

    Returns:
        Seconds of counting, seconds of the whole loop, queries whose ranks agree, queries that the loop answered.
    """
    images, captions, image_of = make_codes(n_images, n_captions, dim)
    start = time.perf_counter()
    i2t, t2i = ranks(images @ captions.T, image_of)
    counting = time.perf_counter() - start

    image_emb, caption_emb, owner = images.numpy(), captions.numpy(), image_of.numpy()
    asked_images, asked_captions = range(0, n_images, share), range(0, n_captions, share)
    same, start = 0, time.perf_counter()
    for i in asked_images:  # the field's way: one row of scores, one full sort, a search for each right caption
        order = np.argsort(caption_emb @ image_emb[i])[::-1]
        places = [int(np.where(order == c)[0][0]) for c in np.flatnonzero(owner == i)]
        same += min(places) + 1 == int(i2t[i])  # nothing right stands before the best of the right ones
    for c in asked_captions:
        order = np.argsort(image_emb @ caption_emb[c])[::-1]
        same += int(np.where(order == owner[c])[0][0]) + 1 == int(t2i[c])
    loop = (time.perf_counter() - start) * share
    return counting, loop, same, len(asked_images) + len(asked_captions)


def main() -> None:
    share = 50
    counting, loop, same, asked = measure(5_000, 25_000, 1024, share)
    print(f"counting {counting:.1f} s, loop {loop:.1f} s (from one query in {share}): {loop / counting:.1f} times")
    print(f"identical ranks: {same} of {asked}, on {torch.get_num_threads()} threads")


if __name__ == "__main__":
    main()
