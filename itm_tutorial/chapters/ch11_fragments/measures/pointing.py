"""The pointing game of chapter 11: the baselines of chapter 03, and one that reads the regions of another image."""

from __future__ import annotations

from typing import Any

import torch
from torch import LongTensor, Tensor

from itm_tutorial.chapters.runner import Trained
from itm_tutorial.data.corpus import Split
from itm_tutorial.evaluation.grounding import CONTROLS, attend, evaluate_attention
from itm_tutorial.models import Matching

FOREIGN = "regions of another image"
ALL_CONTROLS = (*CONTROLS, FOREIGN)


def pointing(trained: Trained) -> dict[str, Any]:
    """The pointing game in percent, of the model and of four baselines, and the number of words, by word class."""
    test = trained.corpus.test
    found = evaluate_attention(trained.model, test, trained.seed)
    return {"pointing": {**found.pointing, FOREIGN: foreign_pointing(trained.model, test)}, "words": found.words}


def foreign_pointing(model: Matching, split: Split) -> dict[str, float]:
    """The pointing game where each word sees the regions of the next image, and points at the own image's boxes.

    What it reaches above equal weights comes from the order of the regions, not from their content.

    Args:
        model: with attention.
        split: of a drawn world.

    Returns:
        Word class -> percent.
    """
    seen = attend(model, split, images=(split.image_of + 1) % len(split.images))
    of_image = torch.zeros(len(split.images), *seen.boxes.shape[1:])  # every image has captions, so all are filled
    of_image[seen.images] = seen.boxes
    tops = [weights.argmax(0) for weights in seen.weights]  # [n_words] each
    return points(tops, of_image[split.image_of], split)


def points(tops: list[LongTensor], boxes: Tensor, split: Split) -> dict[str, float]:
    """How often the centre of the region that a word points at lies in a box that the word names.

    Args:
        tops: per caption, int64 [n_words], the region that each word points at.
        boxes: of the regions, float32 [n_captions, n_regions, 4].
        split: of a drawn world.

    Returns:
        Word class -> percent.
    """
    hits: dict[str, list[bool]] = {}
    for row, pairs in enumerate(split.groundings):
        truth, true_boxes = split.facts.truths[row], split.boxes[int(split.image_of[row])]
        for word in dict.fromkeys(word for word, _ in pairs):
            box = boxes[row, tops[row][word]]
            centre = (box[:2] + box[2:]) / 2
            named = true_boxes[[b for w, b in pairs if w == word]]  # [n, 4]
            inside = ((centre > named[:, :2]) & (centre < named[:, 2:])).all(1).any()
            hits.setdefault(truth.words[word].word_class, []).append(bool(inside))
    return {kind: 100 * torch.tensor(found).double().mean().item() for kind, found in hits.items()}
