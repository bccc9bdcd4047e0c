"""Plausible-match R-precision (PMRP): images with nearly the same objects count as right answers too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import BoolTensor, LongTensor, Tensor

from itm_tutorial.data.corpus import Split, check_pairing
from itm_tutorial.errors import ItmError, shown
from itm_tutorial.evaluation.r_precision import check_scores, evaluate_relevant
from itm_tutorial.worlds.scenes.kinds import KINDS

DISTANCES = (0, 1, 2)  # the values of zeta over which the paper takes the mean


@dataclass(frozen=True)
class PlausibleMatchReport:
    """PMRP in both directions: i2t retrieves captions for an image, t2i images for a caption.

    Attributes:
        i2t, t2i: the mean over the distances, in percent.
        by_distance: distance -> (i2t, t2i), the R-precision with the pairs up to this distance as positives.
        n_images: images with a label; the others are left out, with their captions.
    """

    i2t: float
    t2i: float
    by_distance: dict[int, tuple[float, float]]
    n_images: int

    def __repr__(self) -> str:
        lines = [
            f"PMRP of {self.n_images:,} images: image to captions {self.i2t:.1f}, caption to images {self.t2i:.1f}"
        ]
        lines += [f"  distance up to {zeta}: {i2t:.1f}, {t2i:.1f}" for zeta, (i2t, t2i) in self.by_distance.items()]
        return "\n".join(lines)


def plausible_matches(labels: Tensor, image_of: LongTensor, distance: int) -> BoolTensor:
    """Pairs whose images differ in few object labels: the caption stands for the image that it was written for.

    Args:
        labels: bool or 0 and 1 [n_images, n_labels]: which objects an image shows, such as COCO's 90 categories.
        image_of: int64 [n_captions].
        distance: the largest Hamming distance of a plausible match: labels that one image has and the other has not.

    Returns:
        bool [n_images, n_captions]; a caption is a plausible match of its own image.

    Raises:
        ItmError: labels are no matrix of 0 and 1, or the pairing does not fit.
    """
    marks = _checked(labels)
    check_pairing(image_of, len(marks), len(image_of), "labels")
    if isinstance(distance, bool) or not isinstance(distance, int) or distance < 0:
        raise ItmError(f"distance is {shown(distance)}; give a whole number from 0 up")
    return _hamming(marks, marks[image_of]) <= distance


def evaluate_plausible_matches(
    scores: Tensor, image_of: LongTensor, labels: Tensor, distances: Sequence[int] = DISTANCES
) -> PlausibleMatchReport:
    """Computes PMRP: R-precision with plausible matches as positives, the mean over queries and distances.

    For each distance zeta, the positives of a query are all items whose image is at most zeta labels away, its own
    included; R is their number. As in the authors' code, images without any label are left out, as queries and in the
    gallery. Labels are coarse: two images with the same objects need not fit each other's captions.

    Source: Chun et al., "Probabilistic Embeddings for Cross-Modal Retrieval", CVPR 2021,
    https://arxiv.org/abs/2101.05068.

    Args:
        scores: floating [n_images, n_captions].
        image_of: int64 [n_captions].
        labels: bool or 0 and 1 [n_images, n_labels].
        distances: the values of zeta; 0, 1 and 2 in the paper.

    Returns:
        The report, in percent.

    Raises:
        ItmError: a shape does not fit, a score is not finite, there are no distances, or no image has a label.
    """
    check_scores(scores)
    marks = _checked(labels)
    check_pairing(image_of, *scores.shape, where="scores")
    if len(marks) != len(scores):
        raise ItmError(f"labels has {len(marks)} rows for {len(scores)} images; give one row per image")
    if not len(distances):
        raise ItmError("distances is empty; give one or more, such as 0, 1 and 2")
    kept = marks.any(1)  # [n_images]
    captions = kept[image_of]  # [n_captions]
    if not captions.any():
        raise ItmError("labels: no image with a caption has a label; give a matrix with True in it")
    new_number = kept.cumsum(0) - 1
    some, pairing = scores.cpu()[kept][:, captions], new_number[image_of[captions]]
    found = {}
    for distance in distances:
        report = evaluate_relevant(some, plausible_matches(marks[kept], pairing, distance))
        found[distance] = (report.i2t.r_precision, report.t2i.r_precision)
    i2t, t2i = (sum(side) / len(found) for side in zip(*found.values(), strict=True))
    return PlausibleMatchReport(i2t, t2i, found, int(kept.sum()))


def object_labels(split: Split) -> BoolTensor:
    """The kinds of objects that each image of drawn scenes shows, as label vectors; families are no labels.

    Args:
        split: of drawn scenes.

    Returns:
        bool [n_images, n_kinds], the kinds that occur in alphabetical order.

    Raises:
        ItmError: the split has no facts, or none about the objects of scenes.
    """
    if split.facts is None:
        raise ItmError(f"split {split.name!r} has no facts: only drawn worlds know what is true of their pictures")
    shows = [{fact[1] for fact in facts if fact[0] == "object"} & KINDS.keys() for facts in split.facts.of_image]
    kinds = sorted(set().union(*shows))
    if not kinds:
        raise ItmError(f"split {split.name!r} has no facts about objects of scenes: take one of the world 'scenes'")
    return torch.tensor([[kind in there for kind in kinds] for there in shows])


def _hamming(a: BoolTensor, b: BoolTensor) -> LongTensor:
    """How many labels differ between each row of a and each row of b: [n, n_labels], [m, n_labels] -> [n, m]."""
    both = a.float() @ b.float().T  # exact: whole numbers
    return (a.sum(1)[:, None] + b.sum(1)[None, :] - 2 * both).long()


def _checked(labels: Tensor) -> BoolTensor:
    if (
        not isinstance(labels, Tensor)
        or labels.ndim != 2
        or not labels.numel()
        or not ((labels == 0) | (labels == 1)).all()
    ):
        found = f"{list(labels.shape)} {labels.dtype}" if isinstance(labels, Tensor) else f"a {type(labels).__name__}"
        raise ItmError(f"labels is {found}; give a matrix [n_images, n_labels] of True and False, or of 1 and 0")
    return labels.bool().cpu()
