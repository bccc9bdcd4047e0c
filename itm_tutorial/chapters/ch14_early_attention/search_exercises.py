"""Four exercises of chapter 14 on search: recall from counts, what methods cost, and what a shortlist allows."""

from __future__ import annotations

from fractions import Fraction

import torch
from torch import LongTensor, Tensor

from itm_tutorial.chapters.exercise import Exercise, random_size


def _counts(g: torch.Generator, n_ranks: int = 0) -> tuple[LongTensor]:
    """How many queries have their first positive at each rank; every rank up to the tenth has some."""
    n_ranks = n_ranks or random_size(g, 12, 20)
    return (torch.randint(3, 40, (n_ranks,), generator=g),)


def _recalls_by_loop(counts: LongTensor) -> Tensor:
    ranks = [rank for rank, n in enumerate(counts.tolist(), start=1) for _ in range(n)]
    return torch.tensor([100 * sum(rank <= k for rank in ranks) / len(ranks) for k in (1, 5, 10)])


def _own_recalls_from_counts(counts):
    found = counts.cumsum(dim=0)  # [n_ranks]: place k - 1 counts the ranks 1 to k
    places = torch.tensor([1, 5, 10]).clamp(max=len(counts)) - 1
    return 100 * found[places] / counts.sum()


def _sliced(counts, *slices, total=None):
    """Percent of the queries in slices of the ranks, each added to those before it."""
    parts = torch.stack([counts[start:stop].sum() for start, stop in slices]).cumsum(0)
    return 100 * parts / (counts.sum() if total is None else total)


recalls_from_counts = Exercise(
    name="recalls_from_counts",
    minutes=10,
    difficulty=1,
    hints=(
        "R@5 counts the ranks 1, 2, 3, 4 and 5. At which places of counts do they stand?",
        "Rank r stands at place r - 1, and a slice ends before its last place: counts[:5] holds the ranks 1 to 5.",
        "100 * torch.stack([counts[:k].sum() for k in (1, 5, 10)]) / counts.sum()",
    ),
    reference=_recalls_by_loop,
    own=_own_recalls_from_counts,
    inputs={
        "many ranks": _counts,
        "ten ranks": lambda g: _counts(g, n_ranks=10),
        "four ranks": lambda g: _counts(g, n_ranks=4),
    },
    shape="[3]",
    begin="Start from `counts`, int64 [n_ranks]: counts[0] queries have their first positive at rank 1, counts[1] at "
    "rank 2, and so on. Return R@1, R@5 and R@10 in percent, as one tensor.",
    remarks={"four ranks": "There may be fewer than ten ranks: a slice takes what there is, an index fails."},
    mistakes=(
        (
            lambda c: _sliced(c, (0, 1), (1, 5), (6, 10)),
            "The slices [1:5] and [6:10] lose a rank: place 5, which is rank 6, is in neither. Take [5:10].",
        ),
        (
            lambda c: torch.stack([100 * c[a:b].sum() / c.sum() for a, b in ((0, 1), (1, 5), (5, 10))]),
            "Each number counts only the ranks that the one before leaves out. R@5 counts rank 1 too.",
        ),
        (
            lambda c: torch.stack([100 * c[a:b].sum() / c.sum() for a, b in ((0, 1), (1, 5), (6, 10))]),
            "Two faults: the numbers are not added up, and rank 6 is in no slice.",
        ),
        (
            lambda c: torch.stack([100 * c[: k + 1].sum() / c.sum() for k in (1, 5, 10)]),
            "One rank too many is counted: counts[:k] holds the ranks 1 to k.",
        ),
        (
            lambda c: torch.stack([100 * c[1 : k + 1].sum() / c.sum() for k in (1, 5, 10)]),
            "Rank 1 is left out: it stands at place 0, since places are counted from 0.",
        ),
        (
            lambda c: torch.stack([c[:k].sum() / c.sum() for k in (1, 5, 10)]),
            "These are fractions of one. Give percent: multiply by 100.",
        ),
        (
            lambda c: torch.stack([100 * c[:k].sum() / c[:10].sum() for k in (1, 5, 10)]),
            "Queries behind rank 10 are left out below the line. Divide by all queries.",
        ),
        (
            lambda c: torch.stack([c[:k].sum() for k in (1, 5, 10)]),
            "These are numbers of queries. Divide by all of them, and multiply by 100.",
        ),
    ),
)


