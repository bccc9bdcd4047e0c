"""Fisher vectors: a sentence is the direction in which its words would move a mixture model of word vectors.

Klein, Lev, Sadeh and Wolf, "Associating Neural Word Embeddings with Deep Image Representations Using Fisher Vectors",
CVPR 2015, sections 3 and 4. The mixture has K components with weights tau and independent dimensions, each a Gaussian
with mean mu and standard deviation sigma, or a Laplace density with location m and scale s. With the posteriors
gamma_k(x) and the N words x of a sentence,

    Gaussian:  G_mu    = sum_x gamma (x - mu) / sigma / sqrt(N tau),
               G_sigma = sum_x gamma [(x - mu)^2 / sigma^2 - 1] / sqrt(2 N tau),
    Laplace:   G_m     = sum_x gamma sgn(x - m) / sqrt(N tau), with sgn(0) = -1,
               G_s     = sum_x gamma [|x - m| / s - 1] / sqrt(N tau).

These are the derivatives of the log-likelihood, each divided by the root of its Fisher information.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import LongTensor, Tensor, nn
from torch.nn.functional import normalize

from itm_tutorial.errors import ItmError

FLOOR = 1e-4  # added to every variance, and to the square of every scale of a Laplace density
STEPS = 100  # of EM


class Mixture(nn.Module):
    """A mixture of Gaussian or Laplace densities with independent dimensions.

    Args:
        n_components: K.
        dim: numbers per vector.
        density: "gaussian"; "laplacian"; or "hybrid", which chooses the likelier one for each component and dimension.
    """

    def __init__(self, n_components: int, dim: int, density: Literal["gaussian", "laplacian", "hybrid"] = "gaussian"):
        super().__init__()
        self.density = density
        self.register_buffer("weights", torch.full((n_components,), 1 / n_components))  # tau
        self.register_buffer("locations", torch.zeros(n_components, dim))  # mu, or m
        self.register_buffer("scales", torch.ones(n_components, dim))  # sigma, or s
        self.register_buffer("laplacian", torch.full((n_components, dim), density == "laplacian"))

    def log_densities(self, x: Tensor) -> Tensor:
        """Vectors [n, dim] -> log p_k(x) [n, n_components], without the weights."""
        columns = []
        for place, scale, laplacian in zip(self.locations, self.scales, self.laplacian, strict=True):
            z = (x - place) / scale  # [n, dim]
            columns.append((torch.where(laplacian, _log_laplace(z), _log_gauss(z)) - scale.log()).sum(-1))
        return torch.stack(columns, -1)

    def log_likelihood(self, x: Tensor) -> Tensor:
        """Vectors [n, dim] -> log p(x) [n]."""
        return (self.log_densities(x) + self.weights.log()).logsumexp(-1)

    def posteriors(self, x: Tensor) -> Tensor:
        """Vectors [n, dim] -> gamma [n, n_components]; each row sums to 1."""
        return (self.log_densities(x) + self.weights.log()).softmax(-1)

    @torch.no_grad()
    def fit(self, x: Tensor, seed: int = 0, steps: int = STEPS, floor: float = FLOOR) -> list[float]:
        """Fits the mixture by expectation maximisation (EM), from means that k-means++ draws.

        Args:
            x: [n, dim], such as one vector for each word of a vocabulary.
            seed: of the draw.
            steps: at most; EM ends when the likelihood stands.
            floor: added to every variance; its root is added to every scale of a Laplace density.

        Returns:
            The mean log-likelihood of x before each step; except for the floor, it rises.

        Raises:
            ItmError: fewer vectors than components.
        """
        n_components = len(self.weights)
        if len(x) < n_components:
            raise ItmError(f"n_components is {n_components}, and there are {len(x)} word vectors: give fewer")
        kept, x = self.weights.dtype, x.double()
        self.double()
        first = spread_rows(x, n_components, torch.Generator().manual_seed(seed))  # [n_components, dim]
        nearest = torch.cdist(x, first).argmin(1)
        self._maximise(x, nn.functional.one_hot(nearest, n_components).double(), floor)
        history: list[float] = []
        for _ in range(steps):
            history.append(self.log_likelihood(x).mean().item())
            if len(history) > 1 and abs(history[-1] - history[-2]) < 1e-7:
                break
            self._maximise(x, self.posteriors(x), floor)
        self.to(kept)
        return history

    def _maximise(self, x: Tensor, gamma: Tensor, floor: float) -> None:
        """The M-step: x [n, dim], gamma [n, n_components]."""
        order = x.argsort(0)
        for k, weight in enumerate(gamma.T):  # [n]
            total = weight.sum().clamp(min=1e-12)
            mean = weight @ x / total  # [dim]
            sigma = ((weight @ (x - mean) ** 2) / total + floor).sqrt()
            if self.density == "gaussian":
                self.locations[k], self.scales[k] = mean, sigma
                continue
            median = weighted_median(x, weight, order)
            spread = weight @ (x - median).abs() / total + floor**0.5
            if self.density == "hybrid":
                gauss = weight @ (_log_gauss((x - mean) / sigma) - sigma.log())
                laplace = weight @ (_log_laplace((x - median) / spread) - spread.log())
                self.laplacian[k] = laplace > gauss
            self.locations[k] = torch.where(self.laplacian[k], median, mean)
            self.scales[k] = torch.where(self.laplacian[k], spread, sigma)
        self.weights.copy_((gamma.sum(0) / len(x)).clamp(min=1e-12))

    def forward(self, words: Tensor, mask: Tensor) -> Tensor:
        """The Fisher vectors of sentences, before they are normalised.

        Args:
            words: [n, seq_len, dim].
            mask: bool [n, seq_len], True for the words that count.

        Returns:
            [n, 2 n_components dim]: both halves of component 1, then of component 2 and so on; zero without any word.
        """
        gamma = self.posteriors(words.flatten(0, 1)).view(*words.shape[:2], -1) * mask[..., None].to(words.dtype)
        n_words = mask.sum(1).clamp(min=1).to(words.dtype)[:, None]  # [n, 1]
        parts = []
        for k, tau in enumerate(self.weights):
            z, laplacian = (words - self.locations[k]) / self.scales[k], self.laplacian[k]  # [n, seq_len, dim], [dim]
            sign = torch.where(z > 0, 1.0, -1.0).to(z.dtype)
            place = torch.where(laplacian, sign, z)
            scale = torch.where(laplacian, z.abs() - 1, (z**2 - 1) / 2**0.5)
            root = (n_words * tau).sqrt()
            parts += [torch.einsum("nw,nwd->nd", gamma[..., k], one) / root for one in (place, scale)]
        return torch.cat(parts, 1)


def fisher_vectors(mixture: Mixture, words: Tensor) -> Tensor:
    """Sentences as Fisher vectors with signed square root and unit length; the order of the words does not count.

    Args:
        mixture: of the word vectors.
        words: [n_captions, seq_len, dim]; a vector of zeros is padding, or a word that has no vector.

    Returns:
        Unit vectors [n_captions, 2 n_components dim]; zero without any word.
    """
    with torch.autocast(words.device.type, enabled=False):
        return normalised(mixture(words, words.any(-1)))


def normalised(vectors: Tensor) -> Tensor:
    """sign(v) sqrt(|v|), scaled to unit length, [n, dim]; a vector of zeros stays one."""
    return normalize(vectors.sign() * vectors.abs().sqrt(), dim=-1)


def weighted_median(x: Tensor, weight: Tensor, order: LongTensor | None = None) -> Tensor:
    """For each column, the smallest value below or at which half of the weight lies.

    Args:
        x: [n, dim].
        weight: [n], not negative.
        order: int64 [n, dim], ``x.argsort(0)``, if it is known.

    Returns:
        [dim].
    """
    order = x.argsort(0) if order is None else order
    below = weight[order].cumsum(0)  # [n, dim]
    at = (below < weight.sum() / 2).sum(0, keepdim=True).clamp(max=len(x) - 1)  # [1, dim]
    return x.gather(0, order.gather(0, at))[0]


def spread_rows(x: Tensor, n: int, generator: torch.Generator) -> Tensor:
    """Rows that lie apart, drawn as in k-means++: [n_rows, dim] -> [n, dim]."""
    chosen = [int(torch.randint(len(x), (), generator=generator))]
    for _ in range(n - 1):
        apart = torch.cdist(x, x[chosen]).amin(1) ** 2  # [n_rows]
        apart = apart if apart.sum() > 0 else torch.ones_like(apart)
        chosen.append(int(torch.multinomial(apart.cpu(), 1, generator=generator)))
    return x[chosen]


def _log_gauss(z: Tensor) -> Tensor:
    return -(z**2) / 2 - math.log(2 * math.pi) / 2


def _log_laplace(z: Tensor) -> Tensor:
    return -z.abs() - math.log(2)
