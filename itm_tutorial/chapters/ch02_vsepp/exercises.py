"""The exercises of chapter 02: the hardest negative, top-k, two traps of evaluation, a collapse, bugs, a mask."""

from __future__ import annotations

import functools
import inspect

import torch
from torch import LongTensor, Tensor

from itm_tutorial.chapters.adversarial import NEGATIVE
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
        "scores.diagonal()[:, None] against scores gives the hinges of the rows; against scores.T, of the columns.",
        "Clamp at 0, put 0 on the diagonal with masked_fill, take amax(1), and sum; both directions.",
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
            "The positive pairs compete with themselves: put 0 on the diagonal, else each costs a margin at least.",
        ),
        (
            lambda s, m: _added(s, m, torch.max),
            "This is the hardest negative of the whole batch: take the largest of each row (amax over dim 1).",
        ),
        (
            lambda s, m: _added(s, m, lambda c: c.amax(0).sum()),
            "The largest is taken over the pairs: take it over the negatives of each pair (dim=1).",
        ),
        (
            lambda s, m: sum(
                (m - s.diagonal()[:, None] + t).masked_fill(torch.eye(len(s)).bool(), -9).amax(1).sum()
                for t in (s, s.T)
            ),
            "Costs below zero are counted: a negative that is far enough costs 0, no less (clamp).",
        ),
        (
            lambda s, m: _added(s, m, lambda c: c.masked_fill(c == c.diagonal()[:, None], 0).amax(1).sum(), keep=True),
            "A negative that ties with the positive pair is left out with it: leave out the diagonal by its place.",
        ),
        (
            lambda s, m: _added(-s, m, lambda c: c.amax(1).sum()),
            "The sign is turned: subtract the positive score, and add the negative one.",
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
        "k = 1 is the hardest negative, and k = all is the sum.",
        "costs.topk(k, dim=1).values holds the k largest of each row.",
        "topk refuses a k above the number of columns: take min(k, costs.shape[1]) first.",
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
            "The k hardest are taken among the pairs: a pair has its negatives in a row (dim=1).",
        ),
        (lambda c, k: c.flatten().topk(min(k, c.numel())).values.sum(), "These are the k hardest of the whole batch."),
        (lambda c, k: c.sort(1).values[:, :k].sum(), "These are the k easiest: sort gives the smallest first."),
        (
            lambda c, k: c.topk(min(k, c.shape[1]), dim=1).values.mean(1).sum(),
            "This is the mean of the k hardest: with k = all it must be the sum.",
        ),
        (
            lambda c, k: c.topk(min(k, c.shape[1]), dim=1).values[:, -1].sum(),
            "This is the k-th alone: those before it count too.",
        ),
        (lambda c, k: c.amax(1).sum(), "This is k = 1 whatever k is."),
        (
            lambda c, k: sum(row.unique().flip(0)[:k].sum() for row in c),
            "Equal costs count once here: two negatives that cost the same both count.",
        ),
        (
            lambda c, k: c.masked_fill(c < c.sort(1, descending=True).values[:, :k].amin(1, keepdim=True), 0).sum(),
            "Every cost that ties with the k-th counts here: a pair has k of them, and no more.",
        ),
        (lambda c, k: c[:, :k].sum(), "These are the first k columns, in the order of the batch: take the largest."),
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
        "All embeddings are equal, so all scores are: what is left of margin - positive + negative?",
        "Each hinge is one margin. A pair has k of them in each of two directions.",
        "A pair has only batch_size - 1 negatives: 2 * batch_size * min(k, batch_size - 1) * margin.",
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
            "One direction is missing: captions are searched, and images too.",
        ),
        (lambda n, m, k: 2 * min(k, n - 1) * m, "This is one pair's loss: the losses here sum over the batch."),
        (lambda n, m, k: 2 * n * k * m, "A pair has only batch_size - 1 negatives: k may be more than there are."),
        (lambda n, m, k: 2 * n * min(k, n) * m, "A pair is no negative of its own: there are batch_size - 1."),
        (lambda n, m, k: 2 * n * m, "This holds for k = 1: with k negatives a pair pays k margins."),
        (lambda n, m, k: 0.0, "Equal scores are no win: the positive one must be ahead by the margin, and is not."),
        (lambda n, m, k: 2.0 * n * min(k, n - 1), "The margin is missing: equal scores leave the whole of it."),
        (
            lambda n, m, k: round(2 * n * min(k, n - 1) * m, 1),
            "The loss is rounded to one decimal: give it with all its digits.",
        ),
        (lambda n, m, k: int(2 * n * min(k, n - 1) * m), "The loss is cut to a whole number: leave out int()."),
    ),
)


