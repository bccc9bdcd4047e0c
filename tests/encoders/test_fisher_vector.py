"""Mixtures and Fisher vectors against derivatives of the likelihood, scikit-learn, brute force and tiny examples."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.mixture import GaussianMixture

from itm_tutorial.encoders.fisher_vector import Mixture, fisher_vectors, normalised, spread_rows, weighted_median
from itm_tutorial.errors import ItmError

DENSITIES = ("gaussian", "laplacian", "hybrid")


def mixture_of(density, n_components=3, dim=2, seed=0):
    """A mixture with random parameters, float64; "hybrid" has both densities."""
    g = torch.Generator().manual_seed(seed)
    made = Mixture(n_components, dim, density).double()
    made.weights.copy_(torch.rand(n_components, generator=g).double().add(0.2))
    made.weights /= made.weights.sum()
    made.locations.copy_(torch.randn(n_components, dim, generator=g))
    made.scales.copy_(torch.rand(n_components, dim, generator=g) + 0.5)
    if density == "hybrid":
        made.laplacian.copy_(torch.arange(n_components * dim).view(n_components, dim) % 2 == 0)
    return made


def log_likelihood(x, weights, places, scales, laplacian):
    """sum_x log sum_k tau_k p_k(x), on scalars: x [n][dim], the parameters as nested lists."""
    total = 0.0
    for row in x:
        mixed = 0.0
        for tau, place, scale, kinds in zip(weights, places, scales, laplacian, strict=True):
            p = tau
            for value, m, s, laplace in zip(row, place, scale, kinds, strict=True):
                if laplace:
                    p *= math.exp(-abs(value - m) / s) / (2 * s)
                else:
                    p *= math.exp(-((value - m) ** 2) / (2 * s * s)) / (s * math.sqrt(2 * math.pi))
            mixed += p
        total += math.log(mixed)
    return total


def by_differences(x, mixture, h=1e-5):
    """Central differences of the log-likelihood, each divided by the root of its Fisher information."""
    parameters = [mixture.weights.tolist(), mixture.locations.tolist(), mixture.scales.tolist()]
    laplacian, found = mixture.laplacian.tolist(), []
    for k, tau in enumerate(parameters[0]):
        for which, gauss in (
            (1, 1),
            (2, 2),
        ):  # f_mu = N tau / sigma^2, f_sigma = 2 N tau / sigma^2; Laplace: N tau / s^2
            for d in range(len(parameters[1][0])):
                sides = []
                for step in (h, -h):
                    moved = [parameters[0], *([row[:] for row in part] for part in parameters[1:])]
                    moved[which][k][d] += step
                    sides.append(log_likelihood(x, *moved, laplacian))
                information = (1 if laplacian[k][d] else gauss) * len(x) * tau / parameters[2][k][d] ** 2
                found.append((sides[0] - sides[1]) / (2 * h) / math.sqrt(information))
    return torch.tensor(found, dtype=torch.float64)


@pytest.mark.parametrize("density", DENSITIES)
@settings(max_examples=8)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.integers(0, 10_000))
def test_a_fisher_vector_is_the_derivative_of_the_likelihood(density, n_words, n_components, dim, seed):
    mixture = mixture_of(density, n_components, dim, seed)
    words = torch.randn(1, n_words, dim, generator=torch.Generator().manual_seed(seed + 1)).double()
    found = mixture(words, torch.ones(1, n_words, dtype=torch.bool))[0]
    assert torch.allclose(found, by_differences(words[0].tolist(), mixture), atol=1e-6)


@pytest.mark.parametrize("density", DENSITIES)
def test_the_likelihood_equals_the_loop(density):
    mixture, x = mixture_of(density), torch.randn(6, 2).double()
    parameters = (mixture.weights, mixture.locations, mixture.scales, mixture.laplacian)
    expected = log_likelihood(x.tolist(), *(part.tolist() for part in parameters))
    assert mixture.log_likelihood(x).sum().item() == pytest.approx(expected, abs=1e-10)
    assert torch.allclose(mixture.posteriors(x).sum(1), torch.ones(6).double())


def single(density):
    return Mixture(1, 1, density).double()


def test_tiny_examples():
    words, mask = torch.tensor([[[1.0], [3.0]]]).double(), torch.ones(1, 2, dtype=torch.bool)
    gauss = single("gaussian")(words, mask)
    assert gauss[0].tolist() == pytest.approx([2.828, 4.0], abs=1e-3)
    assert single("laplacian")(words, mask)[0].tolist() == pytest.approx([1.414, 1.414], abs=1e-3)
    assert normalised(gauss)[0].tolist() == pytest.approx([0.6436, 0.7654], abs=1e-4)
    only_l2 = gauss[0] / gauss[0].norm()  # without the root
    assert only_l2[0].item() != pytest.approx(0.6436, abs=1e-2)


def test_a_word_at_the_location_of_a_laplace_density_counts_as_left_of_it():
    found = single("laplacian")(torch.zeros(1, 1, 1).double(), torch.ones(1, 1, dtype=torch.bool))
    assert found[0].tolist() == [-1.0, -1.0]  # sgn(0) = -1; |0| - 1


@pytest.mark.parametrize(("x", "laplacian"), [((-4, -0.1, 0, 0.1, 4), True), ((-2, -1, 0, 1, 2), False)])
def test_the_hybrid_takes_the_likelier_density(x, laplacian):
    mixture = Mixture(1, 1, "hybrid")
    mixture.fit(torch.tensor(x)[:, None].float(), floor=0.0)
    assert mixture.laplacian.item() is laplacian
    sums = []
    for density in ("laplacian", "gaussian"):
        one = Mixture(1, 1, density)
        sums.append(5 * one.fit(torch.tensor(x)[:, None].float(), floor=0.0)[-1])
    assert (sums[0] > sums[1]) is laplacian
    if laplacian:
        assert sums == pytest.approx([-10.94, -11.74], abs=0.01)


@settings(max_examples=20)
@given(st.integers(1, 5), st.integers(0, 10_000))
def test_neither_order_nor_repetition_matters(n_words, seed):
    g = torch.Generator().manual_seed(seed)
    mixture, words = mixture_of("hybrid"), torch.randn(1, n_words, 2, generator=g).double()
    shuffled = words[:, torch.randperm(n_words, generator=g)]
    padded = torch.cat([words.repeat(1, 2, 1), torch.zeros(1, 2, 2)], 1)  # twice, then padding
    first = fisher_vectors(mixture, words)
    assert first.norm().item() == pytest.approx(1)
    assert torch.allclose(fisher_vectors(mixture, shuffled), first, atol=1e-9)
    assert torch.allclose(fisher_vectors(mixture, padded), first, atol=1e-9)


def test_a_sentence_without_known_words_is_zero():
    assert not fisher_vectors(mixture_of("gaussian"), torch.zeros(1, 3, 2).double()).any()


@pytest.mark.parametrize("density", DENSITIES)
def test_em_raises_the_likelihood_and_is_the_same_for_the_same_seed(density):
    g = torch.Generator().manual_seed(1)
    x = torch.cat([torch.randn(60, 3, generator=g) + 3 * i for i in range(3)])
    mixture, again = Mixture(3, 3, density), Mixture(3, 3, density)
    history = mixture.fit(x, floor=1e-12)
    steps = torch.tensor(history).diff()
    assert len(history) > 2 and (steps > -1e-6).all() and history[-1] > history[0]
    again.fit(x, floor=1e-12)
    assert torch.equal(mixture.locations, again.locations) and mixture.locations.dtype == torch.float32
    assert mixture.weights.sum().item() == pytest.approx(1, abs=1e-5)


def test_scikit_learn_fits_the_same_gaussians():
    g = torch.Generator().manual_seed(2)
    x = torch.cat([torch.randn(80, 2, generator=g) * (1 + i) + 12 * i for i in range(3)]).double()
    ours = Mixture(3, 2).double()
    ours.fit(x, steps=2000, floor=1e-6)
    start = spread_rows(x, 3, torch.Generator().manual_seed(0))
    theirs = GaussianMixture(
        3, covariance_type="diag", tol=1e-10, max_iter=2000, means_init=start.numpy(), reg_covar=1e-6
    ).fit(x.numpy())
    order, of_theirs = ours.weights.argsort(), theirs.weights_.argsort()
    assert ours.weights[order].tolist() == pytest.approx(theirs.weights_[of_theirs].tolist(), abs=1e-4)
    assert torch.allclose(ours.locations[order], torch.tensor(theirs.means_[of_theirs]), atol=1e-4)
    assert torch.allclose(ours.scales[order] ** 2, torch.tensor(theirs.covariances_[of_theirs]), atol=1e-4)
    assert ours.log_likelihood(x).mean().item() == pytest.approx(theirs.score(x.numpy()), abs=1e-5)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(-3, 3), st.integers(0, 4)), min_size=1, max_size=9))
def test_the_weighted_median_has_the_least_absolute_error(rows):
    x, weight = (torch.tensor([float(row[i]) for row in rows]).double() for i in (0, 1))
    weight[0] += 1

    def error(place):
        return sum(w * abs(v - place) for v, w in zip(x.tolist(), weight.tolist(), strict=True))

    found = weighted_median(x[:, None], weight)[0].item()
    assert found in x.tolist()
    assert error(found) == pytest.approx(min(map(error, x.tolist())), abs=1e-9)


def test_too_few_words_are_refused():
    with pytest.raises(ItmError, match="n_components is 5, and there are 3 word vectors: give fewer"):
        Mixture(5, 2).fit(torch.rand(3, 2))
