"""Two exercises of chapter 15 that begin on paper: what K equal steps do to a margin, and what a shortlist may miss."""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor

from itm_tutorial.chapters.exercise import Exercise, random_size

FINE = 64  # steps of a score: no difference times a number of steps is exactly a margin of a fifth
FINER = 1024  # steps of a cheap score; alpha is an odd half of it, so that no bound is met exactly


def _scored(g: torch.Generator, n_steps: int = 0, n: int = 0) -> tuple[Tensor, float, int]:
    """Scores of one step, pairs on the diagonal; the margin; and the largest number of steps."""
    n = n or random_size(g, 3, 7)
    scores = torch.randint(-8, 9, (n, n), generator=g) / FINE
    return scores, 0.2, n_steps or random_size(g, 2, 7)


def _active_by_loop(scores: Tensor, margin: float, n_steps: int) -> LongTensor:
    s, counts = scores.double().tolist(), []
    for steps in range(1, n_steps + 1):
        n_active = 0
        for i in range(len(s)):
            for j in range(len(s)):
                if i != j:
                    n_active += margin - steps * s[i][i] + steps * s[i][j] > 0
                    n_active += margin - steps * s[i][i] + steps * s[j][i] > 0
        counts.append(n_active)
    return torch.tensor(counts)


def _own_active_hinges(scores, margin, n_steps):
    own = scores.diagonal()
    above = torch.stack([scores - own[:, None], scores - own])  # negative - positive: by image, by caption
    above = above.masked_fill(torch.eye(len(scores), dtype=torch.bool), -torch.inf)
    return torch.stack([(above > -margin / steps).sum() for steps in range(1, n_steps + 1)])


def _active(
    scores,
    margin,
    n_steps,
    needed=lambda margin, k: margin / k,
    sides=lambda by_image, by_caption: (by_image, by_caption),
    mask=True,
    count=lambda active: active.sum(),
):
    """As the solution, with one part changed."""
    own, eye = scores.diagonal(), torch.eye(len(scores), dtype=torch.bool)
    gaps = sides(scores - own[:, None], scores - own)
    gaps = torch.stack([gap.masked_fill(eye, -torch.inf) if mask else gap for gap in gaps])
    return torch.stack([count(gaps > -needed(margin, k)) for k in range(1, n_steps + 1)])


active_hinges = Exercise(
    name="active_hinges",
    minutes=15,
    difficulty=2,
    hints=(
        "On paper: with S = K s, a hinge is [m - K s+ + K s-]+. Take K out of the bracket. What is left inside?",
        "[m - K s+ + K s-]+ = K [m / K - s+ + s-]+: it is active where s- - s+ > -m / K. For an image compare a row "
        "with its diagonal entry, for a caption a column.",
        "gap = torch.stack([scores - own[:, None], scores - own]) with own = scores.diagonal(), the diagonal filled "
        "with -inf; for K = 1 ... n_steps count (gap > -margin / K).sum(), and torch.stack the counts.",
    ),
    reference=_active_by_loop,
    own=_own_active_hinges,
    inputs={
        "several steps": _scored,
        "a single step": lambda g: _scored(g, n_steps=1),
        "two pairs": lambda g: _scored(g, n=2),
    },
    shape="[n_steps]",
    begin="Start from `scores` [n, n] of one step, in which pair i is image i with caption i. A model without an "
    "update repeats this step, so that K steps give S = K * scores. For K = 1 to `n_steps`, count the hinges [margin - "
    "S of the pair + S of a negative]+ above 0, over all negatives in both directions. Return the counts.",
    varied=(),
    remarks={"several steps": "The counts cannot rise with K: more steps act like a smaller margin."},
    mistakes=(
        (
            lambda *a: _active(*a, needed=lambda margin, k: margin * k),
            "The margin grows with K here. It is the scores that grow, so that the margin acts like margin / K.",
        ),
        (
            lambda *a: _active(*a, needed=lambda margin, k: margin),
            "All counts are the same, as if S were a mean over steps. S is their sum: the margin acts like margin / K.",
        ),
        (
            lambda *a: _active(*a, needed=lambda margin, k: margin / k**2),
            "The margin is divided by K twice. [m - K s+ + K s-]+ = K [m / K - s+ + s-]+.",
        ),
        (
            lambda *a: _active(*a, sides=lambda rows, columns: (rows,)),
            "Only the captions of each image are counted. Count the images of each caption, too.",
        ),
        (
            lambda *a: _active(*a, sides=lambda rows, columns: (columns,)),
            "Only the images of each caption are counted. Count the captions of each image, too.",
        ),
        (
            lambda *a: _active(*a, mask=False),
            "The pairs themselves are counted as their own negatives, and always active. Leave the diagonal out.",
        ),
        (
            lambda *a: _active(*a, count=lambda active: active.any(2).sum()),
            "This counts rows with an active hinge. Count the hinges of all negatives.",
        ),
        (
            lambda *a: _active(*a).flip(0),
            "The counts are in reversed order. Begin with K = 1 and end with n_steps.",
        ),
        (
            lambda *a: _active(*a).cumsum(0),
            "The counts of all smaller K are added up. Count anew for each K.",
        ),
        (
            lambda s, m, k: 2 * len(s) * (len(s) - 1) - _active(s, m, k),
            "This counts the hinges that are 0. Count those above 0.",
        ),
    ),
)


