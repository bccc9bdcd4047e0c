"""Ranks of 5,000 images against 25,000 captions, dim 1024: counting in tiles beside the field's loop with argsort.

Both times include the scores. The loop answers one query in fifty and is scaled up; the ranks of these are compared.

    python benchmarks/ranks.py
"""

import time

import numpy as np
import torch
from torch.nn.functional import normalize

from itm_tutorial.metrics import ranks

N_IMAGES, N_CAPTIONS, DIM, SHARE = 5_000, 25_000, 1024, 50


def main() -> None:
    generator = torch.Generator().manual_seed(0)
    images = normalize(torch.randn(N_IMAGES, DIM, generator=generator), dim=-1)
    image_of = torch.randperm(N_CAPTIONS, generator=generator) % N_IMAGES
    captions = normalize(images[image_of] + 2 * torch.randn(N_CAPTIONS, DIM, generator=generator) / DIM**0.5, dim=-1)

    start = time.perf_counter()
    i2t, t2i = ranks(images @ captions.T, image_of)
    ours = time.perf_counter() - start

    image_codes, caption_codes, owner = images.numpy(), captions.numpy(), image_of.numpy()
    start, same = time.perf_counter(), 0
    asked = range(0, N_IMAGES, SHARE)
    for i in asked:  # the field's way: one row of scores, one full sort, a search for each right caption
        order = np.argsort(caption_codes @ image_codes[i])[::-1]
        places = [int(np.where(order == c)[0][0]) for c in np.flatnonzero(owner == i)]
        others = [p - sum(q < p for q in places) for p in places]
        same += min(others) + 1 == int(i2t[i])
    asked_captions = range(0, N_CAPTIONS, SHARE)
    for c in asked_captions:
        order = np.argsort(image_codes @ caption_codes[c])[::-1]
        same += int(np.where(order == owner[c])[0][0]) + 1 == int(t2i[c])
    loop = (time.perf_counter() - start) * SHARE
    asked_for = len(asked) + len(asked_captions)
    print(f"counting {ours:.1f} s, loop {loop:.1f} s (from one query in {SHARE}): {loop / ours:.1f} times")
    print(f"identical ranks: {same} of {asked_for}")


if __name__ == "__main__":
    main()
