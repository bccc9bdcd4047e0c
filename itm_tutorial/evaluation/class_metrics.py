"""Measures of naming the class of a picture, and of finding the pictures of a class: hit@k, hubs, AP@50."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import LongTensor, Tensor

from itm_tutorial.data.corpus import check_identity, check_pairing
from itm_tutorial.errors import ItmError
from itm_tutorial.interaction.cosine import cosine


def hit_at_k(scores: Tensor, identity: LongTensor, k: int = 1, among: LongTensor | None = None) -> float:
    """The fraction of images whose class is among the first k; a class that ties with the right one stands before it.

    Args:
        scores: [n_images, n_classes], floating; larger is more alike.
        identity: int64 [n_images], the class that each image shows.
        k: how many guesses an image has.
        among: int64 [n_candidates], the classes that may be guessed: the unseen ones alone for zero-shot
            recognition, all of them for the generalised kind; None for all.

    Returns:
        Percent.

    Raises:
        ItmError: a shape or an index that does not fit, a NaN or an infinity, k out of range, an image whose class
            is no candidate: it could never be right, so choose the images first.

    Frome et al. 2013, "DeViSE", flat hit@k.
    """
    scores, right = _candidates(scores, identity, k, among)  # [n_images, n_candidates], [n_images]
    before = scores >= scores.gather(1, right[:, None])  # the right class counts itself, and so its rank from 1
    return 100 * (before.sum(1) <= k).double().mean().item()


def hierarchical_precision(
    scores: Tensor, identity: LongTensor, distances: Tensor, k: int, among: LongTensor | None = None
) -> float:
    """How many of the first k guesses are near the right class in a tree: a mistake may be a sensible one.

    The near classes C_k are the candidates nearest to the right one, itself included. Where several are equally far
    the paper's "k nearest" leaves a choice; ours is to take whole rings until at least k classes are in. Where scores
    tie at the border of the first k, the classes that are not near stand first.

    Args:
        scores: [n_images, n_classes], floating; larger is more alike.
        identity: int64 [n_images], the class that each image shows.
        distances: [n_classes, n_classes], how far two classes are apart in the tree; zero for a class and itself.
        k: how many guesses count.
        among: int64 [n_candidates], the classes that may be guessed, and of which C_k is made; None for all.

    Returns:
        Percent, the mean over images of the fraction of the first k that is in C_k.

    Raises:
        ItmError: as for ``hit_at_k``; distances that are no symmetric matrix of finite numbers of 0 or more.

    Frome et al. 2013, "DeViSE", hierarchical precision@k.
    """
    n_classes = scores.shape[1] if isinstance(scores, Tensor) and scores.ndim == 2 else 0
    scores, right = _candidates(scores, identity, k, among)  # [n_images, n_candidates], [n_images]
    _check_distances(distances, n_classes)
    distances = distances.to(scores.device)
    if among is not None:
        distances = distances[among][:, among]
    radius = distances.sort(1).values[:, k - 1 : k]  # [n_candidates, 1]
    near = (distances <= radius)[right]  # [n_images, n_candidates]
    last = scores.topk(k, dim=1).values[:, -1:]  # [n_images, 1], the score at the border
    above, tied = scores > last, scores == last
    places = k - above.sum(1)  # [n_images], what is left for those that tie
    hits = (above & near).sum(1) + (places - (tied & ~near).sum(1)).clamp(min=0)
    return 100 * (hits.double() / k).mean().item()


def k_occurrence(scores: Tensor, k: int = 1) -> LongTensor:
    """How often each target is among the k best of a query: a target with many is a hub.

    Of targets that tie at the border of the first k, those of lower number are taken: a model to whom all is alike
    shows k hubs and nothing else.

    Args:
        scores: [n_queries, n_targets], floating; larger is more alike. ``scores.T`` counts in the other direction.
        k: how many targets each query names.

    Returns:
        int64 [n_targets], N_k; its sum is k times n_queries.

    Raises:
        ItmError: a shape that does not fit, a NaN or an infinity, k out of range.

    Radovanovic et al. 2010, "Hubs in Space".
    """
    _check_scores(scores)
    _check_k(k, scores.shape[1])
    named = scores.sort(dim=1, descending=True, stable=True).indices[:, :k]  # [n_queries, k]
    return named.flatten().bincount(minlength=scores.shape[1])


def skewness(counts: Tensor) -> float:
    """The third standardised moment: how far the hubs stick out to the right.

    Args:
        counts: [n_targets], as ``k_occurrence`` gives them.

    Returns:
        E[(N - mean)^3] / sigma^3, with the variance of the population; 0 where all counts are equal, since then
        there is no hub.

    Raises:
        ItmError: no list of finite numbers.

    Radovanovic et al. 2010, "Hubs in Space", their S of N_k.
    """
    if not isinstance(counts, Tensor) or counts.ndim != 1 or not len(counts):
        raise ItmError(f"counts is {_summary(counts)}; give a tensor [n_targets], as k_occurrence does")
    counts = counts.double()
    if not torch.isfinite(counts).all():
        raise ItmError("counts: there is a NaN or an infinity among them; give what k_occurrence returns")
    if (counts == counts[0]).all():
        return 0.0
    away = counts - counts.mean()  # [n_targets]
    return ((away**3).mean() / (away**2).mean() ** 1.5).item()


@dataclass(frozen=True)
class ClassSearch:
    """How well a class, described by all its captions together, and its pictures find each other; in percent.

    Attributes:
        precision: AP@50 of the literature: of the first 50 pictures found for a class, the share that shows it, as a
            mean over classes.
        best: the precision of a search without mistakes; below 100 where a class has fewer than 50 pictures.
        image_r1: the fraction of pictures for which their own class comes first.
        k: 50, or another depth.
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
    """AP@50 and the fraction of images whose class is named, both with one text vector a class.

    A class's text vector is the mean of the embeddings of all its captions. Embeddings of unequal length weigh
    unequally in it, as in the source, whose score is a dot product.

    Args:
        image_emb: [n_images, dim].
        caption_emb: [n_captions, dim].
        image_of: int64 [n_captions].
        identity: int64 [n_images], the class of each image; any numbers.
        similarity: scores images against text vectors; ``model.similarity`` of a model with one embedding per side.
        k: how many of the best images count.

    Returns:
        The figures.

    Raises:
        ItmError: embeddings that are no matrices, a pairing or identities that do not fit, a class without a caption.

    Reed et al. 2016, "Learning Deep Representations of Fine-Grained Visual Descriptions", and its authors' code. The
    public code of CMPL has functions called MAP and average precision at k that are other measures: its MAP counts
    the hits that stand strictly before each hit, so that a single right answer at rank 4 scores 0 in place of 1/4.
    """
    for name, embeddings in (("image_emb", image_emb), ("caption_emb", caption_emb)):
        if not isinstance(embeddings, Tensor) or embeddings.ndim != 2 or not embeddings.numel():
            raise ItmError(
                f"{name} is {_summary(embeddings)}; give one embedding per row, [n, dim]: a mean is taken over them"
            )
    check_pairing(image_of, len(image_emb), len(caption_emb), "search_by_class")
    check_identity(identity, len(image_emb), "search_by_class")
    classes, numbers = identity.to(image_emb.device).unique(return_inverse=True)  # numbers: [n_images]
    of_caption = numbers[image_of.to(numbers.device)]  # [n_captions]
    counts = of_caption.bincount(minlength=len(classes))  # captions a class
    if not counts.all():
        raise ItmError(f"class {int(classes[counts == 0][0])} has pictures and no caption: leave its pictures out")
    sums = caption_emb.new_zeros(len(classes), caption_emb.shape[1]).index_add_(0, of_caption, caption_emb)
    scores = similarity(image_emb, sums / counts[:, None])  # [n_images, n_classes]
    return ClassSearch(*precision_at_k(scores, numbers, k), hit_at_k(scores, numbers), k)


