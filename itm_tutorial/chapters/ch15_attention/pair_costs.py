"""What each method of the chapter computes for one pair of an image and a caption, in counted multiply-adds.

Counted is what cannot be done once per image or once per caption, in the loop-free form of this package. Encoders, and
projections of regions and of words, are not counted: an index keeps them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from itm_tutorial.errors import ItmError

VECTORS, PRODUCTS, ELEMENTS, MATRICES = (
    "one embedding per side",
    "products of regions and words",
    "vectors of each pair, number by number",
    "matrices of dim x dim for each pair",
)
KINDS = (VECTORS, PRODUCTS, ELEMENTS, MATRICES)
BLOCKS, KERNELS, WIDTH = 16, 8, 4  # of GSMN, as in the public code
PLANS, ITERATIONS = 3, 20  # of GOT: plans per pair, and steps per plan, by default in this package


@dataclass(frozen=True)
class Sizes:
    """How large the inputs are.

    Attributes:
        n_regions: per image.
        n_words: per caption.
        dim: numbers per embedding.
        joint_dim: the same for MMCA, whose paper takes fewer.
        n_phrases: of a caption, for HOAD.
        n_images, n_captions: of the gallery.

    Raises:
        ItmError: a size below 1.
    """

    n_regions: int = 36
    n_words: int = 12
    dim: int = 1024
    joint_dim: int = 256
    n_phrases: int = 3
    n_images: int = 1000
    n_captions: int = 5000

    def __post_init__(self):
        for name, value in vars(self).items():
            if value < 1:
                raise ItmError(f"{name} is {value}; give 1 or more")

    @property
    def n_pairs(self) -> int:
        """Pairs of the gallery."""
        return self.n_images * self.n_captions


@dataclass(frozen=True)
class Cost:
    """What one pair costs.

    Attributes:
        kind: one of ``KINDS``.
        parts: what is computed -> multiply-adds.
        exponentials: that come on top, where each number of each pair needs one.
    """

    kind: str
    parts: dict[str, int]
    exponentials: int = 0

    @property
    def total(self) -> int:
        """Multiply-adds per pair."""
        return sum(self.parts.values())

    @property
    def largest(self) -> str:
        """The part that costs most."""
        return max(self.parts, key=self.parts.__getitem__)


def _stacked(n_queries: int, n_keys: int, dim: int) -> dict[str, int]:
    """Cross-attention without an attended vector: products, and their lengths from the Gram matrix of the keys."""
    return {"products": n_queries * n_keys * dim, "Gram matrix": n_queries * n_keys**2}


def _gsmn(s: Sizes) -> Cost:
    r, n, hidden = s.n_regions, s.n_words, KERNELS * WIDTH
    parts = {
        "products": r * n * s.dim,
        "Gram matrix per block, words": n * r**2 * BLOCKS,
        "Gram matrix per block, regions": r * n**2 * BLOCKS,
        "messages": (n**2 + r**2) * hidden,
        "network per node": (r + n) * (BLOCKS * hidden + hidden**2 + hidden),
    }
    return Cost(PRODUCTS, parts)


def _caan(s: Sizes) -> Cost:
    r, n, d = s.n_regions, s.n_words, s.dim
    own, other = (r**2 + n**2) * d, 2 * r * n * d
    return Cost(PRODUCTS, {"affinities": r * n * d, "mixes of one side": own, "mixes of the other side": other})


def _got(s: Sizes) -> Cost:
    r, n = s.n_regions, s.n_words
    plans, edges = PLANS * ITERATIONS * 5 * r * n, (PLANS + 1) * (r**2 * n + r * n**2)
    return Cost(PRODUCTS, {"products": r * n * s.dim, "steps of the plan": plans, "edges": edges})


def _adapt(s: Sizes) -> Cost:
    numbers = s.n_regions * s.dim
    return Cost(ELEMENTS, {"scale and weights": 2 * numbers, "cosine": 3 * s.dim}, numbers)


def _imram(s: Sizes, steps: int) -> Cost:
    n, r, d = s.n_words, s.n_regions, s.dim
    parts = _stacked(n, r, d)
    parts["later steps"] = (steps - 1) * (n * r * d + n * r**2)
    parts["mixes of mapped regions"] = (steps - 1) * n * r * 2 * d
    parts["gates"] = (steps - 1) * 2 * n * d
    if steps > 2:
        parts["maps of queries"] = (steps - 2) * n * d * 2 * d  # the first update maps the queries once per caption
    return Cost(MATRICES if steps > 2 else ELEMENTS, parts)


def _camp(s: Sizes, scalar: bool = False) -> Cost:
    r, n, d = s.n_regions, s.n_words, s.dim
    parts = {"products": r * n * d, "messages": 2 * r * n * d, "pooling and head": (r + n) * d + d**2 + d}
    if not scalar:
        parts["fusion"] = (r + n) * d**2
    return Cost(MATRICES, parts)


def _mmca(s: Sizes) -> Cost:
    tokens, d = s.n_regions + s.n_words, s.joint_dim
    return Cost(MATRICES, {"attention": 2 * tokens**2 * d, "output and feed-forward": 3 * tokens * d**2})


def _rve(s: Sizes) -> Cost:
    gru = s.n_regions * 6 * s.dim**2  # three gates in two directions; their input halves are computed once per image
    return Cost(MATRICES, {"recurrence over regions": gru, **_stacked(s.n_words, s.n_regions, s.dim)})


COUNTS: dict[str, Callable[[Sizes], Cost]] = {
    "vsrn": lambda s: Cost(VECTORS, {"dot product": s.dim}),
    "cvse": lambda s: Cost(VECTORS, {"two dot products": 2 * s.dim}),
    "adapt_no_fovea": lambda s: Cost(VECTORS, {"three matrix products": 3 * s.dim}),
    "hoad": lambda s: Cost(PRODUCTS, {**_stacked(s.n_phrases, s.n_regions, s.dim), "whole image": s.dim}),
    "scan": lambda s: Cost(PRODUCTS, _stacked(s.n_words, s.n_regions, s.dim)),
    "got": _got,
    "gsmn": _gsmn,
    "caan": _caan,
    "adapt": _adapt,
    "imram_k2": lambda s: _imram(s, 2),
    "camp_scalar": lambda s: _camp(s, scalar=True),
    "mmca": _mmca,
    "imram": lambda s: _imram(s, 3),
    "camp": _camp,
    "rve": _rve,
}


def pair_costs(sizes: Sizes | None = None) -> dict[str, Cost]:
    """Counts what a pair costs in every method of the chapter, and in SCAN.

    Args:
        sizes: of images and captions; by default those of the papers.

    Returns:
        Name of a model -> its cost; those of one kind are neighbours.
    """
    return {name: count(sizes or Sizes()) for name, count in COUNTS.items()}
