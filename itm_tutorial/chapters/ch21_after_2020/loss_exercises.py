"""Three exercises of chapter 21 on losses: CLIP's two directions, its learned scale, and SigLIP's loss in chunks."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, logsigmoid, normalize

from itm_tutorial.chapters.adversarial import LARGE
from itm_tutorial.chapters.exercise import Exercise, random_size

LARGEST = 100.0


def _batch(g: torch.Generator, n: int = 0, scale: float = 0.0) -> tuple[Tensor, float]:
    """Cosines of n images and their n captions, and the scale."""
    n = n or random_size(g, 3, 8)
    return 2 * torch.rand(n, n, generator=g) - 1, scale or float(random_size(g, 2, 12))


def _logsumexp(values: list[float]) -> float:
    largest = max(values)
    return largest + math.log(sum(math.exp(value - largest) for value in values))


def _clip_by_loop(scores: Tensor, scale: float) -> Tensor:
    rows = [[scale * value for value in row] for row in scores.double().tolist()]
    total = 0.0
    for i, row in enumerate(rows):
        total += _logsumexp(row) - row[i] + _logsumexp([other[i] for other in rows]) - row[i]
    return torch.tensor(total / (2 * len(rows)))


def _own_clip_loss(scores, scale):
    logits, own = scale * scores, torch.arange(len(scores))
    rows = torch.nn.functional.cross_entropy(logits, own)  # each image chooses among the captions
    columns = torch.nn.functional.cross_entropy(logits.T, own)  # each caption chooses among the images
    return (rows + columns) / 2


def _own(scores: Tensor) -> Tensor:
    return torch.arange(len(scores))


clip_loss = Exercise(
    name="clip_loss",
    minutes=10,
    difficulty=1,
    hints=(
        "Each row is a classification: which of the captions belongs to image i? The right class of row i is i. Each "
        "column is one too.",
        "logits = scale * scores. torch.nn.functional.cross_entropy(logits, torch.arange(len(logits))) is the mean "
        "over rows.",
        "The columns are the rows of logits.T. Return half the sum of both cross-entropies.",
    ),
    reference=_clip_by_loop,
    own=_own_clip_loss,
    inputs={
        "several pairs": _batch,
        "a scale of 100": lambda g: _batch(g, scale=LARGEST),
        "a single pair": lambda g: _batch(g, n=1),
    },
    begin="Start from `scores` [n, n], the cosines of n images (rows) with their n captions (columns), and the number "
    "`scale` that multiplies them. Pair i stands on the diagonal. Return the mean of both cross-entropies.",
    remarks={
        "a scale of 100": "exp(100) is too large for float32: let cross_entropy or log_softmax subtract the largest "
        "logit first.",
        "a single pair": "There is nothing to choose from: the loss is 0.",
    },
    mistakes=(
        (
            lambda s, t: cross_entropy(t * s, _own(s)),
            "Only the rows count: images choose captions. Add the columns, where captions choose images, and take the "
            "mean of both.",
        ),
        (
            lambda s, t: cross_entropy(t * s.T, _own(s)),
            "Only the columns count: captions choose images. Add the rows, where images choose captions, and take the "
            "mean of both.",
        ),
        (
            lambda s, t: cross_entropy(t * s, _own(s)) + cross_entropy(t * s.T, _own(s)),
            "Both directions are added up, as in ALIGN. CLIP takes their mean: divide by 2.",
        ),
        (
            lambda s, t: (cross_entropy(s, _own(s)) + cross_entropy(s.T, _own(s))) / 2,
            "The scale is not used. Multiply the cosines by it before the softmax.",
        ),
        (
            lambda s, t: (cross_entropy(s / t, _own(s)) + cross_entropy(s.T / t, _own(s))) / 2,
            "The cosines are divided by the scale. The scale is 1 / temperature: multiply by it.",
        ),
        (
            lambda s, t: -((t * s).softmax(1).diag().mean() + (t * s).softmax(0).diag().mean()) / 2,
            "The logarithm is missing: this is minus the mean probability. The loss is minus the mean *logarithm* of "
            "the probability.",
        ),
        (
            lambda s, t: (t * s).flatten().logsumexp(0) - (t * s).diag().mean(),
            "The softmax runs over all pairs of the batch. Take one softmax per row and one per column.",
        ),
        (
            lambda s, t: (cross_entropy(t * s, _own(s)) + cross_entropy(t * s.T, _own(s))) * len(s) / 2,
            "The losses of the pairs are added up. Take their mean, as cross_entropy does.",
        ),
    ),
)


def _step(g: torch.Generator, low: float = 0.02, high: float = 0.5, push: float = 0.3) -> tuple[Tensor, Tensor, float]:
    """The temperature at the start, the gradient of theta, and the learning rate."""
    temperature = low + (high - low) * torch.rand((), generator=g)
    return temperature, push * (2 * torch.rand((), generator=g) - 1), 0.1 + torch.rand((), generator=g).item()


def _scale_by_loop(temperature: Tensor, gradient: Tensor, rate: float) -> Tensor:
    theta = math.log(1 / temperature.double().item()) - rate * gradient.double().item()
    return torch.tensor(math.exp(min(max(theta, 0.0), math.log(LARGEST))))


def _own_scale_after_step(temperature, gradient, rate):
    theta = (1 / temperature).log() - rate * gradient  # theta, not the scale, is what the optimiser moves
    return theta.clamp(0, torch.tensor(100.0).log().item()).exp()


def _moved(t, gradient, rate, start=lambda t: (1 / t).log(), clamp=lambda x: x.clamp(0, math.log(LARGEST)), sign=-1):
    """As the solution, with one part changed."""
    return clamp(start(t) + sign * rate * gradient).exp()


scale_after_step = Exercise(
    name="scale_after_step",
    minutes=8,
    difficulty=1,
    hints=(
        "The optimiser never sees the temperature. What it moves is theta, the logarithm of the scale.",
        "theta starts at log(1 / temperature). One step of gradient descent: theta - rate * gradient.",
        "Clamp theta between 0 and log(100): theta.clamp(0, math.log(100)). Return theta.exp().",
    ),
    reference=_scale_by_loop,
    own=_own_scale_after_step,
    inputs={
        "an ordinary step": _step,
        "a step beyond a scale of 100": lambda g: _step(g, 0.0101, 0.012, 9.0),
        "a step below a scale of 1": lambda g: _step(g, 0.9, 0.99, 9.0),
    },
    varied=(),
    begin="Start from the `temperature` at the beginning, the `gradient` of the loss with respect to theta, and the "
    "learning `rate`. The scale is exp(theta) = 1 / temperature. Take one step of gradient descent on theta, keep "
    "theta between 0 and log(100), and return the new scale.",
    mistakes=(
        (
            lambda t, g, r: _moved(t, g, r, start=lambda t: t),
            "theta starts at the temperature itself. That is a slip of several public versions: the scale then begins "
            "at exp(0.07) = 1.07 in place of 14.3. Start at log(1 / temperature).",
        ),
        (
            lambda t, g, r: _moved(t, g, r, start=lambda t: t.log()),
            "theta starts at the logarithm of the temperature, so the scale is smaller than 1. Start at log(1 / "
            "temperature).",
        ),
        (
            lambda t, g, r: _moved(t, g, r, sign=1),
            "The step goes uphill. Gradient descent subtracts rate times gradient.",
        ),
        (
            lambda t, g, r: _moved(t, g, r, clamp=lambda x: x),
            "theta is not clamped: the scale can leave the range from 1 to 100.",
        ),
        (
            lambda t, g, r: _moved(t, g, r, clamp=lambda x: x.clamp(max=math.log(LARGEST))),
            "theta is clamped from above only. It may not fall below 0 either, so that the scale stays at least 1.",
        ),
        (
            lambda t, g, r: _moved(t, g, r, clamp=lambda x: x.clamp(0, LARGEST)),
            "theta is clamped at 100, so the scale may grow to exp(100). The limit of theta is log(100).",
        ),
        (
            lambda t, g, r: (1 / t - r * g).clamp(1, LARGEST),
            "The step moves the scale itself. CLIP learns theta, the logarithm of the scale: a step multiplies the "
            "scale.",
        ),
        (
            lambda t, g, r: ((1 / t).log() - r * g).clamp(0, math.log(LARGEST)),
            "This is theta, not the scale. Return theta.exp().",
        ),
        (
            lambda t, g, r: (-((1 / t).log() - r * g).clamp(0, math.log(LARGEST))).exp(),
            "This is the temperature, 1 / scale. Return theta.exp().",
        ),
    ),
)


def _sides(
    g: torch.Generator, columns: int = 0, scale: float = 0.0, n: int = 0
) -> tuple[Tensor, Tensor, float, float, int]:
    """Unit vectors of n images and their captions, scale, bias, and the captions of a chunk."""
    n, dim = n or random_size(g, 5, 9), random_size(g, 3, 6)
    images, captions = (normalize(torch.randn(n, dim, generator=g), dim=1) for _ in range(2))
    return images, captions, scale or float(random_size(g, 2, 12)), -float(random_size(g, 1, 6)), columns or 2


def _sigmoid_by_loop(image_emb: Tensor, caption_emb: Tensor, scale: float, bias: float, columns: int) -> Tensor:
    images, captions, total = image_emb.double().tolist(), caption_emb.double().tolist(), 0.0
    for i, v in enumerate(images):
        for j, t in enumerate(captions):
            logit = scale * sum(a * b for a, b in zip(v, t, strict=True)) + bias
            x = logit if i == j else -logit
            total += max(0.0, -x) + math.log1p(math.exp(-abs(x)))  # -log sigmoid(x)
    return torch.tensor(total / len(captions))


def _own_sigmoid_by_chunks(image_emb, caption_emb, scale, bias, columns):
    total = 0.0
    for first in range(0, len(caption_emb), columns):
        logits = scale * image_emb @ caption_emb[first : first + columns].T + bias  # [n, at most columns]
        own = torch.arange(len(image_emb))[:, None] == first + torch.arange(logits.shape[1])  # image i, caption i
        total = total - torch.nn.functional.logsigmoid(torch.where(own, logits, -logits)).sum()
    return total / len(caption_emb)


def _chunks(v, t, scale, bias, columns, own=lambda n, at, size: torch.eye(n)[:, at : at + size].bool(), of=logsigmoid):
    """As the solution, with one part changed."""
    total = 0.0
    for at in range(0, len(t), columns):
        logits = scale * v @ t[at : at + columns].T + bias
        total = total - of(torch.where(own(len(v), at, logits.shape[1]), logits, -logits)).sum()
    return total / len(t)


sigmoid_by_chunks = Exercise(
    name="sigmoid_by_chunks",
    minutes=15,
    difficulty=2,
    hints=(
        "No term of the loss needs another pair, so each chunk of captions can be scored, added to the total and "
        "forgotten.",
        "In the chunk that begins with caption `first`, caption first + k belongs to image first + k: the positive "
        "pairs do not begin at row 0.",
        "own = torch.arange(n)[:, None] == first + torch.arange(logits.shape[1]); add -logsigmoid(torch.where(own, "
        "logits, -logits)).sum() to the total. At the end divide by the number of captions.",
    ),
    reference=_sigmoid_by_loop,
    own=_own_sigmoid_by_chunks,
    inputs={
        "chunks of two captions": _sides,
        "a single chunk": lambda g: _sides(g, columns=100),
        "chunks of one caption": lambda g: _sides(g, columns=1),
        "very sure pairs": lambda g: _sides(g, scale=300.0),
    },
    varied=("image_emb", "caption_emb"),
    spared=LARGE,
    begin="Start from unit vectors `image_emb` [n, dim] and `caption_emb` [n, dim], whose row i belongs together, the "
    "numbers `scale` and `bias`, and `columns`, the number of captions that you may score at a time. Add up -log "
    "sigmoid(z (scale cosine + bias)) over all pairs, z = 1 for positive pairs and -1 for others; divide by n.",
    remarks={
        "very sure pairs": "sigmoid(-300) is 0 in float32, and its logarithm minus infinity: use logsigmoid, which "
        "never forms the small number.",
        "chunks of two captions": "Add up the terms of all pairs, and divide once, at the end; the last chunk may be "
        "smaller than the others.",
    },
    mistakes=(
        (
            lambda *a: _chunks(*a, own=lambda n, at, size: torch.eye(n)[:, :size].bool()),
            "Every chunk has its positive pairs in the first rows. Caption k of the chunk is caption first + k of the "
            "batch, and belongs to image first + k.",
        ),
        (
            lambda *a: _chunks(*a) / len(a[0]),
            "The sum is divided by all n * n pairs. SigLIP divides by n, so that the loss does not shrink with the "
            "batch.",
        ),
        (
            lambda *a: _chunks(*a) * len(a[0]),
            "The sum is not divided by n, the number of captions.",
        ),
        (
            lambda v, t, s, b, c: _chunks(v, t, s, 0.0, c),
            "The bias is missing. Add it to the scaled cosines of all pairs.",
        ),
        (
            lambda v, t, s, b, c: _chunks(v, t, 1.0, b, c),
            "The scale is missing. Multiply the cosines by it.",
        ),
        (
            lambda *a: _chunks(*a, own=lambda n, at, size: torch.ones(n, size).bool()),
            "All pairs count as positive ones. The sign z is -1 for an image with another image's caption.",
        ),
        (
            lambda *a: _chunks(*a, own=lambda n, at, size: ~torch.eye(n)[:, at : at + size].bool()),
            "The signs are exchanged: positive pairs need z = 1, and all others z = -1.",
        ),
        (
            lambda v, t, s, b, c: (
                _chunks(v, t[: len(t) // c * c], s, b, c) * (len(t) // c * c) / len(t)
                if len(t) >= c
                else torch.zeros(())
            ),
            "The last chunk is left out where it is smaller than the others. Let the loop run to the last caption.",
        ),
    ),
)

LOSS_EXERCISES = (clip_loss, scale_after_step, sigmoid_by_chunks)
