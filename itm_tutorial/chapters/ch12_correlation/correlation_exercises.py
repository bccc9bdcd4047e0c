"""Three exercises of chapter 12: total correlation, the Fisher vector of a sentence, and recall without a gift."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from itm_tutorial.chapters.exercise import Exercise, random_size


def _views(g: torch.Generator, few: bool = False, shift: float = 0.0) -> tuple[Tensor, Tensor, float]:
    """Paired rows of two views that share a part, and a ridge."""
    x_dim, y_dim = random_size(g, 3, 6), random_size(g, 2, 6)
    n = random_size(g, 3, min(x_dim, y_dim) + 2) if few else random_size(g, 12, 30)
    x, y = torch.randn(n, x_dim, generator=g), torch.randn(n, y_dim, generator=g)
    y[:, :2] += x[:, :2]
    return x + shift, y - shift, 0.1


def _total_correlation_by_loop(x: Tensor, y: Tensor, ridge: float) -> float:
    """The sum of the roots of the eigenvalues of S_xx^-1 S_xy S_yy^-1 S_yx; covariances by loops."""

    def covariance(a: Tensor, b: Tensor, added: float) -> Tensor:
        n, found = len(a), torch.zeros(a.shape[1], b.shape[1], dtype=torch.float64)
        for i, first in enumerate(a.T.tolist()):
            for j, second in enumerate(b.T.tolist()):
                means = sum(first) / n, sum(second) / n
                total = sum((u - means[0]) * (v - means[1]) for u, v in zip(first, second, strict=True))
                found[i, j] = total / (n - 1) + (added if i == j else 0.0)
        return found

    xx, xy, yy = covariance(x, x, ridge), covariance(x, y, 0.0), covariance(y, y, ridge)
    squares = torch.linalg.eigvals(torch.linalg.solve(xx, xy) @ torch.linalg.solve(yy, xy.T)).real
    return squares.sort(descending=True).values[: min(xy.shape)].clamp(min=0).sqrt().sum().item()


def _own_total_correlation(x, y, ridge):
    def inverse_root(s):
        values, vectors = torch.linalg.eigh(s)  # s = vectors diag(values) vectors.T
        return vectors @ torch.diag(values**-0.5) @ vectors.T

    x, y = x - x.mean(dim=0), y - y.mean(dim=0)
    s_xx = x.T @ x / (len(x) - 1) + ridge * torch.eye(x.shape[1])
    s_yy = y.T @ y / (len(y) - 1) + ridge * torch.eye(y.shape[1])
    s_xy = x.T @ y / (len(x) - 1)
    t = inverse_root(s_xx) @ s_xy @ inverse_root(s_yy)
    return torch.linalg.svdvals(t).sum().item()


def _t(x: Tensor, y: Tensor, ridge: float, centre: bool = True, sides: str = "xy", less: int = 1) -> Tensor:
    """T with one step changed; sides: which of them are whitened."""
    x, y = (side - side.mean(0) if centre else side for side in (x, y))
    n = len(x) - less
    t = x.T @ y / n
    for name, side in (("x", x), ("y", y)):
        values, vectors = torch.linalg.eigh(side.T @ side / n + ridge * torch.eye(side.shape[1]))
        root = vectors @ torch.diag(values.clamp(min=1e-6) ** -0.5) @ vectors.T
        t = (root @ t if name == "x" else t @ root) if name in sides else t
    return t


def _singular(t: Tensor) -> Tensor:
    return torch.linalg.svdvals(t)


total_correlation = Exercise(
    name="total_correlation",
    minutes=15,
    difficulty=3,
    hints=(
        "Four steps: centre both views, three covariances, whiten the mixed one from both sides, add up its singular "
        "values.",
        "S_xx = x.T @ x / (len(x) - 1) + ridge * torch.eye(x.shape[1]) with centred x; S_xy gets no ridge.",
        "S^(-1/2) from values, vectors = torch.linalg.eigh(S): vectors @ torch.diag(values ** -0.5) @ vectors.T. Then "
        "torch.linalg.svdvals(root_x @ S_xy @ root_y).sum().item().",
    ),
    reference=_total_correlation_by_loop,
    own=_own_total_correlation,
    inputs={
        "many pairs": _views,
        "fewer pairs than numbers": lambda g: _views(g, few=True),
        "views that are not centred": lambda g: _views(g, shift=2.0),
    },
    begin="Start from `x` [n, x_dim] and `y` [n, y_dim], row i with row i; return one number.",
    varied=(),
    mistakes=(
        (
            lambda x, y, r: _t(x, y, r).norm(),
            "This is the Frobenius norm, the root of the sum of squares. Add up the singular values themselves. Two "
            "public versions of DCCA return this number under the name of all singular values.",
        ),
        (
            lambda x, y, r: (_t(x, y, r) ** 2).sum(),
            "The squares of the singular values are added up. Add up the singular values.",
        ),
        (
            lambda x, y, r: _singular(_t(x, y, r))[0],
            "This is the largest singular value alone. The total is the sum of all.",
        ),
        (
            lambda x, y, r: _t(x, y, r).diagonal().sum(),
            "This is the trace of T. The directions of both views need not match: take its singular values.",
        ),
        (lambda x, y, r: _singular(_t(x, y, r, centre=False)).sum(), "The views are not centred: subtract the means."),
        (
            lambda x, y, r: _singular(_t(x, y, r, sides="x")).sum(),
            "Only x is whitened. Multiply by S_yy^(-1/2) from the right too.",
        ),
        (
            lambda x, y, r: _singular(_t(x, y, r, sides="")).sum(),
            "Nothing is whitened: these are covariances. Longer vectors must not correlate more.",
        ),
        (
            lambda x, y, r: _singular(_t(x, y, 0.0)).sum(),
            "The ridge is missing: add ridge * identity to S_xx and to S_yy.",
        ),
        (
            lambda x, y, r: _singular(_t(x, y, r, less=0)).sum(),
            "The covariances are divided by n. Divide by n - 1; beside the ridge this makes a difference.",
        ),
    ),
)


def _mixture(g: torch.Generator, n_words: int = 0, n_components: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Word vectors of one sentence, and a mixture of Gaussians that explains them more or less."""
    n_components, dim = n_components or random_size(g, 2, 4), random_size(g, 2, 4)
    weights = torch.rand(n_components, generator=g) + 0.2
    means = torch.randn(n_components, dim, generator=g)
    deviations = torch.rand(n_components, dim, generator=g) + 0.5
    words = torch.randn(n_words or random_size(g, 3, 7), dim, generator=g)
    return words, weights / weights.sum(), means, deviations