def loss_0(scores: Tensor, margin: float) -> Tensor:
    costs = (margin - scores.diagonal()[:, None] + torch.stack([scores, scores.T])).clamp(min=0)
    costs = costs.masked_fill(torch.eye(len(scores), dtype=torch.bool), 0)
    return costs.amax(2).sum()


def loss_1(scores: Tensor, margin: float) -> Tensor:
    costs = (margin - scores.diagonal()[:, None] + torch.stack([scores, scores.T])).clamp(min=0)
    return costs.amax(2).sum()


def loss_2(scores: Tensor, margin: float) -> Tensor:
    costs = (margin - scores.diagonal()[:, None] + torch.stack([scores, scores])).clamp(min=0)
    costs = costs.masked_fill(torch.eye(len(scores), dtype=torch.bool), 0)
    return costs.amax(2).sum()


def loss_3(scores: Tensor, margin: float) -> Tensor:
    costs = margin - scores.diagonal()[:, None] + torch.stack([scores, scores.T])
    costs = costs.masked_fill(torch.eye(len(scores), dtype=torch.bool), -torch.inf)
    return costs.amax(2).sum()


def loss_4(scores: Tensor, margin: float) -> Tensor:
    costs = (margin - scores.diagonal()[:, None] + torch.stack([scores, scores.T])).clamp(min=0)
    costs = costs.masked_fill(torch.eye(len(scores), dtype=torch.bool), 0)
    return costs.amax(2).mean()


SUSPECTS = (loss_0, loss_1, loss_2, loss_3, loss_4)


def print_suspects() -> None:
    """Prints the correct loss, 0, and the four with a bug."""
    print("\n".join(inspect.getsource(loss) for loss in SUSPECTS))


class Suspect:
    """One of the losses, to be called: its name, its source and what it equals are those of another suspect."""

    def __init__(self, number: int, alias: int):
        self._call = lambda scores, margin: SUSPECTS[number](scores, margin)
        self._number = lambda: number
        functools.update_wrapper(self, SUSPECTS[alias])

    def __call__(self, scores: Tensor, margin: float) -> Tensor:
        return self._call(scores, margin)

    def __deepcopy__(self, memo: dict) -> Suspect:
        return self

    def __eq__(self, other: object) -> bool:
        return other is self or other is self.__wrapped__

    def __hash__(self) -> int:
        return hash(self.__wrapped__)

    def __repr__(self) -> str:
        return "(one of the five)"


def _number_of(loss) -> int:
    return loss._number() if isinstance(loss, Suspect) else SUSPECTS.index(loss)


def _suspect(number: int):
    return lambda g: (Suspect(number, (number + random_size(g, 1, len(SUSPECTS))) % len(SUSPECTS)),)


