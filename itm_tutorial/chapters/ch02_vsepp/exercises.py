"""The exercises of chapter 02: the hardest negative, top-k, two traps of evaluation, a collapse, bugs, a mask."""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor

from itm_tutorial.chapters.adversarial import NEGATIVE
from itm_tutorial.chapters.ch02_vsepp.bug_exercise import SUSPECTS, print_suspects, which_bug
from itm_tutorial.chapters.ch02_vsepp.evaluation_exercises import caption_recall, recall_in_folds
from itm_tutorial.chapters.exercise import Exercise, random_size


def _square(g: torch.Generator, spread: float = 0.3) -> Tensor:
    n = random_size(g, 3, 7)
    return spread * torch.randn(n, n, generator=g)


def _some_far_ahead(g: torch.Generator) -> tuple[Tensor, float]:
    scores = _square(g)
    return scores + torch.diag(2.0 * (torch.arange(len(scores)) % 2)), 0.2


def _hardest_by_loop(scores: Tensor, margin: float) -> Tensor:
    total = 0.0
    for i in range(len(scores)):
        captions, images = [0.0], [0.0]
        for j in range(len(scores)):
            if j != i:
                captions.append(margin - float(scores[i, i]) + float(scores[i, j]))
                images.append(margin - float(scores[i, i]) + float(scores[j, i]))
        total += max(captions) + max(images)
    return torch.tensor(total)


def _costs(scores: Tensor, margin: float, keep: bool = False) -> tuple[Tensor, Tensor]:
    """Hinges of a square batch against negative captions and negative images, one row per pair."""
    positives = scores.diagonal()[:, None]
    both = ((margin - positives + s).clamp(min=0) for s in (scores, scores.T))
    return tuple(costs if keep else costs.fill_diagonal_(0) for costs in both)


def _added(scores: Tensor, margin: float, add, keep: bool = False) -> Tensor:
    return sum(add(costs) for costs in _costs(scores, margin, keep))


def _own_hardest_negative_loss(scores, margin):
    positives = scores.diagonal()[:, None]  # [n_pairs, 1]
    diagonal = torch.eye(len(scores), dtype=torch.bool)
    against_captions = (margin - positives + scores).clamp(min=0).masked_fill(diagonal, 0)  # [n_pairs, n_pairs]
    against_images = (margin - positives + scores.T).clamp(min=0).masked_fill(diagonal, 0)
    return against_captions.amax(1).sum() + against_images.amax(1).sum()


hardest_negative_loss = Exercise(
    name="hardest_negative_loss",
    minutes=15,
    difficulty=2,
    hints=(
        "A positive score has a row and a column: in each, find the largest negative score.",
        "Compare scores.diagonal()[:, None] with scores for the hinges of the rows, with scores.T for the columns.",
        "Clamp at 0, put 0 on the diagonal with masked_fill, take amax(1) and add up, in both directions.",
    ),
    begin=(
        "Start from scores [n_pairs, n_pairs] and its diagonal, and return the second formula above as a "
        "tensor with one number."
    ),
    reference=_hardest_by_loop,
    own=_own_hardest_negative_loss,
    inputs={
        "random scores": lambda g: (_square(g), 0.2),
        "a batch in which some pairs are far ahead": _some_far_ahead,
        "scores that are all negative": lambda g: (_square(g) - 3, 0.05),
    },
    mistakes=(
        (lambda s, m: _added(s, m, torch.sum), "This is the sum over all negatives: keep the largest of each pair."),
        (lambda s, m: _costs(s, m)[0].amax(1).sum(), "Only negative captions count here: add the negative images."),
        (lambda s, m: _costs(s, m)[1].amax(1).sum(), "Only negative images count here: add the negative captions."),
        (
            lambda s, m: _added(s, m, lambda c: c.amax(1).mean()),
            "This is the mean over the batch: the paper's code sums.",
        ),
        (
            lambda s, m: _added(s, m, lambda c: c.amax(1).sum(), keep=True),
            "The positive pairs count as negatives of themselves: put 0 on the diagonal.",
        ),
        (
            lambda s, m: _added(s, m, torch.max),
            "This is the hardest negative of the whole batch: take the largest of each row (amax over dim 1).",
        ),
        (
            lambda s, m: _added(s, m, lambda c: c.amax(0).sum()),
            "The maximum is taken over the pairs: take it over the negatives of each pair (dim=1).",
        ),
        (
            lambda s, m: sum(
                (m - s.diagonal()[:, None] + t).masked_fill(torch.eye(len(s)).bool(), -9).amax(1).sum()
                for t in (s, s.T)
            ),
            "Costs below zero are counted: clamp every hinge at 0.",
        ),
        (
            lambda s, m: _added(s, m, lambda c: c.masked_fill(c == c.diagonal()[:, None], 0).amax(1).sum(), keep=True),
            "A negative whose score equals the positive score is left out too: mask the diagonal by its place.",
        ),
        (
            lambda s, m: _added(-s, m, lambda c: c.amax(1).sum()),
            "The signs are swapped: subtract the positive score and add the negative score.",
        ),
    ),
)