def _sizes(g: torch.Generator, steps: int = 0) -> tuple[int, int, int, int]:
    """Steps, regions, words, and numbers per vector."""
    return steps or random_size(g, 2, 6), random_size(g, 12, 50), random_size(g, 5, 11), 8 * random_size(g, 8, 129)


def _costs_by_loop(steps: int, n_regions: int, n_words: int, dim: int) -> LongTensor:
    rows = []
    rows.append([sum(dim for _ in range(steps + 1))] * 2)  # DAN: the index, and one product with it
    kept = sum(dim for _ in range(n_regions)) + dim
    pair = 0
    for _ in range(steps):
        pair += sum(dim for _ in range(n_regions)) + sum(dim for _ in range(n_words))
        pair += sum(4 * dim for _ in range(dim)) * 2  # the LSTM's maps of its input and of its state
    rows += [[kept, pair], [dim, dim]]
    rows.append([sum(dim for _ in range(n_regions)), sum(dim for _ in range(n_words) for _ in range(n_regions))])
    return torch.tensor(rows)


def _own_costs(steps, n_regions, n_words, dim):
    dan = [(steps + 1) * dim, (steps + 1) * dim]
    sm_lstm = [(n_regions + 1) * dim, steps * ((n_regions + n_words) * dim + 8 * dim**2)]
    sco = [dim, dim]
    scan = [n_regions * dim, n_regions * n_words * dim]
    return torch.tensor([dan, sm_lstm, sco, scan])


def _table(t, r, w, d, k=None, gates=8, pieces=None, kept=None, grid=None, scale=None):
    """As the solution, with one part changed."""
    k = t + 1 if k is None else k
    pieces = r + w if pieces is None else pieces
    kept = r + 1 if kept is None else kept
    grid = r * w if grid is None else grid
    scale = t if scale is None else scale
    return torch.tensor([[k * d, k * d], [kept * d, scale * (pieces * d + gates * d * d)], [d, d], [r * d, grid * d]])


costs = Exercise(
    name="costs",
    minutes=20,
    difficulty=2,
    hints=(
        "What must be known of an image before any caption comes, and what is left to do when one does? DAN and SCO "
        "leave one dot product each.",
        "DAN keeps steps + 1 vectors. sm-LSTM keeps every region and their mean; in each step it weights n_regions + "
        "n_words vectors, and its LSTM has two maps of dim to 4 * dim numbers.",
        "Rows of [stored, per pair]: [(steps + 1) * dim] * 2; [(n_regions + 1) * dim, steps * ((n_regions + n_words) * "
        "dim + 8 * dim**2)]; [dim, dim]; [n_regions * dim, n_regions * n_words * dim].",
    ),
    reference=_costs_by_loop,
    own=_own_costs,
    inputs={"several steps": _sizes, "one step": lambda g: _sizes(g, steps=1)},
    shape="[4, 2]",
    begin="Make a table with the rows DAN, sm-LSTM, SCO and SCAN (int64). Column 0: the numbers that are stored per "
    "image. Column 1: the multiply-adds per pair. All vectors, states and hidden layers have dim numbers. Count dot "
    "products; for sm-LSTM, in each step, the weighted sums of the regions and of the words, and the LSTM's maps of "
    "its input and of its state to four gates of dim numbers each; for SCAN the dot products of all regions with all "
    "words. sm-LSTM stores the regions and their mean.",
    mistakes=(
        (
            lambda *x: _table(*x, k=x[0]),
            "DAN's means are forgotten: k = 0 counts, so that steps + 1 vectors are stored and compared.",
        ),
        (
            lambda *x: _table(*x, k=1),
            "DAN keeps the vectors of all its steps, not one: steps + 1 of them.",
        ),
        (
            lambda *x: _table(*x, gates=4),
            "The LSTM has two maps of dim to 4 * dim numbers, one of its input and one of its state: 8 * dim².",
        ),
        (
            lambda *x: _table(*x, gates=2),
            "An LSTM has four gates: each of its two maps makes 4 * dim numbers.",
        ),
        (
            lambda *x: _table(*x, scale=1),
            "sm-LSTM attends and runs its LSTM once per step: multiply by steps.",
        ),
        (
            lambda *x: _table(*x, pieces=x[1] * x[2]),
            "sm-LSTM does not compare every region with every word. In a step it weights the regions, and the words.",
        ),
        (
            lambda *x: _table(*x, pieces=x[1]),
            "sm-LSTM attends to words as well as to regions: n_regions + n_words weighted vectors per step.",
        ),
        (
            lambda *x: _table(*x, kept=x[1]),
            "The mean of the regions is stored too, since sm-LSTM's attention reads it.",
        ),
        (
            lambda *x: _table(*x, grid=x[1] + x[2]),
            "SCAN compares every region with every word: n_regions * n_words dot products.",
        ),
        (
            lambda *x: _table(*x).flip(1),
            "The columns are exchanged: what is stored per image comes first.",
        ),
    ),
)


