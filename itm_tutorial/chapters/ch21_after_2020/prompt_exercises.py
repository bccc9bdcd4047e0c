"""Two exercises of chapter 21 on many vectors for one thing: an ensemble of prompts, and generalised pooling."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import normalize

from itm_tutorial.chapters.adversarial import NO_LENGTH
from itm_tutorial.chapters.exercise import Exercise, random_size


def _templates(g: torch.Generator, n_templates: int = 0, uneven: bool = False) -> tuple[Tensor]:
    """Embeddings of the classes in several templates, of any length."""
    n_templates, n_classes, dim = n_templates or random_size(g, 2, 6), random_size(g, 2, 6), random_size(g, 3, 7)
    found = torch.randn(n_templates, n_classes, dim, generator=g)
    if uneven:
        found = found * 10 ** torch.arange(n_templates)[:, None, None]
    return (found,)


def _unit(x: list[float]) -> list[float]:
    length = math.sqrt(sum(value * value for value in x))
    return [value / max(length, 1e-12) for value in x]


def _ensemble_by_loop(template_emb: Tensor) -> Tensor:
    templates, found = template_emb.double().tolist(), []
    for c in range(len(templates[0])):
        units = [_unit(classes[c]) for classes in templates]
        found.append(_unit([sum(unit[d] for unit in units) / len(units) for d in range(len(units[0]))]))
    return torch.tensor(found)


def _own_prompt_ensemble(template_emb):
    each = normalize(template_emb, dim=2)  # a template with long embeddings counts no more than another
    return normalize(each.mean(0), dim=1)  # [n_classes, dim]


prompt_ensemble = Exercise(
    name="prompt_ensemble",
    minutes=8,
    difficulty=1,
    hints=(
        "Templates give embeddings of different lengths. A longer one would count more in the mean.",
        "Scale each embedding to unit length, normalize(template_emb, dim=2), and then take the mean over the "
        "templates.",
        "The mean of unit vectors is shorter than 1: return normalize(mean, dim=1).",
    ),
    reference=_ensemble_by_loop,
    own=_own_prompt_ensemble,
    inputs={
        "several templates": _templates,
        "templates with embeddings of very different length": lambda g: _templates(g, uneven=True),
        "a single template": lambda g: _templates(g, 1),
    },
    shape="[n_classes, dim]",
    spared=NO_LENGTH,
    begin="Start from `template_emb` [n_templates, n_classes, dim], the embedding of each class in each template. "
    "Return one unit vector per class, [n_classes, dim], in which all templates count alike.",
    mistakes=(
        (
            lambda e: normalize(e.mean(0), dim=1),
            "The templates are averaged as they are, so one with long embeddings counts more. Scale each embedding to "
            "unit length first.",
        ),
        (
            lambda e: normalize(e, dim=2).mean(0),
            "The mean of unit vectors has no unit length. Scale it again at the end.",
        ),
        (
            lambda e: e.mean(0),
            "No embedding is scaled to unit length. Do it before the mean, and once more after it.",
        ),
        (
            lambda e: normalize(e, dim=2)[0],
            "Only the first template is used. Take the mean over all of them.",
        ),
        (
            lambda e: normalize(normalize(e, dim=0).mean(0), dim=1),
            "The length is taken over the templates. Take it over the numbers of one embedding, dim=2.",
        ),
        (
            lambda e: normalize(normalize(e, dim=1).mean(0), dim=1),
            "The length is taken over the classes. Take it over the numbers of one embedding, dim=2.",
        ),
        (
            lambda e: normalize(normalize(e, dim=2).mean(1), dim=1),
            "The mean is taken over the classes. Take it over the templates, dim=0: one vector per class.",
        ),
        (
            lambda e: normalize(normalize(e, dim=2).amax(0), dim=1),
            "This is the largest number of each dimension, not the mean. Average the templates.",
        ),
    ),
)


def _sets(
    g: torch.Generator, padded: bool = True, size: int = 0, offset: float = -1.0
) -> tuple[Tensor, Tensor, Tensor]:
    """Vectors of several sets, which of them are there, and the weights of each set by rank."""
    n, size, dim = random_size(g, 2, 5), size or random_size(g, 3, 7), random_size(g, 2, 5)
    counts = torch.randint(1, size + 1, (n,), generator=g) if padded else torch.full((n,), size)
    mask = torch.stack([torch.randperm(size, generator=g) < count for count in counts])  # padding may stand anywhere
    logits = torch.randn(n, size, generator=g).masked_fill(torch.arange(size) >= counts[:, None], -torch.inf)
    return torch.randn(n, size, dim, generator=g) + offset, mask, logits.softmax(1)


def _pool_by_loop(vectors: Tensor, mask: Tensor, weights: Tensor) -> Tensor:
    found = []
    for rows, there, theta in zip(vectors.double().tolist(), mask.tolist(), weights.double().tolist(), strict=True):
        real, pooled = [row for row, one in zip(rows, there, strict=True) if one], []
        for d in range(len(rows[0])):
            largest_first = sorted((row[d] for row in real), reverse=True)
            pooled.append(sum(w * x for w, x in zip(theta, largest_first, strict=False)))
        found.append(pooled)
    return torch.tensor(found)


def _own_generalised_pooling(vectors, mask, weights):
    filled = vectors.masked_fill(~mask[:, :, None], -torch.inf)  # padding goes to the end of the sort
    largest_first = filled.sort(dim=1, descending=True).values  # each number of the vectors by itself
    largest_first = largest_first.masked_fill(largest_first == -torch.inf, 0)  # 0 times infinity would be NaN
    return (weights[:, :, None] * largest_first).sum(1)  # [n, dim]


def _pooled(
    vectors,
    mask,
    weights,
    fill=-torch.inf,
    order=lambda x: x.sort(dim=1, descending=True).values,
    after=lambda x: x.masked_fill(x == -torch.inf, 0),
):
    """As the solution, with one part changed."""
    return (weights[:, :, None] * after(order(vectors.masked_fill(~mask[:, :, None], fill)))).sum(1)


def _by_length(x: Tensor) -> Tensor:
    """Whole vectors in the order of their lengths, padding last."""
    length = x.masked_fill(x == -torch.inf, 0).norm(dim=2).masked_fill((x == -torch.inf).all(2), -1)
    return x.gather(1, length.argsort(1, descending=True)[:, :, None].expand_as(x))


generalised_pooling = Exercise(
    name="generalised_pooling",
    minutes=12,
    difficulty=2,
    hints=(
        "Each number of the vectors is sorted by itself: the largest first number of the set may come from one region, "
        "the largest second number from another.",
        "Padding must not be among the largest: fill it with minus infinity before the sort. masked_fill(~mask[:, :, "
        "None], -torch.inf), then sort(dim=1, descending=True).values.",
        "Behind the real vectors now stands minus infinity, and 0 times infinity is NaN: set it to 0. Then multiply by "
        "weights[:, :, None] and sum over dim=1.",
    ),
    reference=_pool_by_loop,
    own=_own_generalised_pooling,
    inputs={
        "sets of different sizes": _sets,
        "sets without padding": lambda g: _sets(g, padded=False),
        "sets of one vector": lambda g: _sets(g, padded=False, size=1),
        "numbers below -10,000": lambda g: _sets(g, offset=-20_000.0),
    },
    shape="[n, dim]",
    varied=("vectors",),
    remarks={
        "sets of different sizes": "The weight of padding is 0, and 0 times minus infinity is NaN: after the sort, set "
        "the padding to 0.",
        "numbers below -10,000": "Padding that is filled with -10,000 stands before them: fill it with minus infinity.",
    },
    begin="Start from `vectors` [n, size, dim], `mask` bool [n, size], False for padding, which may stand anywhere, "
    "and `weights` [n, size], which are 0 from the number of real vectors on. Sort each number over the real vectors "
    "of a set, the largest first, and return the weighted sum.",
    mistakes=(
        (
            lambda v, m, w: _pooled(v, m, w, order=_by_length),
            "Whole vectors are sorted by their length. Sort each number by itself, along dim=1.",
        ),
        (
            lambda v, m, w: _pooled(v, m, w, order=lambda x: x),
            "Nothing is sorted: the weights belong to ranks, not to places. Sort along dim=1, the largest first.",
        ),
        (
            lambda v, m, w: _pooled(v, m, w, fill=torch.inf, order=lambda x: x.sort(dim=1).values).nan_to_num(0, 0, 0),
            "The smallest number comes first. Sort with descending=True.",
        ),
        (
            lambda v, m, w: _pooled(v, m, w, fill=0.0, after=lambda x: x),
            "Padding is 0 in the sort, so it stands before negative numbers. Fill it with minus infinity.",
        ),
        (
            lambda v, m, w: (w[:, :, None] * v.sort(dim=1, descending=True).values).sum(1),
            "Padding is sorted together with the real vectors. Fill it with minus infinity before the sort.",
        ),
        (
            lambda v, m, w: _pooled(v, m, torch.ones_like(w) * m.sum(1, keepdim=True).reciprocal()),
            "This is the mean of the real vectors: all ranks count alike. Use the weights.",
        ),
        (
            lambda v, m, w: _pooled(v, m, w, order=lambda x: x.amax(1, keepdim=True).expand_as(x)),
            "This is the maximum: only the first rank counts. Use all weights.",
        ),
        (
            lambda v, m, w: _pooled(v, m, w, order=lambda x: x.sort(dim=2, descending=True).values),
            "The numbers of one vector are sorted among each other. Sort over the vectors of a set, dim=1.",
        ),
    ),
)

PROMPT_EXERCISES = (prompt_ensemble, generalised_pooling)