def _hinges(g: torch.Generator) -> Tensor:
    return torch.randn(random_size(g, 2, 6), random_size(g, 4, 9), generator=g).clamp(min=0)


def _top_k_by_loop(costs: Tensor, k: int) -> Tensor:
    return torch.tensor(float(sum(sum(sorted(row, reverse=True)[:k]) for row in costs.tolist())))


def _own_top_k_loss(costs, k):
    k = min(k, costs.shape[1])
    return costs.topk(k, dim=1).values.sum()


top_k_loss = Exercise(
    name="top_k_loss",
    minutes=5,
    difficulty=1,
    hints=(
        "k = 1 gives the hardest negative alone, and a large k gives the sum over all negatives.",
        "costs.topk(k, dim=1).values holds the k largest of each row.",
        "topk stops if k exceeds the number of columns: take min(k, costs.shape[1]) first.",
    ),
    begin=(
        "Start from one row of costs [n_pairs, n_negatives], extend it to all rows, and return a tensor "
        "with one number."
    ),
    reference=_top_k_by_loop,
    own=_own_top_k_loss,
    inputs={
        "k below the number of negatives": lambda g: (_hinges(g), random_size(g, 2, 4)),
        "k = 1": lambda g: (_hinges(g), 1),
        "k above the number of negatives": lambda g: (_hinges(g), 20),
    },
    spared=NEGATIVE,
    mistakes=(
        (
            lambda c, k: c.topk(min(k, len(c)), dim=0).values.sum(),
            "The k largest are taken over the pairs: the negatives of a pair are in its row (dim=1).",
        ),
        (
            lambda c, k: c.flatten().topk(min(k, c.numel())).values.sum(),
            "These are the k largest costs of the whole batch: take the k largest of each row.",
        ),
        (lambda c, k: c.sort(1).values[:, :k].sum(), "These are the k smallest costs: sort puts the smallest first."),
        (
            lambda c, k: c.topk(min(k, c.shape[1]), dim=1).values.mean(1).sum(),
            "This is the mean of the k hardest: with k = all it must be the sum.",
        ),
        (
            lambda c, k: c.topk(min(k, c.shape[1]), dim=1).values[:, -1].sum(),
            "Only the k-th largest cost is added: add the larger ones too.",
        ),
        (lambda c, k: c.amax(1).sum(), "Only the largest cost of each row is added: add k of them."),
        (
            lambda c, k: sum(row.unique().flip(0)[:k].sum() for row in c),
            "Equal costs are counted once: two negatives with the same cost both count.",
        ),
        (
            lambda c, k: c.masked_fill(c < c.sort(1, descending=True).values[:, :k].amin(1, keepdim=True), 0).sum(),
            "Every cost equal to the k-th largest is added: add exactly k costs per pair.",
        ),
        (
            lambda c, k: c[:, :k].sum(),
            "These are the first k columns, in the order of the batch: take the k largest costs.",
        ),
    ),
)


def _margin(g: torch.Generator) -> float:
    """From 0.05 to 0.35, with more decimals than an answer would be rounded to."""
    return 0.05 + 0.3 * float(torch.rand((), generator=g))


def _collapse_by_loop(batch_size: int, margin: float, k: int) -> float:
    total = 0.0
    for _pair in range(batch_size):
        for _direction in ("captions", "images"):
            hinges = [max(0.0, margin - 1.0 + 1.0) for _negative in range(batch_size - 1)]
            total += sum(hinges[:k])
    return total


def _own_collapse_loss(batch_size, margin, k):
    return 2 * batch_size * min(k, batch_size - 1) * margin


