"""The exercises of chapter 11: two scores, labels and weights, the overlap of boxes, a bias towards long captions."""

from __future__ import annotations

import torch
from torch import Tensor

from itm_tutorial.chapters.adversarial import TIES
from itm_tutorial.chapters.ch11_fragments.alignment_exercises import alignment_weights, instance_labels, iou
from itm_tutorial.chapters.exercise import Exercise, random_size


def _dots(g: torch.Generator, full: bool = False, shift: float = 0.0) -> tuple[Tensor, Tensor]:
    """Dot products of one image with a few captions of several lengths, and the mask; padding has any numbers."""
    n_captions, n_regions, seq_len = random_size(g, 2, 5), random_size(g, 3, 6), random_size(g, 4, 8)
    lengths = torch.randint(1, seq_len, (n_captions,), generator=g)
    lengths = torch.full_like(lengths, seq_len) if full else lengths
    dots = torch.randn(n_captions, n_regions, seq_len, generator=g) + shift
    return dots, torch.arange(seq_len)[None] < lengths[:, None]


def _best_by_loop(dots: Tensor, mask: Tensor) -> Tensor:
    found = []
    for table, real in zip(dots, mask.tolist(), strict=True):
        found.append(sum(max(table[:, word].tolist()) for word, there in enumerate(real) if there))
    return torch.tensor(found)


def _own_best_regions(dots, mask):
    best = dots.amax(dim=1)  # [n_captions, seq_len]: each word's best region
    return best.masked_fill(~mask, 0).sum(dim=1)


def _masked(values: Tensor, mask: Tensor) -> Tensor:
    return values.masked_fill(~mask, 0)


best_regions = Exercise(
    name="best_regions",
    minutes=10,
    difficulty=1,
    hints=(
        "Two steps: first one number per word, its best region; then one number per caption, the sum over its words.",
        "dots.amax(dim=1) is [n_captions, seq_len]. Positions behind a caption's end must add nothing.",
        "dots.amax(dim=1).masked_fill(~mask, 0).sum(dim=1)",
    ),
    reference=_best_by_loop,
    own=_own_best_regions,
    inputs={
        "captions of several lengths": _dots,
        "captions of one length": lambda g: _dots(g, full=True),
        "words that fit no region": lambda g: _dots(g, shift=-4.0),
    },
    shape="[n_captions]",
    begin="Start from `dots` [n_captions, n_regions, seq_len] and `mask` [n_captions, seq_len]; return one number per "
    "caption.",
    mistakes=(
        (
            lambda d, m: d.amax(1).sum(1),
            "Padding counts: the positions behind a caption's end hold no words. Use the mask.",
        ),
        (
            lambda d, m: _masked(d, m[:, None]).amax(2).sum(1),
            "The maximum runs over the words, so that each region takes its best word. Take it over the regions.",
        ),
        (
            lambda d, m: _masked(d.amax(1).clamp(min=0), m).sum(1),
            "Negative maxima are set to 0. DVSA has no threshold: a word that fits no region lowers the score.",
        ),
        (
            lambda d, m: _masked(d.amax(1), m).sum(1) / m.sum(1),
            "This is the mean over the words. DVSA takes the sum, without dividing by the length.",
        ),
        (
            lambda d, m: _masked(d.clamp(min=0).sum(1), m).sum(1),
            "This is the thresholded sum over all regions, the score of DeFrag. Take each word's best region alone.",
        ),
        (
            lambda d, m: _masked(d.mean(1), m).sum(1),
            "This takes the mean over the regions. Take the maximum.",
        ),
        (
            lambda d, m: d.amax(1).masked_fill(~m, -torch.inf).amax(1),
            "This is the best word alone. Add the maxima of all words.",
        ),
    ),
)


def _thresholded_by_loop(dots: Tensor, mask: Tensor, smoothing: float) -> Tensor:
    found = []
    for table, real in zip(dots.tolist(), mask.tolist(), strict=True):
        kept = [d for row in table for d, there in zip(row, real, strict=True) if there and d > 0]
        found.append(sum(kept) / (sum(real) + smoothing))
    return torch.tensor(found)


def _own_thresholded_score(dots, mask, smoothing):
    total = dots.clamp(min=0).sum(dim=1).masked_fill(~mask, 0).sum(dim=1)  # [n_captions]
    return total / (mask.sum(dim=1) + smoothing)


