"""The exercises of chapter 03: attention in four steps, pooling, the pointing game, re-ranking a shortlist."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import leaky_relu, normalize, softmax

from itm_tutorial.chapters.adversarial import LARGE, NO_LENGTH
from itm_tutorial.chapters.ch03_scan.search_exercises import pointing_game, rerank
from itm_tutorial.chapters.exercise import Exercise, random_size

EPS = 1e-8


def _matrix(g: torch.Generator, n_words: int | None = None) -> Tensor:
    """Similarities of a few regions and words, of either sign."""
    return 0.6 * torch.randn(random_size(g, 3, 7), n_words or random_size(g, 2, 6), generator=g)


def _with_a_row_of_zeros(g: torch.Generator) -> Tensor:
    similarities = _matrix(g)
    similarities[0] = 0
    return similarities


def _normalised_by_loop(similarities: Tensor) -> Tensor:
    found = torch.zeros_like(similarities)
    for region, row in enumerate(similarities.tolist()):
        rectified = [s if s > 0 else 0.1 * s for s in row]
        length = sum(s * s for s in rectified) ** 0.5
        found[region] = torch.tensor([s / max(length, EPS) for s in rectified])
    return found


def _own_normalised_similarities(similarities):
    rectified = torch.nn.functional.leaky_relu(similarities, 0.1)  # [n_regions, n_words]
    lengths = rectified.norm(dim=1, keepdim=True)  # [n_regions, 1]: over the words
    return rectified / lengths.clamp(min=1e-8)


normalised_similarities = Exercise(
    name="normalised_similarities",
    minutes=10,
    difficulty=2,
    hints=(
        "Two steps: rectify each number by itself, then bring each region's row of words to length 1.",
        "torch.nn.functional.leaky_relu(similarities, 0.1) keeps a tenth of what is negative.",
        "Divide by .norm(dim=1, keepdim=True), and clamp it (min=1e-8) first: a row may be all zeros.",
    ),
    reference=_normalised_by_loop,
    own=_own_normalised_similarities,
    inputs={
        "random similarities": lambda g: (_matrix(g),),
        "a caption of one word": lambda g: (_matrix(g, n_words=1),),
        "a region that is similar to no word": lambda g: (_with_a_row_of_zeros(g),),
    },
    shape="[n_regions, n_words]",
    begin="Start from `similarities` [n_regions, n_words] and return a tensor of the same shape.",
    spared=("numbers near zero",),
    mistakes=(
        (
            lambda s: normalize(leaky_relu(s, 0.1), dim=0, eps=EPS),
            "The length is taken over the regions. Take it over the words, in each region's row (dim=1).",
        ),
        (
            lambda s: normalize(s.clamp(min=0), dim=1, eps=EPS),
            "Negative similarities become 0, as in the paper's formula. Keep a tenth, as the authors' code does.",
        ),
        (
            lambda s: leaky_relu(normalize(s, dim=1, eps=EPS), 0.1),
            "The rows are normalised before they are rectified. Rectify first: otherwise the rows end shorter than 1.",
        ),
        (
            lambda s: normalize(s, dim=1, eps=EPS),
            "The rectifier is missing: of each negative similarity only a tenth remains.",
        ),
        (
            lambda s: leaky_relu(s, 0.1),
            "The normalisation is missing: divide each region's row by its length, so that it has length 1.",
        ),
        (
            lambda s: leaky_relu(s, 0.1) / leaky_relu(s, 0.1).norm(),
            "The matrix is divided by the length of all its numbers. Divide each region's row by its own length.",
        ),
        (
            lambda s: leaky_relu(s, 0.1) / leaky_relu(s, 0.1).abs().sum(1, keepdim=True).clamp(min=EPS),
            "The rows are divided by the sum of their numbers. Divide by the length, the root of the sum of squares.",
        ),
        (
            lambda s: leaky_relu(s, 0.1).softmax(1),
            "This is a softmax. It belongs to the next exercise, where it runs over the regions.",
        ),
        (
            lambda s: leaky_relu(s, 0.1) / leaky_relu(s, 0.1).norm(dim=1, keepdim=True),
            "A region that is similar to no word gives 0 / 0. Keep the length above zero with clamp(min=1e-8).",
        ),
    ),
)


def _weights_by_loop(normalised: Tensor, smooth: float) -> Tensor:
    found = torch.zeros_like(normalised)
    for word in range(normalised.shape[1]):
        raised = [2.718281828459045 ** (smooth * s) for s in normalised[:, word].tolist()]
        found[:, word] = torch.tensor([r / sum(raised) for r in raised])
    return found


def _own_attention_weights(normalised, smooth):
    return (smooth * normalised).softmax(dim=0)  # [n_regions, n_words], each column sums to one


attention_weights = Exercise(
    name="attention_weights",
    minutes=5,
    difficulty=1,
    hints=(
        "The weights of one word, over all regions, sum to one: which dimension are the regions?",
        "Multiply by smooth before the softmax: lambda is an inverse temperature.",
        "(smooth * normalised).softmax(dim=0): the regions are the rows.",
    ),
    reference=_weights_by_loop,
    own=_own_attention_weights,
    inputs={
        "lambda 9": lambda g: (_own_normalised_similarities(_matrix(g)), 9.0),
        "lambda 1": lambda g: (_own_normalised_similarities(_matrix(g)), 1.0),
        "lambda 0": lambda g: (_own_normalised_similarities(_matrix(g)), 0.0),
    },
    shape="[n_regions, n_words]",
    begin="Start from `normalised` [n_regions, n_words] and `smooth`, a number; return a tensor of the same shape.",
    spared=LARGE,
    mistakes=(
        (
            lambda s, smooth: softmax(smooth * s, 1),
            "The weights of each region sum to one over the words: this is the other direction, i2t. Take dim=0.",
        ),
        (
            lambda s, smooth: softmax(s / smooth, 0),
            "The similarities are divided by lambda. Multiply: lambda is an inverse temperature.",
        ),
        (lambda s, smooth: softmax(s, 0), "Lambda is not used: this is right only for lambda 1."),
        (
            lambda s, smooth: smooth * softmax(s, 0),
            "Lambda multiplies the weights, so that they no longer sum to one. Multiply inside the softmax.",
        ),
        (
            lambda s, smooth: softmax((smooth * s).flatten(), 0).view_as(s),
            "All weights together sum to 1. Each word has a total weight of 1, so each column must sum to 1.",
        ),
        (
            lambda s, smooth: (smooth * s).exp(),
            "These are the exponentials: divide each column by its sum.",
        ),
        (
            lambda s, smooth: torch.zeros_like(s).scatter(0, s.argmax(0, keepdim=True), 1.0),
            "Each word attends only to its best region, as with an infinite lambda.",
        ),
    ),
)


def _embeddings(g: torch.Generator, unit: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Regions, words, and attention that is far from uniform."""
    n_regions, n_words, dim = random_size(g, 3, 7), random_size(g, 2, 6), random_size(g, 3, 9)
    regions, words = (torch.randn(n, dim, generator=g) for n in (n_regions, n_words))
    weights = (2 * torch.randn(n_regions, n_words, generator=g)).softmax(0)
    return (normalize(regions, dim=1), normalize(words, dim=1), weights) if unit else (regions, words, weights)


