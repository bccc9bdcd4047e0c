"""Two exercises of chapter 03 after the attention itself: the pointing game, and re-ranking a shortlist."""

from __future__ import annotations

import torch
from torch import LongTensor, Tensor

from itm_tutorial.chapters.adversarial import TIES
from itm_tutorial.chapters.exercise import Exercise, random_size

EPS = 1e-8


def _pointed(g: torch.Generator, large: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """Weights, boxes of regions, and one box per word, often at the region that the word attends to most."""
    n_regions, n_words = random_size(g, 4, 8), random_size(g, 3, 7)
    weights = (3 * torch.randn(n_regions, n_words, generator=g)).softmax(0)
    corner = 0.6 * torch.rand(n_regions, 2, generator=g)
    boxes = torch.cat([corner, corner + 0.1 + 0.3 * torch.rand(n_regions, 2, generator=g)], 1)
    seen = boxes[torch.where(torch.rand(n_words, generator=g) < 0.6, weights.argmax(0), 0)]
    moved = seen + (0.3 * torch.rand(n_words, 4, generator=g) - 0.15)
    named = torch.cat([moved[:, :2], torch.maximum(moved[:, 2:], moved[:, :2] + 0.05)], 1)
    return weights, boxes, torch.tensor([0.0, 0.0, 1.0, 1.0]).expand(n_words, 4).clone() if large else named


def _pointing_by_loop(weights: Tensor, boxes: Tensor, named: Tensor) -> float:
    hits = 0
    for word, (x0, y0, x1, y1) in enumerate(named.tolist()):
        column = weights[:, word].tolist()
        left, top, right, bottom = boxes[column.index(max(column))].tolist()
        hits += x0 < (left + right) / 2 < x1 and y0 < (top + bottom) / 2 < y1
    return 100 * hits / len(named)


def _own_pointing_game(weights, boxes, named):
    top = boxes[weights.argmax(dim=0)]  # [n_words, 4]: the region that each word attends to most
    centre = (top[:, :2] + top[:, 2:]) / 2  # [n_words, 2]
    inside = (centre > named[:, :2]) & (centre < named[:, 2:])
    return 100 * inside.all(dim=1).double().mean().item()


def _points_inside(points: Tensor, named: Tensor) -> Tensor:
    return ((points > named[:, :2]) & (points < named[:, 2:])).all(1).double()


def _centres(boxes: Tensor) -> Tensor:
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def _mass(weights: Tensor, boxes: Tensor, named: Tensor) -> float:
    inside = torch.stack([_points_inside(_centres(boxes), box.expand(len(boxes), 4)) for box in named], 1)
    return 100 * (weights * inside).sum(0).double().mean().item()


def _by_top(rule):
    return lambda w, b, n: 100 * rule(b[w.argmax(0)], n).double().mean().item()


pointing_game = Exercise(
    name="pointing_game",
    minutes=10,
    difficulty=2,
    hints=(
        "For each word take the region with the largest weight, and ask where the centre of this region lies.",
        "boxes[weights.argmax(0)] is [n_words, 4]; the centre is the mean of the two corners.",
        "Inside means x and y above named[:, :2] and below named[:, 2:]; the mean over words, times 100, .item().",
    ),
    reference=_pointing_by_loop,
    own=_own_pointing_game,
    inputs={
        "random boxes": _pointed,
        "words that name the whole picture": lambda g: _pointed(g, large=True),
    },
    begin="Start from one word: `weights[:, w]` has its weight for each region, and `named[w]` is its true box. "
    "Return one number.",
    varied=(),
    mistakes=(
        (
            _by_top(lambda top, n: ((top[:, :2] >= n[:, :2]) & (top[:, 2:] <= n[:, 2:])).all(1)),
            "This asks whether the whole region lies inside. The game asks only for its centre.",
        ),
        (
            _by_top(lambda top, n: _points_inside(top[:, :2], n)),
            "This takes the region's upper left corner. Take its centre.",
        ),
        (
            _by_top(lambda top, n: ((top[:, :2] < n[:, 2:]) & (top[:, 2:] > n[:, :2])).all(1)),
            "This counts any overlap. The centre must lie inside.",
        ),
        (
            _by_top(lambda top, n: _points_inside(_centres(n), top)),
            "The roles are exchanged: this asks whether the centre of the named box lies in the region.",
        ),
        (
            _by_top(lambda top, n: ((_centres(top) > n[:, :2]) & (_centres(top) < n[:, 2:])).any(1)),
            "This accepts a centre with only x or only y inside. Both must lie inside (all, not any).",
        ),
        (
            lambda w, b, n: 100 * _points_inside(_centres(b[w.argmin(0)]), n).mean().item(),
            "This takes the region with the smallest weight: use argmax.",
        ),
        (_mass, "This adds the weights of all regions inside. The game uses only the region with the largest weight."),
        (
            lambda w, b, n: _own_pointing_game(w, b, n) / 100,
            "This is a fraction between 0 and 1. Multiply by 100: the chapter prints percent.",
        ),
        (
            lambda w, b, n: _points_inside(_centres(b[w.argmax(0)]), n).sum().item(),
            "This is the number of hits. Divide by the number of words and multiply by 100.",
        ),
    ),
)


class Expensive:
    """An expensive model: called with some images, it returns their scores, and remembers which images it scored."""

    def __init__(self, scores: Tensor):
        asked: list[int] = []
        places = torch.arange(len(scores))

        def score(images: LongTensor) -> Tensor:
            asked.extend(places[images].flatten().tolist())
            return scores[images]

        self._score, self._asked, self._copied = score, lambda: list(asked), lambda: Expensive(scores)

    def __call__(self, images: LongTensor) -> Tensor:
        return self._score(images)

    def __getattr__(self, name: str):
        raise AttributeError(
            f"the expensive model has no {name} to look into: call it with the images of the shortlist"
        )

    def __deepcopy__(self, memo: dict) -> Expensive:
        return self._copied()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expensive)

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return "a model"


