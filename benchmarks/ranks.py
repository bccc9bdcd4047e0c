"""Ranks of 5,000 images and 25,000 captions, dim 1024: counting in tiles compared with the usual loop with argsort.

Both times include the scores. The loop runs for one query in fifty, and its time is scaled up; the ranks of these
queries are compared (random embeddings have no ties, so both ways must agree).

    python benchmarks/ranks.py
"""

import time

import numpy as np
import torch
from torch.nn.functional import normalize

from itm_tutorial.evaluation.retrieval_metrics import ranks


def make_embeddings(n_images: int, n_captions: int, dim: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Unit embeddings [n_images, dim] and [n_captions, dim], each caption near its image, and a random pairing."""
    generator = torch.Generator().manual_seed(0)
    images = normalize(torch.randn(n_images, dim, generator=generator), dim=-1)
    image_of = torch.randperm(n_captions, generator=generator) % n_images
    captions = normalize(images[image_of] + 2 * torch.randn(n_captions, dim, generator=generator) / dim**0.5, dim=-1)
    return images, captions, image_of


def measure(n_images: int, n_captions: int, dim: int, every: int) -> tuple[float, float, int, int]:
    """Times both ways.

    Args:
        n_images, n_captions, dim: of the embeddings.
        every: the loop runs for one query in this many.

    Returns:
        Seconds of counting, seconds of the whole loop, queries with equal ranks, queries of the loop.
    """
    images, captions, image_of = make_embeddings(n_images, n_captions, dim)
    start = time.perf_counter()
    i2t, t2i = ranks(images @ captions.T, image_of)
    counting = time.perf_counter() - start

    image_emb, caption_emb, owner = images.numpy(), captions.numpy(), image_of.numpy()
    some_images, some_captions = range(0, n_images, every), range(0, n_captions, every)
    same, start = 0, time.perf_counter()
    for i in some_images:  # the usual way: one row of scores, one full sort, a search for each positive
        order = np.argsort(caption_emb @ image_emb[i])[::-1]
        positions = [int(np.where(order == c)[0][0]) for c in np.flatnonzero(owner == i)]
        same += min(positions) + 1 == int(i2t[i])  # the best positive decides
    for c in some_captions:
        order = np.argsort(image_emb @ caption_emb[c])[::-1]
        same += int(np.where(order == owner[c])[0][0]) + 1 == int(t2i[c])
    loop = (time.perf_counter() - start) * every
    return counting, loop, same, len(some_images) + len(some_captions)


def main() -> None:
    every = 50
    counting, loop, same, n_queries = measure(5_000, 25_000, 1024, every)
    print(f"counting {counting:.1f} s, loop {loop:.1f} s (from one query in {every}): {loop / counting:.1f} times")
    print(f"identical ranks: {same} of {n_queries}, on {torch.get_num_threads()} threads")


if __name__ == "__main__":
    main()