def _fisher_by_loop(words: Tensor, weights: Tensor, means: Tensor, deviations: Tensor) -> Tensor:
    n, found = len(words), [[0.0] * means.shape[1] for _ in means]
    tau, mu, sigma = weights.tolist(), means.tolist(), deviations.tolist()
    for x in words.tolist():
        p = []
        for k in range(len(tau)):
            density = tau[k]
            for value, m, s in zip(x, mu[k], sigma[k], strict=True):
                density *= math.exp(-(((value - m) / s) ** 2) / 2) / s
            p.append(density)
        for k in range(len(tau)):
            for d, value in enumerate(x):
                found[k][d] += p[k] / sum(p) * (value - mu[k][d]) / sigma[k][d] / math.sqrt(n * tau[k])
    rooted = [[math.copysign(math.sqrt(abs(v)), v) for v in row] for row in found]
    length = math.sqrt(sum(v * v for row in rooted for v in row))
    return torch.tensor([[v / length for v in row] for row in rooted])


def _own_fisher_means(words, weights, means, deviations):
    z = (words[:, None] - means) / deviations  # [n_words, n_components, dim]
    log_p = weights.log() - (z**2 / 2 + deviations.log()).sum(dim=2)  # [n_words, n_components]
    gamma = log_p.softmax(dim=1)
    gradient = (gamma[..., None] * z).sum(dim=0) / (len(words) * weights).sqrt()[:, None]
    rooted = gradient.sign() * gradient.abs().sqrt()  # [n_components, dim]
    return rooted / rooted.norm()


