"""What the claim of generalised pooling measures: the learned weights, and recall with fewer regions."""

from __future__ import annotations

from typing import Any

import torch

from itm_tutorial.chapters.runner import Trained
from itm_tutorial.encoders.pooling import GeneralizedPooling
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.extraction.features import split_features
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.retrieval.scoring import CHUNK, encode_in_chunks


@torch.inference_mode()
def fewer_regions(trained: Trained) -> dict[str, float]:
    """rsum on the test split with the first half of the regions of each image alone."""
    model, split = trained.model, trained.corpus.test
    features = split_features(split, model.features)
    half = features[:, : max(1, features.shape[1] // 2)]
    image_emb = torch.cat(list(encode_in_chunks(model.encode_images, half, CHUNK)))
    caption_emb = torch.cat(list(encode_in_chunks(model.encode_captions, split.captions, CHUNK)))
    return {"half_rsum": evaluate(cosine(image_emb, caption_emb), split.image_of).rsum}


@torch.inference_mode()
def learned_weights(trained: Trained) -> dict[str, Any]:
    """theta of the image side for as many regions as the test split has; empty for fixed poolings."""
    pool, split = trained.model.image_encoder.pool, trained.corpus.test
    if not isinstance(pool, GeneralizedPooling):
        return {}
    n = split_features(split, trained.model.features).shape[1]
    theta = pool.weights(torch.tensor([n], device=trained.model.device), n)[0]
    return {
        "weights": [round(value, 4) for value in theta.tolist()],
        "first_weight": theta[0].item(),
        "even_weight": 1 / n,
    }
