"""Two exercises of chapter 02 on traps of evaluation: recall of captions, and recall in folds."""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor

from itm_tutorial.chapters.exercise import Exercise, random_size


def _any_order(g: torch.Generator) -> LongTensor:
    """``image_of`` in any order, from none to several captions per image."""
    n = random_size(g, 6, 13) // 2 * 2
    return torch.cat([torch.tensor([n - 1]), torch.randint(0, n, (2 * n,), generator=g)])


def _in_fives(g: torch.Generator) -> LongTensor:
    return torch.arange(random_size(g, 4, 11) // 2 * 2).repeat_interleave(5)


def _scored(image_of: LongTensor, g: torch.Generator, ties: bool = False) -> tuple[Tensor, LongTensor]:
    """Scores in which positive pairs have a head start, so that recalls are neither 0 nor 100."""
    n = int(image_of.max()) + 1
    scores = torch.randn(n, len(image_of), generator=g)
    scores[image_of, torch.arange(len(image_of))] += 1.0
    return (scores.clamp(-0.5, 1.5).round() if ties else scores), image_of


def _caption_recall_by_loop(scores: Tensor, image_of: LongTensor) -> float:
    hits, asked = 0, 0
    for image in range(len(scores)):
        own = [float(s) for s, i in zip(scores[image], image_of, strict=True) if i == image]
        negatives = [float(s) for s, i in zip(scores[image], image_of, strict=True) if i != image]
        if own:
            asked += 1
            hits += all(max(own) > s for s in negatives)
    return 100 * hits / asked


def _own_caption_recall(scores, image_of):
    own = image_of[None] == torch.arange(len(scores))[:, None]  # [n_images, n_captions]
    best_own = scores.masked_fill(~own, -torch.inf).amax(1)  # [n_images]
    best_negative = scores.masked_fill(own, -torch.inf).amax(1)
    asked = own.any(1)  # an image without a caption is no query
    return 100 * (best_own > best_negative)[asked].double().mean().item()


def _assuming_fives(scores: Tensor, image_of: LongTensor) -> float:
    first = scores.argmax(1) // 5
    return 100 * (first == torch.arange(len(scores))).double().mean().item()


def _own_and_negative(scores: Tensor, image_of: LongTensor) -> tuple[Tensor, Tensor, Tensor]:
    own = image_of[None] == torch.arange(len(scores))[:, None]
    return own, scores.masked_fill(~own, -torch.inf).amax(1), scores.masked_fill(own, -torch.inf).amax(1)


def _recall_where(scores: Tensor, image_of: LongTensor, hit) -> float:
    own, best_own, best_negative = _own_and_negative(scores, image_of)
    return 100 * hit(best_own, best_negative)[own.any(1)].double().mean().item()


def _worst_own_first(scores: Tensor, image_of: LongTensor) -> float:
    own, _, best_negative = _own_and_negative(scores, image_of)
    worst = scores.masked_fill(~own, torch.inf).amin(1)
    return 100 * (worst > best_negative)[own.any(1)].double().mean().item()


caption_recall = Exercise(
    name="caption_recall",
    minutes=15,
    difficulty=2,
    hints=(
        "Only image_of says which image a caption belongs to.",
        "image_of[None] == torch.arange(len(scores))[:, None] marks each image's own captions.",
        "Best own score against best negative (masked_fill with -inf, amax(1)); own.any(1) are the queries.",
    ),
    reference=_caption_recall_by_loop,
    own=_own_caption_recall,
    inputs={
        "captions in any order": lambda g: _scored(_any_order(g), g),
        "five captions per image in a row": lambda g: _scored(_in_fives(g), g),
        "scores with ties": lambda g: _scored(_any_order(g), g, ties=True),
    },
    mistakes=(
        (
            _assuming_fives,
            "Caption c is taken to belong to image c // 5: that holds only where five stand in a row.",
        ),
        (
            lambda s, o: _recall_where(s, o, torch.ge),
            "A wrong caption that ties stands before the right one: use >, so that a constant model gets nothing.",
        ),
        (
            lambda s, o: 100 * (o[s.argmax(1)] == torch.arange(len(s))).double().mean().item(),
            "An image without a caption can never be right: leave it out of the mean (and argmax lets ties win).",
        ),
        (
            lambda s, o: 100 * (s.argmax(0) == o).double().mean().item(),
            "This is the other direction: each image searches for a caption, along its row.",
        ),
        (_worst_own_first, "This asks all captions of the image to come first: the field asks for one of them."),
        (lambda s, o: _own_caption_recall(s, o) / 100, "This is a fraction between 0 and 1: the field prints percent."),
        (
            lambda s, o: float((lambda own, a, b: (a > b)[own.any(1)].sum())(*_own_and_negative(s, o))),
            "This is a number of images: divide by how many have a caption.",
        ),
    ),
)


def _image_recall_by_loop(scores: Tensor, image_of: LongTensor, images: list[int]) -> float:
    hits = [
        all(float(scores[i, c]) < float(scores[image, c]) for i in images if i != image)
        for c, image in enumerate(image_of.tolist())
        if image in images
    ]
    return 100 * sum(hits) / len(hits)


def _folds_by_loop(scores: Tensor, image_of: LongTensor, n_folds: int) -> float:
    size = len(scores) // n_folds
    folds = [list(range(fold * size, fold * size + size)) for fold in range(n_folds)]
    return sum(_image_recall_by_loop(scores, image_of, images) for images in folds) / n_folds


def _own_recall_in_folds(scores, image_of, n_folds):
    size = len(scores) // n_folds
    recalls = []
    for first in range(0, len(scores), size):
        own = (image_of >= first) & (image_of < first + size)  # captions of this fold's images
        part, targets = scores[first : first + size][:, own], image_of[own] - first
        positives = part[targets, torch.arange(len(targets))]  # [n_captions of the fold]
        recalls.append(100 * ((part >= positives).sum(0) == 1).double().mean().item())
    return sum(recalls) / n_folds


def _hits_in_folds(scores: Tensor, image_of: LongTensor, fold_of: Tensor) -> Tensor:
    """For each caption, whether its image wins among those of its fold."""
    alone = scores.masked_fill(fold_of[:, None] != fold_of[image_of][None], -torch.inf)
    positives = scores[image_of, torch.arange(len(image_of))]
    return ((alone >= positives).sum(0) == 1).double()


def _mean_of_folds(scores: Tensor, image_of: LongTensor, fold_of: Tensor) -> float:
    hits, of_caption = _hits_in_folds(scores, image_of, fold_of), fold_of[image_of]
    return 100 * sum(hits[of_caption == fold].mean().item() for fold in fold_of.unique()) / len(fold_of.unique())


def _consecutive(scores: Tensor, n_folds: int) -> Tensor:
    return torch.arange(len(scores)) // (len(scores) // n_folds)


def _all_in_each_fold(image_of: LongTensor) -> LongTensor:
    """Adds a caption to each image, and another in the first half: folds with unequal numbers of captions."""
    n = int(image_of.max()) + 1
    return torch.cat([image_of, torch.arange(n), torch.arange(n // 2)])


recall_in_folds = Exercise(
    name="recall_in_folds",
    minutes=15,
    difficulty=3,
    hints=(
        "Cut the images into n_folds runs of equal length, in their order; a caption goes where its image is.",
        "scores[first : first + size][:, own] is a fold's matrix; its image numbers are image_of[own] - first.",
        "In each fold R@1 as in chapter 00, ties against the model; then the plain mean over the folds.",
    ),
    reference=_folds_by_loop,
    own=_own_recall_in_folds,
    inputs={
        "captions in any order": lambda g: (*_scored(_all_in_each_fold(_any_order(g)), g), 2),
        "five captions per image in a row": lambda g: (*_scored(_in_fives(g), g), 2),
        "a single fold": lambda g: (*_scored(_any_order(g), g), 1),
    },
    mistakes=(
        (
            lambda s, o, n: 100 * _hits_in_folds(s, o, _consecutive(s, 1)).mean().item(),
            "Each caption searches all images here: a fold's captions search the images of that fold.",
        ),
        (
            lambda s, o, n: _image_recall_by_loop(s, o, list(range(len(s) // n))),
            "This is the first fold alone: take the mean over all.",
        ),
        (
            lambda s, o, n: _mean_of_folds(s, o, torch.arange(len(s)) % n),
            "These folds take every n-th image: the field's folds are consecutive.",
        ),
        (
            lambda s, o, n: 100 * _hits_in_folds(s, o, _consecutive(s, n)).mean().item(),
            "This is the mean over all captions: take it in each fold, then over the folds.",
        ),
        (
            lambda s, o, n: n * _mean_of_folds(s, o, _consecutive(s, n)),
            "These are the folds' recalls added up: divide by how many there are.",
        ),
        (
            lambda s, o, n: _mean_of_folds(s, o, _consecutive(s, n)) / 100,
            "This is a fraction between 0 and 1: the field prints percent.",
        ),
    ),
)
