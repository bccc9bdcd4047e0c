"""Three exercises of chapter 14: sm-LSTM's penalty, and how SCO finds concepts and joins them with the context."""

from __future__ import annotations

import math

import torch
from torch import BoolTensor, Tensor

from itm_tutorial.chapters.exercise import Exercise, random_size


def _saliency(g: torch.Generator, n: int = 0, steps: int = 0, full: bool = False) -> tuple[Tensor, BoolTensor]:
    """Saliency maps of several steps, each with a sum of one over the real items and 0 on padding."""
    n, steps, n_items = n or random_size(g, 2, 5), steps or random_size(g, 2, 4), random_size(g, 6, 9)
    lengths = torch.randint(3, n_items + 1, (n,), generator=g)
    lengths[0] = n_items if full else n_items - 2
    if full:
        lengths[:] = n_items
    mask = torch.arange(n_items) < lengths[:, None]
    logits = 1.5 * torch.randn(steps, n, n_items, generator=g)
    return logits.masked_fill(~mask, -torch.inf).softmax(2), mask


def _penalty_by_loop(maps: Tensor, mask: BoolTensor) -> Tensor:
    found = []
    for one, real in zip(range(maps.shape[1]), mask.tolist(), strict=True):
        total = 0.0
        for item, counts in enumerate(real):
            reached = sum(step[one][item] for step in maps.double().tolist())
            total += (1 - reached) ** 2 if counts else 0.0
        found.append(total)
    return torch.tensor(found)


def _own_coverage_penalty(maps, mask):
    reached = maps.sum(dim=0)  # [n, n_items], over the steps
    return ((1 - reached).square() * mask).sum(dim=1)


coverage_penalty = Exercise(
    name="coverage_penalty",
    minutes=10,
    difficulty=1,
    hints=(
        "First add up what one item received in all steps. An item that received 1 in total costs nothing.",
        "maps.sum(dim=0) has the shape [n, n_items]. Square each difference from 1, before anything else is summed.",
        "((1 - maps.sum(dim=0)).square() * mask).sum(dim=1): the mask leaves padding out, which would cost 1 each.",
    ),
    reference=_penalty_by_loop,
    own=_own_coverage_penalty,
    inputs={
        "items with padding": _saliency,
        "items without padding": lambda g: _saliency(g, full=True),
        "a single step": lambda g: _saliency(g, steps=1),
        "one pair": lambda g: _saliency(g, n=1),
    },
    shape="[n]",
    begin="Start from `maps` [T, n, n_items], the saliency maps of T steps, each with a sum of one, and `mask` "
    "[n, n_items], True for real items. Return for each of the n: the sum over real items of (1 - what the item "
    "received in all steps)².",
    varied=(),
    remarks={"items with padding": "An item of padding receives 0 in every step, and must cost nothing."},
    mistakes=(
        (
            lambda maps, mask: ((1 - maps.sum(0)) * mask).sum(1),
            "Without the square this is the number of items minus T, whatever the maps are: it has no gradient.",
        ),
        (
            lambda maps, mask: ((1 - maps.sum(0)) * mask).sum(1).square(),
            "The sum is squared. It is the number of items minus T for any maps: square each item's difference first.",
        ),
        (
            lambda maps, mask: (1 - maps.sum(0)).square().sum(1),
            "Padding is counted, and each item of it costs 1. Multiply by the mask.",
        ),
        (
            lambda maps, mask: ((1 - maps).square().sum(0) * mask).sum(1),
            "Each step is asked to give every item 1. Sum over the steps first, and compare that sum with 1.",
        ),
        (
            lambda maps, mask: ((1 - maps.sum(0)).abs() * mask).sum(1),
            "The absolute difference is taken. The penalty squares it.",
        ),
        (
            lambda maps, mask: ((1 - maps.mean(0)).square() * mask).sum(1),
            "The mean over the steps is compared with 1. An item shall receive 1 in all steps together: the sum.",
        ),
        (
            lambda maps, mask: ((1 - maps.sum(0)).square() * mask).sum(1) / mask.sum(1),
            "This is the mean over items. The penalty is their sum.",
        ),
        (
            lambda maps, mask: ((1 - maps.square().sum(0)) * mask).sum(1),
            "The weights are squared, not the difference from 1.",
        ),
    ),
)


