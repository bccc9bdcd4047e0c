"""Metrics of classification and of retrieval by class: hit@k, hierarchical precision, hubs, AP@50."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import LongTensor, Tensor

from itm_tutorial.data.corpus import check_identity, check_pairing
from itm_tutorial.errors import ItmError
from itm_tutorial.interaction.cosine import cosine


def hit_at_k(scores: Tensor, identity: LongTensor, k: int = 1, among: LongTensor | None = None) -> float:
    """The fraction of images whose class is among the first k; a class that ties with it is ranked before it.

    Args:
        scores: [n_images, n_classes], floating point; larger means more similar.
        identity: int64 [n_images], the class that each image shows.
        k: how many of the first classes count.
        among: int64 [n_candidates], the candidate classes: the unseen ones for zero-shot recognition, all of them
            for generalised zero-shot recognition; None for all.

    Returns:
        Percent.

    Raises:
        ItmError: a shape or an index does not fit, a score is NaN or infinite, k is out of range, or the class of an
            image is not a candidate (leave such images out first).

    Frome et al. 2013, "DeViSE", flat hit@k.
    """
    scores, target = _candidates(scores, identity, k, among)  # [n_images, n_candidates], [n_images]
    before = scores >= scores.gather(1, target[:, None])  # the true class counts itself, so ranks begin at 1
    return 100 * (before.sum(1) <= k).double().mean().item()


def hierarchical_precision(
    scores: Tensor, identity: LongTensor, distances: Tensor, k: int, among: LongTensor | None = None
) -> float:
    """The fraction of the first k predicted classes that are near the true class in a tree.

    The near classes C_k are the candidates nearest to the true class, itself included. The paper's "k nearest" leaves
    open what to do with classes at the same distance; we add all classes of one distance at once, until C_k has at
    least k. Where scores tie at rank k, the classes that are not near are ranked first.

    Args:
        scores: [n_images, n_classes], floating point; larger means more similar.
        identity: int64 [n_images], the class that each image shows.
        distances: [n_classes, n_classes], the distance of two classes in the tree; zero on the diagonal.
        k: how many of the first classes count.
        among: int64 [n_candidates], the candidate classes, also for C_k; None for all.

    Returns:
        Percent, the mean over images of the fraction of the first k that is in C_k.

    Raises:
        ItmError: as for ``hit_at_k``; or the distances are not a symmetric matrix of finite numbers of 0 or more.

    Frome et al. 2013, "DeViSE", hierarchical precision@k.
    """
    n_classes = scores.shape[1] if isinstance(scores, Tensor) and scores.ndim == 2 else 0
    scores, target = _candidates(scores, identity, k, among)  # [n_images, n_candidates], [n_images]
    _check_distances(distances, n_classes)
    distances = distances.to(scores.device)
    if among is not None:
        distances = distances[among][:, among]
    radius = distances.sort(1).values[:, k - 1 : k]  # [n_candidates, 1]
    near = (distances <= radius)[target]  # [n_images, n_candidates]
    last = scores.topk(k, dim=1).values[:, -1:]  # [n_images, 1], the score at rank k
    above, tied = scores > last, scores == last
    places = k - above.sum(1)  # [n_images], how many ranks the ties fill
    hits = (above & near).sum(1) + (places - (tied & ~near).sum(1)).clamp(min=0)
    return 100 * (hits.double() / k).mean().item()


def k_occurrence(scores: Tensor, k: int = 1) -> LongTensor:
    """How often each target is among the k best of a query: a target with a large count is a hub.

    Of targets that tie at rank k, those of lower index count: constant scores give k hubs and no other counts.

    Args:
        scores: [n_queries, n_targets], floating point; larger means more similar. ``scores.T`` counts in the other
            direction.
        k: how many targets count per query.

    Returns:
        int64 [n_targets], N_k; its sum is k times n_queries.

    Raises:
        ItmError: a shape does not fit, a score is NaN or infinite, or k is out of range.

    Radovanovic et al. 2010, "Hubs in Space".
    """
    _check_scores(scores)
    _check_k(k, scores.shape[1])
    nearest = scores.sort(dim=1, descending=True, stable=True).indices[:, :k]  # [n_queries, k]
    return nearest.flatten().bincount(minlength=scores.shape[1])


def skewness(counts: Tensor) -> float:
    """The third standardised moment of the counts: positive if a few targets are hubs.

    Args:
        counts: [n_targets], as ``k_occurrence`` gives them.

    Returns:
        E[(N - mean)^3] / sigma^3, with the population variance; 0 where all counts are equal, since then there is no
        hub.

    Raises:
        ItmError: the counts are not a one-dimensional tensor of finite numbers.

    Radovanovic et al. 2010, "Hubs in Space", their S of N_k.
    """
    if not isinstance(counts, Tensor) or counts.ndim != 1 or not len(counts):
        raise ItmError(f"counts is {_summary(counts)}; give a tensor [n_targets], as k_occurrence does")
    counts = counts.double()
    if not torch.isfinite(counts).all():
        raise ItmError("counts: a number is NaN or infinite; give what k_occurrence returns")
    if (counts == counts[0]).all():
        return 0.0
    away = counts - counts.mean()  # [n_targets]
    return ((away**3).mean() / (away**2).mean() ** 1.5).item()


@dataclass(frozen=True)
class ClassSearch:
    """Retrieval between images and classes, where all captions of a class together are one query; in percent.

    Attributes:
        precision: AP@50 of the literature: the fraction of the first 50 images retrieved for a class that show it,
            averaged over classes.
        best: the precision of a perfect search; below 100 where a class has fewer than 50 images.
        image_r1: the fraction of images whose own class is ranked first.
        k: how many of the first images count.
    """

    precision: float
    best: float
    image_r1: float
    k: int = 50


def search_by_class(
    image_emb: Tensor,
    caption_emb: Tensor,
    image_of: LongTensor,
    identity: LongTensor,
    similarity: Callable[[Tensor, Tensor], Tensor] = cosine,
    k: int = 50,
) -> ClassSearch:
    """AP@50 and the fraction of images that retrieve their class, with one text embedding per class.

    The text embedding of a class is the mean of the embeddings of all its captions. They are not normalised first, as
    in the source, whose score is a dot product.

    Args:
        image_emb: [n_images, dim].
        caption_emb: [n_captions, dim].
        image_of: int64 [n_captions].
        identity: int64 [n_images], the class of each image; any integers.
        similarity: scores images against text embeddings; ``model.similarity`` of a model with one embedding per side.
        k: how many of the first images count.

    Returns:
        The metrics.

    Raises:
        ItmError: the embeddings are not matrices, a pairing or identities do not fit, or a class has no caption.

    Reed et al. 2016, "Learning Deep Representations of Fine-Grained Visual Descriptions", and its authors' code. The
    public code of CMPL has functions called MAP and average precision at k that compute other metrics: its MAP counts
    only the hits strictly before each hit, so that a single positive at rank 4 gets 0 instead of 1/4.
    """
    for name, embeddings in (("image_emb", image_emb), ("caption_emb", caption_emb)):
        if not isinstance(embeddings, Tensor) or embeddings.ndim != 2 or not embeddings.numel():
            raise ItmError(
                f"{name} is {_summary(embeddings)}; give one embedding per row, [n, dim], since their mean is computed"
            )
    check_pairing(image_of, len(image_emb), len(caption_emb), "search_by_class")
    check_identity(identity, len(image_emb), "search_by_class")
    classes, numbers = identity.to(image_emb.device).unique(return_inverse=True)  # numbers: [n_images]
    of_caption = numbers[image_of.to(numbers.device)]  # [n_captions]
    counts = of_caption.bincount(minlength=len(classes))  # captions per class
    if not counts.all():
        raise ItmError(f"class {int(classes[counts == 0][0])} has pictures and no caption: leave its pictures out")
    sums = caption_emb.new_zeros(len(classes), caption_emb.shape[1]).index_add_(0, of_caption, caption_emb)
    scores = similarity(image_emb, sums / counts[:, None])  # [n_images, n_classes]
    return ClassSearch(*precision_at_k(scores, numbers, k), hit_at_k(scores, numbers), k)


def precision_at_k(scores: Tensor, identity: LongTensor, k: int = 50) -> tuple[float, float]:
    """The fraction of the first k images retrieved for each class that show it; in ties, negatives are ranked first.

    The denominator is k, as in the source, also where the class or the gallery has fewer images: compare the result
    with the best possible one.

    Args:
        scores: [n_images, n_classes], floating point; larger means more similar.
        identity: int64 [n_images], the class that each image shows, a column of ``scores``.
        k: how many of the first images count.

    Returns:
        The precision in percent, averaged over classes; and that of a perfect search.

    Raises:
        ItmError: as for ``hit_at_k``, or no image shows a class.

    Reed et al. 2016, AP@50.
    """
    scores, target = _candidates(scores, identity, 1, None)
    if not isinstance(k, int) or k < 1:
        raise ItmError(f"k is {k!r}; give a whole number of 1 or more, such as 50")
    n_images, n_classes = scores.shape
    n_positives = target.bincount(minlength=n_classes)  # images per class
    if not n_positives.all():
        raise ItmError(f"no image shows class {int((n_positives == 0).nonzero()[0])}: leave its column out")
    positives = target[:, None] == torch.arange(n_classes, device=scores.device)  # [n_images, n_classes]
    depth = min(k, n_images)
    last = scores.topk(depth, dim=0).values[-1]  # [n_classes], the score at rank k
    above, tied = scores > last, scores == last
    places = depth - above.sum(0)  # how many ranks the ties fill
    hits = (above & positives).sum(0) + (places - (tied & ~positives).sum(0)).clamp(min=0)  # [n_classes]
    fractions = (hits.double() / k, n_positives.clamp(max=k).double() / k)
    return tuple(100 * fraction.mean().item() for fraction in fractions)


def _candidates(scores: Tensor, identity: LongTensor, k: int, among: LongTensor | None) -> tuple[Tensor, LongTensor]:
    """The candidates' columns and the index of each true class among them: [n_images, n_candidates], [n_images]."""
    _check_scores(scores)
    n_images, n_classes = scores.shape
    _check_indices("identity", identity, n_classes)
    if len(identity) != n_images:
        raise ItmError(f"identity has {len(identity)} entries for {n_images} images; give one class per image")
    if among is None:
        _check_k(k, n_classes)
        return scores, identity.to(scores.device)
    _check_indices("among", among, n_classes)
    among = among.to(scores.device)
    place = torch.full((n_classes,), -1, device=scores.device).index_copy_(
        0, among, torch.arange(len(among), device=scores.device)
    )  # [n_classes]
    if int((place >= 0).sum()) < len(among):
        twice = int(among.bincount().argmax())
        raise ItmError(f"among names class {twice} twice; give each candidate once")
    _check_k(k, len(among))
    target = place[identity.to(scores.device)]  # [n_images]
    if (target < 0).any():
        image = int((target < 0).nonzero()[0])
        raise ItmError(
            f"image {image} shows class {int(identity[image])}, which is not among the {len(among)} candidates; "
            "leave out the images of other classes, or add their classes to among"
        )
    return scores[:, among], target