collapse_loss = Exercise(
    name="collapse_loss",
    minutes=5,
    difficulty=1,
    hints=(
        "All embeddings are equal, so all scores are equal: what is left of margin - positive + negative?",
        "Each hinge equals the margin. A pair has k hinges in each of the two directions.",
        "A pair has only batch_size - 1 negatives: 2 * batch_size * min(k, batch_size - 1) * margin.",
    ),
    begin=(
        "Start from the formula of the loss, write down each of its factors for equal scores, and return "
        "a plain number."
    ),
    reference=_collapse_by_loop,
    own=_own_collapse_loss,
    inputs={
        "k = 1": lambda g: (random_size(g, 4, 200), _margin(g), 1),
        "k below the number of negatives": lambda g: (random_size(g, 12, 200), _margin(g), random_size(g, 2, 9)),
        "k above the number of negatives": lambda g: (random_size(g, 4, 20), _margin(g), 500),
    },
    mistakes=(
        (
            lambda n, m, k: n * min(k, n - 1) * m,
            "One direction is missing: the loss has hinges against negative captions and against negative images.",
        ),
        (
            lambda n, m, k: 2 * min(k, n - 1) * m,
            "This is the loss of one pair: the loss is a sum over the pairs of the batch.",
        ),
        (
            lambda n, m, k: 2 * n * k * m,
            "k can exceed the number of negatives: a pair has only batch_size - 1 of them.",
        ),
        (lambda n, m, k: 2 * n * min(k, n) * m, "A pair is not a negative of itself: it has batch_size - 1 negatives."),
        (
            lambda n, m, k: 2 * n * m,
            "This is the loss for k = 1: with k negatives a pair costs k margins per direction.",
        ),
        (lambda n, m, k: 0.0, "Equal scores do cost something: the positive score is not ahead by the margin."),
        (
            lambda n, m, k: 2.0 * n * min(k, n - 1),
            "The margin is missing: with equal scores each hinge equals the margin.",
        ),
        (
            lambda n, m, k: round(2 * n * min(k, n - 1) * m, 1),
            "The loss is rounded to one decimal: return it with all its digits.",
        ),
        (lambda n, m, k: int(2 * n * min(k, n - 1) * m), "The loss is cut to a whole number: leave out int()."),
    ),
)


def _doubles(g: torch.Generator) -> tuple[Tensor, LongTensor]:
    n = random_size(g, 5, 9)
    image_of = torch.randint(0, n - 2, (n,), generator=g)
    image_of[-1] = image_of[0]
    return 0.1 + torch.rand(n, n, generator=g), image_of


def _all_distinct(g: torch.Generator) -> tuple[Tensor, LongTensor]:
    n = random_size(g, 3, 8)
    return 0.1 + torch.rand(n, n, generator=g), torch.randperm(n, generator=g)


def _masked_by_loop(costs: Tensor, image_of: LongTensor) -> Tensor:
    masked = costs.clone()
    for i in range(len(costs)):
        for j in range(len(costs)):
            if image_of[i] == image_of[j]:
                masked[i, j] = 0
    return masked


def _own_without_same_image(costs, image_of):
    same = image_of[:, None] == image_of[None]  # [n_pairs, n_pairs]
    return costs.masked_fill(same, 0)


def _same(image_of: LongTensor) -> Tensor:
    return image_of[:, None] == image_of[None]


without_same_image = Exercise(
    name="without_same_image",
    minutes=5,
    difficulty=1,
    hints=(
        "Two pairs with the same image are not negatives of each other: their cost must be 0.",
        "image_of[:, None] == image_of[None] is True where row and column show the same image.",
        "costs.masked_fill(same, 0) returns a new tensor and leaves costs unchanged.",
    ),
    begin="Start from costs [n_pairs, n_pairs] and image_of [n_pairs], and return a new tensor of the shape of costs.",
    reference=_masked_by_loop,
    own=_own_without_same_image,
    inputs={"a batch with an image twice": _doubles, "a batch of distinct images": _all_distinct},
    shape="[n_pairs, n_pairs]",
    spared=NEGATIVE,
    mistakes=(
        (
            lambda c, o: c.masked_fill(torch.eye(len(c)).bool(), 0),
            "Only the diagonal is masked, as in the public code: mask all pairs of one image, using image_of.",
        ),
        (
            lambda c, o: c.masked_fill(~_same(o), 0),
            "The mask is inverted: only the costs between pairs of the same image are left.",
        ),
        (
            lambda c, o: c.masked_fill(_same(o) & ~torch.eye(len(c)).bool(), 0),
            "The diagonal still has costs: a pair is not a negative of itself.",
        ),
        (
            lambda c, o: c.masked_fill(_same(o), -torch.inf),
            "A masked cost must be 0, not minus infinity: a hinge is never below 0.",
        ),
        (
            lambda c, o: c.masked_fill(_same(o) | (c == c.diagonal()[:, None]), 0),
            "Costs equal to those of the diagonal are masked too: compare image_of, not the costs.",
        ),
        (
            lambda c, o: c.masked_fill(_same(o).triu(), 0),
            "Only the upper half is masked: mask row j, column i wherever row i, column j is masked.",
        ),
        (
            lambda c, o: c.masked_fill((_same(o).sum(1) > 1)[:, None] | torch.eye(len(c)).bool(), 0),
            "The whole row of an image that occurs twice is masked: its other negatives are true negatives.",
        ),
    ),
)

EXERCISES = (
    hardest_negative_loss,
    top_k_loss,
    caption_recall,
    recall_in_folds,
    collapse_loss,
    which_bug,
    without_same_image,
)

__all__ = ["EXERCISES", "SUSPECTS", "print_suspects", *(exercise.name for exercise in EXERCISES)]