def _attending_to_one(g: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    regions, words, weights = _embeddings(g, unit=True)
    return regions, words, torch.zeros_like(weights).scatter(0, weights.argmax(0, keepdim=True), 1.0)


def _attended_by_loop(regions: Tensor, words: Tensor, weights: Tensor) -> Tensor:
    found = []
    for word in range(len(words)):
        attended = [sum(float(w) * float(x) for w, x in zip(weights[:, word], c, strict=True)) for c in regions.T]
        product = sum(a * float(e) for a, e in zip(attended, words[word], strict=True))
        lengths = sum(a * a for a in attended) ** 0.5 * sum(float(e) ** 2 for e in words[word]) ** 0.5
        found.append(product / max(lengths, EPS))
    return torch.tensor(found)


def _own_attended_cosine(regions, words, weights):
    attended = weights.T @ regions  # [n_words, dim]: a mean of regions for each word
    product = (attended * words).sum(dim=1)  # [n_words]
    return product / (attended.norm(dim=1) * words.norm(dim=1)).clamp(min=1e-8)


attended_cosine = Exercise(
    name="attended_cosine",
    minutes=10,
    difficulty=2,
    hints=(
        "First the attended vector of each word: the mean of the regions by its weights.",
        "weights.T @ regions is [n_words, dim]; its row w belongs to words[w].",
        "(attended * words).sum(1), divided by both lengths: a mean of unit vectors is shorter than 1.",
    ),
    reference=_attended_by_loop,
    own=_own_attended_cosine,
    inputs={
        "unit vectors": lambda g: _embeddings(g, unit=True),
        "vectors of any length": lambda g: _embeddings(g, unit=False),
        "words that attend to one region each": _attending_to_one,
    },
    shape="[n_words]",
    begin="Start from one word: which two vectors of length dim are compared? Return a tensor [n_words].",
    varied=("regions", "words"),
    spared=NO_LENGTH,
    mistakes=(
        (
            lambda v, e, a: ((a.T @ v) * e).sum(1),
            "This is the dot product. Divide by both lengths: a mean of unit vectors is shorter than 1.",
        ),
        (
            lambda v, e, a: (normalize(a.T @ v, dim=1) * e).sum(1),
            "The product is divided only by the attended vector's length. Divide by the word's length too.",
        ),
        (
            lambda v, e, a: ((a.T @ v) * normalize(e, dim=1)).sum(1),
            "The product is divided only by the word's length. Divide by the attended vector's too: a mean is shorter.",
        ),
        (
            lambda v, e, a: (a * (normalize(v, dim=1) @ normalize(e, dim=1).T)).sum(0),
            "This is the weighted mean of the cosines. Compute the cosine with the weighted mean of the regions.",
        ),
        (
            lambda v, e, a: normalize(e, dim=1) @ normalize(v.mean(0), dim=0),
            "The weights are not used: every word is compared with the plain mean of the regions.",
        ),
        (
            lambda v, e, a: normalize(a.T @ v, dim=1) @ normalize(e, dim=1).T,
            "Every word is compared with every attended vector. Keep the diagonal: each word with its own vector.",
        ),
        (
            lambda v, e, a: _own_attended_cosine(v, e, a).mean(),
            "This is the mean over the words. It comes later: return one cosine per word.",
        ),
    ),
)


def _products(g: torch.Generator, unit: bool, n_regions: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
    regions, words, weights = _embeddings(g, unit=True)
    if not unit:
        regions = regions * (0.5 + torch.rand(len(regions), 1, generator=g))
    if n_regions:
        regions, weights = regions[:n_regions], weights[:n_regions] / weights[:n_regions].sum(0)
    return regions @ words.T, weights, regions @ regions.T


def _gram_by_loop(similarities: Tensor, weights: Tensor, gram: Tensor) -> Tensor:
    found, regions = [], range(len(gram))
    for word in range(weights.shape[1]):
        alpha = weights[:, word].tolist()
        product = sum(alpha[r] * float(similarities[r, word]) for r in regions)
        squared = sum(alpha[r] * alpha[q] * float(gram[r, q]) for r in regions for q in regions)
        found.append(product / max(squared, EPS**2) ** 0.5)
    return torch.tensor(found)


def _own_cosine_by_gram(similarities, weights, gram):
    product = (weights * similarities).sum(dim=0)  # [n_words]
    squared = (weights * (gram @ weights)).sum(dim=0)  # [n_words]: each attended vector's squared length
    return product / squared.clamp(min=1e-16).sqrt()


cosine_by_gram = Exercise(
    name="cosine_by_gram",
    minutes=15,
    difficulty=3,
    hints=(
        "The attended vector is a sum over regions. Put it into the dot product, and into its own squared length.",
        "The product is (weights * similarities).sum(0). The squared length is a double sum over pairs of regions.",
        "(weights * (gram @ weights)).sum(0) is each attended vector's squared length; divide by its root.",
    ),
    reference=_gram_by_loop,
    own=_own_cosine_by_gram,
    inputs={
        "unit regions": lambda g: _products(g, unit=True),
        "regions of any length": lambda g: _products(g, unit=False),
        "a picture with one region": lambda g: _products(g, unit=False, n_regions=1),
    },
    shape="[n_words]",
    begin="On paper, write the cosine of a word with its attended vector as a fraction. Then find numerator and "
    "denominator in `similarities`, `weights` and `gram`.",
    varied=(),
    mistakes=(
        (lambda s, a, m: (a * s).sum(0), "This is only the dot product. Divide by the attended vector's length."),
        (
            lambda s, a, m: (a * s).sum(0) / (a * (m @ a)).sum(0),
            "The product is divided by the squared length. Take its root first.",
        ),
        (
            lambda s, a, m: (a * s).sum(0) / (a * (m.diag()[:, None] * a)).sum(0).sqrt(),
            "Only the diagonal of the Gram matrix is used. Regions are not orthogonal, so pairs of them count too.",
        ),
        (
            lambda s, a, m: (a * s).sum(0) / a.norm(dim=0),
            "This divides by the length of the weights, not of the attended vector: the Gram matrix is missing.",
        ),
        (
            lambda s, a, m: (a * s).sum(0) / (a.T @ m @ a).sqrt(),
            "The double sum also pairs different words. Of weights.T @ gram @ weights take only the diagonal.",
        ),
        (
            lambda s, a, m: (a * s).sum(0) / (m @ a).sum(0).clamp(min=EPS**2).sqrt(),
            "The squared length has the weights only once. They stand on both sides of the Gram matrix.",
        ),
        (
            lambda s, a, m: s.sum(0) / (a * (m @ a)).sum(0).sqrt(),
            "The similarities are added without their weights.",
        ),
    ),
)


def _padded(g: torch.Generator, full: bool = False) -> tuple[Tensor, Tensor]:
    """Cosines of captions of several lengths, and the mask of real words; padding has arbitrary cosines."""
    n_captions, seq_len = random_size(g, 2, 5), random_size(g, 4, 8)
    lengths = torch.randint(1, seq_len, (n_captions,), generator=g)
    lengths = torch.full_like(lengths, seq_len) if full else lengths
    mask = torch.arange(seq_len)[None] < lengths[:, None]
    return 2 * torch.rand(n_captions, seq_len, generator=g) - 1, mask


def _low_cosines(g: torch.Generator) -> tuple[Tensor, Tensor, float]:
    """Cosines near -1 with a large lse: any value that is filled in for padding shows, unless it is -inf."""
    cosines, mask = _padded(g)
    return torch.where(mask, -0.9 - 0.1 * cosines.abs(), cosines), mask, 60.0


def _pooled_by_loop(cosines: Tensor, mask: Tensor, lse: float | None) -> Tensor:
    found = []
    for row, row_mask in zip(cosines.tolist(), mask.tolist(), strict=True):
        own = [c for c, real in zip(row, row_mask, strict=True) if real]
        raised = torch.tensor([lse * c for c in own] if lse else [], dtype=torch.float64).exp()
        summed = raised.sum().log() / lse if lse else sum(own) / len(own)
        found.append(float(summed))
    return torch.tensor(found)


def _own_pooled(cosines, mask, lse):
    if lse is None:
        return cosines.masked_fill(~mask, 0).sum(dim=1) / mask.sum(dim=1)  # [n_captions]
    return (lse * cosines).masked_fill(~mask, -torch.inf).logsumexp(dim=1) / lse


def _either(mean, by_lse):
    """A pooling with a mistake in one of its two forms, or in both."""
    return lambda c, mask, lse: mean(c, mask) if lse is None else by_lse(c, mask, lse)


def _correct_mean(cosines: Tensor, mask: Tensor) -> Tensor:
    return _own_pooled(cosines, mask, None)


pooled = Exercise(
    name="pooled",
    minutes=15,
    difficulty=2,
    hints=(
        "The mask says which cosines belong to a word: padding must not count, in either form.",
        "For the mean set padding to 0 and divide by the number of real words; for log-sum-exp use -inf: exp(0) is 1.",
        "(lse * cosines).masked_fill(~mask, -torch.inf).logsumexp(1) / lse; where lse is None, the mean.",
    ),
    reference=_pooled_by_loop,
    own=_own_pooled,
    inputs={
        "the mean": lambda g: (*_padded(g), None),
        "log-sum-exp": lambda g: (*_padded(g), 6.0),
        "captions of one length": lambda g: (*_padded(g, full=True), 4.0),
        "cosines that are all negative": _low_cosines,
        "a small lse": lambda g: (*_padded(g), 0.05),
    },
    shape="[n_captions]",
    begin="Begin with the case where `lse` is None, and return a tensor [n_captions]. Then write the other case.",
    remarks=dict.fromkeys(
        ("log-sum-exp", "cosines that are all negative", "a small lse"),
        "A constant for padding, such as 0 or -20, still counts: only exp(-inf) is 0.",
    ),
    spared=LARGE,
    mistakes=(
        (
            _either(lambda c, t: c.mean(1), lambda c, t, k: (k * c).logsumexp(1) / k),
            "Padding counts: the positions after a caption's end hold no words. Use the mask.",
        ),
        (
            _either(
                lambda c, t: c.masked_fill(~t, 0).mean(1), lambda c, t, k: (k * c.masked_fill(~t, 0)).logsumexp(1) / k
            ),
            "Padding was set to 0 but still counts: in the divisor of the mean, and as exp(0) = 1 in log-sum-exp.",
        ),
        (
            _either(_correct_mean, lambda c, t, k: (k * c.masked_fill(~t, 0)).logsumexp(1) / k),
            "In log-sum-exp each padded position adds exp(0) = 1. Fill with minus infinity.",
        ),
        (
            _either(lambda c, t: c.masked_fill(~t, 0).mean(1), lambda c, t, k: _own_pooled(c, t, k)),
            "The mean is divided by the length of the longest caption. Divide by each caption's own number of words.",
        ),
        (
            _either(_correct_mean, lambda c, t, k: (k * c).masked_fill(~t, -torch.inf).logsumexp(1)),
            "The division by lse at the end is missing: without it the score grows with lse.",
        ),
        (
            _either(_correct_mean, lambda c, t, k: c.masked_fill(~t, -torch.inf).logsumexp(1) / k),
            "lse must also multiply the cosines, inside the exponential.",
        ),
        (
            _either(_correct_mean, lambda c, t, k: c.masked_fill(~t, -torch.inf).logsumexp(1)),
            "lse is not used: multiply the cosines by it before log-sum-exp, and divide by it afterwards.",
        ),
        (
            _either(_correct_mean, lambda c, t, k: _own_pooled(c, t, k) - t.sum(1).log() / k),
            "This is the logarithm of a mean. The paper takes that of a sum, so that longer captions score higher.",
        ),
        (
            _either(_correct_mean, lambda c, t, k: (k * c).masked_fill(~t, -20.0).logsumexp(1) / k),
            "Padding was set to -20, and with a large lse true words lie below it. Fill with minus infinity.",
        ),
        (lambda c, t, k: _correct_mean(c, t), "This is the mean, also where lse is a number. Use log-sum-exp there."),
        (
            _either(lambda c, t: c.masked_fill(~t, 0).sum(1), lambda c, t, k: _own_pooled(c, t, k)),
            "This is the sum. Divide by the number of words for the mean.",
        ),
    ),
)


EXERCISES = (
    normalised_similarities,
    attention_weights,
    attended_cosine,
    cosine_by_gram,
    pooled,
    pointing_game,
    rerank,
)