def _parts(w: Tensor, tau: Tensor, mu: Tensor, sigma: Tensor, prior: bool = True) -> tuple[Tensor, Tensor]:
    """z [n_words, n_components, dim] and posteriors [n_words, n_components]; without the weights if not prior."""
    z = (w[:, None] - mu) / sigma
    return z, ((tau.log() if prior else 0.0) - (z**2 / 2 + sigma.log()).sum(2)).softmax(1)


def _summed(z: Tensor, gamma: Tensor, w: Tensor, tau: Tensor) -> Tensor:
    return (gamma[..., None] * z).sum(0) / (len(w) * tau).sqrt()[:, None]


def _ended(g: Tensor) -> Tensor:
    rooted = g.sign() * g.abs().sqrt()
    return rooted / rooted.norm()


def _hard(gamma: Tensor) -> Tensor:
    return torch.nn.functional.one_hot(gamma.argmax(1), gamma.shape[1]).float()


def _fisher(w: Tensor, tau: Tensor, mu: Tensor, s: Tensor) -> Tensor:
    return _summed(*_parts(w, tau, mu, s), w, tau)


fisher_means = Exercise(
    name="fisher_means",
    minutes=20,
    difficulty=3,
    hints=(
        "First the posteriors: how likely each component is for each word. Then the sum over words of posterior times "
        "(word - mean) / deviation; then root and unit length.",
        "Posteriors from logarithms: with z = (words[:, None] - means) / deviations, (weights.log() - (z**2 / 2 + "
        "deviations.log()).sum(dim=2)).softmax(dim=1).",
        "gradient = (gamma[..., None] * z).sum(dim=0) / (len(words) * weights).sqrt()[:, None]; then gradient.sign() * "
        "gradient.abs().sqrt(), divided by its norm.",
    ),
    reference=_fisher_by_loop,
    own=_own_fisher_means,
    inputs={
        "a sentence of several words": _mixture,
        "a sentence of one word": lambda g: _mixture(g, n_words=1),
        "a mixture of one component": lambda g: _mixture(g, n_components=1),
    },
    shape="[n_components, dim]",
    begin="Start from `words` [n_words, dim] and the mixture: `weights` [n_components], `means` and `deviations` "
    "[n_components, dim]; return the half of the means, with signed root and unit length.",
    varied=(),
    mistakes=(
        (
            lambda w, tau, mu, s: torch.nn.functional.normalize(_fisher(w, tau, mu, s).flatten(), dim=0).view_as(mu),
            "The signed square root is missing: sign(g) sqrt(|g|) before the unit length.",
        ),
        (
            lambda w, tau, mu, s: _ended(_fisher(w, tau, mu, s)).abs(),
            "The sign is lost in the square root. Multiply by the sign of the gradient.",
        ),
        (
            lambda w, tau, mu, s: _fisher(w, tau, mu, s).sign() * _fisher(w, tau, mu, s).abs().sqrt(),
            "The vector has no unit length. Divide the whole of it by its norm.",
        ),
        (
            lambda w, tau, mu, s: torch.nn.functional.normalize(_ended(_fisher(w, tau, mu, s)), dim=1),
            "Each component has unit length by itself. The whole vector gets length 1.",
        ),
        (
            lambda w, tau, mu, s: _ended(_summed(_parts(w, tau, mu, s)[0], _hard(_parts(w, tau, mu, s)[1]), w, tau)),
            "Each word goes to its likeliest component alone. Weight all components by their posteriors.",
        ),
        (
            lambda w, tau, mu, s: _ended(_summed(*_parts(w, tau, mu, s, prior=False), w, tau)),
            "The posteriors leave the weights of the components out: add weights.log() to the log densities.",
        ),
        (
            lambda w, tau, mu, s: _ended(_fisher(w, tau, mu, s) * tau.sqrt()[:, None]),
            "The division by the root of the component's weight is missing: a rare component counts for more.",
        ),
        (
            lambda w, tau, mu, s: _ended(_fisher(w, tau, mu, s) / s),
            "This divides by the variance: the plain gradient. Its Fisher information leaves one deviation.",
        ),
        (
            lambda w, tau, mu, s: _ended(_summed(w[:, None] - mu, _parts(w, tau, mu, s)[1], w, tau)),
            "The differences are not divided by the deviations.",
        ),
    ),
)


