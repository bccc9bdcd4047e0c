"""Adversarial losses and the discriminator, compared with loops in double precision."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import gradcheck

from itm_tutorial.errors import ItmError
from itm_tutorial.losses.adversarial import ModalityDiscriminator, discriminator_loss, fooling_loss


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
