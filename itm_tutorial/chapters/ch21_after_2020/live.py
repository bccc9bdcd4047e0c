"""What notebook 21 computes from its own runs: the space during training, zero-shot guesses, errors that are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from itm_tutorial.chapters.ch21_after_2020.measures.word_order import CHANGES
from itm_tutorial.chapters.small_galleries import first_images
from itm_tutorial.data.corpus import Split
from itm_tutorial.encoders.embeddings import join, pick
from itm_tutorial.evaluation.minimal_pairs import true_fractions
from itm_tutorial.evaluation.modality_gap import modality_gap
from itm_tutorial.extraction.features import split_features
from itm_tutorial.models import Matching
from itm_tutorial.retrieval.scoring import CHUNK, encode_in_chunks, evaluation_mode

LOOKED_AT = 100  # images of the split that a record looks at
PAIRS = 64  # captions at a time, each beside its image


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


@torch.inference_mode()
def preferred(model: Matching, split: Split, change: str, most: int = 300) -> float:
    """How often a model prefers the true caption of an image to a changed one, in percent; a tie counts against it.

    Args:
        model: any.
        split: of drawn scenes.
        change: a name in ``measures.word_order.CHANGES``.
        most: captions that are asked, the first ones that the change alters.
    """
    alter = CHANGES[change]
    asked = [c for c, text in enumerate(split.captions) if alter(text).lower() != text.lower()][:most]
    with evaluation_mode(model):
        images = join(list(encode_in_chunks(model.encode_images, split_features(split, model.features), CHUNK)))
        margins = []
        for at in range(0, len(asked), PAIRS):
            some = asked[at : at + PAIRS]
            own = pick(images, split.image_of[some])
            texts = [split.captions[c] for c in some]
            true, changed = (
                model.similarity(own, model.encode_captions(one)).diagonal() for one in (texts, list(map(alter, texts)))
            )
            margins.append(true - changed)
    return 100 * (torch.cat(margins) > 1e-5).double().mean().item()  # beyond rounding: a bag of words gives ties


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
