"""Three exercises of chapter 15 where code and papers slipped: GSMN's messages, CAMP's negatives, VSRN's regions."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import normalize

from itm_tutorial.chapters.adversarial import NO_LENGTH
from itm_tutorial.chapters.exercise import Exercise, random_size


def _graph(g: torch.Generator, n_nodes: int = 0, complete: bool = False) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Numbers of the nodes, weights of directed edges, W_k and b."""
    n_nodes, n_blocks = n_nodes or random_size(g, 3, 7), random_size(g, 2, 6)
    kernels, width = random_size(g, 2, 5), random_size(g, 2, 4)
    edges = torch.rand(n_nodes, n_nodes, generator=g) + 0.1
    if not complete:
        edges = edges * ((torch.rand(n_nodes, n_nodes, generator=g) < 0.5) | torch.eye(n_nodes).bool())
    weight = torch.randn(kernels, width, n_blocks, generator=g)
    x = torch.randn(n_nodes, n_blocks, generator=g)
    return x, normalize(edges, dim=1), weight, torch.randn(kernels * width, generator=g)


def _messages_by_loop(x: Tensor, edges: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    nodes, rows, kernels = x.double().tolist(), edges.double().tolist(), weight.double().tolist()
    shifts, found = bias.double().tolist(), []
    for row in rows:
        heard = []
        for kernel in kernels:
            for w in kernel:
                total = shifts[len(heard)]
                for edge, node in zip(row, nodes, strict=True):
                    total += edge * sum(a * b for a, b in zip(w, node, strict=True))
                heard.append(max(0.0, total))
        found.append(heard)
    return torch.tensor(found)


def _own_node_messages(x, edges, weight, bias):
    heard = edges @ x  # [n_nodes, n_blocks]: row i sums over the nodes j that node i hears
    return (heard @ weight.flatten(0, 1).T + bias).relu()  # [n_nodes, n_kernels * width]


def _heard(x, edges, weight, bias, hear=lambda x, edges: edges @ x, end=torch.relu, flat=lambda w: w.flatten(0, 1)):
    """As the solution, with one part changed."""
    return end(hear(x, edges) @ flat(weight).T + bias)


node_messages = Exercise(
    name="node_messages",
    minutes=10,
    difficulty=2,
    hints=(
        "Node i hears node j with the weight edges[i, j]. Its output must change if you change x of a node that it "
        "hears, and must not if you change one that it does not hear.",
        "W_k is the same for all nodes, so you may sum first: heard = edges @ x, [n_nodes, n_blocks].",
        "All W_k below each other: weight.flatten(0, 1), [n_kernels * width, n_blocks]. Return (heard @ weight."
        "flatten(0, 1).T + bias).relu().",
    ),
    reference=_messages_by_loop,
    own=_own_node_messages,
    inputs={
        "a sparse graph": _graph,
        "a complete graph": lambda g: _graph(g, complete=True),
        "a single node": lambda g: _graph(g, n_nodes=1),
    },
    shape="[n_nodes, n_kernels * width]",
    begin="Start from `x` [n_nodes, n_blocks], `edges` [n_nodes, n_nodes] in which row i has the weights of what node "
    "i hears, `weight` [n_kernels, width, n_blocks] with one matrix W_k per kernel, and `bias` [n_kernels * width]. A "
    "node becomes relu(sum over j of edges[i, j] W_k x_j + b), kernel after kernel.",
    varied=("x", "bias"),
    mistakes=(
        (
            lambda *a: _heard(*a, hear=lambda x, edges: edges.sum(1, keepdim=True) * x),
            "Each node hears itself, once per neighbour: no message passes. That is the slip of the public code. Take "
            "x of the neighbours: edges @ x.",
        ),
        (
            lambda *a: _heard(*a, hear=lambda x, edges: x),
            "The edges are not used, so no node hears another one: this is an MLP per node. Sum over neighbours.",
        ),
        (
            lambda *a: _heard(*a, hear=lambda x, edges: edges.T @ x),
            "The edges are read from the wrong end. Row i of edges holds what node i hears: edges @ x.",
        ),
        (
            lambda *a: _heard(*a, hear=lambda x, edges: (edges > 0).float() @ x),
            "All neighbours count alike. Multiply each message by the weight of its edge.",
        ),
        (
            lambda *a: _heard(*a, hear=lambda x, edges: (edges / edges.sum(1, keepdim=True)) @ x),
            "The weights are divided by their sum. Take the edges as they are: their rows have unit length.",
        ),
        (
            lambda *a: _heard(*a, hear=lambda x, edges: edges @ x + x),
            "x of the node is added once more. The paper has no such residual: the self-loop stands in the edges.",
        ),
        (
            lambda x, e, w, b: (e @ (x @ w.flatten(0, 1).T + b)).relu(),
            "The bias is added to each message, and summed with them. Add it once, after the sum.",
        ),
        (
            lambda x, e, w, b: e @ (x @ w.flatten(0, 1).T + b).relu(),
            "Each message passes the relu by itself. Sum over neighbours first, then apply the relu.",
        ),
        (
            lambda *a: _heard(*a, end=lambda heard: heard),
            "The relu is missing. Apply it after the sum and the bias.",
        ),
        (
            lambda *a: _heard(*a[:3], torch.zeros_like(a[3])),
            "The bias is missing. Add it after the sum over neighbours.",
        ),
        (
            lambda *a: _heard(*a, flat=lambda w: w.transpose(0, 1).flatten(0, 1)),
            "The outputs of the kernels are interleaved. Put them one kernel after the other: weight.flatten(0, 1).",
        ),
    ),
)


def _matches(g: torch.Generator, n: int = 0) -> tuple[Tensor]:
    """Probabilities that pairs match, [n, n]; the diagonal holds the positives."""
    n = n or random_size(g, 3, 7)
    return (torch.rand(n, n, generator=g) * 0.94 + 0.03,)


def _bce_by_loop(matches: Tensor) -> Tensor:
    m, total = matches.double().tolist(), 0.0
    n = len(m)
    for i in range(n):
        caption = max(m[i][j] for j in range(n) if j != i)
        image = max(m[j][i] for j in range(n) if j != i)
        total += -2 * math.log(m[i][i]) - math.log(1 - caption) - math.log(1 - image)
    return torch.tensor(total)


def _own_hardest_bce(matches):
    own = torch.eye(len(matches), dtype=torch.bool)
    negatives = matches.masked_fill(own, 0)  # so that no positive is taken for a negative
    hardest = torch.cat([negatives.amax(dim=1), negatives.amax(dim=0)])  # captions of images, images of captions
    return -2 * matches.diagonal().log().sum() - (1 - hardest).log().sum()


def _crossed(
    m, pick=lambda off, dim: off.nan_to_num(0).amax(dim), cost=lambda x: -(1 - x).log(), dims=(0, 1), own=2, mask=True
):
    """As the solution, with one part changed: ``off`` has NaN on the diagonal."""
    off = m.masked_fill(torch.eye(len(m), dtype=torch.bool), torch.nan) if mask else m
    return -own * m.diagonal().log().sum() + sum(cost(pick(off, dim)).sum() for dim in dims)


hardest_bce = Exercise(
    name="hardest_bce",
    minutes=10,
    difficulty=2,
    hints=(
        "log(1 - m) falls as m rises. So the hardest negative, the one with the largest m, has the smallest "
        "log(1 - m).",
        "Take the positives out first: negatives = matches.masked_fill(torch.eye(len(matches)).bool(), 0). The hardest "
        "caption of each image is negatives.amax(dim=1), the hardest image of each caption negatives.amax(dim=0).",
        "-2 * matches.diagonal().log().sum() - (1 - hardest captions).log().sum() - (1 - hardest images).log().sum().",
    ),
    reference=_bce_by_loop,
    own=_own_hardest_bce,
    inputs={"several pairs": _matches, "two pairs": lambda g: _matches(g, n=2)},
    begin="Start from `matches` [n, n], the probability m that image i and caption j belong together; pair i is image "
    "i with caption i. Return the sum over pairs of -2 log m of the pair, -log(1 - m) of the hardest caption for its "
    "image, and -log(1 - m) of the hardest image for its caption.",
    varied=(),
    remarks={"two pairs": "With two pairs there is one negative per image: the hardest and the easiest are the same."},
    mistakes=(
        (
            lambda m: _crossed(m, pick=lambda off, dim: off.nan_to_num(2).amin(dim)),
            "The easiest negatives are taken: the largest log(1 - m) belongs to the smallest m. That is how the paper "
            "prints its loss; take the largest m, inside the logarithm.",
        ),
        (
            lambda m: _crossed(m, mask=False, pick=lambda off, dim: off.amax(dim)),
            "A positive is taken for the hardest negative of its own image. Mask the diagonal before the maximum.",
        ),
        (
            lambda m: -_crossed(m),
            "The sign is turned: minus is missing, as in the printed loss. A loss falls as the pairs match better.",
        ),
        (
            lambda m: _crossed(m, own=1),
            "The positive counts once. It counts twice, once for each of its two negatives.",
        ),
        (
            lambda m: _crossed(m, dims=(1,), own=1),
            "Only the captions of each image are compared. Add the hardest image of each caption, dim=0.",
        ),
        (
            lambda m: _crossed(m, dims=(0,), own=1),
            "Only the images of each caption are compared. Add the hardest caption of each image, dim=1.",
        ),
        (
            lambda m: _crossed(m) / len(m),
            "This is the mean over pairs. Sum over them, as the authors' code does.",
        ),
        (
            lambda m: _crossed(m, pick=lambda off, dim: off.nan_to_num(0)),
            "All negatives count. The paper tried that, and it was worse: take the hardest one of each.",
        ),
        (
            lambda m: _crossed(m, cost=lambda x: -x.log()),
            "The negatives are pulled up: this is -log m of them. Their m must fall, so take -log(1 - m).",
        ),
        (
            lambda m: _crossed(m, pick=lambda off, dim: off.nan_to_num(0).sum(dim) / (len(m) - 1)),
            "The mean of the negatives is taken before the logarithm. Take the largest one of them.",
        ),
    ),
)


def _regions(g: torch.Generator, n_images: int = 0, n_regions: int = 0) -> tuple[Tensor, ...]:
    """Features of regions, and the maps phi, psi, message and out."""
    n_images, n_regions = n_images or random_size(g, 2, 5), n_regions or random_size(g, 2, 6)
    dim = random_size(g, 3, 7)
    maps = torch.randn(4, dim, dim, generator=g).unbind()
    return (torch.randn(n_images, n_regions, dim, generator=g), *maps)


def _times(matrix: list[list[float]], vector: list[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def _reason_by_loop(regions: Tensor, phi: Tensor, psi: Tensor, message: Tensor, out: Tensor) -> Tensor:
    p, s, m, o = (matrix.double().tolist() for matrix in (phi, psi, message, out))
    found = []
    for image in regions.double().tolist():
        unit = [[x / max(1e-12, math.sqrt(sum(y * y for y in v))) for x in v] for v in image]
        reasoned = []
        for v in unit:
            mine, heard = _times(p, v), [0.0] * len(v)
            for other in unit:
                affinity = sum(a * b for a, b in zip(mine, _times(s, other), strict=True)) / len(unit)
                heard = [h + affinity * x for h, x in zip(heard, _times(m, other), strict=True)]
            reasoned.append([x + h for x, h in zip(v, _times(o, heard), strict=True)])
        found.append(reasoned)
    return torch.tensor(found)


def _own_reason(regions, phi, psi, message, out):
    v = normalize(regions, dim=2)  # [n_images, n_regions, dim]: the length of each region, not of each channel
    affinity = (v @ phi.T) @ (v @ psi.T).mT / v.shape[1]  # R / N, [n_images, n_regions, n_regions]
    return affinity @ (v @ message.T) @ out.T + v


def _reasoned(
    x,
    phi,
    psi,
    message,
    out,
    unit=lambda x: normalize(x, dim=2),
    affinity=lambda r: r / r.shape[1],
    residual=lambda v: v,
    sent=lambda v, message: v @ message.T,
):
    """As the solution, with one part changed."""
    v = unit(x)
    return affinity((v @ phi.T) @ (v @ psi.T).mT) @ sent(v, message) @ out.T + residual(v)


reason = Exercise(
    name="reason",
    minutes=15,
    difficulty=2,
    hints=(
        "Write the shapes beside each line. Dimension 0 counts images, 1 regions, 2 numbers per region; a region "
        "never hears one of another image.",
        "v = normalize(regions, dim=2): each region has unit length. R = (v @ phi.T) @ (v @ psi.T).mT is [n_images, "
        "n_regions, n_regions]; it is divided by the number of regions, v.shape[1], without a softmax.",
        "Return (R / v.shape[1]) @ (v @ message.T) @ out.T + v.",
    ),
    reference=_reason_by_loop,
    own=_own_reason,
    inputs={
        "several images": _regions,
        "a single image": lambda g: _regions(g, n_images=1),
        "a single region": lambda g: _regions(g, n_regions=1),
    },
    shape="[n_images, n_regions, dim]",
    begin="Start from `regions` [n_images, n_regions, dim] and the matrices `phi`, `psi`, `message` and `out` [dim, "
    "dim], each to be used as x @ matrix.T. Scale every region to unit length, v. With R_ij = (phi v_i) . (psi v_j) "
    "within an image, return out (sum over j of R_ij / N message v_j) + v_i, where N is the number of regions.",
    varied=("regions",),
    spared=NO_LENGTH,
    remarks={"a single region": "One region still hears itself: N is 1, and R_11 is not 1 in general."},
    mistakes=(
        (
            lambda *a: _reasoned(*a, unit=lambda x: normalize(x, dim=1)),
            "The length is taken over the regions of an image, per channel. That is a slip of the public code; a "
            "region's own numbers are in dim=2.",
        ),
        (
            lambda *a: _reasoned(*a, unit=lambda x: normalize(x, dim=0)),
            "The length is taken over images: an image would change with its batch. Normalise over dim=2.",
        ),
        (
            lambda *a: _reasoned(*a, unit=lambda x: x),
            "The regions keep their lengths. Scale each to unit length first, normalize(regions, dim=2).",
        ),
        (
            lambda *a: _reasoned(*a, affinity=lambda r: r.softmax(2)),
            "The affinities pass a softmax. The authors' code divides R by the number of regions, and affinities may "
            "be negative.",
        ),
        (
            lambda *a: _reasoned(*a, affinity=lambda r: r),
            "R is not divided by the number of regions: messages grow with it. Take R / N.",
        ),
        (
            lambda x, *maps: _reasoned(x, *maps, affinity=lambda r: r / x.shape[2]),
            "R is divided by the numbers per region, dim. N is the number of regions, shape[1].",
        ),
        (
            lambda x, *maps: _reasoned(x, *maps, affinity=lambda r: r / x.shape[2] ** 0.5),
            "R is divided by the root of dim, as in a transformer. VSRN divides by the number of regions.",
        ),
        (
            lambda *a: _reasoned(*a, affinity=lambda r: r / r.abs().sum(2, keepdim=True).clamp(min=1e-12)),
            "The rows of R are scaled to a sum of one, as the text of the paper may be read. The code divides by N.",
        ),
        (
            lambda *a: _reasoned(*a, residual=lambda v: 0),
            "The region itself is missing: add v, so that reasoning changes a region and does not replace it.",
        ),
        (
            lambda x, phi, psi, message, out: _reasoned(x, psi, phi, message, out),
            "phi and psi are exchanged, so that R is transposed. Row i of R belongs to the region that hears.",
        ),
        (
            lambda *a: _reasoned(*a, residual=lambda v: a[0]),
            "The residual adds the regions before they are scaled. Add v, the unit vectors.",
        ),
        (
            lambda *a: _reasoned(*a, sent=lambda v, message: v),
            "The message matrix is not used. A region sends message v_j, not v_j.",
        ),
    ),
)


SLIP_EXERCISES = (node_messages, hardest_bce, reason)