def _crossing_by_loop(steps: int, n_regions: int, n_words: int, dim: int) -> float:
    """Follows both lines until they have crossed, and finds the point between the last two numbers of captions."""
    once, by_index, by_pieces = steps * n_regions * dim * dim, (steps + 1) * dim, n_regions * n_words * dim
    n = 0
    while once + n * by_index > n * by_pieces:
        n += 1
    before = once + (n - 1) * by_index - (n - 1) * by_pieces  # above 0
    after = once + n * by_index - n * by_pieces  # 0 or below
    return float(n - 1 + Fraction(before, before - after))


def _own_crossing_point(steps, n_regions, n_words, dim):
    once = steps * n_regions * dim**2  # per image, whatever the number of captions
    saved = n_regions * n_words * dim - (steps + 1) * dim  # per caption
    return once / saved


def _crossed(t, r, w, d, once=None, saved=None):
    """As the solution, with one part changed."""
    once = t * r * d * d if once is None else once
    return once / (r * w * d - (t + 1) * d if saved is None else saved)


crossing_point = Exercise(
    name="crossing_point",
    minutes=15,
    difficulty=2,
    hints=(
        "Write the cost per image as a function of the number of captions n: once + n * (per pair). The lines cross "
        "where both are equal.",
        "steps * n_regions * dim**2 + n * (steps + 1) * dim = n * n_regions * n_words * dim. Solve for n.",
        "n = steps * n_regions * dim**2 / (n_regions * n_words * dim - (steps + 1) * dim)",
    ),
    reference=_crossing_by_loop,
    own=_own_crossing_point,
    inputs={"several steps": _sizes, "one step": lambda g: _sizes(g, steps=1)},
    begin="Regions and words are given as vectors of dim numbers. DAN maps all regions once more in each step: steps * "
    "n_regions * dim² multiply-adds per image, once, and then (steps + 1) * dim per caption that the image is compared "
    "with. Attention between the pieces, as in SCAN, costs n_regions * n_words * dim per caption, and nothing before. "
    "For how many captions per image are both costs equal? The answer is a number, and need not be whole.",
    mistakes=(
        (
            lambda *x: _crossed(*x, saved=x[1] * x[2] * x[3]),
            "This takes DAN's comparisons as free. It is close, but each costs (steps + 1) * dim: subtract that below.",
        ),
        (
            lambda *x: _crossed(*x, saved=x[1] * x[2] * x[3] + (x[0] + 1) * x[3]),
            "The costs per caption are added. Each caption saves their difference.",
        ),
        (
            lambda *x: _crossed(*x, saved=x[1] * x[2] * x[3] - x[0] * x[3]),
            "The index is steps + 1 vectors wide, since k = 0 counts.",
        ),
        (
            lambda *x: _crossed(*x, once=x[1] * x[3] ** 2),
            "This is the cost of one step. Every step maps all regions again.",
        ),
        (
            lambda *x: _crossed(*x, once=x[0] * x[1] * x[3]),
            "To map a region costs dim², a multiply-add for each pair of an input and an output number.",
        ),
        (
            lambda *x: _crossed(*x, once=x[0] * x[3] ** 2),
            "Each of the n_regions is mapped: the cost per image is steps * n_regions * dim².",
        ),
        (
            lambda *x: 1 / _crossed(*x),
            "The quotient is turned round: divide what is paid once by what each caption saves.",
        ),
        (
            lambda *x: float(round(_crossed(*x))),
            "The number is rounded. Leave it as it is.",
        ),
    ),
)


def _cheap(g: torch.Generator, n_images: int = 0, per_image: int = 3, k: int = 0) -> tuple[Tensor, LongTensor, int]:
    """Scores of a cheap model without equal numbers, of images with several captions each, and a length."""
    n_images = n_images or random_size(g, 8, 14)
    image_of = torch.arange(n_images).repeat(per_image)
    image_of = image_of[torch.randperm(len(image_of), generator=g)]
    numbers = torch.randperm(n_images * len(image_of), generator=g).float()
    scores = numbers.view(n_images, -1)
    better = torch.rand(len(image_of), generator=g) < 0.4  # so that some find their image at once
    scores[image_of[better], better.nonzero().flatten()] += numbers.numel()
    return scores, image_of, k or random_size(g, 2, 5)


