"""What notebook 21 computes from its own runs: the space during training, zero-shot guesses, errors that are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from itm_tutorial.chapters.small_galleries import first_images
from itm_tutorial.data.corpus import Split
from itm_tutorial.evaluation.minimal_pairs import true_fractions
from itm_tutorial.evaluation.modality_gap import modality_gap
from itm_tutorial.extraction.features import split_features
from itm_tutorial.models import Matching
from itm_tutorial.retrieval.scoring import CHUNK, encode_in_chunks, evaluation_mode

LOOKED_AT = 100  # images of the split that a record looks at


@dataclass(frozen=True)
class Space:
    """An embedding space at one moment of training.

    Attributes:
        epoch: how many are done.
        positives: cosines of positive pairs, float32 [n_captions].
        others: cosines of all other pairs, float32 [n_others].
        gap: distance between the mean image embedding and the mean caption embedding.
        scale: what the loss multiplies the cosines with.
    """

    epoch: int
    positives: Tensor
    others: Tensor
    gap: float
    scale: float


@dataclass
class Record:
    """A callback of ``fit`` that looks at the space before training and after each epoch.

    Args:
        split: of which the first images are looked at.
    """

    split: Split
    moments: list[Space] = field(default_factory=list)

    def __post_init__(self):
        self.split = first_images(self.split, LOOKED_AT)

    def __call__(self, model: Matching, row: Mapping[str, Any] | None = None) -> None:
        """Adds a moment; without a row, that before training."""
        with torch.inference_mode(), evaluation_mode(model):
            features = split_features(self.split, model.features)
            image_emb = torch.cat(list(encode_in_chunks(model.encode_images, features, CHUNK)))
            caption_emb = torch.cat(list(encode_in_chunks(model.encode_captions, self.split.captions, CHUNK)))
        cosines = image_emb @ caption_emb.T  # [n_images, n_captions]
        own = torch.arange(len(image_emb))[:, None] == self.split.image_of
        scale = model.loss_function.scale().item()
        gap = modality_gap(image_emb, caption_emb)
        self.moments.append(Space(row["epoch"] if row else 0, cosines[own], cosines[~own], gap, scale))


@dataclass(frozen=True)
class FalseError:
    """A caption whose first image is not the one that it was written for, but one of which it is true.

    Attributes:
        caption: its number.
        own: the image that it was written for.
        first: the image that the model puts first.
    """

    caption: int
    own: int
    first: int


def errors_that_are_none(scores: Tensor, split: Split) -> list[FalseError]:
    """The captions whose first image is another one than their own, and right nevertheless.

    Args:
        scores: [n_images, n_captions].
        split: of drawn scenes.
    """
    first = scores.argmax(0).cpu()  # [n_captions]
    true = true_fractions(split) == 1  # [n_images, n_captions]
    captions = torch.arange(len(first))
    wrong = (first != split.image_of) & true[first, captions]
    return [FalseError(c, int(split.image_of[c]), int(first[c])) for c in wrong.nonzero().flatten().tolist()]


def guesses(scores: Tensor, names: Sequence[str], k: int = 5) -> list[list[tuple[str, float]]]:
    """The k classes with the highest scores of each image.

    Args:
        scores: [n_images, n_classes].
        names: of the classes.
        k: how many.

    Returns:
        Per image, (class, score), the best first.
    """
    best = scores.topk(k, dim=1)
    pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    return [[(names[c], value) for c, value in zip(classes, values, strict=True)] for classes, values in pairs]