def _asked_too_much(given: tuple) -> str:
    """What is wrong with how often the expensive model was called."""
    quick, expensive, k = given
    asked, shortlist = expensive._asked(), set(_shortlist(quick, k).tolist())
    if set(asked) - shortlist:
        return (
            f"had {len(set(asked))} images scored by the expensive model, and the shortlist has {k}: "
            "call it only with the shortlist."
        )
    if len(asked) > len(set(asked)):
        return "has the same images scored twice by the expensive model: keep the scores of the first call."
    return ""


def _two_scores(g: torch.Generator, k: int | None = None) -> tuple[Tensor, Expensive, int]:
    n = random_size(g, 9, 16)
    quick = torch.randn(n, generator=g)
    return quick, Expensive(10 + 0.5 * quick + torch.randn(n, generator=g)), k or random_size(g, 4, 7)


def _all_of_them(g: torch.Generator) -> tuple[Tensor, Expensive, int]:
    quick, expensive, _ = _two_scores(g)
    return quick, expensive, len(quick)


def _rerank_by_loop(quick: Tensor, expensive, k: int) -> LongTensor:
    shortlist = sorted(range(len(quick)), key=lambda i: -float(quick[i]))[:k]
    costly = {i: float(expensive(torch.tensor([i]))[0]) for i in shortlist}
    return torch.tensor(sorted(shortlist, key=lambda i: -costly[i]))


def _own_rerank(quick, expensive, k):
    shortlist = quick.topk(k).indices  # [k]: images
    order = expensive(shortlist).argsort(descending=True)  # [k]: positions in the shortlist
    return shortlist[order]


def _shortlist(quick: Tensor, k: int) -> LongTensor:
    return quick.topk(k).indices


def _all(quick: Tensor) -> LongTensor:
    return torch.arange(len(quick))


rerank = Exercise(
    name="rerank",
    minutes=10,
    difficulty=2,
    hints=(
        "The quick scores select k images; only these are scored again, and only the new scores decide their order.",
        "shortlist = quick.topk(k).indices, then expensive(shortlist) gives k scores, in the shortlist's order.",
        "argsort(descending=True) gives positions in the shortlist; shortlist[order] gives the images.",
    ),
    reference=_rerank_by_loop,
    own=_own_rerank,
    inputs={
        "a shortlist of some": _two_scores,
        "a shortlist of one": lambda g: _two_scores(g, k=1),
        "a shortlist of all": _all_of_them,
    },
    shape="[k]",
    begin="Start from `quick`, the scores of all images, and return a tensor with the indices of k images.",
    spared=TIES,
    conduct=_asked_too_much,
    mistakes=(
        (
            lambda q, f, k: f(_shortlist(q, k)).argsort(descending=True),
            "These are positions in the shortlist: shortlist[order] gives the images.",
        ),
        (
            lambda q, f, k: f(_all(q)).topk(k).indices,
            "The expensive model scored every image. Call it only with the shortlist.",
        ),
        (
            lambda q, f, k: _shortlist(q, k),
            "This is the shortlist in the order of the quick scores. Score it with the expensive model and sort.",
        ),
        (
            lambda q, f, k: _shortlist(q, k)[f(_shortlist(q, k)).argsort()],
            "The image with the lowest score comes first: sort with descending=True.",
        ),
        (
            lambda q, f, k: _shortlist(q, k)[(q[_shortlist(q, k)] + f(_shortlist(q, k))).argsort(descending=True)],
            "Quick and expensive scores are added, but they have no common scale. Sort by the expensive scores only.",
        ),
        (
            lambda q, f, k: (lambda s: s[f(s).argsort(descending=True)])((-q).topk(k).indices),
            "The shortlist holds the images with the smallest scores.",
        ),
        (
            lambda q, f, k: f(_shortlist(q, k)).sort(descending=True).values,
            "These are scores. Return the indices of the images, best first.",
        ),
    ),
)
