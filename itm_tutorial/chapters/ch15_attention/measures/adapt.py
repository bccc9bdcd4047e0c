"""What the claim of ADAPT measures: how many pairs per second a model scores, once both sides are encoded."""

from __future__ import annotations

import time
from typing import Any

import torch

from itm_tutorial.chapters.runner import Trained
from itm_tutorial.encoders.embeddings import pick
from itm_tutorial.extraction.features import split_features
from itm_tutorial.retrieval.scoring import evaluation_mode

SOME, ROUNDS = 250, 5  # images, and captions, of the test split; the fastest round counts


@torch.inference_mode()
def speed(trained: Trained) -> dict[str, Any]:
    """Thousands of pairs per second, on one thread, for the first ``SOME`` images and captions of the test split."""
    model, split = trained.model, trained.corpus.test
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with evaluation_mode(model):
            image_emb = model.encode_images(pick(split_features(split, model.features), slice(0, SOME)))
            caption_emb = model.encode_captions(split.captions[:SOME])
            best = float("inf")
            for _ in range(ROUNDS):
                start = time.perf_counter()
                scores = model.similarity(image_emb, caption_emb)
                best = min(best, time.perf_counter() - start)
    finally:
        torch.set_num_threads(threads)
    return {"thousand_pairs_per_second": scores.numel() / best / 1000}
