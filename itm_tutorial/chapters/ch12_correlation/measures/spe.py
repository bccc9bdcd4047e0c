"""What the claim of SPE measures beside retrieval: whether a caption finds another caption of its image."""

from __future__ import annotations

from typing import Any

import torch
from torch import LongTensor, Tensor

from itm_tutorial.chapters.runner import Trained

CHUNK = 500  # captions compared with all others at a time


def first_is_sibling(embeddings: Tensor, image_of: LongTensor) -> float:
    """How often the nearest other caption is one of the same image, in percent; a tie with another caption is a miss.

    Args:
        embeddings: unit vectors [n_captions, dim].
        image_of: int64 [n_captions].

    Returns:
        R@1 over the captions that have another one of their image. The caption itself is never ranked; a ranking that
        includes it must ask for the first two.
    """
    hits = total = 0
    for rows in torch.arange(len(image_of)).split(CHUNK):
        scores = embeddings[rows] @ embeddings.T  # [chunk, n_captions]
        own = image_of[rows][:, None] == image_of[None]
        scores[torch.arange(len(rows)), rows] = -torch.inf
        own[torch.arange(len(rows)), rows] = False
        best = scores.masked_fill(~own, -torch.inf).amax(1)
        rival = scores.masked_fill(own, -torch.inf).amax(1)
        some = own.any(1)
        hits += int((best > rival)[some].sum())
        total += int(some.sum())
    return 100 * hits / max(1, total)


@torch.no_grad()
def sibling_recalls(trained: Trained) -> dict[str, Any]:
    """R@1 of another caption of the same image for a caption, on the test split."""
    test = trained.corpus.test
    embeddings = torch.cat(
        [trained.model.encode_captions(test.captions[i : i + CHUNK]).cpu() for i in range(0, len(test.captions), CHUNK)]
    )
    return {"sibling_r1": first_is_sibling(embeddings.float(), test.image_of)}
