"""Scores of a whole split: every image against every caption."""

from __future__ import annotations

import torch
from torch import Tensor

from itm_tutorial.data.corpus import Split
from itm_tutorial.errors import ItmError
from itm_tutorial.extraction.features import split_features
from itm_tutorial.models import Matching

CHUNK = 512  # images or captions encoded at a time


@torch.inference_mode()
def score(model: Matching, split: Split, chunk: int = CHUNK, captions: list[str] | None = None) -> Tensor:
    """Scores every image of a split against every caption.

    Args:
        model: trained or not; it is left as it was.
        split: any split.
        captions: other texts than the split's own, such as the names of all classes.
        chunk: images, and captions, encoded and compared at a time.

    Returns:
        float32 [n_images, n_captions], on the CPU.

    Raises:
        ItmError: chunk below 1.
    """
    if chunk < 1:
        raise ItmError(f"chunk is {chunk}; give 1 or more")
    training = model.training
    model.eval()
    try:
        features = split_features(split, model.features)  # [n_images, ...]
        captions = split.captions if captions is None else captions
        scores = torch.empty(len(split.images), len(captions))
        image_emb = [model.encode_images(features[i : i + chunk]) for i in range(0, len(features), chunk)]
        for first in range(0, len(captions), chunk):
            caption_emb = model.encode_captions(captions[first : first + chunk])
            for row, embeddings in zip(range(0, len(features), chunk), image_emb, strict=True):
                tile = model.similarity(embeddings, caption_emb)  # [at most chunk, at most chunk]
                scores[row : row + chunk, first : first + chunk] = tile.float().cpu()
    finally:
        model.train(training)
    return scores
