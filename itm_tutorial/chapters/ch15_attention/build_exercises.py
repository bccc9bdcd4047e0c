"""Three exercises of chapter 15: IMRAM's memory, ADAPT's scaling with a fovea, and a plan of optimal transport."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, normalize

from itm_tutorial.chapters.adversarial import LARGE
from itm_tutorial.chapters.exercise import Exercise, random_size


def _sets(
    g: torch.Generator, n_queries: int = 0, n_steps: int = 0
) -> tuple[Tensor, Tensor, Tensor, Tensor, float, int]:
    """Unit queries and keys, the weights of gate and content, lambda, and the number of steps."""
    n_queries, n_keys, dim = n_queries or random_size(g, 2, 6), random_size(g, 3, 7), random_size(g, 3, 7)
    queries, keys = (normalize(torch.randn(n, dim, generator=g), dim=1) for n in (n_queries, n_keys))
    gate, content = (torch.randn(dim, 2 * dim, generator=g) for _ in range(2))
    return queries, keys, gate, content, float(random_size(g, 2, 9)), n_steps or random_size(g, 2, 5)


def _cosine(a: list[float], b: list[float]) -> float:
    lengths = math.sqrt(sum(x * x for x in a)) * math.sqrt(sum(y * y for y in b))
    return sum(x * y for x, y in zip(a, b, strict=True)) / max(lengths, 1e-12)


def _memory_by_loop(
    queries: Tensor, keys: Tensor, w_gate: Tensor, w_content: Tensor, smooth: float, n_steps: int
) -> Tensor:
    originals, others = queries.double().tolist(), keys.double().tolist()
    gates, contents = w_gate.double().tolist(), w_content.double().tolist()
    current, found = [list(query) for query in originals], []
    for _ in range(n_steps):
        z = [[max(0.0, _cosine(x, key)) for key in others] for x in current]
        lengths = [max(math.sqrt(sum(row[k] ** 2 for row in z)), 1e-12) for k in range(len(others))]
        total, refined = 0.0, []
        for query, x, row in zip(originals, current, z, strict=True):
            powers = [math.exp(smooth * row[k] / lengths[k]) for k in range(len(others))]
            alpha = [power / sum(powers) for power in powers]
            c = [sum(a * key[d] for a, key in zip(alpha, others, strict=True)) for d in range(len(query))]
            total += _cosine(query, c)
            both, new = x + c, []
            for d, own in enumerate(x):
                g = 1 / (1 + math.exp(min(700.0, -sum(w * b for w, b in zip(gates[d], both, strict=True)))))
                o = math.tanh(sum(w * b for w, b in zip(contents[d], both, strict=True)))
                new.append(g * own + (1 - g) * o)
            refined.append(new)
        found.append(total / len(originals))
        current = refined
    return torch.tensor(found)


def _own_memory_scores(queries, keys, w_gate, w_content, smooth, n_steps):
    x, scores = queries, []
    for _ in range(n_steps):
        z = (normalize(x, dim=1) @ keys.T).relu()  # [n_queries, n_keys]
        alpha = (smooth * normalize(z, dim=0)).softmax(dim=1)  # the length of z is taken over the queries
        attended = alpha @ keys  # [n_queries, dim]
        scores.append(torch.cosine_similarity(queries, attended, dim=1).mean())  # with the original queries
        both = torch.cat([x, attended], dim=1)
        gate, content = (both @ w_gate.T).sigmoid(), (both @ w_content.T).tanh()
        x = gate * x + (1 - gate) * content
    return torch.stack(scores)


def _steps(
    queries,
    keys,
    w_gate,
    w_content,
    smooth,
    n_steps,
    weigh=lambda x, k, smooth: (smooth * normalize((normalize(x, dim=1) @ k.T).relu(), dim=0)).softmax(1),
    scored=lambda q, x: q,
    gate=lambda logits: logits.sigmoid(),
    squash=torch.tanh,
    join=lambda x, c: torch.cat([x, c], 1),
    mix=lambda g, x, o: g * x + (1 - g) * o,
):
    """As the solution, with one part changed."""
    x, found = queries, []
    for _ in range(n_steps):
        attended = weigh(x, keys, smooth) @ keys
        found.append(cosine_similarity(scored(queries, x), attended, dim=1).mean())
        both = join(x, attended)
        x = mix(gate(both @ w_gate.T), x, squash(both @ w_content.T))
    return torch.stack(found)


memory_scores = Exercise(
    name="memory_scores",
    minutes=20,
    difficulty=3,
    hints=(
        "A step has four parts: cosines of x and keys, weights, attended vectors, the next x. Use two names: `queries` "
        "stays as it is, x changes.",
        "z = (normalize(x, dim=1) @ keys.T).relu(); its length is taken over the queries, dim=0; alpha = (smooth * "
        "normalize(z, dim=0)).softmax(dim=1). The score of the step is the mean cosine of `queries` and alpha @ keys.",
        "both = torch.cat([x, attended], dim=1); gate = (both @ w_gate.T).sigmoid(); content = (both @ w_content.T)"
        ".tanh(); x = gate * x + (1 - gate) * content. Return torch.stack of the scores.",
    ),
    reference=_memory_by_loop,
    own=_own_memory_scores,
    inputs={
        "several steps": _sets,
        "a single step": lambda g: _sets(g, n_steps=1),
        "a single query": lambda g: _sets(g, n_queries=1),
    },
    shape="[n_steps]",
    begin="Start from unit vectors `queries` [n_queries, dim] and `keys` [n_keys, dim], the weights `w_gate` and "
    "`w_content` [dim, 2 dim] that read [x; attended], the number `smooth`, and `n_steps`. Let x be the queries at the "
    "first step. At each step, attend to the keys with x, score, and make the next x. Return F of each step.",
    varied=("w_gate", "w_content"),
    remarks={"a single query": "The length is taken over the queries: with one query, z is 1 for all positive keys."},
    mistakes=(
        (
            lambda *a: _steps(*a, scored=lambda q, x: x),
            "The refined query is scored. It only chooses where to look: the score takes the original queries, else "
            "the memory can score well by writing the attended vector into the query.",
        ),
        (
            lambda *a: _steps(*a, mix=lambda g, x, o: (1 - g) * x + g * o),
            "Gate and 1 - gate are exchanged. The gate says how much of x stays: g x + (1 - g) o.",
        ),
        (
            lambda *a: _steps(*a, mix=lambda g, x, o: x),
            "All steps are the same: x is never replaced. Attend with the new x at the next step.",
        ),
        (
            lambda *a: _steps(*a, mix=lambda g, x, o: o),
            "The gate is left out: the next query forgets x. Mix both, g x + (1 - g) o.",
        ),
        (
            lambda *a: _steps(*a, mix=lambda g, x, o: x + o),
            "The content is added to x without a gate. The paper tries that as a weaker memory; mix with the gate.",
        ),
        (
            lambda *a: _steps(*a, gate=lambda logits: logits.mean(1, keepdim=True).sigmoid()),
            "The gate is one number per query. It is a vector: each channel has a gate of its own.",
        ),
        (
            lambda *a: _steps(*a, squash=lambda logits: logits),
            "The content is used without tanh. Squash it, so that it stays between -1 and 1.",
        ),
        (
            lambda *a: _steps(*a, join=lambda x, c: torch.cat([c, x], 1)),
            "The weights read [attended; x] here. They expect x first, then the attended vector.",
        ),
        (
            lambda *a: _steps(
                *a,
                weigh=lambda x, k, s: (s * normalize((normalize(x, dim=1) @ k.T).relu(), dim=1)).softmax(1),
            ),
            "The length of z is taken over the keys. IMRAM, like SCAN, takes it over the queries, dim=0.",
        ),
        (
            lambda *a: _steps(*a, weigh=lambda x, k, s: (s * (normalize(x, dim=1) @ k.T).relu()).softmax(1)),
            "z is not divided by its length over the queries. Scale it with normalize(z, dim=0).",
        ),
        (
            lambda *a: _steps(*a, weigh=lambda x, k, s: (s * normalize(normalize(x, dim=1) @ k.T, dim=0)).softmax(1)),
            "Negative cosines are kept. Clip them with relu before the length is taken.",
        ),
        (
            lambda *a: _steps(
                *a, weigh=lambda x, k, s: (s * normalize((normalize(x, dim=1) @ k.T).relu(), dim=0)).softmax(0)
            ),
            "The softmax runs over the queries. The weights of each query sum to one over the keys, dim=1.",
        ),
        (
            lambda *a: _steps(*a, weigh=lambda x, k, s: (s * normalize((x @ k.T).relu(), dim=0)).softmax(1)),
            "From the second step on, x has no unit length: take cosines, so normalize(x, dim=1). (The authors' "
            "scripts take dot products there, with an option of their own.)",
        ),
    ),
)


def _adapted(g: torch.Generator, n_regions: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor, float]:
    """Regions of one image, a caption, its gamma and beta, and lambda."""
    n_regions, dim = n_regions or random_size(g, 2, 7), random_size(g, 3, 8)
    items = torch.randn(n_regions, dim, generator=g)
    caption, gamma, beta = torch.randn(3, dim, generator=g).unbind()
    return items, caption, gamma, beta, float(random_size(g, 2, 6)) / 2


def _fovea_by_loop(items: Tensor, caption: Tensor, gamma: Tensor, beta: Tensor, smooth: float) -> Tensor:
    rows, pooled = items.double().tolist(), []
    for d, (scale, shift) in enumerate(zip(gamma.double().tolist(), beta.double().tolist(), strict=True)):
        x = [row[d] * (1 + scale) + shift for row in rows]
        largest = max(x)
        powers = [math.exp(smooth * (value - largest)) for value in x]
        pooled.append(sum(p * value for p, value in zip(powers, x, strict=True)) / sum(powers))
    return torch.tensor(_cosine(pooled, caption.double().tolist()))


def _own_foveal_score(items, caption, gamma, beta, smooth):
    x = items * (1 + gamma) + beta  # [n_regions, dim]
    weights = (smooth * x).softmax(dim=0)  # one softmax over the regions per channel
    pooled = (weights * x).mean(dim=0)  # [dim]
    return torch.cosine_similarity(pooled, caption, dim=0)


def _foveal(n, t, gamma, beta, smooth, adapt=lambda n, g, b: n * (1 + g) + b, weigh=None, score=cosine_similarity):
    """As the solution, with one part changed."""
    x = adapt(n, gamma, beta)
    weights = (smooth * x).softmax(0) if weigh is None else weigh(x, n, smooth)
    return score((weights * x).mean(0), t, dim=0)


foveal_score = Exercise(
    name="foveal_score",
    minutes=10,
    difficulty=2,
    hints=(
        "Three lines: scale and shift the regions, weigh them in each channel, compare their mean with the caption.",
        "x = items * (1 + gamma) + beta. The fovea asks in each channel which regions have a large number there: a "
        "softmax over the regions, for each column of x.",
        "weights = (smooth * x).softmax(dim=0); pooled = (weights * x).mean(dim=0); "
        "torch.cosine_similarity(pooled, caption, dim=0).",
    ),
    reference=_fovea_by_loop,
    own=_own_foveal_score,
    inputs={"several regions": _adapted, "a single region": lambda g: _adapted(g, n_regions=1)},
    begin="Start from `items` [n_regions, dim] of one image and the caption's vectors `caption`, `gamma` and `beta` "
    "[dim]. Scale each region by 1 + gamma and shift it by beta; weigh the regions in every channel by a softmax with "
    "the inverse temperature `smooth`; return the cosine of their mean with the caption, one number.",
    varied=("items",),
    remarks={"a single region": "A softmax over one region is 1: the score is the cosine of that region."},
    mistakes=(
        (
            lambda *a: _foveal(*a, weigh=lambda x, n, s: (s * x).softmax(1)),
            "The softmax runs over the channels of a region. It runs over the regions, dim=0, in each channel.",
        ),
        (
            lambda *a: _foveal(*a, weigh=lambda x, n, s: torch.ones_like(x)),
            "All regions count alike: the fovea is missing. Weigh the regions in every channel by a softmax.",
        ),
        (
            lambda *a: _foveal(*a, weigh=lambda x, n, s: (s * x.mean(1, keepdim=True)).softmax(0)),
            "Each region has one weight for all channels, as in attention. The fovea has a weight per channel.",
        ),
        (
            lambda *a: _foveal(*a, weigh=lambda x, n, s: (s * x).flatten().softmax(0).view_as(x)),
            "One softmax runs over all regions and channels together. Each channel has its own, dim=0.",
        ),
        (
            lambda *a: _foveal(*a, adapt=lambda n, g, b: n * g + b),
            "The regions are scaled by gamma alone. The scale is 1 + gamma, so that gamma = 0 changes nothing.",
        ),
        (
            lambda *a: _foveal(*a, adapt=lambda n, g, b: n * (1 + g)),
            "beta is missing. It drops out of the softmax, but not out of the mean.",
        ),
        (
            lambda *a: _foveal(*a, adapt=lambda n, g, b: (n + b) * (1 + g)),
            "The regions are shifted before they are scaled. Scale first: items * (1 + gamma) + beta.",
        ),
        (
            lambda *a: _foveal(*a, weigh=lambda x, n, s: (s * n).softmax(0)),
            "The weights look at the items before they are adapted: the caption cannot choose. Take the softmax of x.",
        ),
        (
            lambda *a: _foveal(*a, weigh=lambda x, n, s: x.softmax(0)),
            "The inverse temperature is missing: multiply x by smooth inside the softmax.",
        ),
        (
            lambda n, t, gamma, beta, s: cosine_similarity(
                ((s * (n * (1 + gamma) + beta)).softmax(0) * n).mean(0), t, dim=0
            ),
            "The mean is one of the items before they are adapted. Weigh x, not items.",
        ),
        (
            lambda *a: _foveal(*a, score=lambda v, t, dim: v @ t),
            "This is a dot product. Divide by both lengths: a cosine.",
        ),
    ),
)


def _costs(g: torch.Generator, n_steps: int = 0, square: bool = False) -> tuple[Tensor, float, int]:
    """1 - cosine of regions and words, beta, and the number of steps."""
    n_regions = random_size(g, 2, 6)
    n_words, dim = (n_regions if square else random_size(g, 2, 6)), random_size(g, 3, 6)
    regions, words = (normalize(torch.randn(n, dim, generator=g), dim=1) for n in (n_regions, n_words))
    return 1 - regions @ words.T, (0.5, 1.0)[random_size(g, 0, 2)], n_steps or random_size(g, 2, 13)


def _plan_by_loop(cost: Tensor, beta: float, n_steps: int) -> Tensor:
    rows = cost.double().tolist()
    n_regions, n_words = len(rows), len(rows[0])
    plan, sigma = [[1.0] * n_words for _ in rows], [1 / n_words] * n_words
    for _ in range(n_steps):
        q = [[math.exp(-rows[r][w] / beta) * plan[r][w] for w in range(n_words)] for r in range(n_regions)]
        delta = [1 / n_regions / sum(q[r][w] * sigma[w] for w in range(n_words)) for r in range(n_regions)]
        sigma = [1 / n_words / sum(q[r][w] * delta[r] for r in range(n_regions)) for w in range(n_words)]
        plan = [[delta[r] * q[r][w] * sigma[w] for w in range(n_words)] for r in range(n_regions)]
    return torch.tensor(plan)


def _own_transport_plan(cost, beta, n_steps):
    n_regions, n_words = cost.shape
    kernel, plan = (-cost / beta).exp(), torch.ones_like(cost)
    sigma = torch.full_like(cost[0], 1 / n_words)
    for _ in range(n_steps):
        product = kernel * plan  # with the plan of the step before: this makes the method proximal
        delta = 1 / n_regions / (product @ sigma)  # [n_regions]: rows get the masses of the regions
        sigma = 1 / n_words / (product.T @ delta)  # [n_words]: columns get the masses of the words
        plan = delta[:, None] * product * sigma
    return plan


def _planned(
    cost,
    beta,
    n_steps,
    kernel=lambda cost, beta: (-cost / beta).exp(),
    product=lambda kernel, plan: kernel * plan,
    mass=lambda n: 1 / n,
    words_first=False,
    scaled=lambda delta, product, sigma: delta[:, None] * product * sigma,
):
    """As the solution, with one part changed."""
    (n, m), a, plan = cost.shape, kernel(cost, beta), torch.ones_like(cost)
    delta, sigma = torch.full_like(cost[:, 0], 1 / n), torch.full_like(cost[0], 1 / m)
    for _ in range(n_steps):
        q = product(a, plan)
        if words_first:
            sigma = mass(m) / (q.T @ delta)
        delta = mass(n) / (q @ sigma)
        if not words_first:
            sigma = mass(m) / (q.T @ delta)
        plan = scaled(delta, q, sigma)
    return plan


transport_plan = Exercise(
    name="transport_plan",
    minutes=15,
    difficulty=2,
    hints=(
        "Q = A * T with A = exp(-cost / beta); then delta and sigma scale rows and columns to their masses, 1 / "
        "n_regions and 1 / n_words; the new plan is Q with scaled rows and columns.",
        "delta = 1 / n_regions / (Q @ sigma), then sigma = 1 / n_words / (Q.T @ delta), with the new delta. Keep sigma "
        "for the next step.",
        "for _ in range(n_steps): Q = kernel * plan; the two lines above; plan = delta[:, None] * Q * sigma. Begin "
        "with plan = torch.ones_like(cost) and sigma = torch.full_like(cost[0], 1 / n_words).",
    ),
    reference=_plan_by_loop,
    own=_own_transport_plan,
    inputs={
        "several steps": _costs,
        "a single step": lambda g: _costs(g, n_steps=1),
        "as many words as regions": lambda g: _costs(g, square=True),
    },
    shape="[n_regions, n_words]",
    begin="Start from `cost` [n_regions, n_words], `beta`, and `n_steps` of algorithm 1 of the GOT paper. T is 1 "
    "everywhere at first, and sigma 1 / n_words. A step makes Q, delta, sigma and the next T. Return the last T.",
    spared=LARGE,  # exp(-cost / beta) is 0 there; costs are 1 - cosine, from 0 to 2
    mistakes=(
        (
            lambda *a: _planned(*a, product=lambda kernel, plan: kernel),
            "The plan of the step before is forgotten: that is Sinkhorn's method, whose plan stays smooth. Multiply "
            "the kernel by the plan, Q = A * T.",
        ),
        (
            lambda *a: _planned(*a, kernel=lambda cost, beta: (cost / beta).exp()),
            "The sign of the cost is turned: dear moves get the most mass. The kernel is exp(-cost / beta).",
        ),
        (
            lambda *a: _planned(*a, kernel=lambda cost, beta: (-cost).exp()),
            "beta is not used. The kernel is exp(-cost / beta).",
        ),
        (
            lambda *a: _planned(*a, kernel=lambda cost, beta: (-cost * beta).exp()),
            "The cost is multiplied by beta. Divide: a small beta makes each step larger.",
        ),
        (
            lambda *a: _planned(*a, mass=lambda n: 1.0),
            "Each region and each word has mass 1 here. Masses sum to one on each side: 1 / n_regions, 1 / n_words.",
        ),
        (
            lambda *a: _planned(*a, words_first=True),
            "sigma is computed before delta. Rows come first, so that the columns are exact at the end.",
        ),
        (
            lambda *a: _planned(*a, scaled=lambda delta, product, sigma: product * sigma),
            "The rows are not scaled: delta is missing in the new plan, diag(delta) Q diag(sigma).",
        ),
        (
            lambda cost, beta, n: (-cost / beta).softmax(1) / len(cost),
            "This is a softmax of each row, attention without transport. Scale rows and columns in turn.",
        ),
        (
            lambda cost, beta, n: _planned(cost, beta, n) * cost,
            "This is the plan times the cost. Return the plan; the distance would be the sum of this.",
        ),
    ),
)


BUILD_EXERCISES = (memory_scores, foveal_score, transport_plan)