thresholded_score = Exercise(
    name="thresholded_score",
    minutes=10,
    difficulty=1,
    hints=(
        "Only positive dot products count. All of them count, not each fragment's best.",
        "dots.clamp(min=0), summed over the regions and over the fragments that the mask keeps.",
        "Divide by mask.sum(dim=1) + smoothing: the number of the caption's fragments, plus n.",
    ),
    reference=_thresholded_by_loop,
    own=_own_thresholded_score,
    inputs={
        "n = 10": lambda g: (*_dots(g), 10.0),
        "n = 0": lambda g: (*_dots(g), 0.0),
        "captions of one length": lambda g: (*_dots(g, full=True), 5.0),
    },
    shape="[n_captions]",
    begin="Start from `dots` [n_captions, n_regions, seq_len], `mask` [n_captions, seq_len] and `smoothing`, a number.",
    mistakes=(
        (
            lambda d, m, n: _masked(d.clamp(min=0).sum(1), m).sum(1) / (m.sum(1) + n) / d.shape[1],
            "The sum is divided by the number of regions too. The authors divide by n_fragments + n alone.",
        ),
        (
            lambda d, m, n: _masked(d.sum(1), m).sum(1) / (m.sum(1) + n),
            "Negative dot products count too. Set them to 0 first.",
        ),
        (
            lambda d, m, n: _masked(d.sum(1).clamp(min=0), m).sum(1) / (m.sum(1) + n),
            "The threshold comes after the sum over regions. Set each dot product below 0 to 0 before adding.",
        ),
        (
            lambda d, m, n: d.clamp(min=0).sum((1, 2)) / (m.sum(1) + n),
            "Padding counts in the sum: the positions behind a caption's end hold no fragments. Use the mask.",
        ),
        (
            lambda d, m, n: _masked(d.clamp(min=0).sum(1), m).sum(1) / (m.shape[1] + n),
            "The divisor is the length of the longest caption. Count each caption's own fragments.",
        ),
        (
            lambda d, m, n: _masked(d.clamp(min=0).sum(1), m).sum(1) / m.sum(1),
            "n is missing in the divisor: add smoothing to the number of fragments.",
        ),
        (
            lambda d, m, n: _masked(d.clamp(min=0).amax(1), m).sum(1) / (m.sum(1) + n),
            "Only each fragment's best region counts here. Add all regions.",
        ),
        (
            lambda d, m, n: _masked(d.clamp(min=0).sum(1), m).sum(1),
            "The division is missing: divide by the number of fragments plus n.",
        ),
    ),
)


def _scores(g: torch.Generator, slope: float = 1.0) -> tuple[Tensor, Tensor]:
    """Scores of images and captions that rise or fall with the number of words."""
    n_images, n_captions = random_size(g, 2, 5), random_size(g, 6, 12)
    words = torch.randint(3, 15, (n_captions,), generator=g).float()
    words[:2] = torch.tensor([4.0, 9.0])  # so that the lengths are never all equal
    noise = 3 * torch.randn(n_images, n_captions, generator=g) + 5 * torch.randn(n_images, 1, generator=g)
    return slope * words + noise, words


def _bias_by_loop(scores: Tensor, n_words: Tensor) -> float:
    words, found = n_words.double().tolist(), []
    mean_words = sum(words) / len(words)
    for row in scores.double().tolist():
        mean = sum(row) / len(row)
        together = sum((s - mean) * (w - mean_words) for s, w in zip(row, words, strict=True))
        of_scores = sum((s - mean) ** 2 for s in row)
        of_words = sum((w - mean_words) ** 2 for w in words)
        found.append(together / (of_scores * of_words) ** 0.5)
    return sum(found) / len(found)


def _own_length_bias(scores, n_words):
    scores = scores.double() - scores.double().mean(dim=1, keepdim=True)  # [n_images, n_captions]
    words = n_words.double() - n_words.double().mean()  # [n_captions]
    each = (scores @ words) / (scores.norm(dim=1) * words.norm())  # [n_images]
    return each.mean().item()


def _pearson(x: Tensor, y: Tensor) -> Tensor:
    x, y = x.double() - x.double().mean(), y.double() - y.double().mean()
    return (x * y).sum() / (x.norm() * y.norm())


length_bias = Exercise(
    name="length_bias",
    minutes=10,
    difficulty=2,
    hints=(
        "Begin with one image: Pearson's correlation between its scores and the lengths of the captions.",
        "Subtract the mean from both; the correlation is their dot product divided by both norms.",
        "Subtract scores.mean(dim=1, keepdim=True) and n_words.mean(); then take the mean over images, .item().",
    ),
    reference=_bias_by_loop,
    own=_own_length_bias,
    inputs={
        "scores that rise with length": _scores,
        "scores that fall with length": lambda g: _scores(g, -1.0),
        "scores that ignore length": lambda g: _scores(g, 0.0),
    },
    begin="Start from one row of `scores` [n_images, n_captions] and `n_words` [n_captions]; return one number.",
    varied=("scores",),
    spared=(*TIES, "numbers far below zero"),
    mistakes=(
        (
            lambda s, w: _pearson(s.mean(0), w).item(),
            "This is the correlation of the mean scores. Take each image's correlation first, then their mean.",
        ),
        (
            lambda s, w: _pearson(s.flatten(), w.repeat(len(s))).item(),
            "All images are taken together, so that an image whose scores are all high blurs the correlation. Take one "
            "correlation per image.",
        ),
        (
            lambda s, w: ((s.double() @ w.double()) / (s.double().norm(dim=1) * w.double().norm())).mean().item(),
            "This is the cosine: the means have not been subtracted.",
        ),
        (
            lambda s, w: torch.stack([_pearson(row / w, w) for row in s]).mean().item(),
            "The scores are divided by the lengths already. Measure the scores as they are.",
        ),
        (
            lambda s, w: torch.stack([_pearson(row, w) for row in s]).sum().item(),
            "This is the sum over images. Take the mean.",
        ),
        (
            lambda s, w: torch.stack([_pearson(row, w).abs() for row in s]).mean().item(),
            "The sign is lost: a score that falls with length has a negative correlation.",
        ),
        (
            lambda s, w: torch.stack([_pearson(row, w) for row in s]).square().mean().item(),
            "This is the squared correlation. It has no sign, and it is smaller.",
        ),
    ),
)


EXERCISES = (best_regions, thresholded_score, instance_labels, alignment_weights, iou, length_bias)
