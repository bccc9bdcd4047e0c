"""What the claim of DVSA measures besides recall and pointing: whether sums over words favour long captions."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from itm_tutorial.chapters.runner import Trained
from itm_tutorial.data.text import tokenize
from itm_tutorial.evaluation.retrieval_metrics import evaluate


def length_bias(trained: Trained) -> dict[str, Any]:
    """Scores against the length of captions in image-to-text search, as they are and divided by the number of words.

    ``correlation``: of an image's scores with the number of words, over all captions, as a mean over images;
    ``first_words``: words of the caption that an image ranks first, as a mean; ``i2t_r1``: in percent. Dividing does
    not change text-to-image search, where all scores belong to one caption. The division is not the paper's.
    """
    split = trained.corpus.test
    words = torch.tensor([len(tokenize(caption)) for caption in split.captions], dtype=torch.float32)
    found: dict[str, Any] = {"gallery_words": words.mean().item()}
    for name, scores in (("raw", trained.scores), ("divided", trained.scores / words)):
        found[name] = {
            "correlation": correlation(scores, words),
            "first_words": words[scores.argmax(1)].mean().item(),
            "i2t_r1": evaluate(scores, split.image_of).i2t.r1,
        }
    return {"length": found}


def correlation(scores: Tensor, words: Tensor) -> float:
    """The mean over images of Pearson's correlation between scores [n_images, n_captions] and words [n_captions]."""
    scores, words = scores.double(), words.double()
    centred, lengths = scores - scores.mean(1, keepdim=True), words - words.mean()
    return ((centred @ lengths) / (centred.norm(dim=1) * lengths.norm()).clamp(min=1e-12)).mean().item()