def precision_at_k(scores: Tensor, identity: LongTensor, k: int = 50) -> tuple[float, float]:
    """Of the first k images found for each class, the share that shows it; of those that tie, the wrong come first.

    The share is of k, as in the source, also where a class, or the whole gallery, has fewer images than that: read it
    beside the best that is possible.

    Args:
        scores: [n_images, n_classes], floating; larger is more alike.
        identity: int64 [n_images], the class that each image shows, a column of ``scores``.
        k: how many images count.

    Returns:
        Percent, the mean over classes; and the percent of a search without mistakes.

    Raises:
        ItmError: as for ``hit_at_k``, or a class that no image shows.

    Reed et al. 2016, AP@50.
    """
    scores, right = _candidates(scores, identity, 1, None)
    if not isinstance(k, int) or k < 1:
        raise ItmError(f"k is {k!r}; give a whole number of 1 or more, such as 50")
    n_images, n_classes = scores.shape
    there = right.bincount(minlength=n_classes)  # images a class
    if not there.all():
        raise ItmError(f"no image shows class {int((there == 0).nonzero()[0])}: leave its column out")
    own = right[:, None] == torch.arange(n_classes, device=scores.device)  # [n_images, n_classes]
    depth = min(k, n_images)
    last = scores.topk(depth, dim=0).values[-1]  # [n_classes], the score at the border
    above, tied = scores > last, scores == last
    places = depth - above.sum(0)  # what is left for those that tie
    hits = (above & own).sum(0) + (places - (tied & ~own).sum(0)).clamp(min=0)  # [n_classes]
    shares = (hits.double() / k, there.clamp(max=k).double() / k)
    return tuple(100 * share.mean().item() for share in shares)


