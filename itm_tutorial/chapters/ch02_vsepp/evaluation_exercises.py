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


def _a_million_below(g: torch.Generator) -> tuple[Tensor, LongTensor]:
    scores, image_of = _scored(_any_order(g), g)
    return 1e6 * (scores - 8), image_of


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
        "Compare the best own with the best negative score (masked_fill with -inf, amax(1)) where own.any(1) is True.",
    ),
    begin=(
        "Start from scores [n_images, n_captions], in which each row is one query, and image_of "
        "[n_captions]; return a percentage as a plain number."
    ),
    reference=_caption_recall_by_loop,
    own=_own_caption_recall,
    inputs={
        "captions in any order": lambda g: _scored(_any_order(g), g),
        "five captions per image in a row": lambda g: _scored(_in_fives(g), g),
        "scores with ties": lambda g: _scored(_any_order(g), g, ties=True),
        "scores a million below zero": _a_million_below,
    },
    remarks={
        "scores a million below zero": "A constant such as 0 or -10 wins the maximum there: fill with minus infinity."
    },
    mistakes=(
        (
            _assuming_fives,
            "Caption c is assumed to belong to image c // 5: this holds only for five captions per image in order.",
        ),
        (
            lambda s, o: _recall_where(s, o, torch.ge),
            "A tie counts as a win here: use >, so that a model with constant scores gets 0.",
        ),
        (
            lambda s, o: 100 * (o[s.argmax(1)] == torch.arange(len(s))).double().mean().item(),
            "An image without a caption counts as a miss: leave it out of the mean (and argmax lets ties win).",
        ),
        (
            lambda s, o: 100 * (s.argmax(0) == o).double().mean().item(),
            "This is the other direction, caption to images: here each image searches its row for a caption.",
        ),
        (
            lambda s, o: _recall_where(s.clamp(min=0), o, torch.gt),
            "A fill of 0 wins where all scores are negative: fill the masked scores with minus infinity.",
        ),
        (_worst_own_first, "This requires all captions of an image to come first: one of them is enough."),
        (lambda s, o: _own_caption_recall(s, o) / 100, "This is a fraction between 0 and 1: return percent."),
        (
            lambda s, o: float((lambda own, a, b: (a > b)[own.any(1)].sum())(*_own_and_negative(s, o))),
            "This is a number of images: divide it by the number of images that have a caption.",
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


def _many_folds(g: torch.Generator, ties: bool = False) -> tuple[Tensor, LongTensor, int]:
    """Three to five folds of two to four images, which ever more captions describe."""
    n_folds, size = random_size(g, 3, 6), random_size(g, 2, 5)
    n = n_folds * size
    described = torch.cat([torch.arange(n), torch.arange(n)[torch.randint(0, n, (2 * n,), generator=g)].sort().values])
    mixed = described[torch.randperm(len(described), generator=g)]
    return (*_scored(torch.cat([torch.tensor([n - 1]), mixed]), g, ties), n_folds)


def _recalls_of_folds(scores: Tensor, image_of: LongTensor, n_folds: int, fold_of: Tensor | None = None) -> list[float]:
    fold_of = _consecutive(scores, n_folds) if fold_of is None else fold_of
    hits, of_caption = _hits_in_folds(scores, image_of, fold_of), fold_of[image_of]
    return [100 * hits[of_caption == fold].mean().item() for fold in fold_of.unique()]


def _running(recalls: list[float]) -> float:
    average = recalls[0]
    for recall in recalls[1:]:
        average = (average + recall) / 2
    return average


def _where_ties_win(scores: Tensor, image_of: LongTensor, n_folds: int, by_place: bool = False) -> float:
    fold_of = _consecutive(scores, n_folds)
    alone = scores.masked_fill(fold_of[:, None] != fold_of[image_of][None], -torch.inf)
    won = alone.amax(0) == scores[image_of, torch.arange(len(image_of))]
    won = alone.argmax(0) == image_of if by_place else won
    return sum(won[fold_of[image_of] == fold].double().mean().item() * 100 for fold in range(n_folds)) / n_folds


recall_in_folds = Exercise(
    name="recall_in_folds",
    minutes=15,
    difficulty=3,
    hints=(
        "Cut the images into n_folds consecutive parts of equal size; a caption belongs to the fold of its image.",
        "scores[first : first + size][:, own] is the matrix of a fold; its image numbers are image_of[own] - first.",
        "In each fold compute R@1 as in chapter 00, where a tie is a miss; then take the mean over the folds.",
    ),
    begin=(
        "Start from the number of images per fold, len(scores) // n_folds, write a loop over the folds, "
        "and return a percentage as a plain number."
    ),
    reference=_folds_by_loop,
    own=_own_recall_in_folds,
    inputs={
        "captions in any order": lambda g: (*_scored(_all_in_each_fold(_any_order(g)), g), 2),
        "five captions per image in a row": lambda g: (*_scored(_in_fives(g), g), 2),
        "a single fold": lambda g: (*_scored(_any_order(g), g), 1),
        "three folds or more": _many_folds,
        "folds with ties": lambda g: _many_folds(g, ties=True),
    },
    remarks={
        "three folds or more": "Fold i starts at image i * size, and all folds have the same weight in the mean.",
        "folds with ties": "A tie is a miss: use >= and not argmax.",
    },
    mistakes=(
        (
            lambda s, o, n: 100 * _hits_in_folds(s, o, _consecutive(s, 1)).mean().item(),
            "Each caption searches all images here: it must search only the images of its own fold.",
        ),
        (
            lambda s, o, n: _image_recall_by_loop(s, o, list(range(len(s) // n))),
            "This is the recall of the first fold alone: take the mean over all folds.",
        ),
        (
            lambda s, o, n: _where_ties_win(s, o, n),
            "A tie counts as a hit here: count the images that score at least as much as the right one.",
        ),
        (
            lambda s, o, n: _where_ties_win(s, o, n, by_place=True),
            "argmax takes the first of several tied images, which may be the right one by chance: a tie is a miss.",
        ),
        (
            lambda s, o, n: _running(_recalls_of_folds(s, o, n)),
            "In this running average the last fold has the largest weight: add up the recalls and divide by n_folds.",
        ),
        (
            lambda s, o, n: sum(_recalls_of_folds(s, o, n)[i] for i in {0, n - 1}) / len({0, n - 1}),
            "Only the first and the last fold count here: take the mean over all folds.",
        ),
        (
            lambda s, o, n: (lambda r: sum(r) / len(r))(
                _recalls_of_folds(s, o, n, (torch.arange(len(s)) >= len(s) // n).long() if n > 1 else None)
            ),
            "The second fold holds all remaining images here: cut n_folds parts of equal size.",
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
            "The recalls of the folds are added up: divide by n_folds.",
        ),
        (
            lambda s, o, n: _mean_of_folds(s, o, _consecutive(s, n)) / 100,
            "This is a fraction between 0 and 1: return percent.",
        ),
    ),
)