def _ranked(g: torch.Generator, easy: bool = False, k: int = 0) -> tuple[Tensor, int]:
    """Scores of a few queries with as many items, and k."""
    n = random_size(g, 6, 12)
    scores = torch.randn(n, n, generator=g)
    return scores + (1.5 if easy else 0.5) * torch.eye(n), k or random_size(g, 2, 5)


def _recall_by_loop(scores: Tensor, k: int) -> float:
    hits = 0
    for query, row in enumerate(scores.tolist()):
        rank = 1
        for item, value in enumerate(row):
            if item != query and value >= row[query]:
                rank += 1
        hits += rank <= k
    return 100 * hits / len(scores)


def _own_recall(scores, k):
    positive = scores.diagonal()[:, None]  # [n_queries, 1]
    rank = (scores >= positive).sum(dim=1)  # the positive counts itself: ranks start at 1, and ties count against it
    return 100 * (rank <= k).float().mean().item()


def _ahead(s: Tensor) -> Tensor:
    """How many others score at least as high as the positive: the rank from 0."""
    return (s >= s.diagonal()[:, None]).sum(1) - 1


def _percent(hits: Tensor) -> Tensor:
    return 100 * hits.float().mean()


recall_at = Exercise(
    name="recall_at",
    minutes=10,
    difficulty=1,
    hints=(
        "Item i is right for query i. Give each query the rank of its item, and decide whether ranks start at 0 or 1.",
        "(scores >= scores.diagonal()[:, None]).sum(dim=1) counts the positive itself, so that the best rank is 1.",
        "With ranks from 1, a query is a hit if rank <= k; with ranks from 0, if rank < k. Then 100 times the mean.",
    ),
    reference=_recall_by_loop,
    own=_own_recall,
    inputs={
        "scores of a poor model": _ranked,
        "scores of a better model": lambda g: _ranked(g, easy=True),
        "k = 1": lambda g: _ranked(g, easy=True, k=1),
    },
    begin="Start from `scores` [n_queries, n_items], where item i is the right one for query i, and `k`; return the "
    "percentage of queries whose item is among the first k. An item that scores the same counts as better.",
    mistakes=(
        (
            lambda s, k: _percent(_ahead(s) <= k),
            "Ranks start at 0 here, and they are compared with <= k: this is recall at k + 1, one rank too kind. The "
            "public code of 2WayNet does this. Write rank < k, or start at 1.",
        ),
        (
            lambda s, k: _percent(_ahead(s) + 1 < k),
            "Ranks start at 1 here, and they are compared with < k: this is recall at k - 1. Write rank <= k.",
        ),
        (
            lambda s, k: _percent((s > s.diagonal()[:, None]).sum(1) < k),
            "An equal score counts in favour of the model: one that scores everything alike would be perfect.",
        ),
        (lambda s, k: (_ahead(s) < k).float().mean(), "This is a fraction. Multiply by 100."),
        (
            lambda s, k: _percent(_ahead(s.T) < k),
            "The ranks are counted down the columns, among queries. A row holds the items of one query.",
        ),
        (
            lambda s, k: _percent(_ahead(s) < k) / k,
            "This is divided by k, as precision is. Each query has one right item: count hits.",
        ),
        (
            lambda s, k: _percent(_ahead(s) == k - 1),
            "Only an item at rank k counts. One that is nearer to the top is a hit as well.",
        ),
    ),
)
