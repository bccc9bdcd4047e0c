"""PCME's loss and its Gaussians: the fact sheet's numbers, loops over samples, and the public code's two slips."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from itm_tutorial.interaction.expected_distance import Gaussians, expected_distance, kl_to_standard
from itm_tutorial.losses.match_probability import SoftContrastive, log_match_probabilities, sample_distances


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_tiny_example_the_log_of_the_mean_and_sigmoid_of_2x():
    x = torch.tensor([1.5, -1.5], dtype=torch.float64)
    ratio = x.exp() / (x.exp() + (-x).exp())
    assert ratio.tolist() == pytest.approx([0.9526, 0.0474], abs=5e-5)
    matching, other = log_match_probabilities(x)
    assert -matching.item() == pytest.approx(0.6931, abs=5e-5) and -other.item() == pytest.approx(0.6931, abs=5e-5)
    assert -ratio.log().mean().item() == pytest.approx(1.5486, abs=5e-5)  # the mean of logs is another loss
    assert [sigmoid(v) for v in x.tolist()] == pytest.approx([0.8176, 0.1824], abs=5e-5)  # sigmoid(x) is too flat


def test_the_published_ratio_overflows_and_log_sigmoid_does_not():
    """match_prob of the public code, in float32: inf / inf for a shift of 15 and tight embeddings, and beyond."""
    x = torch.tensor([100.0, 15.0, -100.0])
    ratio = x.exp() / (x.exp() + (-x).exp())
    assert ratio[0].isnan() and ratio[1] == 1 and ratio[2] == 0
    pairs = [log_match_probabilities(x[i : i + 1]) for i in range(3)]
    assert [m.item() for m, _ in pairs] == pytest.approx([0, 0, -200], abs=1e-6)
    assert [o.item() for _, o in pairs] == pytest.approx([-200, -30, 0], abs=1e-4)
    assert ratio[2].log().isinf()  # so is a logarithm of it


@given(
    n=st.integers(1, 4), m=st.integers(1, 4), samples=st.integers(1, 3), dim=st.integers(1, 3), seed=st.integers(0, 99)
)
def test_the_loss_is_that_of_loops_over_pairs_and_samples(n, m, samples, dim, seed):
    images, captions = numbers(n, samples, dim, seed=seed), numbers(m, samples, dim, seed=seed + 100)
    positives = torch.arange(n)[:, None] == torch.arange(m) % n
    loss = SoftContrastive(scale=1.25, shift=0.75).double()
    total = 0.0
    for i in range(n):
        for j in range(m):
            ps = []
            for a in images[i].tolist():
                for b in captions[j].tolist():
                    distance = math.sqrt(sum((p - q) ** 2 for p, q in zip(a, b, strict=True)) + 1e-6)
                    ps.append(sigmoid(2 * (0.75 - 1.25 * distance)))
            p = sum(ps) / len(ps)
            total -= math.log(p if positives[i, j] else 1 - p)
    assert loss(images, captions, positives).item() == pytest.approx(2 * total, abs=1e-10)
    assert loss(captions, images, positives.T).item() == pytest.approx(2 * total, abs=1e-10)  # both directions are one
    single = loss.float()(images.float(), captions.float(), positives)
    assert single.item() == pytest.approx(2 * total, rel=1e-3, abs=1e-3)


def test_equal_samples_have_a_finite_gradient():
    z = numbers(2, 3, 4).float().requires_grad_()
    sample_distances(z, z.detach()).sum().backward()
    assert z.grad.isfinite().all()


def test_the_kl_divergence_and_the_slip_that_reads_a_deviation_as_a_variance():
    half = Gaussians(torch.zeros(1, 1), torch.full((1, 1), math.log(0.5)))  # sigma = 0.5, mu = 0
    assert kl_to_standard(half).item() == pytest.approx(0.3181, abs=6e-5)
    log_sigma = math.log(0.5)
    slip = -0.5 * (1 + log_sigma - math.exp(log_sigma))  # as the public code has it, which samples with exp(log_sigma)
    assert slip == pytest.approx(0.0966, abs=5e-5)
    standard = torch.distributions.Normal(0.0, 1.0)
    mean, log_std = numbers(3, 2), numbers(3, 2, seed=1)
    true = torch.distributions.kl_divergence(torch.distributions.Normal(mean, log_std.exp()), standard).sum()
    assert kl_to_standard(Gaussians(mean, log_std)).item() == pytest.approx(true.item(), abs=1e-10)


def test_the_expected_distance_of_the_fact_sheet_and_of_samples():
    mean = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    variance = torch.tensor([[1.0, 2.0], [0.5, 0.5]])
    both = Gaussians(mean, variance.log() / 2)
    image, caption = (Gaussians(*(part[i : i + 1] for part in both)) for i in (0, 1))
    assert expected_distance(image, caption).item() == pytest.approx(6, abs=1e-5)
    # the variances read as deviations, and squared again
    slip = [Gaussians(side.mean, 2 * side.log_std) for side in (image, caption)]
    assert expected_distance(*slip).item() == pytest.approx(7.5, abs=1e-5)
    drawn = image.samples(200_000)[0] - caption.samples(200_000)[0]
    assert drawn.square().sum(1).mean().item() == pytest.approx(6, abs=0.1)


@given(n=st.integers(1, 4), seed=st.integers(0, 99))
def test_for_one_query_only_the_gallery_s_variance_changes_the_ranking(n, seed):
    query = Gaussians(numbers(1, 3, seed=seed), numbers(1, 3, seed=seed + 1))
    gallery = Gaussians(numbers(n, 3, seed=seed + 2), numbers(n, 3, seed=seed + 3))
    distance = expected_distance(query, gallery)[0]
    alone = (query.mean - gallery.mean).square().sum(1) + gallery.variance
    assert torch.allclose(distance - alone, query.variance.expand(n), atol=1e-9)
