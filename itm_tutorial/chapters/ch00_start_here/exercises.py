"""The exercises of chapter 00: cosine scores, ranks, recall at k."""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor
from torch.nn.functional import normalize

from itm_tutorial.chapters.adversarial import NO_LENGTH
from itm_tutorial.chapters.exercise import Exercise, random_size


def _embeddings(g: torch.Generator) -> tuple[Tensor, Tensor]:
    n, m, d = random_size(g, 2, 6), random_size(g, 2, 6), random_size(g, 2, 6)
    return torch.randn(n, d, generator=g), torch.randn(m + n, d, generator=g)


def _unit_embeddings(g: torch.Generator) -> tuple[Tensor, Tensor]:
    return tuple(normalize(embeddings, dim=-1) for embeddings in _embeddings(g))


def _one_image(g: torch.Generator) -> tuple[Tensor, Tensor]:
    images, captions = _embeddings(g)
    return images[:1], captions


def _cosine_by_loop(images: Tensor, captions: Tensor) -> Tensor:
    return torch.tensor([[(i @ c) / (i.norm() * c.norm()) for c in captions] for i in images])


def _own_cosine_scores(images, captions):
    images = normalize(images, dim=-1)  # [n_images, dim]
    captions = normalize(captions, dim=-1)  # [n_captions, dim]
    return images @ captions.T


cosine_scores = Exercise(
    name="cosine_scores",
    minutes=5,
    difficulty=1,
    hints=(
        "The cosine of two vectors is the dot product of their unit vectors.",
        "torch.nn.functional.normalize(x, dim=-1) divides each row by its length.",
        "Normalise both, then images @ captions.T gives [n_images, n_captions].",
    ),
    reference=_cosine_by_loop,
    own=_own_cosine_scores,
    inputs={
        "vectors of any length": _embeddings,
        "vectors of length 1": _unit_embeddings,
        "a single image": _one_image,
    },
    shape="[n_images, n_captions]",
    begin="Start from `images` [n_images, dim] and `captions` [n_captions, dim], one embedding per row, and return a "
    "tensor [n_images, n_captions] with one score per pair.",
    spared=NO_LENGTH,
    mistakes=(
        (
            lambda i, c: i @ c.T,
            "These are plain dot products, which grow with the lengths of the vectors: normalise both sides.",
        ),
        (lambda i, c: normalize(i, dim=-1) @ c.T, "Only the images are unit vectors: normalise the captions too."),
        (lambda i, c: i @ normalize(c, dim=-1).T, "Only the captions are unit vectors: normalise the images too."),
        (lambda i, c: normalize(i, dim=0) @ normalize(c, dim=0).T, "You normalised over the rows (dim=0): use dim=-1."),
        (
            lambda i, c: normalize(i @ c.T, dim=-1),
            "You normalised the scores: normalise the vectors, before the product.",
        ),
        (
            lambda i, c: normalize(c, dim=-1) @ normalize(i, dim=-1).T,
            "This is [n_captions, n_images]: images go first.",
        ),
        (
            lambda i, c: normalize(i, p=1, dim=-1) @ normalize(c, p=1, dim=-1).T,
            "You divided by the sum of absolute values (p=1): divide by the length, the root of the sum of squares.",
        ),
        (
            lambda i, c: i @ c.T / (i.square().sum(-1)[:, None] * c.square().sum(-1)),
            "You divided by squared lengths: take the root of each sum of squares.",
        ),
        (
            lambda i, c: torch.cdist(normalize(i, dim=-1), normalize(c, dim=-1)),
            "This is a distance, which is smaller for more similar vectors: a cosine is larger.",
        ),
    ),
)


def _image_of(g: torch.Generator) -> tuple[int, LongTensor]:
    """A number of images, and the image of each caption, in any order; some images have no caption."""
    n = random_size(g, 4, 9)
    return n, torch.randint(0, n, (random_size(g, n, 3 * n),), generator=g)


def _scores(g: torch.Generator) -> tuple[Tensor, LongTensor]:
    n, image_of = _image_of(g)
    return torch.randn(n, len(image_of), generator=g), image_of


def _scores_with_ties(g: torch.Generator) -> tuple[Tensor, LongTensor]:
    n, image_of = _image_of(g)
    return torch.randint(-2, 3, (n, len(image_of)), generator=g).float(), image_of


def _five_in_order(g: torch.Generator) -> tuple[Tensor, LongTensor]:
    n = random_size(g, 4, 9)
    return torch.randn(n, 5 * n, generator=g), torch.arange(n).repeat_interleave(5)


def _ranks_by_loop(scores: Tensor, image_of: LongTensor) -> Tensor:
    found = []
    for c, image in enumerate(image_of.tolist()):
        found.append(1 + sum(bool(scores[i, c] >= scores[image, c]) for i in range(len(scores)) if i != image))
    return torch.tensor(found)