def _allowed_by_loop(scores: Tensor, image_of: LongTensor, k: int) -> float:
    found = 0
    for caption, own in enumerate(image_of.tolist()):
        column = scores[:, caption].tolist()
        order = sorted(range(len(column)), key=lambda image: -column[image])
        found += own in order[:k]
    return 100 * found / len(image_of)


def _own_shortlist_recall(scores, image_of, k):
    shortlists = scores.topk(k, dim=0).indices  # [k, n_captions]: the images that will be scored again
    return 100 * (shortlists == image_of).any(dim=0).float().mean().item()


def _listed(scores, image_of, k, take=lambda scores, k: scores.topk(k, dim=0).indices):
    """As the solution, with another shortlist."""
    return 100 * (take(scores, k) == image_of).any(0).double().mean().item()


def _by_rows(scores, image_of, k):
    """From image to text: whether any own caption is on the image's shortlist."""
    own = image_of[scores.topk(k, dim=1).indices] == torch.arange(len(scores))[:, None]
    return 100 * own.any(1).double().mean().item()


def _by_images(scores, image_of, k):
    """The share of images that any of their captions finds."""
    found = (scores.topk(k, dim=0).indices == image_of).any(0)
    return 100 * sum(bool(found[image_of == i].any()) for i in range(len(scores))) / len(scores)


shortlist_recall = Exercise(
    name="shortlist_recall",
    minutes=10,
    difficulty=2,
    hints=(
        "The expensive model, sm-LSTM here, sees only the k best images of the cheap one. Suppose that it is perfect: "
        "which captions can still not find their image?",
        "scores.topk(k, dim=0).indices has the shape [k, n_captions]: the shortlist of each caption is a column.",
        "100 * (scores.topk(k, dim=0).indices == image_of).any(dim=0).float().mean().item()",
    ),
    reference=_allowed_by_loop,
    own=_own_shortlist_recall,
    inputs={
        "several captions per image": _cheap,
        "one caption per image": lambda g: _cheap(g, per_image=1),
        "a shortlist of one": lambda g: _cheap(g, k=1),
        "a shortlist of all images": lambda g: _cheap(g, n_images=4, k=4),
    },
    begin="Start from `scores` [n_images, n_captions] of a cheap model, `image_of` [n_captions], and k. For each "
    "caption, the k images with the largest scores are ranked again by an expensive model. Return the largest R@1, in "
    "percent of the captions, that it can reach, as a plain number. No two scores are equal.",
    varied=(),
    remarks={"a shortlist of all images": "If every image is on the shortlist, nothing is lost: 100 percent."},
    mistakes=(
        (
            lambda s, own, k: _listed(s, own, 1),
            "This is the R@1 of the cheap model. A perfect expensive model finds whatever is on the shortlist.",
        ),
        (
            _by_rows,
            "Rows are the captions of an image: these are shortlists from image to text. Take columns, dim=0.",
        ),
        (
            lambda s, own, k: _listed(s, own, k, lambda s, k: s.topk(k, dim=0, largest=False).indices),
            "The smallest scores are taken. The best images have the largest.",
        ),
        (
            lambda s, own, k: _listed(s, own, k, lambda s, k: s.topk(min(k + 1, len(s)), dim=0).indices),
            "The shortlist has one image too many.",
        ),
        (
            lambda s, own, k: _listed(s, own, k, lambda s, k: s.topk(k, dim=0).indices[: max(1, k - 1)]),
            "The shortlist has one image too few.",
        ),
        (
            lambda s, own, k: _listed(s, own, k) / 100,
            "This is a fraction of one. Give percent: multiply by 100.",
        ),
        (
            lambda s, own, k: 100 - _listed(s, own, k),
            "These are the captions whose image is missing from the shortlist. Count those that have it.",
        ),
        (
            _by_images,
            "An image counts as soon as one of its captions finds it. Every caption is a query of its own.",
        ),
        (
            lambda s, own, k: _listed(s, own, k) / k,
            "This is divided by k. Each caption has one image, so that it counts once.",
        ),
    ),
)

SEARCH_EXERCISES = (recalls_from_counts, costs, crossing_point, shortlist_recall)