def _summary(value: object) -> str:
    return f"{list(value.shape)} {value.dtype}" if isinstance(value, Tensor) else f"a {type(value).__name__}"


def _check_scores(scores: Tensor) -> None:
    if not isinstance(scores, Tensor) or scores.ndim != 2 or not scores.is_floating_point() or not scores.numel():
        raise ItmError(
            f"scores is {_summary(scores)}; give a floating-point tensor [n_images, n_classes] that is not empty"
        )
    broken = ~torch.isfinite(scores)
    if broken.any():
        row, column = broken.nonzero()[0].tolist()
        raise ItmError(
            f"scores: {scores[row, column].item()} in row {row}, column {column}; "
            "check whether a zero vector was normalised or the training diverged"
        )


def _check_k(k: int, n: int) -> None:
    if not isinstance(k, int) or not 1 <= k <= n:
        raise ItmError(f"k is {k!r}, with {n} candidates; give a whole number from 1 to {n}")


def _check_indices(name: str, indices: LongTensor, n_classes: int) -> None:
    if not isinstance(indices, Tensor) or indices.ndim != 1 or indices.dtype != torch.int64 or not len(indices):
        raise ItmError(f"{name} is {_summary(indices)}; give a one-dimensional int64 tensor of class indices")
    if int(indices.min()) < 0 or int(indices.max()) >= n_classes:
        raise ItmError(
            f"{name} names classes {int(indices.min())} to {int(indices.max())}, "
            f"but scores has {n_classes} classes (0 to {n_classes - 1})"
        )


def _check_distances(distances: Tensor, n_classes: int) -> None:
    if not isinstance(distances, Tensor) or distances.shape != (n_classes, n_classes):
        raise ItmError(
            f"distances is {_summary(distances)}; give a matrix [{n_classes}, {n_classes}], one row per class"
        )
    if not torch.isfinite(distances).all() or (distances < 0).any():
        raise ItmError("distances: a number is NaN, infinite or negative; give finite numbers of 0 or more")
    if not torch.equal(distances, distances.T):
        a, b = (distances != distances.T).nonzero()[0].tolist()
        raise ItmError(
            f"distances is not symmetric: {distances[a, b].item()} from class {a} to {b}, "
            f"but {distances[b, a].item()} back; in a tree both are equal"
        )
    if distances.diagonal().any():
        own = int(distances.diagonal().nonzero()[0])
        raise ItmError(f"distances: class {own} is {distances[own, own].item()} from itself; make the diagonal zero")