def _own_which_bug(loss):
    ahead = loss(torch.eye(3), 0.2)  # each positive pair wins by far: the loss must be 0
    if ahead != 0:
        return 1 if ahead > 0 else 3
    if loss(torch.zeros(3, 3), 0.2) < 1:  # equal scores: six margins
        return 4
    rows_differ = torch.tensor([[0.0, 0.1, 0.1], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    return 2 if loss(rows_differ, 0.2) < 1.45 else 0  # rows 0.3 + 0.2 + 0.2, columns 0.2 + 0.3 + 0.3


def _by_far_ahead(loss) -> int:
    ahead = loss(torch.eye(3), 0.2)
    return 0 if ahead == 0 else 1 if ahead > 0 else 3


def _by_equal_scores(loss) -> int:
    return 4 if loss(torch.zeros(3, 3), 0.2) < 1 else 0


which_bug = Exercise(
    name="which_bug",
    minutes=20,
    difficulty=3,
    hints=(
        "Think of small batches whose loss you know: all positive pairs far ahead, or all scores equal.",
        "torch.eye(3) must give 0 and torch.zeros(3, 3) six margins. Which losses differ there, and which way?",
        "Loss 2 reads the rows twice: use a matrix whose rows and columns have different maxima.",
    ),
    reference=_number_of,
    own=_own_which_bug,
    inputs={f"loss {number}": _suspect(number) for number in range(len(SUSPECTS))},
    mistakes=(
        (lambda loss: 0, "Every loss is called correct: find a batch on which the five differ."),
        (
            _by_equal_scores,
            "Equal scores betray loss 4 alone: the others agree there. Try a batch whose positive pairs win by far.",
        ),
        (
            _by_far_ahead,
            "Where the positive pairs win by far only losses 1 and 3 are betrayed: add a batch that costs something.",
        ),
        (
            lambda loss: _by_far_ahead(loss) or _by_equal_scores(loss),
            "A symmetric matrix hides loss 2, which reads the rows twice: let rows and columns differ.",
        ),
        (lambda loss: (0, 3, 2, 1, 4)[_number_of(loss)], "1 and 3 are mixed up: which of them can fall below zero?"),
        (lambda loss: _number_of(loss) - 1, "The numbers start with the correct loss, which is 0."),
        (
            lambda loss: SUSPECTS.index(loss.__wrapped__),
            "The loss is recognised by its name, its source or what it is, and here these are another's: only call it.",
        ),
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
        "A pair and another of the same image are no negatives of each other: their cost must be 0.",
        "image_of[:, None] == image_of[None] is True where row and column show the same image.",
        "costs.masked_fill(same, 0) leaves costs as they were and gives a new tensor.",
    ),
    reference=_masked_by_loop,
    own=_own_without_same_image,
    inputs={"a batch with an image twice": _doubles, "a batch of distinct images": _all_distinct},
    shape="[n_pairs, n_pairs]",
    spared=NEGATIVE,
    mistakes=(
        (
            lambda c, o: c.masked_fill(torch.eye(len(c)).bool(), 0),
            "Only the diagonal is masked, as in the public code: ask image_of where the same image comes again.",
        ),
        (lambda c, o: c.masked_fill(~_same(o), 0), "Turned round: these are the costs of the same image alone."),
        (
            lambda c, o: c.masked_fill(_same(o) & ~torch.eye(len(c)).bool(), 0),
            "The diagonal still costs: a pair is no negative of its own either.",
        ),
        (
            lambda c, o: c.masked_fill(_same(o), -torch.inf),
            "Hinges are never below 0: what does not count costs 0, not minus infinity.",
        ),
        (
            lambda c, o: c.masked_fill(_same(o) | (c == c.diagonal()[:, None]), 0),
            "Costs that equal the diagonal's are masked too: ask image_of, not the costs.",
        ),
        (
            lambda c, o: c.masked_fill(_same(o).triu(), 0),
            "Only one half is masked: where i is no negative of j, j is none of i.",
        ),
        (
            lambda c, o: c.masked_fill((_same(o).sum(1) > 1)[:, None] | torch.eye(len(c)).bool(), 0),
            "Rows of images that come twice are gone as a whole: their other negatives are true ones.",
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
