"""What the claim of zero-shot classification measures: a model of scenes names the things of the world of objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from itm_tutorial.chapters.runner import Run
from itm_tutorial.data.loading import load_corpus
from itm_tutorial.evaluation.class_metrics import hit_at_k
from itm_tutorial.evaluation.zero_shot import class_embeddings
from itm_tutorial.extraction.features import split_features
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.models import Matching
from itm_tutorial.retrieval.scoring import CHUNK, encode_in_chunks

LABEL, ONE = ("{}",), ("a photo of a {}",)
TEMPLATES = (  # openings and places of the drawn captions' grammar, short and long
    *ONE,
    "there is a {}",
    "a {} on the grass",
    "a {} in the snow",
    "a {} on the beach in the evening",
    "on the road there is a large {}",
    "a picture of a small {} in a field at sunset",
)


def caption_vectors(model: Matching, captions: list[str]) -> Tensor:
    """Embeddings of captions before they are scaled to unit length, [n_captions, dim]; needs a transformer."""
    tokens = model.tokenize(captions).to(model.device)
    return model.text_encoder.vectors(tokens.ids, tokens.lengths)


@torch.inference_mode()
def prompted(arm: str, templates: Sequence[str], normalise: str, run: Run) -> dict[str, Any]:
    """Hits of an arm's model among all kinds, on the test images of the world of objects of the same seed and size.

    Args:
        arm: trained on scenes, with a transformer over words.
        templates: with {} for the name of a kind.
        normalise: "each" or "mean": see ``evaluation.zero_shot.ensemble``.
        run: the arms trained so far.

    Returns:
        ``hit``: in percent, the kind among the first 1 and 5. Images whose kind no training caption names count too.
    """
    model = run.trained[arm].model
    objects = load_corpus("objects", size=run.size, seed=run.seed)
    vectors = class_embeddings(lambda texts: caption_vectors(model, texts), objects.classes.names, templates, normalise)
    images = split_features(objects.test, model.features)
    image_emb = torch.cat(list(encode_in_chunks(model.encode_images, images, CHUNK)))  # [n_images, dim]
    scores = cosine(image_emb, vectors)  # [n_images, n_classes]
    return {"hit": {str(k): hit_at_k(scores, objects.test.identity, k) for k in (1, 5)}}


def guessing(run: Run) -> dict[str, Any]:
    """A control: the hits of guessing among all kinds."""
    n = len(load_corpus("objects", size=run.size, seed=run.seed).classes.names)
    return {"hit": {str(k): 100 * k / n for k in (1, 5)}}