def _concept_logits(g: torch.Generator, n_regions: int = 0, low: float = 0.0) -> tuple[Tensor]:
    """Logits of concepts in the regions of some images."""
    n, n_regions, n_concepts = random_size(g, 2, 5), n_regions or random_size(g, 3, 6), random_size(g, 6, 9)
    return (1.5 * torch.randn(n, n_regions, n_concepts, generator=g) - low,)


def _noisy_or_by_loop(logits: Tensor) -> Tensor:
    found = []
    for image in logits.double().tolist():
        row = []
        for concept in range(len(image[0])):
            log_absent = 0.0
            for region in image:
                x = region[concept]  # log of 1 - 1 / (1 + e^-x), without an exponential that overflows
                log_absent -= max(x, 0.0) + math.log1p(math.exp(-abs(x)))
            row.append(-math.expm1(log_absent))
        found.append(row)
    return torch.tensor(found)


def _own_concept_probability(logits):
    absent = 1 - logits.sigmoid()  # [n_images, n_regions, n_concepts]: this region does not show it
    return 1 - absent.prod(dim=1)


concept_probability = Exercise(
    name="concept_probability",
    minutes=10,
    difficulty=1,
    hints=(
        "A concept is absent from the picture if every region fails to show it. What is the probability of that, if "
        "regions are independent?",
        "1 - logits.sigmoid() is the probability that a region does not show a concept; multiply it over the regions "
        "with .prod(dim=1).",
        "1 - (1 - logits.sigmoid()).prod(dim=1)",
    ),
    reference=_noisy_or_by_loop,
    own=_own_concept_probability,
    inputs={
        "several regions": _concept_logits,
        "rare concepts": lambda g: _concept_logits(g, low=4.0),
        "a single region": lambda g: _concept_logits(g, n_regions=1),
    },
    shape="[n_images, n_concepts]",
    begin="Start from `logits` [n_images, n_regions, n_concepts]: the sigmoid of each is the probability that a region "
    "shows a concept. Return the probability that at least one region of the image does, if regions are independent.",
    mistakes=(
        (
            lambda x: x.sigmoid().amax(1),
            "This is the maximum over regions: several regions that each half show a concept count no more than one.",
        ),
        (
            lambda x: x.sigmoid().mean(1),
            "This is the mean over regions, so that empty regions make a concept less likely.",
        ),
        (
            lambda x: x.sigmoid().prod(1),
            "This is the probability that every region shows the concept. Ask that at least one does.",
        ),
        (
            lambda x: (1 - x.sigmoid()).prod(1),
            "This is the probability that no region shows the concept. Take 1 minus it.",
        ),
        (
            lambda x: x.sigmoid().sum(1),
            "The probabilities are added, and their sum can be more than 1. Multiply those of the opposite.",
        ),
        (
            lambda x: x.sigmoid().sum(1).clamp(max=1),
            "A sum cut off at 1 counts the same evidence twice. Multiply the probabilities of the opposite.",
        ),
        (
            lambda x: x.sum(1).sigmoid(),
            "The logits are added before the sigmoid. Each region has its own probability: sigmoid first.",
        ),
        (
            lambda x: 1 - (1 - x.softmax(2)).prod(1),
            "The softmax makes concepts compete. An image shows several, so each has a sigmoid of its own.",
        ),
    ),
)


def _both_sides(g: torch.Generator, n: int = 0, scale: float = 2.0) -> tuple[Tensor, ...]:
    """Unit vectors of concepts and of context, and the weights of a gate."""
    n, dim = n or random_size(g, 2, 5), random_size(g, 5, 9)
    p, g_ = (torch.nn.functional.normalize(torch.randn(n, dim, generator=g), dim=1) for _ in range(2))
    return p, g_, *(scale * torch.randn(size, generator=g) for size in ((dim, dim), (dim, dim), (dim,)))


