"""PCME: its head by a loop, its loss from samples and divergences, its deterministic twin, and both scores."""

import math

import pytest
import torch
from torch.nn.functional import normalize

import itm_tutorial as itm
from itm_tutorial.interaction.expected_distance import Gaussians, expected_distance, kl_to_standard
from itm_tutorial.models import Batch
from itm_tutorial.models.pcme import SPREAD, GaussianHead

SMALL = {"embed_size": 6, "word_dim": 5}


@pytest.fixture
def batch(tiny):
    tokens = itm.create_model("pcme", tiny, **SMALL).tokenize(tiny.train.captions[:20:5])
    return Batch(torch.rand(4, 5, 256), tokens, torch.arange(4))


@torch.no_grad()
def test_the_head_is_the_equation_row_by_row():
    head = GaussianHead(5, 4).double()
    x, mask = torch.randn(3, 6, 5, dtype=torch.float64), torch.arange(6)[None] < torch.tensor([[6], [1], [4]])
    found = head(x, mask)
    for i, n in enumerate((6, 1, 4)):
        mean = x[i, :n].mean(0)
        for part, made in (("mean", found.mean[i]), ("std", found.log_std[i])):
            hop = head.attend[part].hop
            logits = [float(hop.w2(hop.w1(row).tanh())) for row in x[i, :n]]
            weights = [math.exp(v) / sum(map(math.exp, logits)) for v in logits]
            attended = sum(w * row for w, row in zip(weights, x[i, :n], strict=True))
            if part == "mean":
                expected = head.norm(head.mean(mean) + torch.sigmoid(head.mean_residual(attended)))
                expected = expected / expected.square().sum().sqrt()
            else:
                expected = head.std(mean) + head.std_residual(attended)
            assert made.tolist() == pytest.approx(expected.tolist(), abs=1e-10)


def test_the_noise_is_shorter_than_the_mean_in_the_beginning(tiny):
    model = itm.create_model("pcme", tiny, embed_size=64, word_dim=16)
    noise = model.encode_captions(tiny.train.captions[:50]).variance.sqrt()
    assert noise.mean().item() == pytest.approx(SPREAD, rel=0.5)


def test_samples_have_the_mean_and_the_deviation_that_log_std_says():
    one = Gaussians(torch.tensor([[1.0, -2.0]]), torch.tensor([[math.log(0.5), math.log(2.0)]]))
    drawn = one.samples(100_000)[0]
    assert drawn.mean(0).tolist() == pytest.approx([1, -2], abs=0.03)
    assert drawn.std(0).tolist() == pytest.approx([0.5, 2], rel=0.02)  # not the roots of these numbers
    assert one.variance.item() == pytest.approx(0.25 + 4)


def test_the_loss_is_that_of_samples_and_weighted_divergences(tiny, batch):
    model = itm.create_model("pcme", tiny, **SMALL, samples=3, kl_weight=0.5)
    torch.manual_seed(1)
    total = model.loss(batch)
    torch.manual_seed(1)
    images, captions = model.encode_images(batch), model.encode_captions(batch)
    soft = model.loss_function(images.samples(3), captions.samples(3), batch.positives)
    assert total.item() == pytest.approx((soft + 0.5 * (kl_to_standard(images) + kl_to_standard(captions))).item())
    total.backward()
    assert model.loss_function.scale.grad != 0 and model.loss_function.shift.grad != 0  # both are learned


def test_the_twin_trains_means_alone(tiny, batch):
    twin = itm.create_model("pcme_mean", tiny, **SMALL)
    twin.loss(batch).backward()
    assert twin.loss(batch) == twin.loss(batch)  # nothing is drawn
    assert twin.head.std.weight.grad is None
    mean = twin.encode_images(batch).mean
    assert torch.allclose(mean.norm(dim=1), torch.ones(4), atol=1e-5)


@torch.no_grad()
def test_scores_are_dot_products_of_means_or_expected_distances(tiny, batch):
    model = itm.create_model("pcme", tiny, **SMALL).eval()
    images, captions = model.encode_images(batch), model.encode_captions(batch)
    assert torch.equal(model.similarity(images, captions), images.mean @ captions.mean.T)
    # the published score: the product of sums of samples; its expected value is J^2 times that of the means
    torch.manual_seed(0)
    summed = torch.stack([images.samples(7).sum(1) @ captions.samples(7).sum(1).T for _ in range(800)]).mean(0) / 49
    assert torch.allclose(summed, images.mean @ captions.mean.T, atol=0.05)
    model.score = "expected"
    assert torch.equal(model.similarity(images, captions), -expected_distance(images, captions))
    equal = [Gaussians(side.mean, torch.full_like(side.log_std, -1.0)) for side in (images, captions)]
    order = [
        scores.argsort(1).tolist() for scores in (model.similarity(*equal), normalize(equal[0].mean) @ equal[1].mean.T)
    ]
    assert order[0] == order[1]  # where all are equally uncertain, both rank alike