def _cheap(g: torch.Generator, k: int = 0, alpha: float = 0.0) -> tuple[Tensor, float, int]:
    """Cheap scores i_0 . c_0, alpha, and how many captions are wanted for each image."""
    n_images, n_captions = random_size(g, 2, 6), random_size(g, 6, 12)
    scores = torch.randint(-FINER, FINER + 1, (n_images, n_captions), generator=g) / FINER
    return scores, alpha or (2 * random_size(g, 60, 220) + 1) / (4 * FINER), k or random_size(g, 2, 5)


def _worth_by_loop(cheap: Tensor, alpha: float, k: int) -> Tensor:
    found = []
    for row in cheap.double().tolist():
        at_best, at_worst = [value + alpha for value in row], [value - alpha for value in row]
        found.append([sum(other > best for other in at_worst) < k for best in at_best])
    return torch.tensor(found)


def _own_worth_rescoring(cheap, alpha, k):
    kth = cheap.topk(k, dim=1).values[:, -1:]  # [n_images, 1]: at least this, less alpha, have k captions
    return cheap + alpha >= kth - alpha


def _worth(cheap, alpha, k, room=2, kth=lambda cheap, k: cheap.topk(k, 1).values[:, -1:]):
    """As the solution, with one part changed."""
    return cheap >= kth(cheap, k) - room * alpha


worth_rescoring = Exercise(
    name="worth_rescoring",
    minutes=10,
    difficulty=2,
    hints=(
        "On paper: S lies between cheap - alpha and cheap + alpha. By how much can the difference of two captions "
        "change, if one gains all and the other loses all?",
        "A caption is out if k others surely beat it: their worst S, cheap - alpha, is above its best, cheap + alpha. "
        "Compare it with the k-th largest cheap score of its image.",
        "kth = cheap.topk(k, dim=1).values[:, -1:]; a caption may be among the first k where cheap >= kth - 2 * alpha.",
    ),
    reference=_worth_by_loop,
    own=_own_worth_rescoring,
    inputs={
        "several captions wanted": _cheap,
        "the first caption wanted": lambda g: _cheap(g, k=1),
        "an alpha near 0": lambda g: _cheap(g, alpha=1 / (4 * FINER)),
    },
    shape="[n_images, n_captions]",
    begin="Start from `cheap` [n_images, n_captions], the cosines i_0 . c_0. The whole score is S = cheap + `alpha` * "
    "another cosine, which lies between -1 and 1 and costs a network per pair. Return bool [n_images, n_captions]: "
    "True where a caption may be among the first `k` captions of its image by S, whatever the other cosine is.",
    varied=(),
    remarks={"an alpha near 0": "Without room for the second score, only the first k by the cheap score remain."},
    mistakes=(
        (
            lambda *a: _worth(*a, room=1),
            "One alpha is too little: one caption may gain alpha while the other loses alpha. The bound is 2 alpha.",
        ),
        (
            lambda *a: _worth(*a, room=0),
            "Only the first k by the cheap score are kept, so that the second score cannot bring in another one.",
        ),
        (
            lambda *a: _worth(*a, room=4),
            "4 alpha is more than is needed. S of two captions can move by at most 2 alpha against each other.",
        ),
        (
            lambda *a: _worth(*a, room=-2),
            "The bound has the wrong sign: captions below the k-th may still get in. Subtract 2 alpha.",
        ),
        (
            lambda *a: _worth(*a, kth=lambda cheap, k: cheap.amax(1, keepdim=True)),
            "Captions are compared with the best one. To be among the first k, compare with the k-th best.",
        ),
        (
            lambda *a: _worth(*a, kth=lambda cheap, k: cheap.topk(min(k + 1, cheap.shape[1]), 1).values[:, -1:]),
            "Captions are compared with the one after the k-th. Compare with the k-th itself.",
        ),
        (
            lambda *a: _worth(*a, kth=lambda cheap, k: cheap.flatten().topk(k).values[-1]),
            "The k-th best of all images together is used. Each image has a k-th best caption of its own, dim=1.",
        ),
        (
            lambda *a: _worth(*a, kth=lambda cheap, k: cheap.topk(min(k, len(cheap)), 0).values[-1:]),
            "The k-th best is taken over the images of each caption. Take it over captions, dim=1.",
        ),
        (
            lambda *a: ~_worth(*a),
            "True and False are exchanged: True stands for the captions that are kept.",
        ),
    ),
)


PAPER_EXERCISES = (active_hinges, worth_rescoring)
