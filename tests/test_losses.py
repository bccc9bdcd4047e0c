"""The hinge losses against a loop over triples, on any number of captions an image."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from itm_tutorial.errors import ItmError
from itm_tutorial.losses import InfoNCE, SumOfHinges, create_loss


def sum_of_hinges_by_loop(scores, positives, margin):
    """Kiros et al. 2014: every right pair against every wrong caption and every wrong image."""
    total = 0.0
    n_images, n_captions = scores.shape
    for i in range(n_images):
        for c in range(n_captions):
            if not positives[i, c]:
                continue
            for wrong in range(n_captions):
                if not positives[i, wrong]:
                    total = total + max(scores[i, c] * 0, margin - scores[i, c] + scores[i, wrong])
            for wrong in range(n_images):
                if not positives[wrong, c]:
                    total = total + max(scores[i, c] * 0, margin - scores[i, c] + scores[wrong, c])
    return total


def pairing(image_of, n_images):
    return torch.arange(n_images)[:, None] == torch.tensor(image_of)[None, :]


@given(
    st.integers(2, 5).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.integers(0, n - 1), min_size=1, max_size=9)))
)
def test_sum_of_hinges_equals_the_loop_with_its_gradient(case):
    n_images, image_of = case
    scores = torch.randn(n_images, len(image_of), dtype=torch.float64, requires_grad=True)
    positives = pairing(image_of, n_images)
    ours, expected = SumOfHinges(0.2)(scores, positives), sum_of_hinges_by_loop(scores, positives, 0.2)
    assert torch.allclose(ours, torch.as_tensor(expected, dtype=torch.float64), atol=1e-9)
    if ours > 0:
        (grad,) = torch.autograd.grad(ours, scores)
        (expected_grad,) = torch.autograd.grad(expected, scores)
        assert torch.allclose(grad, expected_grad, atol=1e-9)


def test_equal_codes_cost_the_margin_for_every_negative():
    batch, margin = 8, 0.2
    loss = SumOfHinges(margin)(torch.ones(batch, batch), torch.eye(batch, dtype=torch.bool))
    assert loss.item() == pytest.approx(2 * batch * (batch - 1) * margin)


def test_other_captions_of_the_same_image_are_no_negatives():
    scores = torch.tensor([[0.9, 0.8, -1.0], [-1.0, -1.0, 0.9]])
    assert SumOfHinges(0.2)(scores, pairing([0, 0, 1], 2)) == 0
    assert SumOfHinges(0.2)(scores, pairing([0, 1, 1], 2)) > 0


def test_a_batch_without_a_right_pair_is_refused():
    with pytest.raises(ItmError, match="positives"):
        SumOfHinges()(torch.zeros(2, 2), torch.zeros(2, 2, dtype=torch.bool))


def infonce_by_loop(scores, positives, temperature):
    """Van den Oord et al. 2018, equation 4, a row and a column for every right pair."""
    parts = []
    for i, c in positives.nonzero().tolist():
        exp = (scores / temperature).exp()
        row = exp[i, c] + sum(exp[i, k] for k in range(scores.shape[1]) if not positives[i, k])
        column = exp[i, c] + sum(exp[k, c] for k in range(scores.shape[0]) if not positives[k, c])
        parts.append(-(exp[i, c] / row).log() - (exp[i, c] / column).log())
    return torch.stack(parts).mean()


@pytest.mark.parametrize("image_of", [[0, 1, 2], [2, 0, 0, 1, 2, 2], [1, 1]])
def test_infonce_equals_the_loop_with_its_gradient(image_of):
    scores = torch.randn(3, len(image_of), dtype=torch.float64, requires_grad=True)
    positives = pairing(image_of, 3)
    ours, expected = InfoNCE(0.1)(scores, positives), infonce_by_loop(scores, positives, 0.1)
    assert torch.allclose(ours, expected, atol=1e-9)
    grads = [torch.autograd.grad(loss, scores)[0] for loss in (ours, expected)]
    assert torch.allclose(*grads, atol=1e-9)


def test_an_unknown_loss_names_the_nearest():
    with pytest.raises(ItmError, match="infonce"):
        create_loss("info_nce")