def _candidates(scores: Tensor, identity: LongTensor, k: int, among: LongTensor | None) -> tuple[Tensor, LongTensor]:
    """The columns of the candidates, and the right one's place among them: [n_images, n_candidates], [n_images]."""
    _check_scores(scores)
    n_images, n_classes = scores.shape
    _check_indices("identity", identity, n_classes)
    if len(identity) != n_images:
        raise ItmError(f"identity has {len(identity)} entries for {n_images} images; give one class an image")
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
    right = place[identity.to(scores.device)]  # [n_images]
    if (right < 0).any():
        image = int((right < 0).nonzero()[0])
        raise ItmError(
            f"image {image} shows class {int(identity[image])}, which is not among the {len(among)} candidates; "
            "choose the images of the candidates first, or widen among"
        )
    return scores[:, among], right


def _summary(value: object) -> str:
    return f"{list(value.shape)} {value.dtype}" if isinstance(value, Tensor) else f"a {type(value).__name__}"


def _check_scores(scores: Tensor) -> None:
    if not isinstance(scores, Tensor) or scores.ndim != 2 or not scores.is_floating_point() or not scores.numel():
        raise ItmError(
            f"scores is {_summary(scores)}; give a floating tensor [n_images, n_classes] with something in it"
        )
    broken = ~torch.isfinite(scores)
    if broken.any():
        row, column = broken.nonzero()[0].tolist()
        raise ItmError(
            f"scores: {scores[row, column].item()} in row {row}, column {column}; "
            "look for a zero vector that was normalised, or a training run that diverged"
        )


def _check_k(k: int, n: int) -> None:
    if not isinstance(k, int) or not 1 <= k <= n:
        raise ItmError(f"k is {k!r}, with {n} candidates; give a whole number from 1 to {n}")


def _check_indices(name: str, indices: LongTensor, n_classes: int) -> None:
    if not isinstance(indices, Tensor) or indices.ndim != 1 or indices.dtype != torch.int64 or not len(indices):
        raise ItmError(f"{name} is {_summary(indices)}; give an int64 tensor of class numbers, one dimension")
    if int(indices.min()) < 0 or int(indices.max()) >= n_classes:
        raise ItmError(
            f"{name} names classes {int(indices.min())} to {int(indices.max())}, "
            f"but scores has {n_classes} classes (0 to {n_classes - 1})"
        )


def _check_distances(distances: Tensor, n_classes: int) -> None:
    if not isinstance(distances, Tensor) or distances.shape != (n_classes, n_classes):
        raise ItmError(f"distances is {_summary(distances)}; give a matrix [{n_classes}, {n_classes}], one row a class")
    if not torch.isfinite(distances).all() or (distances < 0).any():
        raise ItmError("distances: there is a NaN, an infinity or a negative number; give finite numbers of 0 or more")
    if not torch.equal(distances, distances.T):
        a, b = (distances != distances.T).nonzero()[0].tolist()
        raise ItmError(
            f"distances is not symmetric: {distances[a, b].item()} from class {a} to {b}, "
            f"{distances[b, a].item()} back; a tree is as far there as back"
        )
    if distances.diagonal().any():
        own = int(distances.diagonal().nonzero()[0])
        raise ItmError(f"distances: class {own} is {distances[own, own].item()} from itself; make the diagonal zero")
