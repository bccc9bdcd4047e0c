"""What the claim of PCME measures: whether an uncertain embedding is one that fits many items."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from itm_tutorial.chapters.runner import Trained
from itm_tutorial.data.text import tokenize
from itm_tutorial.evaluation.minimal_pairs import true_fractions
from itm_tutorial.evaluation.retrieval_metrics import evaluate
from itm_tutorial.extraction.features import split_features
from itm_tutorial.interaction.expected_distance import Gaussians, expected_distance
from itm_tutorial.retrieval.scoring import CHUNK, encode_in_chunks


def rank_correlation(a: Tensor, b: Tensor) -> float:
    """Spearman's correlation of two vectors [n], with mean ranks for ties; 0 where one of them is constant."""
    ranks = []
    for values in (a, b):
        _, inverse, counts = values.unique(return_inverse=True, return_counts=True)  # unique values rise
        last = counts.cumsum(0)
        ranks.append((last - (counts - 1) / 2)[inverse].double())
    ranks = [rank - rank.mean() for rank in ranks]
    return (ranks[0] @ ranks[1] / (ranks[0].norm() * ranks[1].norm()).clamp(min=1e-12)).item()


@torch.inference_mode()
def uncertainty(trained: Trained) -> dict[str, Any]:
    """The summed variance of embeddings against the number of true matches, and recall by expected distances.

    ``captions``, ``images``: rank correlation of the variance with the number of images that a caption is true of, or
    of captions that are true of an image, on the test split; ``words``: of a caption's variance with its number of
    words; ``expected_rsum``: rsum where the score is minus the expected squared distance.
    """
    model, split = trained.model, trained.corpus.test
    both = []
    for encode, inputs in (
        (model.encode_images, split_features(split, model.features)),
        (model.encode_captions, split.captions),
    ):
        chunks = list(encode_in_chunks(encode, inputs, CHUNK))
        both.append(Gaussians(*(torch.cat(parts) for parts in zip(*chunks, strict=True))))
    images, captions = both
    matches = true_fractions(split) >= 1  # bool [n_images, n_captions]
    words = torch.tensor([len(tokenize(text)) for text in split.captions])
    return {
        "uncertainty": {
            "captions": rank_correlation(captions.variance, matches.sum(0)),
            "images": rank_correlation(images.variance, matches.sum(1)),
            "words": rank_correlation(captions.variance, words),
        },
        "expected_rsum": evaluate(-expected_distance(images, captions), split.image_of).rsum,
    }