def _gate_by_loop(concepts: Tensor, context: Tensor, from_concepts: Tensor, from_context: Tensor, bias: Tensor):
    rows = [x.double().tolist() for x in (concepts, context, from_concepts, from_context)]
    found = []
    for p, g in zip(*rows[:2], strict=True):
        row = []
        for d, (a, b) in enumerate(zip(*rows[2:], strict=True)):
            logit = sum(w * x for w, x in zip(a, p, strict=True)) + sum(w * x for w, x in zip(b, g, strict=True))
            gate = 1 / (1 + math.exp(-logit - float(bias[d])))
            row.append(gate * p[d] + (1 - gate) * g[d])
        found.append(row)
    return torch.tensor(found)


def _own_gated_fusion(concepts, context, from_concepts, from_context, bias):
    gate = (concepts @ from_concepts.T + context @ from_context.T + bias).sigmoid()  # [n_images, dim]
    return gate * concepts + (1 - gate) * context


def _fused(p, g, a, b, bias, close=torch.sigmoid, mix=lambda gate, p, g: gate * p + (1 - gate) * g):
    """As the solution, with one part changed."""
    return mix(close(p @ a.T + g @ b.T + bias), p, g)


gated_fusion = Exercise(
    name="gated_fusion",
    minutes=10,
    difficulty=2,
    hints=(
        "The gate has one number per dimension, between 0 and 1. It reads both vectors: 1 takes the concepts, 0 the "
        "context.",
        "gate = (concepts @ from_concepts.T + context @ from_context.T + bias).sigmoid(), of shape [n_images, dim].",
        "gate * concepts + (1 - gate) * context, number by number; nothing is normalised here.",
    ),
    reference=_gate_by_loop,
    own=_own_gated_fusion,
    inputs={
        "random vectors": _both_sides,
        "one image": lambda g: _both_sides(g, n=1),
        "gates near one half": lambda g: _both_sides(g, scale=0.3),
    },
    shape="[n_images, dim]",
    begin="Start from `concepts` and `context` [n_images, dim], the weights `from_concepts` and `from_context` "
    "[dim, dim] and `bias` [dim]. Make a gate of dim numbers per image, and return gate * concepts + (1 - gate) * "
    "context.",
    varied=(),
    mistakes=(
        (
            lambda *x: _fused(*x, mix=lambda gate, p, g: (1 - gate) * p + gate * g),
            "The gate is exchanged: 1 must take the concepts. The loss cannot tell, but a printed gate would mislead.",
        ),
        (
            lambda *x: _fused(*x, close=lambda logits: logits.mean(1, keepdim=True).sigmoid()),
            "This gate is one number per image. It has one per dimension, so that each takes what it needs.",
        ),
        (
            lambda *x: _fused(*x, close=lambda logits: logits.softmax(1)),
            "The gate is a softmax, in which dimensions compete. Each has a sigmoid of its own.",
        ),
        (
            lambda p, g, a, b, bias: _fused(p, g, a, 0 * b, bias),
            "The gate reads the concepts alone. It reads the context too.",
        ),
        (
            lambda p, g, a, b, bias: _fused(p, g, 0 * a, b, bias),
            "The gate reads the context alone. It reads the concepts too.",
        ),
        (
            lambda p, g, a, b, bias: _fused(p, g, a, b, 0 * bias),
            "The bias of the gate is forgotten. Add it before the sigmoid.",
        ),
        (
            lambda *x: _fused(*x, mix=lambda gate, p, g: gate * p + g),
            "The context comes through whole. Weight it by 1 - gate.",
        ),
        (
            lambda *x: _fused(*x, close=lambda logits: logits),
            "The gate is not between 0 and 1. Take the sigmoid of it.",
        ),
        (
            lambda p, g, a, b, bias: p @ a.T + g @ b.T + bias,
            "This is the sum of two linear maps, the arm without a gate. The maps make the gate here.",
        ),
        (
            lambda p, g, a, b, bias: _fused(p, g, a.T, b.T, bias),
            "The weights are transposed: row d of a matrix makes number d of the gate, so multiply by .T.",
        ),
    ),
)

PAIR_EXERCISES = (coverage_penalty, concept_probability, gated_fusion)
