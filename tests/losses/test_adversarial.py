"""Adversarial losses and the discriminator, compared with loops in double precision."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import gradcheck

from itm_tutorial.errors import ItmError
from itm_tutorial.losses.adversarial import ModalityDiscriminator, discriminator_loss, fooling_loss, generator_loss


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


@given(
    st.lists(st.floats(-5, 5), min_size=1, max_size=5),
    st.lists(st.floats(-5, 5), min_size=1, max_size=5),
    st.sampled_from([0.0, 0.1, 0.4]),
)
def test_the_adversarial_losses_equal_their_loop(image_logits, caption_logits, smoothing):
    def cost(logit, target):
        return -target * math.log(sigmoid(logit)) - (1 - target) * math.log(1 - sigmoid(logit))

    def game(of_images, of_captions):
        images = sum(cost(x, of_images) for x in image_logits) / len(image_logits)
        return (images + sum(cost(x, of_captions) for x in caption_logits) / len(caption_logits)) / 2

    logits = [torch.tensor(side, dtype=torch.float64) for side in (image_logits, caption_logits)]
    assert discriminator_loss(*logits, smoothing).item() == pytest.approx(game(1 - smoothing, smoothing), abs=1e-6)
    assert fooling_loss(*logits).item() == pytest.approx(game(0, 1), abs=1e-6)


def test_gradients_are_those_of_the_functions():
    generator = torch.Generator().manual_seed(0)
    shapes = (3, 4), (5, 4)
    images, captions = (torch.randn(s, generator=generator, dtype=torch.float64, requires_grad=True) for s in shapes)
    discriminator = ModalityDiscriminator(4, 6).double()
    assert gradcheck(lambda a, b: discriminator_loss(discriminator(a), discriminator(b), 0.1), (images, captions))
    assert gradcheck(lambda a, b: fooling_loss(discriminator(a), discriminator(b)), (images, captions))


def test_targets_stay_inside_what_has_a_lower_bound():
    for smoothing in (-0.1, 0.5, 1.2):
        with pytest.raises(ItmError, match="smoothing"):
            discriminator_loss(torch.zeros(1), torch.zeros(1), smoothing)
    coin = discriminator_loss(torch.zeros(7), torch.zeros(2))
    assert coin.item() == pytest.approx(math.log(2)) == fooling_loss(torch.zeros(7), torch.zeros(2)).item()


def test_the_discriminator_has_two_layers_with_a_leaky_rectifier_between():
    torch.manual_seed(0)
    discriminator = ModalityDiscriminator(4, hidden=6).double()
    weight, bias, out_weight, out_bias = (parameter.tolist() for parameter in discriminator.parameters())
    assert (len(weight), len(weight[0]), len(out_weight), len(out_weight[0])) == (6, 4, 1, 6)
    embeddings = torch.randn(5, 4, dtype=torch.float64)
    for row, logit in zip(embeddings.tolist(), discriminator(embeddings).tolist(), strict=True):
        hidden = [sum(w * x for w, x in zip(ws, row, strict=True)) + b for ws, b in zip(weight, bias, strict=True)]
        assert min(hidden) < 0 < max(hidden)  # both slopes of the rectifier are met
        hidden = [h if h > 0 else 0.2 * h for h in hidden]
        assert logit == pytest.approx(sum(w * h for w, h in zip(out_weight[0], hidden, strict=True)) + out_bias[0])


def test_the_generators_loss_equals_its_loop_and_does_not_saturate():
    logits = torch.tensor([-9.0, 0.5, 3.0], dtype=torch.float64, requires_grad=True)
    loss = generator_loss(logits)
    assert loss.item() == pytest.approx(-sum(math.log(sigmoid(x)) for x in logits.tolist()) / 3)
    (slope,) = torch.autograd.grad(loss, logits)
    assert slope[0].item() == pytest.approx(-1 / 3, abs=1e-3)  # a hopeless sample still has a gradient
    (saturated,) = torch.autograd.grad(torch.log(1 - logits.sigmoid()).mean(), logits)
    assert abs(saturated[0].item()) < 1e-3
    assert generator_loss(torch.zeros(4)).item() == pytest.approx(math.log(2))


def gaussians(n):
    """Two clouds with one covariance, and the weights of the discriminator that is optimal: log p(x) - log q(x)."""
    generator = torch.Generator().manual_seed(0)
    mixing = torch.tensor([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [-0.3, 0.2, 0.7]], dtype=torch.float64)
    means = torch.tensor([[0.5, 0.0, -0.4], [-0.3, 0.4, 0.2]], dtype=torch.float64)
    noise = torch.randn(2, n, 3, generator=generator, dtype=torch.float64)
    sides = means[:, None] + noise @ mixing.T
    inverse = torch.linalg.inv(mixing @ mixing.T)
    weight = inverse @ (means[0] - means[1])  # linear discriminant analysis
    bias = -0.5 * (means[0] @ inverse @ means[0] - means[1] @ inverse @ means[1])
    return *sides, weight, bias


def test_the_best_linear_discriminator_of_two_gaussians_is_that_of_discriminant_analysis():
    optimize = pytest.importorskip("scipy.optimize")
    np = pytest.importorskip("numpy")
    real, made, weight, bias = gaussians(20_000)
    layer = torch.nn.Linear(3, 1).double()
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=100, tolerance_grad=1e-9, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = discriminator_loss(layer(real)[:, 0], layer(made)[:, 0])
        loss.backward()
        return loss

    optimizer.step(closure)
    ours = torch.cat([layer.weight[0], layer.bias]).detach().numpy()
    # scipy minimises the same loss without torch
    x, y = np.concatenate([real.numpy(), made.numpy()]), np.repeat([1.0, -1.0], 20_000)
    x = np.c_[x, np.ones(len(x))]
    theirs = optimize.minimize(lambda w: np.logaddexp(0, -y * (x @ w)).mean(), np.zeros(4), tol=1e-10).x
    assert np.allclose(ours, theirs, atol=1e-4)
    assert np.allclose(ours, torch.cat([weight, bias[None]]).numpy(), atol=0.06)  # sampling error
    exchanged = torch.cat([-weight, -bias[None]]).numpy()
    assert not np.allclose(ours, exchanged, atol=0.06)


def test_where_both_sides_are_alike_no_discriminator_does_better_than_chance():
    real, _, _, _ = gaussians(500)
    torch.manual_seed(1)
    discriminator = ModalityDiscriminator(3, 8).double()
    optimizer = torch.optim.Adam(discriminator.parameters(), 1e-2)
    for _ in range(150):
        optimizer.zero_grad()
        loss = discriminator_loss(discriminator(real), discriminator(real))
        loss.backward()
        optimizer.step()
    assert loss.item() == pytest.approx(math.log(2), abs=1e-4)