def _positive_scores(scores: Tensor, image_of: LongTensor) -> Tensor:
    return scores[image_of, torch.arange(len(image_of))]


def _own_image_ranks(scores, image_of):
    positives = scores[image_of, torch.arange(len(image_of))]  # [n_captions]
    return (scores >= positives).sum(0)


image_ranks = Exercise(
    name="image_ranks",
    minutes=10,
    difficulty=2,
    hints=(
        "You need no sorting: a rank is a count of images.",
        "The scores of the right images are scores[image_of, torch.arange(len(image_of))].",
        "In each column, count the images that score at least as much as the right one. The right one counts itself, "
        "so the best rank is 1.",
    ),
    reference=_ranks_by_loop,
    own=_own_image_ranks,
    inputs={
        "scores that are all different": _scores,
        "scores with ties": _scores_with_ties,
        "five captions per image in a row": _five_in_order,
    },
    shape="[n_captions]",
    begin="Start from one column of `scores`: it holds the scores of all images for one caption, and `image_of` says "
    "which of these images is the right one. Return whole numbers [n_captions].",
    mistakes=(
        (
            lambda s, o: (s > _positive_scores(s, o)).sum(0) + 1,
            "You let the right image win every tie: a wrong image with the same score counts as better (>=).",
        ),
        (lambda s, o: (s >= _positive_scores(s, o)).sum(0) - 1, "These ranks start at 0: the best rank is 1."),
        (
            lambda s, o: (s >= _positive_scores(s, o)).sum(0) + 1,
            "The right image counts itself: with >= the count is already the rank.",
        ),
        (
            lambda s, o: (s <= _positive_scores(s, o)).sum(0),
            "You counted the images with lower scores: a higher score is better.",
        ),
        (
            lambda s, o: (s >= s[torch.arange(s.shape[1]) // 5 % len(s), torch.arange(s.shape[1])]).sum(0),
            "You assume five captions per image, in order: image_of says which image a caption belongs to.",
        ),
        (
            lambda s, o: (s >= _positive_scores(s, o)).sum(1),
            "You counted captions (dim=1): for each caption count the images, which are the first dimension (dim=0).",
        ),
        (
            lambda s, o: s.argsort(0, descending=True).gather(0, o[None])[0] + 1,
            "argsort gives the image at each rank: the exercise asks for the rank of one image.",
        ),
        (
            lambda s, o: s.argsort(0, descending=True).argsort(0)[o, torch.arange(len(o))] + 1,
            "Sorting gives equal scores different ranks: count every tie against the model (>=).",
        ),
    ),
)


def _ranks_and_k(g: torch.Generator) -> tuple[Tensor, int]:
    return torch.randint(1, 12, (20,), generator=g), random_size(g, 2, 9)


def _few_queries(g: torch.Generator) -> tuple[Tensor, int]:
    return torch.randint(1, 4, (random_size(g, 1, 4),), generator=g), random_size(g, 1, 3)


def _recall_by_loop(ranks: Tensor, k: int) -> float:
    return 100 * sum(rank <= k for rank in ranks.tolist()) / len(ranks)


def _own_recall_at_k(ranks, k):
    return 100 * (ranks <= k).float().mean().item()


recall_at_k = Exercise(
    name="recall_at_k",
    minutes=5,
    difficulty=1,
    hints=(
        "Recall at k is the fraction of queries whose right answer is among the first k.",
        "ranks <= k is True for those; ranks start at 1.",
        "100 * (ranks <= k).float().mean().item() is in percent, as the field prints it.",
    ),
    reference=_recall_by_loop,
    own=_own_recall_at_k,
    inputs={
        "twenty queries": _ranks_and_k,
        "one to three queries": _few_queries,
        "queries that all fail": lambda g: (torch.randint(9, 99, (random_size(g, 5, 30),), generator=g), 8),
    },
    begin="Start from `ranks` [n_queries], where 1 is best, and the whole number `k`. Return one plain number, in "
    "percent.",
    mistakes=(
        (
            lambda r, k: 100 * (r < k).float().mean().item(),
            "Ranks start at 1, so rank k is still among the first k: <=, not <.",
        ),
        (lambda r, k: (r <= k).float().mean().item(), "This is a fraction between 0 and 1: the field prints percent."),
        (lambda r, k: (r <= k).sum().item(), "This is the number of hits: divide it by the number of queries."),
        (
            lambda r, k: 100 * (r > k).float().mean().item(),
            "This is the percentage of misses: count the queries with a rank of at most k.",
        ),
        (
            lambda r, k: 100 * (r == k).float().mean().item(),
            "This counts only rank k: the ranks from 1 to k - 1 are hits too.",
        ),
        (
            lambda r, k: 100 * (r <= k + 1).float().mean().item(),
            "This is recall at k + 1, the off-by-one of a published evaluator.",
        ),
    ),
)

EXERCISES = (cosine_scores, image_ranks, recall_at_k)
