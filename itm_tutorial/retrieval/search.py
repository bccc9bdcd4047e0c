"""Search by a text or by an image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from itm_tutorial.data.corpus import Split
from itm_tutorial.data.text import tokenize
from itm_tutorial.errors import ItmError
from itm_tutorial.extraction.features import image_features, split_features
from itm_tutorial.models import Matching
from itm_tutorial.retrieval.scoring import CHUNK


@dataclass(frozen=True)
class Hits:
    """What a search found, best first.

    Attributes:
        query: the text that was asked for, or "an image".
        indices: of images (for a text) or of captions (for an image).
        scores: one each.
    """

    query: str
    indices: list[int]
    scores: list[float]


@torch.inference_mode()
def search(model: Matching, split: Split, query: str | Tensor, k: int = 8) -> Hits:
    """Finds the images that fit a text, or the captions that fit an image.

    Args:
        model: a trained model.
        split: where to search.
        query: a text, or an image, uint8 [3, H, W].
        k: how many to find; fewer where the split is smaller.

    Returns:
        The hits, best first.

    Raises:
        ItmError: k below 1, an empty text, or an image of another shape.
    """
    if k < 1:
        raise ItmError(f"k is {k}; give 1 or more")
    if isinstance(query, str) and not tokenize(query):
        raise ItmError(f"the query {query!r} has no word in it: say what the picture should show")
    training = model.training
    model.eval()
    try:
        if isinstance(query, str):
            features = split_features(split, model.features)
            text = model.encode_captions([query])
            found = torch.cat(
                [model.similarity(embeddings, text)[:, 0] for embeddings in _image_embeddings(model, features)]
            )
        elif isinstance(query, Tensor) and query.ndim == 3 and len(query) == 3 and query.dtype == torch.uint8:
            image = model.encode_images(image_features([query], model.features))
            parts = [split.captions[i : i + CHUNK] for i in range(0, len(split.captions), CHUNK)]
            found = torch.cat([model.similarity(image, model.encode_captions(part))[0] for part in parts])
        else:
            raise ItmError("query is neither a text nor an image: give a str, or a uint8 tensor [3, H, W]")
    finally:
        model.train(training)
    values, indices = found.float().cpu().topk(min(k, len(found)))
    return Hits(query if isinstance(query, str) else "an image", indices.tolist(), values.tolist())


def _image_embeddings(model: Matching, features: Tensor) -> Iterator:
    return (model.encode_images(features[i : i + CHUNK]) for i in range(0, len(features), CHUNK))
